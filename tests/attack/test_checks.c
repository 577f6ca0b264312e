/*
 * test_checks.c: each security check of the core against the attack that it
 * stops. Built with JABI_CHECK_SWITCH: with all checks on the attack fails,
 * with its own check off it succeeds; so no check is there in vain, and none
 * can be lost unnoticed.
 */
#include "../unit/sasl2_peer.h"
#include "vault_attacks.h"

#include "base/check.h"

#include <zlib.h>

int jabi_check_off = -1;

static peer e;
static jab_store *store; /* of an attack that needs one */

/* Whether an event of this type waits; all are pulled. */
static int saw(uint32_t type)
{
    int found = 0;
    for (const jab_event *ev; (ev = jab_session_next(e.s));)
        found |= ev->type == type;
    return found;
}

static void offline(jab_config *cfg)
{
    unit_mem_init(&e.mem, 0);
    *cfg = peer_config(&e);
}

static void connect_with(const jab_config *cfg, const jab_tls_info *tls)
{
    assert_int_equal(peer_new(&e, cfg), 0);
    assert_int_equal(jab_session_connected(e.s, tls, e.now), 0);
    peer_clear(&e);
}

#include "login_attacks.h"

/* The id of the request sent last. */
static const char *last_id(void)
{
    static char id[64];
    peer_collect(&e);
    const char *at = NULL;
    for (const char *p = e.sent; (p = strstr(p, " id=")); p += 4)
        at = p + 5;
    assert_non_null(at);
    snprintf(id, sizeof id, "%.*s", (int)strcspn(at, "'\""), at);
    return id;
}

/* -- Origin ------------------------------------------------------------------- */

static int forged_reply(void)
{
    peer_online(&e);
    jab_out *o = jab_iq_to(e.s, JAB_STR("romeo@example.net/o"), JAB_IQ_GET);
    jab_out_child(o, "urn:test", "q");
    assert_int_equal(jab_out_send(o, 1), 0);
    char text[300];
    snprintf(text, sizeof text, "<iq from='evil@example.com' type='result' id='%s'/>", last_id());
    peer_says(&e, text);
    return saw(JAB_EV_IQ);
}

static int forged_roster_push(void)
{
    peer_online(&e);
    peer_says(&e,
              "<iq from='evil@example.com/x' type='set' id='p1'><query xmlns='jabber:iq:roster'>"
              "<item jid='evil@example.com' subscription='both'/></query></iq>");
    return peer_sent(&e, "result");
}

static int unwrap_any(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    return jab_ext_unwrap(x, st, jab_xml_first(el), 0, 0);
}

static int nested_wrappers(void)
{
    static const jab_route routes[] = {
        {JAB_STAGE_UNWRAP, JAB_MESSAGE, JAB_FROM_ANY, "urn:wrap", "w", unwrap_any}};
    static const jab_ext wrapper = {.size = sizeof(jab_ext), .name = "wrapper", JAB_ROUTES(routes)};
    static const jab_ext *const exts[] = {&wrapper, NULL};
    jab_config cfg;
    offline(&cfg);
    cfg.exts = exts;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    char text[4096] = "";
    for (int i = 0; i < 12; i++)
        strncat(text, "<message xmlns='jabber:client' from='a@b'><w xmlns='urn:wrap'>",
                sizeof text - strlen(text) - 1);
    strncat(text, "<message xmlns='jabber:client' from='a@b'><body>deep</body></message>",
            sizeof text - strlen(text) - 1);
    for (int i = 0; i < 12; i++)
        strncat(text, "</w></message>", sizeof text - strlen(text) - 1);
    peer_says(&e, text);
    return saw(JAB_EV_MESSAGE);
}

/* -- Secrets ------------------------------------------------------------------- */

static int password_over_unverified_tls(void)
{
    jab_config cfg;
    offline(&cfg);
    cfg.tls = JAB_TLS_REQUIRED;
    const jab_tls_info tls = {.verified = 0, .version = 13};
    connect_with(&cfg, &tls);
    (void)!peer_says(&e, PEER_HEADER PEER_PLAIN);
    return peer_sent(&e, "<auth");
}

static int binding_stripped_but_announced(void)
{
    jab_config cfg;
    offline(&cfg);
    cfg.mechanisms = (jab_str){NULL, 0};
    cfg.tls = JAB_TLS_REQUIRED;
    const jab_tls_info tls = {.verified = 1, .version = 13, .exporter = {"eeeeeeee", 8}};
    connect_with(&cfg, &tls);
    (void)!peer_says(&e, PEER_HEADER
                     "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                     "<mechanism>SCRAM-SHA-256</mechanism></mechanisms>"
                     "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>"
                     "<channel-binding type='tls-exporter'/></sasl-channel-binding>"
                     "</stream:features>");
    return peer_sent(&e, "<auth");
}

static int plain_by_downgrade(void)
{
    jab_config cfg;
    offline(&cfg);
    cfg.mechanisms = (jab_str){NULL, 0};
    connect_with(&cfg, NULL);
    (void)!peer_says(&e, PEER_HEADER PEER_PLAIN);
    return peer_sent(&e, "PLAIN");
}

#include "sasl_attacks.h"

/* -- Work and order ------------------------------------------------------------- */

#define PEER_ZLIB                                                                                  \
    "<stream:features><compression xmlns='http://jabber.org/features/compress'>"                   \
    "<method>zlib</method></compression><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"          \
    "</stream:features>"

static void log_in_towards_zlib(jab_compress_policy policy)
{
    jab_config cfg;
    offline(&cfg);
    cfg.compress = policy;
    connect_with(&cfg, NULL);
    peer_says(&e, PEER_HEADER PEER_PLAIN);
    peer_says(&e, PEER_SUCCESS);
    peer_says(&e, PEER_HEADER PEER_ZLIB);
}

static int compression_unasked(void)
{
    log_in_towards_zlib(JAB_COMPRESS_OFF);
    return peer_sent(&e, "<compress ");
}

static int compression_bomb(void)
{
    static char spaces[1 << 20];
    static unsigned char out[1 << 15];
    log_in_towards_zlib(JAB_COMPRESS_PLAIN);
    peer_says(&e, "<compressed xmlns='http://jabber.org/protocol/compress'/>");
    memset(spaces, ' ', sizeof spaces);
    z_stream z = {0};
    assert_int_equal(deflateInit(&z, 9), Z_OK);
    ptrdiff_t result = 0;
    for (int i = 0; i < 16 && result >= 0; i++) {
        z.next_in = (Bytef *)spaces;
        z.avail_in = sizeof spaces;
        z.next_out = out;
        z.avail_out = sizeof out;
        deflate(&z, Z_SYNC_FLUSH);
        result = jab_session_feed(e.s, out, sizeof out - z.avail_out, e.now);
    }
    deflateEnd(&z);
    return result >= 0;
}

static int stanza_beyond_the_limit(void)
{
    jab_config cfg;
    offline(&cfg);
    cfg.max_stanza_bytes = 10000;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    static char text[20100];
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "<message><body>", 15);
    memcpy(text + sizeof text - 18, "</body></message>", 17);
    return peer_says(&e, text) >= 0;
}

static int success_out_of_nowhere(void)
{
    jab_config cfg;
    offline(&cfg);
    connect_with(&cfg, NULL);
    return peer_says(&e, PEER_HEADER PEER_SUCCESS) >= 0;
}

/* -- Extensions ------------------------------------------------------------------ */

static int backdated_message(void)
{
    peer_online(&e);
    peer_says(&e, "<message from='evil@example.com/x'><body>b</body>"
                  "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z'/></message>");
    const jab_event *ev = jab_session_next(e.s);
    return ev && ev->message && ev->message->stamp != 0;
}

static int stranger_asks_for_idle_time(void)
{
    peer_online(&e);
    peer_says(
        &e, "<iq from='evil@example.com/x' type='get' id='l'><query xmlns='jabber:iq:last'/></iq>");
    return peer_sent(&e, "seconds=");
}

static void carbon(const char *from, const char *to)
{
    char text[600];
    snprintf(
        text, sizeof text,
        "<message from='juliet@example.org'><received xmlns='urn:xmpp:carbons:2'>"
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='%s' to='%s'>"
        "<body>copy</body></message></forwarded></received></message>",
        from, to);
    peer_says(&e, text);
}

static int carbon_before_enabling(void)
{
    peer_online(&e);
    carbon("romeo@example.net/o", "juliet@example.org/other");
    return saw(JAB_EV_MESSAGE);
}

static int carbon_of_another_account(void)
{
    peer_online(&e);
    assert_int_equal(jab_carbons_enable(e.s, 1), 0);
    char text[200];
    snprintf(text, sizeof text, "<iq type='result' id='%s'/>", last_id());
    peer_says(&e, text);
    carbon("romeo@example.net/o", "mercutio@example.org/x");
    return saw(JAB_EV_MESSAGE);
}

static void archive_result(const char *archive, const char *inner_from, const char *queryid)
{
    char text[800];
    snprintf(text, sizeof text,
             "<message from='%s'><result xmlns='urn:xmpp:mam:2' queryid='%s' id='1'>"
             "<forwarded xmlns='urn:xmpp:forward:0'>"
             "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z'/>"
             "<message xmlns='jabber:client' from='%s' type='groupchat'><body>old</body></message>"
             "</forwarded></result></message>",
             archive, queryid, inner_from);
    peer_says(&e, text);
}

/* The queryid of the archive query sent last. */
static const char *last_query(void)
{
    static char id[64];
    peer_collect(&e);
    const char *at = strstr(e.sent, "queryid=");
    assert_non_null(at);
    snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 9, "'\""), at + 9);
    return id;
}

static int history_from_a_stranger(void)
{
    peer_online(&e);
    assert_int_equal(jab_mam_ask(e.s, JAB_MAM_QUERY(.max = 5), 1), 0);
    archive_result("evil@example.com", "romeo@example.net/o", last_query());
    return saw(JAB_EV_MESSAGE);
}

static int room_archive_speaks_for_a_contact(void)
{
    peer_online(&e);
    assert_int_equal(jab_mam_ask(e.s, JAB_MAM_QUERY(.archive = JAB_STR("room@muc.example.org")), 1),
                     0);
    archive_result("room@muc.example.org", "romeo@example.net/o", last_query());
    return saw(JAB_EV_MESSAGE);
}

static int has_archive_id(void *arg, const jab_kept_message *m)
{
    *(int *)arg |= m->archive_id.p != NULL;
    return 0;
}

/* Chooses where its message stands in the account's archive: what is asked for
 * from there is never found. */
static int id_in_the_archive_by_a_contact(void)
{
    jab_config cfg;
    int found = 0;
    offline(&cfg);
    assert_int_equal(jab_store_memory(&store, NULL), 0);
    cfg.store = store;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    assert_int_equal(jab_history_catch_up(e.s), 0);
    jab_session_tick(e.s, e.now);
    char text[300];
    snprintf(text, sizeof text, "<iq type='result' id='%s'><fin xmlns='urn:xmpp:mam:2'/></iq>",
             last_id());
    assert_true(peer_says(&e, text) > 0);
    jab_session_tick(e.s, e.now);
    peer_says(&e, "<message from='evil@example.com/x' id='m1'><body>hi</body>"
                  "<stanza-id xmlns='urn:xmpp:sid:0' by='evil@example.com' id='a1'/></message>");
    assert_int_equal(saw(JAB_EV_MESSAGE), 1);
    assert_true(jab_store_read(store, JAB_KEPT_QUERY(.limit = 9), has_archive_id, &found) == 1);
    return found;
}

static int poisoned_capabilities(void)
{
    static const char caps[] = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' "
                               "ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>";
    char text[900];
    peer_online(&e);
    snprintf(text, sizeof text, "<presence from='juliet@example.org/evil'>%s</presence>", caps);
    peer_says(&e, text);
    snprintf(text, sizeof text,
             "<iq from='juliet@example.org/evil' type='result' id='%s'>"
             "<query xmlns='http://jabber.org/protocol/disco#info' "
             "node='n#QgayPKawpkPSDYmwT/WM94uAlu0='>"
             "<identity category='client' type='pc'/><feature var='urn:evil'/></query></iq>",
             last_id());
    peer_says(&e, text);
    snprintf(text, sizeof text, "<presence from='juliet@example.org/good'>%s</presence>", caps);
    peer_says(&e, text);
    return jab_caps_has(e.s, JAB_STR("juliet@example.org/good"), JAB_STR("urn:evil")) == 1;
}

/* What a third party says of a message to Romeo, whose id it got to know. */
static void says_of_it(const char *type, const char *before, const char *after)
{
    char text[600];
    peer_online(&e);
    jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
    jab_out_body(o, JAB_STR("hi"));
    assert_int_equal(jab_out_send(o, 7), 0);
    snprintf(text, sizeof text, "<message from='evil@example.com/x' type='%s' id='%s'>%s%s%s", type,
             last_id(), before, last_id(), after);
    peer_says(&e, text);
}

static int receipt_of_a_stranger(void)
{
    says_of_it("chat", "<received xmlns='urn:xmpp:receipts' id='", "'/></message>");
    return saw(JAB_EV_RECEIPT);
}

static int bounce_of_a_stranger(void)
{
    says_of_it("error", "<body>", "</body><error type='cancel'/></message>");
    return saw(JAB_EV_SENT);
}

static int stranger_asks_for_a_receipt(void)
{
    jab_config cfg;
    offline(&cfg);
    cfg.receipts = JAB_RECEIPTS_ANSWER;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_true(peer_login(&e));
    peer_says(&e, "<message from='evil@example.com/x' id='m'><body>there?</body>"
                  "<request xmlns='urn:xmpp:receipts'/></message>");
    return peer_sent(&e, "<received");
}

static int stranger_asks_for_a_marker(void)
{
    peer_online(&e);
    peer_says(&e, "<message from='evil@example.com/x' id='m'><body>there?</body>"
                  "<markable xmlns='urn:xmpp:chat-markers:0'/></message>");
    const jab_event *ev = jab_session_next(e.s);
    assert_true(ev && ev->message);
    assert_int_equal(jab_mark_displayed(e.s, ev->message), 0);
    return peer_sent(&e, "<displayed");
}

/* -- The table --------------------------------------------------------------------- */

typedef struct attack {
    int check;
    const char *name;
    int (*run)(void); /* 1: the attack succeeded */
} attack;

#define ATTACK(id, run)                                                                            \
    {                                                                                              \
        JABI_CHECK_##id, #id, run                                                                  \
    }
static const attack attacks[] = {
    ATTACK(IQ_REPLY_SENDER, forged_reply),
    ATTACK(ROUTE_SENDER, forged_roster_push),
    ATTACK(UNWRAP_DEPTH, nested_wrappers),
    ATTACK(SECRET_NEEDS_TLS, password_over_unverified_tls),
    ATTACK(MECHANISM_ALLOWED, plain_by_downgrade),
    ATTACK(BINDING_STRIPPED, binding_stripped_but_announced),
    ATTACK(SERVER_PROOF, success_without_proof),
    ATTACK(SCRAM_NONCE, foreign_nonce),
    ATTACK(SCRAM_ITERATIONS, one_iteration),
    ATTACK(OFFER_HASH, offer_without_the_best),
    ATTACK(TLS_AGREED, tls_that_ends_in_between),
    ATTACK(LOGIN_FLOOR, less_than_last_time),
    ATTACK(TOKEN_NEEDS_TLS, token_in_the_clear),
    ATTACK(EARLY_NEEDS_COUNT, early_data_without_a_count),
    ATTACK(UPGRADE_ASKED, upgrade_out_of_nowhere),
    ATTACK(DIGEST_RSPAUTH, wrong_rspauth),
    ATTACK(COMPRESS_AFTER_AUTH, compression_unasked),
    ATTACK(INFLATE_BOUND, compression_bomb),
    ATTACK(STANZA_SIZE, stanza_beyond_the_limit),
    ATTACK(STREAM_ORDER, success_out_of_nowhere),
    ATTACK(DELAY_SENDER, backdated_message),
    ATTACK(LAST_TRUSTED, stranger_asks_for_idle_time),
    ATTACK(CARBON_ENABLED, carbon_before_enabling),
    ATTACK(CARBON_ACCOUNT, carbon_of_another_account),
    ATTACK(MAM_QUERY, history_from_a_stranger),
    ATTACK(MAM_ROOM, room_archive_speaks_for_a_contact),
    ATTACK(STANZA_ID_BY, id_in_the_archive_by_a_contact),
    ATTACK(CAPS_HASH, poisoned_capabilities),
    ATTACK(RECEIPT_SENDER, receipt_of_a_stranger),
    ATTACK(RECEIPT_TRUSTED, stranger_asks_for_a_receipt),
    ATTACK(MARKER_TRUSTED, stranger_asks_for_a_marker),
    ATTACK(BOUNCE_SENDER, bounce_of_a_stranger),
    ATTACK(VAULT_OWNER, vault_that_others_write),
    ATTACK(VAULT_WHOLE, vault_that_was_damaged),
};

/* The checks of the driver: their attacks need sockets, and are made by the
 * tests of the network and the scripted servers. */
static const int in_driver[] = {
    JABI_CHECK_STARTTLS_BUFFER, JABI_CHECK_REDIRECT_TLS, JABI_CHECK_CERT_CHAIN,
    JABI_CHECK_CERT_NAME,       JABI_CHECK_CERT_PIN,     JABI_CHECK_LOCATION_TLS,
    JABI_CHECK_SESSION_HOLDS,   JABI_CHECK_DANE_SECURE,  JABI_CHECK_DANE_MATCH};

static int run_attack(const attack *a, int off)
{
    jabi_check_off = off;
    int succeeded = a->run();
    jabi_check_off = -1;
    peer_free(&e);
    e.s = NULL; /* not every attack is on a session */
    jab_store_free(store);
    store = NULL;
    return succeeded;
}

static void every_attack_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
        if (run_attack(&attacks[i], -1))
            fail_msg("the attack on %s succeeded", attacks[i].name);
}

static void every_check_is_what_stops_its_attack(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
        if (!run_attack(&attacks[i], attacks[i].check))
            fail_msg("%s is switched off, and its attack still fails", attacks[i].name);
}

static void every_check_has_an_attack(void **state)
{
    (void)state;
    size_t n = sizeof attacks / sizeof *attacks + sizeof in_driver / sizeof *in_driver;
    assert_int_equal(n, JABI_CHECK_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attack_fails),
        cmocka_unit_test(every_check_is_what_stops_its_attack),
        cmocka_unit_test(every_check_has_an_attack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
