/*
 * text.h: growing text for the programs, and memory that is either there or
 * ends the program with one line (exit 9): a command has nothing better to do.
 */
#ifndef JABIRU_APP_TEXT_H
#define JABIRU_APP_TEXT_H

#include <jabiru/base.h>

/* Zeroed memory; never NULL. */
void *app_alloc(size_t n);

/* realloc() that never returns NULL. */
void *app_realloc(void *p, size_t n);

/* A NUL-ended copy; NULL for an absent string. */
char *app_copy(jab_str s);

/* Text that grows. Zero it to begin; `p` ends with a NUL once it is not NULL. */
typedef struct app_text {
    char *p;
    size_t n, room;
} app_text;

/* Append a view, a NUL-ended string, one byte, or what printf would print. */
void app_text_add(app_text *t, jab_str s);
void app_text_z(app_text *t, const char *z);
void app_text_char(app_text *t, char c);
void app_text_fmt(app_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is in it; empty, never absent. Valid until the text changes. */
jab_str app_text_str(const app_text *t);

/* Forgets the content, keeps the memory. */
void app_text_clear(app_text *t);

/* Gives the memory back and zeroes *t. */
void app_text_free(app_text *t);

#endif
