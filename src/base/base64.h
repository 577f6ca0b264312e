/* base64.h: RFC 4648 §4, strict: no line breaks, padding required, no stray bits. */
#ifndef JABI_BASE64_H
#define JABI_BASE64_H

#include "base/buf.h"

/* Appends the encoding of n bytes. Errors stay in the buffer. */
void jabi_base64_encode(jabi_buf *out, const void *p, size_t n);

/* Appends the decoded bytes. Returns 0, or JAB_EPROTO for what is not strict
 * base64, or the buffer's error. */
int jabi_base64_decode(jabi_buf *out, jab_str text) JAB_MUST_USE;

#endif
