/* quick.h: OpenSSL's memory from lists of used blocks. PBKDF2 there takes some for each of its
 * iterations, and with AddressSanitizer's allocator these tests would take minutes. */
#ifndef SCRIPT_QUICK_H
#define SCRIPT_QUICK_H

#include <openssl/crypto.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef union quick_block {
    struct {
        union quick_block *next;
        unsigned class;
    } head;
    max_align_t align;
} quick_block;

static quick_block *quick_free_blocks[48]; /* of 2^class bytes */

static inline void *quick_alloc(size_t n, const char *file, int line)
{
    unsigned class = 5;
    (void)file;
    (void)line;
    while (((size_t)1 << class) < n)
        class ++;
    quick_block *b = quick_free_blocks[class];
    if (b)
        quick_free_blocks[class] = b->head.next;
    else
        b = malloc(sizeof *b + ((size_t)1 << class));
    if (!b)
        return NULL;
    *b = (quick_block){.head = {NULL, class}};
    return b + 1;
}

static inline void quick_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (!p)
        return;
    quick_block *b = (quick_block *)p - 1;
    b->head.next = quick_free_blocks[b->head.class];
    quick_free_blocks[b->head.class] = b;
}

static inline void *quick_realloc(void *p, size_t n, const char *file, int line)
{
    size_t had = p ? (size_t)1 << ((quick_block *)p - 1)->head.class : 0;
    if (n > 0 && n <= had)
        return p;
    void *to = n ? quick_alloc(n, file, line) : NULL;
    if (to && p)
        memcpy(to, p, had);
    if (to || n == 0)
        quick_free(p, file, line);
    return to;
}

/* Before anything else of OpenSSL's. */
static inline void be_quick(void)
{
    if (!CRYPTO_set_mem_functions(quick_alloc, quick_realloc, quick_free))
        abort();
}

#endif
