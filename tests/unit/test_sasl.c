/* test_sasl.c: choosing a mechanism, the order of calls, PLAIN, EXTERNAL,
 * ANONYMOUS and SASLprep. */
#include "unit_sasl.h"

#include "sasl/prep.h"

#include <stdio.h>

/* -- The table -- */

static void the_table_is_ordered_and_complete(void **state)
{
    (void)state;
    size_t n;
    const jabi_sasl_mech *const *all = jabi_sasl_mechs(&n);
    assert_int_equal(n, 11);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(jabi_sasl_find(jab_cstr(all[i]->name)), all[i]);
        if (i > 0)
            assert_true(all[i]->strength < all[i - 1]->strength);
        int is_scram = strncmp(all[i]->name, "SCRAM-", 6) == 0;
        assert_int_equal(all[i]->strength > 0, is_scram);
        assert_int_equal(all[i]->binds_channel, strstr(all[i]->name, "-PLUS") != NULL);
        assert_int_equal(all[i]->proves_server,
                         is_scram || strcmp(all[i]->name, "DIGEST-MD5") == 0);
    }
    assert_null(jabi_sasl_find(JAB_STR("SCRAM-MD5")));
    assert_null(jabi_sasl_find(JAB_STR("scram-sha-1")));
    assert_null(jabi_sasl_find((jab_str){NULL, 0}));
}

static void the_floor_knows_what_is_safer(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int class;
    } rows[] = {
        {"EXTERNAL", 6},    {"SCRAM-SHA-512-PLUS", 5}, {"SCRAM-SHA-512", 5}, {"SCRAM-SHA-256", 4},
        {"SCRAM-SHA-1", 3}, {"SCRAM-SHA-1-PLUS", 3},   {"DIGEST-MD5", 2},    {"PLAIN", 1},
        {"ANONYMOUS", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(jabi_sasl_class(jabi_sasl_find(jab_cstr(rows[i].name))), rows[i].class);
}

/* -- Choosing -- */

enum { NO_PASSWORD = 1, NO_USER = 2, CERT = 4, BINDING = 8, BEARER = 16 };

typedef struct choice_row {
    const char *offered; /* separated by blanks */
    const char *allowed;
    int flags;
    const char *chosen; /* NULL: none */
    const char *why;
} choice_row;

static const choice_row choices[] = {
    /* Default: the best SCRAM. */
    {"PLAIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512", NULL, 0, "SCRAM-SHA-512", ""},
    {"SCRAM-SHA-256 SCRAM-SHA-1 PLAIN", NULL, 0, "SCRAM-SHA-256", ""},
    {"SCRAM-SHA-1", NULL, 0, "SCRAM-SHA-1", ""},
    {"SCRAM-SHA-1", "", 0, "SCRAM-SHA-1", ""},
    {"SCRAM-SHA-1", " \t ", 0, "SCRAM-SHA-1", ""},
    /* -PLUS only with a binding, and then before a better hash. */
    {"SCRAM-SHA-1-PLUS SCRAM-SHA-1", NULL, 0, "SCRAM-SHA-1", ""},
    {"SCRAM-SHA-1-PLUS SCRAM-SHA-1 SCRAM-SHA-512", NULL, BINDING, "SCRAM-SHA-1-PLUS", ""},
    {"SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS", NULL, BINDING, "SCRAM-SHA-256-PLUS", ""},
    {"SCRAM-SHA-1-PLUS PLAIN", NULL, 0, NULL,
     "the server offers only SCRAM-SHA-1-PLUS and PLAIN, and there is no channel binding with it "
     "for SCRAM-SHA-1-PLUS"},
    {"SCRAM-SHA-1-PLUS SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", 0, NULL,
     "the server offers only SCRAM-SHA-1-PLUS and SCRAM-SHA-1, and there is no channel binding "
     "with it for SCRAM-SHA-1-PLUS"},
    /* What must be named. */
    {"PLAIN", NULL, 0, NULL,
     "the server offers only PLAIN, which is not allowed by default; --mechanism PLAIN allows it"},
    {"PLAIN DIGEST-MD5", NULL, 0, NULL,
     "the server offers only PLAIN and DIGEST-MD5, none of which is allowed by default; "
     "--mechanism DIGEST-MD5 allows it"},
    {"PLAIN", "PLAIN", 0, "PLAIN", ""},
    {"PLAIN", "plain", 0, "PLAIN", ""},
    {"PLAIN DIGEST-MD5", "PLAIN  DIGEST-MD5 ", 0, "DIGEST-MD5", ""},
    {"PLAIN SCRAM-SHA-1", "PLAIN SCRAM-SHA-1", 0, "SCRAM-SHA-1", ""},
    {"PLAIN SCRAM-SHA-1", "PLAIN", 0, "PLAIN", ""},
    {"PLAIN", "PLAI", 0, NULL, "the server offers only PLAIN, the account allows only PLAI"},
    {"PLAIN", "PLAINX", 0, NULL, "the server offers only PLAIN, the account allows only PLAINX"},
    {"PLAIN SCRAM-SHA-1", "SCRAM-SHA-256 SCRAM-SHA-512", 0, NULL,
     "the server offers only PLAIN and SCRAM-SHA-1, the account allows only SCRAM-SHA-256, "
     "SCRAM-SHA-512"},
    /* Without a password. */
    {"SCRAM-SHA-1 EXTERNAL ANONYMOUS", NULL, CERT, "SCRAM-SHA-1", ""},
    {"SCRAM-SHA-1 EXTERNAL ANONYMOUS", NULL, CERT | NO_PASSWORD, "EXTERNAL", ""},
    {"SCRAM-SHA-1 EXTERNAL ANONYMOUS", "EXTERNAL", CERT, "EXTERNAL", ""},
    {"SCRAM-SHA-1 ANONYMOUS", NULL, NO_PASSWORD | NO_USER, "ANONYMOUS", ""},
    {"SCRAM-SHA-1 ANONYMOUS", "ANONYMOUS", 0, "ANONYMOUS", ""},
    {"ANONYMOUS", NULL, 0, NULL,
     "the server offers only ANONYMOUS, which is not allowed by default; --mechanism ANONYMOUS "
     "allows it"},
    {"ANONYMOUS", NULL, NO_PASSWORD, NULL,
     "the server offers only ANONYMOUS, which is not allowed by default; --mechanism ANONYMOUS "
     "allows it"},
    {"EXTERNAL", NULL, CERT, NULL,
     "the server offers only EXTERNAL, which is not allowed by default; --mechanism EXTERNAL "
     "allows it"},
    /* Only the secret is missing: chosen, and refused by jabi_sasl_new(). */
    {"SCRAM-SHA-1 EXTERNAL", NULL, NO_PASSWORD, "SCRAM-SHA-1", ""},
    {"SCRAM-SHA-1 EXTERNAL", "EXTERNAL", 0, "EXTERNAL", ""},
    {"EXTERNAL SCRAM-SHA-1", "EXTERNAL PLAIN SCRAM-SHA-1", NO_PASSWORD | CERT, "EXTERNAL", ""},
    /* An access token is used where no SCRAM can be, and only then. */
    {"SCRAM-SHA-1 OAUTHBEARER", NULL, BEARER, "SCRAM-SHA-1", ""},
    {"SCRAM-SHA-1 OAUTHBEARER PLAIN", NULL, BEARER | NO_PASSWORD, "OAUTHBEARER", ""},
    {"OAUTHBEARER PLAIN", NULL, BEARER, "OAUTHBEARER", ""},
    {"OAUTHBEARER EXTERNAL", NULL, BEARER | CERT | NO_PASSWORD, "EXTERNAL", ""},
    {"SCRAM-SHA-1 OAUTHBEARER", "OAUTHBEARER", BEARER, "OAUTHBEARER", ""},
    {"SCRAM-SHA-1 OAUTHBEARER", NULL, NO_PASSWORD, "SCRAM-SHA-1", ""},
    {"OAUTHBEARER", "OAUTHBEARER", 0, "OAUTHBEARER", ""},
    {"OAUTHBEARER PLAIN", NULL, 0, NULL,
     "the server offers only OAUTHBEARER and PLAIN, none of which is allowed by default; "
     "--mechanism PLAIN allows it"},
    {"OAUTHBEARER", NULL, 0, NULL,
     "the server offers only OAUTHBEARER, and there is no access token for OAUTHBEARER"},
    /* Odd offers. */
    {"", NULL, 0, NULL, "the server offers no authentication mechanism"},
    {"X-OAUTH2", NULL, 0, NULL, "the server offers only X-OAUTH2, which is not known here"},
    {"X-OAUTH2 GSSAPI X-OAUTH2", NULL, 0, NULL,
     "the server offers only X-OAUTH2 and GSSAPI, none of which is known here"},
    {"X-OAUTH2 SCRAM-SHA-1 SCRAM-SHA-1 X-OAUTH2", NULL, 0, "SCRAM-SHA-1", ""},
    {"scram-sha-1", NULL, 0, NULL, "the server offers no authentication mechanism"},
    {"SCRAM-SHA-1X A-NAME-OF-MORE-THAN-20-CHARACTERS \x1b[31m", NULL, 0, NULL,
     "the server offers only SCRAM-SHA-1X, which is not known here"},
    {"A B C D E F G", NULL, 0, NULL,
     "the server offers only A, B, C, D, E, F and others, none of which is known here"},
};

static size_t split(const char *text, jab_str names[16])
{
    size_t n = 0;
    while (*text && n < 16) {
        size_t len = strcspn(text, " ");
        names[n++] = (jab_str){text, len};
        text += len + (text[len] == ' ');
    }
    return n;
}

static void choosing_follows_the_policy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        const choice_row *row = &choices[i];
        jabi_sasl_input in = unit_input();
        if (row->flags & NO_PASSWORD)
            in.password = (jab_str){NULL, 0};
        if (row->flags & NO_USER)
            in.username = (jab_str){NULL, 0};
        if (row->flags & BINDING) {
            in.cb_type = JAB_STR("tls-exporter");
            in.cb_data = JAB_STR("data");
        }
        if (row->flags & BEARER)
            in.bearer = JAB_STR("token");
        in.has_client_cert = (row->flags & CERT) != 0;
        jab_str names[16];
        char why[256] = "";
        const jabi_sasl_mech *mech = jabi_sasl_choose(names, split(row->offered, names),
                                                      jab_cstr(row->allowed), &in, why, sizeof why);
        assert_string_equal(mech ? mech->name : "none", row->chosen ? row->chosen : "none");
        assert_string_equal(why, row->why);
    }
}

static void the_sentence_keeps_to_its_room(void **state)
{
    (void)state;
    const jab_str offered[] = {JAB_STR("PLAIN")};
    jabi_sasl_input in = unit_input();
    for (size_t room = 0; room < 100; room++) {
        char why[101];
        memset(why, 'x', sizeof why);
        assert_null(jabi_sasl_choose(offered, 1, (jab_str){NULL, 0}, &in, why, room));
        assert_int_equal(why[room], 'x');
        if (room > 0)
            assert_true(strlen(why) < room);
    }
}

/* -- Secrets that are missing -- */

static void missing_secrets_are_told_at_once(void **state)
{
    (void)state;
    static const char *const names[] = {"SCRAM-SHA-1", "DIGEST-MD5",  "PLAIN",
                                        "EXTERNAL",    "OAUTHBEARER", "HT-SHA-256-NONE"};
    for (size_t i = 0; i < 6; i++) {
        jabi_sasl_input in = unit_input();
        in.password = i % 2 ? (jab_str){NULL, 0} : JAB_STR("");
        jabi_sasl *x;
        assert_int_equal(
            jabi_sasl_new(&x, jabi_mem_default(), jabi_sasl_find(jab_cstr(names[i])), &in, NULL),
            JAB_ENOSECRET);
        assert_null(x);
    }
    jabi_sasl_free(NULL);
    jabi_sasl_cache_free(NULL);
}

static void missing_user_names_are_told_before_the_first_byte(void **state)
{
    (void)state;
    static const char *const names[] = {"SCRAM-SHA-1", "DIGEST-MD5", "PLAIN"};
    for (size_t i = 0; i < 3; i++) {
        jabi_sasl_input in = unit_input();
        in.username = (jab_str){NULL, 0};
        unit_sasl t;
        unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(jab_cstr(names[i])), &in, NULL);
        assert_int_equal(t.code, JAB_EINVAL);
        assert_int_equal(t.out.n, 0);
        assert_non_null(strstr(t.x->error, "needs a user name"));
        unit_sasl_fini(&t);
    }
}

/* -- The mechanisms of one message -- */

typedef struct message_row {
    const char *mech;
    jab_str username, password, authzid;
    jab_str message;
} message_row;

#define S(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const message_row messages[] = {
    /* RFC 4616 §4, both examples. */
    {"PLAIN", S("tim"), S("tanstaaftanstaaf"), {NULL, 0}, S("\0tim\0tanstaaftanstaaf")},
    {"PLAIN", S("Kurt"), S("xipj3plmq"), S("Ursel"), S("Ursel\0Kurt\0xipj3plmq")},
    {"PLAIN", S("us\xC3\xA9r"), S(" \xC2\xA0,="), {NULL, 0}, S("\0us\xC3\xA9r\0 \xC2\xA0,=")},
    {"EXTERNAL", S("user"), {NULL, 0}, {NULL, 0}, S("")},
    {"EXTERNAL", S("user"), {NULL, 0}, S("boss@example.org"), S("boss@example.org")},
    /* RFC 4505 §2: message = [ email / token ] */
    {"ANONYMOUS", S("user"), {NULL, 0}, {NULL, 0}, S("")},
};

static void one_message_is_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        const message_row *row = &messages[i];
        unit_mem u;
        unit_mem_init(&u, 0);
        jabi_sasl_input in = unit_input();
        in.username = row->username;
        in.password = row->password;
        in.authzid = row->authzid;
        in.has_client_cert = 1;
        unit_sasl t;
        unit_sasl_init(&t, &u.mem, jabi_sasl_find(jab_cstr(row->mech)), &in, NULL);
        assert_int_equal(t.code, JABI_SASL_SEND);
        assert_int_equal(t.has_initial, 1);
        assert_int_equal(t.out.n, row->message.n);
        if (t.out.n)
            assert_memory_equal(t.out.p, row->message.p, t.out.n);
        assert_int_equal(jabi_sasl_success(t.x, i % 2 ? JAB_STR("") : (jab_str){NULL, 0}), 0);
        unit_sasl_fini(&t);
        assert_int_equal(u.live, 0);
    }
}

static void more_than_one_message_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"PLAIN", "EXTERNAL", "ANONYMOUS"};
    for (size_t i = 0; i < 3; i++) {
        jabi_sasl_input in = unit_input();
        in.has_client_cert = 1;
        unit_sasl t;
        unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(jab_cstr(names[i])), &in, NULL);
        UNIT_STEP(&t, "");
        assert_int_equal(t.code, JAB_EPROTO);
        assert_non_null(strstr(t.x->error, names[i]));
        unit_sasl_fini(&t);
        unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(jab_cstr(names[i])), &in, NULL);
        assert_int_equal(jabi_sasl_success(t.x, JAB_STR("data")), JAB_EPROTO);
        unit_sasl_fini(&t);
    }
}

static void nul_and_bad_utf8_are_not_sent(void **state)
{
    (void)state;
    static const char *const names[] = {"PLAIN", "PLAIN", "PLAIN", "EXTERNAL"};
    static const jab_str bad[] = {S("a\0b"), S("\xFF"), S("\xC3")};
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 3; k++) {
            jabi_sasl_input in = unit_input();
            in.has_client_cert = 1;
            jab_str *const members[] = {&in.username, &in.password, &in.authzid, &in.authzid};
            *members[i] = bad[k];
            unit_sasl t;
            unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(jab_cstr(names[i])), &in, NULL);
            assert_int_equal(t.code, JAB_EINVAL);
            assert_int_equal(t.out.n, 0);
            unit_sasl_fini(&t);
        }
    }
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    static const char *const names[] = {"PLAIN", "EXTERNAL", "ANONYMOUS"};
    jabi_sasl_input in = unit_input();
    in.has_client_cert = 1;
    in.authzid = JAB_STR("boss@example.org");
    for (size_t i = 0; i < 3; i++) {
        int failed = 1;
        for (size_t at = 1; failed; at++) {
            unit_mem u;
            unit_mem_init(&u, at);
            unit_sasl t;
            unit_sasl_init(&t, &u.mem, jabi_sasl_find(jab_cstr(names[i])), &in, NULL);
            failed = u.calls >= at;
            assert_int_equal(t.code, failed ? JAB_ENOMEM : 0);
            unit_sasl_fini(&t);
            assert_int_equal(u.live, 0);
        }
    }
}

/* -- The order of calls -- */

static void calls_out_of_order_are_refused(void **state)
{
    (void)state;
    size_t n;
    const jabi_sasl_mech *const *all = jabi_sasl_mechs(&n);
    for (size_t i = 0; i < n; i++) {
        jabi_sasl_input in = unit_input();
        in.has_client_cert = 1;
        in.bearer = JAB_STR("token");
        in.cb_type = JAB_STR("tls-exporter");
        in.cb_data = JAB_STR("data");
        jabi_buf out;
        jabi_buf_init(&out, jabi_mem_default(), 10000);
        jabi_sasl *x;
        int has_initial;
        assert_int_equal(jabi_sasl_new(&x, jabi_mem_default(), all[i], &in, NULL), 0);
        assert_int_equal(jabi_sasl_step(x, JAB_STR(""), &out), JAB_ESTATE);
        assert_int_equal(jabi_sasl_work(x, &out), JAB_ESTATE);
        assert_int_equal(jabi_sasl_success(x, JAB_STR("")), JAB_ESTATE);
        assert_int_equal(jabi_sasl_start(x, &out, &has_initial), 0);
        assert_int_equal(jabi_sasl_start(x, &out, &has_initial), JAB_ESTATE);
        assert_int_equal(jabi_sasl_work(x, &out), JAB_ESTATE);
        assert_int_equal(jabi_sasl_success(x, (jab_str){NULL, 0}),
                         all[i]->proves_server ? JAB_EPROOF : 0);
        assert_int_equal(jabi_sasl_success(x, (jab_str){NULL, 0}), JAB_ESTATE);
        assert_int_equal(jabi_sasl_step(x, JAB_STR(""), &out), JAB_ESTATE);
        assert_int_equal(jabi_sasl_work(x, &out), JAB_ESTATE);
        assert_int_equal(jabi_sasl_start(x, &out, &has_initial), JAB_ESTATE);
        jabi_sasl_free(x);
        jabi_buf_fini(&out);
    }
}

static void a_challenge_during_work_is_refused(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    unit_sasl t;
    unit_sasl_init(&t, jabi_mem_default(), jabi_sasl_find(JAB_STR("SCRAM-SHA-1")), &in, NULL);
    jab_str first = JAB_STR("r=" UNIT_NONCE "S,s=c2FsdA==,i=100000");
    assert_int_equal(jabi_sasl_step(t.x, first, &t.out), JABI_SASL_WORK);
    assert_int_equal(jabi_sasl_step(t.x, first, &t.out), JAB_EPROTO);
    assert_int_equal(jabi_sasl_work(t.x, &t.out), JAB_ESTATE);
    unit_sasl_fini(&t);
}

/* A buffer that is already in use keeps what it held. */
static void an_error_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    jabi_sasl_input in = unit_input();
    jabi_sasl *x;
    int has_initial;
    jabi_buf out;
    jabi_buf_init(&out, jabi_mem_default(), 10);
    jabi_buf_add_z(&out, "before");
    const jabi_sasl_mech *mech = jabi_sasl_find(JAB_STR("PLAIN"));
    assert_int_equal(jabi_sasl_new(&x, jabi_mem_default(), mech, &in, NULL), 0);
    assert_int_equal(jabi_sasl_start(x, &out, &has_initial), JAB_ELIMIT);
    assert_str(jabi_buf_str(&out), "before");
    jabi_sasl_free(x);
    jabi_buf_fini(&out);
}

/* -- SASLprep -- */

static void saslprep_maps_normalises_and_prohibits(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out; /* NULL: refused */
    } rows[] = {
        /* RFC 4013 §3 */
        {"I\xC2\xADX", "IX"},
        {"user", "user"},
        {"USER", "USER"},
        {"\xC2\xAA", "a"},
        {"\xE2\x85\xA8", "IX"},
        {"\x07", NULL},
        {"\xD8\xA7\x31", NULL},
        /* §2.1: other spaces, and what is mapped to nothing. */
        {"a\xE3\x80\x80"
         "b\xC2\xA0",
         "a b "},
        {"\xE2\x80\x8B", " "},
        {"a\xE2\x80\x8D"
         "b\xEF\xB8\x8F",
         "ab"},
        {"\xC2\xAD\xEF\xBB\xBF", NULL},
        /* §2.2: NFKC. */
        {"e\xCC\x81", "\xC3\xA9"},
        {"\xEF\xBC\xA1\xEF\xAC\x81", "Afi"},
        {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C"},
        /* §2.3: prohibited. */
        {"", NULL},
        {"a\x7F", NULL},
        {"\xC3\xA9\x1F", NULL},
        {"\xC2\x85", NULL},
        {"\xEE\x80\x80", NULL},
        {"\xEF\xBF\xBE", NULL},
        {"\xEF\xB7\x90", NULL},
        {"\xEF\xBF\xBD", NULL},
        {"\xE2\xBF\xB0", NULL},
        {"\xE2\x80\xAE"
         "a",
         NULL},
        {"\xE2\x80\xA8", NULL},
        {"\xF3\xA0\x80\x81", NULL},
        {"\xF4\x8F\xBF\xBF", NULL},
        {"\xF0\x9D\x85\xB3", NULL},
        /* §2.4: right to left alone, with neutral between, but not mixed. */
        {"\xD7\x90\xD7\x91", "\xD7\x90\xD7\x91"},
        {"\xD8\xA7"
         "1\xD8\xA8",
         "\xD8\xA7"
         "1\xD8\xA8"},
        {"\xD7\x90"
         "a\xD7\x91",
         NULL},
        {"1\xD7\x90", NULL},
        /* Unassigned in Unicode 3.2, which a query string may be. */
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
        /* Not UTF-8. */
        {"\xC3", NULL},
        {"a\xFF", NULL},
        {"\xED\xA0\x80", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        jabi_buf out;
        jabi_buf_init(&out, jabi_mem_default(), 100);
        int err = jabi_saslprep(&out, jab_cstr(rows[i].in));
        assert_int_equal(err, rows[i].out ? 0 : JAB_EINVAL);
        assert_str(jabi_buf_str(&out), rows[i].out ? rows[i].out : "");
        jabi_buf_fini(&out);
    }
}

static void saslprep_keeps_to_the_buffer(void **state)
{
    (void)state;
    jabi_buf out;
    jabi_buf_init(&out, jabi_mem_default(), 10);
    /* U+FDFA becomes 18 characters in NFKC. */
    assert_int_equal(jabi_saslprep(&out, JAB_STR("\xEF\xB7\xBA")), JAB_ELIMIT);
    jabi_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_ordered_and_complete),
        cmocka_unit_test(the_floor_knows_what_is_safer),
        cmocka_unit_test(choosing_follows_the_policy),
        cmocka_unit_test(the_sentence_keeps_to_its_room),
        cmocka_unit_test(missing_secrets_are_told_at_once),
        cmocka_unit_test(missing_user_names_are_told_before_the_first_byte),
        cmocka_unit_test(one_message_is_all),
        cmocka_unit_test(more_than_one_message_is_refused),
        cmocka_unit_test(nul_and_bad_utf8_are_not_sent),
        cmocka_unit_test(failing_allocations_are_survived),
        cmocka_unit_test(calls_out_of_order_are_refused),
        cmocka_unit_test(a_challenge_during_work_is_refused),
        cmocka_unit_test(an_error_leaves_the_buffer_as_it_was),
        cmocka_unit_test(saslprep_maps_normalises_and_prohibits),
        cmocka_unit_test(saslprep_keeps_to_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
