/* test_net_client.c: a whole client against scripted servers: TLS, its
 * refusals, other targets, redirection, reconnection, time. */
#include "unit.h"

#include "base/hash.h"
#include "net/conn.h"
#include "net_client.h"
#include "net_dns.h"
#include <poll.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SCRIPT(...)  ((net_script)(const char *const[]){__VA_ARGS__, NULL})

static net_cert good;
static net_server sv;

static net_fault last;

static int zeros(void *arg, void *p, size_t n)
{
    (void)arg;
    memset(p, 0, n);
    return 0;
}

static jab_config config(void)
{
    return net_config(sv.port, good.file);
}

static int await(jab_client *c, uint32_t type)
{
    return net_await(c, type, &last);
}

/* A client that comes to its end: returns the error of its last wait. */
static int attempt(const jab_config *cfg)
{
    jab_client *c;
    const jab_event *ev;
    assert_int_equal(jab_client_new(&c, cfg), 0);
    assert_true(await(c, JAB_EV_OFFLINE));
    int err = jab_client_wait(c, &ev, 1000);
    assert_null(ev);
    assert_true(jab_client_over(c));
    jab_client_free(c);
    return err;
}

static int set_up(void **state)
{
    (void)state;
    good = net_cert_make("DNS:example.org", "x", -60, 3600, EVP_sha256());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    net_cert_free(&good);
    return 0;
}

/* -- TLS ----------------------------------------------------------------------- */

static void direct_tls_asks_for_the_domain_by_name(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "C:</stream:stream>", "S:</stream:stream>", "END");
    jab_config cfg = config();
    jab_client *c;
    const jab_event *ev;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_true(await(c, JAB_EV_ONLINE));
    char address[40];
    snprintf(address, sizeof address, "127.0.0.1:%d", sv.port);
    assert_str(jab_client_connection(c).address, address);
    assert_int_equal(jab_client_connection(c).direct_tls, 1);
    assert_int_equal(jab_client_stage(c), JAB_AT_SESSION);
    assert_int_equal(jab_session_login(jab_client_session(c)).tls_version, 13);
    jab_client_close(c);
    assert_true(await(c, JAB_EV_OFFLINE));
    assert_int_equal(last.code, 0);
    assert_int_equal(jab_client_wait(c, &ev, 1000), 0);
    assert_true(jab_client_over(c));
    jab_client_free(c);
    net_server_stop(&sv);
    assert_string_equal(sv.sni, "example.org");
    assert_string_equal(sv.alpn, "xmpp-client");
}

static void bad_certificates_are_refused_before_a_byte_is_sent(void **state)
{
    (void)state;
    static const struct {
        const char *names;
        long from, to;
        int trusted;
        const char *pin, *words;
    } rows[] = {
        {"DNS:example.org", -7200, -3600, 1, NULL, "expired on "},
        {"DNS:example.org", 86400, 172800, 1, NULL, "is not valid before "},
        {"DNS:other.example", -60, 3600, 1, NULL,
         "certificate is for other.example, not for example.org"},
        {NULL, -60, 3600, 1, NULL, "names no domain"},
        {"DNS:example.org", -60, 3600, 0, NULL,
         "certificate for example.org is not trusted: self-signed certificate (--ca-file"},
        {"DNS:example.org", -60, 3600, 1,
         "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "another public key"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        net_cert bad =
            net_cert_make(rows[i].names, "example.org", rows[i].from, rows[i].to, EVP_sha256());
        net_server_start(&sv, &bad, TLS1_3_VERSION);
        sv.scripts[0] = SCRIPT("TLS", "WAIT");
        jab_config cfg = config();
        cfg.ca_file = jab_cstr(rows[i].trusted ? bad.file : good.file);
        cfg.pin_sha256 = jab_cstr(rows[i].pin);
        assert_int_equal(attempt(&cfg), JAB_ECERT);
        assert_int_equal(last.stage, JAB_AT_TLS);
        if (!strstr(last.text, rows[i].words))
            fail_msg("\"%s\" does not say \"%s\"", last.text, rows[i].words);
        net_server_stop(&sv);
        assert_int_equal(sv.n_got, 0);
        net_cert_free(&bad);
    }
}

static void the_right_pin_is_accepted(void **state)
{
    (void)state;
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(good.cert), &der);
    jab_str part = {(const char *)der, (size_t)n};
    uint8_t digest[JABI_HASH_MAX];
    char hex[65];
    assert_int_equal(jabi_hash_parts(JABI_SHA256, &part, 1, digest), 0);
    jabi_hex(digest, 32, hex);
    OPENSSL_free(der);
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = config();
    cfg.pin_sha256 = jab_cstr(hex);
    jab_client *c;
    int64_t began = jabi_now();
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_true(await(c, JAB_EV_ONLINE));
    assert_in_range(jabi_now() - began, 0, 800); /* no wait after the event came */
    jab_client_free(c);
    cfg.pin_sha256 = JAB_STR("nonsense");
    assert_int_equal(jab_client_new(&c, &cfg), JAB_EINVAL);
    cfg.pin_sha256 = (jab_str){NULL, 0};
    cfg.ca_file = JAB_STR("/nonexistent/ca.pem");
    assert_int_equal(jab_client_new(&c, &cfg), JAB_ETLS);
    assert_null(c);
    net_server_stop(&sv);
}

static void old_tls_is_refused(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_1_VERSION);
    sv.scripts[0] = SCRIPT("TLS", "WAIT");
    jab_config cfg = config();
    assert_int_equal(attempt(&cfg), JAB_ETLS);
    net_server_stop(&sv);
}

/* RFC 6120 §5.4.3.3: what follows <proceed/> in the clear is an attacker's. */
static void bytes_injected_before_the_handshake_are_thrown_away(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_2_VERSION);
    sv.scripts[0] = SCRIPT("C:<stream:stream",
                           "S:" PEER_HEADER "<stream:features><starttls "
                           "xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
                           "C:<starttls",
                           "S:<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" PEER_HEADER
                           "<stream:error><conflict "
                           "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
                           "TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = config();
    cfg.tls = JAB_TLS_REQUIRED;
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_true(await(c, JAB_EV_ONLINE));
    assert_int_equal(jab_session_login(jab_client_session(c)).tls_version, 12);
    jab_client_free(c);
    net_server_stop(&sv);
    assert_string_equal(sv.sni, "example.org");
    assert_string_equal(sv.alpn, ""); /* only direct TLS has ALPN */
}

static void a_cut_is_told_from_a_good_bye(void **state)
{
    (void)state;
    const struct {
        net_script script;
        const char *words;
    } rows[] = {{SCRIPT("TLS", SERVER_LOGIN), "cut"},
                {SCRIPT("TLS", SERVER_LOGIN, "END"), "closed"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        net_server_start(&sv, &good, TLS1_3_VERSION);
        sv.scripts[0] = rows[i].script;
        jab_config cfg = config();
        jab_client *c;
        assert_int_equal(jab_client_new(&c, &cfg), 0);
        assert_true(await(c, JAB_EV_ONLINE));
        assert_true(await(c, JAB_EV_OFFLINE));
        assert_int_equal(last.code, JAB_EEOF);
        assert_non_null(strstr(last.text, rows[i].words));
        jab_client_free(c);
        net_server_stop(&sv);
    }
}

static void a_certificate_is_shown_to_a_server_that_asks(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.ask_cert = 1;
    sv.scripts[0] = SCRIPT("TLS", "C:<stream:stream",
                           "S:" PEER_HEADER
                           "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                           "<mechanism>EXTERNAL</mechanism></mechanisms></stream:features>",
                           "C:mechanism='EXTERNAL'", "S:" PEER_SUCCESS, "C:<stream:stream",
                           "S:" PEER_HEADER PEER_BIND, "BIND", "WAIT");
    jab_config cfg = config();
    cfg.mechanisms = cfg.password = (jab_str){NULL, 0};
    cfg.client_cert = jab_cstr(good.file);
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_true(await(c, JAB_EV_ONLINE));
    assert_int_equal(sv.client_cert, 1);
    jab_client_free(c);
    cfg.client_key = JAB_STR("/nonexistent/key.pem");
    assert_int_equal(jab_client_new(&c, &cfg), JAB_ETLS);
    net_server_stop(&sv);
}

/* -- Back-pressure ---------------------------------------------------------------- */

/* A program that does not pull makes the server wait, and costs no memory. */
static void reading_stops_until_events_are_pulled(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "FLOOD", "WAIT");
    jab_config cfg = config();
    cfg.max_events = 16;
    jab_client *c;
    const jab_event *ev;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_true(await(c, JAB_EV_ONLINE));
    for (int i = 0; i < 5000 && c->session->events.n < 16; i++) { /* the server is a thread */
        poll(NULL, 0, 1);
        assert_int_equal(jab_client_process(c), 0);
    }
    for (int i = 0; i < 200; i++)
        assert_int_equal(jab_client_process(c), 0);
    assert_in_range(c->session->events.n, 16, 24);
    int n = 0;
    while (n < NET_FLOOD && jab_client_wait(c, &ev, 2000) > 0) {
        if (ev->type != JAB_EV_MESSAGE)
            continue;
        char number[16];
        snprintf(number, sizeof number, "%d", n++);
        assert_str(ev->message->body, number);
    }
    assert_int_equal(n, NET_FLOOD);
    jab_client_free(c);
    net_server_stop(&sv);
}

/* -- Targets ------------------------------------------------------------------- */

static void a_refused_connection_names_the_address(void **state)
{
    (void)state;
    net_server_start(&sv, NULL, 0);
    net_server_stop(&sv); /* nobody listens there now */
    jab_config cfg = config();
    assert_int_equal(attempt(&cfg), JAB_ECONNECT);
    assert_int_equal(last.stage, JAB_AT_TCP);
    char words[128];
    snprintf(words, sizeof words,
             "could not connect to example.org: 127.0.0.1:%d connection refused", sv.port);
    assert_string_equal(last.text, words);
}

/* Two targets by SRV: the first at `first`, the second at `sv`. */
static int attempt_at_two(const net_server *first, jab_client **c)
{
    const net_record zone[] = {
        {"_xmpps-client._tcp.example.org", DNS_SRV, "a.example.org", 1, 0, first->port},
        {"_xmpps-client._tcp.example.org", DNS_SRV, "b.example.org", 2, 0, sv.port},
        {"a.example.org", DNS_A, "127.0.0.1", 0, 0, 0},
        {"b.example.org", DNS_A, "127.0.0.1", 0, 0, 0}};
    net_dns dns;
    net_dns_start(&dns, zone, COUNT(zone), 0);
    jab_config cfg = config();
    cfg.host = (jab_str){NULL, 0};
    cfg.port = 0;
    cfg.nameserver = jab_cstr(dns.address);
    assert_int_equal(jab_client_new(c, &cfg), 0);
    int online = await(*c, JAB_EV_ONLINE);
    net_dns_stop(&dns);
    return online;
}

static void the_next_target_helps_when_tls_fails_on_the_first(void **state)
{
    (void)state;
    net_server wrong;
    net_cert other = net_cert_make("DNS:a.example.org", "x", -60, 3600, EVP_sha256());
    net_server_start(&wrong, &other, TLS1_3_VERSION);
    wrong.scripts[0] = SCRIPT("TLS", "WAIT");
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_client *c;
    assert_true(attempt_at_two(&wrong, &c));
    assert_str(jab_client_connection(c).target, "b.example.org");
    jab_client_free(c);
    net_server_stop(&sv);
    net_server_stop(&wrong);
    assert_int_equal(wrong.n_got, 0);
    net_cert_free(&other);
}

/* A certificate's fault says more than a refused connection. */
static void the_most_telling_fault_is_reported(void **state)
{
    (void)state;
    net_server wrong;
    net_cert other = net_cert_make("DNS:a.example.org", "x", -60, 3600, EVP_sha256());
    net_server_start(&wrong, &other, TLS1_3_VERSION);
    wrong.scripts[0] = SCRIPT("TLS", "WAIT");
    net_server_start(&sv, NULL, 0);
    net_server_stop(&sv);
    jab_client *c;
    assert_false(attempt_at_two(&wrong, &c));
    assert_int_equal(last.code, JAB_ECERT);
    jab_client_free(c);
    net_server_stop(&wrong);
    net_cert_free(&other);
}

/* -- Redirection ----------------------------------------------------------------- */

#define REDIRECT                                                                                   \
    "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:%d"       \
    "</see-other-host></stream:error></stream:stream>"

static void redirection_is_followed_over_verified_tls_only(void **state)
{
    (void)state;
    for (int tls = 0; tls < 2; tls++) {
        net_server aim;
        net_server_start(&aim, &good, TLS1_3_VERSION);
        net_server_start(&sv, &good, TLS1_3_VERSION);
        char says[300];
        snprintf(says, sizeof says, "S:" PEER_HEADER REDIRECT, aim.port);
        sv.scripts[0] = tls ? SCRIPT("TLS", "C:<stream:stream", says, "WAIT")
                            : SCRIPT("C:<stream:stream", says, "WAIT");
        aim.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
        jab_config cfg = config();
        cfg.tls = tls ? JAB_TLS_DIRECT : JAB_TLS_OFF;
        jab_client *c;
        assert_int_equal(jab_client_new(&c, &cfg), 0);
        assert_int_equal(await(c, JAB_EV_ONLINE), tls);
        if (!tls)
            assert_int_equal(last.code, JAB_EREDIRECT);
        jab_client_free(c);
        net_server_stop(&sv);
        net_server_stop(&aim);
        assert_int_equal(aim.connections, tls);
    }
}

static void redirection_in_circles_comes_to_an_end(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    char says[300];
    snprintf(says, sizeof says, "S:" PEER_HEADER REDIRECT, sv.port);
    net_script script = SCRIPT("TLS", "C:<stream:stream", says, "WAIT");
    for (int i = 0; i < 8; i++)
        sv.scripts[i] = script;
    jab_config cfg = config();
    assert_int_equal(attempt(&cfg), JAB_EREDIRECT);
    net_server_stop(&sv);
    assert_int_equal(sv.connections, 4);
}

/* -- Time ---------------------------------------------------------------------- */

static void a_lost_connection_is_made_again(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN);
    sv.scripts[1] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = config();
    cfg.no_reconnect = 0;
    cfg.random = zeros; /* the delay is random, from 0 */
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_true(await(c, JAB_EV_ONLINE));
    assert_true(await(c, JAB_EV_OFFLINE));
    assert_true(await(c, JAB_EV_ONLINE));
    jab_client_free(c);
    net_server_stop(&sv);
    assert_int_equal(sv.connections, 2);
}

static void a_refused_password_is_not_tried_again(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", "C:<stream:stream", "S:" PEER_HEADER PEER_PLAIN, "C:</auth>",
                           "S:<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                           "<not-authorized/></failure>",
                           "WAIT");
    jab_config cfg = config();
    cfg.no_reconnect = 0;
    assert_int_equal(attempt(&cfg), JAB_EAUTH);
    net_server_stop(&sv);
    assert_int_equal(sv.connections, 1);
}

/* The descriptor alone wakes a program that polls, deadlines included. */
static void silence_ends_at_the_deadline_and_the_descriptor_says_so(void **state)
{
    (void)state;
    static const jab_tls_policy policies[] = {JAB_TLS_DIRECT, JAB_TLS_REQUIRED};
    for (size_t i = 0; i < COUNT(policies); i++) {
        net_server_start(&sv, &good, TLS1_3_VERSION);
        sv.scripts[0] = SCRIPT("WAIT");
        jab_config cfg = config();
        cfg.tls = policies[i];
        cfg.connect_timeout = 200;
        jab_client *c;
        const jab_event *ev = NULL;
        assert_int_equal(jab_client_new(&c, &cfg), 0);
        struct pollfd p = {jab_client_fd(c), POLLIN, 0};
        int64_t began = jabi_now();
        int turns = 0;
        while (!ev && jabi_now() - began < 3000) {
            assert_in_range(jab_client_timeout(c), 0, 201);
            poll(&p, 1, 3000);
            (void)!jab_client_process(c);
            ev = jab_client_next(c);
            turns++;
        }
        assert_non_null(ev);
        assert_int_equal(ev->type, JAB_EV_OFFLINE);
        assert_int_equal(ev->fault->code, JAB_ETIMEOUT);
        assert_in_range(jabi_now() - began, 190, 1000);
        assert_in_range(turns, 1, 30); /* it slept in between */
        jab_client_free(c);
        net_server_stop(&sv);
    }
}

static void a_silent_name_server_is_a_time_out(void **state)
{
    (void)state;
    net_dns dns;
    net_dns_start(&dns, NULL, 0, 0);
    jab_config cfg = config();
    cfg.host = (jab_str){NULL, 0};
    cfg.nameserver = jab_cstr(dns.address);
    cfg.connect_timeout = 200;
    assert_int_equal(attempt(&cfg), JAB_ETIMEOUT);
    assert_int_equal(last.stage, JAB_AT_DNS);
    assert_int_equal(jab_err_exit(last.code), 7);
    net_dns_stop(&dns);
}

static void closing_while_connecting_is_an_end_without_a_fault(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("WAIT");
    jab_config cfg = config();
    cfg.no_reconnect = 0;
    jab_client *c;
    const jab_event *ev;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_int_equal(jab_client_wait(c, &ev, 50), 0);
    jab_client_close(c);
    assert_true(await(c, JAB_EV_OFFLINE));
    assert_int_equal(last.code, 0);
    assert_int_equal(jab_client_wait(c, &ev, 1000), 0);
    assert_true(jab_client_over(c));
    jab_client_free(c);
    net_server_stop(&sv);
}

/* -- Many, and little memory ------------------------------------------------------ */

static void clients_share_a_loop(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    jab_loop *loop;
    jab_client *c[4];
    assert_int_equal(jab_loop_new(&loop, NULL), 0);
    jab_config cfg = config();
    net_script script = SCRIPT("TLS", SERVER_LOGIN, "END");
    for (int i = 0; i < 4; i++) {
        sv.scripts[i] = script;
        assert_int_equal(jab_client_new_in(&c[i], &cfg, loop), 0);
        assert_int_equal(jab_client_fd(c[i]), jab_loop_fd(loop));
    }
    int online = 0, over = 0;
    int64_t until = jabi_now() + 5000;
    while (over < 4 && jabi_now() < until) {
        assert_true(jab_loop_wait(loop, 1000) >= 0);
        for (jab_client *k; (k = jab_loop_next(loop));) {
            for (const jab_event *ev; (ev = jab_client_next(k));)
                online += ev->type == JAB_EV_ONLINE;
            if (jab_client_over(k)) {
                jab_client_free(k);
                over++;
            }
        }
    }
    assert_int_equal(online, 4);
    assert_int_equal(over, 4);
    jab_loop_free(loop);
    net_server_stop(&sv);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    net_server_start(&sv, NULL, 0);
    sv.scripts[0] = NULL; /* each connection is cut at once */
    int whole = 0;
    for (size_t n = 1; !whole && n < 2000; n++) {
        unit_mem u;
        unit_mem_init(&u, n);
        jab_config cfg = config();
        cfg.mem = &u.mem;
        cfg.tls = JAB_TLS_OFF;
        jab_client *c;
        int err = jab_client_new(&c, &cfg);
        if (err == 0) {
            assert_true(await(c, JAB_EV_OFFLINE));
            jab_client_free(c);
        } else {
            assert_int_equal(err, JAB_ENOMEM);
            assert_null(c);
        }
        assert_int_equal(u.live, 0);
        whole = u.calls < n;
    }
    assert_true(whole);
    net_server_stop(&sv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct_tls_asks_for_the_domain_by_name),
        cmocka_unit_test(bad_certificates_are_refused_before_a_byte_is_sent),
        cmocka_unit_test(the_right_pin_is_accepted),
        cmocka_unit_test(old_tls_is_refused),
        cmocka_unit_test(bytes_injected_before_the_handshake_are_thrown_away),
        cmocka_unit_test(a_cut_is_told_from_a_good_bye),
        cmocka_unit_test(a_certificate_is_shown_to_a_server_that_asks),
        cmocka_unit_test(reading_stops_until_events_are_pulled),
        cmocka_unit_test(a_refused_connection_names_the_address),
        cmocka_unit_test(the_next_target_helps_when_tls_fails_on_the_first),
        cmocka_unit_test(the_most_telling_fault_is_reported),
        cmocka_unit_test(redirection_is_followed_over_verified_tls_only),
        cmocka_unit_test(redirection_in_circles_comes_to_an_end),
        cmocka_unit_test(a_lost_connection_is_made_again),
        cmocka_unit_test(a_refused_password_is_not_tried_again),
        cmocka_unit_test(silence_ends_at_the_deadline_and_the_descriptor_says_so),
        cmocka_unit_test(a_silent_name_server_is_a_time_out),
        cmocka_unit_test(closing_while_connecting_is_an_end_without_a_fault),
        cmocka_unit_test(clients_share_a_loop),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
