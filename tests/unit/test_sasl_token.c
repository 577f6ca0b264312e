/* test_sasl_token.c: log-in by a token: HT-* (XEP-0484) and OAUTHBEARER (RFC 7628). */
#include "unit_sasl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

/* -- HT-* ---------------------------------------------------------------------- */

typedef struct ht_row {
    const char *name, *md, *binding;
} ht_row;

static const ht_row all_ht[] = {
    {"HT-SHA-512-EXPR", "SHA512", "tls-exporter"},
    {"HT-SHA-256-EXPR", "SHA256", "tls-exporter"},
    {"HT-SHA-512-UNIQ", "SHA512", "tls-unique"},
    {"HT-SHA-256-UNIQ", "SHA256", "tls-unique"},
    {"HT-SHA-512-ENDP", "SHA512", "tls-server-end-point"},
    {"HT-SHA-256-ENDP", "SHA256", "tls-server-end-point"},
    {"HT-SHA-512-NONE", "SHA512", NULL},
    {"HT-SHA-256-NONE", "SHA256", NULL},
};

#define HT_COUNT (sizeof all_ht / sizeof *all_ht)

static const jab_str channel = {"\x01\x00\x02\xff", 4};

static jabi_sasl_input token_input(const ht_row *row)
{
    jabi_sasl_input in = unit_input();
    in.password = (jab_str){NULL, 0};
    in.token = JAB_STR("secret-token:one");
    if (row && row->binding) {
        in.cb_type = jab_cstr(row->binding);
        in.cb_data = channel;
    }
    return in;
}

/* HMAC(token, word || channel), by OpenSSL alone. */
static size_t expect(const ht_row *row, const char *word, uint8_t *out)
{
    uint8_t text[100];
    unsigned n = 0;
    size_t word_n = strlen(word);
    const char *token = "secret-token:one";
    memcpy(text, word, word_n);
    memcpy(text + word_n, channel.p, channel.n);
    assert_non_null(HMAC(EVP_get_digestbyname(row->md), token, (int)strlen(token), text,
                         word_n + (row->binding ? channel.n : 0), out, &n));
    return n;
}

static void ht_agrees_with_an_independent_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < HT_COUNT; i++) {
        uint8_t hash[64];
        jabi_sasl_input in = token_input(&all_ht[i]);
        const jabi_sasl_mech *mech = jabi_sasl_find(jab_cstr(all_ht[i].name));
        unit_sasl t;
        assert_non_null(mech);
        unit_sasl_init(&t, jabi_mem_default(), mech, &in, NULL);
        assert_int_equal(t.code, JABI_SASL_SEND);
        assert_int_equal(t.has_initial, 1);
        size_t n = expect(&all_ht[i], "Initiator", hash);
        assert_int_equal(t.out.n, 5 + n);
        assert_memory_equal(t.out.p, "user\0", 5);
        assert_memory_equal(t.out.p + 5, hash, n);
        expect(&all_ht[i], "Responder", hash);
        assert_int_equal(jabi_sasl_success(t.x, (jab_str){(char *)hash, n}), 0);
        assert_int_equal(t.x->proven, 1);
        unit_sasl_fini(&t);
    }
}

/* Recorded with Prosody 0.12.3 and mod_sasl2_fast. */
static void ht_agrees_with_prosody(void **state)
{
    (void)state;
    static const uint8_t sent[] = {0xf2, 0x82, 0x00, 0x07, 0x67, 0xb4, 0x34, 0xf2, 0xcd, 0x8c, 0x6e,
                                   0x5f, 0xe8, 0x4a, 0xcd, 0xce, 0x36, 0x42, 0x75, 0x8f, 0x24, 0x33,
                                   0xee, 0x5b, 0xcb, 0xd1, 0xab, 0x7e, 0x5e, 0xbd, 0xe7, 0x1f};
    static const uint8_t proof[] = {0x0a, 0x49, 0x47, 0xbe, 0x6a, 0xe0, 0x23, 0xc8,
                                    0x31, 0xfd, 0x6f, 0xe6, 0xf1, 0xd7, 0x34, 0x3c,
                                    0xd5, 0x7e, 0xcf, 0x3a, 0x87, 0xdb, 0x38, 0x70,
                                    0xcf, 0x63, 0x09, 0x9a, 0x7a, 0x8d, 0x1f, 0x94};
    jabi_sasl_input in = token_input(NULL);
    in.username = JAB_STR("alice");
    in.token = JAB_STR("secret-token:fast-fqEnV_Tc9ck-5Y92HPEjBkK-q0IQVq6KVtCo");
    unit_sasl t;
    unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(JAB_STR("HT-SHA-256-NONE")), &in, NULL);
    assert_int_equal(t.out.n, 6 + sizeof sent);
    assert_memory_equal(t.out.p, "alice", 6);
    assert_memory_equal(t.out.p + 6, sent, sizeof sent);
    assert_int_equal(jabi_sasl_success(t.x, (jab_str){(const char *)proof, sizeof proof}), 0);
    unit_sasl_fini(&t);
}

static void ht_is_as_its_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < HT_COUNT; i++) {
        const jabi_sasl_mech *mech = jabi_sasl_find(jab_cstr(all_ht[i].name));
        assert_string_equal(mech->name, all_ht[i].name);
        assert_int_equal(mech->proves_server, 1);
        assert_int_equal(mech->needs_token, 1);
        assert_int_equal(mech->binds_channel, all_ht[i].binding != NULL);
        assert_int_equal(mech->binding != NULL, all_ht[i].binding != NULL);
        if (mech->binding)
            assert_string_equal(mech->binding, all_ht[i].binding);
        assert_int_equal(jabi_sasl_class(mech), 0);
        /* XEP-0484 §6: with a binding before without. */
        if (i > 0)
            assert_true(mech->strength < jabi_sasl_find(jab_cstr(all_ht[i - 1].name))->strength);
    }
    assert_null(jabi_sasl_find(JAB_STR("HT-SHA-1-NONE")));
    assert_null(jabi_sasl_find(JAB_STR("HT-SHA-256")));
}

static void ht_is_never_chosen_from_an_offer(void **state)
{
    (void)state;
    char why[200];
    jab_str offered[] = {JAB_STR("HT-SHA-256-NONE"), JAB_STR("PLAIN")};
    jabi_sasl_input in = token_input(NULL);
    assert_null(jabi_sasl_choose(offered, 2, (jab_str){NULL, 0}, &in, why, sizeof why));
    assert_null(jabi_sasl_choose(offered, 2, JAB_STR("HT-SHA-256-NONE"), &in, why, sizeof why));
}

static int new_code(const char *name, const jabi_sasl_input *in)
{
    jabi_sasl *x;
    int code = jabi_sasl_new(&x, jabi_mem_default(), jabi_sasl_find(jab_cstr(name)), in, NULL);
    jabi_sasl_free(x);
    return code;
}

static void ht_needs_a_token_and_its_own_binding(void **state)
{
    (void)state;
    jabi_sasl_input in = token_input(NULL);
    assert_int_equal(new_code("HT-SHA-256-EXPR", &in), JAB_EINVAL);
    in.cb_type = JAB_STR("tls-exporter");
    assert_int_equal(new_code("HT-SHA-256-EXPR", &in), JAB_EINVAL);
    in.cb_data = channel;
    assert_int_equal(new_code("HT-SHA-256-EXPR", &in), 0);
    assert_int_equal(new_code("HT-SHA-256-ENDP", &in), JAB_EINVAL);
    in.token = (jab_str){NULL, 0};
    in.password = JAB_STR("pencil");
    assert_int_equal(new_code("HT-SHA-256-EXPR", &in), JAB_ENOSECRET);
    assert_int_equal(new_code("HT-SHA-256-NONE", &in), JAB_ENOSECRET);
}

static void ht_sends_no_name_that_would_end_early(void **state)
{
    (void)state;
    static const jab_str bad[] = {{NULL, 0}, {"", 0}, {"a\0b", 3}, {"\xff", 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        jabi_sasl_input in = token_input(NULL);
        in.username = bad[i];
        unit_sasl t;
        unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(JAB_STR("HT-SHA-256-NONE")), &in,
                       NULL);
        assert_int_equal(t.code, JAB_EINVAL);
        assert_int_equal(t.out.n, 0);
        unit_sasl_fini(&t);
    }
}

/* What a server could say in place of its proof. */
static void ht_takes_nothing_but_the_proof(void **state)
{
    (void)state;
    uint8_t proof[64], wrong[65] = {0};
    jabi_sasl_input in = token_input(NULL);
    const ht_row *row = &all_ht[HT_COUNT - 1];
    size_t n = expect(row, "Responder", proof);
    memcpy(wrong, proof, n);
    wrong[n - 1] ^= 1;
    uint8_t mirrored[64];
    expect(row, "Initiator", mirrored);
    const jab_str rows[] = {{NULL, 0},
                            {"", 0},
                            {(char *)wrong, n},
                            {(char *)proof, n - 1},
                            {(char *)proof, 1},
                            {(char *)wrong, n + 1},
                            {(char *)mirrored, n}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unit_sasl t;
        unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(jab_cstr(row->name)), &in, NULL);
        assert_int_equal(jabi_sasl_success(t.x, rows[i]), JAB_EPROOF);
        assert_int_equal(t.x->proven, 0);
        assert_true(t.x->error[0]);
        unit_sasl_fini(&t);
    }
}

static void ht_has_no_challenge(void **state)
{
    (void)state;
    jabi_sasl_input in = token_input(NULL);
    unit_sasl t;
    unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(JAB_STR("HT-SHA-256-NONE")), &in, NULL);
    UNIT_STEP(&t, "more");
    assert_int_equal(t.code, JAB_EPROTO);
    unit_sasl_fini(&t);
}

/* -- OAUTHBEARER --------------------------------------------------------------- */

static jabi_sasl_input bearer_input(void)
{
    jabi_sasl_input in = unit_input();
    in.password = (jab_str){NULL, 0};
    in.bearer = JAB_STR("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
    return in;
}

static void begin_bearer(unit_sasl *t, const jabi_sasl_input *in)
{
    unit_sasl_init(t, jabi_mem_default(), jabi_sasl_find(JAB_STR("OAUTHBEARER")), in, NULL);
}

/* RFC 7628 §4.1, but for host and port, which a bearer token does not need (§3.1). */
static void bearer_sends_what_the_rfc_shows(void **state)
{
    (void)state;
    static const struct {
        const char *username, *authzid, *header;
    } rows[] = {
        {"user", NULL, "n,a=user@example.org,"},
        {"us=er,", NULL, "n,a=us=3Der=2C@example.org,"},
        {"user", "boss@example.org", "n,a=boss@example.org,"},
        {NULL, NULL, "n,,"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        jabi_sasl_input in = bearer_input();
        in.username = jab_cstr(rows[i].username);
        in.authzid = jab_cstr(rows[i].authzid);
        unit_sasl t;
        begin_bearer(&t, &in);
        assert_int_equal(t.code, JABI_SASL_SEND);
        assert_int_equal(t.has_initial, 1);
        snprintf(text, sizeof text,
                 "%s\001auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001",
                 rows[i].header);
        assert_str(jabi_buf_str(&t.out), text);
        assert_int_equal(jabi_sasl_success(t.x, (jab_str){NULL, 0}), 0);
        unit_sasl_fini(&t);
    }
}

static void bearer_sends_nothing_that_would_end_early(void **state)
{
    (void)state;
    static const jab_str tokens[] = {{"a\001b", 3}, {"a b", 3},  {"a\0b", 3},
                                     {"a,b", 3},    {"a\nb", 3}, {"\xc3\xa9", 2}};
    static const jab_str names[] = {{"a\001b", 3}, {"a\0b", 3}, {"\xff", 1}};
    unit_sasl t;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        jabi_sasl_input in = bearer_input();
        in.bearer = tokens[i];
        begin_bearer(&t, &in);
        assert_int_equal(t.code, JAB_EINVAL);
        assert_int_equal(t.out.n, 0);
        unit_sasl_fini(&t);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        jabi_sasl_input in = bearer_input();
        *(i % 2 ? &in.authzid : &in.username) = names[i];
        begin_bearer(&t, &in);
        assert_int_equal(t.code, JAB_EINVAL);
        assert_int_equal(t.out.n, 0);
        unit_sasl_fini(&t);
    }
}

static const struct {
    const char *json, *words;
} refusals[] = {
    /* RFC 7628 §4.3 */
    {"{\"status\":\"invalid_token\",\"scope\":\"example_scope\",\"openid-configuration\":"
     "\"https://example.com/.well-known/openid-config\"}",
     "the access token is wrong, expired or revoked (invalid_token); the scope has to be "
     "example_scope"},
    {" { \"status\" :\t\"insufficient_scope\" } ",
     "the access token is not meant for this (insufficient_scope)"},
    {"{\"status\":\"invalid_request\"}", "the server cannot read what was sent (invalid_request)"},
    {"{\"status\":\"400\"}", "the server refuses the access token (400)"},
    /* What is no status. */
    {"", "the server refuses the access token (no reason is given)"},
    {"status", "the server refuses the access token (no reason is given)"},
    {"{\"status\":", "the server refuses the access token (no reason is given)"},
    {"{\"status\":42,\"a\":\"status\"}",
     "the server refuses the access token (no reason is given)"},
    {"{\"a\":{\"status\":\"invalid_token\"}}",
     "the server refuses the access token (no reason is given)"},
    {"{\"a\":[\"status\",\"x\"],\"status\":\"s\"}", "the server refuses the access token (s)"},
    {"{\"sta\\\"tus\":\"x\"}", "the server refuses the access token (no reason is given)"},
    {"{\"status\":\"a\\\"b\"}", "the server refuses the access token (a\\\"b)"},
    {"{\"status\":\"open", "the server refuses the access token (open)"},
    {"{\"status\":\"\\", "the server refuses the access token (\\)"},
    /* What must not reach a terminal. */
    {"{\"status\":\"\x1b[31mred\xc3\xa9\n\"}", "the server refuses the access token (?[31mred??"
                                               "?)"},
    {"{\"status\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
     "the server refuses the access token (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)"},
};

static void bearer_tells_why_it_is_refused(void **state)
{
    (void)state;
    jabi_sasl_input in = bearer_input();
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        unit_sasl t;
        begin_bearer(&t, &in);
        unit_sasl_step(&t, jab_cstr(refusals[i].json));
        assert_int_equal(t.code, JABI_SASL_SEND);
        assert_str(jabi_buf_str(&t.out), "\001");
        assert_string_equal(t.x->error, refusals[i].words);
        unit_sasl_fini(&t);
    }
}

static void bearer_is_refused_once_and_for_all(void **state)
{
    (void)state;
    jabi_sasl_input in = bearer_input();
    unit_sasl t;
    begin_bearer(&t, &in);
    UNIT_STEP(&t, "{}");
    assert_int_equal(jabi_sasl_success(t.x, (jab_str){NULL, 0}), JAB_EPROTO);
    unit_sasl_fini(&t);
    begin_bearer(&t, &in);
    UNIT_STEP(&t, "{}");
    UNIT_STEP(&t, "{}");
    assert_int_equal(t.code, JAB_EPROTO);
    unit_sasl_fini(&t);
    begin_bearer(&t, &in);
    assert_int_equal(jabi_sasl_success(t.x, JAB_STR("data")), JAB_EPROTO);
    unit_sasl_fini(&t);
}

/* A whole log-in with each allocation failing once. */
static void survive(const char *name, const jabi_sasl_input *in)
{
    size_t at = 0;
    for (int failed = 1; failed;) {
        unit_mem u;
        unit_mem_init(&u, ++at);
        unit_sasl t;
        unit_sasl_init(&t, &u.mem, jabi_sasl_find(jab_cstr(name)), in, NULL);
        failed = u.calls >= at;
        assert_int_equal(t.code, failed ? JAB_ENOMEM : 0);
        if (t.code < 0)
            assert_int_equal(t.out.n, 0);
        unit_sasl_fini(&t);
        assert_int_equal(u.live, 0);
    }
    assert_in_range(at, 3, 30);
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    jabi_sasl_input in = token_input(&all_ht[0]);
    survive("HT-SHA-512-EXPR", &in);
    in = bearer_input();
    survive("OAUTHBEARER", &in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ht_agrees_with_an_independent_server),
        cmocka_unit_test(ht_agrees_with_prosody),
        cmocka_unit_test(ht_is_as_its_table_says),
        cmocka_unit_test(ht_is_never_chosen_from_an_offer),
        cmocka_unit_test(ht_needs_a_token_and_its_own_binding),
        cmocka_unit_test(ht_sends_no_name_that_would_end_early),
        cmocka_unit_test(ht_takes_nothing_but_the_proof),
        cmocka_unit_test(ht_has_no_challenge),
        cmocka_unit_test(bearer_sends_what_the_rfc_shows),
        cmocka_unit_test(bearer_sends_nothing_that_would_end_early),
        cmocka_unit_test(bearer_tells_why_it_is_refused),
        cmocka_unit_test(bearer_is_refused_once_and_for_all),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
