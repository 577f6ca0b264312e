/* rows.c: sorted rows in memory, with a journal that can undo what was done to them. */
#include "store/rows.h"

#include "base/mem.h"

size_t jabi_rows_at(const jabi_rows *rows, const void *like)
{
    size_t low = 0, high = rows->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->order(rows->row[middle], like) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void *jabi_rows_find(const jabi_rows *rows, const void *like)
{
    size_t at = jabi_rows_at(rows, like);
    return at < rows->n && rows->order(rows->row[at], like) == 0 ? rows->row[at] : NULL;
}

/* Room was made before: this cannot fail. */
static void swap(jabi_rows *rows, const void *old, void *fresh)
{
    size_t at = jabi_rows_at(rows, old ? old : fresh);
    void **row = rows->row + at;
    if (!old) {
        memmove(row + 1, row, (rows->n - at) * sizeof *row);
        rows->n++;
    }
    if (fresh) {
        *row = fresh;
    } else {
        memmove(row, row + 1, (rows->n - at - 1) * sizeof *row);
        rows->n--;
    }
}

static int grow(const jab_mem *mem, void **p, size_t *cap, size_t n, size_t size)
{
    if (n < *cap)
        return 0;
    size_t want = *cap ? *cap * 2 : 16;
    void *q = jabi_realloc_array(mem, *p, want, size);
    if (!q)
        return JAB_ENOMEM;
    *p = q;
    *cap = want;
    return 0;
}

int jabi_rows_swap(jabi_rows *rows, jabi_journal *journal, void *old, void *fresh)
{
    if (!old && !fresh)
        return 0;
    void *undo = journal->undo, *row = rows->row;
    int err = grow(journal->mem, &undo, &journal->cap, journal->n, sizeof *journal->undo);
    journal->undo = undo;
    if (err == 0)
        err = grow(journal->mem, &row, &rows->cap, rows->n, sizeof *rows->row);
    rows->row = row;
    if (err < 0) {
        jabi_free(journal->mem, fresh);
        return err;
    }
    swap(rows, old, fresh);
    journal->undo[journal->n++] = (jabi_undo){rows, old, fresh};
    return 0;
}

void jabi_journal_forget(jabi_journal *journal)
{
    while (journal->n > 0)
        jabi_free(journal->mem, journal->undo[--journal->n].old);
}

void jabi_journal_undo(jabi_journal *journal)
{
    while (journal->n > 0) {
        const jabi_undo *u = &journal->undo[--journal->n];
        swap(u->rows, u->fresh, u->old);
        jabi_free(journal->mem, u->fresh);
    }
}

void jabi_rows_fini(jabi_rows *rows, const jab_mem *mem)
{
    while (rows->n > 0)
        jabi_free(mem, rows->row[--rows->n]);
    jabi_free(mem, rows->row);
}
