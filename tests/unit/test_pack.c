/* test_pack.c: records for the store: what was written is read, and damage is noticed. */
#include "unit.h"

#include "base/mem.h"
#include "base/pack.h"

static void pack_all(jabi_buf *b)
{
    jab_str absent = {0};
    jabi_pack_number(b, 7);
    jabi_pack_str(b, JAB_STR("Жюльет"));
    jabi_pack_str(b, absent);
    jabi_pack_str(b, JAB_STR(""));
    jabi_pack_number(b, UINT64_MAX);
}

static void what_was_packed_is_read(void **state)
{
    (void)state;
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), 4096);
    pack_all(&b);
    assert_int_equal(b.error, 0);
    jabi_unpack u = jabi_unpack_begin(jabi_buf_str(&b));
    assert_int_equal(jabi_unpack_number(&u), 7);
    assert_str(jabi_unpack_str(&u), "Жюльет");
    assert_null(jabi_unpack_str(&u).p);
    assert_int_equal(u.error, 0);
    jab_str empty = jabi_unpack_str(&u);
    assert_non_null(empty.p);
    assert_int_equal(empty.n, 0);
    assert_false(jabi_unpack_is_whole(&u));
    assert_true(jabi_unpack_number(&u) == UINT64_MAX);
    assert_true(jabi_unpack_is_whole(&u));
    assert_int_equal(jabi_unpack_number(&u), 0);
    assert_int_equal(u.error, JAB_EINVAL);
    jabi_buf_fini(&b);
}

static int reads_whole(jab_str record)
{
    jabi_unpack u = jabi_unpack_begin(record);
    jabi_unpack_number(&u);
    for (int i = 0; i < 3; i++) {
        jab_str s = jabi_unpack_str(&u);
        assert_true(!s.p || (s.p >= record.p && s.p + s.n <= record.p + record.n));
    }
    jabi_unpack_number(&u);
    return jabi_unpack_is_whole(&u);
}

static void a_record_cut_anywhere_is_not_whole(void **state)
{
    (void)state;
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), 4096);
    pack_all(&b);
    assert_true(reads_whole(jabi_buf_str(&b)));
    for (size_t n = 0; n < b.n; n++) {
        char *cut = malloc(n + 1); /* of its own, so that reading beyond it is seen */
        assert_non_null(cut);
        memcpy(cut, b.p, n);
        char *exact = realloc(cut, n ? n : 1);
        assert_non_null(exact);
        jab_str record = {exact, n};
        assert_false(reads_whole(record));
        free(exact);
    }
    jab_str none = {0};
    assert_false(reads_whole(none));
    jabi_buf_add_char(&b, 'x');
    assert_false(reads_whole(jabi_buf_str(&b)));
    jabi_buf_fini(&b);
}

static void damaged_bytes_are_no_text_and_no_length(void **state)
{
    (void)state;
    char huge[] = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
                  "abc";
    char text[] = "\0\0\0\0\0\0\0\3"
                  "\xC3\x28";
    jab_str records[] = {{huge, sizeof huge - 1}, {text, sizeof text - 1}};
    for (size_t i = 0; i < 2; i++) {
        jabi_unpack u = jabi_unpack_begin(records[i]);
        assert_null(jabi_unpack_str(&u).p);
        assert_int_equal(u.error, JAB_EINVAL);
        assert_null(jabi_unpack_str(&u).p);
    }
}

static void numbers_sort_as_their_bytes(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 1, 255, 256, 65536, UINT32_MAX, UINT64_C(1) << 62};
    for (size_t i = 1; i < sizeof numbers / sizeof numbers[0]; i++) {
        jabi_buf b;
        jabi_buf_init(&b, jabi_mem_default(), 64);
        jabi_pack_number(&b, numbers[i - 1]);
        jabi_pack_number(&b, numbers[i]);
        assert_int_equal(b.n, 16);
        assert_true(memcmp(b.p, b.p + 8, 8) < 0);
        jabi_buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_is_read),
        cmocka_unit_test(a_record_cut_anywhere_is_not_whole),
        cmocka_unit_test(damaged_bytes_are_no_text_and_no_length),
        cmocka_unit_test(numbers_sort_as_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
