/* memory.c: a store in memory, gone with the process: sorted rows, and plain looking through them.
 */
#include "store/store.h"

#include "base/mem.h"
#include "store/fold.h"
#include "store/rows.h"

#include <stdlib.h>

typedef struct value_row {
    jab_str space, key, value;
    char bytes[];
} value_row;

typedef struct message_row {
    jab_kept_message m;
    char bytes[];
} message_row;

typedef struct memory {
    jab_store store;
    const jab_mem *mem;
    jabi_rows values, messages;
    jabi_journal journal;
    int64_t last_key;
    int failed; /* a write failed, and was not rolled back yet */
    jab_str words;
} memory;

static memory *of(jab_store *st)
{
    return (memory *)st;
}

static int order_bytes(jab_str a, jab_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int order_values(const void *a, const void *b)
{
    const value_row *v = a, *w = b;
    int order = order_bytes(v->space, w->space);
    return order ? order : order_bytes(v->key, w->key);
}

static int order_messages(const void *a, const void *b)
{
    const message_row *m = a, *n = b;
    return (m->m.key > n->m.key) - (m->m.key < n->m.key);
}

/* -- Transactions --------------------------------------------------------------- */

static int fail(memory *st, int err, jab_str words)
{
    st->failed = 1;
    st->words = words;
    return err;
}

static int no_memory(memory *st)
{
    return fail(st, JAB_ENOMEM, JAB_STR("out of memory"));
}

/* Before a write. */
static int begin(memory *st)
{
    if (st->failed) /* the words are those of the first failure */
        return JAB_ESTORE;
    st->store.dirty = 1;
    return 0;
}

static int memory_commit(jab_store *st)
{
    if (of(st)->failed)
        return begin(of(st));
    jabi_journal_forget(&of(st)->journal);
    st->dirty = 0;
    return 0;
}

static void memory_rollback(jab_store *st)
{
    jabi_journal_undo(&of(st)->journal);
    of(st)->failed = 0;
    st->dirty = 0;
}

static jab_str memory_error(const jab_store *st)
{
    return ((const memory *)st)->words;
}

static void memory_free(jab_store *st)
{
    memory *m = of(st);
    memory_rollback(st);
    jabi_rows_fini(&m->values, m->mem);
    jabi_rows_fini(&m->messages, m->mem);
    jabi_free(m->mem, m->journal.undo);
    jabi_free(m->mem, m);
}

/* Puts `fresh` in place of `old`; NULL is nothing. */
static int swap(memory *st, jabi_rows *rows, void *old, void *fresh)
{
    return jabi_rows_swap(rows, &st->journal, old, fresh) < 0 ? no_memory(st) : 0;
}

/* -- Values --------------------------------------------------------------------- */

/* Copies a view to *at, with a NUL behind it, and moves *at on. Absent stays absent. */
static void place(char **at, jab_str *s)
{
    if (!s->p)
        return;
    if (s->n)
        memcpy(*at, s->p, s->n);
    (*at)[s->n] = '\0';
    s->p = *at;
    *at += s->n + 1;
}

static value_row *new_value(const jab_mem *mem, jab_str space, jab_str key, jab_str value)
{
    value_row *row = jabi_alloc(mem, sizeof *row + space.n + key.n + value.n + 3);
    if (!row)
        return NULL;
    char *at = row->bytes;
    *row = (value_row){space, key, value};
    place(&at, &row->space);
    place(&at, &row->key);
    place(&at, &row->value);
    return row;
}

static int memory_put(jab_store *st, const char *space, jab_str key, jab_str value)
{
    memory *m = of(st);
    int err = begin(m);
    if (err < 0)
        return err;
    value_row like = {jab_cstr(space), key, value};
    void *fresh = value.p ? new_value(m->mem, like.space, key, value) : NULL;
    if (value.p && !fresh)
        return no_memory(m);
    return swap(m, &m->values, jabi_rows_find(&m->values, &like), fresh);
}

static int memory_get(jab_store *st, const char *space, jab_str key, jab_value_fn fn, void *arg)
{
    value_row like = {jab_cstr(space), key, {NULL, 0}};
    const value_row *row = jabi_rows_find(&of(st)->values, &like);
    if (row)
        fn(arg, row->key, row->value);
    return row != NULL;
}

static int memory_each(jab_store *st, const char *space, jab_str after, unsigned limit,
                       jab_value_fn fn, void *arg)
{
    const jabi_rows *rows = &of(st)->values;
    value_row like = {jab_cstr(space), after, {NULL, 0}};
    size_t at = jabi_rows_at(rows, &like);
    if (after.p && jabi_rows_find(rows, &like))
        at++;
    int n = 0;
    for (; at < rows->n && (limit == 0 || (unsigned)n < limit); at++) {
        const value_row *row = rows->row[at];
        if (!jab_str_eq(row->space, like.space))
            break;
        n++;
        if (fn(arg, row->key, row->value))
            break;
    }
    return n;
}

/* -- Messages ------------------------------------------------------------------- */

static message_row *new_message(const jab_mem *mem, const jab_kept_message *m)
{
    message_row *row;
    const jab_str all[] = {m->conversation, m->sender,     m->id,   m->origin_id,
                           m->archive,      m->archive_id, m->body, m->xml};
    size_t size = sizeof *row;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        size += all[i].n + 1;
    row = jabi_alloc(mem, size);
    if (!row)
        return NULL;
    row->m = *m;
    char *at = row->bytes;
    jab_str *views[] = {&row->m.conversation, &row->m.sender,     &row->m.id,   &row->m.origin_id,
                        &row->m.archive,      &row->m.archive_id, &row->m.body, &row->m.xml};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        place(&at, views[i]);
    return row;
}

/* No two messages of one archive have the same id there. */
static int id_is_taken(const memory *st, const jab_kept_message *m)
{
    if (!m->archive.p || !m->archive_id.p)
        return 0;
    for (size_t i = 0; i < st->messages.n; i++) {
        const message_row *row = st->messages.row[i];
        if (row->m.key != m->key && jab_str_eq(row->m.archive_id, m->archive_id) &&
            jab_str_eq(row->m.archive, m->archive))
            return 1;
    }
    return 0;
}

static int write_message(memory *st, void *old, const jab_kept_message *m)
{
    if (id_is_taken(st, m))
        return fail(st, JAB_ESTORE,
                    JAB_STR("a message of this archive with this id is kept already"));
    message_row *fresh = new_message(st->mem, m);
    return fresh ? swap(st, &st->messages, old, fresh) : no_memory(st);
}

static int memory_add(jab_store *st, const jab_kept_message *m, int64_t *key)
{
    int err = m->conversation.p ? begin(of(st)) : JAB_EINVAL;
    if (err < 0)
        return err;
    jab_kept_message fresh = *m;
    fresh.key = ++of(st)->last_key;
    err = write_message(of(st), NULL, &fresh);
    if (err == 0)
        *key = fresh.key;
    return err;
}

static message_row *find(memory *st, int64_t key)
{
    message_row like = {.m = {.key = key}};
    return jabi_rows_find(&st->messages, &like);
}

static int memory_change(jab_store *st, int64_t key, const jab_kept_change *change)
{
    jab_kept_change c;
    jabi_change_take(&c, change);
    int err = begin(of(st));
    message_row *old = find(of(st), key);
    if (err < 0 || !old)
        return err;
    jab_kept_message m = old->m;
    m.rank = c.rank ? c.rank : m.rank;
    m.stamp = c.stamp ? c.stamp : m.stamp;
    m.own = c.own ? c.own : m.own;
    m.archive = c.archive.p ? c.archive : m.archive;
    m.archive_id = c.archive_id.p ? c.archive_id : m.archive_id;
    return write_message(of(st), old, &m);
}

static int memory_remove(jab_store *st, int64_t key)
{
    int err = begin(of(st));
    return err < 0 ? err : swap(of(st), &of(st)->messages, find(of(st), key), NULL);
}

/* -- Reading -------------------------------------------------------------------- */

typedef struct reading {
    memory *st;
    jab_kept_query q;
    int by_stamp;
    const jab_kept_message **found;
    size_t n;
    jabi_buf query, folded; /* what is looked for, and in what */
} reading;

static int order_found(const void *a, const void *b, void *arg)
{
    const jab_kept_message *m = *(const jab_kept_message *const *)a;
    const jab_kept_message *n = *(const jab_kept_message *const *)b;
    const reading *r = arg;
    int64_t x = r->by_stamp ? m->stamp : m->rank, y = r->by_stamp ? n->stamp : n->rank;
    int order = x == y ? (m->key > n->key) - (m->key < n->key) : (x > y) - (x < y);
    return r->q.forwards ? order : -order;
}

/* 1, 0 or JAB_ENOMEM. */
static int has_words(reading *r, jab_str body)
{
    if (!body.p)
        return 0;
    jabi_buf_reset(&r->folded);
    int err = jabi_fold(&r->folded, body);
    return err < 0 ? err : jabi_fold_has(jabi_buf_str(&r->folded), jabi_buf_str(&r->query));
}

static int gather(reading *r, int search)
{
    const jabi_rows *rows = &r->st->messages;
    r->found = jabi_realloc_array(r->st->mem, NULL, rows->n, sizeof *r->found);
    if (!r->found)
        return JAB_ENOMEM;
    for (size_t i = 0; i < rows->n; i++) {
        const message_row *row = rows->row[i];
        int meets = jabi_query_meets(&r->q, r->by_stamp, &row->m);
        if (meets && search)
            meets = has_words(r, row->m.body);
        if (meets < 0)
            return meets;
        if (meets)
            r->found[r->n++] = &row->m;
    }
    if (r->n > 1)
        qsort_r(r->found, r->n, sizeof *r->found, order_found, r);
    return 0;
}

static int hand_out(const reading *r, jab_kept_fn fn, void *arg)
{
    int n = 0;
    for (size_t i = 0; i < r->n && i < r->q.limit; i++) {
        n++;
        if (fn(arg, r->found[i]))
            break;
    }
    return n;
}

static int look(jab_store *st, const jab_kept_query *q, int search, jab_kept_fn fn, void *arg)
{
    reading r = {.st = of(st)};
    int err = jabi_query_take(&r.q, q, search, &r.by_stamp);
    if (err < 0)
        return err;
    jabi_buf_init(&r.query, r.st->mem, SIZE_MAX);
    jabi_buf_init(&r.folded, r.st->mem, SIZE_MAX);
    if (search)
        err = jabi_fold_query(&r.query, r.q.words);
    if (err == 0)
        err = gather(&r, search);
    if (err == JAB_ENOMEM)
        r.st->words = JAB_STR("out of memory");
    int n = err < 0 ? err : hand_out(&r, fn, arg);
    jabi_buf_fini(&r.query);
    jabi_buf_fini(&r.folded);
    jabi_free(r.st->mem, r.found);
    return n;
}

static int memory_read(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg)
{
    return look(st, q, 0, fn, arg);
}

static int memory_search(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg)
{
    return look(st, q, 1, fn, arg);
}

static const jab_store_table table = {
    .size = sizeof table,
    .name = "memory",
    .commit = memory_commit,
    .rollback = memory_rollback,
    .error = memory_error,
    .free = memory_free,
    .put = memory_put,
    .get = memory_get,
    .each = memory_each,
    .add = memory_add,
    .change = memory_change,
    .remove = memory_remove,
    .read = memory_read,
    .search = memory_search,
};

int jab_store_memory(jab_store **out, const jab_mem *mem)
{
    mem = mem ? mem : jabi_mem_default();
    memory *st = jabi_alloc0(mem, sizeof *st);
    *out = st ? &st->store : NULL;
    if (!st)
        return JAB_ENOMEM;
    st->store.table = &table;
    st->mem = mem;
    st->values.order = order_values;
    st->messages.order = order_messages;
    st->journal.mem = mem;
    st->words = JAB_STR("");
    return 0;
}
