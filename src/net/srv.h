/*
 * srv.h: SRV records into the order in which to try them (RFC 2782,
 * XEP-0368 §3). Knows no sockets and no DNS library.
 */
#ifndef JABI_SRV_H
#define JABI_SRV_H

#include <jabiru/base.h>

#define JABI_HOST_MAX    256  /* bytes of a host name with its NUL */
#define JABI_TARGETS_MAX 16   /* targets that are tried, whatever DNS says */
#define JABI_SRV_MAX     1024 /* records that are looked at */

typedef struct jabi_srv {
    const char *host; /* borrowed; "" or "." says: no such service */
    uint16_t port, priority, weight;
    int direct_tls; /* 1: from _xmpps-client */
} jabi_srv;

/* What one of the two services' look-ups said. */
typedef enum jabi_srv_answer {
    JABI_SRV_UNASKED, /* the TLS policy does not want it */
    JABI_SRV_OPEN,    /* not answered yet */
    JABI_SRV_NONE,    /* no records: NXDOMAIN or NODATA */
    JABI_SRV_FAILED,  /* SERVFAIL, time-out */
    JABI_SRV_REFUSED, /* ".": decidedly not available (RFC 2782) */
    JABI_SRV_SOME,    /* records */
} jabi_srv_answer;

/* What follows from both answers. */
typedef enum jabi_srv_verdict {
    JABI_SRV_WAIT,     /* an answer is missing */
    JABI_SRV_USE,      /* connect to the records' targets, to nothing else */
    JABI_SRV_FALLBACK, /* no records: the domain itself on the standard port */
    JABI_SRV_STOP,     /* the domain says that there is no such service */
} jabi_srv_verdict;

jabi_srv_verdict jabi_srv_judge(jabi_srv_answer direct, jabi_srv_answer starttls);

/*
 * Puts up to JABI_TARGETS_MAX of the n records into `out`, in the order in
 * which to try them: by priority, and within a priority drawn at random by
 * weight. Both services' records are one set. Records without a port or a
 * host are left out. The records are sorted in place. Returns how many.
 */
size_t jabi_srv_order(jabi_srv *records, size_t n, jab_random_fn random, void *random_arg,
                      jabi_srv out[JABI_TARGETS_MAX]);

#endif
