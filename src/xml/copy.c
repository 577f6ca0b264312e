/* copy.c: copies trees, and changes attributes. */
#include "xml/node.h"

/* A copy of bytes that may be absent; `*failed` is set when there is no memory. */
static const char *copy_bytes(jabi_arena *arena, const char *p, uint32_t n, int *failed)
{
    if (!p)
        return NULL;
    char *copy = jabi_arena_alloc(arena, n);
    if (!copy)
        *failed = 1;
    else if (n > 0)
        memcpy(copy, p, n);
    return copy;
}

static void copy_attrs(jabi_arena *arena, jab_xml *to, const jab_xml *from, int *failed)
{
    to->attrs = jabi_arena_alloc(arena, from->attr_n * sizeof *to->attrs);
    if (!to->attrs) {
        *failed = 1;
        return;
    }
    for (uint32_t i = 0; i < from->attr_n; i++) {
        jabi_xml_attr a = from->attrs[i];
        a.name = copy_bytes(arena, a.name, a.name_n, failed);
        a.value = copy_bytes(arena, a.value, a.value_n, failed);
        a.ns = copy_bytes(arena, a.ns, a.ns_n, failed);
        to->attrs[i] = a;
    }
}

/* Takes from the parent's copy what the parent shares with the element, or copies it. */
static const char *share(jabi_arena *arena, const char *own, uint32_t own_n, const char *shared,
                         const char *copy, int *failed)
{
    return own == shared && copy ? copy : copy_bytes(arena, own, own_n, failed);
}

/* A copy of one element without its children, the last child of `parent`. */
static jab_xml *copy_one(jabi_arena *arena, const jab_xml *el, jab_xml *parent)
{
    const jab_xml *around = parent ? el->parent : NULL;
    int failed = 0;
    jab_xml *copy = jabi_arena_alloc(arena, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *el;
    copy->parent = parent;
    copy->next = copy->first = NULL;
    copy->name = copy_bytes(arena, el->name, el->name_n, &failed);
    copy->ns = share(arena, el->ns, el->ns_n, around ? around->ns : NULL,
                     parent ? parent->ns : NULL, &failed);
    copy->lang = share(arena, el->lang, el->lang_n, around ? around->lang : NULL,
                       parent ? parent->lang : NULL, &failed);
    copy->text = copy_bytes(arena, el->text, el->text_n, &failed);
    copy->tail = NULL;
    if (parent && el->tail_n > 0)
        copy->tail = parent->text + (el->tail - around->text);
    else if (!parent)
        copy->tail_n = 0;
    copy_attrs(arena, copy, el, &failed);
    return failed ? NULL : copy;
}

jab_xml *jabi_xml_copy(jabi_arena *arena, const jab_xml *top)
{
    const jab_xml *from = top;
    jab_xml *root = copy_one(arena, top, NULL), *to = root;
    while (to) {
        if (from->first) {
            from = from->first;
            to = to->first = copy_one(arena, from, to);
            continue;
        }
        while (from != top && !from->next) {
            from = from->parent;
            to = (jab_xml *)(uintptr_t)to->parent;
        }
        if (from == top)
            return root;
        from = from->next;
        to = to->next = copy_one(arena, from, (jab_xml *)(uintptr_t)to->parent);
    }
    return NULL;
}

static jabi_xml_attr *find_attr(jab_xml *el, const char *name, size_t name_n)
{
    for (uint32_t i = 0; i < el->attr_n; i++) {
        jabi_xml_attr *a = &el->attrs[i];
        if (!a->ns && a->name_n == name_n && memcmp(a->name, name, name_n) == 0)
            return a;
    }
    return NULL;
}

/* An array with room for one attribute more. */
static jabi_xml_attr *add_attr(jabi_arena *arena, jab_xml *el, jab_str name)
{
    jab_str copy = jabi_arena_str(arena, name);
    jabi_xml_attr *attrs = jabi_arena_alloc(arena, (el->attr_n + 1) * sizeof *attrs);
    if (!copy.p || !attrs)
        return NULL;
    if (el->attr_n > 0)
        memcpy(attrs, el->attrs, el->attr_n * sizeof *attrs);
    attrs[el->attr_n] = (jabi_xml_attr){.name = copy.p, .name_n = (uint32_t)copy.n};
    el->attrs = attrs;
    return &attrs[el->attr_n++];
}

int jabi_xml_set_attr(jabi_arena *arena, jab_xml *el, const char *name, jab_str value)
{
    jab_str copy = jabi_arena_str(arena, value);
    if (!copy.p)
        return JAB_ENOMEM;
    jabi_xml_attr *a = find_attr(el, name, strlen(name));
    if (!a)
        a = add_attr(arena, el, jab_cstr(name));
    if (!a)
        return JAB_ENOMEM;
    a->value = copy.p;
    a->value_n = (uint32_t)copy.n;
    return 0;
}
