/* test_scram.c: SCRAM by the RFCs' examples, by a server of the test's own,
 * and against every way in which a server may break the rules. */
#include "unit_sasl.h"

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

/* One log-in as the server sees it. */
typedef struct scenario {
    const char *mech, *md;
    jabi_sasl_input in;
    const char *bare;    /* client-first-message-bare that must come */
    const char *header;  /* gs2-header that must come */
    const char *binding; /* base64 of header and channel data */
    const char *password;
    int iterations;
    jabi_sasl_cache *cache;
    int slices; /* out: of work */
} scenario;

#define SALT      "saltsalt"
#define SALT_TEXT "c2FsdHNhbHQ="

/* Plays the scenario up to the client's proof, which must be right. */
static void play(scenario *c, unit_sasl *t, unit_server *s, const jab_mem *mem)
{
    char text[2048];
    unit_sasl_init(t, mem, jabi_sasl_find(jab_cstr(c->mech)), &c->in, c->cache);
    assert_int_equal(t->code, JABI_SASL_SEND);
    snprintf(text, sizeof text, "%s%s", c->header, c->bare);
    assert_str(jabi_buf_str(&t->out), text);

    char first[256], final[1024];
    snprintf(first, sizeof first, "r=%sSERVER,s=%s,i=%d,x=later", UNIT_NONCE, SALT_TEXT,
             c->iterations);
    snprintf(final, sizeof final, "c=%s,r=%sSERVER", c->binding, UNIT_NONCE);
    *s = (unit_server){EVP_get_digestbyname(c->md), c->password, SALT, c->iterations, "", "", ""};
    snprintf(s->auth_message, sizeof s->auth_message, "%s,%s,%s", c->bare, first, final);
    unit_server_compute(s);

    c->slices = unit_sasl_step(t, jab_cstr(first));
    assert_int_equal(t->code, JABI_SASL_SEND);
    snprintf(text, sizeof text, "%s,p=%s", final, s->proof);
    assert_str(jabi_buf_str(&t->out), text);
}

static scenario plain_scenario(const char *mech, const char *md)
{
    return (scenario){.mech = mech,
                      .md = md,
                      .in = unit_input(),
                      .bare = "n=user,r=" UNIT_NONCE,
                      .header = "n,,",
                      .binding = "biws",
                      .password = "pencil",
                      .iterations = 4096};
}

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

/* -- Memory -- */

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
        cmocka_unit_test(server_first_must_follow_the_grammar),
        cmocka_unit_test(server_nonce_must_extend_ours),
        cmocka_unit_test(iterations_are_bounded),
        cmocka_unit_test(salt_has_1_to_1024_bytes),
        cmocka_unit_test(a_bad_password_says_so),
        cmocka_unit_test(success_without_the_right_proof_is_failure),
        cmocka_unit_test(success_before_the_proof_is_failure),
        cmocka_unit_test(server_errors_are_told_in_words),
        cmocka_unit_test(the_proof_may_come_in_a_challenge),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
