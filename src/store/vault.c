/*
 * vault.c: a vault (login.h) in a file of its own, beside a lock.
 *
 *     "jabiru vault 1\n"  bytes of the account, of the row: 4 each, highest first
 *     the account  the row  SHA-256 of all before it
 *
 * The file is there as a whole or not at all. One that is damaged, or that
 * others can write, is an error and stays where it is: to begin anew without
 * a word would be to forget the floor.
 */
#include <jabiru/jid.h>
#include <jabiru/login.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWNER_ONLY  0600
#define MAGIC       "jabiru vault "
#define VERSION     "1\n"
#define HEAD_SIZE   (sizeof(MAGIC VERSION) - 1 + 8)
#define SUM_SIZE    32
#define ACCOUNT_MAX JAB_JID_MAX
#define FILE_MAX    (HEAD_SIZE + ACCOUNT_MAX + JAB_VAULT_MAX + SUM_SIZE)
#define WORDS_SIZE  400

typedef struct vault_file {
    jab_vault table; /* first: the caller has its address */
    const jab_mem *mem;
    char *name, *lock_name, *new_name; /* within the folder */
    int folder, lock;
    int is_held;            /* 1: the lock is ours */
    int system_failed;      /* 1: what failed last is the system's, not the file's, fault */
    uint8_t *bytes;         /* FILE_MAX, so that no reading fails for want of memory; wiped */
    char words[WORDS_SIZE]; /* what failed last */
} vault_file;

/* What a file holds; views into vault_file.bytes. */
typedef struct content {
    jab_str account, row;
} content;

static int says(vault_file *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int says(vault_file *v, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(v->words, sizeof v->words, format, arguments);
    va_end(arguments);
    v->system_failed = 0;
    return JAB_ESTORE;
}

static int says_errno(vault_file *v, const char *name)
{
    says(v, "%s: %s", name, strerror(errno));
    v->system_failed = 1;
    return JAB_ESTORE;
}

static void wipe(vault_file *v)
{
    jabi_wipe(v->bytes, FILE_MAX);
}

/* -- Reading ------------------------------------------------------------------- */

static void put_size(uint8_t *out, size_t n)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(n >> (24 - 8 * i));
}

static size_t get_size(const uint8_t *in)
{
    size_t n = 0;
    for (int i = 0; i < 4; i++)
        n = n << 8 | in[i];
    return n;
}

/* Who can write it can take the floor away, and who can read it can log in. */
static int judge(vault_file *v, int fd)
{
    struct stat is;
    if (fstat(fd, &is) < 0)
        return says_errno(v, v->name);
    if (!S_ISREG(is.st_mode))
        return says(v, "%s is not a plain file", v->name);
    int is_ours = is.st_uid == geteuid();
    if (!JAB_CHECK(VAULT_OWNER, is_ours && (is.st_mode & 077) == 0))
        return is_ours ? says(v, "others than you can use %s (mode %03o)", v->name,
                              (unsigned)is.st_mode & 0777)
                       : says(v, "%s belongs to another user", v->name);
    return 0;
}

/* At most FILE_MAX bytes, and whether there are more. */
static ssize_t read_all(vault_file *v, int fd, int *is_longer)
{
    size_t n = 0;
    char more;
    for (;;) {
        ssize_t got = n < FILE_MAX ? read(fd, v->bytes + n, FILE_MAX - n) : read(fd, &more, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        *is_longer = got > 0 && n == FILE_MAX;
        if (got == 0 || *is_longer)
            return (ssize_t)n;
        n += (size_t)got;
    }
}

static int is_whole(const uint8_t *p, size_t n)
{
    uint8_t sum[SUM_SIZE];
    if (n < HEAD_SIZE + SUM_SIZE)
        return 0;
    size_t account = get_size(p + HEAD_SIZE - 8), row = get_size(p + HEAD_SIZE - 4);
    if (account > ACCOUNT_MAX || row > JAB_VAULT_MAX || HEAD_SIZE + account + row + SUM_SIZE != n)
        return 0;
    const jab_str summed = {(const char *)p, n - SUM_SIZE};
    return jabi_hash_parts(JABI_SHA256, &summed, 1, sum) == 0 &&
           memcmp(sum, p + n - SUM_SIZE, SUM_SIZE) == 0;
}

static int parse(vault_file *v, size_t n, content *c)
{
    const uint8_t *p = v->bytes;
    size_t magic = sizeof MAGIC - 1;
    if (n < HEAD_SIZE || memcmp(p, MAGIC, magic) != 0)
        return says(v, "%s is damaged, or no vault", v->name);
    if (memcmp(p + magic, VERSION, sizeof VERSION - 1) != 0)
        return says(v, "%s was written by a newer version", v->name);
    if (!JAB_CHECK(VAULT_WHOLE, is_whole(p, n)))
        return says(v, "%s is damaged", v->name);
    size_t account = get_size(p + HEAD_SIZE - 8);
    c->account = (jab_str){(const char *)p + HEAD_SIZE, account};
    c->row = (jab_str){c->account.p + account, get_size(p + HEAD_SIZE - 4)};
    return 0;
}

/* Returns 1 with the content, 0 when there is no file, or JAB_ESTORE. */
static int read_file(vault_file *v, content *c)
{
    int is_longer = 0;
    int fd = openat(v->folder, v->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && errno == ELOOP)
        return says(v, "%s is a link", v->name);
    if (fd < 0)
        return says_errno(v, v->name);
    int err = judge(v, fd);
    ssize_t n = err == 0 ? read_all(v, fd, &is_longer) : 0;
    if (n < 0)
        err = says_errno(v, v->name);
    close(fd);
    if (err == 0)
        err = is_longer ? says(v, "%s is damaged", v->name) : parse(v, (size_t)n, c);
    return err < 0 ? err : 1;
}

/* Returns 1 when it has a row of this account, 0 for none, or JAB_ESTORE. */
static int read_row(vault_file *v, jab_str account, content *c)
{
    int found = read_file(v, c);
    if (found > 0 && !jab_str_eq(c->account, account))
        return says(v, "%s is of another account", v->name);
    return found;
}

/* -- The lock: a file of its own, as the vault is replaced -------------------------- */

static int take_lock(vault_file *v)
{
    if (!v->is_held && flock(v->lock, LOCK_EX | LOCK_NB) == 0)
        v->is_held = 1;
    else if (!v->is_held && errno != EWOULDBLOCK && errno != EINTR)
        return says_errno(v, v->lock_name);
    return 0;
}

/* Another program may have ended since: it is tried anew. */
static ptrdiff_t load(void *arg, jab_str account, void *into, size_t room, int *is_shared)
{
    vault_file *v = arg;
    content c;
    int found = take_lock(v);
    *is_shared = !v->is_held;
    if (found == 0)
        found = read_row(v, account, &c);
    if (found > 0 && c.row.n > room)
        found = says(v, "%s holds more than there is room for", v->name);
    if (found > 0)
        memcpy(into, c.row.p, c.row.n);
    ptrdiff_t result = found > 0 ? (ptrdiff_t)c.row.n : found;
    wipe(v);
    return result;
}

/* -- Writing ------------------------------------------------------------------------ */

static int write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        p += done;
        n -= (size_t)done;
    }
    return fsync(fd);
}

/* A change of the folder lasts once that is written, too; some file systems
 * cannot, and need not. */
static int sync_folder(vault_file *v)
{
    if (fsync(v->folder) < 0 && errno != EINVAL && errno != ENOTSUP)
        return says_errno(v, "the folder");
    return 0;
}

/* Lays the file out in v->bytes; returns its size, or 0 when it cannot be summed. */
static size_t lay_out(vault_file *v, jab_str account, jab_str row)
{
    uint8_t *p = v->bytes;
    memcpy(p, MAGIC VERSION, HEAD_SIZE - 8);
    put_size(p + HEAD_SIZE - 8, account.n);
    put_size(p + HEAD_SIZE - 4, row.n);
    size_t n = HEAD_SIZE;
    memcpy(p + n, account.p, account.n);
    n += account.n;
    memcpy(p + n, row.p, row.n);
    n += row.n;
    const jab_str summed = {(const char *)p, n};
    return jabi_hash_parts(JABI_SHA256, &summed, 1, p + n) == 0 ? n + SUM_SIZE : 0;
}

static int replace(vault_file *v, size_t n)
{
    int err = 0;
    /* Of a program that was killed; the lock says that nobody writes it now. */
    unlinkat(v->folder, v->new_name, 0);
    int fd = openat(v->folder, v->new_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, OWNER_ONLY);
    if (fd < 0)
        return says_errno(v, v->new_name);
    if (write_all(fd, v->bytes, n) < 0)
        err = says_errno(v, v->new_name);
    if (close(fd) < 0 && err == 0)
        err = says_errno(v, v->new_name);
    if (err == 0 && renameat(v->folder, v->new_name, v->folder, v->name) < 0)
        err = says_errno(v, v->name);
    if (err < 0)
        unlinkat(v->folder, v->new_name, 0);
    return err < 0 ? err : sync_folder(v);
}

static int take_out(vault_file *v)
{
    if (unlinkat(v->folder, v->name, 0) < 0)
        return says_errno(v, v->name);
    return sync_folder(v);
}

/* What is there is read first: neither another account's vault, nor one that
 * is damaged, is overwritten. */
static int save(void *arg, jab_str account, jab_str row)
{
    vault_file *v = arg;
    content c;
    if (!v->is_held)
        return JAB_ELOCKED;
    if (account.n == 0 || account.n > ACCOUNT_MAX || row.n > JAB_VAULT_MAX)
        return JAB_EINVAL;
    int result = read_row(v, account, &c);
    if (result > 0 && row.n == 0)
        result = take_out(v);
    if (result >= 0 && row.n > 0) {
        size_t n = lay_out(v, account, row);
        result = n ? replace(v, n) : JAB_ECRYPTO;
    }
    wipe(v);
    return result < 0 ? result : 0;
}

/* -- Opening ------------------------------------------------------------------------ */

/* "name" and something behind it, NUL-ended; NULL without memory. */
static char *joined(const jab_mem *mem, jab_str name, const char *suffix)
{
    size_t n = strlen(suffix) + 1;
    char *p = jabi_alloc(mem, name.n + n);
    if (p) {
        memcpy(p, name.p, name.n);
        memcpy(p + name.n, suffix, n);
    }
    return p;
}

static int open_folder(vault_file *v, jab_str folder)
{
    char *name = folder.n ? joined(v->mem, folder, "") : joined(v->mem, JAB_STR("."), "");
    if (!name)
        return JAB_ENOMEM;
    v->folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = v->folder < 0 ? says_errno(v, name) : 0;
    jabi_free(v->mem, name);
    return err;
}

static int set_names(vault_file *v, jab_str name)
{
    v->name = joined(v->mem, name, "");
    v->lock_name = joined(v->mem, name, ".lock");
    v->new_name = joined(v->mem, name, ".new");
    v->bytes = jabi_alloc0(v->mem, FILE_MAX);
    return v->name && v->lock_name && v->new_name && v->bytes ? 0 : JAB_ENOMEM;
}

static int open_file(vault_file *v)
{
    content c;
    v->lock =
        openat(v->folder, v->lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, OWNER_ONLY);
    if (v->lock < 0)
        return says_errno(v, v->lock_name);
    int err = take_lock(v);
    if (err == 0)
        err = read_file(v, &c);
    wipe(v);
    return err < 0 ? err : 0;
}

int jab_vault_file_new(jab_vault **out, jab_str path, const jab_mem *mem, char *why,
                       size_t why_size)
{
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
    size_t folder = slash ? (size_t)(slash - path.p) + 1 : 0;
    mem = mem ? mem : jabi_mem_default();
    *out = NULL;
    if (why_size)
        why[0] = '\0';
    if (path.n == folder || memchr(path.p, '\0', path.n))
        return JAB_EINVAL;
    vault_file *v = jabi_alloc0(mem, sizeof *v);
    if (!v)
        return JAB_ENOMEM;
    v->table = (jab_vault){.size = sizeof(jab_vault), .arg = v, .load = load, .save = save};
    v->mem = mem;
    v->folder = v->lock = -1;
    int err = set_names(v, (jab_str){path.p + folder, path.n - folder});
    if (err == 0)
        err = open_folder(v, (jab_str){path.p, folder});
    if (err == 0)
        err = open_file(v);
    if (err < 0) {
        if (why_size)
            snprintf(why, why_size, "%s", v->words);
        err = v->system_failed ? JAB_EIO : err;
        jab_vault_free(&v->table);
        return err;
    }
    *out = &v->table;
    return 0;
}

void jab_vault_free(jab_vault *vault)
{
    if (!vault)
        return;
    vault_file *v = vault->arg;
    const jab_mem *mem = v->mem;
    if (v->lock >= 0)
        close(v->lock);
    if (v->folder >= 0)
        close(v->folder);
    jabi_free(mem, v->name);
    jabi_free(mem, v->lock_name);
    jabi_free(mem, v->new_name);
    jabi_free(mem, v->bytes);
    jabi_free(mem, v);
}
