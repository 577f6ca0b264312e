/* digest_text.h: the grammar of DIGEST-MD5's messages (RFC 2831 §2.1, §7). */
#ifndef JABI_DIGEST_TEXT_H
#define JABI_DIGEST_TEXT_H

#include "base/buf.h"

/* What is used of a digest-challenge or response-auth, unquoted; absent
 * directives are absent. */
typedef struct jabi_digest_challenge {
    jab_str realm; /* the preferred one if it is there, else the first */
    jab_str nonce, qop, stale, maxbuf, charset, algorithm, cipher, rspauth;
} jabi_digest_challenge;

/*
 * Reads directives; unknown ones are ignored. The views point into `store`,
 * which is initialised and empty. 0; JAB_EPROTO and *wrong says what is wrong
 * with the message; or JAB_ENOMEM.
 */
int jabi_digest_read(jab_str text, jab_str preferred_realm, jabi_buf *store,
                     jabi_digest_challenge *out, const char **wrong) JAB_MUST_USE;

/* Whether a qop-list holds "auth"; an absent one does (RFC 2831 §2.1.1). */
int jabi_digest_offers_auth(jab_str qop);

/* Whether two views are the same but for the case of ASCII letters. */
int jabi_digest_same(jab_str a, const char *lower);

/* Appends name="value" with value quoted, and name=value as it is; both with
 * a comma before all but the first in the buffer. */
void jabi_digest_add_quoted(jabi_buf *out, const char *name, jab_str value);
void jabi_digest_add(jabi_buf *out, const char *name, const char *value);

#endif
