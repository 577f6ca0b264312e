/* unit_scram.h: a SCRAM server that is computed here, by OpenSSL alone and
 * not by the code under test. */
#ifndef UNIT_SCRAM_H
#define UNIT_SCRAM_H

#include "unit_sasl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

/* What a SCRAM server knows after its first message. */
typedef struct unit_server {
    const EVP_MD *md;
    const char *password;
    const char *salt; /* text, and not base64 */
    int iterations;
    char auth_message[4096];
    char proof[100];    /* what the client must send, base64 */
    char verifier[100]; /* "v=..." */
} unit_server;

static inline void unit_hmac(const EVP_MD *md, const uint8_t *key, const char *text, uint8_t *out)
{
    assert_non_null(
        HMAC(md, key, EVP_MD_get_size(md), (const uint8_t *)text, strlen(text), out, NULL));
}

/* RFC 5802 §3, from auth_message. */
static inline void unit_server_compute(unit_server *s)
{
    int n = EVP_MD_get_size(s->md);
    uint8_t salted[64], client[64], stored[64], signature[64], server[64];
    assert_int_equal(PKCS5_PBKDF2_HMAC(s->password, -1, (const uint8_t *)s->salt,
                                       (int)strlen(s->salt), s->iterations, s->md, n, salted),
                     1);
    unit_hmac(s->md, salted, "Client Key", client);
    assert_int_equal(EVP_Digest(client, (size_t)n, stored, NULL, s->md, NULL), 1);
    unit_hmac(s->md, stored, s->auth_message, signature);
    for (int i = 0; i < n; i++)
        client[i] ^= signature[i];
    EVP_EncodeBlock((uint8_t *)s->proof, client, n);
    unit_hmac(s->md, salted, "Server Key", server);
    unit_hmac(s->md, server, s->auth_message, signature);
    memcpy(s->verifier, "v=", 3);
    EVP_EncodeBlock((uint8_t *)s->verifier + 2, signature, n);
}

/* One log-in as the server sees it. */
typedef struct scenario {
    const char *mech, *md;
    jabi_sasl_input in;
    const char *bare;    /* client-first-message-bare that must come */
    const char *header;  /* gs2-header that must come */
    const char *binding; /* base64 of header and channel data */
    const char *password;
    int iterations;
    jabi_sasl_cache *cache;
    int slices; /* out: of work */
} scenario;

#define SALT      "saltsalt"
#define SALT_TEXT "c2FsdHNhbHQ="

/* Plays the scenario up to the client's proof, which must be right. */
static inline void play(scenario *c, unit_sasl *t, unit_server *s, const jab_mem *mem)
{
    char text[2048];
    unit_sasl_init(t, mem, jabi_sasl_find(jab_cstr(c->mech)), &c->in, c->cache);
    assert_int_equal(t->code, JABI_SASL_SEND);
    snprintf(text, sizeof text, "%s%s", c->header, c->bare);
    assert_str(jabi_buf_str(&t->out), text);

    char first[256], final[1024];
    snprintf(first, sizeof first, "r=%sSERVER,s=%s,i=%d,x=later", UNIT_NONCE, SALT_TEXT,
             c->iterations);
    snprintf(final, sizeof final, "c=%s,r=%sSERVER", c->binding, UNIT_NONCE);
    *s = (unit_server){EVP_get_digestbyname(c->md), c->password, SALT, c->iterations, "", "", ""};
    snprintf(s->auth_message, sizeof s->auth_message, "%s,%s,%s", c->bare, first, final);
    unit_server_compute(s);

    c->slices = unit_sasl_step(t, jab_cstr(first));
    assert_int_equal(t->code, JABI_SASL_SEND);
    snprintf(text, sizeof text, "%s,p=%s", final, s->proof);
    assert_str(jabi_buf_str(&t->out), text);
}

static inline scenario plain_scenario(const char *mech, const char *md)
{
    return (scenario){.mech = mech,
                      .md = md,
                      .in = unit_input(),
                      .bare = "n=user,r=" UNIT_NONCE,
                      .header = "n,,",
                      .binding = "biws",
                      .password = "pencil",
                      .iterations = 4096};
}

#endif
