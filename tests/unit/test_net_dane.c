/* test_net_dane.c: TLSA records: their bytes, when they count, and what they vouch for. */
#include "unit.h"

#include "base/mem.h"
#include "net/conn.h"
#include "net/dane.h"
#include "net/resolve_internal.h"
#include "net_client.h"
#include "net_dns.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static net_cert good, other;
static net_server sv;
static net_fault last;

/* -- Bytes ------------------------------------------------------------------------- */

static const unsigned char answer[] =
    "\0\1\x81\xa0\0\1\0\3\0\0\0\0"
    "\5_5223\4_tcp\1a\0\0\x34\0\1"
    "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c" /* an alias on the way */
    "\xc0\x0c\0\x34\0\1\0\0\0\x3c\0\7\3\1\1\x0a\x0b\x0c\x0d"
    "\5_5223\0\0\x34\0\1\0\0\0\x3c\0\5\2\0\0\x0e\x0f";

static void records_are_read_and_nothing_beyond_them(void **state)
{
    (void)state;
    jabi_buf out;
    jabi_tlsa r;
    size_t size = sizeof answer - 1;
    jabi_buf_init(&out, jabi_mem_default(), JABI_DANE_BYTES);
    assert_int_equal(jabi_dane_read(&out, answer, size), 0);
    jab_str left = jabi_buf_str(&out);
    assert_int_equal(jabi_dane_next(&left, &r), 1);
    assert_int_equal(r.usage * 100 + r.selector * 10 + r.matching, 311);
    assert_int_equal(r.n, 4);
    assert_memory_equal(r.data, "\x0a\x0b\x0c\x0d", 4);
    assert_int_equal(jabi_dane_next(&left, &r), 1);
    assert_int_equal(r.usage * 100 + r.selector * 10 + r.matching, 200);
    assert_int_equal(jabi_dane_next(&left, &r), 0);
    for (size_t n = 0; n < size; n++) { /* each copy ends where reading must */
        unsigned char *cut = malloc(n ? n : 1);
        memcpy(cut, answer, n);
        jabi_buf_reset(&out);
        assert_int_equal(jabi_dane_read(&out, cut, n), JAB_EPROTO);
        free(cut);
    }
    jabi_buf_fini(&out);
}

/* -- Clients ------------------------------------------------------------------------ */

/* What a record says of a certificate. */
typedef struct tlsa {
    unsigned char bytes[3 + 32];
} tlsa;

static tlsa key_of(const net_cert *cert, int usage)
{
    tlsa t = {{(unsigned char)usage, 1, 1}};
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->cert), &der);
    EVP_Digest(der, (size_t)n, t.bytes + 3, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    return t;
}

static net_dns dns;
static int by_dane;
static X509 *chain; /* what the server shows behind its certificate; NULL: nothing */

/* Whether a client logs in at a server with this certificate, which its records may name. */
static int logs_in(const net_cert *cert, const char *ca_file, const tlsa *t, int dane)
{
    static net_record zone[3];
    char name[40];
    net_server_start(&sv, cert, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    if (chain)
        SSL_CTX_add1_chain_cert(sv.ctx, chain);
    snprintf(name, sizeof name, "_%d._tcp.host.example.net", sv.port);
    zone[0] = (net_record){.name = "_xmpps-client._tcp.example.org",
                           .type = DNS_SRV,
                           .data = "host.example.net",
                           .port = sv.port};
    zone[1] = (net_record){.name = "host.example.net", .type = DNS_A, .data = "127.0.0.1"};
    if (t)
        zone[2] = (net_record){.name = name,
                               .type = DNS_TLSA,
                               .data = (const char *)t->bytes,
                               .port = sizeof t->bytes};
    net_dns was = dns;
    net_dns_start(&dns, zone, t ? 3 : 2, 0);
    dns.secure = was.secure;
    dns.insecure_type = was.insecure_type;
    dns.failing_type = was.failing_type;
    jab_config cfg = net_config(0, ca_file);
    cfg.host = (jab_str){NULL, 0};
    cfg.nameserver = jab_cstr(dns.address);
    cfg.dane = dane;
    cfg.connect_timeout = 8000;
    jab_client *c;
    last.code = 0;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    int online = net_await(c, JAB_EV_ONLINE, &last);
    by_dane = jab_client_connection(c).by_dane;
    jab_client_free(c);
    net_dns_stop(&dns);
    net_server_stop(&sv);
    return online;
}

static void set_dns(int secure, int insecure_type, int failing_type)
{
    dns = (net_dns){.secure = secure, .insecure_type = insecure_type, .failing_type = failing_type};
}

static void says(const char *words)
{
    if (!strstr(last.text, words))
        fail_msg("\"%s\" does not say \"%s\"", last.text, words);
}

/* RFC 7673 §4.2: its issuer, its names and its dates do not count then. */
static void a_record_of_the_key_is_enough(void **state)
{
    (void)state;
    tlsa right = key_of(&other, 3);
    set_dns(1, 0, 0);
    assert_true(logs_in(&other, good.file, &right, 1));
    assert_int_equal(by_dane, 1);
    assert_string_equal(sv.sni, "example.org");
    assert_true(logs_in(&other, good.file, &right, 2));
    assert_int_equal(dns.asked[DNS_TLSA], 1);
}

static void a_certificate_that_no_record_names_is_refused(void **state)
{
    (void)state;
    tlsa wrong = key_of(&other, 3);
    set_dns(1, 0, 0);
    assert_false(logs_in(&good, good.file, &wrong, 1));
    assert_int_equal(last.code, JAB_ECERT);
    says("certificate for example.org is none that its TLSA records name (DANE)");
    assert_int_equal(sv.n_got, 0);
    assert_true(logs_in(&good, good.file, &wrong, 0)); /* nobody asked */
    assert_int_equal(dns.asked[DNS_TLSA], 0);
}

/* A certificate for this name under an authority of the domain's own. */
static net_cert issue(const net_cert *issuer, const char *names)
{
    net_cert c = net_cert_make(names, "leaf", -60, 3600, EVP_sha256());
    X509_set_issuer_name(c.cert, X509_get_subject_name(issuer->cert));
    assert_true(X509_sign(c.cert, issuer->key, EVP_sha256()) > 0);
    return c;
}

static net_cert make_authority(void)
{
    net_cert c = net_cert_make(NULL, "authority", -60, 3600, EVP_sha256());
    X509_EXTENSION *ext =
        X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(c.cert, ext, -1);
    X509_EXTENSION_free(ext);
    assert_true(X509_sign(c.cert, c.key, EVP_sha256()) > 0);
    return c;
}

/* RFC 7671 §5.2: what a trust anchor signs needs a name, of the domain or of the host
 * that a secure SRV record gives. */
static void a_trust_anchor_vouches_for_names_only(void **state)
{
    (void)state;
    net_cert authority = make_authority();
    net_cert host = issue(&authority, "DNS:host.example.net");
    net_cert domain = issue(&authority, "DNS:example.org");
    net_cert stranger = issue(&authority, "DNS:stranger.example");
    tlsa record = key_of(&authority, 2);
    set_dns(1, 0, 0);
    chain = authority.cert;
    assert_true(logs_in(&host, good.file, &record, 1));
    assert_true(logs_in(&domain, good.file, &record, 1));
    assert_false(logs_in(&stranger, good.file, &record, 1));
    says("certificate is for stranger.example, not for example.org");
    assert_false(logs_in(&domain, good.file, &record, 0));
    assert_false(logs_in(&domain, good.file, NULL, 1));
    chain = NULL;
    net_cert_free(&authority);
    net_cert_free(&host);
    net_cert_free(&domain);
    net_cert_free(&stranger);
}

/* RFC 7673 §4.1: without records, a secure SRV record gives the certificate another name. */
static void a_secure_service_gives_the_certificate_another_name(void **state)
{
    (void)state;
    net_cert host = net_cert_make("DNS:host.example.net", "x", -60, 3600, EVP_sha256());
    set_dns(1, 0, 0);
    assert_true(logs_in(&host, host.file, NULL, 1));
    assert_int_equal(by_dane, 0);
    set_dns(1, DNS_SRV, 0);
    assert_false(logs_in(&host, host.file, NULL, 1));
    says("certificate is for host.example.net, not for example.org");
    set_dns(1, 0, 0);
    assert_false(logs_in(&host, host.file, NULL, 0));
    net_cert_free(&host);
}

/* RFC 7673 §3.1, §3.2, §3.4: an answer on the way that DNSSEC does not vouch for. */
static void records_that_are_not_validated_do_not_count(void **state)
{
    (void)state;
    static const int types[] = {DNS_SRV, DNS_A, DNS_TLSA};
    tlsa of_other = key_of(&other, 3);
    for (size_t i = 0; i < COUNT(types); i++) {
        set_dns(1, types[i], 0);
        assert_false(logs_in(&other, good.file, &of_other, 1));
        assert_int_equal(last.code, JAB_ECERT);
        assert_int_equal(dns.asked[DNS_TLSA], types[i] == DNS_TLSA);
        assert_true(logs_in(&good, good.file, &of_other, 1)); /* as without DANE */
        assert_int_equal(by_dane, 0);
        assert_false(logs_in(&good, good.file, &of_other, 2));
        assert_int_equal(last.code, JAB_EDNS);
        says("DANE is required, and no server of the domain has a TLSA record that counts");
        assert_int_equal(sv.connections, 0);
    }
}

/* RFC 7673 §3.4: or whoever makes it fail could have what he likes without records. */
static void a_look_up_that_fails_bars_the_server(void **state)
{
    (void)state;
    static const int types[] = {DNS_SRV, DNS_TLSA};
    for (size_t i = 0; i < COUNT(types); i++) {
        set_dns(1, 0, types[i]);
        assert_false(logs_in(&good, good.file, NULL, 1));
        assert_int_equal(last.code, JAB_EDNS);
        says("could not validate");
        assert_int_equal(sv.connections, 0);
    }
}

static void without_records_certificates_are_judged_as_ever(void **state)
{
    (void)state;
    set_dns(1, 0, 0);
    assert_true(logs_in(&good, good.file, NULL, 1));
    assert_false(logs_in(&other, other.file, NULL, 1));
    assert_int_equal(last.code, JAB_ECERT);
    assert_false(logs_in(&good, good.file, NULL, 2));
    assert_int_equal(last.code, JAB_EDNS);
}

/* RFC 7671 §10.1: a bad digest is no record. */
static void records_that_cannot_be_used_are_none(void **state)
{
    (void)state;
    tlsa odd = key_of(&other, 3);
    odd.bytes[2] = 2; /* SHA-512 has 64 bytes */
    set_dns(1, 0, 0);
    assert_true(logs_in(&good, good.file, &odd, 1));
    assert_int_equal(by_dane, 0);
    assert_false(logs_in(&good, good.file, &odd, 2));
    says("no TLSA record of host.example.net can be used");
}

/* The AD bit of somebody else's name server could be set by anybody on the way. */
static void only_a_name_server_of_this_machine_is_believed(void **state)
{
    (void)state;
    static const struct {
        const char *server;
        int is_local;
    } rows[] = {{"127.0.0.1", 1}, {"127.0.0.53:5353", 1},     {"[::1]:53", 1},
                {"192.0.2.1", 0}, {"127.0.0.1,192.0.2.1", 0}, {"[2001:db8::1]:53", 0},
                {"128.0.0.1", 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        jab_loop *loop;
        jabi_dns d;
        assert_int_equal(jab_loop_new(&loop, NULL), 0);
        assert_int_equal(jabi_dns_init(&d, loop, jab_cstr(rows[i].server), NULL, NULL), 0);
        assert_int_equal(jabi_dns_is_local(&d), rows[i].is_local);
        jabi_dns_fini(&d);
        jab_loop_free(loop);
    }
}

static void what_cannot_be_required_is_refused(void **state)
{
    (void)state;
    jab_client *c;
    jab_config cfg = net_config(5222, good.file);
    cfg.dane = 2;
    cfg.tls = JAB_TLS_OFF;
    assert_int_equal(jab_client_new(&c, &cfg), JAB_EINVAL);
    cfg.tls = JAB_TLS_REQUIRED;
    cfg.proxy = JAB_STR("socks5://127.0.0.1:1");
    assert_int_equal(jab_client_new(&c, &cfg), JAB_EINVAL);
    cfg.proxy = (jab_str){NULL, 0}; /* an address has no records */
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_false(net_await(c, JAB_EV_ONLINE, &last));
    assert_int_equal(last.code, JAB_EDNS);
    jab_client_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_and_nothing_beyond_them),
        cmocka_unit_test(a_record_of_the_key_is_enough),
        cmocka_unit_test(a_certificate_that_no_record_names_is_refused),
        cmocka_unit_test(a_trust_anchor_vouches_for_names_only),
        cmocka_unit_test(a_secure_service_gives_the_certificate_another_name),
        cmocka_unit_test(records_that_are_not_validated_do_not_count),
        cmocka_unit_test(a_look_up_that_fails_bars_the_server),
        cmocka_unit_test(without_records_certificates_are_judged_as_ever),
        cmocka_unit_test(records_that_cannot_be_used_are_none),
        cmocka_unit_test(only_a_name_server_of_this_machine_is_believed),
        cmocka_unit_test(what_cannot_be_required_is_refused),
    };
    good = net_cert_make("DNS:example.org", "x", -60, 3600, EVP_sha256());
    other = net_cert_make("DNS:other.example", "x", -7200, -3600, EVP_sha256()); /* expired */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    net_cert_free(&good);
    net_cert_free(&other);
    return failed;
}
