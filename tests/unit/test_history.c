/* test_history.c: the account's own archive: each message is told and kept
 * once, in the server's order, whatever is cut, and whoever lies. */
#include "history.h"

static account a;

/* -- What is kept ------------------------------------------------------------------- */

typedef struct listing {
    char text[8192];
    int64_t last_rank;
} listing;

static int add_row(void *arg, const jab_kept_message *m)
{
    listing *l = arg;
    size_t n = strlen(l->text);
    assert_true(m->rank > l->last_rank);
    l->last_rank = m->rank;
    snprintf(l->text + n, sizeof l->text - n, JAB_FMT "%s" JAB_FMT " ", JAB_ARG(m->body),
             m->archive_id.p ? "@" : "", JAB_ARG(m->archive_id));
    return 0;
}

/* The bodies in the order of the ranks, each with "@" and its id in the archive. */
static const char *kept_in(const char *conversation)
{
    static listing l;
    l = (listing){.text = ""};
    assert_true(jab_store_read(a.store,
                               JAB_KEPT_QUERY(.conversation = jab_cstr(conversation), .forwards = 1,
                                              .limit = 1000),
                               add_row, &l) >= 0);
    return l.text;
}

static const char *kept(void)
{
    return kept_in(ROMEO);
}

static void say_live(const char *attributes, const char *content)
{
    char text[2048];
    a.wall += 5000;
    snprintf(text, sizeof text, "<message %s>%s</message>", attributes, content);
    account_says(&a, text);
}

#define FROM_ROMEO "from='" ROMEO "/orchard' to='" OWN "' type='chat'"
#define SID(id)    "<stanza-id xmlns='urn:xmpp:sid:0' by='" OWN "' id='" id "'/>"
#define TEXT(t)    "<body>" t "</body>"

/* An account whose archive was empty at its first log-in. */
static void with_empty_archive(void)
{
    account_init(&a);
    account_new(&a);
    account_log_in(&a);
    assert_true(account_asked(&a));
    say_fin(&a, OWN, 1, NULL, NULL);
}

/* Goes online again with what the store has; the pass behind the presence is asked. */
static void go_on_again(void)
{
    account_new(&a);
    account_log_in(&a);
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_true(account_asked(&a));
    told_clear(&a);
}

static void leave(void)
{
    jab_session_free(a.e.s);
    a.e.s = NULL;
    assert_int_equal(a.e.mem.live, 0);
}

static void result_of(const char *id, int64_t at, const char *name, const char *text)
{
    char attributes[200], content[400];
    snprintf(attributes, sizeof attributes, FROM_ROMEO " id='%s'", name);
    snprintf(content, sizeof content, "<body>%s</body>", text);
    say_result(&a, OWN, id, a.wall - 1000000 + at * 1000, attributes, content);
}

/* -- Catching up ----------------------------------------------------------------------- */

static void an_empty_archive_is_a_place(void **state)
{
    (void)state;
    account_init(&a);
    account_new(&a);
    account_log_in(&a);
    assert_true(account_asked(&a));
    assert_non_null(strstr(a.e.sent, "<before/>"));
    assert_true(strstr(a.e.sent, "urn:xmpp:carbons:2") < strstr(a.e.sent, "urn:xmpp:mam:2"));
    say_fin(&a, OWN, 1, NULL, NULL);
    assert_int_equal(a.n_synced, 1);
    assert_int_equal(a.last.error, 0);
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_true(account_asked(&a));
    assert_null(strstr(a.e.sent, "<before/>"));
    result_of("a1", 1, "m1", "one");
    result_of("a2", 2, "m2", "two");
    say_fin(&a, OWN, 0, "a1", "a2");
    assert_true(account_asked(&a));
    assert_non_null(strstr(a.e.sent, "<after>a2</after>"));
    result_of("a3", 3, "m3", "three");
    say_fin(&a, OWN, 1, "a3", "a3");
    assert_string_equal(a.told, "one two three ");
    assert_string_equal(kept(), "one@a1 two@a2 three@a3 ");
    assert_int_equal(a.n_synced, 2);
    assert_int_equal(a.last.added, 3);
    account_free(&a);
}

static void live_messages_wait_while_the_archive_is_read(void **state)
{
    (void)state;
    with_empty_archive();
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_true(account_asked(&a));
    say_live(FROM_ROMEO " id='m3'", TEXT("three") SID("a3"));
    say_live(FROM_ROMEO " id='m4'", TEXT("four") SID("a4"));
    assert_string_equal(a.told, "");
    result_of("a1", 1, "m1", "one");
    result_of("a2", 2, "m2", "two");
    result_of("a3", 3, "m3", "three");
    assert_string_equal(a.told, "one two three ");
    say_fin(&a, OWN, 1, "a1", "a3");
    assert_string_equal(a.told, "one two three four ");
    assert_string_equal(kept(), "one@a1 two@a2 three@a3 four@a4 ");
    account_free(&a);
}

static void a_later_session_goes_on_where_it_ended(void **state)
{
    (void)state;
    with_empty_archive();
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_true(account_asked(&a));
    result_of("a1", 1, "m1", "one");
    leave();
    go_on_again();
    assert_non_null(strstr(a.e.sent, "<after>a1</after>"));
    result_of("a2", 2, "m2", "two");
    say_fin(&a, OWN, 1, "a2", "a2");
    assert_string_equal(a.told, "two ");
    assert_string_equal(kept(), "one@a1 two@a2 ");
    account_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_archive_is_a_place),
        cmocka_unit_test(live_messages_wait_while_the_archive_is_read),
        cmocka_unit_test(a_later_session_goes_on_where_it_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
