/* server_conn.c: connections of the model server: streams, log-in, binding, and what they carry. */
#include "server_own.h"

#include <stdlib.h>
#include <string.h>

static void on_header(void *arg, srv_node *root);
static void on_stanza(void *arg, srv_node *node);
static void on_trailer(void *arg);

sim_conn *sim_server_accept(sim_server *server, int64_t now)
{
    srv_at(server, now);
    sim_conn *conn = srv_realloc(NULL, sizeof *conn);
    *conn = (sim_conn){.server = server, .number = ++server->conns_made, .next = server->conns};
    server->conns = conn;
    srv_builder_init(&conn->builder);
    conn->builder.arg = conn;
    conn->builder.header = on_header;
    conn->builder.stanza = on_stanza;
    conn->builder.trailer = on_trailer;
    return conn;
}

void srv_conn_write(sim_conn *conn, const char *p, size_t n)
{
    if (!conn->closed)
        srv_add(&conn->out, p, n);
}

size_t sim_conn_out(const sim_conn *conn, const void **bytes)
{
    *bytes = conn->out.p ? conn->out.p + conn->out_at : "";
    return conn->out.n - conn->out_at;
}

void sim_conn_out_done(sim_conn *conn, size_t n)
{
    conn->out_at += n;
    if (conn->out_at >= conn->out.n)
        conn->out.n = conn->out_at = 0;
}

bool sim_conn_closed(const sim_conn *conn)
{
    return conn->closed;
}

unsigned sim_conn_number(const sim_conn *conn)
{
    return conn->number;
}

static void conn_close(sim_conn *conn)
{
    conn->closed = true;
    conn->state = CONN_CLOSED;
    srv_builder_stop(&conn->builder);
}

void sim_conn_cut(sim_conn *conn, int64_t now)
{
    sim_server *server = conn->server;
    srv_at(server, now);
    if (conn->cut)
        return;
    conn->cut = true;
    conn->out.n = conn->out_at = 0;
    conn_close(conn);
    if (conn->session)
        srv_session_detach(server, conn->session);
    conn->session = NULL;
}

static void write_header(sim_conn *conn)
{
    sim_server *server = conn->server;
    srv_text *t = &conn->out;
    conn->header = true;
    srv_addf(t,
             "<?xml version='1.0'?><stream:stream xmlns='" NS_CLIENT "' xmlns:stream='" NS_STREAM
             "' id='%s' from='%s' version='1.0' xml:lang='en'>",
             srv_id(server), server->o.domain);
}

void srv_conn_error(sim_conn *conn, const char *condition, const char *more)
{
    if (conn->closed)
        return;
    if (!conn->header) /* RFC 6120 §4.9.1.2 */
        write_header(conn);
    srv_addf(&conn->out,
             "<stream:error><%x xmlns='" NS_STREAMS "'/>%x</stream:error></stream:stream>",
             condition, more);
    conn_close(conn);
}

/* A stream error for what the client did: the session is over with it. */
static void refuse(sim_conn *conn, const char *condition)
{
    srv_conn_error(conn, condition, NULL);
    if (conn->session)
        srv_session_end(conn->server, conn->session);
    conn->session = NULL;
}

void sim_conn_feed(sim_conn *conn, const void *bytes, size_t n, int64_t now)
{
    sim_server *server = conn->server;
    sim_server_tick(server, now);
    if (conn->state == CONN_CLOSED)
        return;
    if (!srv_builder_feed(&conn->builder, bytes, n)) {
        /* Between <success/> and the next header the client may end the stream that was. */
        if (conn->state != CONN_HEADER || !conn->account)
            srv_violation(server, conn, "the stream is not well-formed XML (RFC 6120 §4.9.3.13)");
        refuse(conn, "not-well-formed");
    } else if (conn->builder.unfit) {
        srv_violation(server, conn, "the stream holds %s", conn->builder.unfit);
        conn->builder.unfit = NULL;
        refuse(conn, "restricted-xml");
    }
}

void srv_conn_features(sim_conn *conn)
{
    const sim_server_options *o = &conn->server->o;
    srv_text *t = &conn->out;
    srv_adds(t, "<stream:features>");
    if (conn->state == CONN_AUTH && o->sasl2)
        srv_sasl2_offer(conn);
    if (conn->state == CONN_AUTH)
        srv_adds(t, "<mechanisms xmlns='" NS_SASL "'><mechanism>PLAIN</mechanism></mechanisms>");
    else {
        srv_adds(t, "<bind xmlns='" NS_BIND "'/><session xmlns='" NS_SESSION
                    "'><optional/></session>");
        if (o->sm)
            srv_adds(t, "<sm xmlns='" NS_SM "'><optional/></sm>");
        if (o->rosterver)
            srv_adds(t, "<ver xmlns='urn:xmpp:features:rosterver'/>");
        if (o->csi)
            srv_adds(t, "<csi xmlns='" NS_CSI "'/>");
    }
    srv_adds(t, "</stream:features>");
}

static void on_header(void *arg, srv_node *root)
{
    sim_conn *conn = arg;
    sim_server *server = conn->server;
    if (!srv_is(root, NS_STREAM, "stream")) {
        srv_violation(server, conn, "the root is <%s/> (RFC 6120 §4.9.3.10)", root->name);
        refuse(conn, "invalid-namespace");
        return;
    }
    write_header(conn);
    if (!srv_eq(srv_attr_of(root, "to"), server->o.domain)) {
        srv_violation(server, conn, "the stream is to another host (RFC 6120 §4.7.2)");
        refuse(conn, "host-unknown");
        return;
    }
    if (!srv_eq(srv_attr_of(root, "version"), "1.0"))
        srv_violation(server, conn, "the stream's version is not 1.0 (RFC 6120 §4.7.5)");
    conn->state = conn->account ? CONN_AUTHED : CONN_AUTH;
    srv_conn_features(conn);
}

static void on_trailer(void *arg)
{
    sim_conn *conn = arg;
    srv_session *s = conn->session;
    srv_conn_write(conn, "</stream:stream>", 16);
    conn_close(conn);
    conn->session = NULL;
    if (s) /* XEP-0198 §7: closed cleanly, so not resumable */
        srv_session_end(conn->server, s);
}

/* -- Log-in ------------------------------------------------------------------ */

static void fail_auth(sim_conn *conn, const char *condition)
{
    srv_addf(&conn->out, "<failure xmlns='" NS_SASL "'><%x/></failure>", condition);
}

/* RFC 4616: authorization identity NUL name NUL password. */
srv_account *srv_check_plain(sim_conn *conn, const char *encoded)
{
    sim_server *server = conn->server;
    size_t n = 0;
    const char *message = srv_base64(&conn->builder.arena, encoded, &n);
    const char *name = message ? memchr(message, 0, n) : NULL;
    const char *password = name ? memchr(name + 1, 0, n - (size_t)(name + 1 - message)) : NULL;
    if (!password) {
        srv_violation(server, conn, "PLAIN without three parts (RFC 4616 §2)");
        return NULL;
    }
    srv_text jid = {0};
    srv_addf(&jid, "%x@%x", name + 1, server->o.domain);
    srv_account *a = srv_account_of(server, jid.p);
    srv_text_free(&jid);
    size_t password_n = n - (size_t)(password + 1 - message);
    bool right = a && strlen(a->password) == password_n &&
                 memcmp(a->password, password + 1, password_n) == 0;
    bool own = *message == '\0' || (a && strcmp(message, a->jid) == 0);
    return right && own ? a : NULL;
}

static void on_auth(sim_conn *conn, srv_node *node)
{
    if (conn->state != CONN_AUTH) {
        srv_violation(conn->server, conn, "<auth/> on an authenticated stream (RFC 6120 §6.4.2)");
        fail_auth(conn, "malformed-request");
        return;
    }
    if (!srv_eq(srv_attr_of(node, "mechanism"), "PLAIN")) {
        srv_violation(conn->server, conn, "a mechanism that is not offered (RFC 6120 §6.4.2)");
        fail_auth(conn, "invalid-mechanism");
        return;
    }
    conn->account = srv_check_plain(conn, srv_text_of(&conn->builder.arena, node));
    if (!conn->account) {
        fail_auth(conn, "not-authorized");
        return;
    }
    srv_adds(&conn->out, "<success xmlns='" NS_SASL "'/>");
    conn->state = CONN_HEADER;
    srv_builder_restart(&conn->builder);
}

static void on_abort(sim_conn *conn, srv_node *node)
{
    (void)node;
    fail_auth(conn, "aborted"); /* RFC 6120 §6.4.4 */
}

static void bind_error(sim_conn *conn, const char *id, const char *condition)
{
    srv_addf(&conn->out,
             "<iq type='error' id='%s'><error type='modify'><%x xmlns='" NS_STANZAS
             "'/></error></iq>",
             id, condition);
}

/* Another connection has the resource: it goes (RFC 6120 §7.7.2.2). */
static void replace(sim_server *server, srv_session *old)
{
    if (old->conn) {
        srv_conn_error(old->conn, "conflict", NULL);
        old->conn->session = NULL;
    }
    srv_session_end(server, old);
    srv_late_begin(server, old->account);
}

void srv_conn_bind(sim_conn *conn, const char *resource)
{
    for (srv_session *old = conn->account->sessions; old; old = old->next)
        if (strcmp(old->resource, resource) == 0) {
            replace(conn->server, old);
            break;
        }
    conn->session = srv_session_new(conn, resource);
    conn->state = CONN_BOUND;
}

static void on_bind(sim_conn *conn, srv_node *iq)
{
    sim_server *server = conn->server;
    srv_arena *arena = &conn->builder.arena;
    srv_node *bind = srv_child(iq, NS_BIND, "bind");
    const char *id = srv_attr_of(iq, "id");
    if (!bind || !id || !srv_eq(srv_attr_of(iq, "type"), "set")) {
        srv_violation(server, conn, "a stanza before a resource is bound (RFC 6120 §7.3.2)");
        refuse(conn, "not-authorized");
        return;
    }
    srv_node *wish = srv_child(bind, NS_BIND, "resource");
    const char *resource = wish ? srv_text_of(arena, wish) : "";
    if (wish && (!*resource || strlen(resource) > 1023)) {
        srv_violation(server, conn, "a resource that is none (RFC 6120 §7.7.2.1)");
        bind_error(conn, id, "bad-request");
        return;
    }
    srv_conn_bind(conn, *resource ? srv_dup(&server->arena, resource) : srv_id(server));
    srv_addf(&conn->out,
             "<iq type='result' id='%s'><bind xmlns='" NS_BIND "'><jid>%s</jid></bind></iq>", id,
             conn->session->jid);
}

/* -- What is in the stream ------------------------------------------------------ */

/* An iq that asks, whose id must be new within the session (RFC 6120 §8.1.3). */
static void check_iq(sim_conn *conn, const srv_node *node)
{
    sim_server *server = conn->server;
    const char *type = srv_attr_of(node, "type"), *id = srv_attr_of(node, "id");
    if (!id) {
        srv_violation(server, conn, "an iq without an id (RFC 6120 §8.2.3)");
        return;
    }
    if (!srv_eq(type, "get") && !srv_eq(type, "set"))
        return;
    void **place = srv_seen_place(server, &conn->session->in, id);
    if (*place)
        srv_violation(server, conn, "iq id '%s' used twice in one session (RFC 6120 §8.1.3)", id);
    *place = conn->session;
}

static void handle_stanza(sim_conn *conn, srv_node *node)
{
    sim_server *server = conn->server;
    srv_session *s = conn->session;
    if (srv_is(node, NULL, "message"))
        srv_message_in(server, s->account, s->jid, s, node);
    else if (srv_is(node, NULL, "presence"))
        srv_presence_in(server, s, s->jid, node);
    else {
        check_iq(conn, node);
        srv_iq_in(server, s, s->jid, node);
    }
}

static void on_client(sim_conn *conn, srv_node *node)
{
    sim_server *server = conn->server;
    srv_session *s = conn->session;
    if (conn->state == CONN_AUTHED && srv_is(node, NULL, "iq")) {
        on_bind(conn, node);
        return;
    }
    if (conn->state != CONN_BOUND) {
        srv_violation(server, conn, "a <%s/> before a resource is bound (RFC 6120 §7.3.2)",
                      node->name);
        refuse(conn, "not-authorized");
        return;
    }
    const char *from = srv_attr_of(node, "from");
    if (from && strcmp(from, s->jid) != 0 && strcmp(from, s->account->jid) != 0) {
        srv_violation(server, conn, "a stanza from '%s' (RFC 6120 §8.1.2.1)", from);
        refuse(conn, "invalid-from");
        return;
    }
    handle_stanza(conn, node);
    srv_sm_counted(server, s);
}

static void on_csi(sim_conn *conn, srv_node *node)
{
    (void)node;
    if (!conn->server->o.csi || conn->state != CONN_BOUND)
        srv_violation(conn->server, conn, "client state where it is not offered (XEP-0352 §4)");
}

static void on_request(sim_conn *conn, srv_node *node)
{
    (void)node;
    srv_sm_request(conn);
}

static void on_answer(sim_conn *conn, srv_node *node)
{
    srv_sm_answer(conn, node);
    if (conn->state == CONN_CLOSED && conn->session) {
        srv_session_end(conn->server, conn->session);
        conn->session = NULL;
    }
}

/* What a client says before it closes the stream: that is what counts. */
static void on_farewell(sim_conn *conn, srv_node *node)
{
    (void)conn;
    (void)node;
}

static const struct {
    const char *ns, *name;
    void (*handle)(sim_conn *conn, srv_node *node);
} elements[] = {
    {NS_CLIENT, "message", on_client},
    {NS_CLIENT, "iq", on_client},
    {NS_CLIENT, "presence", on_client},
    {NS_SM, "r", on_request},
    {NS_SM, "a", on_answer},
    {NS_SM, "enable", srv_sm_enable},
    {NS_SM, "resume", srv_sm_resume},
    {NS_CSI, "active", on_csi},
    {NS_CSI, "inactive", on_csi},
    {NS_SASL, "auth", on_auth},
    {NS_SASL2, "authenticate", srv_sasl2_authenticate},
    {NS_SASL, "abort", on_abort},
    {NS_SASL2, "abort", on_farewell},
    {NS_STREAM, "error", on_farewell},
};

static void on_stanza(void *arg, srv_node *node)
{
    sim_conn *conn = arg;
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
        if (srv_is(node, elements[i].ns, elements[i].name)) {
            elements[i].handle(conn, node);
            return;
        }
    srv_violation(conn->server, conn, "<%s xmlns='%s'/> in the stream (RFC 6120 §4.9.3.24)",
                  node->name, node->ns);
    refuse(conn, "unsupported-stanza-type");
}
