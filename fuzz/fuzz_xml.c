/* fuzz_xml.c: streams from anywhere, whole and in pieces; what is printed is read again. */
#include <stdlib.h>

#include "../tests/unit/xml_dump.h"
#include "base/mem.h"

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const jabi_xml_limits limits = {1 << 16, 32, 16};

/* What came out of one way to read the input. */
typedef struct record {
    jabi_buf buf;
    int result;
    const char *condition;
    int inside;
} record;

static size_t prefixes_in(jab_str text)
{
    size_t count = 0;
    for (size_t i = 0; i + 7 < text.n; i++)
        count += memcmp(text.p + i, "xmlns:a", 7) == 0;
    return count;
}

static jab_str print(jabi_arena *arena, const jab_xml *el)
{
    size_t n = jab_xml_print(el, NULL, 0);
    char *text = jabi_arena_alloc(arena, n + 1);
    MUST(text && jab_xml_print(el, text, n + 1) == n && strlen(text) == n);
    return (jab_str){text, n};
}

/* A tree, its copy and what its text is read as are the same. */
static void comes_back(jabi_arena *arena, const jab_xml *el)
{
    jabi_buf was, is;
    const jab_xml *again;
    jab_str text = print(arena, el);
    jabi_buf_init(&was, jabi_mem_default(), SIZE_MAX);
    jabi_buf_init(&is, jabi_mem_default(), SIZE_MAX);
    dump_tree(&(xml_dump){.buf = &was}, el);
    const jab_xml *copy = jabi_xml_copy(arena, el);
    MUST(copy);
    dump_tree(&(xml_dump){.buf = &is}, copy);
    MUST(jab_str_eq(jabi_buf_str(&was), jabi_buf_str(&is)));
    jabi_buf_reset(&is);
    int error = jabi_xml_parse(jabi_mem_default(), arena, text, "", &again);
    /* Printing declares prefixes where they are used, so there may be too many. */
    MUST(error == 0 || prefixes_in(text) > JABI_XML_ATTRS_MAX / 2);
    if (!error) {
        dump_tree(&(xml_dump){.buf = &is}, again);
        MUST(jab_str_eq(jabi_buf_str(&was), jabi_buf_str(&is)));
        MUST(jab_str_eq(print(arena, again), text));
    }
    jabi_buf_fini(&was);
    jabi_buf_fini(&is);
}

static void take_items(jabi_xml_parser *p, jabi_arena *arena, jab_str in, record *r)
{
    xml_dump dump = {.buf = &r->buf};
    do {
        const jab_xml *root;
        if (!jabi_xml_parser_inside(p))
            jabi_arena_reset(arena, 1 << 16);
        r->result = jabi_xml_parser_next(p, &in.p, &in.n, arena, &root);
        dump_item(&dump, r->result, root);
        if (r->result == JABI_XML_ELEMENT)
            comes_back(arena, root);
    } while (r->result > 0);
}

/* Reads the input in pieces, each as long as its first byte says, or whole. */
static void read_input(const char *p, size_t n, int in_pieces, record *r)
{
    jabi_arena arena;
    jabi_xml_parser *parser = jabi_xml_parser_new(jabi_mem_default(), &limits);
    MUST(parser);
    jabi_arena_init(&arena, jabi_mem_default(), SIZE_MAX);
    *r = (record){.result = 0};
    jabi_buf_init(&r->buf, jabi_mem_default(), SIZE_MAX);
    for (size_t i = 0; i < n && r->result >= 0;) {
        size_t step = in_pieces ? 1 + ((unsigned char)p[i] & 15) : n;
        step = step < n - i ? step : n - i;
        /* A block of its own, so that a byte read behind it is seen. */
        char *piece = malloc(step);
        MUST(piece);
        memcpy(piece, p + i, step);
        take_items(parser, &arena, (jab_str){piece, step}, r);
        free(piece);
        i += step;
    }
    r->condition = jabi_xml_parser_condition(parser);
    r->inside = jabi_xml_parser_inside(parser);
    jabi_arena_fini(&arena);
    jabi_xml_parser_free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    record whole, pieces;
    read_input((const char *)data, size, 0, &whole);
    read_input((const char *)data, size, 1, &pieces);
    MUST(whole.result == pieces.result && whole.condition == pieces.condition);
    MUST(whole.inside == pieces.inside);
    MUST(jab_str_eq(jabi_buf_str(&whole.buf), jabi_buf_str(&pieces.buf)));
    jabi_buf_fini(&whole.buf);
    jabi_buf_fini(&pieces.buf);
    return 0;
}
