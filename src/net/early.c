/*
 * early.c: the stream that begins before the handshake of TLS is over (RFC 8446 §2.3). The
 * core says whether: what leaves early can be replayed, and only a token's counter makes
 * that harmless (XEP-0484 §3.4).
 */
#include "net/conn.h"

/* The bytes stay the session's until the server is known to have taken them. */
static int send_early(jab_client *c, size_t room)
{
    jab_str out = jab_session_out(c->session);
    if (out.n > room)
        return 0; /* RFC 8446 §4.2.10: all of it leaves after the handshake */
    return jabi_tls_send_early(c->tls, out.p, out.n);
}

int jabi_early_begin(jab_client *c)
{
    size_t room = jabi_tls_early_room(c->tls);
    if (room == 0)
        return 0;
    int begun = jab_session_early(c->session, &c->tls->info, jabi_now());
    if (begun != 1)
        return begun;
    c->is_early = 1;
    return send_early(c, room);
}

int jabi_early_done(jab_client *c)
{
    c->is_early = 0;
    jab_session_out_done(c->session, jabi_tls_early_taken(c->tls));
    return jab_session_early_done(c->session, &c->tls->info, jabi_now());
}
