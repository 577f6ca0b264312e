/* escape.c: characters that must not stand for themselves. */
#include "xml/escape.h"

#include "xml/scan.h"

/* A line end or a tabulator in a value would come back as a space, and a carriage return in
 * text as a line feed (XML 1.0 §2.11, §3.3.3), so they are written as references. */
static const struct {
    char c;
    int in_text;
    const char *written;
} escapes[] = {
    {'&', 1, "&amp;"},  {'<', 1, "&lt;"},   {'>', 1, "&gt;"},   {'\r', 1, "&#xD;"},
    {'\'', 0, "&#39;"}, {'\n', 0, "&#xA;"}, {'\t', 0, "&#x9;"},
};

static const char *escape_of(char c, jabi_xml_where where)
{
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
        if (escapes[i].c == c)
            return escapes[i].in_text || where == JABI_IN_VALUE ? escapes[i].written : NULL;
    return NULL;
}

void jabi_escape(jabi_sink *sink, jab_str s, jabi_xml_where where)
{
    size_t plain = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char *written = (unsigned char)s.p[i] > '>' ? NULL : escape_of(s.p[i], where);
        if (!written)
            continue;
        jabi_sink_add(sink, s.p + plain, i - plain);
        jabi_sink_add(sink, written, strlen(written));
        plain = i + 1;
    }
    if (plain < s.n)
        jabi_sink_add(sink, s.p + plain, s.n - plain);
}

int jabi_xml_valid_text(jab_str s)
{
    unsigned char high = 0;
    for (size_t i = 0; i < s.n; i++) {
        high |= (unsigned char)s.p[i];
        if ((unsigned char)s.p[i] < 0x20 && !jabi_xml_char((unsigned char)s.p[i]))
            return 0;
    }
    return high < 0x80 || jabi_xml_check_utf8(s.p, s.n) == JABI_FAULT_NONE;
}
