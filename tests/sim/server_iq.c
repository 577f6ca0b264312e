/* server_iq.c: what the model server answers: discovery, ping, carbons; and iqs between clients. */
#include "server_own.h"

#include <string.h>

/* "to" of the answer's "from": where the request was sent, nothing when that was not said. */
static void write_head(srv_text *t, const srv_session *s, const srv_node *iq, const char *type)
{
    const char *to = srv_attr_of(iq, "to");
    srv_addf(t, "<iq type='%x' to='%s' id='%s'", type, s->jid, srv_attr_of(iq, "id"));
    if (to)
        srv_addf(t, " from='%s'", to);
}

void srv_iq_result(sim_server *server, srv_session *s, const srv_node *iq, const char *payload)
{
    if (!s)
        return;
    srv_text *t = &server->scratch;
    t->n = 0;
    write_head(t, s, iq, "result");
    srv_addf(t, payload ? ">%x</iq>" : "/>", payload);
    srv_send_text(server, s, t);
}

void srv_iq_error(sim_server *server, srv_session *s, const srv_node *iq, const char *type,
                  const char *condition)
{
    if (!s)
        return;
    srv_text *t = &server->scratch;
    t->n = 0;
    write_head(t, s, iq, "error");
    srv_addf(t, "><error type='%x'><%x xmlns='" NS_STANZAS "'/></error></iq>", type, condition);
    srv_send_text(server, s, t);
}

/* -- The server itself and the own account ------------------------------------------ */

static void feature(srv_text *t, bool on, const char *name)
{
    if (on)
        srv_addf(t, "<feature var='%x'/>", name);
}

static void on_info(sim_server *server, srv_session *s, srv_node *iq, srv_node *query)
{
    const sim_server_options *o = &server->o;
    const char *to = srv_attr_of(iq, "to");
    bool host = srv_eq(to, o->domain), rooms = !host && srv_eq(to, o->muc);
    const char *node = srv_attr_of(query, "node");
    srv_text t = {0};
    srv_adds(&t, "<query xmlns='" NS_INFO "'");
    if (node)
        srv_addf(&t, " node='%s'", node);
    srv_adds(&t, host    ? "><identity category='server' type='im'/>"
                 : rooms ? "><identity category='conference' type='text'/>"
                         : "><identity category='account' type='registered'/>");
    feature(&t, true, NS_INFO);
    feature(&t, true, NS_ITEMS);
    feature(&t, host, NS_PING);
    feature(&t, host && o->carbons, NS_CARBONS);
    feature(&t, rooms, NS_MUC);
    feature(&t, !host && !rooms && o->archive, NS_MAM);
    feature(&t, !host && !rooms && o->archive, "urn:xmpp:mam:2#extended");
    feature(&t, !host && !rooms && o->stanza_id, NS_SID);
    srv_adds(&t, "</query>");
    srv_iq_result(server, s, iq, t.p);
    srv_text_free(&t);
}

static void on_items(sim_server *server, srv_session *s, srv_node *iq, srv_node *query)
{
    const char *to = srv_attr_of(iq, "to");
    (void)query;
    srv_text t = {0};
    srv_adds(&t, "<query xmlns='" NS_ITEMS "'>");
    if (srv_eq(to, server->o.domain) && server->o.muc)
        srv_addf(&t, "<item jid='%s'/>", server->o.muc);
    for (const srv_room *r = srv_eq(to, server->o.muc) ? server->rooms : NULL; r; r = r->next)
        srv_addf(&t, "<item jid='%s'/>", r->jid);
    srv_adds(&t, "</query>");
    srv_iq_result(server, s, iq, t.p);
    srv_text_free(&t);
}

static void on_nothing(sim_server *server, srv_session *s, srv_node *iq, srv_node *payload)
{
    (void)payload;
    srv_iq_result(server, s, iq, NULL);
}

static void on_carbons(sim_server *server, srv_session *s, srv_node *iq, srv_node *payload)
{
    bool enable = srv_is(payload, NULL, "enable");
    if (!server->o.carbons || !srv_eq(srv_attr_of(iq, "type"), "set")) {
        srv_iq_error(server, s, iq, "cancel", "service-unavailable");
        return;
    }
    s->carbons = enable;
    srv_iq_result(server, s, iq, NULL);
}

static void on_archive(sim_server *server, srv_session *s, srv_node *iq, srv_node *payload)
{
    const char *to = srv_attr_of(iq, "to");
    if (!server->o.archive || srv_eq(to, server->o.domain))
        srv_iq_error(server, s, iq, "cancel", "service-unavailable");
    else
        srv_archive_iq(server, s, iq, payload, &s->account->archive, s->account->jid);
}

static const struct {
    const char *ns, *name;
    void (*handle)(sim_server *server, srv_session *s, srv_node *iq, srv_node *payload);
} handlers[] = {
    {NS_ROSTER, "query", srv_roster_iq}, {NS_INFO, "query", on_info},
    {NS_ITEMS, "query", on_items},       {NS_PING, "ping", on_nothing},
    {NS_SESSION, "session", on_nothing}, {NS_CARBONS, "enable", on_carbons},
    {NS_CARBONS, "disable", on_carbons}, {NS_MAM, NULL, on_archive},
};

static srv_node *payload_of(const srv_node *iq)
{
    return srv_child(iq, NULL, NULL);
}

static void to_server(sim_server *server, srv_session *s, srv_node *iq)
{
    srv_node *payload = payload_of(iq);
    for (size_t i = 0; payload && i < sizeof handlers / sizeof *handlers; i++)
        if (srv_is(payload, handlers[i].ns, handlers[i].name)) {
            handlers[i].handle(server, s, iq, payload);
            return;
        }
    srv_iq_error(server, s, iq, "cancel", "service-unavailable");
}

/* -- Between clients ------------------------------------------------------------------ */

static void forward(sim_server *server, srv_session *to, const char *from, srv_node *iq)
{
    srv_text *t = &server->scratch;
    srv_arena arena = {0};
    t->n = 0;
    srv_set_attr(&arena, iq, "from", from);
    srv_write(t, iq, NS_CLIENT);
    srv_send_text(server, to, t);
    srv_arena_free(&arena);
}

static bool is_answer(const srv_node *iq)
{
    const char *type = srv_attr_of(iq, "type");
    return srv_eq(type, "result") || srv_eq(type, "error");
}

/* Whom it concerns: this server, when it is to it or to the own bare address. */
static bool is_for_server(const sim_server *server, const srv_session *s, const char *to)
{
    return !to || strcmp(to, server->o.domain) == 0 || srv_eq(to, server->o.muc) ||
           (s && strcmp(to, s->account->jid) == 0);
}

void srv_iq_in(sim_server *server, srv_session *s, const char *from, srv_node *iq)
{
    const char *to = srv_attr_of(iq, "to"), *type = srv_attr_of(iq, "type");
    bool asks = srv_eq(type, "get") || srv_eq(type, "set");
    const sim_conn *conn = s ? s->conn : NULL;
    if (!asks && !is_answer(iq)) {
        srv_violation(server, conn, "an iq of type '%s' (RFC 6120 §8.2.3)", type ? type : "");
        return;
    }
    if (asks && !payload_of(iq))
        srv_violation(server, conn, "an iq without a payload (RFC 6120 §8.2.3)");
    srv_session *other = to ? srv_session_of(server, to) : NULL;
    if (is_for_server(server, s, to)) {
        if (asks && s)
            to_server(server, s, iq);
    } else if (other)
        forward(server, other, from, iq);
    else if (asks && srv_is_room(server, to))
        srv_room_iq(server, s, iq);
    else if (asks) /* RFC 6121 §8.5.2, §8.5.3.2.3 */
        srv_iq_error(server, s, iq, "cancel", "service-unavailable");
}
