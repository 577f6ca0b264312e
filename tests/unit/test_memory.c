/* test_memory.c: what log-ins leave for later ones: the bytes of a vault, damage to them,
 * and vaults that are shared or fail. */
#include "sasl2_peer.h"

#define ACCOUNT JAB_STR("juliet@example.org")
#define AGENT   "d4565fa7-4d72-4749-b3d3-740edbf87770"

static const char *const samples[JABI_MEMORY_TEXTS] = {
    [JABI_MEMORY_TOKEN_MECHANISM] = "HT-SHA-256-EXPR",
    [JABI_MEMORY_TOKEN] = "t0ken",
    [JABI_MEMORY_BEFORE] = "<features xmlns='http://etherx.jabber.org/streams'/>",
    [JABI_MEMORY_AFTER] = "<features xmlns='http://etherx.jabber.org/streams' />",
    [JABI_MEMORY_TLS_SESSION] = "\x30\x82",
    [JABI_MEMORY_ENDPOINT] = "xmpp.example.org:5222",
};

static void begin(jabi_memory *m, const jab_vault *vault)
{
    jabi_memory_init(m, jabi_mem_default(), vault, ACCOUNT);
}

static jabi_sasl_keys keys_of(jabi_hash hash, const char *salt)
{
    jabi_sasl_keys k = {.hash = hash, .iterations = 4096, .salt_n = strlen(salt)};
    memcpy(k.salt, salt, k.salt_n);
    memset(k.client_key, 'c', jabi_hash_size(hash));
    memset(k.server_key, 's', jabi_hash_size(hash));
    return k;
}

/* A memory with something in each of its places. */
static void fill(jabi_memory *m)
{
    const jabi_sasl_keys first = keys_of(JABI_SHA1, "a"), second = keys_of(JABI_SHA512, "bcd");
    snprintf(m->agent, sizeof m->agent, AGENT);
    m->floor = (jabi_floor){.mechanism = 4, .binding = 1, .sasl2 = 1, .tls_version = 13};
    m->token_expiry = INT64_C(1893456000000);
    m->token_count = 7;
    jabi_memory_learn(m, &first);
    jabi_memory_learn(m, &second);
    m->salts_vary = 1;
    for (int i = 0; i < JABI_MEMORY_TEXTS; i++)
        assert_int_equal(jabi_memory_set(m, (jabi_memory_text)i, jab_cstr(samples[i])), 0);
}

static void pack(const jabi_memory *m, jabi_buf *out)
{
    jabi_buf_init(out, jabi_mem_default(), JAB_VAULT_MAX);
    assert_int_equal(jabi_memory_pack(m, out), 0);
}

/* The bytes of a filled one. */
static void pack_sample(jabi_buf *out)
{
    jabi_memory m;
    begin(&m, NULL);
    fill(&m);
    pack(&m, out);
    jabi_memory_fini(&m);
}

static void assert_empty(const jabi_memory *m)
{
    static const jabi_sasl_keys none[JABI_MEMORY_KEYS];
    static const jabi_floor flat;
    assert_string_equal(m->agent, "");
    assert_memory_equal(&m->floor, &flat, sizeof flat);
    assert_memory_equal(m->keys, none, sizeof none);
    assert_true(m->token_expiry == 0 && m->token_count == 0 && !m->salts_vary);
    for (int i = 0; i < JABI_MEMORY_TEXTS; i++)
        assert_null(m->texts[i].p);
}

/* -- The bytes --------------------------------------------------------------------------- */

static void what_is_packed_comes_out_again(void **state)
{
    jabi_memory is, was;
    jabi_buf bytes;
    (void)state;
    begin(&was, NULL);
    begin(&is, NULL);
    fill(&was);
    pack(&was, &bytes);
    assert_int_equal(jabi_memory_unpack(&is, jabi_buf_str(&bytes)), 0);
    assert_false(is.is_changed);
    assert_string_equal(is.agent, AGENT);
    assert_memory_equal(&is.floor, &was.floor, sizeof is.floor);
    assert_memory_equal(is.keys, was.keys, sizeof is.keys);
    assert_true(is.token_expiry == was.token_expiry && is.token_count == 7 && is.salts_vary);
    for (int i = 0; i < JABI_MEMORY_TEXTS; i++)
        assert_str(is.texts[i], samples[i]);
    jabi_buf_fini(&bytes);
    jabi_memory_fini(&is);
    jabi_memory_fini(&was);
}

/* And over one that had something: nothing of that stays. */
static void an_empty_one_stays_empty(void **state)
{
    jabi_memory m;
    jabi_buf bytes;
    (void)state;
    begin(&m, NULL);
    pack(&m, &bytes);
    fill(&m);
    assert_int_equal(jabi_memory_unpack(&m, jabi_buf_str(&bytes)), 0);
    assert_empty(&m);
    jabi_buf_fini(&bytes);
    jabi_memory_fini(&m);
}

static void each_text_has_its_limit(void **state)
{
    static char most[JAB_VAULT_MAX];
    static const size_t limits[] = {32, 4096, 8192, 8192, 16384, 300};
    jabi_memory m;
    jabi_buf bytes;
    (void)state;
    memset(most, 'x', sizeof most);
    begin(&m, NULL);
    fill(&m);
    for (int i = 0; i < JABI_MEMORY_TEXTS; i++) {
        assert_int_equal(jabi_memory_set(&m, (jabi_memory_text)i, (jab_str){most, limits[i] + 1}),
                         0);
        assert_null(m.texts[i].p);
        assert_int_equal(jabi_memory_set(&m, (jabi_memory_text)i, (jab_str){most, limits[i]}), 0);
        assert_int_equal(m.texts[i].n, limits[i]);
    }
    pack(&m, &bytes); /* the most there can be is room for in a vault */
    assert_int_equal(jabi_memory_unpack(&m, jabi_buf_str(&bytes)), 0);
    assert_int_equal(m.texts[JABI_MEMORY_TLS_SESSION].n, 16384);
    jabi_buf_fini(&bytes);
    jabi_memory_fini(&m);
}

static void no_beginning_of_it_is_taken_for_it(void **state)
{
    jabi_memory m;
    jabi_buf bytes;
    (void)state;
    pack_sample(&bytes);
    begin(&m, NULL);
    for (size_t n = 0; n < bytes.n; n++) {
        char *part = malloc(n + 1); /* of that length: AddressSanitizer sees what is read beyond */
        memcpy(part, bytes.p, n);
        assert_int_equal(jabi_memory_unpack(&m, (jab_str){part, n}), JAB_EINVAL);
        assert_empty(&m);
        free(part);
    }
    jabi_buf_add_char(&bytes, 'x');
    assert_int_equal(jabi_memory_unpack(&m, jabi_buf_str(&bytes)), JAB_EINVAL);
    assert_empty(&m);
    jabi_buf_fini(&bytes);
    jabi_memory_fini(&m);
}

/* What the log-in relies on, whatever the bytes were. */
static void assert_sane(const jabi_memory *m)
{
    size_t n = strlen(m->agent);
    assert_true(n == 0 || n == 36);
    assert_int_equal(strspn(m->agent, "0123456789abcdef-"), n);
    assert_true(m->floor.mechanism <= 6 && m->floor.binding <= 1 && m->floor.sasl2 <= 1);
    assert_true(m->floor.tls_version == 0 || m->floor.tls_version / 10 == 1);
    for (size_t i = 0; i < JABI_MEMORY_KEYS; i++)
        assert_true(m->keys[i].hash <= JABI_SHA512 && m->keys[i].salt_n <= JABI_SASL_SALT_MAX);
    assert_true(m->texts[JABI_MEMORY_TOKEN].n <= 4096);
}

/* A log-in with such a vault begins, or says why not. */
static void log_in_with(const jabi_buf *bytes)
{
    static peer e;
    static vault_row row;
    jab_config cfg = sasl2_config(&e, &row);
    cfg.mechanisms = (jab_str){NULL, 0};
    cfg.login = 0;
    row_put(&row, jabi_buf_str(bytes));
    assert_int_equal(peer_new(&e, &cfg), 0);
    int err = jab_session_connected(e.s, &secure, e.now);
    assert_true(err == 0 || err == JAB_ESTORE);
    if (err == 0)
        (void)!peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_true(peer_sent(&e, "<stream:stream") || err);
    sasl2_end(&e, &row);
}

static void a_bit_that_fell_over_does_no_harm(void **state)
{
    jabi_memory m;
    jabi_buf bytes;
    size_t taken = 0, refused = 0;
    (void)state;
    pack_sample(&bytes);
    begin(&m, NULL);
    for (size_t bit = 0; bit < 8 * bytes.n; bit++) {
        bytes.p[bit / 8] = (char)(bytes.p[bit / 8] ^ 1 << bit % 8);
        int err = jabi_memory_unpack(&m, jabi_buf_str(&bytes));
        assert_true(err == 0 || err == JAB_EINVAL);
        if (err == 0)
            assert_sane(&m);
        else
            assert_empty(&m);
        taken += err == 0;
        refused += err < 0;
        if (bit % 23 == 0)
            log_in_with(&bytes);
        bytes.p[bit / 8] = (char)(bytes.p[bit / 8] ^ 1 << bit % 8);
    }
    assert_true(taken > 0 && refused > 0);
    print_message("# %zu bits: %zu refused, %zu not noticed here\n", 8 * bytes.n, refused, taken);
    jabi_buf_fini(&bytes);
    jabi_memory_fini(&m);
}

/* -- What is learnt and dropped ------------------------------------------------------------- */

static void keys_of_one_hash_take_the_place_of_the_last(void **state)
{
    jabi_memory m;
    const jabi_sasl_keys first = keys_of(JABI_SHA256, "one"), second = keys_of(JABI_SHA256, "two");
    (void)state;
    begin(&m, NULL);
    jabi_memory_learn(&m, &first);
    assert_true(m.is_changed && !m.salts_vary);
    m.is_changed = 0;
    jabi_memory_learn(&m, &first);
    assert_false(m.is_changed);
    jabi_memory_learn(&m, &second);
    assert_true(m.is_changed && m.salts_vary);
    assert_memory_equal(&m.keys[0], &second, sizeof second);
    assert_int_equal(m.keys[1].iterations, 0);
    jabi_memory_drop_keys(&m);
    assert_int_equal(m.keys[0].iterations, 0);
    jabi_memory_fini(&m);
}

static void without_its_floor_the_rest_stays(void **state)
{
    jabi_memory m;
    static const jabi_floor flat;
    (void)state;
    begin(&m, NULL);
    fill(&m);
    m.is_changed = 0;
    jabi_memory_drop_floor(&m);
    assert_true(m.is_changed);
    assert_memory_equal(&m.floor, &flat, sizeof flat);
    assert_null(m.texts[JABI_MEMORY_BEFORE].p);
    assert_null(m.texts[JABI_MEMORY_AFTER].p);
    assert_str(m.texts[JABI_MEMORY_TOKEN], "t0ken");
    assert_true(m.keys[0].iterations > 0);
    jabi_memory_drop_token(&m);
    assert_null(m.texts[JABI_MEMORY_TOKEN].p);
    assert_null(m.texts[JABI_MEMORY_TOKEN_MECHANISM].p);
    assert_true(m.token_expiry == 0 && m.token_count == 0);
    jabi_memory_fini(&m);
}

/* -- Without memory --------------------------------------------------------------------------- */

static void when_memory_fails_nothing_is_half_there(void **state)
{
    jabi_buf bytes;
    int err = JAB_ENOMEM;
    (void)state;
    pack_sample(&bytes);
    for (size_t at = 1; err == JAB_ENOMEM; at++) {
        unit_mem u;
        jabi_memory m;
        unit_mem_init(&u, at);
        jabi_memory_init(&m, &u.mem, NULL, ACCOUNT);
        err = jabi_memory_unpack(&m, jabi_buf_str(&bytes));
        assert_true(err == 0 || err == JAB_ENOMEM);
        if (err < 0)
            assert_empty(&m);
        jabi_memory_fini(&m);
        assert_int_equal(u.live, 0);
        assert_true(at <= JABI_MEMORY_TEXTS + 1);
    }
    jabi_buf_fini(&bytes);
}

static void a_text_that_cannot_be_copied_leaves_the_old_one(void **state)
{
    unit_mem u;
    jabi_memory m;
    (void)state;
    unit_mem_init(&u, 2);
    jabi_memory_init(&m, &u.mem, NULL, ACCOUNT);
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_TOKEN, JAB_STR("old")), 0);
    m.is_changed = 0;
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_TOKEN, JAB_STR("new")), JAB_ENOMEM);
    assert_str(m.texts[JABI_MEMORY_TOKEN], "old");
    assert_false(m.is_changed);
    jabi_memory_fini(&m);
    assert_int_equal(u.live, 0);
}

/* -- Vaults ------------------------------------------------------------------------------------ */

typedef struct odd_vault {
    jab_vault vault;
    char bytes[4096];
    size_t n;
    ptrdiff_t load_result; /* < 0, or too much: in place of n */
    int is_shared, save_result;
    unsigned saves;
} odd_vault;

static ptrdiff_t odd_load(void *arg, jab_str account, void *into, size_t room, int *is_shared)
{
    odd_vault *v = arg;
    assert_true(account.n && room == JAB_VAULT_MAX);
    memcpy(into, v->bytes, v->n);
    *is_shared = v->is_shared;
    return v->load_result ? v->load_result : (ptrdiff_t)v->n;
}

static int odd_save(void *arg, jab_str account, jab_str bytes)
{
    odd_vault *v = arg;
    assert_true(account.n && bytes.n <= sizeof v->bytes);
    v->saves++;
    if (v->save_result < 0)
        return v->save_result;
    memcpy(v->bytes, bytes.p, bytes.n);
    v->n = bytes.n;
    return 0;
}

static jab_config begin_odd(odd_vault *v, jabi_memory *m, peer *e)
{
    jabi_buf bytes;
    *v = (odd_vault){.vault = {sizeof v->vault, v, odd_load, odd_save}};
    pack_sample(&bytes);
    memcpy(v->bytes, bytes.p, bytes.n);
    v->n = bytes.n;
    jabi_buf_fini(&bytes);
    begin(m, &v->vault);
    unit_mem_init(&e->mem, 0);
    return peer_config(e);
}

static void a_shared_vault_is_read_and_left_alone(void **state)
{
    static peer e;
    odd_vault v;
    jabi_memory m;
    char own[JABI_AGENT_SIZE];
    (void)state;
    jab_config cfg = begin_odd(&v, &m, &e);
    v.is_shared = 1;
    assert_int_equal(jabi_memory_load(&m, &cfg), 0);
    assert_true(m.floor.binding && m.keys[0].iterations > 0);
    assert_null(m.texts[JABI_MEMORY_TOKEN].p);
    assert_string_not_equal(m.agent, AGENT);
    snprintf(own, sizeof own, "%s", m.agent);
    m.is_changed = 1;
    assert_int_equal(jabi_memory_save(&m), 0);
    jabi_memory_rest(&m);
    assert_int_equal(v.saves, 0);
    assert_int_equal(jabi_memory_load(&m, &cfg), 0);
    assert_string_equal(m.agent, own); /* for as long as it is shared */
    jabi_memory_rest(&m);
    v.is_shared = 0;
    assert_int_equal(jabi_memory_load(&m, &cfg), 0);
    assert_string_equal(m.agent, AGENT);
    assert_str(m.texts[JABI_MEMORY_TOKEN], "t0ken");
    jabi_memory_fini(&m);
}

static void what_was_not_saved_is_saved_later(void **state)
{
    static peer e;
    odd_vault v;
    jabi_memory m;
    (void)state;
    jab_config cfg = begin_odd(&v, &m, &e);
    assert_int_equal(jabi_memory_load(&m, &cfg), 0);
    assert_int_equal(jabi_memory_save(&m), 0);
    assert_int_equal(v.saves, 0); /* nothing changed */
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_TOKEN, JAB_STR("new")), 0);
    v.save_result = JAB_EIO;
    assert_int_equal(jabi_memory_save(&m), JAB_EIO);
    assert_true(m.is_changed);
    v.save_result = 0;
    assert_int_equal(jabi_memory_save(&m), 0);
    assert_false(m.is_changed);
    assert_int_equal(v.saves, 2);
    jabi_memory_rest(&m);
    assert_int_equal(jabi_memory_load(&m, &cfg), 0);
    assert_str(m.texts[JABI_MEMORY_TOKEN], "new");
    jabi_memory_fini(&m);
}

static void a_vault_that_fails_is_not_written_over(void **state)
{
    static peer e;
    odd_vault v;
    jabi_memory m;
    (void)state;
    static const struct {
        ptrdiff_t result;
        int err;
    } rows[] = {{JAB_ESTORE, JAB_ESTORE},
                {JAB_ENOMEM, JAB_ENOMEM},
                {JAB_EIO, 0},
                {JAB_VAULT_MAX + 1, JAB_ESTORE},
                {3, JAB_ESTORE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        jab_config cfg = begin_odd(&v, &m, &e);
        v.load_result = rows[i].result;
        assert_int_equal(jabi_memory_load(&m, &cfg), rows[i].err);
        jabi_memory_rest(&m);
        assert_int_equal(jabi_memory_save(&m), 0);
        assert_int_equal(v.saves, 0);
        jabi_memory_fini(&m);
    }
}

/* The log-in does not go on: a token that is not kept, or a floor, would be lost. */
static void a_log_in_whose_leavings_cannot_be_kept_ends(void **state)
{
    static peer e;
    odd_vault v = {.vault = {sizeof v.vault, &v, odd_load, odd_save}, .save_result = JAB_EIO};
    static vault_row unused;
    (void)state;
    jab_config cfg = sasl2_config(&e, &unused);
    cfg.vault = &v.vault;
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_true(peer_sent(&e, "<authenticate "));
    peer_clear(&e);
    assert_int_equal(peer_says(&e, SASL2_SUCCESS PEER_BIND), JAB_EIO);
    assert_false(peer_sent(&e, "<bind"));
    assert_non_null(strstr(jab_session_fault(e.s)->text.p, "could not be kept"));
    peer_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_out_again),
        cmocka_unit_test(an_empty_one_stays_empty),
        cmocka_unit_test(each_text_has_its_limit),
        cmocka_unit_test(no_beginning_of_it_is_taken_for_it),
        cmocka_unit_test(a_bit_that_fell_over_does_no_harm),
        cmocka_unit_test(keys_of_one_hash_take_the_place_of_the_last),
        cmocka_unit_test(without_its_floor_the_rest_stays),
        cmocka_unit_test(when_memory_fails_nothing_is_half_there),
        cmocka_unit_test(a_text_that_cannot_be_copied_leaves_the_old_one),
        cmocka_unit_test(a_shared_vault_is_read_and_left_alone),
        cmocka_unit_test(what_was_not_saved_is_saved_later),
        cmocka_unit_test(a_vault_that_fails_is_not_written_over),
        cmocka_unit_test(a_log_in_whose_leavings_cannot_be_kept_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
