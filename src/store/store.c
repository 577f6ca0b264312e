/* store.c: what programs call, and what queries mean for every kind of store. */
#include "store/store.h"

#define LIMIT_DEFAULT 100

void jab_store_free(jab_store *st)
{
    if (st)
        st->table->free(st);
}

int jab_store_read(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg)
{
    return st && q && fn ? st->table->read(st, q, fn, arg) : JAB_EINVAL;
}

int jab_store_search(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg)
{
    return st && q && fn ? st->table->search(st, q, fn, arg) : JAB_EINVAL;
}

jab_str jab_store_error(const jab_store *st)
{
    return st->table->error(st);
}

/* An older program knows fewer members, a newer one more. */
static void copy_known(void *out, size_t size, const void *from, size_t from_size)
{
    memset(out, 0, size);
    memcpy(out, from, from_size < size ? from_size : size);
}

int jabi_query_take(jab_kept_query *out, const jab_kept_query *q, int search, int *by_stamp)
{
    copy_known(out, sizeof *out, q, q->size);
    if (!out->archive.p != !out->archive_id.p || (out->id.p && !out->conversation.p) ||
        (search && !out->words.p))
        return JAB_EINVAL;
    if (out->limit == 0)
        out->limit = LIMIT_DEFAULT;
    *by_stamp =
        search || (!out->conversation.p && !out->key && !out->archive.p && !out->fingerprint);
    return 0;
}

void jabi_change_take(jab_kept_change *out, const jab_kept_change *change)
{
    copy_known(out, sizeof *out, change, change->size);
}

static int meets_place(const jab_kept_query *q, int64_t place)
{
    return (!q->before || place < q->before) && (!q->after || place > q->after);
}

static int meets_stamp(const jab_kept_query *q, int64_t stamp)
{
    return (!q->since || stamp >= q->since) && (!q->until || stamp < q->until);
}

static int meets_ids(const jab_kept_query *q, const jab_kept_message *m)
{
    return (!q->archive.p ||
            (jab_str_eq(q->archive, m->archive) && jab_str_eq(q->archive_id, m->archive_id))) &&
           (!q->id.p || jab_str_eq(q->id, m->id) || jab_str_eq(q->id, m->origin_id));
}

int jabi_query_meets(const jab_kept_query *q, int by_stamp, const jab_kept_message *m)
{
    return (!q->key || q->key == m->key) && (!q->fingerprint || q->fingerprint == m->fingerprint) &&
           meets_place(q, by_stamp ? m->stamp : m->rank) && meets_stamp(q, m->stamp) &&
           (!q->conversation.p || jab_str_eq(q->conversation, m->conversation)) && meets_ids(q, m);
}
