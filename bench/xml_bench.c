/*
 * xml_bench.c: reads one stream with one parser, so that parsers can be measured side by side.
 *
 *     xml_bench PARSER FILE PASSES
 *
 * prints the bytes and stanzas of the file, the processor seconds of the last pass and the
 * allocation calls of all passes.
 */
#include <expat.h>
#include <libxml/parser.h>
#include <libxml/xmlmemory.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "xml/xml.h"

#define CHUNK      16384
#define ARENA_KEEP (64u << 20)

typedef struct input {
    char *bytes;
    size_t n;
} input;

typedef struct result {
    size_t stanzas;
    size_t noise; /* of what a reader would look at, so that nothing is left out */
    int failed;
} result;

/* A contestant: reads all of the input once. */
typedef result (*pass_fn)(const input *in);

/* -- Counting allocations ---------------------------------------------------------- */

/* The libraries compared take allocators without an argument. */
static size_t allocations;

static void *count_malloc(size_t n)
{
    allocations++;
    return malloc(n);
}

static void *count_realloc(void *p, size_t n)
{
    allocations++;
    return realloc(p, n);
}

static char *count_strdup(const char *z)
{
    allocations++;
    return strdup(z);
}

static void *mem_alloc(void *arg, size_t n)
{
    (void)arg;
    return count_malloc(n);
}

static void *mem_realloc(void *arg, void *p, size_t n)
{
    (void)arg;
    return count_realloc(p, n);
}

static void mem_free(void *arg, void *p)
{
    (void)arg;
    free(p);
}

/* -- jabiru: trees, and a look at what a handler needs ------------------------------- */

static size_t look_at(const jab_xml *el)
{
    return jab_xml_attr(el, "from").n + jab_xml_attr(el, "id").n +
           jab_xml_text(jab_xml_child(el, NULL, "body")).n;
}

static void read_chunk(jabi_xml_parser *p, jabi_arena *arena, const char *at, size_t n, result *r)
{
    for (;;) {
        const jab_xml *root;
        int item = jabi_xml_parser_next(p, &at, &n, arena, &root);
        if (item == JABI_XML_ELEMENT) {
            r->stanzas++;
            r->noise += look_at(root);
            jabi_arena_reset(arena, ARENA_KEEP);
        }
        if (item <= 0) {
            r->failed = item < 0;
            return;
        }
    }
}

static result pass_jabiru(const input *in)
{
    static const jab_mem mem = {NULL, mem_alloc, mem_realloc, mem_free};
    static const jabi_xml_limits limits = {1 << 24, JABI_XML_DEPTH_MAX, JABI_XML_ATTRS_MAX};
    static jabi_xml_parser *p;
    static jabi_arena arena;
    result r = {0};
    if (!p) {
        p = jabi_xml_parser_new(&mem, &limits);
        jabi_arena_init(&arena, &mem, SIZE_MAX);
    }
    jabi_xml_parser_reset(p);
    for (size_t i = 0; i < in->n && !r.failed; i += CHUNK)
        read_chunk(p, &arena, in->bytes + i, in->n - i < CHUNK ? in->n - i : CHUNK, &r);
    return r;
}

/* -- expat, without handlers ----------------------------------------------------------- */

static result pass_expat(const input *in)
{
    static const XML_Memory_Handling_Suite suite = {count_malloc, count_realloc, free};
    static XML_Parser p;
    result r = {0};
    if (p)
        XML_ParserReset(p, NULL);
    else
        p = XML_ParserCreate_MM(NULL, &suite, NULL);
    for (size_t i = 0; i < in->n && !r.failed; i += CHUNK) {
        size_t n = in->n - i < CHUNK ? in->n - i : CHUNK;
        r.failed = XML_Parse(p, in->bytes + i, (int)n, 0) != XML_STATUS_OK;
    }
    return r;
}

/* -- libxml2, SAX2 push, handlers that do nothing ----------------------------------------- */

static void ignore_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                         int ns_n, const xmlChar **ns, int attr_n, int default_n,
                         const xmlChar **attrs)
{
    (void)arg, (void)name, (void)prefix, (void)uri, (void)ns_n, (void)ns;
    (void)attr_n, (void)default_n, (void)attrs;
}

static void ignore_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)arg, (void)name, (void)prefix, (void)uri;
}

static void ignore_text(void *arg, const xmlChar *text, int n)
{
    (void)arg, (void)text, (void)n;
}

static result pass_libxml2(const input *in)
{
    xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
                         .startElementNs = ignore_start,
                         .endElementNs = ignore_end,
                         .characters = ignore_text};
    result r = {0};
    xmlParserCtxtPtr p = xmlCreatePushParserCtxt(&sax, NULL, NULL, 0, NULL);
    xmlCtxtUseOptions(p, XML_PARSE_HUGE | XML_PARSE_NONET);
    for (size_t i = 0; i < in->n && !r.failed; i += CHUNK) {
        size_t n = in->n - i < CHUNK ? in->n - i : CHUNK;
        r.failed = xmlParseChunk(p, in->bytes + i, (int)n, 0) != 0;
    }
    xmlFreeParserCtxt(p);
    return r;
}

/* -- Measuring ------------------------------------------------------------------------- */

static const struct {
    const char *name;
    pass_fn pass;
} contestants[] = {{"jabiru", pass_jabiru}, {"expat", pass_expat}, {"libxml2", pass_libxml2}};

static pass_fn find_contestant(const char *name)
{
    for (size_t i = 0; i < sizeof contestants / sizeof contestants[0]; i++)
        if (strcmp(contestants[i].name, name) == 0)
            return contestants[i].pass;
    return NULL;
}

static int read_file(const char *path, input *in)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        return -1;
    long n = ftell(f);
    rewind(f);
    in->bytes = n > 0 ? malloc((size_t)n) : NULL;
    in->n = in->bytes ? fread(in->bytes, 1, (size_t)n, f) : 0;
    fclose(f);
    return in->n == (size_t)n ? 0 : -1;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    input in;
    pass_fn pass = argc == 4 ? find_contestant(argv[1]) : NULL;
    if (!pass || read_file(argv[2], &in) < 0) {
        fprintf(stderr, "usage: xml_bench jabiru|expat|libxml2 FILE PASSES\n");
        return 2;
    }
    xmlMemSetup(free, count_malloc, count_realloc, count_strdup);
    double took = 0;
    result r = {0};
    for (long left = strtol(argv[3], NULL, 10); left > 0 && !r.failed; left--) {
        double start = seconds();
        r = pass(&in);
        took = seconds() - start;
    }
    printf("%zu %zu %.9f %zu %zu\n", in.n, r.stanzas, took, allocations, r.noise);
    return r.failed;
}
