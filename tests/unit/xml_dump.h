/*
 * xml_dump.h: what a parser made of a stream, as one string of bytes that two parsers, or two
 * ways to split the input, must agree on to the byte. It is built in the order of the
 * document, so that one that only tells events can build it too.
 */
#ifndef XML_DUMP_H
#define XML_DUMP_H

#include "base/buf.h"
#include "xml/node.h"

/* Between namespace and local name; no UTF-8 has this byte. */
#define DUMP_SEPARATOR '\xFF'

typedef struct xml_dump {
    jabi_buf *buf;
    int in_text;
} xml_dump;

static inline void dump_mark(xml_dump *d, char mark)
{
    jabi_buf_add_char(d->buf, mark);
    d->in_text = 0;
}

static inline void dump_name(xml_dump *d, jab_str ns, jab_str name)
{
    if (ns.n > 0) {
        jabi_buf_add_str(d->buf, ns);
        jabi_buf_add_char(d->buf, DUMP_SEPARATOR);
    }
    jabi_buf_add_str(d->buf, name);
}

static inline void dump_text(xml_dump *d, jab_str text)
{
    if (text.n == 0)
        return;
    if (!d->in_text)
        dump_mark(d, '\1');
    d->in_text = 1;
    jabi_buf_add_str(d->buf, text);
}

static inline void dump_start(xml_dump *d, const jab_xml *el)
{
    dump_mark(d, '\2');
    dump_name(d, jab_xml_ns(el), jab_xml_name(el));
    for (uint32_t i = 0; i < el->attr_n; i++) {
        const jabi_xml_attr *a = &el->attrs[i];
        dump_mark(d, '\3');
        dump_name(d, jabi_xml_view(a->ns, a->ns_n), jabi_xml_view(a->name, a->name_n));
        dump_mark(d, '\4');
        jabi_buf_add(d->buf, a->value, a->value_n);
    }
    dump_text(d, jabi_xml_view(el->text, el->head_n));
}

static inline void dump_end(xml_dump *d, const jab_xml *el, const jab_xml *top)
{
    dump_mark(d, '\5');
    if (el != top)
        dump_text(d, jabi_xml_view(el->tail, el->tail_n));
}

static inline void dump_tree(xml_dump *d, const jab_xml *top)
{
    const jab_xml *el = top;
    dump_start(d, el);
    for (;;) {
        if (el->first) {
            el = el->first;
            dump_start(d, el);
            continue;
        }
        dump_end(d, el, top);
        while (el != top && !el->next) {
            el = el->parent;
            dump_end(d, el, top);
        }
        if (el == top)
            return;
        el = el->next;
        dump_start(d, el);
    }
}

/* An item, as jabi_xml_parser_next() returned it. */
static inline void dump_item(xml_dump *d, int item, const jab_xml *root)
{
    if (item == JABI_XML_OPEN)
        dump_start(d, root);
    else if (item == JABI_XML_ELEMENT)
        dump_tree(d, root);
    else if (item == JABI_XML_CLOSE)
        dump_mark(d, '\5');
    d->in_text = 0;
}

#endif
