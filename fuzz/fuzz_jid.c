/* fuzz_jid.c: addresses, escapes and URIs from anywhere. */
#include "base/arena.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "jid/jid.h"

#include <stdlib.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int same(const jab_jid *a, const jab_jid *b)
{
    return jab_str_eq(a->full, b->full) && jab_str_eq(a->bare, b->bare) &&
           jab_str_eq(a->local, b->local) && jab_str_eq(a->domain, b->domain) &&
           jab_str_eq(a->resource, b->resource);
}

/* The ways into an arena agree with the way into a buffer. */
static void arenas_agree(jab_str text, int err, const jab_jid *jid)
{
    jabi_arena arena;
    jab_jid other;
    jabi_arena_init(&arena, jabi_mem_default(), 1 << 16);
    MUST(jabi_jid_parse_into(&other, text, &arena) == err && same(&other, jid));
    MUST(jabi_jid_parse_view(&other, text, &arena) == err && same(&other, jid));
    jabi_arena_fini(&arena);
}

/* A prepared address stays as it is, and its parts make it again. */
static void is_settled(const jab_jid *jid)
{
    jab_jid other;
    jab_jid_buf buf;
    char ascii[256], uri[3 * JAB_JID_MAX + 6];
    MUST(jid->full.n <= JAB_JID_MAX && jabi_utf8_valid(jid->full));
    MUST(jab_jid_parse(&other, jid->full, &buf) == 0 && same(&other, jid));
    MUST(jab_jid_make(&other, jid->local, jid->domain, jid->resource, &buf) == 0);
    MUST(same(&other, jid));
    other = jab_jid_view(jid->full);
    MUST(same(&other, jid));
    int n = jab_jid_domain_ascii(jid->domain, ascii, sizeof ascii);
    MUST(n > 0);
    jab_str domain = {ascii, (size_t)n};
    MUST(jab_jid_make(&other, jid->local, domain, jid->resource, &buf) == 0 && same(&other, jid));

    jab_uri parsed;
    jab_uri_buf room;
    n = jab_uri_format(jid, (jab_str){NULL, 0}, uri, sizeof uri);
    MUST(n > 0);
    MUST(jab_uri_parse(&parsed, (jab_str){uri, (size_t)n}, &room) == 0 && same(&parsed.jid, jid));
}

static void addresses(jab_str text)
{
    jab_jid jid;
    jab_jid_buf buf;
    int err = jab_jid_parse(&jid, text, &buf);
    MUST(err == 0 || err == JAB_EJID);
    arenas_agree(text, err, &jid);
    if (!err)
        is_settled(&jid);
}

/* What can be escaped comes back. */
static void escapes(jab_str text)
{
    static char escaped[3 * 4096 + 1], back[4096 + 1];
    if (text.n > 4096)
        return;
    int n = jab_jid_escape(text, escaped, sizeof escaped);
    if (n >= 0) {
        int m = jab_jid_unescape((jab_str){escaped, (size_t)n}, back, sizeof back);
        MUST(m >= 0 && jab_str_eq((jab_str){back, (size_t)m}, text));
    }
    MUST(jab_jid_unescape(text, back, sizeof back) <= (int)text.n);
}

static void uris(jab_str text)
{
    jab_uri uri;
    jab_uri_buf buf;
    if (jab_uri_parse(&uri, text, &buf))
        return;
    MUST(uri.jid.full.p || uri.account.full.p);
    MUST(jabi_utf8_valid(uri.action));
    for (size_t i = 0; i < uri.n_params; i++)
        MUST(uri.params[i].key.n && jabi_utf8_valid(uri.params[i].value));
    if (uri.jid.full.p)
        is_settled(&uri.jid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    jab_str text = {(const char *)data, size};
    if (!size)
        text.p = "";
    addresses(text);
    escapes(text);
    uris(text);
    return 0;
}
