/* text.c: growing text for the programs; see text.h. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_NOMEM 9

static void out_of_memory(void)
{
    static const char line[] = "jabiru: out of memory; close other programs and try again\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);
    (void)ignored;
    _exit(EXIT_NOMEM);
}

void *app_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *app_realloc(void *p, size_t n)
{
    void *grown = realloc(p, n ? n : 1);
    if (!grown)
        out_of_memory();
    return grown;
}

char *app_copy(jab_str s)
{
    if (!s.p)
        return NULL;
    char *copy = app_alloc(s.n + 1);
    memcpy(copy, s.p, s.n);
    return copy;
}

/* Makes room for n bytes more and the NUL. */
static void grow(app_text *t, size_t n)
{
    if (n > SIZE_MAX / 2 - t->n - 1)
        out_of_memory();
    size_t need = t->n + n + 1;
    if (need <= t->room)
        return;
    size_t room = t->room ? t->room : 64;
    while (room < need)
        room *= 2;
    t->p = app_realloc(t->p, room);
    t->room = room;
}

void app_text_add(app_text *t, jab_str s)
{
    grow(t, s.n);
    if (s.n)
        memcpy(t->p + t->n, s.p, s.n);
    t->n += s.n;
    t->p[t->n] = '\0';
}

void app_text_z(app_text *t, const char *z)
{
    app_text_add(t, jab_cstr(z));
}

void app_text_char(app_text *t, char c)
{
    app_text_add(t, (jab_str){&c, 1});
}

void app_text_fmt(app_text *t, const char *format, ...)
{
    va_list measure, print;
    va_start(measure, format);
    va_copy(print, measure);
    int n = vsnprintf(NULL, 0, format, measure);
    va_end(measure);
    if (n > 0) {
        grow(t, (size_t)n);
        vsnprintf(t->p + t->n, (size_t)n + 1, format, print);
        t->n += (size_t)n;
    }
    va_end(print);
}

jab_str app_text_str(const app_text *t)
{
    return (jab_str){t->p ? t->p : "", t->n};
}

void app_text_clear(app_text *t)
{
    t->n = 0;
    if (t->p)
        t->p[0] = '\0';
}

void app_text_free(app_text *t)
{
    free(t->p);
    *t = (app_text){0};
}
