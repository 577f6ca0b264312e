/* digest_text.c: the grammar of DIGEST-MD5's messages (RFC 2831 §2.1, §7). */
#include "sasl/digest_text.h"

/* RFC 2831 §2.1.1: the size of a digest-challenge is less than this. */
#define CHALLENGE_MAX 2048

typedef struct cursor {
    const char *p, *end;
    jabi_buf *store;
} cursor;

static int at(const cursor *c, char want)
{
    return c->p < c->end && *c->p == want;
}

/* LWS = [CRLF] 1*( SP | HT ) */
static void skip_space(cursor *c)
{
    while (c->p < c->end) {
        size_t left = (size_t)(c->end - c->p);
        if (*c->p == ' ' || *c->p == '\t')
            c->p++;
        else if (left > 2 && memcmp(c->p, "\r\n", 2) == 0 && (c->p[2] == ' ' || c->p[2] == '\t'))
            c->p += 3;
        else
            return;
    }
}

/* token = 1*<any CHAR except CTLs or separators> */
static int take_token(cursor *c, jab_str *out)
{
    const char *begin = c->p;
    while (c->p<c->end && * c->p> 0x20 && *c->p < 0x7F && !strchr("()<>@,;:\\\"/[]?={}", *c->p))
        c->p++;
    *out = (jab_str){begin, (size_t)(c->p - begin)};
    return out->n > 0;
}

static int is_control(char c)
{
    unsigned char byte = (unsigned char)c;
    return (byte < 0x20 && byte != '\t') || byte == 0x7F;
}

/* quoted-string; its value is written to the store, which has room for it. */
static int take_quoted(cursor *c, jab_str *out)
{
    jabi_buf *b = c->store;
    char *begin = b->p + b->n, *to = begin;
    for (c->p++; c->p < c->end && *c->p != '"'; c->p++) {
        if (*c->p == '\\' && ++c->p == c->end)
            return 0;
        if (is_control(*c->p))
            return 0;
        *to++ = *c->p;
    }
    if (c->p == c->end)
        return 0;
    c->p++;
    *out = (jab_str){begin, (size_t)(to - begin)};
    b->n += out->n;
    return 1;
}

/* The value of a token is copied too, so that the message need not stay. */
static int take_plain(cursor *c, jab_str *out)
{
    jab_str token;
    if (!take_token(c, &token))
        return 0;
    char *begin = c->store->p + c->store->n;
    memcpy(begin, token.p, token.n);
    c->store->n += token.n;
    *out = (jab_str){begin, token.n};
    return 1;
}

/* directive = token "=" ( token | quoted-string ). Servers quote where the
 * grammar has a token and the reverse, so both are taken everywhere. */
static int take_directive(cursor *c, jab_str *name, jab_str *value)
{
    if (!take_token(c, name))
        return 0;
    skip_space(c);
    if (!at(c, '='))
        return 0;
    c->p++;
    skip_space(c);
    return at(c, '"') ? take_quoted(c, value) : take_plain(c, value);
}

int jabi_digest_same(jab_str a, const char *lower)
{
    if (a.n != strlen(lower))
        return 0;
    for (size_t i = 0; i < a.n; i++) {
        char c = a.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        if (c != lower[i])
            return 0;
    }
    return 1;
}

/* RFC 2831 §2.1.1: these may appear at most once. */
static const struct {
    const char *name;
    size_t offset;
} single[] = {
    {"nonce", offsetof(jabi_digest_challenge, nonce)},
    {"qop", offsetof(jabi_digest_challenge, qop)},
    {"stale", offsetof(jabi_digest_challenge, stale)},
    {"maxbuf", offsetof(jabi_digest_challenge, maxbuf)},
    {"charset", offsetof(jabi_digest_challenge, charset)},
    {"algorithm", offsetof(jabi_digest_challenge, algorithm)},
    {"cipher", offsetof(jabi_digest_challenge, cipher)},
    {"rspauth", offsetof(jabi_digest_challenge, rspauth)},
};

/* Puts a directive in its place; 0 when it was there before. */
static int keep(jabi_digest_challenge *out, jab_str name, jab_str value, jab_str preferred_realm)
{
    if (jabi_digest_same(name, "realm")) {
        if (!out->realm.p || jab_str_eq(value, preferred_realm))
            out->realm = value;
        return 1;
    }
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        if (!jabi_digest_same(name, single[i].name))
            continue;
        jab_str *place = (jab_str *)(void *)((char *)out + single[i].offset);
        int first = place->p == NULL;
        *place = value;
        return first;
    }
    return 1;
}

/* 1#directive: commas and space between, null elements allowed (§7.1). */
static const char *read_list(cursor *c, jab_str preferred_realm, jabi_digest_challenge *out)
{
    for (;;) {
        skip_space(c);
        while (at(c, ',')) {
            c->p++;
            skip_space(c);
        }
        if (c->p == c->end)
            return NULL;
        jab_str name, value;
        if (!take_directive(c, &name, &value))
            return "is malformed";
        if (!keep(out, name, value, preferred_realm))
            return "has a directive twice";
        skip_space(c);
        if (c->p < c->end && *c->p != ',')
            return "is malformed";
    }
}

int jabi_digest_read(jab_str text, jab_str preferred_realm, jabi_buf *store,
                     jabi_digest_challenge *out, const char **wrong)
{
    memset(out, 0, sizeof *out);
    *wrong = "is too long";
    if (text.n >= CHALLENGE_MAX)
        return JAB_EPROTO;
    *wrong = "is empty";
    if (text.n == 0)
        return JAB_EPROTO;
    /* No value is longer than the message: the views stay valid. */
    if (!jabi_buf_room(store, text.n))
        return store->error;
    cursor c = {text.p, text.p + text.n, store};
    *wrong = read_list(&c, preferred_realm, out);
    return *wrong ? JAB_EPROTO : 0;
}

int jabi_digest_offers_auth(jab_str qop)
{
    if (!qop.p)
        return 1;
    cursor c = {qop.p, qop.p + qop.n, NULL};
    jab_str token;
    while (c.p < c.end) {
        if (take_token(&c, &token) && jabi_digest_same(token, "auth"))
            return 1;
        if (token.n == 0)
            c.p++;
    }
    return 0;
}

static void begin(jabi_buf *out, const char *name)
{
    if (out->n)
        jabi_buf_add_char(out, ',');
    jabi_buf_add_z(out, name);
    jabi_buf_add_char(out, '=');
}

void jabi_digest_add_quoted(jabi_buf *out, const char *name, jab_str value)
{
    begin(out, name);
    jabi_buf_add_char(out, '"');
    for (size_t i = 0; i < value.n; i++) {
        /* quoted-pair (RFC 2831 §7.2) */
        if (value.p[i] == '"' || value.p[i] == '\\')
            jabi_buf_add_char(out, '\\');
        jabi_buf_add_char(out, value.p[i]);
    }
    jabi_buf_add_char(out, '"');
}

void jabi_digest_add(jabi_buf *out, const char *name, const char *value)
{
    begin(out, name);
    jabi_buf_add_z(out, value);
}
