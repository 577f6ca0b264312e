/*
 * last.h: last activity (XEP-0012): how long a client was idle, how long an
 * account has been offline, how long a server has been up.
 *
 * Only contacts that may see this account's presence get an answer: seconds
 * since the last message was sent. Others are refused.
 */
#ifndef JABIRU_LAST_H
#define JABIRU_LAST_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JAB_EV_LAST = JAB_EV(12, 1), /* data: jab_last_reply */
};

typedef struct jab_last_reply {
    int error;                /* 0, or as in jab_iq_reply; JAB_EPROTO: unreadable answer */
    jab_stanza_error refusal; /* with JAB_ESTANZA */
    jab_jid from;             /* all absent when no answer came */
    uint64_t seconds;
    jab_str status; /* the last one of an account that is offline; else empty */
} jab_last_reply;

/* Asks an entity. The event carries the tag. */
JAB_API int jab_last_query(jab_session *s, jab_str to, uint64_t tag);

#ifdef __cplusplus
}
#endif
#endif
