/*
 * table.h: entries found by a text that others may have chosen. The hash is
 * SipHash-2-4 under a key of the table's own, so nobody can aim collisions.
 * Entries also lie in one array, for walking over them.
 */
#ifndef JABI_TABLE_H
#define JABI_TABLE_H

#include <jabiru/ext.h>

#include "base/siphash.h"

/* All zero is an empty table that has not been used yet. An entry is a block
 * that begins with its key; the table points to it and never frees it. */
typedef struct jabi_table {
    const jab_mem *mem;
    uint64_t key[2];
    jab_str **items; /* entries, each seen as its key, in no special order */
    uint32_t *slots; /* 1 + index into items, 0: free; a power of two of them */
    size_t n, cap, n_slots;
} jabi_table;

/* The entry with this key, or NULL. */
void *jabi_table_get(const jabi_table *t, jab_str key);

/* Adds an entry whose key the table does not have. 0; JAB_ELIMIT when there
 * are `max` already; JAB_ENOMEM; JAB_ECRYPTO without randomness. */
int jabi_table_put(jabi_table *t, jab_ext_ctx *x, void *entry, size_t max) JAB_MUST_USE;

/* Puts an entry in the place of another one with the same key. */
void jabi_table_replace(jabi_table *t, const void *old, void *entry);

/* Takes an entry out and returns it; NULL when there is none. */
void *jabi_table_take(jabi_table *t, jab_str key);

/* Gives the table's memory back; entries are the caller's. */
void jabi_table_fini(jabi_table *t);

#endif
