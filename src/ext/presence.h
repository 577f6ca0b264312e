/* presence.h: the table of who is online, between presence.c and
 * presence_table.c. */
#ifndef JABI_PRESENCE_H
#define JABI_PRESENCE_H

#include <jabiru/presence.h>

#include "ext/table.h"

typedef struct presence_state {
    jabi_table peers; /* by bare address */
    size_t strangers; /* resources kept of addresses that are not in the roster */
    uint64_t serial;  /* of the presence noted last */
} presence_state;

/* Keeps an available presence. 0 or JAB_ENOMEM, JAB_ECRYPTO; what goes beyond
 * the limits is left out. */
int jabi_presence_note(jab_ext_ctx *x, const jab_presence *p);

/* Forgets a resource, or all of them when the address is bare. */
void jabi_presence_forget(jab_ext_ctx *x, const jab_jid *jid);

/* Forgets everybody. */
void jabi_presence_clear(jab_ext_ctx *x);

/* The <show/> and the priority of a presence, as far as they can be read. */
jab_show jabi_presence_show(const jab_xml *el);
int jabi_presence_priority(const jab_xml *el);

#endif
