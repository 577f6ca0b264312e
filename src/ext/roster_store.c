/*
 * roster_store.c: the roster in the store: one value a contact, and one that
 * says which roster it is. What is damaged, or another account's, counts as
 * nothing: the server has all of it.
 */
#include "ext/roster.h"

#include "base/mem.h"
#include "base/pack.h"
#include "ext/ext.h"

#include <jabiru/store.h>

#define SPACE      "roster"
#define SPACE_INFO "roster-info"
#define KEY_INFO   JAB_STR("info")
#define INFO_MAX   65536

/* What the values belong to. */
typedef struct info {
    jab_str account, version;
    uint64_t count, serial;
} info;

/* -- Contacts as values ------------------------------------------------------- */

static void pack_item(jabi_buf *b, const jab_roster_item *item)
{
    jabi_pack_str(b, item->name);
    jabi_pack_number(b, (uint64_t)item->subscription);
    jabi_pack_number(b, item->asked != 0);
    jabi_pack_number(b, item->approved != 0);
    jabi_pack_number(b, item->n_groups);
    for (size_t i = 0; i < item->n_groups; i++)
        jabi_pack_str(b, item->groups[i]);
}

/* 1, or 0 when it is damaged. */
static int unpack_item(jab_str key, jab_str value, jab_roster_item *item, jab_jid_buf *buf,
                       jab_str *groups)
{
    jabi_unpack u = jabi_unpack_begin(value);
    item->name = jabi_unpack_str(&u);
    uint64_t subscription = jabi_unpack_number(&u);
    item->asked = jabi_unpack_number(&u) != 0;
    item->approved = jabi_unpack_number(&u) != 0;
    uint64_t n = jabi_unpack_number(&u);
    if (u.error || subscription > JAB_SUB_BOTH || n > JAB_ROSTER_GROUPS_MAX)
        return 0;
    item->subscription = (jab_subscription)subscription;
    for (item->n_groups = 0; item->n_groups < n; item->n_groups++)
        groups[item->n_groups] = jabi_unpack_str(&u);
    item->groups = groups;
    return jabi_unpack_is_whole(&u) && jab_jid_parse(&item->jid, key, buf) == 0;
}

/* -- Reading ------------------------------------------------------------------ */

static int copy_value(void *arg, jab_str key, jab_str value)
{
    (void)key;
    jabi_buf_add_str(arg, value);
    return 0;
}

static info read_info(jabi_buf *value)
{
    jabi_unpack u = jabi_unpack_begin(jabi_buf_str(value));
    info i = {.account = jabi_unpack_str(&u)};
    i.version = jabi_unpack_str(&u);
    i.count = jabi_unpack_number(&u);
    i.serial = jabi_unpack_number(&u);
    return jabi_unpack_is_whole(&u) ? i : (info){.serial = 0};
}

typedef struct loading {
    jab_ext_ctx *x;
    int error; /* JAB_EINVAL: damaged */
} loading;

static int on_item(void *arg, jab_str key, jab_str value)
{
    loading *l = arg;
    jab_roster_item item;
    jab_jid_buf buf;
    jab_str groups[JAB_ROSTER_GROUPS_MAX];
    if (!unpack_item(key, value, &item, &buf, groups))
        l->error = JAB_EINVAL;
    else
        l->error = jabi_roster_put(l->x, &item);
    return l->error;
}

/* Fills the empty table. 0; JAB_EINVAL when the roster is not whole; < 0. */
static int load(jab_ext_ctx *x, const info *i)
{
    const roster_state *state = jab_ext_state(x);
    jab_store *store = jab_ext_store(x);
    loading l = {x, 0};
    if (!jab_str_eq(i->account, jab_session_jid(jab_ext_session(x))->bare))
        return JAB_EINVAL;
    int n = store->table->each(store, SPACE, (jab_str){NULL, 0}, 0, on_item, &l);
    if (n < 0 || l.error)
        return n < 0 ? n : l.error == JAB_ELIMIT ? JAB_EINVAL : l.error;
    if (state->items.n != i->count)
        return JAB_EINVAL;
    return i->version.p ? jabi_roster_set_version(x, i->version) : 0;
}

int jabi_roster_restore(jab_ext_ctx *x)
{
    roster_state *state = jab_ext_state(x);
    jab_store *store = jab_ext_store(x);
    jabi_buf value;
    if (!store)
        return 0;
    jabi_buf_init(&value, jab_ext_mem(x), INFO_MAX);
    int err = store->table->get(store, SPACE_INFO, KEY_INFO, copy_value, &value);
    if (err >= 0 && value.error == JAB_ENOMEM)
        err = JAB_ENOMEM;
    info i = read_info(&value);
    if (err >= 0 && (!state->is_read || i.serial != state->serial)) {
        jabi_roster_clear(x);
        err = i.account.p ? load(x, &i) : 0;
        if (err < 0)
            jabi_roster_clear(x);
        state->is_read = err >= 0 || err == JAB_EINVAL;
        state->serial = i.serial;
    }
    jabi_buf_fini(&value);
    return err == JAB_EINVAL || err > 0 ? 0 : err;
}

void jabi_roster_first_use(jab_ext_ctx *x)
{
    const roster_state *state = jab_ext_state(x);
    if (!state->is_read)
        (void)jabi_roster_restore(x); /* what cannot be read now is not there */
}

/* -- Writing ------------------------------------------------------------------ */

static int keep_info(jab_ext_ctx *x)
{
    roster_state *state = jab_ext_state(x);
    jab_store *store = jab_ext_store(x);
    jabi_buf value;
    jabi_buf_init(&value, jab_ext_mem(x), INFO_MAX);
    jabi_pack_str(&value, jab_session_jid(jab_ext_session(x))->bare);
    jabi_pack_str(&value, state->version);
    jabi_pack_number(&value, state->items.n);
    jabi_pack_number(&value, ++state->serial);
    jab_str none = {NULL, 0};
    int err = value.error == JAB_ENOMEM ? JAB_ENOMEM : 0;
    if (err == 0) /* with a version that is too long it is fetched anew */
        err = store->table->put(store, SPACE_INFO, KEY_INFO,
                                value.error ? none : jabi_buf_str(&value));
    jabi_buf_fini(&value);
    return err < 0 ? err : 0;
}

static int keep_item(jab_ext_ctx *x, const jab_roster_item *item, int only_if_new)
{
    jab_store *store = jab_ext_store(x);
    jabi_buf value, old;
    int err = 0;
    jabi_buf_init(&value, jab_ext_mem(x), SIZE_MAX / 2);
    jabi_buf_init(&old, jab_ext_mem(x), SIZE_MAX / 2);
    pack_item(&value, item);
    if (only_if_new)
        err = store->table->get(store, SPACE, item->jid.full, copy_value, &old);
    if (err >= 0)
        err = value.error ? value.error : old.error;
    if (err == 0 && !jab_str_eq(jabi_buf_str(&value), jabi_buf_str(&old)))
        err = store->table->put(store, SPACE, item->jid.full, jabi_buf_str(&value));
    jabi_buf_fini(&value);
    jabi_buf_fini(&old);
    return err < 0 ? err : 0;
}

int jabi_roster_keep(jab_ext_ctx *x, const jab_roster_item *item, int removed)
{
    jab_store *store = jab_ext_store(x);
    if (!store)
        return 0;
    int err = removed ? store->table->put(store, SPACE, item->jid.full, (jab_str){NULL, 0})
                      : keep_item(x, item, 0);
    return err < 0 ? err : keep_info(x);
}

/* Keys are collected first: nothing is written while the store is read. */
typedef struct stale {
    const roster_state *state;
    jabi_buf keys;
    size_t n;
} stale;

static int on_key(void *arg, jab_str key, jab_str value)
{
    stale *s = arg;
    (void)value;
    if (jabi_table_get(&s->state->items, key))
        return 0;
    jabi_pack_number(&s->keys, key.n);
    jabi_buf_add_str(&s->keys, key);
    s->n++;
    return s->keys.error;
}

static int drop_stale(jab_ext_ctx *x)
{
    jab_store *store = jab_ext_store(x);
    stale s = {.state = jab_ext_state(x)};
    jabi_buf_init(&s.keys, jab_ext_mem(x), SIZE_MAX / 2);
    int err = store->table->each(store, SPACE, (jab_str){NULL, 0}, 0, on_key, &s);
    if (err >= 0)
        err = s.keys.error;
    jabi_unpack u = jabi_unpack_begin(jabi_buf_str(&s.keys));
    for (size_t i = 0; err >= 0 && i < s.n; i++) {
        size_t n = (size_t)jabi_unpack_number(&u);
        jab_str key = {u.left.p, n};
        u.left = (jab_str){u.left.p + n, u.left.n - n};
        err = store->table->put(store, SPACE, key, (jab_str){NULL, 0});
    }
    jabi_buf_fini(&s.keys);
    return err < 0 ? err : 0;
}

int jabi_roster_keep_all(jab_ext_ctx *x)
{
    roster_state *state = jab_ext_state(x);
    if (!jab_ext_store(x))
        return 0;
    state->is_read = 1; /* whatever the store had */
    int err = drop_stale(x);
    for (size_t i = 0; err == 0 && i < state->items.n; i++)
        err = keep_item(x, jab_roster_at(jab_ext_session(x), i), 1);
    return err < 0 ? err : keep_info(x);
}
