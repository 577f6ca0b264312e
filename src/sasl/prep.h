/* prep.h: SASLprep (RFC 4013). */
#ifndef JABI_PREP_H
#define JABI_PREP_H

#include "base/buf.h"

/*
 * Appends the prepared form of a user name or password, a query string in
 * RFC 3454's words: unassigned code points are allowed. 0; JAB_EINVAL when it
 * is not UTF-8, holds what SASLprep prohibits, or nothing is left; or the
 * buffer's error.
 *
 * SASLprep and not PRECIS's OpaqueString (RFC 8265), which obsoletes it:
 * RFC 5802 §5.1 names SASLprep, and servers store keys that were derived
 * from it. The two differ where NFKC differs from NFC.
 */
int jabi_saslprep(jabi_buf *out, jab_str text) JAB_MUST_USE;

#endif
