/*
 * tree.h: builds elements in an arena out of tokens, and knows which namespaces are in scope.
 * Internal to the parser.
 */
#ifndef JABI_XML_TREE_H
#define JABI_XML_TREE_H

#include "xml/lex.h"
#include "xml/node.h"

/* An element that is open. Level 0 is the stream. */
typedef struct jabi_tree_level {
    jab_xml *el;
    jab_xml *last;     /* its newest child */
    const char *qname; /* as its start tag has it */
    const char *ns;    /* the default namespace inside it */
    uint32_t qname_n;
    uint32_t ns_n;
    uint32_t text_n;  /* bytes of text directly inside it, so far */
    uint32_t scope_n; /* prefixes in scope outside it */
} jabi_tree_level;

typedef struct jabi_tree_prefix {
    const char *prefix;
    const char *ns;
    const char *copy; /* of a stream's namespace, in the item's arena */
    uint32_t prefix_n;
    uint32_t ns_n;
    uint64_t copied_for; /* the item that `copy` is in */
} jabi_tree_prefix;

typedef struct jabi_tree {
    const jab_mem *mem;
    jabi_arena *arena; /* of the item being read */
    jabi_tree_level *levels;
    size_t depth;     /* levels in use, the stream's too */
    size_t room;      /* levels allocated */
    size_t max;       /* levels allowed, the stream's too */
    uint64_t item;    /* counts stream-level elements */
    jabi_buf run;     /* text that goes on after a CDATA section */
    char *header;     /* what the stream's level and prefixes point to */
    const char *lang; /* the stream's language */
    uint32_t lang_n;
    size_t stream_scope_n; /* prefixes that the stream declares */
    size_t scope_n;
    jabi_tree_prefix scope[JABI_XML_PREFIXES_MAX];
} jabi_tree;

void jabi_tree_init(jabi_tree *t, const jab_mem *mem, size_t depth);
void jabi_tree_fini(jabi_tree *t);
void jabi_tree_reset(jabi_tree *t);

/* Begins inside a stream without a header, with this default namespace, which stays the
 * caller's. */
jabi_xml_fault jabi_tree_begin_inside(jabi_tree *t, jab_str ns);

/* An element for a start tag, inside the current one. */
jabi_xml_fault jabi_tree_open(jabi_tree *t, const jabi_lex_tag *tag, jab_xml **el);

/* Ends the current element, which is not the stream. */
jabi_xml_fault jabi_tree_close(jabi_tree *t);

/* A run of text, or what is in a CDATA section, inside the current element. */
jabi_xml_fault jabi_tree_text(jabi_tree *t, const char *p, size_t n, unsigned seen);
jabi_xml_fault jabi_tree_cdata(jabi_tree *t, const char *p, size_t n);

static inline jabi_tree_level *jabi_tree_top(const jabi_tree *t)
{
    return &t->levels[t->depth - 1];
}

#endif
