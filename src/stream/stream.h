/*
 * stream.h: one XML stream (RFC 6120 §4) from its header to its end: which
 * feature is negotiated next, and what it says. Stanzas are not its business:
 * once a resource is bound it hands them on.
 */
#ifndef JABI_STREAM_H
#define JABI_STREAM_H

#include <jabiru/session.h>

#include "base/arena.h"
#include "base/buf.h"
#include "sasl/sasl.h"
#include "stream/memory.h"
#include "xml/xml.h"

#define JABI_NS_CLIENT           "jabber:client"
#define JABI_NS_STREAM           "http://etherx.jabber.org/streams"
#define JABI_NS_STREAMS          "urn:ietf:params:xml:ns:xmpp-streams"
#define JABI_NS_STANZAS          "urn:ietf:params:xml:ns:xmpp-stanzas"
#define JABI_NS_TLS              "urn:ietf:params:xml:ns:xmpp-tls"
#define JABI_NS_SASL             "urn:ietf:params:xml:ns:xmpp-sasl"
#define JABI_NS_SASL2            "urn:xmpp:sasl:2"
#define JABI_NS_BIND2            "urn:xmpp:bind:0"
#define JABI_NS_FAST             "urn:xmpp:fast:0"
#define JABI_NS_UPGRADE          "urn:xmpp:sasl:upgrade:0"
#define JABI_NS_SCRAM_UPGRADE    "urn:xmpp:scram-upgrade:0"
#define JABI_NS_IAP              "urn:xmpp:iap:0"
#define JABI_NS_LIMITS           "urn:xmpp:stream-limits:0"
#define JABI_NS_SM               "urn:xmpp:sm:3"
#define JABI_NS_BIND             "urn:ietf:params:xml:ns:xmpp-bind"
#define JABI_NS_SASL_CB          "urn:xmpp:sasl-cb:0"
#define JABI_NS_COMPRESS_FEATURE "http://jabber.org/features/compress"
#define JABI_NS_COMPRESS         "http://jabber.org/protocol/compress"

#define JABI_ID_SIZE 33 /* a random id: 32 characters and a NUL */

/* What a stream has reached: bits that features require and forbid. */
enum {
    JABI_SECURE = 1 << 0,        /* TLS is on */
    JABI_AUTHENTICATED = 1 << 1, /* SASL succeeded */
    JABI_COMPRESSED = 1 << 2,
    JABI_COMPRESS_TRIED = 1 << 3, /* offered, and refused by the server */
    JABI_BOUND = 1 << 4,
    JABI_RESUME_TRIED = 1 << 5, /* the server did not take the last stream up */
    JABI_BY_SASL2 = 1 << 6,     /* authenticated so */
    JABI_BY_BIND2 = 1 << 7,     /* bound so */
    JABI_BY_TOKEN = 1 << 8,     /* a token took the place of the password */
};

typedef enum jabi_phase {
    JABI_PHASE_OFF,      /* no stream */
    JABI_PHASE_HEADER,   /* waiting for the server's header */
    JABI_PHASE_FEATURES, /* waiting for its features */
    JABI_PHASE_STEP,     /* a feature is being negotiated */
    JABI_PHASE_WORK,     /* SASL is computing */
    JABI_PHASE_TLS,      /* the driver is to do the handshake */
    JABI_PHASE_READY,    /* stanzas flow */
} jabi_phase;

/* What a step of a feature leads to; below zero the stream fails. */
enum {
    JABI_STEP_WAIT = 0, /* for the server's next element */
    JABI_STEP_RESTART,  /* a new stream begins in place of this one */
    JABI_STEP_TLS,      /* after the driver's handshake */
    JABI_STEP_WORK,     /* computing goes on in slices */
    JABI_STEP_AGAIN,    /* choose again from the same features */
    JABI_STEP_READY,    /* the resource is bound */
    JABI_STEP_FEATURES, /* new features come, without a new stream (XEP-0388 §2.6.1) */
};

typedef struct jabi_stream jabi_stream;

/* Stream management (XEP-0198): what outlives one stream. Counters are modulo
 * 2^32 (XEP-0198 §4). */
typedef struct jabi_sm {
    int requested;    /* <enable/> was sent: what goes out is counted */
    int active;       /* <enabled/> came: what comes in is counted */
    int resumed;      /* this stream goes on where the last one ended */
    jab_str id;       /* to resume by, owned; absent: not resumable */
    jab_str location; /* "host:port" where to resume first, owned; absent: anywhere */
    uint32_t in;      /* stanzas that came */
    uint32_t handled; /* of them, those the application is done with */
    uint32_t out;     /* stanzas sent */
    uint32_t acked;   /* of them, those the server has */
    uint32_t told;    /* what <resumed/> or <failed/> said of `acked` */
    int has_told;
} jabi_sm;
typedef struct jabi_zlib jabi_zlib;

/* One row of the negotiation table. */
typedef struct jabi_feature {
    const char *ns, *name; /* its element in <stream:features/> */
    jab_stage stage;
    unsigned required, forbidden;
    /* Whether the configuration wants it; NULL: always. */
    int (*wanted)(const jabi_stream *str);
    /* The server offers it: writes the first step. */
    int (*begin)(jabi_stream *str, const jab_xml *offer);
    /* An element that answers. */
    int (*element)(jabi_stream *str, const jab_xml *el);
    /* Wanted and not offered: fails the stream; NULL: goes on without. */
    int (*missing)(jabi_stream *str);
    /* Whether the first step may leave before the server has offered it on this
     * stream; `offer` is what it offered last time, or NULL. NULL: never. */
    int (*ahead)(jabi_stream *str, const jab_xml *offer);
} jabi_feature;

/* The authentication under way: auth.c. */
typedef struct jabi_auth {
    const struct jabi_dialect *dialect;
    int is_token;            /* by a token, in place of a password */
    int has_keys;            /* the keys of an earlier log-in stand in for the password */
    int tokens_off;          /* one was refused on this stream */
    int needs_anew;          /* the server takes no other choice on this stream, but on a new one */
    int retried;             /* it began once more, as the offer was another */
    int asked_bind;          /* with the resource (XEP-0386) */
    int asked_enable;        /* with that, stream management */
    int asked_resume;        /* with the last stream (XEP-0198 §9.2) */
    const char *asked_token; /* the mechanism that a token was asked for; static, or NULL */
    int proven;              /* SASL is over, tasks may follow (XEP-0388 §2.6.3) */
    unsigned asked_upgrades; /* XEP-0480: a bit for each jabi_sasl_class() */
    int task_asked;          /* <next/> was sent: its data is to come */
} jabi_auth;

/* Writes what extensions want with the resource, inside <bind/>: the session's. Without a
 * writer: the resource is bound, and this is what the server really offered. */
typedef void (*jabi_inline_fn)(void *arg, jabi_writer *w, const jab_xml *offer);

struct jabi_stream {
    const jab_config *cfg; /* with defaults filled in */
    const jab_mem *mem;
    jab_jid account; /* as configured; views into the session */

    jabi_xml_parser *parser;
    jabi_phase phase;
    unsigned state; /* JABI_SECURE... */
    const jabi_feature *active;
    int header_sent, close_sent;

    jabi_buf out;  /* XML to send */
    size_t out_at; /* bytes of it that were taken */
    jabi_buf wire; /* compressed bytes to send */
    size_t wire_at;
    jabi_zlib *zlib;
    int inflate_pending; /* the last chunk was full: zlib may hold more */

    jabi_arena features_arena;
    const jab_xml *features;   /* of the newest stream; NULL before */
    const jab_xml *remembered; /* those of an earlier log-in that a step was begun by */
    const jabi_feature *ahead; /* began by them, and the server's own have not come */
    int features_due;          /* a resumed stream is ready, and its features are still to come */
    int went_ahead, is_stale;  /* a step did; and by what is offered it would not have */
    int is_early;              /* it leaves before the handshake of TLS is over */
    uint64_t max_bytes;        /* of a stanza that the server takes (XEP-0478); 0: not told */
    uint64_t idle_seconds;     /* after which it may end the stream; 0: not told */

    jab_tls_info tls; /* views into tls_arena */
    jabi_arena tls_arena;

    jabi_sasl *sasl;
    jabi_sasl_cache *sasl_cache;
    const char *channel_binding; /* the type in use, static; NULL */
    const char *mechanism;       /* static; NULL before SASL began */
    jabi_auth auth;
    jabi_memory memory; /* of earlier log-ins */
    int may_clear;      /* what the server keeps for who is offline: nothing is missed then */
    jabi_inline_fn inline_fn;
    void *inline_arg;

    jabi_sm sm;
    struct {
        int is_enabled; /* with the resource: <enabled/> came already */
        jab_str id, location;
    } inline_sm; /* owned */

    char bind_id[JABI_ID_SIZE];
    jab_jid bound; /* full address; views into bound_buf */
    jab_jid_buf bound_buf;

    /* Why the stream failed: filled by jabi_stream_fault(). */
    jab_fault fault;
    char fault_condition[64];
    char fault_text[512];
    char redirect[300]; /* see-other-host's host, or "" */
};

int jabi_stream_init(jabi_stream *str, const jab_config *cfg, const jab_jid *account) JAB_MUST_USE;
void jabi_stream_fini(jabi_stream *str);

/* -- From the session ------------------------------------------------------- */

/* The transport is up: forgets the last stream and writes the header. */
int jabi_stream_start(jabi_stream *str, const jab_tls_info *tls) JAB_MUST_USE;

/* The handshake is done: writes the header again. */
int jabi_stream_secured(jabi_stream *str, const jab_tls_info *tls) JAB_MUST_USE;

/* Before a handshake that resumes a TLS session (`tls` is what that has): begins the stream
 * and its log-in, to leave as early data. 1; 0 when that may not be, and nothing began; < 0. */
int jabi_stream_early(jabi_stream *str, const jab_tls_info *tls) JAB_MUST_USE;

/* The handshake behind it is done. 0 or JAB_ENOMEM. */
int jabi_stream_early_done(jabi_stream *str, const jab_tls_info *tls) JAB_MUST_USE;

/* The server's header or an element arrived. Returns 0; 1 when the element is
 * a stanza on a bound stream, for the session to route; or < 0 with the fault
 * set and the stream error written. */
int jabi_stream_on_open(jabi_stream *str, const jab_xml *root) JAB_MUST_USE;
int jabi_stream_on_element(jabi_stream *str, const jab_xml *el) JAB_MUST_USE;

/* Goes on computing, in JABI_PHASE_WORK. 0 or < 0. */
int jabi_stream_work(jabi_stream *str) JAB_MUST_USE;

/* Bytes to write, and how many were taken. */
jab_str jabi_stream_out(jabi_stream *str);
void jabi_stream_out_done(jabi_stream *str, size_t n);
size_t jabi_stream_pending(const jabi_stream *str);
void jabi_stream_discard(jabi_stream *str); /* what waits never leaves: the stream is cut */

/* Inflates: takes *n bytes from *p (moves both) and returns a view of what
 * came out, at most 16 KiB, valid until the next call. Empty when all is used
 * up. < 0 in *error for bad or too greedy input. */
jab_str jabi_stream_inflate(jabi_stream *str, const char **p, size_t *n, int *error);

/* Writes </stream:stream>, once. */
void jabi_stream_close(jabi_stream *str);

/* The stage that the stream is in, for faults. */
jab_stage jabi_stream_stage(const jabi_stream *str);

/* -- Among the stream's files ------------------------------------------------- */

/* Sets the fault (the first one stays) and returns `code`. `condition` may be
 * NULL. The words are a sentence for a person. */
int jabi_stream_fault(jabi_stream *str, int code, jab_stage stage, const char *condition,
                      const char *format, ...) __attribute__((format(printf, 5, 6), nonnull(5)));

/* Writes a stream error (RFC 6120 §4.9) and closes. */
void jabi_stream_write_error(jabi_stream *str, const char *condition);

/* The server broke the protocol: fault, stream error, JAB_EPROTO. */
int jabi_stream_broken(jabi_stream *str, const char *condition, const char *words);

/* The server speaks of an error: reads <stream:error/> (RFC 6120 §4.9). */
int jabi_stream_on_error(jabi_stream *str, const jab_xml *el);

/* Writes the stream header. */
int jabi_stream_write_header(jabi_stream *str);

/* Begins an element at stream level; jabi_stream_write_end() closes it all and
 * shows it to the wire log, or `shown` in its place when it holds a secret. */
void jabi_stream_write(jabi_stream *str, jabi_writer *w, size_t *mark);
int jabi_stream_write_end(jabi_stream *str, jabi_writer *w, size_t mark, const char *shown);

/* Shows an inbound element to the wire log. */
void jabi_stream_log_in(jabi_stream *str, const jab_xml *el);

/* A random id of 32 characters, 160 bits. 0 or JAB_ECRYPTO. */
int jabi_random_id(const jab_config *cfg, char out[JABI_ID_SIZE]) JAB_MUST_USE;

/* The gate before every secret byte: verified TLS for the account's domain,
 * or an account that does without TLS by its own word (RFC 6120 §13.8). */
int jabi_stream_may_send_secret(const jabi_stream *str);

/* Whether <bind/> of XEP-0386, as offered, lists this; NULL: it was not offered. */
int jabi_bind2_lists(const jab_xml *offer, const char *var);

/* XEP-0478 §4: whether the server does not take a stanza of so many bytes. */
int jabi_stream_refuses(const jabi_stream *str, size_t bytes);

/* Chooses the next feature from str->features and begins it. */
int jabi_features_next(jabi_stream *str);

/* What a step led to. */
int jabi_stream_after_step(jabi_stream *str, int step);

/* The name of the first child in the namespace: a defined condition. */
jab_str jabi_condition_of(const jab_xml *el, const char *ns);

extern const jabi_feature jabi_feature_starttls, jabi_feature_sasl2, jabi_feature_sasl,
    jabi_feature_compress, jabi_feature_resume, jabi_feature_bind;

/* SASL's computing, for jabi_stream_work(). */
int jabi_auth_work(jabi_stream *str);

/* Pipelining (ahead.c): after a header, writes the first step of what will be
 * negotiated where that is known, in the same flight. 0 or < 0. */
int jabi_ahead_begin(jabi_stream *str);

/* Whether the log-in by remembered features may leave in early data. */
int jabi_ahead_may_be_early(jabi_stream *str);

/* The server's features came, and differ or not from what was remembered: goes on
 * with the step that is under way. As jabi_features_next(). */
int jabi_ahead_check(jabi_stream *str);

/* Notes features for the next time: `which` is JABI_MEMORY_BEFORE or _AFTER. 0 or < 0. */
int jabi_ahead_remember(jabi_stream *str, jabi_memory_text which);

/* The row that comes next by these features; NULL for none. *offer is its element. */
const jabi_feature *jabi_features_find(const jabi_stream *str, const jab_xml *features,
                                       const jab_xml **offer);

/* Resuming by an element inside others: writes <resume/>, reads the answer. */
int jabi_sm_wants_resume(const jabi_stream *str);
void jabi_sm_write_resume(jabi_stream *str, jabi_writer *w);
int jabi_sm_on_resume(jabi_stream *str, const jab_xml *el);
int jabi_sm_on_inline(jabi_stream *str, const jab_xml *el); /* <enabled/> in <bound/> */

/* Takes over what was enabled with the resource, in place of <enable/>. Returns
 * whether there was something. */
int jabi_sm_adopt(jabi_stream *str);

/* Whether the address is one of the account's, with a resource (RFC 6120 §7.6). */
int jabi_bind_is_ours(const jabi_stream *str, const jab_jid *jid);

/* Stream management: an element of its namespace on a bound stream. Returns
 * 0, or < 0 with the fault set; *event says what it was. */
typedef enum jabi_sm_event {
    JABI_SM_NOTHING,
    JABI_SM_ENABLED,
    JABI_SM_REFUSED, /* no stream management on this stream */
    JABI_SM_ASKED,   /* <r/> */
    JABI_SM_ACKED,   /* <a/>: *h is the count, not yet applied */
} jabi_sm_event;
int jabi_sm_element(jabi_stream *str, const jab_xml *el, jabi_sm_event *event, uint32_t *h);

/* Writes <enable/>, <r/>, <a/>. 0 or < 0. */
int jabi_sm_enable(jabi_stream *str);
int jabi_sm_ask(jabi_stream *str);
int jabi_sm_answer(jabi_stream *str);

/* The server counts stanzas that were never sent: XEP-0198 §4. */
int jabi_sm_too_high(jabi_stream *str, uint32_t h);

/* Forgets the session that could have been resumed. */
void jabi_sm_forget(jabi_stream *str);
void jabi_sm_forget_inline(jabi_stream *str);

/* Compression. */
int jabi_zlib_start(jabi_stream *str);
void jabi_zlib_free(jabi_stream *str);
int jabi_zlib_deflate(jabi_stream *str);

#endif
