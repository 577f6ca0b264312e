/* sqlite_open.c: opens the store in a file, and looks whether it is whole. */
#include "store/sqlite.h"

#include "base/mem.h"
#include "store/fold.h"

#include <limits.h>
#include <stdio.h>

#define BUSY_MS 2000 /* a person with the sqlite3 program may be looking at the file */

/* EXTRA is FULL for a log, and syncs the folder when the journal is deleted with
 * which a new file is made: otherwise it may come back after a loss of power, and
 * SQLite would undo all that the log has since. */
static const char settings[] = "PRAGMA synchronous = EXTRA;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA mmap_size = 0;"
                               "PRAGMA cache_size = -8000;"
                               "PRAGMA secure_delete = FAST;"
                               "PRAGMA trusted_schema = OFF;";
static const char settings_write[] = "PRAGMA journal_mode = WAL;"
                                     "PRAGMA wal_autocheckpoint = 1000;"
                                     "PRAGMA journal_size_limit = 16777216;";

/* jabi_fold(body, conversation) in SQL: the words of a body, and one more for
 * where it is said. */
static void sql_fold(sqlite3_context *x, int n, sqlite3_value **values)
{
    (void)n;
    jabi_sqlite *st = sqlite3_user_data(x);
    const char *text = (const char *)sqlite3_value_text(values[0]);
    jab_str body = {text ? text : "", text ? (size_t)sqlite3_value_bytes(values[0]) : 0};
    jabi_buf_reset(&st->folded);
    jabi_buf_printf(&st->folded, "_%lld", (long long)sqlite3_value_int64(values[1]));
    if (jabi_fold(&st->folded, body) < 0)
        sqlite3_result_error_nomem(x);
    else
        sqlite3_result_text64(x, st->folded.p, st->folded.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static int open_database(jabi_sqlite *st)
{
    int flags = st->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(st->path.p, &st->db, flags | SQLITE_OPEN_NOMUTEX, st->vfs);
    if (rc != SQLITE_OK)
        return jabi_sqlite_fail(st, rc);
    sqlite3_extended_result_codes(st->db, 1);
    sqlite3_busy_timeout(st->db, BUSY_MS);
    sqlite3_db_config(st->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    rc = sqlite3_create_function(st->db, "jabi_fold", 2,
                                 SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, st,
                                 sql_fold, NULL, NULL);
    if (rc != SQLITE_OK)
        return jabi_sqlite_fail(st, rc);
    int err = jabi_sqlite_run(st, settings);
    return err < 0 || st->read_only ? err : jabi_sqlite_run(st, settings_write);
}

/* 0, JABI_DAMAGED, or an error. */
static int check_pages(jabi_sqlite *st)
{
    sqlite3_stmt *s;
    int err = jabi_sqlite_take(st, 0, "PRAGMA quick_check(1)", &s);
    if (err < 0)
        return err;
    int rc = sqlite3_step(s);
    if (rc != SQLITE_ROW)
        err = jabi_sqlite_fail(st, rc);
    else if (!jab_str_is(jabi_column(s, 0), "ok"))
        err = JABI_DAMAGED;
    sqlite3_finalize(s);
    return err;
}

/* Whether a file that SQLite has open can be read, whatever is in it. */
static int check_readable(jabi_sqlite *st, int which)
{
    char some[4096];
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    int rc = sqlite3_file_control(st->db, "main", which, &file);
    if (rc != SQLITE_OK || !file || !file->pMethods)
        return 0;
    rc = file->pMethods->xFileSize(file, &size);
    for (sqlite3_int64 at = 0; rc == SQLITE_OK && at < size; at += (sqlite3_int64)sizeof some)
        rc = file->pMethods->xRead(file, some, (int)sizeof some, at);
    return rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ ? 0 : jabi_sqlite_fail(st, rc);
}

/* SQLite's check also finds fault with a file that cannot be read at the moment.
 * Such a file is not damaged, and must not be set aside. */
static int check_twice(jabi_sqlite *st)
{
    int err = check_pages(st);
    if (err != JABI_DAMAGED)
        return err;
    err = check_readable(st, SQLITE_FCNTL_FILE_POINTER);
    if (err == 0)
        err = check_readable(st, SQLITE_FCNTL_JOURNAL_POINTER);
    return err < 0 ? err : check_pages(st);
}

/* The index of words can be made again, from the messages. */
static int check_words(jabi_sqlite *st)
{
    int rc = sqlite3_exec(st->db, "INSERT INTO words(words) VALUES('integrity-check')", NULL, NULL,
                          NULL);
    if ((rc & 0xFF) == SQLITE_CORRUPT)
        return jabi_schema_index(st);
    return rc == SQLITE_OK ? 0 : jabi_sqlite_fail(st, rc);
}

/* 0, JABI_DAMAGED, or an error. */
static int open_whole(jabi_sqlite *st)
{
    int check = !st->read_only && (st->unclean || st->vfs);
    st->damaged = 0;
    int err = open_database(st);
    if (err == 0 && check)
        err = check_twice(st);
    if (err == 0)
        err = jabi_schema_update(st);
    if (err == 0 && check)
        err = check_words(st);
    return err < 0 && st->damaged && !st->read_only ? JABI_DAMAGED : err;
}

static void close_database(jabi_sqlite *st)
{
    jabi_sqlite_forget_all(st);
    sqlite3_close(st->db);
    st->db = NULL;
}

static int begin_anew(jabi_sqlite *st)
{
    close_database(st);
    int err = jabi_file_set_aside(st);
    char words[sizeof st->words];
    memcpy(words, st->words, sizeof words);
    if (err == 0)
        err = jabi_file_make(st);
    if (err == 0)
        err = open_whole(st);
    if (err == 0)
        memcpy(st->words, words, sizeof words);
    return err == JABI_DAMAGED ? JAB_ESTORE : err;
}

static int open_store(jabi_sqlite *st)
{
    int err = st->vfs || st->read_only ? 0 : jabi_file_take(st);
    if (err == 0)
        err = open_whole(st);
    return err == JABI_DAMAGED ? begin_anew(st) : err;
}

static jabi_sqlite *new_store(const jab_store_options *o)
{
    const jab_mem *mem = o->mem ? o->mem : jabi_mem_default();
    jabi_sqlite *st = jabi_alloc0(mem, sizeof *st);
    if (!st)
        return NULL;
    st->store.table = &jabi_sqlite_table;
    st->mem = mem;
    st->vfs = o->vfs;
    st->read_only = o->read_only;
    st->lock = -1;
    jabi_buf_init(&st->folded, mem, INT_MAX);
    if (jabi_strdup(mem, &st->path, jab_cstr(o->path)) < 0) {
        jabi_free(mem, st);
        return NULL;
    }
    return st;
}

static void tell(const jab_store_options *o, const char *words)
{
    if (o->words && o->words_size)
        snprintf(o->words, o->words_size, "%s", words);
}

int jab_store_open(jab_store **out, const jab_store_options *options)
{
    jab_store_options o = {0};
    *out = NULL;
    memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    tell(&o, "");
    if (!o.path || !*o.path)
        return JAB_EINVAL;
    jabi_sqlite *st = new_store(&o);
    int err = st ? open_store(st) : JAB_ENOMEM;
    tell(&o, st ? st->words : "out of memory");
    if (err < 0) {
        if (st)
            st->damaged = 1; /* not known: the next opening is to look */
        jab_store_free(st ? &st->store : NULL);
        return err;
    }
    st->words[0] = '\0';
    *out = &st->store;
    return 0;
}
