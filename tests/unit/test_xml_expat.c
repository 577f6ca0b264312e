/*
 * test_xml_expat.c: our parser beside expat, on streams made up and spoilt by chance. What
 * expat refuses is never taken, no tree differs, and what only we refuse is restricted.
 *
 * JABIRU_XML_STREAMS and JABIRU_XML_MUTATIONS set how many; JABIRU_XML_SEED is the first
 * seed, which a failure names.
 */
#include "unit.h"

#include <expat.h>
#include <stdio.h>

#include "base/mem.h"
#include "xml/chars.h"
#include "xml_dump.h"
#include "xml_gen.h"

#if defined(__SANITIZE_ADDRESS__)
#define MUTATIONS 40000
#else
#define MUTATIONS 1000000
#endif
#define STREAMS 10000

static const jabi_xml_limits limits = {GEN_MAX, 8, 8};

/* -- What expat finds ---------------------------------------------------------------------- */

/* Why a stream parser may refuse what expat takes. */
typedef enum reason {
    HAS_COMMENT = 1,
    HAS_INSTRUCTION = 2,
    HAS_DOCTYPE = 4,
    HAS_ENCODING = 8,     /* another than UTF-8 */
    HAS_VERSION = 16,     /* another than 1.0 */
    HAS_STREAM_TEXT = 32, /* between elements, or as a reference or section */
    HAS_PREFIX = 64,      /* on a stream-level element in the content namespace */
    IS_TOO_DEEP = 128,
    HAS_MANY_ATTRS = 256,
} reason;

typedef struct theirs {
    XML_Parser p;
    jabi_buf buf;
    xml_dump dump;
    int accepted;
    unsigned reasons;
    size_t depth;
    size_t declared; /* namespaces, in the tag that comes */
    const char *doc;
} theirs;

/* "ns local prefix", "ns local" or "local", the parts with the separator between. */
static void dump_triplet(theirs *t, const char *name)
{
    const char *local = strchr(name, DUMP_SEPARATOR);
    const char *prefix = local ? strchr(local + 1, DUMP_SEPARATOR) : NULL;
    jabi_buf_add(&t->buf, name, prefix ? (size_t)(prefix - name) : strlen(name));
}

static int is_prefixed_content(const char *name)
{
    static const char *const content[] = {"jabber:client", "jabber:server"};
    const char *local = strchr(name, DUMP_SEPARATOR);
    for (size_t i = 0; local && i < 2; i++)
        if (jab_str_eq(jab_cstr(content[i]), (jab_str){name, (size_t)(local - name)}))
            return strchr(local + 1, DUMP_SEPARATOR) != NULL;
    return 0;
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attrs)
{
    theirs *t = arg;
    size_t count = t->declared;
    t->declared = 0;
    dump_mark(&t->dump, '\2');
    dump_triplet(t, name);
    for (; *attrs; attrs += 2, count++) {
        dump_mark(&t->dump, '\3');
        dump_triplet(t, attrs[0]);
        dump_mark(&t->dump, '\4');
        jabi_buf_add_z(&t->buf, attrs[1]);
    }
    if (count > limits.attrs)
        t->reasons |= HAS_MANY_ATTRS;
    if (t->depth == 1 && is_prefixed_content(name))
        t->reasons |= HAS_PREFIX;
    if (++t->depth > limits.depth + 1)
        t->reasons |= IS_TOO_DEEP;
}

static void on_end(void *arg, const XML_Char *name)
{
    theirs *t = arg;
    (void)name;
    dump_mark(&t->dump, '\5');
    t->depth--;
}

static void on_text(void *arg, const XML_Char *p, int n)
{
    theirs *t = arg;
    if (t->depth > 1) {
        dump_text(&t->dump, (jab_str){p, (size_t)n});
        return;
    }
    for (int i = 0; i < n; i++)
        if (!jabi_xml_space(p[i]))
            t->reasons |= HAS_STREAM_TEXT;
    if (t->doc[XML_GetCurrentByteIndex(t->p)] == '&')
        t->reasons |= HAS_STREAM_TEXT;
}

static void on_section(void *arg)
{
    theirs *t = arg;
    if (t->depth == 1)
        t->reasons |= HAS_STREAM_TEXT;
}

static void on_comment(void *arg, const XML_Char *text)
{
    (void)text;
    ((theirs *)arg)->reasons |= HAS_COMMENT;
}

static void on_instruction(void *arg, const XML_Char *target, const XML_Char *data)
{
    (void)target, (void)data;
    ((theirs *)arg)->reasons |= HAS_INSTRUCTION;
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    ((theirs *)arg)->reasons |= HAS_DOCTYPE;
}

static void on_declaration(void *arg, const XML_Char *version, const XML_Char *encoding,
                           int standalone)
{
    theirs *t = arg;
    (void)standalone;
    if (version && strcmp(version, "1.0") != 0)
        t->reasons |= HAS_VERSION;
    if (encoding && strcasecmp(encoding, "UTF-8") != 0)
        t->reasons |= HAS_ENCODING;
}

static void on_namespace(void *arg, const XML_Char *prefix, const XML_Char *uri)
{
    (void)prefix, (void)uri;
    ((theirs *)arg)->declared++;
}

static void theirs_init(theirs *t)
{
    memset(t, 0, sizeof *t);
    t->p = XML_ParserCreateNS("UTF-8", DUMP_SEPARATOR);
    jabi_buf_init(&t->buf, jabi_mem_default(), SIZE_MAX);
}

static void theirs_fini(theirs *t)
{
    XML_ParserFree(t->p);
    jabi_buf_fini(&t->buf);
}

static void theirs_read(theirs *t, const char *doc, size_t n)
{
    XML_ParserReset(t->p, "UTF-8");
    XML_SetHashSalt(t->p, 1);
    XML_SetReturnNSTriplet(t->p, 1);
    XML_SetUserData(t->p, t);
    XML_SetElementHandler(t->p, on_start, on_end);
    XML_SetCharacterDataHandler(t->p, on_text);
    XML_SetStartCdataSectionHandler(t->p, on_section);
    XML_SetCommentHandler(t->p, on_comment);
    XML_SetProcessingInstructionHandler(t->p, on_instruction);
    XML_SetStartDoctypeDeclHandler(t->p, on_doctype);
    XML_SetXmlDeclHandler(t->p, on_declaration);
    XML_SetStartNamespaceDeclHandler(t->p, on_namespace);
    jabi_buf_reset(&t->buf);
    t->dump = (xml_dump){.buf = &t->buf};
    t->reasons = 0;
    t->depth = t->declared = 0;
    t->doc = doc;
    t->accepted = XML_Parse(t->p, doc, (int)n, 1) == XML_STATUS_OK;
}

/* -- What we find -------------------------------------------------------------------------- */

typedef struct ours {
    jabi_xml_parser *p;
    jabi_arena arena;
    jabi_buf buf;
    xml_dump dump;
    int result;   /* of the last call */
    int accepted; /* the stream came to its end */
} ours;

static void ours_init(ours *o)
{
    memset(o, 0, sizeof *o);
    o->p = jabi_xml_parser_new(jabi_mem_default(), &limits);
    jabi_arena_init(&o->arena, jabi_mem_default(), SIZE_MAX);
    jabi_buf_init(&o->buf, jabi_mem_default(), SIZE_MAX);
}

static void ours_fini(ours *o)
{
    jabi_xml_parser_free(o->p);
    jabi_arena_fini(&o->arena);
    jabi_buf_fini(&o->buf);
}

static void ours_feed(ours *o, const char *p, size_t n)
{
    const jab_xml *root;
    while (o->result >= 0) {
        if (!jabi_xml_parser_inside(o->p))
            jabi_arena_reset(&o->arena, SIZE_MAX);
        o->result = jabi_xml_parser_next(o->p, &p, &n, &o->arena, &root);
        dump_item(&o->dump, o->result, root);
        o->accepted |= o->result == JABI_XML_CLOSE;
        if (o->result == JABI_XML_MORE)
            return;
    }
    o->accepted = 0;
}

/* Reads the stream in two pieces. */
static void ours_read(ours *o, const char *doc, size_t n, size_t split)
{
    jabi_xml_parser_reset(o->p);
    jabi_arena_reset(&o->arena, SIZE_MAX);
    jabi_buf_reset(&o->buf);
    o->dump = (xml_dump){.buf = &o->buf};
    o->accepted = o->result = 0;
    ours_feed(o, doc, split);
    if (o->result >= 0)
        ours_feed(o, doc + split, n - split);
}

/* -- Agreement ------------------------------------------------------------------------------- */

/* expat knows the names of XML's fourth edition, which has fewer characters for them than
 * the fifth, which RFC 6120 refers to. Tells whether it stopped at such a character. */
static int is_of_fifth_edition(const theirs *t, const char *doc, size_t n)
{
    XML_Index at = XML_GetErrorByteIndex(t->p);
    size_t prefix_n, length = 1;
    if (XML_GetErrorCode(t->p) != XML_ERROR_INVALID_TOKEN || at < 0 || (size_t)at >= n ||
        !(doc[at] & '\x80'))
        return 0;
    while ((size_t)at + length < n && (doc[(size_t)at + length] & '\xC0') == '\x80')
        length++;
    char name[8] = "a";
    if (length > 4)
        return 0;
    memcpy(name + 1, doc + at, length);
    return jabi_xml_check_name(name, length + 1, &prefix_n) == JABI_FAULT_NONE;
}

/* Whether the stream error that we gave has its reason in the document. */
static int is_justified(const ours *o, const theirs *t, const char *doc, size_t n)
{
    static const struct {
        const char *condition;
        unsigned reasons;
    } rows[] = {
        {"restricted-xml", HAS_COMMENT | HAS_INSTRUCTION | HAS_DOCTYPE},
        {"unsupported-encoding", HAS_ENCODING},
        {"bad-namespace-prefix", HAS_PREFIX},
        {"policy-violation", IS_TOO_DEEP | HAS_MANY_ATTRS},
        /* The last two behind the stream's end, where nothing may come. */
        {"not-well-formed", HAS_STREAM_TEXT | HAS_VERSION | HAS_COMMENT | HAS_INSTRUCTION},
    };
    if (n > 3 && memcmp(doc, "\xEF\xBB\xBF", 3) == 0)
        return 1;
    for (size_t i = 0; o->result < 0 && i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(jabi_xml_parser_condition(o->p), rows[i].condition) == 0)
            return (t->reasons & rows[i].reasons) != 0;
    return 0;
}

/* NULL, or what both parsers do not agree about. */
static const char *judge(const ours *o, const theirs *t, const char *doc, size_t n)
{
    if (!t->accepted && is_of_fifth_edition(t, doc, n))
        return NULL;
    if (o->buf.n > t->buf.n || (o->buf.n > 0 && memcmp(o->buf.p, t->buf.p, o->buf.n) != 0))
        return "a tree that expat does not build";
    if (o->accepted && !t->accepted)
        return "taken though expat refuses it";
    if (o->accepted && o->buf.n != t->buf.n)
        return "part of the tree is missing";
    if (o->accepted && t->reasons)
        return "taken though it is not allowed in a stream";
    if (t->accepted && !o->accepted && !is_justified(o, t, doc, n))
        return "refused for no reason";
    return NULL;
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *z = getenv(name);
    return z ? strtoull(z, NULL, 10) : otherwise;
}

static void report(const char *what, uint64_t seed, const gen *g, const ours *o, const theirs *t)
{
    print_error("seed %llu: %s\nours: %s\nexpat: %s, reasons %u\n", (unsigned long long)seed, what,
                o->result < 0 ? jabi_xml_parser_condition(o->p)
                : o->accepted ? "taken"
                              : "open",
                t->accepted ? "taken" : XML_ErrorString(XML_GetErrorCode(t->p)), t->reasons);
    for (size_t i = 0; i < g->n; i++) {
        unsigned char c = (unsigned char)g->bytes[i];
        print_error(c >= 0x20 && c < 0x7F && c != '\\' ? "%c" : "\\x%02X", c);
    }
    print_error("\n");
    fail();
}

/* -- The tests ------------------------------------------------------------------------------- */

/* A made-up stream gives the tree that expat gives, wherever it is cut. */
static void check_stream(ours *o, theirs *t, jabi_buf *uncut, uint64_t seed)
{
    gen g;
    gen_stream(&g, seed);
    theirs_read(t, g.bytes, g.n);
    ours_read(o, g.bytes, g.n, 0);
    const char *what = judge(o, t, g.bytes, g.n);
    if (!what && !(t->accepted && (o->accepted || t->reasons)))
        what = "not a valid stream";
    if (what)
        report(what, seed, &g, o, t);
    jabi_buf_reset(uncut);
    jabi_buf_add(uncut, o->buf.p, o->buf.n);
    int result = o->result;
    for (size_t split = 1; split < g.n; split++) {
        ours_read(o, g.bytes, g.n, split);
        if (o->result != result || o->buf.n != uncut->n ||
            memcmp(o->buf.p, uncut->p, uncut->n) != 0)
            report("differs when it is split", seed, &g, o, t);
    }
}

static void streams_are_read_as_expat_does(void **state)
{
    ours o;
    theirs t;
    jabi_buf uncut;
    (void)state;
    ours_init(&o);
    theirs_init(&t);
    jabi_buf_init(&uncut, jabi_mem_default(), SIZE_MAX);
    uint64_t seed = setting("JABIRU_XML_SEED", 1);
    uint64_t count = setting("JABIRU_XML_STREAMS", STREAMS), taken = 0;
    for (uint64_t i = 0; i < count; i++) {
        check_stream(&o, &t, &uncut, seed + i);
        taken += (uint64_t)o.accepted;
    }
    /* Few may be refused, for limits and prefixes. */
    assert_true(taken * 10 >= count * 8);
    jabi_buf_fini(&uncut);
    theirs_fini(&t);
    ours_fini(&o);
}

static void spoilt_streams_are_judged_as_expat_does(void **state)
{
    ours o;
    theirs t;
    gen g, other = {.n = 0};
    (void)state;
    ours_init(&o);
    theirs_init(&t);
    uint64_t seed = setting("JABIRU_XML_SEED", 1);
    uint64_t count = setting("JABIRU_XML_MUTATIONS", MUTATIONS), taken = 0, refused = 0;
    for (uint64_t i = 0; i < count; i++) {
        gen_stream(&other, seed + i + 1);
        gen_stream(&g, seed + i);
        gen_spoil(&g, &other);
        size_t split = gen_below(&g, (uint32_t)g.n + 1);
        theirs_read(&t, g.bytes, g.n);
        ours_read(&o, g.bytes, g.n, split);
        const char *what = judge(&o, &t, g.bytes, g.n);
        if (what)
            report(what, seed + i, &g, &o, &t);
        taken += (uint64_t)o.accepted;
        refused += t.accepted && !o.accepted;
    }
    print_message("# %llu streams: %llu taken, %llu refused though expat takes them\n",
                  (unsigned long long)count, (unsigned long long)taken,
                  (unsigned long long)refused);
    if (count >= 1000) {
        assert_in_range(taken, count / 20, count * 19 / 20);
        assert_in_range(refused, 1, count / 2);
    }
    theirs_fini(&t);
    ours_fini(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_read_as_expat_does),
        cmocka_unit_test(spoilt_streams_are_judged_as_expat_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
