/* test_stream.c: the core against a server or contact that goes to the edges:
 * back-pressure, addresses and ids at their limits, odd stanzas, odd limits. */
#include "peer.h"

#include "base/utf8.h"

static peer e;

static int count_events(uint32_t type)
{
    int n = 0;
    for (const jab_event *ev; (ev = jab_session_next(e.s));)
        n += ev->type == type;
    return n;
}

/* -- Routing ------------------------------------------------------------------ */

static void a_child_without_a_namespace_is_no_second_stanza(void **state)
{
    (void)state;
    peer_online(&e);
    peer_says(&e, "<message from='romeo@example.net/o'><body>once</body><a xmlns=''/>"
                  "<b xmlns=''/></message>");
    assert_int_equal(count_events(JAB_EV_MESSAGE), 1);
    peer_free(&e);
}

/* -- Back-pressure ------------------------------------------------------------ */

static void small_limits(void)
{
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.max_output_bytes = 20000;
    cfg.max_stanza_bytes = 4000;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    (void)count_events(0);
    peer_clear(&e);
}

/* Sends messages of about 500 bytes until one is refused; returns that. */
static int fill_output(void)
{
    char text[401];
    memset(text, 'a', 400);
    text[400] = '\0';
    int err = 0;
    for (int i = 0; i < 1000 && err == 0; i++) {
        jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
        jab_out_body(o, jab_cstr(text));
        err = jab_out_send(o, 0);
    }
    return err;
}

/* A server that reads only while it is read: both would wait for ever. */
static void what_the_application_sends_does_not_stop_the_reading(void **state)
{
    (void)state;
    small_limits();
    assert_int_equal(fill_output(), JAB_EAGAIN);
    static const char in[] = "<message from='romeo@example.net/o'><body>hi</body></message>";
    assert_int_equal(jab_session_feed(e.s, in, sizeof in - 1, e.now), sizeof in - 1);
    assert_int_equal(count_events(JAB_EV_MESSAGE), 1);
    static const char ping[] = "<iq from='example.org' id='p1' type='get'>"
                               "<ping xmlns='urn:xmpp:ping'/></iq>";
    assert_int_equal(jab_session_feed(e.s, ping, sizeof ping - 1, e.now), sizeof ping - 1);
    assert_true(peer_sent(&e, "p1"));
    peer_free(&e);
}

static void a_server_that_asks_and_does_not_read_is_not_read(void **state)
{
    (void)state;
    small_limits();
    static const char ask[] = "<iq from='example.org' id='p1' type='get'><x xmlns='urn:x'/></iq>";
    size_t asked = 0;
    while (asked < 10000 && jab_session_feed(e.s, ask, sizeof ask - 1, e.now) > 0)
        asked++;
    assert_in_range(asked, 20, 500);
    size_t answered = 0;
    peer_collect(&e);
    for (const char *p = e.sent; (p = strstr(p, "service-unavailable")); p++)
        answered++;
    assert_int_equal(answered, asked);
    assert_true(jab_session_feed(e.s, ask, sizeof ask - 1, e.now) > 0);
    peer_free(&e);
}

static void output_that_is_taken_slowly_leaves_room_for_more(void **state)
{
    (void)state;
    small_limits();
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(fill_output(), JAB_EAGAIN);
        jab_str out = jab_session_out(e.s);
        assert_in_range(out.n, 19000, 20000);
        jab_session_out_done(e.s, out.n < 700 ? out.n : 700);
        assert_false(jab_session_closed(e.s));
    }
    peer_free(&e);
}

static void what_never_fits_is_not_put_off(void **state)
{
    (void)state;
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.max_output_bytes = 1000;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    char text[2001];
    memset(text, 'a', 2000);
    text[2000] = '\0';
    jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_body(o, jab_cstr(text));
    assert_int_equal(jab_out_send(o, 0), JAB_ELIMIT);
    peer_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_without_a_namespace_is_no_second_stanza),
        cmocka_unit_test(what_the_application_sends_does_not_stop_the_reading),
        cmocka_unit_test(a_server_that_asks_and_does_not_read_is_not_read),
        cmocka_unit_test(output_that_is_taken_slowly_leaves_room_for_more),
        cmocka_unit_test(what_never_fits_is_not_put_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
