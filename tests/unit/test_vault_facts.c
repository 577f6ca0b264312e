/* test_vault_facts.c: what programs ask of a vault, and forget. */
#include "unit_vault.h"

#include "stream/memory.h"

/* -- What programs ask ------------------------------------------------------------------------ */

static void remember(const jab_vault *v, const jabi_memory *m)
{
    jabi_buf row;
    jabi_buf_init(&row, m->mem, JAB_VAULT_MAX);
    assert_int_equal(jabi_memory_pack(m, &row), 0);
    assert_int_equal(v->save(v->arg, ANN, jabi_buf_str(&row)), 0);
    jabi_buf_fini(&row);
}

static void begin_memory(jabi_memory *m, unit_mem *mem)
{
    unit_mem_init(mem, 0);
    jabi_memory_init(m, &mem->mem, NULL, ANN);
    memcpy(m->agent, "d4565fa7-4d72-4749-b3d3-740edbf87770", JABI_AGENT_SIZE);
    m->floor = (jabi_floor){.mechanism = 4, .binding = 1, .sasl2 = 1, .tls_version = 13};
}

static void give_token(jabi_memory *m, int64_t expiry)
{
    assert_int_equal(jabi_memory_set(m, JABI_MEMORY_TOKEN, JAB_STR("secret")), 0);
    assert_int_equal(jabi_memory_set(m, JABI_MEMORY_TOKEN_MECHANISM, JAB_STR("HT-SHA-256-EXPR")),
                     0);
    m->token_expiry = expiry;
}

static void give_keys(jabi_memory *m)
{
    jabi_sasl_keys keys = {.hash = JABI_SHA256, .iterations = 4096, .salt_n = 4, .salt = "salt"};
    jabi_memory_learn(m, &keys);
}

static void test_what_is_remembered_can_be_told(void **state)
{
    jab_vault *v = opened(*state);
    jab_vault_facts facts;
    unit_mem mem;
    jabi_memory m;
    assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), 0);
    assert_null(facts.mechanism);
    begin_memory(&m, &mem);
    give_keys(&m);
    give_token(&m, INT64_MAX);
    remember(v, &m);
    assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), 1);
    assert_string_equal(facts.mechanism, "SCRAM-SHA-256");
    assert_int_equal(facts.channel_binding, 1);
    assert_int_equal(facts.sasl2, 1);
    assert_int_equal(facts.tls_version, 13);
    assert_int_equal(facts.keys, 1);
    assert_int_equal(facts.token, 1);
    assert_int_equal(facts.token_expiry, INT64_MAX);
    assert_int_equal(facts.is_shared, 0);
    jabi_memory_fini(&m);
    assert_int_equal(mem.live, 0);
    jab_vault_free(v);
}

/* Of a server that makes one for each log-in; until one comes twice. */
static void test_keys_of_another_salt_each_time_are_no_secret(void **state)
{
    static const struct {
        const char *salt;
        int has;
    } log_ins[] = {{"salt", 1}, {"else", 0}, {"more", 0}, {"more", 1}, {"more", 1}};
    jab_vault *v = opened(*state);
    unit_mem mem;
    jabi_memory m;
    begin_memory(&m, &mem);
    for (size_t i = 0; i < sizeof log_ins / sizeof *log_ins; i++) {
        jabi_sasl_keys keys = {.hash = JABI_SHA256, .iterations = 4096, .salt_n = 4};
        memcpy(keys.salt, log_ins[i].salt, 4);
        jabi_memory_learn(&m, &keys);
        remember(v, &m);
        assert_int_equal(jab_vault_has_secret(v, ANN, NULL), log_ins[i].has);
    }
    jabi_memory_fini(&m);
    jab_vault_free(v);
}

static void test_keys_or_a_token_that_is_valid_are_a_secret(void **state)
{
    jab_vault *v = opened(*state);
    unit_mem mem;
    jabi_memory m;
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), 0);
    begin_memory(&m, &mem);
    remember(v, &m);
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), 0);
    give_token(&m, 1000);
    remember(v, &m);
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), 0);
    m.token_expiry = 0;
    remember(v, &m);
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), 1);
    jab_vault *other = opened(*state); /* whose program may not use that token */
    assert_int_equal(jab_vault_has_secret(other, ANN, NULL), 0);
    give_keys(&m);
    remember(v, &m);
    assert_int_equal(jab_vault_has_secret(other, ANN, NULL), 1);
    jab_vault_free(other);
    jabi_memory_fini(&m);
    jab_vault_free(v);
}

static void test_only_the_floor_goes_at_the_users_word(void **state)
{
    jab_vault *v = opened(*state);
    jab_vault_facts facts;
    unit_mem mem;
    jabi_memory m;
    assert_int_equal(jab_vault_allow_weaker(v, ANN, NULL), 0);
    begin_memory(&m, &mem);
    give_keys(&m);
    give_token(&m, 0);
    remember(v, &m);
    jabi_memory_fini(&m);
    jab_vault *other = opened(*state);
    assert_int_equal(jab_vault_allow_weaker(other, ANN, NULL), JAB_ELOCKED);
    jab_vault_free(other);
    assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), 1);
    assert_int_equal(facts.tls_version, 13);
    assert_int_equal(jab_vault_allow_weaker(v, ANN, NULL), 0);
    assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), 1);
    assert_null(facts.mechanism);
    assert_int_equal(facts.channel_binding + facts.sasl2 + facts.tls_version, 0);
    assert_int_equal(facts.keys, 1);
    assert_int_equal(facts.token, 0);
    assert_int_equal(jab_vault_forget(v, ANN), 0);
    assert_int_equal(jab_vault_forget(v, ANN), 0);
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), 0);
    jab_vault_free(v);
}

static void test_bytes_that_are_no_memory(void **state)
{
    jab_vault *v = opened(*state);
    jab_vault_facts facts;
    save(v, "no memory at all");
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), JAB_ESTORE);
    assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), JAB_ESTORE);
    assert_int_equal(jab_vault_allow_weaker(v, ANN, NULL), JAB_ESTORE);
    assert_int_equal(jab_vault_forget(v, ANN), 0);
    jab_vault_free(v);
}

static void test_asking_without_memory(void **state)
{
    jab_vault *v = opened(*state);
    unit_mem mem;
    jabi_memory m;
    begin_memory(&m, &mem);
    give_keys(&m);
    give_token(&m, 0);
    remember(v, &m);
    jabi_memory_fini(&m);
    int has = JAB_ENOMEM;
    for (size_t at = 1; has == JAB_ENOMEM; at++) {
        assert_true(at < 50);
        unit_mem_init(&mem, at);
        has = jab_vault_has_secret(v, ANN, &mem.mem);
        assert_int_equal(mem.live, 0);
    }
    assert_int_equal(has, 1);
    int err = JAB_ENOMEM;
    for (size_t at = 1; err == JAB_ENOMEM; at++) {
        assert_true(at < 50);
        jab_vault_facts facts;
        assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), 1);
        assert_int_equal(facts.tls_version, 13); /* the floor stays until it was lifted */
        unit_mem_init(&mem, at);
        err = jab_vault_allow_weaker(v, ANN, &mem.mem);
        assert_int_equal(mem.live, 0);
    }
    assert_int_equal(err, 0);
    jab_vault_free(v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_remembered_can_be_told),
        TEST(test_keys_of_another_salt_each_time_are_no_secret),
        TEST(test_keys_or_a_token_that_is_valid_are_a_secret),
        TEST(test_only_the_floor_goes_at_the_users_word),
        TEST(test_bytes_that_are_no_memory),
        TEST(test_asking_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
