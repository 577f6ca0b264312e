/* roster.h: the table of contacts, between roster.c, roster_table.c and roster_store.c. */
#ifndef JABI_ROSTER_H
#define JABI_ROSTER_H

#include <jabiru/roster.h>

#include "ext/table.h"

#define NS_ROSTER "jabber:iq:roster"

typedef struct roster_state {
    jabi_table items;  /* of roster_entry, by full address */
    jab_str version;   /* owned; absent when unknown */
    int asked;         /* the roster was fetched on this stream, or is being */
    int asked_version; /* ... with the version of the table */
    int is_read;       /* the table is what the store has ... */
    uint64_t serial;   /* ... after so many changes */
} roster_state;

/* Adds or replaces a contact, copied. 0, JAB_ENOMEM, JAB_ELIMIT, JAB_ECRYPTO. */
int jabi_roster_put(jab_ext_ctx *x, const jab_roster_item *item);

/* Removes a contact, if it is there. */
void jabi_roster_drop(jab_ext_ctx *x, jab_str jid);

/* Removes all, and the version with them. */
void jabi_roster_clear(jab_ext_ctx *x);

int jabi_roster_set_version(jab_ext_ctx *x, jab_str version);
void jabi_roster_fini(jab_ext_ctx *x);

/* Reads the table from the store, unless it has it already. 0 or < 0. */
int jabi_roster_restore(jab_ext_ctx *x);

/* The same before the table is looked at, once. */
void jabi_roster_first_use(jab_ext_ctx *x);

/* Write one contact that changed, or all, to the store. 0 or < 0. */
int jabi_roster_keep(jab_ext_ctx *x, const jab_roster_item *item, int removed);
int jabi_roster_keep_all(jab_ext_ctx *x);

#endif
