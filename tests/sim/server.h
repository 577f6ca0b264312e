/*
 * server.h: a model XMPP server in memory, under virtual time, written from the specifications
 * alone: what the simulation lets the library talk to, and what knows the truth afterwards.
 *
 * Deterministic: the same options (seed) and the same calls give the same bytes. Time is given to
 * each call in milliseconds and never goes back. It runs out of memory by abort(). One thread.
 *
 * Strings given back live as long as the server; NULL means absent. Addresses must be given in
 * their normal form (lower case); the model compares bytes.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim_server sim_server;
typedef struct sim_conn sim_conn;

/* No deadline. */
#define SIM_NEVER INT64_MAX

/* Where a message for a bare address goes (RFC 6121 §8.5.2.1.1). */
typedef enum sim_routing {
    SIM_TO_ALL,     /* every available resource whose priority is not negative */
    SIM_TO_HIGHEST, /* the one of highest priority, the latest of equal ones */
} sim_routing;

/* What becomes of messages that a session never acknowledged when it ends (XEP-0198 §4). */
typedef enum sim_unacked {
    SIM_UNACKED_AGAIN, /* as if sent to an unavailable resource: other resources, offline, bounce */
    SIM_UNACKED_BOUNCE, /* an error (recipient-unavailable) to the sender */
    SIM_UNACKED_DROP,   /* nothing when the message is in the archive, else as AGAIN */
} sim_unacked;

/* What a restart leaves of the sessions. Accounts, rosters, archives, rooms and offline messages
 * always stay; the subscribers of a room that cannot come back are gone. */
typedef enum sim_restart {
    SIM_RESTART_KEEP,    /* resumable sessions survive, hibernating */
    SIM_RESTART_ORDERLY, /* sessions are ended as at a time-out (their messages: `unacked`) */
    SIM_RESTART_CRASH,   /* sessions and their queues are forgotten */
} sim_restart;

/* A message that the server accepted from a client or from outside. */
typedef struct sim_message {
    uint32_t number;       /* its index in sim_server_message() */
    int64_t at;            /* virtual time of acceptance */
    const char *from;      /* full address of the sender */
    const char *to;        /* as sent; own bare address when it was absent */
    const char *type;      /* "normal" when absent */
    const char *id;        /* the attribute */
    const char *origin_id; /* XEP-0359 */
    const char *body;
    uint32_t again;    /* how many earlier ones of the same account had the same id and body */
    uint32_t routed;   /* sessions it was put into, live or hibernating (carbons not counted) */
    uint32_t bounced;  /* errors generated for it, at any time */
    uint32_t offline;  /* times it was put into offline storage */
    uint32_t archived; /* archives it is in */
    uint32_t lost;     /* copies in queues that a crash forgot */
} sim_message;

/* One entry of an archive, in archive order. */
typedef struct sim_entry {
    const char *id;             /* the archive's id */
    const sim_message *message; /* what it holds */
    const char *from, *to;      /* as archived; from is the occupant in a room's */
    int64_t stamp;              /* wall clock, milliseconds since 1970 */
    bool trimmed;               /* no longer served */
    bool is_late;               /* others that were accepted later came in before */
} sim_entry;

/* Something that the client did and must not do. */
typedef struct sim_violation {
    int64_t at;
    unsigned conn;     /* number of the connection, from 1 in order of acceptance */
    const char *words; /* what, with the rule that it breaks */
} sim_violation;

typedef struct sim_server_options {
    const char *domain; /* "example.com" */
    const char *muc;    /* the domain of rooms ("rooms.example.com"), or NULL */
    uint64_t seed;      /* of the ids that the server makes */
    int64_t wall;       /* wall clock at virtual time 0, milliseconds since 1970 */
    bool sm, resume;    /* stream management; resumption too */
    bool sasl2;                /* log-in and all that goes with it in one step */
    bool archive, carbons, offline, rosterver, csi;
    bool stanza_id;            /* tells the archive's ids in live messages, carbons and rooms */
    bool room_archive;         /* rooms have archives too */
    bool archive_signals;      /* archives receipts and markers without a body, as Prosody does */
    bool offline_and_archive;  /* archived messages are also delivered from offline storage */
    bool rsm_count;            /* tells <count/> and index in archive pages */
    bool results_without_from; /* archive results of the own account bear no 'from', as Prosody's */
    bool bounce_remote;        /* stanzas to foreign domains are bounced, not swallowed */
    bool silent_unknown;       /* messages for unknown accounts: no error (against harvesting) */
    bool failed_with_h;        /* remembers counters of ended sessions for <failed h=''/> */
    sim_routing routing;
    sim_unacked unacked;
    int64_t resume_ms;      /* how long a session hibernates; 0: 300000 */
    unsigned page_max;      /* archive results per page at most; 0: 50 */
    unsigned room_history;  /* messages of history at a join without a wish; 0: 20 */
    int64_t files_late_ms;  /* so long after a take-over some is filed that came before; 0: never */
    int64_t ack_delay_ms;   /* answers <r/> so much later; 0: at once */
    unsigned request_every; /* asks <r/> after so many stanzas; 0: never */
    int64_t request_idle_ms; /* asks <r/> when stanzas stay unacknowledged so long; 0: never */
    unsigned ack_every;      /* sends <a/> unasked after so many stanzas; 0: never */
    uint32_t sm_start;       /* both counters begin here (the client's must too): to see a wrap */
    const char *location;    /* told in <enabled/>, or NULL */
    /* A client acknowledged a stanza that carried this message (live, carbon, archive result, room
     * history or offline): it has promised to keep it. May be NULL. */
    void (*acknowledged)(void *arg, const char *full_jid, const sim_message *message);
    void *arg;
} sim_server_options;

/* -- Life ------------------------------------------------------------------ */

/* All of the usual features on, resumption for five minutes, "example.com", "rooms.example.com". */
void sim_server_defaults(sim_server_options *options);

/* Copies the options. */
sim_server *sim_server_new(const sim_server_options *options);

/* Frees the server with everything it gave out; NULL is ignored. */
void sim_server_free(sim_server *server);

/* An account, given by its bare address; one that exists gets the new password. */
void sim_server_add_account(sim_server *server, const char *jid, const char *password);

/* Makes two accounts see each other (subscription both), with roster pushes. */
void sim_server_befriend(sim_server *server, const char *jid, const char *other, int64_t now);

/* What must be done by time alone: time-outs of sessions, delayed acknowledgements. */
void sim_server_tick(sim_server *server, int64_t now);

/* When sim_server_tick() has something to do, or SIM_NEVER. */
int64_t sim_server_deadline(const sim_server *server);

/* All connections break, without a word. */
void sim_server_restart(sim_server *server, sim_restart how, int64_t now);

/* Steps the server's wall clock (stamps only). */
void sim_server_step_clock(sim_server *server, int64_t by_ms);

/* The archive of an account or a room forgets its oldest entries until n are left. */
void sim_server_trim_archive(sim_server *server, const char *jid, size_t n);

/* A stanza from outside, as another server would bring it: `from` is a full address of a foreign
 * domain, xml one <message/>, <presence/> or <iq/> without a namespace declaration (jabber:client).
 * Returns the message when it was one. What is sent to foreign addresses is swallowed. */
const sim_message *sim_server_inject(sim_server *server, const char *from, const char *xml,
                                     int64_t now);

/* -- Connections ----------------------------------------------------------- */

/* A TCP connection was made. */
sim_conn *sim_server_accept(sim_server *server, int64_t now);

/* Bytes from the client, cut anywhere. */
void sim_conn_feed(sim_conn *conn, const void *bytes, size_t n, int64_t now);

/* What waits to be sent; 0 bytes when nothing. Valid until the next call for this server. */
size_t sim_conn_out(const sim_conn *conn, const void **bytes);

/* The first n bytes were sent. */
void sim_conn_out_done(sim_conn *conn, size_t n);

/* Whether the server has closed it (what waits to be sent may still be sent). */
bool sim_conn_closed(const sim_conn *conn);

/* The server learns that TCP is gone: the session hibernates, or ends. Bytes not sent are lost. */
void sim_conn_cut(sim_conn *conn, int64_t now);

/* Gives a connection back, cut or closed before. sim_server_free() does it too. */
void sim_conn_free(sim_conn *conn);

/* The number that violations name. */
unsigned sim_conn_number(const sim_conn *conn);

/* -- Truth ----------------------------------------------------------------- */

/* All messages ever accepted, in order. */
size_t sim_server_messages(const sim_server *server);
const sim_message *sim_server_message(const sim_server *server, size_t i);

/* The archive of an account or a room (bare address), trimmed entries included; 0 when none. */
size_t sim_server_archive_size(const sim_server *server, const char *jid);
const sim_entry *sim_server_archive_entry(const sim_server *server, const char *jid, size_t i);

/* What waits in offline storage of an account. */
size_t sim_server_offline_size(const sim_server *server, const char *jid);
const sim_message *sim_server_offline_message(const sim_server *server, const char *jid, size_t i);

/* Sessions of an account: attached to a connection, and hibernating. */
size_t sim_server_sessions(const sim_server *server, const char *jid, size_t *hibernating);

/* Whether a full address is in a room. */
bool sim_server_in_room(const sim_server *server, const char *room, const char *full_jid);

/* The rules that clients broke. */
size_t sim_server_violations(const sim_server *server);
const sim_violation *sim_server_violation(const sim_server *server, size_t i);

#endif
