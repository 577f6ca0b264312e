/* history_cursor.c: how far an archive was read, as the store has it: space
 * "archive", by the archive's address. */
#include "ext/history.h"

#include "base/pack.h"

#define SPACE "archive"

enum { BLIND = 1, DUE = 2 }; /* is_blind, is_due */

struct reading {
    history_archive *a;
    int error;
};

static void copy(jabi_buf *to, jab_str text)
{
    jabi_buf_reset(to);
    jabi_buf_add_str(to, text);
}

static int is_rank(int64_t rank)
{
    return rank >= 0 && rank < JAB_RANK_PENDING;
}

static int error_of(const history_archive *a)
{
    const int errors[] = {a->id.error, a->silent.error, a->from.id.error, a->next.id.error};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i])
            return errors[i];
    return 0;
}

static void forget(history_mark *mark)
{
    mark->is_set = 0;
    mark->rank = 0;
    jabi_buf_reset(&mark->id);
}

/* What was written before there was such a thing ends here. */
static void read_from(history_archive *a, jabi_unpack *u)
{
    a->from.is_set = jabi_unpack_number(u) != 0;
    a->from.rank = (int64_t)jabi_unpack_number(u);
    copy(&a->from.id, jabi_unpack_str(u));
}

/* A damaged one is as none: the archive is looked at as if for the first time. */
static int on_value(void *arg, jab_str key, jab_str value)
{
    history_archive *a = ((struct reading *)arg)->a;
    jabi_unpack u = jabi_unpack_begin(value);
    (void)key;
    int64_t stamp = (int64_t)jabi_unpack_number(&u);
    int64_t rank = (int64_t)jabi_unpack_number(&u);
    uint64_t how = jabi_unpack_number(&u);
    jab_str id = jabi_unpack_str(&u);
    jab_str silent = jabi_unpack_str(&u);
    if (!jabi_unpack_is_whole(&u))
        read_from(a, &u);
    if (!jabi_unpack_is_whole(&u) || !is_rank(rank) || !is_rank(a->from.rank)) {
        forget(&a->from);
        return 0;
    }
    copy(&a->id, id);
    copy(&a->silent, silent);
    a->stamp = stamp;
    a->rank = rank;
    a->is_blind = (how & BLIND) != 0;
    a->is_due = (how & DUE) != 0;
    a->has_cursor = 1;
    ((struct reading *)arg)->error = error_of(a);
    return 0;
}

int jabi_history_cursor_read(jab_ext_ctx *x, history_archive *a)
{
    jab_store *store = jab_ext_store(x);
    struct reading r = {a, 0};
    a->has_cursor = a->is_blind = a->is_due = 0;
    a->stamp = a->rank = 0;
    jabi_buf_reset(&a->id);
    jabi_buf_reset(&a->silent);
    forget(&a->from);
    int n = store->table->get(store, SPACE, a->key, on_value, &r);
    return n < 0 ? n : r.error;
}

int jabi_history_cursor_again(jab_ext_ctx *x, history_archive *a)
{
    jabi_buf old = a->id;
    int64_t rank = a->rank;
    int had = a->has_cursor, was_blind = a->is_blind;
    jabi_buf_init(&a->id, jab_ext_mem(x), HISTORY_ID_MAX);
    int err = jabi_history_cursor_read(x, a);
    int differs = had != a->has_cursor || rank != a->rank ||
                  !jab_str_eq(jabi_buf_str(&old), jabi_buf_str(&a->id));
    jabi_buf_fini(&old);
    if (!differs)
        a->is_blind |= was_blind; /* the pass goes on */
    if (!differs && !a->from.is_set)
        jabi_history_cursor_straight(a); /* from there */
    return err < 0 ? err : differs;
}

int jabi_history_cursor_write(jab_ext_ctx *x, history_archive *a)
{
    jab_store *store = jab_ext_store(x);
    jabi_buf value;
    jabi_buf_init(&value, jab_ext_mem(x), HISTORY_VALUE_MAX);
    jabi_pack_number(&value, (uint64_t)a->stamp);
    jabi_pack_number(&value, (uint64_t)a->rank);
    jabi_pack_number(&value, (a->is_blind ? BLIND : 0) | (a->is_due ? DUE : 0));
    jabi_pack_str(&value, jabi_buf_str(&a->id));
    jabi_pack_str(&value, jabi_buf_str(&a->silent));
    jabi_pack_number(&value, a->from.is_set != 0);
    jabi_pack_number(&value, (uint64_t)a->from.rank);
    jabi_pack_str(&value, jabi_buf_str(&a->from.id));
    int err = error_of(a);
    if (!err)
        err = value.error;
    if (!err)
        err = store->table->put(store, SPACE, a->key, jabi_buf_str(&value));
    jabi_buf_fini(&value);
    if (err >= 0)
        a->has_cursor = 1;
    return err;
}

static void mark(history_mark *to, jab_str id, int64_t stamp, int64_t rank)
{
    to->is_set = 1;
    copy(&to->id, id);
    to->stamp = stamp;
    to->rank = rank;
}

void jabi_history_cursor_straight(history_archive *a)
{
    forget(&a->from);
    forget(&a->next);
    a->is_back = 0;
    if (a->is_own && a->has_cursor && (a->id.n || !a->stamp))
        mark(&a->from, jabi_buf_str(&a->id), a->stamp, a->rank);
}

int jabi_history_cursor_whole(jab_ext_ctx *x, history_archive *a, jab_str first)
{
    if (!a->is_own || !a->from.is_set || !jab_str_eq(jabi_buf_str(&a->from.id), first))
        return 0;
    mark(&a->from, JAB_STR(""), 0, 0);
    return jabi_history_cursor_write(x, a);
}

/* What another pass reads again stays between two bounds, in time or in number. */
static void follow(history_archive *a, jab_str id, int64_t stamp)
{
    if (!a->from.is_set)
        mark(&a->from, id, stamp, a->top);
    if (!a->next.is_set) {
        mark(&a->next, id, stamp, a->top);
        a->n_next = 0;
    }
    if (++a->n_next <= HISTORY_OVERLAP_MOST && stamp < a->next.stamp + HISTORY_OVERLAP)
        return;
    mark(&a->from, jabi_buf_str(&a->next.id), a->next.stamp, a->next.rank);
    mark(&a->next, id, stamp, a->top);
    a->n_next = 0;
}

int jabi_history_cursor_move(jab_ext_ctx *x, history_archive *a, jab_str id, int64_t stamp)
{
    a->has_moved |= a->is_back || !jab_str_eq(id, jabi_buf_str(&a->id));
    copy(&a->id, id);
    if (stamp)
        a->stamp = stamp;
    a->is_back = 0;
    if (!id.n || !stamp) /* it says nothing, or not when */
        jabi_history_cursor_straight(a);
    else if (a->is_own)
        follow(a, id, a->stamp);
    return jabi_history_cursor_write(x, a);
}
