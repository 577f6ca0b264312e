/* test_history_hostile.c: archives that lie, talk without end, or do not work. */
#include "history.h"

#include "session/outbox.h"
#include "session/session.h"

#include <stdlib.h>

#define ROOM  "room@muc.example.org"
#define WITCH "from='" ROOM "/witch' to='" OWN "/balcony' type='groupchat'"

static account a;

static void join(void)
{
    account_forget(&a);
    assert_int_equal(jab_muc_join(a.e.s, JAB_STR(ROOM), JAB_STR("me"), NULL, 1), 0);
    account_says(&a, "<presence from='" ROOM "/me'><x xmlns='http://jabber.org/protocol/muc#user'>"
                     "<item affiliation='member' role='participant'/><status code='110'/></x>"
                     "</presence>");
    assert_true(account_asked(&a));
}

static void begin(void)
{
    account_begin(&a);
    join();
}

/* A page of one message of the witch; `stamp` as XEP-0082 has it. */
static void page(const char *id, const char *stamp, const char *text, int complete)
{
    size_t size = 2 * strlen(id) + 2000;
    char *all = malloc(size);
    assert_non_null(all);
    snprintf(all, size,
             "<message from='" ROOM "'><result xmlns='urn:xmpp:mam:2' queryid='%s' id='%s'>"
             "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='%s'/>"
             "<message xmlns='jabber:client' " WITCH " id='%s'><body>%s</body></message>"
             "</forwarded></result></message>",
             a.query, id, stamp, text, text);
    account_says(&a, all);
    snprintf(all, size,
             "<iq type='result' from='" ROOM "' id='%s'><fin xmlns='urn:xmpp:mam:2'%s>"
             "<set xmlns='http://jabber.org/protocol/rsm'><first>%s</first><last>%s</last></set>"
             "</fin></iq>",
             a.iq, complete ? " complete='true'" : "", id, id);
    account_forget(&a);
    account_says(&a, all);
    free(all);
}

/* -- Ids and times ------------------------------------------------------------------- */

static void an_id_without_end_is_none(void **state)
{
    (void)state;
    static char id[20000];
    memset(id, 'x', sizeof id - 1);
    begin();
    page(id, "2023-11-14T22:13:20Z", "one", 1);
    assert_true(jab_session_online(a.e.s));
    join();
    page("r1", "2023-11-14T22:13:20Z", "two", 0);
    if (account_asked(&a))
        page(id, "2023-11-14T22:13:20Z", "three", 0);
    assert_true(jab_session_online(a.e.s));
    assert_string_equal(account_kept(&a, ROOM), "two@r1 ");
    account_free(&a);
}

static void times_out_of_all_bounds_are_only_times(void **state)
{
    static const char *const stamps[] = {"9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
                                         "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.001Z"};
    (void)state;
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        begin();
        page("r5", stamps[i], "five", 0);
        while (account_asked(&a))
            page("r6", "2023-11-14T22:13:20Z", "six", 1);
        char id[8], text[8];
        for (int k = 4; k > 0; k--) {
            account_forget(&a);
            assert_int_equal(jab_history_more(a.e.s, JAB_STR(ROOM), 1, 5), 0);
            if (!account_asked(&a))
                break;
            snprintf(id, sizeof id, "r%d", k);
            snprintf(text, sizeof text, "%d", k);
            page(id, stamps[(i + (size_t)k) % 4], text, 0);
            assert_true(jab_session_online(a.e.s));
        }
        assert_true(jab_session_online(a.e.s));
        account_free(&a);
    }
}

/* -- Ids that are given again ---------------------------------------------------------------- */

/* A program that counts from 1 whenever it runs, and always has the same to say. */
static void an_alarm_of_an_hour_later_is_another_one(void **state)
{
    (void)state;
    account_begin(&a);
    account_live(&a, FROM_ROMEO " id='8'", TEXT("full"));
    account_live(&a, FROM_ROMEO " id='8'", TEXT("full"));
    assert_string_equal(a.told, "full ");
    a.wall += 3600000;
    account_live(&a, FROM_ROMEO " id='8'", TEXT("full"));
    assert_string_equal(a.told, "full full ");
    account_free(&a);
}

/* -- Pages without end ---------------------------------------------------------------- */

/* It always has another place, and nothing there: that is no reason to ask for ever. */
static void pages_without_messages_come_to_an_end(void **state)
{
    (void)state;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    assert_int_equal(a.last.error, 0);
    join();
    int n = 0;
    do
        say_fin(&a, ROOM, 0, n % 2 ? "r1" : "r2", n % 2 ? "r1" : "r2");
    while (++n < 1000 && account_asked(&a));
    assert_true(n < 1000);
    account_free(&a);
}

/* -- A stream that goes on ---------------------------------------------------------------- */

static void log_in_managed(void)
{
    peer *e = &a.e;
    assert_int_equal(jab_session_connected(e->s, NULL, e->now), 0);
    assert_true(peer_says(e, PEER_HEADER PEER_PLAIN) >= 0 && peer_says(e, PEER_SUCCESS) >= 0);
    peer_clear(e);
    assert_true(peer_says(e, PEER_HEADER HISTORY_SM) >= 0);
}

/* What waited has been told and is committed: the next stream changes nothing of that. */
static void what_was_let_go_is_not_told_again(void **state)
{
    (void)state;
    char text[200];
    account_init(&a);
    account_new(&a);
    log_in_managed();
    peer_bind(&a.e);
    account_says(&a, "<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>");
    join();
    account_live(&a, WITCH, "<body>nameless</body>");
    assert_string_equal(a.told, "");
    say_fin(&a, ROOM, 1, NULL, NULL);
    assert_string_equal(a.told, "nameless ");
    jab_session_eof(a.e.s, 0, a.e.now);
    account_pull(&a);
    account_forget(&a);
    log_in_managed();
    assert_true(peer_sent(&a.e, "<resume "));
    snprintf(text, sizeof text, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>",
             (unsigned)a.e.s->stream.sm.out);
    account_says(&a, text);
    assert_true(jab_session_online(a.e.s));
    assert_string_equal(a.told, "nameless ");
    assert_string_equal(account_kept(&a, ROOM), "nameless ");
    account_free(&a);
}

/* -- An archive that does not work ------------------------------------------------------- */

static void pass_time(int64_t ms)
{
    a.wall += ms;
    a.e.now += ms;
    jab_session_tick(a.e.s, a.e.now);
    account_pull(&a);
}

/* A room may talk without end; what comes live is told after a minute of it. */
static void an_archive_without_end_gives_way(void **state)
{
    (void)state;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    join();
    account_live(&a, WITCH " id='live'", "<body>live</body>");
    char id[20];
    int pages = 0;
    for (; pages < 100 && !strstr(a.told, "live "); pages++) {
        pass_time(1000);
        snprintf(id, sizeof id, "p%d", pages);
        page(id, "2026-01-01T00:00:00Z", id, 0);
        assert_true(account_asked(&a));
    }
    assert_in_range(pages, 58, 63);
    assert_true(jab_session_online(a.e.s));
    account_free(&a);
}

/* Seconds of an archive that refuses, until the message leaves. */
static int seconds_until_sent(void)
{
    int seconds = 0;
    for (; seconds < 3600 && !peer_sent(&a.e, "<body>hello</body>"); seconds++) {
        if (account_asked(&a))
            say_refusal(&a, OWN, "internal-server-error");
        else
            pass_time(1000);
    }
    return seconds;
}

/* Messages wait for the archive for minutes, but not for as long as it is broken. */
static void a_broken_archive_does_not_hold_messages_for_ever(void **state)
{
    (void)state;
    account_init(&a);
    account_new(&a);
    jab_out *o = jab_message_to(a.e.s, JAB_STR(ROMEO), JAB_MSG_CHAT);
    jab_out_body(o, JAB_STR("hello"));
    assert_int_equal(jab_out_send(o, 3), 0);
    account_log_in(&a);
    assert_in_range(seconds_until_sent(), 120, 700);
    assert_true(jab_session_online(a.e.s));
    account_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_without_end_is_none),
        cmocka_unit_test(times_out_of_all_bounds_are_only_times),
        cmocka_unit_test(an_alarm_of_an_hour_later_is_another_one),
        cmocka_unit_test(pages_without_messages_come_to_an_end),
        cmocka_unit_test(what_was_let_go_is_not_told_again),
        cmocka_unit_test(an_archive_without_end_gives_way),
        cmocka_unit_test(a_broken_archive_does_not_hold_messages_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
