/* rows.h: sorted rows in memory, with a journal that can undo what was done to them. */
#ifndef JABI_ROWS_H
#define JABI_ROWS_H

#include <jabiru/base.h>

/* Rows are blocks of the allocator, in the order that `order` tells. */
typedef struct jabi_rows {
    void **row;
    size_t n, cap;
    int (*order)(const void *a, const void *b);
} jabi_rows;

typedef struct jabi_undo {
    jabi_rows *rows;
    void *old, *fresh; /* what was there, what is there now; either may be NULL */
} jabi_undo;

typedef struct jabi_journal {
    const jab_mem *mem;
    jabi_undo *undo;
    size_t n, cap;
} jabi_journal;

/* The first row that is not before `like`, or n. */
size_t jabi_rows_at(const jabi_rows *rows, const void *like);

/* The row that equals `like`, or NULL. */
void *jabi_rows_find(const jabi_rows *rows, const void *like);

/* Puts `fresh` (NULL: nothing) in place of `old` (NULL: nothing), which
 * compare as equal. Takes `fresh`, also when it fails. 0 or JAB_ENOMEM. */
int jabi_rows_swap(jabi_rows *rows, jabi_journal *journal, void *old, void *fresh) JAB_MUST_USE;

/* Forgets, or undoes, what the journal holds. Neither can fail. */
void jabi_journal_forget(jabi_journal *journal);
void jabi_journal_undo(jabi_journal *journal);

/* Gives back all rows. */
void jabi_rows_fini(jabi_rows *rows, const jab_mem *mem);

#endif
