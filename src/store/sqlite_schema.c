/* sqlite_schema.c: the format of the file, and the steps that lead to it from each older one. */
#include "store/sqlite.h"

#include <stdio.h>

#define APPLICATION 0x4A616269 /* "Jabi": tells the file from databases of other programs */

#define INDEX_WORDS                                                                                \
    "INSERT INTO words(rowid, text) SELECT place, jabi_fold(body, conversation) FROM messages"     \
    " WHERE body IS NOT NULL ORDER BY place;"

/* Step n leads from version n to n + 1. What is here is in files of users: it never changes. */
static const char *const steps[] = {
    "CREATE TABLE kv(space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY(space, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE addresses(id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE messages(key INTEGER PRIMARY KEY AUTOINCREMENT, place INTEGER NOT NULL,"
    " conversation INTEGER NOT NULL, rank INTEGER NOT NULL, stamp INTEGER NOT NULL,"
    " sender INTEGER, type INTEGER NOT NULL, own INTEGER NOT NULL, id TEXT, origin_id TEXT,"
    " archive INTEGER, archive_id TEXT, fingerprint INTEGER NOT NULL, body TEXT, xml TEXT) STRICT;"
    "CREATE UNIQUE INDEX by_place ON messages(place);"
    "CREATE INDEX by_rank ON messages(conversation, rank, key, stamp);"
    "CREATE INDEX by_id ON messages(conversation, id) WHERE id IS NOT NULL;"
    "CREATE INDEX by_origin_id ON messages(conversation, origin_id)"
    " WHERE origin_id IS NOT NULL AND origin_id IS NOT id;"
    "CREATE UNIQUE INDEX by_archive_id ON messages(archive, archive_id)"
    " WHERE archive_id IS NOT NULL;"
    "CREATE INDEX by_fingerprint ON messages(fingerprint);",

    /* The text of a row is folded by this library; ascii cuts it at the blanks. */
    "CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0,"
    " tokenize=\"ascii tokenchars '_'\");" INDEX_WORDS,
};

#define VERSION ((int64_t)(sizeof steps / sizeof steps[0]))

static int step(jabi_sqlite *st, int64_t from)
{
    char version[80];
    snprintf(version, sizeof version,
             "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APPLICATION,
             (int)from + 1);
    int err = jabi_sqlite_run(st, "BEGIN IMMEDIATE");
    if (err == 0)
        err = jabi_sqlite_run(st, steps[from]);
    return err < 0 ? err : jabi_sqlite_run(st, version);
}

static int refuse(jabi_sqlite *st, int64_t version, int64_t application, int64_t tables)
{
    const char *words = NULL;
    if (application != APPLICATION && (application || version || tables))
        words = "this is a database of another program";
    else if (version > VERSION)
        words = "this store was written by a newer version of jabiru";
    else if (version < 0)
        words = "this store has no version";
    else if (version < VERSION && st->read_only)
        words = version ? "this store is of an older version; it must be opened for writing once"
                        : "there is no store in this file yet";
    return words ? jabi_sqlite_says(st, JAB_ESTORE, words, st->path.p) : 0;
}

int jabi_schema_update(jabi_sqlite *st)
{
    int64_t version = 0, application = 0, tables = 0;
    int err = jabi_sqlite_number(st, "PRAGMA user_version", &version);
    if (err == 0)
        err = jabi_sqlite_number(st, "PRAGMA application_id", &application);
    if (err == 0)
        err = jabi_sqlite_number(st, "SELECT count(*) FROM sqlite_schema", &tables);
    if (err == 0)
        err = refuse(st, version, application, tables);
    for (; err == 0 && version < VERSION; version++)
        err = step(st, version);
    if (err == 0)
        err = jabi_sqlite_number(st, "SELECT seq FROM sqlite_sequence WHERE name = 'messages'",
                                 &st->last_key);
    return err;
}

int jabi_schema_index(jabi_sqlite *st)
{
    return jabi_sqlite_run(
        st, "BEGIN IMMEDIATE; INSERT INTO words(words) VALUES('delete-all');" INDEX_WORDS "COMMIT");
}
