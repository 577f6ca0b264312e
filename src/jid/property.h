/* property.h: properties of code points that utf8proc does not tell, as of
 * Unicode 15. */
#ifndef JABI_PROPERTY_H
#define JABI_PROPERTY_H

#include <stdint.h>

int jabi_is_greek(int32_t cp);
int jabi_is_hebrew(int32_t cp);
int jabi_is_kana_or_han(int32_t cp); /* Hiragana, Katakana or Han */

/* Whether a letter joins the one that follows it, or the one before it, in
 * cursive writing: Joining_Type L or D, and R or D. */
int jabi_joins_next(int32_t cp);
int jabi_joins_previous(int32_t cp);

#endif
