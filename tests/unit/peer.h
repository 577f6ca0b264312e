/* peer.h: a session logged in by hand, for tests that play the server. */
#ifndef PEER_H
#define PEER_H

#include "unit.h"

#include <jabiru/jabiru.h>
#include <stdio.h>

#define PEER_HEADER                                                                                \
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "                                   \
    "xmlns:stream='http://etherx.jabber.org/streams' from='example.org' id='s1' version='1.0'>"
#define PEER_PLAIN                                                                                 \
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"                       \
    "<mechanism>PLAIN</mechanism></mechanisms></stream:features>"
#define PEER_SUCCESS "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
#define PEER_BIND                                                                                  \
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"

typedef struct peer {
    jab_session *s;
    unit_mem mem;
    int64_t now;
    char sent[1 << 17]; /* what the client sent since peer_clear() */
    size_t n_sent;
    unsigned random;
} peer;

static inline int peer_random(void *arg, void *p, size_t n)
{
    peer *e = (peer *)arg;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = (unsigned char)(e->random++ * 2654435761u >> 11);
    return 0;
}

static inline int64_t peer_wall(void *arg)
{
    (void)arg;
    return 1700000000000;
}

/* Collects what the session has to send. */
static inline void peer_collect(peer *e)
{
    for (jab_str out; (out = jab_session_out(e->s)).n > 0;) {
        size_t room = sizeof e->sent - 1 - e->n_sent;
        size_t n = out.n < room ? out.n : room;
        memcpy(e->sent + e->n_sent, out.p, n);
        e->n_sent += n;
        jab_session_out_done(e->s, out.n);
    }
    e->sent[e->n_sent] = '\0';
}

static inline void peer_clear(peer *e)
{
    peer_collect(e);
    e->n_sent = 0;
    e->sent[0] = '\0';
}

static inline ptrdiff_t peer_says(peer *e, const char *text)
{
    ptrdiff_t n = jab_session_feed(e->s, text, strlen(text), e->now);
    peer_collect(e);
    return n;
}

static inline int peer_sent(peer *e, const char *text)
{
    peer_collect(e);
    return strstr(e->sent, text) != NULL;
}

static inline jab_config peer_config(peer *e)
{
    jab_config cfg = {.size = sizeof cfg};
    cfg.jid = JAB_STR("juliet@example.org/balcony");
    cfg.password = JAB_STR("s3cret");
    cfg.mechanisms = JAB_STR("PLAIN");
    cfg.tls = JAB_TLS_OFF;
    cfg.mem = &e->mem.mem;
    cfg.random = peer_random;
    cfg.random_arg = e;
    cfg.wall = peer_wall;
    cfg.login = JAB_LOGIN_NO_PIPELINING; /* test_ahead.c has it */
    return cfg;
}

/* Makes the session; returns what jab_session_new() does. */
static inline int peer_new(peer *e, const jab_config *cfg)
{
    e->n_sent = 0;
    e->sent[0] = '\0';
    e->now = 1000;
    return jab_session_new(&e->s, cfg);
}

/* A configuration to change, with an allocator that begins to count. */
static inline void peer_fresh(peer *e, jab_config *cfg)
{
    unit_mem_init(&e->mem, 0);
    *cfg = peer_config(e);
}

/* A session whose header has been sent. */
static inline void peer_start(peer *e, const jab_config *cfg)
{
    assert_int_equal(peer_new(e, cfg), 0);
    assert_int_equal(jab_session_connected(e->s, NULL, e->now), 0);
    peer_clear(e);
}

/* Answers the bind request whose id is in what was sent last. */
static inline void peer_bind(peer *e)
{
    char id[64] = "", reply[512];
    const char *at = strstr(e->sent, " id='");
    char quote = '\'';
    if (!at && (at = strstr(e->sent, " id=\"")))
        quote = '"';
    for (size_t i = 0; at && i < 63 && at[5 + i] != quote; i++)
        id[i] = at[5 + i];
    snprintf(reply, sizeof reply,
             "<iq type='result' id='%s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
             "<jid>juliet@example.org/balcony</jid></bind></iq>",
             id);
    (void)!peer_says(e, reply);
}

/* Logs in over a bare transport with PLAIN. Returns 1 when online. */
static inline int peer_login(peer *e)
{
    if (jab_session_connected(e->s, NULL, e->now) < 0)
        return 0;
    if (peer_says(e, PEER_HEADER PEER_PLAIN) < 0 || peer_says(e, PEER_SUCCESS) < 0)
        return 0;
    peer_clear(e);
    if (peer_says(e, PEER_HEADER PEER_BIND) < 0)
        return 0;
    peer_bind(e);
    peer_clear(e);
    return jab_session_online(e->s);
}

/* A session that is online, its events pulled. */
static inline void peer_online(peer *e)
{
    unit_mem_init(&e->mem, 0);
    jab_config cfg = peer_config(e);
    assert_int_equal(peer_new(e, &cfg), 0);
    assert_true(peer_login(e));
    while (jab_session_next(e->s))
        continue;
}

static inline void peer_free(peer *e)
{
    jab_session_free(e->s);
    assert_int_equal(e->mem.live, 0);
}

#endif
