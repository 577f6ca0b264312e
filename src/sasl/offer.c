/* offer.c: what the server says in SCRAM about its side of the connection,
 * against what reached us (XEP-0474, XEP-0515). Whoever is in between can
 * change these words as little as all others: the proofs cover them. */
#include "sasl/offer.h"

#include "base/base64.h"
#include "base/check.h"
#include "base/mem.h"
#include "sasl/mech.h"

#include <stdlib.h>

#define TEXT_MAX 262144

/* XEP-0474 §6.1: no character of XML. */
#define BETWEEN_NAMES '\x1E'
#define BETWEEN_LISTS '\x1F'

/* i;octet (RFC 4790 §9.3) */
static int compare(const void *p, const void *q)
{
    const jab_str *a = p, *b = q;
    size_t n = a->n < b->n ? a->n : b->n;
    int order = n ? memcmp(a->p, b->p, n) : 0;
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

static int add_sorted(const jab_mem *mem, jabi_buf *out, const jab_str *names, size_t n)
{
    if (n == 0)
        return 0;
    jab_str *sorted = jabi_realloc_array(mem, NULL, n, sizeof *sorted);
    if (!sorted)
        return JAB_ENOMEM;
    memcpy(sorted, names, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            jabi_buf_add_char(out, BETWEEN_NAMES);
        jabi_buf_add_str(out, sorted[i]);
    }
    jabi_free(mem, sorted);
    return out->error;
}

/* XEP-0474 §6.1, with the hash of the mechanism in use; in base64. */
static int hash_offer(const jabi_sasl *x, jabi_buf *out)
{
    const jabi_sasl_offer *o = &x->offer;
    jabi_hash h = (jabi_hash)x->mech->variant;
    uint8_t digest[JABI_HASH_MAX];
    jabi_buf text;
    jabi_buf_init(&text, x->mem, TEXT_MAX);
    int err = add_sorted(x->mem, &text, o->mechanisms, o->n_mechanisms);
    if (err == 0 && o->has_bindings) {
        jabi_buf_add_char(&text, BETWEEN_LISTS);
        err = add_sorted(x->mem, &text, o->bindings, o->n_bindings);
    }
    jab_str whole = jabi_buf_str(&text);
    if (err == 0)
        err = text.error;
    if (err == 0)
        err = jabi_hash_parts(h, &whole, 1, digest);
    if (err == 0)
        jabi_base64_encode(out, digest, jabi_hash_size(h));
    jabi_buf_fini(&text);
    return err < 0 ? err : out->error;
}

int jabi_offer_check(jabi_sasl *x, jab_str base64)
{
    if (!JAB_CHECK(OFFER_HASH, base64.p || !x->offer.needs_hash))
        return jabi_sasl_fail(x, JAB_EPROOF,
                              "the server announces no channel binding that can be had here, and "
                              "does not confirm that: someone may be in between");
    if (!base64.p || x->offer.n_mechanisms == 0)
        return 0;
    jabi_buf ours;
    jabi_buf_init(&ours, x->mem, 256);
    int err = hash_offer(x, &ours);
    int equal = err == 0 && jab_str_eq(jabi_buf_str(&ours), base64);
    jabi_buf_fini(&ours);
    if (err < 0)
        return err;
    if (!JAB_CHECK(OFFER_HASH, equal))
        return jabi_sasl_fail(x, JAB_EPROOF,
                              "the server offered other mechanisms or channel bindings than those "
                              "that reached us: someone in between removed some");
    return 0;
}

/* XEP-0515 §4.1 */
static const struct {
    int version;
    const char *code;
} versions[] = {{12, "0303"}, {13, "0304"}};

int jabi_offer_check_tls(jabi_sasl *x, jab_str version)
{
    int equal = !version.p;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        equal |= versions[i].version == x->in.tls_version && jab_str_is(version, versions[i].code);
    if (!JAB_CHECK(TLS_AGREED, equal))
        return jabi_sasl_fail(x, JAB_EPROOF,
                              "the server does not see our version of TLS: someone in between ends "
                              "the connection and begins another");
    return 0;
}
