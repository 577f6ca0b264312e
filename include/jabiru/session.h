/*
 * session.h: the core without input and output. Bytes and the time go in,
 * bytes and events come out; nothing here touches a socket, a clock, a file
 * or a global. Most programs want client.h, which drives a session.
 *
 * A session and all that it hands out belong to one thread at a time.
 */
#ifndef JABIRU_SESSION_H
#define JABIRU_SESSION_H

#include <jabiru/base.h>
#include <jabiru/stanza.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jab_ext jab_ext;     /* ext.h */
typedef struct jab_store jab_store; /* store.h */
typedef struct jab_vault jab_vault; /* login.h */

typedef enum jab_tls_policy {
    JAB_TLS_REQUIRED, /* direct TLS where DNS offers it, else STARTTLS; never without */
    JAB_TLS_DIRECT,   /* TLS from the first byte (XEP-0368) */
    JAB_TLS_OFF,      /* no TLS: for private test servers */
} jab_tls_policy;

typedef enum jab_compress_policy {
    JAB_COMPRESS_OFF,    /* the default */
    JAB_COMPRESS_PLAIN,  /* XEP-0138 zlib, unless the stream is under TLS */
    JAB_COMPRESS_ANYWAY, /* inside TLS too, where it can leak secrets (CRIME) */
} jab_compress_policy;

/* A line of the wire log. `out` is 1 for what was sent. Secrets in it are
 * replaced by "[...]" before this is called. */
typedef void (*jab_wire_fn)(void *arg, int out, jab_str bytes);

/*
 * What a session is made from. Always write JAB_CONFIG(.jid = ..., ...):
 * it fills in `size`, and every member left out takes its default. The
 * strings are copied.
 */
typedef struct jab_config {
    size_t size;
    jab_str jid;      /* account, with or without a resource; required */
    jab_str password; /* absent for EXTERNAL and ANONYMOUS */
    jab_str authzid;  /* act as this account (rare); absent: as jid */

    /* The only SASL mechanisms acceptable, separated by blanks. Absent: the
     * best SCRAM on offer. The one way to allow PLAIN or DIGEST-MD5. */
    jab_str mechanisms;
    jab_tls_policy tls;
    jab_compress_policy compress;

    jab_str lang; /* xml:lang of the stream; absent: "en" */

    /* Extensions beside the built-in ones: a NULL-ended list, not copied. */
    const jab_ext *const *exts;

    /* What the session answers to a version query (XEP-0092). Absent: jabiru
     * and its version; the system is told only when given. */
    jab_str software_name, software_version, software_os;
    /* Category and type of this client for service discovery (XEP-0030);
     * absent: "client" and "console". */
    jab_str identity_category, identity_type;

    /* Limits; 0 takes the default. */
    size_t max_stanza_bytes;       /* 1 MiB: larger ones end the stream */
    size_t max_output_bytes;       /* 4 MiB: jab_out_send() says JAB_EAGAIN beyond */
    size_t max_events;             /* 256: jab_session_feed() takes no more beyond, nor when the
                                    * stanzas behind waiting events take 32 * max_stanza_bytes */
    size_t max_requests;           /* 64 open iq requests */
    uint32_t max_scram_iterations; /* 2,000,000 */

    /* Times in milliseconds; 0 takes the default, JAB_NEVER switches off;
     * less than 0 is JAB_EINVAL. */
    int64_t login_timeout;   /* 60,000: from jab_session_connected() to online */
    int64_t request_timeout; /* 30,000: until an iq reply counts as missing; from the last
                              * `now` that the session was given */
    int64_t stanza_timeout;  /* 60,000: from the first byte of a stanza to its last, while
                              * jab_session_feed() takes bytes */
    int64_t ack_timeout;     /* 30,000: unacknowledged for so long, the connection is dead */
    int64_t keepalive;       /* 60,000: idle time after which one space is sent */

    /* Inputs. Absent: malloc, the system's randomness and clock. */
    const jab_mem *mem;
    jab_random_fn random;
    void *random_arg;
    jab_wall_fn wall;
    void *wall_arg;

    jab_wire_fn wire;
    void *wire_arg;

    /* Only for client.h, a bare session ignores them. */
    jab_str host;        /* connect there instead of asking DNS for the domain */
    uint16_t port;       /* with host; 0: 5222, or 5223 with JAB_TLS_DIRECT */
    jab_str ca_file;     /* trust these certificates instead of the system's */
    jab_str client_cert; /* PEM files for EXTERNAL */
    jab_str client_key;
    jab_str pin_sha256;      /* hex or base64 SHA-256 of the server's public key */
    jab_str nameserver;      /* "127.0.0.1:5353": ask this name server instead */
    int64_t connect_timeout; /* 30,000: DNS, TCP and TLS together */
    int no_reconnect;        /* 1: one attempt, then JAB_EV_OFFLINE is the end */

    /* What survives the program: see sm.h and history.h. Not copied, and to be
     * freed after the session. NULL: nothing does. */
    jab_store *store;
    /* 1: what came is committed by jab_session_commit() only, and one message
     * is taken at a time; 0: before its event is pulled. */
    int commit_by_caller;
    size_t max_outbox;      /* 10,000 messages that wait; jab_out_send() says JAB_EAGAIN beyond */
    unsigned first_history; /* messages fetched of an archive that was never read before; 0: none */
    unsigned receipts;      /* enum jab_receipts_flags (receipts.h) */

    /* The log-in: see login.h. The vault is not copied, and to be freed after the
     * session. NULL: what is learnt lasts as long as the session. */
    const jab_vault *vault;
    unsigned login;       /* enum jab_login_flags */
    jab_str bearer_token; /* for OAUTHBEARER (RFC 7628), in place of a password */
    jab_str device;       /* told to the server, so that it can list its sessions to the user */

    /* Only for client.h. */
    jab_str proxy; /* "socks5://[user:password@]host:port" or "http://...": all connections go
                    * there, and names are resolved by it */
    int dane;      /* 1: TLSA records (RFC 7671) count where a local resolver validated them;
                    * 2: and are required; 0: never asked for */
} jab_config;

/* In C++, zero a jab_config and set its `size` and members by hand. */
#ifndef __cplusplus
#define JAB_CONFIG(...) (&(const jab_config){.size = sizeof(jab_config), __VA_ARGS__})
#endif

/* -- Events -------------------------------------------------------------------
 *
 * Extension n of XEP x has the event numbers JAB_EV(x, 0...255), declared in
 * its own header. Ignore the numbers you do not know: later versions add some.
 */
#define JAB_EV(xep, n) ((uint32_t)(xep) << 8 | (uint32_t)(n))

enum {
    JAB_EV_ONLINE = JAB_EV(6120, 1),  /* resource bound: `jid` is the full address */
    JAB_EV_OFFLINE = JAB_EV(6120, 2), /* the stream ended: `fault` says why */
    JAB_EV_IQ = JAB_EV(6120, 3),      /* the answer to jab_iq_to(): `iq` */
    JAB_EV_MESSAGE = JAB_EV(6121, 1), /* `message` */
};

/* The answer to a request, or why there is none. */
typedef struct jab_iq_reply {
    int error;                /* 0: result. JAB_ESTANZA: refused, see below.
                               * JAB_ETIMEOUT, JAB_EOFFLINE: no answer came. */
    const jab_stanza *stanza; /* the result or error; NULL when none came */
    const jab_xml *payload;   /* its first child element that is not <error/>, or NULL */
    jab_stanza_error refusal; /* with JAB_ESTANZA */
} jab_iq_reply;

/* A message. Views live until the next event is pulled. */
typedef struct jab_message {
    jab_jid from, to;
    jab_str id; /* absent if the sender gave none */
    jab_message_type type;
    unsigned flags;           /* enum jab_via: how it came; 0: straight from the sender */
    jab_str body;             /* absent without one; else the best for the stream's language */
    int64_t stamp;            /* ms since 1970 when it was sent, from a trusted delay; 0: now */
    const jab_stanza *stanza; /* the rest: see message.h */
    int64_t key;              /* of it in the store (store.h); 0 without one, or when not kept */
} jab_message;

typedef struct jab_event {
    uint32_t type;              /* JAB_EV_... */
    uint64_t tag;               /* the caller's, in answers to requests; else 0 */
    const jab_stanza *stanza;   /* what caused it, or NULL */
    const jab_jid *jid;         /* JAB_EV_ONLINE */
    const jab_fault *fault;     /* JAB_EV_OFFLINE; code 0 after a graceful close */
    const jab_iq_reply *iq;     /* JAB_EV_IQ */
    const jab_message *message; /* JAB_EV_MESSAGE */
    const void *data;           /* extensions' events: the struct that goes with `type` */
} jab_event;

/* -- Life ----------------------------------------------------------------- */

/*
 * Makes a session from a configuration. Nothing is sent yet.
 * Returns 0 and sets *out; JAB_EINVAL, JAB_EJID, JAB_ENOMEM; JAB_ECONFLICT
 * when two extensions claim the same iq payload. That a secret is missing is
 * known at the log-in, when the server has said what it takes.
 */
JAB_API int jab_session_new(jab_session **out, const jab_config *cfg) JAB_MUST_USE;

/* Frees a session. Secrets are wiped. NULL is fine. */
JAB_API void jab_session_free(jab_session *s);

/* -- Driving ----------------------------------------------------------------
 *
 *     jab_session_connected(s, now);           when the transport is up
 *     loop: write jab_session_out(), pull jab_session_next(), read and
 *           jab_session_feed(), or jab_session_tick() at the deadline
 *
 * A session has no clock of its own. What begins between two calls, as a
 * request's deadline does, counts from the `now` given last: after a pause,
 * call jab_session_tick() before asking for something.
 */

/* Facts about the TLS layer that the driver set up. Views are copied. */
typedef struct jab_tls_info {
    int verified;        /* 1: the certificate was checked against the JID's domain */
    int version;         /* 12 or 13 */
    jab_str exporter;    /* 32 bytes of tls-exporter (RFC 9266), or absent */
    jab_str unique;      /* tls-unique (RFC 5929 3), TLS 1.2 only, or absent */
    jab_str end_point;   /* tls-server-end-point (RFC 5929 4), or absent */
    jab_str cipher;      /* "TLS_AES_256_GCM_SHA384", for people */
    int has_client_cert; /* 1: a certificate was sent, EXTERNAL makes sense */
    int resumed;         /* 1: an earlier TLS session went on */
} jab_tls_info;

/* The transport is connected: the stream header is written to the output.
 * `tls` is NULL on a bare transport, or says what direct TLS reached. Also
 * begins anew after JAB_EV_OFFLINE. JAB_ESTATE when a stream is open. */
JAB_API int jab_session_connected(jab_session *s, const jab_tls_info *tls,
                                  int64_t now) JAB_MUST_USE;

/* Whether the stream waits for the driver to do a TLS handshake (RFC 6120
 * 5.4.3.3). Write all output first; bytes read but not yet fed must be thrown
 * away, as they came before the handshake. Then call jab_session_secured(). */
JAB_API int jab_session_wants_tls(const jab_session *s);
JAB_API int jab_session_secured(jab_session *s, const jab_tls_info *tls, int64_t now) JAB_MUST_USE;

/*
 * Before a TLS handshake that resumes a session of the same server whose tickets allow early
 * data (RFC 8446 2.3), in place of jab_session_connected() or, where jab_session_wants_tls(), of
 * jab_session_secured(). `tls` says what that session has: version, verified, end_point. Returns
 * 1 when the output is to be sent as early data: only with JAB_LOGIN_EARLY_DATA, and a token
 * whose counter makes a replay harmless (XEP-0484 3.4). 0: nothing began, go on as without.
 */
JAB_API int jab_session_early(jab_session *s, const jab_tls_info *tls, int64_t now) JAB_MUST_USE;

/* That handshake is done, and verified as any other. When the server did not take the early
 * data, send the same bytes again: say jab_session_out_done() only for what it took. */
JAB_API int jab_session_early_done(jab_session *s, const jab_tls_info *tls,
                                   int64_t now) JAB_MUST_USE;

/*
 * Takes bytes that arrived. Returns how many were taken: fewer than `n` when
 * the event queue is full (pull events, then feed the rest), when the server
 * does not take the answers to what it asks (write output first), while a
 * password is computed (call jab_session_tick(), which the deadline asks for)
 * or when TLS is wanted. Returns < 0 when the stream is broken: the output then holds a
 * stream error and JAB_EV_OFFLINE is queued; write, then close the transport.
 */
JAB_API ptrdiff_t jab_session_feed(jab_session *s, const void *bytes, size_t n,
                                   int64_t now) JAB_MUST_USE;

/* The peer closed the transport. `clean` is 0 when TLS was cut without
 * close_notify or the connection was reset. With stanzas inflated that the
 * event queue has no room for, the end comes when they were pulled. */
JAB_API void jab_session_eof(jab_session *s, int clean, int64_t now);

/* The driver failed (name, connection, TLS handshake): ends the stream, or the
 * attempt to begin one, with this fault, whose strings are copied. */
JAB_API void jab_session_fail(jab_session *s, const jab_fault *fault, int64_t now);

/* Time passed: call it at or after jab_session_deadline(). */
JAB_API void jab_session_tick(jab_session *s, int64_t now);

/* When jab_session_tick() is to be called next; JAB_NEVER, or a time that
 * may lie in the past when work is waiting. */
JAB_API int64_t jab_session_deadline(const jab_session *s);

/* Bytes to write; empty when there are none. Valid until the next call that
 * takes the session. Then say how many were written. */
JAB_API jab_str jab_session_out(jab_session *s);
JAB_API void jab_session_out_done(jab_session *s, size_t n);

/* The next event, or NULL. Valid until the next call of this function. */
JAB_API const jab_event *jab_session_next(jab_session *s);

/* Closes gracefully: unsent stanzas first, then </stream:stream>. The peer's
 * answer, or 2 seconds, end it with JAB_EV_OFFLINE whose fault has code 0. */
JAB_API void jab_session_close(jab_session *s, int64_t now);

/* Whether the stream is over and the transport may be closed. */
JAB_API int jab_session_closed(const jab_session *s);

/* Whether a resource is bound and stanzas may be sent. */
JAB_API int jab_session_online(const jab_session *s);

/* Why the last stream ended: 0, or an enum jab_error. */
JAB_API int jab_session_error(const jab_session *s);

/* The same with words; NULL when it ended well. Valid until the next
 * jab_session_connected(). */
JAB_API const jab_fault *jab_session_fault(const jab_session *s);

/* Where a see-other-host stream error pointed ("host" or "host:port"), after
 * an end with JAB_EREDIRECT; else absent. To be followed only over verified
 * TLS, a bounded number of times. Valid until the next jab_session_connected(). */
JAB_API jab_str jab_session_redirect(const jab_session *s);

/* -- Facts ---------------------------------------------------------------- */

/* The own address: full once bound, before that as configured. */
JAB_API const jab_jid *jab_session_jid(const jab_session *s);

/* How the log-in went; strings are absent where it did not get that far. */
typedef struct jab_login_info {
    jab_str mechanism;       /* "SCRAM-SHA-256-PLUS" */
    jab_str channel_binding; /* "tls-exporter", absent without */
    int tls_version;         /* 12, 13, or 0 without TLS */
    jab_str cipher;
    int compressed;    /* 1 under XEP-0138 */
    int server_proved; /* 1: the server proved that it knows the password */
    int sasl2;         /* 1: by XEP-0388 */
    int bind2;         /* 1: the resource was bound in the same step (XEP-0386) */
    int token;         /* 1: a token took the place of the password (XEP-0484) */
    int tls_resumed;   /* 1: an earlier TLS session went on */
} jab_login_info;

/* Valid until the stream ends. */
JAB_API jab_login_info jab_session_login(const jab_session *s);

/* The caller's pointer, for use in callbacks and bindings. */
JAB_API void jab_session_set_user(jab_session *s, void *user);
JAB_API void *jab_session_user(const jab_session *s);

#ifdef __cplusplus
}
#endif
#endif
