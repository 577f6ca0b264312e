/* sqlite_aside.c: a damaged file is given another name, and never deleted. */
#include "store/sqlite.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NAMES 100 /* tried, when several are damaged within a second */

/* "path.damaged-20260301T120000Z", with a number behind it from the second on. */
static void name_aside(const jabi_sqlite *st, int nth, const char *suffix, char *out, size_t size)
{
    time_t now = time(NULL);
    struct tm t;
    char when[32] = "", number[8] = "";
    if (gmtime_r(&now, &t))
        strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &t);
    if (nth > 0)
        snprintf(number, sizeof number, "-%d", nth + 1);
    snprintf(out, size, "%s.damaged-%s%s%s", st->path.p, when, number, suffix);
}

static int move(jabi_sqlite *st, char *from, char *to, size_t size)
{
    int nth = 0;
    do
        name_aside(st, nth, "", to, size);
    while (access(to, F_OK) == 0 && ++nth < NAMES);
    if (rename(st->path.p, to) < 0)
        return jabi_sqlite_says(st, JAB_ESTORE, "damaged, and it cannot be renamed", st->path.p);
    snprintf(from, size, "%s-shm", st->path.p);
    unlink(from);
    /* The log goes with its database: the new one must not read it. */
    snprintf(from, size, "%s-wal", st->path.p);
    size_t n = strlen(to);
    snprintf(to + n, size - n, "-wal");
    if (rename(from, to) < 0 && errno != ENOENT)
        return jabi_sqlite_says(st, JAB_ESTORE, "damaged, and it cannot be renamed", from);
    to[n] = '\0';
    jabi_file_sync_folder(st->path);
    return 0;
}

int jabi_file_set_aside(jabi_sqlite *st)
{
    if (st->vfs)
        return jabi_sqlite_says(st, JAB_ESTORE, "damaged", st->path.p);
    size_t size = st->path.n + 64;
    char *from = jabi_alloc(st->mem, size), *to = jabi_alloc(st->mem, size);
    int err = from && to ? move(st, from, to, size) : JAB_ENOMEM;
    if (err == 0)
        jabi_sqlite_says(st, 0, "the store was damaged, and a new one begins; the old one is now",
                         to);
    jabi_free(st->mem, from);
    jabi_free(st->mem, to);
    return err;
}
