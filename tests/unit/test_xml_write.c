/* test_xml_write.c: what is written is well-formed, and comes back as it was meant. */
#include "xml_reader.h"

typedef struct desk {
    jabi_buf buf;
    jabi_writer w;
} desk;

static jabi_writer *begin(desk *d)
{
    jabi_buf_init(&d->buf, jabi_mem_default(), SIZE_MAX);
    jabi_writer_init(&d->w, &d->buf, "jabber:client");
    return &d->w;
}

static const jab_str none = {NULL, 0};

/* -- The builder's writer -------------------------------------------------------------- */

static void writes_a_stanza(void **state)
{
    desk d;
    jabi_writer *w = begin(&d);
    (void)state;
    jabi_writer_start(w, none, JAB_STR("message"));
    jabi_writer_attr(w, JAB_STR("to"), JAB_STR("a@b"));
    jabi_writer_attr(w, JAB_STR("id"), none);
    jabi_writer_lang(w, JAB_STR("de"));
    jabi_writer_start(w, none, JAB_STR("body"));
    jabi_writer_text(w, JAB_STR("1 < 2 & 3 > 2"));
    jabi_writer_end(w);
    jabi_writer_start(w, JAB_STR("urn:xmpp:receipts"), JAB_STR("request"));
    jabi_writer_text(w, JAB_STR(""));
    jabi_writer_end(w);
    jabi_writer_end(w);
    assert_int_equal(w->error, 0);
    assert_str(jabi_buf_str(&d.buf),
               "<message to='a@b' xml:lang='de'><body>1 &lt; 2 &amp; 3 &gt; 2</body>"
               "<request xmlns='urn:xmpp:receipts'/></message>");
    jabi_buf_fini(&d.buf);
}

/* A namespace is declared where it differs from the one around, and only there. */
static void declares_namespaces_where_they_change(void **state)
{
    static const struct {
        const char *ns, *written;
    } rows[] = {
        {NULL, "<a"},
        {"jabber:client", "<a"},
        {"u:1", "<a xmlns='u:1'"},
        {"", "<a xmlns=''"},
        {"u:'&'", "<a xmlns='u:&#39;&amp;&#39;'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        desk d;
        jabi_writer *w = begin(&d);
        jabi_writer_start(w, jab_cstr(rows[i].ns), JAB_STR("a"));
        assert_str(jabi_buf_str(&d.buf), rows[i].written);
        size_t before = d.buf.n;
        jabi_writer_start(w, none, JAB_STR("b"));
        jabi_writer_end(w);
        assert_int_equal(d.buf.n, before + sizeof "><b/>" - 1);
        jabi_writer_start(w, JAB_STR("u:1"), JAB_STR("c"));
        jabi_writer_end(w);
        jabi_writer_start(w, JAB_STR("jabber:client"), JAB_STR("d"));
        jabi_writer_end(w);
        jabi_writer_end(w);
        assert_int_equal(w->error, 0);
        const jab_xml *root;
        jabi_arena arena;
        jabi_arena_init(&arena, jabi_mem_default(), SIZE_MAX);
        assert_int_equal(jabi_xml_parse(jabi_mem_default(), &arena, jabi_buf_str(&d.buf),
                                        "jabber:client", &root),
                         0);
        const char *ns = rows[i].ns ? rows[i].ns : "jabber:client";
        assert_true(jab_xml_is(root, ns, "a"));
        assert_non_null(jab_xml_child(root, ns, "b"));
        assert_non_null(jab_xml_child(root, "u:1", "c"));
        assert_non_null(jab_xml_child(root, "jabber:client", "d"));
        jabi_arena_fini(&arena);
        jabi_buf_fini(&d.buf);
    }
}

/* "a&b" written is "a&amp;b": an element that is really in that must not seem to be inside. */
static void tells_escaped_namespaces_apart(void **state)
{
    desk d;
    jabi_writer *w = begin(&d);
    (void)state;
    jabi_writer_start(w, JAB_STR("u:a&b"), JAB_STR("x"));
    jabi_writer_start(w, JAB_STR("u:a&amp;b"), JAB_STR("y"));
    jabi_writer_close_to(w, 0);
    assert_str(jabi_buf_str(&d.buf), "<x xmlns='u:a&amp;b'><y xmlns='u:a&amp;amp;b'/></x>");
    jabi_buf_fini(&d.buf);
}

static void writes_stream_elements(void **state)
{
    desk d;
    jabi_writer *w = begin(&d);
    (void)state;
    jabi_writer_start(w, none, JAB_STR("stream:error"));
    jabi_writer_start(w, JAB_STR("u:1"), JAB_STR("reset"));
    assert_int_equal(jabi_writer_close_to(w, 0), 0);
    assert_str(jabi_buf_str(&d.buf), "<stream:error><reset xmlns='u:1'/></stream:error>");
    jabi_buf_fini(&d.buf);
}

/* -- What it refuses -------------------------------------------------------------------- */

static void expect_error(desk *d, int error)
{
    assert_int_equal(d->w.error, error);
    /* The first error stays, and nothing more is written. */
    size_t n = d->buf.n;
    jabi_writer_start(&d->w, none, JAB_STR("later"));
    jabi_writer_text(&d->w, JAB_STR("later"));
    jabi_writer_end(&d->w);
    assert_int_equal(d->w.error, error);
    assert_int_equal(d->buf.n, n);
    assert_int_equal(jabi_writer_close_to(&d->w, 0), error);
    jabi_buf_fini(&d->buf);
}

static void refuses_names(void **state)
{
    static const char *const names[] = {
        "",   "1a",   "a b", "a:b", ":a",       "a:",         "stream:", "a>",
        "a=", "\xFF", "a'",  "-a",  "\xC3\x97", "stream:a:b", "a/",      "\xED\xA0\x80"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        desk d;
        jabi_writer_start(begin(&d), none, jab_cstr(names[i]));
        expect_error(&d, JAB_EXML);
        jabi_writer_start(begin(&d), none, JAB_STR("a"));
        jabi_writer_attr(&d.w, jab_cstr(names[i]), JAB_STR("x"));
        expect_error(&d, JAB_EXML);
    }
}

static void refuses_text(void **state)
{
    const jab_str texts[] = {
        JAB_STR("\x01"),     JAB_STR("a\x1F"), JAB_STR("\0"),           JAB_STR("\xC3"),
        JAB_STR("\xC0\x80"), JAB_STR("\xFF"),  JAB_STR("\xED\xA0\x80"), JAB_STR("\xEF\xBF\xBE"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        desk d;
        jabi_writer_start(begin(&d), none, JAB_STR("a"));
        jabi_writer_text(&d.w, texts[i]);
        expect_error(&d, JAB_EXML);
        jabi_writer_start(begin(&d), none, JAB_STR("a"));
        jabi_writer_attr(&d.w, JAB_STR("b"), texts[i]);
        expect_error(&d, JAB_EXML);
        jabi_writer_start(begin(&d), texts[i], JAB_STR("a"));
        expect_error(&d, JAB_EXML);
    }
}

static void refuses_what_would_not_be_well_formed(void **state)
{
    desk d;
    (void)state;
    jabi_writer_text(begin(&d), JAB_STR("text around nothing"));
    expect_error(&d, JAB_EXML);
    jabi_writer_end(begin(&d));
    expect_error(&d, JAB_EXML);
    jabi_writer_attr(begin(&d), JAB_STR("a"), JAB_STR("b"));
    expect_error(&d, JAB_EXML);
    jabi_writer_start(begin(&d), none, JAB_STR("a"));
    jabi_writer_text(&d.w, JAB_STR("x"));
    jabi_writer_attr(&d.w, JAB_STR("late"), JAB_STR("b"));
    expect_error(&d, JAB_EXML);
    /* Two attributes of one name, and one that would change the namespace. */
    jabi_writer_start(begin(&d), none, JAB_STR("a"));
    jabi_writer_attr(&d.w, JAB_STR("aa"), JAB_STR(" a='"));
    jabi_writer_attr(&d.w, JAB_STR("a"), JAB_STR("1"));
    jabi_writer_lang(&d.w, JAB_STR("de"));
    assert_int_equal(d.w.error, 0);
    jabi_writer_attr(&d.w, JAB_STR("a"), JAB_STR("2"));
    expect_error(&d, JAB_EXML);
    jabi_writer_start(begin(&d), none, JAB_STR("a"));
    jabi_writer_attr(&d.w, JAB_STR("xmlns"), JAB_STR("u"));
    expect_error(&d, JAB_EXML);
    jabi_writer_start(begin(&d), JAB_STR("http://www.w3.org/XML/1998/namespace"), JAB_STR("a"));
    expect_error(&d, JAB_EXML);
    begin(&d);
    for (int i = 0; i < JABI_WRITER_DEPTH; i++)
        jabi_writer_start(&d.w, none, JAB_STR("a"));
    assert_int_equal(d.w.error, 0);
    jabi_writer_start(&d.w, none, JAB_STR("a"));
    expect_error(&d, JAB_EXML);
}

static void reports_a_full_buffer(void **state)
{
    (void)state;
    for (size_t max = 0; max < 40; max++) {
        desk d;
        jabi_writer *w = begin(&d);
        d.buf.max = max;
        jabi_writer_start(w, JAB_STR("u:1"), JAB_STR("a"));
        jabi_writer_attr(w, JAB_STR("b"), JAB_STR("c"));
        jabi_writer_text(w, JAB_STR("d"));
        jabi_writer_end(w);
        const size_t whole = sizeof "<a xmlns='u:1' b='c'>d</a>" - 1;
        assert_int_equal(w->error, max < whole ? JAB_ELIMIT : 0);
        jabi_buf_fini(&d.buf);
    }
}

static void survives_a_lack_of_memory(void **state)
{
    (void)state;
    for (size_t fail_at = 1;; fail_at++) {
        unit_mem u;
        jabi_buf buf;
        jabi_writer w;
        unit_mem_init(&u, fail_at);
        jabi_buf_init(&buf, &u.mem, SIZE_MAX);
        jabi_writer_init(&w, &buf, "jabber:client");
        for (int i = 0; i < 40; i++)
            jabi_writer_start(&w, JAB_STR("urn:example:namespace"), JAB_STR("name"));
        jabi_writer_text(&w, JAB_STR("text"));
        int error = jabi_writer_close_to(&w, 0);
        jabi_buf_fini(&buf);
        assert_int_equal(u.live, 0);
        if (!error)
            break;
        assert_int_equal(error, JAB_ENOMEM);
    }
}

/* -- Trees ------------------------------------------------------------------------------- */

static const char *const trees[] = {
    "<xml:la a='1'>t<xml:b><c xmlns='u:1'/></xml:b><d/></xml:la>",
    "<a xmlns='u:2'><xml:b>x<c/><d xmlns=''/></xml:b></a>",
    "<a/>",
    "<a b='c'>d</a>",
    "<a>1<b>2</b>3<c/>4<b><d/>5</b></a>",
    "<a><b><c><d>x</d></c></b>y</a>",
    "<a xmlns='u:1'><b xmlns='u:2'><c xmlns='u:1'/></b></a>",
    "<p:a xmlns:p='u:1' p:b='1' c='2' xml:lang='de'><p:d xmlns:q='u:2' q:e='3' p:f='4'/></p:a>",
    "<a xmlns=''><b xmlns='jabber:client'/></a>",
    "<a b='&quot;&apos;&lt;&gt;&amp;&#9;&#10;&#13;'>&quot;&apos;&lt;&gt;&amp;\t\n&#13;]]&gt;</a>",
    "<a>\xD0\xB6 \xF0\x9F\x98\x80</a>",
};

static void dump_text_of(jabi_buf *buf, jab_str text, const char *ns)
{
    jabi_arena arena;
    const jab_xml *root;
    xml_dump d = {.buf = buf};
    jabi_arena_init(&arena, jabi_mem_default(), SIZE_MAX);
    assert_int_equal(jabi_xml_parse(jabi_mem_default(), &arena, text, ns, &root), 0);
    dump_tree(&d, root);
    jabi_arena_fini(&arena);
}

/* Written by itself or by a writer, a tree is read again as the same tree. */
static void trees_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
        desk d;
        char out[512];
        reader r;
        jabi_buf own, printed, written;
        jabi_buf_init(&own, jabi_mem_default(), SIZE_MAX);
        jabi_buf_init(&printed, jabi_mem_default(), SIZE_MAX);
        jabi_buf_init(&written, jabi_mem_default(), SIZE_MAX);
        reader_init(&r, jabi_mem_default(), &wide);
        feed_z(&r, HEAD);
        assert_int_equal(feed_z(&r, trees[i]), JABI_XML_ELEMENT);
        xml_dump dump = {.buf = &own};
        dump_tree(&dump, r.root);
        size_t n = jab_xml_print(r.root, out, sizeof out);
        dump_text_of(&printed, (jab_str){out, n}, "");
        jabi_writer *w = begin(&d);
        jabi_writer_start(w, JAB_STR("u:1"), JAB_STR("wrap"));
        jabi_writer_tree(w, r.root);
        jabi_writer_text(w, JAB_STR("behind"));
        assert_int_equal(jabi_writer_close_to(w, 0), 0);
        const size_t before = sizeof "<wrap xmlns='u:1'>" - 1, behind = sizeof "behind</wrap>" - 1;
        dump_text_of(&written, (jab_str){d.buf.p + before, d.buf.n - before - behind}, "u:1");
        assert_int_equal(own.n, printed.n);
        assert_memory_equal(own.p, printed.p, own.n);
        assert_int_equal(own.n, written.n);
        assert_memory_equal(own.p, written.p, own.n);
        jabi_buf_fini(&own);
        jabi_buf_fini(&printed);
        jabi_buf_fini(&written);
        jabi_buf_fini(&d.buf);
        reader_fini(&r);
    }
}

/* A tree may be deeper than what a writer builds. */
static void writes_the_deepest_tree(void **state)
{
    (void)state;
    desk d;
    jabi_arena arena;
    const jab_xml *root;
    jabi_buf text;
    jabi_buf_init(&text, jabi_mem_default(), SIZE_MAX);
    for (int i = 1; i < JABI_XML_DEPTH_MAX; i++)
        jabi_buf_add_z(&text, "<a>");
    jabi_buf_add_z(&text, "<a/>");
    for (int i = 1; i < JABI_XML_DEPTH_MAX; i++)
        jabi_buf_add_z(&text, "</a>");
    jabi_arena_init(&arena, jabi_mem_default(), SIZE_MAX);
    assert_int_equal(
        jabi_xml_parse(jabi_mem_default(), &arena, jabi_buf_str(&text), "jabber:client", &root), 0);
    jabi_writer_tree(begin(&d), root);
    assert_int_equal(d.w.error, 0);
    assert_int_equal(d.buf.n, text.n);
    assert_memory_equal(d.buf.p, text.p, text.n);
    jabi_buf_fini(&d.buf);
    jabi_arena_fini(&arena);
    jabi_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_stanza),
        cmocka_unit_test(declares_namespaces_where_they_change),
        cmocka_unit_test(tells_escaped_namespaces_apart),
        cmocka_unit_test(writes_stream_elements),
        cmocka_unit_test(refuses_names),
        cmocka_unit_test(refuses_text),
        cmocka_unit_test(refuses_what_would_not_be_well_formed),
        cmocka_unit_test(reports_a_full_buffer),
        cmocka_unit_test(survives_a_lack_of_memory),
        cmocka_unit_test(trees_come_back),
        cmocka_unit_test(writes_the_deepest_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
