/* last.c: XEP-0012 Last Activity: told to contacts that may know, asked of all. */
#include <jabiru/last.h>

#include "base/check.h"
#include "ext/ext.h"
#include "ext/text.h"

#define NS "jabber:iq:last"

typedef struct last_state {
    int64_t active; /* when the last message was sent, or the log-in */
} last_state;

/* XEP-0012 §4, §7: who may not see the presence may not see its history. */
static int on_query(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    (void)el;
    const last_state *state = jab_ext_state(x);
    jab_jid from = jab_stanza_from(st);
    if (!jabi_is_get(st))
        return JAB_PASS;
    if (!JAB_CHECK(LAST_TRUSTED, jab_peer_trusted(x, &from)))
        return jab_ext_refuse(x, st, "auth", "forbidden");
    jab_out *o = jab_ext_result(x, st);
    jab_out_child(o, NS, "query");
    jabi_out_attr_number(o, "seconds", (uint64_t)(jab_ext_now(x) - state->active) / 1000);
    return jabi_answered(jab_out_send(o, 0));
}

static int on_reply(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    jab_last_reply *ev = jab_ext_emit_reply(x, JAB_EV_LAST, tag, sizeof *ev);
    if (!ev)
        return 0;
    ev->error = jabi_reply_error(reply, NS, "query");
    ev->refusal = reply->refusal;
    ev->from = jabi_reply_from(reply);
    ev->status = jab_xml_text(reply->payload);
    if (ev->error == 0 &&
        jabi_number(jab_xml_attr(reply->payload, "seconds"), UINT64_MAX, &ev->seconds) < 0)
        ev->error = JAB_EPROTO;
    return 0;
}

int jab_last_query(jab_session *s, jab_str to, uint64_t tag)
{
    jab_out *o = jabi_ext_ask(s, &jabi_ext_last, to, JAB_IQ_GET, on_reply);
    jab_out_child(o, NS, "query");
    return jab_out_send(o, tag);
}

static int note_message(jab_ext_ctx *x, jab_out *o)
{
    last_state *state = jab_ext_state(x);
    if (jab_out_has_body(o))
        state->active = jab_ext_now(x);
    return 0;
}

static int on_online(jab_ext_ctx *x, int resumed)
{
    last_state *state = jab_ext_state(x);
    if (!resumed)
        state->active = jab_ext_now(x);
    return 0;
}

static const jab_route routes[] = {
    {JAB_STAGE_ANSWER, JAB_IQ, JAB_FROM_ANY, NS, "query", on_query},
};

const jab_ext jabi_ext_last = {
    .size = sizeof(jab_ext),
    .name = "last",
    .spec = "XEP-0012 2.0",
    .features = JAB_LIST(NS),
    .needs = JAB_LIST("roster"),
    .state_size = sizeof(last_state),
    JAB_ROUTES(routes),
    .outgoing = note_message,
    .online = on_online,
};
