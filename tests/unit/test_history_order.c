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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_new_that_overtook_the_old_is_told_behind_it),
        cmocka_unit_test(what_is_filed_late_is_looked_for_once_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
