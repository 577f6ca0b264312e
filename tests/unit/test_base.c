/* test_base.c: strings, buffers, arenas, UTF-8, base64, errors. */
#include "unit.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"

static void buffer_stops_at_its_maximum_and_remembers(void **state)
{
    (void)state;
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), 5);
    jabi_buf_add_z(&b, "abc");
    jabi_buf_add_z(&b, "def");
    assert_int_equal(b.error, JAB_ELIMIT);
    jabi_buf_add_z(&b, "d");
    assert_str(jabi_buf_str(&b), "abc");
    jabi_buf_reset(&b);
    jabi_buf_add_z(&b, "vwxyz");
    assert_int_equal(b.error, 0);
    jabi_buf_consume(&b, 2);
    assert_str(jabi_buf_str(&b), "xyz");
    jabi_buf_fini(&b);
}

static void buffer_prints_numbers(void **state)
{
    (void)state;
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), 1000);
    jabi_buf_printf(&b, "%d-%s", 42, "x");
    assert_str(jabi_buf_str(&b), "42-x");
    jabi_buf_fini(&b);
}

static void buffer_survives_a_failing_allocator(void **state)
{
    (void)state;
    for (int secret = 0; secret < 2; secret++) {
        unit_mem u;
        unit_mem_init(&u, 2);
        jabi_buf b;
        jabi_buf_init(&b, &u.mem, 100000);
        b.secret = secret;
        jabi_buf_add_z(&b, "abc");
        assert_null(jabi_buf_room(&b, 5000));
        assert_int_equal(b.error, JAB_ENOMEM);
        assert_str(jabi_buf_str(&b), "abc");
        jabi_buf_fini(&b);
        assert_int_equal(u.live, 0);
    }
}

static void arena_reuses_its_blocks(void **state)
{
    (void)state;
    unit_mem u;
    unit_mem_init(&u, 0);
    jabi_arena a;
    jabi_arena_init(&a, &u.mem, 1 << 20);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 100; i++) {
            char *p = jabi_arena_alloc(&a, 100);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 8, 0);
            memset(p, round, 100);
        }
        jabi_arena_reset(&a, 1 << 16);
    }
    assert_in_range(u.calls, 1, 3);
    jabi_arena_fini(&a);
    assert_int_equal(u.live, 0);
}

static void arena_keeps_to_its_limit(void **state)
{
    (void)state;
    jabi_arena a;
    jabi_arena_init(&a, jabi_mem_default(), 10000);
    assert_non_null(jabi_arena_alloc(&a, 9000));
    assert_null(jabi_arena_alloc(&a, 2000));
    assert_null(jabi_arena_alloc(&a, SIZE_MAX - 2));
    assert_str(jabi_arena_str(&a, JAB_STR("x")), "x");
    jabi_arena_fini(&a);
}

static void utf8_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xC0\x80",         "\xE0\x80\x80", "\xED\xA0\x80",
                                      "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\x80", "a\xC3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(jabi_utf8_valid(jab_cstr(bad[i])));
    for (uint32_t cp = 0; cp < 0x110000; cp += cp < 0x3000 ? 1 : 97) {
        if (cp >= 0xD800 && cp < 0xE000)
            continue;
        char text[4];
        uint32_t back = 0;
        int n = jabi_utf8_write(cp, text);
        assert_int_equal(jabi_utf8_read(text, (size_t)n, &back), n);
        assert_int_equal(back, cp);
        if (n > 1)
            assert_int_equal(jabi_utf8_read(text, (size_t)n - 1, &back), -1);
    }
}

static void base64_follows_rfc4648(void **state)
{
    (void)state;
    /* RFC 4648 §10 */
    static const char *const pairs[][2] = {{"", ""},           {"f", "Zg=="},
                                           {"fo", "Zm8="},     {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), 1000);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        jabi_buf_reset(&b);
        jabi_base64_encode(&b, pairs[i][0], strlen(pairs[i][0]));
        assert_str(jabi_buf_str(&b), pairs[i][1]);
        jabi_buf_reset(&b);
        assert_int_equal(jabi_base64_decode(&b, jab_cstr(pairs[i][1])), 0);
        assert_str(jabi_buf_str(&b), pairs[i][0]);
    }
    static const char *const bad[] = {"Zg", "Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9\n", "Zm8!"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(jabi_base64_decode(&b, jab_cstr(bad[i])), JAB_EPROTO);
    jabi_buf_fini(&b);
}

static void hashes_match_known_answers(void **state)
{
    (void)state;
    uint8_t out[JABI_HASH_MAX];
    char hex[2 * JABI_HASH_MAX + 1];
    jab_str parts[] = {JAB_STR("a"), JAB_STR(""), JAB_STR("bc")};
    assert_int_equal(jabi_hash_parts(JABI_SHA1, parts, 3, out), 0);
    jabi_hex(out, 20, hex);
    assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_int_equal(jabi_hmac(JABI_MD5, "Jefe", 4, "what do ya want for nothing?", 28, out), 0);
    jabi_hex(out, 16, hex);
    assert_string_equal(hex, "750c783e6ab0b503eaa86e310a5db738"); /* RFC 2104 */
}

static void every_error_has_words_a_class_and_an_exit_code(void **state)
{
    (void)state;
#define CHECK(name, number, exit, words)                                                           \
    assert_string_equal(jab_errname(name), #name);                                                 \
    assert_string_equal(jab_strerror(name), words);                                                \
    assert_int_equal(jab_err_exit(name), exit);                                                    \
    assert_int_not_equal(jab_err_class(name), JAB_ERR_NONE);
    JAB_ERRORS(CHECK)
#undef CHECK
    assert_int_equal(jab_err_class(JAB_EAUTH), JAB_ERR_CREDENTIALS);
    assert_int_equal(jab_err_class(JAB_ESTREAM), JAB_ERR_PEER);
    assert_int_equal(jab_err_class(JAB_ENOMEM), JAB_ERR_MACHINE);
    assert_int_equal(jab_err_class(JAB_EJID), JAB_ERR_CALLER);
    assert_string_equal(jab_strerror(-9999), "unknown error");
    assert_string_equal(jab_stage_name(JAB_AT_SASL), "sasl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_stops_at_its_maximum_and_remembers),
        cmocka_unit_test(buffer_prints_numbers),
        cmocka_unit_test(buffer_survives_a_failing_allocator),
        cmocka_unit_test(arena_reuses_its_blocks),
        cmocka_unit_test(arena_keeps_to_its_limit),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(base64_follows_rfc4648),
        cmocka_unit_test(hashes_match_known_answers),
        cmocka_unit_test(every_error_has_words_a_class_and_an_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
