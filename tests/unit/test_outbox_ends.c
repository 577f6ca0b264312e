/* test_outbox_ends.c: a session with a store whose disk fails where it hurts,
 * and ends that come at a bad time. */
#include "peer.h"
#include "store_double.h"

#include "session/outbox.h"
#include "session/session.h"

#define SM_FEATURES                                                                                \
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"                            \
    "<sm xmlns='urn:xmpp:sm:3'/></stream:features>"
#define ENABLED "<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>"
#define RESUMED "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='%u'/>"
#define ASK     "<r xmlns='urn:xmpp:sm:3'/>"
#define OWN     JAB_STR("juliet@example.org")
#define IN(id)  "<message id='" id "' from='romeo@example.net/o'><body>hi</body></message>"
#define UNKEPT                                                                                     \
    "<message id='u' from='romeo@example.net/o'><body>psst</body>"                                 \
    "<no-store xmlns='urn:xmpp:hints'/></message>"

static peer e;
static store_double disk;

static int count_value(void *arg, jab_str key, jab_str value)
{
    (void)key;
    (void)value;
    ++*(int *)arg;
    return 0;
}

static int kept(const char *space)
{
    int n = 0;
    disk.inner->table->each(disk.inner, space, (jab_str){NULL, 0}, 0, count_value, &n);
    return n;
}

static void begin(int by_caller)
{
    store_double_init(&disk);
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.store = &disk.store;
    cfg.commit_by_caller = by_caller;
    assert_int_equal(peer_new(&e, &cfg), 0);
}

static void end(void)
{
    jab_session_free(e.s);
    assert_int_equal(e.mem.live, 0);
    store_double_fini(&disk);
}

/* How many events of this type are pulled, until there is none. */
static int pull(uint32_t type)
{
    int n = 0;
    for (const jab_event *ev; (ev = jab_session_next(e.s));)
        n += ev->type == type;
    return n;
}

static void to_features(const char *features)
{
    assert_int_equal(jab_session_connected(e.s, NULL, e.now), 0);
    assert_true(peer_says(&e, PEER_HEADER PEER_PLAIN) >= 0);
    assert_true(peer_says(&e, PEER_SUCCESS) >= 0);
    peer_clear(&e);
    assert_true(peer_says(&e, PEER_HEADER) >= 0);
    assert_true(peer_says(&e, features) >= 0);
}

static void bound(void)
{
    peer_bind(&e);
    pull(0);
    pull(0);
}

/* Logged in, and the archive has nothing of what is in doubt. */
static void online(int by_caller)
{
    begin(by_caller);
    to_features(SM_FEATURES);
    bound();
    assert_true(peer_says(&e, ENABLED) >= 0);
    pull(0);
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    peer_clear(&e);
}

static int send_text(const char *body, uint64_t tag)
{
    jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_set_id(o, jab_cstr(body));
    jab_out_body(o, jab_cstr(body));
    return jab_out_send(o, tag);
}

static void resumed(uint32_t h)
{
    char text[128];
    to_features(SM_FEATURES);
    snprintf(text, sizeof text, RESUMED, h);
    assert_true(peer_says(&e, text) > 0);
}

/* -- Freeing -------------------------------------------------------------------------- */

/* Without a stream to resume, the failing commit ends the stream within free(),
 * and with it the requests that are open. */
static void a_disk_that_fails_while_a_session_is_freed(void **state)
{
    (void)state;
    begin(0);
    to_features(PEER_BIND);
    bound();
    jab_out *o = jab_iq_to(e.s, JAB_STR("example.org"), JAB_IQ_GET);
    jab_out_child(o, "urn:xmpp:ping", "ping");
    assert_int_equal(jab_out_send(o, 7), 0);
    assert_true(jab_session_feed(e.s, IN("a"), strlen(IN("a")), e.now) > 0);
    assert_true(disk.store.dirty);
    disk.fail_commits = 1;
    end();
}

/* -- Leaving -------------------------------------------------------------------------- */

/* The first row's mark is lost with the transaction: its bytes must not leave. */
static void nothing_leaves_whose_mark_was_lost(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(send_text("one", 1), 0);
    assert_int_equal(send_text("two", 2), 0);
    to_features(SM_FEATURES);
    bound();
    assert_true(peer_says(&e, ENABLED) >= 0);
    pull(0);
    peer_clear(&e);
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    disk.fail_puts = 2; /* the mark of the second */
    peer_collect(&e);
    assert_int_equal(jab_session_error(e.s), JAB_ESTORE);
    assert_false(peer_sent(&e, "<body>"));
    assert_int_equal(kept("sent"), 0);
    end();
}

/* -- What was told ---------------------------------------------------------------------- */

/* The write that says so in the history fails first: it is told once, later. */
static void an_end_that_cannot_be_written_is_told_once(void **state)
{
    (void)state;
    for (int at = 1; at < 8; at++) {
        online(0);
        assert_int_equal(send_text("one", 1), 0);
        peer_collect(&e);
        uint32_t out = e.s->stream.sm.out;
        char text[64];
        snprintf(text, sizeof text, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", out);
        disk.fail_writes = at;
        (void)!peer_says(&e, text);
        int told = pull(JAB_EV_SENT);
        disk.fail_writes = 0;
        if (jab_session_closed(e.s)) {
            resumed(out);
            told += pull(JAB_EV_SENT);
        }
        assert_int_equal(told, 1);
        assert_int_equal(kept("outbox"), 0);
        end();
    }
}

/* What an archive told of a message comes once only, and nobody says it again. */
static void a_delivery_found_in_the_archive_is_not_forgotten(void **state)
{
    (void)state;
    online(0);
    assert_int_equal(send_text("one", 1), 0);
    peer_collect(&e);
    e.s->routed = &(jab_stanza){.kind = JAB_MESSAGE}; /* as while a result is routed */
    assert_int_equal(jabi_outbox_found(e.s, OWN, JAB_STR("one")), 1);
    e.s->routed = NULL;
    disk.fail_commits = 1;
    assert_int_equal(pull(JAB_EV_SENT), 1);
    assert_true(jab_session_closed(e.s));
    resumed(e.s->stream.sm.out);
    assert_int_equal(pull(JAB_EV_SENT), 0);
    assert_int_equal(kept("outbox"), 0);
    end();
}

static void what_was_withdrawn_is_told_though_the_disk_fails(void **state)
{
    (void)state;
    online(0);
    assert_int_equal(send_text("one", 1), 0);
    peer_collect(&e);
    jabi_outbox_doubt(e.s, 1);
    disk.fail_commits = 1;
    assert_int_equal(jab_outbox_withdraw(e.s), JAB_ESTORE);
    assert_int_equal(pull(JAB_EV_SENT), 1);
    end();
    begin(0);
    assert_int_equal(send_text("one", 1), 0);
    disk.fail_commits = 1;
    assert_int_equal(jab_outbox_withdraw(e.s), JAB_ESTORE);
    assert_int_equal(pull(JAB_EV_SENT), 1);
    end();
}

/* -- What came ---------------------------------------------------------------------------- */

/* What is not to be kept is not in the transaction that is lost: it was shown. */
static void what_was_not_in_the_lost_transaction_does_not_come_again(void **state)
{
    (void)state;
    online(0);
    assert_true(jab_session_feed(e.s, UNKEPT, strlen(UNKEPT), e.now) > 0);
    assert_false(disk.store.dirty);
    assert_true(jab_session_feed(e.s, IN("a"), strlen(IN("a")), e.now) > 0);
    disk.fail_commits = 1;
    assert_int_equal(pull(JAB_EV_MESSAGE), 1);
    assert_true(jab_session_closed(e.s));
    to_features(SM_FEATURES);
    assert_true(peer_sent(&e, "previd='s1' h='1'"));
    end();
}

static void what_the_caller_has_not_committed_is_not_acknowledged(void **state)
{
    (void)state;
    online(1);
    assert_true(peer_says(&e, UNKEPT) > 0);
    assert_int_equal(pull(JAB_EV_MESSAGE), 1);
    assert_int_equal(peer_says(&e, ASK), 0);
    assert_int_equal(jab_session_commit(e.s), 0);
    assert_true(peer_says(&e, IN("a")) > 0);
    assert_int_equal(pull(JAB_EV_MESSAGE), 1);
    peer_clear(&e);
    assert_int_equal(peer_says(&e, ASK), 0);
    assert_int_equal(jab_session_commit(e.s), 0);
    assert_true(peer_says(&e, ASK) > 0);
    assert_true(peer_sent(&e, "h='2'"));
    end();
}

/* Who commits decides when: the outbox waits for that, too. */
static void the_outbox_commits_nothing_of_the_callers(void **state)
{
    (void)state;
    begin(1);
    assert_int_equal(send_text("one", 1), 0);
    to_features(SM_FEATURES);
    bound();
    assert_true(peer_says(&e, ENABLED) >= 0);
    pull(0);
    assert_true(peer_says(&e, IN("a")) > 0);
    assert_int_equal(pull(JAB_EV_MESSAGE), 1);
    assert_true(disk.store.dirty);
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    peer_collect(&e);
    assert_true(disk.store.dirty);
    assert_false(peer_sent(&e, "<body>one</body>"));
    assert_int_equal(jab_session_commit(e.s), 0);
    assert_true(peer_sent(&e, "<body>one</body>"));
    end();
}

/* -- Rooms ------------------------------------------------------------------------------------ */

#define ROOM "room@muc.example.org"

/* A room refuses who is not in it: the message would be lost. */
static void a_message_to_a_room_waits_until_it_is_joined(void **state)
{
    (void)state;
    begin(0);
    jab_out *o = jab_message_to(e.s, JAB_STR(ROOM), JAB_MSG_GROUPCHAT);
    jab_out_body(o, JAB_STR("hail"));
    assert_int_equal(jab_out_send(o, 1), 0);
    to_features(SM_FEATURES);
    bound();
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    assert_false(peer_sent(&e, "<body>hail</body>"));
    assert_int_equal(jab_muc_join(e.s, JAB_STR(ROOM), JAB_STR("me"), NULL, 2), 0);
    assert_true(peer_sent(&e, "<body>hail</body>"));
    assert_true(strstr(e.sent, "jabber.org/protocol/muc") < strstr(e.sent, "<body>hail"));
    end();
}

/* -- What can never leave ---------------------------------------------------------------------- */

static void what_can_never_leave_is_refused(void **state)
{
    (void)state;
    static char body[3000];
    memset(body, 'x', sizeof body - 1);
    begin(0);
    e.s->cfg.max_output_bytes = 2000;
    assert_int_equal(send_text("short", 1), 0);
    jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_body(o, jab_cstr(body));
    assert_int_equal(jab_out_send(o, 2), JAB_ELIMIT);
    assert_int_equal(jab_outbox_count(e.s), 1);
    end();
}

/* -- Stream management that is refused -------------------------------------------------------- */

static void a_refusal_of_stream_management_leaves_nothing_open(void **state)
{
    (void)state;
    begin(0);
    to_features(SM_FEATURES);
    bound();
    assert_int_equal(jabi_outbox_absent(e.s, OWN), 0);
    assert_int_equal(send_text("one", 1), 0);
    assert_true(peer_sent(&e, "<body>one</body>"));
    assert_true(peer_sent(&e, ASK));
    e.now += 5000;
    assert_true(peer_says(&e, "<failed xmlns='urn:xmpp:sm:3'/>") > 0);
    pull(0);
    assert_int_equal(jabi_outbox_in_doubt(e.s, OWN), 0); /* the stream stands */
    assert_true(peer_sent(&e, "urn:xmpp:ping"));
    e.now += 26000; /* the question that nobody answers would be too old */
    jab_session_tick(e.s, e.now);
    assert_true(jab_session_online(e.s));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_that_fails_while_a_session_is_freed),
        cmocka_unit_test(nothing_leaves_whose_mark_was_lost),
        cmocka_unit_test(an_end_that_cannot_be_written_is_told_once),
        cmocka_unit_test(a_delivery_found_in_the_archive_is_not_forgotten),
        cmocka_unit_test(what_was_withdrawn_is_told_though_the_disk_fails),
        cmocka_unit_test(what_was_not_in_the_lost_transaction_does_not_come_again),
        cmocka_unit_test(what_the_caller_has_not_committed_is_not_acknowledged),
        cmocka_unit_test(the_outbox_commits_nothing_of_the_callers),
        cmocka_unit_test(a_message_to_a_room_waits_until_it_is_joined),
        cmocka_unit_test(what_can_never_leave_is_refused),
        cmocka_unit_test(a_refusal_of_stream_management_leaves_nothing_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
