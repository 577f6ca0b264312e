/* test_ext.c: what the extensions share, and their limits. Their protocols are
 * in tests/transcripts. */
#include "peer.h"

#include "ext/table.h"
#include "ext/text.h"
#include "session/session.h"

/* -- Text ------------------------------------------------------------------- */

/* The vectors of the SipHash paper and its reference implementation. */
static void siphash_is_siphash_2_4(void **state)
{
    (void)state;
    const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    unsigned char bytes[15];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    assert_true(jabi_siphash(key, bytes, 0) == 0x726fdb47dd0e0e31u);
    assert_true(jabi_siphash(key, bytes, 1) == 0x74f839c593dc67fdu);
    assert_true(jabi_siphash(key, bytes, 8) == 0x93f5f5799a932462u);
    assert_true(jabi_siphash(key, bytes, 15) == 0xa129ca6149be45e5u);
}

static void sorting_orders_bytes_and_finds(void **state)
{
    (void)state;
    enum { N = 997 };
    static char words[N][8];
    static jab_str list[N];
    for (size_t i = 0; i < N; i++) {
        snprintf(words[i], sizeof words[i], "%zu", i * 7919 % N);
        list[i] = jab_cstr(words[i]);
    }
    jabi_sort(list, N);
    for (size_t i = 1; i < N; i++)
        assert_true(strcmp(list[i - 1].p, list[i].p) < 0);
    assert_true(jabi_sorted_has(list, N, JAB_STR("996")));
    assert_true(jabi_sorted_has(list, N, JAB_STR("0")));
    assert_false(jabi_sorted_has(list, N, JAB_STR("997")));
    assert_false(jabi_sorted_has(list, 0, JAB_STR("0")));
}

static void numbers_are_bounded(void **state)
{
    (void)state;
    uint64_t v = 0;
    assert_int_equal(jabi_number(JAB_STR("18446744073709551615"), UINT64_MAX, &v), 0);
    assert_true(v == UINT64_MAX);
    assert_int_equal(jabi_number(JAB_STR("18446744073709551616"), UINT64_MAX, &v), JAB_EINVAL);
    assert_int_equal(jabi_number(JAB_STR("127"), 127, &v), 0);
    assert_int_equal(jabi_number(JAB_STR("128"), 127, &v), JAB_EINVAL);
    assert_int_equal(jabi_number(JAB_STR("5"), 3, &v), JAB_EINVAL);
    assert_int_equal(jabi_number(JAB_STR(""), 127, &v), JAB_EINVAL);
    assert_int_equal(jabi_number(JAB_STR("-1"), 127, &v), JAB_EINVAL);
    assert_int_equal(jabi_number(JAB_STR("1 "), 127, &v), JAB_EINVAL);
}

/* -- Points in time (XEP-0082) ---------------------------------------------- */

static void dates_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-07-21T02:56:15Z", -14159025000},
        {"1969-07-20T21:56:15-05:00", -14159025000},
        {"2002-09-10T23:08:25.1239Z", 1031699305123},
        {"2000-02-29T00:00:00+00:00", 951782400000},
        {"0001-01-01T00:00:00Z", -62135596800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
        {"2016-12-31T23:59:60Z", 1483228800000},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ms = 1;
        assert_int_equal(jab_datetime_parse(jab_cstr(good[i].text), &ms), 0);
        assert_true(ms == good[i].ms);
    }
    static const char *const bad[] = {
        "",
        "2002-09-10",
        "2002-09-10T23:08:25",
        "2002-09-10t23:08:25Z",
        "2002-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2002-13-01T00:00:00Z",
        "2002-00-01T00:00:00Z",
        "2002-09-31T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2002-09-10T24:08:25Z",
        "2002-09-10T23:60:25Z",
        "2002-09-10T23:08:61Z",
        "2002-09-10T23:08:25.Z",
        "2002-09-10T23:08:25Zx",
        "2002-09-10T23:08:25+2400",
        "2002-09-10T23:08:25+24:00",
        "20020910T23:08:25",
        "-002-09-10T23:08:25Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms;
        assert_int_equal(jab_datetime_parse(jab_cstr(bad[i]), &ms), JAB_EINVAL);
    }
}

static void dates_that_are_written_come_back(void **state)
{
    (void)state;
    char text[JAB_DATETIME_SIZE];
    assert_true(jab_datetime_format(1031699305000, text) > 0);
    assert_string_equal(text, "2002-09-10T23:08:25Z");
    for (int64_t ms = -62135596800000; ms <= 253402300799999; ms += INT64_C(86399999) * 367) {
        int64_t back = 0;
        int n = jab_datetime_format(ms, text);
        assert_true(n > 0 && (size_t)n == strlen(text));
        assert_int_equal(jab_datetime_parse(jab_cstr(text), &back), 0);
        assert_true(back == ms);
    }
    assert_int_equal(jab_datetime_format(-62135596800001, text), JAB_EINVAL);
    assert_int_equal(jab_datetime_format(253402300800000, text), JAB_EINVAL);
}

/* -- Tables ----------------------------------------------------------------- */

typedef struct entry {
    jab_str key;
    char text[16];
} entry;

static jab_ext_ctx *any_extension(peer *e)
{
    return e->s->exts;
}

static void a_table_finds_what_it_holds(void **state)
{
    (void)state;
    enum { N = 2000 };
    static entry entries[N];
    static int inside[N];
    peer e;
    peer_online(&e);
    jabi_table t = {.mem = NULL};
    assert_null(jabi_table_get(&t, JAB_STR("x")));
    for (unsigned step = 0; step < 4 * N; step++) {
        size_t i = step * 2654435761u % N;
        snprintf(entries[i].text, sizeof entries[i].text, "key %zu", i);
        entries[i].key = jab_cstr(entries[i].text);
        if (inside[i])
            assert_ptr_equal(jabi_table_take(&t, entries[i].key), &entries[i]);
        else
            assert_int_equal(jabi_table_put(&t, any_extension(&e), &entries[i], N), 0);
        inside[i] = !inside[i];
        if (step % 64)
            continue;
        for (size_t k = 0; k < N; k++)
            if (entries[k].key.p)
                assert_ptr_equal(jabi_table_get(&t, entries[k].key),
                                 inside[k] ? &entries[k] : NULL);
    }
    jabi_table_fini(&t);
    peer_free(&e);
}

static void a_table_keeps_its_limit(void **state)
{
    (void)state;
    static entry entries[3] = {{{"a", 1}, ""}, {{"b", 1}, ""}, {{"c", 1}, ""}};
    peer e;
    peer_online(&e);
    jabi_table t = {.mem = NULL};
    assert_int_equal(jabi_table_put(&t, any_extension(&e), &entries[0], 2), 0);
    assert_int_equal(jabi_table_put(&t, any_extension(&e), &entries[1], 2), 0);
    assert_int_equal(jabi_table_put(&t, any_extension(&e), &entries[2], 2), JAB_ELIMIT);
    assert_null(jabi_table_get(&t, JAB_STR("c")));
    jabi_table_fini(&t);
    peer_free(&e);
}

/* -- Limits of extensions --------------------------------------------------- */

/* The id of the request that was sent last. */
static void last_id(const peer *e, char id[64])
{
    const char *at = NULL;
    for (const char *next = e->sent; (next = strstr(next, " id='")); next += 5)
        at = next;
    id[0] = '\0';
    for (size_t i = 0; at && i < 63 && at[5 + i] != '\''; i++) {
        id[i] = at[5 + i];
        id[i + 1] = '\0';
    }
}

/* Gives the session a roster of n contacts, user0@example.net and so on. */
static void give_roster(peer *e, size_t n)
{
    char id[64];
    size_t cap = 256 + n * 96, used;
    char *reply = malloc(cap);
    assert_non_null(reply);
    assert_int_equal(jab_roster_get(e->s, 1), 0);
    peer_collect(e);
    last_id(e, id);
    used = (size_t)snprintf(reply, cap,
                            "<iq type='result' id='%s'><query xmlns='jabber:iq:roster'>", id);
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(reply + used, cap - used,
                                 "<item jid='user%zu@example.net' subscription='both'/>", i);
    snprintf(reply + used, cap - used, "</query></iq>");
    assert_true(peer_says(e, reply) > 0);
    free(reply);
}

static void drop_events(peer *e)
{
    while (jab_session_next(e->s))
        continue;
    peer_clear(e);
}

static void a_roster_may_have_100000_contacts(void **state)
{
    (void)state;
    peer e;
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.max_stanza_bytes = 16 << 20;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    give_roster(&e, 100000);
    assert_int_equal(jab_roster_count(e.s), 100000);
    assert_non_null(jab_roster_find(e.s, JAB_STR("user0@example.net")));
    assert_non_null(jab_roster_find(e.s, JAB_STR("user99999@example.net")));
    assert_null(jab_roster_find(e.s, JAB_STR("user100000@example.net")));
    peer_free(&e);
}

static void say_presence(peer *e, const char *from, const char *more)
{
    char text[512];
    snprintf(text, sizeof text, "<presence from='%s'>%s</presence>", from, more);
    assert_true(peer_says(e, text) > 0);
    drop_events(e);
}

static void presence_of_strangers_is_kept_up_to_a_limit(void **state)
{
    (void)state;
    char from[64];
    peer e;
    peer_online(&e);
    give_roster(&e, 1);
    for (int i = 0; i < JAB_PRESENCE_STRANGERS_MAX + 5; i++) {
        snprintf(from, sizeof from, "stranger%d@evil.example/x", i);
        say_presence(&e, from, "");
    }
    assert_int_equal(jab_resource_count(e.s, JAB_STR("stranger0@evil.example")), 1);
    assert_int_equal(jab_resource_count(e.s, JAB_STR("stranger999@evil.example")), 1);
    assert_int_equal(jab_resource_count(e.s, JAB_STR("stranger1000@evil.example")), 0);
    for (int i = 0; i < JAB_PRESENCE_RESOURCES_MAX + 5; i++) {
        snprintf(from, sizeof from, "user0@example.net/%d", i);
        say_presence(&e, from, "");
    }
    assert_int_equal(jab_resource_count(e.s, JAB_STR("user0@example.net")),
                     JAB_PRESENCE_RESOURCES_MAX);
    peer_free(&e);
}

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void capabilities_are_asked_a_few_at_a_time(void **state)
{
    (void)state;
    char text[512], id[64];
    size_t asked = 0;
    peer e;
    peer_online(&e);
    give_roster(&e, 1);
    drop_events(&e);
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text,
                 "<presence from='user0@example.net/%d'><c xmlns='http://jabber.org/protocol/caps' "
                 "hash='sha-1' node='n' ver='%d'/></presence>",
                 i, i);
        assert_true(peer_says(&e, text) > 0);
    }
    asked = count_of(e.sent, "disco#info");
    assert_int_equal(asked, JAB_CAPS_QUERIES_MAX);
    /* Each answer lets the next one go. */
    last_id(&e, id);
    snprintf(text, sizeof text, "<iq type='error' from='user0@example.net/7' id='%s'/>", id);
    peer_clear(&e);
    assert_true(peer_says(&e, text) > 0);
    assert_int_equal(count_of(e.sent, "disco#info"), 1);
    assert_true(peer_sent(&e, "to='user0@example.net/"));
    peer_free(&e);
}

/* The question to the first one never fits into the output. */
static void who_cannot_be_asked_holds_up_nobody(void **state)
{
    (void)state;
    peer e;
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.max_output_bytes = 1000;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    give_roster(&e, 1);
    char text[2000] = "<presence from='user0@example.net/0'><c node='n' hash='sha-1' "
                      "xmlns='http://jabber.org/protocol/caps' ver='";
    size_t n = strlen(text);
    for (int i = 0; i < JAB_CAPS_TEXT_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "&lt;");
    snprintf(text + n, sizeof text - n, "'/></presence>");
    assert_true(peer_says(&e, text) > 0);
    assert_false(peer_sent(&e, "to='user0@example.net/0'"));
    assert_true(peer_says(&e, "<presence from='user0@example.net/1'><c node='n' hash='sha-1' "
                              "xmlns='http://jabber.org/protocol/caps' ver='v'/></presence>") > 0);
    assert_true(peer_sent(&e, "to='user0@example.net/1'"));
    peer_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_is_siphash_2_4),
        cmocka_unit_test(sorting_orders_bytes_and_finds),
        cmocka_unit_test(numbers_are_bounded),
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(dates_that_are_written_come_back),
        cmocka_unit_test(a_table_finds_what_it_holds),
        cmocka_unit_test(a_table_keeps_its_limit),
        cmocka_unit_test(a_roster_may_have_100000_contacts),
        cmocka_unit_test(presence_of_strangers_is_kept_up_to_a_limit),
        cmocka_unit_test(capabilities_are_asked_a_few_at_a_time),
        cmocka_unit_test(who_cannot_be_asked_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
