/* test_xml.c: the stream parser: what it accepts, what it refuses and how it says so. */
#include "xml_reader.h"

#include <stdio.h>

/* The verdict on the document so far becomes part of the dump. */
static void end_dump(reader *r)
{
    if (r->result < 0)
        jabi_buf_add_z(&r->dump, jabi_xml_parser_condition(r->p));
    else
        jabi_buf_add_z(&r->dump, jabi_xml_parser_inside(r->p) ? "inside" : "between");
}

/* -- What is accepted ---------------------------------------------------------------- */

typedef struct sample {
    const char *in;  /* behind HEAD */
    const char *out; /* as jab_xml_print() writes the first element */
} sample;

static const sample samples[] = {
    {"<a/>", "<a xmlns='jabber:client'/>"},
    {"<a></a>", "<a xmlns='jabber:client'/>"},
    {"<a\t\n b = 'c'\r\n></a\n>", "<a xmlns='jabber:client' b='c'/>"},
    {"<a b='\"' c=\"'\"/>", "<a xmlns='jabber:client' b='\"' c='&#39;'/>"},
    {"<a>one<b>two</b>three<c/>four</a>",
     "<a xmlns='jabber:client'>one<b>two</b>three<c/>four</a>"},
    {"<a><b/>x</a>", "<a xmlns='jabber:client'><b/>x</a>"},
    {"<a xmlns=''><b/></a>", "<a><b/></a>"},
    {"<a xmlns='u:1'><b xmlns='u:2'/><c/></a>", "<a xmlns='u:1'><b xmlns='u:2'/><c/></a>"},
    {"<p:a xmlns:p='u:1'><p:b/><c/></p:a>", "<a xmlns='u:1'><b/><c xmlns='jabber:client'/></a>"},
    {"<p:a xmlns:p='u:1'><p:b xmlns:p='u:2'/><p:c/></p:a>",
     "<a xmlns='u:1'><b xmlns='u:2'/><c/></a>"},
    {"<stream:features><x/></stream:features>",
     "<features xmlns='http://etherx.jabber.org/streams'><x xmlns='jabber:client'/></features>"},
    {"<a xml:lang='de' xmlns:q='u:q' q:r='1' r='2'/>",
     "<a xmlns='jabber:client' xml:lang='de' xmlns:a01='u:q' a01:r='1' r='2'/>"},
    {"<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:x='1'/>",
     "<a xmlns='jabber:client' xml:x='1'/>"},
    /* References, in all their forms. */
    {"<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#x00000043;&#x1F600;</a>",
     "<a xmlns='jabber:client'>&lt;&gt;&amp;\"'ABC\xF0\x9F\x98\x80</a>"},
    {"<a b='&lt;&#10;&#x9;&#13;&gt;'/>", "<a xmlns='jabber:client' b='&lt;&#xA;&#x9;&#xD;&gt;'/>"},
    /* Line ends (XML 1.0 §2.11) and white space in values (§3.3.3). */
    {"<a>1\r\n2\r3\n4\t5\r\r\n6&#13;\n</a>",
     "<a xmlns='jabber:client'>1\n2\n3\n4\t5\n\n6&#xD;\n</a>"},
    {"<a b='1\r\n2\r3\n4\t5\r\r\n6&#13;&#10;'/>",
     "<a xmlns='jabber:client' b='1 2 3 4 5  6&#xD;&#xA;'/>"},
    /* CDATA sections are not among what RFC 6120 §11.1 forbids. */
    {"<a><![CDATA[<&amp;>]]></a>", "<a xmlns='jabber:client'>&lt;&amp;amp;&gt;</a>"},
    {"<a>1<![CDATA[2]]>3<![CDATA[]]><![CDATA[]]]]>4<b/>5<![CDATA[6\r\n]]></a>",
     "<a xmlns='jabber:client'>123]]4<b/>56\n</a>"},
    {"<a><![CDATA[]]></a>", "<a xmlns='jabber:client'/>"},
    {"<a>]]&gt; ]] > ]></a>", "<a xmlns='jabber:client'>]]&gt; ]] &gt; ]&gt;</a>"},
    {"<a b=']]>'/>", "<a xmlns='jabber:client' b=']]&gt;'/>"},
    /* Every length of UTF-8, its first and last character. */
    {"<a>\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBD\xF0\x90\x80\x80"
     "\xF4\x8F\xBF\xBF</a>",
     "<a xmlns='jabber:client'>\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80"
     "\xEF\xBF\xBD\xF0\x90\x80\x80\xF4\x8F\xBF\xBF</a>"},
    {"<\xC3\xA9t\xC3\xA9 \xD0\xB8\xD0\xB4='\xC3\xA9'/>",
     "<\xC3\xA9t\xC3\xA9 xmlns='jabber:client' \xD0\xB8\xD0\xB4='\xC3\xA9'/>"},
    {"<_-.1 a-b.c_1='' _='x'/>", "<_-.1 xmlns='jabber:client' a-b.c_1='' _='x'/>"},
    {"<a xmlnsx='1' xml='2' xmln='3'/>", "<a xmlns='jabber:client' xmlnsx='1' xml='2' xmln='3'/>"},
    {"<a xmlns:p='u:1' p:b='1' b='2'/>",
     "<a xmlns='jabber:client' xmlns:a00='u:1' a00:b='1' b='2'/>"},
    {"<a xmlns:p='u' xmlns:q='u' p:b='1' q:c='2'/>",
     "<a xmlns='jabber:client' xmlns:a00='u' a00:b='1' a00:c='2'/>"},
    {" \t\r\n<a/>", "<a xmlns='jabber:client'/>"},
    {"<a xmlns='u:&amp;&#x41;'/>", "<a xmlns='u:&amp;A'/>"},
};

static void accepts(void **state)
{
    (void)state;
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        char out[512];
        reader_reset(&r);
        assert_int_equal(feed_z(&r, HEAD), JABI_XML_MORE);
        int result = feed_z(&r, samples[i].in);
        if (result != JABI_XML_ELEMENT)
            fail_msg("%s: %d", samples[i].in, result);
        assert_in_range(jab_xml_print(r.root, out, sizeof out), 1, sizeof out - 1);
        assert_string_equal(out, samples[i].out);
        assert_int_equal(feed_z(&r, "\n</stream:stream > \t\r\n"), JABI_XML_MORE);
        assert_int_equal(r.items, 3);
    }
    reader_fini(&r);
}

/* What may stand before the stream's tag. */
static void accepts_prologues(void **state)
{
    static const char *const prologues[] = {
        "",
        " \r\n\t",
        "<?xml version='1.0'?>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n",
        "<?xml\tversion = '1.0'\nencoding = 'utf-8' ?>",
        "<?xml version='1.0' standalone='yes'?>",
        "<?xml version='1.0' encoding='Utf-8' standalone='no' ?> ",
    };
    (void)state;
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    for (size_t i = 0; i < sizeof prologues / sizeof prologues[0]; i++) {
        reader_reset(&r);
        feed_z(&r, prologues[i]);
        assert_int_equal(feed_z(&r, HEAD), JABI_XML_MORE);
        assert_int_equal(r.items, 1);
        assert_int_equal(jabi_xml_parser_inside(r.p), 0);
    }
    reader_fini(&r);
}

/* -- What is refused ------------------------------------------------------------------ */

typedef struct refusal {
    const char *in; /* behind HEAD, or, when it begins with "^", from the start */
    const char *condition;
} refusal;

#define BAD "not-well-formed"
#define RES "restricted-xml"
#define ENC "unsupported-encoding"

static const refusal refusals[] = {
    /* RFC 6120 §11.1 */
    {"<a><!-- x --></a>", RES},
    {"<!-- x -->", RES},
    {"<a><?php x ?></a>", RES},
    {"<?x?>", RES},
    {"<?xml version='1.0'?>", RES},
    {"^ <?xml version='1.0'?>", RES},
    {"^<?xml version='1.0'?><?xml version='1.0'?>", RES},
    {"^<?xml-stylesheet href='x'?>", RES},
    {"^<?php ?>", RES},
    {"^<!DOCTYPE a>", RES},
    {"^<?xml version='1.0'?><!DOCTYPE lol [<!ENTITY lol 'lol'>]>", RES},
    {"<a>&nbsp;</a>", RES},
    {"<a b='&nbsp;'/>", RES},
    {"<a>&Amp;</a>", RES},
    /* The XML declaration, RFC 6120 §11.6 and §11.8. */
    {"^<?xml?>", BAD},
    {"^<?xml ?>", BAD},
    {"^<?xml encoding='UTF-8'?>", BAD},
    {"^<?xml version='1.1'?>", BAD},
    {"^<?xml version='1.0'encoding='UTF-8'?>", BAD},
    {"^<?xml version='1.0' standalone='yes' encoding='UTF-8'?>", BAD},
    {"^<?xml version='1.0' standalone='maybe'?>", BAD},
    {"^<?xml version='1.0' x='y'?>", BAD},
    {"^<?xml version='1.0'? >?>", BAD},
    {"^<?xml version='1.0' encoding='UTF-16'?>", ENC},
    {"^<?xml version='1.0' encoding='ISO-8859-1'?>", ENC},
    {"^<?xml version='1.0' encoding='UTF-\x18'?>", ENC},
    {"^<?xml version='1.0' encoding='UTF\x0D"
     "8'?>",
     ENC},
    /* A byte order mark is a character like others (RFC 6120 §11.6). */
    {"^\xEF\xBB\xBF" HEAD, BAD},
    /* The stream's own grammar. */
    {"x", BAD},
    {"&#32;<a/>", BAD},
    {"<![CDATA[ ]]>", BAD},
    {"<a/>x", BAD},
    {"\xC2\xA0<a/>", BAD},
    {"^x", BAD},
    {"^</a>", BAD},
    {"</stream:stream>x", BAD},
    {"</stream:stream><a/>", BAD},
    {"</stream:stream><stream:stream>", BAD},
    {"<a></stream:stream>", BAD},
    {"</stream>", BAD},
    {"</other:stream>", BAD},
    /* Tags. */
    {"< a/>", BAD},
    {"<1/>", BAD},
    {"<-a/>", BAD},
    {"<>", BAD},
    {"<a></ a>", BAD},
    {"<a></b>", BAD},
    {"<a></aa>", BAD},
    {"<aa></a>", BAD},
    {"<a></a x='y'>", BAD},
    {"<a></a/>", BAD},
    {"<a/ >", BAD},
    {"<a b/>", BAD},
    {"<a b=/>", BAD},
    {"<a b=c/>", BAD},
    {"<a b='c'd='e'/>", BAD},
    {"<a b='<'/>", BAD},
    {"<a <b/>>", BAD},
    {"<a b='1' b='2'/>", BAD},
    {"<a 1='2'/>", BAD},
    {"<a b$='2'/>", BAD},
    {"<a='b'/>", BAD},
    {"<a\x0B/>", BAD},
    {"<a\xC3\x97/>", BAD},
    {"<\xC2\xB7/>", BAD},
    /* Markup declarations that are none. */
    {"<a><!x></a>", BAD},
    {"<a><!-x></a>", BAD},
    {"<a><![cdata[x]]></a>", BAD},
    {"<a><![CDATA [x]]></a>", BAD},
    {"<a>]]></a>", BAD},
    {"<a>x]]]></a>", BAD},
    {"<a>&lt;]]></a>", BAD},
    /* References. */
    {"<a>&</a>", BAD},
    {"<a>& </a>", BAD},
    {"<a>&amp</a>", BAD},
    {"<a>&;</a>", BAD},
    {"<a>&#;</a>", BAD},
    {"<a>&#x;</a>", BAD},
    {"<a>&#xG;</a>", BAD},
    {"<a>&#X41;</a>", BAD},
    {"<a>&#1a;</a>", BAD},
    {"<a>&a:b:c;</a>", BAD},
    {"<a>&1;</a>", BAD},
    {"<a>&#0;</a>", BAD},
    {"<a>&#8;</a>", BAD},
    {"<a>&#x1F;</a>", BAD},
    {"<a>&#xD800;</a>", BAD},
    {"<a>&#xDFFF;</a>", BAD},
    {"<a>&#xFFFE;</a>", BAD},
    {"<a>&#xFFFF;</a>", BAD},
    {"<a>&#x110000;</a>", BAD},
    {"<a>&#4294967361;</a>", BAD},
    {"<a>&#x100000041;</a>", BAD},
    {"<a>&#99999999999999999999999999999999;</a>", BAD},
    {"<a b='&#0;'/>", BAD},
    {"<a b='&'/>", BAD},
    /* Characters (XML 1.0 §2.2). */
    {"<a>\x01</a>", BAD},
    {"<a>\x1F</a>", BAD},
    {"<a>0123456789abcdef\x0C</a>", BAD},
    {"<a b='\x02'/>", BAD},
    {"<a><![CDATA[\x03]]></a>", BAD},
    {"<a>\xEF\xBF\xBE</a>", BAD},
    {"<a>\xEF\xBF\xBF</a>", BAD},
    {"<a b='\xEF\xBF\xBF'/>", BAD},
    {"<a xmlns='\xEF\xBF\xBF'/>", BAD},
    /* UTF-8 (RFC 6120 §4.9.3.22): lone, cut short, overlong, surrogates, too large. */
    {"<a>\x80</a>", ENC},
    {"<a>\xC3</a>", ENC},
    {"<a>\xE2\x82</a>", ENC},
    {"<a>\xF0\x9F\x98</a>", ENC},
    {"<a>\xC0\x80</a>", ENC},
    {"<a>\xC1\xBF</a>", ENC},
    {"<a>\xE0\x9F\xBF</a>", ENC},
    {"<a>\xF0\x8F\xBF\xBF</a>", ENC},
    {"<a>\xED\xA0\x80</a>", ENC},
    {"<a>\xED\xBF\xBF</a>", ENC},
    {"<a>\xF4\x90\x80\x80</a>", ENC},
    {"<a>\xF5\x80\x80\x80</a>", ENC},
    {"<a>\xFF</a>", ENC},
    {"<a><![CDATA[\xC3]]></a>", ENC},
    {"<a b='\xC3'/>", ENC},
    {"<a xmlns='u:\xC0\xAF'/>", ENC},
    {"<a xmlns:b='u:\xC0\xAF'/>", ENC},
    {"<a\xC3/>", ENC},
    {"<a b\xED\xA0\x80='c'/>", ENC},
    {"^<a\xFF b='c'>", ENC},
    /* Namespaces (RFC 6120 §4.9.3.13 and §11.3, Namespaces in XML 1.0). */
    {"<p:a/>", BAD},
    {"<a><foo:body>What is this foo?</foo:body></a>", BAD},
    {"<a p:b='c'/>", BAD},
    {"<a><b xmlns:p='u:1'/><p:c/></a>", BAD},
    {"<:a/>", BAD},
    {"<a:/>", BAD},
    {"<a:b:c xmlns:a='u'/>", BAD},
    {"<a:1 xmlns:a='u'/>", BAD},
    {"<a :b='c'/>", BAD},
    {"<a xmlns:='u'/>", BAD},
    {"<a xmlns:p=''/>", BAD},
    {"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", BAD},
    {"<a xmlns:xmlns='u'/>", BAD},
    {"<xmlns:a/>", BAD},
    {"<a xmlns:xml='u'/>", BAD},
    {"<a xmlns='http://www.w3.org/XML/1998/namespace'/>", BAD},
    {"<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", BAD},
    {"<a xmlns='http://www.w3.org/2000/xmlns/'/>", BAD},
    {"<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", BAD},
    {"<a xmlns='u' xmlns='v'/>", BAD},
    {"^<stream:stream xmlns='jabber:client'>", BAD},
    /* RFC 6120 §4.8.5: no prefix for what is in the content namespace. */
    {"<foo:message xmlns:foo='jabber:client'/>", "bad-namespace-prefix"},
    {"<foo:iq xmlns:foo='jabber:server'/>", "bad-namespace-prefix"},
};

static const char *whole(const refusal *row, char *out, size_t size)
{
    int own = row->in[0] == '^';
    snprintf(out, size, "%s%s", own ? "" : HEAD, row->in + own);
    return out;
}

static void refuses(void **state)
{
    (void)state;
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        char in[1024];
        reader_reset(&r);
        int result = feed_z(&r, whole(&refusals[i], in, sizeof in));
        if (result != JAB_EBADXML ||
            strcmp(jabi_xml_parser_condition(r.p), refusals[i].condition) != 0)
            fail_msg("%s: %d, not %s", refusals[i].in, result, refusals[i].condition);
        /* The error stays, whatever comes, until the reset. */
        assert_int_equal(feed_z(&r, "<a/>"), JAB_EBADXML);
        assert_string_equal(jabi_xml_parser_condition(r.p), refusals[i].condition);
        reader_reset(&r);
        assert_int_equal(feed_z(&r, HEAD), JABI_XML_MORE);
        assert_int_equal(r.items, 1);
    }
    reader_fini(&r);
}

/* -- Splits ------------------------------------------------------------------------- */

/* Feeds in blocks of their own, so that a byte read behind one is seen. */
static void feed_copy(reader *r, const char *p, size_t n)
{
    char *copy = malloc(n ? n : 1);
    memcpy(copy, p, n);
    if (r->result >= 0)
        feed(r, copy, n);
    /* A tree may not point into the input. */
    memset(copy, '#', n);
    free(copy);
}

static void assert_same(reader *split, const reader *r, const char *doc, size_t at)
{
    end_dump(split);
    if (split->dump.n != r->dump.n || memcmp(split->dump.p, r->dump.p, r->dump.n) != 0)
        fail_msg("split at %zu: %s", at, doc);
}

/* Every way to cut the document in two, and byte by byte, tells the same. */
static void check_splits(const char *doc)
{
    size_t n = strlen(doc);
    reader r, split;
    reader_init(&r, jabi_mem_default(), &wide);
    reader_init(&split, jabi_mem_default(), &wide);
    feed_copy(&r, doc, n);
    end_dump(&r);
    for (size_t at = 0; at <= n; at++) {
        reader_reset(&split);
        feed_copy(&split, doc, at);
        feed_copy(&split, doc + at, n - at);
        assert_same(&split, &r, doc, at);
    }
    reader_reset(&split);
    for (size_t i = 0; i < n; i++)
        feed_copy(&split, doc + i, 1);
    assert_same(&split, &r, doc, n);
    reader_fini(&split);
    reader_fini(&r);
}

static void splits_anywhere(void **state)
{
    (void)state;
    char doc[1024];
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        snprintf(doc, sizeof doc, "<?xml version='1.0'?>%s%s <b/></stream:stream>\n", HEAD,
                 samples[i].in);
        check_splits(doc);
    }
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        check_splits(whole(&refusals[i], doc, sizeof doc));
    check_splits("<s/>");
    check_splits("<s/> ");
    check_splits("<s/>x");
}

/* Not a byte behind the item's ">" is read: TLS or compression may begin there. */
static void stops_at_the_end_of_an_item(void **state)
{
    static const char in[] = HEAD "<a>b</a>\x16\x03\x01<c/></stream:stream>\x00\xFF";
    const size_t head_n = sizeof HEAD - 1, a_n = sizeof "<a>b</a>" - 1;
    (void)state;
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    const char *p = in;
    size_t n = sizeof in - 1;
    const jab_xml *root;
    assert_int_equal(jabi_xml_parser_next(r.p, &p, &n, &r.arena, &root), JABI_XML_OPEN);
    assert_ptr_equal(p, in + head_n);
    assert_int_equal(n, sizeof in - 1 - head_n);
    assert_int_equal(jabi_xml_parser_next(r.p, &p, &n, &r.arena, &root), JABI_XML_ELEMENT);
    assert_ptr_equal(p, in + head_n + a_n);
    p += 3;
    n -= 3;
    assert_int_equal(jabi_xml_parser_next(r.p, &p, &n, &r.arena, &root), JABI_XML_ELEMENT);
    assert_int_equal(jabi_xml_parser_next(r.p, &p, &n, &r.arena, &root), JABI_XML_CLOSE);
    assert_int_equal(n, 2);
    reader_fini(&r);
}

static void tells_whether_an_item_has_begun(void **state)
{
    static const char doc[] = "<?xml version='1.0'?>\n<s><a>x<b/></a>\n</s>";
    (void)state;
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    assert_int_equal(jabi_xml_parser_inside(r.p), 0);
    for (size_t i = 0; i < sizeof doc - 1; i++) {
        feed(&r, doc + i, 1);
        const char *after = doc + i + 1;
        int between = after == doc + sizeof doc - 1 || after == strstr(doc, "<a>") ||
                      after == strstr(doc, "\n</s>") || after == strstr(doc, "</s>");
        assert_int_equal(jabi_xml_parser_inside(r.p), !between);
    }
    reader_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(accepts_prologues),
        cmocka_unit_test(refuses),
        cmocka_unit_test(splits_anywhere),
        cmocka_unit_test(stops_at_the_end_of_an_item),
        cmocka_unit_test(tells_whether_an_item_has_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
