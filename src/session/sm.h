/* sm.h: what the session's files ask of stream management (sm.c). */
#ifndef JABI_SESSION_SM_H
#define JABI_SESSION_SM_H

#include <jabiru/sm.h>

#include "session/session.h"

/* The resource is bound, anew or once more: the first bytes of the stream.
 * 0 or < 0. */
int jabi_sm_begin(jab_session *s);
int jabi_sm_resume(jab_session *s);

/* A stanza joins the output: kept until it is acknowledged. 0, JAB_ENOMEM, or
 * JAB_EAGAIN when too much waits. */
int jabi_sm_note(jab_session *s, const jab_out *o, uint64_t tag);

/* A stanza came. Where an event that is emitted now stands among them. */
void jabi_sm_count_in(jab_session *s);
jabi_event_from jabi_sm_stamp(const jab_session *s);

/* Once the application has pulled all, makes good an answer that had to leave
 * some out. */
void jabi_sm_pulled(jab_session *s);

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
