/* server.h: a scripted server over the session's own interface, without a socket: what it
 * says is text with "$X" for what only this run can know, such as the client's nonce. */
#ifndef SCRIPT_SERVER_H
#define SCRIPT_SERVER_H

#include "../unit/sasl2_peer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define PASSWORD   "s3cret"
#define TOKEN      "t0ken-of-an-earlier-log-in"
#define SALT       "saltsalt"
#define ITERATIONS 4096
#define SLOWLY     10500 /* more than one slice of computing */
#define TEXT_MAX   16384

static peer e;
static vault_row row;
static char server_first[512]; /* the challenge that was sent last */

/* -- Base64 by OpenSSL, not by the code under test --------------------------------------- */

static inline void encode(char *out, const void *p, size_t n)
{
    assert_true(n < TEXT_MAX / 2);
    EVP_EncodeBlock((uint8_t *)out, p, (int)n);
}

/* Returns how many bytes there are, with a NUL behind; 0 for what is no base64. */
static inline size_t decode(char *out, const char *p, size_t n)
{
    *out = '\0';
    if (n < 4 || n % 4 || n > TEXT_MAX)
        return 0;
    int length = EVP_DecodeBlock((uint8_t *)out, (const uint8_t *)p, (int)n);
    if (length < 0)
        return 0;
    size_t size = (size_t)length - (p[n - 1] == '=') - (p[n - 2] == '=');
    out[size] = '\0';
    return size;
}

/* -- SCRAM-SHA-1 as the server computes it (RFC 5802 §3) ---------------------------------- */

typedef struct keys {
    uint8_t salted[64], client[64], server[64];
} keys;

static inline void hmac(const EVP_MD *md, const uint8_t *key, const char *text, uint8_t *out)
{
    assert_non_null(
        HMAC(md, key, EVP_MD_get_size(md), (const uint8_t *)text, strlen(text), out, NULL));
}

static inline void make_keys(keys *k, const EVP_MD *md)
{
    assert_int_equal(PKCS5_PBKDF2_HMAC(PASSWORD, -1, (const uint8_t *)SALT, (int)strlen(SALT),
                                       ITERATIONS, md, EVP_MD_get_size(md), k->salted),
                     1);
    hmac(md, k->salted, "Client Key", k->client);
    hmac(md, k->salted, "Server Key", k->server);
}

static keys sha1_keys;

/* What stands last between "open" and the next "<" in all that the client sent. */
static inline size_t last_text(const char *open, char *out)
{
    const char *at = NULL;
    for (const char *p = e.sent; (p = strstr(p, open)); p++)
        at = strchr(p, '>') + 1;
    return at ? decode(out, at, strcspn(at, "<")) : 0;
}

/* The client's first message: "gs2-header n=...,r=nonce". */
static inline size_t client_first(char *out)
{
    size_t n = last_text("<initial-response>", out);
    return n ? n : last_text("<auth ", out);
}

static const char *nonce_in(const char *first)
{
    const char *at = strstr(first, ",r=");
    return at ? at + 3 : "of-nobody";
}

static inline void make_challenge(char *out, const char *format, int iterations)
{
    char first[TEXT_MAX];
    client_first(first);
    snprintf(server_first, sizeof server_first, format, nonce_in(first), iterations);
    encode(out, server_first, strlen(server_first));
}

/* "v=" of what has been said so far. */
static inline void make_verifier(char *out)
{
    char first[TEXT_MAX], binding[TEXT_MAX], message[4 * TEXT_MAX], text[200];
    uint8_t signature[64];
    client_first(first);
    const char *bare = strstr(first, ",n=") ? strstr(first, ",n=") + 1 : first;
    const char *server_nonce = strstr(server_first, "r=") ? server_first + 2 : "";
    snprintf(text, sizeof text, "%.*s%s", (int)(bare - first), first,
             first[0] == 'p' ? "eeeeeeee" : "");
    encode(binding, text, strlen(text));
    snprintf(message, sizeof message, "%s,%s,c=%s,r=%.*s", bare, server_first, binding,
             (int)strcspn(server_nonce, ","), server_nonce);
    hmac(EVP_sha1(), sha1_keys.server, message, signature);
    memcpy(text, "v=", 2);
    encode(text + 2, signature, 20);
    encode(out, text, strlen(text));
}

static inline void make_token_proof(char *out, const char *word)
{
    uint8_t sum[32];
    assert_non_null(HMAC(EVP_sha256(), TOKEN, (int)strlen(TOKEN), (const uint8_t *)word,
                         strlen(word), sum, NULL));
    encode(out, sum, 32);
}

/* The id of the client's last request. */
static inline void copy_id(char *out)
{
    const char *at = NULL;
    for (const char *p = e.sent; (p = strstr(p, "<iq ")); p++)
        at = strstr(p, " id='");
    snprintf(out, 64, "%.*s", at ? (int)strcspn(at + 5, "'") : 4, at ? at + 5 : "none");
}

/* -- What the server says ------------------------------------------------------------------ */

static inline void expand_one(char *out, char name)
{
    switch (name) {
    case 'F': /* the first message, as it should be */
        make_challenge(out, "r=%sSERVER,s=c2FsdHNhbHQ=,i=%d", ITERATIONS);
        break;
    case 'S': /* with more work to do */
        make_challenge(out, "r=%sSERVER,s=c2FsdHNhbHQ=,i=%d", SLOWLY);
        break;
    case 'O': /* with an iteration count of one */
        make_challenge(out, "r=%sSERVER,s=c2FsdHNhbHQ=,i=%d", 1);
        break;
    case 'N': /* with a nonce that does not extend the client's */
        make_challenge(out, "r=somebody-elses-%.0s,s=c2FsdHNhbHQ=,i=%d", ITERATIONS);
        break;
    case 'V': /* the last message, with the server's proof */
        make_verifier(out);
        break;
    case 'T': /* the proof of a server that knows the token */
        make_token_proof(out, "Responder");
        break;
    case 'I':
        copy_id(out);
        break;
    default:
        fail_msg("no such thing: $%c", name);
    }
}

static inline void expand(char *out, size_t size, const char *text)
{
    char value[TEXT_MAX];
    size_t n = 0;
    for (; *text; text++) {
        assert_true(n + TEXT_MAX < size);
        if (*text == '$') {
            expand_one(value, *++text);
            memcpy(out + n, value, strlen(value));
            n += strlen(value);
        } else {
            out[n++] = *text;
        }
    }
    out[n] = '\0';
}

/* Says it, and returns how much of it was taken, or the error. */
static inline ptrdiff_t server_says(const char *text, size_t *length)
{
    static char whole[4 * TEXT_MAX];
    expand(whole, sizeof whole, text);
    *length = strlen(whole);
    return peer_says(&e, whole);
}

#endif
