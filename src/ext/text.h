/* text.h: small readings of text that several extensions need. */
#ifndef JABI_EXT_TEXT_H
#define JABI_EXT_TEXT_H

#include <jabiru/stanza.h>

/* A decimal number without sign, up to `max`. 0, or JAB_EINVAL. */
int jabi_number(jab_str text, uint64_t max, uint64_t *value) JAB_MUST_USE;

/* Writes a number as an attribute, as an element with text. */
void jabi_out_attr_number(jab_out *o, const char *name, uint64_t value);
void jabi_out_leaf_number(jab_out *o, const char *name, uint64_t value);

/* Of the children `name` of an element, in its namespace, the one for a
 * language: its own, one that begins the same, one without a language of its
 * own, the first. `lang` may be absent. NULL when there is no such child. */
const jab_xml *jabi_child_in(const jab_xml *el, const char *name, jab_str lang);

/* The text of that child; absent without one. */
jab_str jabi_text_in(const jab_xml *el, const char *name, jab_str lang);

/* The text of a child element; absent without one, unlike jab_xml_text(). */
jab_str jabi_leaf(const jab_xml *el, const char *ns, const char *name);

/* Sorts views by their bytes, in place, in n log n steps whatever comes in. */
void jabi_sort(jab_str *list, size_t n);

/* Whether a sorted list has this text. */
int jabi_sorted_has(const jab_str *list, size_t n, jab_str text);

/* Copies a view behind a cursor and moves it; an absent one stays absent. For
 * blocks that hold a struct and its text. */
jab_str jabi_put(char **cursor, jab_str text);

#endif
