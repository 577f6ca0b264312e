/*
 * conn.h: the inside of a client. client.c is the public side; connect.c
 * finds a server; drive.c moves bytes between it and the session; ended.c
 * judges the end of a connection; wake.c a change of the network, and sleep.
 */
#ifndef JABI_CONN_H
#define JABI_CONN_H

#include <jabiru/client.h>

#include "net/loop.h"
#include "net/proxy.h"
#include "net/race.h"
#include "net/resolve.h"
#include "net/retry.h"
#include "net/tls.h"
#include "session/session.h"

#define JABI_REDIRECTS_MAX 3
#define JABI_READ_BUDGET   262144 /* bytes read before others have their turn */
#define JABI_PENDING_MAX   JABI_LOOP_SCRATCH
#define JABI_FLUSH_AFTER   10    /* ms that output waits while events are pulled */
#define JABI_PROVE_WITHIN  5000  /* ms for a connection to prove that it still stands */
#define JABI_FRESH_ATTEMPT 1000  /* ms: a younger attempt knows the network as it is */
#define JABI_SLEPT         30000 /* ms past a deadline: this machine was asleep */

typedef enum jabi_conn_phase {
    JABI_CONN_IDLE,    /* begins with the next turn */
    JABI_CONN_FINDING, /* DNS and TCP */
    JABI_CONN_PROXY,   /* the proxy is told where to connect to */
    JABI_CONN_TLS,     /* handshake, at the beginning or after STARTTLS */
    JABI_CONN_STREAM,  /* bytes flow between socket and session */
    JABI_CONN_ENDED,   /* offline: until the events are pulled and it is time */
    JABI_CONN_OVER,    /* for good */
} jabi_conn_phase;

/* What a proxy is asked to connect to: a host, and the ports in their order. */
typedef struct jabi_aims {
    char host[JABI_HOST_MAX];
    uint16_t ports[2]; /* the second may be 0: none */
    size_t at;
} jabi_aims;

/* What is needed until the log-in only. */
typedef struct jabi_dial {
    jabi_targets targets;
    jabi_resolve *resolve;
    jabi_race race;
    jabi_aims aims;       /* with a proxy, whose own addresses are the targets then */
    jabi_proxy_talk talk; /* with it */
    int64_t began_at;
    int by_location;      /* where the server asked to be resumed; then the normal way */
    int64_t deadline;     /* of DNS, TCP and TLS over all targets */
    int64_t try_deadline; /* of the present target, when others are left */
    jab_fault best;       /* the most informative fault so far; code 0: none */
    char text[512], condition[64];
} jabi_dial;

struct jab_client {
    jab_loop *loop;
    int owns_loop;
    jab_session *session;
    const jab_config *cfg; /* the session's copy */
    char domain[256];      /* A-labels or IP address */
    jabi_tls_ctx *trust;   /* NULL without TLS */
    jabi_proxy *proxy;     /* NULL without one */
    int has_pin;
    uint8_t pin[32];

    jabi_conn_phase phase;
    jabi_task work, ready;
    jabi_timer timer;
    jabi_dial *dial;  /* NULL once online, and between connections */
    jabi_watch watch; /* the connection's socket */
    jabi_tls *tls;
    jabi_buf pending; /* bytes read that the session did not take yet */
    int readable;     /* the socket, or TLS, may have bytes to read */
    int blocked;      /* the socket takes no more for now */
    int64_t flushed_at;

    int64_t online_at; /* when it went online; JAB_NEVER before */
    int was_online;    /* at any time */
    int64_t retry_at;
    int64_t prove_by; /* when the connection counts as dead unless bytes come; JAB_NEVER */
    int64_t due;      /* when the timer is to ring; JAB_NEVER */
    int suspended;
    int location_tried; /* since it was online */
    jabi_backoff backoff;
    int began_anew; /* since the last log-in: after a refused token */
    unsigned redirects;
    char redirect[300]; /* "host:port" for the next connection, or "" */
    int closing;        /* the application wants the end */
    int final;          /* no other connection will follow */
    int error;          /* then: why */
    int over_shown;     /* jab_loop_next() told */

    char address[JABI_ADDR_TEXT];
    char target[JABI_HOST_MAX];
    uint16_t target_port;
    int direct_tls;
    int is_early;  /* the stream began, and the handshake is not over */
    int no_resume; /* the server failed when a session was offered */
};

/* client.c: jab_loop_next() hands the client to the application. */
void jabi_client_shown(jab_client *c);

/* drive.c: does all that can be done now, whatever the phase. */
void jabi_drive(jab_client *c);

/* Writes what the session has; 0, or JAB_EIO when the connection is broken. */
int jabi_flush(jab_client *c);

/* The handshake begins on the connected socket. 0 or JAB_ENOMEM. */
int jabi_drive_tls(jab_client *c) JAB_MUST_USE;

/* TLS did not come to be: with its own words, if this is what it said. */
void jabi_tls_failed(jab_client *c, int code);

/* The session begins its stream on the connection, or goes on after STARTTLS. */
void jabi_start_stream(jab_client *c);

/* connect.c: looks for a server, from the beginning. */
void jabi_connect_begin(jab_client *c);

/* The way to the server is open: TLS from the first byte, or the stream. */
void jabi_connected(jab_client *c);

/* The present target failed before the log-in: on to the next, or the end. */
void jabi_connect_again(jab_client *c, const jab_fault *fault);
void jabi_dial_free(jab_client *c);
int jabi_dial_has_address(const jabi_dial *dial);

/* Whether the connection's deadline or the target's passed; then it fails. */
void jabi_connect_check_time(jab_client *c, int64_t now);
int64_t jabi_connect_deadline(const jab_client *c);

/* recall.c: offers the TLS session of the last connection; keeps the newest one. */
void jabi_recall_session(jab_client *c);
void jabi_recall_keep_session(jab_client *c);

/* Fills *target with where the server was that last proved to be the domain's, if the normal
 * way would be to ask DNS; `host` is where else to go. 1 or 0. */
int jabi_recall_endpoint(jab_client *c, jab_str host, jabi_target *target);
void jabi_recall_keep_endpoint(jab_client *c);

/* Reads and writes it: "D [::1]:5223 xmpp.example.org", or S for STARTTLS. 1 or 0. */
int jabi_endpoint_read(jab_str text, jabi_target *target);
int jabi_endpoint_write(const jabi_target *target, char *out, size_t size);

/* early.c: begins the stream in early data, where that may be. 0; < 0: it began, and failed. */
int jabi_early_begin(jab_client *c) JAB_MUST_USE;

/* The handshake behind it is done: what the server did not take is sent again. 0 or < 0. */
int jabi_early_done(jab_client *c) JAB_MUST_USE;

/* drive_dane.c: what DNSSEC said of the server goes to TLS, before the handshake. 0;
 * JAB_ENOMEM; JAB_ECERT with tls->fault: DANE is required, and cannot be. */
int jabi_drive_dane(jab_client *c) JAB_MUST_USE;

/* proxy_dial.c: reads the configured proxy, if there is one. 0, JAB_EINVAL, JAB_ENOMEM. */
int jabi_proxy_set_up(jab_client *c) JAB_MUST_USE;
void jabi_proxy_free(jab_client *c);

/* What was to be looked up becomes the proxy's aim, and the proxy is looked up instead.
 * 0 or JAB_EINVAL. */
int jabi_proxy_aims(jab_client *c, jabi_resolve_args *args) JAB_MUST_USE;

/* Whether another port may be asked for, and to do so with all of the proxy's addresses. */
int jabi_proxy_has_more(const jab_client *c);
void jabi_proxy_next_aim(jab_client *c);

/* The proxy's socket is connected; then, whenever it can be read or written. */
void jabi_proxy_start(jab_client *c);
void jabi_proxy_run(jab_client *c);

/* ended.c: closes the socket; `polite` sends close_notify first. */
void jabi_hang_up(jab_client *c, int polite);

/* The session's stream is over: another target, another connection, or the end. */
void jabi_ended(jab_client *c);

/* The driver failed: the session hears of it, then jabi_ended(). */
void jabi_fail(jab_client *c, const jab_fault *fault);
void jabi_fail_code(jab_client *c, int code, jab_stage stage);

/* The connection or attempt is left behind; the next one begins at once. */
void jabi_start_over(jab_client *c);

/* wake.c: as jab_client_network_changed(), from within a turn. */
void jabi_wake(jab_client *c);

/* Whether nothing came in the time given. Then the connection fails. */
void jabi_prove_check(jab_client *c, int64_t now);

static inline int jabi_has_event(const jab_client *c)
{
    return c->session->events.n > 0 || c->session->offline_unsaid;
}

#endif
