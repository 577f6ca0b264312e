/* test_login.c: the way to an online session, and who may not lead it elsewhere. */
#include "peer.h"

static peer e;

static void logs_in_and_says_so_once(void **state)
{
    (void)state;
    jab_config cfg;
    peer_fresh(&e, &cfg);
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    const jab_event *ev = jab_session_next(e.s);
    assert_non_null(ev);
    assert_int_equal(ev->type, JAB_EV_ONLINE);
    assert_str(ev->jid->full, "juliet@example.org/balcony");
    assert_null(jab_session_next(e.s));
    assert_str(jab_session_login(e.s).mechanism, "PLAIN");
    peer_free(&e);
}

static void header_names_the_domain_but_not_the_account_in_the_clear(void **state)
{
    (void)state;
    jab_config cfg;
    peer_fresh(&e, &cfg);
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, NULL, e.now), 0);
    assert_true(peer_sent(&e, "to='example.org'"));
    assert_false(peer_sent(&e, "juliet"));
    peer_free(&e);
}

static void no_secret_leaves_without_verified_tls(void **state)
{
    (void)state;
    jab_config cfg;
    peer_fresh(&e, &cfg);
    cfg.tls = JAB_TLS_REQUIRED;
    assert_int_equal(peer_new(&e, &cfg), 0);
    const jab_tls_info unverified = {.verified = 0, .version = 13};
    assert_int_equal(jab_session_connected(e.s, &unverified, e.now), 0);
    assert_int_equal(peer_says(&e, PEER_HEADER PEER_PLAIN), JAB_ENOTLS);
    assert_false(peer_sent(&e, "<auth"));
    peer_free(&e);
}

static void stripped_starttls_ends_the_log_in(void **state)
{
    (void)state;
    jab_config cfg;
    peer_fresh(&e, &cfg);
    cfg.tls = JAB_TLS_REQUIRED;
    peer_start(&e, &cfg);
    assert_int_equal(peer_says(&e, PEER_HEADER PEER_PLAIN), JAB_ENOTLS);
    assert_false(peer_sent(&e, "<auth"));
    const jab_event *ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_OFFLINE);
    assert_int_equal(ev->fault->code, JAB_ENOTLS);
    assert_int_equal(ev->fault->stage, JAB_AT_TLS);
    peer_free(&e);
}

static void starttls_stops_reading_until_secured(void **state)
{
    (void)state;
    jab_config cfg;
    peer_fresh(&e, &cfg);
    cfg.tls = JAB_TLS_REQUIRED;
    peer_start(&e, &cfg);
    peer_says(&e, PEER_HEADER "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                              "</stream:features>");
    assert_true(peer_sent(&e, "<starttls"));
    const char *both = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><stream:features/>";
    ptrdiff_t taken = peer_says(&e, both);
    assert_int_equal(taken, strchr(both, '>') + 1 - both);
    assert_true(jab_session_wants_tls(e.s));
    peer_clear(&e);
    const jab_tls_info tls = {.verified = 1, .version = 13};
    assert_int_equal(jab_session_secured(e.s, &tls, e.now), 0);
    assert_true(peer_sent(&e, "from='juliet@example.org'"));
    peer_says(&e, PEER_HEADER PEER_PLAIN);
    assert_true(peer_sent(&e, "<auth"));
    peer_free(&e);
}

/* RFC 5802 §6: without a list of bindings tls-unique is the default below TLS 1.3,
 * also where the account names the mechanism; RFC 9266 §3 rules it out on 1.3. */
static void the_default_binding_fits_the_version_of_tls(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *binding;
    } rows[] = {{12, "tls-unique"}, {13, "tls-exporter"}};
    for (size_t i = 0; i < 2; i++) {
        jab_config cfg;
        peer_fresh(&e, &cfg);
        cfg.mechanisms = JAB_STR("SCRAM-SHA-256-PLUS");
        cfg.tls = JAB_TLS_DIRECT;
        const jab_tls_info tls = {.verified = 1,
                                  .version = rows[i].version,
                                  .exporter = JAB_STR("eeeeeeee"),
                                  .unique = JAB_STR("uuuuuuuu")};
        assert_int_equal(peer_new(&e, &cfg), 0);
        assert_int_equal(jab_session_connected(e.s, &tls, e.now), 0);
        peer_says(&e, PEER_HEADER
                  "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                  "<mechanism>SCRAM-SHA-256-PLUS</mechanism></mechanisms></stream:features>");
        assert_str(jab_session_login(e.s).channel_binding, rows[i].binding);
        peer_free(&e);
    }
}

/* Each row: what the server says at once after connecting, and the outcome. */
static void elements_out_of_order_end_the_stream(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        PEER_HEADER PEER_SUCCESS,
        PEER_HEADER "<message from='x@y'><body>hi</body></message>",
        PEER_HEADER PEER_BIND,
        PEER_HEADER PEER_PLAIN PEER_PLAIN,
        PEER_HEADER PEER_PLAIN "<iq type='result' id='1'/>",
        PEER_HEADER "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        "from='example.org'>",
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        "from='evil.example' version='1.0'>",
        "<html>",
        PEER_HEADER "<!-- comment -->",
        "HTTP/1.1 400 Bad Request\r\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        jab_config cfg;
        peer_fresh(&e, &cfg);
        peer_start(&e, &cfg);
        assert_true(peer_says(&e, wrong[i]) < 0);
        assert_true(jab_session_closed(e.s));
        assert_true(peer_sent(&e, "</stream:stream>"));
        const jab_event *ev = jab_session_next(e.s);
        assert_int_equal(ev->type, JAB_EV_OFFLINE);
        assert_true(ev->fault->code < 0);
        assert_true(ev->fault->text.n > 0);
        assert_null(jab_session_next(e.s));
        peer_free(&e);
    }
}

static void another_account_is_not_bound(void **state)
{
    (void)state;
    jab_config cfg;
    peer_fresh(&e, &cfg);
    peer_start(&e, &cfg);
    peer_says(&e, PEER_HEADER PEER_PLAIN);
    peer_says(&e, PEER_SUCCESS);
    peer_clear(&e);
    peer_says(&e, PEER_HEADER PEER_BIND);
    const char *at = strstr(e.sent, "id=") + 4;
    char reply[400];
    snprintf(reply, sizeof reply,
             "<iq type='result' id='%.32s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
             "<jid>romeo@example.org/x</jid></bind></iq>",
             at);
    assert_int_equal(peer_says(&e, reply), JAB_EPROTO);
    peer_free(&e);
}

static void wrong_password_is_told_apart(void **state)
{
    (void)state;
    jab_config cfg;
    peer_fresh(&e, &cfg);
    peer_start(&e, &cfg);
    peer_says(&e, PEER_HEADER PEER_PLAIN);
    assert_int_equal(peer_says(&e, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                                   "<not-authorized/></failure>"),
                     JAB_EAUTH);
    assert_str(jab_session_fault(e.s)->condition, "not-authorized");
    assert_int_equal(jab_session_fault(e.s)->stage, JAB_AT_SASL);
    peer_free(&e);
}

static void see_other_host_is_handed_to_the_driver(void **state)
{
    (void)state;
    jab_config cfg;
    peer_fresh(&e, &cfg);
    peer_start(&e, &cfg);
    assert_int_equal(
        peer_says(&e, PEER_HEADER
                  "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>"
                  "[2001:db8::1]:9999</see-other-host></stream:error>"),
        JAB_EREDIRECT);
    assert_str(jab_session_redirect(e.s), "[2001:db8::1]:9999");
    peer_free(&e);
}

static void the_log_in_has_a_deadline(void **state)
{
    (void)state;
    jab_config cfg;
    peer_fresh(&e, &cfg);
    peer_start(&e, &cfg);
    assert_int_equal(jab_session_deadline(e.s), 61000);
    jab_session_tick(e.s, 60999);
    assert_false(jab_session_closed(e.s));
    jab_session_tick(e.s, 61000);
    assert_int_equal(jab_session_error(e.s), JAB_ETIMEOUT);
    peer_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_in_and_says_so_once),
        cmocka_unit_test(header_names_the_domain_but_not_the_account_in_the_clear),
        cmocka_unit_test(no_secret_leaves_without_verified_tls),
        cmocka_unit_test(stripped_starttls_ends_the_log_in),
        cmocka_unit_test(starttls_stops_reading_until_secured),
        cmocka_unit_test(the_default_binding_fits_the_version_of_tls),
        cmocka_unit_test(elements_out_of_order_end_the_stream),
        cmocka_unit_test(another_account_is_not_bound),
        cmocka_unit_test(wrong_password_is_told_apart),
        cmocka_unit_test(see_other_host_is_handed_to_the_driver),
        cmocka_unit_test(the_log_in_has_a_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
