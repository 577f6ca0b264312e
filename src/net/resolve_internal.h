/* resolve_internal.h: what the resolver's two files share: look-ups and DNS. */
#ifndef JABI_RESOLVE_INTERNAL_H
#define JABI_RESOLVE_INTERNAL_H

#include <ares.h>

#include "base/buf.h"
#include "net/resolve.h"

#define JABI_DNS_SOCKETS 8

/* How the look-ups went, for the words when they led nowhere. */
typedef struct jabi_dns_tally {
    int answered; /* a server gave an answer, if only "no such name" */
    int unknown;  /* of those: no such name (NXDOMAIN) */
    int silent;   /* timed out */
    int failed;   /* the last other status of c-ares, or 0 */
} jabi_dns_tally;

typedef struct jabi_dns_socket {
    jabi_watch watch;
    struct jabi_dns *dns;
} jabi_dns_socket;

typedef struct jabi_dns {
    jab_loop *loop;
    jab_random_fn random;
    void *random_arg;
    ares_channel channel; /* NULL: off */
    jabi_dns_socket sockets[JABI_DNS_SOCKETS];
    jabi_timer timer;            /* c-ares' own deadline */
    void (*progress)(void *arg); /* after c-ares did something; may end it */
    void *arg;
} jabi_dns;

/* dns.c: c-ares in the loop. 0, JAB_ENOMEM, JAB_EINVAL or JAB_EIO. */
int jabi_dns_init(jabi_dns *dns, jab_loop *loop, jab_str nameserver, void (*progress)(void *),
                  void *arg) JAB_MUST_USE;
void jabi_dns_fini(jabi_dns *dns);

/* Sets the timer to c-ares' deadline. After queries were added. */
void jabi_dns_arm(jabi_dns *dns);

/* As ares_query(); `asks_ad` wants to know what DNSSEC says (RFC 6840 §5.7), and then the
 * answer comes as ares_send() gives it. 0, JAB_ENOMEM, JAB_ECRYPTO. */
int jabi_dns_ask(jabi_dns *dns, const char *name, int type, int asks_ad, ares_callback answered,
                 void *arg) JAB_MUST_USE;

/* The status that ares_query() would have given; whether the resolver says that the answer
 * is validated: for what that is worth, see jabi_dns_is_local(). */
int jabi_dns_status(int status, const unsigned char *reply, int size);
int jabi_dns_is_authentic(const unsigned char *reply, int size);

/* Whether all name servers are on this machine: nobody on the way can set the bit. */
int jabi_dns_is_local(const jabi_dns *dns);

/* The look-up of one service. */
typedef struct jabi_srv_query {
    struct jabi_resolve *resolve;
    int direct_tls;
    jabi_srv_answer answer;
    int is_authentic;
    struct ares_srv_reply *reply; /* owns the records' host names */
} jabi_srv_query;

/* The query of a target's TLSA records, and what came of it. */
typedef struct jabi_tlsa_query {
    struct jabi_resolve *resolve;
    size_t target;
    int has_authentic; /* one of its addresses is (RFC 7673 §3.2) */
    jabi_buf records;  /* see dane.h */
} jabi_tlsa_query;

/* One query of a target's addresses. */
typedef struct jabi_addr_query {
    struct jabi_resolve *resolve;
    size_t target;
    int family;
} jabi_addr_query;

struct jabi_resolve {
    jabi_resolve_args args;
    jab_str domain, host, nameserver; /* owned */
    jabi_dns dns;
    jabi_timer timer; /* end of a phase; also "call changed soon" */
    int64_t srv_until, until;
    jabi_srv_query services[2]; /* direct TLS, STARTTLS */
    jabi_addr_query queries[2 * JABI_TARGETS_MAX];
    jabi_tlsa_query tlsa[JABI_TARGETS_MAX];
    int dane; /* as configured, where the name server's word counts */
    int no_local_dns;
    int without_dane, dane_failed; /* targets that were given up for that */
    jabi_dns_tally tally;
    int used_srv, refused; /* where the targets came from; "." */
    int done, error;
    jab_fault fault;
    char text[512];
};

/* resolve_dane.c: the channel is there; a target's addresses are found, or asked for; an
 * answer about them came; the time is over. */
void jabi_dane_begin(jabi_resolve *r);
void jabi_dane_hold(jabi_resolve *r, jabi_target *t);
void jabi_dane_addresses(jabi_resolve *r, size_t at, int is_authentic);
void jabi_dane_give_up(jabi_resolve *r);
void jabi_dane_fini(jabi_resolve *r);

/* Why a target was given up, or NULL. */
const char *jabi_dane_words(const jabi_resolve *r);

#endif
