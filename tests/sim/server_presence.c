/* server_presence.c: presence of the model server: told to contacts, asked for, subscribed to. */
#include "server_own.h"

#include <stdlib.h>
#include <string.h>

static void send_presence(sim_server *server, srv_session *to, const char *from, const char *type,
                          const char *children)
{
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_addf(t, "<presence from='%s' to='%s'", from, to->jid);
    if (type)
        srv_addf(t, " type='%x'", type);
    srv_addf(t, ">%x</presence>", children);
    srv_send_text(server, to, t);
}

static void to_available(sim_server *server, srv_account *a, const char *from, const char *type,
                         const char *children)
{
    for (srv_session *s = a->sessions; s; s = s->next)
        if (s->available)
            send_presence(server, s, from, type, children);
}

/* To the own sessions and to the contacts who may know (RFC 6121 §4.2.2, §4.4.2, §4.5.2). */
static void broadcast(sim_server *server, srv_session *s, const char *type)
{
    srv_account *a = s->account;
    to_available(server, a, s->jid, type, s->presence);
    for (srv_contact *c = a->roster; c; c = c->next) {
        srv_account *other =
            c->removed || !(c->sub & SUB_FROM) ? NULL : srv_account_of(server, c->jid);
        if (other)
            to_available(server, other, s->jid, type, s->presence);
    }
}

void srv_presence_gone(sim_server *server, srv_session *s)
{
    s->available = false;
    s->presence = "";
    broadcast(server, s, "unavailable");
}

static void tell_all_of(sim_server *server, srv_session *s, const srv_account *other)
{
    for (srv_session *o = other->sessions; o; o = o->next)
        if (o != s && o->available)
            send_presence(server, s, o->jid, NULL, o->presence);
}

/* What a session that has become available is told of the others (RFC 6121 §4.3). */
static void tell_others(sim_server *server, srv_session *s)
{
    tell_all_of(server, s, s->account);
    for (srv_contact *c = s->account->roster; c; c = c->next) {
        const srv_account *other =
            c->removed || !(c->sub & SUB_TO) ? NULL : srv_account_of(server, c->jid);
        if (other)
            tell_all_of(server, s, other);
    }
}

static int priority_of(sim_server *server, const srv_session *s, const srv_node *node)
{
    srv_arena arena = {0};
    const srv_node *child = srv_child(node, NS_CLIENT, "priority");
    long value = child ? strtol(srv_text_of(&arena, child), NULL, 10) : 0;
    srv_arena_free(&arena);
    if (value < -128 || value > 127)
        srv_violation(server, s->conn, "a priority of %ld (RFC 6121 §4.7.2.3)", value);
    return (int)value;
}

static void available(sim_server *server, srv_session *s, srv_node *node)
{
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_adds(t, "");
    srv_write_children(t, node, NS_CLIENT);
    s->presence = srv_copy(&server->arena, t->p, t->n);
    s->priority = priority_of(server, s, node);
    s->since = ++server->order;
    bool first = !s->available;
    s->available = true;
    broadcast(server, s, NULL);
    if (first)
        tell_others(server, s);
    if (s->priority >= 0)
        srv_offline_deliver(server, s);
}

/* -- Subscriptions (RFC 6121 §3) ------------------------------------------------------- */

/* What each kind gives and takes, on the sender's side and on the other's. */
static const struct {
    const char *type;
    unsigned own_gains, own_loses, other_gains, other_loses;
} kinds[] = {
    {"subscribe", 0, 0, 0, 0},
    {"subscribed", SUB_FROM, 0, SUB_TO, 0},
    {"unsubscribe", 0, SUB_TO, 0, SUB_FROM},
    {"unsubscribed", 0, SUB_FROM, 0, SUB_TO},
};

static void change(sim_server *server, srv_account *a, const char *jid, unsigned gains,
                   unsigned loses, bool ask)
{
    srv_contact *c = srv_contact_of(a, jid);
    if (!c && !gains && !ask)
        return;
    c = srv_contact_make(server, a, jid);
    unsigned sub = (c->sub | gains) & ~loses;
    if (sub == c->sub && ask == c->ask)
        return;
    c->sub = sub;
    c->ask = ask;
    srv_roster_changed(server, a, c);
}

static void subscription(sim_server *server, srv_session *s, srv_node *node, size_t kind)
{
    srv_account *own = s->account;
    srv_account *other = srv_account_of(server, srv_attr_of(node, "to"));
    if (!other || other == own)
        return;
    bool ask = kind == 0;
    srv_contact *mine = srv_contact_of(own, other->jid), *theirs = srv_contact_of(other, own->jid);
    change(server, own, other->jid, kinds[kind].own_gains, kinds[kind].own_loses,
           ask || (kind != 2 && mine && mine->ask));
    if (!ask)
        change(server, other, own->jid, kinds[kind].other_gains, kinds[kind].other_loses,
               kind == 2 && theirs && theirs->ask);
    to_available(server, other, own->jid, kinds[kind].type, "");
    if (kind == 1) /* RFC 6121 §3.1.5 */
        for (srv_session *o = own->sessions; o; o = o->next)
            if (o->available)
                to_available(server, other, o->jid, NULL, o->presence);
}

/* -- Directed presence (RFC 6121 §4.6) --------------------------------------------------- */

static void directed(sim_server *server, const char *from, const srv_node *node)
{
    const char *to = srv_attr_of(node, "to"), *type = srv_attr_of(node, "type");
    srv_session *one = srv_session_of(server, to);
    srv_account *all = srv_resource(to) ? NULL : srv_account_of(server, to);
    srv_text t = {0};
    srv_adds(&t, "");
    srv_write_children(&t, node, NS_CLIENT);
    if (one)
        send_presence(server, one, from, type, t.p);
    else if (all)
        to_available(server, all, from, type, t.p);
    srv_text_free(&t);
}

void srv_presence_in(sim_server *server, srv_session *s, const char *from, srv_node *node)
{
    const char *type = srv_attr_of(node, "type"), *to = srv_attr_of(node, "to");
    for (size_t i = 0; s && to && i < sizeof kinds / sizeof *kinds; i++)
        if (srv_eq(type, kinds[i].type)) {
            subscription(server, s, node, i);
            return;
        }
    if (to && srv_is_room(server, to))
        srv_room_presence(server, from, node);
    else if (to)
        directed(server, from, node);
    else if (!s || (type && strcmp(type, "unavailable") != 0))
        srv_violation(server, s ? s->conn : NULL, "a presence of type '%s' to nobody (RFC 6121 §4)",
                      type ? type : "");
    else if (!type)
        available(server, s, node);
    else {
        if (s->available)
            srv_presence_gone(server, s);
        srv_rooms_leave(server, s->jid); /* RFC 6121 §4.6.3: directed presence too */
    }
}
