/*
 * link.h: a connection like TCP's under virtual time: bytes arrive in order,
 * late, in pieces of any size, or not at all; either end learns of a break
 * at a time of its own, or when it writes next.
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include <jabiru/base.h>

#include "rng.h"

#define SIM_WINDOW 65536 /* bytes that may be under way or unread in one direction */

/* The ends. The pipe of an end is the one that it writes to. */
enum { SIM_CLIENT = 0, SIM_SERVER = 1 };

/* Bytes that arrive together. */
typedef struct sim_chunk {
    size_t n;
    int64_t at;
} sim_chunk;

typedef struct sim_pipe {
    char *bytes; /* arrived and unread ones first, then those under way */
    size_t n, cap, arrived;
    sim_chunk *chunks; /* those under way, oldest first */
    size_t first_chunk, n_chunks, cap_chunks;
    uint64_t written, passed; /* bytes ever written, ever arrived */
    uint64_t cut_at;          /* the link breaks behind this many */
    int64_t held_until;       /* nothing arrives before: a black hole */
    int64_t last_at;          /* when the last piece arrives: none overtakes another */
    int closed;               /* the writing end is gone: the end follows the bytes */
} sim_pipe;

/* How a link behaves. */
typedef struct sim_weather {
    int64_t latency, jitter; /* ms */
    size_t piece;            /* pieces of 1 to so many bytes; 0: as written */
    uint64_t cut_at[2];      /* of either pipe; UINT64_MAX: never */
} sim_weather;

typedef struct sim_link {
    sim_pipe pipe[2];
    sim_weather weather;
    sim_rng rng;
    int64_t now;
    int broken;
    int64_t told_at[2]; /* when an end learns of the break; JAB_NEVER: when it writes */
} sim_link;

/* Begins anew; keeps the memory of an earlier life. A link of zeros is fine. */
void sim_link_open(sim_link *l, const sim_weather *weather, sim_rng rng, int64_t now);
void sim_link_fini(sim_link *l);

/* An end writes: returns how many bytes were taken, fewer when the window is full. */
size_t sim_link_write(sim_link *l, int end, const char *p, size_t n, int64_t now);

/* What an end may read, and that it read some of it. */
jab_str sim_link_readable(const sim_link *l, int end);
void sim_link_read(sim_link *l, int end, size_t n);

/* Whether an end, which has read all, learns that there is no more: 1 when the
 * other end closed, -1 when the link broke, else 0. */
int sim_link_ended(const sim_link *l, int end);

/* An end is done with the link. */
void sim_link_close(sim_link *l, int end);

/* The link breaks now. `told` are how long after either end learns of it;
 * JAB_NEVER: only when it writes, if ever. */
void sim_link_break(sim_link *l, const int64_t told[2]);

/* Nothing that an end writes arrives before this time. */
void sim_link_hold(sim_link *l, int end, int64_t until);

/* What is held back arrives now. */
void sim_link_release(sim_link *l);

/* What arrives by now does. Returns 1 when this broke the link (cut_at). */
int sim_link_step(sim_link *l, int64_t now);

/* When something happens next; JAB_NEVER if nothing will. */
int64_t sim_link_next(const sim_link *l);

#endif
