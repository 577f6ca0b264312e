/* test_jid.c: whole addresses: RFC 7622, limits, equality, memory. */
#include "jid_check.h"

#include "base/arena.h"
#include "base/mem.h"
#include "jid/jid.h"

/* RFC 7622 §3.5, table 1 */
static void the_legal_examples_of_rfc7622(void **state)
{
    (void)state;
    static const char *const same[] = {
        "juliet@example.com",         "juliet@example.com/foo",     "juliet@example.com/foo bar",
        "juliet@example.com/foo@bar", "foo\\20bar@example.com",     "fussball@example.com",
        "fu\u00DFball@example.com",   "\u03C0@example.com",         "\u03C3@example.com/foo",
        "\u03C2@example.com/foo",     "king@example.com/\u265A",    "example.com",
        "example.com/foobar",         "a.example.com/b@example.net"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        check(same[i], same[i]);
    check("\u03A3@example.com/foo", "\u03C3@example.com/foo");
}

/* RFC 7622 §3.5, table 2. Its number 18, a space that begins a resource, is a
 * mistake (erratum 4560): the OpaqueString profile allows it. */
static void the_illegal_examples_of_rfc7622(void **state)
{
    (void)state;
    static const char *const bad[] = {"\"juliet\"@example.com",
                                      "foo bar@example.com",
                                      "@example.com/",
                                      "@example.com",
                                      "example.com/",
                                      "henry\u2163@example.com",
                                      "\u265A@example.com",
                                      "juliet@",
                                      "/foobar",
                                      "",
                                      "@",
                                      "/",
                                      "@/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check(bad[i], NULL);
    check("juliet@example.com/ foo", "juliet@example.com/ foo");
}

static void fill(char *text, const char *unit, size_t n)
{
    *text = '\0';
    for (size_t i = 0, len = strlen(unit); i < n; i++)
        memcpy(text + i * len, unit, len + 1);
}

static int prepare(const char *local, const char *domain, const char *resource)
{
    jab_jid jid, parsed;
    jab_jid_buf buf, buf2;
    int err = jab_jid_make(&jid, jab_cstr(local), jab_cstr(domain), jab_cstr(resource), &buf);
    if (!err) {
        assert_int_equal(jab_jid_parse(&parsed, jid.full, &buf2), 0);
        assert_true(jab_jid_eq(&jid, &parsed));
        assert_true(jab_str_eq(jid.local, parsed.local));
    }
    return err;
}

static void parts_have_at_most_1023_bytes(void **state)
{
    (void)state;
    static char text[5000];
    static const struct {
        const char *unit;
        size_t most;
    } units[] = {{"a", 1023}, {"\u00E4", 511}, {"\u4E00", 341}, {"\U00020000", 255}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        fill(text, units[i].unit, units[i].most);
        assert_int_equal(prepare(text, "a", text), 0);
        fill(text, units[i].unit, units[i].most + 1);
        assert_int_equal(prepare(text, "a", NULL), JAB_EJID);
        assert_int_equal(prepare(NULL, "a", text), JAB_EJID);
    }
    /* What counts is the length after preparation. */
    fill(text, "\uFF41", 1023);
    assert_int_equal(prepare(text, "a", NULL), 0);
    assert_int_equal(prepare(NULL, "a", text), JAB_EJID);
    fill(text, "\u3000", 1023);
    assert_int_equal(prepare(NULL, "a", text), 0);
    fill(text, "\u0130", 400); /* becomes longer */
    assert_int_equal(prepare(text, "a", NULL), JAB_EJID);
    fill(text, "\u1F82", 341); /* four code points each when decomposed */
    assert_int_equal(prepare(text, "a", text), 0);
}

static void labels_have_at_most_63_bytes(void **state)
{
    (void)state;
    char text[300];
    fill(text, "a", 63);
    assert_int_equal(prepare(NULL, text, NULL), 0);
    fill(text, "a", 64);
    assert_int_equal(prepare(NULL, text, NULL), JAB_EJID);
    fill(text, "\u00FC", 56); /* by the A-label */
    assert_int_equal(prepare(NULL, text, NULL), 0);
    fill(text, "\u00FC", 60);
    assert_int_equal(prepare(NULL, text, NULL), JAB_EJID);
    fill(text, "a.", 127);
    text[253] = '\0';
    assert_int_equal(prepare(NULL, text, NULL), 0);
    fill(text, "aa.", 85);
    text[254] = '\0';
    assert_int_equal(prepare(NULL, text, NULL), JAB_EJID);
}

/* A run of marks is put in order whatever its length. */
static void long_runs_of_marks_are_ordered(void **state)
{
    (void)state;
    static char text[2000], expected[2000];
    fill(text, "\u0301\u0323", 250);
    memmove(text + 1, text, 1001);
    text[0] = 'x';
    fill(expected + 1, "\u0323", 250);
    fill(expected + 501, "\u0301", 250);
    expected[0] = 'x';
    jab_jid jid;
    jab_jid_buf buf;
    assert_int_equal(jab_jid_make(&jid, jab_cstr(text), JAB_STR("a"), jab_cstr(NULL), &buf), 0);
    assert_str(jid.local, expected);
}

static void parts_are_not_mixed_up(void **state)
{
    (void)state;
    assert_int_equal(prepare("a", "b", "c"), 0);
    assert_int_equal(prepare("a@b", "c", NULL), JAB_EJID);
    assert_int_equal(prepare("a/b", "c", NULL), JAB_EJID);
    assert_int_equal(prepare(NULL, "a@b", NULL), JAB_EJID);
    assert_int_equal(prepare(NULL, "a/b", NULL), JAB_EJID);
    assert_int_equal(prepare("", "a", NULL), JAB_EJID);
    assert_int_equal(prepare("a", "b", ""), JAB_EJID);
    assert_int_equal(prepare("a", "", NULL), JAB_EJID);
    assert_int_equal(prepare("a", NULL, NULL), JAB_EJID);
    check("a@b@c", NULL);
    jab_jid jid = jab_jid_view(JAB_STR("juliet@example.com/b@l/cony"));
    assert_str(jid.local, "juliet");
    assert_str(jid.domain, "example.com");
    assert_str(jid.bare, "juliet@example.com");
    assert_str(jid.resource, "b@l/cony");
    jid = jab_jid_view(JAB_STR("example.com"));
    assert_null(jid.local.p);
    assert_null(jid.resource.p);
    assert_str(jid.bare, "example.com");
    jid = jab_jid_view(jab_cstr(NULL));
    assert_null(jid.full.p);
}

static void homographs_stay_apart(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"a@example.com", "\u0430@example.com"}, /* Latin, Cyrillic */
        {"a@example.com", "a@ex\u0430mple.com"},
        {"fu\u00DFball@example.com", "fussball@example.com"},
        {"a@fa\u00DF.de", "a@fass.de"},
        {"\u03C3@example.com", "\u03C2@example.com"},
        {"i@example.com", "\u0131@example.com"}, /* dotless */
        {"d\\27artagnan@example.com", "d\u02BCartagnan@example.com"},
        {"a@example.com/R", "a@example.com/r"},
        {"a@example.com/A", "a@example.com/\uFF21"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        jab_jid a, b;
        jab_jid_buf buf_a, buf_b;
        assert_int_equal(jab_jid_parse(&a, jab_cstr(pairs[i][0]), &buf_a), 0);
        assert_int_equal(jab_jid_parse(&b, jab_cstr(pairs[i][1]), &buf_b), 0);
        assert_false(jab_jid_eq(&a, &b));
    }
}

/* -- Memory --------------------------------------------------------------- */

static void text_may_lie_in_the_buffer(void **state)
{
    (void)state;
    static const char *const texts[] = {"juliet@example.com/a", "JULIET@example.com/a",
                                        "\uFF21@b\u00FCcher.example/\u2666"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        jab_jid_buf buf, expected;
        jab_jid jid, other;
        strncpy(buf.bytes + 2, texts[i], 100);
        assert_int_equal(jab_jid_parse(&other, jab_cstr(texts[i]), &expected), 0);
        assert_int_equal(jab_jid_parse(&jid, jab_cstr(buf.bytes + 2), &buf), 0);
        assert_true(jab_jid_eq(&jid, &other));
        assert_ptr_equal(jid.full.p, buf.bytes);
    }
}

static void arenas_get_a_copy_or_a_view(void **state)
{
    (void)state;
    jabi_arena arena;
    jabi_arena_init(&arena, jabi_mem_default(), 10000);
    jab_str plain = jabi_arena_str(&arena, JAB_STR("juliet@example.com/balcony"));
    size_t used = arena.used;
    jab_jid jid;
    assert_int_equal(jabi_jid_parse_view(&jid, plain, &arena), 0);
    assert_ptr_equal(jid.full.p, plain.p);
    assert_int_equal(arena.used, used);
    assert_str(jid.resource, "balcony");

    assert_int_equal(jabi_jid_parse_into(&jid, plain, &arena), 0);
    assert_ptr_not_equal(jid.full.p, plain.p);
    assert_string_equal(jid.full.p, "juliet@example.com/balcony");
    assert_int_equal(arena.used, used + 32);

    jab_str changed = jabi_arena_str(&arena, JAB_STR("Juliet@example.com"));
    assert_int_equal(jabi_jid_parse_view(&jid, changed, &arena), 0);
    assert_string_equal(jid.full.p, "juliet@example.com");
    assert_str(jid.local, "juliet");
    assert_int_equal(jabi_jid_parse_view(&jid, JAB_STR("a b@c"), &arena), JAB_EJID);
    assert_null(jid.full.p);
    jabi_arena_fini(&arena);
}

static void an_arena_may_be_full(void **state)
{
    (void)state;
    static const char *const texts[] = {"juliet@example.com", "JULIET@example.com"};
    for (size_t i = 0; i < 2; i++) {
        unit_mem u;
        jabi_arena arena;
        jab_jid jid;
        unit_mem_init(&u, 1);
        jabi_arena_init(&arena, &u.mem, 10000);
        assert_int_equal(jabi_jid_parse_into(&jid, jab_cstr(texts[i]), &arena), JAB_ENOMEM);
        assert_null(jid.full.p);
        assert_int_equal(jabi_jid_parse_into(&jid, jab_cstr(texts[i]), &arena), 0);
        assert_str(jid.full, "juliet@example.com");
        jabi_arena_fini(&arena);
        assert_int_equal(u.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_legal_examples_of_rfc7622),
        cmocka_unit_test(the_illegal_examples_of_rfc7622),
        cmocka_unit_test(parts_have_at_most_1023_bytes),
        cmocka_unit_test(labels_have_at_most_63_bytes),
        cmocka_unit_test(long_runs_of_marks_are_ordered),
        cmocka_unit_test(parts_are_not_mixed_up),
        cmocka_unit_test(homographs_stay_apart),
        cmocka_unit_test(text_may_lie_in_the_buffer),
        cmocka_unit_test(arenas_get_a_copy_or_a_view),
        cmocka_unit_test(an_arena_may_be_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
