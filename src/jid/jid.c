/* jid.c: addresses taken apart and put together; ASCII without Unicode tables. */
#include "jid/jid.h"

#define A (JABI_IN_LOCAL | JABI_IN_DOMAIN | JABI_IN_RESOURCE)
#define X (JABI_IN_LOCAL | JABI_IN_RESOURCE)
#define R JABI_IN_RESOURCE
#define U (JABI_IN_RESOURCE | JABI_IS_UPPER)

const uint8_t jabi_jid_ascii[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    R, X, R, X, X, X, R, R, X, X, X, X, X, A, A, R, A, A, A, A, A, A, A, A, A, A, R, X, R, X, R, X,
    R, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, X, X, X, X, X,
    X, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, X, X, X, X, 0,
};

#undef A
#undef X
#undef R
#undef U

static const jab_jid no_jid;

int jabi_jid_all(jab_str text, uint8_t bit)
{
    uint8_t common = bit;
    for (size_t i = 0; i < text.n; i++)
        common &= jabi_jid_ascii[(unsigned char)text.p[i]];
    return common != 0;
}

/* RFC 7622 §3.2: first the first '/', then the first '@' before it, and both
 * before any mapping, which may yield such characters (§3.1). */
static jab_jid split(jab_str text)
{
    jab_jid jid = {.full = text, .bare = text};
    if (!text.n)
        return jid;
    const char *slash = memchr(text.p, '/', text.n);
    if (slash) {
        jid.bare.n = (size_t)(slash - text.p);
        jid.resource = (jab_str){slash + 1, text.n - jid.bare.n - 1};
    }
    jid.domain = jid.bare;
    const char *at = memchr(text.p, '@', jid.bare.n);
    if (at) {
        jid.local = (jab_str){text.p, (size_t)(at - text.p)};
        jid.domain = (jab_str){at + 1, jid.bare.n - jid.local.n - 1};
    }
    return jid;
}

static int part_is_plain(jab_str part, uint8_t bit)
{
    return !part.p || (part.n > 0 && part.n <= JAB_JID_PART_MAX && jabi_jid_all(part, bit));
}

/* Whether preparing would change nothing, told without Unicode tables. */
static int is_plain(const jab_jid *jid)
{
    return jabi_jid_domain_plain(jid->domain) && part_is_plain(jid->local, JABI_IN_LOCAL) &&
           part_is_plain(jid->resource, JABI_IN_RESOURCE);
}

/* An address of parts with these lengths at `text`. */
static jab_jid view(const char *text, size_t local, size_t domain, size_t resource)
{
    size_t start = local ? local + 1 : 0;
    jab_jid jid = {.bare = {text, start + domain}, .domain = {text + start, domain}};
    if (local)
        jid.local = (jab_str){text, local};
    if (resource)
        jid.resource = (jab_str){text + jid.bare.n + 1, resource};
    jid.full = (jab_str){text, jid.bare.n + (resource ? resource + 1 : 0)};
    return jid;
}

/* Prepares the parts one behind the other into `out`. */
static int prepare(jab_jid *jid, const jab_jid *parts, char out[JAB_JID_MAX + 1])
{
    char *at = out;
    int local = 0, domain, resource = 0;
    if (parts->local.p) {
        local = jabi_jid_local(parts->local, at);
        if (local < 0)
            return local;
        at += local;
        *at++ = '@';
    }
    domain = jabi_jid_domain(parts->domain, at);
    if (domain < 0)
        return domain;
    at += domain;
    if (parts->resource.p) {
        *at++ = '/';
        resource = jabi_jid_opaque(parts->resource, at);
        if (resource < 0)
            return resource;
        at += resource;
    }
    *at = '\0';
    *jid = view(out, (size_t)local, (size_t)domain, (size_t)resource);
    return 0;
}

static void copy(jab_jid *jid, const jab_jid *from, char *to)
{
    memmove(to, from->full.p, from->full.n);
    to[from->full.n] = '\0';
    *jid = view(to, from->local.n, from->domain.n, from->resource.n);
}

int jab_jid_parse(jab_jid *jid, jab_str text, jab_jid_buf *buf)
{
    jab_jid parts = split(text);
    *jid = no_jid;
    if (is_plain(&parts)) {
        copy(jid, &parts, buf->bytes);
        return 0;
    }
    jab_jid_buf room; /* `text` may lie in `buf` */
    jab_jid ready;
    int err = prepare(&ready, &parts, room.bytes);
    if (!err)
        copy(jid, &ready, buf->bytes);
    return err;
}

int jab_jid_make(jab_jid *jid, jab_str local, jab_str domain, jab_str resource, jab_jid_buf *buf)
{
    const jab_jid parts = {.local = local, .domain = domain, .resource = resource};
    jab_jid_buf room;
    jab_jid ready;
    *jid = no_jid;
    int err = prepare(&ready, &parts, room.bytes);
    if (!err)
        copy(jid, &ready, buf->bytes);
    return err;
}

jab_jid jab_jid_view(jab_str prepared)
{
    return prepared.n ? split(prepared) : no_jid;
}

static int copy_into(jab_jid *jid, const jab_jid *from, jabi_arena *arena)
{
    char *to = jabi_arena_alloc(arena, from->full.n + 1);
    if (!to)
        return JAB_ENOMEM;
    copy(jid, from, to);
    return 0;
}

static int prepare_into(jab_jid *jid, const jab_jid *parts, jabi_arena *arena)
{
    jab_jid_buf room;
    jab_jid ready;
    int err = prepare(&ready, parts, room.bytes);
    return err ? err : copy_into(jid, &ready, arena);
}

int jabi_jid_parse_into(jab_jid *jid, jab_str text, jabi_arena *arena)
{
    jab_jid parts = split(text);
    *jid = no_jid;
    return is_plain(&parts) ? copy_into(jid, &parts, arena) : prepare_into(jid, &parts, arena);
}

int jabi_jid_parse_view(jab_jid *jid, jab_str text, jabi_arena *arena)
{
    jab_jid parts = split(text);
    *jid = no_jid;
    if (!is_plain(&parts))
        return prepare_into(jid, &parts, arena);
    *jid = parts;
    return 0;
}
