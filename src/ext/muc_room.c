/* muc_room.c: the rooms of a session and who is in them. */
#include "ext/muc.h"

#include "base/mem.h"
#include "ext/text.h"

muc_room *jabi_muc_find(jab_ext_ctx *x, jab_str bare)
{
    const muc_state *state = jab_ext_state(x);
    return jabi_table_get(&state->rooms, bare);
}

static void room_free(jab_ext_ctx *x, muc_room *room)
{
    jabi_muc_unseat_all(x, room);
    jabi_free(jab_ext_mem(x), (char *)room->nick.p);
    jabi_free(jab_ext_mem(x), room);
}

muc_room *jabi_muc_add(jab_ext_ctx *x, const jab_jid *jid, int *error)
{
    muc_state *state = jab_ext_state(x);
    muc_room *room = jabi_alloc(jab_ext_mem(x), sizeof *room + jid->bare.n + 1);
    *error = JAB_ENOMEM;
    if (!room)
        return NULL;
    char *cursor = (char *)(room + 1);
    *room = (muc_room){.key = jabi_put(&cursor, jid->bare), .deadline = JAB_NEVER};
    *error = jabi_table_put(&state->rooms, x, room, JAB_MUC_ROOMS_MAX);
    if (*error == 0) {
        *error = jab_ext_track_room(x, jid, 1);
        if (*error == 0)
            return room;
        jabi_table_take(&state->rooms, room->key);
    }
    room_free(x, room);
    return NULL;
}

void jabi_muc_drop(jab_ext_ctx *x, muc_room *room)
{
    muc_state *state = jab_ext_state(x);
    jab_jid jid = jab_jid_view(room->key);
    (void)jab_ext_track_room(x, &jid, 0);
    jabi_table_take(&state->rooms, room->key);
    room_free(x, room);
}

int jabi_muc_set_nick(jab_ext_ctx *x, muc_room *room, jab_str nick)
{
    jab_str copy;
    if (jabi_strdup(jab_ext_mem(x), &copy, nick) < 0)
        return JAB_ENOMEM;
    jabi_free(jab_ext_mem(x), (char *)room->nick.p);
    room->nick = copy;
    return 0;
}

static muc_occupant *occupant_new(const jab_mem *mem, const jab_occupant *from)
{
    muc_occupant *o = jabi_alloc(mem, sizeof *o + from->nick.n + from->jid.full.n + 2);
    if (!o)
        return NULL;
    char *cursor = (char *)(o + 1);
    o->public = *from;
    o->key = o->public.nick = jabi_put(&cursor, from->nick);
    if (from->jid.full.p)
        o->public.jid = jab_jid_view(jabi_put(&cursor, from->jid.full));
    return o;
}

int jabi_muc_seat(jab_ext_ctx *x, muc_room *room, const jab_occupant *occupant, int *known)
{
    const jab_mem *mem = jab_ext_mem(x);
    muc_occupant *old = jabi_table_get(&room->occupants, occupant->nick);
    muc_occupant *o = occupant_new(mem, occupant);
    *known = old != NULL;
    if (!o)
        return JAB_ENOMEM;
    if (old) {
        jabi_table_replace(&room->occupants, old, o);
        jabi_free(mem, old);
        return 0;
    }
    int err = jabi_table_put(&room->occupants, x, o, JAB_MUC_OCCUPANTS_MAX);
    if (err < 0)
        jabi_free(mem, o);
    return err == JAB_ELIMIT ? 0 : err;
}

void jabi_muc_unseat(jab_ext_ctx *x, muc_room *room, jab_str nick)
{
    jabi_free(jab_ext_mem(x), jabi_table_take(&room->occupants, nick));
}

void jabi_muc_unseat_all(jab_ext_ctx *x, muc_room *room)
{
    for (size_t i = 0; i < room->occupants.n; i++)
        jabi_free(jab_ext_mem(x), room->occupants.items[i]);
    jabi_table_fini(&room->occupants);
}

void jabi_muc_end_leave(jab_ext_ctx *x, muc_room *room)
{
    jab_muc_left *ev = jab_ext_emit(x, JAB_EV_MUC_LEFT, sizeof *ev);
    if (ev)
        ev->room = jab_ext_text(x, room->key);
    jabi_muc_drop(x, room);
}

void jabi_muc_fail_join(jab_ext_ctx *x, muc_room *room, int error, const jab_stanza_error *refusal)
{
    jab_muc_joined *ev = jab_ext_emit_reply(x, JAB_EV_MUC_JOINED, room->tag, sizeof *ev);
    if (ev) {
        ev->error = error;
        ev->room = jab_ext_text(x, room->key);
        ev->nick = jab_ext_text(x, room->nick);
        if (refusal)
            ev->refusal = *refusal;
    }
    jabi_muc_drop(x, room);
}

static const muc_room *joined_room(jab_session *s, jab_str bare)
{
    const muc_room *room = jabi_muc_find(jab_ext_find(s, &jabi_ext_muc), bare);
    return room && room->phase == MUC_JOINED ? room : NULL;
}

jab_str jab_muc_own_nick(jab_session *s, jab_str bare)
{
    const muc_room *room = joined_room(s, bare);
    return room ? room->nick : (jab_str){NULL, 0};
}

size_t jab_muc_occupant_count(jab_session *s, jab_str bare)
{
    const muc_room *room = joined_room(s, bare);
    return room ? room->occupants.n : 0;
}

const jab_occupant *jab_muc_occupant_at(jab_session *s, jab_str bare, size_t i)
{
    const muc_room *room = joined_room(s, bare);
    if (!room || i >= room->occupants.n)
        return NULL;
    return &((const muc_occupant *)(const void *)room->occupants.items[i])->public;
}

const jab_occupant *jab_muc_occupant(jab_session *s, jab_str bare, jab_str nick)
{
    const muc_room *room = joined_room(s, bare);
    const muc_occupant *o = room ? jabi_table_get(&room->occupants, nick) : NULL;
    return o ? &o->public : NULL;
}
