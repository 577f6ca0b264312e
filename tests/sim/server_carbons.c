/* server_carbons.c: copies of messages for an account's other sessions (XEP-0280). */
#include "server_own.h"

#include <string.h>

/* XEP-0280 §6.1. */
static bool is_eligible(const srv_message *m)
{
    if (m->flags & MSG_PRIVATE)
        return false;
    if (strcmp(m->pub.type, "chat") == 0)
        return true;
    if (strcmp(m->pub.type, "normal") != 0)
        return false;
    return m->flags & (MSG_BODY | MSG_SIGNAL | MSG_STATE);
}

static void copy(sim_server *server, srv_session *s, srv_message *m, const char *direction,
                 const char *sid)
{
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_addf(t,
             "<message from='%s' to='%s' type='%x'><%x xmlns='" NS_CARBONS
             "'><forwarded xmlns='" NS_FORWARD "'>",
             s->account->jid, s->jid, m->pub.type, direction);
    srv_message_write(t, m, m->pub.from, m->pub.to, true, sid);
    srv_addf(t, "</forwarded></%x></message>", direction);
    srv_send(server, s, t->p, t->n, m, true);
    s->mark = m->pub.number + 1;
}

/* To every session of an account that wants copies and has none of this message. */
static void copies(sim_server *server, srv_account *a, srv_message *m, const char *direction,
                   const char *archive_id, const srv_session *without)
{
    const char *sid = srv_sid_xml(server, a->jid, archive_id);
    for (srv_session *s = a->sessions; s; s = s->next)
        if (s->carbons && s != without && s->mark != m->pub.number + 1)
            copy(server, s, m, direction, sid);
}

void srv_carbons_sent(sim_server *server, srv_message *m, srv_session *sender)
{
    if (server->o.carbons && is_eligible(m) && m->sender)
        copies(server, m->sender, m, "sent", m->sender_sid, sender);
}

void srv_carbons_received(sim_server *server, srv_message *m)
{
    if (server->o.carbons && is_eligible(m) && m->receiver && m->receiver != m->sender)
        copies(server, m->receiver, m, "received", m->receiver_sid, NULL);
}
