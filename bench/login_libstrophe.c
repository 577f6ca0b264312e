/*
 * login_libstrophe.c: logs in with libstrophe: see login_bench.h.
 */
#include "login_bench.h"
#include <strophe.h>

typedef struct login {
    times times;
    xmpp_ctx_t *context;
    int ready;
} login;

static int on_roster(xmpp_conn_t *connection, xmpp_stanza_t *stanza, void *arg)
{
    login *l = arg;
    (void)stanza;
    say_ready(&l->times, "");
    l->ready = 1;
    xmpp_disconnect(connection);
    return 0;
}

static void send_and_release(xmpp_conn_t *connection, xmpp_stanza_t *stanza)
{
    xmpp_send(connection, stanza);
    xmpp_stanza_release(stanza);
}

static void begin_session(xmpp_conn_t *connection, login *l)
{
    xmpp_stanza_t *iq = xmpp_iq_new(l->context, "get", "roster1");
    xmpp_stanza_t *query = xmpp_stanza_new(l->context);
    xmpp_stanza_set_name(query, "query");
    xmpp_stanza_set_ns(query, XMPP_NS_ROSTER);
    xmpp_stanza_add_child(iq, query);
    xmpp_stanza_release(query);
    xmpp_id_handler_add(connection, on_roster, "roster1", l);
    send_and_release(connection, iq);
    send_and_release(connection, xmpp_presence_new(l->context));
}

static void on_connection(xmpp_conn_t *connection, xmpp_conn_event_t event, int error,
                          xmpp_stream_error_t *stream_error, void *arg)
{
    login *l = arg;
    (void)error;
    (void)stream_error;
    if (event != XMPP_CONN_CONNECT) {
        xmpp_stop(l->context);
        return;
    }
    l->times.online = seconds(CLOCK_MONOTONIC);
    begin_session(connection, l);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: login_libstrophe JID PORT CA WAYS\n");
        return 2;
    }
    login l = {.times = begun()};
    xmpp_initialize();
    l.context = xmpp_ctx_new(NULL, NULL);
    xmpp_conn_t *connection = xmpp_conn_new(l.context);
    xmpp_conn_set_jid(connection, argv[1]);
    xmpp_conn_set_pass(connection, getenv("PEER_PASSWORD"));
    xmpp_conn_set_cafile(connection, argv[3]);
    xmpp_conn_set_flags(connection, has_way(argv[4], "direct") ? XMPP_CONN_FLAG_LEGACY_SSL
                                                               : XMPP_CONN_FLAG_MANDATORY_TLS);
    if (xmpp_connect_client(connection, "127.0.0.1", (unsigned short)strtoul(argv[2], NULL, 10),
                            on_connection, &l) == XMPP_EOK)
        xmpp_run(l.context);
    xmpp_conn_release(connection);
    xmpp_ctx_free(l.context);
    xmpp_shutdown();
    return !l.ready;
}
