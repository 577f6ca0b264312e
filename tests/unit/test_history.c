/* test_history.c: the account's own archive: each message is told and kept
 * once, in the server's order, whatever is cut, and whoever lies. */
#include "history.h"

#include "session/session.h"

static account a;

static const char *kept(void)
{
    return account_kept(&a, ROMEO);
}

static void say_live(const char *attributes, const char *content)
{
    account_live(&a, attributes, content);
}

static void with_empty_archive(void)
{
    account_begin(&a);
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
    account_look(&a);
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

/* Logged in with stream management, and the archive is asked. */
static void with_management(void)
{
    account_init(&a);
    account_new(&a);
    peer *e = &a.e;
    assert_int_equal(jab_session_connected(e->s, NULL, e->now), 0);
    assert_true(peer_says(e, PEER_HEADER PEER_PLAIN) >= 0 && peer_says(e, PEER_SUCCESS) >= 0);
    peer_clear(e);
    assert_true(peer_says(e, PEER_HEADER HISTORY_SM) >= 0);
    peer_bind(e);
    account_says(&a, "<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>");
    account_look(&a);
}

/* What waits here in memory is lost with the process: the server has to keep it. */
static void what_waits_is_not_acknowledged(void **state)
{
    (void)state;
    with_management();
    peer *e = &a.e;
    account_says(&a, "<presence from='" ROMEO "'/>");
    say_live(FROM_ROMEO " id='1'", TEXT("one") SID("a1"));
    account_says(&a, "<presence from='" ROMEO "'/><r xmlns='urn:xmpp:sm:3'/>");
    assert_string_equal(a.told, "");
    assert_true(peer_sent(e, "<a xmlns='urn:xmpp:sm:3' h='1'/>"));
    int passes = 0;
    do {
        say_fin(&a, OWN, 1, NULL, NULL);
    } while (++passes < 3 && account_asked(&a));
    assert_string_equal(a.told, "one ");
    account_says(&a, "<r xmlns='urn:xmpp:sm:3'/>");
    char all[60];
    snprintf(all, sizeof all, "<a xmlns='urn:xmpp:sm:3' h='%d'/>", 3 + passes);
    assert_true(peer_sent(e, all));
    account_free(&a);
}

/* What a pass from a proven place will bring, now or to a later process, is not
 * kept from the server for as long as the pass takes. */
static void what_the_archive_has_is_acknowledged(void **state)
{
    (void)state;
    with_management();
    say_fin(&a, OWN, 1, NULL, NULL);
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_true(account_asked(&a));
    uint32_t before = a.e.s->stream.sm.in;
    say_live(FROM_ROMEO " id='1'", TEXT("one") SID("a1"));
    account_says(&a, "<r xmlns='urn:xmpp:sm:3'/>");
    assert_string_equal(a.told, "");
    char all[60];
    snprintf(all, sizeof all, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", (unsigned)before + 1);
    assert_true(peer_sent(&a.e, all));
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
    result_of("a1", 1, "m1", "one"); /* what is as young as that is read again */
    result_of("a2", 2, "m2", "two");
    say_fin(&a, OWN, 1, "a1", "a2");
    assert_string_equal(a.told, "two ");
    assert_string_equal(kept(), "one@a1 two@a2 ");
    account_free(&a);
}

/* Goes online with an archive that was read to its end: `a1` "one". */
static void with_one(void)
{
    with_empty_archive();
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_true(account_asked(&a));
    result_of("a1", 1, "m1", "one");
    say_fin(&a, OWN, 1, "a1", "a1");
    assert_string_equal(a.told, "one ");
    told_clear(&a);
}

static void the_first_page_is_told_when_asked_for(void **state)
{
    (void)state;
    account_init(&a);
    a.cfg.first_history = 2;
    account_new(&a);
    account_log_in(&a);
    account_look(&a);
    assert_non_null(strstr(a.e.sent, "<max>2</max><before/>"));
    result_of("a8", 8, "m8", "eight");
    result_of("a9", 9, "m9", "nine");
    say_fin(&a, OWN, 0, "a8", "a9");
    assert_string_equal(a.told, "eight nine ");
    assert_int_equal(a.last.added, 2);
    assert_int_equal(a.last.has_gap, 0);
    assert_int_equal(jab_history_is_whole(a.e.s, JAB_STR(ROMEO)), 1);
    account_free(&a);
}

/* What only shows the place is told to nobody; but it may be what waits in
 * the offline storage, and then it is news. */
static void the_message_at_the_place_is_told_once(void **state)
{
    (void)state;
    account_init(&a);
    account_new(&a);
    account_log_in(&a);
    account_look(&a);
    result_of("a9", 9, "m9", "nine");
    say_fin(&a, OWN, 0, "a9", "a9");
    assert_string_equal(a.told, "");
    assert_string_equal(kept(), "nine@a9 ");
    leave();
    account_new(&a);
    account_log_in(&a);
    for (int i = 0; i < 2; i++)
        say_live(FROM_ROMEO " id='m9'",
                 TEXT("nine") "<delay xmlns='urn:xmpp:delay' from='example.org' "
                              "stamp='2023-11-14T22:13:20Z'/>");
    assert_string_equal(a.told, "nine ");
    assert_string_equal(kept(), "nine@a9 ");
    account_free(&a);
}

/* Nobody gave it an id, and its own word for its place counts once there is an archive. */
static void what_came_before_the_archive_was_known_is_one(void **state)
{
    (void)state;
    account_init(&a);
    a.cfg.first_history = 5;
    account_new(&a);
    account_log_in(&a);
    say_live(FROM_ROMEO, TEXT("one") SID("a1"));
    assert_string_equal(a.told, "one ");
    account_look(&a);
    say_result(&a, OWN, "a1", a.wall - 60000, FROM_ROMEO, TEXT("one"));
    say_fin(&a, OWN, 1, "a1", "a1");
    assert_string_equal(a.told, "one ");
    assert_string_equal(kept(), "one@a1 ");
    account_free(&a);
}

/* Offline storage, or a room's history, may have what is older than the first
 * page: by its time, and before the page also when that is the same. */
static void what_is_older_than_the_first_page_stands_before_it(void **state)
{
    static const char *const older[] = {"seven", "eight", "one"};
    static const int64_t stamps[] = {1699999999000, 1700000009000, 1699999990000};
    (void)state;
    account_init(&a);
    a.cfg.first_history = 1;
    account_new(&a);
    account_log_in(&a);
    account_look(&a);
    say_result(&a, OWN, "a9", 1700000009000, FROM_ROMEO " id='m9'", TEXT("nine"));
    say_fin(&a, OWN, 0, "a9", "a9");
    for (int i = 0; i < 3; i++) {
        char content[512], when[JAB_DATETIME_SIZE];
        history_stamp(when, stamps[i]);
        snprintf(content, sizeof content,
                 TEXT("%s") SID("b%d") "<delay xmlns='urn:xmpp:delay' from='example.org' "
                                       "stamp='%s'/>",
                 older[i], i, when);
        say_live(FROM_ROMEO " id='old'", content);
    }
    assert_string_equal(a.told, "nine seven eight one ");
    assert_string_equal(kept(), "one@b2 seven@b0 eight@b1 nine@a9 ");
    account_free(&a);
}

static void a_trimmed_archive_leaves_a_gap(void **state)
{
    (void)state;
    with_one();
    leave();
    go_on_again();
    result_of("a1", 1, "m1", "one");
    result_of("a2", 50, "m2", "two");
    result_of("a3", 100, "m3", "three");
    say_fin(&a, OWN, 1, "a1", "a3");
    leave();
    go_on_again();
    assert_non_null(strstr(a.e.sent, "<after>a2</after>"));
    say_refusal(&a, OWN, "item-not-found");
    assert_true(account_asked(&a)); /* that one may be gone alone */
    assert_non_null(strstr(a.e.sent, "<after>a3</after>"));
    say_refusal(&a, OWN, "item-not-found");
    assert_true(account_asked(&a));
    assert_null(strstr(a.e.sent, "<after>"));
    assert_non_null(strstr(a.e.sent, "var='start'"));
    /* The archive has begun anew, with other ids: what is known is known. */
    result_of("b3", 100, "m3", "three");
    result_of("b7", 700, "m7", "seven");
    say_fin(&a, OWN, 1, "b3", "b7");
    assert_string_equal(a.told, "seven ");
    assert_string_equal(kept(), "one@a1 two@a2 three@a3 seven@b7 ");
    assert_int_equal(a.last.has_gap, 1);
    assert_int_equal(jab_history_is_whole(a.e.s, JAB_STR(ROMEO)), 0);
    leave();
    go_on_again();
    assert_non_null(strstr(a.e.sent, "<after>b3</after>"));
    say_fin(&a, OWN, 1, NULL, NULL);
    assert_int_equal(a.last.has_gap, 0);
    account_free(&a);
}

static void without_an_archive_messages_do_not_wait(void **state)
{
    (void)state;
    account_init(&a);
    account_new(&a);
    account_log_in(&a);
    account_look(&a);
    say_live(FROM_ROMEO " id='m1'", TEXT("one") SID("forged"));
    assert_string_equal(a.told, "");
    say_refusal(&a, OWN, "service-unavailable");
    assert_string_equal(a.told, "one ");
    assert_string_equal(kept(), "one ");
    assert_int_equal(a.n_synced, 1);
    assert_int_equal(a.last.error, JAB_ESTANZA);
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_false(account_asked(&a));
    say_live(FROM_ROMEO " id='m2'", TEXT("two") SID("forged"));
    assert_string_equal(a.told, "one two ");
    assert_string_equal(kept(), "one two ");
    account_free(&a);
}

static void pass_time(int64_t ms)
{
    a.e.now += ms;
    jab_session_tick(a.e.s, a.e.now);
    account_pull(&a);
}

static void a_pass_that_fails_is_tried_again(void **state)
{
    (void)state;
    with_one();
    leave();
    go_on_again();
    say_live(FROM_ROMEO " id='m3'", TEXT("three") SID("a3"));
    account_forget(&a);
    pass_time(30000);
    assert_string_equal(a.told, "three ");
    assert_int_equal(a.last.error, JAB_ETIMEOUT);
    assert_false(account_asked(&a));
    pass_time(5000);
    assert_true(account_asked(&a));
    say_refusal(&a, OWN, "internal-server-error");
    pass_time(9000);
    assert_false(account_asked(&a));
    pass_time(1000);
    assert_true(account_asked(&a));
    result_of("a2", 2, "m2", "two");
    result_of("a3", 3, "m3", "three");
    say_fin(&a, OWN, 1, "a2", "a3");
    assert_string_equal(a.told, "three two ");
    assert_string_equal(kept(), "one@a1 two@a2 three@a3 ");
    account_free(&a);
}

/* The server dropped "two" on its way; a pass behind many live messages brings it. */
static void a_hole_is_found_by_a_later_pass(void **state)
{
    (void)state;
    char attributes[200], content[200], expected[4096] = "one@a1 two@a2 ";
    with_one();
    for (int i = 3; i < 103; i++) {
        snprintf(attributes, sizeof attributes, FROM_ROMEO " id='m%d'", i);
        snprintf(content, sizeof content,
                 "<body>%d</body><stanza-id xmlns='urn:xmpp:sid:0' by='" OWN "' id='a%d'/>", i, i);
        say_live(attributes, content);
        snprintf(expected + strlen(expected), 30, "%d@a%d ", i, i);
    }
    told_clear(&a);
    assert_true(account_asked(&a));
    result_of("a1", 1, "m1", "one");
    say_result(&a, OWN, "a2", a.wall - 501000, FROM_ROMEO " id='m2'", TEXT("two"));
    for (int i = 3; i < 103; i++) {
        snprintf(attributes, sizeof attributes, FROM_ROMEO " id='m%d'", i);
        snprintf(content, sizeof content, "<body>%d</body>", i);
        char id[20];
        snprintf(id, sizeof id, "a%d", i);
        say_result(&a, OWN, id, a.wall - (103 - i) * 5000, attributes, content);
    }
    say_fin(&a, OWN, 1, "a1", "a102");
    assert_string_equal(a.told, "two ");
    assert_string_equal(kept(), expected);
    account_free(&a);
}

static void what_finds_no_room_to_wait_comes_from_the_archive(void **state)
{
    (void)state;
    char attributes[200], content[300], id[20];
    with_one();
    leave();
    go_on_again();
    for (int i = 0; i < 1003; i++) {
        snprintf(attributes, sizeof attributes, FROM_ROMEO " id='n%d'", i);
        snprintf(content, sizeof content,
                 "<body>.</body><stanza-id xmlns='urn:xmpp:sid:0' by='" OWN "' id='b%d'/>", i);
        say_live(attributes, content);
    }
    assert_string_equal(a.told, "");
    say_fin(&a, OWN, 1, NULL, NULL);
    assert_string_equal(a.told, ""); /* there is more to come, and it is asked for at once */
    assert_true(account_asked(&a));
    for (int i = 0; i < 1003; i++) {
        snprintf(attributes, sizeof attributes, FROM_ROMEO " id='n%d'", i);
        snprintf(id, sizeof id, "b%d", i);
        say_result(&a, OWN, id, a.wall - (1003 - i) * 5000, attributes, TEXT("."));
    }
    say_fin(&a, OWN, 1, "b0", "b1002");
    assert_int_equal(strlen(a.told), 2 * 1003);
    account_free(&a);
}

static void questions_wait_for_room(void **state)
{
    (void)state;
    with_one();
    leave();
    account_new(&a);
    account_log_in(&a);
    for (int i = 0; i < JAB_MAM_QUERIES_MAX; i++)
        assert_int_equal(jab_mam_ask(a.e.s, JAB_MAM_QUERY(.max = 1), 1), 0);
    assert_true(account_asked(&a));
    account_forget(&a);
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_false(account_asked(&a));
    say_fin(&a, OWN, 1, NULL, NULL);
    pass_time(1000);
    assert_true(account_asked(&a));
    account_free(&a);
}

/* What the application asks for itself is its own: told, and not kept. */
static void questions_of_the_application_are_left_alone(void **state)
{
    (void)state;
    with_one();
    account_forget(&a);
    assert_int_equal(jab_mam_ask(a.e.s, JAB_MAM_QUERY(.max = 1), 1), 0);
    assert_true(account_asked(&a));
    result_of("a1", 1, "m1", "one");
    result_of("a0", 0, "m0", "zero");
    say_fin(&a, OWN, 0, "a1", "a0");
    assert_string_equal(a.told, "one zero ");
    assert_string_equal(kept(), "one@a1 ");
    account_free(&a);
}

/* -- Cuts and crashes ------------------------------------------------------------------ */

/* The whole archive, from what the client asks after; `steps` stanzas of it,
 * then the connection is gone. Returns 1 when it came to its end. */
static int serve(int steps)
{
    static const char *const texts[] = {"one", "two", "three", "four", "five", "six"};
    for (;;) {
        char after[20] = "", id[8], name[8];
        const char *at = strstr(a.e.sent, "<after>");
        if (at)
            snprintf(after, sizeof after, "%.*s", (int)strcspn(at + 7, "<"), at + 7);
        int from = after[0] ? after[1] - '0' : 0, to = from + 2 < 6 ? from + 2 : 6;
        for (int i = from; i < to; i++) {
            if (steps-- == 0)
                return 0;
            snprintf(id, sizeof id, "a%d", i + 1);
            snprintf(name, sizeof name, "m%d", i + 1);
            result_of(id, i, name, texts[i]);
        }
        if (steps-- == 0)
            return 0;
        snprintf(id, sizeof id, "a%d", to);
        snprintf(name, sizeof name, "a%d", from + 1);
        say_fin(&a, OWN, to == 6, from < to ? name : NULL, from < to ? id : NULL);
        if (to == 6)
            return 1;
        assert_true(account_asked(&a));
    }
}

static void add_told(char told[400])
{
    size_t n = strlen(told);
    snprintf(told + n, 400 - n, "%.100s", a.told);
}

static void a_pass_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (int first = 0; first < 10; first++) {
        for (int second = 0; second < 10; second++) {
            with_empty_archive();
            leave();
            go_on_again();
            char told[400] = "";
            int done = serve(first);
            snprintf(told, sizeof told, "%.100s", a.told);
            leave();
            if (!done) {
                go_on_again();
                done = serve(second);
                add_told(told);
                leave();
            }
            go_on_again();
            if (!done)
                assert_int_equal(serve(1000), 1);
            add_told(told);
            assert_string_equal(told, "one two three four five six ");
            assert_string_equal(kept(), "one@a1 two@a2 three@a3 four@a4 five@a5 six@a6 ");
            account_free(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_archive_is_a_place),
        cmocka_unit_test(live_messages_wait_while_the_archive_is_read),
        cmocka_unit_test(what_waits_is_not_acknowledged),
        cmocka_unit_test(what_the_archive_has_is_acknowledged),
        cmocka_unit_test(a_later_session_goes_on_where_it_ended),
        cmocka_unit_test(the_first_page_is_told_when_asked_for),
        cmocka_unit_test(the_message_at_the_place_is_told_once),
        cmocka_unit_test(what_came_before_the_archive_was_known_is_one),
        cmocka_unit_test(what_is_older_than_the_first_page_stands_before_it),
        cmocka_unit_test(a_trimmed_archive_leaves_a_gap),
        cmocka_unit_test(without_an_archive_messages_do_not_wait),
        cmocka_unit_test(a_pass_that_fails_is_tried_again),
        cmocka_unit_test(a_hole_is_found_by_a_later_pass),
        cmocka_unit_test(what_finds_no_room_to_wait_comes_from_the_archive),
        cmocka_unit_test(questions_wait_for_room),
        cmocka_unit_test(questions_of_the_application_are_left_alone),
        cmocka_unit_test(a_pass_may_be_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
