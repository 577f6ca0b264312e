/* mech.h: what the mechanisms share among themselves: the table's rows, the
 * cache, nonces and error words. */
#ifndef JABI_MECH_H
#define JABI_MECH_H

#include "sasl/sasl.h"

extern const jabi_sasl_mech jabi_scram_sha512_plus, jabi_scram_sha256_plus, jabi_scram_sha1_plus,
    jabi_scram_sha512, jabi_scram_sha256, jabi_scram_sha1, jabi_sasl_external, jabi_sasl_digest_md5,
    jabi_sasl_plain, jabi_sasl_anonymous, jabi_sasl_oauthbearer;

/* Found by name, never chosen from an offer; best first. */
#define JABI_SASL_HT_COUNT 8
extern const jabi_sasl_mech jabi_sasl_ht[JABI_SASL_HT_COUNT];

/* A DIGEST-MD5 authentication that a later one may continue (RFC 2831 §2.2). */
typedef struct jabi_digest_memory {
    jabi_buf realm, nonce, cnonce;
    uint32_t nc;     /* the last one sent; 0: nothing is remembered */
    int utf8;        /* the server announced charset=utf-8 */
    uint8_t key[32]; /* digest of whose it is: user, domain, password */
} jabi_digest_memory;

void jabi_digest_forget(jabi_digest_memory *m);

struct jabi_sasl_cache {
    const jab_mem *mem;
    int has_salted;
    uint8_t salted_key[32]; /* digest of all that the salted password depends on */
    uint8_t salted[JABI_HASH_MAX];
    jabi_digest_memory digest;
};

/* Digest of several views, each preceded by its length so that no two lists
 * give the same bytes. 0 or JAB_ECRYPTO. */
int jabi_sasl_key(const jab_str *parts, size_t count, uint8_t out[32]) JAB_MUST_USE;

/* Whether the secret that the mechanism needs is there: password, keys,
 * certificate, token. */
int jabi_sasl_has_secret(const jabi_sasl_mech *mech, const jabi_sasl_input *in);

/* Sets the words of an error and returns its code. */
int jabi_sasl_fail(jabi_sasl *x, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends a nonce: 24 random bytes in 32 characters of base64, which need no
 * quoting anywhere. 0, JAB_ECRYPTO or the buffer's error. */
int jabi_sasl_nonce(jabi_sasl *x, jabi_buf *out) JAB_MUST_USE;

#endif
