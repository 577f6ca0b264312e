/* sqlite.c: the store in a file, over SQLite: its table, and the statements that it keeps. */
#include "store/sqlite.h"

#include "base/mem.h"

int jabi_sqlite_take(jabi_sqlite *st, unsigned id, const char *sql, sqlite3_stmt **s)
{
    *s = NULL;
    for (size_t i = 0; id && i < JABI_SQLITE_CACHED; i++) {
        if (st->cached[i].id == id) {
            *s = st->cached[i].s;
            st->cached[i] = (jabi_prepared){0, NULL};
            return 0;
        }
    }
    unsigned flags = id ? SQLITE_PREPARE_PERSISTENT : 0;
    int rc = sqlite3_prepare_v3(st->db, sql, -1, flags, s, NULL);
    return rc == SQLITE_OK ? 0 : jabi_sqlite_fail(st, rc);
}

void jabi_sqlite_give(jabi_sqlite *st, unsigned id, sqlite3_stmt *s)
{
    if (!s)
        return;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    jabi_prepared *to = NULL;
    for (size_t i = 0; id && i < JABI_SQLITE_CACHED; i++)
        if (!st->cached[i].s)
            to = &st->cached[i];
    if (id && !to)
        to = &st->cached[st->next++ % JABI_SQLITE_CACHED];
    if (!to) {
        sqlite3_finalize(s);
        return;
    }
    sqlite3_finalize(to->s);
    *to = (jabi_prepared){id, s};
}

void jabi_sqlite_forget_all(jabi_sqlite *st)
{
    for (size_t i = 0; i < JABI_SQLITE_CACHED; i++) {
        sqlite3_finalize(st->cached[i].s);
        st->cached[i] = (jabi_prepared){0, NULL};
    }
}

int jabi_sqlite_run(jabi_sqlite *st, const char *sql)
{
    int rc = sqlite3_exec(st->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : jabi_sqlite_fail(st, rc);
}

int jabi_sqlite_number(jabi_sqlite *st, const char *sql, int64_t *out)
{
    sqlite3_stmt *s;
    *out = 0;
    int err = jabi_sqlite_take(st, 0, sql, &s);
    if (err < 0)
        return err;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    else if (rc != SQLITE_DONE)
        err = jabi_sqlite_fail(st, rc);
    sqlite3_finalize(s);
    return err;
}

void jabi_bind_text(sqlite3_stmt *s, int at, jab_str text)
{
    if (text.p)
        sqlite3_bind_text64(s, at, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8);
}

void jabi_bind_bytes(sqlite3_stmt *s, int at, jab_str bytes)
{
    sqlite3_bind_blob64(s, at, bytes.p ? bytes.p : "", bytes.n, SQLITE_STATIC);
}

jab_str jabi_column(sqlite3_stmt *s, int at)
{
    if (sqlite3_column_type(s, at) == SQLITE_NULL)
        return (jab_str){NULL, 0};
    const char *p = sqlite3_column_blob(s, at);
    return (jab_str){p ? p : "", (size_t)sqlite3_column_bytes(s, at)};
}

static jab_str sqlite_error(const jab_store *st)
{
    return jab_cstr(((const jabi_sqlite *)st)->words);
}

static void sqlite_free(jab_store *store)
{
    jabi_sqlite *st = jabi_sqlite_of(store);
    jabi_sqlite_rollback(store);
    jabi_sqlite_forget_all(st);
    sqlite3_close(st->db);
    jabi_file_leave(st);
    jabi_buf_fini(&st->folded);
    jabi_free(st->mem, (char *)st->path.p);
    jabi_free(st->mem, st);
}

const jab_store_table jabi_sqlite_table = {
    .size = sizeof jabi_sqlite_table,
    .name = "sqlite",
    .commit = jabi_sqlite_commit,
    .rollback = jabi_sqlite_rollback,
    .error = sqlite_error,
    .free = sqlite_free,
    .put = jabi_sqlite_put,
    .get = jabi_sqlite_get,
    .each = jabi_sqlite_each,
    .add = jabi_sqlite_add,
    .change = jabi_sqlite_change,
    .remove = jabi_sqlite_remove,
    .read = jabi_sqlite_read,
    .search = jabi_sqlite_search,
};
