/*
 * fuzz_sasl.c: what a server may send during authentication.
 *
 * The first byte picks what is tried: a mechanism or an upgrade task of the
 * table below, "c" choosing from an offer, "p" SASLprep. Lines follow. For a
 * mechanism, a line is C and a challenge, S and the data of success, or s for
 * success without data; for an offer, a mechanism's name.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "sasl/prep.h"
#include "sasl/sasl.h"

#include <stdlib.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    char letter;
    const char *name;
} tried[] = {
    {'0', "SCRAM-SHA-512-PLUS"}, {'1', "SCRAM-SHA-256-PLUS"}, {'2', "SCRAM-SHA-1-PLUS"},
    {'3', "SCRAM-SHA-512"},      {'4', "SCRAM-SHA-256"},      {'5', "SCRAM-SHA-1"},
    {'6', "EXTERNAL"},           {'7', "DIGEST-MD5"},         {'8', "PLAIN"},
    {'9', "ANONYMOUS"},          {'b', "OAUTHBEARER"},        {'h', "HT-SHA-256-EXPR"},
    {'n', "HT-SHA-512-NONE"},    {'u', "UPGR-SCRAM-SHA-256"}, {'v', "UPGR-SCRAM-SHA-512"},
};

static const jabi_sasl_mech *find_tried(char letter)
{
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        jab_str name = jab_cstr(tried[i].name);
        const jabi_sasl_mech *mech = jabi_sasl_find(name);
        if (tried[i].letter == letter)
            return mech ? mech : jabi_sasl_find_upgrade(name);
    }
    return NULL;
}

/* What the seeds hash (XEP-0474). */
static const jab_str offered_names[] = {{"SCRAM-SHA-1-PLUS", 16}, {"SCRAM-SHA-1", 11}};
static const jab_str offered_types[] = {{"tls-server-end-point", 20}, {"tls-exporter", 12}};
static const jabi_sasl_offer offer = {offered_names, offered_types, 2, 2, 1, 0};

/* Known nonces, so that seeds can be right. */
static int same_bytes(void *arg, void *p, size_t n)
{
    (void)arg;
    memset(p, 0x69, n);
    return 0;
}

static jabi_sasl_input input(void)
{
    return (jabi_sasl_input){
        .username = JAB_STR("user"),
        .password = JAB_STR("pencil"),
        .domain = JAB_STR("example.org"),
        .random = same_bytes,
        .cb_type = JAB_STR("tls-exporter"),
        .cb_data = JAB_STR("binding"),
        .min_iterations = 1,
        .max_iterations = 10001,
        .has_client_cert = 1,
        .token = JAB_STR("token"),
        .bearer = JAB_STR("bearer"),
        .tls_version = 13,
    };
}

static jab_str next_line(jab_str *rest)
{
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    jab_str line = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
    size_t used = line.n + (end != NULL);
    *rest = (jab_str){rest->p + used, rest->n - used};
    return line;
}

static int challenge(jabi_sasl *x, jab_str text, jabi_buf *out)
{
    jabi_buf_reset(out);
    int code = jabi_sasl_step(x, text, out);
    while (code == JABI_SASL_WORK) {
        MUST(out->n == 0);
        code = jabi_sasl_work(x, out);
    }
    MUST(code == JABI_SASL_SEND || out->n == 0);
    return code;
}

static int success(jabi_sasl *x, jab_str data)
{
    int code = jabi_sasl_success(x, data);
    MUST(code != 0 || x->proven || !x->mech->proves_server);
    MUST(jabi_sasl_success(x, data) == JAB_ESTATE);
    return code;
}

/* An exchange ends with the first error and at success. What it teaches is
 * handed to the next one. */
static void exchange(const jabi_sasl_mech *mech, jab_str lines, jabi_sasl_cache *cache,
                     jabi_sasl_keys *keys)
{
    jabi_sasl_input in = input();
    in.keys = keys;
    in.n_keys = 1;
    jabi_sasl *x;
    jabi_buf out;
    int has_initial, code = 0, over = 0;
    jabi_buf_init(&out, jabi_mem_default(), 1 << 16);
    out.secret = 1;
    MUST(jabi_sasl_new(&x, jabi_mem_default(), mech, &in, cache) == 0);
    MUST(jabi_sasl_start(x, &out, &has_initial) == JABI_SASL_SEND);
    jabi_sasl_set_offer(x, &offer);
    while (lines.n && code == 0 && !over) {
        jab_str line = next_line(&lines), text = {line.p + 1, line.n ? line.n - 1 : 0};
        over = line.n == 0 || *line.p != 'C';
        if (!over)
            code = challenge(x, text, &out);
        else
            code = success(x, line.n && *line.p == 'S' ? text : (jab_str){NULL, 0});
    }
    if (code < 0) {
        MUST(jab_err_class(code) != JAB_ERR_MACHINE);
        MUST(x->error[0] && jabi_utf8_valid(jab_cstr(x->error)));
    }
    MUST(!x->learnt.iterations || x->proven || !mech->proves_server);
    *keys = x->learnt;
    jabi_sasl_free(x);
    jabi_buf_fini(&out);
}

static void choose(jab_str lines)
{
    jab_str offered[16];
    size_t n = 0;
    jabi_sasl_input in = input();
    while (lines.n && n < 16)
        offered[n++] = next_line(&lines);
    char why[256] = "";
    const jabi_sasl_mech *mech =
        jabi_sasl_choose(offered, n, (jab_str){NULL, 0}, &in, why, sizeof why);
    MUST(mech ? mech->strength > 0 || mech->needs_bearer : why[0]);
    for (const char *p = why; *p; p++)
        MUST(*p >= 0x20 && *p < 0x7F);
}

/* What is prepared is text without control characters, and stays as it is. */
static void prepare(jab_str text)
{
    jabi_buf once, twice;
    jabi_buf_init(&once, jabi_mem_default(), 1 << 20);
    jabi_buf_init(&twice, jabi_mem_default(), 1 << 20);
    if (jabi_saslprep(&once, text) == 0) {
        MUST(once.n > 0 && jabi_utf8_valid(jabi_buf_str(&once)));
        MUST(jabi_saslprep(&twice, jabi_buf_str(&once)) == 0);
        MUST(jab_str_eq(jabi_buf_str(&once), jabi_buf_str(&twice)));
    }
    jabi_buf_fini(&once);
    jabi_buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    jab_str rest = {(const char *)data + 1, size - 1};
    if (data[0] == 'c')
        choose(rest);
    if (data[0] == 'p')
        prepare(rest);
    const jabi_sasl_mech *mech = find_tried((char)data[0]);
    if (!mech)
        return 0;
    if (*rest.p == '\n')
        next_line(&rest);
    /* The second time with what the first has left in the cache, and as keys. */
    jabi_sasl_cache *cache = jabi_sasl_cache_new(jabi_mem_default());
    jabi_sasl_keys keys = {.iterations = 0};
    exchange(mech, rest, cache, &keys);
    exchange(mech, rest, cache, &keys);
    jabi_sasl_cache_free(cache);
    return 0;
}
