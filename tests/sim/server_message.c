/* server_message.c: messages of the model server: taken in, routed, kept offline, sent back. */
#include "server_own.h"

#include <string.h>

/* -- Taking one in --------------------------------------------------------------- */

static const struct {
    const char *ns, *name;
    unsigned flag;
} payloads[] = {
    {NS_CLIENT, "body", MSG_BODY},
    {NS_CLIENT, "subject", MSG_SUBJECT},
    {NS_CLIENT, "thread", MSG_THREAD},
    {NS_CARBONS, "private", MSG_PRIVATE},
    {NS_HINTS, "no-copy", MSG_PRIVATE},
    {NS_HINTS, "no-store", MSG_NO_STORE | MSG_NO_ARCHIVE},
    {NS_HINTS, "no-permanent-store", MSG_NO_ARCHIVE},
    {NS_HINTS, "store", MSG_STORE},
    {NS_RECEIPTS, NULL, MSG_SIGNAL},
    {NS_MARKERS, NULL, MSG_SIGNAL},
    {NS_STATES, NULL, MSG_STATE},
    {NS_MUC_USER, "x", MSG_MUC},
};

static unsigned flags_of(const srv_node *node)
{
    unsigned flags = 0;
    for (const srv_node *c = node->first; c; c = c->next)
        for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
            if (srv_is(c, payloads[i].ns, payloads[i].name))
                flags |= payloads[i].flag;
    return flags;
}

/* Ids that only this server may give are taken out (XEP-0359 §3), unless it knows nothing of them;
 * a room also takes out what tells a real address (XEP-0313 §7.1.2). */
static void strip(sim_server *server, srv_node *node, bool to_room)
{
    bool gives = server->o.stanza_id || server->o.archive;
    for (srv_node *c = node->first, *next; c; c = next) {
        next = c->next;
        const char *by = srv_is(c, NS_SID, "stanza-id") ? srv_attr_of(c, "by") : NULL;
        bool own = gives && by && (srv_account_of(server, by) || srv_is_room(server, by));
        if (own || (to_room && srv_is(c, NS_MUC_USER, "x")))
            srv_remove(node, c);
    }
}

static const char *ready_attrs(sim_server *server, const srv_node *node)
{
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_adds(t, "");
    for (const srv_attr *a = node->attrs; a; a = a->next)
        if (strcmp(a->name, "from") != 0 && strcmp(a->name, "to") != 0)
            srv_addf(t, " %x='%s'", a->name, a->value);
    return srv_copy(&server->arena, t->p, t->n);
}

static const char *ready_children(sim_server *server, const srv_node *node)
{
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_adds(t, "");
    srv_write_children(t, node, NS_CLIENT);
    return srv_copy(&server->arena, t->p, t->n);
}

static const char *child_text(sim_server *server, const srv_node *node, const char *name)
{
    const srv_node *child = srv_child(node, NS_CLIENT, name);
    return child ? srv_text_of(&server->arena, child) : NULL;
}

static const char *type_of(sim_server *server, const sim_conn *conn, const srv_node *node)
{
    static const char *const types[] = {"normal", "chat", "groupchat", "headline", "error"};
    const char *type = srv_attr_of(node, "type");
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i], type) == 0)
            return types[i];
    if (type)
        srv_violation(server, conn, "a message of type '%s' (RFC 6121 §5.2.2)", type);
    return types[0];
}

static srv_message *message_new(sim_server *server, srv_account *sender, const char *from,
                                const sim_conn *conn, srv_node *node)
{
    srv_arena *arena = &server->arena;
    srv_message *m = srv_alloc(arena, sizeof *m);
    const char *to = srv_attr_of(node, "to");
    const srv_node *origin = srv_child(node, NS_SID, "origin-id");
    m->pub.number = (uint32_t)server->messages_n;
    m->pub.at = server->now;
    m->wall = srv_wall(server);
    m->pub.from = srv_dup(arena, from);
    m->pub.to = to ? srv_dup(arena, to) : srv_bare(arena, from); /* RFC 6120 §10.3.1 */
    m->pub.type = type_of(server, conn, node);
    m->pub.id = srv_dup(arena, srv_attr_of(node, "id"));
    m->pub.origin_id = origin ? srv_dup(arena, srv_attr_of(origin, "id")) : NULL;
    m->pub.body = child_text(server, node, "body");
    m->sender = sender;
    m->receiver = srv_account_of(server, m->pub.to);
    strip(server, node, srv_is_room(server, m->pub.to));
    m->flags = flags_of(node);
    m->attrs = ready_attrs(server, node);
    m->children = ready_children(server, node);
    if (server->messages_n == server->messages_room) {
        server->messages_room = server->messages_room * 2 + 32;
        server->messages =
            srv_realloc(server->messages, server->messages_room * sizeof(srv_message *));
    }
    return server->messages[server->messages_n++] = m;
}

static bool same(const char *a, const char *b)
{
    return (!a && !b) || srv_eq(a, b);
}

/* An id must not stand for two messages; and within a session, which tells what arrived when it is
 * resumed, the same message must not come twice. */
static void check_id(sim_server *server, const srv_session *s, srv_message *m)
{
    if (!m->pub.id || !m->sender)
        return;
    void **place = srv_seen_place(server, m->sender, m->pub.id);
    const srv_message *before = *place;
    if (before && (!same(before->pub.body, m->pub.body) || !same(before->pub.to, m->pub.to)))
        srv_violation(server, s ? s->conn : NULL,
                      "message id '%s' used for two messages (RFC 6120 §8.1.3)", m->pub.id);
    else if (before)
        m->pub.again = before->pub.again + 1;
    *place = m;
    if (!s)
        return;
    place = srv_seen_place(server, s, m->pub.id);
    before = *place;
    if (before && !before->pub.bounced)
        srv_violation(server, s->conn, "message id '%s' sent twice in one session (XEP-0198 §5)",
                      m->pub.id);
    *place = m;
}

/* XEP-0313 §7.1.1, and what XEP-0334 asks for. */
static bool is_archived(const sim_server *server, const srv_message *m)
{
    const char *type = m->pub.type;
    if (!server->o.archive || (strcmp(type, "chat") != 0 && strcmp(type, "normal") != 0))
        return false;
    if (m->flags & MSG_NO_ARCHIVE)
        return false;
    unsigned wanted = MSG_BODY | MSG_STORE;
    if (server->o.archive_signals)
        wanted |= MSG_SIGNAL;
    return m->flags & wanted;
}

/* Both sides' archives; a message to oneself is in the one archive once (XEP-0313 §7.1.1). */
static void archive_sent(sim_server *server, srv_message *m)
{
    if (!m->sender || !is_archived(server, m))
        return;
    m->sender_sid = srv_archive_add(server, &m->sender->archive, m, m->pub.from, m->pub.to);
    if (m->receiver == m->sender)
        m->receiver_sid = m->sender_sid;
}

static void archive_received(sim_server *server, srv_message *m)
{
    if (m->receiver && m->receiver != m->sender && is_archived(server, m))
        m->receiver_sid = srv_archive_add(server, &m->receiver->archive, m, m->pub.from, m->pub.to);
}

static bool is_foreign(const sim_server *server, const char *jid)
{
    const char *at = strchr(jid, '@');
    const char *domain = at && at < jid + strcspn(jid, "/") ? at + 1 : jid;
    const char *own[] = {server->o.domain, server->o.muc};
    for (int i = 0; i < 2; i++)
        if (own[i] && srv_same_bare(own[i], domain))
            return false;
    return true;
}

srv_message *srv_message_in(sim_server *server, srv_account *sender, const char *from,
                            srv_session *s, srv_node *node)
{
    srv_message *m = message_new(server, sender, from, s ? s->conn : NULL, node);
    check_id(server, s, m);
    bool room = srv_is_room(server, m->pub.to);
    bool groupchat = strcmp(m->pub.type, "groupchat") == 0;
    bool is_late = !room && srv_late_takes(server, m);
    if (!(room && groupchat))
        archive_sent(server, m);
    if (is_late) {
        srv_late_put(server, m);
        srv_carbons_sent(server, m, s);
        return m;
    }
    if (!(room && groupchat))
        archive_received(server, m);
    if (room && groupchat)
        srv_room_message(server, m);
    else if (room)
        srv_room_private(server, m);
    else if (!is_foreign(server, m->pub.to))
        srv_message_route(server, m);
    else if (server->o.bounce_remote)
        srv_message_bounce(server, m, m->pub.to, "cancel", "remote-server-not-found");
    if (!groupchat) {
        srv_carbons_sent(server, m, s);
        srv_carbons_received(server, m);
    }
    return m;
}

void srv_message_received(sim_server *server, srv_message *m)
{
    archive_received(server, m);
    srv_message_route(server, m);
    srv_carbons_received(server, m);
}

/* -- Writing one out -------------------------------------------------------------- */

void srv_message_write(srv_text *t, const srv_message *m, const char *from, const char *to,
                       bool embedded, const char *extra)
{
    srv_adds(t, embedded ? "<message xmlns='" NS_CLIENT "'" : "<message");
    if (from)
        srv_addf(t, " from='%s'", from);
    if (to)
        srv_addf(t, " to='%s'", to);
    srv_addf(t, "%x>%x%x</message>", m->attrs, m->children, extra);
}

const char *srv_sid_xml(sim_server *server, const char *by, const char *id)
{
    if (!server->o.stanza_id || !id)
        return "";
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_addf(t, "<stanza-id xmlns='" NS_SID "' by='%s' id='%s'/>", by, id);
    return srv_copy(&server->arena, t->p, t->n);
}

const char *srv_delay_xml(sim_server *server, const char *from, int64_t wall)
{
    char stamp[32];
    srv_stamp(stamp, wall);
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_addf(t, "<delay xmlns='" NS_DELAY "' from='%s' stamp='%s'/>", from, stamp);
    return srv_copy(&server->arena, t->p, t->n);
}

/* Two pieces of XML as one, in the arena. */
static const char *joined(sim_server *server, const char *a, const char *b)
{
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_addf(t, "%x%x", a, b);
    return srv_copy(&server->arena, t->p, t->n);
}

static void deliver(sim_server *server, srv_session *s, srv_message *m, const char *extra)
{
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_message_write(t, m, m->pub.from, m->pub.to, false, extra);
    srv_send(server, s, t->p, t->n, m, false);
    s->mark = m->pub.number + 1;
    m->pub.routed++;
}

/* -- Errors ------------------------------------------------------------------------- */

void srv_message_bounce(sim_server *server, srv_message *m, const char *from, const char *type,
                        const char *condition)
{
    if (strcmp(m->pub.type, "error") == 0) /* RFC 6120 §8.3.1 */
        return;
    m->pub.bounced++;
    srv_session *s = srv_session_of(server, m->pub.from);
    if (!s)
        return;
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_addf(t, "<message from='%s' to='%s' type='error'", from, m->pub.from);
    if (m->pub.id)
        srv_addf(t, " id='%s'", m->pub.id);
    srv_addf(t, "><error type='%x'><%x xmlns='" NS_STANZAS "'/></error></message>", type,
             condition);
    srv_send_text(server, s, t);
}

/* -- Delivery (RFC 6121 §8.5) --------------------------------------------------------- */

/* There is nobody to take it: offline storage, or an error. */
static void nobody(sim_server *server, srv_message *m)
{
    srv_account *a = m->receiver;
    bool im = strcmp(m->pub.type, "chat") == 0 || strcmp(m->pub.type, "normal") == 0;
    bool worth = m->flags & (MSG_BODY | MSG_STORE | MSG_SIGNAL);
    if (!im) {
        if (strcmp(m->pub.type, "groupchat") == 0)
            srv_message_bounce(server, m, m->pub.to, "cancel", "service-unavailable");
        return;
    }
    if (m->receiver_sid && (!server->o.offline_and_archive || !server->o.offline))
        return; /* the archive keeps it */
    if (!worth) /* XEP-0160 §3: chat states are not stored, nor answered */
        return;
    if (!server->o.offline || m->flags & MSG_NO_STORE) {
        srv_message_bounce(server, m, m->pub.to, "cancel", "service-unavailable");
        return;
    }
    srv_waiting *w = srv_alloc(&server->arena, sizeof *w);
    w->message = m;
    *a->offline_end = w;
    a->offline_end = &w->next;
    m->pub.offline++;
}

static bool takes(const srv_session *s)
{
    return s->available && s->priority >= 0;
}

static bool is_better(const srv_session *s, const srv_session *best)
{
    if (!best || s->priority != best->priority)
        return !best || s->priority > best->priority;
    return s->since > best->since;
}

/* To the bare address; how many sessions got it. */
static unsigned to_bare(sim_server *server, srv_message *m, const char *extra)
{
    unsigned n = 0;
    srv_session *best = NULL;
    bool all = server->o.routing == SIM_TO_ALL || strcmp(m->pub.type, "headline") == 0;
    for (srv_session *s = m->receiver->sessions; s; s = s->next) {
        if (!takes(s))
            continue;
        if (all)
            deliver(server, s, m, extra);
        else if (is_better(s, best))
            best = s;
        n++;
    }
    if (best)
        deliver(server, best, m, extra);
    return n;
}

static void unknown_account(sim_server *server, srv_message *m)
{
    if (!server->o.silent_unknown)
        srv_message_bounce(server, m, m->pub.to, "cancel", "service-unavailable");
}

static void route(sim_server *server, srv_message *m, const char *delay)
{
    if (!m->receiver) {
        unknown_account(server, m);
        return;
    }
    const char *extra = srv_sid_xml(server, m->receiver->jid, m->receiver_sid);
    if (*delay)
        extra = joined(server, extra, delay);
    bool full = srv_resource(m->pub.to) != NULL;
    srv_session *s = full ? srv_session_of(server, m->pub.to) : NULL;
    if (s) {
        deliver(server, s, m, extra);
        return;
    }
    if (strcmp(m->pub.type, "error") == 0)
        return;
    if (full && strcmp(m->pub.type, "chat") != 0) { /* RFC 6121 §8.5.3.2.1 */
        srv_message_bounce(server, m, m->pub.to, "cancel", "service-unavailable");
        return;
    }
    if (strcmp(m->pub.type, "groupchat") == 0 || to_bare(server, m, extra) == 0)
        nobody(server, m);
}

void srv_message_route(sim_server *server, srv_message *m)
{
    route(server, m, "");
}

void srv_message_unacked(sim_server *server, srv_message *m)
{
    if (server->o.unacked == SIM_UNACKED_DROP && m->receiver_sid)
        return;
    if (server->o.unacked == SIM_UNACKED_BOUNCE) {
        srv_message_bounce(server, m, m->pub.to, "wait", "recipient-unavailable");
        return;
    }
    route(server, m, srv_delay_xml(server, server->o.domain, m->wall));
}

void srv_offline_deliver(sim_server *server, srv_session *s)
{
    srv_account *a = s->account;
    srv_waiting *w = a->offline;
    a->offline = NULL;
    a->offline_end = &a->offline;
    for (; w; w = w->next) {
        srv_message *m = w->message;
        const char *sid = srv_sid_xml(server, a->jid, m->receiver_sid);
        const char *delay = srv_delay_xml(server, server->o.domain, m->wall);
        deliver(server, s, m, joined(server, sid, delay));
    }
}
