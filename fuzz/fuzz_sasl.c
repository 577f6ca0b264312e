/*
 * fuzz_sasl.c: what a server may send during authentication.
 *
 * The first byte picks what is tried: 0...9 the mechanism of that number, "c"
 * choosing from an offer, "p" SASLprep. Lines follow. For a mechanism, a line
 * is C and a challenge, S and the data of success, or s for success without
 * data; for an offer, a mechanism's name.
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

/* An exchange ends with the first error and at success. */
static void exchange(const jabi_sasl_mech *mech, jab_str lines, jabi_sasl_cache *cache)
{
    jabi_sasl_input in = input();
    jabi_sasl *x;
    jabi_buf out;
    int has_initial, code = 0, over = 0;
    jabi_buf_init(&out, jabi_mem_default(), 1 << 16);
    out.secret = 1;
    MUST(jabi_sasl_new(&x, jabi_mem_default(), mech, &in, cache) == 0);
    MUST(jabi_sasl_start(x, &out, &has_initial) == JABI_SASL_SEND);
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
    MUST(mech ? mech->strength > 0 : why[0]);
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
    size_t n;
    const jabi_sasl_mech *const *all = jabi_sasl_mechs(&n);
    if (size < 2)
        return 0;
    jab_str rest = {(const char *)data + 1, size - 1};
    if (data[0] == 'c')
        choose(rest);
    if (data[0] == 'p')
        prepare(rest);
    if (data[0] < '0' || data[0] >= '0' + n)
        return 0;
    if (*rest.p == '\n')
        next_line(&rest);
    /* The second time with what the first has left in the cache. */
    jabi_sasl_cache *cache = jabi_sasl_cache_new(jabi_mem_default());
    exchange(all[data[0] - '0'], rest, cache);
    exchange(all[data[0] - '0'], rest, cache);
    jabi_sasl_cache_free(cache);
    return 0;
}
