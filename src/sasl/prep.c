/* prep.c: SASLprep (RFC 4013), with the normalisation of utf8proc. */
#include "sasl/prep.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <utf8proc.h>

typedef struct range {
    uint32_t first, last;
} range;

/* RFC 3454 table C.1.2, mapped to a space (RFC 4013 §2.1). */
static const range spaces[] = {{0x00A0, 0x00A0}, {0x1680, 0x1680}, {0x2000, 0x200B},
                               {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};

/* RFC 3454 table B.1, mapped to nothing (RFC 4013 §2.1). U+200B is in both
 * tables; it is a space to the servers' implementations. */
static const range nothing[] = {{0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x1806, 0x1806},
                                {0x180B, 0x180D}, {0x200C, 0x200D}, {0x2060, 0x2060},
                                {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};

/* RFC 4013 §2.3: tables C.1.2 and C.2.1 to C.9 of RFC 3454, merged and in order. */
static const range prohibited[] = {
    {0x0000, 0x001F},   {0x007F, 0x00A0},   {0x0340, 0x0341},   {0x06DD, 0x06DD},
    {0x070F, 0x070F},   {0x1680, 0x1680},   {0x180E, 0x180E},   {0x2000, 0x200F},
    {0x2028, 0x202F},   {0x205F, 0x2063},   {0x206A, 0x206F},   {0x2FF0, 0x2FFB},
    {0x3000, 0x3000},   {0xD800, 0xF8FF},   {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFF},   {0x1D173, 0x1D17A}, {0x1FFFE, 0x1FFFF}, {0x2FFFE, 0x2FFFF},
    {0x3FFFE, 0x3FFFF}, {0x4FFFE, 0x4FFFF}, {0x5FFFE, 0x5FFFF}, {0x6FFFE, 0x6FFFF},
    {0x7FFFE, 0x7FFFF}, {0x8FFFE, 0x8FFFF}, {0x9FFFE, 0x9FFFF}, {0xAFFFE, 0xAFFFF},
    {0xBFFFE, 0xBFFFF}, {0xCFFFE, 0xCFFFF}, {0xDFFFE, 0xDFFFF}, {0xE0001, 0xE0001},
    {0xE0020, 0xE007F}, {0xEFFFE, 0x10FFFF}};

#define IS_IN(table, cp) is_in(table, sizeof(table) / sizeof *(table), cp)

static int is_in(const range *table, size_t n, uint32_t cp)
{
    for (size_t i = 0; i < n; i++)
        if (cp >= table[i].first && cp <= table[i].last)
            return 1;
    return 0;
}

static int is_printable_ascii(jab_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7E)
            return 0;
    return 1;
}

/* RFC 4013 §2.1. The result is no longer than the text. */
static int map(jabi_buf *out, jab_str text)
{
    for (size_t i = 0; i < text.n;) {
        uint32_t cp;
        int len = jabi_utf8_read(text.p + i, text.n - i, &cp);
        if (len <= 0)
            return JAB_EINVAL;
        if (IS_IN(spaces, cp))
            jabi_buf_add_char(out, ' ');
        else if (!IS_IN(nothing, cp))
            jabi_buf_add(out, text.p + i, (size_t)len);
        i += (size_t)len;
    }
    return out->error;
}

static int is_right_to_left(uint32_t cp)
{
    int class = utf8proc_get_property((utf8proc_int32_t)cp)->bidi_class;
    return class == UTF8PROC_BIDI_CLASS_R || class == UTF8PROC_BIDI_CLASS_AL;
}

static int is_left_to_right(uint32_t cp)
{
    return utf8proc_get_property((utf8proc_int32_t)cp)->bidi_class == UTF8PROC_BIDI_CLASS_L;
}

/* RFC 3454 §6: text with a right-to-left character has no left-to-right one
 * and begins and ends right-to-left. */
static int is_bidi_sound(const int32_t *cps, size_t n)
{
    size_t right = 0, left = 0;
    for (size_t i = 0; i < n; i++) {
        right += (size_t)is_right_to_left((uint32_t)cps[i]);
        left += (size_t)is_left_to_right((uint32_t)cps[i]);
    }
    return right == 0 || (left == 0 && is_right_to_left((uint32_t)cps[0]) &&
                          is_right_to_left((uint32_t)cps[n - 1]));
}

static int check_and_write(jabi_buf *out, const int32_t *cps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (IS_IN(prohibited, (uint32_t)cps[i]))
            return JAB_EINVAL;
    if (n == 0 || !is_bidi_sound(cps, n))
        return JAB_EINVAL;
    for (size_t i = 0; i < n; i++) {
        char text[4];
        jabi_buf_add(out, text, (size_t)jabi_utf8_write((uint32_t)cps[i], text));
        jabi_wipe(text, sizeof text);
    }
    return out->error;
}

/* RFC 4013 §2.2: NFKC; then its prohibitions, §2.3 and §2.4. */
static int normalize(jabi_buf *out, jab_str mapped)
{
    static const utf8proc_option_t nfkc = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
    const uint8_t *text = (const uint8_t *)mapped.p;
    utf8proc_ssize_t n = utf8proc_decompose(text, (utf8proc_ssize_t)mapped.n, NULL, 0, nfkc);
    if (n <= 0)
        return JAB_EINVAL;
    size_t size = (size_t)n * sizeof(int32_t);
    int32_t *cps = jabi_alloc0(out->mem, size);
    if (!cps)
        return JAB_ENOMEM;
    int err = JAB_EINVAL;
    n = utf8proc_decompose(text, (utf8proc_ssize_t)mapped.n, cps, n, nfkc);
    if (n > 0)
        n = utf8proc_normalize_utf32(cps, n, nfkc);
    if (n > 0)
        err = check_and_write(out, cps, (size_t)n);
    jabi_wipe(cps, size);
    jabi_free(out->mem, cps);
    return err;
}

int jabi_saslprep(jabi_buf *out, jab_str text)
{
    if (text.n == 0)
        return JAB_EINVAL;
    if (is_printable_ascii(text)) {
        jabi_buf_add_str(out, text);
        return out->error;
    }
    jabi_buf mapped;
    jabi_buf_init(&mapped, out->mem, text.n);
    mapped.secret = 1;
    int err = map(&mapped, text);
    if (err == 0)
        err = normalize(out, jabi_buf_str(&mapped));
    jabi_buf_fini(&mapped);
    return err;
}
