/*
 * tls.h: TLS over a connected socket (RFC 7590, XEP-0368 §4): the handshake,
 * the check of the certificate against the account's domain, channel binding.
 */
#ifndef JABI_TLS_H
#define JABI_TLS_H

#include <jabiru/session.h>
#include <openssl/ssl.h>

#include "base/buf.h"
#include "net/loop.h"

/* -- Trust settings, shared by the clients of a loop --------------------------- */

typedef struct jabi_tls_ctx {
    struct jabi_tls_ctx *next; /* in the loop's list */
    jab_loop *loop;
    unsigned refs;
    SSL_CTX *ssl;
    BIO_METHOD *bio;
    jab_str ca_file, client_cert, client_key; /* owned */
} jabi_tls_ctx;

/* The settings of a configuration: those that another client of the loop uses
 * already, or new ones. 0; JAB_ETLS when a file cannot be read; JAB_ENOMEM. */
int jabi_tls_ctx_get(jabi_tls_ctx **out, jab_loop *loop, const jab_config *cfg) JAB_MUST_USE;

/* Gives them back. NULL is fine. */
void jabi_tls_ctx_put(jabi_tls_ctx *ctx);

/* Reads a pin, hexadecimal or base64. 0 or JAB_EINVAL. */
int jabi_pin_parse(jab_str text, uint8_t pin[32]) JAB_MUST_USE;

/* -- One connection ------------------------------------------------------------ */

#define JABI_TLS_BINDING_MAX   64
#define JABI_TLS_SESSION_BYTES 8192     /* of a session that is kept */
#define JABI_TLS_SESSION_AGE   86400000 /* ms that a chain of certificates counts as verified */

typedef struct jabi_tls {
    jabi_tls_ctx *ctx;
    SSL *ssl;
    int fd;
    char domain[256]; /* the account's, as A-labels or IP address */
    int has_pin;
    uint8_t pin[32];
    int wants_write;              /* the last call waits for room in the socket */
    int cert_asked;               /* the server asked for a certificate */
    int eof;                      /* the socket ended (without a word, unless SSL knows one) */
    int chain_error, chain_depth; /* X509_V_ERR_..., where */
    char chain_date[16];          /* when what failed expired or begins, "2026-03-01" */
    jabi_buf held;                /* written by OpenSSL, and not yet to the socket */
    int is_holding;               /* more will follow that leaves with it */
    SSL_SESSION *fresh;           /* what the server gave, until it is kept */
    int was_taken;                /* below TLS 1.3 a connection has one only */
    int may_resume, is_offered;
    int by_dane;           /* one of them did */
    int dane_records;      /* TLSA records that can be used; one of them has to match */
    char secure_host[256]; /* a name that DNSSEC vouches for, beside the domain; or "" */
    size_t early_n;        /* bytes that were sent before the handshake */
    uint8_t session_key[32];
    int64_t wall, verified_at; /* ms since 1970: now, and when the chain was verified */
    jab_fault fault;
    char text[768];
    uint8_t exporter[32];
    uint8_t unique[JABI_TLS_BINDING_MAX];
    uint8_t end_point[JABI_TLS_BINDING_MAX];
    jab_tls_info info;
} jabi_tls;

/* Prepares TLS on a connected socket, which stays the caller's. `direct` sets
 * ALPN. 0 or JAB_ENOMEM. */
int jabi_tls_new(jabi_tls **out, jabi_tls_ctx *ctx, int fd, const char *domain, const uint8_t *pin,
                 int direct) JAB_MUST_USE;
void jabi_tls_free(jabi_tls *t); /* NULL is fine */

/* What a session belongs to: nothing is resumed for another account, endpoint or trust.
 * 0, JAB_ENOMEM, JAB_ECRYPTO. */
int jabi_tls_session_key(uint8_t key[32], const jab_config *cfg, const char *domain,
                         const char *host, uint16_t port, int direct) JAB_MUST_USE;

/* Before the handshake: sessions may be kept, and this one of earlier resumed, if it holds
 * (absent: none). `wall` is ms since 1970. 1 when it is offered: it then serves no other
 * connection (RFC 8446 C.4). */
int jabi_tls_allow_session(jabi_tls *t, const uint8_t key[32], jab_str kept, int64_t wall);

/* Before the handshake: `host` is what DNSSEC says that the domain's server is; `records`
 * are its TLSA records (dane.h), if any. 1 when one of them has to match; 0; JAB_ENOMEM. */
int jabi_tls_use_dane(jabi_tls *t, const char *host, jab_str records) JAB_MUST_USE;

/* After that: how many bytes the session offered takes as early data (RFC 8446 §2.3), and
 * t->info then says what is known of the server; 0 for none. They are sent with the first
 * flight of the handshake: 0 or JAB_ETLS. Once that is done: how many the server took. */
size_t jabi_tls_early_room(jabi_tls *t);
int jabi_tls_send_early(jabi_tls *t, const void *p, size_t n) JAB_MUST_USE;
size_t jabi_tls_early_taken(const jabi_tls *t);

/* Writes the session that the server gave since the last call into `out`, for
 * jabi_tls_allow_session(). 1, or 0 when there is none. It is a secret. */
int jabi_tls_keep_session(jabi_tls *t, jabi_buf *out);

/* Goes on with the handshake. 1: done, and the certificate is good: its last bytes leave
 * with the next that are sent; 0: waits for the socket; < 0: failed, see jabi_tls.fault. */
int jabi_tls_handshake(jabi_tls *t) JAB_MUST_USE;

/* As jabi_tcp_recv(): JAB_EEOF only after close_notify, JAB_EIO when the
 * connection was cut. */
/* OpenSSL may hold bytes where epoll does not see them: read until 0. */
ptrdiff_t jabi_tls_recv(jabi_tls *t, void *p, size_t n) JAB_MUST_USE;
ptrdiff_t jabi_tls_send(jabi_tls *t, const void *p, size_t n) JAB_MUST_USE;

/* Writes what is held back. 0: all; 1: the socket is full; JAB_EIO, JAB_ENOMEM. */
int jabi_tls_flush(jabi_tls *t) JAB_MUST_USE;

/* Sends close_notify, if that goes without waiting. */
void jabi_tls_close(jabi_tls *t);

/* -- Among the TLS files --------------------------------------------------------- */

/* tls_bio.c: a BIO over a socket that raises no SIGPIPE. */
BIO_METHOD *jabi_bio_method(void);
BIO *jabi_bio_new(jabi_tls *t);
void jabi_bio_init(jabi_tls *t); /* once t->ctx is set */

/* tls_name.c: whether a certificate is for the domain (RFC 6125 §6, RFC 6120
 * §13.7.2). Never by its common name. 1 or 0. */
int jabi_cert_matches(X509 *cert, const char *domain);

/* "a.example, *.b.example": the names a certificate is for, at most three;
 * printable whatever is in it. "" when it has none. */
void jabi_cert_names(X509 *cert, char *out, size_t size);

/* Whether a name from a certificate stands for the domain: equal, or with a
 * wildcard as its whole left-most label (RFC 6125 §6.4.3). */
int jabi_dns_id_matches(jab_str id, const char *domain);

/* tls_session.c: OpenSSL's call when a session came; whether a certificate is valid at
 * a time (ms since 1970). */
int jabi_tls_on_session(SSL *ssl, SSL_SESSION *session);
int jabi_tls_dates_hold(X509 *cert, int64_t wall);

/* tls_dane.c: whether a certificate that verified is for the account's domain. */
int jabi_tls_names_hold(const jabi_tls *t, X509 *cert);

/* tls_fault.c: fills t->fault. */
int jabi_tls_fail_chain(jabi_tls *t); /* from chain_error */
int jabi_tls_fail_name(jabi_tls *t, X509 *cert);
int jabi_tls_fail(jabi_tls *t, int code, const char *words); /* "TLS with D failed: words" */
int jabi_tls_fail_openssl(jabi_tls *t, int ssl_error);

/* tls_binding.c: fills t->info once the handshake is done. 0 or JAB_ECRYPTO. */
int jabi_tls_read_info(jabi_tls *t) JAB_MUST_USE;

/* And before it, of the session that is offered: what will hold if it is resumed. */
void jabi_tls_expect_info(jabi_tls *t, SSL_SESSION *session);

#endif
