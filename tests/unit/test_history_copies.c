/* test_history_copies.c: the same message by several ways, in every order, is
 * told and kept once; what only looks like a copy is not taken for one. */
#include "history.h"

static account a;

static const char *kept(void)
{
    return account_kept(&a, ROMEO);
}

/* -- The ways that a message comes --------------------------------------------------- */

typedef struct text {
    const char *attributes; /* of the message */
    const char *content;
} text;

static const text by_origin = {"from='" ROMEO "/orchard' to='" OWN "' type='chat' id='s1'",
                               "<body>hi</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"};
static const text by_id = {"from='" ROMEO "/orchard' to='" OWN "' type='chat' id='s1'",
                           "<body>hi</body>"};
static const text by_nothing = {"from='" ROMEO "/orchard' to='" OWN "' type='chat'",
                                "<body>hi</body>"};
static const text of_mine = {"from='" OWN "/desk' to='" ROMEO "' type='chat' id='s1'",
                             "<body>hi</body>"};

#define AT "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2023-11-14T22:13:20Z'/>"

static void say(const char *format, const text *t)
{
    char all[2048];
    snprintf(all, sizeof all, format, t->attributes, t->content);
    account_says(&a, all);
}

static void live(const text *t)
{
    say("<message %s>%s</message>", t);
}

static void live_archived(const text *t)
{
    say("<message %s>%s" SID("a1") "</message>", t);
}

static void offline(const text *t)
{
    say("<message %s>%s" AT "</message>", t);
}

#define CARBON(kind, more)                                                                         \
    "<message from='" OWN "' to='" OWN "/balcony'><" kind " xmlns='urn:xmpp:carbons:2'>"           \
    "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' %s>%s" more              \
    "</message></forwarded></" kind "></message>"

static void received(const text *t)
{
    say(CARBON("received", ""), t);
}

static void received_archived(const text *t)
{
    say(CARBON("received", SID("a1")), t);
}

static void sent(const text *t)
{
    say(CARBON("sent", ""), t);
}

static void archived(const text *t)
{
    account_forget(&a);
    assert_int_equal(jab_history_catch_up(a.e.s), 0);
    assert_true(account_asked(&a));
    say_result(&a, OWN, "a1", 1700000000000, t->attributes, t->content);
    say_fin(&a, OWN, 1, "a1", "a1");
}

typedef void (*way)(const text *t);

/* Carbons on. */
static void begin(void)
{
    account_init(&a);
    account_new(&a);
    account_log_in(&a);
    account_look(&a);
    char carbons[64] = "", reply[200];
    const char *at = strstr(a.e.sent, "<iq type='set' id='");
    snprintf(carbons, sizeof carbons, "%.*s", (int)strcspn(at + 19, "'"), at + 19);
    say_fin(&a, OWN, 1, NULL, NULL);
    snprintf(reply, sizeof reply, "<iq type='result' id='%s'/>", carbons);
    account_says(&a, reply);
}

static void in_any_order(const text *t, const way *ways, size_t n, const char *expected)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t m = 0; m < n; m++) {
                begin();
                ways[i](t);
                ways[k](t);
                ways[m](t);
                assert_string_equal(a.told, "hi ");
                int has_id = ways[i] == archived || ways[k] == archived || ways[m] == archived ||
                             ways[i] == live_archived || ways[k] == live_archived ||
                             ways[m] == live_archived || ways[i] == received_archived ||
                             ways[k] == received_archived || ways[m] == received_archived;
                assert_string_equal(kept(), has_id ? expected : "hi ");
                account_free(&a);
            }
}

static void copies_with_an_origin_id_are_one(void **state)
{
    (void)state;
    const way ways[] = {live, live_archived, offline, received, received_archived, archived};
    in_any_order(&by_origin, ways, 6, "hi@a1 ");
}

static void copies_with_an_id_are_one(void **state)
{
    (void)state;
    const way ways[] = {live, live_archived, offline, received, received_archived, archived};
    in_any_order(&by_id, ways, 6, "hi@a1 ");
}

static void copies_without_an_id_are_one_at_one_moment(void **state)
{
    (void)state;
    const way ways[] = {live_archived, offline, archived};
    in_any_order(&by_nothing, ways, 3, "hi@a1 ");
}

static void copies_of_what_another_client_sent_are_one(void **state)
{
    (void)state;
    const way ways[] = {sent, archived};
    in_any_order(&of_mine, ways, 2, "hi@a1 ");
}

/* The server gives what another client's stream left behind to this one, too, half a minute
 * later: without any id but the archive's, which is not known to be there yet. */
static void copies_are_one_by_their_own_word(void **state)
{
    (void)state;
    static const char *const ids[] = {"a1", "a11", "a"};
    for (int i = 0; i < 3; i++) {
        char again[400];
        account_init(&a);
        account_new(&a);
        account_log_in(&a);
        live_archived(&by_nothing);
        snprintf(again, sizeof again,
                 "<message " FROM_ROMEO ">" TEXT("hi") "%s"
                                                       "<stanza-id xmlns='urn:xmpp:sid:0' by='" OWN
                                                       "' id='%s'/></message>",
                 "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2023-11-14T22:12:50Z'/>",
                 ids[i]);
        account_says(&a, again);
        assert_string_equal(a.told, i == 0 ? "hi " : "hi hi ");
        account_free(&a);
    }
}

/* -- What is no copy ------------------------------------------------------------------- */

static void say_carbon_of_nobody(void)
{
    account_says(&a, "<message from='mallory@evil.example/x' type='chat' id='s1'>" TEXT(
                         "hi") "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/></message>");
}

static void what_another_says_is_another_message(void **state)
{
    (void)state;
    begin();
    say_carbon_of_nobody();
    live(&by_origin);
    assert_string_equal(a.told, "hi hi ");
    assert_string_equal(kept(), "hi ");
    assert_string_equal(account_kept(&a, "mallory@evil.example"), "hi ");
    account_free(&a);
}

static void another_text_under_the_same_id_is_another_message(void **state)
{
    (void)state;
    begin();
    live(&by_id);
    account_live(&a, FROM_ROMEO " id='s1'", TEXT("ho"));
    assert_string_equal(a.told, "hi ho ");
    account_free(&a);
}

static void two_ids_of_one_archive_are_two_messages(void **state)
{
    (void)state;
    begin();
    live_archived(&by_id);
    account_live(&a, FROM_ROMEO " id='s1'", TEXT("hi") SID("a2"));
    assert_string_equal(a.told, "hi hi ");
    assert_string_equal(kept(), "hi@a1 hi@a2 ");
    account_free(&a);
}

static void but_not_with_one_origin_id(void **state)
{
    (void)state;
    begin();
    live_archived(&by_origin);
    account_live(&a, FROM_ROMEO " id='s1'",
                 TEXT("hi") "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>" SID("a2"));
    assert_string_equal(a.told, "hi ");
    account_free(&a);
}

static void the_same_words_again_are_another_message(void **state)
{
    (void)state;
    begin();
    live(&by_nothing);
    live(&by_nothing);
    assert_string_equal(a.told, "hi hi ");
    a.wall += 86400001;
    live(&by_id);
    a.wall += 86400001;
    live(&by_id);
    assert_string_equal(a.told, "hi hi hi hi ");
    account_free(&a);
}

/* Two of them live, and both again from the archive. */
static void two_that_look_the_same_are_told_apart_by_the_archive(void **state)
{
    (void)state;
    begin();
    live(&by_nothing);
    live(&by_nothing);
    account_forget(&a);
    assert_int_equal(jab_history_catch_up(a.e.s), 0);
    assert_true(account_asked(&a));
    say_result(&a, OWN, "a1", 1700000000000, by_nothing.attributes, by_nothing.content);
    say_result(&a, OWN, "a2", 1700000000500, by_nothing.attributes, by_nothing.content);
    say_fin(&a, OWN, 1, "a1", "a2");
    assert_string_equal(a.told, "hi hi ");
    assert_string_equal(kept(), "hi@a1 hi@a2 ");
    account_free(&a);
}

/* -- Lies -------------------------------------------------------------------------------- */

#define MALLORY "from='mallory@evil.example/x' to='" OWN "' type='chat'"

static void ids_by_others_are_not_believed(void **state)
{
    (void)state;
    static const char *const lies[] = {
        "<stanza-id xmlns='urn:xmpp:sid:0' by='mallory@evil.example' id='a1'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' by='example.org' id='a1'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' by='" OWN "/balcony' id='a1'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='a1'/>",
        SID("a1") SID("a9"),
        SID(""),
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        char content[500];
        begin();
        snprintf(content, sizeof content, TEXT("lie") "%s", lies[i]);
        account_live(&a, MALLORY " id='x'", content);
        assert_string_equal(account_kept(&a, "mallory@evil.example"), "lie ");
        live_archived(&by_id);
        archived(&by_id);
        assert_string_equal(a.told, "lie hi ");
        assert_string_equal(kept(), "hi@a1 ");
        account_free(&a);
    }
}

/* A server that does not take them out: an id that is somebody else's message's is
 * none, whichever comes first, and the cursor does not follow it. */
static void a_stolen_id_takes_nobodys_place(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        begin();
        if (!first)
            archived(&by_id);
        account_live(&a, MALLORY " id='x'", TEXT("lie") SID("a1"));
        if (first)
            archived(&by_id);
        assert_string_equal(a.told, first ? "lie hi " : "hi lie ");
        assert_non_null(strstr(kept(), "hi"));
        account_live(&a, MALLORY " id='y'", TEXT("lie2") SID("a99"));
        account_forget(&a);
        assert_int_equal(jab_history_catch_up(a.e.s), 0);
        assert_true(account_asked(&a));
        assert_null(strstr(a.e.sent, "a99"));
        account_free(&a);
    }
}

/* -- What is kept -------------------------------------------------------------------------- */

static void only_what_people_say_is_kept(void **state)
{
    (void)state;
    begin();
    account_live(&a, FROM_ROMEO " id='1'",
                 "<composing xmlns='http://jabber.org/protocol/chatstates'/>");
    account_live(&a, FROM_ROMEO " id='2'", "<received xmlns='urn:xmpp:receipts' id='x'/>");
    account_live(&a, FROM_ROMEO " id='3'", "<subject>verona</subject>");
    account_live(&a, "from='" ROMEO "/orchard' type='error' id='4'",
                 TEXT("hi") "<error type='cancel'/>");
    account_live(&a, FROM_ROMEO " id='5'", TEXT("secret") "<no-store xmlns='urn:xmpp:hints'/>");
    account_live(&a, FROM_ROMEO " id='6'",
                 TEXT("secret") "<no-permanent-store xmlns='urn:xmpp:hints'/>");
    account_live(&a, FROM_ROMEO " id='7'",
                 TEXT("there") "<no-store xmlns='urn:xmpp:hints'/>" SID("a7"));
    account_live(&a, "from='" ROMEO "/orchard' type='headline' id='8'", TEXT("news"));
    account_live(&a, "from='room@muc.example.org/witch' type='groupchat' id='9'", TEXT("hail"));
    assert_string_equal(kept(), "there@a7 news ");
    assert_string_equal(account_kept(&a, "room@muc.example.org"), "");
    account_free(&a);
}

static int take_xml(void *arg, const jab_kept_message *m)
{
    snprintf(arg, 400, JAB_FMT, JAB_ARG(m->xml));
    return 1;
}

/* A stanza that is far longer when it is written out is kept all the same, less
 * what makes it long. */
static void a_stanza_that_swells_is_kept_in_short(void **state)
{
    (void)state;
    const size_t size = 200000, n = 100;
    char *stanza = malloc(size + n * 20 + 1000), xml[400] = "";
    assert_non_null(stanza);
    begin();
    size_t at = (size_t)snprintf(stanza, 100, "<message xmlns:p='");
    memset(stanza + at, 'x', size);
    at += size;
    at += (size_t)snprintf(stanza + at, 200, "' " FROM_ROMEO " id='7'>" TEXT("long &lt;"));
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(stanza + at, 20, "<p:x/>");
    snprintf(stanza + at, 100, "</message>");
    account_says(&a, stanza);
    free(stanza);
    assert_string_equal(a.told, "long < ");
    assert_true(jab_session_online(a.e.s));
    assert_int_equal(jab_store_read(a.store, JAB_KEPT_QUERY(.limit = 1), take_xml, xml), 1);
    assert_string_equal(xml, "<message from='" ROMEO "/orchard' to='" OWN "' id='7' type='chat'>"
                             "<body>long &lt;</body></message>");
    account_free(&a);
}

/* -- All of it, by chance -------------------------------------------------------------------- */

#define MESSAGES 12

typedef struct chance {
    uint64_t x;
} chance;

static unsigned roll(chance *c, unsigned n)
{
    c->x = c->x * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(c->x >> 33) % n;
}

/* Message i of the archive: of Romeo's, or of another client of the account. */
static void make(unsigned i, char attributes[200], char content[200])
{
    int mine = i % 3 == 2;
    snprintf(attributes, 200, "from='%s' to='%s' type='chat' id='m%u'",
             mine ? OWN "/desk" : ROMEO "/orchard", mine ? ROMEO : OWN, i);
    if (i % 2)
        snprintf(content, 200, "<body>%u</body><origin-id xmlns='urn:xmpp:sid:0' id='m%u'/>", i, i);
    else
        snprintf(content, 200, "<body>%u</body>", i);
}

static void come(unsigned i, unsigned how)
{
    char attributes[200], content[200], more[400];
    make(i, attributes, content);
    snprintf(more, sizeof more, "%s<stanza-id xmlns='urn:xmpp:sid:0' by='" OWN "' id='b%02u'/>",
             content, i);
    const text plain = {attributes, content}, with = {attributes, more};
    if (i % 3 == 2)
        say(CARBON("sent", ""), how % 2 ? &with : &plain);
    else if (how < 2)
        live(how % 2 ? &with : &plain);
    else
        say(CARBON("received", ""), how % 2 ? &with : &plain);
}

/* What is behind the message that is asked for. */
static unsigned asked_from(void)
{
    const char *at = strstr(a.e.sent, "<after>b");
    return at ? (unsigned)strtoul(at + 8, NULL, 10) + 1 : 0;
}

/* Reads the archive up to message `upto`, a page at a time, with live copies in between. */
static void read_archive(chance *c, unsigned upto)
{
    account_forget(&a);
    assert_int_equal(jab_history_catch_up(a.e.s), 0);
    assert_true(account_asked(&a));
    for (;;) {
        char attributes[200], content[200], id[16], first[16];
        unsigned from = asked_from(), to = from + 1 + roll(c, 4);
        to = to < upto ? to : upto;
        snprintf(first, sizeof first, "b%02u", from);
        snprintf(id, sizeof id, "none");
        for (; from < to; from++) {
            make(from, attributes, content);
            snprintf(id, sizeof id, "b%02u", from);
            say_result(&a, OWN, id, 1700000000000 + from * 1000, attributes, content);
            if (roll(c, 3) == 0)
                come(roll(c, upto), roll(c, 4));
        }
        int has_some = strcmp(id, "none") != 0;
        account_forget(&a);
        say_fin(&a, OWN, to == upto, has_some ? first : NULL, has_some ? id : NULL);
        if (to == upto)
            return;
        assert_true(account_asked(&a));
    }
}

static void run(uint64_t seed)
{
    chance c = {seed};
    begin();
    for (unsigned n = 1; n <= MESSAGES; n++) {
        a.wall = 1700000000000 + n * 1000;
        if (roll(&c, 4))
            come(n - 1, roll(&c, 4));
        for (unsigned i = roll(&c, 3); i > 0; i--)
            come(roll(&c, n), roll(&c, 4));
        if (n == MESSAGES || roll(&c, 3) == 0)
            read_archive(&c, n);
    }
    char all[400] = "", one[20];
    for (unsigned i = 0; i < MESSAGES; i++) {
        snprintf(one, sizeof one, "%u@b%02u ", i, i);
        strncat(all, one, sizeof all - strlen(all) - 1);
        snprintf(one, sizeof one, "%u ", i);
        const char *at = strncmp(a.told, one, strlen(one)) == 0 ? a.told : NULL;
        char inner[24];
        snprintf(inner, sizeof inner, " %s", one);
        at = at ? at : strstr(a.told, inner);
        if (!at || strstr(at + 1, inner))
            fail_msg("seed %llu: message %u, told: %s", (unsigned long long)seed, i, a.told);
    }
    if (strcmp(kept(), all) != 0)
        fail_msg("seed %llu: kept: %s", (unsigned long long)seed, kept());
    account_free(&a);
}

static void whatever_comes_in_whatever_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++)
        run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_with_an_origin_id_are_one),
        cmocka_unit_test(copies_with_an_id_are_one),
        cmocka_unit_test(copies_without_an_id_are_one_at_one_moment),
        cmocka_unit_test(copies_of_what_another_client_sent_are_one),
        cmocka_unit_test(copies_are_one_by_their_own_word),
        cmocka_unit_test(what_another_says_is_another_message),
        cmocka_unit_test(another_text_under_the_same_id_is_another_message),
        cmocka_unit_test(two_ids_of_one_archive_are_two_messages),
        cmocka_unit_test(but_not_with_one_origin_id),
        cmocka_unit_test(the_same_words_again_are_another_message),
        cmocka_unit_test(two_that_look_the_same_are_told_apart_by_the_archive),
        cmocka_unit_test(ids_by_others_are_not_believed),
        cmocka_unit_test(a_stolen_id_takes_nobodys_place),
        cmocka_unit_test(only_what_people_say_is_kept),
        cmocka_unit_test(a_stanza_that_swells_is_kept_in_short),
        cmocka_unit_test(whatever_comes_in_whatever_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
