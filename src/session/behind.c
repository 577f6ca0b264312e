/*
 * behind.c: what became of messages without stream management: a question to
 * the server behind them, whose answer comes after they were dealt with
 * (RFC 6120 §10.1: stanzas of one sender are handled in order).
 */
#include "session/sm.h"

/* The tag is the serial of the last message in front of the question. Any
 * answer of the server will do, also that it does not know what was asked. */
static int on_answer(jab_ext_ctx *x, uint64_t serial, const jab_iq_reply *reply)
{
    jab_session *s = x->session;
    s->asks_behind = 0;
    if (reply->error == 0 || reply->error == JAB_ESTANZA)
        return jabi_sm_settle_upto(s, serial);
    if (reply->error == JAB_ETIMEOUT && !s->closed)
        jabi_session_fail_code(s, JAB_ETIMEOUT, "connection-timeout",
                               "the server does not answer: the connection is dead");
    return 0;
}

/* XEP-0199 §4.2, asked in the name of any extension, as it leads to the session. */
int jabi_sm_ask_behind(jab_session *s)
{
    if (s->asks_behind || s->closing || !jabi_sm_is_unmanaged(s))
        return 0;
    jab_out *o = jab_ext_iq(&s->exts[0], s->self->domain, JAB_IQ_GET, on_answer);
    jab_out_child(o, "urn:xmpp:ping", "ping");
    int err = jab_out_send(o, jabi_sm_last_serial(s));
    s->asks_behind = err >= 0;
    return jabi_is_fatal(err) ? err : 0;
}
