/* salted.h: SaltedPassword and the keys made of it (RFC 5802 §3). */
#ifndef JABI_SALTED_H
#define JABI_SALTED_H

#include "sasl/pbkdf2.h"
#include "sasl/sasl.h"

#define JABI_SALT_MAX 1024 /* bytes of a salt that are taken from a server */

/* The work that the server asks for. Its hash is the mechanism's variant. */
typedef struct jabi_salted {
    jabi_pbkdf2 pbkdf2;           /* when it takes long */
    uint8_t key[32];              /* digest of all that the value depends on */
    uint8_t value[JABI_HASH_MAX]; /* SaltedPassword, once it is there */
} jabi_salted;

/* 0 when the count is within x's bounds, else JAB_EPROTO. `text` is as the server wrote it. */
int jabi_salted_check_count(jabi_sasl *x, jab_str text, uint64_t iterations) JAB_MUST_USE;

/* Appends the salt to a buffer of at most JABI_SALT_MAX. 0, JAB_EPROTO or the buffer's error. */
int jabi_salted_read_salt(jabi_sasl *x, jab_str base64, jabi_buf *salt) JAB_MUST_USE;

/* Begins, on a zeroed structure, with x's password. 0: the value is there, from
 * x's cache perhaps; JABI_SASL_WORK: there is more to do; or JAB_EINVAL (the
 * password), JAB_ECRYPTO, JAB_ENOMEM. */
int jabi_salted_begin(jabi_salted *s, jabi_sasl *x, jab_str salt, uint32_t iterations) JAB_MUST_USE;
int jabi_salted_work(jabi_salted *s, jabi_sasl *x) JAB_MUST_USE; /* as above */
void jabi_salted_fini(jabi_salted *s);                           /* wiped, from any state */

/* What the keys are good for, keys not yet made. A salt that is too long to be
 * kept leaves `iterations` at 0. */
void jabi_keys_describe(jabi_sasl_keys *k, jabi_hash hash, jab_str salt, uint32_t iterations);

/* ClientKey and ServerKey. 0 or JAB_ECRYPTO. */
int jabi_keys_make(jabi_sasl_keys *k, jabi_hash hash, const uint8_t *salted) JAB_MUST_USE;

/* The row of x's input that is good for this, or NULL. */
const jabi_sasl_keys *jabi_keys_find(const jabi_sasl *x, jab_str salt, uint32_t iterations);

#endif
