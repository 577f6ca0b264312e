/*
 * carbons.h: copies of the messages of the account's other clients
 * (XEP-0280). They arrive as JAB_EV_MESSAGE, with JAB_VIA_CARBON_SENT or
 * JAB_VIA_CARBON_RECEIVED among the flags.
 *
 * Copies are believed only from the own account, only after carbons were
 * switched on, and only if the message inside is from or to this account.
 */
#ifndef JABIRU_CARBONS_H
#define JABIRU_CARBONS_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JAB_EV_CARBONS = JAB_EV(280, 1), /* data: jab_carbons_reply */
};

typedef struct jab_carbons_reply {
    int error;                /* 0, or as in jab_iq_reply */
    jab_stanza_error refusal; /* with JAB_ESTANZA */
    int enabled;              /* 1: copies will come */
} jab_carbons_reply;

/* Switches copies on (XEP-0280 5) or off (6), for this stream and those that
 * resume it; to be repeated after an unresumed JAB_EV_ONLINE. A session with a store
 * switches them on by itself. The event
 * carries the tag. A server without carbons refuses. */
JAB_API int jab_carbons_enable(jab_session *s, uint64_t tag);
JAB_API int jab_carbons_disable(jab_session *s, uint64_t tag);

/* Keeps the message being built from being copied (XEP-0280 8). */
JAB_API void jab_out_private(jab_out *o);

#ifdef __cplusplus
}
#endif
#endif
