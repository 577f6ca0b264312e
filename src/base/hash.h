/* hash.h: digests, HMAC and PBKDF2 over OpenSSL, one table row per hash. */
#ifndef JABI_HASH_H
#define JABI_HASH_H

#include <jabiru/base.h>

typedef enum jabi_hash { JABI_MD5, JABI_SHA1, JABI_SHA256, JABI_SHA512 } jabi_hash;

#define JABI_HASH_MAX 64

/* Bytes of a digest: 16, 20, 32, 64. */
size_t jabi_hash_size(jabi_hash h);

/* Digest of the concatenation of `count` views. 0, or JAB_ECRYPTO. */
int jabi_hash_parts(jabi_hash h, const jab_str *parts, size_t count, uint8_t *out) JAB_MUST_USE;

/* HMAC of one message. 0, or JAB_ECRYPTO. */
int jabi_hmac(jabi_hash h, const void *key, size_t key_n, const void *msg, size_t msg_n,
              uint8_t *out) JAB_MUST_USE;

/* n bytes as 2n lower-case hexadecimal digits and a NUL. */
void jabi_hex(const void *p, size_t n, char *out);

#endif
