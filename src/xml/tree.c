/* tree.c: elements in an arena, made out of tokens. */
#include "xml/tree.h"

#include "base/mem.h"
#include "xml/scope.h"

#define LEVELS_MIN 16
#define RUN_KEEP   4096

void jabi_tree_init(jabi_tree *t, const jab_mem *mem, size_t depth)
{
    memset(t, 0, sizeof *t);
    t->mem = mem;
    t->max = depth + 1;
    jabi_buf_init(&t->run, mem, UINT32_MAX);
}

void jabi_tree_fini(jabi_tree *t)
{
    jabi_tree_reset(t);
    jabi_buf_fini(&t->run);
    jabi_free(t->mem, t->levels);
    t->levels = NULL;
    t->room = 0;
}

void jabi_tree_reset(jabi_tree *t)
{
    jabi_free(t->mem, t->header);
    t->header = NULL;
    t->lang = NULL;
    t->lang_n = 0;
    t->depth = 0;
    t->scope_n = t->stream_scope_n = 0;
    jabi_buf_reset(&t->run);
}

/* -- Levels ------------------------------------------------------------------------ */

static jabi_xml_fault more_levels(jabi_tree *t)
{
    size_t room = t->room ? t->room * 2 : LEVELS_MIN;
    jabi_tree_level *levels = jabi_realloc_array(t->mem, t->levels, room, sizeof *levels);
    if (!levels)
        return JABI_FAULT_MEMORY;
    t->levels = levels;
    t->room = room;
    return JABI_FAULT_NONE;
}

static inline jabi_xml_fault check_room(jabi_tree *t)
{
    if (t->depth == t->max)
        return JABI_FAULT_LIMIT;
    return t->depth == t->room ? more_levels(t) : JABI_FAULT_NONE;
}

jabi_xml_fault jabi_tree_begin_inside(jabi_tree *t, jab_str ns)
{
    jabi_xml_fault fault = check_room(t);
    if (fault)
        return fault;
    t->levels[t->depth++] = (jabi_tree_level){.qname = "", .ns = ns.p, .ns_n = (uint32_t)ns.n};
    return JABI_FAULT_NONE;
}

/* -- Text -------------------------------------------------------------------------- */

/* Where the newest piece of text of the current element is kept. */
static void set_piece(jabi_tree_level *level, const char *p, size_t n)
{
    if (level->last) {
        level->last->tail = p;
        level->last->tail_n = (uint32_t)n;
    } else {
        level->el->text = p;
        level->el->head_n = (uint32_t)n;
    }
}

static jab_str piece_of(const jabi_tree_level *level)
{
    if (level->last)
        return jabi_xml_view(level->last->tail, level->last->tail_n);
    return jabi_xml_view(level->el->text, level->el->head_n);
}

static void add_piece(jabi_tree_level *level, const char *p, size_t n)
{
    set_piece(level, p, n);
    level->text_n += (uint32_t)n;
}

/* Puts text that was gathered around CDATA sections into the arena. */
static jabi_xml_fault end_run(jabi_tree *t)
{
    jab_str text = jabi_arena_str(t->arena, jabi_buf_str(&t->run));
    if (!text.p || t->run.error)
        return JABI_FAULT_MEMORY;
    add_piece(jabi_tree_top(t), text.p, text.n);
    if (t->run.cap > RUN_KEEP)
        jabi_buf_fini(&t->run);
    jabi_buf_reset(&t->run);
    return JABI_FAULT_NONE;
}

static jabi_xml_fault decode_text(const char *p, size_t n, unsigned seen, jabi_xml_where where,
                                  char *to, size_t *written)
{
    *written = n;
    if (seen & JABI_SEEN_HIGH) {
        jabi_xml_fault fault = jabi_xml_check_utf8(p, n);
        if (fault)
            return fault;
    }
    if (seen & JABI_SEEN_SPECIAL)
        return jabi_xml_decode(to, p, n, where, written);
    memcpy(to, p, n);
    return JABI_FAULT_NONE;
}

static jabi_xml_fault add_to_run(jabi_tree *t, const char *p, size_t n, unsigned seen,
                                 jabi_xml_where where)
{
    char *to = jabi_buf_room(&t->run, n);
    size_t written;
    if (!to)
        return JABI_FAULT_MEMORY;
    jabi_xml_fault fault = decode_text(p, n, seen, where, to, &written);
    if (!fault)
        t->run.n += written;
    return fault;
}

jabi_xml_fault jabi_tree_text(jabi_tree *t, const char *p, size_t n, unsigned seen)
{
    if (t->run.n > 0)
        return add_to_run(t, p, n, seen, JABI_IN_TEXT);
    char *to = jabi_arena_alloc(t->arena, n);
    size_t written;
    if (!to)
        return JABI_FAULT_MEMORY;
    jabi_xml_fault fault = decode_text(p, n, seen, JABI_IN_TEXT, to, &written);
    if (!fault)
        add_piece(jabi_tree_top(t), to, written);
    return fault;
}

jabi_xml_fault jabi_tree_cdata(jabi_tree *t, const char *p, size_t n)
{
    jabi_tree_level *level = jabi_tree_top(t);
    jab_str before = piece_of(level);
    if (t->run.n == 0 && before.n > 0) {
        /* Text stands right before the section: both are one piece. */
        jabi_buf_add_str(&t->run, before);
        set_piece(level, NULL, 0);
        level->text_n -= (uint32_t)before.n;
    }
    return add_to_run(t, p, n, JABI_SEEN_HIGH | JABI_SEEN_SPECIAL, JABI_IN_CDATA);
}

/* Joins the pieces of text inside an element that has children. */
static jabi_xml_fault join_text(jabi_tree *t, jabi_tree_level *level)
{
    jab_xml *el = level->el;
    char *all = jabi_arena_alloc(t->arena, level->text_n);
    if (!all)
        return JABI_FAULT_MEMORY;
    size_t at = el->head_n;
    if (at)
        memcpy(all, el->text, at);
    for (jab_xml *child = el->first; child; child = child->next) {
        if (child->tail_n)
            memcpy(all + at, child->tail, child->tail_n);
        child->tail = all + at;
        at += child->tail_n;
    }
    el->text = all;
    return JABI_FAULT_NONE;
}

/* -- Elements ------------------------------------------------------------------------- */

/* A stanza's tree holds what it inherits from the stream: a copy of the language and,
 * unless it has its own, of the default namespace. */
static jabi_xml_fault inherit(jabi_tree *t, jabi_tree_level *level, jab_xml *el)
{
    jab_str ns = jabi_xml_view(t->levels[0].ns, t->levels[0].ns_n);
    jab_str lang = jabi_xml_view(t->lang, t->lang_n);
    if (level->ns == ns.p && ns.n > 0) {
        level->ns = jabi_arena_str(t->arena, ns).p;
        if (!level->ns)
            return JABI_FAULT_MEMORY;
    }
    if (lang.n > 0 && el->lang == lang.p) {
        el->lang = jabi_arena_str(t->arena, lang).p;
        if (!el->lang)
            return JABI_FAULT_MEMORY;
    }
    return JABI_FAULT_NONE;
}

/* Where the parts of an element go in its one block of the arena. */
typedef struct element_parts {
    jab_xml *el;
    jabi_xml_attr *attrs;
    char *raw; /* a copy of the tag from its name on; views go into it */
} element_parts;

static inline jabi_xml_fault allocate(jabi_tree *t, const jabi_lex_tag *tag, element_parts *parts)
{
    size_t attrs_n = tag->plain_n * sizeof(jabi_xml_attr);
    size_t raw_n = (size_t)(tag->end - tag->name);
    char *block = jabi_arena_alloc(t->arena, sizeof(jab_xml) + attrs_n + raw_n);
    if (!block)
        return JABI_FAULT_MEMORY;
    parts->el = (jab_xml *)(void *)block;
    parts->attrs = (jabi_xml_attr *)(void *)(block + sizeof(jab_xml));
    parts->raw = block + sizeof(jab_xml) + attrs_n;
    memcpy(parts->raw, tag->name, raw_n);
    return JABI_FAULT_NONE;
}

static inline int is_xml_lang(const jabi_lex_attr *attr)
{
    return attr->name_n == 8 && memcmp(attr->name, "xml:lang", 8) == 0;
}

/* One attribute, whose bytes are at `name` and `value` in the element's block now. */
static inline jabi_xml_fault take_attr(jabi_tree *t, jabi_tree_level *level,
                                       const jabi_lex_attr *attr, const char *name, char *value)
{
    jab_xml *el = level->el;
    size_t n = attr->value_n;
    if (attr->seen & JABI_SEEN_SPECIAL) {
        jabi_xml_fault fault = jabi_xml_decode(value, value, n, JABI_IN_VALUE, &n);
        if (fault)
            return fault;
    }
    if (attr->kind == JABI_ATTR_XMLNS)
        return jabi_scope_set_default(level, jabi_xml_view(value, (uint32_t)n));
    if (attr->kind == JABI_ATTR_PREFIX)
        return jabi_scope_declare(t, jabi_xml_view(name + 6, attr->name_n - 6),
                                  jabi_xml_view(value, (uint32_t)n));
    el->attrs[el->attr_n++] = (jabi_xml_attr){
        .name = name, .value = value, .name_n = attr->name_n, .value_n = (uint32_t)n};
    if (attr->kind == JABI_ATTR_PREFIXED && is_xml_lang(attr)) {
        /* XML 1.0 §2.12: an empty one means that no language is known. */
        el->lang = n ? value : NULL;
        el->lang_n = (uint32_t)n;
    }
    return JABI_FAULT_NONE;
}

/* A level for a new element, which inherits from the one around it. */
static inline jabi_tree_level *push_level(jabi_tree *t, const jabi_lex_tag *tag,
                                          const element_parts *parts)
{
    jabi_tree_level *level = &t->levels[t->depth];
    jab_xml *el = parts->el;
    memset(el, 0, sizeof *el);
    *level = (jabi_tree_level){
        .el = el, .qname = parts->raw, .qname_n = tag->name_n, .scope_n = (uint32_t)t->scope_n};
    el->attrs = parts->attrs;
    el->lang = t->lang;
    el->lang_n = t->lang_n;
    if (t->depth > 0) {
        const jabi_tree_level *around = level - 1;
        level->ns = around->ns;
        level->ns_n = around->ns_n;
        if (around->el) {
            el->parent = around->el;
            el->lang = around->el->lang;
            el->lang_n = around->el->lang_n;
        }
    }
    t->depth++;
    return level;
}

/* Sets the element's name and namespace, once all declarations of its tag are known. */
static inline jabi_xml_fault name_element(jabi_tree *t, jabi_tree_level *level, uint32_t prefix_n)
{
    jab_xml *el = level->el;
    el->name = level->qname;
    el->name_n = level->qname_n;
    if (prefix_n == 0) {
        el->ns = level->ns_n ? level->ns : NULL;
        el->ns_n = level->ns_n;
        return JABI_FAULT_NONE;
    }
    jab_str ns;
    jabi_xml_fault fault = jabi_scope_find(t, jabi_xml_view(level->qname, prefix_n), &ns);
    el->name += prefix_n + 1;
    el->name_n -= prefix_n + 1;
    el->ns = ns.p;
    el->ns_n = (uint32_t)ns.n;
    return fault;
}

static inline void append_child(jabi_tree_level *around, jab_xml *el)
{
    if (!around->el)
        return;
    if (around->last)
        around->last->next = el;
    else
        around->el->first = el;
    around->last = el;
}

static jabi_xml_fault fill_element(jabi_tree *t, jabi_tree_level *level, const jabi_lex_tag *tag)
{
    char *raw = (char *)(uintptr_t)level->qname;
    for (const jabi_lex_attr *a = tag->attrs; a < tag->attrs + tag->attr_n; a++) {
        jabi_xml_fault fault =
            take_attr(t, level, a, raw + (a->name - tag->name), raw + (a->value - tag->name));
        if (fault)
            return fault;
    }
    if (t->depth == 2) {
        jabi_xml_fault fault = inherit(t, level, level->el);
        if (fault)
            return fault;
    }
    jabi_xml_fault fault = name_element(t, level, tag->prefix_n);
    if (!fault && tag->prefixed_n)
        fault = jabi_scope_resolve(t, level->el);
    return fault;
}

jabi_xml_fault jabi_tree_open(jabi_tree *t, const jabi_lex_tag *tag, jab_xml **el)
{
    element_parts parts;
    jabi_xml_fault fault = JABI_FAULT_NONE;
    if (t->run.n > 0)
        fault = end_run(t);
    if (!fault && (tag->seen & JABI_SEEN_HIGH))
        fault = jabi_xml_check_utf8(tag->name, (size_t)(tag->end - tag->name));
    if (!fault)
        fault = check_room(t);
    if (!fault)
        fault = allocate(t, tag, &parts);
    if (fault)
        return fault;
    jabi_tree_level *level = push_level(t, tag, &parts);
    if (t->depth == 2)
        t->item++;
    fault = fill_element(t, level, tag);
    if (fault)
        return fault;
    if (t->depth > 1)
        append_child(level - 1, parts.el);
    *el = parts.el;
    return t->depth == 1 ? jabi_scope_keep_stream(t) : JABI_FAULT_NONE;
}

jabi_xml_fault jabi_tree_close(jabi_tree *t)
{
    if (t->run.n > 0) {
        jabi_xml_fault fault = end_run(t);
        if (fault)
            return fault;
    }
    jabi_tree_level *level = jabi_tree_top(t);
    level->el->text_n = level->text_n;
    t->scope_n = level->scope_n;
    t->depth--;
    return level->text_n > level->el->head_n ? join_text(t, level) : JABI_FAULT_NONE;
}
