/* test_net_resolve.c: look-ups against a name server of our own. */
#include "unit.h"

#include "base/system.h"
#include "net/resolve.h"
#include "net_dns.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define XMPPS        "_xmpps-client._tcp.example.org"
#define XMPP         "_xmpp-client._tcp.example.org"

static jabi_targets found;
static jab_fault fault;
static char fault_text[512];

static void note(void *arg)
{
    (void)arg;
}

/* Looks up and waits for the end. */
static int look_up(const net_dns *dns, const char *domain, const char *host, jab_tls_policy tls,
                   int64_t limit)
{
    jab_loop *loop;
    jabi_resolve *r;
    assert_int_equal(jab_loop_new(&loop, NULL), 0);
    jabi_resolve_args args = {.loop = loop,
                              .domain = jab_cstr(domain),
                              .host = jab_cstr(host),
                              .port = host ? 5999 : 0,
                              .tls = tls,
                              .nameserver = jab_cstr(dns->address),
                              .limit = limit,
                              .random = jabi_random_default,
                              .targets = &found,
                              .changed = note};
    assert_int_equal(jabi_resolve_new(&r, &args), 0);
    int64_t until = jabi_now() + 5000;
    while (!jabi_resolve_done(r) && jabi_now() < until)
        assert_int_equal(jabi_loop_turn(loop, 100), 0);
    assert_true(jabi_resolve_done(r));
    fault = *jabi_resolve_fault(r);
    snprintf(fault_text, sizeof fault_text, JAB_FMT, JAB_ARG(fault.text));
    jabi_resolve_free(r);
    jab_loop_free(loop);
    size_t addresses = 0;
    for (size_t i = 0; i < found.n; i++)
        addresses += found.list[i].n;
    return (int)addresses;
}

static void check(size_t target, const char *host, int port, int direct, const char *first)
{
    assert_true(target < found.n);
    const jabi_target *t = &found.list[target];
    char text[JABI_ADDR_TEXT] = "";
    if (t->n)
        jabi_addr_format(&t->ends[0].addr, text);
    assert_string_equal(t->host, host);
    assert_int_equal(t->port, port);
    assert_int_equal(t->direct_tls, direct);
    assert_string_equal(text, first);
}

static const net_record both[] = {
    {XMPPS, DNS_SRV, "a.example.org", 5, 1, 443},   {XMPP, DNS_SRV, "b.example.org", 10, 1, 5222},
    {XMPPS, DNS_SRV, "c.example.org", 20, 1, 5223}, {"a.example.org", DNS_A, "127.0.0.11", 0, 0, 0},
    {"b.example.org", DNS_AAAA, "::1", 0, 0, 0},    {"c.example.org", DNS_A, "127.0.0.13", 0, 0, 0},
    {"example.org", DNS_A, "127.0.0.99", 0, 0, 0},
};

static void both_services_are_one_set(void **state)
{
    (void)state;
    net_dns dns;
    net_dns_start(&dns, both, COUNT(both), 0);
    assert_int_equal(look_up(&dns, "example.org", NULL, JAB_TLS_REQUIRED, 2000), 3);
    assert_int_equal(found.n, 3);
    check(0, "a.example.org", 443, 1, "127.0.0.11:443");
    check(1, "b.example.org", 5222, 0, "[::1]:5222");
    check(2, "c.example.org", 5223, 1, "127.0.0.13:5223");
    net_dns_stop(&dns);
}

static void the_tls_policy_chooses_the_services(void **state)
{
    (void)state;
    net_dns dns;
    net_dns_start(&dns, both, COUNT(both), 0);
    look_up(&dns, "example.org", NULL, JAB_TLS_DIRECT, 2000);
    assert_int_equal(found.n, 2);
    check(0, "a.example.org", 443, 1, "127.0.0.11:443");
    assert_int_equal(dns.asked[DNS_SRV], 1);
    look_up(&dns, "example.org", NULL, JAB_TLS_OFF, 2000);
    assert_int_equal(found.n, 1);
    check(0, "b.example.org", 5222, 0, "[::1]:5222");
    assert_int_equal(dns.asked[DNS_SRV], 2);
    net_dns_stop(&dns);
}

/* RFC 6120 §3.2.2 and XEP-0368 §3: without records, and only then. */
static void without_records_it_is_the_domain_itself(void **state)
{
    (void)state;
    static const net_record plain[] = {{"example.org", DNS_A, "127.0.0.99", 0, 0, 0},
                                       {"example.org", DNS_AAAA, "::1", 0, 0, 0}};
    net_dns dns;
    net_dns_start(&dns, plain, COUNT(plain), 0);
    assert_int_equal(look_up(&dns, "example.org", NULL, JAB_TLS_REQUIRED, 2000), 2);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.list[0].port, 5222);
    assert_int_equal(found.list[0].direct_tls, 0);
    look_up(&dns, "example.org", NULL, JAB_TLS_DIRECT, 2000);
    assert_int_equal(found.list[0].port, 5223);
    assert_int_equal(found.list[0].direct_tls, 1);
    net_dns_stop(&dns);
}

static void records_without_addresses_are_the_end(void **state)
{
    (void)state;
    static const net_record lost[] = {{XMPP, DNS_SRV, "gone.example.org", 5, 1, 5222},
                                      {"example.org", DNS_A, "127.0.0.99", 0, 0, 0}};
    net_dns dns;
    net_dns_start(&dns, lost, COUNT(lost), 0);
    assert_int_equal(look_up(&dns, "example.org", NULL, JAB_TLS_REQUIRED, 2000), 0);
    assert_int_equal(fault.code, JAB_EDNS);
    assert_non_null(strstr(fault_text, "SRV"));
    net_dns_stop(&dns);
}

static void a_dot_says_no_service_and_ends_the_search(void **state)
{
    (void)state;
    static const net_record zones[][3] = {
        {{XMPPS, DNS_SRV, "", 0, 0, 0},
         {XMPP, DNS_SRV, "", 0, 0, 0},
         {"example.org", DNS_A, "127.0.0.99", 0, 0, 0}},
        {{XMPP, DNS_SRV, "", 0, 0, 0},
         {"example.org", DNS_A, "127.0.0.99", 0, 0, 0},
         {"example.org", DNS_AAAA, "::1", 0, 0, 0}},
    };
    for (size_t i = 0; i < COUNT(zones); i++) {
        net_dns dns;
        net_dns_start(&dns, zones[i], 3, 0);
        assert_int_equal(look_up(&dns, "example.org", NULL, JAB_TLS_REQUIRED, 2000), 0);
        assert_int_equal(fault.code, JAB_EDNS);
        assert_int_equal(fault.stage, JAB_AT_DNS);
        assert_non_null(strstr(fault_text, "no XMPP service"));
        assert_int_equal(dns.asked[DNS_A] + dns.asked[DNS_AAAA], 0);
        net_dns_stop(&dns);
    }
}

static void an_unknown_domain_is_said_to_be_one(void **state)
{
    (void)state;
    static const net_record none[1] = {{"x", DNS_A, "127.0.0.1", 0, 0, 0}};
    net_dns dns;
    net_dns_start(&dns, none, 1, 0);
    assert_int_equal(look_up(&dns, "nosuch.example", NULL, JAB_TLS_REQUIRED, 2000), 0);
    assert_int_equal(fault.code, JAB_EDNS);
    assert_string_equal(fault_text, "no such domain: nosuch.example (no SRV, A or AAAA record)");
    assert_int_equal(look_up(&dns, "example.org", "nosuch.example", JAB_TLS_REQUIRED, 2000), 0);
    assert_string_equal(fault_text, "no such host: nosuch.example (no A or AAAA record)");
    assert_int_equal(dns.asked[DNS_SRV], 2); /* a configured host asks for no SRV */
    net_dns_stop(&dns);
    net_dns_start(&dns, NULL, 0, 2);
    assert_int_equal(look_up(&dns, "example.org", NULL, JAB_TLS_REQUIRED, 2000), 0);
    assert_int_equal(fault.code, JAB_EDNS);
    net_dns_stop(&dns);
}

static void a_silent_name_server_costs_bounded_time(void **state)
{
    (void)state;
    net_dns dns;
    net_dns_start(&dns, NULL, 0, 0);
    int64_t began = jabi_now();
    assert_int_equal(look_up(&dns, "example.org", NULL, JAB_TLS_REQUIRED, 300), 0);
    assert_in_range(jabi_now() - began, 290, 900);
    assert_int_equal(fault.code, JAB_ETIMEOUT);
    assert_int_equal(fault.stage, JAB_AT_DNS);
    assert_non_null(strstr(fault_text, "example.org"));
    net_dns_stop(&dns);
}

static void addresses_and_localhost_ask_nobody(void **state)
{
    (void)state;
    static const net_record none[1] = {{"x", DNS_A, "127.0.0.1", 0, 0, 0}};
    net_dns dns;
    net_dns_start(&dns, none, 1, 0);
    assert_int_equal(look_up(&dns, "sha1.localhost", NULL, JAB_TLS_REQUIRED, 2000), 2);
    check(0, "sha1.localhost", 5222, 0, "[::1]:5222");
    assert_int_equal(look_up(&dns, "192.0.2.1", NULL, JAB_TLS_DIRECT, 2000), 1);
    check(0, "192.0.2.1", 5223, 1, "192.0.2.1:5223");
    assert_int_equal(look_up(&dns, "example.org", "::1", JAB_TLS_REQUIRED, 2000), 1);
    check(0, "::1", 5999, 0, "[::1]:5999");
    for (size_t i = 0; i < COUNT(dns.asked); i++)
        assert_int_equal(dns.asked[i], 0);
    net_dns_stop(&dns);
}

static void a_flood_of_records_is_capped(void **state)
{
    (void)state;
    static net_record flood[19]; /* as many as fit into a plain answer */
    for (size_t i = 0; i < COUNT(flood); i++)
        flood[i] = (net_record){XMPP, DNS_SRV, "a.b", 1, 1, (uint16_t)(5000 + i)};
    flood[0] = (net_record){"a.b", DNS_A, "127.0.0.1", 0, 0, 0};
    net_dns dns;
    net_dns_start(&dns, flood, COUNT(flood), 0);
    look_up(&dns, "example.org", NULL, JAB_TLS_REQUIRED, 2000);
    assert_int_equal(found.n, JABI_TARGETS_MAX);
    net_dns_stop(&dns);
}

static void nonsense_for_a_name_server_is_refused(void **state)
{
    (void)state;
    jab_loop *loop;
    jabi_resolve *r;
    assert_int_equal(jab_loop_new(&loop, NULL), 0);
    jabi_resolve_args args = {.loop = loop,
                              .domain = JAB_STR("example.org"),
                              .nameserver = JAB_STR("not an address"),
                              .limit = 100,
                              .random = jabi_random_default,
                              .targets = &found,
                              .changed = note};
    assert_int_equal(jabi_resolve_new(&r, &args), JAB_EINVAL);
    assert_null(r);
    jab_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_services_are_one_set),
        cmocka_unit_test(the_tls_policy_chooses_the_services),
        cmocka_unit_test(without_records_it_is_the_domain_itself),
        cmocka_unit_test(records_without_addresses_are_the_end),
        cmocka_unit_test(a_dot_says_no_service_and_ends_the_search),
        cmocka_unit_test(an_unknown_domain_is_said_to_be_one),
        cmocka_unit_test(a_silent_name_server_costs_bounded_time),
        cmocka_unit_test(addresses_and_localhost_ask_nobody),
        cmocka_unit_test(a_flood_of_records_is_capped),
        cmocka_unit_test(nonsense_for_a_name_server_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
