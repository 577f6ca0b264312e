/* server_try.h: what the tests of the model server share: raw exchanges, and what is looked for. */
#ifndef SIM_SERVER_TRY_H
#define SIM_SERVER_TRY_H

#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TRY_OPEN                                                                                   \
    "<?xml version='1.0'?><stream:stream to='example.com' version='1.0' "                          \
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
#define TRY_SM(element) "<" element " xmlns='urn:xmpp:sm:3'/>"

/* A server at some time, and what came last from a connection. */
typedef struct try_world {
    sim_server *server;
    int64_t now;
    char said[65536];
    unsigned acknowledged; /* call-backs */
} try_world;

static inline void try_acknowledged(void *arg, const char *full_jid, const sim_message *message)
{
    try_world *w = arg;
    assert_non_null(full_jid);
    assert_non_null(message);
    w->acknowledged++;
}

static inline void try_world_init(try_world *w, sim_server_options *options)
{
    memset(w, 0, sizeof *w);
    options->acknowledged = try_acknowledged;
    options->arg = w;
    w->server = sim_server_new(options);
    sim_server_add_account(w->server, "anna@example.com", "one");
    sim_server_add_account(w->server, "bert@example.com", "two");
    sim_server_befriend(w->server, "anna@example.com", "bert@example.com", 0);
}

/* Takes what waits into w->said. */
static inline const char *try_take(try_world *w, sim_conn *conn)
{
    const void *bytes;
    size_t n = sim_conn_out(conn, &bytes);
    assert_true(n < sizeof w->said);
    memcpy(w->said, bytes, n);
    w->said[n] = '\0';
    sim_conn_out_done(conn, n);
    return w->said;
}

static inline const char *try_say(try_world *w, sim_conn *conn, const char *xml)
{
    sim_conn_feed(conn, xml, strlen(xml), w->now);
    return try_take(w, conn);
}

#define try_has(w, piece)                                                                          \
    do {                                                                                           \
        if (!strstr((w)->said, piece))                                                             \
            fail_msg("'%s' is not in:\n%s", piece, (w)->said);                                     \
    } while (0)

#define try_lacks(w, piece)                                                                        \
    do {                                                                                           \
        if (strstr((w)->said, piece))                                                              \
            fail_msg("'%s' is in:\n%s", piece, (w)->said);                                         \
    } while (0)

/* How often a piece is in what came. */
static inline unsigned try_times(const try_world *w, const char *piece)
{
    unsigned n = 0;
    for (const char *at = w->said; (at = strstr(at, piece)) != NULL; at++)
        n++;
    return n;
}

/* The value after a piece, up to the quote. */
static inline const char *try_value(const try_world *w, const char *piece, char value[200])
{
    const char *at = strstr(w->said, piece);
    assert_non_null(at);
    at += strlen(piece);
    snprintf(value, 200, "%.*s", (int)strcspn(at, "'<"), at);
    return value;
}

static inline void try_no_violations(const try_world *w)
{
    if (sim_server_violations(w->server))
        fail_msg("violation: %s", sim_server_violation(w->server, 0)->words);
}

static inline void try_one_violation(const try_world *w, const char *piece)
{
    assert_int_equal(sim_server_violations(w->server), 1);
    if (!strstr(sim_server_violation(w->server, 0)->words, piece))
        fail_msg("'%s' is not: %s", piece, sim_server_violation(w->server, 0)->words);
}

/* A stream that is logged in and has read its features: "anna" or "bert". */
static inline sim_conn *try_auth(try_world *w, const char *name)
{
    sim_conn *conn = sim_server_accept(w->server, w->now);
    try_say(w, conn, TRY_OPEN);
    try_has(w, "<mechanism>PLAIN</mechanism>");
    try_say(w, conn,
            *name == 'a' ? "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
                           "AGFubmEAb25l</auth>" TRY_OPEN
                         : "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
                           "AGJlcnQAdHdv</auth>" TRY_OPEN);
    try_has(w, "<success");
    try_has(w, "<bind xmlns=");
    return conn;
}

static inline sim_conn *try_bind(try_world *w, const char *name, const char *resource)
{
    char xml[300];
    sim_conn *conn = try_auth(w, name);
    snprintf(xml, sizeof xml,
             "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
             "<resource>%s</resource></bind></iq>",
             resource);
    try_say(w, conn, xml);
    snprintf(xml, sizeof xml, "<jid>%s@example.com/%s</jid>", name, resource);
    try_has(w, xml);
    return conn;
}

/* Bound, managed and available. */
static inline sim_conn *try_join(try_world *w, const char *name, const char *resource)
{
    sim_conn *conn = try_bind(w, name, resource);
    try_say(w, conn, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    try_has(w, "<enabled xmlns='urn:xmpp:sm:3'");
    try_say(w, conn, "<presence/>");
    return conn;
}

static inline void try_world_fini(try_world *w)
{
    sim_server_free(w->server);
}

#endif
