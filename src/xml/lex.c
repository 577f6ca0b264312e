/* lex.c: reads start tags, end tags and the XML declaration, each a whole token. */
#include "xml/lex.h"

/* A name, its bytes checked; *p moves behind it. */
static inline jabi_xml_fault lex_name(const char **p, const char *end, uint32_t *n,
                                      uint32_t *prefix_n, unsigned *seen)
{
    const char *name = *p;
    unsigned found = 0;
    const char *stop = jabi_scan_name(name, end, &found);
    if (stop == end)
        return JABI_FAULT_PARTIAL;
    if (!jabi_xml_class(*name, JABI_CLASS_START))
        return JABI_FAULT_MALFORMED;
    *p = stop;
    *n = (uint32_t)(stop - name);
    *prefix_n = 0;
    if (found) {
        size_t prefix;
        jabi_xml_fault fault = jabi_xml_check_name(name, *n, &prefix);
        if (fault)
            return fault;
        *prefix_n = (uint32_t)prefix;
        *seen |= found & JABI_SEEN_HIGH;
    }
    return JABI_FAULT_NONE;
}

static inline jabi_xml_fault skip_space(const char **p, const char *end)
{
    const char *at = *p;
    while (at < end && jabi_xml_space(*at))
        at++;
    *p = at;
    return at < end ? JABI_FAULT_NONE : JABI_FAULT_PARTIAL;
}

static inline int is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* Moves *p from behind a name to behind the quote that opens its value. */
static inline jabi_xml_fault lex_equals(const char **p, const char *end)
{
    /* Nearly always there is no white space. */
    if (end - *p >= 2 && (*p)[0] == '=' && is_quote((*p)[1])) {
        *p += 2;
        return JABI_FAULT_NONE;
    }
    if (skip_space(p, end))
        return JABI_FAULT_PARTIAL;
    if (**p != '=')
        return JABI_FAULT_MALFORMED;
    ++*p;
    if (skip_space(p, end))
        return JABI_FAULT_PARTIAL;
    return is_quote(*(*p)++) ? JABI_FAULT_NONE : JABI_FAULT_MALFORMED;
}

/* `="value"`, from behind the name. */
static inline jabi_xml_fault lex_value(const char **p, const char *end, jabi_lex_attr *attr)
{
    unsigned seen = 0;
    jabi_xml_fault fault = lex_equals(p, end);
    if (fault)
        return fault;
    const char *stop = jabi_scan_value(*p, end, (*p)[-1], &seen);
    if (stop == end)
        return JABI_FAULT_PARTIAL;
    if (*stop == '<')
        return JABI_FAULT_MALFORMED;
    attr->value = *p;
    attr->value_n = (uint32_t)(stop - *p);
    attr->seen = (uint16_t)seen;
    *p = stop + 1;
    return JABI_FAULT_NONE;
}

static inline jabi_attr_kind kind_of(const jabi_lex_attr *attr)
{
    if (attr->name_n < 5 || memcmp(attr->name, "xmlns", 5) != 0)
        return attr->prefix_n ? JABI_ATTR_PREFIXED : JABI_ATTR_PLAIN;
    if (attr->name_n == 5)
        return JABI_ATTR_XMLNS;
    if (attr->prefix_n == 5)
        return JABI_ATTR_PREFIX;
    return attr->prefix_n ? JABI_ATTR_PREFIXED : JABI_ATTR_PLAIN;
}

/* Whether the tag already has an attribute of the name of the newest. */
static int is_duplicate(const jabi_lex_tag *tag, const jabi_lex_attr *newest)
{
    for (const jabi_lex_attr *a = tag->attrs; a < newest; a++)
        if (a->name_n == newest->name_n && memcmp(a->name, newest->name, a->name_n) == 0)
            return 1;
    return 0;
}

/* One attribute. `names` has a bit for every name so far; only when the bit of a new name
 * is taken are the names themselves compared. */
static inline jabi_xml_fault lex_attr(const char **p, const char *end, jabi_lex_tag *tag,
                                      uint64_t *names)
{
    jabi_lex_attr *attr = &tag->attrs[tag->attr_n];
    attr->name = *p;
    jabi_xml_fault fault = lex_name(p, end, &attr->name_n, &attr->prefix_n, &tag->seen);
    if (fault)
        return fault;
    fault = lex_value(p, end, attr);
    if (fault)
        return fault;
    attr->kind = (uint16_t)kind_of(attr);
    tag->seen |= attr->seen;
    tag->plain_n += attr->kind <= JABI_ATTR_PREFIXED;
    tag->prefixed_n += attr->kind == JABI_ATTR_PREFIXED;
    tag->attr_n++;
    uint64_t bit =
        (uint64_t)1 << (((unsigned char)attr->name[0] + 5 * (unsigned)attr->name_n) & 63);
    if ((*names & bit) && is_duplicate(tag, attr))
        return JABI_FAULT_MALFORMED;
    *names |= bit;
    return JABI_FAULT_NONE;
}

jabi_xml_fault jabi_lex_start(const char *p, const char *end, size_t max, jabi_lex_tag *tag)
{
    uint64_t names = 0;
    tag->name = p;
    tag->attr_n = tag->plain_n = tag->prefixed_n = 0;
    tag->seen = 0;
    tag->empty = 0;
    jabi_xml_fault fault = lex_name(&p, end, &tag->name_n, &tag->prefix_n, &tag->seen);
    if (fault)
        return fault;
    for (;;) {
        if (p == end)
            return JABI_FAULT_PARTIAL;
        if (jabi_xml_space(*p)) {
            if (skip_space(&p, end))
                return JABI_FAULT_PARTIAL;
            if (*p != '>' && *p != '/') {
                if (tag->attr_n == max)
                    return JABI_FAULT_LIMIT;
                fault = lex_attr(&p, end, tag, &names);
                if (fault)
                    return fault;
                continue;
            }
        }
        if (*p == '/') {
            if (end - p < 2)
                return JABI_FAULT_PARTIAL;
            tag->empty = 1;
            p++;
        }
        tag->end = p + 1;
        return *p == '>' ? JABI_FAULT_NONE : JABI_FAULT_MALFORMED;
    }
}

jabi_xml_fault jabi_lex_end(const char **p, const char *end, const char *name, size_t name_n)
{
    if ((size_t)(end - *p) <= name_n)
        return JABI_FAULT_PARTIAL;
    if (name_n && memcmp(*p, name, name_n) != 0)
        return JABI_FAULT_MALFORMED;
    const char *stop = *p + name_n;
    if (skip_space(&stop, end))
        return JABI_FAULT_PARTIAL;
    if (*stop != '>')
        return JABI_FAULT_MALFORMED;
    *p = stop + 1;
    return JABI_FAULT_NONE;
}

/* -- The XML declaration --------------------------------------------------------------- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static int same_letters(jab_str a, const char *b)
{
    if (a.n != strlen(b))
        return 0;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b[i]))
            return 0;
    return 1;
}

static jabi_xml_fault check_version(jab_str value)
{
    return jab_str_is(value, "1.0") ? JABI_FAULT_NONE : JABI_FAULT_MALFORMED;
}

static jabi_xml_fault check_encoding(jab_str value)
{
    return same_letters(value, "utf-8") ? JABI_FAULT_NONE : JABI_FAULT_ENCODING;
}

/* RFC 6120 §11.5: it has no meaning in a stream, and "no" may be ignored. */
static jabi_xml_fault check_standalone(jab_str value)
{
    return jab_str_is(value, "yes") || jab_str_is(value, "no") ? JABI_FAULT_NONE
                                                               : JABI_FAULT_MALFORMED;
}

/* In the order that XML 1.0 §2.8 wants. */
static const struct {
    const char *name;
    int required;
    jabi_xml_fault (*check)(jab_str value);
} declared[] = {
    {"version", 1, check_version},
    {"encoding", 0, check_encoding},
    {"standalone", 0, check_standalone},
};

/* Reads ` name="value"` if it is what comes next. */
static jabi_xml_fault lex_declared(const char **at, const char *end, size_t row)
{
    const char *p = *at;
    size_t n = strlen(declared[row].name);
    jabi_lex_attr attr;
    jabi_xml_fault absent = declared[row].required ? JABI_FAULT_MALFORMED : JABI_FAULT_NONE;
    if (!jabi_xml_space(*p) || skip_space(&p, end) || (size_t)(end - p) <= n ||
        memcmp(p, declared[row].name, n) != 0)
        return absent;
    p += n;
    if (lex_value(&p, end, &attr))
        return JABI_FAULT_MALFORMED;
    *at = p;
    return declared[row].check((jab_str){attr.value, attr.value_n});
}

jabi_xml_fault jabi_lex_declaration(const char *p, const char *end)
{
    const size_t open_n = 5;
    if ((size_t)(end - p) < open_n + 2 || memcmp(p, "<?xml", open_n) != 0)
        return JABI_FAULT_RESTRICTED;
    p += open_n;
    if (!jabi_xml_space(*p)) /* "<?xml-stylesheet" is a processing instruction */
        return *p == '?' ? JABI_FAULT_MALFORMED : JABI_FAULT_RESTRICTED;
    for (size_t row = 0; row < sizeof declared / sizeof declared[0]; row++) {
        jabi_xml_fault fault = lex_declared(&p, end, row);
        if (fault)
            return fault;
    }
    if (skip_space(&p, end) || end - p != 2)
        return JABI_FAULT_MALFORMED;
    return JABI_FAULT_NONE;
}
