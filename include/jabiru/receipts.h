/*
 * receipts.h: what the other side says of a message: that one of its clients
 * has it (XEP-0184 Message Delivery Receipts), or that it was displayed
 * (XEP-0333 Displayed Markers). Both tell the sender when somebody is there:
 * nothing is answered but to contacts that may see the presence.
 */
#ifndef JABIRU_RECEIPTS_H
#define JABIRU_RECEIPTS_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JAB_EV_RECEIPT = JAB_EV(184, 1),   /* data: jab_receipt */
    JAB_EV_DISPLAYED = JAB_EV(333, 1), /* data: jab_receipt */
};

/*
 * A message of one's own has arrived, or was displayed. Claims of others: `from`
 * is who says so, and the message went there: it is in the store, or, without
 * one, among the last 256 of this session.
 *
 * JAB_EV_DISPLAYED from the own account, with JAB_VIA_CARBON_SENT or
 * JAB_VIA_ARCHIVE: another client has displayed a message of the other party,
 * which is the `to` of the event's stanza.
 */
typedef struct jab_receipt {
    jab_jid from;
    jab_str id;     /* of the message */
    int64_t key;    /* of it in the store; 0 without one, or when it is not there */
    unsigned flags; /* enum jab_via: how this came */
} jab_receipt;

/* jab_config.receipts */
enum jab_receipts_flags {
    JAB_RECEIPTS_ASK = 1 << 0,    /* for each message with a body that is not to a room */
    JAB_RECEIPTS_ANSWER = 1 << 1, /* when a contact asks that may see the presence */
};

/* Asks for a receipt, or for a marker, in the message being built. */
JAB_API void jab_out_ask_receipt(jab_out *o);
JAB_API void jab_out_ask_displayed(jab_out *o);

/* Whether a message asks for a marker when it is displayed. */
JAB_API int jab_message_wants_displayed(const jab_message *m);

/* Says that a message, and those before it, was displayed. Does nothing (and
 * returns 0) when it does not ask for it, or the sender may not see the own
 * presence. Else what jab_out_send() returns. */
JAB_API int jab_mark_displayed(jab_session *s, const jab_message *m);

#ifdef __cplusplus
}
#endif
#endif
