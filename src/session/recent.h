/*
 * recent.h: which messages the application sent lately, and to whom: what
 * comes back about one of them (an error, a receipt) is believed only from
 * there. Hashes are kept, not text, so that it stays small.
 */
#ifndef JABI_SESSION_RECENT_H
#define JABI_SESSION_RECENT_H

#include "session/session.h"

#define JABI_RECENT_MAX 256 /* messages remembered */

typedef struct jabi_recent_row {
    uint64_t id, full, bare;   /* hashes: of the stanza's id and of the address */
    uint64_t tag;              /* of jab_out_send() */
    int to_self;               /* it was sent without an address */
    int failed;                /* it came back ... */
    jabi_event_from failed_by; /* ... by this stanza */
} jabi_recent_row;

/* Makes the memory, once. 0, JAB_ENOMEM or JAB_ECRYPTO. */
int jabi_recent_begin(jab_session *s);

/* A message of the application leaves; `to` absent: to the own account. Only
 * after jabi_recent_begin(). */
void jabi_recent_note(jab_session *s, jab_str id, jab_str to, uint64_t tag);

/* The last message with this id; NULL when it was none of the last. */
jabi_recent_row *jabi_recent_find(jab_session *s, jab_str id);

/* Whether a message went to the sender of this stanza: the account that it was
 * addressed to; in a room exactly that occupant, or the room. */
int jabi_recent_went_to(const jab_session *s, const jabi_recent_row *row, const jab_stanza *st);

/* How it was addressed, in terms of the sender of a stanza about it. */
jab_str jabi_recent_to(const jab_session *s, const jabi_recent_row *row, const jab_stanza *st);

/* It came back, by the stanza that is being dealt with. */
void jabi_recent_fail(jab_session *s, jabi_recent_row *row);

/* What failed was kept, and told for good: it is not undone any more, whatever comes again. */
void jabi_recent_committed(jab_session *s);

/* What came since counts as not having come, and will come again. */
void jabi_recent_undo(jab_session *s);

void jabi_recent_fini(jab_session *s);

#endif
