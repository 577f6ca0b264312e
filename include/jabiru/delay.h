/*
 * delay.h: when a stored stanza was sent (XEP-0203).
 *
 * Anyone can write a <delay/>. The library believes one that names this
 * account, its server, or the joined room that the stanza came from: it sets
 * jab_message.stamp and JAB_VIA_DELAYED (JAB_VIA_HISTORY in a room). The
 * function here reads what is claimed, believed or not.
 */
#ifndef JABIRU_DELAY_H
#define JABIRU_DELAY_H

#include <jabiru/stanza.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jab_delay {
    int64_t stamp;  /* ms since 1970 */
    jab_str from;   /* who says so, as written; absent when nobody is named */
    jab_str reason; /* "Offline storage"; may be empty */
} jab_delay;

/* The first well-formed <delay/> of a stanza: 1 and *d, or 0. */
JAB_API int jab_delay_claimed(const jab_stanza *st, jab_delay *d);

#ifdef __cplusplus
}
#endif
#endif
