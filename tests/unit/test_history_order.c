/* test_history_order.c: the order of what waited in a stream that another process takes up. */
#include "history.h"

static account a;

static void log_in_managed(void)
{
    peer *e = &a.e;
    assert_int_equal(jab_session_connected(e->s, NULL, e->now), 0);
    assert_true(peer_says(e, PEER_HEADER PEER_PLAIN) >= 0 && peer_says(e, PEER_SUCCESS) >= 0);
    peer_clear(e);
    assert_true(peer_says(e, PEER_HEADER HISTORY_SM) >= 0);
}

/* A process that read the archive to its end, and was killed. */
static void one_was_there(void)
{
    account_init(&a);
    account_new(&a);
    log_in_managed();
    peer_bind(&a.e);
    account_says(&a, "<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>");
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_true(account_asked(&a));
    say_fin(&a, OWN, 1, NULL, NULL);
    jab_session_free(a.e.s);
}

static void resume(void)
{
    account_new(&a);
    log_in_managed();
    assert_true(peer_sent(&a.e, "<resume "));
    account_says(&a, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>");
    assert_true(jab_session_online(a.e.s));
    account_forget(&a);
}

/* ejabberd hands what reached the new connection over before what the old one had not sent. */
static void the_new_that_overtook_the_old_is_told_behind_it(void **state)
{
    (void)state;
    one_was_there();
    resume();
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_true(account_asked(&a));
    account_live(&a, FROM_ROMEO " id='3'", TEXT("three") SID("a3"));
    account_live(&a, FROM_ROMEO " id='2'", TEXT("two") SID("a2"));
    say_result(&a, OWN, "a1", a.wall - 9000, FROM_ROMEO " id='1'", TEXT("one") SID("a1"));
    say_fin(&a, OWN, 1, "a1", "a1"); /* it was written before the others were */
    assert_string_equal(a.told, "one ");
    assert_true(account_asked(&a));
    say_result(&a, OWN, "a2", a.wall - 5000, FROM_ROMEO " id='2'", TEXT("two") SID("a2"));
    say_result(&a, OWN, "a3", a.wall, FROM_ROMEO " id='3'", TEXT("three") SID("a3"));
    account_live(&a, FROM_ROMEO " id='4'", TEXT("four") SID("a4"));
    say_fin(&a, OWN, 1, "a2", "a3");
    assert_string_equal(a.told, "one two three four ");
    assert_string_equal(account_kept(&a, ROMEO), "one@a1 two@a2 three@a3 four@a4 ");
    assert_false(account_asked(&a)); /* twice is enough */
    account_free(&a);
}

/* ejabberd: filed late, and given to a stream that was there before and is dead. */
static void what_is_filed_late_is_looked_for_once_more(void **state)
{
    (void)state;
    one_was_there();
    account_new(&a);
    account_log_in(&a);
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_true(account_asked(&a));
    say_fin(&a, OWN, 1, NULL, NULL);
    account_live(&a, FROM_ROMEO " id='2'", TEXT("two") SID("a2"));
    jab_session_tick(a.e.s, a.e.now += 9000);
    assert_false(account_asked(&a));
    jab_session_tick(a.e.s, a.e.now += 1000);
    assert_true(account_asked(&a));
    say_result(&a, OWN, "a1", a.wall - 9000, FROM_ROMEO " id='1'", TEXT("one") SID("a1"));
    say_result(&a, OWN, "a2", a.wall, FROM_ROMEO " id='2'", TEXT("two") SID("a2"));
    say_fin(&a, OWN, 1, "a1", "a2");
    assert_string_equal(a.told, "two one ");
    assert_string_equal(account_kept(&a, ROMEO), "one@a1 two@a2 ");
    jab_session_tick(a.e.s, a.e.now += 60000);
    assert_false(account_asked(&a));
    account_free(&a);
}

#define FROM_NURSE "from='nurse@example.net/x' to='" OWN "' type='chat'"

static void look_again(void)
{
    account_forget(&a);
    assert_int_equal(jab_history_catch_up(a.e.s), 0);
    assert_true(account_asked(&a));
}

/* A contact whose server's clock is ahead moves nobody else's messages. */
static void each_conversation_has_its_own_place(void **state)
{
    (void)state;
    account_begin(&a);
    account_live(&a, FROM_ROMEO " id='2'", TEXT("two") SID("a2"));
    account_live(&a, FROM_ROMEO " id='3'", TEXT("three") SID("a3"));
    look_again();
    say_result(&a, OWN, "a1", a.wall + 900000, FROM_NURSE " id='1'", TEXT("one") SID("a1"));
    say_result(&a, OWN, "a2", a.wall - 5000, FROM_ROMEO " id='2'", TEXT("two") SID("a2"));
    say_fin(&a, OWN, 1, "a1", "a2"); /* the third is not filed yet */
    assert_string_equal(account_kept(&a, ROMEO), "two@a2 three@a3 ");
    account_free(&a);
}

/* More conversations than are kept apart: each is in its order nevertheless. */
static void many_conversations_are_in_order(void **state)
{
    (void)state;
    account_begin(&a);
    look_again();
    for (int i = 0; i < 90; i++) {
        char name[80], id[8], body[40];
        snprintf(name, sizeof name, "from='c%d@example.net/x' to='" OWN "' id='%d'", i % 30, i);
        snprintf(id, sizeof id, "a%d", i);
        snprintf(body, sizeof body, "<body>%d</body>", i);
        say_result(&a, OWN, id, a.wall - i * 1000, name, body);
    }
    say_fin(&a, OWN, 1, "a0", "a89");
    for (int i = 0; i < 30; i++) {
        char name[40], expected[40];
        snprintf(name, sizeof name, "c%d@example.net", i);
        snprintf(expected, sizeof expected, "%d@a%d %d@a%d %d@a%d ", i, i, i + 30, i + 30, i + 60,
                 i + 60);
        assert_string_equal(account_kept(&a, name), expected);
    }
    account_free(&a);
}

static void is_looked_at_again(int yes)
{
    jab_session_tick(a.e.s, a.e.now += 20000);
    assert_int_equal(account_asked(&a), yes);
}

/* What a pass sets right may stand behind what it has not come by yet. */
static void what_was_set_right_is_looked_at_again(void **state)
{
    (void)state;
    account_begin(&a);
    account_live(&a, FROM_ROMEO " id='2'", TEXT("two") SID("a2"));
    account_live(&a, FROM_ROMEO " id='1'", TEXT("one") SID("a1"));
    account_live(&a, FROM_ROMEO " id='3'", TEXT("three") SID("a3"));
    look_again();
    say_result(&a, OWN, "a1", a.wall - 9000, FROM_ROMEO " id='1'", TEXT("one") SID("a1"));
    say_result(&a, OWN, "a2", a.wall - 8000, FROM_ROMEO " id='2'", TEXT("two") SID("a2"));
    say_fin(&a, OWN, 1, "a1", "a2");
    is_looked_at_again(1);
    say_result(&a, OWN, "a3", a.wall, FROM_ROMEO " id='3'", TEXT("three") SID("a3"));
    say_fin(&a, OWN, 1, "a3", "a3");
    assert_string_equal(account_kept(&a, ROMEO), "one@a1 two@a2 three@a3 ");
    is_looked_at_again(0);
    account_free(&a);
}

static void pair_of(int i, int k, char from[100], char content[200], char id[8])
{
    int number = i * 2 + k;
    snprintf(from, 100, FROM_ROMEO " id='%d'", number);
    snprintf(content, 200, "<body>%d</body>" SID("a%d"), number, number);
    snprintf(id, 8, "a%d", number);
}

/* Two come live, the second first. */
static void come_in_disorder(int i)
{
    char from[100], content[200], id[8];
    for (int k = 1; k >= 0; k--) {
        pair_of(i, k, from, content, id);
        account_live(&a, from, content);
    }
}

/* An archive that never agrees with what comes live is not asked for ever. */
static void looks_back_end(void **state)
{
    (void)state;
    int n = 0;
    account_begin(&a);
    come_in_disorder(0);
    look_again();
    for (; account_asked(&a) && n < 20; n++) {
        char from[100], content[200], id[8];
        for (int k = 0; k < 2; k++) {
            pair_of(n, k, from, content, id);
            say_result(&a, OWN, id, a.wall, from, content);
        }
        say_fin(&a, OWN, 1, id, id);
        come_in_disorder(n + 1);
        account_forget(&a);
        jab_session_tick(a.e.s, a.e.now += 20000);
    }
    assert_int_equal(n, 4);
    account_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_new_that_overtook_the_old_is_told_behind_it),
        cmocka_unit_test(what_is_filed_late_is_looked_for_once_more),
        cmocka_unit_test(each_conversation_has_its_own_place),
        cmocka_unit_test(many_conversations_are_in_order),
        cmocka_unit_test(what_was_set_right_is_looked_at_again),
        cmocka_unit_test(looks_back_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
