/*
 * target.h: where a client may connect to: the list that the resolver fills
 * and the race reads.
 */
#ifndef JABI_TARGET_H
#define JABI_TARGET_H

#include "net/addr.h"
#include "net/srv.h"

#define JABI_ADDRS_MAX 8 /* addresses of one target that are tried */

/* What became of an address. */
typedef enum jabi_end_state {
    JABI_END_NEW,    /* not tried */
    JABI_END_TRYING, /* connecting */
    JABI_END_WON,    /* connected, and in use */
    JABI_END_FAILED, /* did not connect, or something after that went wrong */
} jabi_end_state;

typedef struct jabi_end {
    jabi_addr addr;
    jabi_end_state state;
    int error; /* errno of a failed connect(); 0: failed later than that */
} jabi_end;

typedef struct jabi_target {
    char host[JABI_HOST_MAX]; /* A-labels, or the text of an address */
    uint16_t port;
    int direct_tls;
    int is_recalled; /* 1: from an earlier connection; it is raced against what DNS says now */
    jabi_end ends[JABI_ADDRS_MAX];
    size_t n;
    int is_secure;        /* DNSSEC vouches for its name, or the user does */
    int open_tlsa;        /* 1: it may not be connected to yet (RFC 7673 §3.4) */
    int open_v6, open_v4; /* 1: that look-up has not been answered */
    int64_t first_at;     /* when the first address came */
} jabi_target;

typedef struct jabi_targets {
    jabi_target list[JABI_TARGETS_MAX];
    size_t n;
    int complete;     /* no target will be added */
    int64_t began_at; /* when the first targets were known */
} jabi_targets;

/* Adds an address; one too many, or one that is there already, is left out. */
void jabi_target_add(jabi_target *t, const jabi_addr *addr, int64_t now);

#endif
