/* upgrade.c: the upgrade tasks of XEP-0480 §3: the password salted for another
 * hash, at the server's wish; an exchange of one challenge and one answer. */
#include "sasl/mech.h"
#include "sasl/salted.h"

typedef struct upgrade {
    int was_asked;
    jabi_sasl_keys keys;
    jabi_salted salted;
} upgrade;

static int start(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    (void)x;
    (void)out;
    *has_initial = 0;
    return JABI_SASL_SEND;
}

/* The SaltedPassword, and the keys of it: later log-ins can go by them. */
static int answer(jabi_sasl *x, jabi_buf *out)
{
    upgrade *u = x->state;
    jabi_hash h = (jabi_hash)x->mech->variant;
    int err = jabi_keys_make(&u->keys, h, u->salted.value);
    if (err == 0)
        jabi_buf_add(out, u->salted.value, jabi_hash_size(h));
    jabi_salted_fini(&u->salted);
    if (err == 0 && u->keys.iterations > 0)
        x->learnt = u->keys;
    return err < 0 ? err : JABI_SASL_SEND;
}

static int work(jabi_sasl *x, jabi_buf *out)
{
    upgrade *u = x->state;
    int code = jabi_salted_work(&u->salted, x);
    return code == 0 ? answer(x, out) : code;
}

/* Decimal digits. 1 when that is what they are; a number that is too large is UINT64_MAX. */
static int read_count(jab_str text, uint64_t *n)
{
    *n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        uint64_t digit = (uint64_t)(text.p[i] - '0');
        *n = *n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *n * 10 + digit;
    }
    return text.n > 0;
}

static uint32_t as_count(uint64_t n)
{
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static int begin(jabi_sasl *x, jab_str base64, uint64_t iterations)
{
    upgrade *u = x->state;
    jabi_buf salt;
    jabi_buf_init(&salt, x->mem, JABI_SALT_MAX);
    int code = jabi_salted_read_salt(x, base64, &salt);
    /* XEP-0480 §3: the salt MUST NOT be empty. */
    if (code == 0 && salt.n == 0)
        code = jabi_sasl_fail(x, JAB_EPROTO, "the server's salt is empty");
    if (code == 0) {
        jabi_keys_describe(&u->keys, (jabi_hash)x->mech->variant, jabi_buf_str(&salt),
                           as_count(iterations));
        code = jabi_salted_begin(&u->salted, x, jabi_buf_str(&salt), as_count(iterations));
    }
    jabi_buf_fini(&salt);
    return code;
}

/* "iterations,salt in base64" */
static int step(jabi_sasl *x, jab_str challenge, jabi_buf *out)
{
    upgrade *u = x->state;
    const char *comma = challenge.n ? memchr(challenge.p, ',', challenge.n) : NULL;
    if (u->was_asked)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server sent one challenge too many");
    size_t n = comma ? (size_t)(comma - challenge.p) : 0;
    jab_str count = {challenge.p, n};
    uint64_t iterations;
    if (!read_count(count, &iterations))
        return jabi_sasl_fail(x, JAB_EPROTO, "the server's upgrade task has no iteration count");
    u->was_asked = 1;
    int code = jabi_salted_check_count(x, count, iterations);
    if (code == 0)
        code = begin(x, (jab_str){comma + 1, challenge.n - n - 1}, iterations);
    return code == 0 ? answer(x, out) : code;
}

static void wipe(jabi_sasl *x)
{
    upgrade *u = x->state;
    jabi_salted_fini(&u->salted);
}

#define UPGRADE(text, hash, class)                                                                 \
    {                                                                                              \
        .name = text, .safety = class, .needs_password = 1, .state_size = sizeof(upgrade),         \
        .variant = hash, .start = start, .step = step, .work = work, .wipe = wipe,                 \
    }

/* SHA-1 is none: nothing is gained by it. */
static const jabi_sasl_mech tasks[] = {
    UPGRADE("UPGR-SCRAM-SHA-512", JABI_SHA512, 5),
    UPGRADE("UPGR-SCRAM-SHA-256", JABI_SHA256, 4),
};

const jabi_sasl_mech *jabi_sasl_find_upgrade(jab_str task)
{
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        if (jab_str_is(task, tasks[i].name))
            return &tasks[i];
    return NULL;
}
