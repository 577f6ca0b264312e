/* server.c: the model server's life: options, accounts, time, restarts, and what it knows. */
#include "server_own.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_server_defaults(sim_server_options *options)
{
    *options = (sim_server_options){
        .domain = "example.com",
        .muc = "rooms.example.com",
        .seed = 1,
        .wall = 1767225600000, /* 2026-01-01 */
        .sm = true,
        .resume = true,
        .archive = true,
        .carbons = true,
        .offline = true,
        .rosterver = true,
        .csi = true,
        .stanza_id = true,
        .room_archive = true,
        .rsm_count = true,
        .failed_with_h = true,
    };
}

sim_server *sim_server_new(const sim_server_options *options)
{
    sim_server *server = srv_realloc(NULL, sizeof *server);
    *server = (sim_server){.o = *options};
    sim_server_options *o = &server->o;
    o->domain = srv_dup(&server->arena, o->domain);
    o->muc = srv_dup(&server->arena, o->muc);
    o->location = srv_dup(&server->arena, o->location);
    o->resume_ms = o->resume_ms ? o->resume_ms : 300000;
    o->page_max = o->page_max ? o->page_max : 50;
    o->room_history = o->room_history ? o->room_history : 20;
    server->random = o->seed;
    server->wall = o->wall;
    return server;
}

static void conn_destroy(sim_conn *conn)
{
    srv_builder_fini(&conn->builder);
    free(conn->out.p);
    free(conn);
}

void sim_server_free(sim_server *server)
{
    if (!server)
        return;
    for (sim_conn *c = server->conns, *next; c; c = next) {
        next = c->next;
        conn_destroy(c);
    }
    for (srv_account *a = server->accounts; a; a = a->next)
        free(a->archive.p);
    for (srv_room *r = server->rooms; r; r = r->next) {
        free(r->archive.p);
        free(r->history.p);
    }
    free(server->messages);
    free(server->violations);
    free(server->seen);
    free(server->scratch.p);
    srv_arena_free(&server->arena);
    free(server);
}

void sim_conn_free(sim_conn *conn)
{
    sim_conn **at = &conn->server->conns;
    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    conn_destroy(conn);
}

void sim_server_add_account(sim_server *server, const char *jid, const char *password)
{
    srv_account *a = srv_account_of(server, jid);
    if (!a) {
        a = srv_alloc(&server->arena, sizeof *a);
        a->jid = srv_bare(&server->arena, jid);
        a->offline_end = &a->offline;
        a->late_end = &a->late;
        a->late_at = SIM_NEVER;
        a->roster_version = 1;
        srv_account **end = &server->accounts;
        while (*end)
            end = &(*end)->next;
        *end = a;
    }
    a->password = srv_dup(&server->arena, password);
}

void sim_server_befriend(sim_server *server, const char *jid, const char *other, int64_t now)
{
    srv_account *both[] = {srv_account_of(server, jid), srv_account_of(server, other)};
    srv_at(server, now);
    for (int i = 0; i < 2; i++) {
        srv_contact *c = srv_contact_make(server, both[i], both[!i]->jid);
        c->sub = SUB_BOTH;
        c->ask = false;
        srv_roster_changed(server, both[i], c);
    }
}

srv_account *srv_account_of(const sim_server *server, const char *jid)
{
    for (srv_account *a = server->accounts; a; a = a->next)
        if (srv_same_bare(a->jid, jid))
            return a;
    return NULL;
}

srv_session *srv_session_of(const sim_server *server, const char *full_jid)
{
    srv_account *a = srv_account_of(server, full_jid);
    for (srv_session *s = a ? a->sessions : NULL; s; s = s->next)
        if (strcmp(s->jid, full_jid) == 0)
            return s;
    return NULL;
}

/* SplitMix64. */
static uint64_t next_random(sim_server *server)
{
    uint64_t z = server->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

const char *srv_id(sim_server *server)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    char *id = srv_alloc(&server->arena, 17);
    uint64_t a = next_random(server), b = next_random(server);
    for (int i = 0; i < 8; i++, a >>= 6, b >>= 6) {
        id[i] = letters[a & 63];
        id[i + 8] = letters[b & 63];
    }
    return id;
}

void srv_at(sim_server *server, int64_t now)
{
    if (now > server->now)
        server->now = now;
}

int64_t srv_wall(const sim_server *server)
{
    return server->wall + server->now;
}

void sim_server_step_clock(sim_server *server, int64_t by_ms)
{
    server->wall += by_ms;
}

void srv_violation(sim_server *server, const sim_conn *conn, const char *format, ...)
{
    char words[400];
    va_list list;
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    if (server->violations_n == server->violations_room) {
        server->violations_room = server->violations_room * 2 + 8;
        server->violations =
            srv_realloc(server->violations, server->violations_room * sizeof *server->violations);
    }
    server->violations[server->violations_n++] =
        (sim_violation){server->now, conn ? conn->number : 0, srv_dup(&server->arena, words)};
}

static size_t seen_hash(const void *scope, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)(uintptr_t)scope >> 4;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return (size_t)(h ^ h >> 29);
}

static srv_seen *seen_find(const sim_server *server, const void *scope, const char *name)
{
    size_t at = seen_hash(scope, name) & (server->seen_room - 1);
    while (server->seen[at].name &&
           (server->seen[at].scope != scope || strcmp(server->seen[at].name, name) != 0))
        at = (at + 1) & (server->seen_room - 1);
    return &server->seen[at];
}

static void seen_grow(sim_server *server)
{
    srv_seen *old = server->seen;
    size_t room = server->seen_room;
    server->seen_room = room ? room * 2 : 128;
    server->seen = srv_realloc(NULL, server->seen_room * sizeof *server->seen);
    memset(server->seen, 0, server->seen_room * sizeof *server->seen);
    for (size_t i = 0; i < room; i++)
        if (old[i].name)
            *seen_find(server, old[i].scope, old[i].name) = old[i];
    free(old);
}

void **srv_seen_place(sim_server *server, const void *scope, const char *name)
{
    if (server->seen_n * 2 >= server->seen_room)
        seen_grow(server);
    srv_seen *seen = seen_find(server, scope, name);
    if (!seen->name) {
        *seen = (srv_seen){scope, srv_dup(&server->arena, name), NULL};
        server->seen_n++;
    }
    return &seen->value;
}

void sim_server_tick(sim_server *server, int64_t now)
{
    srv_at(server, now);
    for (srv_account *a = server->accounts; a; a = a->next) {
        if (a->late_at <= server->now)
            srv_late_file(server, a);
        for (srv_session *s = a->sessions, *next; s; s = next) {
            next = s->next;
            srv_sm_tick(server, s);
        }
    }
}

int64_t sim_server_deadline(const sim_server *server)
{
    int64_t first = SIM_NEVER;
    for (const srv_account *a = server->accounts; a; a = a->next) {
        first = a->late_at < first ? a->late_at : first;
        for (const srv_session *s = a->sessions; s; s = s->next) {
            int64_t due = srv_sm_deadline(s);
            first = due < first ? due : first;
        }
    }
    return first;
}

/* What a restart does to a session whose connection is gone already. */
static void restart_session(sim_server *server, srv_session *s, sim_restart how)
{
    if (how == SIM_RESTART_CRASH)
        srv_session_forget(server, s);
    else if (how == SIM_RESTART_ORDERLY || !s->resumable)
        srv_session_end(server, s);
}

void sim_server_restart(sim_server *server, sim_restart how, int64_t now)
{
    srv_at(server, now);
    for (srv_account *a = server->accounts; a; a = a->next)
        srv_late_file(server, a);
    for (sim_conn *c = server->conns; c; c = c->next) {
        if (c->session)
            c->session->conn = NULL;
        c->session = NULL;
        c->cut = c->closed = true;
        c->state = CONN_CLOSED;
        c->out.n = c->out_at = 0;
    }
    for (srv_account *a = server->accounts; a; a = a->next) {
        for (srv_session *s = a->sessions, *next; s; s = next) {
            next = s->next;
            s->expires = server->now + server->o.resume_ms;
            s->ack_due = s->request_due = SIM_NEVER;
            s->acks_owed = 0;
            restart_session(server, s, how);
        }
        if (how == SIM_RESTART_CRASH)
            a->ended = NULL;
    }
}

static srv_archive *archive_of(const sim_server *server, const char *jid)
{
    srv_account *a = srv_account_of(server, jid);
    srv_room *r = a ? NULL : srv_room_of(server, jid);
    return a ? &a->archive : r ? &r->archive : NULL;
}

void sim_server_trim_archive(sim_server *server, const char *jid, size_t n)
{
    srv_archive *archive = archive_of(server, jid);
    while (archive && archive->n - archive->first > n)
        archive->p[archive->first++]->pub.trimmed = true;
}

size_t sim_server_messages(const sim_server *server)
{
    return server->messages_n;
}

const sim_message *sim_server_message(const sim_server *server, size_t i)
{
    return &server->messages[i]->pub;
}

size_t sim_server_archive_size(const sim_server *server, const char *jid)
{
    const srv_archive *archive = archive_of(server, jid);
    return archive ? archive->n : 0;
}

const sim_entry *sim_server_archive_entry(const sim_server *server, const char *jid, size_t i)
{
    return &archive_of(server, jid)->p[i]->pub;
}

size_t sim_server_offline_size(const sim_server *server, const char *jid)
{
    size_t n = 0;
    const srv_account *a = srv_account_of(server, jid);
    for (const srv_waiting *w = a ? a->offline : NULL; w; w = w->next)
        n++;
    return n;
}

const sim_message *sim_server_offline_message(const sim_server *server, const char *jid, size_t i)
{
    const srv_waiting *w = srv_account_of(server, jid)->offline;
    while (i--)
        w = w->next;
    return &w->message->pub;
}

size_t sim_server_sessions(const sim_server *server, const char *jid, size_t *hibernating)
{
    size_t n[2] = {0, 0};
    const srv_account *a = srv_account_of(server, jid);
    for (const srv_session *s = a ? a->sessions : NULL; s; s = s->next)
        n[s->conn == NULL]++;
    if (hibernating)
        *hibernating = n[1];
    return n[0];
}

bool sim_server_in_room(const sim_server *server, const char *room, const char *full_jid)
{
    const srv_room *r = srv_room_of(server, room);
    for (const srv_occupant *o = r ? r->occupants : NULL; o; o = o->next)
        if (strcmp(o->jid, full_jid) == 0)
            return true;
    return false;
}

size_t sim_server_violations(const sim_server *server)
{
    return server->violations_n;
}

const sim_violation *sim_server_violation(const sim_server *server, size_t i)
{
    return &server->violations[i];
}
