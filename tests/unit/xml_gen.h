/* xml_gen.h: makes up streams, and spoils them, the same for the same seed. */
#ifndef XML_GEN_H
#define XML_GEN_H

#include <stdint.h>
#include <string.h>

#define GEN_MAX 1024

typedef struct gen {
    uint64_t x; /* state of chance */
    size_t n;
    size_t aim; /* about how long it is going to be */
    char bytes[GEN_MAX];
} gen;

static inline uint32_t gen_below(gen *g, uint32_t n)
{
    g->x += 0x9E3779B97F4A7C15u;
    uint64_t z = g->x;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) >> 32) % n;
}

static inline void gen_add(gen *g, const char *p, size_t n)
{
    if (n > GEN_MAX - g->n)
        n = GEN_MAX - g->n;
    memcpy(g->bytes + g->n, p, n);
    g->n += n;
}

static inline void gen_z(gen *g, const char *z)
{
    gen_add(g, z, strlen(z));
}

#define GEN_PICK(g, list) gen_z(g, list[gen_below(g, sizeof(list) / sizeof((list)[0]))])

/* -- A valid stream ------------------------------------------------------------------ */

static const char *const gen_names[] = {"a",
                                        "b",
                                        "body",
                                        "message",
                                        "iq",
                                        "x",
                                        "stanza-id",
                                        "q:c",
                                        "q:item",
                                        "stream:error",
                                        "_n.1-",
                                        "d\xC3\xA9",
                                        "\xD0\xB8\xD0\xBC"};
static const char *const gen_attrs[] = {"id",       "from", "to",  "xml:lang",  "q:id",
                                        "stream:v", "type", "n_1", "\xC3\xA9t", "xmlnsx"};
static const char *const gen_namespaces[] = {"u:1",     "u:2",  "jabber:client", "jabber:x:data",
                                             "u:&amp;", "u: 1", "u:\xC3\xA9"};
static const char *const gen_text[] = {"word",
                                       " ",
                                       "\n",
                                       "\r\n",
                                       "\r",
                                       "\t",
                                       "&lt;",
                                       "&amp;",
                                       "&gt;",
                                       "&quot;",
                                       "&apos;",
                                       "&#65;",
                                       "&#xA;",
                                       "&#13;",
                                       "&#x1F600;",
                                       "]",
                                       "]]",
                                       "0123456789abcdef",
                                       "\xD1\x8F",
                                       "\xE2\x82\xAC",
                                       "\xF0\x9F\x98\x80",
                                       "\xEF\xBF\xBD",
                                       "\xC2\x85",
                                       "\x7F",
                                       "=",
                                       "/",
                                       "-->",
                                       "?>",
                                       "  "};
static const char *const gen_sections[] = {"",       "<b>",      "&amp;",  "]",        "]]",
                                           "x\r\ny", "\xC3\xA9", "]]&gt;", "<![CDATA["};
static const char *const gen_spaces[] = {" ", "\n", "\t", "\r\n", "  "};

static inline void gen_some_text(gen *g)
{
    for (uint32_t i = gen_below(g, 4); i > 0; i--) {
        if (gen_below(g, 8) == 0) {
            gen_z(g, "<![CDATA[");
            GEN_PICK(g, gen_sections);
            gen_z(g, "]]>");
        } else {
            GEN_PICK(g, gen_text);
        }
    }
}

static inline void gen_value(gen *g, const char *const *list, size_t count, uint32_t most)
{
    int quote = gen_below(g, 2) ? '"' : '\'';
    gen_z(g, gen_below(g, 16) ? "=" : " =\n");
    gen_add(g, &(char){(char)quote}, 1);
    for (uint32_t i = 1 + gen_below(g, most); i > 0; i--)
        gen_z(g, list[gen_below(g, (uint32_t)count)]);
    gen_add(g, &(char){(char)quote}, 1);
}

/* Attributes of different names, "q:" only where it is declared. */
static inline void gen_attributes(gen *g)
{
    size_t count = sizeof gen_attrs / sizeof gen_attrs[0];
    for (size_t i = gen_below(g, (uint32_t)count); i < count; i += 1 + gen_below(g, 6)) {
        GEN_PICK(g, gen_spaces);
        gen_z(g, gen_attrs[i]);
        gen_value(g, gen_text, sizeof gen_text / sizeof gen_text[0] - 2, 4);
    }
    if (gen_below(g, 4) == 0) {
        gen_z(g, " xmlns");
        gen_value(g, gen_namespaces, sizeof gen_namespaces / sizeof gen_namespaces[0], 1);
    }
    if (gen_below(g, 8) == 0) {
        gen_z(g, gen_below(g, 2) ? " xmlns:q" : " xmlns:r");
        gen_value(g, gen_namespaces, sizeof gen_namespaces / sizeof gen_namespaces[0], 1);
    }
}

/* One stream-level element, without recursion: names of what is open are kept here. */
static inline void gen_element(gen *g)
{
    const char *open[8];
    size_t depth = 0;
    do {
        if (depth > 0 && gen_below(g, 3) == 0) {
            gen_z(g, "</");
            gen_z(g, open[--depth]);
            gen_z(g, gen_below(g, 16) ? ">" : " >");
        } else {
            uint32_t all = sizeof gen_names / sizeof gen_names[0];
            open[depth] = gen_names[gen_below(g, all)];
            gen_z(g, "<");
            gen_z(g, open[depth++]);
            gen_attributes(g);
            int empty = depth == 8 || g->n >= g->aim || gen_below(g, 3) == 0;
            gen_z(g, empty ? "/>" : ">");
            depth -= (size_t)empty;
        }
        if (depth > 0)
            gen_some_text(g);
        while (depth > 0 && g->n >= g->aim) {
            gen_z(g, "</");
            gen_z(g, open[--depth]);
            gen_z(g, ">");
        }
    } while (depth > 0);
}

static inline void gen_stream(gen *g, uint64_t seed)
{
    static const char *const prologues[] = {"", "", "<?xml version='1.0'?>",
                                            "<?xml version=\"1.0\" encoding='UTF-8'?>\n", " \n"};
    g->x = seed;
    g->n = 0;
    g->aim = 130 + gen_below(g, 150);
    GEN_PICK(g, prologues);
    gen_z(g, "<stream:stream xmlns='jabber:client' xmlns:stream='u:s' xmlns:q='u:q'");
    gen_z(g, gen_below(g, 2) ? " xml:lang='en'>" : ">");
    do {
        gen_element(g);
        if (gen_below(g, 3) == 0)
            GEN_PICK(g, gen_spaces);
    } while (g->n < g->aim);
    gen_z(g, "</stream:stream>");
    if (gen_below(g, 8) == 0)
        GEN_PICK(g, gen_spaces);
}

/* -- Spoiling ---------------------------------------------------------------------------- */

static const char *const gen_tokens[] = {"<",
                                         ">",
                                         "/",
                                         "&",
                                         ";",
                                         "'",
                                         "\"",
                                         "=",
                                         " ",
                                         ":",
                                         "!",
                                         "?",
                                         "]]>",
                                         "<![CDATA[",
                                         "<!--x-->",
                                         "<!DOCTYPE s>",
                                         "<?x y?>",
                                         "<?xml version='1.0'?>",
                                         "<?xml version='1.0' encoding='latin1'?>",
                                         "&nbsp;",
                                         "&#0;",
                                         "&#x;",
                                         "&#xFFFF;",
                                         "&#xD800;",
                                         "&#x110000;",
                                         "&#4294967297;",
                                         "xmlns='' ",
                                         " xmlns:q='u:q'",
                                         " xmlns:q=''",
                                         " xmlns:xml='u'",
                                         " xmlns:xmlns='u'",
                                         " xmlns='u:1'",
                                         " xmlns:p='http://www.w3.org/XML/1998/namespace'",
                                         " xmlns='http://www.w3.org/2000/xmlns/'",
                                         " q:id='1' r:id='2' xmlns:r='u:q'",
                                         " id='1' id='2'",
                                         "<p:a/>",
                                         "<stream:a/>",
                                         "<a>",
                                         "</a>",
                                         "<a/>",
                                         "<q:message xmlns:q='jabber:client'/>",
                                         "</stream:stream>",
                                         "x",
                                         "\r",
                                         "\n",
                                         "\t",
                                         "\x01",
                                         "\x7F",
                                         "\xC0\x80",
                                         "\xED\xA0\x80",
                                         "\xF4\x90\x80\x80",
                                         "\xEF\xBF\xBE",
                                         "\xEF\xBB\xBF",
                                         "\x80",
                                         "\xC3",
                                         "\xC2\xA0",
                                         "xml:lang='x'",
                                         "--",
                                         "<a b='c' d=\"e\">",
                                         "]]",
                                         "&lt",
                                         "&#38;",
                                         "<b><b><b><b><b><b><b><b><b>",
                                         " a1='' a2='' a3='' a4='' a5='' a6='' a7=''"};

static inline void gen_replace(gen *g, size_t at, size_t out_n, const char *in, size_t in_n)
{
    char rest[GEN_MAX];
    size_t rest_n = g->n - at - out_n;
    memcpy(rest, g->bytes + at + out_n, rest_n);
    g->n = at;
    gen_add(g, in, in_n);
    gen_add(g, rest, rest_n);
}

static inline void gen_flip(gen *g, const gen *other, size_t at)
{
    (void)other;
    g->bytes[at] = (char)(g->bytes[at] ^ (1 << gen_below(g, 8)));
}

static inline void gen_overwrite(gen *g, const gen *other, size_t at)
{
    (void)other;
    g->bytes[at] = (char)(gen_below(g, 2) ? gen_below(g, 256) : 'a' + gen_below(g, 26));
}

static inline void gen_delete(gen *g, const gen *other, size_t at)
{
    (void)other;
    size_t n = 1 + gen_below(g, 8);
    gen_replace(g, at, n < g->n - at ? n : g->n - at, "", 0);
}

static inline void gen_insert(gen *g, const gen *other, size_t at)
{
    (void)other;
    const char *token = gen_tokens[gen_below(g, sizeof gen_tokens / sizeof gen_tokens[0])];
    gen_replace(g, at, 0, token, strlen(token));
}

/* Puts a piece of another stream, or of this, in the place of one. */
static inline void gen_splice(gen *g, const gen *other, size_t at)
{
    char piece[64];
    const gen *from = gen_below(g, 2) ? other : g;
    size_t n = 1 + gen_below(g, sizeof piece - 1);
    if (from->n == 0)
        return;
    size_t start = gen_below(g, (uint32_t)from->n);
    n = n < from->n - start ? n : from->n - start;
    memcpy(piece, from->bytes + start, n);
    size_t out = gen_below(g, 2) ? 0 : n;
    gen_replace(g, at, out < g->n - at ? out : g->n - at, piece, n);
}

static inline void gen_spoil(gen *g, const gen *other)
{
    static void (*const ways[])(gen *, const gen *, size_t) = {
        gen_flip, gen_overwrite, gen_delete, gen_insert, gen_insert, gen_insert, gen_splice};
    uint32_t times = gen_below(g, 2) ? 1 : 1 + gen_below(g, 4);
    for (; times > 0 && g->n > 0; times--)
        ways[gen_below(g, sizeof ways / sizeof ways[0])](g, other, gen_below(g, (uint32_t)g->n));
}

#endif
