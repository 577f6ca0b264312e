/* server_xml.c: the model server's XML: trees from expat, and trees written out again. */
#include "server_own.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

enum { SEPARATOR = '\n' };

/* "ns\nname" as expat gives it, split in the arena. */
static const char *split_name(srv_arena *arena, const char *given, const char **name)
{
    const char *mark = strchr(given, SEPARATOR);
    if (!mark) {
        *name = srv_dup(arena, given);
        return "";
    }
    char *ns = srv_dup(arena, given);
    ns[mark - given] = '\0';
    *name = ns + (mark - given) + 1;
    return ns;
}

static void add_attrs(srv_builder *b, srv_node *node, const char **attrs)
{
    static const char xml[] = "http://www.w3.org/XML/1998/namespace\nlang";
    for (; *attrs; attrs += 2) {
        bool language = strcmp(attrs[0], xml) == 0;
        if (language || !strchr(attrs[0], SEPARATOR))
            srv_set_attr(&b->arena, node, language ? "xml:lang" : attrs[0], attrs[1]);
    }
}

static srv_node *append(srv_builder *b, srv_node *parent)
{
    srv_node *node = srv_alloc(&b->arena, sizeof *node);
    node->attrs_end = &node->attrs;
    node->parent = parent;
    if (!parent)
        return node;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

static void on_start(void *arg, const char *name, const char **attrs)
{
    srv_builder *b = arg;
    if (b->stopped)
        return;
    srv_node *node = append(b, b->open);
    node->ns = split_name(&b->arena, name, &node->name);
    add_attrs(b, node, attrs);
    if (b->depth++ == 0) {
        b->header(b->arg, node);
        srv_arena_reset(&b->arena);
        return;
    }
    b->open = node;
}

static void on_end(void *arg, const char *name)
{
    srv_builder *b = arg;
    (void)name;
    if (b->stopped)
        return;
    if (--b->depth == 0) {
        b->trailer(b->arg);
        return;
    }
    srv_node *node = b->open;
    b->open = node->parent;
    if (b->depth == 1) {
        b->stanza(b->arg, node);
        srv_arena_reset(&b->arena);
    }
}

static bool is_space(const char *p, int n)
{
    for (int i = 0; i < n; i++)
        if (!strchr(" \t\r\n", p[i]))
            return false;
    return true;
}

static void on_text(void *arg, const char *p, int n)
{
    srv_builder *b = arg;
    if (b->stopped)
        return;
    if (!b->open) {
        if (!is_space(p, n))
            b->unfit = "text between stanzas (RFC 6120 §11.7)";
        return;
    }
    srv_node *last = b->open->last;
    if (!last || last->name) {
        last = append(b, b->open);
        last->text = "";
    }
    char *joined = srv_alloc(&b->arena, last->text_n + (size_t)n + 1);
    memcpy(joined, last->text, last->text_n);
    memcpy(joined + last->text_n, p, (size_t)n);
    last->text = joined;
    last->text_n += (size_t)n;
}

static void on_comment(void *arg, const char *text)
{
    srv_builder *b = arg;
    (void)text;
    b->unfit = "a comment (RFC 6120 §11.1)";
}

static void on_instruction(void *arg, const char *target, const char *text)
{
    srv_builder *b = arg;
    (void)target;
    (void)text;
    b->unfit = "a processing instruction (RFC 6120 §11.1)";
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public, int own)
{
    srv_builder *b = arg;
    (void)name;
    (void)system;
    (void)public;
    (void)own;
    b->unfit = "a document type (RFC 6120 §11.1)";
}

static void prepare(srv_builder *b)
{
    XML_SetUserData(b->parser, b);
    XML_SetHashSalt(b->parser, 1); /* the same bytes, the same run; and no call for randomness */
    XML_SetElementHandler(b->parser, on_start, on_end);
    XML_SetCharacterDataHandler(b->parser, on_text);
    XML_SetCommentHandler(b->parser, on_comment);
    XML_SetProcessingInstructionHandler(b->parser, on_instruction);
    XML_SetStartDoctypeDeclHandler(b->parser, on_doctype);
#ifdef SIM_EXPAT_DEFERS /* else a stanza cut into pieces would wait for the next one */
    XML_SetReparseDeferralEnabled(b->parser, XML_FALSE);
#endif
    b->open = NULL;
    b->depth = 0;
    b->fed = 0;
    b->restart = false;
}

void srv_builder_init(srv_builder *b)
{
    b->parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
    if (!b->parser)
        abort();
    prepare(b);
}

void srv_builder_fini(srv_builder *b)
{
    if (b->parser)
        XML_ParserFree(b->parser);
    b->parser = NULL;
    srv_arena_free(&b->arena);
}

void srv_builder_restart(srv_builder *b)
{
    b->restart = true;
    XML_StopParser(b->parser, XML_TRUE);
}

void srv_builder_stop(srv_builder *b)
{
    b->stopped = true;
}

/* The bytes of this piece that the document before a restart has used. */
static size_t used_of(const srv_builder *b)
{
    size_t end = (size_t)XML_GetCurrentByteIndex(b->parser);
    return end + (size_t)XML_GetCurrentByteCount(b->parser) - b->fed;
}

bool srv_builder_feed(srv_builder *b, const char *p, size_t n)
{
    while (n > 0 && !b->stopped) {
        enum XML_Status status = XML_Parse(b->parser, p, (int)n, 0);
        if (b->stopped)
            return true;
        if (status == XML_STATUS_ERROR)
            return false;
        if (status == XML_STATUS_OK) {
            b->fed += n;
            return true;
        }
        size_t used = used_of(b);
        XML_ParserReset(b->parser, "UTF-8");
        prepare(b);
        p += used;
        n -= used;
    }
    return true;
}

const char *srv_attr_of(const srv_node *node, const char *name)
{
    for (const srv_attr *a = node->attrs; a; a = a->next)
        if (strcmp(a->name, name) == 0)
            return a->value;
    return NULL;
}

void srv_set_attr(srv_arena *arena, srv_node *node, const char *name, const char *value)
{
    for (srv_attr *a = node->attrs; a; a = a->next)
        if (strcmp(a->name, name) == 0) {
            a->value = srv_dup(arena, value);
            return;
        }
    srv_attr *a = srv_alloc(arena, sizeof *a);
    a->name = srv_dup(arena, name);
    a->value = srv_dup(arena, value);
    *node->attrs_end = a;
    node->attrs_end = &a->next;
}

bool srv_is(const srv_node *node, const char *ns, const char *name)
{
    return node->name && (!ns || strcmp(node->ns, ns) == 0) &&
           (!name || strcmp(node->name, name) == 0);
}

srv_node *srv_child(const srv_node *node, const char *ns, const char *name)
{
    for (srv_node *c = node->first; c; c = c->next)
        if (srv_is(c, ns, name))
            return c;
    return NULL;
}

const char *srv_text_of(srv_arena *arena, const srv_node *node)
{
    srv_text t = {0};
    for (const srv_node *c = node->first; c; c = c->next)
        if (!c->name)
            srv_add(&t, c->text, c->text_n);
    const char *z = srv_copy(arena, t.p, t.n);
    free(t.p);
    return z;
}

void srv_remove(srv_node *parent, srv_node *child)
{
    srv_node *before = NULL;
    for (srv_node *c = parent->first; c && c != child; c = c->next)
        before = c;
    if (before)
        before->next = child->next;
    else
        parent->first = child->next;
    if (parent->last == child)
        parent->last = before;
}

static void open_tag(srv_text *t, const srv_node *node, const char *ns)
{
    srv_addf(t, "<%x", node->name);
    if (strcmp(node->ns, ns) != 0)
        srv_addf(t, " xmlns='%s'", node->ns);
    for (const srv_attr *a = node->attrs; a; a = a->next)
        srv_addf(t, " %x='%s'", a->name, a->value);
    srv_adds(t, node->first ? ">" : "/>");
}

/* Closes an element, and its ancestors that end with it, up to top; what comes next, or NULL. */
static const srv_node *after(srv_text *t, const srv_node *at, const srv_node *top)
{
    while (at != top && !at->next) {
        at = at->parent;
        srv_addf(t, "</%x>", at->name);
    }
    return at == top ? NULL : at->next;
}

void srv_write(srv_text *t, const srv_node *node, const char *ns)
{
    const srv_node *at = node;
    while (at) {
        if (at->name)
            open_tag(t, at, at == node ? ns : at->parent->ns);
        else
            srv_escape(t, at->text, at->text_n);
        at = at->first ? at->first : after(t, at, node);
    }
}

void srv_write_children(srv_text *t, const srv_node *node, const char *ns)
{
    for (const srv_node *c = node->first; c; c = c->next)
        if (c->name)
            srv_write(t, c, ns);
        else
            srv_escape(t, c->text, c->text_n);
}
