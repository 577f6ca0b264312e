/*
 * scan.h: finds the byte that ends a name, a value or a run of text, and says what kinds of
 * bytes came before it. Each scan is there twice: 16 bytes a step where the machine has SSE2,
 * and byte by byte; the tests hold one against the other.
 */
#ifndef JABI_XML_SCAN_H
#define JABI_XML_SCAN_H

#include "xml/chars.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define JABI_SEEN_HIGH  1u /* a byte of a multi-byte character */
#define JABI_SEEN_COLON 2u /* in names */

/* In values and text: "&" or a control character, and in text ">", which could end "]]>". */
#define JABI_SEEN_SPECIAL 4u

/* The first byte from p on that no name holds, or end. */
static inline const char *jabi_scan_name_scalar(const char *p, const char *end, unsigned *seen)
{
    for (; p < end && jabi_xml_class(*p, JABI_CLASS_NAME); p++) {
        if (*p & '\x80')
            *seen |= JABI_SEEN_HIGH;
        else if (*p == ':')
            *seen |= JABI_SEEN_COLON;
    }
    return p;
}

/* The first `quote` or "<" from p on, or end. */
static inline const char *jabi_scan_value_scalar(const char *p, const char *end, char quote,
                                                 unsigned *seen)
{
    for (; p < end && *p != quote && *p != '<'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c >= 0x80)
            *seen |= JABI_SEEN_HIGH;
        else if (c == '&' || c < 0x20)
            *seen |= JABI_SEEN_SPECIAL;
    }
    return p;
}

/* The first "<" from p on, or end. */
static inline const char *jabi_scan_text_scalar(const char *p, const char *end, unsigned *seen)
{
    for (; p < end && *p != '<'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c >= 0x80)
            *seen |= JABI_SEEN_HIGH;
        else if (c == '&' || c == '>' || c < 0x20)
            *seen |= JABI_SEEN_SPECIAL;
    }
    return p;
}

#if defined(__SSE2__)

#define JABI_LANES 16

/* Lanes that hold a byte from `low` to `low + span`. */
static inline __m128i jabi_lanes_within(__m128i v, char low, char span)
{
    __m128i off = _mm_sub_epi8(v, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(off, _mm_set1_epi8(span)), off);
}

static inline __m128i jabi_lanes_equal(__m128i v, char c)
{
    return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

static inline unsigned jabi_lanes_mask(__m128i v)
{
    return (unsigned)_mm_movemask_epi8(v);
}

static inline const char *jabi_scan_name_sse2(const char *p, const char *end, unsigned *seen)
{
    for (; end - p >= JABI_LANES; p += JABI_LANES) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i letter = jabi_lanes_within(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 25);
        __m128i digit = jabi_lanes_within(v, '0', 10); /* and the colon */
        __m128i point = jabi_lanes_within(v, '-', 1);
        __m128i low = _mm_or_si128(jabi_lanes_equal(v, '_'), jabi_lanes_equal(v, ':'));
        __m128i name = _mm_or_si128(_mm_or_si128(letter, digit), _mm_or_si128(point, low));
        unsigned high = jabi_lanes_mask(v);
        unsigned colon = jabi_lanes_mask(jabi_lanes_equal(v, ':'));
        unsigned stop = (jabi_lanes_mask(name) | high) ^ 0xFFFFu;
        unsigned before = stop ? (stop & -stop) - 1 : 0xFFFFu;
        if ((high | colon) & before)
            *seen |= (high & before ? JABI_SEEN_HIGH : 0) | (colon & before ? JABI_SEEN_COLON : 0);
        if (stop)
            return p + __builtin_ctz(stop);
    }
    return jabi_scan_name_scalar(p, end, seen);
}

/* Adds to *seen what the lanes before the first one in `stop` hold. */
static inline void jabi_lanes_note(__m128i v, __m128i special, unsigned stop, unsigned *seen)
{
    unsigned before = stop ? (stop & -stop) - 1 : 0xFFFFu;
    unsigned high = jabi_lanes_mask(v) & before;
    unsigned odd = jabi_lanes_mask(special) & before;
    *seen |= (high ? JABI_SEEN_HIGH : 0) | (odd ? JABI_SEEN_SPECIAL : 0);
}

static inline const char *jabi_scan_value_sse2(const char *p, const char *end, char quote,
                                               unsigned *seen)
{
    for (; end - p >= JABI_LANES; p += JABI_LANES) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned stop =
            jabi_lanes_mask(_mm_or_si128(jabi_lanes_equal(v, quote), jabi_lanes_equal(v, '<')));
        __m128i special = _mm_or_si128(jabi_lanes_equal(v, '&'), jabi_lanes_within(v, 0, 0x1F));
        jabi_lanes_note(v, special, stop, seen);
        if (stop)
            return p + __builtin_ctz(stop);
    }
    return jabi_scan_value_scalar(p, end, quote, seen);
}

static inline const char *jabi_scan_text_sse2(const char *p, const char *end, unsigned *seen)
{
    for (; end - p >= JABI_LANES; p += JABI_LANES) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned stop = jabi_lanes_mask(jabi_lanes_equal(v, '<'));
        __m128i special =
            _mm_or_si128(_mm_or_si128(jabi_lanes_equal(v, '&'), jabi_lanes_equal(v, '>')),
                         jabi_lanes_within(v, 0, 0x1F));
        jabi_lanes_note(v, special, stop, seen);
        if (stop)
            return p + __builtin_ctz(stop);
    }
    return jabi_scan_text_scalar(p, end, seen);
}

#define jabi_scan_name  jabi_scan_name_sse2
#define jabi_scan_value jabi_scan_value_sse2
#define jabi_scan_text  jabi_scan_text_sse2

#else

#define jabi_scan_name  jabi_scan_name_scalar
#define jabi_scan_value jabi_scan_value_scalar
#define jabi_scan_text  jabi_scan_text_scalar

#endif
#endif
