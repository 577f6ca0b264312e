/* test_net_proxy.c: proxies: their URLs, their words byte by byte, and whole clients. */
#include "unit.h"

#include "base/mem.h"
#include "net/conn.h"
#include "net_client.h"
#include "net_dns.h"
#include "net_proxy.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BYTES(text)  text, sizeof(text) - 1

/* -- URLs ---------------------------------------------------------------------- */

static void urls_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        jabi_proxy_kind kind;
        const char *host;
        uint16_t port;
        const char *user, *password;
    } rows[] = {
        {"socks5://127.0.0.1:1080", JABI_PROXY_SOCKS5, "127.0.0.1", 1080, NULL, NULL},
        {"socks5h://[::1]:9050/", JABI_PROXY_SOCKS5, "::1", 9050, NULL, NULL},
        {"http://proxy.example:3128", JABI_PROXY_HTTP, "proxy.example", 3128, NULL, NULL},
        {"http://u:@proxy.example:80", JABI_PROXY_HTTP, "proxy.example", 80, "u", ""},
        {"socks5://a%40b:p%3a%25@p:1", JABI_PROXY_SOCKS5, "p", 1, "a@b", "p:%"},
        {"socks5://a:p@q@p:65535", JABI_PROXY_SOCKS5, "p", 65535, "a", "p@q"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        jabi_proxy p;
        char why[160];
        assert_int_equal(jabi_proxy_parse(&p, jab_cstr(rows[i].url), why, sizeof why), 0);
        assert_int_equal(p.kind, rows[i].kind);
        assert_string_equal(p.host, rows[i].host);
        assert_int_equal(p.port, rows[i].port);
        assert_int_equal(p.has_user, rows[i].user != NULL);
        assert_string_equal(p.user, rows[i].user ? rows[i].user : "");
        assert_string_equal(p.password, rows[i].password ? rows[i].password : "");
    }
}

static void wrong_urls_say_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *url, *words;
    } rows[] = {
        {"", "socks5:// or http://"},
        {"127.0.0.1:1080", "socks5:// or http://"},
        {"https://p:1", "socks5:// or http://"},
        {"socks4://p:1", "socks5:// or http://"},
        {"socks5://", "not host:port"},
        {"socks5://p", "no port"},
        {"socks5://p:0", "not host:port"},
        {"socks5://p:65536", "not host:port"},
        {"socks5://:1080", "not host:port"},
        {"socks5://p q:1", "no host has"},
        {"http://p/x:1", "no host has"},
        {"socks5://user@p:1", "needs a password"},
        {"socks5://:secret@p:1", "user before \"@\" is empty"},
        {"http://a%3Ab:secret@p:1", "no colon"},
        {"http://a:secret%0d%0aX@p:1", "control character"},
        {"http://a:secret%4@p:1", "hexadecimal"},
        {"http://a:secret%zz@p:1", "hexadecimal"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char why[160] = "";
        assert_int_equal(jab_proxy_check(jab_cstr(rows[i].url), why, sizeof why), JAB_EINVAL);
        if (!strstr(why, rows[i].words))
            fail_msg("\"%s\" says \"%s\", not \"%s\"", rows[i].url, why, rows[i].words);
        assert_null(strstr(why, "secret"));
    }
    char url[400] = "socks5://u:", why[160];
    memset(url + 11, 'x', 256);
    memcpy(url + 11 + 256, "@p:1", 5);
    assert_int_equal(jab_proxy_check(jab_cstr(url), why, sizeof why), JAB_EINVAL);
    url[11] = '%', url[12] = '7', url[13] = '8'; /* 254 bytes once decoded */
    assert_int_equal(jab_proxy_check(jab_cstr(url), why, sizeof why), 0);
}

/* -- Words ------------------------------------------------------------------- */

typedef struct talk_row {
    const char *url, *host;
    const char *from; /* all that the proxy says */
    size_t from_n;
    const char *to; /* all that it hears */
    size_t to_n;
    int result; /* of the last byte; 0: more is wanted */
    const char *words;
} talk_row;

#define SOCKS    "socks5://127.0.0.1:1080"
#define SOCKS_AS "socks5://ann:pw@127.0.0.1:1080"
#define HTTP     "http://127.0.0.1:8080"
#define HTTP_AS  "http://ann:pw@127.0.0.1:8080"
#define HELLO    "\5\1\0"
#define HELLO_AS "\5\2\0\2"
#define TO_NAME                                                                                    \
    "\5\1\0\3\x0b"                                                                                 \
    "example.org\x14\x66"
#define GRANTED "\5\0\0\1\0\0\0\0\0\0"
#define CONNECT "CONNECT example.org:5222 HTTP/1.1\r\nHost: example.org:5222\r\n"
#define REFUSES "the proxy 127.0.0.1:1080 refused to connect to example.org:5222: "

static const talk_row talks[] = {
    {SOCKS, "example.org", BYTES("\5\0" GRANTED), BYTES(HELLO TO_NAME), 1, NULL},
    {SOCKS, "example.org", BYTES("\5\0\5\0\0\3\4abcd\1\2"), BYTES(HELLO TO_NAME), 1, NULL},
    {SOCKS, "192.0.2.1",
     BYTES("\5\0\5\0\0\4"
           "0123456789abcdef\1\2"),
     BYTES(HELLO "\5\1\0\1\xc0\0\2\1\x14\x66"), 1, NULL},
    {SOCKS, "2001:db8::1", BYTES("\5\0" GRANTED),
     BYTES(HELLO "\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x14\x66"), 1, NULL},
    {SOCKS_AS, "example.org", BYTES("\5\2\1\0" GRANTED), BYTES(HELLO_AS "\1\3ann\2pw" TO_NAME), 1,
     NULL},
    {SOCKS_AS, "example.org", BYTES("\5\0" GRANTED), BYTES(HELLO_AS TO_NAME), 1, NULL},
    {SOCKS_AS, "example.org", BYTES("\5\2\1\1"), BYTES(HELLO_AS "\1\3ann\2pw"), JAB_ECONNECT,
     "does not accept its user and password"},
    {SOCKS, "example.org", BYTES("\5\xff"), BYTES(HELLO), JAB_ECONNECT,
     "wants a user and a password"},
    {SOCKS_AS, "example.org", BYTES("\5\xff"), BYTES(HELLO_AS), JAB_ECONNECT, "takes neither"},
    {SOCKS, "example.org", BYTES("\5\2"), BYTES(HELLO), JAB_EPROTO, "does not speak SOCKS5"},
    {SOCKS, "example.org", BYTES("\5\1"), BYTES(HELLO), JAB_EPROTO, "does not speak SOCKS5"},
    {SOCKS, "example.org", BYTES("\4"), BYTES(HELLO), JAB_EPROTO, "does not speak SOCKS5"},
    {SOCKS, "example.org", BYTES("HTTP/1.1 400 Bad Request\r\n"), BYTES(HELLO), JAB_EPROTO,
     "does not speak SOCKS5"},
    {SOCKS, "example.org", BYTES("\5\0\5\2"), BYTES(HELLO TO_NAME), JAB_ECONNECT,
     REFUSES "not allowed by its rules (2)"},
    {SOCKS, "example.org", BYTES("\5\0\5\5\0\1\0\0\0\0\0\0"), BYTES(HELLO TO_NAME), JAB_ECONNECT,
     REFUSES "connection refused (5)"},
    {SOCKS, "example.org", BYTES("\5\0\5\x63"), BYTES(HELLO TO_NAME), JAB_ECONNECT,
     REFUSES "unknown reason (99)"},
    {SOCKS, "example.org", BYTES("\5\0\5\0\0\7\0"), BYTES(HELLO TO_NAME), JAB_EPROTO,
     "does not speak SOCKS5"},
    {SOCKS, "example.org", BYTES("\5\0\5\0\0\1\0\0"), BYTES(HELLO TO_NAME), 0, NULL},
    {HTTP, "example.org", BYTES("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
     BYTES(CONNECT "\r\n"), 1, NULL},
    {HTTP, "2001:db8::1", BYTES("HTTP/1.0 204 \r\n\r\n"),
     BYTES("CONNECT [2001:db8::1]:5222 HTTP/1.1\r\nHost: [2001:db8::1]:5222\r\n\r\n"), 1, NULL},
    {HTTP, "example.org", BYTES("HTTP/1.1 102 Wait\r\nX: y\r\n\r\nHTTP/1.1 200 OK\n\n"),
     BYTES(CONNECT "\r\n"), 1, NULL},
    {HTTP_AS, "example.org", BYTES("HTTP/1.1 200\r\n\r\n"),
     BYTES(CONNECT "Proxy-Authorization: Basic YW5uOnB3\r\n\r\n"), 1, NULL},
    {HTTP, "example.org", BYTES("HTTP/1.1 407 Who?\r\n\r\n"), BYTES(CONNECT "\r\n"), JAB_ECONNECT,
     "wants a user and a password"},
    {HTTP_AS, "example.org", BYTES("HTTP/1.1 407 Who?\r\n\r\n"),
     BYTES(CONNECT "Proxy-Authorization: Basic YW5uOnB3\r\n\r\n"), JAB_ECONNECT,
     "does not accept its user and password"},
    {HTTP, "example.org", BYTES("HTTP/1.1 403 No \x1b[31mway\r\n\r\n"), BYTES(CONNECT "\r\n"),
     JAB_ECONNECT, "refused to connect to example.org:5222: No ?[31mway (403)"},
    {HTTP, "example.org", BYTES("HTTP/1.1 302\r\nLocation: x\r\n\r\n"), BYTES(CONNECT "\r\n"),
     JAB_ECONNECT, "no reason given (302)"},
    {HTTP, "example.org", BYTES("HTTP/1.1 2x0 OK\r\n\r\n"), BYTES(CONNECT "\r\n"), JAB_EPROTO,
     "does not speak HTTP"},
    {HTTP, "example.org", BYTES("SSH-2.0"), BYTES(CONNECT "\r\n"), JAB_EPROTO,
     "does not speak HTTP"},
    {HTTP, "example.org", BYTES("HTTP/1.1 200 OK\r\nX: y\r\n"), BYTES(CONNECT "\r\n"), 0, NULL},
};

static void take_output(jabi_proxy_talk *t, jabi_buf *heard)
{
    jabi_buf_add(heard, t->out.p ? t->out.p : "", t->out.n);
    jabi_buf_consume(&t->out, t->out.n);
}

/* Holds one talk in pieces of `piece` bytes. */
static void hold(const talk_row *row, size_t piece)
{
    jabi_proxy proxy;
    jabi_proxy_talk t;
    jabi_buf heard;
    char why[160], address[40];
    assert_int_equal(jabi_proxy_parse(&proxy, jab_cstr(row->url), why, sizeof why), 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", proxy.port);
    jabi_buf_init(&heard, jabi_mem_default(), 4096);
    assert_int_equal(jabi_proxy_begin(&t, jabi_mem_default(), &proxy, address, row->host, 5222), 0);
    take_output(&t, &heard);
    int result = 0;
    for (size_t at = 0; at < row->from_n && result == 0; at += piece) {
        size_t n = row->from_n - at < piece ? row->from_n - at : piece;
        result = jabi_proxy_feed(&t, row->from + at, n);
        take_output(&t, &heard);
        /* Only the last byte decides, unless what came never was an answer. */
        if (result != 0 && piece == 1 && result != JAB_EPROTO && row->words == NULL)
            assert_int_equal(at + n, row->from_n);
    }
    assert_int_equal(result, row->result);
    assert_int_equal(heard.n, row->to_n);
    assert_memory_equal(heard.p, row->to, row->to_n);
    if (row->words && !strstr(t.text, row->words))
        fail_msg("\"%s\" does not say \"%s\"", t.text, row->words);
    assert_null(strstr(t.text, "pw"));
    jabi_proxy_end(&t);
    jabi_buf_fini(&heard);
}

/* No SOCKS5 answer but the last is longer than two bytes, and none may be early. */
static void talks_go_as_the_specifications_say_in_pieces_of_any_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(talks); i++) {
        size_t longest = strncmp(talks[i].url, "http", 4) == 0 ? 100 : 2;
        for (size_t piece = 1; piece <= longest; piece++)
            hold(&talks[i], piece);
    }
}

/* An answer that comes before its question was prepared without reading it. */
static void answers_ahead_of_the_question_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url, *from;
        size_t n;
        const char *words;
    } rows[] = {
        {SOCKS, BYTES("\5\0" GRANTED), "does not speak SOCKS5"},
        {HTTP, BYTES("HTTP/1.1 200 OK\r\n\r\n<stream:stream>"), "sent more than its answer"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        jabi_proxy proxy;
        jabi_proxy_talk t;
        char why[160];
        assert_int_equal(jabi_proxy_parse(&proxy, jab_cstr(rows[i].url), why, sizeof why), 0);
        assert_int_equal(
            jabi_proxy_begin(&t, jabi_mem_default(), &proxy, "p:1", "example.org", 5222), 0);
        assert_int_equal(jabi_proxy_feed(&t, rows[i].from, rows[i].n), JAB_EPROTO);
        assert_non_null(strstr(t.text, rows[i].words));
        jabi_proxy_end(&t);
    }
}

static void an_answer_without_end_is_cut_off(void **state)
{
    (void)state;
    jabi_proxy proxy;
    jabi_proxy_talk t;
    char why[160], line[64] = "HTTP/1.1 200 OK\r\n";
    assert_int_equal(jabi_proxy_parse(&proxy, JAB_STR(HTTP), why, sizeof why), 0);
    assert_int_equal(jabi_proxy_begin(&t, jabi_mem_default(), &proxy, "p:1", "example.org", 5222),
                     0);
    int result = 0, fed = 0;
    while (result == 0 && fed++ < 100000) {
        result = jabi_proxy_feed(&t, line, strlen(line));
        snprintf(line, sizeof line, "X-Header: %d\r\n", fed);
    }
    assert_int_equal(result, JAB_EPROTO);
    assert_in_range(t.in.n, 0, JABI_PROXY_REPLY);
    assert_int_equal(jabi_proxy_feed(&t, line, 1), JAB_EPROTO);
    jabi_proxy_end(&t);
}

static void hosts_cannot_add_headers(void **state)
{
    (void)state;
    static const char *const hosts[] = {"", "a b", "a\r\nX: y", "user@host", "a/b"};
    jabi_proxy proxy;
    jabi_proxy_talk t;
    char why[160];
    assert_int_equal(jabi_proxy_parse(&proxy, JAB_STR(HTTP), why, sizeof why), 0);
    for (size_t i = 0; i < COUNT(hosts); i++) {
        assert_int_equal(jabi_proxy_begin(&t, jabi_mem_default(), &proxy, "p:1", hosts[i], 5222),
                         JAB_EINVAL);
        jabi_proxy_end(&t);
    }
}

/* -- Whole clients --------------------------------------------------------------- */

static net_cert good;
static net_server sv;
static net_fault last;

static int logs_in(net_proxy *px, jab_config *cfg, const char *scheme, jab_connection *how)
{
    static char url[80], text[64];
    net_proxy_start(px);
    snprintf(url, sizeof url, "%s127.0.0.1:%d", scheme, px->port);
    cfg->proxy = jab_cstr(url);
    jab_client *c;
    assert_int_equal(jab_client_new(&c, cfg), 0);
    int online = net_await(c, JAB_EV_ONLINE, &last);
    *how = jab_client_connection(c);
    if (online) {
        snprintf(text, sizeof text, JAB_FMT, JAB_ARG(how->target));
        how->target = jab_cstr(text);
    }
    jab_client_free(c);
    net_proxy_stop(px);
    return online;
}

#define STARTTLS                                                                                   \
    "C:<stream:stream",                                                                            \
        "S:" PEER_HEADER "<stream:features><starttls "                                             \
        "xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",                             \
        "C:<starttls", "S:<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "TLS"

/* Through a proxy nobody is asked for the server's name but the proxy. */
static void the_proxy_alone_hears_the_name(void **state)
{
    (void)state;
    net_dns dns;
    jab_connection how;
    net_dns_start(&dns, NULL, 0, 0);
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT(STARTTLS, SERVER_LOGIN, "WAIT");
    net_proxy px = {.turns = {{4, BYTES("\5\2")}, {8, BYTES("\1\0")}, {18, BYTES(GRANTED)}},
                    .server = sv.port};
    jab_config cfg = net_config(0, good.file);
    cfg.tls = JAB_TLS_REQUIRED;
    cfg.host = (jab_str){NULL, 0};
    cfg.nameserver = jab_cstr(dns.address);
    assert_true(logs_in(&px, &cfg, "socks5://ann:pw@", &how));
    assert_memory_equal(px.got, HELLO_AS "\1\3ann\2pw" TO_NAME, px.n_got);
    assert_str(how.target, "example.org");
    assert_int_equal(how.by_proxy, 1);
    net_server_stop(&sv);
    net_dns_stop(&dns);
    for (size_t i = 0; i < COUNT(dns.asked); i++)
        assert_int_equal(dns.asked[i], 0);
}

/* XEP-0368 §1: direct TLS on the port that the account names. */
static void direct_tls_goes_through_a_tunnel(void **state)
{
    (void)state;
    jab_connection how;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    net_proxy px = {.turns = {{0, BYTES("HTTP/1.1 200 Connection established\r\n\r\n")}},
                    .server = sv.port};
    jab_config cfg = net_config(5225, good.file);
    cfg.host = JAB_STR("xmpp.example.org");
    assert_true(logs_in(&px, &cfg, "http://", &how));
    assert_string_equal(px.got, "CONNECT xmpp.example.org:5225 HTTP/1.1\r\n"
                                "Host: xmpp.example.org:5225\r\n\r\n");
    assert_string_equal(sv.sni, "example.org");
    net_server_stop(&sv);
}

/* Without a port, 443 follows 5223, as a proxy may allow nothing else. */
static void the_second_port_follows_a_refusal(void **state)
{
    (void)state;
    jab_connection how;
    net_proxy px = {.turns = {{0, BYTES("HTTP/1.1 403 Forbidden\r\n\r\n")}}};
    jab_config cfg = net_config(0, good.file);
    cfg.host = (jab_str){NULL, 0};
    assert_false(logs_in(&px, &cfg, "http://", &how));
    assert_int_equal(px.connections, 2);
    assert_non_null(strstr(px.got, "CONNECT example.org:5223 "));
    assert_non_null(strstr(px.got, "CONNECT example.org:443 "));
    assert_int_equal(last.code, JAB_ECONNECT);
    assert_int_equal(last.stage, JAB_AT_TCP);
    char words[160];
    snprintf(words, sizeof words,
             "the proxy 127.0.0.1:%d refused to connect to example.org:5223: Forbidden (403)",
             px.port);
    assert_string_equal(last.text, words);
}

/* A silent proxy, one that hangs up and one that is not there. */
static void proxies_that_fail_are_named(void **state)
{
    (void)state;
    jab_connection how;
    jab_config cfg = net_config(5222, good.file);
    cfg.host = JAB_STR("example.org");
    cfg.connect_timeout = 300;
    net_proxy silent = {.turns = {{3, BYTES("\5")}}};
    assert_false(logs_in(&silent, &cfg, "socks5://", &how));
    assert_int_equal(last.code, JAB_ETIMEOUT);
    assert_non_null(strstr(last.text, "did not answer in time (connecting to example.org)"));
    net_proxy leaves = {.turns = {{3, BYTES("\5")}}, .server = 1};
    assert_false(logs_in(&leaves, &cfg, "socks5://", &how));
    assert_non_null(strstr(last.text, "closed the connection without an answer"));
    cfg.proxy = JAB_STR("socks5://127.0.0.1:1");
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_false(net_await(c, JAB_EV_ONLINE, &last));
    assert_string_equal(last.text,
                        "could not connect to the proxy 127.0.0.1: 127.0.0.1:1 connection refused");
    jab_client_free(c);
    cfg.proxy = JAB_STR("nonsense");
    assert_int_equal(jab_client_new(&c, &cfg), JAB_EINVAL);
}

static void a_proxy_does_not_stand_for_the_server(void **state)
{
    (void)state;
    jab_connection how;
    net_cert other = net_cert_make("DNS:other.example", "x", -60, 3600, EVP_sha256());
    net_server_start(&sv, &other, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", "WAIT");
    net_proxy px = {.turns = {{3, BYTES("\5\0")}, {18, BYTES(GRANTED)}}, .server = sv.port};
    jab_config cfg = net_config(5223, other.file);
    cfg.host = JAB_STR("example.org");
    assert_false(logs_in(&px, &cfg, "socks5://", &how));
    assert_int_equal(last.code, JAB_ECERT);
    net_server_stop(&sv);
    assert_int_equal(sv.n_got, 0);
    net_cert_free(&other);
}

static void memory_that_runs_out_leaks_nothing(void **state)
{
    (void)state;
    jabi_proxy proxy;
    char why[160];
    assert_int_equal(jabi_proxy_parse(&proxy, JAB_STR(SOCKS_AS), why, sizeof why), 0);
    for (int fail_at = 1; fail_at <= 4; fail_at++) {
        unit_mem mem;
        jabi_proxy_talk t;
        unit_mem_init(&mem, fail_at);
        int result = jabi_proxy_begin(&t, &mem.mem, &proxy, "p:1", "example.org", 5222);
        if (result == 0)
            result = jabi_proxy_feed(&t, "\5\2", 2);
        assert_true(result == 0 || result == JAB_ENOMEM);
        jabi_proxy_end(&t);
        assert_int_equal(mem.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(wrong_urls_say_what_is_wrong),
        cmocka_unit_test(talks_go_as_the_specifications_say_in_pieces_of_any_size),
        cmocka_unit_test(answers_ahead_of_the_question_are_refused),
        cmocka_unit_test(an_answer_without_end_is_cut_off),
        cmocka_unit_test(hosts_cannot_add_headers),
        cmocka_unit_test(the_proxy_alone_hears_the_name),
        cmocka_unit_test(direct_tls_goes_through_a_tunnel),
        cmocka_unit_test(the_second_port_follows_a_refusal),
        cmocka_unit_test(proxies_that_fail_are_named),
        cmocka_unit_test(a_proxy_does_not_stand_for_the_server),
        cmocka_unit_test(memory_that_runs_out_leaks_nothing),
    };
    good = net_cert_make("DNS:example.org", "x", -60, 3600, EVP_sha256());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    net_cert_free(&good);
    return failed;
}
