/* test_commit.c: what is committed before it is shown, or acknowledged. */
#include "outbox_peer.h"

#include "session/sm.h"

/* -- What comes -------------------------------------------------------------------------- */

#define IN(id) "<message id='" id "' from='romeo@example.net/o'><body>hi</body></message>"
#define ASK    "<r xmlns='urn:xmpp:sm:3'/>"

static void what_came_is_committed_before_it_is_shown(void **state)
{
    (void)state;
    begin();
    online();
    unsigned before = disk.commits;
    assert_true(jab_session_feed(e.s, IN("a") IN("b"), strlen(IN("a") IN("b")), e.now) > 0);
    assert_true(disk.store.dirty);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_MESSAGE);
    assert_false(disk.store.dirty);
    assert_int_equal(disk.commits, before + 1); /* one for both */
    end();
}

static void what_cannot_be_committed_is_not_shown_and_comes_again(void **state)
{
    (void)state;
    begin();
    online();
    assert_true(peer_says(&e, IN("a")) > 0);
    pull_all();
    disk.fail_commits = 1;
    assert_true(jab_session_feed(e.s, IN("b"), strlen(IN("b")), e.now) > 0);
    const jab_event *ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_OFFLINE);
    assert_int_equal(ev->fault->code, JAB_ESTORE);
    assert_str(ev->fault->text, "disk full: /tmp/double.db");
    assert_null(jab_session_next(e.s));
    assert_int_equal(kept("seen"), 1);
    to_features(SM_FEATURES);
    assert_true(peer_sent(&e, "previd='s1' h='1'"));
    end();
}

static void an_answer_counts_only_what_is_committed(void **state)
{
    (void)state;
    store_double_init(&disk);
    start_with(1);
    online();
    assert_true(peer_says(&e, IN("a")) > 0);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_MESSAGE);
    assert_null(jab_session_next(e.s));
    assert_int_equal(peer_says(&e, ASK), 0);
    assert_false(peer_sent(&e, "<a "));
    assert_int_equal(jab_session_commit(e.s), 0);
    assert_true(peer_says(&e, ASK) > 0);
    assert_true(peer_sent(&e, "<a xmlns='urn:xmpp:sm:3' h='1'/>"));
    end();
}

/* What waits to be pulled is not the caller's to commit yet. */
static void a_commit_is_of_what_was_pulled(void **state)
{
    (void)state;
    store_double_init(&disk);
    start_with(1);
    online();
    assert_true(peer_says(&e, IN("a")) > 0);
    assert_int_equal(jab_session_commit(e.s), 0);
    assert_true(disk.store.dirty);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_MESSAGE);
    assert_int_equal(send_text("answer", 1), JAB_EAGAIN); /* it would commit */
    assert_int_equal(jab_session_commit(e.s), 0);
    assert_false(disk.store.dirty);
    assert_int_equal(send_text("answer", 1), 0);
    end();
}

/* XEP-0198 §4: a count never goes back, also not in another process. */
static void what_was_acknowledged_stays_so_for_the_next_process(void **state)
{
    (void)state;
    begin();
    online();
    assert_true(peer_says(&e, "<presence from='romeo@example.net/o'/>") >= 0);
    pull_all();
    assert_true(peer_says(&e, "<r xmlns='urn:xmpp:sm:3'/>") >= 0);
    assert_true(peer_sent(&e, "<a xmlns='urn:xmpp:sm:3' h='1'/>"));
    crash();
    start_with(0);
    to_features(SM_FEATURES);
    assert_true(peer_sent(&e, "<resume xmlns='urn:xmpp:sm:3' previd='s1' h='1'/>"));
    end();
}

/* XEP-0198 §4: a count never goes back, whoever resumes. */
static void what_a_resumption_claimed_stays_so_for_the_next_process(void **state)
{
    (void)state;
    begin();
    online();
    assert_true(peer_says(&e, "<presence from='romeo@example.net/o'/>") > 0);
    pull_all();
    cut();
    to_features(SM_FEATURES);
    assert_true(peer_sent(&e, "previd='s1' h='1'"));
    crash();
    start_with(0);
    to_features(SM_FEATURES);
    assert_true(peer_sent(&e, "previd='s1' h='1'"));
    end();
}

/* <failed h=''/> settles what the server had; where there is no memory to tell so, the archive
 * is asked. */
static void what_cannot_be_told_of_a_lost_stream_is_in_doubt(void **state)
{
    (void)state;
    int is_over = 0;
    for (size_t nth = 1; !is_over; nth++) {
        begin();
        online();
        assert_int_equal(jabi_outbox_absent(e.s, jab_session_jid(e.s)->bare), 0);
        for (uint64_t i = 0; i < 2; i++) {
            jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
            jab_out_body(o, JAB_STR("hi"));
            assert_int_equal(jab_out_send(o, i), 0);
        }
        assert_true(peer_sent(&e, "<body>hi</body>"));
        crash();
        start_with(0);
        to_features(SM_FEATURES);
        assert_true(peer_says(&e, "<failed xmlns='urn:xmpp:sm:3' h='10'/>") >= 0);
        assert_int_equal(jabi_outbox_at(e.s, 1)->state, JABI_OUT_SAVED);
        e.mem.fail_at = e.mem.calls + nth;
        jabi_sm_lost(e.s);
        is_over = e.mem.calls < e.mem.fail_at;
        e.mem.fail_at = 0;
        for (size_t i = 0; i < e.s->outbox.n; i++)
            assert_int_equal(jabi_outbox_at(e.s, i)->state, JABI_OUT_DOUBT);
        end();
    }
}

/* A transaction that is lost takes back more than is held back. */
static void what_is_held_back_does_not_count_what_was_lost(void **state)
{
    (void)state;
    begin();
    online();
    assert_true(peer_says(&e, "<presence from='romeo@example.net/o'/>") > 0);
    uint32_t before = e.s->stream.sm.in;
    jabi_sm_hold(e.s); /* what comes from here on */
    assert_true(peer_says(&e, IN("a")) > 0);
    assert_int_equal(jabi_sm_kept(e.s), before);
    e.s->stream.sm.in = before - 1;
    assert_int_equal(jabi_sm_kept(e.s), before - 1);
    end();
}

/* What a stanza that fails had to say is dropped, and not what was said before it. */
static void what_was_committed_is_shown_whatever_fails_then(void **state)
{
    (void)state;
    int is_over = 0;
    for (size_t nth = 1; !is_over; nth++) {
        store_double_init(&disk);
        start_with(0);
        online();
        assert_true(peer_says(&e, IN("a") "<r xmlns='urn:xmpp:sm:3'/>") > 0);
        e.mem.fail_at = e.mem.calls + nth;
        (void)!peer_says(&e, IN("b"));
        is_over = e.mem.calls < e.mem.fail_at;
        e.mem.fail_at = 0;
        const jab_event *ev = jab_session_next(e.s);
        assert_non_null(ev);
        assert_int_equal(ev->type, JAB_EV_MESSAGE);
        assert_str(ev->message->id, "a");
        end();
    }
}

static void what_was_not_pulled_is_not_committed_by_the_caller(void **state)
{
    (void)state;
    store_double_init(&disk);
    start_with(1);
    online();
    assert_true(peer_says(&e, IN("a")) > 0);
    assert_int_equal(jab_session_commit(e.s), 0);
    crash();
    assert_int_equal(kept("seen"), 0);
    start_with(1);
    end();
}

static void who_commits_gets_one_message_at_a_time(void **state)
{
    (void)state;
    store_double_init(&disk);
    start_with(1);
    online();
    const char *both = IN("a") IN("b");
    ptrdiff_t n = peer_says(&e, both);
    assert_int_equal(n, strlen(IN("a")));
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_MESSAGE);
    assert_int_equal(peer_says(&e, both + n), 0); /* it is still busy with the first */
    crash();
    assert_int_equal(kept("seen"), 0);
    start_with(1);
    log_in_anew();
    assert_int_equal(peer_says(&e, both), strlen(IN("a")));
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_MESSAGE);
    assert_int_equal(jab_session_commit(e.s), 0);
    assert_int_equal(kept("seen"), 1);
    assert_int_equal(peer_says(&e, both + n), strlen(IN("b")));
    end();
}

/* -- Failures ------------------------------------------------------------------------------ */

/* One run through all of it; what the disk holds must agree with what was told. */
static void run_once(void)
{
    if (jab_session_connected(e.s, NULL, e.now) < 0)
        return;
    (void)!peer_says(&e, PEER_HEADER PEER_PLAIN);
    (void)!peer_says(&e, PEER_SUCCESS);
    peer_clear(&e);
    (void)!peer_says(&e, PEER_HEADER SM_FEATURES);
    peer_bind(&e);
    (void)!peer_says(&e, ENABLED);
    (void)!jabi_outbox_absent(e.s, OWN);
    int accepted = send_text("one", 1) == 0;
    peer_collect(&e);
    ack(e.s->stream.sm.out);
    (void)!peer_says(&e, IN("a"));
    int shown = 0, settled = 0;
    for (const jab_event *ev; (ev = jab_session_next(e.s));) {
        shown += ev->type == JAB_EV_MESSAGE;
        settled += ev->type == JAB_EV_SENT;
    }
    disk.inner->table->rollback(disk.inner);
    disk.store.dirty = 0;
    if (shown)
        assert_int_equal(kept("seen"), 1);
    assert_int_equal(settled <= accepted, 1);
    if (accepted && !settled)
        assert_int_equal(kept("outbox"), 1);
}

static void memory_that_runs_out_loses_nothing(void **state)
{
    (void)state;
    for (size_t at = 1;; at++) {
        store_double_init(&disk);
        unit_mem_init(&e.mem, at);
        jab_config cfg = peer_config(&e);
        cfg.store = &disk.store;
        cfg.exts = exts;
        if (peer_new(&e, &cfg) == 0) {
            run_once();
            jab_session_free(e.s);
        }
        assert_int_equal(e.mem.live, 0);
        store_double_fini(&disk);
        if (e.mem.calls < at)
            return;
    }
}

static void a_disk_that_fails_at_any_write_loses_nothing(void **state)
{
    (void)state;
    for (int at = 1; at < 60; at++) {
        begin();
        disk.fail_puts = at;
        run_once();
        disk.fail_puts = 0;
        end();
    }
    for (int at = 1; at < 20; at++) {
        begin();
        disk.fail_commits = at;
        run_once();
        disk.fail_commits = 0;
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_is_committed_before_it_is_shown),
        cmocka_unit_test(what_cannot_be_committed_is_not_shown_and_comes_again),
        cmocka_unit_test(a_commit_is_of_what_was_pulled),
        cmocka_unit_test(an_answer_counts_only_what_is_committed),
        cmocka_unit_test(what_was_acknowledged_stays_so_for_the_next_process),
        cmocka_unit_test(what_a_resumption_claimed_stays_so_for_the_next_process),
        cmocka_unit_test(what_cannot_be_told_of_a_lost_stream_is_in_doubt),
        cmocka_unit_test(what_is_held_back_does_not_count_what_was_lost),
        cmocka_unit_test(what_was_committed_is_shown_whatever_fails_then),
        cmocka_unit_test(what_was_not_pulled_is_not_committed_by_the_caller),
        cmocka_unit_test(who_commits_gets_one_message_at_a_time),
        cmocka_unit_test(memory_that_runs_out_loses_nothing),
        cmocka_unit_test(a_disk_that_fails_at_any_write_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
