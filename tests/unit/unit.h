/* unit.h: what unit tests share: cmocka, views in assertions, a failing allocator. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jabiru/base.h>
#include <stdlib.h>

#define assert_str(view, literal)                                                                  \
    do {                                                                                           \
        jab_str unit_view_ = (view);                                                               \
        assert_int_equal(unit_view_.n, strlen(literal));                                           \
        assert_memory_equal(unit_view_.p, literal, unit_view_.n);                                  \
    } while (0)

/* An allocator that counts, and fails the call number `fail_at` (from 1; 0: never). */
typedef struct unit_mem {
    jab_mem mem;
    size_t calls;
    size_t live;
    size_t fail_at;
} unit_mem;

static inline int unit_mem_fails(unit_mem *u)
{
    return ++u->calls == u->fail_at;
}

static inline void *unit_mem_alloc(void *arg, size_t n)
{
    unit_mem *u = (unit_mem *)arg;
    void *p = unit_mem_fails(u) ? NULL : malloc(n);
    u->live += p != NULL;
    return p;
}

static inline void *unit_mem_realloc(void *arg, void *p, size_t n)
{
    unit_mem *u = (unit_mem *)arg;
    void *q = unit_mem_fails(u) ? NULL : realloc(p, n);
    u->live += q && !p;
    return q;
}

static inline void unit_mem_free(void *arg, void *p)
{
    unit_mem *u = (unit_mem *)arg;
    u->live -= p != NULL;
    free(p);
}

static inline void unit_mem_init(unit_mem *u, size_t fail_at)
{
    unit_mem fresh = {
        {u, unit_mem_alloc, unit_mem_realloc, unit_mem_free}, 0, 0, fail_at};
    *u = fresh;
}

#endif
