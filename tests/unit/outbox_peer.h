/* outbox_peer.h: a session with a store that can fail, logged in by hand. */
#ifndef OUTBOX_PEER_H
#define OUTBOX_PEER_H

#include "peer.h"
#include "store_double.h"

#include "session/outbox.h"
#include "session/session.h"

#define SM_FEATURES                                                                                \
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"                            \
    "<sm xmlns='urn:xmpp:sm:3'/></stream:features>"
#define ENABLED "<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>"
#define OWN     JAB_STR("juliet@example.org")

static peer e;
static store_double disk;

/* -- A test extension that keeps every message it sees ------------------------------- */

static inline int keep(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    jab_store *store = jab_ext_store(x);
    (void)el;
    return store ? store->table->put(store, "seen", jab_stanza_id(st), JAB_STR("1")) : 0;
}

static const jab_route routes[] = {
    {JAB_STAGE_UNWRAP, JAB_MESSAGE, JAB_FROM_ANY, "jabber:client", "body", keep},
};
static const jab_ext keeper = {.size = sizeof(jab_ext), .name = "keeper", JAB_ROUTES(routes)};
static const jab_ext *const exts[] = {&keeper, NULL};

static inline int count_value(void *arg, jab_str key, jab_str value)
{
    (void)key;
    (void)value;
    ++*(int *)arg;
    return 0;
}

static inline int kept(const char *space)
{
    int n = 0;
    disk.inner->table->each(disk.inner, space, (jab_str){NULL, 0}, 0, count_value, &n);
    return n;
}

/* -- The program's life --------------------------------------------------------------- */

static inline void start_with(int by_caller)
{
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.store = &disk.store;
    cfg.commit_by_caller = by_caller;
    cfg.exts = exts;
    assert_int_equal(peer_new(&e, &cfg), 0);
}

static inline void begin(void)
{
    store_double_init(&disk);
    start_with(0);
}

/* kill -9: nothing that is not committed survives. */
static inline void crash(void)
{
    disk.inner->table->rollback(disk.inner);
    disk.store.dirty = 0;
    e.s->cfg.store = NULL; /* the dead do not tidy up */
    jab_session_free(e.s);
}

static inline void end(void)
{
    jab_session_free(e.s);
    assert_int_equal(e.mem.live, 0);
    store_double_fini(&disk);
}

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

static inline void bound(void)
{
    peer_bind(&e);
    while (e.s->events.n)
        pull_all();
    assert_true(peer_says(&e, ENABLED) >= 0);
    pull_all();
}

static inline void log_in(void)
{
    to_features(SM_FEATURES);
    bound();
}

/* The server does not know the stream of the process that was killed. */
static inline void log_in_anew(void)
{
    to_features(SM_FEATURES);
    assert_true(peer_sent(&e, "<resume "));
    peer_clear(&e);
    assert_true(peer_says(&e, "<failed xmlns='urn:xmpp:sm:3'/>") > 0);
    bound();
}

/* Logged in, and the archive has nothing of what is in doubt. */
static inline void online(void)
{
    log_in();
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    peer_clear(&e);
}

static inline int send_text(const char *body, uint64_t tag)
{
    jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_set_id(o, jab_cstr(body));
    jab_out_body(o, jab_cstr(body));
    return jab_out_send(o, tag);
}

static inline void expect_sent(uint64_t tag, jab_sent_state state)
{
    const jab_event *ev = jab_session_next(e.s);
    while (ev && ev->type != JAB_EV_SENT)
        ev = jab_session_next(e.s);
    assert_non_null(ev);
    assert_int_equal(ev->tag, tag);
    assert_int_equal(((const jab_sent *)ev->data)->state, state);
}

static inline void expect_no_sent(void)
{
    for (const jab_event *ev; (ev = jab_session_next(e.s));)
        assert_int_not_equal(ev->type, JAB_EV_SENT);
}

static inline void ack(uint32_t h)
{
    char text[100];
    snprintf(text, sizeof text, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", h);
    (void)!peer_says(&e, text);
}

static inline void cut(void)
{
    jab_session_eof(e.s, 0, e.now);
    assert_true(jab_session_closed(e.s));
    peer_clear(&e);
}

#endif
