/* sqlite_file.c: the files around the database: the lock, and who may read. */
#include "store/sqlite.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWNER_ONLY 0600
#define CLOSED     "closed\n"

/* The path with something behind it, NUL-ended and to be freed; NULL without memory. */
static char *beside(const jabi_sqlite *st, const char *suffix)
{
    size_t n = strlen(suffix) + 1;
    char *name = jabi_alloc(st->mem, st->path.n + n);
    if (name) {
        memcpy(name, st->path.p, st->path.n);
        memcpy(name + st->path.n, suffix, n);
    }
    return name;
}

void jabi_file_sync_folder(jab_str path)
{
    const char *slash = memrchr(path.p, '/', path.n);
    char folder[4096] = ".";
    size_t n = slash ? (size_t)(slash - path.p) + 1 : 0;
    if (n >= sizeof folder)
        return;
    if (n) {
        memcpy(folder, path.p, n);
        folder[n] = '\0';
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    /* Some file systems cannot; there it lasts without. */
    (void)fsync(fd);
    close(fd);
}

/* A file of ours that others can read was copied here, or is of an old program. */
static int keep_from_others(jabi_sqlite *st, const char *name)
{
    struct stat is;
    if (lstat(name, &is) < 0)
        return errno == ENOENT ? 0 : jabi_sqlite_errno(st, errno, name);
    if (!S_ISREG(is.st_mode))
        return jabi_sqlite_says(st, JAB_ESTORE, "this is not a plain file", name);
    if ((is.st_mode & 077) && chmod(name, OWNER_ONLY) < 0)
        return jabi_sqlite_says(st, JAB_ESTORE, "others can read this file, and it is not yours",
                                name);
    return 0;
}

/* The file that is there is not opened: closing it would take the locks from a
 * reader in this process (POSIX locks belong to the process). */
int jabi_file_make(jabi_sqlite *st)
{
    int fd = open(st->path.p, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, OWNER_ONLY);
    if (fd >= 0) {
        close(fd);
        jabi_file_sync_folder(st->path);
        return 0;
    }
    if (errno != EEXIST)
        return jabi_sqlite_errno(st, errno, st->path.p);
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    int err = 0;
    for (size_t i = 0; err == 0 && i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *name = beside(st, suffixes[i]);
        err = name ? keep_from_others(st, name) : JAB_ENOMEM;
        jabi_free(st->mem, name);
    }
    return err;
}

/* What the lock file says: how the last process ended, or who has it now. */
static void read_lock(const jabi_sqlite *st, char *text, size_t size)
{
    ssize_t n = pread(st->lock, text, size - 1, 0);
    text[n > 0 ? n : 0] = '\0';
}

static int write_lock(const jabi_sqlite *st, const char *text)
{
    size_t n = strlen(text);
    return pwrite(st->lock, text, n, 0) == (ssize_t)n && ftruncate(st->lock, (off_t)n) == 0;
}

static int is_locked(jabi_sqlite *st)
{
    char text[32], words[96];
    read_lock(st, text, sizeof text);
    long pid = 0;
    if (sscanf(text, "open %ld", &pid) == 1)
        snprintf(words, sizeof words, "another process (%ld) uses the store", pid);
    else
        snprintf(words, sizeof words, "another process uses the store");
    return jabi_sqlite_says(st, JAB_ELOCKED, words, st->path.p);
}

static int take_lock(jabi_sqlite *st, const char *name)
{
    st->lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, OWNER_ONLY);
    if (st->lock < 0)
        return jabi_sqlite_errno(st, errno, name);
    if (flock(st->lock, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? is_locked(st) : jabi_sqlite_errno(st, errno, name);
    char text[32];
    read_lock(st, text, sizeof text);
    st->unclean = strcmp(text, CLOSED) != 0;
    snprintf(text, sizeof text, "open %ld\n", (long)getpid());
    /* A full disk must not prevent reading; the next opening checks the file then. */
    if (!write_lock(st, text))
        write_lock(st, "");
    (void)fsync(st->lock);
    return 0;
}

int jabi_file_take(jabi_sqlite *st)
{
    char *name = beside(st, ".lock");
    int err = name ? take_lock(st, name) : JAB_ENOMEM;
    jabi_free(st->mem, name);
    if (err < 0 && st->lock >= 0) {
        close(st->lock);
        st->lock = -1;
    }
    return err < 0 ? err : jabi_file_make(st);
}

void jabi_file_leave(jabi_sqlite *st)
{
    if (st->lock < 0)
        return;
    if (!st->damaged)
        write_lock(st, CLOSED);
    close(st->lock);
    st->lock = -1;
}
