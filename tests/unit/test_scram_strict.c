/* test_scram_strict.c: every way in which a SCRAM server may break the rules. */
#include "unit_scram.h"

/* -- What a server may not do -- */

/* The answer to this server-first-message. */
static int answer_to(const jabi_sasl_input *in, jab_str first, char error[160])
{
    unit_mem u;
    unit_mem_init(&u, 0);
    unit_sasl t;
    unit_sasl_init(&t, &u.mem, jabi_sasl_find(JAB_STR("SCRAM-SHA-1")), in, NULL);
    unit_sasl_step(&t, first);
    int code = t.code;
    memcpy(error, t.x->error, 160);
    if (code < 0) {
        assert_int_equal(t.out.n, 0);
        assert_true(strlen(error) > 10);
        assert_int_equal(jabi_sasl_step(t.x, first, &t.out), JAB_ESTATE);
        assert_int_equal(jabi_sasl_success(t.x, JAB_STR("")), JAB_ESTATE);
    }
    unit_sasl_fini(&t);
    assert_int_equal(u.live, 0);
    return code;
}

#define N UNIT_NONCE

static void server_first_must_follow_the_grammar(void **state)
{
    (void)state;
    static const jab_str bad[] = {
        {"", 0},
#define BAD(literal) {literal, sizeof(literal) - 1}
        BAD("r=" N "S,s=c2FsdA==,i=4096,"),
        BAD(",r=" N "S,s=c2FsdA==,i=4096"),
        BAD("r=" N "S,,s=c2FsdA==,i=4096"),
        BAD("r=" N "S,s=c2FsdA=="),
        BAD("r=" N "S,i=4096"),
        BAD("s=c2FsdA==,i=4096"),
        BAD("s=c2FsdA==,r=" N "S,i=4096"),
        BAD("r=" N "S,i=4096,s=c2FsdA=="),
        BAD("r=" N "S,x=1,s=c2FsdA==,i=4096"),
        BAD("x=1,r=" N "S,s=c2FsdA==,i=4096"),
        BAD("m=1,r=" N "S,s=c2FsdA==,i=4096"),
        BAD("m=,r=" N "S,s=c2FsdA==,i=4096"),
        BAD("r=" N "S,s=c2FsdA==,i=4096,m=1"),
        BAD("r=" N "S,s=c2FsdA==,i=4096,i=5000"),
        BAD("r=" N "S,s=c2FsdA==,i=4096,x"),
        BAD("r=" N "S,s=c2FsdA==,i=4096,x="),
        BAD("r=" N "S,s=c2FsdA==,i=4096,1=x"),
        BAD("r=" N "S,s=c2FsdA==,i=4096,x=a\0b"),
        BAD("r=" N "S,s=c2FsdA==,i=4096\0"),
        BAD("r=" N "S,s=c2FsdA==,i=4096,x=\xFF"),
        BAD("R=" N "S,s=c2FsdA==,i=4096"),
        BAD(" r=" N "S,s=c2FsdA==,i=4096"),
        BAD("r=" N "S S,s=c2FsdA==,i=4096"),
        BAD("r=" N "\xC3\xA9,s=c2FsdA==,i=4096"),
        BAD("r=" N "S,s=c2FsdA==,i=+4096"),
        BAD("r=" N "S,s=c2FsdA==,i=-4096"),
        BAD("r=" N "S,s=c2FsdA==,i=04096"),
        BAD("r=" N "S,s=c2FsdA==,i= 4096"),
        BAD("r=" N "S,s=c2FsdA==,i=4096 "),
        BAD("r=" N "S,s=c2FsdA==,i=0x4096"),
        BAD("r=" N "S,s=c2FsdA==,i=4096.0"),
        BAD("r=" N "S,s=c2FsdA==,i="),
        BAD("r=" N "S,s=c2FsdA==,i=0"),
        BAD("r=" N "S,s=,i=4096"),
        BAD("r=" N "S,s=c2FsdA,i=4096"),
        BAD("r=" N "S,s=c2FsdB==,i=4096"),
        BAD("r=" N "S,s=c2Fs dA=,i=4096"),
        BAD("r=" N "S,s=====,i=4096"),
        BAD("e=other-error"),
    };
    jabi_sasl_input in = unit_input();
    char error[160];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(answer_to(&in, bad[i], error), JAB_EPROTO);
    assert_int_equal(answer_to(&in, JAB_STR("m=1,r=" N "S,s=c2FsdA==,i=4096"), error), JAB_EPROTO);
    assert_non_null(strstr(error, "unknown extension"));
    assert_int_equal(answer_to(&in, JAB_STR("r=" N "S,s=c2FsdA==,i=4096"), error), 0);
    assert_int_equal(answer_to(&in, JAB_STR("r=" N "S,s=c2FsdA==,i=4096,x=y=z,q=\xC3\xA9"), error),
                     0);
}

static void server_nonce_must_extend_ours(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "r=" N ",s=c2FsdA==,i=4096", "r=X" N ",s=c2FsdA==,i=4096", "r=SERVER,s=c2FsdA==,i=4096",
        "r=aWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlP1,s=c2FsdA==,i=4096", "r=a,s=c2FsdA==,i=4096"};
    jabi_sasl_input in = unit_input();
    char error[160];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(answer_to(&in, jab_cstr(bad[i]), error), JAB_EPROTO);
        assert_string_equal(error, "the server's nonce does not extend ours");
    }
}

static void iterations_are_bounded(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    char error[160];
    assert_int_equal(answer_to(&in, JAB_STR("r=" N "S,s=c2FsdA==,i=4095"), error), JAB_EPROTO);
    assert_string_equal(error,
                        "the server asks for 4095 password iterations, at least 4096 are safe");
    static const char *const many[] = {
        "2000001",    "4294967295",           "4294967296",
        "4294971392", "18446744073709551616", "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) {
        char first[200], want[200];
        snprintf(first, sizeof first, "r=%sS,s=c2FsdA==,i=%s", N, many[i]);
        assert_int_equal(answer_to(&in, jab_cstr(first), error), JAB_EPROTO);
        snprintf(want, sizeof want,
                 "the server asks for %.20s password iterations, the limit is 2000000", many[i]);
        assert_string_equal(error, want);
    }
    in.min_iterations = 10;
    in.max_iterations = 100;
    assert_int_equal(answer_to(&in, JAB_STR("r=" N "S,s=c2FsdA==,i=10"), error), 0);
    assert_int_equal(answer_to(&in, JAB_STR("r=" N "S,s=c2FsdA==,i=100"), error), 0);
    assert_int_equal(answer_to(&in, JAB_STR("r=" N "S,s=c2FsdA==,i=9"), error), JAB_EPROTO);
    assert_int_equal(answer_to(&in, JAB_STR("r=" N "S,s=c2FsdA==,i=101"), error), JAB_EPROTO);
    /* The maximum has priority over a minimum above it. */
    in.min_iterations = 4096;
    assert_int_equal(answer_to(&in, JAB_STR("r=" N "S,s=c2FsdA==,i=4096"), error), JAB_EPROTO);
    assert_non_null(strstr(error, "the limit is 100"));
}

static void salt_has_1_to_1024_bytes(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    char error[160], first[6000], salt[5001];
    memset(salt, 'A', sizeof salt);
    snprintf(first, sizeof first, "r=%sS,s=AA==,i=4096", N);
    assert_int_equal(answer_to(&in, jab_cstr(first), error), 0);
    snprintf(first, sizeof first, "r=%sS,s=%.1364sAA==,i=4096", N, salt);
    assert_int_equal(answer_to(&in, jab_cstr(first), error), 0);
    snprintf(first, sizeof first, "r=%sS,s=%.1364sAAA=,i=4096", N, salt);
    assert_int_equal(answer_to(&in, jab_cstr(first), error), JAB_EPROTO);
    snprintf(first, sizeof first, "r=%sS,s=%.3000s,i=4096", N, salt);
    assert_int_equal(answer_to(&in, jab_cstr(first), error), JAB_EPROTO);
    assert_non_null(strstr(error, "salt"));
    snprintf(first, sizeof first, "r=%sS%.4500s,s=AA==,i=4096", N, salt);
    assert_int_equal(answer_to(&in, jab_cstr(first), error), JAB_EPROTO);
    assert_non_null(strstr(error, "too long"));
}

static void a_bad_password_says_so(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    in.password = JAB_STR("tab\there");
    char error[160];
    assert_int_equal(answer_to(&in, JAB_STR("r=" N "S,s=c2FsdA==,i=4096"), error), JAB_EINVAL);
    assert_non_null(strstr(error, "password"));
}

/* -- The server's proof -- */

static int success_with(jab_str data, char error[160])
{
    scenario c = plain_scenario("SCRAM-SHA-1", "SHA1");
    unit_sasl t;
    unit_server s;
    play(&c, &t, &s, jabi_mem_default());
    int code = jabi_sasl_success(t.x, data);
    memcpy(error, t.x->error, 160);
    assert_int_equal(jabi_sasl_success(t.x, jab_cstr(s.verifier)), JAB_ESTATE);
    unit_sasl_fini(&t);
    return code;
}

static void success_without_the_right_proof_is_failure(void **state)
{
    (void)state;
    char error[160];
    assert_int_equal(success_with((jab_str){NULL, 0}, error), JAB_EPROOF);
    assert_non_null(strstr(error, "without proving"));
    assert_int_equal(success_with(JAB_STR(""), error), JAB_EPROOF);
    static const char *const wrong[] = {
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "v=AAAA", "v=!",
        "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(success_with(jab_cstr(wrong[i]), error), JAB_EPROOF);
        assert_non_null(strstr(error, "proof is wrong"));
    }
    static const char *const malformed[] = {
        "v",          "v=",         "x=1",          "rmF9pqV8S7suAoZWja4dJRkFsKQ=", ",", "v=AAAA,",
        "v=AAAA,m=1", "m=1,v=AAAA", "v=AAAA,v=BBBB"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        assert_int_equal(success_with(jab_cstr(malformed[i]), error), JAB_EPROTO);
}

static void success_before_the_proof_is_failure(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    /* All zeros: what a forgetful implementation would compare with. */
    static const jab_str data[] = {{NULL, 0}, {"v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 30}};
    for (size_t i = 0; i < 4; i++) {
        unit_sasl t;
        unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(JAB_STR("SCRAM-SHA-1")), &in, NULL);
        if (i >= 2)
            assert_int_equal(jabi_sasl_step(t.x, JAB_STR("r=" N "S,s=c2FsdA==,i=1000000"), &t.out),
                             JABI_SASL_WORK);
        assert_int_equal(jabi_sasl_success(t.x, data[i % 2]), JAB_EPROOF);
        assert_int_equal(jabi_sasl_work(t.x, &t.out), JAB_ESTATE);
        unit_sasl_fini(&t);
    }
}

static void server_errors_are_told_in_words(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"e=invalid-proof", "wrong password"},
        {"e=unknown-user", "no such user"},
        {"e=channel-bindings-dont-match", "in between"},
        {"e=server-does-support-channel-binding", "in between"},
        {"e=other-error", "other-error"},
        {"e=\x1b[31mred,x=1", "other-error"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scenario c = plain_scenario("SCRAM-SHA-1", "SHA1");
        unit_sasl t;
        unit_server s;
        play(&c, &t, &s, jabi_mem_default());
        unit_sasl_step(&t, jab_cstr(rows[i][0]));
        assert_int_equal(t.code, JAB_EAUTH);
        assert_non_null(strstr(t.x->error, rows[i][1]));
        unit_sasl_fini(&t);
    }
}

static void the_proof_may_come_in_a_challenge(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        scenario c = plain_scenario("SCRAM-SHA-1", "SHA1");
        unit_sasl t;
        unit_server s;
        play(&c, &t, &s, jabi_mem_default());
        unit_sasl_step(&t, jab_cstr(s.verifier));
        assert_int_equal(t.code, JABI_SASL_SEND);
        assert_int_equal(t.out.n, 0);
        if (i == 0)
            assert_int_equal(jabi_sasl_success(t.x, (jab_str){NULL, 0}), 0);
        if (i == 1)
            assert_int_equal(jabi_sasl_success(t.x, jab_cstr(s.verifier)), 0);
        if (i == 2)
            assert_int_equal(jabi_sasl_success(t.x, JAB_STR("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")),
                             JAB_EPROOF);
        if (i == 3) {
            unit_sasl_step(&t, jab_cstr(s.verifier));
            assert_int_equal(t.code, JAB_EPROTO);
        }
        unit_sasl_fini(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_first_must_follow_the_grammar),
        cmocka_unit_test(server_nonce_must_extend_ours),
        cmocka_unit_test(iterations_are_bounded),
        cmocka_unit_test(salt_has_1_to_1024_bytes),
        cmocka_unit_test(a_bad_password_says_so),
        cmocka_unit_test(success_without_the_right_proof_is_failure),
        cmocka_unit_test(success_before_the_proof_is_failure),
        cmocka_unit_test(server_errors_are_told_in_words),
        cmocka_unit_test(the_proof_may_come_in_a_challenge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
