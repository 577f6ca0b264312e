/* base64.c: RFC 4648 §4, strict. */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void jabi_base64_encode(jabi_buf *out, const void *p, size_t n)
{
    const uint8_t *b = p;
    char *to = n > SIZE_MAX / 2 ? NULL : jabi_buf_room(out, (n + 2) / 3 * 4);
    if (!to) {
        if (!out->error)
            out->error = JAB_ELIMIT;
        return;
    }
    char *at = to;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)b[i] << 16;
        if (left > 1)
            v |= (uint32_t)b[i + 1] << 8;
        if (left > 2)
            v |= b[i + 2];
        *at++ = digits[v >> 18];
        *at++ = digits[v >> 12 & 63];
        *at++ = left > 1 ? digits[v >> 6 & 63] : '=';
        *at++ = left > 2 ? digits[v & 63] : '=';
    }
    out->n += (size_t)(at - to);
}

static int value_of(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Decodes four digits, the last `pad` of them "="; -1 when it is not strict. */
static int decode_group(const char *p, int pad, uint8_t out[3])
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int d = i < 4 - pad ? value_of(p[i]) : 0;
        if (d < 0)
            return -1;
        v = v << 6 | (uint32_t)d;
    }
    uint32_t stray = pad == 2 ? v & 0xFFFF : pad == 1 ? v & 0xFF : 0;
    if (stray)
        return -1;
    out[0] = (uint8_t)(v >> 16);
    out[1] = (uint8_t)(v >> 8);
    out[2] = (uint8_t)v;
    return 0;
}

int jabi_base64_decode(jabi_buf *out, jab_str text)
{
    if (text.n % 4)
        return JAB_EPROTO;
    for (size_t i = 0; i < text.n; i += 4) {
        const char *p = text.p + i;
        int last = i + 4 == text.n;
        int pad = last && p[3] == '=' ? (p[2] == '=' ? 2 : 1) : 0;
        uint8_t bytes[3];
        if (decode_group(p, pad, bytes) < 0)
            return JAB_EPROTO;
        jabi_buf_add(out, bytes, (size_t)(3 - pad));
    }
    return out->error;
}
