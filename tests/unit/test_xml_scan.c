/* test_xml_scan.c: the scans in vectors against those byte by byte. */
#include "unit.h"

#include "xml/scan.h"

#if defined(__SSE2__)
static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Both twins stop at the same byte, and have seen the same, for every start and end. */
static void compare_scans(const char *p, const char *end)
{
    unsigned a = 0, b = 0;
    assert_ptr_equal(jabi_scan_name_sse2(p, end, &a), jabi_scan_name_scalar(p, end, &b));
    assert_int_equal(a, b);
    a = b = 0;
    assert_ptr_equal(jabi_scan_text_sse2(p, end, &a), jabi_scan_text_scalar(p, end, &b));
    assert_int_equal(a, b);
    a = b = 0;
    assert_ptr_equal(jabi_scan_value_sse2(p, end, '"', &a),
                     jabi_scan_value_scalar(p, end, '"', &b));
    assert_int_equal(a, b);
}

static void scans_have_equal_twins(void **state)
{
    uint64_t x = 88172645463325252u;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        char bytes[80];
        /* Few odd bytes, so that scans go over several steps. */
        for (size_t i = 0; i < sizeof bytes; i++) {
            uint64_t r = next_random(&x);
            bytes[i] =
                r % 64 < (unsigned)round % 8 ? (char)(r >> 32) : (char)('a' + (r >> 32) % 26);
        }
        for (size_t i = 0; i <= sizeof bytes; i += 1 + (size_t)round % 7)
            compare_scans(bytes + i, bytes + sizeof bytes);
    }
    for (int c = 0; c < 256; c++) {
        char bytes[32];
        memset(bytes, 'a', sizeof bytes);
        for (size_t at = 0; at < sizeof bytes; at++) {
            bytes[at] = (char)c;
            compare_scans(bytes, bytes + sizeof bytes);
            bytes[at] = 'a';
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scans_have_equal_twins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
    return 0; /* there is one kind of scan only */
}
#endif
