/* test_scram_offer.c: what the server says in SCRAM about its own side of the
 * connection: XEP-0474 (h=) and XEP-0515 (t=). */
#include "unit_scram.h"

#include "sasl/scram.h"

#define N UNIT_NONCE

static jab_str mechanisms[] = {{"SCRAM-SHA-1-PLUS", 16}, {"SCRAM-SHA-1", 11}};
static jab_str bindings[] = {{"tls-server-end-point", 20}, {"tls-exporter", 12}};

static const jabi_sasl_offer both = {mechanisms, bindings, 2, 2, 1, 0};

/* -- The example of both, to the byte (XEP-0515 §4.3) -- */

static int start_example(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    *has_initial = 1;
    return jabi_scram_begin(x, JAB_STR("12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6"), out);
}

#define EXAMPLE_NONCE "12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6"

static void the_example_of_both_is_met(void **state)
{
    (void)state;
    jabi_sasl_mech mech = *jabi_sasl_find(JAB_STR("SCRAM-SHA-1-PLUS"));
    mech.start = start_example;
    jabi_sasl_input in = unit_input();
    in.tls_version = 13;
    in.cb_type = JAB_STR("tls-exporter");
    in.cb_data = JAB_STR("THIS IS FAKE CB DATA");
    unit_sasl t;
    unit_sasl_init(&t, jabi_mem_default(), &mech, &in, NULL);
    jabi_sasl_set_offer(t.x, &both);
    assert_str(jabi_buf_str(&t.out),
               "p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6");
    UNIT_STEP(&t, "r=" EXAMPLE_NONCE ",s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=,"
                  "t=0304");
    assert_int_equal(t.code, JABI_SASL_SEND);
    assert_str(jabi_buf_str(&t.out), "c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,"
                                     "r=" EXAMPLE_NONCE ",p=KHUfN8dSy1K95crT4D5y1ItLJfs=");
    assert_int_equal(jabi_sasl_success(t.x, JAB_STR("v=3w34ZIMVRkx2f2Ozb3/ecRPVdv4=")), 0);
    unit_sasl_fini(&t);
}

/* -- XEP-0474 -- */

/* The answer to a first message that ends in `extensions`. */
static int answer(const char *mech, const jabi_sasl_offer *offer, int tls_version,
                  const char *extensions, char error[160])
{
    char first[400];
    unit_mem u;
    unit_mem_init(&u, 0);
    jabi_sasl_input in = unit_input();
    in.tls_version = tls_version;
    unit_sasl t;
    unit_sasl_init(&t, &u.mem, jabi_sasl_find(jab_cstr(mech)), &in, NULL);
    if (offer)
        jabi_sasl_set_offer(t.x, offer);
    snprintf(first, sizeof first, "r=" N "S,s=" SALT_TEXT ",i=4096%s", extensions);
    unit_sasl_step(&t, jab_cstr(first));
    memcpy(error, t.x->error, 160);
    int code = t.code;
    if (code < 0)
        assert_int_equal(t.out.n, 0);
    unit_sasl_fini(&t);
    assert_int_equal(u.live, 0);
    return code;
}

/* ",h=" and the hash of a text, by OpenSSL alone. */
static void hash_of(const char *md, const char *text, char out[120])
{
    uint8_t digest[64];
    unsigned n;
    assert_int_equal(EVP_Digest(text, strlen(text), digest, &n, EVP_get_digestbyname(md), NULL), 1);
    memcpy(out, ",h=", 3);
    EVP_EncodeBlock((uint8_t *)out + 3, digest, (int)n);
}

static void every_hash_is_the_one_of_the_mechanism(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"SCRAM-SHA-1", "SHA1"}, {"SCRAM-SHA-256", "SHA256"}, {"SCRAM-SHA-512", "SHA512"}};
    for (size_t i = 0; i < 3; i++) {
        char h[120], error[160];
        for (size_t k = 0; k < 3; k++) {
            hash_of(rows[k][1],
                    "SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1ftls-exporter\x1etls-server-end-point", h);
            assert_int_equal(answer(rows[i][0], &both, 0, h, error), i == k ? 0 : JAB_EPROOF);
        }
    }
}

typedef struct offer_row {
    const char *mechanisms[4], *bindings[3];
    int has_bindings;
    const char *text; /* what is hashed (XEP-0474 §6.1) */
} offer_row;

static const offer_row offers[] = {
    {{"PLAIN"}, {0}, 0, "PLAIN"},
    {{"PLAIN"}, {0}, 1, "PLAIN\x1f"},
    {{"PLAIN"}, {"tls-unique"}, 1, "PLAIN\x1ftls-unique"},
    {{"PLAIN", "EXTERNAL"}, {0}, 0, "EXTERNAL\x1ePLAIN"},
    /* i;octet: by bytes, the shorter first. */
    {{"b", "a", "B", "ab"},
     {0},
     0,
     "B\x1e"
     "a\x1e"
     "ab\x1e"
     "b"},
    {{"SCRAM-SHA-256", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS"},
     {"b", "a"},
     1,
     "SCRAM-SHA-1\x1eSCRAM-SHA-256\x1eSCRAM-SHA-256-PLUS\x1f"
     "a\x1e"
     "b"},
    {{"\xc3\xa9", "z"}, {0}, 0, "z\x1e\xc3\xa9"},
};

static size_t views(const char *const *names, size_t max, jab_str *out)
{
    size_t n = 0;
    for (; n < max && names[n]; n++)
        out[n] = jab_cstr(names[n]);
    return n;
}

static void the_offer_is_sorted_and_joined(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof offers / sizeof *offers; i++) {
        char h[120], error[160];
        jab_str names[4], types[3];
        jabi_sasl_offer o = {.mechanisms = names, .bindings = types};
        o.n_mechanisms = views(offers[i].mechanisms, 4, names);
        o.n_bindings = views(offers[i].bindings, 3, types);
        o.has_bindings = offers[i].has_bindings;
        hash_of("SHA1", offers[i].text, h);
        assert_int_equal(answer("SCRAM-SHA-1", &o, 0, h, error), 0);
    }
}

static const char removed[] = "the server offered other mechanisms or channel bindings than those "
                              "that reached us: someone in between removed some";

static void what_somebody_removed_is_noticed(void **state)
{
    (void)state;
    static const char *const sent[] = {
        "SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1eSCRAM-SHA-256\x1ftls-exporter\x1etls-server-end-point",
        "SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1ftls-exporter\x1etls-server-end-point\x1etls-unique",
        "SCRAM-SHA-1\x1ftls-exporter\x1etls-server-end-point",
        "SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS",
        "SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1ftls-exporter",
        "SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1etls-exporter\x1ftls-server-end-point",
        "SCRAM-SHA-1-PLUS\x1eSCRAM-SHA-1\x1ftls-exporter\x1etls-server-end-point",
        "",
    };
    char h[120], error[160];
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        hash_of("SHA1", sent[i], h);
        assert_int_equal(answer("SCRAM-SHA-1", &both, 0, h, error), JAB_EPROOF);
        assert_string_equal(error, removed);
    }
    static const char *const odd[] = {
        ",h=G6k/rBLDqgOhRRaCuuatSDFkJ08", ",h=G6k",
        ",h=g6k/rBLDqgOhRRaCuuatSDFkJ08=", ",h=====", ",h=G6k/rBLDqgOhRRaCuuatSDFkJ08=="};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_int_equal(answer("SCRAM-SHA-1", &both, 0, odd[i], error), JAB_EPROOF);
}

static void an_offer_that_is_not_known_is_not_compared(void **state)
{
    (void)state;
    char error[160];
    assert_int_equal(answer("SCRAM-SHA-1", NULL, 0, ",h=AAAA", error), 0);
    /* And most servers do not know of it. */
    assert_int_equal(answer("SCRAM-SHA-1", &both, 0, "", error), 0);
    assert_int_equal(answer("SCRAM-SHA-1", &both, 0, ",H=AAAA", error), 0);
}

static void a_hash_that_is_needed_is_demanded(void **state)
{
    (void)state;
    char h[120], error[160];
    jabi_sasl_offer needed = both;
    needed.needs_hash = 1;
    hash_of("SHA1", "SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1ftls-exporter\x1etls-server-end-point", h);
    assert_int_equal(answer("SCRAM-SHA-1", &needed, 0, h, error), 0);
    assert_int_equal(answer("SCRAM-SHA-1", &needed, 0, "", error), JAB_EPROOF);
    assert_non_null(strstr(error, "does not confirm"));
    assert_int_equal(answer("SCRAM-SHA-1", &needed, 0, ",h=AAAA", error), JAB_EPROOF);
}

static void an_extension_comes_once(void **state)
{
    (void)state;
    char error[160];
    static const char *const twice[] = {",h=G6k/rBLDqgOhRRaCuuatSDFkJ08=,h=AAAA",
                                        ",h=AAAA,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=",
                                        ",t=0304,t=0303",
                                        ",t=0304,x=1,t=0304",
                                        ",h=",
                                        ",t="};
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++)
        assert_int_equal(answer("SCRAM-SHA-1", &both, 13, twice[i], error), JAB_EPROTO);
    assert_int_equal(
        answer("SCRAM-SHA-1", &both, 13, ",t=0304,x=1,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=", error), 0);
}

/* -- XEP-0515 -- */

static void the_version_of_tls_is_the_same_on_both_sides(void **state)
{
    (void)state;
    static const struct {
        int ours;
        const char *said;
        int code;
    } rows[] = {
        {13, ",t=0304", 0},
        {12, ",t=0303", 0},
        {13, "", 0},
        {0, "", 0},
        {13, ",t=0303", JAB_EPROOF},
        {12, ",t=0304", JAB_EPROOF},
        {0, ",t=0304", JAB_EPROOF},
        {13, ",t=0305", JAB_EPROOF},
        {13, ",t=304", JAB_EPROOF},
        {13, ",t=00304", JAB_EPROOF},
        {13, ",t=x", JAB_EPROOF},
        {11, ",t=0302", JAB_EPROOF},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char error[160];
        assert_int_equal(answer("SCRAM-SHA-256", NULL, rows[i].ours, rows[i].said, error),
                         rows[i].code);
        if (rows[i].code < 0)
            assert_non_null(strstr(error, "does not see our version of TLS"));
    }
}

/* -- Memory -- */

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    size_t at = 0;
    for (int failed = 1; failed;) {
        unit_mem u;
        unit_mem_init(&u, ++at);
        jabi_sasl_input in = unit_input();
        unit_sasl t;
        unit_sasl_init(&t, &u.mem, jabi_sasl_find(JAB_STR("SCRAM-SHA-1")), &in, NULL);
        if (t.code == 0) {
            jabi_sasl_set_offer(t.x, &both);
            UNIT_STEP(&t, "r=" N "S,s=" SALT_TEXT ",i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=");
        }
        failed = u.calls >= at;
        assert_int_equal(t.code, failed ? JAB_ENOMEM : 0);
        unit_sasl_fini(&t);
        assert_int_equal(u.live, 0);
    }
    assert_in_range(at, 8, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_both_is_met),
        cmocka_unit_test(every_hash_is_the_one_of_the_mechanism),
        cmocka_unit_test(the_offer_is_sorted_and_joined),
        cmocka_unit_test(what_somebody_removed_is_noticed),
        cmocka_unit_test(an_offer_that_is_not_known_is_not_compared),
        cmocka_unit_test(a_hash_that_is_needed_is_demanded),
        cmocka_unit_test(an_extension_comes_once),
        cmocka_unit_test(the_version_of_tls_is_the_same_on_both_sides),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
