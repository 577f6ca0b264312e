/* test_server.c: the model server's streams, log-in and stream management, in raw exchanges. */
#include "server_try.h"

static void logs_in(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    sim_server_defaults(&o);
    try_world_init(&w, &o);
    sim_conn *conn = sim_server_accept(w.server, 0);
    try_say(&w, conn, TRY_OPEN);
    try_has(&w, "<stream:stream xmlns='jabber:client'");
    try_lacks(&w, "<bind");
    try_say(&w, conn,
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFubmEAdHdv</auth>");
    try_has(&w, "<not-authorized/>");
    try_say(&w, conn,
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFubmEAb25l</auth>");
    assert_string_equal(w.said, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    try_say(&w, conn, TRY_OPEN);
    try_has(&w, "<sm xmlns='urn:xmpp:sm:3'>");
    try_has(&w, "<ver xmlns='urn:xmpp:features:rosterver'/>");
    try_has(&w, "<csi xmlns='urn:xmpp:csi:0'/>");
    try_say(&w, conn,
            "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    try_has(&w, "<iq type='result' id='b'>");
    try_has(&w, "<jid>anna@example.com/");
    try_say(&w, conn, "</stream:stream>");
    assert_string_equal(w.said, "</stream:stream>");
    assert_true(sim_conn_closed(conn));
    try_no_violations(&w);
    try_world_fini(&w);
}

/* Every byte alone: each answer comes with the last byte of what asks for it. */
static void takes_single_bytes(void **state)
{
    (void)state;
    static const char text[] =
        TRY_OPEN "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
                 "AGFubmEAb25l</auth>" TRY_OPEN
                 "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
    sim_server_options o;
    try_world w;
    sim_server_defaults(&o);
    try_world_init(&w, &o);
    sim_conn *conn = sim_server_accept(w.server, 0);
    for (size_t i = 0; i + 1 < sizeof text; i++)
        sim_conn_feed(conn, text + i, 1, 0);
    try_take(&w, conn);
    try_has(&w, "<iq type='result' id='b'>");
    const char *enable = "<enable xmlns='urn:xmpp:sm:3'/>";
    for (size_t i = 0; enable[i]; i++)
        sim_conn_feed(conn, enable + i, 1, 0);
    try_take(&w, conn);
    try_has(&w, "<enabled");
    try_no_violations(&w);
    try_world_fini(&w);
}

static void replaces_a_resource(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    sim_server_defaults(&o);
    try_world_init(&w, &o);
    sim_conn *old = try_bind(&w, "anna", "x");
    sim_conn *fresh = try_bind(&w, "anna", "x");
    try_take(&w, old);
    try_has(&w, "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>");
    assert_true(sim_conn_closed(old));
    assert_false(sim_conn_closed(fresh));
    assert_int_equal(sim_server_sessions(w.server, "anna@example.com", NULL), 1);
    try_world_fini(&w);
}

static void counts_and_answers(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    sim_server_defaults(&o);
    o.request_every = 2;
    try_world_init(&w, &o);
    sim_conn *conn = try_bind(&w, "anna", "x");
    try_say(&w, conn, "<enable xmlns='urn:xmpp:sm:3' resume='1'/>" TRY_SM("r"));
    try_has(&w, "<enabled xmlns='urn:xmpp:sm:3' resume='true' id='");
    try_has(&w, "<a xmlns='urn:xmpp:sm:3' h='0'/>");
    try_say(&w, conn,
            "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"
            "<active xmlns='urn:xmpp:csi:0'/>" TRY_SM("r") " \n");
    try_has(&w, "<iq type='result' to='anna@example.com/x' id='1'/>");
    try_has(&w, "<a xmlns='urn:xmpp:sm:3' h='1'/>");
    try_lacks(&w, "<r ");
    try_say(&w, conn, "<iq type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>");
    try_has(&w, "<r xmlns='urn:xmpp:sm:3'/>");
    try_say(&w, conn, "<a xmlns='urn:xmpp:sm:3' h='2'/>");
    assert_string_equal(w.said, "");
    try_no_violations(&w);
    try_say(&w, conn, "<a xmlns='urn:xmpp:sm:3' h='3'/>");
    try_has(&w, "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='3' send-count='2'/>");
    assert_true(sim_conn_closed(conn));
    try_one_violation(&w, "h is 3 when only 2 were sent");
    assert_int_equal(sim_server_sessions(w.server, "anna@example.com", NULL), 0);
    try_world_fini(&w);
}

/* A session resumes on another connection; what was not acknowledged comes again, in order. */
static void resumes(void **state)
{
    (void)state;
    char id[200], xml[400];
    sim_server_options o;
    try_world w;
    sim_server_defaults(&o);
    try_world_init(&w, &o);
    sim_conn *anna = try_bind(&w, "anna", "x");
    try_say(&w, anna, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    try_value(&w, " id='", id);
    try_say(&w, anna, "<presence/>"); /* one stanza back: the own presence */
    assert_int_equal(try_times(&w, "<presence"), 1);
    sim_server_inject(w.server, "eve@far.example/y",
                      "<message to='anna@example.com' type='chat' id='m1'><body>1</body></message>",
                      5);
    sim_conn_cut(anna, 10);
    sim_server_inject(w.server, "eve@far.example/y",
                      "<message to='anna@example.com' type='chat' id='m2'><body>2</body></message>",
                      20);
    size_t hibernating;
    assert_int_equal(sim_server_sessions(w.server, "anna@example.com", &hibernating), 0);
    assert_int_equal(hibernating, 1);
    assert_int_equal(sim_server_deadline(w.server), 300010);
    sim_conn *again = try_auth(&w, "anna");
    snprintf(xml, sizeof xml, "<resume xmlns='urn:xmpp:sm:3' h='1' previd='%s'/>", id);
    try_say(&w, again, xml);
    try_has(&w, "<resumed xmlns='urn:xmpp:sm:3' h='1' previd='");
    try_lacks(&w, "<presence");
    assert_non_null(strstr(w.said, "id='m1'"));
    assert_true(strstr(w.said, "id='m1'") < strstr(w.said, "id='m2'"));
    try_say(&w, again, "<a xmlns='urn:xmpp:sm:3' h='3'/>");
    assert_int_equal(w.acknowledged, 2);
    /* Half-open: the server still has this one when the next comes. */
    sim_conn *third = try_auth(&w, "anna");
    snprintf(xml, sizeof xml, "<resume xmlns='urn:xmpp:sm:3' h='3' previd='%s'/>", id);
    try_say(&w, third, xml);
    try_has(&w, "<resumed ");
    try_lacks(&w, "<message");
    assert_true(sim_conn_closed(again));
    try_no_violations(&w);
    try_world_fini(&w);
}

static void fails_to_resume(void **state)
{
    (void)state;
    char id[200], xml[400];
    sim_server_options o;
    try_world w;
    sim_server_defaults(&o);
    o.offline_and_archive = true;
    try_world_init(&w, &o);
    sim_conn *anna = try_bind(&w, "anna", "x");
    try_say(&w, anna, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    try_value(&w, " id='", id);
    try_say(&w, anna, "<presence/>");
    sim_conn_cut(anna, 10);
    sim_server_inject(w.server, "eve@far.example/y",
                      "<message to='anna@example.com' type='chat' id='m'><body>b</body></message>",
                      20);
    assert_int_equal(sim_server_offline_size(w.server, "anna@example.com"), 0);
    sim_server_tick(w.server, 300010);
    assert_int_equal(sim_server_offline_size(w.server, "anna@example.com"), 1);
    sim_conn *again = try_auth(&w, "anna");
    snprintf(xml, sizeof xml, "<resume xmlns='urn:xmpp:sm:3' h='1' previd='%s'/>", id);
    try_say(&w, again, xml);
    try_has(&w, "<failed xmlns='urn:xmpp:sm:3' h='1'><item-not-found");
    try_say(&w, again,
            "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
            "<presence/>");
    try_has(&w,
            "<delay xmlns='urn:xmpp:delay' from='example.com' stamp='2026-01-01T00:00:00.020Z'/>");
    assert_int_equal(sim_server_offline_size(w.server, "anna@example.com"), 0);
    try_no_violations(&w);
    try_world_fini(&w);
}

/* The counters pass 2^32 (XEP-0198 §4). */
static void wraps(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    sim_server_defaults(&o);
    o.sm_start = UINT32_MAX;
    try_world_init(&w, &o);
    sim_conn *conn = try_bind(&w, "anna", "x");
    try_say(&w, conn,
            "<enable xmlns='urn:xmpp:sm:3'/><iq type='get' id='1'><ping "
            "xmlns='urn:xmpp:ping'/></iq><iq type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>"
            "<r xmlns='urn:xmpp:sm:3'/>");
    try_has(&w, "<a xmlns='urn:xmpp:sm:3' h='1'/>");
    try_say(&w, conn, "<a xmlns='urn:xmpp:sm:3' h='4294967295'/>");
    try_say(&w, conn, "<a xmlns='urn:xmpp:sm:3' h='1'/>");
    try_no_violations(&w);
    try_say(&w, conn, "<a xmlns='urn:xmpp:sm:3' h='0'/>");
    try_one_violation(&w, "h went back from 1 to 0");
    try_world_fini(&w);
}

static void answers_late(void **state)
{
    (void)state;
    sim_server_options o;
    try_world w;
    sim_server_defaults(&o);
    o.ack_delay_ms = 100;
    o.request_idle_ms = 30;
    try_world_init(&w, &o);
    sim_conn *conn = try_bind(&w, "anna", "x");
    try_say(&w, conn, "<enable xmlns='urn:xmpp:sm:3'/>" TRY_SM("r") TRY_SM("r"));
    try_lacks(&w, "<a ");
    assert_int_equal(sim_server_deadline(w.server), 100);
    w.now = 50;
    try_say(&w, conn, "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert_int_equal(sim_server_deadline(w.server), 80);
    sim_server_tick(w.server, 80);
    assert_string_equal(try_take(&w, conn), "<r xmlns='urn:xmpp:sm:3'/>");
    sim_server_tick(w.server, 100);
    try_take(&w, conn);
    assert_int_equal(try_times(&w, "<a xmlns='urn:xmpp:sm:3' h='1'/>"), 2);
    assert_true(sim_server_deadline(w.server) == SIM_NEVER);
    try_no_violations(&w);
    try_world_fini(&w);
}

/* What a restart leaves: sessions or none; archives and offline messages always. */
static void restarts(void **state)
{
    (void)state;
    static const size_t hibernating_after[] = {1, 0, 0};
    static const size_t offline_after[] = {0, 1, 0};
    for (int how = SIM_RESTART_KEEP; how <= SIM_RESTART_CRASH; how++) {
        sim_server_options o;
        try_world w;
        size_t hibernating;
        sim_server_defaults(&o);
        o.offline_and_archive = true;
        try_world_init(&w, &o);
        sim_conn *anna = try_join(&w, "anna", "x");
        const sim_message *m = sim_server_inject(
            w.server, "eve@far.example/y",
            "<message to='anna@example.com' type='chat' id='m'><body>b</body></message>", 20);
        sim_server_restart(w.server, (sim_restart)how, 30);
        assert_true(sim_conn_closed(anna));
        assert_int_equal(sim_server_sessions(w.server, "anna@example.com", &hibernating), 0);
        assert_int_equal(hibernating, hibernating_after[how]);
        assert_int_equal(sim_server_offline_size(w.server, "anna@example.com"), offline_after[how]);
        assert_int_equal(sim_server_archive_size(w.server, "anna@example.com"), 1);
        assert_int_equal(m->lost, how == SIM_RESTART_CRASH);
        try_world_fini(&w);
    }
}

static const struct {
    const char *xml, *words, *answer;
} breaches[] = {
    {"<message><body>x</body></message>", "before a resource is bound", "not-authorized"},
    {"<enable xmlns='urn:xmpp:sm:3'/>", "before a resource is bound", "unexpected-request"},
    {"<r xmlns='urn:xmpp:sm:3'/>", "without stream management", ""},
    {"<a xmlns='urn:xmpp:sm:3' h='0'/>", "without stream management", ""},
    {"<resume xmlns='urn:xmpp:sm:3' h='0'/>", "without what it needs", "unexpected-request"},
    {"<other/>", "in the stream", "unsupported-stanza-type"},
    {"<message></presence>", "not well-formed", "not-well-formed"},
    {"<!-- no -->", "a comment", "restricted-xml"},
    {"word", "text between stanzas", "restricted-xml"},
    {"<inactive xmlns='urn:xmpp:csi:0'/>", "client state", ""},
};

static void notes_breaches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof breaches / sizeof *breaches; i++) {
        sim_server_options o;
        try_world w;
        sim_server_defaults(&o);
        try_world_init(&w, &o);
        sim_conn *conn = try_auth(&w, "anna");
        try_say(&w, conn, breaches[i].xml);
        try_has(&w, breaches[i].answer);
        try_one_violation(&w, breaches[i].words);
        try_world_fini(&w);
    }
}

static const struct {
    const char *xml, *words;
} bound_breaches[] = {
    {"<enable xmlns='urn:xmpp:sm:3'/>", "a second time"},
    {"<resume xmlns='urn:xmpp:sm:3' h='0' previd='x'/>", "on a bound stream"},
    {"<message from='bert@example.com/x'/>", "a stanza from"},
    {"<message type='odd'/>", "of type 'odd'"},
    {"<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>", "without an id"},
    {"<iq type='get' id='a'/>", "without a payload"},
    {"<iq type='get' id='a'><ping xmlns='urn:xmpp:ping'/></iq>"
     "<iq type='get' id='a'><ping xmlns='urn:xmpp:ping'/></iq>",
     "used twice"},
    {"<message id='a' to='bert@example.com'><body>1</body></message>"
     "<message id='a' to='bert@example.com'><body>2</body></message>",
     "used for two messages"},
    {"<message id='a' to='bert@example.com'><body>1</body></message>"
     "<message id='a' to='bert@example.com'><body>1</body></message>",
     "sent twice in one session"},
    {"<presence><priority>200</priority></presence>", "a priority of 200"},
};

static void notes_breaches_when_bound(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bound_breaches / sizeof *bound_breaches; i++) {
        sim_server_options o;
        try_world w;
        sim_server_defaults(&o);
        try_world_init(&w, &o);
        sim_conn *conn = try_join(&w, "anna", "x");
        try_no_violations(&w);
        try_say(&w, conn, bound_breaches[i].xml);
        if (sim_server_violations(w.server) == 0)
            fail_msg("not noted: %s", bound_breaches[i].xml);
        if (!strstr(sim_server_violation(w.server, 0)->words, bound_breaches[i].words))
            fail_msg("noted as: %s", sim_server_violation(w.server, 0)->words);
        try_world_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_in),
        cmocka_unit_test(takes_single_bytes),
        cmocka_unit_test(replaces_a_resource),
        cmocka_unit_test(counts_and_answers),
        cmocka_unit_test(resumes),
        cmocka_unit_test(fails_to_resume),
        cmocka_unit_test(wraps),
        cmocka_unit_test(answers_late),
        cmocka_unit_test(restarts),
        cmocka_unit_test(notes_breaches),
        cmocka_unit_test(notes_breaches_when_bound),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
