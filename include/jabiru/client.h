/*
 * client.h: a session with its sockets, DNS, TLS and timers. It connects,
 * stays connected, and hands out events; nothing in it blocks but
 * jab_client_wait(), which is told for how long.
 *
 * A client belongs to one thread at a time. Clients that share a jab_loop
 * belong to the loop's thread.
 */
#ifndef JABIRU_CLIENT_H
#define JABIRU_CLIENT_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jab_client jab_client;
typedef struct jab_loop jab_loop;

/*
 * Makes a client and begins to connect with the next jab_client_wait() or
 * jab_client_process(). Returns 0 and sets *out, or what jab_session_new()
 * returns, or JAB_EIO, JAB_ETLS (the trust store cannot be read), JAB_EINVAL (a pin
 * or proxy that is none; DANE required through a proxy or without TLS).
 */
JAB_API int jab_client_new(jab_client **out, const jab_config *cfg) JAB_MUST_USE;

/* As jab_client_new(), in a loop shared with other clients. */
JAB_API int jab_client_new_in(jab_client **out, const jab_config *cfg, jab_loop *loop) JAB_MUST_USE;

/* Cuts the connection, if there is one, and frees the client. NULL is fine. */
JAB_API void jab_client_free(jab_client *c);

/* The session inside: requests go to it. Valid as long as the client is. What
 * is sent leaves with the next wait; in a shared loop, or with a descriptor
 * that is polled, ask for the session anew before sending: it is how the
 * client knows that there is something to write. Do so before each request in
 * any case: it tells the session the time, from which the request's deadline
 * counts; without it, that is the time of what happened last. */
JAB_API jab_session *jab_client_session(jab_client *c);

/*
 * Waits up to `timeout` milliseconds (-1: as long as it takes, 0: not at all)
 * for an event. Returns 1 and sets *ev, valid until the next call that takes
 * the client; 0 when the time is over, with *ev NULL; 0 with *ev NULL also
 * when the client is over (closed, or failed for good) and will never have
 * another event: see jab_client_over(). Returns < 0 on failure for good:
 * the error of the last JAB_EV_OFFLINE, after that event was handed out.
 */
JAB_API int jab_client_wait(jab_client *c, const jab_event **ev, int timeout) JAB_MUST_USE;

/* Does what can be done without waiting; then jab_client_next() has events.
 * Returns 0, or < 0 as jab_client_wait() does. */
JAB_API int jab_client_process(jab_client *c);

/* The next event, or NULL. Valid until the next call that takes the client. */
JAB_API const jab_event *jab_client_next(jab_client *c);

/* One descriptor that is readable when jab_client_process() has work: sockets,
 * DNS and timers are behind it. It stays the same for the client's life and
 * is the loop's when the client shares one. */
JAB_API int jab_client_fd(const jab_client *c);

/* Milliseconds until jab_client_process() wants to be called even when the
 * descriptor stays quiet; -1 for never. For plain poll() users. */
JAB_API int jab_client_timeout(const jab_client *c);

/* Closes gracefully: what was sent leaves first. JAB_EV_OFFLINE ends it. */
JAB_API void jab_client_close(jab_client *c);

/* The network is another one, or came back: a connection that waits for its
 * next attempt begins it now, and one that stands has 5 seconds to prove, by
 * an acknowledgement or any other byte, that it still does. Call it as often as the system says so.
 */
JAB_API void jab_client_network_changed(jab_client *c);

/* The machine goes to sleep: what can be written is, and the connection is
 * left without ending the stream, which the server then keeps for a while. Nothing happens
 * until jab_client_resume(), which connects at once. Without stream management
 * the stream is closed. A sleep that the program was not told of is noticed by the clock, and
 * treated as jab_client_network_changed(). */
JAB_API void jab_client_suspend(jab_client *c);
JAB_API void jab_client_resume(jab_client *c);

/* Whether nothing will ever come from this client any more. */
JAB_API int jab_client_over(const jab_client *c);

/* Where the client is: looking up, connecting, in TLS, in the session, ... */
JAB_API jab_stage jab_client_stage(const jab_client *c);

/* What the connection is made of; views are valid until the next call that
 * takes the client, absent where unknown. */
typedef struct jab_connection {
    jab_str address; /* "[::1]:5222"; the proxy's, where there is one */
    jab_str target;  /* host name from SRV or configuration */
    int direct_tls;  /* 1: TLS from the first byte */
    int by_proxy;    /* 1: through jab_config.proxy */
    int by_dane;     /* 1: a TLSA record vouched for the certificate (RFC 7671) */
} jab_connection;
JAB_API jab_connection jab_client_connection(const jab_client *c);

/* Whether a text can be jab_config.proxy: 0, or JAB_EINVAL with the reason in `why`,
 * which never quotes the password. */
JAB_API int jab_proxy_check(jab_str url, char *why, size_t why_size) JAB_MUST_USE;

/* -- Many clients in one thread --------------------------------------------- */

/* Makes a loop with its own epoll descriptor; it must outlive its clients. */
JAB_API int jab_loop_new(jab_loop **out, const jab_mem *mem) JAB_MUST_USE;
JAB_API void jab_loop_free(jab_loop *l);

/* Waits up to `timeout` ms until a client has an event or there is work, and
 * does the work. Returns how many clients have events, or < 0 (JAB_EIO). */
JAB_API int jab_loop_wait(jab_loop *l, int timeout) JAB_MUST_USE;

/* The next client that has events or is over, each once per wait; NULL when
 * there is none. Pull its events with jab_client_next(); a client that is
 * over then, see jab_client_over(), may be freed at once. */
JAB_API jab_client *jab_loop_next(jab_loop *l);

/* The descriptor of the loop, and ms until it wants jab_loop_wait(l, 0). */
JAB_API int jab_loop_fd(const jab_loop *l);
JAB_API int jab_loop_timeout(const jab_loop *l);

#ifdef __cplusplus
}
#endif
#endif
