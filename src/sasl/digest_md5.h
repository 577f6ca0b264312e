/* digest_md5.h: the computation of DIGEST-MD5 (RFC 2831 §2.1.2.1) by itself. */
#ifndef JABI_DIGEST_MD5_H
#define JABI_DIGEST_MD5_H

#include "base/buf.h"

/* What a response is computed from. */
typedef struct jabi_digest_terms {
    jab_str username, password;   /* UTF-8 */
    jab_str authzid;              /* absent: none */
    jab_str realm, nonce, cnonce; /* unquoted */
    jab_str uri;                  /* "xmpp/example.org" */
    uint32_t nc;
    int utf8; /* the server announced charset=utf-8 */
} jabi_digest_terms;

/* Appends the digest-response to `out` (empty so far), and sets `rspauth` to
 * what the server must answer. 0; JAB_EUNSUPPORTED when the server takes only
 * ISO 8859-1 and that does not do; JAB_ELIMIT when it gets too long (§2.1.2);
 * JAB_ECRYPTO, JAB_ENOMEM. */
int jabi_digest_respond(const jabi_digest_terms *t, jabi_buf *out, char rspauth[33]) JAB_MUST_USE;

#endif
