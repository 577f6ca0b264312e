/*
 * probe.h: the inside of a probe. probe.c has its course: names, then TCP to all
 * addresses, then TLS and the stream of those that are worth it; probe_run.c
 * is one connection, probe_stream.c what is said on it; probe_tls.c and
 * probe_offer.c note the facts.
 */
#ifndef JABI_PROBE_H
#define JABI_PROBE_H

#include <jabiru/probe.h>

#include "base/arena.h"
#include "base/buf.h"
#include "net/loop.h"
#include "net/proxy.h"
#include "net/resolve.h"
#include "net/tls.h"
#include "xml/xml.h"

#define JABI_PROBE_RUNS        16      /* connections at a time, for TCP */
#define JABI_PROBE_CHECKS      4       /* of them, with TLS and a stream */
#define JABI_PROBE_STEP        5000    /* ms for TCP, for the handshake, for each set of features */
#define JABI_PROBE_ELEMENT_MAX 65536   /* bytes of a header, or of features */
#define JABI_PROBE_READ_MAX    262144  /* bytes of one connection, before and within TLS */
#define JABI_PROBE_TREE_MAX    8388608 /* bytes of memory for one element */
#define JABI_PROBE_FACTS_MAX   16777216 /* bytes of memory for the report */
#define JABI_PROBE_LIST_MAX    32
#define JABI_PROBE_WORD_MAX    256 /* bytes of one word that the server lists */

/* What a step of a connection leads to; below zero the address failed. */
enum {
    JABI_PROBE_WAIT = 0,  /* for the socket */
    JABI_PROBE_DONE = 1,  /* all was seen */
    JABI_PROBE_AGAIN = 2, /* another step is set, and may be taken at once */
};

typedef struct jabi_probe_run {
    jab_probe *p;
    jab_probe_address *address; /* NULL: idle */
    const jab_probe_target *target;
    jabi_target *from;
    jabi_end *end;
    int deep; /* TLS and the stream, too */
    jabi_watch watch;
    jabi_timer timer;
    int (*step)(struct jabi_probe_run *run);
    int64_t began;        /* the step */
    jabi_proxy_talk talk; /* until the proxy has opened the way */
    jabi_tls *tls;
    jabi_xml_parser *parser;
    jabi_arena tree;
    jabi_buf out;
    size_t out_at;
    size_t n_read;
    int opened;    /* the server's header came */
    int asked_tls; /* <starttls/> was sent */
} jabi_probe_run;

typedef enum jabi_probe_phase {
    JABI_PROBE_NAMES,
    JABI_PROBE_TCP,
    JABI_PROBE_STREAMS,
    JABI_PROBE_OVER,
} jabi_probe_phase;

/* An address with all that is known of it. */
typedef struct jabi_probe_spot {
    const jab_probe_target *target;
    jab_probe_address *address;
    jabi_target *from; /* of the resolver */
    jabi_end *end;
} jabi_probe_spot;

struct jab_probe {
    jab_loop *loop;
    jab_config cfg; /* without its secrets */
    unsigned flags;
    jab_jid_buf jid_bytes;
    jab_jid jid;
    char domain[256];    /* A-labels or IP address */
    jabi_tls_ctx *trust; /* NULL without TLS */
    jabi_proxy *proxy;   /* NULL: none */
    int has_pin;
    uint8_t pin[32];

    jabi_probe_phase phase;
    jabi_task begin;
    jabi_timer timer; /* the end of all */
    int64_t began, deadline, tcp_until;
    jabi_targets targets;
    jabi_resolve *resolve;
    jabi_probe_spot *spots; /* in a client's order */
    size_t n_spots, next;   /* the one to be looked at next */
    jabi_probe_run runs[JABI_PROBE_RUNS];
    size_t running;

    jabi_arena facts;
    int error; /* JAB_ENOMEM: the report is not whole */
    jab_probe_report report;
};

/* -- probe.c ----------------------------------------------------------------------- */

/* Zeroed memory of the report, and copies into it. NULL and absent: p->error is set. */
void *jabi_probe_alloc(jab_probe *p, size_t n);
jab_str jabi_probe_keep(jab_probe *p, jab_str s);

/* The same with control characters, and what is no UTF-8, replaced by "?": for names from
 * the DNS and from certificates, which may hold anything. */
jab_str jabi_probe_clean(jab_probe *p, const char *z);

/* A connection is over: on to the next address, phase, or the end. */
void jabi_probe_next(jab_probe *p);

/* -- probe_dns.c ------------------------------------------------------------------- */

/* Notes what the name server said, once it is done. */
void jabi_probe_note_dns(jab_probe *p);

/* Makes the report's targets, and the spots, of what was resolved. 0 or JAB_ENOMEM. */
int jabi_probe_lay_out(jab_probe *p) JAB_MUST_USE;

/* -- probe_run.c ------------------------------------------------------------------- */

/* Begins with an address on an idle run. 1; 0 when it failed at once. */
int jabi_probe_start(jabi_probe_run *run, const jabi_probe_spot *spot, int deep);

/* Cuts a run that is not idle. */
void jabi_probe_stop(jabi_probe_run *run);

/* Notes that time is up for a run. */
void jabi_probe_late(jabi_probe_run *run);

/* The next step, with its time. Returns JABI_PROBE_AGAIN. */
int jabi_probe_enter(jabi_probe_run *run, int (*step)(jabi_probe_run *));

/* Notes why an address is of no use; the first reason stays. Returns `code`. */
int jabi_probe_fault(jabi_probe_run *run, int code, jab_stage stage, jab_str condition,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* -- probe_proxy.c: a step ----------------------------------------------------------- */

int jabi_probe_pass(jabi_probe_run *run);

/* Begins to talk with the proxy; jabi_probe_pass() is next. */
int jabi_probe_begin_proxy(jabi_probe_run *run);

/* Reads the proxy's address, if there is one. 0, JAB_EINVAL, JAB_ENOMEM. */
int jabi_probe_set_proxy(jab_probe *p) JAB_MUST_USE;
void jabi_probe_free_proxy(jab_probe *p);

/* The ports at which a client would ask the proxy for the server; how many. */
size_t jabi_probe_aims(const jab_probe *p, uint16_t ports[2]);

/* -- probe_tls.c: a step ------------------------------------------------------------ */

int jabi_probe_shake(jabi_probe_run *run);

/* Sets TLS up on the connection; jabi_probe_shake() is next. */
int jabi_probe_begin_tls(jabi_probe_run *run);

/* -- probe_stream.c: a step --------------------------------------------------------- */

int jabi_probe_talk(jabi_probe_run *run);

/* Writes the stream's header; jabi_probe_talk() is next. */
int jabi_probe_begin_stream(jabi_probe_run *run);

/* -- probe_offer.c ------------------------------------------------------------------ */

/* Reads <stream:features/>; NULL when out of memory. */
jab_probe_offer *jabi_probe_read_offer(jab_probe *p, const jab_xml *features);

#endif
