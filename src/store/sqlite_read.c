/* sqlite_read.c: reads values and messages, and looks for words. */
#include "store/sqlite.h"

#include "store/fold.h"

#include <limits.h>

/* -- Values --------------------------------------------------------------------- */

int jabi_sqlite_get(jab_store *store, const char *space, jab_str key, jab_value_fn fn, void *arg)
{
    jabi_sqlite *st = jabi_sqlite_of(store);
    sqlite3_stmt *s;
    int n = jabi_sqlite_take(st, JABI_SQL_GET, "SELECT value FROM kv WHERE space = ?1 AND key = ?2",
                             &s);
    if (n < 0)
        return n;
    jabi_bind_text(s, 1, jab_cstr(space));
    jabi_bind_bytes(s, 2, key);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        fn(arg, key, jabi_column(s, 0));
        n = 1;
    } else if (rc != SQLITE_DONE) {
        n = jabi_sqlite_fail(st, rc);
    }
    jabi_sqlite_give(st, JABI_SQL_GET, s);
    return n;
}

static int each_value(jabi_sqlite *st, sqlite3_stmt *s, jab_value_fn fn, void *arg)
{
    int n = 0, rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        n++;
        if (fn(arg, jabi_column(s, 0), jabi_column(s, 1)))
            return n;
    }
    return rc == SQLITE_DONE ? n : jabi_sqlite_fail(st, rc);
}

int jabi_sqlite_each(jab_store *store, const char *space, jab_str after, unsigned limit,
                     jab_value_fn fn, void *arg)
{
    jabi_sqlite *st = jabi_sqlite_of(store);
    sqlite3_stmt *s;
    unsigned id = after.p ? JABI_SQL_EACH_AFTER : JABI_SQL_EACH;
    int n = jabi_sqlite_take(st, id,
                             after.p ? "SELECT key, value FROM kv WHERE space = ?1 AND key > ?2"
                                       " ORDER BY key LIMIT ?3"
                                     : "SELECT key, value FROM kv WHERE space = ?1 AND key >= ?2"
                                       " ORDER BY key LIMIT ?3",
                             &s);
    if (n < 0)
        return n;
    jabi_bind_text(s, 1, jab_cstr(space));
    jabi_bind_bytes(s, 2, after);
    sqlite3_bind_int64(s, 3, limit ? (int64_t)limit : -1);
    n = each_value(st, s, fn, arg);
    jabi_sqlite_give(st, id, s);
    return n;
}

/* -- The statement of a query ---------------------------------------------------- */

#define SELECT                                                                                     \
    "SELECT m.key, m.rank, m.stamp, m.type, m.own, m.fingerprint, c.address, s.address, m.id,"     \
    " m.origin_id, a.address, m.archive_id, m.body, m.xml, m.place FROM "
#define ADDRESSES                                                                                  \
    " CROSS JOIN addresses c ON c.id = m.conversation LEFT JOIN addresses s ON s.id = m.sender"    \
    " LEFT JOIN addresses a ON a.id = m.archive WHERE 1"

enum {
    ONE_CONVERSATION = 1,
    KEY = 2,
    IN_ARCHIVE = 4,
    ID = 8,
    FINGERPRINT = 16,
    BEFORE = 32,
    AFTER = 64,
    SINCE = 128,
    UNTIL = 256,
    PLACE_FROM = 512, /* by stamp: where to look for those that meet the others */
    PLACE_TO = 1024,
    FORWARDS = 2048,
    BY_STAMP = 4096,
    WORDS = 8192,
    NARROW = 16384, /* an index answers it that is better than that of the ranks */
};

/* Written when a query has all bits of `with` and none of `without`. A plus
 * keeps SQLite from choosing that index, which would be the wrong one. */
static const struct {
    unsigned with, without;
    const char *sql;
} conditions[] = {
    {KEY, 0, " AND m.key = ?1"},
    {ONE_CONVERSATION, NARROW, " AND m.conversation = ?2"},
    {ONE_CONVERSATION | NARROW, 0, " AND +m.conversation = ?2"},
    {IN_ARCHIVE, 0, " AND m.archive = ?3 AND m.archive_id = ?4"},
    {ID, 0,
     " AND m.key IN (SELECT key FROM messages WHERE conversation = ?2 AND id = ?5"
     " UNION ALL SELECT key FROM messages WHERE conversation = ?2 AND origin_id = ?5"
     " AND origin_id IS NOT id)"},
    {FINGERPRINT, 0, " AND m.fingerprint = ?6"},
    {BEFORE, BY_STAMP, " AND m.rank < ?7"},
    {BEFORE | BY_STAMP, 0, " AND m.stamp < ?7"},
    {AFTER, BY_STAMP, " AND m.rank > ?8"},
    {AFTER | BY_STAMP, 0, " AND m.stamp > ?8"},
    {SINCE, 0, " AND m.stamp >= ?9"},
    {UNTIL, 0, " AND m.stamp < ?10"},
    {PLACE_FROM, WORDS, " AND m.place >= ?11"},
    {PLACE_TO, WORDS, " AND m.place < ?12"},
    {WORDS, 0, " AND words MATCH ?14"},
    {WORDS | PLACE_FROM, 0, " AND w.rowid >= ?11"},
    {WORDS | PLACE_TO, 0, " AND w.rowid < ?12"},
    {0, BY_STAMP | FORWARDS, " ORDER BY m.rank DESC, m.key DESC"},
    {FORWARDS, BY_STAMP, " ORDER BY m.rank, m.key"},
    {BY_STAMP, FORWARDS | WORDS, " ORDER BY m.place DESC"},
    {BY_STAMP | FORWARDS, WORDS, " ORDER BY m.place"},
    {WORDS, FORWARDS, " ORDER BY w.rowid DESC"},
    {WORDS | FORWARDS, 0, " ORDER BY w.rowid"},
    {0, 0, " LIMIT ?13"},
};

typedef struct reading {
    jabi_sqlite *st;
    jab_kept_query q;
    unsigned bits;
    int64_t conversation, archive; /* numbers of addresses */
    int64_t from, to;              /* places */
    jabi_buf sql, match;
    sqlite3_stmt *s;
    unsigned limit;         /* rows of the statement */
    unsigned rows;          /* that came */
    int64_t last;           /* place of the last one */
    int scanning, ended;    /* each row is looked at here; no more is wanted */
    jabi_buf query, folded; /* what is looked for, and in what */
} reading;

static void write_sql(reading *r)
{
    jabi_buf_add_z(&r->sql, SELECT);
    jabi_buf_add_z(&r->sql, r->bits & WORDS ? "words w CROSS JOIN messages m ON m.place = w.rowid"
                                            : "messages m");
    jabi_buf_add_z(&r->sql, ADDRESSES);
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        unsigned with = conditions[i].with;
        if ((r->bits & with) == with && !(r->bits & conditions[i].without))
            jabi_buf_add_z(&r->sql, conditions[i].sql);
    }
    jabi_buf_add_char(&r->sql, '\0');
}

/* Where in the order of places the stamps asked for are. */
static void find_places(reading *r)
{
    const jab_kept_query *q = &r->q;
    int64_t from = q->since, to = q->until;
    if (q->after && (!from || q->after > from))
        from = q->after;
    if (q->before && (!to || q->before < to))
        to = q->before;
    r->bits |= (from ? PLACE_FROM : 0) | (to ? PLACE_TO : 0);
    r->from = jabi_sqlite_place(from, 0);
    r->to = jabi_sqlite_place(to, 0) + (int64_t)JABI_PLACES_OFF * JABI_PLACES;
}

static void find_bits(reading *r, int by_stamp, int search)
{
    const jab_kept_query *q = &r->q;
    const struct {
        unsigned bit;
        int is;
    } bits[] = {
        {ONE_CONVERSATION, q->conversation.p != NULL},
        {KEY, q->key != 0},
        {IN_ARCHIVE, q->archive.p != NULL},
        {ID, q->id.p != NULL},
        {FINGERPRINT, q->fingerprint != 0},
        {BEFORE, q->before != 0},
        {AFTER, q->after != 0},
        {SINCE, q->since != 0},
        {UNTIL, q->until != 0},
        {FORWARDS, q->forwards != 0},
        {BY_STAMP, by_stamp},
        {WORDS, search},
        {NARROW, search || q->key || q->archive.p || q->id.p || q->fingerprint},
    };
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        r->bits |= bits[i].is ? bits[i].bit : 0;
    if (by_stamp)
        find_places(r);
}

/* Looks up the addresses; 0 when one is unknown, so that nothing can be found. */
static int find_addresses(reading *r)
{
    int err = 0;
    if (r->q.conversation.p)
        err = jabi_sqlite_address(r->st, r->q.conversation, 0, &r->conversation);
    if (err == 0 && r->q.archive.p)
        err = jabi_sqlite_address(r->st, r->q.archive, 0, &r->archive);
    if (err < 0)
        return err;
    return (!r->q.conversation.p || r->conversation) && (!r->q.archive.p || r->archive);
}

/* Terms as FTS5 wants them. What the user wrote is always between quotes, and
 * has none itself: it is folded. */
static int write_match(reading *r)
{
    jab_str left = jabi_buf_str(&r->query);
    if (r->conversation)
        jabi_buf_printf(&r->match, "\"_%lld\" ", (long long)r->conversation);
    for (jab_str term; (term = jabi_fold_term(&left)).p;) {
        int whole = term.p[term.n - 1] == ' ';
        jabi_buf_printf(&r->match, "\"" JAB_FMT "\"%s ", (int)term.n - 1 - whole, term.p + 1,
                        whole ? "" : "*");
    }
    return r->match.error ? jabi_sqlite_fail(r->st, SQLITE_NOMEM) : 0;
}

static int prepare(reading *r)
{
    jabi_buf_reset(&r->sql);
    write_sql(r);
    if (r->sql.error)
        return jabi_sqlite_fail(r->st, SQLITE_NOMEM);
    int err = jabi_sqlite_take(r->st, JABI_SQL_QUERY | r->bits, r->sql.p, &r->s);
    if (err < 0)
        return err;
    const int64_t numbers[] = {
        [1] = r->q.key,    [2] = r->conversation, [3] = r->archive, [6] = r->q.fingerprint,
        [7] = r->q.before, [8] = r->q.after,      [9] = r->q.since, [10] = r->q.until,
        [11] = r->from,    [12] = r->to,          [13] = r->limit};
    for (int i = 1; i < (int)(sizeof numbers / sizeof numbers[0]); i++)
        if (i != 4 && i != 5)
            sqlite3_bind_int64(r->s, i, numbers[i]);
    jabi_bind_text(r->s, 4, r->q.archive_id);
    jabi_bind_text(r->s, 5, r->q.id);
    if (r->bits & WORDS)
        jabi_bind_text(r->s, 14, jabi_buf_str(&r->match));
    return 0;
}

/* -- Reading -------------------------------------------------------------------- */

static jab_kept_message message_of(sqlite3_stmt *s)
{
    return (jab_kept_message){
        .key = sqlite3_column_int64(s, 0),
        .rank = sqlite3_column_int64(s, 1),
        .stamp = sqlite3_column_int64(s, 2),
        .type = (jab_message_type)sqlite3_column_int(s, 3),
        .own = (jab_own_state)sqlite3_column_int(s, 4),
        .fingerprint = sqlite3_column_int64(s, 5),
        .conversation = jabi_column(s, 6),
        .sender = jabi_column(s, 7),
        .id = jabi_column(s, 8),
        .origin_id = jabi_column(s, 9),
        .archive = jabi_column(s, 10),
        .archive_id = jabi_column(s, 11),
        .body = jabi_column(s, 12),
        .xml = jabi_column(s, 13),
    };
}

/* Whether a row is what a search looks for. 1, 0 or JAB_ENOMEM. */
static int meets(reading *r, const jab_kept_message *m)
{
    if (!m->body.p || !jabi_query_meets(&r->q, 1, m))
        return 0;
    jabi_buf_reset(&r->folded);
    if (jabi_fold(&r->folded, m->body) < 0)
        return jabi_sqlite_fail(r->st, SQLITE_NOMEM);
    return jabi_fold_has(jabi_buf_str(&r->folded), jabi_buf_str(&r->query));
}

static int hand_out(reading *r, jab_kept_fn fn, void *arg)
{
    unsigned n = 0;
    int rc = SQLITE_DONE;
    while (!r->ended && (rc = sqlite3_step(r->s)) == SQLITE_ROW) {
        jab_kept_message m = message_of(r->s);
        r->last = sqlite3_column_int64(r->s, 14);
        r->rows++;
        int wanted = r->scanning ? meets(r, &m) : 1;
        if (wanted < 0)
            return wanted;
        if (wanted) {
            n++;
            r->ended = fn(arg, &m) != 0 || n >= r->q.limit;
        }
    }
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? (int)n : jabi_sqlite_fail(r->st, rc);
}

static int run(reading *r, jab_kept_fn fn, void *arg)
{
    int n = prepare(r);
    if (n == 0)
        n = hand_out(r, fn, arg);
    jabi_sqlite_give(r->st, JABI_SQL_QUERY | r->bits, r->s);
    r->s = NULL;
    return n;
}

/* -- Search --------------------------------------------------------------------- */

#define SCAN_FOR_ONE 10  /* rows looked at for each that is wanted */
#define SCAN_MAX     500 /* and in sum: a few milliseconds */

/*
 * Looks through the first rows themselves. What is frequent is found there, at
 * once, while the index would gather all rows that have any word with that
 * beginning before it tells the first.
 */
static int scan(reading *r, jab_kept_fn fn, void *arg)
{
    unsigned bits = r->bits;
    r->limit = r->q.limit < SCAN_MAX / SCAN_FOR_ONE ? r->q.limit * SCAN_FOR_ONE : SCAN_MAX;
    r->bits &= BY_STAMP | FORWARDS | PLACE_FROM | PLACE_TO;
    r->scanning = 1;
    int n = run(r, fn, arg);
    r->scanning = 0;
    r->bits = bits;
    r->ended |= r->rows < r->limit;
    return n;
}

/* Asks the index for what is behind the rows that were looked at. */
static int ask_index(reading *r, jab_kept_fn fn, void *arg)
{
    r->bits |= r->q.forwards ? PLACE_FROM : PLACE_TO;
    if (r->q.forwards)
        r->from = r->last + 1;
    else
        r->to = r->last;
    int n = write_match(r);
    r->limit = r->q.limit;
    return n < 0 ? n : run(r, fn, arg);
}

static int search(reading *r, jab_kept_fn fn, void *arg)
{
    int n = jabi_fold_query(&r->query, r->q.words);
    if (n == JAB_ENOMEM)
        return jabi_sqlite_fail(r->st, SQLITE_NOMEM);
    if (n < 0 || r->query.n == 0)
        return n;
    n = scan(r, fn, arg);
    if (n < 0 || r->ended)
        return n;
    r->q.limit -= (unsigned)n;
    int more = ask_index(r, fn, arg);
    return more < 0 ? more : n + more;
}

static int look(jab_store *store, const jab_kept_query *q, int words, jab_kept_fn fn, void *arg)
{
    reading r = {.st = jabi_sqlite_of(store)};
    int by_stamp;
    int n = jabi_query_take(&r.q, q, words, &by_stamp);
    if (n < 0)
        return n;
    find_bits(&r, by_stamp, words);
    r.limit = r.q.limit;
    jabi_buf *bufs[] = {&r.sql, &r.match, &r.query, &r.folded};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        jabi_buf_init(bufs[i], r.st->mem, SIZE_MAX);
    n = find_addresses(&r);
    if (n > 0)
        n = words ? search(&r, fn, arg) : run(&r, fn, arg);
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        jabi_buf_fini(bufs[i]);
    return n;
}

int jabi_sqlite_read(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg)
{
    return look(st, q, 0, fn, arg);
}

int jabi_sqlite_search(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg)
{
    return look(st, q, 1, fn, arg);
}
