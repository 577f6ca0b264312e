/* buf.c: a growing byte buffer with a maximum and a sticky error. */
#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

void jabi_buf_init(jabi_buf *b, const jab_mem *mem, size_t max)
{
    *b = (jabi_buf){.mem = mem, .max = max};
}

static void release(jabi_buf *b)
{
    if (b->secret)
        jabi_wipe(b->p, b->cap);
    jabi_free(b->mem, b->p);
    b->p = NULL;
    b->cap = 0;
}

void jabi_buf_fini(jabi_buf *b)
{
    release(b);
    b->n = 0;
}

void jabi_buf_reset(jabi_buf *b)
{
    if (b->secret)
        jabi_wipe(b->p, b->cap);
    b->n = 0;
    b->error = 0;
}

static int grow(jabi_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max)
        cap = b->max;
    char *p;
    if (b->secret) {
        /* realloc could leave a copy of the secret behind. */
        p = jabi_alloc(b->mem, cap);
        if (p && b->n)
            memcpy(p, b->p, b->n);
        if (p)
            release(b);
    } else {
        p = jabi_realloc_array(b->mem, b->p, cap, 1);
    }
    if (!p)
        return JAB_ENOMEM;
    b->p = p;
    b->cap = cap;
    return 0;
}

char *jabi_buf_room(jabi_buf *b, size_t n)
{
    if (b->error)
        return NULL;
    if (n > b->max || b->n > b->max - n) {
        b->error = JAB_ELIMIT;
        return NULL;
    }
    if ((b->n + n > b->cap || !b->p) && grow(b, b->n + n) < 0) {
        b->error = JAB_ENOMEM;
        return NULL;
    }
    return b->p + b->n;
}

void jabi_buf_add(jabi_buf *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    char *to = jabi_buf_room(b, n);
    if (!to)
        return;
    memcpy(to, p, n);
    b->n += n;
}

void jabi_buf_add_str(jabi_buf *b, jab_str s)
{
    jabi_buf_add(b, s.p, s.n);
}

void jabi_buf_add_z(jabi_buf *b, const char *z)
{
    jabi_buf_add(b, z, strlen(z));
}

void jabi_buf_add_char(jabi_buf *b, char c)
{
    jabi_buf_add(b, &c, 1);
}

void jabi_buf_printf(jabi_buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = n < 0 ? NULL : jabi_buf_room(b, (size_t)n + 1);
    if (to) {
        vsnprintf(to, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void jabi_buf_consume(jabi_buf *b, size_t n)
{
    if (n >= b->n) {
        if (b->secret)
            jabi_wipe(b->p, b->n);
        b->n = 0;
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    if (b->secret)
        jabi_wipe(b->p + b->n - n, n);
    b->n -= n;
}
