/* sm.h: what the session's files ask of stream management (sm.c). */
#ifndef JABI_SESSION_SM_H
#define JABI_SESSION_SM_H

#include <jabiru/sm.h>

#include "session/session.h"

/* The resource is bound, anew or once more: the first bytes of the stream.
 * 0 or < 0. */
int jabi_sm_begin(jab_session *s);
int jabi_sm_resume(jab_session *s);

/* A stanza joins the output: kept until it is acknowledged, or, without
 * stream management and of the application, until jabi_sm_settle_upto(). */
typedef struct jabi_sent_stanza {
    jab_str xml, id, to;
    uint64_t tag, seq;
    int is_ours;
} jabi_sent_stanza;

/* Makes room for it: 0, JAB_ENOMEM, or JAB_EAGAIN when too much waits. Then
 * jabi_sm_add() cannot fail. */
int jabi_sm_reserve(jab_session *s, const jabi_sent_stanza *st);
void jabi_sm_add(jab_session *s, const jabi_sent_stanza *st);

/*
 * Without stream management: whether messages of the application were sent
 * since, the serial of the last one, and settling those up to a serial, which
 * the server has dealt with, as delivered. 0 or < 0.
 */
int jabi_sm_is_unmanaged(const jab_session *s);
uint64_t jabi_sm_last_serial(const jab_session *s);
int jabi_sm_settle_upto(jab_session *s, uint64_t serial);

/* behind.c: asks the server behind these messages, unless it is being asked;
 * its answer settles them. 0 or < 0. */
int jabi_sm_ask_behind(jab_session *s);

/* A message that is not settled came back: 1 and its tag, and it is not
 * reported any more; 0 when there is none of that id; < 0 on failure. */
int jabi_sm_failed(jab_session *s, jab_str id, uint64_t *tag);

/* The stream to resume, in the store: writes what is new about it, takes it
 * out when there is none; reads that of an earlier process. 0 or < 0. */
int jabi_sm_save(jab_session *s);
int jabi_sm_is_news(const jab_session *s);
void jabi_sm_claim(jab_session *s); /* before the stream is resumed by this process */
int jabi_sm_restore(jab_session *s);

/* A stanza came. Where an event that is emitted now stands among them. */
void jabi_sm_count_in(jab_session *s);
jabi_event_from jabi_sm_stamp(const jab_session *s);

/* Once the application has pulled all, makes good an answer that had to leave
 * some out. */
void jabi_sm_pulled(jab_session *s);

/* The stanza that is being routed is held back by an extension: it, and those
 * behind it, are not acknowledged until all are let go, and what became of
 * them is committed. */
void jabi_sm_hold(jab_session *s);
void jabi_sm_let_go(jab_session *s);
void jabi_sm_committed(jab_session *s);
uint32_t jabi_sm_kept(const jab_session *s); /* stanzas in front of them */

/* An element of XEP-0198. 0 or < 0. */
int jabi_sm_on_element(jab_session *s, const jab_xml *el);

/* Before bytes leave, and before </stream:stream>. */
void jabi_sm_before_out(jab_session *s);
void jabi_sm_before_close(jab_session *s);

/* When an unanswered question means that the connection is dead. */
void jabi_sm_tick(jab_session *s);
int64_t jabi_sm_deadline(const jab_session *s);

/* Whether the stream that ended may go on in the next; and if it does not:
 * what waited is told as unknown. */
int jabi_sm_may_resume(const jab_session *s);
void jabi_sm_lost(jab_session *s);

void jabi_sm_fini(jab_session *s);

#endif
