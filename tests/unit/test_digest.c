/* test_digest.c: DIGEST-MD5 by RFC 2831's examples, by values computed
 * elsewhere (Python's hashlib), and against servers that break the rules. */
#include "unit_sasl.h"

#include "sasl/digest_md5.h"

#include <stdio.h>

/* -- RFC 2831 §4 -- */

static void rfc2831_section_4_imap_example(void **state)
{
    (void)state;
    jabi_digest_terms t = {.username = JAB_STR("chris"),
                           .password = JAB_STR("secret"),
                           .realm = JAB_STR("elwood.innosoft.com"),
                           .nonce = JAB_STR("OA6MG9tEQGm2hh"),
                           .cnonce = JAB_STR("OA6MHXh6VqTrRk"),
                           .uri = JAB_STR("imap/elwood.innosoft.com"),
                           .nc = 1,
                           .utf8 = 1};
    char rspauth[33];
    jabi_buf out;
    jabi_buf_init(&out, jabi_mem_default(), 4096);
    assert_int_equal(jabi_digest_respond(&t, &out, rspauth), 0);
    assert_str(jabi_buf_str(&out), "charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\","
                                   "nonce=\"OA6MG9tEQGm2hh\",nc=00000001,cnonce=\"OA6MHXh6VqTrRk\","
                                   "digest-uri=\"imap/elwood.innosoft.com\","
                                   "response=d388dad90d4bbd760a152321f2143af7,qop=auth");
    assert_string_equal(rspauth, "ea40f60335c427b5527b84dbabcdfffd");

    /* §2.2: the same with the next nonce count. */
    t.nc = 2;
    jabi_buf_reset(&out);
    assert_int_equal(jabi_digest_respond(&t, &out, rspauth), 0);
    assert_str(jabi_buf_str(&out), "charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\","
                                   "nonce=\"OA6MG9tEQGm2hh\",nc=00000002,cnonce=\"OA6MHXh6VqTrRk\","
                                   "digest-uri=\"imap/elwood.innosoft.com\","
                                   "response=b0b5d72a400655b8306e434566b10efb,qop=auth");
    assert_string_equal(rspauth, "73dd7feae8e84a22b0ad1f92666954d0");
    jabi_buf_fini(&out);
}

static void rfc2831_section_4_acap_example(void **state)
{
    (void)state;
    const jabi_digest_terms t = {.username = JAB_STR("chris"),
                                 .password = JAB_STR("secret"),
                                 .realm = JAB_STR("elwood.innosoft.com"),
                                 .nonce = JAB_STR("OA9BSXrbuRhWay"),
                                 .cnonce = JAB_STR("OA9BSuZWMSpW8m"),
                                 .uri = JAB_STR("acap/elwood.innosoft.com"),
                                 .nc = 1,
                                 .utf8 = 1};
    char rspauth[33];
    jabi_buf out;
    jabi_buf_init(&out, jabi_mem_default(), 4096);
    assert_int_equal(jabi_digest_respond(&t, &out, rspauth), 0);
    assert_str(jabi_buf_str(&out), "charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\","
                                   "nonce=\"OA9BSXrbuRhWay\",nc=00000001,cnonce=\"OA9BSuZWMSpW8m\","
                                   "digest-uri=\"acap/elwood.innosoft.com\","
                                   "response=6084c6db3fede7352c551284490fd0fc,qop=auth");
    assert_string_equal(rspauth, "2f0b3d7c3c2e486600ef710726aa2eae");
    jabi_buf_fini(&out);
}

/* What ejabberd 23.01 accepted, and how it proved itself. */
static void a_real_server_agrees(void **state)
{
    (void)state;
    const jabi_digest_terms t = {.username = JAB_STR("alice"),
                                 .password = JAB_STR("secret-alice"),
                                 .realm = JAB_STR("localhost"),
                                 .nonce = JAB_STR("6927506768572660603"),
                                 .cnonce = JAB_STR("8b578439e17b137bca672fd6c638"),
                                 .uri = JAB_STR("xmpp/localhost"),
                                 .nc = 1,
                                 .utf8 = 1};
    char rspauth[33];
    jabi_buf out;
    jabi_buf_init(&out, jabi_mem_default(), 4096);
    assert_int_equal(jabi_digest_respond(&t, &out, rspauth), 0);
    jabi_buf_add_char(&out, '\0');
    assert_non_null(strstr(out.p, ",response=66ca26f1be6d9ff038cf0661a4fbf14e,"));
    assert_string_equal(rspauth, "cd44faa9ab284e41d8c59ed4855bb3ba");
    jabi_buf_fini(&out);
}

/* -- The exchange -- */

static void begin(unit_sasl *t, const jab_mem *mem, const jabi_sasl_input *in,
                  jabi_sasl_cache *cache)
{
    unit_sasl_init(t, mem, jabi_sasl_find(JAB_STR("DIGEST-MD5")), in, cache);
}

/* A log-in up to our response, which is returned in `text`. */
static int respond_to(const jabi_sasl_input *in, jab_str challenge, char text[4096],
                      char error[160])
{
    unit_mem u;
    unit_mem_init(&u, 0);
    unit_sasl t;
    begin(&t, &u.mem, in, NULL);
    assert_int_equal(t.code, JABI_SASL_SEND);
    assert_int_equal(t.has_initial, 0);
    assert_int_equal(t.out.n, 0);
    unit_sasl_step(&t, challenge);
    int code = t.code;
    memcpy(error, t.x->error, 160);
    snprintf(text, 4096, "%.*s", (int)t.out.n, t.out.n ? t.out.p : "");
    if (code < 0)
        assert_int_equal(jabi_sasl_step(t.x, challenge, &t.out), JAB_ESTATE);
    unit_sasl_fini(&t);
    assert_int_equal(u.live, 0);
    return code;
}

#define CNONCE UNIT_NONCE

/* As ejabberd sends it: no realm, and charset not quoted. */
#define CHALLENGE "nonce=\"N\",qop=\"auth\",charset=utf-8,algorithm=md5-sess"
#define RESPONSE                                                                                   \
    "charset=utf-8,username=\"user\",realm=\"example.org\",nonce=\"N\",nc=00000001,"               \
    "cnonce=\"" CNONCE "\",digest-uri=\"xmpp/example.org\","                                       \
    "response=443ed39001915a754448d5e324b1f3aa,qop=auth"
#define RSPAUTH "rspauth=bf656e3af9317e77b134378bf80916c8"

static void responses_match_values_computed_elsewhere(void **state)
{
    (void)state;
    static const struct {
        const char *username, *password, *authzid, *challenge, *response;
    } rows[] = {
        {"user", "pencil", NULL, CHALLENGE, RESPONSE},
        {"user", "pencil", "", CHALLENGE, RESPONSE},
        /* Quoted or not, any case, spaces and null elements: RFC 2831 §7.1. */
        {"user", "pencil", NULL,
         " ,, NONCE = \"N\" ,\t\r\n QOP=\"auth-int, "
         "auth\",Charset=\"UTF-8\",algorithm=\"MD5-Sess\","
         "maxbuf=65536,cipher=\"3des,rc4\",stale=true,opaque=\"x\",domain=y,new=1,new=2,",
         RESPONSE},
        {"user", "pencil", NULL, "nonce=N,algorithm=md5-sess,charset=utf-8", RESPONSE},
        /* The realm: ours if it is there, else the first. */
        {"user", "pencil", NULL, "realm=\"first\",realm=\"example.org\",realm=\"x\"," CHALLENGE,
         RESPONSE},
        {"user", "pencil", NULL, "realm=\"first\",realm=\"second\"," CHALLENGE,
         "charset=utf-8,username=\"user\",realm=\"first\",nonce=\"N\",nc=00000001,cnonce=\"" CNONCE
         "\",digest-uri=\"xmpp/example.org\",response=dca6cbeb3d27cfedb26b69bbc35ef782,qop=auth"},
        {"user", "pencil", "boss@example.org", CHALLENGE,
         "charset=utf-8,username=\"user\",realm=\"example.org\",nonce=\"N\",nc=00000001,"
         "cnonce=\"" CNONCE "\",digest-uri=\"xmpp/example.org\","
         "response=51eeddda170a63d0c0e14bf83ac3820d,qop=auth,authzid=\"boss@example.org\""},
        /* Quoted pairs are undone before and redone after the computation. */
        {"us\"e\\r", "pencil", NULL,
         "realm=\"re\\\"a\\\\lm\",nonce=\"n\\\"o\",charset=utf-8,algorithm=md5-sess",
         "charset=utf-8,username=\"us\\\"e\\\\r\",realm=\"re\\\"a\\\\lm\",nonce=\"n\\\"o\","
         "nc=00000001,cnonce=\"" CNONCE "\",digest-uri=\"xmpp/example.org\","
         "response=86899134693abe6e705b664c1d72164e,qop=auth"},
        /* §2.1.2.1: text in ISO 8859-1 is hashed in it, though sent as UTF-8. */
        {"us\xC3\xA9r", "p\xC3\xA9ncil", NULL, CHALLENGE,
         "charset=utf-8,username=\"us\xC3\xA9r\",realm=\"example.org\",nonce=\"N\",nc=00000001,"
         "cnonce=\"" CNONCE "\",digest-uri=\"xmpp/example.org\","
         "response=4078432cc7d79319bf4cfd46bee43975,qop=auth"},
        {"us\xC3\xA9r", "p\xE2\x82\xACncil", NULL, CHALLENGE,
         "charset=utf-8,username=\"us\xC3\xA9r\",realm=\"example.org\",nonce=\"N\",nc=00000001,"
         "cnonce=\"" CNONCE "\",digest-uri=\"xmpp/example.org\","
         "response=fc9875533fe4ac15ce360387178f93a5,qop=auth"},
        /* Without charset the user name is sent in ISO 8859-1, too. */
        {"us\xC3\xA9r", "p\xC3\xA9ncil", NULL, "nonce=\"N\",algorithm=md5-sess",
         "username=\"us\xE9r\",realm=\"example.org\",nonce=\"N\",nc=00000001,"
         "cnonce=\"" CNONCE "\",digest-uri=\"xmpp/example.org\","
         "response=4078432cc7d79319bf4cfd46bee43975,qop=auth"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        jabi_sasl_input in = unit_input();
        in.username = jab_cstr(rows[i].username);
        in.password = jab_cstr(rows[i].password);
        in.authzid = jab_cstr(rows[i].authzid);
        char text[4096], error[160];
        assert_int_equal(respond_to(&in, jab_cstr(rows[i].challenge), text, error), 0);
        assert_string_equal(text, rows[i].response);
    }
}

static void what_iso_8859_1_lacks_needs_a_charset(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"user", "\xE2\x82\xAC"}, {"\xE2\x82\xAC", "pencil"}};
    for (size_t i = 0; i < 2; i++) {
        jabi_sasl_input in = unit_input();
        in.username = jab_cstr(rows[i][0]);
        in.password = jab_cstr(rows[i][1]);
        char text[4096], error[160];
        assert_int_equal(respond_to(&in, JAB_STR("nonce=\"N\",algorithm=md5-sess"), text, error),
                         JAB_EUNSUPPORTED);
        assert_non_null(strstr(error, "ISO 8859-1"));
    }
}

static void bad_challenges_are_refused(void **state)
{
    (void)state;
    static const jab_str bad[] = {
#define BAD(literal) {literal, sizeof(literal) - 1}
        BAD(""),
        BAD(","),
        BAD("nonce"),
        BAD("nonce="),
        BAD("=\"N\",algorithm=md5-sess"),
        BAD("qop=\"auth\",algorithm=md5-sess"),
        BAD("nonce=\"\",algorithm=md5-sess"),
        BAD("nonce=\"N\",qop=\"auth\""),
        BAD("nonce=\"N\",algorithm=md5"),
        BAD("nonce=\"N\",algorithm=md5-sess-x"),
        BAD("nonce=\"N\",algorithm=md5-sess,qop=\"auth-int\""),
        BAD("nonce=\"N\",algorithm=md5-sess,qop=\"authx,auth-conf\""),
        BAD("nonce=\"N\",algorithm=md5-sess,qop=\"\""),
        BAD("nonce=\"N\",algorithm=md5-sess,charset=utf-16"),
        BAD("nonce=\"N\",algorithm=md5-sess,charset=\"\""),
        BAD("nonce=\"N\",algorithm=md5-sess,stale=false"),
        BAD("nonce=\"N\",nonce=\"N\",algorithm=md5-sess"),
        BAD("nonce=\"N\",nonce=\"M\",algorithm=md5-sess"),
        BAD("nonce=\"N\",algorithm=md5-sess,algorithm=md5-sess"),
        BAD("nonce=\"N\",algorithm=md5-sess,charset=utf-8,CHARSET=utf-8"),
        BAD("nonce=\"N\",algorithm=md5-sess,qop=\"auth\",qop=\"auth\""),
        BAD("nonce=\"N\",algorithm=md5-sess,maxbuf=1,maxbuf=1"),
        BAD("nonce=\"N\",algorithm=md5-sess,cipher=\"a\",cipher=\"a\""),
        BAD("nonce=\"N\",algorithm=md5-sess,stale=true,stale=true"),
        BAD("nonce=\"N,algorithm=md5-sess"),
        BAD("nonce=\"N\\"),
        BAD("nonce=\"N\\\",algorithm=md5-sess"),
        BAD("nonce=\"N\"x,algorithm=md5-sess"),
        BAD("nonce=\"N\" algorithm=md5-sess"),
        BAD("nonce=\"N\",algorithm=md5-sess;"),
        BAD("nonce=\"N\0\",algorithm=md5-sess"),
        BAD("nonce=\"N\n\",algorithm=md5-sess"),
        BAD("nonce=\"N\\\r\",algorithm=md5-sess"),
        BAD("nonce=\"N\",algorithm=md5-sess\n"),
        BAD("nonce=\"N\",algorithm=md5-sess\0"),
        BAD("rspauth=bf656e3af9317e77b134378bf80916c8"),
    };
    jabi_sasl_input in = unit_input();
    char text[4096], error[160];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(respond_to(&in, bad[i], text, error), JAB_EPROTO);
        assert_true(strlen(error) > 10);
        assert_string_equal(text, "");
    }
}

static void lengths_are_limited(void **state)
{
    (void)state;
    char challenge[3000], text[4096], error[160], pad[2500];
    memset(pad, 'p', sizeof pad);
    jabi_sasl_input in = unit_input();
    int n = (int)strlen(CHALLENGE ",x=");
    snprintf(challenge, sizeof challenge, "%s,x=%.*s", CHALLENGE, 2047 - n, pad);
    assert_int_equal(respond_to(&in, jab_cstr(challenge), text, error), 0);
    snprintf(challenge, sizeof challenge, "%s,x=%.*s", CHALLENGE, 2048 - n, pad);
    assert_int_equal(respond_to(&in, jab_cstr(challenge), text, error), JAB_EPROTO);
    assert_non_null(strstr(error, "too long"));
    /* §2.1.2: our response is less than 4,096 bytes. */
    in.username = (jab_str){pad, sizeof pad};
    in.authzid = (jab_str){pad, 1500};
    assert_int_equal(respond_to(&in, JAB_STR(CHALLENGE), text, error), JAB_ELIMIT);
}

/* -- The server's proof -- */

/* After our response: this in a challenge (if any), then success with that. */
static int finish(const char *challenge, const char *data, char error[160])
{
    unit_mem u;
    unit_mem_init(&u, 0);
    jabi_sasl_input in = unit_input();
    unit_sasl t;
    begin(&t, &u.mem, &in, NULL);
    UNIT_STEP(&t, CHALLENGE);
    assert_int_equal(t.code, JABI_SASL_SEND);
    if (challenge) {
        unit_sasl_step(&t, jab_cstr(challenge));
        assert_int_equal(t.out.n, 0);
    }
    int code = t.code < 0 ? t.code : jabi_sasl_success(t.x, jab_cstr(data));
    memcpy(error, t.x->error, 160);
    assert_int_equal(jabi_sasl_success(t.x, JAB_STR(RSPAUTH)), JAB_ESTATE);
    unit_sasl_fini(&t);
    assert_int_equal(u.live, 0);
    return code;
}

static void rspauth_comes_in_a_challenge_or_with_success(void **state)
{
    (void)state;
    char error[160];
    assert_int_equal(finish(RSPAUTH, NULL, error), 0);
    assert_int_equal(finish(RSPAUTH, "", error), 0);
    assert_int_equal(finish(NULL, RSPAUTH, error), 0);
    assert_int_equal(finish(RSPAUTH, RSPAUTH, error), 0);
    assert_int_equal(finish("rspauth=\"bf656e3af9317e77b134378bf80916c8\"", NULL, error), 0);
}

static void success_without_rspauth_is_failure(void **state)
{
    (void)state;
    char error[160];
    assert_int_equal(finish(NULL, NULL, error), JAB_EPROOF);
    assert_int_equal(finish(NULL, "", error), JAB_EPROOF);
    static const char *const wrong[] = {"rspauth=bf656e3af9317e77b134378bf80916c9",
                                        "rspauth=BF656E3AF9317E77B134378BF80916C8",
                                        "rspauth=443ed39001915a754448d5e324b1f3aa",
                                        "rspauth=bf656e3af9317e77b134378bf80916c",
                                        "rspauth=bf656e3af9317e77b134378bf80916c80",
                                        "rspauth=\"\"",
                                        "nothing=1",
                                        CHALLENGE};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(finish(wrong[i], NULL, error), JAB_EPROOF);
        assert_int_equal(finish(NULL, wrong[i], error), JAB_EPROOF);
        assert_non_null(strstr(error, "proof"));
        assert_int_equal(finish(RSPAUTH, wrong[i], error), JAB_EPROOF);
    }
    assert_int_equal(finish("rspauth", NULL, error), JAB_EPROTO);
    assert_int_equal(finish(RSPAUTH "," RSPAUTH, NULL, error), JAB_EPROTO);
}

static void success_before_any_challenge_is_failure(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    static const char *const data[] = {NULL, "", RSPAUTH, "rspauth=", CHALLENGE};
    for (size_t i = 0; i < 5; i++) {
        unit_sasl t;
        begin(&t, jabi_mem_default(), &in, NULL);
        int code = jabi_sasl_success(t.x, jab_cstr(data[i]));
        assert_int_equal(code, i == 3 ? JAB_EPROTO : JAB_EPROOF);
        unit_sasl_fini(&t);
    }
}

static void one_challenge_more_is_refused(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    unit_sasl t;
    begin(&t, jabi_mem_default(), &in, NULL);
    UNIT_STEP(&t, CHALLENGE);
    UNIT_STEP(&t, RSPAUTH);
    UNIT_STEP(&t, RSPAUTH);
    assert_int_equal(t.code, JAB_EPROTO);
    unit_sasl_fini(&t);
}

/* -- Subsequent authentication, RFC 2831 §2.2 -- */

#define AGAIN                                                                                      \
    "charset=utf-8,username=\"user\",realm=\"example.org\",nonce=\"N\",nc=00000002,"               \
    "cnonce=\"" CNONCE "\",digest-uri=\"xmpp/example.org\","                                       \
    "response=9717f759082397a4dff0fe8145156859,qop=auth"
#define RSPAUTH_AGAIN "rspauth=b2dc65f237300df29209b1266f642146"

/* A first log-in with this cache. */
static void log_in_once(jabi_sasl_cache *cache)
{
    jabi_sasl_input in = unit_input();
    unit_sasl t;
    begin(&t, jabi_mem_default(), &in, cache);
    assert_int_equal(t.has_initial, 0);
    UNIT_STEP(&t, CHALLENGE);
    UNIT_STEP(&t, RSPAUTH);
    assert_int_equal(jabi_sasl_success(t.x, (jab_str){NULL, 0}), 0);
    unit_sasl_fini(&t);
}

static void the_next_log_in_takes_up_the_nonce(void **state)
{
    (void)state;
    jabi_sasl_cache *cache = jabi_sasl_cache_new(jabi_mem_default());
    log_in_once(cache);
    jabi_sasl_input in = unit_input();
    unit_sasl t;
    begin(&t, jabi_mem_default(), &in, cache);
    assert_int_equal(t.has_initial, 1);
    assert_str(jabi_buf_str(&t.out), AGAIN);
    assert_int_equal(jabi_sasl_success(t.x, JAB_STR(RSPAUTH_AGAIN)), 0);
    unit_sasl_fini(&t);

    begin(&t, jabi_mem_default(), &in, cache);
    assert_non_null(strstr(t.out.p, "nc=00000003"));
    /* The proof of an earlier count is none. */
    assert_int_equal(jabi_sasl_success(t.x, JAB_STR(RSPAUTH_AGAIN)), JAB_EPROOF);
    unit_sasl_fini(&t);

    /* What failed is forgotten. */
    begin(&t, jabi_mem_default(), &in, cache);
    assert_int_equal(t.has_initial, 0);
    unit_sasl_fini(&t);
    jabi_sasl_cache_free(cache);
}

static void a_server_may_challenge_anew(void **state)
{
    (void)state;
    static const char *const challenges[] = {CHALLENGE, CHALLENGE ",stale=true"};
    for (size_t i = 0; i < 2; i++) {
        jabi_sasl_cache *cache = jabi_sasl_cache_new(jabi_mem_default());
        log_in_once(cache);
        jabi_sasl_input in = unit_input();
        unit_sasl t;
        begin(&t, jabi_mem_default(), &in, cache);
        assert_int_equal(t.has_initial, 1);
        unit_sasl_step(&t, jab_cstr(challenges[i]));
        assert_str(jabi_buf_str(&t.out), RESPONSE);
        UNIT_STEP(&t, RSPAUTH);
        assert_int_equal(jabi_sasl_success(t.x, (jab_str){NULL, 0}), 0);
        unit_sasl_fini(&t);
        begin(&t, jabi_mem_default(), &in, cache);
        assert_str(jabi_buf_str(&t.out), AGAIN);
        /* But not for ever. */
        unit_sasl_step(&t, jab_cstr(challenges[i]));
        unit_sasl_step(&t, jab_cstr(challenges[i]));
        assert_int_equal(t.code, JAB_EPROOF);
        unit_sasl_fini(&t);
        jabi_sasl_cache_free(cache);
    }
}

static void a_silent_success_is_failure_there_too(void **state)
{
    (void)state;
    jabi_sasl_cache *cache = jabi_sasl_cache_new(jabi_mem_default());
    log_in_once(cache);
    jabi_sasl_input in = unit_input();
    unit_sasl t;
    begin(&t, jabi_mem_default(), &in, cache);
    assert_int_equal(jabi_sasl_success(t.x, (jab_str){NULL, 0}), JAB_EPROOF);
    unit_sasl_fini(&t);
    jabi_sasl_cache_free(cache);
}

static void another_account_starts_afresh(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        jabi_sasl_cache *cache = jabi_sasl_cache_new(jabi_mem_default());
        log_in_once(cache);
        jabi_sasl_input in = unit_input();
        jab_str *const members[] = {&in.username, &in.password, &in.domain, &in.authzid};
        *members[i] = JAB_STR("other");
        unit_sasl t;
        begin(&t, jabi_mem_default(), &in, cache);
        assert_int_equal(t.code, 0);
        assert_int_equal(t.has_initial, 0);
        unit_sasl_fini(&t);
        jabi_sasl_cache_free(cache);
    }
}

/* -- Memory -- */

/* Two log-ins with one cache. */
static int log_in_twice(const jab_mem *mem, jabi_sasl_cache *cache)
{
    jabi_sasl_input in = unit_input();
    int code = 0;
    for (int round = 0; round < 2 && code == 0; round++) {
        unit_sasl t;
        begin(&t, mem, &in, cache);
        const char *rspauth = round == 0 ? RSPAUTH : RSPAUTH_AGAIN;
        if (t.code == 0 && !t.has_initial) {
            UNIT_STEP(&t, CHALLENGE);
            rspauth = RSPAUTH;
        }
        code = t.code == 0 ? jabi_sasl_success(t.x, jab_cstr(rspauth)) : t.code;
        unit_sasl_fini(&t);
    }
    return code;
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    int failed = 1;
    size_t at = 0;
    while (failed) {
        unit_mem u;
        unit_mem_init(&u, ++at);
        jabi_sasl_cache *cache = jabi_sasl_cache_new(&u.mem);
        int code = log_in_twice(&u.mem, cache);
        failed = u.calls >= at;
        /* Without a cache one can still log in; all else must be reported. */
        assert_int_equal(code, failed && cache ? JAB_ENOMEM : 0);
        jabi_sasl_cache_free(cache);
        assert_int_equal(u.live, 0);
    }
    assert_in_range(at, 15, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc2831_section_4_imap_example),
        cmocka_unit_test(rfc2831_section_4_acap_example),
        cmocka_unit_test(a_real_server_agrees),
        cmocka_unit_test(responses_match_values_computed_elsewhere),
        cmocka_unit_test(what_iso_8859_1_lacks_needs_a_charset),
        cmocka_unit_test(bad_challenges_are_refused),
        cmocka_unit_test(lengths_are_limited),
        cmocka_unit_test(rspauth_comes_in_a_challenge_or_with_success),
        cmocka_unit_test(success_without_rspauth_is_failure),
        cmocka_unit_test(success_before_any_challenge_is_failure),
        cmocka_unit_test(one_challenge_more_is_refused),
        cmocka_unit_test(the_next_log_in_takes_up_the_nonce),
        cmocka_unit_test(a_server_may_challenge_anew),
        cmocka_unit_test(a_silent_success_is_failure_there_too),
        cmocka_unit_test(another_account_starts_afresh),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
