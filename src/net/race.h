/*
 * race.h: connects to whichever target answers first (Happy Eyeballs, RFC
 * 8305), and to the next ones when something after the connection fails.
 */
#ifndef JABI_RACE_H
#define JABI_RACE_H

#include "net/loop.h"
#include "net/target.h"

#define JABI_RACE_STAGGER  250 /* ms between two attempts (RFC 8305 §5) */
#define JABI_RACE_V6_DELAY 50  /* ms that A waits for AAAA (RFC 8305 §3) */
#define JABI_RACE_RUNNERS  8   /* attempts at a time */

typedef struct jabi_race jabi_race;

typedef struct jabi_runner {
    jabi_watch watch; /* fd -1: no attempt */
    jabi_race *race;
    jabi_target *target;
    jabi_end *end;
} jabi_runner;

struct jabi_race {
    jab_loop *loop;
    jabi_targets *targets;
    void (*changed)(void *arg); /* there is a winner, or all have failed */
    void *arg;
    jabi_timer timer;
    jabi_runner runners[JABI_RACE_RUNNERS];
    int64_t next_at; /* no attempt before, unless one fails */
    int last_family;
    int fd;              /* the winner's, or -1 */
    jabi_target *target; /* the winner; stays set when it failed */
    jabi_end *end;
};

/* What a race can be in. */
typedef enum jabi_race_state {
    JABI_RACE_RUNNING,
    JABI_RACE_WON,
    JABI_RACE_LOST, /* every address of a complete list failed */
} jabi_race_state;

/* The targets are read, and their ends' states written; both outlive it. */
void jabi_race_init(jabi_race *race, jab_loop *loop, jabi_targets *targets, void (*changed)(void *),
                    void *arg);

/* Closes all attempts, the winner too unless it was taken. */
void jabi_race_fini(jabi_race *race);

/* Looks at the targets: starts what may be started. Call it when addresses
 * came. Never calls `changed`; returns the state. */
jabi_race_state jabi_race_run(jabi_race *race);

/* The winner's descriptor, which the caller owns from now on. */
int jabi_race_take(jabi_race *race);

/* What came after the winner's connection failed: it is out, the others run. */
jabi_race_state jabi_race_again(jabi_race *race);

/* Whether anything is left to try beside the winner. */
int jabi_race_has_more(const jabi_race *race);

/* "[::1]:5222 connection refused, 127.0.0.1:5222 no answer" */
void jabi_race_words(const jabi_race *race, char *out, size_t size);

/* The end to try next at `now`, or NULL; then *wait says when to look again. */
jabi_end *jabi_race_pick(jabi_targets *targets, int last_family, int64_t now, jabi_target **target,
                         int64_t *wait);

#endif
