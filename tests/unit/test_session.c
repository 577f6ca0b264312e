/* test_session.c: the core once online: routing, requests, builders, time, the end, memory. */
#include "peer.h"

static peer e;

static void a_message_arrives_as_an_event(void **state)
{
    (void)state;
    peer_online(&e);
    peer_says(
        &e, "<message from='romeo@example.net/orchard' id='m1' type='chat'>"
            "<body>O &lt;she&gt; &amp; \xD0\xBC\xD0\xB8\xD1\x80 \xF0\x9F\x98\x80</body></message>");
    const jab_event *ev = jab_session_next(e.s);
    assert_non_null(ev);
    assert_int_equal(ev->type, JAB_EV_MESSAGE);
    assert_str(ev->message->from.bare, "romeo@example.net");
    assert_str(ev->message->body, "O <she> & \xD0\xBC\xD0\xB8\xD1\x80 \xF0\x9F\x98\x80");
    assert_int_equal(ev->message->type, JAB_MSG_CHAT);
    assert_int_equal(ev->message->flags, 0);
    peer_free(&e);
}

static void a_nickname_that_precis_refuses_loses_no_message(void **state)
{
    (void)state;
    peer_online(&e);
    /* U+FE0F after a heart; an unassigned code point. */
    static const char *const nicks[] = {"\xE2\x9D\xA4\xEF\xB8\x8F", "\xF0\x9F\xBF\xBF"};
    for (size_t i = 0; i < 2; i++) {
        char text[300], full[100];
        snprintf(full, sizeof full, "room@muc.example.org/%s", nicks[i]);
        snprintf(text, sizeof text,
                 "<message from='Room@MUC.example.org/%s'><body>b</body></message>", nicks[i]);
        peer_says(&e, text);
        const jab_event *ev = jab_session_next(e.s);
        assert_non_null(ev);
        assert_str(ev->message->from.full, full);
        assert_str(ev->message->from.bare, "room@muc.example.org");
    }
    peer_says(&e, "<message from='ro om@muc.example.org/x'><body>b</body></message>"
                  "<message from='@muc.example.org/x'><body>b</body></message>");
    assert_null(jab_session_next(e.s));
    peer_free(&e);
}

static void unclaimed_requests_are_answered(void **state)
{
    (void)state;
    peer_online(&e);
    peer_says(&e, "<iq from='romeo@example.net/o' id='q1' type='get'><x xmlns='urn:nobody'/></iq>");
    assert_true(peer_sent(&e, "service-unavailable"));
    assert_true(peer_sent(&e, "q1"));
    peer_clear(&e);
    peer_says(&e, "<iq from='romeo@example.net/o' id='q2' type='set'/>");
    assert_true(peer_sent(&e, "bad-request"));
    peer_clear(&e);
    peer_says(&e, "<iq from='romeo@example.net/o' id='q3' type='result'/>"
                  "<iq from='romeo@example.net/o' id='q4' type='error'/>"
                  "<iq from='romeo@example.net/o' id='q5' type='nonsense'><x xmlns='u'/></iq>");
    assert_int_equal(e.n_sent, 0);
    peer_free(&e);
}

/* Sends a request to `to` and returns its id. */
static void ask(const char *to, uint64_t tag, char id[64])
{
    jab_out *o = jab_iq_to(e.s, jab_cstr(to), JAB_IQ_GET);
    jab_out_child(o, "urn:test", "q");
    jab_str view = jab_out_id(o);
    snprintf(id, 64, JAB_FMT, JAB_ARG(view));
    assert_int_equal(jab_out_send(o, tag), 0);
}

static void answer(const char *element, const char *from, const char *id)
{
    char text[512];
    snprintf(text, sizeof text, "<%s%s%s%s id='%s' type='result'><r xmlns='urn:test'/></%s>",
             element, from ? " from='" : "", from ? from : "", from ? "'" : "", id, element);
    (void)!peer_says(&e, text);
}

/* Whether a JAB_EV_IQ is among the events that wait. */
static int answered(uint64_t tag)
{
    int found = 0;
    for (const jab_event *ev; (ev = jab_session_next(e.s));)
        found |= ev->type == JAB_EV_IQ && ev->tag == tag;
    return found;
}

static void replies_count_only_from_whom_was_asked(void **state)
{
    (void)state;
    static const struct {
        const char *to, *from;
        int counts;
    } rows[] = {
        {"romeo@example.net/o", "romeo@example.net/o", 1},
        {"romeo@example.net/o", "romeo@example.net", 0},
        {"romeo@example.net/o", "romeo@example.net/other", 0},
        {"romeo@example.net/o", "evil@example.com", 0},
        {"romeo@example.net/o", NULL, 0},
        {"romeo@example.net/o", "example.net", 0},
        {NULL, NULL, 1},
        {NULL, "juliet@example.org", 1},
        {NULL, "juliet@example.org/balcony", 1},
        {NULL, "example.org", 1},
        {NULL, "juliet@example.org/other", 0},
        {NULL, "romeo@example.net/o", 0},
        {"example.org", "example.org", 1},
        {"example.org", "conference.example.org", 0},
        {"juliet@example.org/other", "juliet@example.org/other", 1},
        {"juliet@example.org/other", "juliet@example.org", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        peer_online(&e);
        char id[64];
        ask(rows[i].to, 7, id);
        answer("iq", rows[i].from, id);
        assert_int_equal(answered(7), rows[i].counts);
        peer_free(&e);
    }
}

static void only_an_iq_answers_an_iq(void **state)
{
    (void)state;
    peer_online(&e);
    char id[64];
    ask("romeo@example.net/o", 7, id);
    answer("message", "romeo@example.net/o", id);
    answer("presence", "romeo@example.net/o", id);
    assert_false(answered(7));
    answer("iq", "romeo@example.net/o", id);
    assert_true(answered(7));
    answer("iq", "romeo@example.net/o", id);
    assert_false(answered(7));
    peer_free(&e);
}

static void refusals_and_silence_are_told_apart(void **state)
{
    (void)state;
    peer_online(&e);
    char id[64], text[512];
    ask("romeo@example.net/o", 1, id);
    snprintf(text, sizeof text,
             "<iq from='romeo@example.net/o' id='%s' type='error'><error type='cancel'>"
             "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
             id);
    peer_says(&e, text);
    const jab_event *ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_IQ);
    assert_int_equal(ev->iq->error, JAB_ESTANZA);
    assert_str(ev->iq->refusal.condition, "item-not-found");
    ask("romeo@example.net/o", 2, id);
    jab_session_tick(e.s, e.now + 29999);
    assert_null(jab_session_next(e.s));
    jab_session_tick(e.s, e.now + 30000);
    ev = jab_session_next(e.s);
    assert_int_equal(ev->iq->error, JAB_ETIMEOUT);
    assert_int_equal(ev->tag, 2);
    ask("romeo@example.net/o", 3, id);
    jab_session_eof(e.s, 0, e.now);
    ev = jab_session_next(e.s);
    assert_int_equal(ev->iq->error, JAB_EOFFLINE);
    assert_int_equal(ev->tag, 3);
    ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_OFFLINE);
    assert_int_equal(ev->fault->code, JAB_EEOF);
    peer_free(&e);
}

static void open_requests_are_bounded(void **state)
{
    (void)state;
    peer_online(&e);
    int err = 0;
    size_t n = 0;
    while (n < 1000 && err >= 0) {
        jab_out *o = jab_iq_to(e.s, JAB_STR("romeo@example.net/o"), JAB_IQ_GET);
        jab_out_child(o, "urn:test", "q");
        err = jab_out_send(o, n++);
    }
    assert_int_equal(err, JAB_EAGAIN);
    assert_in_range(n, 60, 65);
    peer_free(&e);
}

static void builder_errors_surface_once_at_the_end(void **state)
{
    (void)state;
    peer_online(&e);
    static const char *const bad[] = {"a\x01z", "\xC3", "\xED\xA0\x80", "\xEF\xBF\xBF"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
        jab_out_body(o, jab_cstr(bad[i]));
        jab_out_subject(o, JAB_STR("fine"));
        assert_int_equal(jab_out_send(o, 0), JAB_EXML);
    }
    jab_out *o = jab_message_to(e.s, JAB_STR("ro meo@@/"), JAB_MSG_CHAT);
    assert_int_equal(jab_out_send(o, 0), JAB_EJID);
    o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_end(o);
    assert_int_equal(jab_out_send(o, 0), JAB_EXML);
    o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_raw(o, JAB_STR("</message><iq/>"));
    assert_int_equal(jab_out_send(o, 0), JAB_EXML);
    assert_int_equal(jab_out_send(NULL, 0), JAB_ENOMEM);
    peer_collect(&e);
    assert_int_equal(e.n_sent, 0);
    o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_raw(o, JAB_STR("<x:a xmlns:x='urn:x' b='1'>t<x:c/></x:a>"));
    assert_int_equal(jab_out_send(o, 0), 0);
    assert_true(peer_sent(&e, "urn:x"));
    peer_free(&e);
}

static void nothing_is_sent_while_offline(void **state)
{
    (void)state;
    jab_config cfg;
    peer_fresh(&e, &cfg);
    peer_start(&e, &cfg);
    jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_body(o, JAB_STR("early"));
    assert_int_equal(jab_out_send(o, 0), JAB_EOFFLINE);
    assert_false(peer_sent(&e, "early"));
    peer_free(&e);
}

static void a_slow_reader_stops_the_flow_and_loses_nothing(void **state)
{
    (void)state;
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.max_events = 4;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    while (jab_session_next(e.s))
        continue;
    char text[2000] = "";
    for (int i = 0; i < 20; i++) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "<message from='r@x.y/z'><body>%d</body></message>", i);
    }
    size_t fed = 0, total = strlen(text);
    int seen = 0;
    while (seen < 20) {
        ptrdiff_t n = jab_session_feed(e.s, text + fed, total - fed, e.now);
        assert_true(n >= 0);
        fed += (size_t)n;
        const jab_event *ev = jab_session_next(e.s);
        assert_non_null(ev);
        char want[12];
        snprintf(want, sizeof want, "%d", seen++);
        assert_str(ev->message->body, want);
    }
    assert_int_equal(fed, total);
    peer_free(&e);
}

static void oversized_stanzas_end_the_stream(void **state)
{
    (void)state;
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.max_stanza_bytes = 10000;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    char piece[1001];
    memset(piece, 'a', 1000);
    piece[1000] = '\0';
    ptrdiff_t n = peer_says(&e, "<message from='r@x.y'><body>");
    for (int i = 0; i < 20 && n >= 0; i++)
        n = peer_says(&e, piece);
    assert_int_equal(n, JAB_ETOOBIG);
    assert_true(peer_sent(&e, "policy-violation"));
    peer_free(&e);
}

static void a_dripping_stanza_runs_into_its_deadline(void **state)
{
    (void)state;
    peer_online(&e);
    for (int i = 0; i < 59 && !jab_session_closed(e.s); i++) {
        peer_says(&e, i == 0 ? "<message>" : "a");
        e.now += 1000;
        jab_session_tick(e.s, e.now);
    }
    assert_false(jab_session_closed(e.s));
    jab_session_tick(e.s, e.now + 1000);
    assert_int_equal(jab_session_error(e.s), JAB_ETIMEOUT);
    peer_free(&e);
}

static void an_idle_stream_is_kept_alive(void **state)
{
    (void)state;
    peer_online(&e);
    jab_session_tick(e.s, e.now + 59999);
    peer_collect(&e);
    assert_int_equal(e.n_sent, 0);
    jab_session_tick(e.s, e.now + 60000);
    peer_collect(&e);
    assert_string_equal(e.sent, " ");
    peer_free(&e);
}

static void closing_waits_for_the_server_but_not_long(void **state)
{
    (void)state;
    for (int answers = 0; answers < 2; answers++) {
        peer_online(&e);
        jab_session_close(e.s, e.now);
        assert_true(peer_sent(&e, "</stream:stream>"));
        assert_false(jab_session_closed(e.s));
        if (answers)
            peer_says(&e, "<message from='r@x.y'><body>late</body></message></stream:stream>");
        else
            jab_session_tick(e.s, e.now + 2000);
        assert_true(jab_session_closed(e.s));
        assert_int_equal(jab_session_error(e.s), 0);
        const jab_event *ev = jab_session_next(e.s);
        if (answers) {
            assert_str(ev->message->body, "late");
            ev = jab_session_next(e.s);
        }
        assert_int_equal(ev->type, JAB_EV_OFFLINE);
        assert_int_equal(ev->fault->code, 0);
        peer_free(&e);
    }
}

static void a_session_can_connect_again(void **state)
{
    (void)state;
    peer_online(&e);
    jab_session_eof(e.s, 1, e.now);
    peer_clear(&e);
    assert_true(peer_login(&e));
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_OFFLINE);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_ONLINE);
    peer_free(&e);
}

static void a_kept_stanza_outlives_the_session(void **state)
{
    (void)state;
    peer_online(&e);
    peer_says(&e, "<message from='romeo@example.net/o' id='k'><body>keep me</body>"
                  "<x xmlns='urn:x' a='b'>t</x></message>");
    jab_stanza *kept = jab_stanza_keep(jab_session_next(e.s)->stanza);
    assert_non_null(kept);
    jab_session_free(e.s);
    assert_str(jab_stanza_from(kept).full, "romeo@example.net/o");
    assert_str(jab_stanza_id(kept), "k");
    assert_str(jab_xml_text(jab_xml_child(jab_stanza_xml(kept), NULL, "body")), "keep me");
    assert_str(jab_xml_attr(jab_xml_child(jab_stanza_xml(kept), "urn:x", "x"), "a"), "b");
    jab_stanza_drop(kept);
    assert_int_equal(e.mem.live, 0);
}

/* -- Memory ------------------------------------------------------------------- */

/* What an ordinary session does; any call may fail. */
static void ordinary_life(void)
{
    if (!peer_login(&e))
        return;
    peer_says(
        &e,
        "<message from='romeo@example.net/o' type='chat'><body>hi</body></message>"
        "<iq from='romeo@example.net/o' id='v' type='get'><query xmlns='jabber:iq:version'/></iq>"
        "<presence from='romeo@example.net/o'><show>away</show></presence>");
    jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_body(o, JAB_STR("hello"));
    (void)jab_out_send(o, 0);
    o = jab_iq_to(e.s, JAB_STR("example.org"), JAB_IQ_GET);
    jab_out_child(o, "urn:xmpp:ping", "ping");
    (void)jab_out_send(o, 9);
    for (const jab_event *ev; (ev = jab_session_next(e.s));)
        if (ev->message)
            jab_stanza_drop(jab_stanza_keep(ev->stanza));
    if (!jab_session_closed(e.s))
        jab_session_close(e.s, e.now);
    peer_collect(&e);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    size_t total = 0;
    for (size_t fail_at = 1; fail_at == 1 || fail_at <= total + 1; fail_at++) {
        unit_mem_init(&e.mem, fail_at);
        jab_config cfg = peer_config(&e);
        int err = peer_new(&e, &cfg);
        if (err < 0) {
            assert_int_equal(err, JAB_ENOMEM);
            assert_null(e.s);
        } else {
            ordinary_life();
            jab_session_free(e.s);
        }
        assert_int_equal(e.mem.live, 0);
        total = e.mem.calls > total ? e.mem.calls : total;
        assert_in_range(total, 1, 2000);
    }
}

static void a_steady_stream_of_messages_allocates_nothing(void **state)
{
    (void)state;
    peer_online(&e);
    size_t before = 0;
    for (int i = 0; i < 200; i++) {
        if (i == 100)
            before = e.mem.calls;
        peer_says(&e,
                  "<message from='romeo@example.net/o' id='m' type='chat'><body>hi &amp; ho</body>"
                  "<request xmlns='urn:xmpp:receipts'/></message>");
        assert_int_equal(jab_session_next(e.s)->type, JAB_EV_MESSAGE);
        jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
        jab_out_body(o, JAB_STR("hello"));
        assert_int_equal(jab_out_send(o, 0), 0);
        peer_clear(&e);
        assert_null(jab_session_next(e.s));
    }
    assert_int_equal(e.mem.calls, before);
    peer_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_arrives_as_an_event),
        cmocka_unit_test(a_nickname_that_precis_refuses_loses_no_message),
        cmocka_unit_test(unclaimed_requests_are_answered),
        cmocka_unit_test(replies_count_only_from_whom_was_asked),
        cmocka_unit_test(only_an_iq_answers_an_iq),
        cmocka_unit_test(refusals_and_silence_are_told_apart),
        cmocka_unit_test(open_requests_are_bounded),
        cmocka_unit_test(builder_errors_surface_once_at_the_end),
        cmocka_unit_test(nothing_is_sent_while_offline),
        cmocka_unit_test(a_slow_reader_stops_the_flow_and_loses_nothing),
        cmocka_unit_test(oversized_stanzas_end_the_stream),
        cmocka_unit_test(a_dripping_stanza_runs_into_its_deadline),
        cmocka_unit_test(an_idle_stream_is_kept_alive),
        cmocka_unit_test(closing_waits_for_the_server_but_not_long),
        cmocka_unit_test(a_session_can_connect_again),
        cmocka_unit_test(a_kept_stanza_outlives_the_session),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_steady_stream_of_messages_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
