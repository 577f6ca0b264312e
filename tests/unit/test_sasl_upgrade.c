/* test_sasl_upgrade.c: the upgrade tasks of XEP-0480. */
#include "unit_scram.h"

typedef struct task {
    const char *name, *md;
    int class;
} task;

static const task tasks[] = {{"UPGR-SCRAM-SHA-256", "SHA256", 4},
                             {"UPGR-SCRAM-SHA-512", "SHA512", 5}};

static void begin(unit_sasl *t, const jab_mem *mem, const char *name)
{
    jabi_sasl_input in = unit_input();
    unit_sasl_init(t, mem, jabi_sasl_find_upgrade(jab_cstr(name)), &in, NULL);
}

static void the_answer_is_the_salted_password(void **state)
{
    (void)state;
    static const int counts[] = {4096, 50000};
    for (size_t i = 0; i < 4; i++) {
        const task *k = &tasks[i % 2];
        uint8_t salted[64], client[64];
        char text[100];
        const EVP_MD *md = EVP_get_digestbyname(k->md);
        int n = EVP_MD_get_size(md), count = counts[i / 2];
        PKCS5_PBKDF2_HMAC("pencil", -1, (const uint8_t *)SALT, 8, count, md, n, salted);
        unit_sasl t;
        begin(&t, jabi_mem_default(), k->name);
        assert_int_equal(t.code, JABI_SASL_SEND);
        assert_int_equal(t.has_initial, 0);
        assert_int_equal(t.out.n, 0);
        snprintf(text, sizeof text, "%d,%s", count, SALT_TEXT);
        unit_sasl_step(&t, jab_cstr(text));
        assert_int_equal(t.code, JABI_SASL_SEND);
        assert_int_equal(t.out.n, (size_t)n);
        assert_memory_equal(t.out.p, salted, (size_t)n);
        /* And what SCRAM makes of it, for the next log-in. */
        unit_hmac(md, salted, "Client Key", client);
        assert_int_equal(t.x->learnt.iterations, count);
        assert_memory_equal(t.x->learnt.client_key, client, (size_t)n);
        assert_int_equal(jabi_sasl_success(t.x, (jab_str){NULL, 0}), 0);
        unit_sasl_fini(&t);
    }
}

static void only_better_hashes_are_known(void **state)
{
    (void)state;
    static const char *const others[] = {"UPGR-SCRAM-SHA-1", "UPGR-SCRAM-SHA-256-PLUS",
                                         "SCRAM-SHA-256", "UPGR-", "upgr-scram-sha-256"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_null(jabi_sasl_find_upgrade(jab_cstr(others[i])));
    assert_null(jabi_sasl_find_upgrade((jab_str){NULL, 0}));
    /* A task is no mechanism. */
    assert_null(jabi_sasl_find(JAB_STR("UPGR-SCRAM-SHA-256")));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(jabi_sasl_class(jabi_sasl_find_upgrade(jab_cstr(tasks[i].name))),
                         tasks[i].class);
}

static void only_the_password_itself_will_do(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    jabi_sasl *x;
    const jabi_sasl_keys keys = {.hash = JABI_SHA256, .iterations = 4096};
    in.keys = &keys;
    in.n_keys = 1;
    in.password = (jab_str){NULL, 0};
    assert_int_equal(jabi_sasl_new(&x, jabi_mem_default(),
                                   jabi_sasl_find_upgrade(JAB_STR("UPGR-SCRAM-SHA-256")), &in,
                                   NULL),
                     JAB_ENOSECRET);
}

static void what_is_no_task_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ",",
        "4096",
        "4096,",
        ",c2FsdA==",
        "4096,c2FsdA",
        "4096,c2Fs dA==",
        "4095,c2FsdA==",
        "1,c2FsdA==",
        "0,c2FsdA==",
        "409\xff,c2FsdA==",
        "4096\x1b[31m,c2FsdA==",
        "-4096,c2FsdA==",
        "+4096,c2FsdA==",
        " 4096,c2FsdA==",
        "0x4096,c2FsdA==",
        "2000001,c2FsdA==",
        "4294971392,c2FsdA==",
        "18446744073709555712,c2FsdA==",
        "99999999999999999999999999999999,c2FsdA==",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unit_sasl t;
        begin(&t, jabi_mem_default(), "UPGR-SCRAM-SHA-256");
        unit_sasl_step(&t, jab_cstr(bad[i]));
        assert_int_equal(t.code, JAB_EPROTO);
        assert_int_equal(t.out.n, 0);
        assert_true(t.x->error[0]);
        for (const char *p = t.x->error; *p; p++)
            assert_in_range(*p, ' ', '~');
        unit_sasl_fini(&t);
    }
}

static void one_task_is_one_answer(void **state)
{
    (void)state;
    unit_sasl t;
    begin(&t, jabi_mem_default(), "UPGR-SCRAM-SHA-256");
    UNIT_STEP(&t, "4096," SALT_TEXT);
    assert_int_equal(t.code, JABI_SASL_SEND);
    UNIT_STEP(&t, "4096,c2FsdA==");
    assert_int_equal(t.code, JAB_EPROTO);
    unit_sasl_fini(&t);
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    size_t at = 0;
    for (int failed = 1; failed;) {
        unit_mem u;
        unit_mem_init(&u, ++at);
        unit_sasl t;
        begin(&t, &u.mem, "UPGR-SCRAM-SHA-512");
        if (t.code == 0)
            UNIT_STEP(&t, "30000," SALT_TEXT);
        failed = u.calls >= at;
        assert_int_equal(t.code, failed ? JAB_ENOMEM : 0);
        unit_sasl_fini(&t);
        assert_int_equal(u.live, 0);
    }
    assert_in_range(at, 4, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_is_the_salted_password),
        cmocka_unit_test(only_better_hashes_are_known),
        cmocka_unit_test(only_the_password_itself_will_do),
        cmocka_unit_test(what_is_no_task_is_refused),
        cmocka_unit_test(one_task_is_one_answer),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
