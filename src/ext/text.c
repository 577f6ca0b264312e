/* text.c: small readings of text that several extensions need. */
#include "ext/text.h"

#include <stdio.h>

#define NS_XML "http://www.w3.org/XML/1998/namespace"

int jabi_number(jab_str text, uint64_t max, uint64_t *value)
{
    uint64_t v = 0;
    if (text.n == 0)
        return JAB_EINVAL;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return JAB_EINVAL;
        unsigned digit = (unsigned)(text.p[i] - '0');
        if (digit > max || v > (max - digit) / 10)
            return JAB_EINVAL;
        v = v * 10 + digit;
    }
    *value = v;
    return 0;
}

static jab_str number_text(char buf[24], uint64_t value)
{
    int n = snprintf(buf, 24, "%llu", (unsigned long long)value);
    return (jab_str){buf, (size_t)n};
}

void jabi_out_attr_number(jab_out *o, const char *name, uint64_t value)
{
    char buf[24];
    jab_out_attr(o, name, number_text(buf, value));
}

void jabi_out_leaf_number(jab_out *o, const char *name, uint64_t value)
{
    char buf[24];
    jab_out_leaf(o, name, number_text(buf, value));
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* How much two language tags have in common: 3 all, 2 the primary tag, 0 none
 * (RFC 5646 §2.1.1: case does not count). */
static int lang_fit(jab_str a, jab_str b)
{
    size_t i = 0;
    while (i < a.n && i < b.n && lower(a.p[i]) == lower(b.p[i]))
        i++;
    int a_ends = i == a.n || a.p[i] == '-';
    int b_ends = i == b.n || b.p[i] == '-';
    if (i == 0)
        return 0;
    if (i == a.n && i == b.n)
        return 3;
    if (a_ends && b_ends)
        return 2;
    return memchr(a.p, '-', i) != NULL ? 2 : 0;
}

const jab_xml *jabi_child_in(const jab_xml *el, const char *name, jab_str lang)
{
    const jab_xml *best = NULL;
    int best_fit = -1;
    for (const jab_xml *c = jab_xml_child(el, NULL, name); c;
         c = jab_xml_next_named(c, NULL, name)) {
        int fit = lang_fit(jab_xml_lang(c), lang);
        if (fit == 0)
            fit = jab_xml_attr_ns(c, NS_XML, "lang").p == NULL;
        if (fit > best_fit) {
            best = c;
            best_fit = fit;
        }
    }
    return best;
}

jab_str jabi_text_in(const jab_xml *el, const char *name, jab_str lang)
{
    const jab_xml *c = jabi_child_in(el, name, lang);
    return c ? jab_xml_text(c) : (jab_str){NULL, 0};
}

jab_str jabi_leaf(const jab_xml *el, const char *ns, const char *name)
{
    const jab_xml *c = jab_xml_child(el, ns, name);
    return c ? jab_xml_text(c) : (jab_str){NULL, 0};
}

static int compare(jab_str a, jab_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* Heapsort: lets the element at `i` sink to its place. */
static void sink(jab_str *list, size_t i, size_t n)
{
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && compare(list[child], list[child + 1]) < 0)
            child++;
        if (compare(list[i], list[child]) >= 0)
            return;
        jab_str swap = list[i];
        list[i] = list[child];
        list[child] = swap;
    }
}

void jabi_sort(jab_str *list, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sink(list, i, n);
    for (size_t end = n; end-- > 1;) {
        jab_str swap = list[0];
        list[0] = list[end];
        list[end] = swap;
        sink(list, 0, end);
    }
}

int jabi_sorted_has(const jab_str *list, size_t n, jab_str text)
{
    size_t low = 0;
    while (low < n) {
        size_t middle = low + (n - low) / 2;
        int order = compare(list[middle], text);
        if (order == 0)
            return 1;
        if (order < 0)
            low = middle + 1;
        else
            n = middle;
    }
    return 0;
}

jab_str jabi_put(char **cursor, jab_str text)
{
    if (!text.p)
        return text;
    jab_str copy = {*cursor, text.n};
    memcpy(*cursor, text.p, text.n);
    (*cursor)[text.n] = '\0';
    *cursor += text.n + 1;
    return copy;
}
