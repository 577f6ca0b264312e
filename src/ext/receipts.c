/* receipts.c: XEP-0184 Message Delivery Receipts: asked for and answered when
 * the configuration says so, and believed from whom the message went to. */
#include "ext/receipts.h"

#include "base/check.h"
#include "ext/ext.h"
#include "session/ext_out.h"
#include "session/recent.h"

#define NS "urn:xmpp:receipts"

/* -- Asking ----------------------------------------------------------------- */

void jab_out_ask_receipt(jab_out *o)
{
    jab_out_child(o, NS, "request");
    jab_out_end(o);
}

/* XEP-0184 §5.3: not in a room, where everybody would answer. */
static int ask(jab_ext_ctx *x, jab_out *o)
{
    jab_message_type type = jab_out_type(o);
    if (!(jab_ext_config(x)->receipts & JAB_RECEIPTS_ASK) || !jabi_out_is_ours(o) ||
        !jab_out_has_body(o) || type == JAB_MSG_GROUPCHAT || type == JAB_MSG_ERROR ||
        jabi_room_is_joined(jab_ext_session(x), o->to.bare) || jabi_out_has(o, NS, "request"))
        return 0;
    jab_out_ask_receipt(o);
    return 0;
}

/* -- What others say -------------------------------------------------------- */

int jabi_receipts_emit(jab_ext_ctx *x, const jab_stanza *st, jab_str id, uint32_t event,
                       int64_t key)
{
    jab_receipt *ev = jab_ext_emit(x, event, sizeof *ev);
    if (ev)
        *ev = (jab_receipt){jab_stanza_from(st), id, key, jab_stanza_via(st)};
    return JAB_PASS;
}

/* As the history files it: in a room each occupant is somebody of his own. */
static jab_str conversation_with_sender(const jab_stanza *st)
{
    jab_jid from = jab_stanza_from(st);
    return jab_stanza_via(st) & JAB_VIA_ROOM ? from.full : from.bare;
}

int jabi_receipts_claim(jab_ext_ctx *x, const jab_stanza *st, jab_str id, uint32_t event,
                        jab_own_state own)
{
    jab_session *s = jab_ext_session(x);
    const jabi_recent_row *row = jabi_recent_find(s, id);
    int is_right = row && jabi_recent_went_to(s, row, st);
    int64_t key = 0;
    int found = jabi_history_own_state(x, conversation_with_sender(st), id, own, &key);
    if (found < 0)
        return found;
    if (!JAB_CHECK(RECEIPT_SENDER, is_right || found))
        return JAB_PASS;
    return jabi_receipts_emit(x, st, id, event, key);
}

/* -- Answering -------------------------------------------------------------- */

/* XEP-0184 §5.5, §8: when it is received first, and to those only who may know
 * that somebody is there. */
static int may_answer(jab_ext_ctx *x, const jab_stanza *st)
{
    jab_jid from = jab_stanza_from(st);
    return (jab_ext_config(x)->receipts & JAB_RECEIPTS_ANSWER) && jab_stanza_id(st).n > 0 &&
           !(jab_stanza_via(st) & ~(unsigned)JAB_VIA_DELAYED) &&
           !jab_jid_bare_eq(&from, jab_session_jid(jab_ext_session(x))) &&
           JAB_CHECK(RECEIPT_TRUSTED, jab_peer_trusted(x, &from));
}

/* To the client that asked, while it may be there; as a message of its type. */
static int answer(jab_ext_ctx *x, const jab_stanza *st)
{
    jab_jid from = jab_stanza_from(st);
    int is_chat = jab_str_is(jab_stanza_type(st), "chat");
    int is_late = (jab_stanza_via(st) & JAB_VIA_DELAYED) != 0;
    jab_out *o = jabi_out_message(x, is_late ? jab_jid_view(from.bare) : from,
                                  is_chat ? JAB_MSG_CHAT : JAB_MSG_NORMAL);
    jab_out_child(o, NS, "received");
    jab_out_attr(o, "id", jab_stanza_id(st));
    int sent = jab_out_send(o, 0);
    return jabi_is_fatal(sent) ? sent : JAB_PASS;
}

/* Behind the history, which lets no copy of a message through to here. */
static int on_message(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    jab_str type = jab_stanza_type(st);
    jab_str id = jab_xml_attr(jab_xml_child(el, NS, "received"), "id");
    if (jab_str_is(type, "error") || jab_str_is(type, "groupchat"))
        return JAB_PASS;
    if (id.n > 0)
        return jabi_receipts_claim(x, st, id, JAB_EV_RECEIPT, JAB_OWN_RECEIVED);
    if (jab_xml_child(el, NS, "request") && may_answer(x, st))
        return answer(x, st);
    return JAB_PASS;
}

static const jab_route routes[] = {
    {JAB_STAGE_OBSERVE, JAB_MESSAGE, JAB_FROM_ANY, NULL, NULL, on_message},
};

const jab_ext jabi_ext_receipts = {
    .size = sizeof(jab_ext),
    .name = "receipts",
    .spec = "XEP-0184 1.4.0",
    .features = JAB_LIST(NS),
    .needs = JAB_LIST("history", "message", "roster"),
    JAB_ROUTES(routes),
    .outgoing = ask,
};
