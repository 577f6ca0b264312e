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
 * for the same of the room's archive; those that never left do not, but for the
 * room to be joined.
 */

/* How many rows are in doubt. */
size_t jabi_outbox_in_doubt(const jab_session *s, jab_str archive);

/* Whether a message of this id, which may have left earlier, is one of them. */
int jabi_outbox_is_doubted(const jab_session *s, jab_str archive, jab_str id);

/* A message of the own account stands in the archive. When it is a row that is
 * not settled, it is delivered: returns 1, else 0; < 0 on failure. */
int jabi_outbox_found(jab_session *s, jab_str archive, jab_str origin_id);

/* The archive has been read to its end from before the rows in doubt: what was not
 * found is sent again. 0 or < 0. */
int jabi_outbox_absent(jab_session *s, jab_str archive);

/* The own archive does not work: what has never left waits for it no longer, only
 * what is in doubt does. */
void jabi_outbox_let_go(jab_session *s);

/* The place to look from is not known any more: as after a log-in. */
void jabi_outbox_hold(jab_session *s);

/* There is no archive to ask: rows in doubt are settled as unknown. 0 or < 0. */
int jabi_outbox_unknowable(jab_session *s, jab_str archive);

/* -- For the session ------------------------------------------------------------- */

/* What earlier processes left. 0 or < 0. */
int jabi_outbox_load(jab_session *s);
void jabi_outbox_fini(jab_session *s);

/* Whether a message goes through the outbox; puts it in, durably, and sends
 * it when it may leave. 0 or < 0. */
int jabi_outbox_takes(const jab_out *o);
int jabi_outbox_accept(jab_out *o, uint64_t tag);

/* Sends what waits, as far as there is room. 0 or < 0. */
int jabi_outbox_pump(jab_session *s);

/* A row is settled: takes it out and says so. A `seq` that is not there (any
 * more) is fine. 0 or < 0. */
int jabi_outbox_settle(jab_session *s, uint64_t seq, jab_sent_state state);
int jabi_outbox_take_out(jab_session *s, uint64_t seq); /* and says nothing */

/* A message that left came back: takes its row out and says nothing. 1 and
 * its tag; 0 when there is none; < 0 on failure. */
int jabi_outbox_failed(jab_session *s, jab_str id, uint64_t *tag);

/* A stream that a row had left on is gone. */
void jabi_outbox_doubt(jab_session *s, uint64_t seq);

/* The stream of an earlier process: the server had `h` of its stanzas. It
 * goes on, or not. 0 or < 0. */
int jabi_outbox_saved(jab_session *s, uint32_t h, int has_h, int goes_on);

/* After a lost transaction: what only it said came back is in doubt; the rest
 * is said again, later. And: that is committed. */
void jabi_outbox_undo(jab_session *s);
int jabi_outbox_named(jab_session *s);  /* the stream on which some left may be resumed */
int jabi_outbox_resent(jab_session *s); /* what never left does now */
int jabi_outbox_redo(jab_session *s);
void jabi_outbox_committed(jab_session *s);

/* Rows as they are written (outbox_store.c). */
int jabi_outbox_write(jab_session *s, const jabi_outbox_row *row, jab_str xml);
int jabi_outbox_mark(jab_session *s, const jabi_outbox_row *row);
int jabi_outbox_erase(jab_session *s, uint64_t seq);
int jabi_outbox_xml(jab_session *s, uint64_t seq, jabi_buf *to);
jabi_outbox_row *jabi_outbox_add_row(jab_session *s, const jabi_outbox_row *row, jab_str id,
                                     jab_str to);
jabi_outbox_row *jabi_outbox_at(jab_session *s, size_t i);
jabi_outbox_row *jabi_outbox_find(jab_session *s, uint64_t seq); /* or NULL */

static inline jab_str jabi_outbox_id(const jabi_outbox_row *row)
{
    return (jab_str){row->text, row->id_n};
}

static inline jab_str jabi_outbox_to(const jabi_outbox_row *row)
{
    return (jab_str){row->to_n ? row->text + row->id_n : NULL, row->to_n};
}

#endif
