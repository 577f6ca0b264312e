/* chars.h: which characters XML 1.0 allows where, and what references and line ends stand for. */
#ifndef JABI_XML_CHARS_H
#define JABI_XML_CHARS_H

#include <jabiru/base.h>

/* What can be wrong with XML that came in; parser.c gives each its stream error. */
typedef enum jabi_xml_fault {
    JABI_FAULT_NONE = 0,
    JABI_FAULT_PARTIAL, /* the input ends inside a token; not an error */
    JABI_FAULT_MALFORMED,
    JABI_FAULT_RESTRICTED,
    JABI_FAULT_PREFIX,
    JABI_FAULT_ENCODING,
    JABI_FAULT_LIMIT,
    JABI_FAULT_MEMORY,
    JABI_FAULT_COUNT
} jabi_xml_fault;

/* Classes of bytes. A byte of a multi-byte character counts as a name's; whether it
 * really may be in one, jabi_xml_check_name() decides. The colon does not begin a name:
 * Namespaces in XML 1.0 §4. */
#define JABI_CLASS_NAME  1
#define JABI_CLASS_START 2
#define JABI_CLASS_SPACE 4

extern const uint8_t jabi_xml_classes[256];

static inline int jabi_xml_class(char c, int classes)
{
    return jabi_xml_classes[(unsigned char)c] & classes;
}

static inline int jabi_xml_space(char c)
{
    return jabi_xml_class(c, JABI_CLASS_SPACE);
}

/* Whether XML 1.0 §2.2 allows the code point in a document. */
int jabi_xml_char(uint32_t cp);

/* Checks that the bytes are UTF-8 without U+FFFE and U+FFFF. Control characters are not
 * looked at. */
jabi_xml_fault jabi_xml_check_utf8(const char *p, size_t n);

/* Checks a qualified name (Namespaces in XML 1.0 §4) whose bytes are all of class NAME,
 * and tells the length of its prefix, 0 when there is none. */
jabi_xml_fault jabi_xml_check_name(const char *p, size_t n, size_t *prefix_n);

/* Whether the bytes are a name without a colon. */
int jabi_xml_is_ncname(jab_str name);

typedef enum jabi_xml_where { JABI_IN_TEXT, JABI_IN_VALUE, JABI_IN_CDATA } jabi_xml_where;

/*
 * Copies n bytes, references replaced by what they stand for, line ends normalised
 * (XML 1.0 §2.11) and, in an attribute's value, white space too (§3.3.3). `to` has room
 * for n bytes and may be `from`. Sets *written.
 */
jabi_xml_fault jabi_xml_decode(char *to, const char *from, size_t n, jabi_xml_where where,
                               size_t *written);

#endif
