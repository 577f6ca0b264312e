/* test_sm.c: XEP-0198: what is acknowledged, what is resent, what is told. */
#include "sm_peer.h"

/* -- One stream ----------------------------------------------------------------- */

static void is_enabled_behind_the_binding_before_any_stanza(void **state)
{
    (void)state;
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    assert_int_equal(peer_new(&e, &cfg), 0);
    to_features(SM_FEATURES);
    peer_bind(&e);
    assert_int_equal(jab_roster_get(e.s, 1), 0);
    peer_collect(&e);
    const char *enable = strstr(e.sent, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    const char *roster = strstr(e.sent, "jabber:iq:roster");
    assert_non_null(enable);
    assert_non_null(roster);
    assert_true(enable < roster);
    assert_true(jab_sm_active(e.s));
    peer_free(&e);
}

static void messages_are_delivered_when_the_server_says_so(void **state)
{
    (void)state;
    online_with_sm();
    send_message("one", 1);
    send_message("two", 2);
    assert_int_equal(count_of("<r xmlns='urn:xmpp:sm:3'/>"), 1);
    assert_true(strstr(e.sent, "<r ") > strstr(e.sent, "two"));
    assert_null(jab_session_next(e.s));
    assert_int_equal(jab_sm_waiting(e.s), 2);
    acked(1);
    expect_sent(1, JAB_SENT_DELIVERED);
    assert_null(jab_session_next(e.s));
    /* What is left is asked for again. */
    assert_int_equal(count_of("<r xmlns='urn:xmpp:sm:3'/>"), 2);
    acked(1);
    expect_sent(2, JAB_SENT_DELIVERED);
    acked(0);
    assert_null(jab_session_next(e.s));
    assert_int_equal(jab_sm_waiting(e.s), 0);
    peer_free(&e);
}

static void every_stanza_counts_and_only_messages_are_told(void **state)
{
    (void)state;
    online_with_sm();
    assert_int_equal(jab_set_presence(e.s, JAB_STR("hi")), 0);
    assert_int_equal(jab_ping(e.s, JAB_STR("example.org"), 9), 0);
    send_message("one", 1);
    acked(3); /* roster, presence, ping */
    assert_null(jab_session_next(e.s));
    acked(1);
    expect_sent(1, JAB_SENT_DELIVERED);
    peer_free(&e);
}

static void counters_wrap(void **state)
{
    (void)state;
    online_with_sm();
    e.s->stream.sm.out = e.s->stream.sm.acked = UINT32_MAX;
    e.s->stream.sm.in = e.s->stream.sm.handled = UINT32_MAX;
    send_message("one", 1);
    send_message("two", 2);
    peer_says(&e, "<a xmlns='urn:xmpp:sm:3' h='1'/>");
    expect_sent(1, JAB_SENT_DELIVERED);
    expect_sent(2, JAB_SENT_DELIVERED);
    peer_says(&e, IN("a") IN("b"));
    pull_all();
    peer_says(&e, "<r xmlns='urn:xmpp:sm:3'/>");
    assert_true(peer_sent(&e, "<a xmlns='urn:xmpp:sm:3' h='1'/>"));
    peer_free(&e);
}

static void a_count_that_is_too_high_ends_the_stream(void **state)
{
    (void)state;
    online_with_sm();
    send_message("one", 1);
    acked(2);
    assert_int_equal(jab_session_error(e.s), JAB_EPROTO);
    assert_true(peer_sent(&e, "<undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                              "<handled-count-too-high xmlns='urn:xmpp:sm:3'"));
    expect_sent(1, JAB_SENT_UNKNOWN);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_OFFLINE);
    peer_free(&e);
}

static void only_what_was_pulled_is_acknowledged(void **state)
{
    (void)state;
    online_with_sm();
    peer_says(&e, IN("a") IN("b") "<r xmlns='urn:xmpp:sm:3'/>");
    assert_true(peer_sent(&e, "h='0'"));
    peer_clear(&e);
    assert_non_null(jab_session_next(e.s)); /* a is in the application's hands */
    peer_says(&e, "<r xmlns='urn:xmpp:sm:3'/>");
    assert_true(peer_sent(&e, "h='0'"));
    peer_clear(&e);
    assert_non_null(jab_session_next(e.s)); /* a is done with */
    peer_says(&e, "<r xmlns='urn:xmpp:sm:3'/>");
    assert_true(peer_sent(&e, "h='1'"));
    peer_clear(&e);
    assert_null(jab_session_next(e.s)); /* b too: said without being asked */
    assert_true(peer_sent(&e, "h='2'"));
    peer_clear(&e);
    assert_null(jab_session_next(e.s));
    assert_false(peer_sent(&e, "<a"));
    peer_free(&e);
}

static void a_session_may_be_freed_while_an_answer_waits_for_the_application(void **state)
{
    (void)state;
    online_with_sm();
    assert_true(peer_says(&e, IN("1") "<r xmlns='urn:xmpp:sm:3'/>") >= 0);
    assert_non_null(jab_session_next(e.s));
    peer_free(&e);
}

static void silence_means_a_dead_connection(void **state)
{
    (void)state;
    online_with_sm();
    jab_session_tick(e.s, e.now += 50000);
    assert_false(jab_session_closed(e.s));
    send_message("one", 1);
    peer_collect(&e);
    assert_int_equal(jab_session_deadline(e.s), e.now + 30000 < 61000 ? 61000 : e.now + 30000);
    jab_session_tick(e.s, e.now + 29999);
    assert_false(jab_session_closed(e.s));
    jab_session_tick(e.s, e.now + 30000);
    assert_int_equal(jab_session_error(e.s), JAB_ETIMEOUT);
    peer_free(&e);
}

/* Who only listens would else not notice for hours that nobody is there. */
static void an_idle_connection_is_asked_whether_it_stands(void **state)
{
    (void)state;
    online_with_sm();
    for (int minute = 0; minute < 3; minute++) {
        peer_clear(&e);
        e.now = jab_session_deadline(e.s);
        jab_session_tick(e.s, e.now);
        assert_true(peer_sent(&e, "<r "));
        char text[60];
        snprintf(text, sizeof text, "<a xmlns='urn:xmpp:sm:3' h='%u'/>",
                 (unsigned)e.s->stream.sm.out);
        assert_true(peer_says(&e, text) >= 0);
    }
    jab_session_tick(e.s, e.now += 60000);
    peer_clear(&e);
    jab_session_tick(e.s, e.now + 29999);
    assert_false(jab_session_closed(e.s));
    jab_session_tick(e.s, e.now + 30000);
    assert_int_equal(jab_session_error(e.s), JAB_ETIMEOUT);
    peer_free(&e);
}

static void silence_does_not_count_while_nobody_listens(void **state)
{
    (void)state;
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.max_events = 2;
    cfg.keepalive = JAB_NEVER;
    assert_int_equal(peer_new(&e, &cfg), 0);
    to_features(SM_FEATURES);
    peer_bind(&e);
    assert_true(peer_says(&e, ENABLED) >= 0);
    pull_all();
    send_message("one", 1);
    peer_says(&e, IN("a") IN("b"));
    e.now += 40000;
    jab_session_tick(e.s, e.now);
    assert_false(jab_session_closed(e.s));
    pull_all();
    jab_session_tick(e.s, e.now);
    assert_false(jab_session_closed(e.s));
    jab_session_tick(e.s, e.now + 29999);
    assert_false(jab_session_closed(e.s));
    jab_session_tick(e.s, e.now + 30000);
    assert_int_equal(jab_session_error(e.s), JAB_ETIMEOUT);
    peer_free(&e);
}

static void closing_settles_everything(void **state)
{
    (void)state;
    for (int answers = 0; answers < 2; answers++) {
        online_with_sm();
        peer_says(&e, IN("a"));
        pull_all();
        peer_clear(&e);
        send_message("one", 1);
        jab_session_close(e.s, e.now);
        peer_collect(&e);
        const char *ask = strstr(e.sent, "<r "),
                   *answer = strstr(e.sent, "<a xmlns='urn:xmpp:sm:3' h='1'/>");
        const char *end = strstr(e.sent, "</stream:stream>");
        assert_true(ask && answer && end && ask < end && answer < end);
        if (answers)
            acked(1);
        peer_says(&e, "</stream:stream>");
        expect_sent(1, answers ? JAB_SENT_DELIVERED : JAB_SENT_UNKNOWN);
        assert_int_equal(jab_session_next(e.s)->type, JAB_EV_OFFLINE);
        assert_null(jab_session_next(e.s));
        peer_free(&e);
    }
}

/* RFC 6120 §4.4: although it was asked for, and was owed. */
static void no_answer_follows_the_end_of_the_stream(void **state)
{
    (void)state;
    online_with_sm();
    peer_says(&e, IN("a") "<r xmlns='urn:xmpp:sm:3'/>");
    jab_session_close(e.s, e.now);
    assert_true(peer_sent(&e, "</stream:stream>"));
    peer_clear(&e);
    peer_says(&e, "<r xmlns='urn:xmpp:sm:3'/>");
    pull_all();
    peer_says(&e, "<r xmlns='urn:xmpp:sm:3'/>");
    assert_false(peer_sent(&e, "<a"));
    peer_free(&e);
}

/* -- The next stream -------------------------------------------------------------- */

static void a_broken_stream_goes_on_without_loss_or_copies(void **state)
{
    (void)state;
    online_with_sm();
    uint32_t base = e.s->stream.sm.out;
    peer_says(&e, IN("a"));
    pull_all();
    send_message("one", 1);
    send_message("two", 2);
    send_message("three", 3);
    acked(1);
    expect_sent(1, JAB_SENT_DELIVERED);
    cut();
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_OFFLINE);
    assert_null(jab_session_next(e.s));
    to_features(SM_FEATURES);
    assert_true(peer_sent(&e, "<resume xmlns='urn:xmpp:sm:3' previd='s1' h='1'/>"));
    assert_false(peer_sent(&e, "<bind"));
    peer_clear(&e);
    char text[120];
    snprintf(text, sizeof text, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>", base + 2);
    peer_says(&e, text);
    /* The server had got "two" before the cut: only "three" goes again. */
    assert_int_equal(count_of("<body>two</body>"), 0);
    assert_int_equal(count_of("<body>three</body>"), 1);
    assert_int_equal(count_of("jabber:iq:roster"), 0);
    assert_int_equal(count_of("<enable"), 0);
    const jab_event *ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_RESUMED);
    assert_str(ev->jid->full, "juliet@example.org/balcony");
    expect_sent(2, JAB_SENT_DELIVERED);
    assert_null(jab_session_next(e.s));
    peer_says(&e, IN("b") "<r xmlns='urn:xmpp:sm:3'/>");
    pull_all();
    assert_true(peer_sent(&e, "<a xmlns='urn:xmpp:sm:3' h='2'/>"));
    acked(1);
    expect_sent(3, JAB_SENT_DELIVERED);
    peer_free(&e);
}

static void what_waits_to_be_pulled_is_not_sent_again(void **state)
{
    (void)state;
    online_with_sm();
    uint32_t base = e.s->stream.sm.out;
    peer_says(&e, IN("a") IN("b"));
    cut();
    to_features(SM_FEATURES);
    assert_true(peer_sent(&e, "<resume xmlns='urn:xmpp:sm:3' previd='s1' h='2'/>"));
    char text[120];
    snprintf(text, sizeof text, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>", base);
    peer_says(&e, text);
    peer_clear(&e);
    peer_says(&e, IN("c") "<r xmlns='urn:xmpp:sm:3'/>");
    assert_true(peer_sent(&e, "h='2'")); /* a count never goes back */
    assert_str(jab_session_next(e.s)->message->body, "a");
    assert_str(jab_session_next(e.s)->message->body, "b");
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_OFFLINE);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_RESUMED);
    assert_str(jab_session_next(e.s)->message->body, "c");
    assert_null(jab_session_next(e.s));
    assert_true(peer_sent(&e, "h='3'"));
    peer_free(&e);
}

static void a_second_cut_before_the_answer_changes_nothing(void **state)
{
    (void)state;
    online_with_sm();
    uint32_t base = e.s->stream.sm.out;
    send_message("one", 1);
    cut();
    to_features(SM_FEATURES);
    cut();
    pull_all();
    to_features(SM_FEATURES);
    char text[120];
    snprintf(text, sizeof text, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>", base);
    peer_says(&e, text);
    assert_int_equal(count_of("<body>one</body>"), 1);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_RESUMED);
    peer_free(&e);
}

static void what_cannot_be_resumed_is_unknown_beyond_the_servers_count(void **state)
{
    (void)state;
    online_with_sm();
    uint32_t base = e.s->stream.sm.out;
    send_message("one", 1);
    send_message("two", 2);
    cut();
    pull_all();
    to_features(SM_FEATURES);
    peer_clear(&e);
    char text[200];
    snprintf(text, sizeof text,
             "<failed xmlns='urn:xmpp:sm:3' h='%u'><item-not-found "
             "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
             base + 1);
    peer_says(&e, text);
    assert_true(peer_sent(&e, "<bind"));
    peer_bind(&e);
    assert_true(peer_sent(&e, "<enable"));
    assert_int_equal(count_of("<body>"), 0);
    expect_sent(1, JAB_SENT_DELIVERED);
    expect_sent(2, JAB_SENT_UNKNOWN);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_ONLINE);
    peer_free(&e);
}

static void a_server_that_offers_it_no_more_settles_as_unknown(void **state)
{
    (void)state;
    online_with_sm();
    send_message("one", 1);
    cut();
    pull_all();
    to_features(PEER_BIND);
    peer_bind(&e);
    expect_sent(1, JAB_SENT_UNKNOWN);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_ONLINE);
    assert_false(jab_sm_active(e.s));
    peer_free(&e);
}

static void requests_outlive_a_cut(void **state)
{
    (void)state;
    online_with_sm();
    uint32_t base = e.s->stream.sm.out;
    jab_out *o = jab_iq_to(e.s, JAB_STR("romeo@example.net/o"), JAB_IQ_GET);
    jab_out_child(o, "urn:test", "q");
    char id[40], text[200];
    snprintf(id, sizeof id, JAB_FMT, JAB_ARG(jab_out_id(o)));
    assert_int_equal(jab_out_send(o, 5), 0);
    assert_int_equal(jab_muc_join(e.s, JAB_STR("room@muc.example.org"), JAB_STR("x"), NULL, 6), 0);
    cut();
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_OFFLINE);
    assert_null(jab_session_next(e.s));
    e.now += 100000;
    to_features(SM_FEATURES);
    jab_session_tick(e.s, e.now); /* their time does not run while nobody can answer */
    assert_true(jab_session_deadline(e.s) > e.now);
    snprintf(text, sizeof text, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>", base + 2);
    peer_says(&e, text);
    jab_session_tick(e.s, e.now);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_RESUMED);
    assert_null(jab_session_next(e.s));
    e.now += 20000;
    jab_session_tick(e.s, e.now);
    assert_null(jab_session_next(e.s));
    snprintf(text, sizeof text, "<iq type='result' from='romeo@example.net/o' id='%s'/>", id);
    peer_says(&e, text);
    const jab_event *ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_IQ);
    assert_int_equal(ev->iq->error, 0);
    assert_int_equal(ev->tag, 5);
    peer_free(&e);
}

static void giving_up_settles_everything(void **state)
{
    (void)state;
    online_with_sm();
    send_message("one", 1);
    assert_int_equal(jab_ping(e.s, JAB_STR("example.org"), 7), 0);
    cut();
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_OFFLINE);
    jab_session_give_up(e.s);
    const jab_event *ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_PONG);
    expect_sent(1, JAB_SENT_UNKNOWN);
    jab_session_give_up(e.s);
    assert_null(jab_session_next(e.s));
    peer_free(&e);
}

static void a_forged_answer_to_resume_ends_the_stream(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "<resumed xmlns='urn:xmpp:sm:3' previd='other' h='0'/>",
        "<resumed xmlns='urn:xmpp:sm:3' previd='s1'/>",
        "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='-1'/>",
        "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='4294967296'/>",
        "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='99999'/>",
        "<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>",
        "<message from='a@b'><body>early</body></message>",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        online_with_sm();
        send_message("one", 1);
        cut();
        pull_all();
        to_features(SM_FEATURES);
        assert_true(peer_says(&e, wrong[i]) < 0);
        assert_int_equal(jab_session_error(e.s), JAB_EPROTO);
        peer_free(&e);
    }
}

static void elements_out_of_order_end_the_stream(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        ENABLED, "<failed xmlns='urn:xmpp:sm:3'/>", "<a xmlns='urn:xmpp:sm:3'/>",
        "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>", "<x xmlns='urn:xmpp:sm:3'/>"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        online_with_sm();
        assert_int_equal(peer_says(&e, wrong[i]), JAB_EPROTO);
        peer_free(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_enabled_behind_the_binding_before_any_stanza),
        cmocka_unit_test(messages_are_delivered_when_the_server_says_so),
        cmocka_unit_test(every_stanza_counts_and_only_messages_are_told),
        cmocka_unit_test(counters_wrap),
        cmocka_unit_test(a_count_that_is_too_high_ends_the_stream),
        cmocka_unit_test(only_what_was_pulled_is_acknowledged),
        cmocka_unit_test(a_session_may_be_freed_while_an_answer_waits_for_the_application),
        cmocka_unit_test(silence_means_a_dead_connection),
        cmocka_unit_test(an_idle_connection_is_asked_whether_it_stands),
        cmocka_unit_test(silence_does_not_count_while_nobody_listens),
        cmocka_unit_test(closing_settles_everything),
        cmocka_unit_test(no_answer_follows_the_end_of_the_stream),
        cmocka_unit_test(a_broken_stream_goes_on_without_loss_or_copies),
        cmocka_unit_test(what_waits_to_be_pulled_is_not_sent_again),
        cmocka_unit_test(a_second_cut_before_the_answer_changes_nothing),
        cmocka_unit_test(what_cannot_be_resumed_is_unknown_beyond_the_servers_count),
        cmocka_unit_test(a_server_that_offers_it_no_more_settles_as_unknown),
        cmocka_unit_test(requests_outlive_a_cut),
        cmocka_unit_test(giving_up_settles_everything),
        cmocka_unit_test(a_forged_answer_to_resume_ends_the_stream),
        cmocka_unit_test(elements_out_of_order_end_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
