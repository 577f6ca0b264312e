/* test_jid_parts.c: the profiles of the parts: RFC 8265, RFC 5892, RFC 5893, IDNA2008. */
#include "jid_check.h"

#include "base/utf8.h"
#include "jid/jid.h"

#include <stdio.h>
#include <utf8proc.h>

typedef struct row {
    const char *text, *expected; /* expected NULL: refused */
} row;

static void check_rows(const row *rows, size_t n, const char *before, const char *behind)
{
    for (size_t i = 0; i < n; i++) {
        char text[512], expected[512];
        snprintf(text, sizeof text, "%s%s%s", before, rows[i].text, behind);
        snprintf(expected, sizeof expected, "%s%s%s", before,
                 rows[i].expected ? rows[i].expected : "", behind);
        check(text, rows[i].expected ? expected : NULL);
    }
}

#define CHECK_ROWS(rows, before, behind)                                                           \
    check_rows(rows, sizeof(rows) / sizeof *(rows), before, behind)

static void local_parts_follow_username_case_mapped(void **state)
{
    (void)state;
    static const row rows[] = {
        {"Juliet", "juliet"},
        {"\u0416\u0443\u043A", "\u0436\u0443\u043A"},
        {"\u0130", "i\u0307"},      /* full lower case of dotted I */
        {"\u1E9E", "\u00DF"},       /* capital sharp s */
        {"A\u030A", "\u00E5"},      /* case, then NFC */
        {"\uFF21\uFF11", "a1"},     /* fullwidth */
        {"\uFF76\uFF9E", "\u30AC"}, /* halfwidth KA and voicing mark */
        {"a\u0323\u0307", "\u1EA1\u0307"},
        {"a\u0307\u0323", "\u1EA1\u0307"}, /* marks in the other order */
        {"\u0660\u0661", NULL},            /* Arabic digits alone: RFC 5893 §2.1 */
        {"!#$%()*+,-.;=?[\\]^_`{|}~", "!#$%()*+,-.;=?[\\]^_`{|}~"},
        /* RFC 7622 §3.3.1, and what becomes such a character by its width */
        {"a\"b", NULL},
        {"a&b", NULL},
        {"a'b", NULL},
        {"a:b", NULL},
        {"a<b", NULL},
        {"a>b", NULL},
        {"a\uFF20b", NULL},
        {"a\uFF0Fb", NULL},
        {"a\uFF07b", NULL},
        {"a\u3000b", NULL},
        /* controls, and spaces of all kinds */
        {"a\tb", NULL},
        {"a\x7F", NULL},
        {"a\xC2\x85", NULL},
        {"a\u00A0", NULL},
        {"a\u2003", NULL},
        {"\u212A", NULL},       /* Kelvin: HasCompat, checked before case (RFC 8265 §3.3.2) */
        {"\uFB01", NULL},       /* ligature fi */
        {"\u00BD", NULL},       /* one half */
        {"\u221E", NULL},       /* RFC 8265 §3.6, 11 */
        {"\u1F88", NULL},       /* titlecase */
        {"\u1100\u1161", NULL}, /* OldHangulJamo */
        {"\uFFA1", NULL},       /* halfwidth Hangul */
        {"\uD55C\uAE00", "\uD55C\uAE00"},
        {"a\u00AD", NULL},
        {"a\u200B", NULL},
        {"a\uFE0F", NULL},
        {"a\u2060", NULL},
        {"a\u202E", NULL},
        {"\uFDD0", NULL},
        {"\uE000", NULL},
        {"\u0378", NULL},
        {"\U000E0041", NULL},
        {"\u0640", NULL},
        {"\u3031", NULL},
        {"\u302E", NULL},
        {"\u3007", "\u3007"},
        {"\u06FD", "\u06FD"},
        {"\u0F0B", "\u0F0B"},
        {"a\xC0\xAF"
         "b",
         NULL},
        {"a\xED\xA0\x80", NULL},
        {"a\xC3", NULL},
        {"\xF4\x90\x80\x80", NULL},
    };
    CHECK_ROWS(rows, "", "@example.com");
}

/* RFC 5892, appendix A */
static void code_points_that_need_a_context_have_it(void **state)
{
    (void)state;
    static const row rows[] = {
        {"l\u00B7l", "l\u00B7l"},
        {"L\u00B7L", "l\u00B7l"},
        {"l\u00B7", NULL},
        {"\u00B7l", NULL},
        {"a\u00B7l", NULL},
        {"\u0375\u03B1", "\u0375\u03B1"},
        {"\u0375a", NULL},
        {"\u03B1\u0375", NULL},
        {"\u05D0\u05F3", "\u05D0\u05F3"},
        {"\u05D0\u05F4\u05D1", "\u05D0\u05F4\u05D1"},
        {"\u05F3\u05D0", NULL},
        {"\u30A2\u30FB", "\u30A2\u30FB"},
        {"a\u30FB\u4E00", "a\u30FB\u4E00"},
        {"a\u30FB", NULL},
        {"\u0628\u0660", "\u0628\u0660"},
        {"\u0628\u06F0", "\u0628\u06F0"},
        {"\u0628\u0660\u06F0", NULL},
        /* the joiners: after a virama; the non-joiner also between letters that join */
        {"\u0915\u094D\u200D\u0937", "\u0915\u094D\u200D\u0937"},
        {"\u0915\u094D\u200C\u0937", "\u0915\u094D\u200C\u0937"},
        {"\u0915\u200D\u0937", NULL},
        {"a\u200Db", NULL},
        {"\u200Da", NULL},
        {"a\u200C", NULL},
        {"\u0646\u0645\u200C\u0627\u06CC", "\u0646\u0645\u200C\u0627\u06CC"},
        {"\u0628\u064E\u200C\u064E\u0627", "\u0628\u064E\u200C\u064E\u0627"},
        {"\u0627\u200C\u0628", NULL}, /* alef does not join what follows */
        {"\u0628\u200D\u0628", NULL},
    };
    CHECK_ROWS(rows, "", "@example.com");
    static const row in_resources[] = {
        {"l\u00B7l", "l\u00B7l"}, {"a\u00B7b", NULL}, {"a\u200Db", NULL}, {"x\u30FBx", NULL}};
    CHECK_ROWS(in_resources, "example.com/", "");
}

/* RFC 5893 §2 */
static void local_parts_follow_the_bidi_rule(void **state)
{
    (void)state;
    static const row rows[] = {
        {"\u05D0\u05D1", "\u05D0\u05D1"},
        {"\u05D0-1", "\u05D0-1"},
        {"\u05D0\u05B0", "\u05D0\u05B0"}, /* ends in marks */
        {"\u0627\u0661", "\u0627\u0661"},
        {"\u0627\u06611", NULL}, /* both kinds of numbers */
        {"1\u05D0", NULL},
        {"a\u05D0", NULL},
        {"\u05D0a\u05D0", NULL},
        {"\u05D0-", NULL},
        {"-\u05D0", NULL},
        {"a1", "a1"},
    };
    CHECK_ROWS(rows, "", "@example.com");
    static const row in_resources[] = {{"1\u05D0a", "1\u05D0a"}};
    CHECK_ROWS(in_resources, "example.com/", "");
}

/* RFC 8265 §4.3 among others */
static void resources_follow_opaque_string(void **state)
{
    (void)state;
    static const row rows[] = {
        {"correct horse battery staple", "correct horse battery staple"},
        {"Correct Horse Battery Staple", "Correct Horse Battery Staple"},
        {"\u03C0\u00DF\u00E5", "\u03C0\u00DF\u00E5"},
        {"Jack of \u2666s", "Jack of \u2666s"},
        {"foo\u1680bar", "foo bar"},
        {"foo\u00A0\u3000bar", "foo  bar"},
        {"a\u030A", "\u00E5"},
        {"\uFF21", "\uFF21"}, /* widths are kept */
        {"\u2163", "\u2163"},
        {"\u212B", "\u00C5"},
        {"a/b@c/\"<>&':", "a/b@c/\"<>&':"},
        {"", NULL},
        {"my cat is a \tby", NULL},
        {"a\x7F", NULL},
        {"a\xC2\x85", NULL},
        {"a\u200B", NULL},
        {"a\u202E"
         "b",
         NULL},
        {"\uE000", NULL},
        {"\uFFFE", NULL},
        {"\u1100\u1161", NULL},
        {"\xFF", NULL},
        {"a\xE2\x82", NULL},
    };
    CHECK_ROWS(rows, "juliet@example.com/", "");
}

static void domains_follow_idna2008(void **state)
{
    (void)state;
    static const row rows[] = {
        {"EXAMPLE.Com", "example.com"},
        {"example.com.", "example.com"},
        {"localhost", "localhost"},
        {"b\u00FCcher.example", "b\u00FCcher.example"},
        {"B\u00DCCHER.example.", "b\u00FCcher.example"},
        {"bu\u0308cher.example", "b\u00FCcher.example"},
        {"xn--bcher-kva.example", "b\u00FCcher.example"},
        {"XN--BCHER-KVA.example", "b\u00FCcher.example"},
        {"fa\u00DF.de", "fa\u00DF.de"},
        {"xn--fa-hia.de", "fa\u00DF.de"},
        {"\u03B2\u03CC\u03BB\u03BF\u03C2.com", "\u03B2\u03CC\u03BB\u03BF\u03C2.com"},
        {"xn--nxasmm1c.com", "\u03B2\u03CC\u03BB\u03BF\u03C2.com"},
        {"example\uFF0Ecom", "example.com"},
        {"example\u3002com", "example.com"},
        {"example\uFF61com\u3002", "example.com"},
        {"\uFF45xample.com", "example.com"},
        {"\u0646\u0627\u0645\u0647\u200C\u0627\u06CC.com",
         "\u0646\u0627\u0645\u0647\u200C\u0627\u06CC.com"},
        {"\u05D0\u05D1.example", "\u05D0\u05D1.example"},
        /* none of these is a name */
        {"", NULL},
        {".", NULL},
        {"..", NULL},
        {"a..b", NULL},
        {".a", NULL},
        {"a..", NULL},
        {"a.\u3002", NULL},
        {"-a", NULL},
        {"a-", NULL},
        {"a.-b.c", NULL},
        {"ab--cd", NULL},
        {"a b", NULL},
        {"a_b", NULL},
        {"a@b@c", NULL},
        {"a%b", NULL},
        {"a\tb", NULL},
        {"a:5222", NULL},
        {"\u00FC-.de", NULL},
        {"-\u00FC.de", NULL},
        {"ab--\u00FC.de", NULL},
        {"xn--", NULL},
        {"xn--lk--leq", NULL}, /* a capital that libidn2 does not know as one */
        {"xn--a", NULL},
        {"xn--abc-", NULL},
        {"xn--example-", NULL},
        {"xn--bcher-KVA8445foa", NULL},
        {"xn--fa-hi\u00FC", NULL},
        {"xn--bche--kva", NULL}, /* its U-label ends in a hyphen */
        {"xn--ls8h.la", NULL},   /* an emoji */
        {"\U0001F4A9.la", NULL},
        {"\u2665.com", NULL},
        {"\u2163.com", NULL},
        {"\u212A.com", "k.com"},
        {"a\u200Db.com", NULL},
        {"\u0308a.com", NULL},
        {"a\u05D0.com", NULL},
        {"example\uFF0Fcom", NULL},
        {"a\uFF20b.com", NULL},
        {"a\u2024com", NULL},
        {"a\xFF.com", NULL},
        {"\u0378.com", NULL},
    };
    CHECK_ROWS(rows, "a@", "/r");
}

static void domains_may_be_ip_addresses(void **state)
{
    (void)state;
    static const row rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"[2001:DB8::1]", "[2001:db8::1]"},
        {"[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]"},
        {"[fe80::1%25Eth0]", "[fe80::1%25Eth0]"},
        {"[]", NULL},
        {"[", NULL},
        {"[::1", NULL},
        {"::1", NULL},
        {"[::1]x", NULL},
        {"[::g]", NULL},
        {"[192.0.2.1]", NULL},
        {"[fe80::1%eth0]", NULL},
        {"[fe80::1%25]", NULL},
        {"[fe80::1%25a b]", NULL},
        {"[v1.fe80]", NULL},
        {"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]", NULL},
    };
    CHECK_ROWS(rows, "a@", "/r");
    jab_jid jid;
    jab_jid_buf buf;
    assert_int_equal(jab_jid_parse(&jid, (jab_str){"[::1\0]", 6}, &buf), JAB_EJID);
    assert_int_equal(jab_jid_parse(&jid, (jab_str){"a\0b", 3}, &buf), JAB_EJID);
    assert_int_equal(jab_jid_parse(&jid, (jab_str){"\xC3\xBC\0b", 4}, &buf), JAB_EJID);
}

static void domains_become_a_labels(void **state)
{
    (void)state;
    static const row rows[] = {
        {"example.com", "example.com"},
        {"Example.Com.", "example.com"},
        {"b\u00FCcher.example", "xn--bcher-kva.example"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"fa\u00DF.de", "xn--fa-hia.de"}, /* not transitional: not "fass.de" */
        {"\u03B2\u03CC\u03BB\u03BF\u03C2.com", "xn--nxasmm1c.com"},
        {"192.0.2.1", "192.0.2.1"},
        {"[2001:db8::1]", "[2001:db8::1]"},
        {"\u2665.com", NULL},
        {"xn--ls8h.la", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[256];
        int n = jab_jid_domain_ascii(jab_cstr(rows[i].text), out, sizeof out);
        if (!rows[i].expected) {
            assert_int_equal(n, JAB_EJID);
            continue;
        }
        assert_string_equal(out, rows[i].expected);
        assert_int_equal(n, strlen(out));
        assert_int_equal(jab_jid_domain_ascii(jab_cstr(rows[i].text), out, (size_t)n), JAB_ELIMIT);
        assert_int_equal(jab_jid_domain_ascii(jab_cstr(rows[i].text), out, (size_t)n + 1), n);
    }
}

/* -- Properties over random and over all code points ----------------------- */

static uint32_t chance(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Code points in proportions that reach every rule. */
static uint32_t random_cp(uint32_t *seed)
{
    static const struct {
        uint32_t first, n;
    } pools[] = {{'a', 26},       {'A', 26},       {0xC0, 0x240},   {0x300, 0x70},  {0x370, 0x90},
                 {0x400, 0x100},  {0x591, 0x60},   {0x600, 0x100},  {0x900, 0x80},  {0x1100, 0x100},
                 {0x1E00, 0x200}, {0x2000, 0x200}, {0x3000, 0x100}, {0xAC00, 0x80}, {0xF900, 0x100},
                 {0xFE00, 0x1F0}, {0x10A00, 0x60}, {0x1D100, 0x80}, {0, 0x10FFFF}};
    uint32_t pool = chance(seed) % (sizeof pools / sizeof *pools);
    uint32_t cp = pools[pool].first + chance(seed) % pools[pool].n;
    return cp >= 0xD800 && cp < 0xE000 ? 'x' : cp;
}

static size_t random_text(uint32_t *seed, char text[64])
{
    size_t n = 0;
    for (uint32_t k = 1 + chance(seed) % 5; k > 0; k--)
        n += (size_t)jabi_utf8_write(random_cp(seed), text + n);
    text[n] = '\0';
    return n;
}

typedef int (*part_fn)(jab_str text, char *out);

/* Preparing what was prepared changes nothing. Returns whether `text` was accepted. */
static int is_stable(part_fn part, const char *text, size_t n)
{
    char once[JAB_JID_PART_MAX], twice[JAB_JID_PART_MAX];
    int first = part((jab_str){text, n}, once);
    if (first < 0) {
        assert_int_equal(first, JAB_EJID);
        return 0;
    }
    assert_in_range(first, 1, JAB_JID_PART_MAX);
    assert_int_equal(part((jab_str){once, (size_t)first}, twice), first);
    assert_memory_equal(once, twice, (size_t)first);
    return 1;
}

static void preparing_is_idempotent_for_every_code_point(void **state)
{
    (void)state;
    size_t accepted = 0;
    for (uint32_t cp = 1; cp < 0x110000; cp += cp < 0x20000 ? 1 : 61) {
        if (cp >= 0xD800 && cp < 0xE000)
            continue;
        char text[8] = "x";
        size_t n = 1 + (size_t)jabi_utf8_write(cp, text + 1);
        accepted += (size_t)is_stable(jabi_jid_local, text, n);
        is_stable(jabi_jid_opaque, text + 1, n - 1);
        if (cp < 0x3400 || cp % 37 == 0)
            is_stable(jabi_jid_domain, text, n);
    }
    assert_in_range(accepted, 40000, 130000);
}

static void preparing_is_idempotent_for_random_text(void **state)
{
    (void)state;
    uint32_t seed = 7622;
    size_t accepted[3] = {0, 0, 0};
    for (int i = 0; i < 60000; i++) {
        char text[64];
        size_t n = random_text(&seed, text);
        accepted[0] += (size_t)is_stable(jabi_jid_local, text, n);
        accepted[1] += (size_t)is_stable(jabi_jid_opaque, text, n);
        if (i % 4 == 0)
            accepted[2] += (size_t)is_stable(jabi_jid_domain, text, n);
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(accepted[i] > 500);
}

/* Texts that Unicode calls equivalent prepare to the same, when to anything. */
static void equivalent_texts_are_one_address(void **state)
{
    (void)state;
    static const part_fn parts[] = {jabi_jid_local, jabi_jid_opaque, jabi_jid_domain};
    uint32_t seed = 8264;
    size_t compared = 0;
    for (int i = 0; i < 30000; i++) {
        char text[64], a[JAB_JID_PART_MAX], b[JAB_JID_PART_MAX];
        random_text(&seed, text);
        char *other = (char *)(i & 1 ? utf8proc_NFD((const utf8proc_uint8_t *)text)
                                     : utf8proc_NFC((const utf8proc_uint8_t *)text));
        for (size_t k = 0; k < (i % 8 ? 2 : 3) && strcmp(text, other) != 0; k++) {
            int n = parts[k](jab_cstr(text), a), m = parts[k](jab_cstr(other), b);
            if (n < 0 || m < 0)
                continue;
            assert_int_equal(n, m);
            assert_memory_equal(a, b, (size_t)n);
            compared++;
        }
        free(other);
    }
    assert_true(compared > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_parts_follow_username_case_mapped),
        cmocka_unit_test(code_points_that_need_a_context_have_it),
        cmocka_unit_test(local_parts_follow_the_bidi_rule),
        cmocka_unit_test(resources_follow_opaque_string),
        cmocka_unit_test(domains_follow_idna2008),
        cmocka_unit_test(domains_may_be_ip_addresses),
        cmocka_unit_test(domains_become_a_labels),
        cmocka_unit_test(preparing_is_idempotent_for_every_code_point),
        cmocka_unit_test(preparing_is_idempotent_for_random_text),
        cmocka_unit_test(equivalent_texts_are_one_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
