/* test_sasl2.c: XEP-0388 with what is asked for in the same step: a resource
 * (XEP-0386), the last stream (XEP-0198), a token (XEP-0484). */
#include "sasl2_peer.h"

static peer e;
static vault_row row;

/* -- SASL2 ------------------------------------------------------------------------------- */

static void one_step_logs_in_and_binds(void **state)
{
    (void)state;
    jab_config cfg = sasl2_config(&e, &row);
    cfg.login |= JAB_LOGIN_BIND2;
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_true(peer_sent(&e, "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>"));
    assert_true(peer_sent(&e, "<initial-response>AGp1bGlldABzM2NyZXQ=</initial-response>"));
    assert_true(peer_sent(&e, "<bind xmlns='urn:xmpp:bind:0'><tag>jabiru</tag>"));
    assert_true(peer_sent(&e, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"));
    peer_clear(&e);
    peer_says(&e, SASL2_BOUND SASL2_AFTER);
    assert_true(jab_session_online(e.s));
    assert_str(jab_session_jid(e.s)->full, "juliet@example.org/jabiru/x1");
    jab_login_info info = jab_session_login(e.s);
    assert_true(info.sasl2 && info.bind2 && !info.token);
    assert_false(peer_sent(&e, "<iq type='set'"));
    assert_false(peer_sent(&e, "<enable xmlns='urn:xmpp:sm:3'"));
    assert_true(e.s->stream.sm.active);
    assert_str(e.s->stream.sm.id, "sm1");
    sasl2_end(&e, &row);
}

/* XEP-0388 §2.3: the same installation has the same id, a UUID of version 4. */
static void the_user_agent_stays_the_same(void **state)
{
    (void)state;
    char first[37] = "";
    for (int i = 0; i < 2; i++) {
        jab_config cfg = sasl2_config(&e, &row);
        sasl2_start(&e, &cfg);
        peer_says(&e, PEER_HEADER SASL2_FEATURES);
        const char *at = strstr(e.sent, "<user-agent id='");
        assert_non_null(at);
        at += 16;
        assert_true(at[14] == '4' && at[8] == '-' && at[36] == '\'');
        if (i == 0)
            memcpy(first, at, 36);
        else
            assert_memory_equal(first, at, 36);
        peer_says(&e, SASL2_SUCCESS);
        peer_free(&e);
    }
    row_fini(&row);
}

static void without_a_store_the_resource_is_bound_the_older_way(void **state)
{
    (void)state;
    jab_config cfg = sasl2_config(&e, &row);
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_true(peer_sent(&e, "<authenticate"));
    assert_false(peer_sent(&e, "urn:xmpp:bind:0"));
    peer_clear(&e);
    peer_says(&e, SASL2_SUCCESS PEER_BIND);
    assert_false(peer_sent(&e, "<stream:stream"));
    peer_bind(&e);
    assert_true(jab_session_online(e.s));
    sasl2_end(&e, &row);
}

static void another_accounts_success_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"romeo@example.org/jabiru/x1", "juliet@example.net/x",
                                        "juliet@example.org", "", "@"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[512];
        jab_config cfg = sasl2_config(&e, &row);
        cfg.login |= JAB_LOGIN_BIND2;
        sasl2_start(&e, &cfg);
        peer_says(&e, PEER_HEADER SASL2_FEATURES);
        snprintf(text, sizeof text,
                 "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>%s"
                 "</authorization-identifier><bound xmlns='urn:xmpp:bind:0'/></success>",
                 wrong[i]);
        assert_int_equal(peer_says(&e, text), JAB_EPROTO);
        assert_false(jab_session_online(e.s));
        sasl2_end(&e, &row);
    }
}

static void what_was_not_asked_for_is_refused(void **state)
{
    (void)state;
    static const char *const extra[] = {
        "<bound xmlns='urn:xmpp:bind:0'/>",
        "<resumed xmlns='urn:xmpp:sm:3' previd='x' h='0'/>",
    };
    for (size_t i = 0; i < sizeof extra / sizeof *extra; i++) {
        char text[512];
        jab_config cfg = sasl2_config(&e, &row);
        sasl2_start(&e, &cfg);
        peer_says(&e, PEER_HEADER SASL2_FEATURES);
        snprintf(text, sizeof text,
                 "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@example.org/a"
                 "</authorization-identifier>%s</success>",
                 extra[i]);
        assert_int_equal(peer_says(&e, text), JAB_EPROTO);
        sasl2_end(&e, &row);
    }
}

static void a_refusal_is_the_users_to_read(void **state)
{
    (void)state;
    jab_config cfg = sasl2_config(&e, &row);
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_int_equal(
        peer_says(&e, "<failure xmlns='urn:xmpp:sasl:2'><not-authorized "
                      "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><text>no</text></failure>"),
        JAB_EAUTH);
    const jab_fault *f = jab_session_fault(e.s);
    assert_str(f->condition, "not-authorized");
    assert_non_null(strstr(f->text.p, "wrong user name or password for juliet@example.org"));
    assert_non_null(strstr(f->text.p, ": no"));
    sasl2_end(&e, &row);
}

/* RFC 7628 §3.2.2: the reason comes in a challenge, the refusal behind it. */
static void a_bearer_token_s_refusal_says_why(void **state)
{
    (void)state;
    jab_config cfg = sasl2_config(&e, &row);
    cfg.password = cfg.mechanisms = (jab_str){NULL, 0};
    cfg.bearer_token = JAB_STR("abc");
    sasl2_start(&e, &cfg);
    peer_says(&e,
              PEER_HEADER "<stream:features><authentication xmlns='urn:xmpp:sasl:2'>"
                          "<mechanism>OAUTHBEARER</mechanism></authentication></stream:features>");
    assert_true(peer_sent(&e, "mechanism='OAUTHBEARER'"));
    peer_clear(&e);
    /* {"status":"invalid_token"} */
    peer_says(&e, "<challenge xmlns='urn:xmpp:sasl:2'>eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0="
                  "</challenge>");
    assert_true(peer_sent(&e, "<response xmlns='urn:xmpp:sasl:2'>AQ==</response>"));
    assert_int_equal(
        peer_says(&e, "<failure xmlns='urn:xmpp:sasl:2'><not-authorized "
                      "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><text>no</text></failure>"),
        JAB_EAUTH);
    const jab_fault *f = jab_session_fault(e.s);
    assert_str(f->condition, "not-authorized");
    assert_non_null(strstr(f->text.p, "the access token is wrong, expired or revoked"));
    assert_non_null(strstr(f->text.p, "juliet@example.org (not-authorized): no"));
    assert_null(strstr(f->text.p, "password"));
    sasl2_end(&e, &row);
}

static void a_further_step_that_is_not_known_ends_it(void **state)
{
    (void)state;
    jab_config cfg = sasl2_config(&e, &row);
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    peer_clear(&e);
    assert_int_equal(peer_says(&e, "<continue xmlns='urn:xmpp:sasl:2'><tasks><task>TOTP</task>"
                                   "</tasks></continue>"),
                     JAB_EUNSUPPORTED);
    assert_true(peer_sent(&e, "<abort xmlns='urn:xmpp:sasl:2'/>"));
    assert_non_null(strstr(jab_session_fault(e.s)->text.p, "TOTP"));
    sasl2_end(&e, &row);
}

/* XEP-0480 §6: an upgrade that was not offered before gets nothing. */
static void nobody_gets_a_salted_password_unasked(void **state)
{
    (void)state;
    jab_config cfg = sasl2_config(&e, &row);
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    peer_clear(&e);
    assert_int_equal(peer_says(&e, "<continue xmlns='urn:xmpp:sasl:2'><tasks>"
                                   "<task>UPGR-SCRAM-SHA-256</task></tasks></continue>"),
                     JAB_EUNSUPPORTED);
    assert_false(peer_sent(&e, "<next"));
    sasl2_end(&e, &row);
}

/* -- The last stream in the same step ------------------------------------------------------ */

static void cut_and_return(void)
{
    jab_config cfg = sasl2_config(&e, &row);
    cfg.login |= JAB_LOGIN_BIND2;
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    peer_says(&e, SASL2_BOUND SASL2_AFTER);
    peer_says(&e, "<message from='romeo@example.net/o'><body>hi</body></message>");
    while (jab_session_next(e.s))
        continue;
    jab_session_eof(e.s, 0, e.now);
    while (jab_session_next(e.s))
        continue;
    assert_int_equal(jab_session_connected(e.s, &secure, e.now), 0);
    peer_clear(&e);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_true(peer_sent(&e, "<resume xmlns='urn:xmpp:sm:3' previd='sm1' h='1'/>"));
    assert_true(peer_sent(&e, "<bind xmlns='urn:xmpp:bind:0'>"));
    peer_clear(&e);
}

static void the_last_stream_goes_on(void **state)
{
    (void)state;
    cut_and_return();
    peer_says(&e, "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@example.org"
                  "</authorization-identifier><resumed xmlns='urn:xmpp:sm:3' previd='sm1' h='0'/>"
                  "</success>" SASL2_AFTER);
    const jab_event *ev = jab_session_next(e.s);
    assert_non_null(ev);
    assert_int_equal(ev->type, JAB_EV_RESUMED);
    assert_str(jab_session_jid(e.s)->full, "juliet@example.org/jabiru/x1");
    sasl2_end(&e, &row);
}

/* Prosody gives it before the features, which come once. */
static void what_waited_may_come_before_the_features(void **state)
{
    (void)state;
    cut_and_return();
    peer_says(&e, "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@example.org"
                  "</authorization-identifier><resumed xmlns='urn:xmpp:sm:3' previd='sm1' h='0'/>"
                  "</success><message from='romeo@example.net/o'><body>you were away</body>"
                  "</message>" SASL2_AFTER);
    assert_int_equal(jab_session_next(e.s)->type, JAB_EV_RESUMED);
    const jab_event *ev = jab_session_next(e.s);
    assert_int_equal(ev->type, JAB_EV_MESSAGE);
    assert_str(ev->message->body, "you were away");
    assert_null(jab_session_next(e.s));
    assert_null(jab_session_fault(e.s));
    peer_says(&e, SASL2_AFTER);
    assert_int_equal(jab_session_fault(e.s)->code, JAB_EPROTO);
    sasl2_end(&e, &row);
}

static void or_a_new_one_begins(void **state)
{
    (void)state;
    cut_and_return();
    peer_says(&e, "<success xmlns='urn:xmpp:sasl:2'>"
                  "<authorization-identifier>juliet@example.org/jabiru/x2"
                  "</authorization-identifier><failed xmlns='urn:xmpp:sm:3' h='0'/>"
                  "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='sm2' "
                  "resume='true'/></bound></success>" SASL2_AFTER);
    const jab_event *ev = jab_session_next(e.s);
    assert_non_null(ev);
    assert_int_equal(ev->type, JAB_EV_ONLINE);
    assert_str(jab_session_jid(e.s)->full, "juliet@example.org/jabiru/x2");
    assert_str(e.s->stream.sm.id, "sm2");
    assert_int_equal(e.s->stream.sm.in, 0);
    sasl2_end(&e, &row);
}

/* -- Tokens --------------------------------------------------------------------------------- */

static jab_config token_config(void)
{
    jab_config cfg = sasl2_config(&e, &row);
    cfg.mechanisms = (jab_str){NULL, 0};
    return cfg;
}

/* A log-in by SCRAM needs a server that knows the password; PLAIN by name asks for no
 * token. So the token is put into the vault as a log-in would have left it. */
static void leave(const char *mechanism, int64_t expiry, const char *features)
{
    jabi_memory m;
    jabi_buf bytes;
    jabi_memory_init(&m, jabi_mem_default(), NULL, JAB_STR("juliet@example.org"));
    snprintf(m.agent, sizeof m.agent, "d4565fa7-4d72-4749-b3d3-740edbf87770");
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_TOKEN, JAB_STR("t0ken")), 0);
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_TOKEN_MECHANISM, jab_cstr(mechanism)), 0);
    m.token_expiry = expiry;
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_BEFORE, jab_cstr(features)), 0);
    jabi_buf_init(&bytes, jabi_mem_default(), JAB_VAULT_MAX);
    assert_int_equal(jabi_memory_pack(&m, &bytes), 0);
    row_put(&row, jabi_buf_str(&bytes));
    jabi_buf_fini(&bytes);
    jabi_memory_fini(&m);
}

static void leave_token(const char *mechanism, int64_t expiry)
{
    leave(mechanism, expiry, NULL);
}

static void read_row(jabi_memory *m)
{
    jabi_memory_init(m, jabi_mem_default(), NULL, JAB_STR("juliet@example.org"));
    assert_int_equal(jabi_memory_unpack(m, (jab_str){row.bytes, row.n}), 0);
}

static void token_success(const char *more)
{
    char text[1024], proof[128];
    token_proof(proof, sizeof proof, "t0ken");
    snprintf(text, sizeof text,
             "<success xmlns='urn:xmpp:sasl:2'><additional-data>%s</additional-data>"
             "<authorization-identifier>juliet@example.org</authorization-identifier>%s</success>",
             proof, more);
    peer_says(&e, text);
}

static void a_token_logs_in_and_is_rotated(void **state)
{
    (void)state;
    leave_token("HT-SHA-256-NONE", 0);
    jab_config cfg = token_config();
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_true(peer_sent(&e, "mechanism='HT-SHA-256-NONE'"));
    assert_true(peer_sent(&e, "<fast xmlns='urn:xmpp:fast:0'/>"));
    unsigned saves = row.saves;
    token_success("<token xmlns='urn:xmpp:fast:0' token='n3w' expiry='2030-01-01T00:00:00Z'/>");
    assert_true(row.saves > saves); /* before anything else is done */
    assert_true(jab_session_login(e.s).token);
    jabi_memory m;
    read_row(&m);
    assert_str(m.texts[JABI_MEMORY_TOKEN], "n3w");
    assert_str(m.texts[JABI_MEMORY_TOKEN_MECHANISM], "HT-SHA-256-NONE");
    assert_true(m.token_expiry == INT64_C(1893456000000));
    jabi_memory_fini(&m);
    sasl2_end(&e, &row);
}

static void a_server_that_does_not_know_the_token_is_not_believed(void **state)
{
    (void)state;
    leave_token("HT-SHA-256-NONE", 0);
    jab_config cfg = token_config();
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_int_equal(peer_says(&e, SASL2_SUCCESS), JAB_EPROOF);
    sasl2_end(&e, &row);
}

/* XEP-0484 §4.1: and the token that was refused is gone before. */
static void a_refused_token_gives_way_to_the_password(void **state)
{
    (void)state;
    leave_token("HT-SHA-256-NONE", 0);
    jab_config cfg = token_config();
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    peer_clear(&e);
    peer_says(&e, "<failure xmlns='urn:xmpp:sasl:2'><not-authorized "
                  "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>");
    assert_true(peer_sent(&e, "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'>"));
    assert_true(peer_sent(&e, "<request-token xmlns='urn:xmpp:fast:0' "
                              "mechanism='HT-SHA-256-EXPR'/>"));
    jabi_memory m;
    read_row(&m);
    assert_null(m.texts[JABI_MEMORY_TOKEN].p);
    jabi_memory_fini(&m);
    sasl2_end(&e, &row);
}

/* mod_sasl2 of prosody-modules: what it offers counts on a new stream only. */
static void a_server_may_take_no_second_choice(void **state)
{
    (void)state;
    leave_token("HT-SHA-256-NONE", 0);
    jab_config cfg = token_config();
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    peer_says(&e, "<failure xmlns='urn:xmpp:sasl:2'><not-authorized "
                  "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>");
    assert_false(e.s->stream.auth.needs_anew);
    peer_says(&e, "<failure xmlns='urn:xmpp:sasl:2'><invalid-mechanism "
                  "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>");
    assert_int_equal(jab_session_fault(e.s)->code, JAB_EAUTH);
    assert_true(e.s->stream.auth.needs_anew);
    sasl2_end(&e, &row);
}

static void a_token_is_not_used(const jab_tls_info *tls, const char *mechanism, int64_t expiry,
                                unsigned flags)
{
    leave_token(mechanism, expiry);
    jab_config cfg = token_config();
    cfg.login |= flags;
    if (!tls)
        cfg.tls = JAB_TLS_OFF;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, tls, e.now), 0);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_false(peer_sent(&e, "mechanism='HT-SHA-256-NONE'>"));
    assert_false(peer_sent(&e, "<fast"));
    sasl2_end(&e, &row);
}

static void a_token_is_used_only_where_it_is_safe(void **state)
{
    (void)state;
    const jab_tls_info unverified = {.version = 13};
    a_token_is_not_used(&unverified, "HT-SHA-256-NONE", 0, 0);
    a_token_is_not_used(NULL, "HT-SHA-256-NONE", 0, 0);
    a_token_is_not_used(&secure, "HT-SHA-256-UNIQ", 0, 0); /* no such binding on TLS 1.3 */
    a_token_is_not_used(&secure, "HT-SHA-256-EXPR", 1, 0); /* expired in 1970 */
    a_token_is_not_used(&secure, "SCRAM-SHA-1", 0, JAB_LOGIN_NO_FAST);
    leave_token("HT-SHA-256-EXPR", 0);
    jab_config cfg = token_config();
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_true(peer_sent(&e, "HT-SHA-256-EXPR"));
    sasl2_end(&e, &row);
}

static void a_token_may_be_used_for_the_last_time(void **state)
{
    (void)state;
    leave_token("HT-SHA-256-NONE", 0);
    jab_config cfg = token_config();
    cfg.login |= JAB_LOGIN_INVALIDATE;
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_true(peer_sent(&e, "<fast xmlns='urn:xmpp:fast:0' invalidate='true'/>"));
    token_success("");
    jabi_memory m;
    read_row(&m);
    assert_null(m.texts[JABI_MEMORY_TOKEN].p);
    jabi_memory_fini(&m);
    sasl2_end(&e, &row);
}

/* XEP-0386 §3.2: a server ends older sessions with the same id. */
static void in_a_shared_vault_the_id_and_the_token_are_the_others(void **state)
{
    (void)state;
    leave_token("HT-SHA-256-NONE", 0);
    row.is_shared = 1;
    jab_config cfg = token_config();
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    assert_true(peer_sent(&e, "mechanism='SCRAM-SHA-1'"));
    assert_false(peer_sent(&e, "d4565fa7"));
    assert_false(peer_sent(&e, "request-token"));
    assert_int_equal(row.saves, 0);
    sasl2_end(&e, &row);
}

static void a_vault_that_cannot_be_read_ends_the_log_in(void **state)
{
    (void)state;
    row_put(&row, JAB_STR("not what was written"));
    jab_config cfg = token_config();
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(jab_session_connected(e.s, &secure, e.now), JAB_ESTORE);
    assert_false(peer_sent(&e, "auth"));
    assert_non_null(strstr(jab_session_fault(e.s)->text.p, "earlier log-ins"));
    sasl2_end(&e, &row);
}

/* -- Early data ------------------------------------------------------------------------------ */

#define EARLY_FEATURES                                                                             \
    "<features xmlns='http://etherx.jabber.org/streams'>"                                          \
    "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><inline>"           \
    "<fast xmlns='urn:xmpp:fast:0' tls-0rtt='true'><mechanism>HT-SHA-256-EXPR</mechanism>"         \
    "<mechanism>HT-SHA-256-ENDP</mechanism></fast></inline></authentication></features>"

static const jab_tls_info resumable = {.verified = 1, .version = 13, .end_point = {"ppppppp", 7}};

static int early(const char *mechanism, const char *features, unsigned flags)
{
    leave(mechanism, 0, features);
    jab_config cfg = token_config();
    cfg.login = flags;
    assert_int_equal(peer_new(&e, &cfg), 0);
    int begun = jab_session_early(e.s, &resumable, e.now);
    (void)!peer_says(&e, "");
    return begun;
}

/* XEP-0484 §3.4: and each attempt counts, before it is made. */
static void a_token_that_counts_may_leave_before_the_handshake(void **state)
{
    (void)state;
    assert_int_equal(early("HT-SHA-256-ENDP", EARLY_FEATURES, JAB_LOGIN_EARLY_DATA), 1);
    assert_true(peer_sent(&e, "<stream:stream"));
    assert_true(peer_sent(&e, "<fast xmlns='urn:xmpp:fast:0' count='1'/>"));
    jabi_memory m;
    read_row(&m);
    assert_int_equal(m.token_count, 1);
    jabi_memory_fini(&m);
    assert_int_equal(jab_session_early_done(e.s, &secure, e.now), 0);
    assert_int_equal(jab_session_early_done(e.s, &secure, e.now), JAB_ESTATE);
    sasl2_end(&e, &row);
}

static void nothing_else_does(void **state)
{
    (void)state;
    static const struct {
        const char *mechanism, *features;
        unsigned flags;
    } rows[] = {
        {"HT-SHA-256-ENDP", EARLY_FEATURES, 0},
        {"HT-SHA-256-EXPR", EARLY_FEATURES, JAB_LOGIN_EARLY_DATA},
        {"HT-SHA-256-ENDP", NULL, JAB_LOGIN_EARLY_DATA},
        {"SCRAM-SHA-1", EARLY_FEATURES, JAB_LOGIN_EARLY_DATA},
        {"HT-SHA-256-NONE", SASL2_FEATURES, JAB_LOGIN_EARLY_DATA},
        {"HT-SHA-256-ENDP", EARLY_FEATURES, JAB_LOGIN_EARLY_DATA | JAB_LOGIN_NO_PIPELINING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(early(rows[i].mechanism, rows[i].features, rows[i].flags), 0);
        assert_false(peer_sent(&e, "<"));
        assert_int_equal(jab_session_connected(e.s, &secure, e.now), 0);
        (void)!peer_says(&e, "");
        assert_true(peer_sent(&e, "<stream:stream"));
        assert_false(peer_sent(&e, "count="));
        sasl2_end(&e, &row);
    }
}

/* -- Limits -------------------------------------------------------------------------------- */

/* XEP-0478 §4. */
static void the_server_s_limits_are_kept(void **state)
{
    (void)state;
    char long_text[400];
    jab_config cfg = sasl2_config(&e, &row);
    cfg.login |= JAB_LOGIN_BIND2;
    sasl2_start(&e, &cfg);
    peer_says(&e, PEER_HEADER SASL2_FEATURES);
    peer_says(&e,
              SASL2_BOUND "<stream:features><limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>300"
                          "</max-bytes><idle-seconds>20</idle-seconds></limits></stream:features>");
    assert_true(jab_session_online(e.s));
    for (int i = 0; i < 2; i++) {
        memset(long_text, 'x', sizeof long_text);
        jab_out *o = jab_message_to(e.s, JAB_STR("romeo@example.net"), JAB_MSG_CHAT);
        jab_out_body(o, (jab_str){long_text, i ? 20 : sizeof long_text});
        assert_int_equal(jab_out_send(o, 1), i ? 0 : JAB_ELIMIT);
    }
    while (jab_session_out(e.s).n)
        jab_session_out_done(e.s, jab_session_out(e.s).n);
    assert_true(jab_session_deadline(e.s) <= e.now + 10000);
    sasl2_end(&e, &row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_step_logs_in_and_binds),
        cmocka_unit_test(the_user_agent_stays_the_same),
        cmocka_unit_test(without_a_store_the_resource_is_bound_the_older_way),
        cmocka_unit_test(another_accounts_success_is_refused),
        cmocka_unit_test(what_was_not_asked_for_is_refused),
        cmocka_unit_test(a_refusal_is_the_users_to_read),
        cmocka_unit_test(a_bearer_token_s_refusal_says_why),
        cmocka_unit_test(a_further_step_that_is_not_known_ends_it),
        cmocka_unit_test(nobody_gets_a_salted_password_unasked),
        cmocka_unit_test(the_last_stream_goes_on),
        cmocka_unit_test(what_waited_may_come_before_the_features),
        cmocka_unit_test(or_a_new_one_begins),
        cmocka_unit_test(a_token_logs_in_and_is_rotated),
        cmocka_unit_test(a_server_that_does_not_know_the_token_is_not_believed),
        cmocka_unit_test(a_refused_token_gives_way_to_the_password),
        cmocka_unit_test(a_server_may_take_no_second_choice),
        cmocka_unit_test(a_token_is_used_only_where_it_is_safe),
        cmocka_unit_test(a_token_may_be_used_for_the_last_time),
        cmocka_unit_test(in_a_shared_vault_the_id_and_the_token_are_the_others),
        cmocka_unit_test(a_vault_that_cannot_be_read_ends_the_log_in),
        cmocka_unit_test(a_token_that_counts_may_leave_before_the_handshake),
        cmocka_unit_test(nothing_else_does),
        cmocka_unit_test(the_server_s_limits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
