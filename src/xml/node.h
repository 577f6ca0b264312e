/* node.h: what an element is made of. */
#ifndef JABI_XML_NODE_H
#define JABI_XML_NODE_H

#include "xml/xml.h"

#define JABI_NS_XML   "http://www.w3.org/XML/1998/namespace"
#define JABI_NS_XMLNS "http://www.w3.org/2000/xmlns/"

typedef struct jabi_xml_attr {
    const char *name; /* local */
    const char *value;
    const char *ns; /* NULL: in no namespace */
    uint32_t name_n, value_n, ns_n;
} jabi_xml_attr;

/*
 * `text` is all text directly inside, in order: the first head_n bytes of it stand before the
 * first child, and each child's tail_n next bytes behind that child. A tail needs no pointer
 * once its parent is complete; until then `tail` tells where the piece is.
 */
struct jab_xml {
    const jab_xml *parent;
    jab_xml *next;
    jab_xml *first;
    jabi_xml_attr *attrs;
    const char *name;
    const char *ns; /* NULL: none */
    const char *text;
    const char *tail;
    const char *lang; /* in force here; NULL: none */
    uint32_t name_n, ns_n, text_n, head_n, tail_n, lang_n;
    uint32_t attr_n;
};

static inline jab_str jabi_xml_view(const char *p, uint32_t n)
{
    jab_str s = {p, n};
    return s;
}

/* Whether two namespaces are the same; often they are even the same bytes. */
static inline int jabi_xml_same(const char *a, uint32_t a_n, const char *b, uint32_t b_n)
{
    return a_n == b_n && (a == b || a_n == 0 || memcmp(a, b, a_n) == 0);
}

#endif
