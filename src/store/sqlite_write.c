/* sqlite_write.c: transactions, and what is written in them. */
#include "store/sqlite.h"

/* -- Transactions --------------------------------------------------------------- */

static int begin(jabi_sqlite *st)
{
    if (st->read_only)
        return jabi_sqlite_fail(st, SQLITE_READONLY);
    if (st->failed) /* the words are those of the first failure */
        return JAB_ESTORE;
    if (st->store.dirty)
        return 0;
    st->store.dirty = 1;
    return jabi_sqlite_run(st, "BEGIN IMMEDIATE");
}

/* What was written is whole, or nothing more is until the rollback. */
static int written(jabi_sqlite *st, int err)
{
    if (err < 0 && !st->read_only)
        st->failed = 1;
    return err;
}

int jabi_sqlite_commit(jab_store *store)
{
    jabi_sqlite *st = jabi_sqlite_of(store);
    if (!store->dirty)
        return 0;
    int err = st->failed ? begin(st) : jabi_sqlite_run(st, "COMMIT");
    if (err == 0)
        store->dirty = 0;
    return written(st, err);
}

void jabi_sqlite_rollback(jab_store *store)
{
    jabi_sqlite *st = jabi_sqlite_of(store);
    /* SQLite may have rolled back by itself when the disk was full. */
    if (st->db && !sqlite3_get_autocommit(st->db))
        sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
    st->failed = 0;
    store->dirty = 0;
}

/* Runs a statement to its end, and gives it back. */
static int finish(jabi_sqlite *st, unsigned id, sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);
    int err = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : jabi_sqlite_fail(st, rc);
    jabi_sqlite_give(st, id, s);
    return err;
}

/* -- Values --------------------------------------------------------------------- */

static int put(jabi_sqlite *st, jab_str space, jab_str key, jab_str value)
{
    sqlite3_stmt *s;
    unsigned id = value.p ? JABI_SQL_PUT : JABI_SQL_TAKE;
    int err = jabi_sqlite_take(st, id,
                               value.p ? "INSERT OR REPLACE INTO kv VALUES(?1, ?2, ?3)"
                                       : "DELETE FROM kv WHERE space = ?1 AND key = ?2",
                               &s);
    if (err < 0)
        return err;
    jabi_bind_text(s, 1, space);
    jabi_bind_bytes(s, 2, key);
    if (value.p)
        jabi_bind_bytes(s, 3, value);
    return finish(st, id, s);
}

int jabi_sqlite_put(jab_store *store, const char *space, jab_str key, jab_str value)
{
    jabi_sqlite *st = jabi_sqlite_of(store);
    int err = begin(st);
    return written(st, err < 0 ? err : put(st, jab_cstr(space), key, value));
}

/* -- Messages ------------------------------------------------------------------- */

static int64_t clamp(int64_t stamp)
{
    const int64_t most = (INT64_C(1) << 48) - JABI_PLACES_OFF - 1;
    return stamp > most ? most : stamp < -most ? -most : stamp;
}

int64_t jabi_sqlite_place(int64_t stamp, int64_t key)
{
    return clamp(stamp) * JABI_PLACES + (key & (JABI_PLACES - 1));
}

static int find_address(jabi_sqlite *st, jab_str address, int64_t *id)
{
    sqlite3_stmt *s;
    int err =
        jabi_sqlite_take(st, JABI_SQL_ADDRESS, "SELECT id FROM addresses WHERE address = ?1", &s);
    if (err < 0)
        return err;
    jabi_bind_text(s, 1, address);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *id = sqlite3_column_int64(s, 0);
    else if (rc != SQLITE_DONE)
        err = jabi_sqlite_fail(st, rc);
    jabi_sqlite_give(st, JABI_SQL_ADDRESS, s);
    return err;
}

int jabi_sqlite_address(jabi_sqlite *st, jab_str address, int make, int64_t *id)
{
    sqlite3_stmt *s;
    *id = 0;
    int err = find_address(st, address, id);
    if (err < 0 || *id || !make)
        return err;
    err =
        jabi_sqlite_take(st, JABI_SQL_ADDRESS_ADD, "INSERT INTO addresses(address) VALUES(?1)", &s);
    if (err < 0)
        return err;
    jabi_bind_text(s, 1, address);
    err = finish(st, JABI_SQL_ADDRESS_ADD, s);
    *id = sqlite3_last_insert_rowid(st->db);
    return err;
}

/* Binds the number of an address; an absent one is NULL. */
static int bind_address(jabi_sqlite *st, sqlite3_stmt *s, int at, jab_str address)
{
    int64_t id = 0;
    int err = address.p ? jabi_sqlite_address(st, address, 1, &id) : 0;
    if (id)
        sqlite3_bind_int64(s, at, id);
    return err;
}

/* The first free place of a message: later by as many milliseconds as are full. */
static int free_place(jabi_sqlite *st, int64_t stamp, int64_t key, int64_t *place)
{
    sqlite3_stmt *s;
    *place = jabi_sqlite_place(stamp, key);
    int err = jabi_sqlite_take(st, JABI_SQL_PLACE,
                               "SELECT 1 FROM messages WHERE place = ?1 AND key <> ?2", &s);
    if (err < 0)
        return err;
    int rc;
    sqlite3_bind_int64(s, 2, key);
    for (;; *place += JABI_PLACES) {
        sqlite3_bind_int64(s, 1, *place);
        rc = sqlite3_step(s);
        sqlite3_reset(s);
        if (rc != SQLITE_ROW)
            break;
    }
    jabi_sqlite_give(st, JABI_SQL_PLACE, s);
    return rc == SQLITE_DONE ? 0 : jabi_sqlite_fail(st, rc);
}

/* Takes the words of a message into the index, or out of it. */
static int index_words(jabi_sqlite *st, unsigned id, int64_t key)
{
    sqlite3_stmt *s;
    int err = jabi_sqlite_take(
        st, id,
        id == JABI_SQL_WORDS_ADD
            ? "INSERT INTO words(rowid, text) SELECT place, jabi_fold(body, conversation)"
              " FROM messages WHERE key = ?1 AND body IS NOT NULL"
            : "INSERT INTO words(words, rowid, text) SELECT 'delete', place,"
              " jabi_fold(body, conversation) FROM messages WHERE key = ?1 AND body IS NOT NULL",
        &s);
    if (err < 0)
        return err;
    sqlite3_bind_int64(s, 1, key);
    return finish(st, id, s);
}

static int bind_message(jabi_sqlite *st, sqlite3_stmt *s, const jab_kept_message *m, int64_t place)
{
    const int64_t numbers[] = {m->key,           place,           m->rank,       m->stamp,
                               (int64_t)m->type, (int64_t)m->own, m->fingerprint};
    const jab_str texts[] = {m->id, m->origin_id, m->archive_id, m->body, m->xml};
    int at = 1;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sqlite3_bind_int64(s, at++, numbers[i]);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        jabi_bind_text(s, at++, texts[i]);
    int err = bind_address(st, s, at++, m->conversation);
    if (err == 0)
        err = bind_address(st, s, at++, m->sender);
    return err < 0 ? err : bind_address(st, s, at, m->archive);
}

static int add(jabi_sqlite *st, const jab_kept_message *m)
{
    sqlite3_stmt *s;
    int64_t place;
    int err = free_place(st, m->stamp, m->key, &place);
    if (err == 0)
        err = jabi_sqlite_take(st, JABI_SQL_ADD,
                               "INSERT INTO messages(key, place, rank, stamp, type, own,"
                               " fingerprint, id, origin_id, archive_id, body, xml, conversation,"
                               " sender, archive) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                               " ?11, ?12, ?13, ?14, ?15)",
                               &s);
    if (err < 0)
        return err;
    err = bind_message(st, s, m, place);
    if (err < 0)
        jabi_sqlite_give(st, JABI_SQL_ADD, s);
    else
        err = finish(st, JABI_SQL_ADD, s);
    return err < 0 || !m->body.p ? err : index_words(st, JABI_SQL_WORDS_ADD, m->key);
}

int jabi_sqlite_add(jab_store *store, const jab_kept_message *m, int64_t *key)
{
    jabi_sqlite *st = jabi_sqlite_of(store);
    int err = m->conversation.p ? begin(st) : JAB_EINVAL;
    if (err == JAB_EINVAL)
        return err;
    jab_kept_message fresh = *m;
    /* Counted on over a rollback: whoever still has a key of it finds nothing. */
    fresh.key = ++st->last_key;
    err = written(st, err < 0 ? err : add(st, &fresh));
    if (err == 0)
        *key = fresh.key;
    return err;
}

/* Gives a message another stamp, which is also its place in the index of words. */
static int change_stamp(jabi_sqlite *st, int64_t key, int64_t stamp)
{
    sqlite3_stmt *s;
    int64_t place;
    int err = index_words(st, JABI_SQL_WORDS_REMOVE, key);
    if (err == 0)
        err = free_place(st, stamp, key, &place);
    if (err == 0)
        err = jabi_sqlite_take(st, JABI_SQL_STAMP,
                               "UPDATE messages SET stamp = ?2, place = ?3 WHERE key = ?1", &s);
    if (err < 0)
        return err;
    sqlite3_bind_int64(s, 1, key);
    sqlite3_bind_int64(s, 2, stamp);
    sqlite3_bind_int64(s, 3, place);
    err = finish(st, JABI_SQL_STAMP, s);
    return err < 0 ? err : index_words(st, JABI_SQL_WORDS_ADD, key);
}

static void bind_if(sqlite3_stmt *s, int at, int64_t number)
{
    if (number)
        sqlite3_bind_int64(s, at, number);
}

static int change(jabi_sqlite *st, int64_t key, const jab_kept_change *c)
{
    sqlite3_stmt *s;
    int err = jabi_sqlite_take(st, JABI_SQL_CHANGE,
                               "UPDATE messages SET rank = coalesce(?2, rank),"
                               " own = coalesce(?3, own), archive = coalesce(?4, archive),"
                               " archive_id = coalesce(?5, archive_id) WHERE key = ?1",
                               &s);
    if (err < 0)
        return err;
    sqlite3_bind_int64(s, 1, key);
    bind_if(s, 2, c->rank);
    bind_if(s, 3, (int64_t)c->own);
    jabi_bind_text(s, 5, c->archive_id);
    err = bind_address(st, s, 4, c->archive);
    if (err < 0)
        jabi_sqlite_give(st, JABI_SQL_CHANGE, s);
    else
        err = finish(st, JABI_SQL_CHANGE, s);
    return err < 0 || !c->stamp ? err : change_stamp(st, key, c->stamp);
}

int jabi_sqlite_change(jab_store *store, int64_t key, const jab_kept_change *c)
{
    jabi_sqlite *st = jabi_sqlite_of(store);
    jab_kept_change known;
    jabi_change_take(&known, c);
    int err = begin(st);
    return written(st, err < 0 ? err : change(st, key, &known));
}

static int take_out(jabi_sqlite *st, int64_t key)
{
    sqlite3_stmt *s;
    int err = index_words(st, JABI_SQL_WORDS_REMOVE, key);
    if (err == 0)
        err = jabi_sqlite_take(st, JABI_SQL_REMOVE, "DELETE FROM messages WHERE key = ?1", &s);
    if (err < 0)
        return err;
    sqlite3_bind_int64(s, 1, key);
    return finish(st, JABI_SQL_REMOVE, s);
}

int jabi_sqlite_remove(jab_store *store, int64_t key)
{
    jabi_sqlite *st = jabi_sqlite_of(store);
    int err = begin(st);
    return written(st, err < 0 ? err : take_out(st, key));
}
