/* chars.c: character classes, names, UTF-8 and references of XML 1.0 (Fifth Edition). */
#include "xml/chars.h"

#include "base/utf8.h"

/* clang-format off */
const uint8_t jabi_xml_classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 0, 0, 4, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0,
    0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0, 3,
    0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
};
/* clang-format on */

typedef struct range {
    uint32_t first, last;
} range;

/* NameStartChar beyond ASCII (XML 1.0 §2.3). */
static const range name_starts[] = {
    {0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x2FF},    {0x370, 0x37D},
    {0x37F, 0x1FFF},  {0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF},
    {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
};

/* What NameChar has beyond NameStartChar and ASCII. */
static const range name_others[] = {{0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}};

static int in_ranges(uint32_t cp, const range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cp >= ranges[i].first && cp <= ranges[i].last)
            return 1;
    return 0;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int jabi_xml_char(uint32_t cp)
{
    if (cp < 0x20)
        return cp == '\t' || cp == '\n' || cp == '\r';
    return cp < 0xD800 || (cp > 0xDFFF && cp < 0xFFFE) || (cp > 0xFFFF && cp < 0x110000);
}

/* Skips ASCII from p on, eight bytes a step. */
static const unsigned char *skip_ascii(const unsigned char *p, const unsigned char *end)
{
    uint64_t eight;
    while (end - p >= 8) {
        memcpy(&eight, p, sizeof eight);
        if (eight & 0x8080808080808080u)
            break;
        p += 8;
    }
    while (p < end && *p < 0x80)
        p++;
    return p;
}

jabi_xml_fault jabi_xml_check_utf8(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + n;
    while ((p = skip_ascii(p, end)) < end) {
        /* Two bytes cover most scripts, so they have a short way. */
        while (end - p >= 2 && p[0] >= 0xC2 && p[0] < 0xE0 && (p[1] & 0xC0) == 0x80)
            p += 2;
        if (p == end || *p < 0x80)
            continue;
        uint32_t cp;
        int len = jabi_utf8_read((const char *)p, (size_t)(end - p), &cp);
        if (len <= 0)
            return JABI_FAULT_ENCODING; /* RFC 6120 §4.9.3.22 */
        if (!jabi_xml_char(cp))
            return JABI_FAULT_MALFORMED;
        p += len;
    }
    return JABI_FAULT_NONE;
}

static jabi_xml_fault check_wide_name(const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        int len = jabi_utf8_read(p + i, n - i, &cp);
        if (len <= 0)
            return JABI_FAULT_ENCODING;
        int start = i == 0 || p[i - 1] == ':';
        if (cp >= 0x80 && !in_ranges(cp, name_starts, COUNT(name_starts)) &&
            (start || !in_ranges(cp, name_others, COUNT(name_others))))
            return JABI_FAULT_MALFORMED;
        i += (size_t)len;
    }
    return JABI_FAULT_NONE;
}

jabi_xml_fault jabi_xml_check_name(const char *p, size_t n, size_t *prefix_n)
{
    *prefix_n = 0;
    if (n == 0)
        return JABI_FAULT_MALFORMED;
    const char *colon = memchr(p, ':', n);
    *prefix_n = colon ? (size_t)(colon - p) : 0;
    const char *local = colon ? colon + 1 : p;
    size_t local_n = n - (size_t)(local - p);
    if (local_n == 0 || !jabi_xml_class(*p, JABI_CLASS_START) ||
        !jabi_xml_class(*local, JABI_CLASS_START) || memchr(local, ':', local_n))
        return JABI_FAULT_MALFORMED;
    return check_wide_name(p, n);
}

int jabi_xml_is_ncname(jab_str name)
{
    size_t prefix_n;
    for (size_t i = 0; i < name.n; i++)
        if (!jabi_xml_class(name.p[i], JABI_CLASS_NAME))
            return 0;
    return jabi_xml_check_name(name.p, name.n, &prefix_n) == JABI_FAULT_NONE && prefix_n == 0;
}

/* -- References ------------------------------------------------------------------- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : 16;
}

/* "#38" or "#x26", without "&" and ";". */
static jabi_xml_fault read_number(jab_str ref, uint32_t *cp)
{
    size_t at = 1;
    int base = 10;
    if (ref.n > 1 && ref.p[1] == 'x') {
        base = 16;
        at = 2;
    }
    if (at == ref.n)
        return JABI_FAULT_MALFORMED;
    for (*cp = 0; at < ref.n; at++) {
        int digit = digit_of(ref.p[at]);
        if (digit >= base)
            return JABI_FAULT_MALFORMED;
        /* Any number of digits may come; beyond Unicode the value stands still. */
        if (*cp < 0x110000)
            *cp = *cp * (uint32_t)base + (uint32_t)digit;
    }
    return jabi_xml_char(*cp) ? JABI_FAULT_NONE : JABI_FAULT_MALFORMED;
}

static jabi_xml_fault read_entity(jab_str ref, uint32_t *cp)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};

    for (size_t i = 0; i < COUNT(entities); i++) {
        if (jab_str_is(ref, entities[i].name)) {
            *cp = (unsigned char)entities[i].c;
            return JABI_FAULT_NONE;
        }
    }
    /* RFC 6120 §11.1: no entities but the predefined ones. */
    return jabi_xml_is_ncname(ref) ? JABI_FAULT_RESTRICTED : JABI_FAULT_MALFORMED;
}

/* Replaces the reference at *p, which is an "&". */
static jabi_xml_fault decode_reference(const char **p, const char *end, char **to)
{
    const char *name = *p + 1, *stop = name;
    while (stop < end && (*stop == '#' || jabi_xml_class(*stop, JABI_CLASS_NAME)))
        stop++;
    if (stop == end || *stop != ';')
        return JABI_FAULT_MALFORMED;
    jab_str ref = {name, (size_t)(stop - name)};
    uint32_t cp = 0;
    jabi_xml_fault fault =
        ref.n > 0 && *name == '#' ? read_number(ref, &cp) : read_entity(ref, &cp);
    if (fault)
        return fault;
    char bytes[4];
    size_t n = (size_t)jabi_utf8_write(cp, bytes);
    memcpy(*to, bytes, n);
    *to += n;
    *p = stop + 1;
    return JABI_FAULT_NONE;
}

/* Whether the ">" at p closes a "]]>", which text may not hold (XML 1.0 §2.4). */
static int ends_section(const char *from, const char *p)
{
    return p - from >= 2 && p[-1] == ']' && p[-2] == ']';
}

jabi_xml_fault jabi_xml_decode(char *to, const char *from, size_t n, jabi_xml_where where,
                               size_t *written)
{
    const char *p = from, *end = from + n;
    char *o = to;
    while (p < end) {
        unsigned char c = (unsigned char)*p;
        if (c == '&' && where != JABI_IN_CDATA) {
            jabi_xml_fault fault = decode_reference(&p, end, &o);
            if (fault)
                return fault;
            continue;
        }
        if (c == '>' && where == JABI_IN_TEXT && ends_section(from, p))
            return JABI_FAULT_MALFORMED;
        p++;
        if (c < 0x20) {
            if (!jabi_xml_char(c))
                return JABI_FAULT_MALFORMED;
            if (c == '\r' && p < end && *p == '\n')
                p++;
            c = where == JABI_IN_VALUE ? ' ' : c == '\r' ? '\n' : c;
        }
        *o++ = (char)c;
    }
    *written = (size_t)(o - to);
    return JABI_FAULT_NONE;
}
