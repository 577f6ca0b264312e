/*
 * message.h: reading messages and answering them (RFC 6121 5). Every message
 * that arrives, however it came, is a JAB_EV_MESSAGE.
 */
#ifndef JABIRU_MESSAGE_H
#define JABIRU_MESSAGE_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The subject that has no language of its own, else the first; absent without
 * one. Present and empty when a room's is taken away. */
JAB_API jab_str jab_message_subject(const jab_message *m);

/* The conversation's id (RFC 6121 5.2.5), and the one it came from. */
JAB_API jab_str jab_message_thread(const jab_message *m);
JAB_API jab_str jab_message_parent(const jab_message *m);

/*
 * The body in a language: with exactly that xml:lang, else one whose language
 * begins the same ("de" for "de-AT"), else the one without a language of its
 * own, else the first. `lang` absent: the last two. Absent without a body.
 */
JAB_API jab_str jab_message_body_in(const jab_message *m, jab_str lang);

/* The error in a message of type error: 1 and *e, else 0. */
JAB_API int jab_message_error(const jab_message *m, jab_stanza_error *e);

/*
 * Begins an answer: of the same type, in the same thread. To the room for
 * groupchat; to the resource that wrote, when the message came live
 * (RFC 6121 5.1); to the account, when it is a stored one or a copy; to the
 * other party, when it is a copy of an own message. The answer to a headline
 * is a normal message. A message of type error is not answered: the builder
 * then fails with JAB_EINVAL.
 */
JAB_API jab_out *jab_reply(jab_session *s, const jab_message *m);

#ifdef __cplusplus
}
#endif
#endif
