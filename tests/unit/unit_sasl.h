/* unit_sasl.h: an exchange with a SCRAM server that is computed here, by
 * OpenSSL alone and not by the code under test. */
#ifndef UNIT_SASL_H
#define UNIT_SASL_H

#include "unit.h"

#include "base/buf.h"
#include "base/mem.h"
#include "sasl/sasl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

/* 24 times the same byte: the nonces of every exchange are known. */
static inline int unit_random(void *arg, void *p, size_t n)
{
    (void)arg;
    memset(p, 0x69, n);
    return 0;
}

#define UNIT_NONCE "aWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlp"

static inline jabi_sasl_input unit_input(void)
{
    return (jabi_sasl_input){
        .username = JAB_STR("user"),
        .password = JAB_STR("pencil"),
        .domain = JAB_STR("example.org"),
        .random = unit_random,
    };
}

typedef struct unit_sasl {
    jabi_sasl *x;
    jabi_buf out;
    int has_initial;
    int code; /* of the last call */
} unit_sasl;

/* Begins an exchange; `code` is that of new, or of start. */
static inline void unit_sasl_init(unit_sasl *t, const jab_mem *mem, const jabi_sasl_mech *mech,
                                  const jabi_sasl_input *in, jabi_sasl_cache *cache)
{
    *t = (unit_sasl){.has_initial = -1};
    jabi_buf_init(&t->out, mem, 100000);
    t->out.secret = 1;
    t->code = jabi_sasl_new(&t->x, mem, mech, in, cache);
    if (t->code == 0)
        t->code = jabi_sasl_start(t->x, &t->out, &t->has_initial);
}

static inline void unit_sasl_fini(unit_sasl *t)
{
    jabi_sasl_free(t->x);
    jabi_buf_fini(&t->out);
}

/* A challenge, with all the work that it asks for. Returns the slices of it. */
static inline int unit_sasl_step(unit_sasl *t, jab_str challenge)
{
    int slices = 0;
    jabi_buf_reset(&t->out);
    t->code = jabi_sasl_step(t->x, challenge, &t->out);
    for (; t->code == JABI_SASL_WORK; slices++)
        t->code = jabi_sasl_work(t->x, &t->out);
    return slices;
}

#define UNIT_STEP(t, literal) unit_sasl_step(t, JAB_STR(literal))

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

#endif
