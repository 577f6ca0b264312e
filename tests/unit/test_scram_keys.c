/* test_scram_keys.c: SCRAM by the keys that an earlier log-in left (RFC 5802 §3). */
#include "unit_scram.h"

static const struct {
    const char *mech, *plus, *md;
    jabi_hash hash;
} hashes[] = {{"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SHA1", JABI_SHA1},
              {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SHA256", JABI_SHA256},
              {"SCRAM-SHA-512", "SCRAM-SHA-512-PLUS", "SHA512", JABI_SHA512}};

static void use_keys(scenario *c, const jabi_sasl_keys *keys)
{
    c->in.password = (jab_str){NULL, 0};
    c->in.keys = keys;
    c->in.n_keys = 1;
}

/* A log-in that succeeds; returns what was learnt. */
static jabi_sasl_keys log_in(scenario *c, int by_keys)
{
    unit_sasl t;
    unit_server s;
    unit_mem u;
    unit_mem_init(&u, 0);
    play(c, &t, &s, &u.mem);
    assert_int_equal(t.x->learnt.iterations, 0);
    assert_int_equal(jabi_sasl_success(t.x, jab_cstr(s.verifier)), 0);
    assert_int_equal(t.x->by_keys, by_keys);
    jabi_sasl_keys learnt = t.x->learnt;
    unit_sasl_fini(&t);
    assert_int_equal(u.live, 0);
    return learnt;
}

static scenario scenario_of(size_t i)
{
    return plain_scenario(hashes[i].mech, hashes[i].md);
}

static void what_is_learnt_is_what_the_rfc_defines(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint8_t salted[64], client[64], server[64];
        scenario c = scenario_of(i);
        jabi_sasl_keys k = log_in(&c, 0);
        const EVP_MD *md = EVP_get_digestbyname(hashes[i].md);
        int n = EVP_MD_get_size(md);
        PKCS5_PBKDF2_HMAC("pencil", -1, (const uint8_t *)SALT, 8, 4096, md, n, salted);
        unit_hmac(md, salted, "Client Key", client);
        unit_hmac(md, salted, "Server Key", server);
        assert_int_equal(k.hash, hashes[i].hash);
        assert_int_equal(k.iterations, 4096);
        assert_int_equal(k.salt_n, 8);
        assert_memory_equal(k.salt, SALT, 8);
        assert_memory_equal(k.client_key, client, (size_t)n);
        assert_memory_equal(k.server_key, server, (size_t)n);
    }
}

static void keys_log_in_without_a_password(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        scenario c = scenario_of(i);
        jabi_sasl_keys first = log_in(&c, 0);
        use_keys(&c, &first);
        jabi_sasl_keys second = log_in(&c, 1);
        assert_memory_equal(&first, &second, sizeof first);
        /* RFC 5802 §3: the keys are the same with channel binding. */
        c.mech = hashes[i].plus;
        c.in.cb_type = JAB_STR("tls-exporter");
        c.in.cb_data = (jab_str){"\x01\x02\x03\x04\xff", 5};
        c.header = "p=tls-exporter,,";
        c.binding = "cD10bHMtZXhwb3J0ZXIsLAECAwT/";
        log_in(&c, 1);
    }
}

static void keys_spare_the_computing(void **state)
{
    (void)state;
    scenario c = scenario_of(1);
    c.iterations = 100000;
    jabi_sasl_keys keys = log_in(&c, 0);
    assert_int_not_equal(c.slices, 0);
    c.in.keys = &keys;
    c.in.n_keys = 1;
    log_in(&c, 1);
    assert_int_equal(c.slices, 0);
}

static void the_cache_teaches_as_well(void **state)
{
    (void)state;
    jabi_sasl_cache *cache = jabi_sasl_cache_new(jabi_mem_default());
    scenario c = scenario_of(1);
    c.cache = cache;
    c.iterations = 30000;
    jabi_sasl_keys computed = log_in(&c, 0), cached = log_in(&c, 0);
    assert_int_equal(c.slices, 0);
    assert_int_equal(computed.iterations, 30000);
    assert_memory_equal(&computed, &cached, sizeof computed);
    jabi_sasl_cache_free(cache);
}

/* Keys that are not for what the server asks. */
static void other_keys(const jabi_sasl_keys *good, jabi_sasl_keys out[5])
{
    for (size_t i = 0; i < 5; i++)
        out[i] = *good;
    out[0].iterations++;
    out[1].salt[7] ^= 1;
    out[2].salt_n--;
    out[3].salt_n = 9;
    out[4].hash = JABI_SHA512;
}

#define WORDS "the server changed how it keeps the password: it is needed once more"

static void other_keys_do_not_serve(void **state)
{
    (void)state;
    scenario c = scenario_of(1);
    jabi_sasl_keys good = log_in(&c, 0), rows[5];
    other_keys(&good, rows);
    c.in.keys = rows;
    c.in.n_keys = 5;
    log_in(&c, 0);
    c.in.password = (jab_str){NULL, 0};
    unit_sasl t;
    unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(jab_cstr(c.mech)), &c.in, NULL);
    assert_int_equal(t.code, JABI_SASL_SEND);
    UNIT_STEP(&t, "r=" UNIT_NONCE "S,s=" SALT_TEXT ",i=4096");
    assert_int_equal(t.code, JAB_ENOSECRET);
    assert_string_equal(t.x->error, WORDS);
    assert_int_equal(t.out.n, 0);
    unit_sasl_fini(&t);
}

static void keys_are_found_among_many(void **state)
{
    (void)state;
    scenario c = scenario_of(1);
    jabi_sasl_keys good = log_in(&c, 0), rows[6];
    other_keys(&good, rows);
    rows[5] = good;
    use_keys(&c, rows);
    c.in.n_keys = 6;
    log_in(&c, 1);
}

static int new_code(const char *mech, const jabi_sasl_input *in)
{
    jabi_sasl *x;
    int code = jabi_sasl_new(&x, jabi_mem_default(), jabi_sasl_find(jab_cstr(mech)), in, NULL);
    jabi_sasl_free(x);
    return code;
}

static void keys_are_a_secret_for_their_hash_only(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    jabi_sasl_keys keys = {.hash = JABI_SHA256, .iterations = 4096};
    in.password = (jab_str){NULL, 0};
    assert_int_equal(new_code("SCRAM-SHA-256", &in), JAB_ENOSECRET);
    in.keys = &keys;
    in.n_keys = 1;
    assert_int_equal(new_code("SCRAM-SHA-256", &in), 0);
    assert_int_equal(new_code("SCRAM-SHA-1", &in), JAB_ENOSECRET);
    assert_int_equal(new_code("DIGEST-MD5", &in), JAB_ENOSECRET);
    assert_int_equal(new_code("PLAIN", &in), JAB_ENOSECRET);
    keys.iterations = 0;
    assert_int_equal(new_code("SCRAM-SHA-256", &in), JAB_ENOSECRET);
}

static const char *choose(const char *first, const char *second, const jabi_sasl_input *in)
{
    char why[200];
    const jab_str offered[] = {jab_cstr(first), jab_cstr(second), JAB_STR("PLAIN")};
    const jabi_sasl_mech *mech =
        jabi_sasl_choose(offered, 3, (jab_str){NULL, 0}, in, why, sizeof why);
    return mech ? mech->name : "";
}

static void keys_count_when_choosing(void **state)
{
    (void)state;
    const jabi_sasl_keys keys = {.hash = JABI_SHA256, .iterations = 4096};
    jabi_sasl_input in = unit_input();
    in.keys = &keys;
    in.n_keys = 1;
    /* With the password at hand nothing weaker is taken for the keys' sake. */
    assert_string_equal(choose("SCRAM-SHA-256", "SCRAM-SHA-512", &in), "SCRAM-SHA-512");
    in.password = (jab_str){NULL, 0};
    assert_string_equal(choose("SCRAM-SHA-256", "SCRAM-SHA-1", &in), "SCRAM-SHA-256");
    assert_string_equal(choose("SCRAM-SHA-512", "SCRAM-SHA-256", &in), "SCRAM-SHA-256");
    assert_string_equal(choose("SCRAM-SHA-256", "EXTERNAL", &in), "SCRAM-SHA-256");
    /* A certificate is safer than keys. */
    in.has_client_cert = 1;
    assert_string_equal(choose("SCRAM-SHA-256", "EXTERNAL", &in), "EXTERNAL");
    assert_string_equal(choose("SCRAM-SHA-256", "SCRAM-SHA-1", &in), "SCRAM-SHA-256");
}

static void bounds_hold_for_keys_too(void **state)
{
    (void)state;
    static const struct {
        uint32_t iterations;
        const char *first;
    } rows[] = {{1, "r=" UNIT_NONCE "S,s=" SALT_TEXT ",i=1"},
                {3000000, "r=" UNIT_NONCE "S,s=" SALT_TEXT ",i=3000000"}};
    for (size_t i = 0; i < 2; i++) {
        jabi_sasl_keys keys = {.hash = JABI_SHA1, .iterations = rows[i].iterations, .salt_n = 8};
        memcpy(keys.salt, SALT, 8);
        scenario c = scenario_of(0);
        use_keys(&c, &keys);
        unit_sasl t;
        unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(jab_cstr(c.mech)), &c.in, NULL);
        unit_sasl_step(&t, jab_cstr(rows[i].first));
        assert_int_equal(t.code, JAB_EPROTO);
        assert_int_equal(t.out.n, 0);
        unit_sasl_fini(&t);
    }
}

static void nothing_is_learnt_from_who_proves_nothing(void **state)
{
    (void)state;
    static const char *const said[] = {"v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "e=invalid-proof", ""};
    for (size_t i = 0; i < 3; i++) {
        unit_sasl t;
        unit_server s;
        scenario c = scenario_of(0);
        play(&c, &t, &s, jabi_mem_default());
        assert_true(jabi_sasl_success(t.x, jab_cstr(said[i])) < 0);
        assert_int_equal(t.x->learnt.iterations, 0);
        unit_sasl_fini(&t);
    }
}

/* A proof may come in a challenge as well as with success. */
static void a_proof_in_a_challenge_teaches(void **state)
{
    (void)state;
    unit_sasl t;
    unit_server s;
    scenario c = scenario_of(0);
    play(&c, &t, &s, jabi_mem_default());
    unit_sasl_step(&t, jab_cstr(s.verifier));
    assert_int_equal(t.code, JABI_SASL_SEND);
    assert_int_equal(jabi_sasl_success(t.x, (jab_str){NULL, 0}), 0);
    assert_int_equal(t.x->learnt.iterations, 4096);
    unit_sasl_fini(&t);
}

/* 257 bytes do not fit in what is kept; the log-in does not need it kept. */
static void a_long_salt_is_good_for_one_log_in(void **state)
{
    (void)state;
    char salt[JABI_SASL_SALT_MAX + 2], text[400], first[600], final[300];
    memset(salt, 's', sizeof salt - 1);
    salt[sizeof salt - 1] = '\0';
    EVP_EncodeBlock((uint8_t *)text, (const uint8_t *)salt, (int)sizeof salt - 1);
    scenario c = scenario_of(0);
    unit_sasl t;
    unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(jab_cstr(c.mech)), &c.in, NULL);
    unit_server s = {EVP_sha1(), "pencil", salt, 4096, "", "", ""};
    snprintf(first, sizeof first, "r=%sS,s=%s,i=4096", UNIT_NONCE, text);
    snprintf(final, sizeof final, "c=biws,r=%sS", UNIT_NONCE);
    snprintf(s.auth_message, sizeof s.auth_message, "%s,%s,%s", c.bare, first, final);
    unit_server_compute(&s);
    unit_sasl_step(&t, jab_cstr(first));
    assert_int_equal(t.code, JABI_SASL_SEND);
    assert_int_equal(jabi_sasl_success(t.x, jab_cstr(s.verifier)), 0);
    assert_int_equal(t.x->learnt.iterations, 0);
    unit_sasl_fini(&t);
}

static int log_in_with(const jab_mem *mem, const jabi_sasl_keys *keys, const char *verifier)
{
    scenario c = scenario_of(1);
    use_keys(&c, keys);
    unit_sasl t;
    unit_sasl_init(&t, mem, jabi_sasl_find(jab_cstr(c.mech)), &c.in, NULL);
    if (t.code == 0)
        UNIT_STEP(&t, "r=" UNIT_NONCE "S,s=" SALT_TEXT ",i=4096");
    int code = t.code == 0 ? jabi_sasl_success(t.x, jab_cstr(verifier)) : t.code;
    unit_sasl_fini(&t);
    return code;
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    scenario c = scenario_of(1);
    jabi_sasl_keys keys = log_in(&c, 0);
    unit_server s = {EVP_sha256(),
                     "pencil",
                     SALT,
                     4096,
                     "n=user,r=" UNIT_NONCE ",r=" UNIT_NONCE "S,s=" SALT_TEXT
                     ",i=4096,c=biws,r=" UNIT_NONCE "S",
                     "",
                     ""};
    unit_server_compute(&s);
    size_t at = 0;
    for (int failed = 1; failed;) {
        unit_mem u;
        unit_mem_init(&u, ++at);
        int code = log_in_with(&u.mem, &keys, s.verifier);
        failed = u.calls >= at;
        assert_int_equal(code, failed ? JAB_ENOMEM : 0);
        assert_int_equal(u.live, 0);
    }
    assert_in_range(at, 6, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_learnt_is_what_the_rfc_defines),
        cmocka_unit_test(keys_log_in_without_a_password),
        cmocka_unit_test(keys_spare_the_computing),
        cmocka_unit_test(the_cache_teaches_as_well),
        cmocka_unit_test(other_keys_do_not_serve),
        cmocka_unit_test(keys_are_found_among_many),
        cmocka_unit_test(keys_are_a_secret_for_their_hash_only),
        cmocka_unit_test(keys_count_when_choosing),
        cmocka_unit_test(bounds_hold_for_keys_too),
        cmocka_unit_test(nothing_is_learnt_from_who_proves_nothing),
        cmocka_unit_test(a_proof_in_a_challenge_teaches),
        cmocka_unit_test(a_long_salt_is_good_for_one_log_in),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
