/* carbons.c: XEP-0280 Message Carbons: copies of what the account's other
 * clients send and get. */
#include <jabiru/carbons.h>
#include <jabiru/datetime.h>

#include "base/check.h"
#include "ext/ext.h"
#include "session/session.h"

#define NS         "urn:xmpp:carbons:2"
#define NS_FORWARD "urn:xmpp:forward:0"
#define NS_DELAY   "urn:xmpp:delay"

typedef struct carbons_state {
    int enabled;
} carbons_state;

/* Whether an address is this very client's, which knows what it sends. */
static int is_this_client(jab_ext_ctx *x, const jab_xml *inner, const char *attr)
{
    jab_jid_buf buf;
    jab_jid jid;
    return jab_jid_parse(&jid, jab_xml_attr(inner, attr), &buf) == 0 &&
           jab_jid_eq(&jid, jab_session_jid(jab_ext_session(x)));
}

/* XEP-0280 §6.1: what a room says to all is not copied, and nothing that was
 * asked not to be. */
static int is_copied(const jab_xml *inner)
{
    return !jab_str_is(jab_xml_attr(inner, "type"), "groupchat") &&
           !jab_xml_child(inner, NS, "private");
}

/* XEP-0280 §11: a copy that has nothing to do with this account is a lie. */
static int involves_account(jab_ext_ctx *x, const jab_xml *inner, const char *attr)
{
    jab_jid_buf buf;
    jab_jid jid;
    if (jab_jid_parse(&jid, jab_xml_attr(inner, attr), &buf) < 0)
        return 0;
    return jab_jid_bare_eq(&jid, jab_session_jid(jab_ext_session(x)));
}

static int unwrap(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el, unsigned via,
                  const char *own_side)
{
    const carbons_state *state = jab_ext_state(x);
    const jab_xml *forwarded = jab_xml_child(el, NS_FORWARD, "forwarded");
    const jab_xml *inner = jab_xml_child(forwarded, "jabber:client", "message");
    const jab_xml *delay = jab_xml_child(forwarded, NS_DELAY, "delay");
    int64_t stamp = 0;
    if (!JAB_CHECK(CARBON_ENABLED, state->enabled) || !inner ||
        !JAB_CHECK(CARBON_ACCOUNT, involves_account(x, inner, own_side)) || !is_copied(inner))
        return JAB_DONE;
    if (jab_datetime_parse(jab_xml_attr(delay, "stamp"), &stamp) < 0)
        stamp = 0;
    return jab_ext_unwrap(x, st, inner, via, stamp);
}

static int on_sent(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    const jab_xml *forwarded = jab_xml_child(el, NS_FORWARD, "forwarded");
    if (is_this_client(x, jab_xml_child(forwarded, "jabber:client", "message"), "from"))
        return JAB_DONE;
    return unwrap(x, st, el, JAB_VIA_CARBON_SENT, "from");
}

static int on_received(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    return unwrap(x, st, el, JAB_VIA_CARBON_RECEIVED, "to");
}

static void emit(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    const carbons_state *state = jab_ext_state(x);
    jab_carbons_reply *ev = jab_ext_emit_reply(x, JAB_EV_CARBONS, tag, sizeof *ev);
    if (ev)
        *ev = (jab_carbons_reply){reply->error, reply->refusal, state->enabled};
}

static int on_enabled(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    carbons_state *state = jab_ext_state(x);
    if (reply->error == 0)
        state->enabled = 1;
    emit(x, tag, reply);
    return 0;
}

static int on_disabled(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    carbons_state *state = jab_ext_state(x);
    if (reply->error == 0)
        state->enabled = 0;
    emit(x, tag, reply);
    return 0;
}

int jab_carbons_enable(jab_session *s, uint64_t tag)
{
    jab_out *o = jabi_ext_ask(s, &jabi_ext_carbons, (jab_str){NULL, 0}, JAB_IQ_SET, on_enabled);
    jab_out_child(o, NS, "enable");
    return jab_out_send(o, tag);
}

int jab_carbons_disable(jab_session *s, uint64_t tag)
{
    jab_out *o = jabi_ext_ask(s, &jabi_ext_carbons, (jab_str){NULL, 0}, JAB_IQ_SET, on_disabled);
    jab_out_child(o, NS, "disable");
    return jab_out_send(o, tag);
}

void jab_out_private(jab_out *o)
{
    jab_out_child(o, NS, "private");
    jab_out_end(o);
    jab_out_child(o, "urn:xmpp:hints", "no-copy");
    jab_out_end(o);
}

static int on_answer(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    carbons_state *state = jab_ext_state(x);
    (void)tag;
    if (reply->error == 0)
        state->enabled = 1;
    return 0;
}

/* In a session with a store, before anything else is asked or sent: no message
 * of another client is missing from then on. Copies that wait on the stream of an earlier
 * process were asked for by that one. */
static int on_online(jab_ext_ctx *x, int resumed)
{
    carbons_state *state = jab_ext_state(x);
    if (resumed)
        return 0;
    int was_inline = jab_ext_was_inline(x);
    state->enabled = was_inline || (jab_ext_store(x) && jab_ext_session(x)->stream.sm.resumed);
    if (!jab_ext_store(x) || was_inline)
        return 0;
    jab_out *o = jab_ext_iq(x, (jab_str){NULL, 0}, JAB_IQ_SET, on_answer);
    jab_out_child(o, NS, "enable");
    int err = jab_out_send(o, 0);
    return err == JAB_ENOMEM ? err : 0;
}

static const char *inline_name(jab_ext_ctx *x)
{
    return jab_ext_store(x) ? "enable" : NULL;
}

static const jab_route routes[] = {
    {JAB_STAGE_UNWRAP, JAB_MESSAGE, JAB_FROM_SELF, NS, "sent", on_sent},
    {JAB_STAGE_UNWRAP, JAB_MESSAGE, JAB_FROM_SELF, NS, "received", on_received},
};

const jab_ext jabi_ext_carbons = {
    .size = sizeof(jab_ext),
    .name = "carbons",
    .spec = "XEP-0280 1.0.1, XEP-0297 1.0",
    .features = JAB_LIST(NS),
    .state_size = sizeof(carbons_state),
    JAB_ROUTES(routes),
    .online = on_online,
    .inline_ns = NS,
    .inline_name = inline_name,
};
