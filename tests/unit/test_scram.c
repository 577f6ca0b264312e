/* test_scram.c: SCRAM by the RFCs' examples and by a server of the test's own. */
#include "unit_scram.h"

#include "sasl/pbkdf2.h"
#include "sasl/scram.h"

#include <stdio.h>

/* -- The RFCs' examples, to the byte -- */

static int start_rfc5802(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    *has_initial = 1;
    return jabi_scram_begin(x, JAB_STR("fyko+d2lbbFgONRv9qkxdawL"), out);
}

static int start_rfc7677(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    *has_initial = 1;
    return jabi_scram_begin(x, JAB_STR("rOprNGfwEbeRWgbNEkqO"), out);
}

static void rfc5802_section_5_example(void **state)
{
    (void)state;
    jabi_sasl_mech mech = *jabi_sasl_find(JAB_STR("SCRAM-SHA-1"));
    mech.start = start_rfc5802;
    jabi_sasl_input in = unit_input();
    unit_sasl t;
    unit_sasl_init(&t, jabi_mem_default(), &mech, &in, NULL);
    assert_int_equal(t.code, JABI_SASL_SEND);
    assert_int_equal(t.has_initial, 1);
    assert_str(jabi_buf_str(&t.out), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    UNIT_STEP(&t, "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
    assert_int_equal(t.code, JABI_SASL_SEND);
    assert_str(jabi_buf_str(&t.out), "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                                     "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
    assert_int_equal(jabi_sasl_success(t.x, JAB_STR("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")), 0);
    unit_sasl_fini(&t);
}

static void rfc7677_section_3_example(void **state)
{
    (void)state;
    jabi_sasl_mech mech = *jabi_sasl_find(JAB_STR("SCRAM-SHA-256"));
    mech.start = start_rfc7677;
    jabi_sasl_input in = unit_input();
    unit_sasl t;
    unit_sasl_init(&t, jabi_mem_default(), &mech, &in, NULL);
    assert_str(jabi_buf_str(&t.out), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    UNIT_STEP(&t, "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                  "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    assert_str(jabi_buf_str(&t.out), "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                     "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    assert_int_equal(
        jabi_sasl_success(t.x, JAB_STR("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")), 0);
    unit_sasl_fini(&t);
}

/* -- A server of the test's own -- */

static void log_in(scenario *c)
{
    unit_sasl t;
    unit_server s;
    unit_mem u;
    unit_mem_init(&u, 0);
    play(c, &t, &s, &u.mem);
    assert_int_equal(jabi_sasl_success(t.x, jab_cstr(s.verifier)), 0);
    unit_sasl_fini(&t);
    assert_int_equal(u.live, 0);
}

static void every_hash_agrees_with_an_independent_server(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"SCRAM-SHA-1", "SHA1"}, {"SCRAM-SHA-256", "SHA256"}, {"SCRAM-SHA-512", "SHA512"}};
    for (size_t i = 0; i < 3; i++) {
        scenario c = plain_scenario(rows[i][0], rows[i][1]);
        log_in(&c);
    }
}

static void plus_sends_the_binding(void **state)
{
    (void)state;
    static const char *const rows[][5] = {
        {"SCRAM-SHA-256-PLUS", "SHA256", "tls-exporter", "p=tls-exporter,,",
         "cD10bHMtZXhwb3J0ZXIsLAECAwT/"},
        {"SCRAM-SHA-1-PLUS", "SHA1", "tls-unique", "p=tls-unique,,",
         "cD10bHMtdW5pcXVlLCwBAgME/w=="},
        {"SCRAM-SHA-512-PLUS", "SHA512", "tls-server-end-point", "p=tls-server-end-point,,",
         "cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAQIDBP8="},
    };
    for (size_t i = 0; i < 3; i++) {
        scenario c = plain_scenario(rows[i][0], rows[i][1]);
        c.in.cb_type = jab_cstr(rows[i][2]);
        c.in.cb_data = (jab_str){"\x01\x02\x03\x04\xff", 5};
        c.header = rows[i][3];
        c.binding = rows[i][4];
        log_in(&c);
    }
}

static void plus_is_refused_without_a_binding(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    jabi_sasl *x;
    const jabi_sasl_mech *mech = jabi_sasl_find(JAB_STR("SCRAM-SHA-1-PLUS"));
    assert_int_equal(jabi_sasl_new(&x, jabi_mem_default(), mech, &in, NULL), JAB_EINVAL);
    in.cb_type = JAB_STR("tls-exporter");
    assert_int_equal(jabi_sasl_new(&x, jabi_mem_default(), mech, &in, NULL), JAB_EINVAL);
    assert_null(x);
}

static void y_tells_that_binding_was_possible(void **state)
{
    (void)state;
    scenario c = plain_scenario("SCRAM-SHA-1", "SHA1");
    c.in.cb_supported = 1;
    c.header = "y,,";
    c.binding = "eSws";
    log_in(&c);
}

static void authzid_is_in_the_header_and_the_proof(void **state)
{
    (void)state;
    scenario c = plain_scenario("SCRAM-SHA-1", "SHA1");
    c.in.authzid = JAB_STR("boss@example.org");
    c.header = "n,a=boss@example.org,";
    c.binding = "bixhPWJvc3NAZXhhbXBsZS5vcmcs";
    log_in(&c);
    c.in.authzid = JAB_STR("a,b=c");
    c.header = "n,a=a=2Cb=3Dc,";
    c.binding = "bixhPWE9MkNiPTNEYyw=";
    log_in(&c);
}

static void names_are_escaped_and_prepared(void **state)
{
    (void)state;
    static const struct {
        jab_str username, password;
        const char *bare, *prepared;
    } rows[] = {
        {{"a,b=c", 5}, {"p,w=d", 5}, "n=a=2Cb=3Dc,r=" UNIT_NONCE, "p,w=d"},
        /* RFC 4013 §3: "I<U+00AD>X" is "IX", U+2168 is "IX", U+00AA is "a". */
        {{"I\xC2\xADX", 4}, {"\xE2\x85\xA8", 3}, "n=IX,r=" UNIT_NONCE, "IX"},
        {{"\xC2\xAA", 2}, {"a\xC2\xA0z", 4}, "n=a,r=" UNIT_NONCE, "a z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scenario c = plain_scenario("SCRAM-SHA-256", "SHA256");
        c.in.username = rows[i].username;
        c.in.password = rows[i].password;
        c.bare = rows[i].bare;
        c.password = rows[i].prepared;
        log_in(&c);
    }
}

static void names_that_saslprep_prohibits_fail_before_the_first_byte(void **state)
{
    (void)state;
    static const jab_str bad[] = {{"", 0},
                                  {"a\x07", 2},
                                  {"\xD8\xA7"
                                   "1",
                                   3},
                                  {"\xC2\xAD", 2}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        jabi_sasl_input in = unit_input();
        in.username = bad[i];
        unit_sasl t;
        unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(JAB_STR("SCRAM-SHA-1")), &in, NULL);
        assert_int_equal(t.code, JAB_EINVAL);
        assert_non_null(strstr(t.x->error, "user name"));
        assert_int_equal(t.out.n, 0);
        unit_sasl_fini(&t);
    }
}

static int no_random(void *arg, void *p, size_t n)
{
    (void)arg;
    memset(p, 0, n);
    return -1;
}

static void no_randomness_is_an_error(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    in.random = no_random;
    unit_sasl t;
    unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(JAB_STR("SCRAM-SHA-1")), &in, NULL);
    assert_int_equal(t.code, JAB_ECRYPTO);
    assert_int_equal(t.out.n, 0);
    unit_sasl_fini(&t);
}

/* -- Slices and the cache -- */

static void sliced_work_gives_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *mech, *md;
        jabi_hash hash;
    } rows[] = {{"SCRAM-SHA-1", "SHA1", JABI_SHA1},
                {"SCRAM-SHA-256", "SHA256", JABI_SHA256},
                {"SCRAM-SHA-512", "SHA512", JABI_SHA512}};
    for (size_t i = 0; i < 3; i++) {
        int slice = (int)jabi_pbkdf2_slice(rows[i].hash);
        scenario c = plain_scenario(rows[i].mech, rows[i].md);
        c.in.min_iterations = 1;
        static const int extra[] = {0, 1, 2, 12345};
        for (size_t k = 0; k < 4; k++) {
            c.iterations = slice + extra[k];
            log_in(&c);
            assert_int_equal(c.slices, k == 0 ? 0 : (c.iterations - 1 + slice - 1) / slice);
        }
    }
}

static void sliced_work_takes_long_and_empty_keys(void **state)
{
    (void)state;
    char password[300];
    memset(password, 'k', sizeof password);
    static const size_t lengths[] = {0, 1, 63, 64, 65, 127, 128, 129, 300};
    for (size_t i = 0; i < 9; i++) {
        for (int h = JABI_SHA1; h <= JABI_SHA512; h++) {
            uint8_t once[JABI_HASH_MAX];
            jab_str key = {password, lengths[i]};
            jabi_pbkdf2 p = {0};
            assert_int_equal(jabi_pbkdf2_once((jabi_hash)h, key, JAB_STR("NaCl"), 77, once), 0);
            assert_int_equal(jabi_pbkdf2_begin(&p, (jabi_hash)h, key, JAB_STR("NaCl"), 77), 0);
            assert_int_equal(jabi_pbkdf2_work(&p), 0);
            assert_memory_equal(p.sum, once, jabi_hash_size((jabi_hash)h));
            jabi_pbkdf2_fini(&p);
        }
    }
}

static void the_second_log_in_costs_no_work(void **state)
{
    (void)state;
    jabi_sasl_cache *cache = jabi_sasl_cache_new(jabi_mem_default());
    scenario c = plain_scenario("SCRAM-SHA-256", "SHA256");
    c.cache = cache;
    c.iterations = 30000;
    log_in(&c);
    assert_int_equal(c.slices, 3);
    log_in(&c);
    assert_int_equal(c.slices, 0);

    /* Everything that the key depends on is part of it. */
    c.in.password = JAB_STR("pencils");
    c.password = "pencils";
    log_in(&c);
    assert_int_equal(c.slices, 3);
    c.iterations = 30001;
    log_in(&c);
    assert_int_not_equal(c.slices, 0);
    c.mech = "SCRAM-SHA-1";
    c.md = "SHA1";
    log_in(&c);
    assert_int_not_equal(c.slices, 0);
    c.in.username = JAB_STR("other");
    c.bare = "n=other,r=" UNIT_NONCE;
    log_in(&c);
    assert_int_not_equal(c.slices, 0);
    jabi_sasl_cache_free(cache);
}

static void freeing_in_the_middle_of_work_leaks_nothing(void **state)
{
    (void)state;
    unit_mem u;
    unit_mem_init(&u, 0);
    jabi_sasl_input in = unit_input();
    unit_sasl t;
    unit_sasl_init(&t, &u.mem, jabi_sasl_find(JAB_STR("SCRAM-SHA-1")), &in, NULL);
    jab_str first = JAB_STR("r=" UNIT_NONCE "S,s=c2FsdA==,i=2000000");
    assert_int_equal(jabi_sasl_step(t.x, first, &t.out), JABI_SASL_WORK);
    assert_int_equal(jabi_sasl_work(t.x, &t.out), JABI_SASL_WORK);
    unit_sasl_fini(&t);
    assert_int_equal(u.live, 0);
}

/* -- Memory -- */

#define N UNIT_NONCE

/* A whole log-in with a known answer; every error along the way is fine. */
static int log_in_with(const jab_mem *mem, jabi_sasl_cache *cache, const char *verifier)
{
    jabi_sasl_input in = unit_input();
    in.username = JAB_STR("us\xC3\xA9r");
    in.password = JAB_STR("p\xC3\xA9ncil");
    unit_sasl t;
    unit_sasl_init(&t, mem, jabi_sasl_find(JAB_STR("SCRAM-SHA-256")), &in, cache);
    int code = t.code;
    if (code == 0) {
        UNIT_STEP(&t, "r=" N "S,s=" SALT_TEXT ",i=10001");
        code = t.code;
    }
    if (code == 0)
        code = jabi_sasl_success(t.x, jab_cstr(verifier));
    unit_sasl_fini(&t);
    return code;
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    unit_server s = {EVP_sha256(),
                     "p\xC3\xA9ncil",
                     SALT,
                     10001,
                     "n=us\xC3\xA9r,r=" N ",r=" N "S,s=" SALT_TEXT ",i=10001,c=biws,r=" N "S",
                     "",
                     ""};
    unit_server_compute(&s);
    int failed = 1;
    size_t at = 0;
    while (failed) {
        unit_mem u;
        unit_mem_init(&u, ++at);
        jabi_sasl_cache *cache = jabi_sasl_cache_new(&u.mem);
        int code = log_in_with(&u.mem, cache, s.verifier);
        failed = u.calls >= at;
        /* Without a cache one can still log in; all else must be reported. */
        assert_int_equal(code, failed && cache ? JAB_ENOMEM : 0);
        jabi_sasl_cache_free(cache);
        assert_int_equal(u.live, 0);
    }
    assert_in_range(at, 8, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc5802_section_5_example),
        cmocka_unit_test(rfc7677_section_3_example),
        cmocka_unit_test(every_hash_agrees_with_an_independent_server),
        cmocka_unit_test(plus_sends_the_binding),
        cmocka_unit_test(plus_is_refused_without_a_binding),
        cmocka_unit_test(y_tells_that_binding_was_possible),
        cmocka_unit_test(authzid_is_in_the_header_and_the_proof),
        cmocka_unit_test(names_are_escaped_and_prepared),
        cmocka_unit_test(names_that_saslprep_prohibits_fail_before_the_first_byte),
        cmocka_unit_test(no_randomness_is_an_error),
        cmocka_unit_test(sliced_work_gives_the_same),
        cmocka_unit_test(sliced_work_takes_long_and_empty_keys),
        cmocka_unit_test(the_second_log_in_costs_no_work),
        cmocka_unit_test(freeing_in_the_middle_of_work_leaks_nothing),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
