/* parser.c: bytes in at any split, items out; the stream's own grammar and the limits. */
#include "base/check.h"
#include "base/mem.h"
#include "xml/tree.h"

#define CARRY_KEEP 16384

struct jabi_xml_parser {
    const jab_mem *mem;
    jabi_xml_limits limits;
    jabi_xml_fault fault; /* sticky until the reset */
    int touched;          /* something was read: an XML declaration comes too late */
    int closing;          /* the stream's tag was "<stream/>": its end is still to be told */
    int closed;           /* only white space may come */
    int inside;           /* an item has begun */
    int fragment;         /* an element of the application's, not of a stream */
    size_t left;          /* bytes that the item may still have */
    jabi_token_end token; /* of the token that was split */
    jabi_buf carry;       /* its bytes so far */
    jabi_tree tree;
};

/* What each fault is to the caller and to the peer (RFC 6120 §4.9.3). */
static const struct {
    int code;
    const char *condition;
} faults[JABI_FAULT_COUNT] = {
    [JABI_FAULT_MALFORMED] = {JAB_EBADXML, "not-well-formed"},
    [JABI_FAULT_RESTRICTED] = {JAB_EBADXML, "restricted-xml"},
    [JABI_FAULT_PREFIX] = {JAB_EBADXML, "bad-namespace-prefix"},
    [JABI_FAULT_ENCODING] = {JAB_EBADXML, "unsupported-encoding"},
    [JABI_FAULT_LIMIT] = {JAB_ETOOBIG, "policy-violation"},
    [JABI_FAULT_MEMORY] = {JAB_ENOMEM, "resource-constraint"},
};

static size_t at_most(size_t n, size_t max)
{
    return n < max ? n : max;
}

jabi_xml_parser *jabi_xml_parser_new(const jab_mem *mem, const jabi_xml_limits *limits)
{
    jabi_xml_parser *p = jabi_alloc0(mem, sizeof *p);
    if (!p)
        return NULL;
    p->mem = mem;
    /* Lengths inside an element are 32 bits wide. */
    p->limits.element_bytes = at_most(limits->element_bytes, UINT32_MAX / 2);
    p->limits.depth = at_most(limits->depth, JABI_XML_DEPTH_MAX);
    p->limits.attrs = at_most(limits->attrs, JABI_XML_ATTRS_MAX);
    jabi_buf_init(&p->carry, mem, UINT32_MAX);
    jabi_tree_init(&p->tree, mem, p->limits.depth);
    return p;
}

void jabi_xml_parser_free(jabi_xml_parser *p)
{
    if (!p)
        return;
    jabi_buf_fini(&p->carry);
    jabi_tree_fini(&p->tree);
    jabi_free(p->mem, p);
}

void jabi_xml_parser_reset(jabi_xml_parser *p)
{
    p->fault = JABI_FAULT_NONE;
    p->touched = p->closing = p->closed = p->inside = p->fragment = 0;
    p->token = (jabi_token_end){.kind = JABI_TOKEN_NONE};
    jabi_buf_reset(&p->carry);
    jabi_tree_reset(&p->tree);
}

const char *jabi_xml_parser_condition(const jabi_xml_parser *p)
{
    return faults[p->fault].condition;
}

int jabi_xml_parser_inside(const jabi_xml_parser *p)
{
    return p->inside;
}

jab_str jabi_xml_parser_content_ns(const jabi_xml_parser *p)
{
    if (p->tree.depth == 0)
        return JAB_STR("");
    return (jab_str){p->tree.levels[0].ns ? p->tree.levels[0].ns : "", p->tree.levels[0].ns_n};
}

/* -- Tokens ------------------------------------------------------------------------ */

/* What a token has brought about. */
typedef struct outcome {
    jabi_xml_item item;
    const jab_xml *root;
} outcome;

/* RFC 6120 §4.8.5: stanzas have no prefix. An element of the application's is written anew,
 * without one, so there it does no harm. */
static jabi_xml_fault check_prefix(const jabi_xml_parser *p, const jab_xml *el)
{
    jab_str ns = jab_xml_ns(el);
    int content = jab_str_is(ns, "jabber:client") || jab_str_is(ns, "jabber:server");
    return content && !p->fragment ? JABI_FAULT_PREFIX : JABI_FAULT_NONE;
}

static inline jabi_xml_fault end_element(jabi_xml_parser *p, outcome *out)
{
    const jab_xml *el = jabi_tree_top(&p->tree)->el;
    jabi_xml_fault fault = jabi_tree_close(&p->tree);
    if (!fault && p->tree.depth == 1) {
        out->item = JABI_XML_ELEMENT;
        out->root = el;
    }
    return fault;
}

/* A start tag, its "<" before *at. */
static jabi_xml_fault start_tag(jabi_xml_parser *p, const char **at, const char *end, outcome *out)
{
    jabi_lex_tag tag;
    jab_xml *el;
    jabi_xml_fault fault = jabi_lex_start(*at, end, p->limits.attrs, &tag);
    if (!fault)
        fault = jabi_tree_open(&p->tree, &tag, &el);
    if (fault)
        return fault;
    *at = tag.end;
    if (p->tree.depth == 1) {
        out->item = JABI_XML_OPEN;
        out->root = el;
        p->closing = tag.empty;
        return JABI_FAULT_NONE;
    }
    if (p->tree.depth == 2 && tag.prefix_n && (fault = check_prefix(p, el)))
        return fault;
    return tag.empty ? end_element(p, out) : JABI_FAULT_NONE;
}

/* An end tag, its "</" before *at. */
static inline jabi_xml_fault end_tag(jabi_xml_parser *p, const char **at, const char *end,
                                     outcome *out)
{
    const jabi_tree_level *level;
    if (p->tree.depth == 0)
        return JABI_FAULT_MALFORMED;
    level = jabi_tree_top(&p->tree);
    jabi_xml_fault fault = jabi_lex_end(at, end, level->qname, level->qname_n);
    if (fault || p->tree.depth > 1)
        return fault ? fault : end_element(p, out);
    if (p->fragment)
        return JABI_FAULT_MALFORMED;
    p->closed = 1;
    out->item = JABI_XML_CLOSE;
    return JABI_FAULT_NONE;
}

static jabi_xml_fault tag_token(jabi_xml_parser *p, const char **at, const char *end, outcome *out)
{
    if (end - *at < 2)
        return JABI_FAULT_PARTIAL;
    if ((*at)[1] != '/') {
        ++*at;
        return start_tag(p, at, end, out);
    }
    *at += 2;
    return end_tag(p, at, end, out);
}

static jabi_xml_fault cdata_token(jabi_xml_parser *p, const char *at, const char *end)
{
    const size_t open_n = sizeof "<![CDATA[" - 1, close_n = sizeof "]]>" - 1;
    if (p->tree.depth < 2)
        return JABI_FAULT_MALFORMED;
    return jabi_tree_cdata(&p->tree, at + open_n, (size_t)(end - at) - open_n - close_n);
}

static jabi_xml_fault text_token(jabi_xml_parser *p, const char *at, const char *end)
{
    unsigned seen = 0;
    const char *stop = jabi_scan_text(at, end, &seen);
    return jabi_tree_text(&p->tree, at, (size_t)(stop - at), seen);
}

/* A whole token, of any kind. */
static jabi_xml_fault take_token(jabi_xml_parser *p, const char *at, const char *end, outcome *out)
{
    jabi_xml_fault fault;
    switch (p->token.kind) {
    case JABI_TOKEN_TEXT:
        return text_token(p, at, end);
    case JABI_TOKEN_CDATA:
        return cdata_token(p, at, end);
    case JABI_TOKEN_DECLARATION:
        return jabi_lex_declaration(at, end);
    default:
        fault = tag_token(p, &at, end, out);
        return fault == JABI_FAULT_PARTIAL ? JABI_FAULT_MALFORMED : fault;
    }
}

/* Reads a token that is whole in the input, the usual case. */
static inline jabi_xml_fault fast_token(jabi_xml_parser *p, const char **at, const char *end,
                                        outcome *out)
{
    if (**at == '<')
        return tag_token(p, at, end, out);
    unsigned seen = 0;
    const char *stop = jabi_scan_text(*at, end, &seen);
    if (stop == end)
        return JABI_FAULT_PARTIAL;
    jabi_xml_fault fault = jabi_tree_text(&p->tree, *at, (size_t)(stop - *at), seen);
    *at = stop;
    return fault;
}

static void drop_carry(jabi_xml_parser *p)
{
    if (p->carry.cap > CARRY_KEEP)
        jabi_buf_fini(&p->carry);
    jabi_buf_reset(&p->carry);
    p->token.kind = JABI_TOKEN_NONE;
}

/*
 * Finds the token's end first, carries the token along until it is there, and reads it then.
 * `known` is what the fast way has found wrong with the token: it counts only when the token
 * is whole, so that the verdict does not depend on how the input was split.
 */
static jabi_xml_fault slow_token(jabi_xml_parser *p, const char **at, const char *end,
                                 jabi_xml_fault known, outcome *out)
{
    const char *from = *at;
    jabi_xml_fault fault = jabi_token_find_end(&p->token, at, end);
    size_t n = (size_t)(*at - from);
    if (p->token.kind == JABI_TOKEN_DECLARATION && p->touched)
        return JABI_FAULT_RESTRICTED;
    if (fault && fault != JABI_FAULT_PARTIAL)
        return fault;
    int split = fault || p->carry.n > 0;
    if (split)
        jabi_buf_add(&p->carry, from, n);
    if (p->carry.error)
        return JABI_FAULT_MEMORY;
    if (fault)
        return fault;
    if (known)
        return known;
    jab_str token = split ? jabi_buf_str(&p->carry) : (jab_str){from, n};
    fault = take_token(p, token.p, token.p + token.n, out);
    drop_carry(p);
    return fault;
}

static jabi_xml_fault read_token(jabi_xml_parser *p, const char **at, const char *end, outcome *out)
{
    const char *from = *at;
    jabi_xml_fault fault = JABI_FAULT_NONE;
    int mark = end - from > 1 && *from == '<' && (from[1] == '!' || from[1] == '?');
    if (p->token.kind == JABI_TOKEN_NONE && !mark) {
        fault = fast_token(p, at, end, out);
        if (!fault || fault == JABI_FAULT_MEMORY)
            return fault;
        *at = from;
    }
    return slow_token(p, at, end, fault == JABI_FAULT_PARTIAL ? JABI_FAULT_NONE : fault, out);
}

/* -- Items ------------------------------------------------------------------------- */

/* Skips the white space around items (RFC 6120 §11.7), and begins the next one. */
static jabi_xml_fault begin_item(jabi_xml_parser *p, const char **at, const char *end)
{
    const char *from = *at;
    while (*at < end && jabi_xml_space(**at))
        ++*at;
    p->touched |= *at > from;
    if (*at == end)
        return JABI_FAULT_PARTIAL;
    if (**at != '<' || p->closed)
        return JABI_FAULT_MALFORMED;
    if (!p->inside)
        p->left = p->limits.element_bytes;
    p->inside = 1;
    return JABI_FAULT_NONE;
}

/* The item has all the bytes that it may have, and is not complete. */
static jabi_xml_fault no_room(jabi_xml_parser *p)
{
    p->left = p->limits.element_bytes;
    return JAB_CHECK(STANZA_SIZE, 0) ? JABI_FAULT_NONE : JABI_FAULT_LIMIT;
}

/* Reads tokens until an item is complete, the input is used up, or the item's limit is. */
static jabi_xml_fault read_tokens(jabi_xml_parser *p, const char **at, const char *end,
                                  outcome *out)
{
    jabi_xml_fault fault = JABI_FAULT_NONE;
    while (!fault && *at < end && !out->item) {
        if (p->tree.depth < 2 && p->token.kind == JABI_TOKEN_NONE)
            fault = begin_item(p, at, end);
        const char *from = *at;
        const char *stop = from + at_most((size_t)(end - from), p->left);
        if (fault)
            break;
        do {
            fault = read_token(p, at, stop, out);
            p->touched |= !fault;
        } while (!fault && *at < stop && !out->item && p->tree.depth > 1);
        p->left -= (size_t)(*at - from);
        if (p->left == 0 && !out->item && (!fault || fault == JABI_FAULT_PARTIAL))
            fault = no_room(p);
    }
    return fault == JABI_FAULT_PARTIAL ? JABI_FAULT_NONE : fault;
}

int jabi_xml_parser_next(jabi_xml_parser *p, const char **bytes, size_t *n, jabi_arena *arena,
                         const jab_xml **root)
{
    outcome out = {JABI_XML_MORE, NULL};
    const char *at = *bytes, *end = at + *n;
    *root = NULL;
    if (p->fault)
        return faults[p->fault].code;
    if (p->closing) {
        p->closing = 0;
        p->closed = 1;
        return JABI_XML_CLOSE;
    }
    if (*n == 0)
        return JABI_XML_MORE;
    p->tree.arena = arena;
    p->fault = read_tokens(p, &at, end, &out);
    *n -= (size_t)(at - *bytes);
    *bytes = at;
    if (p->fault)
        return faults[p->fault].code;
    if (out.item)
        p->inside = 0;
    *root = out.root;
    return out.item;
}

/* -- An element of the application's -------------------------------------------------- */

static int parse_one(jabi_xml_parser *p, jabi_arena *arena, jab_str text, const jab_xml **root)
{
    const jab_xml *none;
    int item = jabi_xml_parser_next(p, &text.p, &text.n, arena, root);
    if (item == JABI_XML_ELEMENT)
        item = jabi_xml_parser_next(p, &text.p, &text.n, arena, &none);
    else if (item == JABI_XML_MORE)
        item = JAB_EXML;
    if (item == JABI_XML_MORE && !p->inside)
        return 0;
    return item == JAB_ENOMEM ? JAB_ENOMEM : JAB_EXML;
}

int jabi_xml_parse(const jab_mem *mem, jabi_arena *arena, jab_str text, const char *ns,
                   const jab_xml **root)
{
    jabi_xml_limits limits = {UINT32_MAX, JABI_XML_DEPTH_MAX, JABI_XML_ATTRS_MAX};
    *root = NULL;
    jabi_xml_parser *p = jabi_xml_parser_new(mem, &limits);
    if (!p)
        return JAB_ENOMEM;
    p->touched = p->fragment = 1;
    int error = JAB_ENOMEM;
    if (jabi_tree_begin_inside(&p->tree, jab_cstr(ns ? ns : "")) == JABI_FAULT_NONE)
        error = parse_one(p, arena, text, root);
    if (error)
        *root = NULL;
    jabi_xml_parser_free(p);
    return error;
}
