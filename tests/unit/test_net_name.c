/* test_net_name.c: whom a certificate is for, and pins. */
#include "unit.h"

#include "net/tls.h"
#include "net_cert.h"

#define XMPP_ADDR "otherName.1=1.3.6.1.5.5.7.8.5;FORMAT:UTF8,UTF8:"
#define SRV_NAME  "otherName:1.3.6.1.5.5.7.8.7;IA5STRING:"

static void names_are_matched_as_rfc6125_wants(void **state)
{
    (void)state;
    static const struct {
        const char *names, *domain;
        int matches;
    } rows[] = {
        {"DNS:example.org", "example.org", 1},
        {"DNS:EXAMPLE.org", "example.ORG", 1},
        {"DNS:other.example, DNS:example.org", "example.org", 1},
        {"DNS:example.org", "chat.example.org", 0},
        {"DNS:chat.example.org", "example.org", 0},
        {"DNS:*.example.org", "chat.example.org", 1},
        {"DNS:*.example.org", "example.org", 0},
        {"DNS:*.example.org", "a.chat.example.org", 0},
        {"DNS:*.org", "example.org", 0},
        {"DNS:*", "localhost", 0},
        {"DNS:c*.example.org", "chat.example.org", 0},
        {"DNS:chat.*.org", "chat.example.org", 0},
        {"DNS:*.xn--exmple-cua.org", "chat.xn--exmple-cua.org", 1},
        {"DNS:xn--exmple-cua.org", "xn--exmple-cua.org", 1},
        {SRV_NAME "_xmpp-client.example.org", "example.org", 1},
        {SRV_NAME "_xmpp-client.EXAMPLE.org", "example.org", 1},
        {SRV_NAME "_xmpp-server.example.org", "example.org", 0},
        {SRV_NAME "_xmpp-client.example.org", "chat.example.org", 0},
        {SRV_NAME "_xmpp-client.*.org", "example.org", 0},
        {SRV_NAME "_xmpp-client.", "example.org", 0},
        {XMPP_ADDR "example.org", "example.org", 1},
        {XMPP_ADDR "ex\xC3\xA4mple.org", "xn--exmple-cua.org", 1},
        {XMPP_ADDR "*.example.org", "chat.example.org", 0},
        {XMPP_ADDR "other.example", "example.org", 0},
        {"otherName:1.2.3.4;UTF8:example.org", "example.org", 0},
        {"email:example.org", "example.org", 0},
        {"URI:xmpp:example.org", "example.org", 0},
        {NULL, "example.org", 0}, /* the common name says example.org */
        {"IP:192.0.2.1", "192.0.2.1", 1},
        {"IP:192.0.2.1", "192.0.2.2", 0},
        {"IP:2001:db8::1", "[2001:db8::1]", 1},
        {"DNS:192.0.2.1", "192.0.2.1", 0},
        {"IP:192.0.2.1", "example.org", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        net_cert c = net_cert_make(rows[i].names, "example.org", -60, 3600, EVP_sha256());
        if (jabi_cert_matches(c.cert, rows[i].domain) != rows[i].matches)
            fail_msg("%s for %s", rows[i].names ? rows[i].names : "no name", rows[i].domain);
        net_cert_free(&c);
    }
}

/* CVE-2009-2408: "example.org\0.evil.example" is not example.org. */
static void a_nul_in_a_name_matches_nothing(void **state)
{
    (void)state;
    assert_false(jabi_dns_id_matches(JAB_STR("example.org\0.evil.example"), "example.org"));
    assert_false(jabi_dns_id_matches(JAB_STR("example.org\0"), "example.org"));
    assert_false(jabi_dns_id_matches(JAB_STR(""), ""));
}

static void the_names_shown_are_few_and_printable(void **state)
{
    (void)state;
    char out[300];
    net_cert c = net_cert_make("DNS:a.example, DNS:*.b.example, IP:192.0.2.1, DNS:c, DNS:d", "x", 0,
                               60, EVP_sha256());
    jabi_cert_names(c.cert, out, sizeof out);
    assert_string_equal(out, "a.example, *.b.example, 192.0.2.1 and 2 more");
    net_cert_free(&c);
    c = net_cert_make(XMPP_ADDR "a\x1b[2Jb\xC2\x9B", "x", 0, 60, EVP_sha256());
    jabi_cert_names(c.cert, out, sizeof out);
    assert_string_equal(out, "a?[2Jb??");
    char little[8];
    jabi_cert_names(c.cert, little, sizeof little);
    assert_true(strlen(little) < sizeof little);
    net_cert_free(&c);
    c = net_cert_make(NULL, "x", 0, 60, EVP_sha256());
    jabi_cert_names(c.cert, out, sizeof out);
    assert_string_equal(out, "");
    net_cert_free(&c);
}

static void pins_are_hexadecimal_or_base64(void **state)
{
    (void)state;
    static const char *const good[] = {
        "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F",
        ("00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:"
         "10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f"),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    };
    static const char *const bad[] = {
        "",
        "00",
        "0001020304050607",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F00",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=x",
        "g00102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"};
    uint8_t pin[32];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        memset(pin, 0, sizeof pin);
        assert_int_equal(jabi_pin_parse(jab_cstr(good[i]), pin), 0);
        for (int k = 0; k < 32; k++)
            assert_int_equal(pin[k], k);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(jabi_pin_parse(jab_cstr(bad[i]), pin), JAB_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_matched_as_rfc6125_wants),
        cmocka_unit_test(a_nul_in_a_name_matches_nothing),
        cmocka_unit_test(the_names_shown_are_few_and_printable),
        cmocka_unit_test(pins_are_hexadecimal_or_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
