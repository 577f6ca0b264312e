/* probe.c: asks the server for a sign of life. */
#include "session/session.h"

/* Whatever the answer is, the bytes that it came in were what mattered. */
static int ignore(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    (void)x;
    (void)tag;
    (void)reply;
    return 0;
}

/* XEP-0199 §4.2; RFC 6120 §8.2.3 makes a server answer that does not know it. */
static int ping(jab_session *s)
{
    jab_out *o = jab_iq_to(s, s->self->domain, JAB_IQ_GET);
    if (!o)
        return JAB_ENOMEM;
    o->fn = ignore;
    jab_out_child(o, "urn:xmpp:ping", "ping");
    return jab_out_send(o, 0);
}

int jabi_session_probe(jab_session *s, int64_t now)
{
    if (!jab_session_online(s))
        return JAB_EOFFLINE;
    s->now = now;
    return s->stream.sm.requested ? jabi_sm_ask(&s->stream) : ping(s);
}
