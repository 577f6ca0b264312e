/* digest_response.c: the computation of DIGEST-MD5 (RFC 2831 §2.1.2.1). */
#include "sasl/digest_md5.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "sasl/digest_text.h"

#include <stdio.h>

/* RFC 2831 §2.1.2: the size of a digest-response is less than this. */
#define RESPONSE_MAX 4096

/* Appends the text in ISO 8859-1. 0 when it has other characters, and then
 * nothing is appended; 1 otherwise. */
static int add_latin1(jabi_buf *out, jab_str text)
{
    size_t mark = out->n;
    for (size_t i = 0; i < text.n;) {
        uint32_t cp;
        int len = jabi_utf8_read(text.p + i, text.n - i, &cp);
        if (len <= 0 || cp > 0xFF) {
            out->n = mark;
            return 0;
        }
        jabi_buf_add_char(out, (char)(unsigned char)cp);
        i += (size_t)len;
    }
    return 1;
}

/* RFC 2831 §2.1.2.1 and the sample code of §8: what is wholly in ISO 8859-1
 * is hashed in it, each by itself; other text as UTF-8, if the server knows
 * that. */
static int add_hashed_form(jabi_buf *out, jab_str text, int utf8)
{
    if (add_latin1(out, text))
        return out->error;
    if (!utf8)
        return JAB_EUNSUPPORTED;
    jabi_buf_add_str(out, text);
    return out->error;
}

/* H( { username-value, ":", realm-value, ":", passwd } ) */
static int hash_secret(const jabi_digest_terms *t, const jab_mem *mem, uint8_t out[16])
{
    jabi_buf b;
    jabi_buf_init(&b, mem, t->username.n + t->realm.n + t->password.n + 2);
    b.secret = 1;
    int err = add_hashed_form(&b, t->username, t->utf8);
    jabi_buf_add_char(&b, ':');
    jabi_buf_add_str(&b, t->realm);
    jabi_buf_add_char(&b, ':');
    if (err == 0)
        err = add_hashed_form(&b, t->password, t->utf8);
    const jab_str all = jabi_buf_str(&b);
    if (err == 0)
        err = jabi_hash_parts(JABI_MD5, &all, 1, out);
    jabi_buf_fini(&b);
    return err;
}

/* HEX(H(A1)), algorithm md5-sess. */
static int hash_a1(const jabi_digest_terms *t, const jab_mem *mem, char hex[33])
{
    uint8_t secret[16], digest[16];
    const jab_str parts[] = {{(const char *)secret, sizeof secret},
                             JAB_STR(":"),
                             t->nonce,
                             JAB_STR(":"),
                             t->cnonce,
                             JAB_STR(":"),
                             t->authzid};
    int err = hash_secret(t, mem, secret);
    if (err == 0)
        err = jabi_hash_parts(JABI_MD5, parts, t->authzid.p ? 7 : 5, digest);
    if (err == 0)
        jabi_hex(digest, sizeof digest, hex);
    jabi_wipe(secret, sizeof secret);
    jabi_wipe(digest, sizeof digest);
    return err;
}

/* response-value for one direction: A2 begins with `method` and ":". */
static int response_value(const jabi_digest_terms *t, const char a1[33], const char *method,
                          char hex[33])
{
    uint8_t digest[16];
    char a2[33], nc[9];
    const jab_str a2_parts[] = {jab_cstr(method), JAB_STR(":"), t->uri};
    int err = jabi_hash_parts(JABI_MD5, a2_parts, 3, digest);
    if (err < 0)
        return err;
    jabi_hex(digest, sizeof digest, a2);
    snprintf(nc, sizeof nc, "%08x", t->nc);
    const jab_str colon = JAB_STR(":");
    const jab_str parts[] = {{a1, 32},  colon, t->nonce,        colon, {nc, 8}, colon,
                             t->cnonce, colon, JAB_STR("auth"), colon, {a2, 32}};
    err = jabi_hash_parts(JABI_MD5, parts, sizeof parts / sizeof *parts, digest);
    if (err == 0)
        jabi_hex(digest, sizeof digest, hex);
    jabi_wipe(digest, sizeof digest);
    return err;
}

/* username-value as it is sent: UTF-8 if the server said so, else ISO 8859-1. */
static int add_username(const jabi_digest_terms *t, jabi_buf *out)
{
    if (t->utf8) {
        jabi_digest_add_quoted(out, "username", t->username);
        return out->error;
    }
    jabi_buf name;
    jabi_buf_init(&name, out->mem, RESPONSE_MAX);
    int err = add_latin1(&name, t->username) ? name.error : JAB_EUNSUPPORTED;
    if (err == 0)
        jabi_digest_add_quoted(out, "username", jabi_buf_str(&name));
    jabi_buf_fini(&name);
    return err;
}

/* The order is that of the RFC's examples. */
static int write_response(const jabi_digest_terms *t, const char response[33], jabi_buf *out)
{
    char nc[9];
    snprintf(nc, sizeof nc, "%08x", t->nc);
    /* §2.1.2: charset is sent only where the server has it. */
    if (t->utf8)
        jabi_digest_add(out, "charset", "utf-8");
    int err = add_username(t, out);
    if (err < 0)
        return err;
    jabi_digest_add_quoted(out, "realm", t->realm);
    jabi_digest_add_quoted(out, "nonce", t->nonce);
    jabi_digest_add(out, "nc", nc);
    jabi_digest_add_quoted(out, "cnonce", t->cnonce);
    jabi_digest_add_quoted(out, "digest-uri", t->uri);
    jabi_digest_add(out, "response", response);
    jabi_digest_add(out, "qop", "auth");
    if (t->authzid.p)
        jabi_digest_add_quoted(out, "authzid", t->authzid);
    if (out->error < 0)
        return out->error;
    return out->n < RESPONSE_MAX ? 0 : JAB_ELIMIT;
}

int jabi_digest_respond(const jabi_digest_terms *t, jabi_buf *out, char rspauth[33])
{
    char a1[33], response[33];
    int err = hash_a1(t, out->mem, a1);
    if (err == 0)
        err = response_value(t, a1, "AUTHENTICATE", response);
    /* §2.1.3: the server's A2 has no method. */
    if (err == 0)
        err = response_value(t, a1, "", rspauth);
    if (err == 0)
        err = write_response(t, response, out);
    jabi_wipe(a1, sizeof a1);
    return err;
}
