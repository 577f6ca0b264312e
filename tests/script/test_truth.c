/* test_truth.c: every offer of mechanisms and channel bindings, with every way to TLS, every
 * floor and both kinds of account, against a model made from the specifications alone:
 * RFC 5802 §6, XEP-0440 §3, RFC 9266 §3 and jabiru/login.h. */
#include "words.h"

typedef enum mechanism_list {
    ALL_OF_THEM,
    NO_PLUS,
    PLAIN_ONLY,
    SHA1_ONLY,
    SHA1_AND_PLUS,
    NONE
} mechanism_list;
typedef enum binding_list { ABSENT, EMPTY, EXPORTER, UNIQUE, END_POINT, UNKNOWN } binding_list;
typedef enum dialects { SASL_1, SASL_2, BOTH } dialects;
typedef enum tls_kind { TLS_12, TLS_13, TLS_NONE, TLS_UNVERIFIED } tls_kind;
typedef enum floor_kind { NO_FLOOR, HAD_BINDING, HAD_SASL2, HAD_SHA256, HAD_TLS13 } floor_kind;
typedef enum policy { BY_DEFAULT, PLAIN_ALLOWED } policy;

/* One row of the table. */
typedef struct question {
    mechanism_list mechanisms;
    binding_list bindings;
    dialects dialects;
    tls_kind tls;
    floor_kind floor;
    policy policy;
} question;

/* Its answer. */
typedef struct answer {
    int code; /* 0: the log-in begins */
    const char *mechanism;
    const char *flag; /* of the gs2 header: "p=tls-exporter", "y", "n"; "" without one */
    int is_sasl2;
} answer;

/* -- The model ---------------------------------------------------------------------------- */

static int offers_plus(const question *q)
{
    return q->mechanisms == ALL_OF_THEM || q->mechanisms == SHA1_AND_PLUS;
}

/* XEP-0440 §2: the list has one type or more; without one it says nothing. */
static int lists_types(const question *q)
{
    return q->bindings != ABSENT && q->bindings != EMPTY;
}

/* RFC 5929, RFC 9266 §3: tls-unique is not defined for TLS 1.3. */
static const char *type_in_common(const question *q)
{
    if (q->bindings == EXPORTER)
        return q->tls != TLS_12 ? "tls-exporter" : NULL; /* given here by TLS 1.3 only */
    if (q->bindings == UNIQUE)
        return q->tls == TLS_12 ? "tls-unique" : NULL;
    return q->bindings == END_POINT ? "tls-server-end-point" : NULL;
}

/* RFC 5802 §6 has the default type, RFC 9266 §3 leaves it for TLS 1.2 as it was. In TLS 1.3
 * it would be tls-exporter, but the servers that name none there bind something else. */
static const char *default_type(const question *q)
{
    return q->tls == TLS_12 && q->dialects == SASL_1 ? "tls-unique" : NULL;
}

static const char *binding_of(const question *q)
{
    if (q->tls == TLS_NONE || !offers_plus(q))
        return NULL;
    return lists_types(q) ? type_in_common(q) : default_type(q);
}

/* XEP-0440 §3, rules 4, 5 and 6: somebody has removed something. */
static int is_stripped(const question *q)
{
    if (q->tls == TLS_NONE || binding_of(q))
        return 0;
    if (!lists_types(q))
        return offers_plus(q) && q->dialects != SASL_1;
    return !offers_plus(q) || q->bindings != END_POINT;
}

static answer scram_for(const question *q)
{
    static const char *const names[2][2] = {{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"},
                                            {"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"}};
    static char flag[40];
    const char *type = binding_of(q);
    int is_sha1 = q->mechanisms == SHA1_ONLY || q->mechanisms == SHA1_AND_PLUS;
    /* Rules 2 and 3 */
    int could = q->tls != TLS_NONE && !offers_plus(q) && !lists_types(q);
    snprintf(flag, sizeof flag, "%s%s", type ? "p=" : could ? "y" : "n", type ? type : "");
    return (answer){0, names[is_sha1][type != NULL], flag, q->dialects != SASL_1};
}

static int has_scram(const question *q)
{
    return q->mechanisms != PLAIN_ONLY && q->mechanisms != NONE;
}

static int has_plain(const question *q)
{
    return q->mechanisms == ALL_OF_THEM || q->mechanisms == NO_PLUS || q->mechanisms == PLAIN_ONLY;
}

/* login.h */
static int sinks(const question *q, const answer *a)
{
    switch (q->floor) {
    case HAD_BINDING:
        return a->flag[0] != 'p';
    case HAD_SASL2:
        return !a->is_sasl2;
    case HAD_SHA256:
        return strncmp(a->mechanism, "SCRAM-SHA-256", 13) != 0;
    case HAD_TLS13:
        return q->tls == TLS_12 || q->tls == TLS_NONE;
    default:
        return 0;
    }
}

static answer failing(int code)
{
    return (answer){.code = code};
}

/* What is missing is said before what is less; that before what looks wrong; TLS last. */
static answer model(const question *q)
{
    int by_plain = q->policy == PLAIN_ALLOWED;
    if (by_plain ? !has_plain(q) : !has_scram(q))
        return failing(JAB_EMECH);
    answer a = by_plain ? (answer){0, "PLAIN", "", q->dialects != SASL_1} : scram_for(q);
    if (sinks(q, &a))
        return failing(JAB_EWEAKER);
    if (!by_plain && is_stripped(q))
        return failing(JAB_EMECH);
    return q->tls == TLS_UNVERIFIED ? failing(JAB_ENOTLS) : a; /* RFC 6120 §13.8 */
}

/* -- The server ----------------------------------------------------------------------------- */

static const char *const mechanisms_text[] = {
    [ALL_OF_THEM] = MECHANISM("SCRAM-SHA-1") MECHANISM("SCRAM-SHA-256-PLUS") MECHANISM("PLAIN")
        MECHANISM("SCRAM-SHA-256") MECHANISM("SCRAM-SHA-1-PLUS"),
    [NO_PLUS] = MECHANISM("PLAIN") MECHANISM("SCRAM-SHA-1") MECHANISM("SCRAM-SHA-256"),
    [PLAIN_ONLY] = MECHANISM("PLAIN"),
    [SHA1_ONLY] = MECHANISM("SCRAM-SHA-1"),
    [SHA1_AND_PLUS] = MECHANISM("SCRAM-SHA-1") MECHANISM("SCRAM-SHA-1-PLUS"),
    [NONE] = "",
};

#define TYPE(t) "<channel-binding type='" t "'/>"
#define TYPES(inside)                                                                              \
    "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>" inside "</sasl-channel-binding>"

static const char *const bindings_text[] = {
    [ABSENT] = "",
    [EMPTY] = TYPES(""),
    [EXPORTER] = TYPES(TYPE("tls-exporter")),
    [UNIQUE] = TYPES(TYPE("tls-unique")),
    [END_POINT] = TYPES(TYPE("tls-server-end-point")),
    [UNKNOWN] = TYPES(TYPE("tls-of-tomorrow")),
};

static const jab_tls_info tls_facts[] = {
    [TLS_12] = {.verified = 1, .version = 12, .unique = {"uuuu", 4}, .end_point = {"pppp", 4}},
    [TLS_13] = {.verified = 1,
                .version = 13,
                .unique = {"uuuu", 4}, /* not to be used */
                .exporter = {"eeee", 4},
                .end_point = {"pppp", 4}},
    [TLS_UNVERIFIED] = {.version = 13, .exporter = {"eeee", 4}, .end_point = {"pppp", 4}},
};

static const jabi_floor floors[] = {
    [HAD_BINDING] = {.binding = 1},
    [HAD_SASL2] = {.sasl2 = 1},
    [HAD_SHA256] = {.mechanism = 4},
    [HAD_TLS13] = {.tls_version = 13},
};

static void leave_floor(const jabi_floor *floor)
{
    jabi_memory m;
    jabi_buf bytes;
    jabi_memory_init(&m, jabi_mem_default(), NULL, JAB_STR("juliet@example.org"));
    m.floor = *floor;
    jabi_buf_init(&bytes, jabi_mem_default(), JAB_VAULT_MAX);
    assert_int_equal(jabi_memory_pack(&m, &bytes), 0);
    row_put(&row, jabi_buf_str(&bytes));
    jabi_buf_fini(&bytes);
    jabi_memory_fini(&m);
}

static void write_features(const question *q, char *out, size_t size)
{
    const char *list = mechanisms_text[q->mechanisms];
    size_t n = (size_t)snprintf(out, size, "<stream:features>%s", bindings_text[q->bindings]);
    if (q->dialects != SASL_2)
        n += (size_t)snprintf(out + n, size - n, "<mechanisms xmlns='" NS_SASL "'>%s</mechanisms>",
                              list);
    if (q->dialects != SASL_1)
        n += (size_t)snprintf(out + n, size - n,
                              "<authentication xmlns='" NS_SASL2 "'>%s</authentication>", list);
    n += (size_t)snprintf(out + n, size - n, "</stream:features>");
    assert_true(n < size);
}

/* -- What the client does --------------------------------------------------------------------- */

static const char *flag_sent(int is_plain)
{
    static char first[TEXT_MAX];
    client_first(first);
    first[strcspn(first, ",")] = '\0';
    return is_plain ? "" : first;
}

static answer ask(const question *q)
{
    char features[2048];
    jab_config cfg = sasl2_config(&e, &row);
    leave_floor(&floors[q->floor]);
    cfg.mechanisms = q->policy == PLAIN_ALLOWED ? JAB_STR("PLAIN") : (jab_str){NULL, 0};
    cfg.tls = q->tls == TLS_NONE ? JAB_TLS_OFF : JAB_TLS_DIRECT;
    assert_int_equal(peer_new(&e, &cfg), 0);
    assert_int_equal(
        jab_session_connected(e.s, q->tls == TLS_NONE ? NULL : &tls_facts[q->tls], e.now), 0);
    write_features(q, features, sizeof features);
    peer_says(&e, PEER_HEADER);
    peer_says(&e, features);
    if (jab_session_error(e.s) < 0) {
        assert_false(peer_sent(&e, "<auth"));
        return failing(jab_session_error(e.s));
    }
    const char *mechanism = jab_session_login(e.s).mechanism.p;
    char said[80];
    snprintf(said, sizeof said, " mechanism='%s'", mechanism);
    assert_true(peer_sent(&e, said));
    return (answer){0, mechanism, flag_sent(strcmp(mechanism, "PLAIN") == 0),
                    peer_sent(&e, "<authenticate ")};
}

static int is_same(const answer *a, const answer *b)
{
    if (a->code || b->code)
        return a->code == b->code;
    return strcmp(a->mechanism, b->mechanism) == 0 && strcmp(a->flag, b->flag) == 0 &&
           a->is_sasl2 == b->is_sasl2;
}

static const char *describe(const answer *a, char *out, size_t size)
{
    if (a->code)
        snprintf(out, size, "%s", jab_errname(a->code));
    else
        snprintf(out, size, "%s %s%s", a->mechanism, a->flag, a->is_sasl2 ? " by SASL2" : "");
    return out;
}

/* -- The table -------------------------------------------------------------------------------- */

static unsigned codes_seen, flags_seen;

static void note(const answer *a)
{
    codes_seen |= a->code == JAB_EMECH ? 1 : a->code == JAB_EWEAKER ? 2 : a->code ? 4 : 8;
    if (!a->code)
        flags_seen |= a->flag[0] == 'p' ? 1 : a->flag[0] == 'y' ? 2 : a->flag[0] == 'n' ? 4 : 8;
}

/* The row of this number. */
static question question_of(unsigned number)
{
    static const unsigned sizes[] = {NONE + 1,           UNKNOWN + 1,   BOTH + 1,
                                     TLS_UNVERIFIED + 1, HAD_TLS13 + 1, PLAIN_ALLOWED + 1};
    unsigned at[6];
    for (size_t i = 0; i < 6; number /= sizes[i++])
        at[i] = number % sizes[i];
    return (question){(mechanism_list)at[0], (binding_list)at[1], (dialects)at[2],
                      (tls_kind)at[3],       (floor_kind)at[4],   (policy)at[5]};
}

#define QUESTIONS                                                                                  \
    ((NONE + 1) * (UNKNOWN + 1) * (BOTH + 1) * (TLS_UNVERIFIED + 1) * (HAD_TLS13 + 1) *            \
     (PLAIN_ALLOWED + 1))

static int compare(unsigned number)
{
    char is[100], should[100];
    question q = question_of(number);
    answer got = ask(&q), expected = model(&q);
    int good = is_same(&got, &expected);
    if (!good)
        print_error("mechanisms %d bindings %d dialects %d tls %d floor %d policy %d: %s, not %s\n",
                    q.mechanisms, q.bindings, q.dialects, q.tls, q.floor, q.policy,
                    describe(&got, is, sizeof is), describe(&expected, should, sizeof should));
    note(&expected);
    sasl2_end(&e, &row);
    return good;
}

static void every_offer_is_answered_as_the_specifications_say(void **state)
{
    (void)state;
    unsigned bad = 0;
    for (unsigned i = 0; i < QUESTIONS; i++)
        bad += !compare(i);
    print_message("# %d combinations\n", QUESTIONS);
    assert_int_equal(bad, 0);
    assert_int_equal(codes_seen, 15); /* each kind of answer is in the table */
    assert_int_equal(flags_seen, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_offer_is_answered_as_the_specifications_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
