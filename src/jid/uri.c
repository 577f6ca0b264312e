/* uri.c: xmpp: URIs and IRIs (RFC 5122) with the queries of XEP-0147. */
#include "jid/jid.h"

#include "base/utf8.h"

/* What stays as it is beside letters, digits and "-._~" (RFC 5122 §2.2). */
#define NODE_ALLOWED     "!$()*+,;="
#define RESOURCE_ALLOWED "!$&'()*+,:;="
#define HOST_ALLOWED     "[]:"

static const jab_str no_str;

/* -- Reading -------------------------------------------------------------- */

/* Cuts `text` at the first `c` and returns what follows it, or absent. */
static jab_str cut(jab_str *text, char c)
{
    const char *at = text->n ? memchr(text->p, c, text->n) : NULL;
    if (!at)
        return no_str;
    jab_str rest = {at + 1, text->n - (size_t)(at + 1 - text->p)};
    text->n = (size_t)(at - text->p);
    return rest;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Whether text is UTF-8 without control characters. */
static int is_clean(jab_str text)
{
    for (size_t i = 0; i < text.n;) {
        uint32_t cp;
        int len = jabi_utf8_read(text.p + i, text.n - i, &cp);
        if (len <= 0 || cp < 0x20 || (cp >= 0x7F && cp < 0xA0))
            return 0;
        i += (size_t)len;
    }
    return 1;
}

/* Where decoded text goes. */
typedef struct room {
    char *at, *end;
} room;

/* Decodes percent signs (RFC 3986 §2.1). The result may have become what no
 * text is, or what a terminal would obey: such a URI is none. */
static int decode(jab_str raw, room *r, jab_str *text)
{
    char *start = r->at;
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '%') {
            int high = raw.n - i > 2 ? hex_value(raw.p[i + 1]) : -1;
            int low = raw.n - i > 2 ? hex_value(raw.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return JAB_EINVAL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (r->at == r->end)
            return JAB_ELIMIT;
        *r->at++ = c;
    }
    *text = (jab_str){start, (size_t)(r->at - start)};
    return is_clean(*text) ? 0 : JAB_EINVAL;
}

static int decode_present(jab_str raw, room *r, jab_str *text)
{
    *text = no_str;
    return raw.p ? decode(raw, r, text) : 0;
}

/* The parts are cut before they are decoded: an encoded '/' or '@' belongs to
 * its part (§2.7.2). */
static int read_address(jab_str raw, jab_jid *jid, jab_jid_buf *buf)
{
    char bytes[3 * JABI_JID_TEXT_MAX];
    room r = {bytes, bytes + sizeof bytes};
    jab_str domain = raw, local = no_str, resource = cut(&domain, '/');
    jab_str after_at = cut(&domain, '@');
    if (after_at.p) {
        local = domain;
        domain = after_at;
    }
    int err = decode_present(local, &r, &local);
    if (!err)
        err = decode_present(domain, &r, &domain);
    if (!err)
        err = decode_present(resource, &r, &resource);
    return err ? err : jab_jid_make(jid, local, domain, resource, buf);
}

/* §2.3: the account, which has a local part and no resource, then the path. */
static int read_authority(jab_uri *uri, jab_str *path, jab_uri_buf *buf)
{
    if (path->n < 2 || memcmp(path->p, "//", 2) != 0)
        return 0;
    jab_str account = {path->p + 2, path->n - 2};
    *path = cut(&account, '/');
    int err = read_address(account, &uri->account, &buf->account);
    return err || uri->account.local.p ? err : JAB_EJID;
}

static int read_pair(jab_uri *uri, jab_str raw, room *r)
{
    if (uri->n_params == JAB_URI_PARAMS_MAX)
        return JAB_ELIMIT;
    jab_uri_param *param = &uri->params[uri->n_params++];
    jab_str value = cut(&raw, '=');
    if (!raw.n)
        return JAB_EINVAL;
    int err = decode(raw, r, &param->key);
    return err ? err : decode_present(value, r, &param->value);
}

/* §2.5. A query that begins with a pair (as "?omemo-sid-1=...") has no action. */
static int read_query(jab_uri *uri, jab_str raw, jab_uri_buf *buf)
{
    room r = {buf->query, buf->query + sizeof buf->query};
    jab_str rest = cut(&raw, ';');
    int err = 0;
    if (raw.n && memchr(raw.p, '=', raw.n))
        err = read_pair(uri, raw, &r);
    else if (raw.n)
        err = decode(raw, &r, &uri->action);
    while (!err && rest.p) {
        jab_str pair = rest;
        rest = cut(&pair, ';');
        if (pair.n)
            err = read_pair(uri, pair, &r);
    }
    return err;
}

/* Cuts the scheme off, whose case does not matter (RFC 3986 §3.1). */
static int read_scheme(jab_str *text)
{
    static const char scheme[] = "xmpp:";
    size_t n = sizeof scheme - 1;
    if (text->n < n)
        return JAB_EINVAL;
    for (size_t i = 0; i < n; i++)
        if ((text->p[i] | 0x20) != (scheme[i] | 0x20))
            return JAB_EINVAL;
    if (text->p[n - 1] != ':' || !is_clean(*text) || memchr(text->p, ' ', text->n))
        return JAB_EINVAL;
    *text = (jab_str){text->p + n, text->n - n};
    return 0;
}

static int read_all(jab_uri *uri, jab_str text, jab_uri_buf *buf)
{
    int err = read_scheme(&text);
    if (err)
        return err;
    (void)cut(&text, '#'); /* §2.6: a fragment means nothing */
    jab_str query = cut(&text, '?');
    err = read_authority(uri, &text, buf);
    if (!err && (text.n || !uri->account.full.p))
        err = read_address(text, &uri->jid, &buf->jid);
    return err ? err : read_query(uri, query, buf);
}

int jab_uri_parse(jab_uri *uri, jab_str text, jab_uri_buf *buf)
{
    static const jab_uri none;
    *uri = none;
    int err = read_all(uri, text, buf);
    if (err)
        *uri = none;
    return err;
}

/* -- Writing -------------------------------------------------------------- */

static int is_unreserved(char c)
{
    return (jabi_jid_ascii[(unsigned char)c] & (JABI_IN_DOMAIN | JABI_IS_UPPER)) || c == '_' ||
           c == '~';
}

static int put(room *r, jab_str text)
{
    if (text.n > (size_t)(r->end - r->at))
        return JAB_ELIMIT;
    if (text.n)
        memcpy(r->at, text.p, text.n);
    r->at += text.n;
    return 0;
}

/* Encodes all but the unreserved and the `allowed` characters. The result is
 * a URI, which is an IRI as well (§2.7.2). */
static int encode(room *r, jab_str text, const char *allowed)
{
    static const char digits[] = "0123456789ABCDEF";
    int err = 0;
    for (size_t i = 0; i < text.n && !err; i++) {
        unsigned char c = (unsigned char)text.p[i];
        const char triplet[3] = {'%', digits[c >> 4], digits[c & 15]};
        if (is_unreserved(text.p[i]) || (c && strchr(allowed, c)))
            err = put(r, (jab_str){text.p + i, 1});
        else
            err = put(r, (jab_str){triplet, 3});
    }
    return err;
}

static int write_all(room *r, const jab_jid *jid, jab_str query)
{
    int err = put(r, JAB_STR("xmpp:"));
    if (!err && jid->local.p)
        err = encode(r, jid->local, NODE_ALLOWED);
    if (!err && jid->local.p)
        err = put(r, JAB_STR("@"));
    if (!err)
        err = encode(r, jid->domain, HOST_ALLOWED);
    if (!err && jid->resource.p)
        err = put(r, JAB_STR("/"));
    if (!err)
        err = encode(r, jid->resource, RESOURCE_ALLOWED);
    if (!err && query.p)
        err = put(r, JAB_STR("?"));
    return err ? err : put(r, query);
}

int jab_uri_format(const jab_jid *jid, jab_str query, char *out, size_t size)
{
    if (!size || query.n > INT32_MAX / 2)
        return JAB_ELIMIT;
    room r = {out, out + size - 1};
    int err = write_all(&r, jid, query);
    if (err)
        return err;
    *r.at = '\0';
    return (int)(r.at - out);
}
