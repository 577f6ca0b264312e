/* test_jid.c: addresses: RFC 7622, RFC 8265, IDNA2008, XEP-0106, RFC 5122. */
#include "unit.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "jid/jid.h"

/* Prepares `text`; the prepared form is `expected`, or it is refused (NULL).
 * What was prepared is a fixed point, and its view has the same parts. */
static void check(const char *text, const char *expected)
{
    jab_jid jid, again, view;
    jab_jid_buf buf, buf2;
    int err = jab_jid_parse(&jid, jab_cstr(text), &buf);
    if (!expected) {
        if (err != JAB_EJID)
            print_message("accepted: %s\n", text);
        assert_int_equal(err, JAB_EJID);
        assert_null(jid.full.p);
        return;
    }
    if (err)
        print_message("refused: %s\n", text);
    assert_int_equal(err, 0);
    assert_string_equal(buf.bytes, expected);
    assert_str(jid.full, expected);
    assert_int_equal(jab_jid_parse(&again, jid.full, &buf2), 0);
    assert_string_equal(buf2.bytes, expected);
    view = jab_jid_view(jid.full);
    assert_true(jab_str_eq(view.bare, jid.bare) && jab_str_eq(view.local, jid.local));
    assert_true(jab_str_eq(view.domain, jid.domain) && jab_str_eq(view.resource, jid.resource));
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_legal_examples_of_rfc7622),
        cmocka_unit_test(the_illegal_examples_of_rfc7622),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
