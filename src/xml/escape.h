/* escape.h: writes XML into a buffer that grows, or into room that may be too small. */
#ifndef JABI_XML_ESCAPE_H
#define JABI_XML_ESCAPE_H

#include "xml/chars.h"
#include "xml/xml.h"

/* Where XML text goes: to `buf`, or when that is NULL to `out`, as far as `size` allows. */
typedef struct jabi_sink {
    jabi_buf *buf;
    char *out;
    size_t size;
    size_t n; /* bytes written to `out`, or that would have been */
} jabi_sink;

static inline void jabi_sink_add(jabi_sink *sink, const char *p, size_t n)
{
    if (sink->buf) {
        jabi_buf_add(sink->buf, p, n);
        return;
    }
    if (n > 0 && sink->n < sink->size && n <= sink->size - sink->n)
        memcpy(sink->out + sink->n, p, n);
    sink->n += n;
}

/* Writes text, or an attribute's value to stand in single quotes, so that a parser gets back
 * the same bytes. They must be valid. */
void jabi_escape(jabi_sink *sink, jab_str s, jabi_xml_where where);

/* Whether the bytes are UTF-8 of characters that XML allows. */
int jabi_xml_valid_text(jab_str s);

/* Writes an element with all in it. `ns` is the default namespace around it. */
void jabi_write_tree(jabi_sink *sink, const jab_xml *el, jab_str ns);

#endif
