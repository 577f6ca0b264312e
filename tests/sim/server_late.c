/* server_late.c: what a session had in hand when another stream took it over. As ejabberd's, the
 * model server files it late, in the archive's order of acceptance: before what it has already. */
#include "server_own.h"

#define LONGEST 20000 /* ms for which anything stays in hand */

/* What came to a session that nobody listens to stays in hand, and longer when it is taken over. */
static void extend(const sim_server *server, srv_account *a)
{
    if (a->late_at == SIM_NEVER)
        a->late_since = server->now;
    a->late_at = server->now + server->o.files_late_ms;
    if (a->late_at > a->late_since + LONGEST)
        a->late_at = a->late_since + LONGEST;
}

void srv_late_begin(sim_server *server, srv_account *a)
{
    if (server->o.files_late_ms)
        extend(server, a);
}

/* Each second one; and only when nobody else is there whom it would be new to. */
bool srv_late_takes(const sim_server *server, srv_message *m)
{
    const srv_account *a = m->receiver;
    if (!a || a == m->sender || !server->o.files_late_ms || !server->o.archive)
        return false;
    const srv_session *s = a->sessions;
    if (!s || s->next || m->pub.number % 2)
        return false;
    return a->late_at != SIM_NEVER || !s->conn;
}

void srv_late_put(sim_server *server, srv_message *m)
{
    srv_account *a = m->receiver;
    srv_waiting *w = srv_alloc(&server->arena, sizeof *w);
    if (a->late_at == SIM_NEVER)
        extend(server, a);
    w->message = m;
    *a->late_end = w;
    a->late_end = &w->next;
}

void srv_late_file(sim_server *server, srv_account *a)
{
    srv_waiting *w = a->late;
    a->late = NULL;
    a->late_end = &a->late;
    a->late_at = SIM_NEVER;
    for (; w; w = w->next)
        srv_message_received(server, w->message);
}
