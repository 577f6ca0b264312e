/* login_attacks.h: attacks on what earlier log-ins left: to have less than last time, or to
 * have a token or a hash that is not for this server. Included behind the peer `e`. */
#ifndef LOGIN_ATTACKS_H
#define LOGIN_ATTACKS_H

#include "../unit/sasl2_peer.h"

static vault_row login_row;

/* A vault as an earlier log-in left it. */
static void left_by(const jabi_floor *floor, const char *token_mechanism, const char *features)
{
    jabi_memory m;
    jabi_buf bytes;
    jabi_memory_init(&m, jabi_mem_default(), NULL, JAB_STR("juliet@example.org"));
    snprintf(m.agent, sizeof m.agent, "d4565fa7-4d72-4749-b3d3-740edbf87770");
    m.floor = *floor;
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_BEFORE, jab_cstr(features)), 0);
    if (token_mechanism) {
        assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_TOKEN, JAB_STR("t0ken")), 0);
        assert_int_equal(
            jabi_memory_set(&m, JABI_MEMORY_TOKEN_MECHANISM, jab_cstr(token_mechanism)), 0);
    }
    jabi_buf_init(&bytes, jabi_mem_default(), JAB_VAULT_MAX);
    assert_int_equal(jabi_memory_pack(&m, &bytes), 0);
    row_put(&login_row, jabi_buf_str(&bytes));
    jabi_buf_fini(&bytes);
    jabi_memory_fini(&m);
}

/* The man in the middle has a certificate that verifies, and removed -PLUS. */
static int less_than_last_time(void)
{
    const jabi_floor floor = {.mechanism = 3, .binding = 1};
    left_by(&floor, NULL, NULL);
    jab_config cfg = sasl2_config(&e, &login_row);
    cfg.mechanisms = (jab_str){NULL, 0};
    connect_with(&cfg, &secure);
    (void)!peer_says(&e, PEER_HEADER
                     "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                     "<mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>");
    return peer_sent(&e, "<auth");
}

/* An account that does without TLS by its own word still has a token of better days. */
static int token_in_the_clear(void)
{
    const jabi_floor floor = {0};
    left_by(&floor, "HT-SHA-256-NONE", NULL);
    jab_config cfg = sasl2_config(&e, &login_row);
    cfg.mechanisms = (jab_str){NULL, 0};
    cfg.tls = JAB_TLS_OFF;
    connect_with(&cfg, NULL);
    (void)!peer_says(&e, PEER_HEADER SASL2_FEATURES);
    return peer_sent(&e, "mechanism='HT-SHA-256-NONE'");
}

/* Bytes that can be replayed, to a server that does not count. */
static int early_data_without_a_count(void)
{
    const jabi_floor floor = {0};
    left_by(&floor, "HT-SHA-256-NONE",
            "<features xmlns='http://etherx.jabber.org/streams'>"
            "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><inline>"
            "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast>"
            "</inline></authentication></features>");
    jab_config cfg = sasl2_config(&e, &login_row);
    cfg.mechanisms = (jab_str){NULL, 0};
    cfg.login = JAB_LOGIN_EARLY_DATA;
    assert_int_equal(peer_new(&e, &cfg), 0);
    return jab_session_early(e.s, &secure, e.now) == 1;
}

/* A server wants the password salted as it likes, without having offered an upgrade. */
static int upgrade_out_of_nowhere(void)
{
    login_row.n = 0;
    jab_config cfg = sasl2_config(&e, &login_row);
    connect_with(&cfg, &secure);
    (void)!peer_says(&e, PEER_HEADER SASL2_FEATURES);
    (void)!peer_says(&e, "<continue xmlns='urn:xmpp:sasl:2'><tasks>"
                         "<task>UPGR-SCRAM-SHA-256</task></tasks></continue>");
    return peer_sent(&e, "<next");
}

#endif
