/*
 * sim.h: the simulation: clients of the real library, the model server, the
 * links between them and the nemesis, in one loop over virtual time. One seed
 * is one run; nothing here reads a clock or draws chance from elsewhere.
 */
#ifndef SIM_H
#define SIM_H

#include <jabiru/jabiru.h>
#include <stdio.h>

#include "disk.h"
#include "link.h"
#include "net/retry.h"
#include "rng.h"
#include "server.h"

#define SIM_CLIENTS_MAX 3
#define SIM_ERRANDS_MAX 128
#define SIM_FAULTS_MAX  8
#define SIM_OUTSIDER    SIM_CLIENTS_MAX        /* sends from another domain */
#define SIM_WALL        INT64_C(1750000000000) /* wall clock at virtual time 0 */
#define SIM_ROOM        "garden@rooms.example.com"
#define SIM_STRANGER    "stranger@elsewhere.org"
#define SIM_NOBODY      "nobody@elsewhere.org" /* messages to whom come back */

/* -- What a run consists of ---------------------------------------------------- */

typedef enum sim_store_kind {
    SIM_ANY_STORE, /* as the seed has it */
    SIM_NO_STORE,
    SIM_STORE_MEMORY,
    SIM_STORE_SQLITE,
} sim_store_kind;

/* Something to send. */
typedef struct sim_errand {
    int64_t at;
    unsigned who; /* a client, or SIM_OUTSIDER */
    const char *to;
    int is_common; /* the text is one that others have, too */
    int done;
} sim_errand;

typedef enum sim_fault_kind {
    SIM_FAULT_BREAK,   /* the link breaks */
    SIM_FAULT_HOLD,    /* one direction or both go silent for a while, or for good */
    SIM_FAULT_RESTART, /* the server restarts: all links break */
    SIM_FAULT_KILL,    /* kill -9 of a client */
    SIM_FAULT_STORE,   /* the nth operation of the store fails, for a while */
    SIM_FAULT_POWER,   /* the machine of a client loses power */
    SIM_FAULT_MEMORY,  /* the nth allocation fails */
    SIM_FAULT_CLOCK,   /* the wall clock of a client, or of the server, steps */
    SIM_FAULT_SLOW,    /* the application takes its time */
    SIM_FAULT_AWAY,    /* no connection can be made for longer than the server waits */
    SIM_FAULT_TRIM,    /* the archive forgets its beginning */
    SIM_FAULT_CLOSE,   /* the application closes, and connects again */
    SIM_FAULT_KINDS,
} sim_fault_kind;

typedef struct sim_fault {
    int64_t at;
    sim_fault_kind kind;
    unsigned client;
    int64_t how, how_long; /* as the kind has it */
} sim_fault;

typedef struct sim_client_plan {
    const char *account, *resource; /* "alice@example.com", "a" */
    sim_store_kind store;
    int by_caller;      /* the application commits */
    int64_t begins_at;  /* the program is started */
    int64_t pull_every; /* ms between two events that the application takes; 0: all at once */
    unsigned first_history, receipts;
} sim_client_plan;

typedef struct sim_plan {
    uint64_t seed;
    sim_server_options server;
    sim_client_plan clients[SIM_CLIENTS_MAX];
    size_t n_clients;
    int has_room;
    sim_errand errands[SIM_ERRANDS_MAX];
    size_t n_errands;
    sim_fault faults[SIM_FAULTS_MAX];
    size_t n_faults;
    int64_t calm_at;  /* no faults from here on */
    int64_t patience; /* ms from then on in which all has to settle */
    int64_t latency, jitter;
    unsigned piece_chance, cut_chance; /* per mille of the connections */
    int64_t cut_end;                   /* golden sessions: cut what this end (0, 1) wrote; -1: no */
    uint64_t cut_byte;                 /* behind so many bytes, counted over all links */
} sim_plan;

/* Where the seeds begin with which the server speaks XEP-0388; below, seeds that are older than
 * that stay what they were. */
#define SIM_SASL2_SEEDS (UINT64_C(1) << 32)

/* plan.c: what the seed says. */
void sim_plan_from_seed(sim_plan *p, uint64_t seed, sim_store_kind store);

/* -- What was sent, and what became of it ----------------------------------------- */

typedef struct sim_row {
    unsigned who;
    const char *to;
    char id[64], body[40];
    int is_blind;                       /* no place in the archive was known yet */
    int accepted;                       /* jab_out_send() said so, or the outsider's got in */
    int forgotten;                      /* its process was killed, and had no store */
    unsigned life;                      /* of the client */
    unsigned told[3];                   /* JAB_EV_SENT of each state */
    int is_failing;                     /* that it failed was told, and is not for good */
    unsigned may_fail_again;            /* it was undone then */
    unsigned shown[SIM_CLIENTS_MAX];    /* JAB_EV_MESSAGE, for good */
    unsigned pending[SIM_CLIENTS_MAX];  /* with commit_by_caller: not yet for good */
    unsigned promised[SIM_CLIENTS_MAX]; /* the server was told that it is kept */
    unsigned stored[SIM_CLIENTS_MAX];   /* found in the store at the end */
    int64_t live_at[SIM_CLIENTS_MAX];   /* shown as it came, and not out of an archive; 0: not */
} sim_row;

/* -- Memory and disk of a client ---------------------------------------------------- */

/* An allocator that counts bytes and fails a call. */
typedef struct sim_mem {
    jab_mem mem;
    size_t live, bytes, peak;
    uint64_t fail_in; /* the nth call from now fails; 0: none */
    unsigned failed;
} sim_mem;

void sim_mem_init(sim_mem *m);

/* A store in front of another that fails when told, and dies with its process. */
typedef struct sim_store {
    jab_store store;
    jab_store *inner;
    int dead;
    uint64_t fail_in; /* the nth write or commit from now fails, and all behind it; 0: none */
    int failing;
    unsigned failed;
} sim_store;

jab_store *sim_store_open(sim_store *st, jab_store *inner);
void sim_store_heal(sim_store *st);

/* -- The world ----------------------------------------------------------------------- */

typedef struct sim_world sim_world;

/* A connection between a client and the server, until both have left it. */
typedef struct sim_wire {
    sim_link link;
    sim_conn *conn; /* NULL: the server is done with it */
    unsigned client;
    int is_used, has_client;
} sim_wire;

typedef struct sim_client {
    sim_world *w;
    unsigned index;
    const sim_client_plan *plan;
    char jid[64]; /* full */
    sim_rng rng;
    int64_t wall_step;

    sim_mem mem;       /* of the process */
    sim_mem disk_mem;  /* of the store in memory, which plays the disk */
    jab_store *disk;   /* what survives the process; NULL without a store */
    disk *sqlite_disk; /* with SQLite, what it stands on */
    int64_t heal_at;   /* when the disk works again */
    sim_store store;   /* what the session sees of it */

    jab_session *s; /* NULL: no program runs */
    unsigned life;  /* how many programs have run */
    int64_t starts_at;
    sim_wire *wire; /* NULL: not connected */
    int64_t connect_at, away_until, online_at;
    jabi_backoff backoff;
    int64_t pull_at, pull_every, slow_until, join_at;
    int is_unsure;   /* it has heard of an archive, and perhaps not committed that */
    int sync_failed; /* an archive was asked again */
    int is_present, synced, has_gap, in_room, room_synced, never_synced, room_never_synced;
    int64_t synced_at; /* the own archive was read to its end */
    int lost_power;    /* a commit may have reached the disk though nobody was told */
    unsigned killed;
    size_t archived_at_sync, room_archived_at_sync; /* when it first had an answer */
    size_t archived_at_login;
    unsigned logins, resumed;
} sim_client;

struct sim_world {
    sim_plan plan;
    int64_t now;
    uint64_t hash;
    FILE *trace; /* NULL: none is wanted */
    sim_rng rng;
    sim_server *server;
    int64_t server_back_at; /* it refuses connections until then */
    sim_client clients[SIM_CLIENTS_MAX];
    sim_wire **wires;
    size_t n_wires, cap_wires;
    sim_row *rows;
    size_t n_rows, cap_rows;
    size_t next_fault, struck;
    int calm, trimmed, clock_stepped;
    uint64_t passed[2]; /* bytes over links that are gone, for golden sessions */
    unsigned logins;
    char violation[512]; /* the first one; empty: none */
};

/* Runs a plan. Returns 0, or -1 with w->violation. `trace` may be NULL. */
int sim_run(sim_world *w, const sim_plan *plan, FILE *trace);
void sim_world_fini(sim_world *w);

/* What happened goes into the hash, and into the trace when one is wanted. */
#define SIM_NOTE(w, number, ...)                                                                   \
    do {                                                                                           \
        sim_mix((w), (uint64_t)(number));                                                          \
        if ((w)->trace)                                                                            \
            sim_say((w), __VA_ARGS__);                                                             \
    } while (0)

static inline void sim_mix(sim_world *w, uint64_t number)
{
    w->hash = sim_mixed(w->hash ^ number) + (uint64_t)w->now;
}
void sim_mix_bytes(sim_world *w, const char *p, size_t n);
void sim_say(sim_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An invariant does not hold. */
void sim_violate(sim_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* wire.c */
sim_wire *sim_wire_new(sim_world *w, unsigned client);
void sim_wire_leave(sim_world *w, sim_wire *wire); /* the client is done with it */
void sim_wires_step(sim_world *w);
void sim_wires_flush(sim_world *w);
int64_t sim_wires_next(const sim_world *w);
void sim_wires_cut_all(sim_world *w);
void sim_wires_calm(sim_world *w);
void sim_wires_fini(sim_world *w);

/* client.c */
void sim_client_init(sim_client *c, sim_world *w, unsigned index);
void sim_client_step(sim_client *c);
int64_t sim_client_next(const sim_client *c);
void sim_client_kill(sim_client *c, int64_t back_at);
void sim_client_lose_power(sim_client *c, int64_t back_at);
void sim_client_fini(sim_client *c);
const char *sim_client_unsettled(const sim_client *c);

/* machine.c */
void sim_machine_init(sim_client *c);
int sim_machine_open(sim_client *c, jab_store **out);
void sim_machine_killed(sim_client *c, int power);
void sim_machine_fail(sim_client *c, int64_t how, int64_t until);
void sim_machine_heal(sim_client *c);
void sim_machine_fini(sim_client *c);

/* app.c: what the program does with events, and what it sends. */
void sim_app_event(sim_client *c, const jab_event *ev);
void sim_app_join(sim_client *c);
int sim_app_send(sim_client *c, const sim_errand *errand);
void sim_app_commit(sim_client *c);
void sim_app_forget(sim_client *c); /* what was not committed */
sim_row *sim_row_add(sim_world *w, unsigned who, const char *to, int is_common);
sim_row *sim_row_by_id(sim_world *w, jab_str id, jab_str body);

/* nemesis.c */
void sim_nemesis_strike(sim_world *w, const sim_fault *f);
void sim_nemesis_calm(sim_world *w);

/* check.c */
void sim_check_end(sim_world *w);
void sim_check_step(sim_world *w);

/* golden.c: sessions cut at each byte. Returns how many violations there were. */
int sim_golden_one(size_t variant, int64_t end, uint64_t byte); /* with its trace */
int sim_golden(unsigned job, unsigned jobs, uint64_t stride, uint64_t *cuts);

#endif
