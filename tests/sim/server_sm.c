/* server_sm.c: stream management of the model server (XEP-0198): counting, asking, resuming. */
#include "server_own.h"

#include <string.h>

void srv_sm_failed(sim_conn *conn, const char *condition, const uint32_t *h)
{
    srv_text *t = &conn->out;
    srv_adds(t, "<failed xmlns='" NS_SM "'");
    if (h)
        srv_addf(t, " h='%u'", (uint64_t)*h);
    srv_addf(t, "><%x xmlns='" NS_STANZAS "'/></failed>", condition);
}

static bool wished(const srv_node *node, const char *name)
{
    const char *value = srv_attr_of(node, name);
    return srv_eq(value, "true") || srv_eq(value, "1");
}

static void write_enabled(sim_conn *conn, const srv_session *s)
{
    const sim_server_options *o = &conn->server->o;
    srv_text *t = &conn->out;
    srv_adds(t, "<enabled xmlns='" NS_SM "'");
    if (s->resumable) {
        srv_addf(t, " resume='true' id='%s' max='%u'", s->sm_id, (uint64_t)o->resume_ms / 1000);
        if (o->location)
            srv_addf(t, " location='%s'", o->location);
    }
    srv_adds(t, "/>");
}

void srv_sm_enable(sim_conn *conn, srv_node *node)
{
    sim_server *server = conn->server;
    srv_session *s = conn->session;
    if (!server->o.sm) {
        srv_violation(server, conn, "<enable/> where it is not offered (XEP-0198 §2)");
        srv_sm_failed(conn, "feature-not-implemented", NULL);
        return;
    }
    if (conn->state != CONN_BOUND || s->sm) {
        srv_violation(server, conn, "<enable/> %s (XEP-0198 §3)",
                      s ? "a second time" : "before a resource is bound");
        srv_sm_failed(conn, "unexpected-request", NULL);
        return;
    }
    s->sm = true;
    s->resumable = server->o.resume && wished(node, "resume");
    s->sm_id = srv_id(server);
    s->in = s->out = s->acked = server->o.sm_start;
    s->queue = NULL;
    s->queue_end = &s->queue;
    write_enabled(conn, s);
}

static void write_ack(srv_session *s)
{
    srv_addf(&s->conn->out, "<a xmlns='" NS_SM "' h='%u'/>", (uint64_t)s->in);
    s->since_ack = 0;
}

void srv_sm_counted(const sim_server *server, srv_session *s)
{
    unsigned every = server->o.ack_every;
    if (!s->sm)
        return;
    s->in++;
    if (every && ++s->since_ack >= every && s->conn)
        write_ack(s);
}

void srv_sm_request(sim_conn *conn)
{
    sim_server *server = conn->server;
    srv_session *s = conn->session;
    if (!s || !s->sm) {
        srv_violation(server, conn, "<r/> without stream management (XEP-0198 §4)");
        return;
    }
    if (!server->o.ack_delay_ms) {
        write_ack(s);
        return;
    }
    if (!s->acks_owed++)
        s->ack_due = server->now + server->o.ack_delay_ms;
}

static void write_request(srv_session *s)
{
    srv_adds(&s->conn->out, "<r xmlns='" NS_SM "'/>");
    s->awaiting = true;
    s->since_request = 0;
    s->request_due = SIM_NEVER;
}

/* Asks when there is reason to, or sets the time to. */
static void ask(const sim_server *server, srv_session *s)
{
    const sim_server_options *o = &server->o;
    if (!s->conn || s->awaiting || !s->queue)
        return;
    if (o->request_every && s->since_request >= o->request_every)
        write_request(s);
    else if (o->request_idle_ms)
        s->request_due = server->now + o->request_idle_ms;
}

void srv_send(sim_server *server, srv_session *s, const char *xml, size_t n, srv_message *m,
              bool copy)
{
    if (s->ended)
        return;
    if (s->conn)
        srv_conn_write(s->conn, xml, n);
    if (!s->sm)
        return;
    srv_item *item = srv_alloc(&server->arena, sizeof *item);
    item->xml = srv_copy(&server->arena, xml, n);
    item->n = n;
    item->message = m;
    item->copy = copy;
    *s->queue_end = item;
    s->queue_end = &item->next;
    s->out++;
    s->since_request++;
    ask(server, s);
}

void srv_send_text(sim_server *server, srv_session *s, const srv_text *t)
{
    srv_send(server, s, t->p, t->n, NULL, false);
}

/* Takes what the client has handled out of the queue. */
static void settle(sim_server *server, srv_session *s, uint32_t h)
{
    for (; s->acked != h; s->acked++) {
        srv_item *item = s->queue;
        s->queue = item->next;
        if (!s->queue)
            s->queue_end = &s->queue;
        if (item->message && server->o.acknowledged)
            server->o.acknowledged(server->o.arg, s->jid, &item->message->pub);
    }
}

/* Whether h is possible (XEP-0198 §4, modulo 2^32); if not, it is noted, and too high a one ends
 * the stream (XEP-0198 §6). */
static bool check_h(sim_conn *conn, const srv_session *s, uint32_t h)
{
    sim_server *server = conn->server;
    if (h - s->acked <= s->out - s->acked)
        return true;
    if ((uint32_t)(s->acked - h) < UINT32_MAX / 2) {
        srv_violation(server, conn, "h went back from %u to %u (XEP-0198 §4)", s->acked, h);
        return false;
    }
    srv_violation(server, conn, "h is %u when only %u were sent (XEP-0198 §6)", h, s->out);
    srv_text t = {0};
    srv_addf(&t, "<handled-count-too-high xmlns='" NS_SM "' h='%u' send-count='%u'/>", (uint64_t)h,
             (uint64_t)s->out);
    srv_conn_error(conn, "undefined-condition", srv_dup(&server->arena, t.p));
    srv_text_free(&t);
    return false;
}

void srv_sm_answer(sim_conn *conn, srv_node *node)
{
    sim_server *server = conn->server;
    srv_session *s = conn->session;
    uint32_t h;
    if (!s || !s->sm) {
        srv_violation(server, conn, "<a/> without stream management (XEP-0198 §4)");
        return;
    }
    if (!srv_number(srv_attr_of(node, "h"), &h)) {
        srv_violation(server, conn, "<a/> without a number (XEP-0198 §4)");
        return;
    }
    s->awaiting = false;
    if (check_h(conn, s, h)) {
        settle(server, s, h);
        ask(server, s);
    }
}

static srv_session *former(const srv_account *a, const char *id)
{
    for (srv_session *s = a->sessions; s; s = s->next)
        if (s->resumable && srv_eq(s->sm_id, id))
            return s;
    return NULL;
}

static const uint32_t *ended_h(const srv_account *a, const char *id)
{
    for (const srv_ended *e = a->ended; e; e = e->next)
        if (srv_eq(e->sm_id, id))
            return &e->h;
    return NULL;
}

/* The session moves to this connection; another that still has it is closed (XEP-0198 §5). */
static void attach(sim_conn *conn, srv_session *s)
{
    if (s->conn) {
        srv_conn_error(s->conn, "conflict", NULL);
        s->conn->session = NULL;
    }
    s->conn = conn;
    s->expires = s->ack_due = s->request_due = SIM_NEVER;
    s->acks_owed = 0;
    s->awaiting = false;
    conn->session = s;
    conn->state = CONN_BOUND;
}

static void resumed(sim_conn *conn, srv_session *s, uint32_t h)
{
    attach(conn, s);
    srv_late_begin(conn->server, s->account);
    srv_text *t = &conn->out;
    srv_addf(t, "<resumed xmlns='" NS_SM "' h='%u' previd='%s'/>", (uint64_t)s->in, s->sm_id);
    settle(conn->server, s, h);
    for (const srv_item *item = s->queue; item; item = item->next)
        srv_add(t, item->xml, item->n);
    if (s->queue && conn->server->o.request_every)
        write_request(s);
}

void srv_sm_resume(sim_conn *conn, srv_node *node)
{
    sim_server *server = conn->server;
    const char *id = srv_attr_of(node, "previd");
    uint32_t h;
    bool good = id && srv_number(srv_attr_of(node, "h"), &h);
    if (conn->state != CONN_AUTHED || !good || conn->resume_failed) {
        srv_violation(server, conn, "<resume/> %s (XEP-0198 §5)",
                      !good                 ? "without what it needs"
                      : conn->session       ? "on a bound stream"
                      : conn->resume_failed ? "again after a failure"
                                            : "before log-in");
        srv_sm_failed(conn, "unexpected-request", NULL);
        return;
    }
    srv_session *s = former(conn->account, id);
    if (!s || !server->o.sm || !server->o.resume) {
        conn->resume_failed = true;
        srv_sm_failed(conn, "item-not-found",
                      server->o.failed_with_h ? ended_h(conn->account, id) : NULL);
        return;
    }
    /* It may have been on its way for long, and the client be back by another. */
    bool is_late = s->conn && sim_conn_number(s->conn) > sim_conn_number(conn);
    if (is_late) {
        conn->resume_failed = true;
        srv_sm_failed(conn, "item-not-found", NULL);
    } else if (check_h(conn, s, h))
        resumed(conn, s, h);
    else if (conn->state == CONN_AUTHED) {
        conn->resume_failed = true;
        srv_sm_failed(conn, "item-not-found", NULL);
    }
}

void srv_sm_tick(sim_server *server, srv_session *s)
{
    if (!s->conn) {
        if (s->expires <= server->now)
            srv_session_end(server, s);
        return;
    }
    if (s->ack_due <= server->now) {
        for (; s->acks_owed; s->acks_owed--)
            write_ack(s);
        s->ack_due = SIM_NEVER;
    }
    if (s->request_due <= server->now) {
        s->request_due = SIM_NEVER;
        if (s->queue && !s->awaiting)
            write_request(s);
    }
}

int64_t srv_sm_deadline(const srv_session *s)
{
    if (!s->conn)
        return s->expires;
    return s->ack_due < s->request_due ? s->ack_due : s->request_due;
}
