/* server_roster.c: rosters of the model server, with versions and pushes (RFC 6121 §2). */
#include "server_own.h"

#include <stdio.h>
#include <string.h>

srv_contact *srv_contact_of(srv_account *account, const char *jid)
{
    for (srv_contact *c = account->roster; c; c = c->next)
        if (!c->removed && srv_same_bare(c->jid, jid))
            return c;
    return NULL;
}

srv_contact *srv_contact_make(sim_server *server, srv_account *account, const char *jid)
{
    srv_contact *c = srv_contact_of(account, jid);
    if (c)
        return c;
    c = srv_alloc(&server->arena, sizeof *c);
    c->jid = srv_bare(&server->arena, jid);
    c->groups = "";
    srv_contact **end = &account->roster;
    while (*end)
        end = &(*end)->next;
    return *end = c;
}

static void write_item(srv_text *t, const srv_contact *c)
{
    static const char *const subs[] = {"none", "to", "from", "both"};
    srv_addf(t, "<item jid='%s' subscription='%x'", c->jid, c->removed ? "remove" : subs[c->sub]);
    if (c->name)
        srv_addf(t, " name='%s'", c->name);
    srv_addf(t, "%x>%x</item>", c->ask ? " ask='subscribe'" : "", c->groups);
}

static void write_version(const sim_server *server, srv_text *t, const srv_account *a)
{
    srv_adds(t, "<query xmlns='" NS_ROSTER "'");
    if (server->o.rosterver)
        srv_addf(t, " ver='v%u'", a->roster_version);
    srv_adds(t, ">");
}

/* A push to every session that asked for the roster (RFC 6121 §2.1.6). */
void srv_roster_changed(sim_server *server, srv_account *account, srv_contact *c)
{
    account->roster_version++;
    for (srv_session *s = account->sessions; s; s = s->next) {
        if (!s->interested)
            continue;
        const char *id = srv_id(server);
        srv_text *t = &server->scratch;
        t->n = 0;
        srv_addf(t, "<iq type='set' to='%s' id='%s'>", s->jid, id);
        write_version(server, t, account);
        write_item(t, c);
        srv_adds(t, "</query></iq>");
        srv_send_text(server, s, t);
    }
}

static void get(sim_server *server, srv_session *s, srv_node *iq, const srv_node *query)
{
    srv_account *a = s->account;
    const char *version = srv_attr_of(query, "ver");
    char current[24];
    snprintf(current, sizeof current, "v%llu", (unsigned long long)a->roster_version);
    s->interested = true;
    if (version && !server->o.rosterver)
        srv_violation(server, s->conn, "a roster version where none is offered (RFC 6121 §2.6.2)");
    if (server->o.rosterver && srv_eq(version, current)) { /* RFC 6121 §2.6.3 */
        srv_iq_result(server, s, iq, NULL);
        return;
    }
    srv_text t = {0};
    write_version(server, &t, a);
    for (const srv_contact *c = a->roster; c; c = c->next)
        if (!c->removed)
            write_item(&t, c);
    srv_adds(&t, "</query>");
    srv_iq_result(server, s, iq, t.p);
    srv_text_free(&t);
}

static void update(sim_server *server, srv_account *a, const char *jid, const srv_node *item)
{
    srv_contact *c = srv_contact_make(server, a, jid);
    srv_text groups = {0};
    srv_adds(&groups, "");
    c->name = srv_dup(&server->arena, srv_attr_of(item, "name"));
    srv_write_children(&groups, item, NS_ROSTER);
    c->groups = srv_dup(&server->arena, groups.p);
    srv_text_free(&groups);
    srv_roster_changed(server, a, c);
}

static void set(sim_server *server, srv_session *s, srv_node *iq, const srv_node *query)
{
    const srv_node *item = srv_child(query, NS_ROSTER, "item");
    const char *jid = item ? srv_attr_of(item, "jid") : NULL;
    if (!jid || item->next) { /* RFC 6121 §2.3.3 */
        srv_violation(server, s->conn, "a roster set of not one item (RFC 6121 §2.1.5)");
        srv_iq_error(server, s, iq, "modify", "bad-request");
        return;
    }
    bool remove = srv_eq(srv_attr_of(item, "subscription"), "remove");
    srv_contact *c = srv_contact_of(s->account, jid);
    if (remove && !c) { /* RFC 6121 §2.5.3 */
        srv_iq_error(server, s, iq, "cancel", "item-not-found");
        return;
    }
    if (remove) {
        c->removed = true;
        srv_roster_changed(server, s->account, c);
    } else
        update(server, s->account, jid, item);
    srv_iq_result(server, s, iq, NULL);
}

void srv_roster_iq(sim_server *server, srv_session *s, srv_node *iq, srv_node *query)
{
    if (srv_eq(srv_attr_of(iq, "type"), "get"))
        get(server, s, iq, query);
    else
        set(server, s, iq, query);
}
