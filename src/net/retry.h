/* retry.h: whether and when to connect again (RFC 6120 §3.3). */
#ifndef JABI_RETRY_H
#define JABI_RETRY_H

#include <jabiru/base.h>

#define JABI_RETRY_FIRST  2000   /* ms: the first delay is random up to this, 1 s at the median */
#define JABI_RETRY_MAX    300000 /* ms: no delay is longer */
#define JABI_RETRY_STABLE 60000  /* ms online after which all is forgotten */

typedef struct jabi_backoff {
    unsigned tries; /* since the last stable connection */
} jabi_backoff;

/*
 * A delay before the next attempt: random from 0 to a bound ("full jitter") that
 * grows by half with each attempt, so that the clients of a restarted server
 * spread. Doubled bounds would make those that happen to draw short delays
 * return in a crowd ahead of a long tail: up to 4 times the mean rate, for some
 * lengths of the outage, instead of less than 3 (tests/unit/test_storm.c).
 */
int64_t jabi_backoff_next(jabi_backoff *b, jab_random_fn random, void *random_arg);

/* A connection ended that was online for so long (ms): what stood long enough
 * begins at the first delay again. */
void jabi_backoff_was_online(jabi_backoff *b, int64_t span);

/* Whether trying again by itself could help, and does no harm. */
int jabi_retry_allowed(const jab_fault *fault);

/* Whether another target of the same domain may do better. */
int jabi_other_target_may_help(const jab_fault *fault);

/* How much a fault tells the user, to choose among those of many targets. */
int jabi_fault_rank(int code);

#endif
