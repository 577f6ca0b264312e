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

/* -- Answers ------------------------------------------------------------------ */

/* RFC 6120 §8.2.3: whatever the request's id and its sender's resource are. */
static void requests_with_odd_ids_and_senders_are_answered(void **state)
{
    (void)state;
    peer_online(&e);
    char id[1001], ask[2000], want[1100];
    memset(id, 'i', 1000);
    id[1000] = '\0';
    static const char *const payloads[] = {"<ping xmlns='urn:xmpp:ping'/>", "<x xmlns='urn:no'/>"};
    static const char *const froms[] = {"romeo@example.net/o",
                                        "room@muc.example.org/\xE2\x9D\xA4\xEF\xB8\x8F"};
    for (size_t i = 0; i < 4; i++) {
        peer_clear(&e);
        snprintf(ask, sizeof ask, "<iq from='%s' id='%s' type='get'>%s</iq>", froms[i / 2], id,
                 payloads[i % 2]);
        assert_true(peer_says(&e, ask) > 0);
        snprintf(want, sizeof want, "to='%s'", froms[i / 2]);
        assert_true(peer_sent(&e, want));
        snprintf(want, sizeof want, "id='%s'", id);
        assert_true(peer_sent(&e, want));
        assert_true(peer_sent(&e, i % 2 ? "service-unavailable" : "result"));
    }
    peer_free(&e);
}

/* -- What is handed out -------------------------------------------------------- */

static void login_as(const char *resource)
{
    char id[64] = "", reply[512];
    assert_int_equal(jab_session_connected(e.s, NULL, e.now), 0);
    peer_says(&e, PEER_HEADER PEER_PLAIN);
    peer_says(&e, PEER_SUCCESS);
    peer_clear(&e);
    peer_says(&e, PEER_HEADER PEER_BIND);
    snprintf(id, sizeof id, "%.32s", strstr(e.sent, " id=") + 5);
    snprintf(reply, sizeof reply,
             "<iq type='result' id='%s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
             "<jid>juliet@example.org/%s</jid></bind></iq>",
             id, resource);
    peer_says(&e, reply);
    assert_true(jab_session_online(e.s));
    peer_clear(&e);
}

static void events_outlive_the_stream_that_they_came_from(void **state)
{
    (void)state;
    jab_config cfg;
    unit_mem_init(&e.mem, 0);
    cfg = peer_config(&e);
    assert_int_equal(peer_new(&e, &cfg), 0);
    login_as("first");
    peer_says(&e, "<message><body>to me</body></message>");
    jab_session_eof(e.s, 1, e.now);
    login_as("the-second");
    const jab_event *ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_ONLINE);
    assert_str(ev->jid->full, "juliet@example.org/first");
    assert_str(ev->jid->resource, "first");
    ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_MESSAGE);
    assert_str(ev->message->to.full, "juliet@example.org/first");
    assert_str(ev->message->from.full, "juliet@example.org");
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_OFFLINE);
    ev = jab_session_next(e.s);
    assert_str(ev->jid->full, "juliet@example.org/the-second");
    peer_free(&e);
}

static void the_words_of_a_fault_are_utf8_however_long(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        peer_online(&e);
        char text[2004] = "abcd";
        for (size_t i = shift; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xF0\x9F\x98\x80", 5);
        char error[4000];
        snprintf(error, sizeof error,
                 "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                 "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>%s</text></stream:error>",
                 text);
        assert_int_equal(peer_says(&e, error), JAB_ESTREAM);
        const jab_event *ev = jab_session_next(e.s);
        assert_int_equal(ev->type, JAB_EV_OFFLINE);
        assert_true(ev->fault->text.n > 400);
        assert_true(jabi_utf8_valid(ev->fault->text));
        assert_true(jabi_utf8_valid(jab_session_fault(e.s)->text));
        peer_free(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_without_a_namespace_is_no_second_stanza),
        cmocka_unit_test(what_the_application_sends_does_not_stop_the_reading),
        cmocka_unit_test(a_server_that_asks_and_does_not_read_is_not_read),
        cmocka_unit_test(output_that_is_taken_slowly_leaves_room_for_more),
        cmocka_unit_test(what_never_fits_is_not_put_off),
        cmocka_unit_test(requests_with_odd_ids_and_senders_are_answered),
        cmocka_unit_test(events_outlive_the_stream_that_they_came_from),
        cmocka_unit_test(the_words_of_a_fault_are_utf8_however_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
