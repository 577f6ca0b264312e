/*
 * sm.h: what became of a message that was sent (XEP-0198 Stream Management).
 *
 * Where the server offers it, stream management is used by itself: what was
 * sent is kept until the server has acknowledged it, and when the connection
 * breaks, the next one takes the stream up where it ended. Then nothing is
 * lost or doubled in either direction, no extension starts anew, and
 * JAB_EV_RESUMED comes in place of JAB_EV_ONLINE.
 *
 * Stanzas that arrived are acknowledged once the application has pulled the
 * event after the last one that they caused; at a resumption, also those whose
 * events still wait in this session.
 */
#ifndef JABIRU_SM_H
#define JABIRU_SM_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JAB_EV_SENT = JAB_EV(198, 1),    /* data: jab_sent; the tag of jab_out_send() */
    JAB_EV_RESUMED = JAB_EV(198, 2), /* the broken stream goes on; `jid` as it was */
};

typedef enum jab_sent_state {
    JAB_SENT_DELIVERED, /* the server has taken responsibility for the message */
    JAB_SENT_UNKNOWN,   /* the stream ended for good before the server said so:
                         * the message may have arrived, or not */
} jab_sent_state;

/* The end of a message's way to the server; comes once for each message that
 * the application sent while stream management was on. */
typedef struct jab_sent {
    jab_str id; /* the stanza's id */
    jab_sent_state state;
} jab_sent;

/* Whether what is sent now will be reported by JAB_EV_SENT. */
JAB_API int jab_sm_active(const jab_session *s);

/* Whether the stream that ended may go on in the next connection: then nothing
 * that waits is lost yet. */
JAB_API int jab_sm_resumable(const jab_session *s);

/* Messages sent and not yet acknowledged. */
JAB_API size_t jab_sm_waiting(const jab_session *s);

/*
 * No further connection will be made: what waits is reported as unknown, open
 * requests as JAB_EOFFLINE, and the extensions start anew if one is made all
 * the same. client.h does this by itself when it gives up.
 */
JAB_API void jab_session_give_up(jab_session *s);

#ifdef __cplusplus
}
#endif
#endif
