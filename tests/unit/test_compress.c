/* test_compress.c: XEP-0138 within a session: when it is used, and its bounds. */
#include "peer.h"

#include <zlib.h>

#define OFFER                                                                                      \
    "<stream:features><compression xmlns='http://jabber.org/features/compress'>"                   \
    "<method>lzw</method><method>zlib</method></compression>"                                      \
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
#define COMPRESSED "<compressed xmlns='http://jabber.org/protocol/compress'/>"

static peer e;
static z_stream deflater, inflater;

static void set_up(jab_compress_policy policy, const jab_tls_info *tls)
{
    unit_mem_init(&e.mem, 0);
    jab_config cfg = peer_config(&e);
    cfg.compress = policy;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, tls, e.now), 0);
    assert_true(peer_says(&e, PEER_HEADER PEER_PLAIN) >= 0);
    assert_true(peer_says(&e, PEER_SUCCESS) >= 0);
    peer_clear(&e);
    assert_true(peer_says(&e, PEER_HEADER OFFER) >= 0);
    memset(&deflater, 0, sizeof deflater);
    memset(&inflater, 0, sizeof inflater);
    assert_int_equal(deflateInit(&deflater, 9), Z_OK);
    assert_int_equal(inflateInit(&inflater), Z_OK);
}

static void tear_down(void)
{
    deflateEnd(&deflater);
    inflateEnd(&inflater);
    peer_free(&e);
}

/* Feeds bytes compressed; returns what the session returned last. */
static ptrdiff_t says_compressed(const void *bytes, size_t n)
{
    static unsigned char out[1 << 16];
    ptrdiff_t result = 0;
    deflater.next_in = (Bytef *)bytes;
    deflater.avail_in = (uInt)n;
    do {
        deflater.next_out = out;
        deflater.avail_out = sizeof out;
        deflate(&deflater, Z_SYNC_FLUSH);
        size_t made = sizeof out - deflater.avail_out, fed = 0;
        while (fed < made && result >= 0) {
            result = jab_session_feed(e.s, out + fed, made - fed, e.now);
            fed += result > 0 ? (size_t)result : made;
        }
    } while (result >= 0 && deflater.avail_out == 0);
    return result;
}

/* What the client sent, inflated. */
static const char *sent_inflated(void)
{
    static char text[1 << 16];
    peer_collect(&e);
    inflater.next_in = (Bytef *)e.sent;
    inflater.avail_in = (uInt)e.n_sent;
    inflater.next_out = (Bytef *)text;
    inflater.avail_out = sizeof text - 1;
    if (e.n_sent)
        assert_int_equal(inflate(&inflater, Z_SYNC_FLUSH), Z_OK);
    text[sizeof text - 1 - inflater.avail_out] = '\0';
    e.n_sent = 0;
    return text;
}

static void go_online(void)
{
    assert_true(peer_sent(&e, "<method>zlib</method>"));
    peer_clear(&e);
    assert_true(peer_says(&e, COMPRESSED) >= 0);
    assert_non_null(strstr(sent_inflated(), "<stream:stream"));
    assert_true(says_compressed(PEER_HEADER OFFER, strlen(PEER_HEADER OFFER)) >= 0);
    const char *request = sent_inflated();
    assert_null(strstr(request, "<compress"));
    char id[33], reply[400];
    snprintf(id, sizeof id, "%s", strstr(request, "id=") + 4);
    snprintf(reply, sizeof reply,
             "<iq type='result' id='%s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
             "<jid>juliet@example.org/balcony</jid></bind></iq>",
             id);
    assert_true(says_compressed(reply, strlen(reply)) >= 0);
    assert_true(jab_session_online(e.s));
    assert_true(jab_session_login(e.s).compressed);
    while (jab_session_next(e.s))
        continue;
    (void)sent_inflated();
}

static void is_used_only_where_asked_for(void **state)
{
    (void)state;
    static const jab_tls_info tls = {.verified = 1, .version = 13};
    static const struct {
        jab_compress_policy policy;
        const jab_tls_info *tls;
        int used;
    } rows[] = {
        {JAB_COMPRESS_OFF, NULL, 0},    {JAB_COMPRESS_OFF, &tls, 0},
        {JAB_COMPRESS_PLAIN, NULL, 1},  {JAB_COMPRESS_PLAIN, &tls, 0},
        {JAB_COMPRESS_ANYWAY, NULL, 1}, {JAB_COMPRESS_ANYWAY, &tls, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_up(rows[i].policy, rows[i].tls);
        assert_int_equal(peer_sent(&e, "<compress "), rows[i].used);
        assert_int_equal(peer_sent(&e, "<bind"), !rows[i].used);
        tear_down();
    }
}

static void carries_stanzas_both_ways(void **state)
{
    (void)state;
    set_up(JAB_COMPRESS_PLAIN, NULL);
    go_online();
    const char *in = "<message from='r@x.y/z' type='chat'><body>pressed</body></message>";
    assert_true(says_compressed(in, strlen(in)) >= 0);
    assert_str(jab_session_next(e.s)->message->body, "pressed");
    jab_out *o = jab_message_to(e.s, JAB_STR("r@x.y"), JAB_MSG_CHAT);
    jab_out_body(o, JAB_STR("flat"));
    assert_int_equal(jab_out_send(o, 0), 0);
    assert_non_null(strstr(sent_inflated(), "<body>flat</body>"));
    tear_down();
}

static void a_refusal_goes_on_without(void **state)
{
    (void)state;
    set_up(JAB_COMPRESS_PLAIN, NULL);
    peer_clear(&e);
    peer_says(&e, "<failure xmlns='http://jabber.org/protocol/compress'><setup-failed/></failure>");
    peer_bind(&e);
    assert_true(jab_session_online(e.s));
    assert_false(jab_session_login(e.s).compressed);
    tear_down();
}

static void a_bomb_of_white_space_is_stopped(void **state)
{
    (void)state;
    set_up(JAB_COMPRESS_PLAIN, NULL);
    go_online();
    static char spaces[1 << 20];
    memset(spaces, ' ', sizeof spaces);
    ptrdiff_t result = 0;
    int i = 0;
    for (; i < 64 && result >= 0; i++)
        result = says_compressed(spaces, sizeof spaces);
    assert_int_equal(result, JAB_ETOOBIG);
    assert_in_range(i, 4, 8);
    assert_non_null(strstr(sent_inflated(), "policy-violation"));
    tear_down();
}

static void a_bomb_of_one_stanza_is_stopped(void **state)
{
    (void)state;
    set_up(JAB_COMPRESS_PLAIN, NULL);
    go_online();
    static char body[1 << 20];
    memset(body, 'a', sizeof body);
    assert_true(says_compressed("<message><body>", 15) >= 0);
    assert_int_equal(says_compressed(body, sizeof body), JAB_ETOOBIG);
    tear_down();
}

static void damaged_data_ends_the_stream(void **state)
{
    (void)state;
    set_up(JAB_COMPRESS_PLAIN, NULL);
    go_online();
    assert_int_equal(peer_says(&e, "this is not zlib at all, is it"), JAB_EPROTO);
    tear_down();
}

static void a_slow_reader_loses_nothing(void **state)
{
    (void)state;
    set_up(JAB_COMPRESS_PLAIN, NULL);
    go_online();
    static char text[400 * 64];
    size_t n = 0;
    for (int i = 0; i < 400; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "<message from='r@x.y'><body>%d</body></message>", i);
    static unsigned char out[1 << 16];
    deflater.next_in = (Bytef *)text;
    deflater.avail_in = (uInt)n;
    deflater.next_out = out;
    deflater.avail_out = sizeof out;
    deflate(&deflater, Z_SYNC_FLUSH);
    size_t made = sizeof out - deflater.avail_out, fed = 0;
    int seen = 0, idle = 0;
    while (seen < 400 && idle < 3) {
        ptrdiff_t took = jab_session_feed(e.s, out + fed, made - fed, e.now);
        assert_true(took >= 0);
        fed += (size_t)took;
        idle = took == 0 ? idle + 1 : 0;
        for (const jab_event *ev; (ev = jab_session_next(e.s)); idle = 0) {
            char want[12];
            snprintf(want, sizeof want, "%d", seen++);
            assert_str(ev->message->body, want);
        }
        if (jab_session_deadline(e.s) <= e.now)
            jab_session_tick(e.s, e.now);
    }
    assert_int_equal(seen, 400);
    tear_down();
}

/* The server may not wait for the client's header: what follows <compressed/>
 * is compressed, in whatever read it comes. */
static void what_follows_in_the_same_read_is_compressed(void **state)
{
    (void)state;
    set_up(JAB_COMPRESS_PLAIN, NULL);
    char both[2000];
    size_t n = sizeof COMPRESSED - 1;
    memcpy(both, COMPRESSED, n);
    static const char in[] = PEER_HEADER OFFER;
    deflater.next_in = (Bytef *)in;
    deflater.avail_in = sizeof in - 1;
    deflater.next_out = (Bytef *)both + n;
    deflater.avail_out = sizeof both - (uInt)n;
    deflate(&deflater, Z_SYNC_FLUSH);
    n = sizeof both - deflater.avail_out;
    peer_clear(&e);
    assert_int_equal(jab_session_feed(e.s, both, n, e.now), n);
    assert_non_null(strstr(sent_inflated(), "<bind"));
    tear_down();
    /* And what is not compressed there is damaged. */
    set_up(JAB_COMPRESS_PLAIN, NULL);
    assert_int_equal(peer_says(&e, COMPRESSED PEER_HEADER OFFER), JAB_EPROTO);
    tear_down();
}

/* inflate() takes its window when it needs it. */
static void no_memory_is_not_called_damage(void **state)
{
    (void)state;
    int met = 0;
    for (size_t after = 1; after < 60; after++) {
        set_up(JAB_COMPRESS_PLAIN, NULL);
        peer_clear(&e);
        assert_true(peer_says(&e, COMPRESSED) >= 0);
        e.mem.fail_at = e.mem.calls + after;
        ptrdiff_t result = says_compressed(PEER_HEADER OFFER, sizeof PEER_HEADER OFFER - 1);
        assert_true(result >= 0 || result == JAB_ENOMEM);
        met += result < 0;
        tear_down();
    }
    assert_true(met > 0);
}

static void the_end_does_not_lose_what_came_before_it(void **state)
{
    (void)state;
    set_up(JAB_COMPRESS_PLAIN, NULL);
    go_online();
    static char text[320 * 64];
    size_t n = 0;
    for (int i = 0; i < 320; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "<message from='r@x.y'><body>%d</body></message>", i);
    assert_true(says_compressed(text, n) > 0);
    jab_session_eof(e.s, 1, e.now);
    int seen = 0, ended = 0;
    for (int turns = 0; turns < 320 && !ended; turns++) {
        for (const jab_event *ev; (ev = jab_session_next(e.s));) {
            assert_false(ended);
            seen += ev->type == JAB_EV_MESSAGE;
            ended = ev->type == JAB_EV_OFFLINE;
        }
        if (jab_session_deadline(e.s) <= e.now)
            jab_session_tick(e.s, e.now);
    }
    assert_int_equal(seen, 320);
    assert_true(ended);
    assert_int_equal(jab_session_error(e.s), JAB_EEOF);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_used_only_where_asked_for),
        cmocka_unit_test(carries_stanzas_both_ways),
        cmocka_unit_test(a_refusal_goes_on_without),
        cmocka_unit_test(a_bomb_of_white_space_is_stopped),
        cmocka_unit_test(a_bomb_of_one_stanza_is_stopped),
        cmocka_unit_test(damaged_data_ends_the_stream),
        cmocka_unit_test(a_slow_reader_loses_nothing),
        cmocka_unit_test(what_follows_in_the_same_read_is_compressed),
        cmocka_unit_test(the_end_does_not_lose_what_came_before_it),
        cmocka_unit_test(no_memory_is_not_called_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
