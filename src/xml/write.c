/* write.c: builds XML text from left to right. */
#include "xml/escape.h"
#include "xml/node.h"

void jabi_writer_init(jabi_writer *w, jabi_buf *buf, const char *ns)
{
    w->buf = buf;
    w->error = 0;
    w->in_tag = 0;
    w->depth = 0;
    w->ns0 = jab_cstr(ns ? ns : "");
}

static int fail(jabi_writer *w, int error)
{
    if (!w->error)
        w->error = error;
    return w->error;
}

static void put(jabi_writer *w, const char *p, size_t n)
{
    jabi_buf_add(w->buf, p, n);
    if (w->buf->error)
        fail(w, w->buf->error);
}

static void put_escaped(jabi_writer *w, jab_str s, jabi_xml_where where)
{
    jabi_sink sink = {.buf = w->buf};
    if (!jabi_xml_valid_text(s)) {
        fail(w, JAB_EXML);
        return;
    }
    jabi_escape(&sink, s, where);
    if (w->buf->error)
        fail(w, w->buf->error);
}

/* A local name, or "stream:" and one (RFC 6120 §4.8.5). */
static int is_name(jab_str name)
{
    const jab_str stream = JAB_STR("stream:");
    if (name.n > stream.n && memcmp(name.p, stream.p, stream.n) == 0)
        name = (jab_str){name.p + stream.n, name.n - stream.n};
    return jabi_xml_is_ncname(name);
}

/* The namespace of a level is the one around all elements, not bytes in the buffer. */
#define NS_AROUND SIZE_MAX

/* The default namespace in force, as it was written. */
static jab_str ns_in_force(const jabi_writer *w)
{
    const jabi_writer_level *level = w->depth ? &w->levels[w->depth - 1] : NULL;
    if (!level || level->ns_at == NS_AROUND)
        return w->ns0;
    return (jab_str){w->buf->p + level->ns_at, level->ns_n};
}

/* Closes the start tag, as content comes. */
static void close_tag(jabi_writer *w)
{
    if (w->in_tag)
        put(w, ">", 1);
    w->in_tag = 0;
}

/* Whether a namespace is written as it is; one that is escaped is never taken for the
 * one around, so that no two are mistaken for each other. */
static int is_plain(jab_str ns)
{
    for (size_t i = 0; i < ns.n; i++)
        if (memchr("&<>'\t\n\r", ns.p[i], 7))
            return 0;
    return 1;
}

static int same_ns(const jabi_writer *w, jab_str ns)
{
    jab_str around = ns_in_force(w);
    return is_plain(ns) && ns.n == around.n && (ns.n == 0 || memcmp(ns.p, around.p, ns.n) == 0);
}

void jabi_writer_start(jabi_writer *w, jab_str ns, jab_str name)
{
    if (w->error)
        return;
    /* Namespaces in XML 1.0 §3: that namespace cannot be the default. */
    if (!is_name(name) || w->depth == JABI_WRITER_DEPTH || jab_str_is(ns, JABI_NS_XML)) {
        fail(w, JAB_EXML);
        return;
    }
    close_tag(w);
    jabi_writer_level *level = &w->levels[w->depth];
    int same = !ns.p || same_ns(w, ns);
    put(w, "<", 1);
    *level = (jabi_writer_level){.name_at = w->buf->n, .name_n = name.n, .ns_at = NS_AROUND};
    put(w, name.p, name.n);
    if (!same) {
        put(w, " xmlns='", 8);
        level->ns_at = w->buf->n;
        put_escaped(w, ns, JABI_IN_VALUE);
        level->ns_n = w->buf->n - level->ns_at;
        put(w, "'", 1);
    } else if (w->depth > 0) {
        level->ns_at = level[-1].ns_at;
        level->ns_n = level[-1].ns_n;
    }
    w->in_tag = 1;
    w->depth++;
}

/* Whether the open start tag has an attribute of this name. */
static int has_attr(const jabi_writer *w, jab_str name)
{
    const jabi_writer_level *level = &w->levels[w->depth - 1];
    const char *p = w->buf->p + level->name_at + level->name_n, *end = w->buf->p + w->buf->n;
    while (p < end) {
        const char *own = p + 1, *equals = memchr(own, '=', (size_t)(end - own));
        if (!equals)
            return 0;
        if (jab_str_eq(name, (jab_str){own, (size_t)(equals - own)}))
            return 1;
        /* Quotes are escaped in values, so the next one is the end. */
        const char *quote = memchr(equals + 2, '\'', (size_t)(end - equals) - 2);
        p = quote ? quote + 1 : end;
    }
    return 0;
}

static void add_attr(jabi_writer *w, jab_str name, jab_str value)
{
    if (!w->in_tag || has_attr(w, name)) {
        fail(w, JAB_EXML);
        return;
    }
    put(w, " ", 1);
    put(w, name.p, name.n);
    put(w, "='", 2);
    put_escaped(w, value, JABI_IN_VALUE);
    put(w, "'", 1);
}

void jabi_writer_attr(jabi_writer *w, jab_str name, jab_str value)
{
    if (w->error || !value.p)
        return;
    /* Namespaces are the writer's own business. */
    if (!jabi_xml_is_ncname(name) || jab_str_is(name, "xmlns"))
        fail(w, JAB_EXML);
    else
        add_attr(w, name, value);
}

void jabi_writer_lang(jabi_writer *w, jab_str lang)
{
    if (!w->error && lang.p)
        add_attr(w, JAB_STR("xml:lang"), lang);
}

void jabi_writer_text(jabi_writer *w, jab_str text)
{
    if (w->error || text.n == 0)
        return;
    if (w->depth == 0) {
        fail(w, JAB_EXML);
        return;
    }
    close_tag(w);
    put_escaped(w, text, JABI_IN_TEXT);
}

void jabi_writer_end(jabi_writer *w)
{
    if (w->error)
        return;
    if (w->depth == 0) {
        fail(w, JAB_EXML);
        return;
    }
    const jabi_writer_level *level = &w->levels[--w->depth];
    if (w->in_tag) {
        w->in_tag = 0;
        put(w, "/>", 2);
        return;
    }
    put(w, "</", 2);
    /* The name is in the buffer, which may move while it grows. */
    char *to = jabi_buf_room(w->buf, level->name_n);
    if (to) {
        memcpy(to, w->buf->p + level->name_at, level->name_n);
        w->buf->n += level->name_n;
    }
    put(w, ">", 1);
}

void jabi_writer_tree(jabi_writer *w, const jab_xml *el)
{
    jabi_sink sink = {.buf = w->buf};
    if (w->error || !el)
        return;
    close_tag(w);
    jabi_write_tree(&sink, el, ns_in_force(w));
    if (w->buf->error)
        fail(w, w->buf->error);
}

int jabi_writer_close_to(jabi_writer *w, size_t depth)
{
    while (!w->error && w->depth > depth)
        jabi_writer_end(w);
    return w->error;
}
