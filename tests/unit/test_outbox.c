/* test_outbox.c: what jab_out_send() accepted in a session with a store. */
#include "outbox_peer.h"

/* -- Accepting --------------------------------------------------------------------------- */

static void a_message_is_on_the_disk_when_the_call_returns(void **state)
{
    (void)state;
    begin();
    online();
    assert_int_equal(send_text("one", 1), 0);
    assert_int_equal(kept("outbox"), 1);
    assert_false(disk.store.dirty);
    assert_true(peer_sent(&e, "<body>one</body>"));
    ack(e.s->stream.sm.out);
    expect_sent(1, JAB_SENT_DELIVERED);
    assert_int_equal(kept("outbox"), 0);
    assert_int_equal(kept("sent"), 0);
    end();
}

static void messages_wait_while_offline_and_leave_in_order(void **state)
{
    (void)state;
    begin();
    assert_int_equal(send_text("one", 1), 0);
    assert_int_equal(send_text("two", 2), 0);
    assert_int_equal(jab_outbox_count(e.s), 2);
    crash();
    start_with(0);
    log_in();
    assert_false(peer_sent(&e, "<body>")); /* not before a place in the archive is known */
    assert_int_equal(send_text("three", 3), 0);
    assert_int_equal(jabi_outbox_in_doubt(e.s, OWN), 0);
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    assert_true(peer_sent(&e, "<body>three</body>"));
    const char *one = strstr(e.sent, "<body>one<"), *two = strstr(e.sent, "<body>two<");
    assert_true(one && two && one < two && two < strstr(e.sent, "<body>three<"));
    ack(e.s->stream.sm.out);
    expect_sent(1, JAB_SENT_DELIVERED);
    expect_sent(2, JAB_SENT_DELIVERED);
    expect_sent(3, JAB_SENT_DELIVERED);
    end();
}

static void a_full_disk_refuses_and_sends_nothing(void **state)
{
    (void)state;
    begin();
    online();
    disk.fail_commits = 1;
    assert_int_equal(send_text("lost", 1), JAB_ESTORE);
    assert_false(peer_sent(&e, "lost"));
    assert_int_equal(kept("outbox"), 0);
    assert_true(jab_session_online(e.s));
    assert_int_equal(send_text("found", 2), 0);
    assert_true(peer_sent(&e, "<body>found</body>"));
    ack(e.s->stream.sm.out);
    expect_sent(2, JAB_SENT_DELIVERED);
    end();
}

static int refuse_to_settle(jab_ext_ctx *x, jab_sent *sent)
{
    (void)x;
    (void)sent;
    return disk.fail_commits ? JAB_ESTORE : 0;
}

static void what_cannot_be_settled_is_told_once(void **state)
{
    static const jab_ext refuser = {
        .size = sizeof(jab_ext), .name = "refuser", .settled = refuse_to_settle};
    static const jab_ext *const refusers[] = {&refuser, NULL};
    (void)state;
    store_double_init(&disk);
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.store = &disk.store;
    cfg.exts = refusers;
    assert_int_equal(peer_new(&e, &cfg), 0);
    online();
    assert_int_equal(send_text("one", 1), 0);
    peer_collect(&e);
    disk.fail_commits = 1;
    ack(e.s->stream.sm.out);
    expect_no_sent();
    assert_true(jab_session_closed(e.s));
    assert_int_equal(jab_outbox_count(e.s), 1);
    disk.fail_commits = 0;
    log_in_anew();
    assert_int_equal(jabi_outbox_found(e.s, OWN, JAB_STR("one")), 1);
    expect_sent(1, JAB_SENT_DELIVERED);
    expect_no_sent();
    end();
}

/* -- Without stream management -------------------------------------------------------- */

/* Answers the question that stands behind the messages. */
static void answer_behind(const char *type)
{
    char id[64] = "", text[300];
    const char *at = strstr(e.sent, "<iq ");
    at = at ? strstr(at, " id='") : NULL;
    assert_non_null(at);
    snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 5, "'"), at + 5);
    snprintf(text, sizeof text, "<iq type='%s' from='example.org' id='%s'/>", type, id);
    peer_clear(&e);
    assert_true(peer_says(&e, text) >= 0);
}

static void online_without_sm(void)
{
    begin();
    to_features(PEER_BIND);
    peer_bind(&e);
    pull_all();
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    peer_clear(&e);
}

static void without_management_a_question_behind_tells(void **state)
{
    (void)state;
    online_without_sm();
    assert_int_equal(send_text("one", 1), 0);
    assert_int_equal(send_text("two", 2), 0);
    assert_true(peer_sent(&e, "<body>two</body>"));
    assert_true(strstr(e.sent, "<body>two</body>") < strstr(e.sent, "urn:xmpp:ping"));
    assert_int_equal(send_text("three", 3), 0); /* behind the question: not of its answer */
    peer_collect(&e);
    answer_behind("result");
    expect_sent(1, JAB_SENT_DELIVERED);
    expect_sent(2, JAB_SENT_DELIVERED);
    expect_no_sent();
    answer_behind("error");
    expect_sent(3, JAB_SENT_DELIVERED);
    assert_int_equal(jab_outbox_count(e.s), 0);
    assert_false(peer_sent(&e, "<iq "));
    end();
}

/* Without memory to tell it, nobody says a second time that it came back. */
static void what_came_back_and_was_not_told_is_in_doubt(void **state)
{
    (void)state;
    int is_over = 0;
    for (size_t nth = 1; !is_over; nth++) {
        online_without_sm();
        assert_int_equal(send_text("one", 1), 0);
        peer_collect(&e);
        e.mem.fail_at = e.mem.calls + nth;
        (void)!peer_says(&e, "<message type='error' from='romeo@example.net' id='one'>"
                             "<error type='cancel'/></message>");
        is_over = e.mem.calls < e.mem.fail_at;
        e.mem.fail_at = 0;
        int told = 0;
        for (const jab_event *ev; (ev = jab_session_next(e.s));)
            told += ev->type == JAB_EV_SENT;
        assert_int_equal(told + (int)jab_outbox_count(e.s), 1);
        end();
    }
}

static void without_an_answer_the_connection_is_dead(void **state)
{
    (void)state;
    online_without_sm();
    assert_int_equal(send_text("one", 1), 0);
    peer_collect(&e);
    e.now += 30000;
    jab_session_tick(e.s, e.now);
    assert_true(jab_session_closed(e.s));
    assert_int_equal(jab_session_error(e.s), JAB_ETIMEOUT);
    expect_no_sent();
    assert_int_equal(jabi_outbox_in_doubt(e.s, OWN), 1);
    end();
}

/* What waited leaves once it is written that it did: not before, whichever
 * write fails, and whether or not anything was written before that one. */
static void what_waits_does_not_leave_while_the_disk_is_full(void **state)
{
    (void)state;
    for (int commits = 0; commits < 2; commits++) {
        begin();
        assert_int_equal(send_text("one", 1), 0);
        log_in();
        assert_int_equal(jab_session_out(e.s).n, 0);
        assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
        disk.fail_commits = commits;
        disk.fail_puts = !commits;
        peer_collect(&e);
        assert_true(jab_session_closed(e.s));
        assert_int_equal(jab_session_error(e.s), JAB_ESTORE);
        assert_null(strstr(e.sent, "one"));
        assert_null(strstr(e.sent, "</stream:stream>")); /* the server keeps the stream */
        pull_all();
        peer_clear(&e);
        log_in_anew();
        assert_int_equal(jabi_outbox_in_doubt(e.s, OWN), 0); /* it never left */
        assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
        assert_true(peer_sent(&e, "<body>one</body>"));
        crash();
        start_with(0);
        assert_int_equal(jabi_outbox_at(e.s, 0)->state, JABI_OUT_SAVED);
        end();
    }
}

static void the_outbox_has_a_limit(void **state)
{
    (void)state;
    begin();
    e.s->cfg.max_outbox = 2;
    assert_int_equal(send_text("one", 1), 0);
    assert_int_equal(send_text("two", 2), 0);
    assert_int_equal(send_text("three", 3), JAB_EAGAIN);
    assert_int_equal(kept("outbox"), 2);
    end();
}

/* -- Streams that are gone --------------------------------------------------------------- */

static void what_may_have_left_is_sent_again_only_when_the_archive_has_it_not(void **state)
{
    (void)state;
    begin();
    online();
    assert_int_equal(send_text("one", 1), 0);
    assert_int_equal(send_text("two", 2), 0);
    assert_true(peer_sent(&e, "two"));
    crash();
    start_with(0);
    log_in_anew();
    assert_int_equal(jabi_outbox_in_doubt(e.s, OWN), 2);
    assert_false(peer_sent(&e, "<body>"));
    assert_int_equal(jabi_outbox_found(e.s, OWN, JAB_STR("one")), 1);
    assert_int_equal(jabi_outbox_found(e.s, OWN, JAB_STR("one")), 0);
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    expect_sent(1, JAB_SENT_DELIVERED);
    expect_no_sent();
    assert_false(peer_sent(&e, "<body>one</body>"));
    assert_true(peer_sent(&e, "<body>two</body>"));
    ack(e.s->stream.sm.out);
    expect_sent(2, JAB_SENT_DELIVERED);
    assert_int_equal(kept("outbox"), 0);
    end();
}

static void without_an_archive_it_is_unknown_and_not_sent_again(void **state)
{
    (void)state;
    begin();
    online();
    assert_int_equal(send_text("one", 1), 0);
    peer_collect(&e);
    cut();
    jab_session_give_up(e.s);
    expect_no_sent(); /* a later session may still learn it */
    to_features(SM_FEATURES);
    bound();
    assert_int_equal(jabi_outbox_in_doubt(e.s, OWN), 1);
    assert_int_equal(jabi_outbox_unknowable(e.s, OWN), 0);
    expect_sent(1, JAB_SENT_UNKNOWN);
    assert_false(peer_sent(&e, "<body>"));
    assert_int_equal(kept("outbox"), 0);
    end();
}

static void another_process_resumes_the_stream_and_knows_what_arrived(void **state)
{
    (void)state;
    begin();
    online();
    uint32_t before = e.s->stream.sm.out;
    assert_int_equal(send_text("one", 1), 0);
    assert_int_equal(send_text("two", 2), 0);
    peer_collect(&e);
    assert_true(
        peer_says(&e, "<message id='in1' from='romeo@example.net/o'><body>x</body></message>") > 0);
    pull_all();
    crash();
    start_with(0);
    to_features(SM_FEATURES);
    assert_true(peer_sent(&e, "<resume xmlns='urn:xmpp:sm:3' previd='s1' h='1'/>"));
    char text[128];
    snprintf(text, sizeof text, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>", before + 1);
    assert_true(peer_says(&e, text) > 0);
    const jab_event *ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_ONLINE); /* nothing but the counting goes on */
    assert_str(ev->jid->full, "juliet@example.org/balcony");
    expect_sent(1, JAB_SENT_DELIVERED);
    assert_int_equal(jabi_outbox_in_doubt(e.s, OWN), 0);
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    assert_false(peer_sent(&e, "<body>one</body>"));
    assert_true(peer_sent(&e, "<body>two</body>"));
    assert_int_equal(e.s->stream.sm.out - before - 1, e.s->sent.n);
    ack(e.s->stream.sm.out);
    expect_sent(2, JAB_SENT_DELIVERED);
    end();
}

/* The name of the stream comes behind what left first. */
static void what_left_before_the_stream_had_a_name_is_resumed(void **state)
{
    (void)state;
    begin();
    to_features(SM_FEATURES);
    peer_bind(&e);
    pull_all();
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    assert_int_equal(send_text("one", 1), 0);
    assert_true(peer_sent(&e, "<body>one</body>"));
    assert_true(peer_says(&e, ENABLED) >= 0);
    pull_all();
    peer_collect(&e);
    crash();
    start_with(0);
    assert_int_equal(jabi_outbox_at(e.s, 0)->state, JABI_OUT_SAVED);
    end();
}

/* The server sends it again, as it was not acknowledged. */
static void what_came_back_is_told_once_though_it_comes_twice(void **state)
{
    static const char bounce[] = "<message type='error' from='romeo@example.net' id='one'>"
                                 "<error type='cancel'/></message>";
    (void)state;
    begin();
    online();
    assert_int_equal(send_text("one", 1), 0);
    peer_collect(&e);
    assert_true(peer_says(&e, bounce) > 0);
    expect_sent(1, JAB_SENT_FAILED);
    expect_no_sent();
    cut();
    pull_all();
    e.s->stream.sm.in--;
    to_features(SM_FEATURES);
    char text[120];
    snprintf(text, sizeof text, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>",
             e.s->stream.sm.out);
    assert_true(peer_says(&e, text) > 0);
    assert_true(peer_says(&e, bounce) > 0);
    expect_no_sent();
    end();
}

/* Taken up for an earlier process, a stream that ended before all were ready
 * begins anew for them when it is taken up again. */
static void a_resumption_that_the_disk_ended_is_made_whole_by_the_next(void **state)
{
    (void)state;
    begin();
    online();
    uint32_t before = e.s->stream.sm.out;
    assert_int_equal(send_text("one", 1), 0);
    peer_collect(&e);
    crash();
    start_with(0);
    char text[128];
    snprintf(text, sizeof text, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>", before + 1);
    to_features(SM_FEATURES);
    disk.fail_puts = 1;
    (void)!peer_says(&e, text);
    assert_true(jab_session_closed(e.s));
    pull_all();
    to_features(SM_FEATURES);
    assert_true(peer_says(&e, text) > 0);
    int online_events = 0;
    for (const jab_event *ev; (ev = jab_session_next(e.s));) {
        online_events += ev->type == JAB_EV_ONLINE;
        assert_int_not_equal(ev->type, JAB_EV_RESUMED);
    }
    assert_int_equal(online_events, 1);
    assert_int_equal(kept("outbox"), 0);
    end();
}

/* Copies were switched on by the process that began the stream (XEP-0280 §5). */
static void another_process_gets_the_copies_that_wait(void **state)
{
    (void)state;
    begin();
    online();
    crash();
    start_with(0);
    to_features(SM_FEATURES);
    assert_true(peer_says(&e, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>") > 0);
    assert_true(peer_says(&e,
                          "<message from='juliet@example.org'><sent xmlns='urn:xmpp:carbons:2'>"
                          "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' "
                          "from='juliet@example.org/phone' to='romeo@example.net' type='chat'>"
                          "<body>copy</body></message></forwarded></sent></message>") > 0);
    int n = 0;
    for (const jab_event *ev; (ev = jab_session_next(e.s));)
        n += ev->type == JAB_EV_MESSAGE && jab_str_is(ev->message->body, "copy");
    assert_int_equal(n, 1);
    end();
}

static void a_stream_that_ended_well_is_not_resumed(void **state)
{
    (void)state;
    begin();
    online();
    assert_int_equal(kept("stream"), 1);
    jab_session_close(e.s, e.now);
    peer_collect(&e);
    (void)!peer_says(&e, "</stream:stream>");
    jab_session_free(e.s);
    assert_int_equal(kept("stream"), 0);
    store_double_fini(&disk);
}

static void a_stream_that_was_left_is_for_the_next_process(void **state)
{
    (void)state;
    begin();
    online();
    assert_true(peer_says(&e, "<message from='romeo@example.net/o'><body>x</body></message>") > 0);
    jab_session_free(e.s); /* with an event that was not pulled */
    assert_int_equal(kept("stream"), 1);
    store_double_fini(&disk);
}

static void withdrawn_messages_are_told_and_gone(void **state)
{
    (void)state;
    begin();
    online();
    assert_int_equal(send_text("left", 1), 0);
    peer_collect(&e);
    cut();
    assert_int_equal(send_text("waits", 2), 0);
    assert_int_equal(jab_outbox_withdraw(e.s), 0);
    expect_sent(1, JAB_SENT_UNKNOWN);
    expect_sent(2, JAB_SENT_FAILED);
    assert_int_equal(kept("outbox"), 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_on_the_disk_when_the_call_returns),
        cmocka_unit_test(messages_wait_while_offline_and_leave_in_order),
        cmocka_unit_test(a_full_disk_refuses_and_sends_nothing),
        cmocka_unit_test(what_cannot_be_settled_is_told_once),
        cmocka_unit_test(without_management_a_question_behind_tells),
        cmocka_unit_test(what_came_back_and_was_not_told_is_in_doubt),
        cmocka_unit_test(without_an_answer_the_connection_is_dead),
        cmocka_unit_test(what_waits_does_not_leave_while_the_disk_is_full),
        cmocka_unit_test(the_outbox_has_a_limit),
        cmocka_unit_test(what_may_have_left_is_sent_again_only_when_the_archive_has_it_not),
        cmocka_unit_test(without_an_archive_it_is_unknown_and_not_sent_again),
        cmocka_unit_test(another_process_resumes_the_stream_and_knows_what_arrived),
        cmocka_unit_test(what_left_before_the_stream_had_a_name_is_resumed),
        cmocka_unit_test(what_came_back_is_told_once_though_it_comes_twice),
        cmocka_unit_test(a_resumption_that_the_disk_ended_is_made_whole_by_the_next),
        cmocka_unit_test(another_process_gets_the_copies_that_wait),
        cmocka_unit_test(a_stream_that_ended_well_is_not_resumed),
        cmocka_unit_test(a_stream_that_was_left_is_for_the_next_process),
        cmocka_unit_test(withdrawn_messages_are_told_and_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
