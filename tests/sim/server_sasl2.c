/* server_sasl2.c: log-in in one step of the model server (XEP-0388), with a resource (XEP-0386)
 * or the last stream (XEP-0198 §9.2). */
#include "server_own.h"

#include <string.h>

void srv_sasl2_offer(sim_conn *conn)
{
    const sim_server_options *o = &conn->server->o;
    srv_text *t = &conn->out;
    srv_adds(t, "<authentication xmlns='" NS_SASL2 "'><mechanism>PLAIN</mechanism><inline>");
    if (o->sm && o->resume)
        srv_adds(t, "<sm xmlns='" NS_SM "'/>");
    srv_adds(t, "<bind xmlns='" NS_BIND2 "'><inline>");
    if (o->sm)
        srv_adds(t, "<feature var='" NS_SM "'/>");
    if (o->carbons)
        srv_adds(t, "<feature var='" NS_CARBONS "'/>");
    if (o->csi)
        srv_adds(t, "<feature var='" NS_CSI "'/>");
    srv_adds(t, "</inline></bind></inline></authentication>");
}

/* XEP-0386 §3.2: what the archive has is not sent from offline storage. */
static void clear_offline(srv_account *a)
{
    srv_waiting **at = &a->offline;
    while (*at) {
        if ((*at)->message->receiver_sid)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
    a->offline_end = at;
}

static void bind(sim_conn *conn, srv_node *wish)
{
    sim_server *server = conn->server;
    srv_node *tag = srv_child(wish, NS_BIND2, "tag");
    const char *resource = tag ? srv_text_of(&conn->builder.arena, tag) : "";
    resource = *resource ? srv_dup(&server->arena, resource) : srv_id(server);
    srv_conn_bind(conn, resource);
    srv_session *s = conn->session;
    srv_addf(&conn->out, "<authorization-identifier>%s</authorization-identifier>", s->jid);
    srv_addf(&conn->out, "<bound xmlns='" NS_BIND2 "'>");
    srv_node *enable = srv_child(wish, NS_SM, "enable");
    if (enable)
        srv_sm_enable(conn, enable);
    s->carbons = server->o.carbons && srv_child(wish, NS_CARBONS, "enable");
    srv_adds(&conn->out, "</bound>");
    clear_offline(s->account);
}

/* The last stream goes on: its stanzas, which were written behind the answer, follow the features.
 * Gives what was written since `mark`. */
static const char *take_back(sim_conn *conn, size_t mark, size_t *n)
{
    srv_text *t = &conn->out;
    *n = t->n - mark;
    const char *text = srv_copy(&conn->builder.arena, t->p + mark, *n);
    t->n = mark;
    return text;
}

static void write_identifier(sim_conn *conn)
{
    srv_addf(&conn->out, "<authorization-identifier>%s</authorization-identifier>",
             conn->account->jid);
}

static void end_success(sim_conn *conn)
{
    srv_adds(&conn->out, "</success>");
    srv_conn_features(conn);
}

/* Returns whether the stream goes on; what it is told else stays within <success/>. */
static bool resume(sim_conn *conn, srv_node *wish)
{
    size_t mark = conn->out.n, n;
    srv_sm_resume(conn, wish);
    if (conn->state != CONN_BOUND)
        return false;
    const char *text = take_back(conn, mark, &n);
    const char *end = strstr(text, "/>");
    size_t first = (size_t)(end + 2 - text);
    write_identifier(conn);
    srv_add(&conn->out, text, first);
    end_success(conn);
    srv_add(&conn->out, text + first, n - first);
    return true;
}

void srv_sasl2_authenticate(sim_conn *conn, srv_node *node)
{
    srv_arena *arena = &conn->builder.arena;
    srv_node *initial = srv_child(node, NS_SASL2, "initial-response");
    if (!conn->server->o.sasl2 || conn->state != CONN_AUTH || !initial ||
        !srv_eq(srv_attr_of(node, "mechanism"), "PLAIN")) {
        srv_violation(conn->server, conn, "<authenticate/> that was not offered (XEP-0388 §2.3)");
        srv_adds(&conn->out, "<failure xmlns='" NS_SASL2 "'><malformed-request xmlns='" NS_SASL
                             "'/></failure>");
        return;
    }
    conn->account = srv_check_plain(conn, srv_text_of(arena, initial));
    if (!conn->account) {
        srv_adds(&conn->out,
                 "<failure xmlns='" NS_SASL2 "'><not-authorized xmlns='" NS_SASL "'/></failure>");
        return;
    }
    conn->state = CONN_AUTHED;
    srv_adds(&conn->out, "<success xmlns='" NS_SASL2 "'>");
    srv_node *last = srv_child(node, NS_SM, "resume"), *wish = srv_child(node, NS_BIND2, "bind");
    if (last && resume(conn, last))
        return;
    if (conn->state == CONN_CLOSED)
        return;
    if (wish)
        bind(conn, wish);
    else
        write_identifier(conn);
    end_success(conn);
}
