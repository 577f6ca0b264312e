/*
 * arena.h: memory that is given back all at once. Blocks are kept over a
 * reset, so that in the steady state nothing is allocated.
 */
#ifndef JABI_ARENA_H
#define JABI_ARENA_H

#include <jabiru/base.h>

typedef struct jabi_arena_block jabi_arena_block;

typedef struct jabi_arena {
    const jab_mem *mem;
    char *at, *end;          /* free room in the current block */
    jabi_arena_block *first; /* all blocks, the current one among them */
    jabi_arena_block *current;
    size_t used; /* bytes handed out since the reset */
    size_t max;  /* bytes allowed */
} jabi_arena;

void jabi_arena_init(jabi_arena *a, const jab_mem *mem, size_t max);
void jabi_arena_fini(jabi_arena *a);

/* Forgets all that was handed out. Keeps blocks up to `keep` bytes in sum and
 * gives the rest back. */
void jabi_arena_reset(jabi_arena *a, size_t keep);

/* The slow path of jabi_arena_alloc(). */
void *jabi_arena_grow(jabi_arena *a, size_t n);

/* n bytes aligned to 8, not zeroed; NULL when out of memory or at the limit. */
static inline void *jabi_arena_alloc(jabi_arena *a, size_t n)
{
    size_t size = (n + 7) & ~(size_t)7;
    if (size < n || size > (size_t)(a->end - a->at))
        return jabi_arena_grow(a, n);
    void *p = a->at;
    a->at += size;
    a->used += size;
    return p;
}

/* A copy of a view with a NUL behind it; absent stays absent, and a failed
 * copy of something present is absent. */
jab_str jabi_arena_str(jabi_arena *a, jab_str s);

#endif
