/* test_kept.c: what extensions keep in the store over the end of a program:
 * the roster, what hashes of capabilities stand for, rooms to come back to. */
#include "peer.h"
#include "store_double.h"

#include "base/mem.h"
#include "base/pack.h"
#include "session/session.h"

#define ROSTER_FEATURES                                                                            \
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"                            \
    "<ver xmlns='urn:xmpp:features:rosterver'/></stream:features>"
#define ITEM(jid, rest) "<item jid='" jid "' " rest "</item>"

static peer e;
static store_double disk;

static void start_as(jab_str jid)
{
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.jid = jid;
    cfg.store = &disk.store;
    assert_int_equal(peer_new(&e, &cfg), 0);
}

static void start(void)
{
    start_as(JAB_STR("juliet@example.org/balcony"));
}

static void pull_all(void)
{
    while (jab_session_next(e.s))
        continue;
}

static int log_in(void)
{
    if (jab_session_connected(e.s, NULL, e.now) < 0 || peer_says(&e, PEER_HEADER PEER_PLAIN) < 0 ||
        peer_says(&e, PEER_SUCCESS) < 0)
        return 0;
    peer_clear(&e);
    if (peer_says(&e, PEER_HEADER ROSTER_FEATURES) < 0)
        return 0;
    peer_bind(&e);
    pull_all();
    peer_clear(&e);
    return jab_session_online(e.s);
}

static void begin(void)
{
    store_double_init(&disk);
    start();
    assert_true(log_in());
}

static void stop(void)
{
    jab_session_free(e.s);
    assert_int_equal(e.mem.live, 0);
}

static void end(void)
{
    stop();
    store_double_fini(&disk);
}

static void again(void)
{
    stop();
    start();
    assert_true(log_in());
}

/* Answers the request that has this in it; what else was asked waits. */
static void answer_to(const char *asked, const char *from, const char *payload)
{
    static char text[1 << 16];
    peer_collect(&e);
    const char *at = strstr(e.sent, asked), *id = NULL;
    assert_non_null(at);
    for (const char *p = e.sent; (p = strstr(p, " id='")) && p < at; p += 5)
        id = p + 5;
    assert_non_null(id);
    snprintf(text, sizeof text, "<iq type='result' id='%.*s'%s>%s</iq>", (int)strcspn(id, "'"), id,
             from, payload);
    (void)!peer_says(&e, text);
    pull_all();
    peer_clear(&e);
}

static void answer(const char *payload)
{
    answer_to("jabber:iq:roster", "", payload);
}

static void push(const char *version, const char *item)
{
    char text[800];
    snprintf(text, sizeof text,
             "<iq type='set' id='p'><query xmlns='jabber:iq:roster' ver='%s'>%s</query></iq>",
             version, item);
    (void)!peer_says(&e, text);
    pull_all();
}

static void put(const char *space, const char *key, jab_str value)
{
    assert_int_equal(disk.store.table->put(&disk.store, space, jab_cstr(key), value), 0);
    assert_int_equal(disk.store.table->commit(&disk.store), 0);
}

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

/* -- The roster ------------------------------------------------------------------- */

static void fetch_two(void)
{
    assert_int_equal(jab_roster_get(e.s, 1), 0);
    assert_true(peer_sent(&e, " ver=''"));
    answer("<query xmlns='jabber:iq:roster' ver='v1'>" ITEM(
        "romeo@example.net", "name='Ромео' subscription='both'><group>Lovers</group><group/>")
               ITEM("nurse@example.org", "subscription='to' ask='subscribe'>") "</query>");
    assert_int_equal(jab_roster_count(e.s), 2);
}

static int is_trusted(const char *jid)
{
    jab_jid who = jab_jid_view(jab_cstr(jid));
    return jab_peer_trusted(e.s->exts, &who);
}

static void the_roster_is_there_before_it_is_fetched(void **state)
{
    (void)state;
    begin();
    fetch_two();
    push("v2", ITEM("tybalt@example.org", "subscription='none' approved='true'>"));
    stop();
    start();
    assert_int_equal(jab_roster_count(e.s), 3); /* offline, too */
    assert_true(log_in());
    assert_true(is_trusted("romeo@example.net/orchard"));
    assert_false(is_trusted("nurse@example.org/x"));
    const jab_roster_item *romeo = jab_roster_find(e.s, JAB_STR("romeo@example.net"));
    assert_non_null(romeo);
    assert_str(romeo->name, "Ромео");
    assert_int_equal(romeo->n_groups, 2);
    assert_str(romeo->groups[0], "Lovers");
    assert_int_equal(romeo->groups[1].n, 0);
    const jab_roster_item *nurse = jab_roster_find(e.s, JAB_STR("nurse@example.org"));
    assert_true(nurse && nurse->asked && !nurse->name.p && nurse->subscription == JAB_SUB_TO);
    assert_true(jab_roster_find(e.s, JAB_STR("tybalt@example.org"))->approved);
    assert_int_equal(jab_roster_get(e.s, 1), 0);
    assert_true(peer_sent(&e, " ver='v2'"));
    answer("");
    assert_int_equal(jab_roster_count(e.s), 3);
    end();
}

static void a_push_writes_one_contact(void **state)
{
    (void)state;
    static char all[60000];
    size_t n = 0;
    begin();
    assert_int_equal(jab_roster_get(e.s, 1), 0);
    for (int i = 0; i < 500; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "<item jid='c%d@example.org'/>", i);
    char query[sizeof all + 100];
    snprintf(query, sizeof query, "<query xmlns='jabber:iq:roster' ver='v1'>%s</query>", all);
    answer(query);
    assert_int_equal(kept("roster"), 500);
    disk.fail_puts = 3;
    push("v2", ITEM("c7@example.org", "name='Seven'>"));
    assert_int_equal(disk.fail_puts, 1); /* the contact, and which roster it is */
    disk.fail_puts = 0;
    push("v3", ITEM("c8@example.org", "subscription='remove'>"));
    assert_int_equal(kept("roster"), 499);
    again();
    assert_int_equal(jab_roster_count(e.s), 499);
    assert_str(jab_roster_version(e.s), "v3");
    assert_str(jab_roster_find(e.s, JAB_STR("c7@example.org"))->name, "Seven");
    end();
}

static void what_the_server_no_longer_has_goes(void **state)
{
    (void)state;
    begin();
    fetch_two();
    again();
    assert_int_equal(jab_roster_get(e.s, 1), 0);
    answer("<query xmlns='jabber:iq:roster' ver='v9'>" ITEM(
        "romeo@example.net",
        "name='Ромео' subscription='both'><group>Lovers</group><group/>") "</query>");
    assert_int_equal(kept("roster"), 1);
    again();
    assert_int_equal(jab_roster_count(e.s), 1);
    assert_str(jab_roster_version(e.s), "v9");
    end();
}

static void a_damaged_roster_is_fetched_anew(void **state)
{
    (void)state;
    static const struct {
        const char *space, *key;
        jab_str value;
    } damages[] = {
        {"roster", "romeo@example.net", {NULL, 0}},
        {"roster", "romeo@example.net", {"", 0}},
        {"roster", "romeo@example.net", {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\11", 16}},
        {"roster", "romeo@example.net", {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8}},
        {"roster", "@", {"", 0}},
        {"roster-info", "info", {NULL, 0}},
        {"roster-info", "info", {"x", 1}},
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        begin();
        fetch_two();
        stop();
        put(damages[i].space, damages[i].key, damages[i].value);
        start();
        assert_true(log_in());
        assert_int_equal(jab_roster_count(e.s), 0);
        assert_null(jab_roster_version(e.s).p);
        fetch_two();
        assert_int_equal(kept("roster"), 2);
        again();
        assert_int_equal(jab_roster_count(e.s), 2);
        end();
    }
}

static void another_account_has_another_roster(void **state)
{
    (void)state;
    begin();
    fetch_two();
    stop();
    start_as(JAB_STR("mercutio@example.org/x"));
    assert_int_equal(jab_roster_count(e.s), 0);
    assert_null(jab_roster_version(e.s).p);
    end();
}

/* The push is not answered, so that the server's roster is asked for again. */
static void a_change_that_could_not_be_kept_did_not_happen(void **state)
{
    (void)state;
    begin();
    fetch_two();
    disk.fail_commits = 1;
    push("v2", ITEM("tybalt@example.org", "subscription='both'>"));
    assert_true(jab_session_closed(e.s));
    assert_int_equal(jab_session_error(e.s), JAB_ESTORE);
    pull_all();
    peer_clear(&e);
    assert_true(log_in());
    assert_int_equal(jab_roster_count(e.s), 2);
    assert_false(is_trusted("tybalt@example.org/x"));
    assert_str(jab_roster_version(e.s), "v1");
    end();
}

static void a_roster_loaded_by_the_program_is_kept(void **state)
{
    (void)state;
    store_double_init(&disk);
    start();
    jab_roster_item item = {.jid = jab_jid_view(JAB_STR("romeo@example.net")),
                            .subscription = JAB_SUB_BOTH};
    assert_int_equal(jab_roster_load(e.s, JAB_STR("v5"), &item, 1), 0);
    assert_true(log_in());
    again();
    assert_int_equal(jab_roster_count(e.s), 1);
    assert_str(jab_roster_version(e.s), "v5");
    end();
}

/* -- Capabilities ----------------------------------------------------------------- */

#define CAPS_KEY "sha-1 QgayPKawpkPSDYmwT/WM94uAlu0="

static void romeo_comes(void)
{
    (void)!peer_says(&e, "<presence from='juliet@example.org/other'>"
                         "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' "
                         "ver='QgayPKawpkPSDYmwT/WM94uAlu0='/></presence>");
}

static int has_muc(void)
{
    return jab_caps_has(e.s, JAB_STR("juliet@example.org/other"),
                        JAB_STR("http://jabber.org/protocol/muc"));
}

static void answer_caps(void)
{
    static const char info[] = "<query xmlns='http://jabber.org/protocol/disco#info'>"
                               "<identity category='client' name='Exodus 0.9.1' type='pc'/>"
                               "<feature var='http://jabber.org/protocol/muc'/>"
                               "<feature var='http://jabber.org/protocol/disco#info'/>"
                               "<feature var='http://jabber.org/protocol/disco#items'/>"
                               "<feature var='http://jabber.org/protocol/caps'/></query>";
    answer_to("disco#info", " from='juliet@example.org/other'", info);
}

static void what_a_hash_stands_for_is_asked_once(void **state)
{
    (void)state;
    begin();
    romeo_comes();
    assert_int_equal(has_muc(), JAB_EAGAIN);
    answer_caps();
    assert_int_equal(has_muc(), 1);
    again();
    romeo_comes();
    assert_int_equal(has_muc(), 1);
    assert_int_equal(jab_caps_has(e.s, JAB_STR("juliet@example.org/other"), JAB_STR("x")), 0);
    assert_false(peer_sent(&e, "disco#info"));
    end();
}

static void damaged_capabilities_are_asked_for_again(void **state)
{
    (void)state;
    static const jab_str damages[] = {
        {"", 0}, {"\0\0\0\0\0\0\0\1", 8}, {"\0\0\0\0\0\0\xFF\xFF", 8}, {"x", 1}};
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        begin();
        put("caps", CAPS_KEY, damages[i]);
        romeo_comes();
        assert_int_equal(has_muc(), JAB_EAGAIN);
        answer_caps();
        assert_int_equal(has_muc(), 1);
        again();
        romeo_comes();
        assert_int_equal(has_muc(), 1);
        end();
    }
}

static void as_many_sets_are_kept_as_may_be(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < JAB_CAPS_CACHE_MAX; i++) {
        char key[32];
        snprintf(key, sizeof key, "sha-1 %d", i);
        put("caps", key, JAB_STR("\0\0\0\0\0\0\0\0"));
    }
    romeo_comes();
    answer_caps();
    assert_int_equal(kept("caps"), JAB_CAPS_CACHE_MAX);
    again();
    romeo_comes();
    assert_int_equal(has_muc(), 1);
    end();
}

/* -- Rooms ------------------------------------------------------------------------- */

typedef struct rooms {
    int n;
    char text[200];
} rooms;

static int add_room(void *arg, jab_str room, jab_str nick)
{
    rooms *r = arg;
    size_t n = strlen(r->text);
    r->n++;
    snprintf(r->text + n, sizeof r->text - n, JAB_FMT "=" JAB_FMT " ", JAB_ARG(room),
             JAB_ARG(nick));
    return 0;
}

static void expect_rooms(const char *wanted)
{
    rooms r = {0, ""};
    int n = jab_muc_remembered(e.s, add_room, &r);
    assert_int_equal(n, r.n);
    assert_string_equal(r.text, wanted);
}

static void room_says(const char *attributes, const char *content)
{
    char text[600];
    snprintf(text, sizeof text,
             "<presence %s><x xmlns='http://jabber.org/protocol/muc#user'>"
             "<item affiliation='none' role='participant' nick='julia'/>"
             "<status code='110'/>%s</x></presence>",
             attributes, content);
    (void)!peer_says(&e, text);
    pull_all();
}

static void join(const char *room)
{
    char from[100];
    assert_int_equal(jab_muc_join(e.s, jab_cstr(room), JAB_STR("jules"), NULL, 1), 0);
    snprintf(from, sizeof from, "from='%s/jules'", room);
    room_says(from, "");
}

static void rooms_are_remembered_until_they_are_left(void **state)
{
    (void)state;
    begin();
    expect_rooms("");
    assert_int_equal(jab_muc_join(e.s, JAB_STR("a@muc.example.org"), JAB_STR("jules"), NULL, 1), 0);
    expect_rooms(""); /* not in it yet */
    room_says("from='a@muc.example.org/jules'", "");
    join("b@muc.example.org");
    join("c@muc.example.org");
    room_says("from='b@muc.example.org/jules' type='unavailable'", "<status code='303'/>");
    expect_rooms("a@muc.example.org=jules b@muc.example.org=julia c@muc.example.org=jules ");
    again();
    expect_rooms("a@muc.example.org=jules b@muc.example.org=julia c@muc.example.org=jules ");
    join("a@muc.example.org");
    assert_int_equal(jab_muc_leave(e.s, JAB_STR("a@muc.example.org"), (jab_str){NULL, 0}), 0);
    expect_rooms("b@muc.example.org=julia c@muc.example.org=jules ");
    join("b@muc.example.org");
    room_says("from='b@muc.example.org/jules' type='unavailable'", "<status code='301'/>");
    join("c@muc.example.org");
    room_says("from='c@muc.example.org/jules' type='unavailable'",
              "<status code='307'/><status code='333'/>");
    again();
    expect_rooms("c@muc.example.org=jules ");
    end();
}

static void damaged_rooms_are_none(void **state)
{
    (void)state;
    begin();
    join("a@muc.example.org");
    jabi_buf other;
    jabi_buf_init(&other, jabi_mem_default(), 200);
    jabi_pack_str(&other, JAB_STR("mercutio@example.org"));
    jabi_pack_str(&other, JAB_STR("merc"));
    put("rooms", "b@muc.example.org", jabi_buf_str(&other));
    jabi_buf_fini(&other);
    put("rooms", "c@muc.example.org", JAB_STR("jules"));
    put("rooms", "", JAB_STR(""));
    expect_rooms("a@muc.example.org=jules ");
    end();
}

/* -- Failures ---------------------------------------------------------------------- */

/* All of it, with one allocation after the other failing: the session says so
 * or does it, and the next process finds something whole. */
static void nothing_is_lost_without_memory(void **state)
{
    (void)state;
    size_t calls = 1;
    for (size_t at = 0; at < calls; at++) {
        store_double_init(&disk);
        start();
        assert_true(log_in());
        fetch_two();
        romeo_comes();
        answer_caps();
        stop();
        start();
        size_t before = e.mem.calls;
        e.mem.fail_at = at ? before + at : 0;
        if (log_in()) {
            push("v2", ITEM("tybalt@example.org", "subscription='both'>"));
            romeo_comes();
            pull_all();
        }
        if (at == 0)
            calls = e.mem.calls - before;
        e.mem.fail_at = 0;
        int is_whole = jab_session_online(e.s);
        stop();
        start();
        size_t n = jab_roster_count(e.s);
        assert_true(is_whole ? n == 3 : n == 2 || n == 3);
        end();
    }
}

static void a_store_that_fails_ends_the_stream(void **state)
{
    (void)state;
    for (int at = 1; at <= 2; at++) {
        begin();
        fetch_two();
        disk.fail_puts = at;
        push("v2", ITEM("tybalt@example.org", "subscription='both'>"));
        assert_int_equal(jab_session_error(e.s), JAB_ESTORE);
        disk.fail_puts = 0;
        stop();
        start();
        assert_int_equal(jab_roster_count(e.s), 2);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_roster_is_there_before_it_is_fetched),
        cmocka_unit_test(a_push_writes_one_contact),
        cmocka_unit_test(what_the_server_no_longer_has_goes),
        cmocka_unit_test(a_damaged_roster_is_fetched_anew),
        cmocka_unit_test(another_account_has_another_roster),
        cmocka_unit_test(a_change_that_could_not_be_kept_did_not_happen),
        cmocka_unit_test(a_roster_loaded_by_the_program_is_kept),
        cmocka_unit_test(what_a_hash_stands_for_is_asked_once),
        cmocka_unit_test(damaged_capabilities_are_asked_for_again),
        cmocka_unit_test(as_many_sets_are_kept_as_may_be),
        cmocka_unit_test(rooms_are_remembered_until_they_are_left),
        cmocka_unit_test(damaged_rooms_are_none),
        cmocka_unit_test(nothing_is_lost_without_memory),
        cmocka_unit_test(a_store_that_fails_ends_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
