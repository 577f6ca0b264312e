/*
 * proxy.h: connections through a proxy: SOCKS5 (RFC 1928, RFC 1929) or HTTP
 * CONNECT (RFC 9110 §9.3.6). The proxy gets the server's name, so that no
 * query for it leaves this machine. Only bytes here: connect.c has the socket.
 */
#ifndef JABI_PROXY_H
#define JABI_PROXY_H

#include "base/buf.h"
#include "net/srv.h"

#define JABI_PROXY_SECRET 256  /* bytes of a user or password with its NUL (RFC 1929 §2: 255) */
#define JABI_PROXY_REPLY  8192 /* bytes of an answer that are taken */

typedef enum jabi_proxy_kind {
    JABI_PROXY_NONE,
    JABI_PROXY_SOCKS5,
    JABI_PROXY_HTTP,
} jabi_proxy_kind;

/* What the configuration says of the proxy. */
typedef struct jabi_proxy {
    jabi_proxy_kind kind;
    char host[JABI_HOST_MAX];
    uint16_t port;
    int has_user;
    char user[JABI_PROXY_SECRET], password[JABI_PROXY_SECRET];
} jabi_proxy;

/* Reads "socks5://user:password@host:port" or "http://...". 0, or JAB_EINVAL with
 * the reason in `why`, which never quotes the password. */
int jabi_proxy_parse(jabi_proxy *p, jab_str url, char *why, size_t why_size) JAB_MUST_USE;

/* Where the talk with the proxy stands. */
typedef enum jabi_proxy_step {
    JABI_PROXY_METHOD,   /* SOCKS5: its choice of how to log in is awaited */
    JABI_PROXY_PASSWORD, /* its verdict on the password */
    JABI_PROXY_CONNECT,  /* its verdict on the connection */
    JABI_PROXY_OPEN,     /* what follows is the server's */
} jabi_proxy_step;

/* One connection's talk with the proxy. */
typedef struct jabi_proxy_talk {
    const jabi_proxy *proxy;
    char address[100];        /* the proxy's, for words */
    char host[JABI_HOST_MAX]; /* where to: a name or an address */
    uint16_t port;
    jabi_proxy_step step;
    jabi_buf out, in; /* what is to be written; what came and is not understood yet */
    char text[512];   /* why it failed */
} jabi_proxy_talk;

/* Begins: `out` has what to write first. The proxy is borrowed. 0, JAB_ENOMEM or
 * JAB_EINVAL (a name that no proxy could be told). */
int jabi_proxy_begin(jabi_proxy_talk *t, const jab_mem *mem, const jabi_proxy *proxy,
                     const char *address, const char *host, uint16_t port) JAB_MUST_USE;

/* Takes bytes that came. 1: the connection is open; 0: write `out`, and wait for more;
 * JAB_ECONNECT, JAB_EPROTO, JAB_ENOMEM: failed, see `text`. */
int jabi_proxy_feed(jabi_proxy_talk *t, const void *bytes, size_t n) JAB_MUST_USE;

/* Secrets are wiped. One that never began is fine. */
void jabi_proxy_end(jabi_proxy_talk *t);

/* -- Among the proxies' files ---------------------------------------------------- */

/* Each kind's first words, and what it makes of the bytes in t->in: as above. */
void jabi_socks_begin(jabi_proxy_talk *t);
int jabi_socks_step(jabi_proxy_talk *t) JAB_MUST_USE;
void jabi_http_begin(jabi_proxy_talk *t);
int jabi_http_step(jabi_proxy_talk *t) JAB_MUST_USE;

/* Words for the user; both return their error. */
int jabi_proxy_refused(jabi_proxy_talk *t, const char *why); /* to connect */
int jabi_proxy_failed(jabi_proxy_talk *t, int code, const char *what);

/* "example.org:5222", "[::1]:5222" */
void jabi_proxy_aim(const jabi_proxy_talk *t, char *out, size_t size);

#endif
