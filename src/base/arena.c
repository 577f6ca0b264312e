/* arena.c: memory that is given back all at once. */
#include "base/arena.h"

#include "base/mem.h"

#define BLOCK_MIN 4096

struct jabi_arena_block {
    jabi_arena_block *next;
    size_t size;
    _Alignas(8) char bytes[];
};

void jabi_arena_init(jabi_arena *a, const jab_mem *mem, size_t max)
{
    *a = (jabi_arena){.mem = mem, .max = max};
}

static void free_from(jabi_arena *a, jabi_arena_block *b)
{
    while (b) {
        jabi_arena_block *next = b->next;
        jabi_free(a->mem, b);
        b = next;
    }
}

void jabi_arena_fini(jabi_arena *a)
{
    free_from(a, a->first);
    jabi_arena_init(a, a->mem, a->max);
}

static void use_block(jabi_arena *a, jabi_arena_block *b)
{
    a->current = b;
    a->at = b ? b->bytes : NULL;
    a->end = b ? b->bytes + b->size : NULL;
}

void jabi_arena_reset(jabi_arena *a, size_t keep)
{
    jabi_arena_block **link = &a->first;
    size_t kept = 0;
    while (*link && kept + (*link)->size <= keep) {
        kept += (*link)->size;
        link = &(*link)->next;
    }
    free_from(a, *link);
    *link = NULL;
    a->used = 0;
    use_block(a, a->first);
}

static jabi_arena_block *new_block(jabi_arena *a, size_t n)
{
    size_t size = a->current ? a->current->size * 2 : BLOCK_MIN;
    if (size < n)
        size = n;
    if (size > SIZE_MAX - sizeof(jabi_arena_block))
        return NULL;
    jabi_arena_block *b = jabi_alloc(a->mem, sizeof *b + size);
    if (b) {
        b->size = size;
        b->next = NULL;
    }
    return b;
}

void *jabi_arena_grow(jabi_arena *a, size_t n)
{
    size_t size = (n + 7) & ~(size_t)7;
    if (size < n || size > a->max || a->used > a->max - size)
        return NULL;
    jabi_arena_block *next = a->current ? a->current->next : NULL;
    if (!next || next->size < size) {
        jabi_arena_block *b = new_block(a, size);
        if (!b)
            return NULL;
        b->next = next;
        if (a->current)
            a->current->next = b;
        else
            a->first = b;
        next = b;
    }
    use_block(a, next);
    a->at += size;
    a->used += size;
    return next->bytes;
}

jab_str jabi_arena_str(jabi_arena *a, jab_str s)
{
    if (!s.p)
        return s;
    char *copy = s.n < SIZE_MAX ? jabi_arena_alloc(a, s.n + 1) : NULL;
    if (!copy)
        return (jab_str){NULL, 0};
    memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return (jab_str){copy, s.n};
}
