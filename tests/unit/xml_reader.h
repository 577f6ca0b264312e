/* xml_reader.h: a parser in a test, with an arena and a record of what came out. */
#ifndef XML_READER_H
#define XML_READER_H

#include "unit.h"

#include "base/mem.h"
#include "xml_dump.h"

#define HEAD                                                                                       \
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"         \
    " id='x' version='1.0'>"

static const jabi_xml_limits wide = {1 << 22, JABI_XML_DEPTH_MAX, JABI_XML_ATTRS_MAX};

/* A parser with an arena, and all that came out of it in one buffer. */
typedef struct reader {
    jabi_xml_parser *p;
    jabi_arena arena;
    jabi_buf dump;
    xml_dump writer;
    const jab_xml *root; /* of the newest item */
    int items;           /* how many */
    int result;          /* the last one, or the error */
} reader;

static inline void reader_init(reader *r, const jab_mem *mem, const jabi_xml_limits *limits)
{
    *r = (reader){.p = jabi_xml_parser_new(mem, limits)};
    jabi_arena_init(&r->arena, mem, SIZE_MAX);
    jabi_buf_init(&r->dump, jabi_mem_default(), SIZE_MAX);
    r->writer.buf = &r->dump;
}

static inline void reader_fini(reader *r)
{
    jabi_xml_parser_free(r->p);
    jabi_arena_fini(&r->arena);
    jabi_buf_fini(&r->dump);
}

/* Feeds one piece; the newest tree stays until the next item begins. */
static inline int feed(reader *r, const char *bytes, size_t n)
{
    for (;;) {
        if (!jabi_xml_parser_inside(r->p))
            jabi_arena_reset(&r->arena, SIZE_MAX);
        const jab_xml *root;
        r->result = jabi_xml_parser_next(r->p, &bytes, &n, &r->arena, &root);
        if (r->result <= 0)
            break;
        r->items++;
        r->root = root;
        dump_item(&r->writer, r->result, root);
        if (n == 0 && r->result == JABI_XML_ELEMENT)
            break;
    }
    return r->result;
}

static inline int feed_z(reader *r, const char *z)
{
    /* A block of exactly this size, so that a sanitizer sees a byte read behind it. */
    size_t n = strlen(z);
    char *copy = malloc(n ? n : 1);
    memcpy(copy, z, n);
    int result = feed(r, copy, n);
    free(copy);
    return result;
}

static inline void reader_reset(reader *r)
{
    jabi_xml_parser_reset(r->p);
    jabi_arena_reset(&r->arena, SIZE_MAX);
    jabi_buf_reset(&r->dump);
    r->items = 0;
    r->result = 0;
}

#endif
