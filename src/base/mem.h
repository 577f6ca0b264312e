/* mem.h: allocation through the session's jab_mem, with sizes checked. */
#ifndef JABI_MEM_H
#define JABI_MEM_H

#include <jabiru/base.h>

/* malloc, realloc and free as a jab_mem. */
const jab_mem *jabi_mem_default(void);

/* n zeroed bytes, or NULL. */
void *jabi_alloc0(const jab_mem *mem, size_t n);

/* n bytes, not zeroed, or NULL. */
void *jabi_alloc(const jab_mem *mem, size_t n);

/* Grows an array to `count` elements of `size` bytes; NULL when out of memory
 * or when the product overflows, and the old block stays valid. */
void *jabi_realloc_array(const jab_mem *mem, void *p, size_t count, size_t size);

void jabi_free(const jab_mem *mem, void *p);

/* A NUL-ended copy of a view in *out (NULL for an absent one). 0 or JAB_ENOMEM. */
int jabi_strdup(const jab_mem *mem, jab_str *out, jab_str s);

/* Overwrites secrets in a way that the compiler may not leave out. */
void jabi_wipe(void *p, size_t n);

/* Compares in time that depends on n only. 1 when equal. */
int jabi_equal_secret(const void *a, const void *b, size_t n);

#endif
