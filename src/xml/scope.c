/* scope.c: namespace declarations and what prefixes stand for. */
#include "xml/scope.h"

#include "base/mem.h"

/* Namespaces in XML 1.0 §3: "xml" may be bound to its namespace only, and that to no other
 * prefix; "xmlns" and its namespace may not be declared at all. */
static int is_reserved(jab_str ns)
{
    return jab_str_is(ns, JABI_NS_XML) || jab_str_is(ns, JABI_NS_XMLNS);
}

jabi_xml_fault jabi_scope_set_default(jabi_tree_level *level, jab_str ns)
{
    level->ns = ns.p;
    level->ns_n = (uint32_t)ns.n;
    return is_reserved(ns) ? JABI_FAULT_MALFORMED : JABI_FAULT_NONE;
}

jabi_xml_fault jabi_scope_declare(jabi_tree *t, jab_str prefix, jab_str ns)
{
    if (jab_str_is(prefix, "xml"))
        return jab_str_is(ns, JABI_NS_XML) ? JABI_FAULT_NONE : JABI_FAULT_MALFORMED;
    /* An empty namespace would unbind the prefix, which only Namespaces 1.1 has. */
    if (ns.n == 0 || jab_str_is(prefix, "xmlns") || is_reserved(ns))
        return JABI_FAULT_MALFORMED;
    if (t->scope_n == JABI_XML_PREFIXES_MAX)
        return JABI_FAULT_LIMIT;
    t->scope[t->scope_n++] = (jabi_tree_prefix){
        .prefix = prefix.p, .ns = ns.p, .prefix_n = (uint32_t)prefix.n, .ns_n = (uint32_t)ns.n};
    return JABI_FAULT_NONE;
}

/* The stream's namespaces are the parser's: a tree gets a copy, one an item. */
static jabi_xml_fault copy_for_item(jabi_tree *t, jabi_tree_prefix *found, jab_str *ns)
{
    if (found->copied_for != t->item) {
        found->copy = jabi_arena_str(t->arena, *ns).p;
        if (!found->copy)
            return JABI_FAULT_MEMORY;
        found->copied_for = t->item;
    }
    ns->p = found->copy;
    return JABI_FAULT_NONE;
}

jabi_xml_fault jabi_scope_find(jabi_tree *t, jab_str prefix, jab_str *ns)
{
    for (size_t i = t->scope_n; i-- > 0;) {
        jabi_tree_prefix *s = &t->scope[i];
        if (jabi_xml_same(s->prefix, s->prefix_n, prefix.p, (uint32_t)prefix.n)) {
            *ns = jabi_xml_view(s->ns, s->ns_n);
            return i < t->stream_scope_n ? copy_for_item(t, s, ns) : JABI_FAULT_NONE;
        }
    }
    *ns = JAB_STR(JABI_NS_XML);
    /* An undeclared prefix: RFC 6120 §4.9.3.13 and §11.3. */
    return jab_str_is(prefix, "xml") ? JABI_FAULT_NONE : JABI_FAULT_MALFORMED;
}

static int same_attr(const jabi_xml_attr *a, const jabi_xml_attr *b)
{
    return b->ns && jabi_xml_same(a->name, a->name_n, b->name, b->name_n) &&
           jabi_xml_same(a->ns, a->ns_n, b->ns, b->ns_n);
}

jabi_xml_fault jabi_scope_resolve(jabi_tree *t, jab_xml *el)
{
    for (jabi_xml_attr *a = el->attrs; a < el->attrs + el->attr_n; a++) {
        const char *colon = memchr(a->name, ':', a->name_n);
        if (!colon)
            continue;
        uint32_t prefix_n = (uint32_t)(colon - a->name);
        jab_str ns;
        jabi_xml_fault fault = jabi_scope_find(t, jabi_xml_view(a->name, prefix_n), &ns);
        if (fault)
            return fault;
        a->name = colon + 1;
        a->name_n -= prefix_n + 1;
        a->ns = ns.p;
        a->ns_n = (uint32_t)ns.n;
        for (const jabi_xml_attr *b = el->attrs; b < a; b++)
            if (same_attr(a, b))
                return JABI_FAULT_MALFORMED;
    }
    return JABI_FAULT_NONE;
}

/* Moves a view, unless absent, to *at, which grows by what it holds. */
static void keep(const char **view, uint32_t n, char **at)
{
    if (!*view)
        return;
    memcpy(*at, *view, n);
    *view = *at;
    *at += n;
}

jabi_xml_fault jabi_scope_keep_stream(jabi_tree *t)
{
    jabi_tree_level *level = &t->levels[0];
    size_t n = level->qname_n + level->ns_n + level->el->lang_n;
    for (size_t i = 0; i < t->scope_n; i++)
        n += t->scope[i].prefix_n + t->scope[i].ns_n;
    t->header = jabi_alloc(t->mem, n);
    if (!t->header)
        return JABI_FAULT_MEMORY;
    char *at = t->header;
    t->lang = level->el->lang;
    t->lang_n = level->el->lang_n;
    keep(&t->lang, t->lang_n, &at);
    keep(&level->qname, level->qname_n, &at);
    keep(&level->ns, level->ns_n, &at);
    for (size_t i = 0; i < t->scope_n; i++) {
        keep(&t->scope[i].prefix, t->scope[i].prefix_n, &at);
        keep(&t->scope[i].ns, t->scope[i].ns_n, &at);
    }
    t->stream_scope_n = t->scope_n;
    /* The tree of the header is the caller's: nothing is put into it any more. */
    level->el = NULL;
    return JABI_FAULT_NONE;
}
