/* test_net_resume.c: TLS sessions that go on from one connection to the next, and
 * endpoints that are remembered. */
#include "unit.h"

#include <time.h>

#include "base/mem.h"
#include "net/conn.h"
#include "net_client.h"
#include "net_dns.h"
#include "net_proxy.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static net_cert good;
static net_server sv;
static net_fault last;

static int zeros(void *arg, void *p, size_t n)
{
    (void)arg;
    memset(p, 0, n);
    return 0;
}

/* A clock that a test sets: hours from now. */
static int64_t hours(void *arg)
{
    return (int64_t)time(NULL) * 1000 + *(int *)arg * 3600000LL;
}

static jab_config config(void)
{
    jab_config cfg = net_config(sv.port, good.file);
    cfg.no_reconnect = 0;
    cfg.random = zeros; /* no delay before the next connection */
    return cfg;
}

/* Goes online `times` times; the server cuts all but the last connection. */
static jab_client *connect_times(const jab_config *cfg, int times)
{
    jab_client *c;
    assert_int_equal(jab_client_new(&c, cfg), 0);
    for (int i = 0; i < times; i++)
        if (!net_await(c, JAB_EV_ONLINE, &last))
            fail_msg("connection %d failed: %s", i + 1, last.text);
    return c;
}

static void agree_on_bindings(const jab_client *c)
{
    const jab_tls_info *info = &c->tls->info;
    assert_int_equal(info->exporter.n, 32);
    assert_memory_equal(info->exporter.p, sv.exporter, 32);
    assert_int_equal(info->end_point.n, 32);
    unsigned char digest[32];
    unsigned n = 0;
    X509_digest(good.cert, EVP_sha256(), digest, &n);
    assert_memory_equal(info->end_point.p, digest, 32);
    assert_int_equal(info->unique.n, info->version == 12 ? sv.unique_n : 0);
    if (info->unique.n)
        assert_memory_equal(info->unique.p, sv.unique, sv.unique_n);
}

/* -- Sessions ---------------------------------------------------------------------- */

static void the_next_connection_resumes_and_binds_its_channel(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < COUNT(versions); i++) {
        net_server_start(&sv, &good, versions[i]);
        sv.scripts[0] = sv.scripts[1] = sv.scripts[2] = SCRIPT("TLS", SERVER_LOGIN);
        sv.scripts[3] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
        jab_config cfg = config();
        jab_client *c = connect_times(&cfg, 4);
        assert_int_equal(c->tls->info.resumed, 1);
        assert_int_equal(c->tls->info.verified, 1);
        agree_on_bindings(c);
        jab_client_free(c);
        net_server_stop(&sv);
        assert_int_equal(sv.connections, 4);
        assert_int_equal(sv.resumed, 3);
    }
}

static void a_full_handshake_follows_when_the_server_knows_nothing(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "KEYS");
    sv.scripts[1] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = config();
    jab_client *c = connect_times(&cfg, 2);
    assert_int_equal(c->tls->info.resumed, 0);
    agree_on_bindings(c);
    jab_client_free(c);
    net_server_stop(&sv);
}

/* RFC 7627 §5.3: its channel binding could be another connection's. */
static void nothing_is_resumed_without_the_extended_master_secret(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_2_VERSION);
    SSL_CTX_set_options(sv.ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN);
    sv.scripts[1] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = config();
    jab_client *c = connect_times(&cfg, 2);
    assert_int_equal(c->tls->info.resumed, 0);
    jab_client_free(c);
    net_server_stop(&sv);
    assert_int_equal(sv.resumed, 0);
}

/* OpenSSL's servers that ask for certificates fail on their own sessions unless they
 * were given a name for them. */
static void a_server_that_fails_on_its_session_is_asked_without(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.ask_cert = 1;
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN);
    sv.scripts[1] = SCRIPT("TLS", "WAIT");
    sv.scripts[2] = SCRIPT("TLS", SERVER_LOGIN);
    sv.scripts[3] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = config();
    jab_client *c = connect_times(&cfg, 3);
    assert_int_equal(c->no_resume, 1);
    jab_client_free(c);
    net_server_stop(&sv);
    assert_int_equal(sv.connections, 4);
}

static void who_shows_a_certificate_does_so_each_time(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN);
    sv.scripts[1] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = config();
    cfg.client_cert = jab_cstr(good.file);
    jab_client *c = connect_times(&cfg, 2);
    assert_int_equal(c->tls->info.resumed, 0);
    jab_client_free(c);
    net_server_stop(&sv);
}

/* -- What is kept ------------------------------------------------------------------- */

/* A session's bytes, and what they are bound to. */
typedef struct kept_session {
    char bytes[JABI_TLS_SESSION_BYTES];
    size_t n;
    uint8_t key[32];
} kept_session;

static void get_session(kept_session *out)
{
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = config();
    jab_client *c = connect_times(&cfg, 1);
    jab_str kept = c->session->stream.memory.texts[JABI_MEMORY_TLS_SESSION];
    assert_true(kept.n > 100 && kept.n <= sizeof out->bytes);
    memcpy(out->bytes, kept.p, kept.n);
    out->n = kept.n;
    memcpy(out->key, c->tls->session_key, 32);
    jab_client_free(c);
    net_server_stop(&sv);
}

/* Whether these bytes are offered to a server, `later` ms from now. */
static int is_offered(const char *domain, const uint8_t key[32], jab_str bytes, int64_t later)
{
    jab_loop *loop;
    jabi_tls_ctx *ctx;
    jabi_tls *t;
    jab_config cfg = config();
    assert_int_equal(jab_loop_new(&loop, NULL), 0);
    assert_int_equal(jabi_tls_ctx_get(&ctx, loop, &cfg), 0);
    assert_int_equal(jabi_tls_new(&t, ctx, -1, domain, NULL, 1), 0);
    int offered = jabi_tls_allow_session(t, key, bytes, (int64_t)time(NULL) * 1000 + later);
    jabi_tls_free(t);
    jabi_tls_ctx_put(ctx);
    jab_loop_free(loop);
    return offered;
}

static void a_session_serves_only_what_it_was_verified_for(void **state)
{
    (void)state;
    kept_session s;
    get_session(&s);
    jab_str bytes = {s.bytes, s.n}, none = {NULL, 0};
    assert_int_equal(is_offered("example.org", s.key, bytes, 1000), 1);
    assert_int_equal(is_offered("example.org", s.key, none, 1000), 0);
    assert_int_equal(is_offered("other.example", s.key, bytes, 1000), 0);
    assert_int_equal(is_offered("example.org", s.key, bytes, 3600000), 0);  /* expired */
    assert_int_equal(is_offered("example.org", s.key, bytes, -120000), 0);  /* not yet valid */
    assert_int_equal(is_offered("example.org", s.key, bytes, 90000000), 0); /* a day old */
    uint8_t other[32];
    memcpy(other, s.key, 32);
    other[31] ^= 1;
    assert_int_equal(is_offered("example.org", other, bytes, 1000), 0);
}

static void damaged_sessions_are_not_offered(void **state)
{
    (void)state;
    kept_session s;
    get_session(&s);
    for (size_t n = 0; n < s.n; n += n < 64 ? 1 : 37)
        assert_int_equal(is_offered("example.org", s.key, (jab_str){s.bytes, n}, 1000), 0);
    for (size_t i = 0; i < s.n; i += 41) { /* whatever it does, it does not crash */
        s.bytes[i] ^= 0x55;
        (void)is_offered("example.org", s.key, (jab_str){s.bytes, s.n}, 1000);
        s.bytes[i] ^= 0x55;
    }
}

/* Another account, endpoint, trust or pin: another key. */
static void all_that_was_judged_is_in_the_key(void **state)
{
    (void)state;
    uint8_t keys[9][32];
    jab_config cfg = config(), changed[4];
    cfg.mem = jabi_mem_default();
    for (size_t i = 0; i < COUNT(changed); i++)
        changed[i] = cfg;
    changed[0].jid = JAB_STR("romeo@example.org");
    changed[1].ca_file = JAB_STR("/other.pem");
    changed[2].pin_sha256 = JAB_STR("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    changed[3].ca_file = (jab_str){NULL, 0};
    assert_int_equal(jabi_tls_session_key(keys[0], &cfg, "a.org", "h", 5223, 1), 0);
    assert_int_equal(jabi_tls_session_key(keys[1], &cfg, "b.org", "h", 5223, 1), 0);
    assert_int_equal(jabi_tls_session_key(keys[2], &cfg, "a.org", "i", 5223, 1), 0);
    assert_int_equal(jabi_tls_session_key(keys[3], &cfg, "a.org", "h", 5222, 1), 0);
    assert_int_equal(jabi_tls_session_key(keys[4], &cfg, "a.org", "h", 5223, 0), 0);
    for (size_t i = 0; i < COUNT(changed); i++)
        assert_int_equal(jabi_tls_session_key(keys[5 + i], &changed[i], "a.org", "h", 5223, 1), 0);
    for (size_t i = 0; i < COUNT(keys); i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(keys[i], keys[k], 32);
}

/* The certificate expires between two connections, by this machine's clock. */
static void a_session_ends_with_its_certificate(void **state)
{
    (void)state;
    int later = 0;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN);
    sv.scripts[1] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = config();
    cfg.wall = hours;
    cfg.wall_arg = &later;
    jab_client *c = connect_times(&cfg, 1);
    later = 2;
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    assert_int_equal(c->tls->info.resumed, 0);
    jab_client_free(c);
    net_server_stop(&sv);
}

/* -- Endpoints --------------------------------------------------------------------- */

static void endpoints_are_read_as_they_were_written(void **state)
{
    (void)state;
    static const char *const right[] = {"D [::1]:5223 xmpp.example.org", "S 192.0.2.1:5222 a"};
    static const char *const wrong[] = {
        "",
        "D",
        "D 127.0.0.1:5222",
        "D 127.0.0.1:5222 ",
        "D 127.0.0.1 host",
        "D a:1 b",
        "X 127.0.0.1:1 a",
        "D127.0.0.1:5222 host",
        "S 127.0.0.1:0 host",
        "S  host",
    };
    jabi_target t;
    char text[400];
    for (size_t i = 0; i < COUNT(right); i++) {
        assert_int_equal(jabi_endpoint_read(jab_cstr(right[i]), &t), 1);
        assert_int_equal(t.n, 1);
        assert_int_equal(t.is_recalled, 1);
        assert_int_equal(jabi_endpoint_write(&t, text, sizeof text), 1);
        assert_string_equal(text, right[i]);
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(jabi_endpoint_read(jab_cstr(wrong[i]), &t), 0);
    snprintf(text, sizeof text, "S 127.0.0.1:1 %0300d", 0); /* no host is so long */
    assert_int_equal(jabi_endpoint_read(jab_cstr(text), &t), 0);
}

/* A client of example.org, which SRV says is at `port`. */
static jab_client *client_by_dns(net_dns *dns, net_record zone[2], uint16_t port)
{
    zone[0] = (net_record){"_xmpps-client._tcp.example.org", DNS_SRV, "a.example.org", 1, 0, port};
    zone[1] = (net_record){"a.example.org", DNS_A, "127.0.0.1", 0, 0, 0};
    net_dns_start(dns, zone, 2, 0);
    jab_config cfg = config();
    cfg.host = (jab_str){NULL, 0};
    cfg.port = 0;
    cfg.nameserver = jab_cstr(dns->address);
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    return c;
}

static void recall(jab_client *c, int port)
{
    char text[80];
    snprintf(text, sizeof text, "D 127.0.0.1:%d b.example.org", port);
    jabi_memory *m = &c->session->stream.memory;
    assert_int_equal(jabi_memory_load(m, c->cfg), 0);
    assert_int_equal(jabi_memory_set(m, JABI_MEMORY_ENDPOINT, jab_cstr(text)), 0);
}

static void the_last_endpoint_needs_no_name_server(void **state)
{
    (void)state;
    net_dns dns;
    net_record zone[2];
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN);
    sv.scripts[1] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_client *c = client_by_dns(&dns, zone, sv.port);
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    dns.records = NULL; /* says nothing from now on */
    int64_t began = jabi_now();
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    assert_in_range(jabi_now() - began, 0, 900);
    assert_str(jab_client_connection(c).target, "a.example.org");
    assert_int_equal(c->tls->info.resumed, 1);
    jab_client_free(c);
    net_server_stop(&sv);
    net_dns_stop(&dns);
}

/* A port that takes no connection and refuses none: its queue is full. */
static int full_port(int fds[8], int *n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fds[0], (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    assert_int_equal(getsockname(fds[0], (struct sockaddr *)&a, &size), 0);
    for (*n = 1; *n < 5; ++*n) {
        fds[*n] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fds[*n], (struct sockaddr *)&a, sizeof a);
    }
    return ntohs(a.sin_port);
}

static void a_dead_endpoint_costs_the_delay_of_the_race(void **state)
{
    (void)state;
    for (int refused = 0; refused < 2; refused++) {
        net_dns dns;
        net_record zone[2];
        int fds[8], n = 0;
        net_server_start(&sv, &good, TLS1_3_VERSION);
        sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
        jab_client *c = client_by_dns(&dns, zone, sv.port);
        recall(c, refused ? 1 : full_port(fds, &n));
        int64_t began = jabi_now();
        assert_true(net_await(c, JAB_EV_ONLINE, &last));
        int64_t took = jabi_now() - began;
        assert_in_range(took, refused ? 0 : JABI_RACE_STAGGER, refused ? 200 : 800);
        assert_str(jab_client_connection(c).target, "a.example.org");
        jab_client_free(c);
        net_server_stop(&sv);
        net_dns_stop(&dns);
        while (n > 0)
            close(fds[--n]);
    }
}

/* Somebody else is where the server was. */
static void an_endpoint_proves_itself_each_time(void **state)
{
    (void)state;
    net_dns dns;
    net_record zone[2];
    net_server wrong;
    net_cert other = net_cert_make("DNS:other.example", "x", -60, 3600, EVP_sha256());
    net_server_start(&wrong, &other, TLS1_3_VERSION);
    wrong.scripts[0] = SCRIPT("TLS", "WAIT");
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_client *c = client_by_dns(&dns, zone, sv.port);
    recall(c, wrong.port);
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    assert_str(jab_client_connection(c).target, "a.example.org");
    char says[80];
    snprintf(says, sizeof says, "D 127.0.0.1:%d a.example.org", sv.port);
    assert_str(c->session->stream.memory.texts[JABI_MEMORY_ENDPOINT], says);
    jab_client_free(c);
    net_server_stop(&sv);
    net_server_stop(&wrong);
    net_dns_stop(&dns);
    assert_int_equal(wrong.connections, 1);
    assert_int_equal(wrong.n_got, 0);
    net_cert_free(&other);
}

/* Who has a certificate for the domain and does not let the account in may be in between. */
static void an_endpoint_is_kept_once_it_lets_the_account_in(void **state)
{
    (void)state;
    net_dns dns;
    net_record zone[2];
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", "C:<stream:stream", "S:" PEER_HEADER PEER_PLAIN, "C:</auth>",
                           "S:<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                           "<not-authorized/></failure>",
                           "WAIT");
    jab_client *c = client_by_dns(&dns, zone, sv.port);
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    assert_int_equal(last.code, JAB_EAUTH);
    assert_null(c->session->stream.memory.texts[JABI_MEMORY_ENDPOINT].p);
    jab_client_free(c);
    net_server_stop(&sv);
    net_dns_stop(&dns);
}

/* -- Flights ----------------------------------------------------------------------- */

/* The end of the handshake and the stream's header are one write. */
static void a_flight_is_one_write(void **state)
{
    (void)state;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    net_proxy px = {.server = sv.port};
    net_proxy_start(&px);
    jab_config cfg = config();
    cfg.port = px.port;
    jab_client *c = connect_times(&cfg, 1);
    jab_client_free(c);
    net_proxy_stop(&px);
    net_server_stop(&sv);
    assert_in_range(px.n_records, 5, 6);      /* hello, header, auth, header, bind, good-bye */
    assert_int_equal(px.records[0], 1);       /* ClientHello */
    assert_int_equal(px.records[1], 3);       /* change_cipher_spec, Finished, the header */
    for (size_t i = 2; i < px.n_records; i++) /* all of a turn is one record */
        assert_int_equal(px.records[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_connection_resumes_and_binds_its_channel),
        cmocka_unit_test(a_full_handshake_follows_when_the_server_knows_nothing),
        cmocka_unit_test(nothing_is_resumed_without_the_extended_master_secret),
        cmocka_unit_test(a_server_that_fails_on_its_session_is_asked_without),
        cmocka_unit_test(who_shows_a_certificate_does_so_each_time),
        cmocka_unit_test(a_session_serves_only_what_it_was_verified_for),
        cmocka_unit_test(damaged_sessions_are_not_offered),
        cmocka_unit_test(all_that_was_judged_is_in_the_key),
        cmocka_unit_test(a_session_ends_with_its_certificate),
        cmocka_unit_test(endpoints_are_read_as_they_were_written),
        cmocka_unit_test(the_last_endpoint_needs_no_name_server),
        cmocka_unit_test(a_dead_endpoint_costs_the_delay_of_the_race),
        cmocka_unit_test(an_endpoint_proves_itself_each_time),
        cmocka_unit_test(an_endpoint_is_kept_once_it_lets_the_account_in),
        cmocka_unit_test(a_flight_is_one_write),
    };
    good = net_cert_make("DNS:example.org", "x", -60, 3600, EVP_sha256());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    net_cert_free(&good);
    return failed;
}
