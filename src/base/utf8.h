/* utf8.h: strict UTF-8 (RFC 3629), code point by code point. */
#ifndef JABI_UTF8_H
#define JABI_UTF8_H

#include <jabiru/base.h>

/* Reads one code point at p (n >= 1 bytes left). Returns its length 1...4 and
 * sets *cp; 0 when the bytes are not UTF-8 (overlong, surrogate, too large),
 * -1 when they are a valid beginning that is cut short. */
int jabi_utf8_read(const char *p, size_t n, uint32_t *cp);

/* Writes a code point; returns its length 1...4. */
int jabi_utf8_write(uint32_t cp, char out[4]);

/* The length of a text that was cut, less a code point that is not whole. */
size_t jabi_utf8_whole(jab_str cut);

/* Whether all of the view is UTF-8. */
int jabi_utf8_valid(jab_str s);

#endif
