/* test_fold.c: text brought to the form in which it is looked for. */
#include "unit.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "store/fold.h"

static void fold_to(jabi_buf *b, jab_str text)
{
    jabi_buf_reset(b);
    assert_int_equal(jabi_fold(b, text), 0);
}

typedef struct row {
    const char *text, *folded;
} row;

static void assert_rows(const row *rows, size_t n)
{
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), SIZE_MAX);
    for (size_t i = 0; i < n; i++) {
        fold_to(&b, jab_cstr(rows[i].text));
        jabi_buf_add_char(&b, '\0');
        assert_string_equal(b.p, rows[i].folded);
    }
    jabi_buf_fini(&b);
}

#define ASSERT_ROWS(rows) assert_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void case_accents_and_width_do_not_matter(void **state)
{
    (void)state;
    static const row rows[] = {
        {"", " "},
        {"Hello, World!", " hello world "},
        {"  a_b-c\t1.5\n", " a b c 1 5 "},
        {"CAF\u00C9 cafe\u0301", " cafe cafe "},
        {"Stra\u00DFe STRASSE", " strasse strasse "},
        {"\uFB01n \uFF26\uFF35\uFF2C\uFF2C\uFF11", " fin full1 "},
        {"\u0130stanbul D\u0131\u015F", " istanbul dis "},
        {"\u00D8l \u0142\u00F3d\u017A \u00C6sop", " ol lodz aesop "},
        {"\u03A3\u03AF\u03C3\u03C5\u03C6\u03BF\u03C2",
         " \u03C3\u03B9\u03C3\u03C5\u03C6\u03BF\u03C3 "},
        {"x\u00B2 \u2163", " x2 iv "},
        {"soft\u00ADhyphen zero\u200Bwidth", " softhyphen zerowidth "},
        {"don\u2019t", " don t "},
    };
    ASSERT_ROWS(rows);
}

static void letters_that_differ_stay_different(void **state)
{
    (void)state;
    static const row rows[] = {
        {"\u0419 \u0439 \u0438\u0306 \u0438", " \u0439 \u0439 \u0439 \u0438 "}, /* й is not и */
        {"\u0401\u043B\u043A\u0430", " \u0435\u043B\u043A\u0430 "},             /* but ё is е */
        {"\u0915\u093F \u0915\u0940", " \u0915\u093F \u0915\u0940 "}, /* vowels of Hindi */
    };
    ASSERT_ROWS(rows);
}

static void vowel_points_are_left_out(void **state)
{
    (void)state;
    static const row rows[] = {
        {"\u0645\u064F\u062D\u064E\u0645\u0651\u0640\u062F", " \u0645\u062D\u0645\u062F "},
        {"\u0623\u062D\u0645\u062F", " \u0627\u062D\u0645\u062F "},
        {"\u05E9\u05C1\u05B8\u05DC\u05D5\u05B9\u05DD", " \u05E9\u05DC\u05D5\u05DD "},
    };
    ASSERT_ROWS(rows);
}

static void scripts_without_blanks_are_cut_into_characters(void **state)
{
    (void)state;
    static const row rows[] = {
        {"\u6771\u4EAC2020\u5E74", " \u6771 \u4EAC 2020 \u5E74 "},
        {"\uFF76\u3042", " \u30AB \u3042 "},
        {"\u0E01\u0E34\u0E19", " \u0E01 \u0E34 \u0E19 "},
        {"ok\U0001F44D\U0001F3FD\uFE0F!", " ok \U0001F44D "},
    };
    ASSERT_ROWS(rows);
}

static void what_is_looked_for_is_cut_into_terms(void **state)
{
    (void)state;
    static const row rows[] = {
        {"", ""},
        {" .,\"*- ", ""},
        {"Hello w\u00F6rld", " hello\n world\n"},
        {"\u6771\u4EAC \u90FD", " \u6771 \u4EAC \n \u90FD \n"},
        {"ab\u6771\u4EACcd", " ab\n \u6771 \u4EAC \n cd\n"},
    };
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), SIZE_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        jabi_buf_reset(&b);
        assert_int_equal(jabi_fold_query(&b, jab_cstr(rows[i].text)), 0);
        jabi_buf_add_char(&b, '\0');
        assert_string_equal(b.p, rows[i].folded);
    }
    jabi_buf_fini(&b);
}

static void terms_are_found_where_they_are(void **state)
{
    (void)state;
    jab_str text = JAB_STR(" hello wide world ");
    assert_true(jabi_fold_has(text, JAB_STR(" wor\n hell\n")));
    assert_true(jabi_fold_has(text, JAB_STR(" hello wide \n")));
    assert_false(jabi_fold_has(text, JAB_STR(" hello wid \n")));
    assert_false(jabi_fold_has(text, JAB_STR(" ello\n")));
    assert_false(jabi_fold_has(text, JAB_STR(" hello\n no\n")));
    assert_false(jabi_fold_has(text, JAB_STR("")));
}

/* Each code point by itself and in a word: what is folded stays as it is, and
 * has one blank between words and at both ends. */
static void folding_twice_changes_nothing(void **state)
{
    (void)state;
    jabi_buf once, twice;
    jabi_buf_init(&once, jabi_mem_default(), SIZE_MAX);
    jabi_buf_init(&twice, jabi_mem_default(), SIZE_MAX);
    for (uint32_t cp = 0; cp < 0x110000; cp += cp < 0x10000 ? 1 : 7) {
        char text[12] = "a";
        if (cp >= 0xD800 && cp < 0xE000)
            continue;
        size_t n = 1 + (size_t)jabi_utf8_write(cp, text + 1);
        text[n++] = 'b';
        fold_to(&once, (jab_str){text, n});
        fold_to(&twice, jabi_buf_str(&once));
        assert_true(jab_str_eq(jabi_buf_str(&once), jabi_buf_str(&twice)));
        assert_true(jabi_utf8_valid(jabi_buf_str(&once)));
        assert_null(memmem(once.p, once.n, "  ", 2));
        assert_true(once.n >= 3 && once.p[0] == ' ' && once.p[once.n - 1] == ' ');
    }
    jabi_buf_fini(&once);
    jabi_buf_fini(&twice);
}

static void what_is_too_long_is_cut(void **state)
{
    (void)state;
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), SIZE_MAX);
    size_t n = 3 * JABI_FOLD_MAX;
    char *text = malloc(n);
    memset(text, 'x', n);
    fold_to(&b, (jab_str){text, n});
    assert_int_equal(b.n, 1 + JABI_FOLD_WORD_MAX - 3 + 1);
    for (size_t i = 0; i < n; i += 3)
        text[i] = ' ';
    fold_to(&b, (jab_str){text, n});
    assert_true(b.n >= JABI_FOLD_MAX && b.n < JABI_FOLD_MAX + JABI_FOLD_WORD_MAX);
    memset(text, 0xC3, n);
    fold_to(&b, (jab_str){text, n});
    assert_str(jabi_buf_str(&b), " ");
    free(text);
    jabi_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_accents_and_width_do_not_matter),
        cmocka_unit_test(letters_that_differ_stay_different),
        cmocka_unit_test(vowel_points_are_left_out),
        cmocka_unit_test(scripts_without_blanks_are_cut_into_characters),
        cmocka_unit_test(what_is_looked_for_is_cut_into_terms),
        cmocka_unit_test(terms_are_found_where_they_are),
        cmocka_unit_test(folding_twice_changes_nothing),
        cmocka_unit_test(what_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
