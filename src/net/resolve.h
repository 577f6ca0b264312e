/*
 * resolve.h: from a domain to targets with addresses, by SRV, AAAA and A
 * look-ups (RFC 6120 §3.2, XEP-0368 §3). Never blocks; its sockets and
 * deadlines are in the loop.
 */
#ifndef JABI_RESOLVE_H
#define JABI_RESOLVE_H

#include "net/loop.h"
#include "net/target.h"

#define JABI_DNS_LIMIT     10000 /* ms for all look-ups together */
#define JABI_DANE_REQUIRED 2     /* of jab_config.dane */

typedef struct jabi_resolve jabi_resolve;

typedef struct jabi_resolve_args {
    jab_loop *loop;
    jab_str domain;     /* A-labels or an IP address */
    jab_str host;       /* present: connect there, ask for no SRV */
    uint16_t port;      /* with host; 0: the standard port */
    jab_tls_policy tls; /* which services are wanted */
    jab_str nameserver; /* "127.0.0.1:5353"; absent: the system's */
    int64_t limit;      /* ms; JABI_DNS_LIMIT at most is used */
    jab_random_fn random;
    void *random_arg;
    int dane;                   /* as jab_config.dane */
    const jabi_target *first;   /* put before all others; or NULL. Copied */
    jabi_targets *targets;      /* filled; outlives the resolver */
    void (*changed)(void *arg); /* targets, addresses or the end came; it may
                                 * free the resolver */
    void *arg;
} jabi_resolve_args;

/* Begins. The views are copied. 0, JAB_ENOMEM, JAB_EINVAL (host, name server)
 * or JAB_EIO. `changed` is not called before the next turn of the loop. */
int jabi_resolve_new(jabi_resolve **out, const jabi_resolve_args *args) JAB_MUST_USE;

/* Ends all look-ups. NULL is fine. */
void jabi_resolve_free(jabi_resolve *r);

/* Whether nothing more will come. */
int jabi_resolve_done(const jabi_resolve *r);

/* What DNSSEC says of a target: 1 when it vouches for the host and its address; then its
 * TLSA records (dane.h) are out->records, empty without. Valid as long as the resolver. */
typedef struct jabi_dane_facts {
    const char *host; /* from SRV, or "" */
    jab_str records;
} jabi_dane_facts;
int jabi_resolve_dane(const jabi_resolve *r, const jabi_target *target, jabi_dane_facts *out);

/* Once done without a single address: why. Valid as long as the resolver. */
const jab_fault *jabi_resolve_fault(jabi_resolve *r);

#endif
