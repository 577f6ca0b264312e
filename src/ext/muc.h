/* muc.h: rooms in memory, between muc.c, muc_presence.c, muc_room.c and muc_store.c. */
#ifndef JABI_MUC_H
#define JABI_MUC_H

#include <jabiru/muc.h>

#include "ext/ext.h"
#include "ext/table.h"

#define NS_MUC      "http://jabber.org/protocol/muc"
#define NS_MUC_USER "http://jabber.org/protocol/muc#user"

/* One occupant: a block with its text; the key is the nick. */
typedef struct muc_occupant {
    jab_str key;
    jab_occupant public;
} muc_occupant;

typedef enum muc_phase { MUC_JOINING, MUC_JOINED, MUC_LEAVING } muc_phase;

/* One room; the key is its bare address. */
typedef struct muc_room {
    jab_str key;
    jab_str nick; /* the own one, owned */
    muc_phase phase;
    uint64_t tag;     /* of the join */
    int64_t deadline; /* of joining or leaving; JAB_NEVER while in */
    jabi_table occupants;
} muc_room;

typedef struct muc_state {
    jabi_table rooms;
} muc_state;

/* muc_room.c */
muc_room *jabi_muc_find(jab_ext_ctx *x, jab_str bare);
muc_room *jabi_muc_add(jab_ext_ctx *x, const jab_jid *room, int *error);
void jabi_muc_drop(jab_ext_ctx *x, muc_room *room);
int jabi_muc_set_nick(jab_ext_ctx *x, muc_room *room, jab_str nick);
/* Copies an occupant in. *known: whether the nick was there before. */
int jabi_muc_seat(jab_ext_ctx *x, muc_room *room, const jab_occupant *occupant, int *known);
void jabi_muc_unseat(jab_ext_ctx *x, muc_room *room, jab_str nick);
void jabi_muc_unseat_all(jab_ext_ctx *x, muc_room *room);
/* Ends the room's life after leaving, when the room does not confirm it. */
void jabi_muc_end_leave(jab_ext_ctx *x, muc_room *room);
/* Ends the room's life with an answer to the join. */
void jabi_muc_fail_join(jab_ext_ctx *x, muc_room *room, int error, const jab_stanza_error *refusal);

/* muc_store.c: the own nick is this now, and the room is remembered with it; it
 * is not remembered any more. 0 or < 0. */
int jabi_muc_now_as(jab_ext_ctx *x, muc_room *room, jab_str nick);
int jabi_muc_forget(jab_ext_ctx *x, jab_str bare);

/* muc_presence.c */
int jabi_muc_on_presence(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el);

#endif
