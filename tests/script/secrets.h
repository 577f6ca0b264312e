/* secrets.h: which secrets are in what the client wrote, looked for in all of it and in all
 * of it that is base64. */
#ifndef SCRIPT_SECRETS_H
#define SCRIPT_SECRETS_H

#include "server.h"

enum {
    SEEN_PASSWORD = 1 << 0, /* as PLAIN has it */
    SEEN_PROOF = 1 << 1,    /* SCRAM's: who knows the salt can guess passwords by it */
    SEEN_TOKEN = 1 << 2,    /* the hash that logs in by the token */
    SEEN_SALTED = 1 << 3,   /* SaltedPassword for SHA-256 (XEP-0480) */
    SEEN_NEVER = 1 << 4,    /* what no server is ever told: keys, the token itself */
};

static keys sha256_keys;

static inline int holds(const char *p, size_t n, const void *what, size_t what_n)
{
    return memmem(p, n, what, what_n) != NULL;
}

static inline unsigned secrets_in(const char *p, size_t n)
{
    char token_hash[100], raw[100];
    make_token_proof(token_hash, "Initiator");
    decode(raw, token_hash, strlen(token_hash));
    const struct {
        const void *p;
        size_t n;
        unsigned seen;
    } secrets[] = {
        {PASSWORD, strlen(PASSWORD), SEEN_PASSWORD},
        {",p=", 3, SEEN_PROOF},
        {raw, 32, SEEN_TOKEN},
        {sha256_keys.salted, 32, SEEN_SALTED},
        {sha256_keys.client, 32, SEEN_NEVER},
        {sha256_keys.server, 32, SEEN_NEVER},
        {sha1_keys.salted, 20, SEEN_NEVER},
        {sha1_keys.client, 20, SEEN_NEVER},
        {sha1_keys.server, 20, SEEN_NEVER},
        {TOKEN, strlen(TOKEN), SEEN_NEVER},
    };
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (holds(p, n, secrets[i].p, secrets[i].n))
            seen |= secrets[i].seen;
    return seen;
}

static inline int is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
}

/* In all that left since the transport was up, whatever element it was in. */
static inline unsigned secrets_sent(void)
{
    char plain[TEXT_MAX + 4];
    unsigned seen = secrets_in(e.sent, e.n_sent);
    for (size_t i = 0; i < e.n_sent;) {
        size_t n = 0;
        while (i + n < e.n_sent && is_base64(e.sent[i + n]))
            n++;
        size_t size = decode(plain, e.sent + i, n);
        seen |= size ? secrets_in(plain, size) : 0;
        i += n + 1;
    }
    return seen;
}

#endif
