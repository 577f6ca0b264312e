/*
 * buf.h: a growing byte buffer that knows its maximum and remembers its
 * first error, so that many appends need one check at the end.
 */
#ifndef JABI_BUF_H
#define JABI_BUF_H

#include <jabiru/base.h>

typedef struct jabi_buf {
    const jab_mem *mem;
    char *p;
    size_t n;   /* bytes in use */
    size_t cap; /* bytes allocated */
    size_t max; /* bytes allowed */
    int error;  /* 0, JAB_ENOMEM or JAB_ELIMIT; sticky until reset */
    int secret; /* wipe the old block whenever it moves or goes */
} jabi_buf;

void jabi_buf_init(jabi_buf *b, const jab_mem *mem, size_t max);
void jabi_buf_fini(jabi_buf *b);

/* Empties the buffer and its error, keeps the block. */
void jabi_buf_reset(jabi_buf *b);

/* Makes room for n more bytes and returns where they go; NULL on error. The
 * caller adds to b->n what it wrote. */
char *jabi_buf_room(jabi_buf *b, size_t n);

void jabi_buf_add(jabi_buf *b, const void *p, size_t n);
void jabi_buf_add_str(jabi_buf *b, jab_str s);
void jabi_buf_add_z(jabi_buf *b, const char *z);
void jabi_buf_add_char(jabi_buf *b, char c);
void jabi_buf_printf(jabi_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first n bytes. */
void jabi_buf_consume(jabi_buf *b, size_t n);

static inline jab_str jabi_buf_str(const jabi_buf *b)
{
    jab_str s = {b->p ? b->p : "", b->n};
    return s;
}

#endif
