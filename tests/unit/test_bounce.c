/* test_bounce.c: messages of the application that come back, and the ids that
 * they are known by. What is on the wire is in tests/transcripts/bounce.txt. */
#include "peer.h"

#include "session/outbox.h"
#include "session/recent.h"
#include "session/sm.h"

#define SM_FEATURES                                                                                \
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"                            \
    "<sm xmlns='urn:xmpp:sm:3'/></stream:features>"
#define ROMEO JAB_STR("romeo@example.net")

static peer e;
static jab_store *store;

static void begin(int with_store)
{
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    if (with_store && !store)
        assert_int_equal(jab_store_memory(&store, NULL), 0);
    cfg.store = store;
    assert_int_equal(peer_new(&e, &cfg), 0);
}

static void end(void)
{
    peer_free(&e);
    jab_store_free(store);
    store = NULL;
}

static void pull_all(void)
{
    while (jab_session_next(e.s))
        continue;
}

/* Up to where the resource is bound, or the last stream is taken up. */
static void to_features(void)
{
    assert_int_equal(jab_session_connected(e.s, NULL, e.now), 0);
    assert_true(peer_says(&e, PEER_HEADER PEER_PLAIN) >= 0);
    assert_true(peer_says(&e, PEER_SUCCESS) >= 0);
    peer_clear(&e);
    assert_true(peer_says(&e, PEER_HEADER SM_FEATURES) >= 0);
}

static void log_in(void)
{
    to_features();
    peer_bind(&e);
    assert_true(jab_session_online(e.s));
    assert_true(peer_says(&e, "<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>") >= 0);
    pull_all();
    assert_int_equal(jabi_outbox_absent(e.s, jab_session_jid(e.s)->bare), 0);
    peer_clear(&e);
}

static int send_text(const char *id, uint64_t tag)
{
    jab_out *o = jab_message_to(e.s, ROMEO, JAB_MSG_CHAT);
    jab_out_set_id(o, jab_cstr(id));
    jab_out_body(o, JAB_STR("hi"));
    return jab_out_send(o, tag);
}

static void ack(void)
{
    char text[100];
    snprintf(text, sizeof text, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", e.s->stream.sm.out);
    assert_true(peer_says(&e, text) >= 0);
}

static void bounce(const char *id)
{
    char text[400];
    snprintf(text, sizeof text,
             "<message from='romeo@example.net' type='error' id='%s'><error type='cancel'>"
             "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
             id);
    assert_true(peer_says(&e, text) >= 0);
}

/* The next of its kind; a tag of 0: there is none. */
static void expect_sent(uint64_t tag, jab_sent_state state)
{
    const jab_event *ev = jab_session_next(e.s);
    while (ev && ev->type != JAB_EV_SENT)
        ev = jab_session_next(e.s);
    assert_int_equal(ev != NULL, tag != 0);
    if (!ev)
        return;
    const jab_sent *sent = ev->data;
    assert_int_equal(ev->tag, tag);
    assert_int_equal(sent->state, state);
    if (state == JAB_SENT_FAILED) {
        assert_str(sent->refusal.condition, "item-not-found");
        assert_str(sent->to, "romeo@example.net");
    }
}

static int count_value(void *arg, jab_str key, jab_str value)
{
    (void)key;
    (void)value;
    ++*(int *)arg;
    return 0;
}

static int in_outbox(void)
{
    int n = 0;
    assert_true(store->table->each(store, "outbox", (jab_str){NULL, 0}, 0, count_value, &n) >= 0);
    return n;
}

/* -- When it comes back ------------------------------------------------------------- */

static void before_the_server_has_acknowledged_it(void **state)
{
    (void)state;
    for (int with_store = 0; with_store < 2; with_store++) {
        begin(with_store);
        log_in();
        assert_int_equal(send_text("one", 7), 0);
        bounce("one");
        expect_sent(7, JAB_SENT_FAILED);
        if (with_store)
            assert_int_equal(in_outbox(), 0);
        ack();
        expect_sent(0, JAB_SENT_DELIVERED);
        end();
    }
}

static void after_the_server_had_it(void **state)
{
    (void)state;
    for (int with_store = 0; with_store < 2; with_store++) {
        begin(with_store);
        log_in();
        assert_int_equal(send_text("one", 7), 0);
        ack();
        expect_sent(7, JAB_SENT_DELIVERED);
        bounce("one");
        expect_sent(7, JAB_SENT_FAILED);
        bounce("one");
        expect_sent(0, JAB_SENT_FAILED);
        end();
    }
}

static void when_another_process_sent_it(void **state)
{
    (void)state;
    begin(1);
    log_in();
    assert_int_equal(send_text("one", 7), 0);
    peer_collect(&e);
    char resumed[100];
    snprintf(resumed, sizeof resumed, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>",
             e.s->stream.sm.out);
    peer_free(&e);
    begin(1);
    to_features();
    assert_true(peer_sent(&e, "<resume "));
    assert_true(peer_says(&e, resumed) >= 0);
    bounce("one");
    expect_sent(7, JAB_SENT_DELIVERED);
    expect_sent(7, JAB_SENT_FAILED);
    end();
}

static void while_it_is_in_doubt(void **state)
{
    (void)state;
    begin(1);
    log_in();
    assert_int_equal(send_text("one", 7), 0);
    peer_collect(&e);
    jab_session_eof(e.s, 0, e.now);
    pull_all();
    to_features();
    assert_true(peer_says(&e, "<failed xmlns='urn:xmpp:sm:3'/>") >= 0);
    peer_bind(&e);
    assert_int_equal(jabi_outbox_in_doubt(e.s, jab_session_jid(e.s)->bare), 1);
    bounce("one");
    expect_sent(7, JAB_SENT_FAILED);
    assert_int_equal(in_outbox(), 0);
    assert_int_equal(jabi_outbox_unknowable(e.s, jab_session_jid(e.s)->bare), 0);
    expect_sent(0, JAB_SENT_UNKNOWN);
    end();
}

/* An error whose effects were lost with the transaction comes again. */
static void again_after_the_store_failed(void **state)
{
    (void)state;
    begin(1);
    log_in();
    assert_int_equal(send_text("one", 7), 0);
    ack();
    expect_sent(7, JAB_SENT_DELIVERED);
    uint32_t before = e.s->stream.sm.in;
    bounce("one");
    e.s->stream.sm.in = before; /* as when the transaction was lost */
    jabi_recent_undo(e.s);
    bounce("one");
    expect_sent(7, JAB_SENT_FAILED);
    end();
}

/* The stream may be taken up from a place before it: history holds messages back. */
static void not_again_once_it_was_kept(void **state)
{
    (void)state;
    begin(1);
    log_in();
    assert_int_equal(send_text("one", 7), 0);
    ack();
    expect_sent(7, JAB_SENT_DELIVERED);
    uint32_t before = e.s->stream.sm.in;
    bounce("one");
    expect_sent(7, JAB_SENT_FAILED); /* pulled, and so committed */
    e.s->stream.sm.in = before;
    jabi_recent_undo(e.s);
    bounce("one");
    expect_sent(0, JAB_SENT_FAILED);
    end();
}

static void without_memory_nothing_is_lost(void **state)
{
    (void)state;
    size_t calls;
    begin(0);
    log_in();
    assert_int_equal(send_text("one", 7), 0);
    size_t first = e.mem.calls;
    bounce("one");
    calls = e.mem.calls - first;
    end();
    for (size_t i = 1; i <= calls; i++) {
        begin(0);
        log_in();
        assert_int_equal(send_text("one", 7), 0);
        e.mem.fail_at = e.mem.calls + i;
        (void)!peer_says(&e, "<message from='romeo@example.net' type='error' id='one'>"
                             "<error type='cancel'/></message>");
        int told = 0, ended = jab_session_closed(e.s);
        for (const jab_event *ev; (ev = jab_session_next(e.s));)
            told += ev->type == JAB_EV_SENT;
        assert_true(told == 1 || ended);
        end();
    }
}

/* -- The memory --------------------------------------------------------------------- */

static void the_last_ones_are_remembered(void **state)
{
    (void)state;
    char id[16];
    begin(0);
    assert_null(jabi_recent_find(e.s, JAB_STR("m0")));
    assert_int_equal(jabi_recent_begin(e.s), 0);
    for (unsigned i = 0; i < JABI_RECENT_MAX + 10; i++) {
        snprintf(id, sizeof id, "m%u", i);
        jabi_recent_note(e.s, jab_cstr(id), ROMEO, i);
    }
    assert_null(jabi_recent_find(e.s, JAB_STR("m0")));
    assert_null(jabi_recent_find(e.s, JAB_STR("m9")));
    assert_null(jabi_recent_find(e.s, (jab_str){NULL, 0}));
    assert_int_equal(jabi_recent_find(e.s, JAB_STR("m10"))->tag, 10);
    jabi_recent_note(e.s, JAB_STR("m20"), ROMEO, 1000); /* an id used twice is the later one */
    assert_int_equal(jabi_recent_find(e.s, JAB_STR("m20"))->tag, 1000);
    end();
}

static void what_cannot_be_remembered_is_not_sent(void **state)
{
    (void)state;
    int refused = 1;
    for (size_t i = 1; refused; i++) {
        begin(0);
        log_in();
        e.mem.fail_at = e.mem.calls + i;
        refused = send_text("one", 7) < 0;
        assert_int_equal(peer_sent(&e, "<body>"), !refused);
        assert_int_equal(jabi_recent_find(e.s, JAB_STR("one")) != NULL, !refused);
        if (refused)
            assert_int_equal(send_text("one", 7), 0);
        assert_true(peer_sent(&e, "<body>"));
        end();
    }
}

/* -- XEP-0359 ----------------------------------------------------------------------- */

static void an_origin_id_comes_with_a_store(void **state)
{
    (void)state;
    begin(1);
    log_in();
    assert_int_equal(send_text("one", 7), 0);
    assert_true(peer_sent(&e, "<origin-id xmlns='urn:xmpp:sid:0' id='one'/></message>"));
    jab_out *o = jab_message_to(e.s, ROMEO, JAB_MSG_CHAT); /* the application's own stays */
    jab_out_set_id(o, JAB_STR("two"));
    jab_out_child(o, "urn:xmpp:sid:0", "origin-id");
    jab_out_attr(o, "id", JAB_STR("two"));
    peer_clear(&e);
    assert_int_equal(jab_out_send(o, 0), 0);
    assert_true(peer_sent(&e, "<origin-id xmlns='urn:xmpp:sid:0' id='two'/></message>"));
    assert_null(strstr(strstr(e.sent, "<origin-id") + 1, "<origin-id"));
    end();
    begin(0);
    log_in();
    assert_int_equal(send_text("one", 7), 0);
    assert_false(peer_sent(&e, "origin-id"));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_server_has_acknowledged_it),
        cmocka_unit_test(after_the_server_had_it),
        cmocka_unit_test(when_another_process_sent_it),
        cmocka_unit_test(while_it_is_in_doubt),
        cmocka_unit_test(again_after_the_store_failed),
        cmocka_unit_test(not_again_once_it_was_kept),
        cmocka_unit_test(without_memory_nothing_is_lost),
        cmocka_unit_test(the_last_ones_are_remembered),
        cmocka_unit_test(what_cannot_be_remembered_is_not_sent),
        cmocka_unit_test(an_origin_id_comes_with_a_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
