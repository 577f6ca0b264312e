/*
 * test_checks_net.c: the security checks of the driver, each against the
 * attack that it stops, over real sockets: with the check on the attack
 * fails, with it off it succeeds. The core's are in test_checks.c.
 */
#include "../unit/net_client.h"

#include <jabiru/login.h>

#include <time.h>

#include "../unit/net_dns.h"
#include "base/check.h"

int jabi_check_off = -1;

static net_cert good, other;
static net_server sv;
static net_fault last;

/* Whether a client logs in at a server with this certificate. */
static int logs_in(const net_cert *cert, const net_cert *trusted, const char *pin)
{
    net_server_start(&sv, cert, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = net_config(sv.port, trusted->file);
    cfg.pin_sha256 = jab_cstr(pin);
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    int online = net_await(c, JAB_EV_ONLINE, &last);
    jab_client_free(c);
    net_server_stop(&sv);
    return online;
}

static int certificate_of_nobody(void)
{
    return logs_in(&good, &other, NULL);
}

static int certificate_for_another_domain(void)
{
    return logs_in(&other, &other, NULL);
}

static int certificate_with_another_key(void)
{
    return logs_in(&good, &good, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
}

/* Logs in at sv by SRV, with DANE; `validated`: what the name server says of its TLSA
 * record, which names the key of `named`. */
static int logs_in_by_dane(const net_cert *cert, const net_cert *named, int validated)
{
    unsigned char record[3 + 32] = {3, 1, 1}, *der = NULL;
    char name[40];
    net_dns dns;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(named->cert), &der);
    EVP_Digest(der, (size_t)n, record + 3, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    net_server_start(&sv, cert, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    snprintf(name, sizeof name, "_%d._tcp.a.example.org", sv.port);
    const net_record zone[] = {
        {"_xmpps-client._tcp.example.org", DNS_SRV, "a.example.org", 1, 0, sv.port},
        {"a.example.org", DNS_A, "127.0.0.1", 0, 0, 0},
        {name, DNS_TLSA, (const char *)record, 0, 0, sizeof record}};
    net_dns_start(&dns, zone, 3, 0);
    dns.secure = 1;
    dns.insecure_type = validated ? 0 : DNS_TLSA;
    jab_config cfg = net_config(0, good.file);
    cfg.host = (jab_str){NULL, 0};
    cfg.nameserver = jab_cstr(dns.address);
    cfg.dane = 1;
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    int online = net_await(c, JAB_EV_ONLINE, &last);
    jab_client_free(c);
    net_server_stop(&sv);
    net_dns_stop(&dns);
    return online;
}

/* A forged record vouches for a forged certificate. */
static int record_that_nobody_validated(void)
{
    return logs_in_by_dane(&other, &other, 0);
}

/* An authority that is trusted signed a certificate for somebody else than the domain's owner. */
static int certificate_that_no_record_names(void)
{
    return logs_in_by_dane(&good, &other, 1);
}

/* A clock that a test sets: hours from now. */
static int64_t hours(void *arg)
{
    return (int64_t)time(NULL) * 1000 + *(int *)arg * 3600000LL;
}

/* Who has the session of an expired certificate, and its key no more, goes on with it. */
static int session_beyond_its_certificate(void)
{
    int later = 0;
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("TLS", SERVER_LOGIN);
    sv.scripts[1] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = net_config(sv.port, good.file);
    cfg.no_reconnect = 0;
    cfg.wall = hours;
    cfg.wall_arg = &later;
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    later = 2;
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    jab_client_network_changed(c);
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    jab_client_free(c);
    net_server_stop(&sv);
    return sv.resumed;
}

/* Bytes in the clear behind <proceed/> end the stream that TLS protects. */
static int injection_before_the_handshake(void)
{
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = SCRIPT("C:<stream:stream",
                           "S:" PEER_HEADER "<stream:features><starttls "
                           "xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
                           "C:<starttls",
                           "S:<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" PEER_HEADER
                           "<stream:error><conflict "
                           "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
                           "TLS", SERVER_LOGIN, "WAIT");
    jab_config cfg = net_config(sv.port, good.file);
    cfg.tls = JAB_TLS_REQUIRED;
    jab_client *c;
    last.code = 0;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    int online = net_await(c, JAB_EV_ONLINE, &last);
    jab_client_free(c);
    net_server_stop(&sv);
    return !online && last.code == JAB_ESTREAM;
}

/* A server that proved nothing sends the client elsewhere. */
static int unproved_redirection(void)
{
    net_server aim;
    net_server_start(&aim, NULL, 0);
    net_server_start(&sv, NULL, 0);
    char says[400];
    snprintf(says, sizeof says,
             "S:" PEER_HEADER
             "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>"
             "127.0.0.1:%d</see-other-host></stream:error></stream:stream>",
             aim.port);
    sv.scripts[0] = SCRIPT("C:<stream:stream", says, "WAIT");
    aim.scripts[0] = SCRIPT(SERVER_LOGIN, "WAIT");
    jab_config cfg = net_config(sv.port, NULL);
    cfg.tls = JAB_TLS_OFF;
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    int online = net_await(c, JAB_EV_ONLINE, &last);
    jab_client_free(c);
    net_server_stop(&sv);
    net_server_stop(&aim);
    return online;
}

/* Who sits in an unprotected stream has it resumed at his own place. */
static int unproved_location(void)
{
    net_server aim;
    net_dns dns;
    net_server_start(&aim, NULL, 0);
    net_server_start(&sv, NULL, 0);
    char says[300];
    snprintf(says, sizeof says,
             "S:<enabled xmlns='urn:xmpp:sm:3' id='i' resume='true' location='127.0.0.1:%d'/>"
             "<presence/>",
             aim.port);
    sv.scripts[0] =
        SCRIPT("C:<stream:stream", "S:" PEER_HEADER PEER_PLAIN, "C:</auth>", "S:" PEER_SUCCESS,
               "C:<stream:stream",
               "S:" PEER_HEADER "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
               "<sm xmlns='urn:xmpp:sm:3'/></stream:features>",
               "BIND", "C:<enable", says);
    sv.scripts[1] = SCRIPT(SERVER_LOGIN, "WAIT");
    const net_record zone[] = {
        {"_xmpp-client._tcp.example.org", DNS_SRV, "a.example.org", 1, 0, sv.port},
        {"a.example.org", DNS_A, "127.0.0.1", 0, 0, 0}};
    net_dns_start(&dns, zone, 2, 0);
    jab_config cfg = net_config(0, NULL);
    cfg.tls = JAB_TLS_OFF;
    cfg.host = (jab_str){NULL, 0};
    cfg.nameserver = jab_cstr(dns.address);
    cfg.no_reconnect = 0;
    cfg.login = JAB_LOGIN_NO_PIPELINING;
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_true(net_await(c, JAB_EV_OFFLINE, &last));
    jab_client_network_changed(c);
    assert_true(net_await(c, JAB_EV_ONLINE, &last)); /* the place of the attack only cuts */
    jab_client_free(c);
    net_server_stop(&sv);
    net_server_stop(&aim);
    net_dns_stop(&dns);
    return aim.connections > 0;
}

static const struct {
    int check;
    const char *name;
    int (*run)(void); /* 1: the attack succeeded */
} attacks[] = {
    {JABI_CHECK_CERT_CHAIN, "CERT_CHAIN", certificate_of_nobody},
    {JABI_CHECK_CERT_NAME, "CERT_NAME", certificate_for_another_domain},
    {JABI_CHECK_CERT_PIN, "CERT_PIN", certificate_with_another_key},
    {JABI_CHECK_DANE_SECURE, "DANE_SECURE", record_that_nobody_validated},
    {JABI_CHECK_DANE_MATCH, "DANE_MATCH", certificate_that_no_record_names},
    {JABI_CHECK_SESSION_HOLDS, "SESSION_HOLDS", session_beyond_its_certificate},
    {JABI_CHECK_STARTTLS_BUFFER, "STARTTLS_BUFFER", injection_before_the_handshake},
    {JABI_CHECK_REDIRECT_TLS, "REDIRECT_TLS", unproved_redirection},
    {JABI_CHECK_LOCATION_TLS, "LOCATION_TLS", unproved_location},
};

static void every_attack_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
        if (attacks[i].run())
            fail_msg("the attack on %s succeeded", attacks[i].name);
}

static void every_check_is_what_stops_its_attack(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        jabi_check_off = attacks[i].check;
        int succeeded = attacks[i].run();
        jabi_check_off = -1;
        if (!succeeded)
            fail_msg("%s is switched off, and its attack still fails", attacks[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attack_fails),
        cmocka_unit_test(every_check_is_what_stops_its_attack),
    };
    good = net_cert_make("DNS:example.org", "x", -60, 3600, EVP_sha256());
    other = net_cert_make("DNS:other.example", "x", -60, 3600, EVP_sha256());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    net_cert_free(&good);
    net_cert_free(&other);
    return failed;
}
