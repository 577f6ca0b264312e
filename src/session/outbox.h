/*
 * outbox.h: messages of the application in a session with a store: from
 * jab_out_send() until they are settled. See sm.h for what that means.
 *
 * A row waits, or it has left on some stream. What has left on a stream that
 * is gone is in doubt: the archive tells whether it arrived.
 */
#ifndef JABI_SESSION_OUTBOX_H
#define JABI_SESSION_OUTBOX_H

#include <jabiru/sm.h>

#include "session/session.h"

/*
 * -- For the extension that reads archives (ext/history.c) ---------------------
 *
 * `archive` is the own bare address for all messages but those to rooms, or a
 * room's bare address. After each log-in that did not resume, nothing of the
 * own account's outbox leaves until one of jabi_outbox_absent() and
 * jabi_outbox_unknowable() was called for it: there must be a known place in the
 * archive to look from before anything new leaves. A room's rows in doubt wait
 * for the same of the room's archive; those that never left do not.
 */

/* How many rows are in doubt. */
size_t jabi_outbox_in_doubt(const jab_session *s, jab_str archive);

/* A message of the own account stands in the archive. When it is a row that is
 * not settled, it is delivered: returns 1, else 0; < 0 on failure. */
int jabi_outbox_found(jab_session *s, jab_str archive, jab_str origin_id);

/* The archive has been read to its end from before the rows in doubt: what was not
 * found is sent again. 0 or < 0. */
int jabi_outbox_absent(jab_session *s, jab_str archive);

/* There is no archive to ask: rows in doubt are settled as unknown. 0 or < 0. */
int jabi_outbox_unknowable(jab_session *s, jab_str archive);

#endif
