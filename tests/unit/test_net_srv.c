/* test_net_srv.c: the order of SRV targets, and what no records mean. */
#include "unit.h"

#include "net/addr.h"
#include "net/retry.h"
#include "net/srv.h"
#include "net/timer.h"

/* A small generator with a known seed: the draw has to be fair, not secret. */
static int dice(void *arg, void *p, size_t n)
{
    uint64_t *seed = arg;
    for (size_t i = 0; i < n; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        ((unsigned char *)p)[i] = (unsigned char)(*seed >> 56);
    }
    return 0;
}

static int no_dice(void *arg, void *p, size_t n)
{
    (void)arg;
    (void)p;
    (void)n;
    return -1;
}

static void lower_priorities_come_first_whatever_the_service(void **state)
{
    (void)state;
    uint64_t seed = 1;
    jabi_srv records[] = {
        {"c.example", 5222, 20, 100, 0},
        {"a.example", 443, 5, 0, 1},
        {"b.example", 5222, 10, 1, 0},
        {"d.example", 5223, 30, 9, 1},
    };
    jabi_srv out[JABI_TARGETS_MAX];
    assert_int_equal(jabi_srv_order(records, 4, dice, &seed, out), 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(out[i].host[0], 'a' + i);
    assert_int_equal(out[0].direct_tls, 1);
    assert_int_equal(out[1].direct_tls, 0);
}

/* RFC 2782: a weight of 60 is drawn three times as often as one of 20. */
static void weights_are_honoured(void **state)
{
    (void)state;
    uint64_t seed = 42;
    int first[3] = {0};
    for (int round = 0; round < 20000; round++) {
        jabi_srv records[] = {{"0", 5222, 1, 60, 0}, {"1", 5222, 1, 20, 1}, {"2", 5222, 1, 0, 0}};
        jabi_srv out[JABI_TARGETS_MAX];
        assert_int_equal(jabi_srv_order(records, 3, dice, &seed, out), 3);
        first[out[0].host[0] - '0']++;
    }
    assert_in_range(first[0], 14200, 15500);
    assert_in_range(first[1], 4500, 5500);
    assert_in_range(first[2], 100, 500); /* weight 0: small, but not never */
}

static void useless_records_are_left_out_and_the_rest_is_capped(void **state)
{
    (void)state;
    uint64_t seed = 7;
    static jabi_srv records[JABI_SRV_MAX];
    for (size_t i = 0; i < JABI_SRV_MAX; i++)
        records[i] =
            (jabi_srv){i % 3 ? "x.example" : ".", i % 2 ? 5222 : 0, (uint16_t)(i % 7), 65535, 0};
    jabi_srv out[JABI_TARGETS_MAX];
    size_t n = jabi_srv_order(records, JABI_SRV_MAX, dice, &seed, out);
    assert_int_equal(n, JABI_TARGETS_MAX);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(out[i].host, "x.example");
        assert_int_equal(out[i].port, 5222);
    }
    jabi_srv empty[] = {{"", 5222, 0, 0, 0}, {"y", 0, 0, 0, 0}};
    assert_int_equal(jabi_srv_order(empty, 2, dice, &seed, out), 0);
    assert_int_equal(jabi_srv_order(empty, 0, dice, &seed, out), 0);
}

static void without_randomness_there_is_still_an_order(void **state)
{
    (void)state;
    jabi_srv records[] = {{"b", 1, 2, 9, 0}, {"a", 1, 1, 9, 0}, {"c", 1, 2, 9, 0}};
    jabi_srv out[JABI_TARGETS_MAX];
    assert_int_equal(jabi_srv_order(records, 3, no_dice, NULL, out), 3);
    assert_string_equal(out[0].host, "a");
}

static void answers_decide_what_follows(void **state)
{
    (void)state;
    static const struct {
        jabi_srv_answer direct, starttls;
        jabi_srv_verdict verdict;
    } rows[] = {
        {JABI_SRV_OPEN, JABI_SRV_SOME, JABI_SRV_WAIT},
        {JABI_SRV_SOME, JABI_SRV_OPEN, JABI_SRV_WAIT},
        {JABI_SRV_SOME, JABI_SRV_FAILED, JABI_SRV_USE},
        {JABI_SRV_REFUSED, JABI_SRV_SOME, JABI_SRV_USE},
        {JABI_SRV_NONE, JABI_SRV_NONE, JABI_SRV_FALLBACK},
        {JABI_SRV_FAILED, JABI_SRV_NONE, JABI_SRV_FALLBACK},
        {JABI_SRV_UNASKED, JABI_SRV_NONE, JABI_SRV_FALLBACK},
        {JABI_SRV_REFUSED, JABI_SRV_REFUSED, JABI_SRV_STOP},
        {JABI_SRV_REFUSED, JABI_SRV_NONE, JABI_SRV_STOP},
        {JABI_SRV_NONE, JABI_SRV_REFUSED, JABI_SRV_STOP},
        {JABI_SRV_REFUSED, JABI_SRV_FAILED, JABI_SRV_STOP},
        {JABI_SRV_REFUSED, JABI_SRV_UNASKED, JABI_SRV_STOP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(jabi_srv_judge(rows[i].direct, rows[i].starttls), rows[i].verdict);
}

static void addresses_and_ports_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        int port; /* -1: not acceptable */
    } rows[] = {
        {"example.org", "example.org", 0},
        {"example.org:5269", "example.org", 5269},
        {"[::1]:5222", "::1", 5222},
        {"[::1]", "::1", 0},
        {"::1", "::1", 0},
        {"192.0.2.1:1", "192.0.2.1", 1},
        {"", "", -1},
        {":5222", "", -1},
        {"a:0", "", -1},
        {"a:65536", "", -1},
        {"a:12x", "", -1},
        {"[::1", "", -1},
        {"[]:1", "", -1},
        {"[::1]x", "", -1},
        {"a:", "", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        jab_str host;
        uint16_t port;
        int ok = jabi_host_port(jab_cstr(rows[i].text), &host, &port);
        assert_int_equal(ok, rows[i].port >= 0);
        if (ok) {
            assert_str(host, rows[i].host);
            assert_int_equal(port, rows[i].port);
        }
    }
    jabi_addr a;
    char text[JABI_ADDR_TEXT];
    assert_true(jabi_addr_parse(&a, JAB_STR("[2001:db8::1]"), 5222));
    jabi_addr_format(&a, text);
    assert_string_equal(text, "[2001:db8::1]:5222");
    assert_false(jabi_addr_parse(&a, JAB_STR("1"), 5222));
    assert_false(jabi_addr_parse(&a, JAB_STR("0x7f.1"), 5222));
    assert_false(jabi_addr_parse(&a, JAB_STR("example.org"), 5222));
    assert_true(jabi_is_localhost(JAB_STR("localhost")));
    assert_true(jabi_is_localhost(JAB_STR("sha1.LOCALHOST")));
    assert_true(jabi_is_localhost(JAB_STR("localhost.")));
    assert_false(jabi_is_localhost(JAB_STR("notlocalhost")));
    assert_false(jabi_is_localhost(JAB_STR("localhost.example")));
}

static void reconnect_delays_grow_by_half_within_their_bounds(void **state)
{
    (void)state;
    uint64_t seed = 3;
    int64_t largest[14] = {0};
    for (int round = 0; round < 500; round++) {
        jabi_backoff b = {0};
        int64_t bound = 2000;
        for (int i = 0; i < 14; i++) {
            int64_t delay = jabi_backoff_next(&b, dice, &seed);
            assert_in_range(delay, 0, bound);
            largest[i] = delay > largest[i] ? delay : largest[i];
            bound = bound + bound / 2 > 300000 ? 300000 : bound + bound / 2;
        }
    }
    /* Full jitter uses the whole range. */
    assert_in_range(largest[0], 1900, 2000);
    assert_in_range(largest[1], 2700, 3000);
    assert_in_range(largest[13], 285000, 300000);
    /* RFC 6120 §3.3: only a connection that stood makes the next delay short again. */
    jabi_backoff b = {.tries = 9};
    jabi_backoff_was_online(&b, 59999);
    assert_int_equal(b.tries, 9);
    jabi_backoff_was_online(&b, 60000);
    assert_int_equal(b.tries, 0);
}

static void faults_that_would_repeat_are_not_retried(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *condition;
        int retry;
    } rows[] = {
        {JAB_EAUTH, "not-authorized", 0},
        {JAB_EAUTH, "temporary-auth-failure", 1}, /* the password was not looked at */
        {JAB_EPROOF, NULL, 0},
        {JAB_ECERT, NULL, 0},
        {JAB_EINVAL, NULL, 0},
        {JAB_ESTREAM, "conflict", 0},
        {JAB_ESTREAM, "policy-violation", 0},
        {JAB_ESTREAM, "host-unknown", 0},
        {JAB_ESTREAM, "not-authorized", 0},
        {JAB_ESTREAM, "system-shutdown", 1},
        {JAB_ESTREAM, "conflicting", 1},
        {JAB_ESTORE, NULL, 1}, /* a disk that is full now */
        {JAB_EDNS, NULL, 1},
        {JAB_ETIMEOUT, NULL, 1},
        {JAB_ECONNECT, NULL, 1},
        {JAB_EEOF, NULL, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        jab_fault fault = {.code = rows[i].code, .condition = jab_cstr(rows[i].condition)};
        assert_int_equal(jabi_retry_allowed(&fault), rows[i].retry);
    }
    jab_fault late = {.code = JAB_EEOF, .stage = JAB_AT_SASL};
    assert_false(jabi_other_target_may_help(&late));
    late.stage = JAB_AT_STREAM;
    assert_true(jabi_other_target_may_help(&late));
    assert_true(jabi_fault_rank(JAB_ECERT) > jabi_fault_rank(JAB_ECONNECT));
}

static void timers_come_in_their_order(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static jabi_timer timers[COUNT];
    jabi_timers heap = {NULL};
    uint64_t seed = 11;
    for (int i = 0; i < COUNT; i++) {
        uint16_t at;
        dice(&seed, &at, sizeof at);
        jabi_timer_set(&heap, &timers[i], at);
    }
    for (int i = 0; i < COUNT; i += 3) /* some move, some stop */
        jabi_timer_set(&heap, &timers[i], i % 2 ? JAB_NEVER : i);
    int64_t last = -1;
    int n = 0;
    for (jabi_timer *t; (t = jabi_timers_due(&heap, JAB_NEVER - 1)); n++) {
        assert_true(t->at >= last);
        last = t->at;
        assert_false(t->queued);
    }
    int stopped = 0;
    for (int i = 0; i < COUNT; i += 3)
        stopped += i % 2;
    assert_int_equal(n, COUNT - stopped);
    assert_true(jabi_timers_next(&heap) == JAB_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lower_priorities_come_first_whatever_the_service),
        cmocka_unit_test(weights_are_honoured),
        cmocka_unit_test(useless_records_are_left_out_and_the_rest_is_capped),
        cmocka_unit_test(without_randomness_there_is_still_an_order),
        cmocka_unit_test(answers_decide_what_follows),
        cmocka_unit_test(addresses_and_ports_are_read_strictly),
        cmocka_unit_test(reconnect_delays_grow_by_half_within_their_bounds),
        cmocka_unit_test(faults_that_would_repeat_are_not_retried),
        cmocka_unit_test(timers_come_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
