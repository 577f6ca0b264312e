/* salted.c: SaltedPassword and the keys made of it (RFC 5802 §3). */
#include "sasl/salted.h"

#include "base/base64.h"
#include "base/check.h"
#include "base/mem.h"
#include "sasl/mech.h"
#include "sasl/prep.h"

#define PASSWORD_MAX 65536

static jabi_hash hash_of(const jabi_sasl *x)
{
    return (jabi_hash)x->mech->variant;
}

/* -- What the server asks for -- */

int jabi_salted_check_count(jabi_sasl *x, jab_str text, uint64_t iterations)
{
    uint32_t most = x->in.max_iterations, least = x->in.min_iterations;
    int shown = text.n > 20 ? 20 : (int)text.n;
    /* RFC 5802 §9: many iterations are a denial of service, few make the
     * password easy to guess from what we send. */
    if (!JAB_CHECK(SCRAM_ITERATIONS, iterations <= most))
        return jabi_sasl_fail(x, JAB_EPROTO,
                              "the server asks for %.*s password iterations, the limit is %u",
                              shown, text.p, most);
    if (!JAB_CHECK(SCRAM_ITERATIONS, iterations >= least))
        return jabi_sasl_fail(x, JAB_EPROTO,
                              "the server asks for %.*s password iterations, at least %u are safe",
                              shown, text.p, least);
    return 0;
}

int jabi_salted_read_salt(jabi_sasl *x, jab_str base64, jabi_buf *salt)
{
    int err = jabi_base64_decode(salt, base64);
    if (err == JAB_ELIMIT)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server's salt is longer than %d bytes",
                              JABI_SALT_MAX);
    if (err == JAB_EPROTO)
        return jabi_sasl_fail(x, err, "the server's salt is not base64");
    return err;
}

/* -- SaltedPassword, from the cache or by computing -- */

static int find_in_cache(const jabi_sasl *x, jabi_salted *s)
{
    const jabi_sasl_cache *c = x->cache;
    if (!c || !c->has_salted || !jabi_equal_secret(c->salted_key, s->key, sizeof s->key))
        return 0;
    memcpy(s->value, c->salted, sizeof s->value);
    return 1;
}

static void keep_in_cache(const jabi_sasl *x, const jabi_salted *s)
{
    if (!x->cache)
        return;
    memcpy(x->cache->salted_key, s->key, sizeof s->key);
    memcpy(x->cache->salted, s->value, sizeof s->value);
    x->cache->has_salted = 1;
}

static int derive(jabi_salted *s, jabi_sasl *x, jab_str password, jab_str salt, uint32_t iterations)
{
    jabi_hash h = hash_of(x);
    const jab_str parts[] = {{(const char *)&h, sizeof h},
                             {(const char *)&iterations, sizeof iterations},
                             salt,
                             x->in.username,
                             password};
    int err = jabi_sasl_key(parts, sizeof parts / sizeof *parts, s->key);
    if (err < 0 || find_in_cache(x, s))
        return err;
    if (iterations > jabi_pbkdf2_slice(h)) {
        err = jabi_pbkdf2_begin(&s->pbkdf2, h, password, salt, iterations);
        return err < 0 ? err : JABI_SASL_WORK;
    }
    err = jabi_pbkdf2_once(h, password, salt, iterations, s->value);
    if (err == 0)
        keep_in_cache(x, s);
    return err;
}

int jabi_salted_begin(jabi_salted *s, jabi_sasl *x, jab_str salt, uint32_t iterations)
{
    jabi_buf password;
    jabi_buf_init(&password, x->mem, PASSWORD_MAX);
    password.secret = 1;
    int err = jabi_saslprep(&password, x->in.password);
    if (err == JAB_EINVAL)
        jabi_sasl_fail(x, err, "the password has characters that SASL does not allow (RFC 4013)");
    if (err == 0)
        err = derive(s, x, jabi_buf_str(&password), salt, iterations);
    jabi_buf_fini(&password);
    return err;
}

int jabi_salted_work(jabi_salted *s, jabi_sasl *x)
{
    int more = jabi_pbkdf2_work(&s->pbkdf2);
    if (more != 0)
        return more < 0 ? more : JABI_SASL_WORK;
    memcpy(s->value, s->pbkdf2.sum, sizeof s->value);
    jabi_pbkdf2_fini(&s->pbkdf2);
    keep_in_cache(x, s);
    return 0;
}

void jabi_salted_fini(jabi_salted *s)
{
    jabi_pbkdf2_fini(&s->pbkdf2);
    jabi_wipe(s, sizeof *s);
}

/* -- Keys -- */

void jabi_keys_describe(jabi_sasl_keys *k, jabi_hash hash, jab_str salt, uint32_t iterations)
{
    *k = (jabi_sasl_keys){.hash = hash};
    if (salt.n > sizeof k->salt)
        return;
    k->iterations = iterations;
    k->salt_n = salt.n;
    memcpy(k->salt, salt.p, salt.n);
}

int jabi_keys_make(jabi_sasl_keys *k, jabi_hash hash, const uint8_t *salted)
{
    size_t n = jabi_hash_size(hash);
    int err = jabi_hmac(hash, salted, n, "Client Key", 10, k->client_key);
    return err < 0 ? err : jabi_hmac(hash, salted, n, "Server Key", 10, k->server_key);
}

const jabi_sasl_keys *jabi_keys_find(const jabi_sasl *x, jab_str salt, uint32_t iterations)
{
    for (size_t i = 0; i < x->in.n_keys; i++) {
        const jabi_sasl_keys *k = &x->in.keys[i];
        if (k->hash == hash_of(x) && k->iterations == iterations && iterations > 0 &&
            k->salt_n == salt.n && salt.n <= sizeof k->salt && memcmp(k->salt, salt.p, salt.n) == 0)
            return k;
    }
    return NULL;
}
