/* test_history_late.c: a pass reads the last of the archive again, as a server may file what is
 * older late (ejabberd does): so much of it, and not more. */
#include "history.h"

#include "base/mem.h"
#include "base/pack.h"

static account a;

static void go_online(void)
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
}

static void result(int n, int64_t ago)
{
    char id[16], from[200], content[100];
    snprintf(id, sizeof id, "a%d", n);
    snprintf(from, sizeof from, FROM_ROMEO " id='m%d'", n);
    snprintf(content, sizeof content, "<body>%d</body>", n);
    say_result(&a, OWN, id, a.wall - ago, from, content);
}

/* The number of the message that is asked for what comes behind; 0: none. */
static int asked_behind(void)
{
    const char *at = strstr(a.e.sent, "<after>a");
    return at ? (int)strtol(at + 8, NULL, 10) : 0;
}

static void begin(void)
{
    account_begin(&a);
    assert_int_equal(jab_set_presence(a.e.s, (jab_str){NULL, 0}), 0);
    assert_true(account_asked(&a));
}

static void what_is_filed_late_is_found_by_the_next_process(void **state)
{
    (void)state;
    begin();
    result(1, 90000);
    result(2, 50000);
    result(4, 1000);
    say_fin(&a, OWN, 1, "a1", "a4");
    leave();
    go_online();
    assert_int_equal(asked_behind(), 2);
    result(3, 2000);
    result(4, 1000);
    say_fin(&a, OWN, 1, "a3", "a4");
    assert_string_equal(a.told, "3 ");
    assert_string_equal(account_kept(&a, ROMEO), "1@a1 2@a2 3@a3 4@a4 ");
    account_free(&a);
}

static void also_below_the_first_that_there_was(void **state)
{
    (void)state;
    account_init(&a);
    a.cfg.first_history = 10;
    account_new(&a);
    account_log_in(&a);
    account_look(&a);
    result(2, 1000);
    say_fin(&a, OWN, 1, "a2", "a2"); /* that is all of it */
    leave();
    go_online();
    assert_int_equal(asked_behind(), 0);
    result(1, 2000);
    result(2, 1000);
    say_fin(&a, OWN, 1, "a1", "a2");
    assert_string_equal(account_kept(&a, ROMEO), "1@a1 2@a2 ");
    account_free(&a);
}

/* What came in between is as good as any: only a place that is known to be old enough counts. */
static void thirty_seconds_are_read_again(void **state)
{
    (void)state;
    begin();
    for (int n = 1; n <= 90; n++)
        result(n, (90 - n) * 1000);
    say_fin(&a, OWN, 1, "a1", "a90");
    leave();
    go_online();
    assert_in_range(asked_behind(), 90 - 61, 90 - 30);
    account_free(&a);
}

static void but_not_more_than_some_hundreds(void **state)
{
    (void)state;
    begin();
    for (int n = 1; n <= 350; n++)
        result(n, 0);
    say_fin(&a, OWN, 1, "a1", "a350");
    leave();
    for (int again = 0; again < 3; again++) {
        go_online();
        int from = asked_behind();
        assert_in_range(from, 350 - 202, 350 - 100);
        for (int n = from + 1; n <= 350; n++)
            result(n, 0);
        say_fin(&a, OWN, 1, "a1", "a350");
        assert_string_equal(a.told, "");
        leave();
    }
    go_online();
    account_free(&a);
}

/* A place that was written before passes began some way back. */
static void an_older_place_is_understood(void **state)
{
    (void)state;
    jabi_buf value;
    account_init(&a);
    jabi_buf_init(&value, jabi_mem_default(), 1000);
    jabi_pack_number(&value, (uint64_t)a.wall);
    jabi_pack_number(&value, (uint64_t)a.wall * 1000);
    jabi_pack_number(&value, 0);
    jabi_pack_str(&value, JAB_STR("a7"));
    jabi_pack_str(&value, JAB_STR(""));
    assert_int_equal(a.store->table->put(a.store, "archive", JAB_STR(OWN), jabi_buf_str(&value)),
                     0);
    jabi_buf_fini(&value);
    go_online();
    assert_int_equal(asked_behind(), 7);
    account_free(&a);
}

/* What is told, but not kept, would be told by each pass. */
static void what_is_not_kept_is_not_told_again(void **state)
{
    (void)state;
    static const char typing[] = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    begin();
    say_result(&a, OWN, "a1", a.wall - 2000, FROM_ROMEO " id='m1'", typing);
    result(2, 1000);
    say_fin(&a, OWN, 1, "a1", "a2");
    assert_string_equal(a.told, " 2 ");
    leave();
    go_online();
    say_result(&a, OWN, "a1", a.wall - 2000, FROM_ROMEO " id='m1'", typing);
    result(2, 1000);
    say_result(&a, OWN, "a3", a.wall, FROM_ROMEO " id='m3'", typing);
    say_fin(&a, OWN, 1, "a1", "a3");
    assert_string_equal(a.told, " ");
    account_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_filed_late_is_found_by_the_next_process),
        cmocka_unit_test(also_below_the_first_that_there_was),
        cmocka_unit_test(thirty_seconds_are_read_again),
        cmocka_unit_test(but_not_more_than_some_hundreds),
        cmocka_unit_test(an_older_place_is_understood),
        cmocka_unit_test(what_is_not_kept_is_not_told_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
