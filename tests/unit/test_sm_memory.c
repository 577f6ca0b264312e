/* test_sm_memory.c: stream management when memory is short. */
#include "sm_peer.h"

/* -- Memory ------------------------------------------------------------------------ */

/* A cut and a resumption; whatever allocation fails, a message is reported at
 * most once, and never as delivered unless the server said so. */
static int count_messages(void)
{
    int n = 0;
    for (const jab_event *ev; (ev = jab_session_next(e.s));)
        n += ev->type == JAB_EV_MESSAGE;
    return n;
}

/* What memory did not suffice for has not come: it comes again, and is told once. */
static void a_message_without_memory_comes_again(void **state)
{
    (void)state;
    int is_over = 0;
    for (size_t nth = 1; !is_over; nth++) {
        online_with_sm();
        e.mem.fail_at = e.mem.calls + nth;
        (void)!peer_says(&e, IN("1"));
        is_over = e.mem.calls < e.mem.fail_at;
        e.mem.fail_at = 0;
        int n = count_messages();
        if (!jab_session_closed(e.s)) {
            assert_int_equal(n, 1);
            peer_free(&e);
            continue;
        }
        to_features(SM_FEATURES);
        int is_acked = peer_sent(&e, "h='1'/>");
        assert_int_equal(is_acked, n);
        (void)!peer_says(&e, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>");
        if (!is_acked)
            assert_true(peer_says(&e, IN("1")) >= 0);
        assert_int_equal(n + count_messages(), 1);
        peer_free(&e);
    }
}

static void life_with_a_cut(void)
{
    if (jab_session_connected(e.s, NULL, e.now) < 0 || peer_says(&e, PEER_HEADER PEER_PLAIN) < 0 ||
        peer_says(&e, PEER_SUCCESS) < 0)
        return;
    peer_clear(&e);
    (void)!peer_says(&e, PEER_HEADER SM_FEATURES);
    peer_bind(&e);
    (void)!peer_says(&e, ENABLED);
    for (uint64_t tag = 1; tag <= 3; tag++) {
        jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
        jab_out_body(o, JAB_STR("hi"));
        (void)jab_out_send(o, tag);
    }
    (void)!peer_says(&e, IN("a") "<r xmlns='urn:xmpp:sm:3'/>");
    jab_session_eof(e.s, 0, e.now);
    peer_clear(&e);
    if (jab_session_connected(e.s, NULL, e.now) < 0 || peer_says(&e, PEER_HEADER PEER_PLAIN) < 0 ||
        peer_says(&e, PEER_SUCCESS) < 0)
        return;
    (void)!peer_says(&e, PEER_HEADER SM_FEATURES);
    (void)!peer_says(&e, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>");
    jab_session_close(e.s, e.now);
    (void)!peer_says(&e, "</stream:stream>");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    size_t total = 0;
    for (size_t fail_at = 1; fail_at == 1 || fail_at <= total + 1; fail_at++) {
        unit_mem_init(&e.mem, fail_at);
        jab_config cfg = peer_config(&e);
        if (peer_new(&e, &cfg) == 0) {
            life_with_a_cut();
            jab_session_give_up(e.s);
            int told[4] = {0};
            for (const jab_event *ev; (ev = jab_session_next(e.s));) {
                if (ev->type != JAB_EV_SENT)
                    continue;
                assert_in_range(ev->tag, 1, 3);
                assert_int_equal(told[ev->tag]++, 0);
                assert_int_equal(((const jab_sent *)ev->data)->state, JAB_SENT_UNKNOWN);
            }
            jab_session_free(e.s);
        }
        assert_int_equal(e.mem.live, 0);
        total = e.mem.calls > total ? e.mem.calls : total;
        assert_in_range(total, 1, 3000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_without_memory_comes_again),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
