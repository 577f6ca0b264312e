/* ping.c: XEP-0199 XMPP Ping, both ways. */
#include <jabiru/ping.h>

#include "base/mem.h"
#include "ext/ext.h"

#define NS         "urn:xmpp:ping"
#define FLIGHT_MAX 64 /* pings whose time of sending is kept */

/* When the pings under way were sent, oldest first. */
typedef struct ping_state {
    struct {
        uint64_t serial, tag;
        int64_t sent;
    } flight[FLIGHT_MAX];
    size_t n;
    uint64_t serial;
} ping_state;

static int on_ping(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    (void)el;
    if (!jabi_is_get(st))
        return JAB_PASS;
    return jabi_answered(jab_out_send(jab_ext_result(x, st), 0));
}

static int on_pong(jab_ext_ctx *x, uint64_t serial, const jab_iq_reply *reply)
{
    ping_state *p = jab_ext_state(x);
    size_t i = 0;
    while (i < p->n && p->flight[i].serial != serial)
        i++;
    if (i == p->n)
        return 0;
    uint64_t tag = p->flight[i].tag;
    int64_t took = jab_ext_now(x) - p->flight[i].sent;
    p->n--;
    memmove(&p->flight[i], &p->flight[i + 1], (p->n - i) * sizeof p->flight[0]);
    jab_pong *ev = jab_ext_emit_reply(x, JAB_EV_PONG, tag, sizeof *ev);
    if (ev)
        *ev = (jab_pong){reply->error, reply->refusal, jabi_reply_from(reply), took};
    return 0;
}

int jab_ping(jab_session *s, jab_str to, uint64_t tag)
{
    ping_state *p = jabi_ext_state_in(s, &jabi_ext_ping);
    if (p->n == FLIGHT_MAX)
        return JAB_EAGAIN;
    jab_out *o = jabi_ext_ask(s, &jabi_ext_ping, to, JAB_IQ_GET, on_pong);
    jab_out_child(o, NS, "ping");
    int r = jab_out_send(o, ++p->serial);
    if (r < 0)
        return r;
    p->flight[p->n].serial = p->serial;
    p->flight[p->n].tag = tag;
    p->flight[p->n++].sent = jab_ext_now(jab_ext_find(s, &jabi_ext_ping));
    return r;
}

static const jab_route routes[] = {
    {JAB_STAGE_ANSWER, JAB_IQ, JAB_FROM_ANY, NS, "ping", on_ping},
};

const jab_ext jabi_ext_ping = {
    .size = sizeof(jab_ext),
    .name = "ping",
    .spec = "XEP-0199 2.0.1",
    .features = JAB_LIST(NS),
    .state_size = sizeof(ping_state),
    JAB_ROUTES(routes),
};
