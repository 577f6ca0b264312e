/* print.c: writes a tree, its prefixes resolved away but for what attributes need. */
#include "xml/escape.h"
#include "xml/node.h"

static jab_str ns_of(const jab_xml *el)
{
    return jabi_xml_view(el->ns ? el->ns : "", el->ns_n);
}

static void put_z(jabi_sink *sink, const char *z)
{
    jabi_sink_add(sink, z, strlen(z));
}

static void put_value(jabi_sink *sink, jab_str value)
{
    put_z(sink, "='");
    jabi_escape(sink, value, JABI_IN_VALUE);
    put_z(sink, "'");
}

static int is_xml_ns(const jabi_xml_attr *a)
{
    return jab_str_is(jabi_xml_view(a->ns, a->ns_n), JABI_NS_XML);
}

/* The first attribute of the element with the namespace of attribute i: its place makes the
 * prefix that both share. */
static uint32_t first_with_ns(const jab_xml *el, uint32_t i)
{
    const jabi_xml_attr *a = el->attrs;
    uint32_t k = 0;
    while (k < i && (!a[k].ns || !jabi_xml_same(a[k].ns, a[k].ns_n, a[i].ns, a[i].ns_n)))
        k++;
    return k;
}

/* "a07:" */
static void put_prefix(jabi_sink *sink, uint32_t number, const char *behind)
{
    char prefix[3] = {'a', (char)('0' + number / 10 % 10), (char)('0' + number % 10)};
    jabi_sink_add(sink, prefix, sizeof prefix);
    put_z(sink, behind);
}

static void put_attr(jabi_sink *sink, const jab_xml *el, uint32_t i)
{
    const jabi_xml_attr *a = &el->attrs[i];
    put_z(sink, " ");
    if (a->ns && is_xml_ns(a)) {
        put_z(sink, "xml:");
    } else if (a->ns) {
        uint32_t number = first_with_ns(el, i);
        if (number == i) {
            put_z(sink, "xmlns:");
            put_prefix(sink, number, "");
            put_value(sink, jabi_xml_view(a->ns, a->ns_n));
            put_z(sink, " ");
        }
        put_prefix(sink, number, ":");
    }
    jabi_sink_add(sink, a->name, a->name_n);
    put_value(sink, jabi_xml_view(a->value, a->value_n));
}

static int is_empty(const jab_xml *el)
{
    return !el->first && el->text_n == 0;
}

/* Namespaces in XML 1.0 §3: this namespace has the prefix "xml" and must not
 * be declared as the default. */
static int has_xml_prefix(const jab_xml *el)
{
    return jab_str_is(ns_of(el), JABI_NS_XML);
}

static void put_name(jabi_sink *sink, const jab_xml *el)
{
    if (has_xml_prefix(el))
        put_z(sink, "xml:");
    jabi_sink_add(sink, el->name, el->name_n);
}

/* The default namespace inside `el`, when it is `ns` around `top`. */
static jab_str ns_inside(const jab_xml *el, const jab_xml *top, jab_str ns)
{
    while (has_xml_prefix(el)) {
        if (el == top)
            return ns;
        el = el->parent;
    }
    return ns_of(el);
}

/* `ns` is the default namespace around the element. */
static void put_start(jabi_sink *sink, const jab_xml *el, jab_str ns)
{
    put_z(sink, "<");
    put_name(sink, el);
    if (!has_xml_prefix(el) && !jab_str_eq(ns_of(el), ns)) {
        put_z(sink, " xmlns");
        put_value(sink, ns_of(el));
    }
    for (uint32_t i = 0; i < el->attr_n; i++)
        put_attr(sink, el, i);
    put_z(sink, is_empty(el) ? "/>" : ">");
    jabi_escape(sink, jabi_xml_view(el->text, el->head_n), JABI_IN_TEXT);
}

static void put_end(jabi_sink *sink, const jab_xml *el)
{
    if (is_empty(el))
        return;
    put_z(sink, "</");
    put_name(sink, el);
    put_z(sink, ">");
}

void jabi_write_tree(jabi_sink *sink, const jab_xml *top, jab_str ns)
{
    const jab_xml *el = top;
    put_start(sink, el, ns);
    /* Few bytes of input can stand for many: a namespace is written where it is used. */
    while (!sink->buf || !sink->buf->error) {
        if (el->first) {
            put_start(sink, el->first, ns_inside(el, top, ns));
            el = el->first;
            continue;
        }
        put_end(sink, el);
        while (el != top && !el->next) {
            jabi_escape(sink, jabi_xml_view(el->tail, el->tail_n), JABI_IN_TEXT);
            el = el->parent;
            put_end(sink, el);
        }
        if (el == top)
            return;
        jabi_escape(sink, jabi_xml_view(el->tail, el->tail_n), JABI_IN_TEXT);
        put_start(sink, el->next, ns_inside(el->parent, top, ns));
        el = el->next;
    }
}

size_t jab_xml_print(const jab_xml *el, char *out, size_t size)
{
    jabi_sink sink = {.out = out, .size = size};
    if (el)
        jabi_write_tree(&sink, el, JAB_STR(""));
    if (size > 0)
        out[sink.n < size ? sink.n : 0] = '\0';
    return sink.n;
}
