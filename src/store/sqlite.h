/* sqlite.h: what the parts of the store in a file share. */
#ifndef JABI_SQLITE_H
#define JABI_SQLITE_H

#include "base/buf.h"
#include "store/store.h"

#include <sqlite3.h>

#define JABI_SQLITE_CACHED 32

/* A statement that is not in use, and what it is known by. */
typedef struct jabi_prepared {
    unsigned id;
    sqlite3_stmt *s;
} jabi_prepared;

typedef struct jabi_sqlite {
    jab_store store;
    const jab_mem *mem;
    sqlite3 *db;
    jab_str path;    /* NUL-ended */
    const char *vfs; /* NULL: the system's; only then there is a lock file */
    int read_only;
    int lock;         /* descriptor of the lock file, or -1 */
    int unclean;      /* the last process did not close the store */
    int damaged;      /* to be looked at by whoever opens it next */
    int failed;       /* a write failed, and was not rolled back yet */
    int64_t last_key; /* given to a message */
    jabi_buf folded;
    jabi_prepared cached[JABI_SQLITE_CACHED];
    unsigned next; /* place in `cached` to be used when none is free */
    char words[512];
} jabi_sqlite;

static inline jabi_sqlite *jabi_sqlite_of(jab_store *st)
{
    return (jabi_sqlite *)st;
}

/* Outcome of opening, beside the errors: the file is damaged. */
#define JABI_DAMAGED 1

/* -- sqlite_words.c: each sets the words and returns the error code -- */

int jabi_sqlite_says(jabi_sqlite *st, int err, const char *words, const char *path);
int jabi_sqlite_errno(jabi_sqlite *st, int number, const char *path);
int jabi_sqlite_fail(jabi_sqlite *st, int rc);

/* -- sqlite.c -- */

extern const jab_store_table jabi_sqlite_table;

/* A statement that was kept under `id`, or a new one of `sql`. The id 0 is not
 * kept. 0, or an error, and the words are set. */
int jabi_sqlite_take(jabi_sqlite *st, unsigned id, const char *sql, sqlite3_stmt **s) JAB_MUST_USE;

/* Gives a statement back for the next use. NULL is fine. */
void jabi_sqlite_give(jabi_sqlite *st, unsigned id, sqlite3_stmt *s);

void jabi_sqlite_forget_all(jabi_sqlite *st);

/* Runs statements that have no parameters and whose rows do not matter. */
int jabi_sqlite_run(jabi_sqlite *st, const char *sql) JAB_MUST_USE;

/* The number in the first column of the first row; 0 without a row. */
int jabi_sqlite_number(jabi_sqlite *st, const char *sql, int64_t *out) JAB_MUST_USE;

/* Binds a view; absent is NULL. What cannot be bound fails when it is run. */
void jabi_bind_text(sqlite3_stmt *s, int at, jab_str text);
void jabi_bind_bytes(sqlite3_stmt *s, int at, jab_str bytes);

/* The view of a column; NULL is absent. */
jab_str jabi_column(sqlite3_stmt *s, int at);

/* -- sqlite_file.c: the files around the database -- */

/* Takes the lock, finds out about the last process, and makes the file. */
int jabi_file_take(jabi_sqlite *st) JAB_MUST_USE;

/* Says in the lock file that the store is closed, and lets it go. */
void jabi_file_leave(jabi_sqlite *st);

/* Makes the database's file, readable by its owner only; fine when it is there. */
int jabi_file_make(jabi_sqlite *st) JAB_MUST_USE;

/* Makes what happened to the names in the folder of a file last. */
void jabi_file_sync_folder(jab_str path);

/* -- sqlite_aside.c -- */

/* Renames the damaged file, and sets words that say so. */
int jabi_file_set_aside(jabi_sqlite *st) JAB_MUST_USE;

/* -- sqlite_schema.c -- */

/* Brings an open database to the present format. 0, JABI_DAMAGED, or an error. */
int jabi_schema_update(jabi_sqlite *st) JAB_MUST_USE;

/* Makes the index of words anew, from the messages. */
int jabi_schema_index(jabi_sqlite *st) JAB_MUST_USE;

/* -- sqlite_write.c, sqlite_read.c: the functions of the table -- */

/* The number of an address; 0 when there is none, and `make` is 0. */
int jabi_sqlite_address(jabi_sqlite *st, jab_str address, int make, int64_t *id) JAB_MUST_USE;

/*
 * Where a message stands among all, by time: the number of its row in the
 * index of words. Of those of one millisecond, 16384 have room; more count as
 * later.
 */
#define JABI_PLACES     16384
#define JABI_PLACES_OFF 4096 /* milliseconds that a place is off at most: 67 million messages */
int64_t jabi_sqlite_place(int64_t stamp, int64_t key);

int jabi_sqlite_commit(jab_store *st);
void jabi_sqlite_rollback(jab_store *st);
int jabi_sqlite_put(jab_store *st, const char *space, jab_str key, jab_str value);
int jabi_sqlite_add(jab_store *st, const jab_kept_message *m, int64_t *key);
int jabi_sqlite_change(jab_store *st, int64_t key, const jab_kept_change *change);
int jabi_sqlite_remove(jab_store *st, int64_t key);

int jabi_sqlite_get(jab_store *st, const char *space, jab_str key, jab_value_fn fn, void *arg);
int jabi_sqlite_each(jab_store *st, const char *space, jab_str after, unsigned limit,
                     jab_value_fn fn, void *arg);
int jabi_sqlite_read(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg);
int jabi_sqlite_search(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg);

/* Statements with a text of their own. Those of queries are known by more. */
enum {
    JABI_SQL_PUT = 1,
    JABI_SQL_TAKE,
    JABI_SQL_GET,
    JABI_SQL_EACH,
    JABI_SQL_EACH_AFTER,
    JABI_SQL_ADDRESS,
    JABI_SQL_ADDRESS_ADD,
    JABI_SQL_PLACE,
    JABI_SQL_ADD,
    JABI_SQL_CHANGE,
    JABI_SQL_REMOVE,
    JABI_SQL_STAMP,
    JABI_SQL_WORDS_ADD,
    JABI_SQL_WORDS_REMOVE,
    JABI_SQL_QUERY = 1 << 16, /* or-ed with the conditions */
};

#endif
