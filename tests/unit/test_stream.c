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

/* Waits in the middle of a stanza, on a session that has no room for the rest
 * as the answers to two requests, which never came, are not pulled. */
static void full_within_a_stanza(void)
{
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.max_events = 2;
    cfg.request_timeout = 100;
    cfg.stanza_timeout = 1000;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    (void)count_events(0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(jab_out_send(jab_iq_to(e.s, JAB_STR("a@x.y"), JAB_IQ_GET), 0), 0);
    assert_int_equal(peer_says(&e, "<message from='r@x.y'><body>"), 28);
    jab_session_tick(e.s, e.now += 100);
    assert_int_equal(peer_says(&e, "rest</body></message>"), 0);
}

static void the_server_does_not_pay_for_a_slow_application(void **state)
{
    (void)state;
    full_within_a_stanza();
    jab_session_tick(e.s, e.now += 1000);
    jab_session_tick(e.s, e.now += 1000);
    assert_false(jab_session_closed(e.s));
    assert_true(jab_session_deadline(e.s) > e.now); /* nothing to do meanwhile */
    assert_int_equal(count_events(JAB_EV_IQ), 2);
    assert_int_equal(peer_says(&e, "re"), 2);
    jab_session_tick(e.s, e.now += 900);
    assert_int_equal(peer_says(&e, "st</body></message>"), 19);
    assert_int_equal(count_events(JAB_EV_MESSAGE), 1);
    peer_free(&e);
}

/* From then on its time runs again, whether it sends something or not. */
static void a_stanza_has_its_time_once_there_is_room(void **state)
{
    (void)state;
    for (int sends = 0; sends < 2; sends++) {
        full_within_a_stanza();
        jab_session_tick(e.s, e.now += 5000);
        assert_int_equal(count_events(JAB_EV_IQ), 2);
        if (sends)
            assert_int_equal(peer_says(&e, "re"), 2);
        jab_session_tick(e.s, e.now);
        assert_int_equal(jab_session_deadline(e.s), e.now + 1000);
        jab_session_tick(e.s, e.now += 1000);
        assert_int_equal(jab_session_error(e.s), JAB_ETIMEOUT);
        peer_free(&e);
    }
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

/* -- Channel binding (XEP-0440) ------------------------------------------------ */

#define CB(types)                                                                                  \
    "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>" types "</sasl-channel-binding>"
#define TYPE(name)   "<channel-binding type='" name "'/>"
#define MECHS(names) "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" names "</mechanisms>"
#define SCRAM        "<mechanism>SCRAM-SHA-256</mechanism>"
#define PLUS         "<mechanism>SCRAM-SHA-256-PLUS</mechanism>"

/* What the client's first message begins with ("p=", "y,", "n,"), "" if it
 * gave up. */
static const char *gs2_flag(const char *features, jab_str mechanisms, const jab_tls_info *tls)
{
    static char flag[3];
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.mechanisms = mechanisms;
    cfg.tls = JAB_TLS_REQUIRED;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, tls, e.now), 0);
    char text[2000];
    snprintf(text, sizeof text, PEER_HEADER "<stream:features>%s</stream:features>", features);
    ptrdiff_t fed = peer_says(&e, text);
    const char *auth = strstr(e.sent, "<auth");
    assert_int_equal(auth != NULL, fed >= 0);
    /* base64 of "p=", "y," and "n," */
    const char *data = auth ? strchr(auth, '>') + 1 : "";
    snprintf(flag, sizeof flag, "%s",
             !auth                          ? ""
             : strncmp(data, "cD", 2) == 0  ? "p="
             : strncmp(data, "eSw", 3) == 0 ? "y,"
             : strncmp(data, "biw", 3) == 0 ? "n,"
                                            : "??");
    peer_free(&e);
    return flag;
}

static void a_stripped_channel_binding_ends_the_log_in(void **state)
{
    (void)state;
    static const jab_tls_info tls = {
        .verified = 1, .version = 13, .exporter = {"eeeeeeee", 8}, .end_point = {"pppppppp", 8}};
    static const jab_tls_info bare = {.verified = 1, .version = 13};
    static const struct {
        const char *features, *mechanisms;
        const jab_tls_info *tls;
        const char *flag;
    } rows[] = {
        {MECHS(SCRAM PLUS) CB(TYPE("tls-exporter")), NULL, &tls, "p="},
        {MECHS(SCRAM PLUS) CB(TYPE("x") TYPE("tls-server-end-point")), NULL, &tls, "p="},
        /* Neither list came: the server is to notice if one of them was there. */
        {MECHS(SCRAM), NULL, &tls, "y,"},
        {MECHS(SCRAM) CB(""), NULL, &tls, "y,"},
        /* One of the two came. */
        {MECHS(SCRAM) CB(TYPE("tls-exporter")), NULL, &tls, ""},
        {MECHS(SCRAM) CB(TYPE("x")), NULL, &tls, ""},
        {MECHS(SCRAM PLUS), NULL, &tls, "n,"},
        /* No known type, and not even the one that all servers have. */
        {MECHS(SCRAM PLUS) CB(TYPE("x")), NULL, &tls, ""},
        {MECHS(SCRAM PLUS) CB(TYPE("tls-unique")), NULL, &tls, ""},
        /* The account goes without by its own word. */
        {MECHS(SCRAM PLUS) CB(TYPE("x")), "SCRAM-SHA-256", &tls, "n,"},
        {MECHS(SCRAM) CB(TYPE("x")), "SCRAM-SHA-256-PLUS SCRAM-SHA-256", &tls, ""},
        {MECHS(SCRAM) CB(TYPE("x")), " ", &tls, ""},
        {MECHS(SCRAM PLUS), "scram-sha-256-plus", &tls, "p="},
        /* This connection has no binding to give. */
        {MECHS(SCRAM PLUS) CB(TYPE("tls-exporter")), NULL, &bare, "n,"},
        {MECHS(SCRAM) CB(TYPE("x")), NULL, &bare, "n,"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(gs2_flag(rows[i].features, jab_cstr(rows[i].mechanisms), rows[i].tls),
                            rows[i].flag);
}

/* -- Limits --------------------------------------------------------------------- */

static void limits_without_limit_are_limits_that_hold(void **state)
{
    (void)state;
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.max_stanza_bytes = cfg.max_output_bytes = cfg.max_events = SIZE_MAX;
    cfg.login_timeout = cfg.request_timeout = cfg.keepalive = cfg.stanza_timeout = JAB_NEVER - 1;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    (void)count_events(0);
    static char text[600000];
    size_t n = (size_t)snprintf(text, sizeof text, "<message from='r@x.y'><body>");
    memset(text + n, 'a', 500000);
    snprintf(text + n + 500000, sizeof text - n - 500000, "</body></message>");
    assert_true(peer_says(&e, text) > 0);
    assert_int_equal(jab_session_next(e.s)->message->body.n, 500000);
    jab_out *o = jab_message_to(e.s, JAB_STR("r@x.y"), JAB_MSG_CHAT);
    text[n + 500000] = '\0';
    jab_out_body(o, jab_cstr(text + n));
    assert_int_equal(jab_out_send(o, 0), 0);
    o = jab_iq_to(e.s, JAB_STR("r@x.y"), JAB_IQ_GET);
    jab_out_child(o, "urn:test", "q");
    assert_int_equal(jab_out_send(o, 1), 0);
    jab_session_tick(e.s, e.now + 1000000);
    assert_int_equal(count_events(JAB_EV_IQ), 0);
    peer_free(&e);
}

static void times_before_now_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        unit_mem_init(&e.mem, 0);
        jab_config cfg = peer_config(&e);
        int64_t *const times[] = {&cfg.login_timeout, &cfg.request_timeout, &cfg.stanza_timeout,
                                  &cfg.keepalive, &cfg.connect_timeout};
        *times[i] = -1;
        assert_int_equal(peer_new(&e, &cfg), JAB_EINVAL);
        assert_int_equal(e.mem.live, 0);
    }
}

/* The elements of a stanza take more memory than its bytes: a few hundred of
 * the largest are more than a machine has. */
static void what_waits_to_be_pulled_is_bounded_in_bytes(void **state)
{
    (void)state;
    peer_online(&e);
    static char text[900000];
    size_t n = (size_t)snprintf(text, sizeof text, "<message from='r@x.y'><body>b</body>");
    while (n < sizeof text - 20)
        n += (size_t)snprintf(text + n, sizeof text - n, "<a/>");
    snprintf(text + n, sizeof text - n, "</message>");
    size_t taken = 0, total = strlen(text);
    while (taken < 40 && jab_session_feed(e.s, text, total, e.now) == (ptrdiff_t)total)
        taken++;
    assert_in_range(taken, 1, 5);
    assert_int_equal(jab_session_feed(e.s, text, total, e.now), 0);
    /* All that was taken is there, and reading goes on when it was pulled. */
    assert_int_equal(count_events(JAB_EV_MESSAGE), taken);
    assert_int_equal(jab_session_feed(e.s, text, total, e.now), total);
    assert_int_equal(count_events(JAB_EV_MESSAGE), 1);
    peer_free(&e);
}

/* -- Builders ------------------------------------------------------------------- */

static int bodies_seen;

static int watch_bodies(jab_ext_ctx *x, jab_out *o)
{
    (void)x;
    bodies_seen += jab_out_has_body(o);
    return 0;
}

static const jab_ext watcher = {
    .size = sizeof(jab_ext), .name = "watcher", .outgoing = watch_bodies};

/* However it was written, filters know of it. */
static void a_body_is_a_body_however_it_is_written(void **state)
{
    (void)state;
    static const jab_ext *const exts[] = {&watcher, NULL};
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.exts = exts;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    static const char *const raw[] = {"<body>b</body>", "<x xmlns='urn:x'><body>b</body></x>",
                                      "<body xmlns='urn:x'>b</body>"};
    static const int counts[] = {1, 0, 0};
    for (size_t i = 0; i < 3; i++) {
        bodies_seen = 0;
        jab_out *o = jab_message_to(e.s, JAB_STR("r@x.y"), JAB_MSG_CHAT);
        jab_out_raw(o, jab_cstr(raw[i]));
        assert_int_equal(jab_out_send(o, 0), 0);
        assert_int_equal(bodies_seen, counts[i]);
    }
    bodies_seen = 0;
    jab_out *o = jab_message_to(e.s, JAB_STR("r@x.y"), JAB_MSG_CHAT);
    jab_out_child(o, "jabber:client", "body");
    jab_out_text(o, JAB_STR("b"));
    assert_int_equal(jab_out_send(o, 0), 0);
    assert_int_equal(bodies_seen, 1);
    peer_free(&e);
}

static void an_address_is_given_once_and_first(void **state)
{
    (void)state;
    static char long_text[JAB_JID_MAX + 2] = "r@x.y/";
    memset(long_text + 6, 'a', sizeof long_text - 7);
    jab_jid romeo = jab_jid_view(JAB_STR("r@x.y/\xE2\x9D\xA4\xEF\xB8\x8F")),
            none = jab_jid_view((jab_str){NULL, 0});
    peer_online(&e);
    jab_out *o = jab_message_to(e.s, JAB_STR("r@x.y"), JAB_MSG_CHAT);
    jab_out_to(o, romeo);
    assert_int_equal(jab_out_send(o, 0), JAB_ESTATE);
    o = jab_presence_to(e.s, (jab_str){NULL, 0});
    jab_out_child(o, "urn:x", "x");
    jab_out_to(o, romeo);
    assert_int_equal(jab_out_send(o, 0), JAB_ESTATE);
    o = jab_message_to(e.s, (jab_str){NULL, 0}, JAB_MSG_CHAT);
    jab_out_to(o, none);
    assert_int_equal(jab_out_send(o, 0), JAB_EJID);
    o = jab_message_to(e.s, (jab_str){NULL, 0}, JAB_MSG_CHAT);
    jab_out_to(o, jab_jid_view(jab_cstr(long_text)));
    assert_int_equal(jab_out_send(o, 0), JAB_EJID);
    /* The answer to a request is known by that address. */
    o = jab_iq_to(e.s, (jab_str){NULL, 0}, JAB_IQ_GET);
    jab_out_to(o, romeo);
    jab_out_set_id(o, JAB_STR("q"));
    assert_int_equal(jab_out_send(o, 0), 0);
    peer_says(&e, "<iq type='result' id='q' from='r@x.y/o'/>");
    assert_null(jab_session_next(e.s));
    peer_says(&e, "<iq type='result' id='q' from='r@x.y/\xE2\x9D\xA4\xEF\xB8\x8F'/>");
    assert_int_equal(count_events(JAB_EV_IQ), 1);
    peer_free(&e);
}

static int presence_error;

static int send_odd_presence(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    (void)st;
    (void)el;
    jab_out *o = jab_ext_presence(x, JAB_STR("r@x.y"), JAB_STR("unsubscribed-for-ever"));
    presence_error = jab_out_send(o, 0);
    return JAB_PASS;
}

/* A type that is none must not become the presence without one. */
static void an_unknown_presence_type_is_not_available(void **state)
{
    (void)state;
    static const jab_route routes[] = {
        {JAB_STAGE_OBSERVE, JAB_MESSAGE, JAB_FROM_ANY, "urn:go", "go", send_odd_presence}};
    static const jab_ext odd = {.size = sizeof(jab_ext), .name = "odd", JAB_ROUTES(routes)};
    static const jab_ext *const exts[] = {&odd, NULL};
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.exts = exts;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    peer_says(&e, "<message from='r@x.y'><go xmlns='urn:go'/></message>");
    assert_int_equal(presence_error, JAB_EINVAL);
    assert_false(peer_sent(&e, "<presence"));
    peer_free(&e);
}

static int64_t ticks_then_fails(jab_ext_ctx *x, int64_t now)
{
    (void)now;
    jab_fault fault = {.code = JAB_EIO, .stage = JAB_AT_SESSION, .text = JAB_STR("no")};
    jab_session_fail(jab_ext_session(x), &fault, now);
    return JAB_NEVER;
}

static int64_t ticks_and_emits(jab_ext_ctx *x, int64_t now)
{
    (void)now;
    (void)jab_ext_emit(x, JAB_EV(9999, 1), 0);
    return JAB_NEVER;
}

static int wake_soon(jab_ext_ctx *x, int resumed)
{
    (void)resumed;
    jab_ext_wake(x, jab_ext_now(x) + 10);
    return 0;
}

static void nothing_comes_after_the_end(void **state)
{
    (void)state;
    static const jab_ext fails = {
        .size = sizeof(jab_ext), .name = "f", .online = wake_soon, .tick = ticks_then_fails};
    static const jab_ext emits = {
        .size = sizeof(jab_ext), .name = "g", .online = wake_soon, .tick = ticks_and_emits};
    static const jab_ext *const exts[] = {&fails, &emits, NULL};
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.exts = exts;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    (void)count_events(0);
    jab_session_tick(e.s, e.now + 10);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_OFFLINE);
    assert_null(jab_session_next(e.s));
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
        cmocka_unit_test(the_server_does_not_pay_for_a_slow_application),
        cmocka_unit_test(a_stanza_has_its_time_once_there_is_room),
        cmocka_unit_test(requests_with_odd_ids_and_senders_are_answered),
        cmocka_unit_test(events_outlive_the_stream_that_they_came_from),
        cmocka_unit_test(the_words_of_a_fault_are_utf8_however_long),
        cmocka_unit_test(a_stripped_channel_binding_ends_the_log_in),
        cmocka_unit_test(limits_without_limit_are_limits_that_hold),
        cmocka_unit_test(times_before_now_are_refused),
        cmocka_unit_test(what_waits_to_be_pulled_is_bounded_in_bytes),
        cmocka_unit_test(a_body_is_a_body_however_it_is_written),
        cmocka_unit_test(an_address_is_given_once_and_first),
        cmocka_unit_test(an_unknown_presence_type_is_not_available),
        cmocka_unit_test(nothing_comes_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
