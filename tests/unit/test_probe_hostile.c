/* test_probe_hostile.c: a probe at servers that lie, break off, stall or never end. */
#include "probe_peer.h"

/* What is wrong with a certificate is told, and the rest all the same. */
static void certificates_that_are_not_acceptable(void **state)
{
    (void)state;
    static const struct row {
        const char *names;
        long from, to;
        int own_ca; /* trusted as its own authority */
        int trusted, matches;
        const char *words;
    } rows[] = {
        {"DNS:other.example", -60, 3600, 1, 1, 0, "is for other.example, not for example.org"},
        {"DNS:example.org", -7200, -3600, 1, 0, 1, "expired on "},
        {"DNS:example.org", 3600, 7200, 1, 0, 1, "not valid before"},
        {"DNS:example.org", -60, 3600, 0, 0, 1, "not trusted"},
        {"DNS:\x1b[31m.example", -60, 3600, 1, 1, 0, "certificate is for ?[31m.example"},
        {NULL, -60, 3600, 1, 1, 0, "names no domain"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        net_cert other = good_cert();
        net_cert cert = net_cert_make(row->names, "example.org", row->from, row->to, EVP_sha256());
        if (!row->own_ca)
            rename(other.file, cert.file);
        at_server at;
        probe_server(&at, cert, JAB_TLS_DIRECT,
                     SCRIPT("TLS", "C:<stream:stream", "S:" FEATURES(SCRAM), "WAIT"));
        assert_int_equal(at.report->fault.code, JAB_ECERT);
        assert_int_equal(at.a->fault.code, JAB_ECERT);
        assert_true(has(at.a->fault.text, row->words));
        assert_int_equal(at.a->tls->cert.trusted, row->trusted);
        assert_int_equal(at.a->tls->cert.matches, row->matches);
        assert_int_equal(at.a->offer->mechanisms.n, 2);
        assert_ptr_equal(at.report->best, at.a);
        probe_end(&at);
        net_cert_free(&other);
    }
}

/* The authority's name is anybody's words: letters of all languages, but no controls. */
static void an_issuer_with_controls(void **state)
{
    (void)state;
    at_server at;
    net_cert cert = net_cert_make("DNS:example.org", "a\x1b[31mb\xe9\x9b", -60, 3600, EVP_sha256());
    probe_server(&at, cert, JAB_TLS_DIRECT, SCRIPT("TLS"));
    assert_str(at.a->tls->cert.issuer, "a?[31mb\u00e9??");
    probe_end(&at);
}

/* Servers that break off, lie, or say something else. */
static void servers_that_are_none(void **state)
{
    (void)state;
#define STREAM_ERROR(inside) HEAD "<stream:error>" inside "</stream:error></stream:stream>"
    static const struct row {
        const char *said;
        int code;
        const char *condition, *words;
    } rows[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", JAB_EBADXML, "not-well-formed", "not XML"},
        {"<html xmlns='http://www.w3.org/1999/xhtml'>", JAB_EPROTO, NULL, "not an XMPP stream"},
        {"\x01\x02\xff\xfe garbage", JAB_EBADXML, NULL, "not XML"},
        {"<!DOCTYPE x [<!ENTITY a 'b'>]>", JAB_EBADXML, NULL, "not XML"},
        {"<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>", JAB_EPROTO, NULL,
         "before 1.0"},
        {"<stream:stream from='evil.example' version='1.0' "
         "xmlns:stream='http://etherx.jabber.org/streams'>",
         JAB_EPROTO, NULL, "another domain"},
        {FEATURES(SCRAM), JAB_ENOTLS, NULL, "offers no TLS"},
        {HEAD "<message/>", JAB_EPROTO, NULL, "in place of its features"},
        {HEAD "</stream:stream>", JAB_EEOF, NULL, "closed the stream"},
        {HEAD, JAB_EEOF, NULL, "before it had said"},
        {"", JAB_EEOF, NULL, "without a word"},
        {STREAM_ERROR("<host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                      "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>not here</text>"),
         JAB_ESTREAM, "host-unknown", "not here"},
        {STREAM_ERROR("<see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>b.example"
                      "</see-other-host>"),
         JAB_EREDIRECT, "see-other-host", "b.example"},
        {STREAM_ERROR(""), JAB_ESTREAM, NULL, "ended the stream"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char step[1024];
        snprintf(step, sizeof step, "S:%s", rows[i].said);
        at_server at;
        probe_server(&at, good_cert(), JAB_TLS_REQUIRED, SCRIPT("C:<stream:stream", step));
        assert_int_equal(at.a->fault.code, rows[i].code);
        assert_int_equal(at.report->fault.code, rows[i].code);
        assert_true(has(at.a->fault.text, rows[i].words));
        if (rows[i].condition)
            assert_str(at.a->fault.condition, rows[i].condition);
        assert_null(at.a->offer);
        probe_end(&at);
    }
}

static void starttls_that_is_refused(void **state)
{
    (void)state;
    at_server at;
    probe_server(&at, good_cert(), JAB_TLS_REQUIRED,
                 SCRIPT("C:<stream:stream", "S:" FEATURES(STARTTLS), "C:<starttls",
                        "S:<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"));
    assert_int_equal(at.a->fault.code, JAB_ETLS);
    assert_non_null(at.a->clear);
    assert_null(at.a->tls);
    probe_end(&at);
}

/* CVE-2011-0411's kind: what stands behind <proceed/> in the clear is not what TLS said. */
static void what_is_injected_before_tls_does_not_count(void **state)
{
    (void)state;
    at_server at;
    probe_server(
        &at, good_cert(), JAB_TLS_REQUIRED,
        SCRIPT("C:<stream:stream", "S:" FEATURES(STARTTLS), "C:<starttls",
               "S:" PROCEED FEATURES("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                                     "<mechanism>PLAIN</mechanism></mechanisms>"),
               "TLS", "C:<stream:stream", "S:" FEATURES(SCRAM), "WAIT"));
    assert_int_equal(at.a->fault.code, 0);
    assert_int_equal(at.a->offer->mechanisms.n, 2);
    assert_str(at.a->offer->mechanisms.v[0], "SCRAM-SHA-1");
    probe_end(&at);
}

/* A header, features and blanks without an end, and a list that is too long. */
static void more_than_a_server_may_say(void **state)
{
    (void)state;
    static const char *const before[] = {"S:<stream:stream a='", "S:" HEAD "<stream:features>",
                                         "S:" HEAD};
    static const char *const again[] = {"xxxxxxxxxxxxxxxx", "<x/><y z='1'/>  ", "                "};
    enum { TIMES = 20000 };
    for (size_t i = 0; i < 3; i++) {
        char *much = malloc(TIMES * 16 + 3);
        memcpy(much, "S:", 2);
        for (size_t k = 0; k < TIMES; k++)
            memcpy(much + 2 + 16 * k, again[i], 16);
        much[2 + TIMES * 16] = '\0';
        at_server at;
        probe_server(&at, good_cert(), JAB_TLS_REQUIRED,
                     SCRIPT("C:<stream:stream", before[i], much, "WAIT"));
        assert_int_equal(at.a->fault.code, JAB_ETOOBIG);
        assert_null(at.a->clear);
        assert_true(at.report->took < 3000);
        probe_end(&at);
        free(much);
    }
}

static void lists_are_cut(void **state)
{
    (void)state;
    char step[20000] = "S:" HEAD "<stream:features><mechanisms "
                       "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism/>";
    for (int i = 0; i < 300; i++)
        snprintf(step + strlen(step), sizeof step - strlen(step), "<mechanism>M-%d</mechanism>", i);
    snprintf(step + strlen(step), sizeof step - strlen(step), "</mechanisms></stream:features>");
    at_server at;
    probe_server(&at, good_cert(), JAB_TLS_OFF, SCRIPT("C:<stream:stream", step, "WAIT"));
    assert_int_equal(at.a->offer->mechanisms.n, 32);
    assert_str(at.a->offer->mechanisms.v[0], "M-0"); /* an empty one is none */
    probe_end(&at);
}

/* A server that falls silent at any step: the whole has its time, and not more. */
static void silence(void **state)
{
    (void)state;
    static const struct row {
        const char *steps[6];
        jab_stage stage;
        const char *words;
    } rows[] = {
        {{"WAIT"}, JAB_AT_STREAM, "said nothing in time"},
        {{"C:<stream:stream", "S:" HEAD, "WAIT"}, JAB_AT_STREAM, "did not say in time"},
        {{"C:<stream:stream", "S:" FEATURES(STARTTLS), "C:<starttls", "S:" PROCEED, "WAIT"},
         JAB_AT_TLS,
         "TLS handshake in time"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        net_server sv;
        net_cert cert = good_cert();
        net_server_start(&sv, &cert, TLS1_3_VERSION);
        sv.scripts[1] = rows[i].steps;
        jab_config cfg = net_config(sv.port, cert.file);
        cfg.tls = JAB_TLS_REQUIRED;
        cfg.connect_timeout = 400;
        const jab_probe_report *report;
        jab_probe *p = look(&cfg, 0, &report);
        assert_int_equal(report->fault.code, JAB_ETIMEOUT);
        assert_int_equal(report->fault.stage, rows[i].stage);
        assert_true(has(report->fault.text, rows[i].words));
        assert_in_range(report->took, 350, 3000);
        jab_probe_free(p);
        net_server_stop(&sv);
        net_cert_free(&cert);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_that_are_not_acceptable),
        cmocka_unit_test(an_issuer_with_controls),
        cmocka_unit_test(servers_that_are_none),
        cmocka_unit_test(starttls_that_is_refused),
        cmocka_unit_test(what_is_injected_before_tls_does_not_count),
        cmocka_unit_test(more_than_a_server_may_say),
        cmocka_unit_test(lists_are_cut),
        cmocka_unit_test(silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
