/* text.h: a part of an address as code points, and the mappings that the
 * profiles are made of. */
#ifndef JABI_TEXT_H
#define JABI_TEXT_H

#include "jid/jid.h"

typedef struct jabi_text {
    size_t n;
    int32_t cp[JABI_JID_TEXT_MAX];
} jabi_text;

/* Whether no byte is above 0x7F. */
int jabi_is_ascii(jab_str text);

/* Writes text.n bytes, A to Z as a to z; returns their number. */
int jabi_lower_ascii(jab_str text, char *out);

/* Reads strict UTF-8. Returns 0, or JAB_EJID when it is none or too long. */
int jabi_text_read(jabi_text *t, jab_str utf8) JAB_MUST_USE;

/* Writes UTF-8; its length, or JAB_EJID when it is none or too long. */
int jabi_text_write(const jabi_text *t, char out[JAB_JID_PART_MAX]) JAB_MUST_USE;

/* Maps fullwidth and halfwidth code points to what they decompose to. */
void jabi_text_map_width(jabi_text *t);

/* Normalization Form C; with `lower`, of the text in lower case. Returns 0, or
 * JAB_EJID when the text is too long. */
int jabi_text_normalize(jabi_text *t, int lower) JAB_MUST_USE;

/* The Normalization Form KC of one code point is that code point. */
int jabi_is_nfkc(int32_t cp);

#endif
