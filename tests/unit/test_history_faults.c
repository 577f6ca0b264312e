/* test_history_faults.c: the history where the process ends, the disk is full,
 * memory is short or the stream breaks: at every point, and nothing is told twice or lost. */
#include "history.h"
#include "store_double.h"

#include "session/session.h"

static account a;
static store_double disk;
static char all[4096]; /* what was told, by all processes */

static void begin(void)
{
    account_init(&a);
    jab_store_free(a.store);
    store_double_init(&disk);
    a.store = &disk.store;
    a.cfg.store = a.store;
    all[0] = '\0';
}

static void end(void)
{
    account_free(&a);
    store_double_fini(&disk);
}

/* What was pulled counts as told. */
static void take_told(void)
{
    size_t n = strlen(all);
    snprintf(all + n, sizeof all - n, "%.500s", a.told);
    told_clear(&a);
}

/* kill -9: nothing that is not committed survives. */
static void crash(void)
{
    take_told();
    disk.inner->table->rollback(disk.inner);
    disk.store.dirty = 0;
    a.e.s->cfg.store = NULL; /* the dead do not tidy up */
    jab_session_free(a.e.s);
    a.e.s = NULL;
}

/* -- A server with six messages, of which the last two come live ------------------------ */

static const char *const texts[] = {"one", "two", "three", "four", "five", "six"};

static void note(const char *text);
static unsigned left; /* stanzas that the server has got */

/* Only into the session: nobody pulls yet. */
static int feed(const char *text)
{
    if (jab_session_closed(a.e.s))
        return 0;
    note(text);
    size_t n = strlen(text);
    for (int i = 0; n > 0 && i < 100; i++) {
        ptrdiff_t taken = jab_session_feed(a.e.s, text, n, a.e.now);
        if (taken < 0)
            return 0;
        text += taken;
        n -= (size_t)taken;
        if (n)
            account_pull(&a);
    }
    return n == 0;
}

static void say_archived(int i)
{
    char text[1024], when[JAB_DATETIME_SIZE];
    history_stamp(when, 1699990000000 + i * 1000);
    snprintf(text, sizeof text,
             "<message from='" OWN "'><result xmlns='urn:xmpp:mam:2' queryid='%s' id='a%d'>"
             "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='%s'/>"
             "<message xmlns='jabber:client' " FROM_ROMEO " id='m%d'><body>%s</body></message>"
             "</forwarded></result></message>",
             a.query, i, when, i, texts[i]);
    feed(text);
}

static void say_live(int i)
{
    char text[500];
    snprintf(text, sizeof text,
             "<message " FROM_ROMEO " id='m%d'><body>%s</body>"
             "<stanza-id xmlns='urn:xmpp:sid:0' by='" OWN "' id='a%d'/></message>",
             i, texts[i], i);
    feed(text);
}

static void say_end(int first, int last, int complete)
{
    char text[500];
    snprintf(text, sizeof text,
             "<iq type='result' id='%s'><fin xmlns='urn:xmpp:mam:2'%s>"
             "<set xmlns='http://jabber.org/protocol/rsm'><first>a%d</first><last>a%d</last></set>"
             "</fin></iq>",
             a.iq, complete ? " complete='true'" : "", first, last);
    a.e.n_sent = 0; /* what waits to leave is not collected: that would commit */
    a.e.sent[0] = '\0';
    feed(text);
}

/* Serves pages of two after what is asked for, with the live ones in between.
 * Stops after `steps` stanzas (-1: never). */
static void serve(int steps, int with_live)
{
    int live = 4;
    while (account_asked(&a) && !jab_session_closed(a.e.s)) {
        const char *at = NULL;
        left = a.e.s->stream.sm.out;
        for (const char *p = a.e.sent; (p = strstr(p, "<query xmlns='urn:xmpp:mam:2'")); p++)
            at = p;
        at = strstr(at, "<after>a");
        int from = at ? at[8] - '0' + 1 : 0, to = from + 2 < 6 ? from + 2 : 6;
        for (int i = from; i < to; i++) {
            if (steps-- == 0)
                return;
            say_archived(i);
            if (with_live && live < 6) {
                if (steps-- == 0)
                    return;
                say_live(live++);
            }
        }
        if (steps-- == 0)
            return;
        say_end(from, to - 1, to == 6);
        if (steps == 0)
            return;
        if (to == 6)
            break;
    }
    account_pull(&a);
    if (with_live && !jab_session_closed(a.e.s))
        for (; live < 6; live++)
            say_live(live);
    account_pull(&a);
}

/* 1 when it is online and asks. */
static int log_in(void)
{
    peer *e = &a.e;
    if (jab_session_connected(e->s, NULL, e->now) < 0 || peer_says(e, PEER_HEADER PEER_PLAIN) < 0 ||
        peer_says(e, PEER_SUCCESS) < 0)
        return 0;
    peer_clear(e);
    if (peer_says(e, PEER_HEADER PEER_BIND) < 0)
        return 0;
    peer_bind(e);
    account_pull(&a);
    return jab_session_online(e->s) && jab_history_catch_up(e->s) == 0;
}

static void start(void)
{
    account_new(&a);
    assert_true(log_in());
}

static void with_empty_archive(void)
{
    begin();
    start();
    assert_true(account_asked(&a));
    say_fin(&a, OWN, 1, NULL, NULL);
    jab_session_free(a.e.s);
    a.e.s = NULL;
}

static void check_all(void)
{
    assert_string_equal(account_kept(&a, ROMEO), "one@a0 two@a1 three@a2 four@a3 five@a4 six@a5 ");
    for (int i = 0; i < 6; i++) {
        char word[20], *first;
        snprintf(word, sizeof word, "%s ", texts[i]);
        first = strstr(all, word);
        if (!first || strstr(first + 1, word))
            fail_msg("%s is not there once: %s", texts[i], all);
    }
}

/* -- The process ends ------------------------------------------------------------------------ */

static void a_crash_at_any_stanza(void **state)
{
    (void)state;
    for (int first = 0; first < 12; first++)
        for (int second = 0; second < 12; second++) {
            with_empty_archive();
            start();
            serve(first, 1);
            crash();
            start();
            serve(second, 0);
            crash();
            start();
            serve(-1, 1);
            take_told();
            check_all();
            end();
        }
}

/* -- The disk is full ------------------------------------------------------------------------- */

/* What came can be kept no longer at any of the stanzas: nothing of it is told, the
 * stream ends, and the next one brings it. */
static void a_commit_that_fails(void **state)
{
    (void)state;
    int failures = 0;
    for (int steps = 0; steps < 14; steps++) {
        with_empty_archive();
        start();
        serve(steps, 1);
        disk.fail_commits = 1;
        account_pull(&a);
        take_told();
        failures += disk.fail_commits == 0;
        assert_int_equal(jab_session_closed(a.e.s), disk.fail_commits == 0);
        disk.fail_commits = 0;
        jab_session_eof(a.e.s, 0, a.e.now);
        account_pull(&a);
        account_forget(&a);
        assert_true(log_in());
        serve(-1, 1);
        take_told();
        check_all();
        end();
    }
    assert_true(failures > 5);
}

/* -- Memory is short ----------------------------------------------------------------------------
 */

static void any_allocation_may_fail(void **state)
{
    (void)state;
    size_t calls = 0;
    for (size_t fail_at = 0; fail_at <= calls; fail_at++) {
        with_empty_archive();
        size_t before = a.e.mem.calls;
        a.e.mem.fail_at = fail_at ? before + fail_at : 0;
        if (peer_new(&a.e, &a.cfg) == 0) {
            if (log_in())
                serve(-1, 1);
            take_told();
            if (!fail_at)
                calls = a.e.mem.calls - before;
            a.e.mem.fail_at = 0;
            jab_session_free(a.e.s);
        }
        a.e.mem.fail_at = 0;
        assert_int_equal(a.e.mem.live, 0);
        start();
        serve(-1, 1);
        take_told();
        check_all();
        end();
    }
    assert_true(calls > 50);
}

/* -- The stream goes on -------------------------------------------------------------------------
 */

/* All that the server sent on the stream, for when it has to do so again. */
static struct {
    char text[64][1024];
    unsigned n;
    int is_on;
} sent;

static void note(const char *text)
{
    if (sent.is_on && sent.n < 64)
        snprintf(sent.text[sent.n++], 1024, "%s", text);
}

static void to_features(void)
{
    peer *e = &a.e;
    assert_int_equal(jab_session_connected(e->s, NULL, e->now), 0);
    assert_true(peer_says(e, PEER_HEADER PEER_PLAIN) >= 0);
    assert_true(peer_says(e, PEER_SUCCESS) >= 0);
    assert_true(peer_says(e, PEER_HEADER HISTORY_SM) >= 0);
}

static void log_in_managed(void)
{
    to_features();
    const char *bind = strstr(a.e.sent, "<iq ");
    memmove(a.e.sent, bind, strlen(bind) + 1);
    a.e.n_sent = strlen(a.e.sent);
    peer_bind(&a.e);
    assert_true(peer_says(&a.e, "<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>") > 0);
    account_pull(&a);
    assert_true(jab_session_online(a.e.s));
    assert_int_equal(jab_history_catch_up(a.e.s), 0);
    sent.n = 0;
    sent.is_on = 1;
}

/* Each side sends again what the other has not. */
static void resume(void)
{
    char text[200];
    const char *mark = " h='", *at = NULL;
    to_features();
    for (const char *p = a.e.sent; (p = strstr(p, "<resume ")); p++)
        at = p;
    assert_non_null(at);
    unsigned had = (unsigned)strtoul(strstr(at, mark) + 4, NULL, 10);
    snprintf(text, sizeof text, "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>", left);
    assert_true(peer_says(&a.e, text) > 0);
    sent.is_on = 0;
    for (unsigned i = had; i < sent.n; i++)
        feed(sent.text[i]);
    sent.is_on = 1;
    account_pull(&a);
}

/* The disk is full at any stanza, or the stream is cut there, and goes on. */
static void a_stream_that_goes_on(void **state)
{
    (void)state;
    int failures = 0;
    for (int is_cut = 0; is_cut < 2; is_cut++)
        for (int steps = 0; steps < 14; steps++) {
            with_empty_archive();
            account_new(&a);
            log_in_managed();
            serve(steps, 1);
            if (is_cut)
                peer_collect(&a.e);
            left = is_cut ? a.e.s->stream.sm.out : left;
            if (is_cut)
                jab_session_eof(a.e.s, 0, a.e.now);
            else
                disk.fail_commits = 1;
            account_pull(&a);
            take_told();
            if (jab_session_closed(a.e.s)) {
                failures++;
                resume();
            }
            disk.fail_commits = 0;
            serve(-1, 1);
            take_told();
            check_all();
            sent.is_on = 0;
            end();
        }
    assert_true(failures > 20);
}

/* The first look was lost with its transaction: there is no place to look from. */
static void what_leaves_waits_for_a_place_that_was_lost(void **state)
{
    (void)state;
    begin();
    account_new(&a);
    log_in_managed();
    assert_true(account_asked(&a));
    disk.fail_commits = 1;
    left = a.e.s->stream.sm.out;
    say_end(0, 0, 1);
    account_pull(&a);
    assert_true(jab_session_closed(a.e.s));
    disk.fail_commits = 0;
    resume();
    jab_out *o = jab_message_to(a.e.s, JAB_STR(ROMEO), JAB_MSG_CHAT);
    jab_out_body(o, JAB_STR("hail"));
    assert_int_equal(jab_out_send(o, 1), 0);
    assert_true(account_asked(&a));
    assert_null(strstr(a.e.sent, "hail"));
    say_fin(&a, OWN, 1, NULL, NULL);
    assert_non_null(strstr(a.e.sent, "hail"));
    sent.is_on = 0;
    end();
}

/* -- The application commits ----------------------------------------------------------------------
 */

/* Takes the next message, as a program does that deals with one at a time. */
static int next_message(char body[40])
{
    for (int i = 0; i < 200; i++) {
        const jab_event *ev = jab_session_next(a.e.s);
        if (ev && ev->type == JAB_EV_MESSAGE) {
            snprintf(body, 40, JAB_FMT, JAB_ARG(ev->message->body));
            assert_true(ev->message->key > 0);
            return 1;
        }
        if (!ev)
            jab_session_tick(a.e.s, ++a.e.now);
        peer_collect(&a.e);
    }
    return 0;
}

static void what_the_caller_did_not_commit_comes_again(void **state)
{
    (void)state;
    char body[40];
    with_empty_archive();
    a.cfg.commit_by_caller = 1;
    account_new(&a);
    assert_true(log_in());
    assert_int_equal(jab_session_commit(a.e.s), 0);
    assert_true(account_asked(&a));
    say_live(4);
    say_live(5);
    say_end(0, 0, 1); /* nothing else there */
    assert_true(next_message(body));
    assert_string_equal(body, "five");
    assert_int_equal(jab_session_commit(a.e.s), 0);
    assert_true(next_message(body));
    assert_string_equal(body, "six");
    crash();
    assert_string_equal(account_kept(&a, ROMEO), "five@a4 ");
    account_new(&a);
    assert_true(log_in());
    assert_true(account_asked(&a));
    say_live(5);
    say_end(0, 0, 1);
    assert_true(next_message(body));
    assert_string_equal(body, "six");
    assert_int_equal(jab_session_commit(a.e.s), 0);
    assert_false(next_message(body));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_at_any_stanza),
        cmocka_unit_test(a_commit_that_fails),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(a_stream_that_goes_on),
        cmocka_unit_test(what_leaves_waits_for_a_place_that_was_lost),
        cmocka_unit_test(what_the_caller_did_not_commit_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
