/* pbkdf2.h: PBKDF2 with HMAC (RFC 8018 §5.2), one block, in slices: the
 * server chooses how much work it is, so it must not hold up the caller. */
#ifndef JABI_PBKDF2_H
#define JABI_PBKDF2_H

#include "base/hash.h"

typedef struct jabi_pbkdf2 {
    jabi_hash hash;
    void *inner, *outer; /* HMAC's two digests, with the key already in them */
    void *run;
    uint32_t left; /* iterations still to do */
    uint8_t u[JABI_HASH_MAX], sum[JABI_HASH_MAX];
} jabi_pbkdf2;

/* Iterations that take about 5 ms. */
uint32_t jabi_pbkdf2_slice(jabi_hash hash);

/* Does all of it in one go. 0 or JAB_ECRYPTO. */
int jabi_pbkdf2_once(jabi_hash hash, jab_str password, jab_str salt, uint32_t iterations,
                     uint8_t *out) JAB_MUST_USE;

/* Begins, on a zeroed structure; iterations >= 1. 0 or JAB_ECRYPTO, JAB_ENOMEM. */
int jabi_pbkdf2_begin(jabi_pbkdf2 *p, jabi_hash hash, jab_str password, jab_str salt,
                      uint32_t iterations) JAB_MUST_USE;

/* Does one slice. 1: there is more; 0: `sum` is the result; or JAB_ECRYPTO. */
int jabi_pbkdf2_work(jabi_pbkdf2 *p) JAB_MUST_USE;

/* Wipes and frees, from any state. */
void jabi_pbkdf2_fini(jabi_pbkdf2 *p);

#endif
