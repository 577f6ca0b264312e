/* history_gap.c: where something of an archive is missing: space "gap", by the
 * archive's address and the rank of what is above. */
#include "ext/history.h"

#include "base/pack.h"

#include <stdio.h>

#define SPACE    "gap"
#define KEY_SIZE (JAB_JID_MAX + 20)

/* Sorted by archive, and by rank within one: an address has no line feed. */
static jab_str key_of(char room[KEY_SIZE], jab_str archive, int64_t rank)
{
    int n =
        snprintf(room, KEY_SIZE, JAB_FMT "\n%016llx", JAB_ARG(archive), (unsigned long long)rank);
    return (jab_str){room, (size_t)n};
}

int jabi_history_gap_add(jab_ext_ctx *x, const history_archive *a, jab_str id, int64_t rank)
{
    jab_store *store = jab_ext_store(x);
    char room[KEY_SIZE];
    jabi_buf value;
    jabi_buf_init(&value, jab_ext_mem(x), HISTORY_VALUE_MAX);
    jabi_pack_number(&value, (uint64_t)rank);
    jabi_pack_str(&value, id);
    int err = value.error;
    if (!err)
        err = store->table->put(store, SPACE, key_of(room, a->key, rank), jabi_buf_str(&value));
    jabi_buf_fini(&value);
    return err;
}

/* -- Reading -------------------------------------------------------------------- */

struct reading {
    jab_str archive;
    jabi_history_gap_fn fn;
    void *arg;
};

static int on_value(void *arg, jab_str key, jab_str value)
{
    const struct reading *r = arg;
    if (key.n <= r->archive.n || memcmp(key.p, r->archive.p, r->archive.n) != 0 ||
        key.p[r->archive.n] != '\n')
        return 1;
    jabi_unpack u = jabi_unpack_begin(value);
    int64_t rank = (int64_t)jabi_unpack_number(&u);
    jab_str id = jabi_unpack_str(&u);
    return jabi_unpack_is_whole(&u) && rank >= 0 ? r->fn(r->arg, rank, id) : 0;
}

int jabi_history_gap_each(jab_ext_ctx *x, jab_str archive, jabi_history_gap_fn fn, void *arg)
{
    jab_store *store = jab_ext_store(x);
    struct reading r = {archive, fn, arg};
    char room[KEY_SIZE];
    int n = snprintf(room, sizeof room, JAB_FMT "\n", JAB_ARG(archive));
    n = store->table->each(store, SPACE, (jab_str){room, (size_t)n}, 0, on_value, &r);
    return n < 0 ? n : 0;
}

static int on_latest(void *arg, int64_t rank, jab_str id)
{
    (void)id;
    *(int64_t *)arg = rank;
    return 0;
}

int jabi_history_gap_remove(jab_ext_ctx *x, const history_archive *a)
{
    jab_store *store = jab_ext_store(x);
    char room[KEY_SIZE];
    int64_t rank = -1;
    int err = jabi_history_gap_each(x, a->key, on_latest, &rank);
    if (err < 0 || rank < 0)
        return err;
    return store->table->put(store, SPACE, key_of(room, a->key, rank), (jab_str){NULL, 0});
}
