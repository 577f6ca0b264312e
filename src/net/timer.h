/*
 * timer.h: deadlines in a pairing heap. Timers are embedded in what they
 * belong to, so setting one never allocates and never fails.
 */
#ifndef JABI_TIMER_H
#define JABI_TIMER_H

#include <jabiru/base.h>

typedef struct jabi_timer {
    int64_t at;               /* when it is due */
    struct jabi_timer *child; /* first of those that are due no sooner */
    struct jabi_timer *next;  /* right sibling */
    struct jabi_timer *prev;  /* left sibling; of a first child, the parent */
    int queued;               /* 1 while it is in a heap */
    void (*fn)(void *arg);    /* called when due, after it left the heap */
    void *arg;
} jabi_timer;

typedef struct jabi_timers {
    jabi_timer *root; /* the one due first, or NULL */
} jabi_timers;

/* Sets or moves a timer; JAB_NEVER stops it. */
void jabi_timer_set(jabi_timers *heap, jabi_timer *t, int64_t at);

/* Takes a timer out; one that is not queued is left alone. */
void jabi_timer_stop(jabi_timers *heap, jabi_timer *t);

/* When the first timer is due; JAB_NEVER without one. */
int64_t jabi_timers_next(const jabi_timers *heap);

/* Takes out and returns a timer due at `now`; NULL when none is. */
jabi_timer *jabi_timers_due(jabi_timers *heap, int64_t now);

#endif
