/*
 * time.h: an entity's time of day (XEP-0202). Questions from others are
 * answered in UTC, so that the time zone is not given away.
 */
#ifndef JABIRU_TIME_H
#define JABIRU_TIME_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JAB_EV_TIME = JAB_EV(202, 1), /* data: jab_time_reply */
};

typedef struct jab_time_reply {
    int error;                /* 0, or as in jab_iq_reply; JAB_EPROTO: unreadable answer */
    jab_stanza_error refusal; /* with JAB_ESTANZA */
    jab_jid from;             /* all absent when no answer came */
    int64_t utc;              /* ms since 1970 */
    int offset;               /* minutes east of UTC */
} jab_time_reply;

/* Asks an entity for its time. The event carries the tag. */
JAB_API int jab_time_query(jab_session *s, jab_str to, uint64_t tag);

#ifdef __cplusplus
}
#endif
#endif
