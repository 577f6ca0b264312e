/* server_session.c: sessions of the model server: made by binding, ended by closing or by time. */
#include "server_own.h"

#include <stdlib.h>

srv_session *srv_session_new(sim_conn *conn, const char *resource)
{
    sim_server *server = conn->server;
    srv_account *a = conn->account;
    srv_session *s = srv_alloc(&server->arena, sizeof *s);
    srv_text jid = {0};
    srv_adds(&jid, a->jid);
    srv_adds(&jid, "/");
    srv_adds(&jid, resource);
    s->jid = srv_dup(&server->arena, jid.p);
    srv_text_free(&jid);
    s->account = a;
    s->resource = resource;
    s->conn = conn;
    s->queue_end = &s->queue;
    s->presence = "";
    s->expires = s->ack_due = s->request_due = SIM_NEVER;
    srv_session **end = &a->sessions;
    while (*end)
        end = &(*end)->next;
    *end = s;
    return s;
}

static void take_out(srv_session *s)
{
    srv_session **at = &s->account->sessions;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->ended = true;
}

/* A carbon, a result or a room's message is not delivered in another way (XEP-0280 §9.3). */
static void treat_unacked(sim_server *server, srv_session *s)
{
    for (srv_item *item = s->queue; item; item = item->next)
        if (item->message && !item->copy)
            srv_message_unacked(server, item->message);
    s->queue = NULL;
}

void srv_session_end(sim_server *server, srv_session *s)
{
    take_out(s);
    s->conn = NULL;
    if (s->sm && s->resumable) {
        srv_ended *e = srv_alloc(&server->arena, sizeof *e);
        *e = (srv_ended){s->sm_id, s->in, s->account->ended};
        s->account->ended = e;
    }
    if (s->available)
        srv_presence_gone(server, s);
    srv_rooms_leave(server, s->jid);
    treat_unacked(server, s);
}

void srv_session_forget(sim_server *server, srv_session *s)
{
    for (srv_item *item = s->queue; item; item = item->next)
        if (item->message && !item->copy)
            item->message->pub.lost++;
    take_out(s);
    s->conn = NULL;
    srv_rooms_leave(server, s->jid);
}

void srv_session_detach(sim_server *server, srv_session *s)
{
    s->conn = NULL;
    if (!s->sm || !s->resumable) {
        srv_session_end(server, s);
        return;
    }
    s->expires = server->now + server->o.resume_ms;
    s->ack_due = s->request_due = SIM_NEVER;
    s->acks_owed = 0;
    s->awaiting = false;
}
