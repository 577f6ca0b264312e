/* sqlite_words.c: what failed, in words that a user can act on. */
#include "store/sqlite.h"

#include <errno.h>
#include <stdio.h>

typedef struct row {
    int number;
    const char *words;
} row;

static const row by_errno[] = {
    {ENOSPC, "disk full"},
    {EDQUOT, "disk full (quota)"},
    {EACCES, "permission denied"},
    {EPERM, "permission denied"},
    {EROFS, "read-only file system"},
    {ENOENT, "no such file or folder"},
    {ENOTDIR, "no such folder"},
    {EISDIR, "this is a folder"},
    {ELOOP, "this is a symbolic link"},
    {EMFILE, "too many open files"},
    {ENFILE, "too many open files"},
    {EFBIG, "file too large"},
    {ENAMETOOLONG, "name too long"},
};

static const row by_code[] = {
    {SQLITE_FULL, "disk full"},
    {SQLITE_PERM, "permission denied"},
    {SQLITE_READONLY, "opened for reading only"},
    {SQLITE_CANTOPEN, "cannot be opened"},
    {SQLITE_BUSY, "another program is writing to it"},
    {SQLITE_LOCKED, "another program is writing to it"},
    {SQLITE_IOERR, "input or output failed"},
    {SQLITE_TOOBIG, "a text is too long to be kept"},
    {SQLITE_CORRUPT, "damaged; when it is opened again, it is set aside and a new one begins"},
    {SQLITE_NOTADB, "damaged; when it is opened again, it is set aside and a new one begins"},
    {SQLITE_CONSTRAINT, "a message of this archive with this id is kept already"},
};

#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])

static const char *words_of(const row *rows, size_t n, int number)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].number == number)
            return rows[i].words;
    return NULL;
}

int jabi_sqlite_says(jabi_sqlite *st, int err, const char *words, const char *path)
{
    int n = snprintf(st->words, sizeof st->words, "%s: %s", words, path);
    if (n < 0)
        st->words[0] = '\0';
    return err;
}

int jabi_sqlite_errno(jabi_sqlite *st, int number, const char *path)
{
    const char *words = words_of(ROWS(by_errno), number);
    return jabi_sqlite_says(st, JAB_ESTORE, words ? words : "input or output failed", path);
}

int jabi_sqlite_fail(jabi_sqlite *st, int rc)
{
    int code = rc & 0xFF;
    if (code == SQLITE_NOMEM)
        return jabi_sqlite_says(st, JAB_ENOMEM, "out of memory", st->path.p);
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        st->damaged = 1;
    const char *words = NULL;
    if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
        words = words_of(ROWS(by_errno), st->db ? sqlite3_system_errno(st->db) : 0);
    if (!words)
        words = words_of(ROWS(by_code), code);
    return jabi_sqlite_says(st, JAB_ESTORE, words ? words : sqlite3_errstr(rc), st->path.p);
}
