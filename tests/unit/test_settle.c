/* test_settle.c: what became of a message, where the server has no stream
 * management, and what others say of it, in a session with a store. */
#include "peer.h"
#include "store_double.h"

#include "session/outbox.h"
#include "session/session.h"

#define ROMEO JAB_STR("romeo@example.net")
#define PING  "<ping xmlns='urn:xmpp:ping'/>"

static peer e;
static store_double disk;

static void pull_all(void)
{
    while (jab_session_next(e.s))
        continue;
}

static void start(int with_store)
{
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.store = with_store ? &disk.store : NULL;
    assert_int_equal(peer_new(&e, &cfg), 0);
}

static void log_in(void)
{
    assert_true(peer_login(&e));
    pull_all();
    if (e.s->cfg.store)
        assert_int_equal(jabi_outbox_absent(e.s, jab_session_jid(e.s)->bare), 0);
    peer_collect(&e);
    peer_clear(&e);
}

static void begin(int with_store)
{
    store_double_init(&disk);
    start(with_store);
    log_in();
}

static void end(void)
{
    jab_session_free(e.s);
    assert_int_equal(e.mem.live, 0);
    store_double_fini(&disk);
}

/* What a driver does: writes, and comes back at the deadline. */
static void drive(void)
{
    peer_collect(&e);
    while (jab_session_deadline(e.s) <= e.now) {
        jab_session_tick(e.s, e.now);
        peer_collect(&e);
    }
}

static int send_text(const char *id, uint64_t tag)
{
    jab_out *o = jab_message_to(e.s, ROMEO, JAB_MSG_CHAT);
    jab_out_set_id(o, jab_cstr(id));
    jab_out_body(o, JAB_STR("hi"));
    return jab_out_send(o, tag);
}

static int pings(void)
{
    int n = 0;
    for (const char *at = e.sent; (at = strstr(at, PING)); at++)
        n++;
    return n;
}

/* Answers the ping sent last. */
static void answer(const char *type)
{
    char text[400];
    const char *ping = NULL, *id = NULL;
    for (const char *at = e.sent; (at = strstr(at, PING)); at++)
        ping = at;
    assert_non_null(ping);
    for (const char *at = e.sent; (at = strstr(at, " id='")) && at < ping; at++)
        id = at + 5;
    snprintf(text, sizeof text, "<iq type='%s' id='%.*s'/>", type, (int)strcspn(id, "'"), id);
    peer_clear(&e);
    assert_true(peer_says(&e, text) >= 0);
}

/* The next of its kind; a tag of 0: there is none. */
static void expect_sent(uint64_t tag, jab_sent_state state)
{
    const jab_event *ev = jab_session_next(e.s);
    while (ev && ev->type != JAB_EV_SENT)
        ev = jab_session_next(e.s);
    assert_int_equal(ev != NULL, tag != 0);
    if (!ev)
        return;
    assert_int_equal(ev->tag, tag);
    assert_int_equal(((const jab_sent *)ev->data)->state, state);
}

/* -- Asking ------------------------------------------------------------------------- */

static void the_answer_to_a_ping_behind_them_settles_messages(void **state)
{
    (void)state;
    static const char *const types[] = {"result", "error"};
    for (size_t i = 0; i < 2; i++) {
        begin(1);
        assert_int_equal(send_text("one", 1), 0);
        assert_int_equal(send_text("two", 2), 0);
        drive();
        assert_int_equal(pings(), 1);
        assert_true(strstr(e.sent, PING) > strstr(e.sent, "id='two'"));
        expect_sent(0, JAB_SENT_DELIVERED);
        answer(types[i]);
        expect_sent(1, JAB_SENT_DELIVERED);
        expect_sent(2, JAB_SENT_DELIVERED);
        drive();
        assert_int_equal(pings(), 0);
        assert_int_equal(jab_outbox_count(e.s), 0);
        end();
    }
}

static void one_question_is_open_at_a_time(void **state)
{
    (void)state;
    begin(1);
    assert_int_equal(send_text("one", 1), 0);
    drive();
    assert_int_equal(send_text("two", 2), 0); /* behind the question */
    drive();
    assert_int_equal(pings(), 1);
    answer("result");
    expect_sent(1, JAB_SENT_DELIVERED);
    expect_sent(0, JAB_SENT_DELIVERED);
    drive();
    assert_int_equal(pings(), 1);
    answer("result");
    expect_sent(2, JAB_SENT_DELIVERED);
    end();
}

static void a_question_without_answer_ends_the_stream(void **state)
{
    (void)state;
    begin(1);
    assert_int_equal(send_text("one", 1), 0);
    drive();
    assert_int_equal(pings(), 1);
    e.now += 30000;
    drive();
    assert_true(jab_session_closed(e.s));
    assert_int_equal(jab_session_error(e.s), JAB_ETIMEOUT);
    expect_sent(0, JAB_SENT_DELIVERED);
    assert_int_equal(jab_outbox_count(e.s), 1);
    end();
}

static void what_was_not_answered_is_in_doubt(void **state)
{
    (void)state;
    begin(1);
    assert_int_equal(send_text("one", 1), 0);
    drive();
    jab_session_eof(e.s, 0, e.now);
    expect_sent(0, JAB_SENT_UNKNOWN);
    assert_true(peer_login(&e));
    assert_int_equal(jabi_outbox_in_doubt(e.s, jab_session_jid(e.s)->bare), 1);
    peer_clear(&e);
    assert_int_equal(jabi_outbox_absent(e.s, jab_session_jid(e.s)->bare), 0);
    drive();
    answer("result");
    expect_sent(1, JAB_SENT_DELIVERED);
    end();
}

static void without_a_store_nothing_is_asked(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(send_text("one", 1), 0);
    drive();
    assert_int_equal(pings(), 0);
    end();
}

static void without_memory_it_is_asked_later(void **state)
{
    (void)state;
    for (size_t i = 1; i <= 5; i++) {
        begin(1);
        assert_int_equal(send_text("one", 1), 0);
        peer_collect(&e);
        e.mem.fail_at = e.mem.calls + i;
        drive();
        e.mem.fail_at = 0;
        e.now += 1000;
        drive();
        if (!jab_session_closed(e.s)) {
            answer("result");
            expect_sent(1, JAB_SENT_DELIVERED);
        }
        end();
    }
}

/* -- What others say ----------------------------------------------------------------- */

static int on_row(void *arg, const jab_kept_message *m)
{
    *(jab_own_state *)arg = m->own;
    return 1;
}

static jab_own_state own_of(const char *id)
{
    jab_own_state own = JAB_OWN_NONE;
    assert_true(jab_store_read(disk.inner,
                               JAB_KEPT_QUERY(.conversation = ROMEO, .id = jab_cstr(id)), on_row,
                               &own) >= 0);
    return own;
}

static const jab_receipt *next_claim(uint32_t type)
{
    for (const jab_event *ev; (ev = jab_session_next(e.s));)
        if (ev->type == type)
            return ev->data;
    return NULL;
}

static void says(const char *from, const char *payload)
{
    char text[400];
    snprintf(text, sizeof text, "<message from='%s'>%s</message>", from, payload);
    assert_true(peer_says(&e, text) >= 0);
}

#define RECEIVED  "<received xmlns='urn:xmpp:receipts' id='one'/>"
#define DISPLAYED "<displayed xmlns='urn:xmpp:chat-markers:0' id='one'/>"

/* In another process than the one that sent it, too. */
static void receipts_and_markers_change_what_is_kept(void **state)
{
    (void)state;
    begin(1);
    assert_int_equal(send_text("one", 1), 0);
    drive();
    answer("result");
    pull_all();
    assert_int_equal(own_of("one"), JAB_OWN_DELIVERED);
    jab_session_free(e.s);
    start(1);
    log_in();
    says("mallory@evil.example/x", RECEIVED);
    assert_null(next_claim(JAB_EV_RECEIPT));
    assert_int_equal(own_of("one"), JAB_OWN_DELIVERED);
    says("romeo@example.net/orchard", RECEIVED);
    const jab_receipt *r = next_claim(JAB_EV_RECEIPT);
    assert_true(r && r->key > 0);
    assert_str(r->from.full, "romeo@example.net/orchard");
    assert_int_equal(own_of("one"), JAB_OWN_RECEIVED);
    says("romeo@example.net/orchard", DISPLAYED);
    assert_non_null(next_claim(JAB_EV_DISPLAYED));
    assert_int_equal(own_of("one"), JAB_OWN_DISPLAYED);
    says("romeo@example.net/home", RECEIVED);
    assert_non_null(next_claim(JAB_EV_RECEIPT));
    assert_int_equal(own_of("one"), JAB_OWN_DISPLAYED);
    end();
}

/* XEP-0184 §5.5: a copy of a message that was answered is not answered. */
static void a_message_is_answered_once(void **state)
{
    static const char asks[] =
        "<message from='romeo@example.net/orchard' id='m1' type='chat'><body>there?</body>"
        "<request xmlns='urn:xmpp:receipts'/></message>";
    (void)state;
    begin(1);
    e.s->cfg.receipts = JAB_RECEIPTS_ANSWER;
    jab_roster_item romeo = {.jid = jab_jid_view(ROMEO), .subscription = JAB_SUB_FROM};
    assert_int_equal(jab_roster_load(e.s, JAB_STR("1"), &romeo, 1), 0);
    assert_true(peer_says(&e, asks) >= 0);
    assert_true(peer_sent(&e, "<received xmlns='urn:xmpp:receipts' id='m1'/>"));
    peer_clear(&e);
    assert_true(peer_says(&e, asks) >= 0);
    pull_all();
    assert_false(peer_sent(&e, "<received"));
    assert_int_equal(jab_outbox_count(e.s), 0); /* it is no message of the application */
    end();
}

static void what_came_back_has_failed(void **state)
{
    (void)state;
    begin(1);
    assert_int_equal(send_text("one", 1), 0);
    drive();
    answer("result");
    expect_sent(1, JAB_SENT_DELIVERED);
    assert_true(peer_says(&e, "<message from='romeo@example.net' type='error' id='one'>"
                              "<error type='cancel'/></message>") >= 0);
    const jab_event *ev = jab_session_next(e.s);
    while (ev && ev->type != JAB_EV_SENT)
        ev = jab_session_next(e.s);
    assert_non_null(ev);
    assert_true(((const jab_sent *)ev->data)->key > 0);
    assert_int_equal(own_of("one"), JAB_OWN_FAILED);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_to_a_ping_behind_them_settles_messages),
        cmocka_unit_test(one_question_is_open_at_a_time),
        cmocka_unit_test(a_question_without_answer_ends_the_stream),
        cmocka_unit_test(what_was_not_answered_is_in_doubt),
        cmocka_unit_test(without_a_store_nothing_is_asked),
        cmocka_unit_test(without_memory_it_is_asked_later),
        cmocka_unit_test(receipts_and_markers_change_what_is_kept),
        cmocka_unit_test(a_message_is_answered_once),
        cmocka_unit_test(what_came_back_has_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
