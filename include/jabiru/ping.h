/*
 * ping.h: whether an entity answers (XEP-0199). Pings from others are
 * answered by themselves.
 */
#ifndef JABIRU_PING_H
#define JABIRU_PING_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JAB_EV_PONG = JAB_EV(199, 1), /* data: jab_pong */
};

typedef struct jab_pong {
    int error;                /* 0; JAB_ESTANZA: refused, which is an answer, too */
    jab_stanza_error refusal; /* with JAB_ESTANZA */
    jab_jid from;             /* all absent when no answer came */
    int64_t took;             /* milliseconds on the session's clock */
} jab_pong;

/* Pings an entity; `to` absent: the own server. The event carries the tag. */
JAB_API int jab_ping(jab_session *s, jab_str to, uint64_t tag);

#ifdef __cplusplus
}
#endif
#endif
