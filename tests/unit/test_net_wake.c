/* test_net_wake.c: a client whose network changes, whose machine sleeps, and
 * whose server says where it would like to be resumed. */
#include "unit.h"

#include "net/conn.h"
#include "net/tcp.h"
#include "net_client.h"
#include "net_dns.h"
#include <fcntl.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define SM_FEATURES                                                                                \
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"                            \
    "<sm xmlns='urn:xmpp:sm:3'/></stream:features>"
#define AUTH                                                                                       \
    "C:<stream:stream", "S:" PEER_HEADER PEER_PLAIN, "C:</auth>", "S:" PEER_SUCCESS,               \
        "C:<stream:stream", "S:" PEER_HEADER SM_FEATURES
#define SM_LOGIN AUTH, "BIND", "C:<enable"
#define ENABLED  "S:<enabled xmlns='urn:xmpp:sm:3' id='i1' resume='true'/>"
#define RESUMED  "C:<resume", "S:<resumed xmlns='urn:xmpp:sm:3' previd='i1' h='0'/>"

static net_cert good;
static net_server sv;
static net_fault last;

/* The longest first delay, 2 s: dice that make the remainder the bound. */
static int slow_dice(void *arg, void *p, size_t n)
{
    (void)arg;
    static unsigned count;
    memset(p, (int)(count++ % 200), n);
    uint64_t bound = 2000;
    if (n == sizeof bound)
        memcpy(p, &bound, n);
    return 0;
}

static jab_config config(void)
{
    jab_config cfg = net_config(sv.port, good.file);
    cfg.no_reconnect = 0;
    cfg.random = slow_dice;
    return cfg;
}

static jab_client *client(void)
{
    jab_config cfg = config();
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    return c;
}

/* A client that is online at a server with these scripts. */
static jab_client *online(net_script first, net_script second)
{
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = first;
    sv.scripts[1] = second;
    jab_client *c = client();
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    return c;
}

static void finish(jab_client *c)
{
    jab_client_free(c);
    net_server_stop(&sv);
}

/* Turns the client for so many ms; no event is to come. */
static void quiet(jab_client *c, int ms)
{
    const jab_event *ev;
    for (int64_t until = jabi_now() + ms, now; (now = jabi_now()) < until;) {
        assert_int_equal(jab_client_wait(c, &ev, (int)(until - now)), 0);
        assert_null(ev);
    }
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

/* -- The network changes ---------------------------------------------------------- */

static void who_waits_for_the_next_attempt_begins_it_now(void **state)
{
    (void)state;
    jab_client *c = online(SCRIPT("TLS", SERVER_LOGIN), SCRIPT("TLS", SERVER_LOGIN, "WAIT"));
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    int64_t began = jabi_now();
    quiet(c, 200);
    assert_int_equal(sv.connections, 1);
    jab_client_network_changed(c);
    assert_int_equal(c->backoff.tries, 0);
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    assert_in_range(jabi_now() - began, 0, 1500);
    finish(c);
}

static void a_connection_that_answers_goes_on(void **state)
{
    (void)state;
    const net_script scripts[] = {
        SCRIPT("TLS", SM_LOGIN, ENABLED, "C:<r ", "S:<a xmlns='urn:xmpp:sm:3' h='0'/>", "WAIT"),
        SCRIPT("TLS", SERVER_LOGIN, "C:<ping xmlns='urn:xmpp:ping'/>", "S: ", "WAIT")};
    for (size_t i = 0; i < COUNT(scripts); i++) {
        jab_client *c = online(scripts[i], NULL);
        quiet(c, 100);
        jab_client_network_changed(c);
        assert_in_range(c->prove_by - jabi_now(), 4000, 5000);
        assert_in_range(jab_client_timeout(c), 0, 5000);
        for (int n = 0; n < 50 && c->prove_by != JAB_NEVER; n++)
            quiet(c, 20);
        assert_int_equal(c->prove_by, JAB_NEVER);
        assert_int_equal(jab_client_stage(c), JAB_AT_SESSION);
        finish(c);
        assert_int_equal(sv.connections, 1);
    }
}

static void a_silent_connection_is_left_and_made_again_at_once(void **state)
{
    (void)state;
    jab_client *c = online(SCRIPT("TLS", SM_LOGIN, ENABLED, "C:<r ", "WAIT"),
                           SCRIPT("TLS", AUTH, RESUMED, "WAIT"));
    quiet(c, 100);
    jab_client_network_changed(c);
    int64_t by = c->prove_by;
    jab_client_network_changed(c); /* the time that is left stays the same */
    assert_int_equal(c->prove_by, by);
    c->prove_by = jabi_now() + 100;
    int64_t began = jabi_now();
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    assert_int_equal(last.code, JAB_ETIMEOUT);
    assert_true(net_await(c, JAB_EV_RESUMED, &last));
    assert_in_range(jabi_now() - began, 100, 1500);
    finish(c);
}

/* Whoever is late himself must not blame the peer. */
static void what_came_in_time_counts_however_late_it_is_read(void **state)
{
    (void)state;
    jab_client *c = online(
        SCRIPT("TLS", SM_LOGIN, ENABLED, "C:<r ", "S:<a xmlns='urn:xmpp:sm:3' h='0'/>", "WAIT"),
        NULL);
    quiet(c, 100);
    jab_client_network_changed(c);
    assert_int_equal(jabi_flush(c), 0);
    poll(NULL, 0, 300); /* the answer comes meanwhile */
    c->prove_by = jabi_now() - 1;
    jabi_timer_set(&c->loop->timers, &c->timer, c->prove_by);
    quiet(c, 100);
    assert_int_equal(c->prove_by, JAB_NEVER);
    finish(c);
    assert_int_equal(sv.connections, 1);
}

static void an_attempt_goes_on_unless_its_network_is_gone(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("C:never", "WAIT");
    sv.scripts[1] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_client *c = client();
    quiet(c, 200);
    assert_int_equal(c->phase, JABI_CONN_TLS);
    c->dial->began_at -= JABI_FRESH_ATTEMPT;
    jab_client_network_changed(c); /* the way is still there */
    quiet(c, 100);
    assert_int_equal(sv.connections, 1);
    /* As after a move: a socket with an address that packets no longer leave from. */
    struct sockaddr_in old = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&old, sizeof old), 0);
    assert_int_equal(connect(fd, &c->dial->race.end->addr.any, sizeof old), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_true(jabi_tcp_is_stranded(fd, &c->dial->race.end->addr));
    assert_int_equal(dup2(fd, c->watch.fd), c->watch.fd);
    close(fd);
    jab_client_network_changed(c);
    assert_int_equal(c->phase, JABI_CONN_ENDED);
    sv.scripts[2] = sv.scripts[1];
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    finish(c);
}

static void a_look_up_is_made_again_in_the_new_network(void **state)
{
    (void)state;
    net_dns dns;
    net_dns_start(&dns, NULL, 0, 0); /* says nothing */
    jab_config cfg = config();
    cfg.host = (jab_str){NULL, 0};
    cfg.nameserver = jab_cstr(dns.address);
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    quiet(c, 100);
    int64_t began = c->dial->began_at;
    jab_client_network_changed(c); /* it has only just begun */
    quiet(c, 100);
    assert_int_equal(c->dial->began_at, began);
    c->dial->began_at -= JABI_FRESH_ATTEMPT;
    jab_client_network_changed(c);
    quiet(c, 100);
    assert_true(c->dial->began_at > began);
    jab_client_free(c);
    net_dns_stop(&dns);
}

/* -- Sleep ------------------------------------------------------------------------ */

static void a_sleep_that_nobody_told_of_is_noticed(void **state)
{
    (void)state;
    jab_client *c = online(
        SCRIPT("TLS", SM_LOGIN, ENABLED, "C:<r ", "S:<a xmlns='urn:xmpp:sm:3' h='0'/>", "WAIT"),
        NULL);
    quiet(c, 100);
    assert_int_equal(c->prove_by, JAB_NEVER);
    c->due = jabi_now() - JABI_SLEPT - 1; /* when the keep-alive should have been */
    quiet(c, 50);
    for (int n = 0; n < 50 && c->prove_by != JAB_NEVER; n++)
        quiet(c, 20);
    assert_int_equal(c->prove_by, JAB_NEVER);
    finish(c);
    assert_non_null(strstr(sv.got, "<r "));
}

static void a_suspended_stream_is_resumed(void **state)
{
    (void)state;
    jab_client *c = online(SCRIPT("TLS", SM_LOGIN, ENABLED, "C:</message>", "WAIT"),
                           SCRIPT("TLS", AUTH, RESUMED, "C:</message>", "WAIT"));
    quiet(c, 100);
    jab_out *o = jab_message_to(jab_client_session(c), JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_body(o, JAB_STR("good night"));
    assert_int_equal(jab_out_send(o, 7), 0);
    jab_client_suspend(c);
    jab_client_suspend(c); /* once is enough */
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    assert_int_equal(last.code, JAB_EOFFLINE);
    assert_string_equal(last.text, "suspended");
    jab_client_network_changed(c); /* asleep all the same */
    quiet(c, 300);
    assert_int_equal(jab_client_timeout(c), -1);
    assert_int_equal(sv.connections, 1);
    assert_non_null(strstr(sv.got, "good night")); /* it left before */
    assert_null(strstr(sv.got, "</stream:stream>"));
    int64_t began = jabi_now();
    jab_client_resume(c);
    assert_true(net_await(c, JAB_EV_RESUMED, &last));
    assert_in_range(jabi_now() - began, 0, 1500);
    finish(c);
    assert_int_equal(sv.connections, 2);
}

static void without_stream_management_a_suspended_stream_is_closed(void **state)
{
    (void)state;
    jab_client *c = online(SCRIPT("TLS", SERVER_LOGIN, "C:</stream:stream>", "WAIT"),
                           SCRIPT("TLS", SERVER_LOGIN, "WAIT"));
    jab_client_suspend(c);
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    quiet(c, 200);
    assert_non_null(strstr(sv.got, "</stream:stream>"));
    jab_client_resume(c);
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    finish(c);
}

static void an_attempt_is_given_up_for_a_sleep(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("C:never", "WAIT");
    sv.scripts[1] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_client *c = client();
    quiet(c, 100);
    jab_client_suspend(c);
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    quiet(c, 200);
    assert_int_equal(sv.connections, 1);
    jab_client_resume(c);
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    jab_client_suspend(c);
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    jab_client_close(c); /* asleep, and ended */
    assert_true(jab_client_over(c));
    finish(c);
}

/* -- Faults that pass --------------------------------------------------------------- */

/* A network that wants a log-in of its own shows its certificate first. */
static void a_certificate_that_was_good_once_is_tried_again(void **state)
{
    (void)state;
    jab_client *c = online(SCRIPT("TLS", SERVER_LOGIN, "KEYS"), NULL);
    net_cert other = net_cert_make("DNS:portal.example", "x", -60, 3600, EVP_sha256());
    SSL_CTX_use_certificate(sv.ctx, other.cert);
    SSL_CTX_use_PrivateKey(sv.ctx, other.key);
    sv.scripts[1] = SCRIPT("TLS", "WAIT");
    sv.scripts[2] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    jab_client_network_changed(c);
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    assert_int_equal(last.code, JAB_ECERT);
    assert_false(jab_client_over(c));
    SSL_CTX_use_certificate(sv.ctx, good.cert);
    SSL_CTX_use_PrivateKey(sv.ctx, good.key);
    jab_client_network_changed(c);
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    finish(c);
    net_cert_free(&other);
}

/* -- Where to resume ------------------------------------------------------------------ */

/* A client found by DNS at `sv`, which would like to be resumed at `aim`, and
 * cuts. Returns it once it is online, or resumed, again. */
static jab_client *resume_at(net_server *aim, const char *host, net_dns *dns)
{
    static char enabled[200];
    static net_record zone[2];
    zone[0] = (net_record){"_xmpps-client._tcp.example.org", DNS_SRV, "a.example.org", 1, 0, 0};
    zone[1] = (net_record){"a.example.org", DNS_A, "127.0.0.1", 0, 0, 0};
    snprintf(enabled, sizeof enabled,
             "S:<enabled xmlns='urn:xmpp:sm:3' id='i1' resume='true' location='127.0.0.1:%d'/>"
             "<presence/>",
             aim->port);
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SM_LOGIN, enabled, "END");
    sv.scripts[1] = SCRIPT("TLS", AUTH, RESUMED, "WAIT");
    zone[0].port = sv.port;
    net_dns_start(dns, zone, 2, 0);
    jab_config cfg = config();
    cfg.host = jab_cstr(host);
    cfg.port = host ? sv.port : 0;
    cfg.nameserver = jab_cstr(dns->address);
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    jab_client_network_changed(c);
    assert_true(net_await(c, JAB_EV_RESUMED, &last));
    return c;
}

static void a_stream_is_resumed_where_the_server_would_like_it(void **state)
{
    (void)state;
    net_server aim;
    net_dns dns;
    net_server_start(&aim, &good, TLS1_3_VERSION);
    aim.scripts[0] = SCRIPT("TLS", AUTH, RESUMED, "WAIT");
    jab_client *c = resume_at(&aim, NULL, &dns);
    assert_int_equal(jab_client_connection(c).direct_tls, 1);
    finish(c);
    net_server_stop(&aim);
    net_dns_stop(&dns);
    assert_int_equal(aim.connections, 1);
    assert_int_equal(sv.connections, 1);
}

/* The place that the server named proves itself as any other does. */
static void a_place_that_fails_is_followed_by_the_normal_way(void **state)
{
    (void)state;
    net_cert other = net_cert_make("DNS:other.example", "x", -60, 3600, EVP_sha256());
    const net_cert *certs[] = {&other, &good};
    const net_script scripts[] = {SCRIPT("TLS", "WAIT"), NULL};
    for (size_t i = 0; i < 2; i++) {
        net_server aim;
        net_dns dns;
        net_server_start(&aim, certs[i], TLS1_3_VERSION);
        aim.scripts[0] = scripts[i];
        jab_client *c = resume_at(&aim, NULL, &dns);
        finish(c);
        net_server_stop(&aim);
        net_dns_stop(&dns);
        assert_int_equal(aim.connections, 1);
        assert_int_equal(aim.n_got, 0);
        assert_int_equal(sv.connections, 2);
    }
    net_cert_free(&other);
}

static void a_host_that_the_account_names_comes_first(void **state)
{
    (void)state;
    net_server aim;
    net_dns dns;
    net_server_start(&aim, &good, TLS1_3_VERSION);
    jab_client *c = resume_at(&aim, "127.0.0.1", &dns);
    finish(c);
    net_server_stop(&aim);
    net_dns_stop(&dns);
    assert_int_equal(aim.connections, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_for_the_next_attempt_begins_it_now),
        cmocka_unit_test(a_connection_that_answers_goes_on),
        cmocka_unit_test(a_silent_connection_is_left_and_made_again_at_once),
        cmocka_unit_test(what_came_in_time_counts_however_late_it_is_read),
        cmocka_unit_test(an_attempt_goes_on_unless_its_network_is_gone),
        cmocka_unit_test(a_look_up_is_made_again_in_the_new_network),
        cmocka_unit_test(a_sleep_that_nobody_told_of_is_noticed),
        cmocka_unit_test(a_suspended_stream_is_resumed),
        cmocka_unit_test(without_stream_management_a_suspended_stream_is_closed),
        cmocka_unit_test(an_attempt_is_given_up_for_a_sleep),
        cmocka_unit_test(a_certificate_that_was_good_once_is_tried_again),
        cmocka_unit_test(a_stream_is_resumed_where_the_server_would_like_it),
        cmocka_unit_test(a_place_that_fails_is_followed_by_the_normal_way),
        cmocka_unit_test(a_host_that_the_account_names_comes_first),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
