/* read.c: the public view of an element. */
#include "xml/node.h"

static const jab_str absent = {NULL, 0};

static jab_str present(const char *p, uint32_t n)
{
    return jabi_xml_view(p ? p : "", n);
}

jab_str jab_xml_name(const jab_xml *el)
{
    return el ? present(el->name, el->name_n) : absent;
}

jab_str jab_xml_ns(const jab_xml *el)
{
    return el ? present(el->ns, el->ns_n) : absent;
}

/* NULL as a wish means: any. */
static int is_wanted(const char *p, uint32_t n, const char *wanted)
{
    return !wanted || (strlen(wanted) == n && (n == 0 || memcmp(p, wanted, n) == 0));
}

int jab_xml_is(const jab_xml *el, const char *ns, const char *name)
{
    return el && is_wanted(el->name, el->name_n, name) && is_wanted(el->ns, el->ns_n, ns);
}

jab_str jab_xml_attr_ns(const jab_xml *el, const char *ns, const char *name)
{
    size_t name_n = strlen(name), ns_n = ns ? strlen(ns) : 0;
    for (uint32_t i = 0; el && i < el->attr_n; i++) {
        const jabi_xml_attr *a = &el->attrs[i];
        if (a->name_n == name_n && a->ns_n == ns_n && memcmp(a->name, name, name_n) == 0 &&
            (ns_n == 0 || memcmp(a->ns, ns, ns_n) == 0))
            return jabi_xml_view(a->value, a->value_n);
    }
    return absent;
}

jab_str jab_xml_attr(const jab_xml *el, const char *name)
{
    return jab_xml_attr_ns(el, NULL, name);
}

jab_str jab_xml_lang(const jab_xml *el)
{
    return el ? jabi_xml_view(el->lang, el->lang_n) : absent;
}

jab_str jab_xml_text(const jab_xml *el)
{
    return el ? present(el->text, el->text_n) : absent;
}

const jab_xml *jab_xml_first(const jab_xml *el)
{
    return el ? el->first : NULL;
}

const jab_xml *jab_xml_next(const jab_xml *el)
{
    return el ? el->next : NULL;
}

const jab_xml *jab_xml_parent(const jab_xml *el)
{
    return el ? el->parent : NULL;
}

/* The first of `list` with this name, and this namespace or, when it is NULL, that of `el`. */
static const jab_xml *find(const jab_xml *list, const jab_xml *el, const char *ns, const char *name)
{
    size_t ns_n = ns ? strlen(ns) : el->ns_n, name_n = name ? strlen(name) : 0;
    const char *wanted = ns ? ns : el->ns;
    for (; list; list = list->next) {
        if (list->ns_n == ns_n && (!name || list->name_n == name_n) &&
            (name_n == 0 || memcmp(list->name, name, name_n) == 0) &&
            (ns_n == 0 || list->ns == wanted || memcmp(list->ns, wanted, ns_n) == 0))
            return list;
    }
    return NULL;
}

const jab_xml *jab_xml_child(const jab_xml *el, const char *ns, const char *name)
{
    return el ? find(el->first, el, ns, name) : NULL;
}

const jab_xml *jab_xml_next_named(const jab_xml *el, const char *ns, const char *name)
{
    return el ? find(el->next, el, ns, name) : NULL;
}
