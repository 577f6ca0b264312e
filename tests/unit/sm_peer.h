/* sm_peer.h: a session with stream management, logged in by hand. */
#ifndef SM_PEER_H
#define SM_PEER_H

#include "peer.h"

#include "session/session.h"

#define SM_FEATURES                                                                                \
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"                            \
    "<sm xmlns='urn:xmpp:sm:3'/></stream:features>"
#define ENABLED "<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>"
#define IN(n)   "<message from='romeo@example.net/o'><body>" n "</body></message>"

static peer e;

static inline void to_features(const char *features)
{
    assert_int_equal(jab_session_connected(e.s, NULL, e.now), 0);
    assert_true(peer_says(&e, PEER_HEADER PEER_PLAIN) >= 0);
    assert_true(peer_says(&e, PEER_SUCCESS) >= 0);
    peer_clear(&e);
    assert_true(peer_says(&e, PEER_HEADER) >= 0);
    assert_true(peer_says(&e, features) >= 0);
}

static inline void pull_all(void)
{
    while (jab_session_next(e.s))
        continue;
}

/* Bound, enabled, events pulled. The bind request was in what was sent last. */
static inline void online_with_sm(void)
{
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    assert_int_equal(peer_new(&e, &cfg), 0);
    to_features(SM_FEATURES);
    peer_bind(&e);
    assert_true(peer_says(&e, ENABLED) >= 0);
    pull_all();
    peer_clear(&e);
}

static inline void send_message(const char *body, uint64_t tag)
{
    jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_body(o, jab_cstr(body));
    assert_int_equal(jab_out_send(o, tag), 0);
}

static inline void acked(uint32_t more)
{
    char text[100];
    snprintf(text, sizeof text, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", e.s->stream.sm.acked + more);
    (void)!peer_says(&e, text);
}

/* The next event must report this message. */
static inline void expect_sent(uint64_t tag, jab_sent_state state)
{
    const jab_event *ev = jab_session_next(e.s);
    assert_non_null(ev);
    assert_int_equal(ev->type, JAB_EV_SENT);
    assert_int_equal(ev->tag, tag);
    const jab_sent *sent = ev->data;
    assert_int_equal(sent->state, state);
    assert_int_equal(sent->id.n, 32);
}

static inline void cut(void)
{
    jab_session_eof(e.s, 0, e.now);
    assert_true(jab_session_closed(e.s));
    peer_clear(&e);
}

static inline size_t count_of(const char *text)
{
    size_t n = 0;
    peer_collect(&e);
    for (const char *p = e.sent; (p = strstr(p, text)); p++)
        n++;
    return n;
}

#endif
