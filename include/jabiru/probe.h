/*
 * probe.h: what a server offers before anybody logs in: its DNS records, which
 * of its addresses answer, its TLS and certificate, and its stream features.
 *
 * A probe connects as a client would and leaves before the log-in. It sends no
 * password and no token, so it goes on where a client must not: with a
 * certificate that is not acceptable, to tell what is wrong with it. Nothing
 * that it reports has more authority than that certificate. An account is named
 * only where the certificate is acceptable: some servers tell an account more.
 *
 * A probe belongs to one thread at a time.
 */
#ifndef JABIRU_PROBE_H
#define JABIRU_PROBE_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Words or names that the server listed, 32 at most. */
typedef struct jab_probe_list {
    const jab_str *v;
    size_t n;
} jab_probe_list;

/* What the name server said of one service. */
typedef enum jab_probe_answer {
    JAB_PROBE_UNASKED, /* a host was given, or the TLS policy does not want the service */
    JAB_PROBE_NONE,    /* there are no records */
    JAB_PROBE_FAILED,  /* no answer, or an error */
    JAB_PROBE_REFUSED, /* ".": the domain says that it has no such service (RFC 2782) */
    JAB_PROBE_SOME,    /* records */
} jab_probe_answer;

typedef struct jab_probe_srv {
    jab_str host;
    uint16_t priority, weight, port;
    int direct_tls; /* 1: from _xmpps-client (XEP-0368), 0: from _xmpp-client */
} jab_probe_srv;

typedef struct jab_probe_dns {
    jab_probe_answer direct, starttls; /* _xmpps-client, _xmpp-client */
    const jab_probe_srv *records;      /* of both, by priority; 32 at most */
    size_t n;
    int fallback;     /* 1: no records: the domain itself on the standard port (RFC 6120 3.2.2) */
    int no_such_name; /* 1: no address, and the name server knows no such name (NXDOMAIN) */
    int64_t took;     /* milliseconds */
    jab_fault fault;  /* why there is no address; code 0 when there is one */
} jab_probe_dns;

/* The certificate that the server showed. Texts hold no control characters. */
typedef struct jab_probe_cert {
    jab_str issuer;      /* organisation, or common name */
    jab_str names;       /* "example.org, *.example.org and 3 more"; empty: for no domain */
    jab_str key_sha256;  /* of its public key, in hexadecimal: what jab_config.pin_sha256 takes */
    int64_t from, until; /* ms since 1970; 0: unreadable */
    int trusted;         /* 1: the chain verifies, up to a trusted one and in time */
    int matches;         /* 1: it is for the domain */
    int tlsa;            /* TLSA records that can be used (jab_config.dane) */
    int by_dane;         /* 1: one of them vouches for it */
    int pinned;          /* 1: no key was pinned, or it is the one */
} jab_probe_cert;

typedef struct jab_probe_tls {
    int version; /* 12, 13 */
    jab_str cipher;
    jab_str alpn; /* "xmpp-client"; absent: none was agreed on */
    /* Channel bindings that are possible here: RFC 9266; RFC 5929, 3 and 4. */
    int exporter, unique, end_point;
    int64_t took; /* the handshake, ms */
    jab_probe_cert cert;
} jab_probe_tls;

/* Stream features. What a server offers only after the log-in is not there. */
typedef struct jab_probe_offer {
    jab_probe_list mechanisms;  /* SASL of RFC 6120 */
    jab_probe_list sasl2;       /* mechanisms of XEP-0388 */
    jab_probe_list bindings;    /* XEP-0440: types of channel binding */
    jab_probe_list fast;        /* XEP-0484: mechanisms for tokens */
    jab_probe_list upgrades;    /* XEP-0480: tasks */
    jab_probe_list bind2;       /* XEP-0386: features that may be had while binding */
    jab_probe_list compression; /* XEP-0138: methods */
    int has_sasl2, has_bindings, has_bind2, has_fast;
    int resumes_inline; /* XEP-0198 within SASL2 */
    int early_data;     /* XEP-0484: tokens may be sent in TLS early data */
    int starttls, starttls_required;
    int sm, roster_versions, csi;    /* XEP-0198, RFC 6121 2.6, XEP-0352 */
    int registration;                /* XEP-0077 */
    int64_t max_bytes, idle_seconds; /* XEP-0478; 0: not told */
    int64_t took;                    /* from the request for it, ms */
} jab_probe_offer;

typedef enum jab_probe_state {
    JAB_PROBE_UNTRIED,    /* there was no time */
    JAB_PROBE_FAILED_TCP, /* see `error` */
    JAB_PROBE_CONNECTED,
} jab_probe_state;

/* One address of a host. */
typedef struct jab_probe_address {
    jab_str address; /* "[::1]:5222" */
    int family;      /* 6 or 4 */
    jab_probe_state state;
    int error;     /* errno of the connection; ETIMEDOUT: no answer in time */
    int is_local;  /* 1: this machine has no way to such an address; not the server's fault */
    jab_str words; /* of `error`: "connection refused" */
    int64_t took;  /* until it was connected, ms */
    int checked;   /* 1: TLS and the stream were looked at; the rest says how far that got */
    const jab_probe_tls *tls;     /* NULL: no handshake, or none that succeeded */
    const jab_probe_offer *clear; /* before STARTTLS; NULL with direct TLS */
    const jab_probe_offer *offer; /* to who would log in; NULL */
    jab_fault fault; /* of TLS, certificate or stream; code 0: a client could log in here */
} jab_probe_address;

/* One host that a client would connect to, in its order. */
typedef struct jab_probe_target {
    jab_str host;
    uint16_t port;
    int direct_tls;
    const jab_probe_address *addresses;
    size_t n;
} jab_probe_target;

typedef struct jab_probe_report {
    jab_str domain; /* in A-labels */
    int proxied;    /* 1: addresses, and TCP, are those of the proxy, which looks up the hosts */
    jab_probe_dns dns;
    const jab_probe_target *targets;
    size_t n;
    /* Where a client would log in. When that is nowhere: where it comes furthest;
     * NULL when not even TCP connects. */
    const jab_probe_address *best;
    jab_fault fault; /* why nowhere; code 0 otherwise */
    int64_t took;    /* all of it, ms */
} jab_probe_report;

enum jab_probe_flags {
    JAB_PROBE_ALL = 1 << 0, /* TLS and stream at every address, not only up to one that is good */
};

typedef struct jab_probe jab_probe;

/*
 * Makes a probe of the domain of cfg->jid, an account or a mere domain. It goes
 * where a client with this configuration would go; `tls`, `host`, `port`,
 * `proxy`, `ca_file`, `pin_sha256`, `dane`, `nameserver` count, and `wire` sees the streams.
 * `connect_timeout` is for everything together. Returns 0 and sets *out;
 * JAB_EINVAL (proxy, pin), JAB_EJID, JAB_ENOMEM, JAB_EIO; JAB_ETLS when
 * `ca_file` cannot be read.
 */
JAB_API int jab_probe_new(jab_probe **out, const jab_config *cfg, unsigned flags) JAB_MUST_USE;
JAB_API void jab_probe_free(jab_probe *p); /* NULL is fine */

/* Works up to `timeout` ms (-1: until it is done, 0: only what needs no waiting).
 * 1: done; 0: not yet; JAB_EIO, JAB_ENOMEM. */
JAB_API int jab_probe_wait(jab_probe *p, int timeout) JAB_MUST_USE;

/* For an event loop: a descriptor that is readable when jab_probe_wait(p, 0) has
 * work, and ms until it wants to be called in any case; -1: never. */
JAB_API int jab_probe_fd(const jab_probe *p);
JAB_API int jab_probe_timeout(const jab_probe *p);

/* What was found, NULL until it is done. All of it is valid as long as the probe. */
JAB_API const jab_probe_report *jab_probe_result(const jab_probe *p);

#ifdef __cplusplus
}
#endif
#endif
