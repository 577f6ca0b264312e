/* test_probe.c: what a probe finds out, at scripted servers on loopback. */
#include "net_dns.h"
#include "probe_peer.h"

static void starttls_and_every_feature(void **state)
{
    (void)state;
    at_server at;
    probe_server(&at, good_cert(), JAB_TLS_REQUIRED,
                 SCRIPT(WITH_TLS, "C:<stream:stream", "S:" FEATURES(ALL_OF_IT), "WAIT"));
    const jab_probe_offer *o = at.a->offer;
    assert_int_equal(at.report->fault.code, 0);
    assert_int_equal(at.a->fault.code, 0);
    assert_ptr_equal(at.report->best, at.a);
    assert_non_null(o);
    assert_true(at.a->clear->starttls && at.a->clear->starttls_required);
    assert_int_equal(at.a->clear->mechanisms.n, 0);
    assert_int_equal(o->mechanisms.n, 2);
    assert_str(o->mechanisms.v[0], "SCRAM-SHA-1");
    assert_str(o->mechanisms.v[1], "SCRAM-SHA-256-PLUS");
    assert_int_equal(o->bindings.n, 1);
    assert_str(o->bindings.v[0], "tls-exporter");
    assert_int_equal(o->sasl2.n, 1);
    assert_str(o->upgrades.v[0], "UPGR-SCRAM-SHA-512");
    assert_str(o->fast.v[0], "HT-SHA-256-EXPR");
    assert_str(o->bind2.v[0], "urn:xmpp:csi:0");
    assert_str(o->compression.v[0], "zlib");
    assert_true(o->has_sasl2 && o->has_bindings && o->has_bind2 && o->has_fast);
    assert_true(o->resumes_inline && o->early_data && o->registration);
    assert_true(o->sm && o->csi && o->roster_versions && !o->starttls);
    assert_int_equal(o->max_bytes, 262144);
    assert_int_equal(o->idle_seconds, 0); /* "84O" is no number */
    for (int i = 0; i < 200 && !strstr(at.sv.got, "</stream:stream>"); i++)
        poll(NULL, 0, 10); /* the server's thread has to come to read it */
    probe_end(&at);
    assert_non_null(strstr(at.sv.got, "to='example.org'"));
    assert_non_null(strstr(at.sv.got, "</stream:stream>"));
}

static void direct_tls_and_its_certificate(void **state)
{
    (void)state;
    at_server at;
    probe_server(&at, good_cert(), JAB_TLS_DIRECT,
                 SCRIPT("TLS", "C:<stream:stream", "S:" FEATURES(SCRAM), "WAIT"));
    const jab_probe_tls *tls = at.a->tls;
    assert_int_equal(at.a->fault.code, 0);
    assert_int_equal(tls->version, 13);
    assert_str(tls->alpn, "xmpp-client");
    assert_true(tls->exporter && tls->end_point && !tls->unique);
    assert_str(tls->cert.issuer, "example.org");
    assert_str(tls->cert.names, "example.org");
    assert_int_equal(tls->cert.key_sha256.n, 64);
    assert_true(tls->cert.trusted && tls->cert.matches && tls->cert.pinned);
    assert_int_equal((tls->cert.until - (int64_t)time(NULL) * 1000) / 86400000, 61);
    assert_null(at.a->clear);
    assert_false(at.a->offer->has_sasl2 || at.a->offer->has_bindings);
    assert_int_equal(at.a->family, 4);
    probe_end(&at);
    assert_string_equal(at.sv.sni, "example.org");
    assert_int_equal(at.sv.client_cert, 0);
}

static void a_pinned_key(void **state)
{
    (void)state;
    at_server at;
    probe_server(&at, good_cert(), JAB_TLS_DIRECT,
                 SCRIPT("TLS", "C:<stream:stream", "S:" FEATURES(SCRAM), "WAIT"));
    char key[65];
    snprintf(key, sizeof key, JAB_FMT, JAB_ARG(at.a->tls->cert.key_sha256));
    for (int right = 0; right < 2; right++) {
        if (!right)
            key[0] = key[0] == '0' ? '1' : '0';
        else
            snprintf(key, sizeof key, JAB_FMT, JAB_ARG(at.a->tls->cert.key_sha256));
        at.cfg.pin_sha256 = jab_cstr(key);
        at.sv.connections = 0;
        const jab_probe_report *report;
        jab_probe *p = look(&at.cfg, 0, &report);
        assert_int_equal(report->fault.code, right ? 0 : JAB_ECERT);
        assert_int_equal(only(report)->tls->cert.pinned, right);
        jab_probe_free(p);
    }
    probe_end(&at);
}

static void no_tls_by_policy(void **state)
{
    (void)state;
    at_server at;
    probe_server(&at, good_cert(), JAB_TLS_OFF,
                 SCRIPT("C:<stream:stream", "S:" FEATURES(STARTTLS SCRAM), "WAIT"));
    assert_int_equal(at.a->fault.code, 0);
    assert_null(at.a->tls);
    assert_int_equal(at.a->offer->mechanisms.n, 2);
    assert_true(at.a->offer->starttls);
    probe_end(&at);
}

/* The domain's SRV records lead to a port where nobody is, and to two servers. */
static void records_and_endpoints(void **state)
{
    (void)state;
    net_cert cert = good_cert();
    net_server direct, plain;
    net_server_start(&direct, &cert, TLS1_3_VERSION);
    net_server_start(&plain, &cert, TLS1_3_VERSION);
    const net_script at_once = SCRIPT("TLS", "C:<stream:stream", "S:" FEATURES(SCRAM), "WAIT");
    const net_script later = SCRIPT(WITH_TLS, "C:<stream:stream", "S:" FEATURES(ALL_OF_IT), "WAIT");
    for (int i = 1; i < 8; i++) {
        direct.scripts[i] = at_once;
        plain.scripts[i] = later;
    }
    const net_record records[] = {
        {"_xmpps-client._tcp.example.org", DNS_SRV, "a.example.org", 5, 0, direct.port},
        {"_xmpps-client._tcp.example.org", DNS_SRV, "a.example.org", 1, 0, 1},
        {"_xmpp-client._tcp.example.org", DNS_SRV, "b.example.org", 10, 3, plain.port},
        {"a.example.org", DNS_A, "127.0.0.1", 0, 0, 0},
        {"b.example.org", DNS_A, "127.0.0.1", 0, 0, 0},
    };
    net_dns dns;
    net_dns_start(&dns, records, 5, 0);
    for (unsigned all = 0; all < 2; all++) {
        jab_config cfg = {.size = sizeof cfg,
                          .jid = JAB_STR("example.org"),
                          .ca_file = jab_cstr(cert.file),
                          .nameserver = jab_cstr(dns.address),
                          .connect_timeout = 8000};
        const jab_probe_report *report;
        direct.connections = plain.connections = 0;
        jab_probe *p = look(&cfg, all ? JAB_PROBE_ALL : 0, &report);
        const jab_probe_dns *d = &report->dns;
        assert_int_equal(report->fault.code, 0);
        assert_int_equal(d->direct, JAB_PROBE_SOME);
        assert_int_equal(d->starttls, JAB_PROBE_SOME);
        assert_int_equal(d->n, 3);
        assert_int_equal(d->records[0].port, 1);
        assert_int_equal(d->records[2].weight, 3);
        assert_str(d->records[2].host, "b.example.org");
        assert_false(d->records[2].direct_tls);
        assert_int_equal(report->n, 3);
        assert_int_equal(report->targets[0].addresses[0].state, JAB_PROBE_FAILED_TCP);
        assert_str(report->targets[0].addresses[0].words, "connection refused");
        assert_false(report->targets[0].addresses[0].is_local);
        const jab_probe_address *first = &report->targets[1].addresses[0];
        const jab_probe_address *second = &report->targets[2].addresses[0];
        assert_ptr_equal(report->best, first);
        assert_str(first->tls->alpn, "xmpp-client");
        assert_int_equal(second->state, JAB_PROBE_CONNECTED);
        assert_int_equal(second->checked, all);
        assert_int_equal(second->offer != NULL, all);
        jab_probe_free(p);
    }
    net_dns_stop(&dns);
    net_server_stop(&direct);
    net_server_stop(&plain);
    net_cert_free(&cert);
}

static void names_that_lead_nowhere(void **state)
{
    (void)state;
    static const net_record refused[] = {{"_xmpp-client._tcp.example.org", DNS_SRV, "", 0, 0, 0}};
    static const net_record no_address[] = {{"example.org", DNS_AAAA + 1, "", 0, 0, 0}};
    static const struct row {
        const net_record *records;
        size_t n;
        int rcode, code, no_such_name;
        jab_probe_answer starttls;
    } rows[] = {
        {refused, 0, 0, JAB_EDNS, 1, JAB_PROBE_NONE},
        {refused, 1, 0, JAB_EDNS, 0, JAB_PROBE_REFUSED},
        {no_address, 1, 0, JAB_EDNS, 0, JAB_PROBE_NONE},
        {NULL, 0, 2, JAB_EDNS, 0, JAB_PROBE_FAILED},
        {NULL, 0, 0, JAB_ETIMEOUT, 0, JAB_PROBE_FAILED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        net_dns dns;
        net_dns_start(&dns, rows[i].records, rows[i].n, rows[i].rcode);
        const jab_config cfg = {.size = sizeof cfg,
                                .jid = JAB_STR("example.org"),
                                .nameserver = jab_cstr(dns.address),
                                .connect_timeout = 500};
        const jab_probe_report *report;
        jab_probe *p = look(&cfg, 0, &report);
        assert_int_equal(report->fault.code, rows[i].code);
        assert_int_equal(report->fault.stage, JAB_AT_DNS);
        assert_int_equal(report->dns.no_such_name, rows[i].no_such_name);
        assert_int_equal(report->dns.starttls, rows[i].starttls);
        assert_true(report->fault.text.n > 0);
        assert_null(report->best);
        jab_probe_free(p);
        net_dns_stop(&dns);
    }
}

static void nobody_listens(void **state)
{
    (void)state;
    jab_config cfg = net_config(1, NULL);
    cfg.host = JAB_STR("localhost");
    const jab_probe_report *report;
    jab_probe *p = look(&cfg, 0, &report);
    assert_int_equal(report->fault.code, JAB_ECONNECT);
    assert_int_equal(report->fault.stage, JAB_AT_TCP);
    assert_true(has(report->fault.text, "127.0.0.1:1 connection refused"));
    assert_int_equal(report->dns.direct, JAB_PROBE_UNASKED);
    assert_false(report->dns.fallback);
    jab_probe_free(p);
}

/* The proxy gets the server's name, and nothing but TLS and the stream goes through. */
static void through_a_proxy(void **state)
{
    (void)state;
    at_server at;
    probe_server(&at, good_cert(), JAB_TLS_OFF, SCRIPT("C:<stream:stream"));
    const net_script script =
        SCRIPT("C:CONNECT chat.example.org:5299", "C:\r\n\r\n", "S:HTTP/1.1 200 OK\r\n\r\n", "TLS",
               "C:<stream:stream", "S:" FEATURES(SCRAM), "WAIT");
    const net_script refusal =
        SCRIPT("C:CONNECT", "C:\r\n\r\n", "S:HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", (unsigned)at.sv.port);
    at.cfg.proxy = jab_cstr(proxy);
    at.may_name = 1;
    at.cfg.host = JAB_STR("chat.example.org");
    at.cfg.port = 5299;
    at.cfg.tls = JAB_TLS_DIRECT;
    for (int well = 1; well >= 0; well--) {
        for (int i = 1; i < 8; i++)
            at.sv.scripts[i] = well ? script : refusal;
        at.sv.connections = 0;
        const jab_probe_report *report;
        jab_probe *p = look(&at.cfg, 0, &report);
        assert_true(report->proxied);
        assert_str(report->targets[0].host, "chat.example.org");
        assert_int_equal(report->targets[0].port, 5299);
        assert_int_equal(only(report)->state, JAB_PROBE_CONNECTED);
        assert_int_equal(report->fault.code, well ? 0 : JAB_ECONNECT);
        assert_int_equal(report->fault.stage, well ? JAB_AT_NONE : JAB_AT_TCP);
        if (well)
            assert_int_equal(only(report)->offer->mechanisms.n, 2);
        else
            assert_true(has(report->fault.text, "403"));
        jab_probe_free(p);
    }
    probe_end(&at);
}

/* One probe by SRV and TLSA records that a resolver has validated. `matches` 0: another key's. */
static jab_probe *look_with_dane(net_server *sv, const net_cert *cert, int records, int matches,
                                 int level, const jab_probe_report **report)
{
    char name[64];
    unsigned char tlsa[35] = {3, 1, 1}, *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->cert), &der);
    EVP_Digest(der, (size_t)n, tlsa + 3, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    tlsa[34] ^= !matches;
    snprintf(name, sizeof name, "_%u._tcp.host.example.net", (unsigned)sv->port);
    const net_record zone[] = {
        {"_xmpps-client._tcp.example.org", DNS_SRV, "host.example.net", 0, 0, sv->port},
        {"host.example.net", DNS_A, "127.0.0.1", 0, 0, 0},
        {name, DNS_TLSA, (const char *)tlsa, 0, 0, sizeof tlsa},
    };
    net_dns dns;
    net_dns_start(&dns, zone, records ? 3 : 2, 0);
    dns.secure = 1;
    jab_config cfg = net_config(0, NULL);
    cfg.host = (jab_str){NULL, 0};
    cfg.nameserver = jab_cstr(dns.address);
    cfg.dane = level;
    cfg.connect_timeout = 8000;
    sv->connections = 0;
    jab_probe *p = look(&cfg, 0, report);
    net_dns_stop(&dns);
    return p;
}

/* RFC 7671: who is known by its key needs no authority and no name; and no other will do. */
static void what_dnssec_vouches_for(void **state)
{
    (void)state;
    static const struct row {
        int records, matches, level, code, by_dane;
    } rows[] = {
        {1, 1, 1, 0, 1},
        {1, 0, 1, JAB_ECERT, 0},
        {1, 1, 0, JAB_ECERT, 0},
        {0, 0, 2, JAB_EDNS, 0}, /* nothing is connected to */
    };
    net_cert cert = net_cert_make("DNS:other.example", "own", -60, 3600, EVP_sha256());
    net_server sv;
    net_server_start(&sv, &cert, TLS1_3_VERSION);
    const net_script script = SCRIPT("TLS", "C:<stream:stream", "S:" FEATURES(SCRAM), "WAIT");
    for (int i = 1; i < 8; i++)
        sv.scripts[i] = script;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        const jab_probe_report *report;
        jab_probe *p = look_with_dane(&sv, &cert, row->records, row->matches, row->level, &report);
        assert_int_equal(report->fault.code, row->code);
        if (row->records) {
            const jab_probe_cert *facts = &only(report)->tls->cert;
            assert_int_equal(facts->by_dane, row->by_dane);
            assert_int_equal(facts->tlsa, row->level ? 1 : 0);
            assert_int_equal(facts->trusted && facts->matches, row->by_dane);
        }
        jab_probe_free(p);
    }
    net_server_stop(&sv);
    net_cert_free(&cert);
}

static void settings_that_make_no_sense(void **state)
{
    (void)state;
    jab_probe *p;
    jab_config cfg = net_config(1, NULL);
    cfg.jid = JAB_STR("@@");
    assert_int_equal(jab_probe_new(&p, &cfg, 0), JAB_EJID);
    assert_null(p);
    cfg = net_config(1, "/nonexistent");
    assert_int_equal(jab_probe_new(&p, &cfg, 0), JAB_ETLS);
    cfg = net_config(1, NULL);
    cfg.pin_sha256 = JAB_STR("no pin");
    assert_int_equal(jab_probe_new(&p, &cfg, 0), JAB_EINVAL);
    cfg = net_config(1, NULL);
    cfg.proxy = JAB_STR("gopher://127.0.0.1:70");
    assert_int_equal(jab_probe_new(&p, &cfg, 0), JAB_EINVAL);
    assert_int_equal(jab_probe_new(&p, NULL, 0), JAB_EINVAL);
    jab_probe_free(NULL);
}

/* One probe whose allocation number `at` fails. Returns 1 when none did. */
static int with_failure(net_server *sv, jab_config cfg, size_t at, int *failures)
{
    unit_mem mem;
    unit_mem_init(&mem, at);
    cfg.mem = &mem.mem;
    sv->connections = 0;
    jab_probe *p = NULL;
    int err = jab_probe_new(&p, &cfg, 0);
    if (err == 0)
        err = jab_probe_wait(p, 5000);
    int well = err == 1 && jab_probe_result(p)->fault.code == 0;
    if (well)
        assert_int_equal(jab_probe_result(p)->best->offer->mechanisms.n, 2);
    else
        assert_true(err == JAB_ENOMEM || err == 1);
    *failures += !well;
    jab_probe_free(p);
    assert_int_equal(mem.live, 0);
    return well && mem.calls < at;
}

/* Every allocation fails once: an error, nothing lost, and no half report. */
static void out_of_memory(void **state)
{
    (void)state;
    net_cert cert = good_cert();
    net_server sv;
    net_server_start(&sv, &cert, TLS1_3_VERSION);
    const net_script scripts[] = {
        SCRIPT("C:<stream:stream", "S:" FEATURES(ALL_OF_IT)),
        SCRIPT("TLS", "C:<stream:stream", "S:" FEATURES(ALL_OF_IT)),
    };
    for (int tls = 0; tls < 2; tls++) {
        jab_config cfg = net_config(sv.port, cert.file);
        cfg.tls = tls ? JAB_TLS_DIRECT : JAB_TLS_OFF;
        for (int i = 1; i < 8; i++)
            sv.scripts[i] = scripts[tls];
        int failures = 0, whole = 0;
        for (size_t at = 1; !whole && at < 400; at++)
            whole = with_failure(&sv, cfg, at, &failures);
        assert_true(whole);
        assert_true(failures > 5);
    }
    net_server_stop(&sv);
    net_cert_free(&cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starttls_and_every_feature),
        cmocka_unit_test(direct_tls_and_its_certificate),
        cmocka_unit_test(a_pinned_key),
        cmocka_unit_test(no_tls_by_policy),
        cmocka_unit_test(records_and_endpoints),
        cmocka_unit_test(names_that_lead_nowhere),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(through_a_proxy),
        cmocka_unit_test(what_dnssec_vouches_for),
        cmocka_unit_test(settings_that_make_no_sense),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
