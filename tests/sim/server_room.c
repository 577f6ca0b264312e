/* server_room.c: rooms of the model server (XEP-0045): who is in, what is said, what was said. */
#include "server_own.h"

#include <string.h>

bool srv_is_room(const sim_server *server, const char *jid)
{
    const char *at = strchr(jid, '@');
    return server->o.muc && at && srv_same_bare(server->o.muc, at + 1);
}

srv_room *srv_room_of(const sim_server *server, const char *jid)
{
    for (srv_room *r = server->rooms; r; r = r->next)
        if (srv_same_bare(r->jid, jid))
            return r;
    return NULL;
}

static srv_room *room_make(sim_server *server, const char *jid)
{
    srv_room *r = srv_room_of(server, jid);
    if (r)
        return r;
    r = srv_alloc(&server->arena, sizeof *r);
    r->jid = srv_bare(&server->arena, jid);
    srv_room **end = &server->rooms;
    while (*end)
        end = &(*end)->next;
    return *end = r;
}

static srv_occupant *by_jid(const srv_room *r, const char *jid)
{
    for (srv_occupant *o = r ? r->occupants : NULL; o; o = o->next)
        if (strcmp(o->jid, jid) == 0)
            return o;
    return NULL;
}

static srv_occupant *by_nick(const srv_room *r, const char *nick)
{
    for (srv_occupant *o = r ? r->occupants : NULL; o; o = o->next)
        if (strcmp(o->nick, nick) == 0)
            return o;
    return NULL;
}

/* room@service/nick, in the arena. */
static const char *place_of(sim_server *server, const srv_room *r, const char *nick)
{
    srv_text t = {0};
    srv_adds(&t, r->jid);
    srv_adds(&t, "/");
    srv_adds(&t, nick);
    const char *z = srv_dup(&server->arena, t.p);
    srv_text_free(&t);
    return z;
}

/* Sends to a full address, when it is of here. */
static void send_to(sim_server *server, const char *jid, const srv_text *t, srv_message *m)
{
    srv_session *s = srv_session_of(server, jid);
    if (s)
        srv_send(server, s, t->p, t->n, m, true);
}

/* -- Presence -------------------------------------------------------------------------- */

/* The presence of an occupant as one of them sees it; status: codes, ready XML. */
static void presence(sim_server *server, const srv_room *r, const char *nick, const char *to,
                     bool gone, const char *status)
{
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_addf(t, "<presence from='%s/%s' to='%s'%x><x xmlns='" NS_MUC_USER "'>", r->jid, nick, to,
             gone ? " type='unavailable'" : "");
    srv_addf(t, "<item affiliation='member' role='%x'/>%x</x></presence>",
             gone ? "none" : "participant", status);
    send_to(server, to, t, NULL);
}

static void presence_error(sim_server *server, const char *from, const char *to, const char *type,
                           const char *condition)
{
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_addf(t,
             "<presence from='%s' to='%s' type='error'><error type='%x'><%x xmlns='" NS_STANZAS
             "'/></error></presence>",
             from, to, type, condition);
    send_to(server, to, t, NULL);
}

static void leave(sim_server *server, srv_room *r, srv_occupant *gone)
{
    srv_occupant **at = &r->occupants;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    presence(server, r, gone->nick, gone->jid, true, "<status code='110'/>");
    if (by_nick(r, gone->nick)) /* another session of the same person is still there */
        return;
    for (srv_occupant *o = r->occupants; o; o = o->next)
        presence(server, r, gone->nick, o->jid, true, NULL);
}

void srv_rooms_leave(sim_server *server, const char *jid)
{
    for (srv_room *r = server->rooms; r; r = r->next) {
        srv_occupant *o = by_jid(r, jid);
        if (o)
            leave(server, r, o);
    }
}

/* -- History (XEP-0045 §7.2.13, §7.2.14) --------------------------------------------------- */

static void number_wish(const srv_node *wish, const char *name, uint32_t *value)
{
    const char *given = wish ? srv_attr_of(wish, name) : NULL;
    srv_number(given, value);
}

static void send_said(sim_server *server, const srv_room *r, const srv_entry *e, const char *to)
{
    const char *sid = server->o.room_archive ? srv_sid_xml(server, r->jid, e->pub.id) : "";
    const char *delay = srv_delay_xml(server, r->jid, e->pub.stamp);
    srv_text extra = {0};
    srv_addf(&extra, "%x%x", sid, delay);
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_message_write(t, e->message, e->pub.from, to, false, extra.p);
    srv_text_free(&extra);
    send_to(server, to, t, e->message);
}

static void send_history(sim_server *server, const srv_room *r, const char *to,
                         const srv_node *wish)
{
    uint32_t most = server->o.room_history, chars = UINT32_MAX, seconds = UINT32_MAX;
    int64_t since = INT64_MIN;
    number_wish(wish, "maxstanzas", &most);
    number_wish(wish, "maxchars", &chars);
    number_wish(wish, "seconds", &seconds);
    if (wish)
        srv_stamp_parse(srv_attr_of(wish, "since"), &since);
    if (seconds != UINT32_MAX && srv_wall(server) - (int64_t)seconds * 1000 > since)
        since = srv_wall(server) - (int64_t)seconds * 1000;
    size_t from = r->history.n;
    while (from > 0 && r->history.n - from < most && chars > 0 &&
           r->history.p[from - 1]->pub.stamp >= since) {
        size_t length = strlen(r->history.p[from - 1]->message->children);
        chars = length > chars ? 0 : chars - (uint32_t)length;
        if (chars > 0)
            from--;
    }
    for (; from < r->history.n; from++)
        send_said(server, r, r->history.p[from], to);
}

static void send_subject(sim_server *server, const srv_room *r, const char *to)
{
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_addf(t, "<message from='%s", r->jid);
    if (r->subject_nick)
        srv_addf(t, "/%s", r->subject_nick);
    srv_addf(t, "' to='%s' type='groupchat'><subject>%x</subject></message>", to, r->subject);
    send_to(server, to, t, NULL);
}

/* -- Joining (XEP-0045 §7.2) ------------------------------------------------------------- */

static void join(sim_server *server, srv_room *r, const char *nick, const char *jid,
                 const srv_node *x, bool created)
{
    bool new_nick = !by_nick(r, nick);
    srv_occupant *me = srv_alloc(&server->arena, sizeof *me);
    *me = (srv_occupant){srv_dup(&server->arena, nick), srv_dup(&server->arena, jid), NULL};
    for (srv_occupant *o = r->occupants; o; o = o->next) {
        if (strcmp(o->nick, nick) != 0)
            presence(server, r, o->nick, jid, false, NULL);
        if (new_nick)
            presence(server, r, nick, o->jid, false, NULL);
    }
    srv_occupant **end = &r->occupants;
    while (*end)
        end = &(*end)->next;
    *end = me;
    presence(server, r, nick, jid, false,
             created ? "<status code='110'/><status code='201'/>" : "<status code='110'/>");
    send_history(server, r, jid, srv_child(x, NS_MUC, "history"));
    send_subject(server, r, jid);
}

static void rename_to(sim_server *server, srv_room *r, srv_occupant *me, const char *nick)
{
    srv_text status = {0};
    srv_text own = {0};
    srv_addf(&status, "<status code='303'/>");
    srv_addf(&own, "<status code='303'/><status code='110'/>");
    for (srv_occupant *o = r->occupants; o; o = o->next) {
        srv_text *t = &server->scratch;
        t->n = 0;
        srv_addf(t,
                 "<presence from='%s/%s' to='%s' type='unavailable'><x xmlns='" NS_MUC_USER
                 "'><item affiliation='member' role='participant' nick='%s'/>%x</x></presence>",
                 r->jid, me->nick, o->jid, nick, o == me ? own.p : status.p);
        send_to(server, o->jid, t, NULL);
    }
    me->nick = srv_dup(&server->arena, nick);
    for (srv_occupant *o = r->occupants; o; o = o->next)
        presence(server, r, nick, o->jid, false, o == me ? "<status code='110'/>" : NULL);
    srv_text_free(&status);
    srv_text_free(&own);
}

static void enter(sim_server *server, const char *from, const char *to, const srv_node *node)
{
    const srv_node *x = srv_child(node, NS_MUC, "x");
    const char *nick = srv_resource(to);
    bool created = !srv_room_of(server, to);
    srv_room *r = room_make(server, to);
    srv_occupant *me = by_jid(r, from), *holder = by_nick(r, nick);
    if (holder && !srv_same_bare(holder->jid, from)) { /* XEP-0045 §7.2.8 */
        presence_error(server, to, from, "cancel", "conflict");
        return;
    }
    if (x) {
        if (me) { /* it has lost track of being in */
            srv_occupant **at = &r->occupants;
            while (*at != me)
                at = &(*at)->next;
            *at = me->next;
        }
        join(server, r, nick, from, x, created);
    } else if (!me)
        presence_error(server, to, from, "cancel", "not-acceptable");
    else if (strcmp(me->nick, nick) != 0)
        rename_to(server, r, me, nick);
    else
        for (srv_occupant *o = r->occupants; o; o = o->next)
            presence(server, r, nick, o->jid, false, o == me ? "<status code='110'/>" : NULL);
}

void srv_room_presence(sim_server *server, const char *from, srv_node *node)
{
    const char *to = srv_attr_of(node, "to"), *type = srv_attr_of(node, "type");
    if (type && strcmp(type, "unavailable") != 0)
        return;
    if (!srv_resource(to) || !*srv_resource(to)) { /* XEP-0045 §7.2.1 */
        presence_error(server, to, from, "modify", "jid-malformed");
        return;
    }
    if (!type) {
        enter(server, from, to, node);
        return;
    }
    srv_room *r = srv_room_of(server, to);
    srv_occupant *me = by_jid(r, from);
    if (me)
        leave(server, r, me);
}

/* -- Messages --------------------------------------------------------------------------- */

/* Puts it where it is kept: what is told at a join, and the archive with the same id. */
static const char *keep(sim_server *server, srv_room *r, srv_message *m, const char *from)
{
    if (!(m->flags & MSG_BODY) || m->flags & MSG_NO_STORE)
        return NULL;
    srv_entry *e = srv_alloc(&server->arena, sizeof *e);
    e->pub = (sim_entry){srv_id(server), &m->pub, from, NULL, m->wall, false, false};
    e->message = m;
    srv_archive_put(&r->history, e);
    if (!server->o.room_archive || m->flags & MSG_NO_ARCHIVE)
        return NULL;
    srv_archive_put(&r->archive, e);
    m->pub.archived++;
    return e->pub.id;
}

static void set_subject(sim_server *server, srv_room *r, const srv_message *m, const char *nick)
{
    const char *open = strstr(m->children, "<subject>");
    const char *end = open ? strstr(open, "</subject>") : NULL;
    r->subject = end ? srv_copy(&server->arena, open + 9, (size_t)(end - open - 9)) : "";
    r->subject_nick = nick;
}

void srv_room_message(sim_server *server, srv_message *m)
{
    srv_room *r = srv_room_of(server, m->pub.to);
    srv_occupant *me = by_jid(r, m->pub.from);
    if (srv_resource(m->pub.to)) { /* XEP-0045 §7.5 */
        srv_message_bounce(server, m, m->pub.to, "modify", "bad-request");
        return;
    }
    if (!me) { /* XEP-0045 §7.4 */
        if (r)
            srv_message_bounce(server, m, m->pub.to, "modify", "not-acceptable");
        else
            srv_message_bounce(server, m, m->pub.to, "cancel", "item-not-found");
        return;
    }
    if (m->flags & MSG_SUBJECT && !(m->flags & (MSG_BODY | MSG_THREAD)))
        set_subject(server, r, m, me->nick);
    const char *from = place_of(server, r, me->nick);
    const char *sid = srv_sid_xml(server, r->jid, keep(server, r, m, from));
    for (srv_occupant *o = r->occupants; o; o = o->next) {
        srv_text *t = &server->scratch;
        t->n = 0;
        srv_message_write(t, m, from, o->jid, false, sid);
        send_to(server, o->jid, t, m);
        m->pub.routed++;
    }
}

/* A private message goes to every session of the nick (XEP-0045 §7.5). */
void srv_room_private(sim_server *server, srv_message *m)
{
    srv_room *r = srv_room_of(server, m->pub.to);
    srv_occupant *me = by_jid(r, m->pub.from);
    const char *nick = srv_resource(m->pub.to);
    if (strcmp(m->pub.type, "error") == 0)
        return;
    if (!me || !nick || !by_nick(r, nick)) {
        srv_message_bounce(server, m, m->pub.to, me ? "cancel" : "modify",
                           me ? "item-not-found" : "not-acceptable");
        return;
    }
    const char *from = place_of(server, r, me->nick);
    for (srv_occupant *o = r->occupants; o; o = o->next) {
        if (strcmp(o->nick, nick) != 0)
            continue;
        srv_text *t = &server->scratch;
        t->n = 0;
        srv_message_write(t, m, from, o->jid, false, "<x xmlns='" NS_MUC_USER "'/>");
        send_to(server, o->jid, t, m);
        m->pub.routed++;
    }
}

/* -- Requests ----------------------------------------------------------------------------- */

static void info(sim_server *server, srv_session *s, srv_node *iq, const srv_room *r)
{
    srv_text t = {0};
    srv_addf(&t,
             "<query xmlns='" NS_INFO
             "'><identity category='conference' type='text' name='%s'/><feature var='" NS_MUC "'/>"
             "<feature var='" NS_INFO "'/>",
             r->jid);
    if (server->o.room_archive)
        srv_adds(&t, "<feature var='" NS_MAM "'/><feature var='urn:xmpp:mam:2#extended'/>");
    if (server->o.stanza_id)
        srv_adds(&t, "<feature var='" NS_SID "'/>");
    srv_adds(&t, "</query>");
    srv_iq_result(server, s, iq, t.p);
    srv_text_free(&t);
}

/* A ping to oneself tells whether one is in (XEP-0410 §3); to others it would be passed on. */
static void ping(sim_server *server, srv_session *s, srv_node *iq, const srv_room *r)
{
    const srv_occupant *me = by_jid(r, s->jid);
    const char *nick = srv_resource(srv_attr_of(iq, "to"));
    if (!nick || (me && strcmp(me->nick, nick) == 0))
        srv_iq_result(server, s, iq, NULL);
    else if (!me)
        srv_iq_error(server, s, iq, "cancel", "not-acceptable");
    else
        srv_iq_error(server, s, iq, "cancel", "service-unavailable");
}

void srv_room_iq(sim_server *server, srv_session *s, srv_node *iq)
{
    const char *to = srv_attr_of(iq, "to");
    srv_room *r = srv_room_of(server, to);
    srv_node *payload = srv_child(iq, NULL, NULL);
    bool bare = !srv_resource(to);
    if (!s)
        return;
    if (!r)
        srv_iq_error(server, s, iq, "cancel", "item-not-found");
    else if (payload && srv_is(payload, NS_PING, "ping"))
        ping(server, s, iq, r);
    else if (payload && bare && srv_is(payload, NS_INFO, "query"))
        info(server, s, iq, r);
    else if (payload && bare && server->o.room_archive && srv_is(payload, NS_MAM, NULL))
        srv_archive_iq(server, s, iq, payload, &r->archive, r->jid);
    else
        srv_iq_error(server, s, iq, "cancel", "service-unavailable");
}
