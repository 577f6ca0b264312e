/* test_ahead.c: the first step in the same flight as the header, and what becomes of it when
 * the server offers something else than last time. */
#include "sasl2_peer.h"

static peer e;
static vault_row row;

#define STARTTLS                                                                                   \
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
#define PROCEED "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

static jab_config ahead_config(void)
{
    jab_config cfg = sasl2_config(&e, &row);
    cfg.login = 0;
    return cfg;
}

static void starttls_is_asked_for_with_the_header(void **state)
{
    (void)state;
    jab_config cfg = ahead_config();
    cfg.tls = JAB_TLS_REQUIRED;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, NULL, e.now), 0);
    (void)!peer_says(&e, "");
    assert_true(peer_sent(&e, "<stream:stream"));
    assert_true(peer_sent(&e, "<starttls"));
    peer_clear(&e);
    peer_says(&e, PEER_HEADER STARTTLS PROCEED);
    assert_true(jab_session_wants_tls(e.s));
    assert_false(peer_sent(&e, "<starttls"));
    sasl2_end(&e, &row);
}

/* RFC 6120 §5.3.1: whatever else is said. */
static void without_an_offer_of_tls_it_ends(void **state)
{
    (void)state;
    jab_config cfg = ahead_config();
    cfg.tls = JAB_TLS_REQUIRED;
    peer_start(&e, &cfg);
    assert_int_equal(peer_says(&e, PEER_HEADER PEER_PLAIN PROCEED), JAB_ENOTLS);
    assert_false(peer_sent(&e, "<auth"));
    sasl2_end(&e, &row);
}

/* One log-in that teaches what the server offers. */
static void learn(const char *features, int is_sasl2)
{
    jab_config cfg = ahead_config();
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, &secure, e.now), 0);
    (void)!peer_says(&e, "");
    assert_false(peer_sent(&e, "auth"));
    peer_says(&e, PEER_HEADER);
    peer_says(&e, features);
    peer_clear(&e);
    if (is_sasl2)
        peer_says(&e, SASL2_SUCCESS PEER_BIND);
    else
        peer_says(&e, PEER_SUCCESS);
    if (!is_sasl2)
        peer_says(&e, PEER_HEADER PEER_BIND);
    peer_bind(&e);
    assert_true(jab_session_online(e.s));
    peer_free(&e);
}

static void again(void)
{
    jab_config cfg = ahead_config();
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, &secure, e.now), 0);
    (void)!peer_says(&e, "");
}

static void the_classic_log_in_takes_two_flights(void **state)
{
    (void)state;
    learn(PEER_PLAIN, 0);
    again();
    assert_true(peer_sent(&e, "<stream:stream"));
    assert_true(peer_sent(&e, "<auth "));
    peer_clear(&e);
    peer_says(&e, PEER_HEADER PEER_PLAIN PEER_SUCCESS);
    assert_true(peer_sent(&e, "<stream:stream"));
    assert_true(peer_sent(&e, "<bind "));
    assert_false(peer_sent(&e, "<auth "));
    (void)!peer_says(&e, PEER_HEADER PEER_BIND);
    peer_bind(&e);
    assert_true(jab_session_online(e.s));
    sasl2_end(&e, &row);
}

static void sasl2_begins_with_the_header(void **state)
{
    (void)state;
    learn(SASL2_FEATURES, 1);
    unsigned saves = row.saves;
    again();
    assert_true(peer_sent(&e, "<stream:stream"));
    assert_true(peer_sent(&e, "<authenticate "));
    peer_clear(&e);
    peer_says(&e, PEER_HEADER SASL2_FEATURES SASL2_SUCCESS PEER_BIND);
    assert_false(peer_sent(&e, "<authenticate "));
    peer_bind(&e);
    assert_true(jab_session_online(e.s));
    assert_int_equal(row.saves, saves); /* nothing new to keep */
    sasl2_end(&e, &row);
}

#define PLAIN "<mechanism>PLAIN</mechanism>"
#define SCRAM "<mechanism>SCRAM-SHA-1</mechanism>"
#define OFFER(mechanisms, version)                                                                 \
    "<stream:features><authentication xmlns='urn:xmpp:sasl:2'>" mechanisms "</authentication>"     \
    "<config-version xmlns='urn:xmpp:iap:0' scheme='opaque' value='" version "'/>"                 \
    "</stream:features>"

/* XEP-0305 §2: also where the step that left ahead is the one that would have been chosen. */
static void what_the_server_offers_since_is_not_missed(void **state)
{
    (void)state;
    learn(OFFER(PLAIN, "one"), 1);
    again();
    assert_true(peer_sent(&e, "value='one'"));
    peer_clear(&e);
    peer_says(&e, PEER_HEADER OFFER(PLAIN, "two") SASL2_SUCCESS PEER_BIND);
    peer_bind(&e);
    assert_true(jab_session_online(e.s));
    peer_free(&e);
    again();
    assert_true(peer_sent(&e, "value='two'"));
    sasl2_end(&e, &row);
}

static void another_order_is_the_same_offer(void **state)
{
    (void)state;
    learn(OFFER(PLAIN SCRAM, "one"), 1);
    unsigned saves = row.saves;
    again();
    peer_clear(&e);
    peer_says(&e, PEER_HEADER OFFER(SCRAM PLAIN, "one") SASL2_SUCCESS PEER_BIND);
    peer_bind(&e);
    assert_true(jab_session_online(e.s));
    assert_int_equal(row.saves, saves);
    sasl2_end(&e, &row);
}

#define REFUSED                                                                                    \
    "<failure xmlns='urn:xmpp:sasl:2'><invalid-mechanism "                                         \
    "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"

#define OTHER_FEATURES                                                                             \
    "<stream:features><authentication xmlns='urn:xmpp:sasl:2'>"                                    \
    "<mechanism>SCRAM-SHA-256</mechanism></authentication></stream:features>"

/* And once only: the second refusal is meant. */
static void what_rested_on_an_older_offer_is_chosen_anew(void **state)
{
    (void)state;
    learn(SASL2_FEATURES, 1);
    jab_config cfg = ahead_config();
    cfg.mechanisms = JAB_STR("PLAIN SCRAM-SHA-256");
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, &secure, e.now), 0);
    (void)!peer_says(&e, "");
    assert_true(peer_sent(&e, "mechanism='PLAIN'"));
    peer_clear(&e);
    peer_says(&e, PEER_HEADER OTHER_FEATURES REFUSED);
    assert_true(peer_sent(&e, "mechanism='SCRAM-SHA-256'"));
    assert_int_equal(peer_says(&e, REFUSED), JAB_EAUTH);
    sasl2_end(&e, &row);
}

/* A refusal of what the server offers now is the password's. */
static void a_refusal_of_what_is_offered_is_final(void **state)
{
    (void)state;
    learn(SASL2_FEATURES, 1);
    again();
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    peer_clear(&e);
    assert_int_equal(peer_says(&e, "<failure xmlns='urn:xmpp:sasl:2'><not-authorized "
                                   "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"),
                     JAB_EAUTH);
    assert_false(peer_sent(&e, "<authenticate"));
    sasl2_end(&e, &row);
}

/* XEP-0509 §2.2: the server says so itself. */
static void another_configuration_is_no_refusal(void **state)
{
    (void)state;
    learn(SASL2_FEATURES, 1);
    again();
    peer_clear(&e);
    peer_says(&e, PEER_HEADER SASL2_FEATURES
              "<failure xmlns='urn:xmpp:sasl:2'><aborted xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
              "<config-version-mismatch xmlns='urn:xmpp:iap:0'/></failure>");
    assert_true(peer_sent(&e, "<authenticate"));
    peer_clear(&e);
    peer_says(&e, SASL2_SUCCESS PEER_BIND);
    peer_bind(&e);
    assert_true(jab_session_online(e.s));
    sasl2_end(&e, &row);
}

static void nothing_leaves_ahead_without_verified_tls(void **state)
{
    (void)state;
    learn(SASL2_FEATURES, 1);
    const jab_tls_info unverified = {.version = 13};
    jab_config cfg = ahead_config();
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, &unverified, e.now), 0);
    (void)!peer_says(&e, "");
    assert_false(peer_sent(&e, "auth"));
    sasl2_end(&e, &row);
}

static void nor_below_the_floor(void **state)
{
    (void)state;
    learn(SASL2_FEATURES, 1);
    const jab_tls_info older = {.verified = 1, .version = 12};
    jab_config cfg = ahead_config();
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, &older, e.now), 0);
    (void)!peer_says(&e, "");
    assert_false(peer_sent(&e, "auth"));
    assert_int_equal(peer_says(&e, PEER_HEADER SASL2_FEATURES), JAB_EWEAKER);
    assert_non_null(strstr(jab_session_fault(e.s)->text.p, "TLS 1.3 before"));
    assert_false(peer_sent(&e, "<authenticate"));
    sasl2_end(&e, &row);
}

static void sasl2_is_not_left_for_the_older_way(void **state)
{
    (void)state;
    learn(SASL2_FEATURES, 1);
    again();
    peer_clear(&e);
    (void)!peer_says(&e, PEER_HEADER PEER_PLAIN);
    assert_int_equal(peer_says(&e, REFUSED), JAB_EWEAKER);
    assert_false(peer_sent(&e, "<auth"));
    sasl2_end(&e, &row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starttls_is_asked_for_with_the_header),
        cmocka_unit_test(without_an_offer_of_tls_it_ends),
        cmocka_unit_test(the_classic_log_in_takes_two_flights),
        cmocka_unit_test(sasl2_begins_with_the_header),
        cmocka_unit_test(what_the_server_offers_since_is_not_missed),
        cmocka_unit_test(another_order_is_the_same_offer),
        cmocka_unit_test(what_rested_on_an_older_offer_is_chosen_anew),
        cmocka_unit_test(a_refusal_of_what_is_offered_is_final),
        cmocka_unit_test(another_configuration_is_no_refusal),
        cmocka_unit_test(nothing_leaves_ahead_without_verified_tls),
        cmocka_unit_test(nor_below_the_floor),
        cmocka_unit_test(sasl2_is_not_left_for_the_older_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
