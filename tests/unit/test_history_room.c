/* test_history_room.c: the archives of rooms, room history, and what a room
 * sends back of one's own. */
#include "history.h"

#include "session/outbox.h"

static account a;

#define ROOM         "room@muc.example.org"
#define ROOM_SID(id) "<stanza-id xmlns='urn:xmpp:sid:0' by='" ROOM "' id='" id "'/>"
#define WITCH        "from='" ROOM "/witch' to='" OWN "/balcony' type='groupchat'"
#define ME           "from='" ROOM "/me' to='" OWN "/balcony' type='groupchat'"

static const char *kept(void)
{
    return account_kept(&a, ROOM);
}

static void say(const char *attributes, const char *content)
{
    account_live(&a, attributes, content);
}

static void say_history(const char *attributes, const char *content)
{
    char all[1000];
    snprintf(all, sizeof all,
             "%s<delay xmlns='urn:xmpp:delay' from='" ROOM "' stamp='2023-11-14T22:13:20Z'/>",
             content);
    say(attributes, all);
}

/* Joins; the room's archive is asked for then. */
static void join(const char *nick)
{
    char text[600];
    account_forget(&a);
    assert_int_equal(jab_muc_join(a.e.s, JAB_STR(ROOM), jab_cstr(nick), NULL, 1), 0);
    snprintf(text, sizeof text,
             "<presence from='" ROOM "/%s'><x xmlns='http://jabber.org/protocol/muc#user'>"
             "<item affiliation='member' role='participant'/><status code='110'/></x></presence>",
             nick);
    account_says(&a, text);
    assert_true(account_asked(&a));
    assert_non_null(strstr(a.e.sent, "to='" ROOM "'"));
}

static void begin(void)
{
    account_begin(&a);
    join("me");
}

static void room_result(const char *id, int at, const char *attributes, const char *content)
{
    say_result(&a, ROOM, id, 1700000000000 + at * 1000, attributes, content);
}

/* -- The archive of a room -------------------------------------------------------------- */

static void what_a_room_says_waits_for_its_archive(void **state)
{
    (void)state;
    begin();
    assert_non_null(strstr(a.e.sent, "<max>1</max><before/>"));
    say_history(WITCH " id='1'", TEXT("one") ROOM_SID("r1"));
    say_history(WITCH " id='2'", TEXT("two") ROOM_SID("r2"));
    say(WITCH " id='3'", TEXT("three") ROOM_SID("r3"));
    assert_string_equal(a.told, "");
    room_result("r2", 2, WITCH " id='2'", TEXT("two"));
    say_fin(&a, ROOM, 0, "r2", "r2");
    assert_string_equal(a.told, "one two three ");
    assert_string_equal(a.synced, ROOM);
    assert_null(strstr(a.e.sent, "urn:xmpp:mam:2"));
    account_free(&a);
}

static void a_room_is_caught_up_with_at_the_next_join(void **state)
{
    (void)state;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    say(WITCH " id='1'", TEXT("one") ROOM_SID("r1"));
    assert_string_equal(a.told, "one ");
    jab_session_free(a.e.s);
    account_new(&a);
    account_log_in(&a);
    told_clear(&a);
    join("me");
    say_history(WITCH " id='3'", TEXT("three") ROOM_SID("r3"));
    room_result("r1", 1, WITCH " id='1'", TEXT("one"));
    room_result("r2", 2, WITCH " id='2'", TEXT("two"));
    room_result("r3", 3, WITCH " id='3'", TEXT("three"));
    say_fin(&a, ROOM, 1, "r1", "r3");
    assert_string_equal(a.told, "two three ");
    assert_string_equal(kept(), "one@r1 two@r2 three@r3 ");
    account_free(&a);
}

static void a_room_without_an_archive_has_its_history(void **state)
{
    (void)state;
    begin();
    say_history(WITCH " id='1'", TEXT("one") ROOM_SID("forged"));
    say(WITCH " id='2'", TEXT("two"));
    say_refusal(&a, ROOM, "feature-not-implemented");
    assert_string_equal(a.told, "one two ");
    assert_string_equal(kept(), "one two ");
    say(WITCH " id='3'", TEXT("three"));
    join("me");
    say_history(WITCH " id='1'", TEXT("one"));
    say_history(WITCH " id='2'", TEXT("two"));
    say_history(WITCH " id='3'", TEXT("three"));
    say_history(WITCH " id='4'", TEXT("four"));
    say_refusal(&a, ROOM, "feature-not-implemented");
    assert_string_equal(a.told, "one two three four ");
    account_free(&a);
}

static void a_room_is_believed_about_itself_only(void **state)
{
    (void)state;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    say(WITCH " id='1'", TEXT("one") SID("a1"));
    say(WITCH " id='2'",
        TEXT("two") "<stanza-id xmlns='urn:xmpp:sid:0' by='" ROOM "/witch' id='r9'/>");
    assert_string_equal(kept(), "one two ");
    account_free(&a);
}

static void a_private_message_is_another_conversation(void **state)
{
    (void)state;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    say("from='" ROOM "/witch' to='" OWN "/balcony' type='chat' id='1'", TEXT("psst"));
    assert_string_equal(kept(), "");
    assert_string_equal(account_kept(&a, ROOM "/witch"), "psst ");
    account_free(&a);
}

/* Leaving takes what waits with it: the archive has it, or it is told now. */
static void who_leaves_misses_nothing(void **state)
{
    (void)state;
    begin();
    say(WITCH " id='1'", TEXT("one"));
    account_says(&a, "<presence from='" ROOM "/me' type='unavailable'>"
                     "<x xmlns='http://jabber.org/protocol/muc#user'>"
                     "<item affiliation='member' role='none'/><status code='110'/></x></presence>");
    a.e.now += 100000;
    jab_session_tick(a.e.s, a.e.now);
    account_pull(&a);
    assert_string_equal(a.told, "one ");
    account_free(&a);
}

static void who_cannot_ask_again_stays(void **state)
{
    (void)state;
    int err = JAB_ENOMEM;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    size_t nth = 0;
    while (err < 0) {
        assert_true(jab_str_is(jab_muc_own_nick(a.e.s, JAB_STR(ROOM)), "me"));
        say(WITCH " id='1'", TEXT("one") ROOM_SID("r1"));
        assert_string_equal(kept(), "one@r1 ");
        a.e.mem.fail_at = a.e.mem.calls + ++nth;
        err = jab_muc_join(a.e.s, JAB_STR(ROOM), JAB_STR("you"), NULL, 1);
        a.e.mem.fail_at = 0;
    }
    assert_true(nth > 1);
    account_free(&a);
}

/* -- One's own ---------------------------------------------------------------------------- */

static char id[64];

static void send_to(const char *to, jab_message_type type, const char *text)
{
    jab_out *o = jab_message_to(a.e.s, jab_cstr(to), type);
    snprintf(id, sizeof id, JAB_FMT, JAB_ARG(jab_out_id(o)));
    jab_out_body(o, jab_cstr(text));
    assert_int_equal(jab_out_send(o, 7), 0);
    account_pull(&a);
}

typedef struct own_look {
    int n;
    jab_own_state own;
    int64_t rank, key;
    char archive_id[20];
} own_look;

static int look_at(void *arg, const jab_kept_message *m)
{
    own_look *l = arg;
    l->n++;
    if (m->own == JAB_OWN_NONE)
        return 0;
    l->own = m->own;
    l->rank = m->rank;
    l->key = m->key;
    snprintf(l->archive_id, sizeof l->archive_id, JAB_FMT, JAB_ARG(m->archive_id));
    return 0;
}

static own_look look(const char *conversation)
{
    own_look l = {0};
    assert_true(jab_store_read(a.store, JAB_KEPT_QUERY(.conversation = jab_cstr(conversation)),
                               look_at, &l) >= 0);
    return l;
}

static void say_reflection(const char *nick, const char *text, const char *more)
{
    char attributes[300], content[500];
    snprintf(attributes, sizeof attributes,
             "from='" ROOM "/%s' to='" OWN "/balcony' type='groupchat' id='%s'", nick, id);
    snprintf(content, sizeof content,
             "<body>%s</body><origin-id xmlns='urn:xmpp:sid:0' id='%s'/>%s", text, id, more);
    say(attributes, content);
}

static void what_the_room_sends_back_is_not_told(void **state)
{
    (void)state;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    send_to(ROOM, JAB_MSG_GROUPCHAT, "hail");
    assert_int_equal(look(ROOM).own, JAB_OWN_PENDING);
    assert_true(look(ROOM).rank == JAB_RANK_PENDING);
    say_reflection("me", "hail", ROOM_SID("r1"));
    assert_string_equal(a.told, "");
    assert_int_equal(look(ROOM).n, 1);
    assert_int_equal(look(ROOM).own, JAB_OWN_DELIVERED);
    assert_string_equal(look(ROOM).archive_id, "r1");
    assert_true(look(ROOM).rank < JAB_RANK_PENDING);
    account_free(&a);
}

/* It waited for the archive, and the stream ended: the nickname is forgotten
 * by then, but the message is not taken for somebody else's. */
static void what_the_room_sent_back_before_the_end_is_not_told(void **state)
{
    (void)state;
    begin();
    send_to(ROOM, JAB_MSG_GROUPCHAT, "hail");
    say_reflection("me", "hail", "");
    jab_session_eof(a.e.s, 0, a.e.now);
    account_pull(&a);
    assert_string_equal(a.told, "");
    assert_int_equal(look(ROOM).n, 1);
    account_free(&a);
}

/* The first look need not come by it, and what waits is gone with the process. */
static void what_the_room_sends_back_has_arrived(void **state)
{
    (void)state;
    begin();
    send_to(ROOM, JAB_MSG_GROUPCHAT, "hail");
    assert_int_equal(jab_outbox_count(a.e.s), 1);
    say_reflection("witch", "hail", ROOM_SID("r1"));
    assert_int_equal(jab_outbox_count(a.e.s), 1);
    say_reflection("me", "hail", ROOM_SID("r2"));
    assert_int_equal(jab_outbox_count(a.e.s), 0);
    assert_int_equal(look(ROOM).own, JAB_OWN_DELIVERED);
    room_result("r3", 3, WITCH " id='3'", TEXT("three"));
    say_fin(&a, ROOM, 0, "r3", "r3");
    assert_int_equal(look(ROOM).n, 3);
    account_free(&a);
}

/* Who is in the room sees the ids, and may write the same. */
static void an_imitation_is_told_and_settles_nothing(void **state)
{
    (void)state;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    send_to(ROOM, JAB_MSG_GROUPCHAT, "hail");
    say_reflection("witch", "hail", "");
    assert_string_equal(a.told, "hail ");
    assert_int_equal(jab_outbox_count(a.e.s), 1);
    say_reflection("me", "hail", "");
    assert_string_equal(a.told, "hail ");
    account_free(&a);
}

static void an_own_message_of_another_client_is_told(void **state)
{
    (void)state;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    say(ME " id='elsewhere'", TEXT("hello"));
    assert_string_equal(a.told, "hello ");
    account_free(&a);
}

/* -- What was in doubt ----------------------------------------------------------------------- */

/* A message leaves, and the stream is gone before anyone says that it came. */
static void send_and_lose(const char *to, jab_message_type type)
{
    send_to(to, type, "in doubt");
    peer_collect(&a.e);
    assert_non_null(strstr(a.e.sent, "in doubt"));
    jab_session_eof(a.e.s, 0, a.e.now);
    account_pull(&a);
    account_forget(&a);
}

static void in_the_archive_it_is_delivered(void **state)
{
    (void)state;
    char attributes[300], content[300];
    account_begin(&a);
    send_and_lose(ROMEO, JAB_MSG_CHAT);
    account_log_in(&a);
    assert_int_equal(jabi_outbox_in_doubt(a.e.s, JAB_STR(OWN)), 1);
    assert_true(account_asked(&a));
    snprintf(attributes, sizeof attributes,
             "from='" OWN "/balcony' to='" ROMEO "' type='chat' id='%s'", id);
    snprintf(content, sizeof content,
             TEXT("in doubt") "<origin-id xmlns='urn:xmpp:sid:0' id='%s'/>", id);
    say_result(&a, OWN, "a1", a.wall, attributes, content);
    assert_int_equal(jab_outbox_count(a.e.s), 0);
    say_fin(&a, OWN, 1, "a1", "a1");
    assert_null(strstr(a.e.sent, "in doubt"));
    assert_string_equal(a.told, "");
    assert_int_equal(look(ROMEO).own, JAB_OWN_DELIVERED);
    assert_string_equal(account_kept(&a, ROMEO), "in doubt@a1 ");
    account_free(&a);
}

static void not_in_the_archive_it_is_sent_again(void **state)
{
    (void)state;
    account_begin(&a);
    send_and_lose(ROMEO, JAB_MSG_CHAT);
    account_log_in(&a);
    assert_true(account_asked(&a));
    assert_null(strstr(a.e.sent, "in doubt"));
    say_fin(&a, OWN, 0, NULL, NULL);
    peer_collect(&a.e);
    assert_non_null(strstr(a.e.sent, "in doubt"));
    assert_int_equal(look(ROMEO).own, JAB_OWN_PENDING);
    account_free(&a);
}

static void a_trimmed_archive_does_not_tell(void **state)
{
    (void)state;
    account_begin(&a);
    account_forget(&a);
    assert_int_equal(jab_history_catch_up(a.e.s), 0);
    assert_true(account_asked(&a));
    say_result(&a, OWN, "a0", a.wall, FROM_ROMEO " id='m0'", TEXT("zero"));
    say_fin(&a, OWN, 1, "a0", "a0");
    send_and_lose(ROMEO, JAB_MSG_CHAT);
    account_log_in(&a);
    assert_true(account_asked(&a));
    say_refusal(&a, OWN, "item-not-found"); /* nor from its beginning on */
    assert_true(account_asked(&a));
    assert_non_null(strstr(a.e.sent, "<after>a0</after>"));
    say_refusal(&a, OWN, "item-not-found");
    assert_true(account_asked(&a));
    say_result(&a, OWN, "b1", a.wall + 5000, FROM_ROMEO " id='m1'", TEXT("one"));
    /* Cut in the middle of it: the next one is no wiser. */
    jab_session_eof(a.e.s, 0, a.e.now);
    account_pull(&a);
    account_forget(&a);
    account_log_in(&a);
    assert_true(account_asked(&a));
    assert_non_null(strstr(a.e.sent, "<after>b1</after>"));
    say_fin(&a, OWN, 1, NULL, NULL);
    assert_null(strstr(a.e.sent, "in doubt"));
    assert_int_equal(look(ROMEO).own, JAB_OWN_UNKNOWN);
    assert_int_equal(jab_outbox_count(a.e.s), 0);
    account_free(&a);
}

static void a_room_is_asked_for_its_own(void **state)
{
    (void)state;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    send_and_lose(ROOM, JAB_MSG_GROUPCHAT);
    account_log_in(&a);
    join("me");
    char attributes[300], content[300];
    snprintf(attributes, sizeof attributes, ME " id='%s'", id);
    snprintf(content, sizeof content,
             TEXT("in doubt") "<origin-id xmlns='urn:xmpp:sid:0' id='%s'/>", id);
    room_result("r1", 1, attributes, content);
    say_fin(&a, ROOM, 1, "r1", "r1");
    assert_int_equal(jab_outbox_count(a.e.s), 0);
    assert_null(strstr(a.e.sent, "in doubt"));
    assert_string_equal(a.told, "");
    assert_string_equal(kept(), "in doubt@r1 ");
    account_free(&a);
}

/* The old session still has the nickname: this one got another. */
static void under_another_nickname_it_is_the_same_message(void **state)
{
    (void)state;
    begin();
    say_fin(&a, ROOM, 1, NULL, NULL);
    send_and_lose(ROOM, JAB_MSG_GROUPCHAT);
    account_log_in(&a);
    join("me2");
    char attributes[300], content[300];
    snprintf(attributes, sizeof attributes, ME " id='%s'", id);
    snprintf(content, sizeof content,
             TEXT("in doubt") "<origin-id xmlns='urn:xmpp:sid:0' id='%s'/>", id);
    room_result("r1", 1, attributes, content);
    say_fin(&a, ROOM, 1, "r1", "r1");
    assert_int_equal(jab_outbox_count(a.e.s), 0);
    assert_null(strstr(a.e.sent, "in doubt"));
    assert_string_equal(a.told, "");
    assert_string_equal(kept(), "in doubt@r1 ");
    account_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_room_says_waits_for_its_archive),
        cmocka_unit_test(a_room_is_caught_up_with_at_the_next_join),
        cmocka_unit_test(a_room_without_an_archive_has_its_history),
        cmocka_unit_test(a_room_is_believed_about_itself_only),
        cmocka_unit_test(a_private_message_is_another_conversation),
        cmocka_unit_test(who_leaves_misses_nothing),
        cmocka_unit_test(who_cannot_ask_again_stays),
        cmocka_unit_test(what_the_room_sends_back_is_not_told),
        cmocka_unit_test(what_the_room_sends_back_has_arrived),
        cmocka_unit_test(what_the_room_sent_back_before_the_end_is_not_told),
        cmocka_unit_test(an_imitation_is_told_and_settles_nothing),
        cmocka_unit_test(an_own_message_of_another_client_is_told),
        cmocka_unit_test(in_the_archive_it_is_delivered),
        cmocka_unit_test(not_in_the_archive_it_is_sent_again),
        cmocka_unit_test(a_trimmed_archive_does_not_tell),
        cmocka_unit_test(a_room_is_asked_for_its_own),
        cmocka_unit_test(under_another_nickname_it_is_the_same_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
