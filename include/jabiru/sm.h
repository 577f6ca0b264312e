/*
 * sm.h: what becomes of a message that was sent (XEP-0198 Stream Management).
 * Where the server does not offer that, a session with a store asks behind its
 * messages (RFC 6120 10.1: in order), and one without reports nothing.
 *
 * What was sent is kept until the server has acknowledged it, and when the
 * connection breaks, the next one takes the stream up where it ended. Then
 * nothing is lost or doubled in either direction, no extension starts anew,
 * and JAB_EV_RESUMED comes in place of JAB_EV_ONLINE.
 *
 * In a session with a store (store.h), a message that jab_out_send() accepted
 * is on the disk when the call returns, and is accepted while offline, too. It
 * carries an origin id (XEP-0359). When a stream could not be resumed, or
 * the program was killed, a message that may have left is looked for in the
 * account's archive (a room's message in the room's, once that is joined), and
 * sent again only when it is not there. JAB_EV_SENT then carries the tag that
 * the message was sent with, by whichever process. A message to a room (type
 * groupchat) leaves once the room is joined.
 *
 * Stanzas that arrived are acknowledged once the application has pulled the
 * event after the last one that they caused, and what is to be kept of them is
 * kept; at a resumption, also those whose events still wait in this session.
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
    JAB_SENT_UNKNOWN,   /* the stream ended for good before the server said so, and no
                         * archive tells: the message may have arrived, or not */
    JAB_SENT_FAILED,    /* it came back (`refusal`), also after it was delivered to the own
                         * server; or jab_outbox_withdraw() took it out before it left */
} jab_sent_state;

/* How far a message got. DELIVERED or UNKNOWN comes once for each message that
 * the application sent, unless FAILED came before. */
typedef struct jab_sent {
    jab_str id; /* the stanza's id */
    jab_sent_state state;
    jab_str to;               /* as it was addressed; absent to the own account */
    jab_stanza_error refusal; /* with JAB_SENT_FAILED that came back, else all absent */
    int64_t key;              /* of the message in the store; 0 without one */
} jab_sent;

/* Messages of the application that are accepted and not settled. */
JAB_API size_t jab_outbox_count(const jab_session *s);

/*
 * Gives up what waits, as a program does that ends and reports: a message that
 * has not left is JAB_SENT_FAILED, one that may have left JAB_SENT_UNKNOWN, and
 * no later session sends them. Returns 0; JAB_ESTORE, JAB_ENOMEM: a later process
 * may still send them, also those that were reported.
 */
JAB_API int jab_outbox_withdraw(jab_session *s);

/* The same for the messages whose tags are from `first` to `last`, as a program does
 * that leaves what others have put there. */
JAB_API int jab_outbox_withdraw_tags(jab_session *s, uint64_t first, uint64_t last);

/*
 * Makes durable what was pulled, with jab_config.commit_by_caller: call it when
 * a message that was pulled has been dealt with. Until then no further one is
 * taken, jab_out_send() says JAB_EAGAIN to a message, and what waits in the outbox
 * does not leave; jab_outbox_withdraw() commits, too. A message that was not committed
 * when the program ends comes again. Returns 0; JAB_ESTORE: what was pulled since
 * the last commit is to be forgotten, the stream ends, and it will come again.
 */
JAB_API int jab_session_commit(jab_session *s);

/* Whether the server acknowledges what is sent now. */
JAB_API int jab_sm_active(const jab_session *s);

/* Whether the stream that ended may go on in the next connection: then nothing
 * that waits is lost yet. */
JAB_API int jab_sm_resumable(const jab_session *s);

/* Messages sent and not yet acknowledged. */
JAB_API size_t jab_sm_waiting(const jab_session *s);

/*
 * No further connection will be made: open requests are reported as
 * JAB_EOFFLINE, and the extensions start anew if one is made all the same. What
 * waits is reported as unknown; with a store it is not, as a later process may
 * learn it, or send it. client.h does this by itself when it gives up.
 */
JAB_API void jab_session_give_up(jab_session *s);

#ifdef __cplusplus
}
#endif
#endif
