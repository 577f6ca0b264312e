/* muc_store.c: which rooms to come back to, in the store. */
#include "ext/muc.h"

#include "base/buf.h"
#include "base/pack.h"

#include <jabiru/store.h>

#define SPACE "rooms"

int jabi_muc_now_as(jab_ext_ctx *x, muc_room *room, jab_str nick)
{
    jab_store *store = jab_ext_store(x);
    jabi_buf value;
    int err = jabi_muc_set_nick(x, room, nick);
    if (err < 0 || !store)
        return err;
    jabi_buf_init(&value, jab_ext_mem(x), 4 * JAB_JID_MAX);
    jabi_pack_str(&value, jab_session_jid(jab_ext_session(x))->bare);
    jabi_pack_str(&value, nick);
    err = value.error ? value.error
                      : store->table->put(store, SPACE, room->key, jabi_buf_str(&value));
    jabi_buf_fini(&value);
    return err < 0 ? err : 0;
}

int jabi_muc_forget(jab_ext_ctx *x, jab_str bare)
{
    jab_store *store = jab_ext_store(x);
    int err = store ? store->table->put(store, SPACE, bare, (jab_str){NULL, 0}) : 0;
    return err < 0 ? err : 0;
}

typedef struct listing {
    jab_str account;
    jab_muc_room_fn fn;
    void *arg;
    int n;
} listing;

/* What is damaged, or another account's, is no room. */
static int on_room(void *arg, jab_str key, jab_str value)
{
    listing *l = arg;
    jab_jid_buf buf;
    jab_jid room;
    jabi_unpack u = jabi_unpack_begin(value);
    jab_str account = jabi_unpack_str(&u), nick = jabi_unpack_str(&u);
    if (!jabi_unpack_is_whole(&u) || nick.n == 0 || !jab_str_eq(account, l->account) ||
        jab_jid_parse(&room, key, &buf) < 0 || room.resource.p)
        return 0;
    l->n++;
    return l->fn(l->arg, room.bare, nick);
}

int jab_muc_remembered(jab_session *s, jab_muc_room_fn fn, void *arg)
{
    jab_store *store = jab_ext_store(jab_ext_find(s, &jabi_ext_muc));
    listing l = {jab_session_jid(s)->bare, fn, arg, 0};
    if (!store)
        return 0;
    int err = store->table->each(store, SPACE, (jab_str){NULL, 0}, 0, on_room, &l);
    return err < 0 ? err : l.n;
}
