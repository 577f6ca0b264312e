/* utf8.c: strict UTF-8 (RFC 3629), code point by code point. */
#include "base/utf8.h"

/* The smallest code point that needs this many bytes: less is overlong. */
static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

static int length_of(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2)
        return 0;
    if (lead < 0xE0)
        return 2;
    if (lead < 0xF0)
        return 3;
    return lead < 0xF5 ? 4 : 0;
}

int jabi_utf8_read(const char *p, size_t n, uint32_t *cp)
{
    const unsigned char *b = (const unsigned char *)p;
    int len = length_of(b[0]);
    if (len < 2) {
        *cp = b[0];
        return len;
    }
    uint32_t c = b[0] & (0x7Fu >> len);
    for (int i = 1; i < len; i++) {
        if ((size_t)i >= n)
            return -1;
        if ((b[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (b[i] & 0x3Fu);
        /* The second byte alone decides on overlong, surrogate and range. */
        if (i == 1 && len == 3 && (c < 0x20 || (c >= 0x360 && c < 0x380)))
            return 0;
        if (i == 1 && len == 4 && (c < 0x10 || c >= 0x110))
            return 0;
    }
    if (c < least[len])
        return 0;
    *cp = c;
    return len;
}

int jabi_utf8_write(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    int len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (int i = len - 1; i > 0; i--, cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3F));
    out[0] = (char)((0xF00u >> len) | cp);
    return len;
}

size_t jabi_utf8_whole(jab_str cut)
{
    for (size_t back = 1; back < 4 && back <= cut.n; back++) {
        const char *lead = cut.p + cut.n - back;
        uint32_t cp;
        if (((unsigned char)*lead & 0xC0) != 0x80)
            return jabi_utf8_read(lead, back, &cp) < 0 ? cut.n - back : cut.n;
    }
    return cut.n;
}

int jabi_utf8_valid(jab_str s)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t cp;
        int len = jabi_utf8_read(s.p + i, s.n - i, &cp);
        if (len <= 0)
            return 0;
        i += (size_t)len;
    }
    return 1;
}
