/* test_uri.c: XEP-0106 escaping and the xmpp: URIs of RFC 5122. */
#include "unit.h"

#include <jabiru/jid.h>

/* -- XEP-0106 -------------------------------------------------------------- */

static void check_escape(const char *name, const char *escaped)
{
    char out[256];
    assert_int_equal(jab_jid_escape(jab_cstr(name), out, sizeof out), strlen(escaped));
    assert_string_equal(out, escaped);
    assert_int_equal(jab_jid_unescape(jab_cstr(escaped), out, sizeof out), strlen(name));
    assert_string_equal(out, name);
    assert_int_equal(jab_jid_escape(jab_cstr(name), out, strlen(escaped)), JAB_ELIMIT);
    assert_int_equal(jab_jid_unescape(jab_cstr(escaped), out, strlen(name)), JAB_ELIMIT);
}

/* XEP-0106 §4.3, §5.1 to §5.7 */
static void the_examples_of_xep0106(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"space cadet", "space\\20cadet"},
        {"call me \"ishmael\"", "call\\20me\\20\\22ishmael\\22"},
        {"at&t guy", "at\\26t\\20guy"},
        {"d'artagnan", "d\\27artagnan"},
        {"/.fanboy", "\\2f.fanboy"},
        {"::foo::", "\\3a\\3afoo\\3a\\3a"},
        {"<foo>", "\\3cfoo\\3e"},
        {"user@host", "user\\40host"},
        {"c:\\net", "c\\3a\\net"},
        {"c:\\\\net", "c\\3a\\\\net"},
        {"c:\\cool stuff", "c\\3a\\cool\\20stuff"},
        {"c:\\5commas", "c\\3a\\5c5commas"},
        {"\\2plus\\2is\\4", "\\2plus\\2is\\4"},
        {"foo\\bar", "foo\\bar"},
        {"foob\\41r", "foob\\41r"},
        {"\\3and\\2is\\5cool", "\\5c3and\\2is\\5c5cool"},
        {"here's_a_wild_&_/cr%zy/_address", "here\\27s_a_wild_\\26_\\2fcr%zy\\2f_address"},
        {"somenick!user\"&'/:<>\\3address",
         "somenick!user\\22\\26\\27\\2f\\3a\\3c\\3e\\5c3address"},
        {"tr\u00E9ville@musketeers.lit", "tr\u00E9ville\\40musketeers.lit"},
        {"\\27", "\\5c27"},
        {"\\5c", "\\5c5c"},
        {"\\2F", "\\5c2F"}, /* would be an escape in lower case */
        {"\\20x\\20", "\\5c20x\\5c20"},
        {"", ""},
        {"\\", "\\"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        check_escape(pairs[i][0], pairs[i][1]);
}

static void a_space_at_an_end_cannot_be_escaped(void **state)
{
    (void)state;
    char out[64];
    assert_int_equal(jab_jid_escape(JAB_STR(" a"), out, sizeof out), JAB_EJID);
    assert_int_equal(jab_jid_escape(JAB_STR("a "), out, sizeof out), JAB_EJID);
    assert_int_equal(jab_jid_unescape(JAB_STR("\\20a"), out, sizeof out), JAB_EJID);
    assert_int_equal(jab_jid_unescape(JAB_STR("a\\20"), out, sizeof out), JAB_EJID);
    assert_int_equal(jab_jid_escape(JAB_STR("a"), out, 0), JAB_ELIMIT);
    assert_int_equal(jab_jid_escape(JAB_STR(""), out, 0), JAB_ELIMIT);
}

/* -- RFC 5122 ------------------------------------------------------------- */

static void check_uri(const char *text, const char *account, const char *jid, const char *action)
{
    jab_uri uri;
    jab_uri_buf buf;
    assert_int_equal(jab_uri_parse(&uri, jab_cstr(text), &buf), 0);
    assert_true(jab_str_eq(uri.account.full, jab_cstr(account)));
    assert_true(jab_str_eq(uri.jid.full, jab_cstr(jid)));
    assert_true(jab_str_eq(uri.action, jab_cstr(action)));
}

#define NASTY     "nasty!#$%()*+,-.;=?[\\]^_`{|}~node@example.com"
#define REPULSIVE "node@example.com/repulsive !#\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~resource"
#define NASTY_URI "xmpp:nasty!%23$%25()*+,-.;=%3F%5B%5C%5D%5E_%60%7B%7C%7D~node@example.com"
#define REPULSIVE_URI                                                                              \
    "xmpp:node@example.com/repulsive%20!%23%22$%25&'()*+,-.%2F:;%3C=%3E%3F%40%5B%5C%5D%5E_%60%7B%" \
    "7C%7D~resource"

static void the_examples_of_rfc5122(void **state)
{
    (void)state;
    check_uri("xmpp:node@example.com", NULL, "node@example.com", NULL);
    check_uri("xmpp://guest@example.com", "guest@example.com", NULL, NULL);
    check_uri("xmpp:guest@example.com", NULL, "guest@example.com", NULL);
    check_uri("xmpp://guest@example.com/support@example.com?message", "guest@example.com",
              "support@example.com", "message");
    check_uri("xmpp:support@example.com?message", NULL, "support@example.com", "message");
    check_uri("xmpp:example-node@example.com/some-resource", NULL,
              "example-node@example.com/some-resource", NULL);
    check_uri("xmpp:example.com", NULL, "example.com", NULL);
    check_uri(NASTY_URI, NULL, NASTY, NULL);
    check_uri(REPULSIVE_URI, NULL, REPULSIVE, NULL);
    check_uri("xmpp:ji%C5%99i@%C4%8Dechy.example/v%20Praze", NULL,
              "ji\u0159i@\u010Dechy.example/v Praze", NULL);
    check_uri("xmpp:ji\u0159i@\u010Dechy.example/v%20Praze", NULL,
              "ji\u0159i@\u010Dechy.example/v Praze", NULL);
    check_uri("XMPP:Node@Example.com?join#fragment?x", NULL, "node@example.com", "join");
    check_uri("xmpp://guest@example.com/?roster", "guest@example.com", NULL, "roster");
    check_uri("xmpp:example.com?", NULL, "example.com", NULL);
    check_uri("xmpp:a@[::1]/r", NULL, "a@[::1]/r", NULL);
}

static void uris_have_a_query(void **state)
{
    (void)state;
    jab_uri uri;
    jab_uri_buf buf;
    assert_int_equal(jab_uri_parse(&uri,
                                   JAB_STR("xmpp:a@b?message;subject=Hello%20World;;body=%C3%A4="
                                           "b;nogreeting;thread="),
                                   &buf),
                     0);
    assert_str(uri.action, "message");
    assert_int_equal(uri.n_params, 4);
    assert_str(uri.params[0].key, "subject");
    assert_str(uri.params[0].value, "Hello World");
    assert_str(uri.params[1].value, "\u00E4=b");
    assert_str(uri.params[2].key, "nogreeting");
    assert_null(uri.params[2].value.p);
    assert_str(uri.params[3].key, "thread");
    assert_non_null(uri.params[3].value.p);
    assert_int_equal(uri.params[3].value.n, 0);
    /* An encoded separator separates nothing. */
    assert_int_equal(jab_uri_parse(&uri, JAB_STR("xmpp:a@b?join;x%3By%3D=1%3B2"), &buf), 0);
    assert_int_equal(uri.n_params, 1);
    assert_str(uri.params[0].key, "x;y=");
    assert_str(uri.params[0].value, "1;2");
    /* As other clients write fingerprints. */
    assert_int_equal(jab_uri_parse(&uri, JAB_STR("xmpp:a@b?omemo-sid-1=ab;omemo-sid-2=cd"), &buf),
                     0);
    assert_null(uri.action.p);
    assert_int_equal(uri.n_params, 2);
    assert_str(uri.params[1].value, "cd");
}

static void what_is_no_uri_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } rows[] = {
        {"", JAB_EINVAL},
        {"xmpp", JAB_EINVAL},
        {"http:a@b", JAB_EINVAL},
        {"a@b", JAB_EINVAL},
        {"xmpp\x1A"
         "a@b",
         JAB_EINVAL},
        {"xmpp:", JAB_EJID},
        {"xmpp:?join", JAB_EJID},
        {"xmpp:a@", JAB_EJID},
        {"xmpp://a", JAB_EJID},
        {"xmpp:///a@b", JAB_EJID},
        {"xmpp:a b@c", JAB_EINVAL},
        {"xmpp:a@b?message;body=a\nb", JAB_EINVAL},
        {"xmpp:a%@b", JAB_EINVAL},
        {"xmpp:a%4@b", JAB_EINVAL},
        {"xmpp:a%4g@b", JAB_EINVAL},
        {"xmpp:a@b/%00", JAB_EINVAL},
        {"xmpp:a@b?message;body=%00", JAB_EINVAL},
        {"xmpp:a@b?message;body=%1B[2J", JAB_EINVAL},
        {"xmpp:a@b?message;body=%C2%9B", JAB_EINVAL},
        {"xmpp:a@b?message;body=%FF", JAB_EINVAL},
        {"xmpp:a@b?message;body=%C3", JAB_EINVAL},
        {"xmpp:a@b?%0A", JAB_EINVAL},
        {"xmpp:a@b?join;=x", JAB_EINVAL},
        {"xmpp:a%40b@c", JAB_EJID}, /* would be another address, were it decoded first */
        {"xmpp:a%2Fb@c", JAB_EJID},
        {"xmpp:a@b%2Fc", JAB_EJID},
        {"xmpp:a@b%40c", JAB_EJID},
        {"xmpp:a@b?x;1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17", JAB_ELIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        jab_uri uri;
        jab_uri_buf buf;
        int err = jab_uri_parse(&uri, jab_cstr(rows[i].text), &buf);
        if (err != rows[i].err)
            print_message("%s: %s\n", rows[i].text, jab_errname(err));
        assert_int_equal(err, rows[i].err);
        assert_null(uri.jid.full.p);
        assert_null(uri.account.full.p);
        assert_int_equal(uri.n_params, 0);
    }
}

static void fill(char *text, const char *unit, size_t n)
{
    *text = '\0';
    for (size_t i = 0, len = strlen(unit); i < n; i++)
        memcpy(text + i * len, unit, len + 1);
}

static void long_uris_are_refused(void **state)
{
    (void)state;
    static char text[20000] = "xmpp:a@b?message;body=";
    static jab_uri_buf buf;
    jab_uri uri;
    size_t head = strlen(text);
    fill(text + head, "%61", sizeof buf.query - 11);
    assert_int_equal(jab_uri_parse(&uri, jab_cstr(text), &buf), 0);
    fill(text + head, "%61", sizeof buf.query - 10);
    assert_int_equal(jab_uri_parse(&uri, jab_cstr(text), &buf), JAB_ELIMIT);
    fill(text + 5, "a", 15000);
    assert_int_equal(jab_uri_parse(&uri, jab_cstr(text), &buf), JAB_ELIMIT);
}

static void addresses_become_uris(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"node@example.com", NULL, "xmpp:node@example.com"},
        {"example.com", NULL, "xmpp:example.com"},
        {NASTY, NULL, NASTY_URI},
        {REPULSIVE, NULL, REPULSIVE_URI},
        {"ji\u0159i@\u010Dechy.example/v Praze", NULL,
         "xmpp:ji%C5%99i@%C4%8Dechy.example/v%20Praze"},
        {"a@[fe80::1%25eth0]", "message;body=Hi", "xmpp:a@[fe80::1%2525eth0]?message;body=Hi"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        jab_jid jid = jab_jid_view(jab_cstr(rows[i][0]));
        char out[300];
        int n = jab_uri_format(&jid, jab_cstr(rows[i][1]), out, sizeof out);
        assert_int_equal(n, strlen(rows[i][2]));
        assert_string_equal(out, rows[i][2]);
        check_uri(out, NULL, rows[i][0], rows[i][1] ? "message" : NULL);
        for (size_t size = 0; size <= (size_t)n; size++)
            assert_int_equal(jab_uri_format(&jid, jab_cstr(rows[i][1]), out, size), JAB_ELIMIT);
        assert_int_equal(jab_uri_format(&jid, jab_cstr(rows[i][1]), out, (size_t)n + 1), n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_xep0106),
        cmocka_unit_test(a_space_at_an_end_cannot_be_escaped),
        cmocka_unit_test(the_examples_of_rfc5122),
        cmocka_unit_test(uris_have_a_query),
        cmocka_unit_test(what_is_no_uri_is_refused),
        cmocka_unit_test(long_uris_are_refused),
        cmocka_unit_test(addresses_become_uris),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
