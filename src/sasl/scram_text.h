/* scram_text.h: the grammar of SCRAM's messages (RFC 5802 §7), strict. */
#ifndef JABI_SCRAM_TEXT_H
#define JABI_SCRAM_TEXT_H

#include "base/buf.h"

/* server-first-message. The views point into the message. */
typedef struct jabi_scram_first {
    jab_str nonce;
    jab_str salt;            /* still base64 */
    jab_str iterations_text; /* digits */
    uint64_t iterations;     /* at least 1; UINT64_MAX for all that is larger */
    jab_str offer_hash;      /* "h" (XEP-0474), in base64; absent: none */
    jab_str tls_version;     /* "t" (XEP-0515); absent: none */
} jabi_scram_first;

/* server-final-message: one of the two is present. */
typedef struct jabi_scram_final {
    jab_str verifier; /* still base64 */
    jab_str error;
} jabi_scram_final;

/* Read a message. NULL, or what is wrong with it. */
const char *jabi_scram_read_first(jab_str text, jabi_scram_first *out) JAB_MUST_USE;
const char *jabi_scram_read_final(jab_str text, jabi_scram_final *out) JAB_MUST_USE;

/* Appends a saslname: "," and "=" become "=2C" and "=3D" (RFC 5802 §5.1). */
void jabi_scram_add_name(jabi_buf *out, jab_str name);

/* What an error of the server's means to a user; never NULL. */
const char *jabi_scram_error_words(jab_str error);

#endif
