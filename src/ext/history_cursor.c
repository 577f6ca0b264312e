/* history_cursor.c: how far an archive was read, as the store has it: space
 * "archive", by the archive's address. */
#include "ext/history.h"

#include "base/pack.h"

#define SPACE "archive"

struct reading {
    history_archive *a;
    int error;
};

static void copy(jabi_buf *to, jab_str text)
{
    jabi_buf_reset(to);
    jabi_buf_add_str(to, text);
}

/* A damaged one is as none: the archive is looked at as if for the first time. */
static int on_value(void *arg, jab_str key, jab_str value)
{
    history_archive *a = ((struct reading *)arg)->a;
    jabi_unpack u = jabi_unpack_begin(value);
    (void)key;
    int64_t stamp = (int64_t)jabi_unpack_number(&u);
    int64_t rank = (int64_t)jabi_unpack_number(&u);
    uint64_t is_blind = jabi_unpack_number(&u);
    jab_str id = jabi_unpack_str(&u);
    jab_str silent = jabi_unpack_str(&u);
    if (!jabi_unpack_is_whole(&u) || rank < 0 || rank >= JAB_RANK_PENDING)
        return 0;
    copy(&a->id, id);
    copy(&a->silent, silent);
    a->stamp = stamp;
    a->rank = rank;
    a->is_blind = is_blind != 0;
    a->has_cursor = 1;
    ((struct reading *)arg)->error = a->id.error ? a->id.error : a->silent.error;
    return 0;
}

int jabi_history_cursor_read(jab_ext_ctx *x, history_archive *a)
{
    jab_store *store = jab_ext_store(x);
    struct reading r = {a, 0};
    a->has_cursor = a->is_blind = 0;
    a->stamp = a->rank = 0;
    jabi_buf_reset(&a->id);
    jabi_buf_reset(&a->silent);
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
    return err < 0 ? err : differs;
}

int jabi_history_cursor_write(jab_ext_ctx *x, history_archive *a)
{
    jab_store *store = jab_ext_store(x);
    jabi_buf value;
    jabi_buf_init(&value, jab_ext_mem(x), HISTORY_VALUE_MAX);
    jabi_pack_number(&value, (uint64_t)a->stamp);
    jabi_pack_number(&value, (uint64_t)a->rank);
    jabi_pack_number(&value, a->is_blind != 0);
    jabi_pack_str(&value, jabi_buf_str(&a->id));
    jabi_pack_str(&value, jabi_buf_str(&a->silent));
    int err = a->id.error ? a->id.error : value.error;
    if (!err)
        err = store->table->put(store, SPACE, a->key, jabi_buf_str(&value));
    jabi_buf_fini(&value);
    if (err >= 0)
        a->has_cursor = 1;
    return err;
}

int jabi_history_cursor_move(jab_ext_ctx *x, history_archive *a, jab_str id, int64_t stamp)
{
    a->has_moved |= !jab_str_eq(id, jabi_buf_str(&a->id));
    copy(&a->id, id);
    if (stamp)
        a->stamp = stamp;
    return jabi_history_cursor_write(x, a);
}
