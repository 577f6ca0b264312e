/*
 * xml.h: the restricted XML of RFC 6120 §11. Bytes go in at any split; whole
 * stream-level elements come out as trees in an arena.
 */
#ifndef JABI_XML_H
#define JABI_XML_H

#include <jabiru/stanza.h>

#include "base/arena.h"
#include "base/buf.h"

#define JABI_XML_DEPTH_MAX 256 /* nested elements, the stream's own not counted */
#define JABI_XML_ATTRS_MAX 64  /* attributes of one element, xmlns among them */

#define JABI_XML_PREFIXES_MAX 64 /* prefixes in scope at one time, the stream's among them */

/* What the parser has found. */
typedef enum jabi_xml_item {
    JABI_XML_MORE = 0, /* the input is used up */
    JABI_XML_OPEN,     /* the stream's start tag: `root` has its attributes, no children */
    JABI_XML_ELEMENT,  /* a whole element directly inside the stream: `root` */
    JABI_XML_CLOSE,    /* the stream's end tag */
} jabi_xml_item;

typedef struct jabi_xml_parser jabi_xml_parser;

/* Limits of one parser. */
typedef struct jabi_xml_limits {
    size_t element_bytes; /* input bytes of one stream-level element or of the header */
    size_t depth;         /* at most JABI_XML_DEPTH_MAX */
    size_t attrs;         /* at most JABI_XML_ATTRS_MAX */
} jabi_xml_limits;

/* NULL when out of memory. */
jabi_xml_parser *jabi_xml_parser_new(const jab_mem *mem, const jabi_xml_limits *limits);
void jabi_xml_parser_free(jabi_xml_parser *p);

/* Begins a new stream; keeps the memory. */
void jabi_xml_parser_reset(jabi_xml_parser *p);

/*
 * Reads from *bytes until one item is complete, and moves *bytes and *n past
 * what it read: not one byte behind the item's ">" is looked at. The tree is
 * built in `arena`, which is the caller's, must be the same until an item is
 * complete, and holds all of the tree afterwards (nothing points into the
 * input or the parser). White space between elements is skipped.
 *
 * Returns an item, or < 0: JAB_ENOMEM, JAB_ETOOBIG (a limit), JAB_EBADXML;
 * then jabi_xml_parser_condition() names the stream error (RFC 6120 §4.9.3)
 * and the parser only repeats the error until it is reset.
 */
int jabi_xml_parser_next(jabi_xml_parser *p, const char **bytes, size_t *n, jabi_arena *arena,
                         const jab_xml **root) JAB_MUST_USE;

/* "not-well-formed", "restricted-xml", "bad-namespace-prefix",
 * "unsupported-encoding", "invalid-xml", "policy-violation", ... */
const char *jabi_xml_parser_condition(const jabi_xml_parser *p);

/* The default namespace that the stream's header declares, its content namespace
 * (RFC 6120 §4.8.2); empty when there is none. Valid until the reset. */
jab_str jabi_xml_parser_content_ns(const jabi_xml_parser *p);

/* Whether an item has begun and is not complete (for the stanza deadline). */
int jabi_xml_parser_inside(const jabi_xml_parser *p);

/* -- Trees -------------------------------------------------------------------- */

/*
 * Parses one complete element with nothing around it but white space, for
 * XML text that the application hands in. `ns` is the default namespace in
 * force. 0 and *root; else JAB_EXML or JAB_ENOMEM.
 */
int jabi_xml_parse(const jab_mem *mem, jabi_arena *arena, jab_str text, const char *ns,
                   const jab_xml **root) JAB_MUST_USE;

/* A copy of the tree, with all it needs, in another arena; its parent is
 * NULL and its language is kept. NULL when out of memory. */
jab_xml *jabi_xml_copy(jabi_arena *arena, const jab_xml *el);

/* Sets an attribute's value that tests and the router need to change; the
 * attribute must exist or there must be room in the arena. 0 or JAB_ENOMEM. */
int jabi_xml_set_attr(jabi_arena *arena, jab_xml *el, const char *name, jab_str value);

/* -- Writing -------------------------------------------------------------------- */

#define JABI_WRITER_DEPTH 64

/* One element that is open in a writer: offsets into the buffer, so that it
 * may grow. */
typedef struct jabi_writer_level {
    size_t name_at, name_n;
    size_t ns_at, ns_n; /* the default namespace in force inside it */
} jabi_writer_level;

/*
 * Writes elements into a buffer from left to right. No prefixes are written
 * but "xml:" and, when asked for, "stream:"; xmlns is written where it
 * changes. The first error stays: JAB_EXML (bad name, character that XML
 * does not allow, bad UTF-8, too deep), JAB_ENOMEM, JAB_ELIMIT.
 */
typedef struct jabi_writer {
    jabi_buf *buf;
    int error;
    int in_tag; /* the start tag is still open for attributes */
    size_t depth;
    jab_str ns0; /* the default namespace around the first element; static */
    jabi_writer_level levels[JABI_WRITER_DEPTH];
} jabi_writer;

/* `ns` is the default namespace already in force ("jabber:client"), static. */
void jabi_writer_init(jabi_writer *w, jabi_buf *buf, const char *ns);

/* `ns` absent: the namespace of the element around. */
void jabi_writer_start(jabi_writer *w, jab_str ns, jab_str name);
void jabi_writer_attr(jabi_writer *w, jab_str name, jab_str value); /* absent value: nothing */
void jabi_writer_lang(jabi_writer *w, jab_str lang);                /* xml:lang */
void jabi_writer_text(jabi_writer *w, jab_str text);
void jabi_writer_end(jabi_writer *w);

/* Writes a tree, its own prefixes resolved away. */
void jabi_writer_tree(jabi_writer *w, const jab_xml *el);

/* Closes elements until `depth` are open. Returns the error or 0. */
int jabi_writer_close_to(jabi_writer *w, size_t depth);

#endif
