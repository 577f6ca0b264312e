/* test_history_more.c: older messages on request, and whether a conversation
 * is whole. */
#include "history.h"

static account a;

static struct {
    int n, error, complete;
    unsigned added;
    uint64_t tag;
} got;

/* Takes the answer. */
static void pull(void)
{
    for (const jab_event *ev; (ev = jab_session_next(a.e.s));) {
        assert_int_not_equal(ev->type, JAB_EV_MESSAGE);
        if (ev->type != JAB_EV_HISTORY)
            continue;
        const jab_history *h = ev->data;
        got.n++;
        got.error = h->error;
        got.complete = h->complete;
        got.added = h->added;
        got.tag = ev->tag;
    }
    peer_collect(&a.e);
}

static const char *kept(void)
{
    return account_kept(&a, ROMEO);
}

static void result_of(int i, const char *who)
{
    char id[20], attributes[200], content[100];
    snprintf(id, sizeof id, "a%d", i);
    snprintf(attributes, sizeof attributes, "from='%s' to='" OWN "' type='chat' id='m%d'", who, i);
    snprintf(content, sizeof content, "<body>%d</body>", i);
    say_result(&a, OWN, id, 1690000000000 + i * 60000, attributes, content);
}

/* Romeo's are the even ones of a0 to a9; the store begins with the last page. */
static void begin(void)
{
    memset(&got, 0, sizeof got);
    account_init(&a);
    a.cfg.first_history = 2;
    account_new(&a);
    account_log_in(&a);
    account_look(&a);
    result_of(8, ROMEO);
    result_of(9, "nurse@example.net");
    say_fin(&a, OWN, 0, "a8", "a9");
    assert_string_equal(kept(), "8@a8 ");
}

static void ask(unsigned n)
{
    account_forget(&a);
    assert_int_equal(jab_history_more(a.e.s, JAB_STR(ROMEO), n, 5), 0);
}

/* The answer's page, without what account_says() would pull. */
static void fin(int complete, const char *first, const char *last)
{
    char text[1024];
    snprintf(text, sizeof text,
             "<iq type='result' id='%s'><fin xmlns='urn:xmpp:mam:2'%s>"
             "<set xmlns='http://jabber.org/protocol/rsm'><first>%s</first><last>%s</last></set>"
             "</fin></iq>",
             a.iq, complete ? " complete='true'" : "", first, last);
    account_forget(&a);
    assert_true(peer_says(&a.e, text) > 0);
    pull();
}

static void older_messages_go_below(void **state)
{
    (void)state;
    begin();
    ask(2);
    assert_true(account_asked(&a));
    assert_non_null(strstr(a.e.sent, "<value>" ROMEO "</value>"));
    assert_non_null(strstr(a.e.sent, "<max>2</max><before>a8</before>"));
    assert_int_equal(jab_history_more(a.e.s, JAB_STR(ROMEO), 2, 6), JAB_EAGAIN);
    result_of(4, ROMEO);
    result_of(6, ROMEO);
    fin(0, "a4", "a6");
    assert_int_equal(got.n, 1);
    assert_int_equal(got.tag, 5);
    assert_int_equal(got.added, 2);
    assert_int_equal(got.complete, 0);
    assert_string_equal(kept(), "4@a4 6@a6 8@a8 ");
    /* Another session goes on where this one ended. */
    jab_session_free(a.e.s);
    account_new(&a);
    account_log_in(&a);
    ask(5);
    assert_true(account_asked(&a));
    assert_non_null(strstr(a.e.sent, "<before>a4</before>"));
    result_of(0, ROMEO);
    result_of(2, ROMEO);
    fin(1, "a0", "a2");
    assert_int_equal(got.complete, 1);
    assert_string_equal(kept(), "0@a0 2@a2 4@a4 6@a6 8@a8 ");
    ask(5);
    pull();
    assert_int_equal(got.n, 3);
    assert_int_equal(got.added, 0);
    assert_int_equal(got.complete, 1);
    assert_false(account_asked(&a));
    account_free(&a);
}

static void known_ones_are_passed_over(void **state)
{
    (void)state;
    begin();
    ask(2);
    assert_true(account_asked(&a));
    result_of(8, ROMEO);
    fin(0, "a8", "a8");
    assert_int_equal(got.n, 1); /* it did not move: there is nothing older */
    assert_int_equal(got.complete, 1);
    account_free(&a);
}

static void a_refusal_is_told(void **state)
{
    (void)state;
    begin();
    ask(2);
    assert_true(account_asked(&a));
    char text[400];
    snprintf(text, sizeof text,
             "<iq type='error' id='%s'><error type='cancel'><item-not-found "
             "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
             a.iq);
    assert_true(peer_says(&a.e, text) > 0);
    pull();
    assert_int_equal(got.error, JAB_ESTANZA);
    ask(2);
    assert_true(account_asked(&a));
    jab_session_eof(a.e.s, 0, a.e.now);
    pull();
    assert_int_equal(got.error, JAB_EOFFLINE);
    assert_int_equal(jab_history_more(a.e.s, JAB_STR(ROMEO), 2, 6), JAB_EOFFLINE);
    account_free(&a);
}

/* Kept before there was an archive: what is in between is not known. */
static void a_conversation_with_a_gap_is_not_whole(void **state)
{
    (void)state;
    memset(&got, 0, sizeof got);
    account_init(&a);
    a.cfg.first_history = 2;
    a.wall = 1680000000000;
    account_new(&a);
    account_log_in(&a);
    account_live(&a, FROM_ROMEO " id='m0'", TEXT("early"));
    a.wall = 1700000000000;
    account_look(&a);
    assert_int_equal(jab_history_is_whole(a.e.s, JAB_STR(ROMEO)), 0);
    result_of(6, ROMEO);
    result_of(8, ROMEO);
    say_fin(&a, OWN, 0, "a6", "a8");
    assert_string_equal(kept(), "early 6@a6 8@a8 ");
    assert_int_equal(jab_history_is_whole(a.e.s, JAB_STR(ROMEO)), 0);
    assert_int_equal(jab_history_is_whole(a.e.s, JAB_STR("nurse@example.net")), 1);
    ask(10);
    assert_true(account_asked(&a));
    result_of(4, ROMEO);
    fin(0, "a4", "a4");
    assert_int_equal(jab_history_is_whole(a.e.s, JAB_STR(ROMEO)), 0);
    ask(10);
    assert_true(account_asked(&a));
    result_of(2, ROMEO);
    fin(1, "a2", "a2");
    assert_int_equal(jab_history_is_whole(a.e.s, JAB_STR(ROMEO)), 1);
    assert_string_equal(kept(), "early 2@a2 4@a4 6@a6 8@a8 ");
    account_free(&a);
}

static void without_a_store_there_is_none(void **state)
{
    (void)state;
    peer e;
    peer_online(&e);
    assert_int_equal(jab_history_more(e.s, JAB_STR(ROMEO), 2, 6), JAB_ESTATE);
    assert_int_equal(jab_history_is_whole(e.s, JAB_STR(ROMEO)), 0);
    assert_false(peer_sent(&e, "carbons"));
    peer_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(older_messages_go_below),
        cmocka_unit_test(known_ones_are_passed_over),
        cmocka_unit_test(a_refusal_is_told),
        cmocka_unit_test(a_conversation_with_a_gap_is_not_whole),
        cmocka_unit_test(without_a_store_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
