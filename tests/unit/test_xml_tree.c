/* test_xml_tree.c: reading and copying trees, the parser's limits, its memory and its time. */
#include "xml_reader.h"

#include <time.h>

static const char message[] =
    "<message from='a@b/c' id='7' xml:lang='de' xmlns:q='u:q' q:id='8'>\n"
    " <body>one</body> and <body xml:lang='fr'>two</body>"
    "<x xmlns='u:x'><item/><item n='2'/><other/><item xmlns='u:y' n='3'/></x> end"
    "<body xmlns='u:x' xml:lang=''/></message>";

/* -- Accessors ------------------------------------------------------------------------- */

static void reads_an_element(void **state)
{
    (void)state;
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    feed_z(&r, HEAD);
    assert_int_equal(feed_z(&r, message), JABI_XML_ELEMENT);
    const jab_xml *el = r.root;
    assert_str(jab_xml_name(el), "message");
    assert_str(jab_xml_ns(el), "jabber:client");
    assert_true(jab_xml_is(el, "jabber:client", "message"));
    assert_true(jab_xml_is(el, NULL, "message"));
    assert_false(jab_xml_is(el, "jabber:server", "message"));
    assert_false(jab_xml_is(el, NULL, "messages"));
    assert_str(jab_xml_attr(el, "from"), "a@b/c");
    assert_str(jab_xml_attr(el, "id"), "7");
    assert_null(jab_xml_attr(el, "to").p);
    assert_null(jab_xml_attr(el, "xmlns").p);
    assert_null(jab_xml_attr(el, "lang").p);
    assert_str(jab_xml_attr_ns(el, "u:q", "id"), "8");
    assert_null(jab_xml_attr_ns(el, "u:x", "id").p);
    assert_str(jab_xml_attr_ns(el, "http://www.w3.org/XML/1998/namespace", "lang"), "de");
    assert_str(jab_xml_text(el), "\n  and  end");
    reader_fini(&r);
}

static void walks_a_tree(void **state)
{
    (void)state;
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    feed_z(&r, HEAD);
    feed_z(&r, message);
    const jab_xml *el = r.root, *body = jab_xml_first(el), *second, *x;
    assert_null(jab_xml_parent(el));
    assert_null(jab_xml_next(el));
    assert_ptr_equal(jab_xml_child(el, NULL, "body"), body);
    assert_ptr_equal(jab_xml_child(el, "jabber:client", "body"), body);
    assert_ptr_equal(jab_xml_parent(body), el);
    assert_str(jab_xml_text(body), "one");
    assert_str(jab_xml_lang(body), "de");
    second = jab_xml_next_named(body, NULL, "body");
    assert_ptr_equal(second, jab_xml_next(body));
    assert_str(jab_xml_lang(second), "fr");
    assert_null(jab_xml_next_named(second, NULL, "body"));
    assert_null(jab_xml_lang(jab_xml_next_named(second, "u:x", "body")).p);
    x = jab_xml_child(el, "u:x", NULL);
    assert_str(jab_xml_name(x), "x");
    assert_null(jab_xml_child(el, NULL, "x"));
    int items = 0;
    for (const jab_xml *i = jab_xml_child(x, NULL, "item"); i;
         i = jab_xml_next_named(i, NULL, "item"))
        items++;
    assert_int_equal(items, 2);
    assert_str(jab_xml_attr(jab_xml_child(x, "u:y", "item"), "n"), "3");
    assert_str(jab_xml_text(x), "");
    assert_null(jab_xml_first(second));
    reader_fini(&r);
}

static void takes_null(void **state)
{
    char out[4] = "x";
    (void)state;
    assert_null(jab_xml_name(NULL).p);
    assert_null(jab_xml_ns(NULL).p);
    assert_null(jab_xml_text(NULL).p);
    assert_null(jab_xml_lang(NULL).p);
    assert_null(jab_xml_attr(NULL, "a").p);
    assert_null(jab_xml_attr_ns(NULL, "u", "a").p);
    assert_false(jab_xml_is(NULL, NULL, "a"));
    assert_null(jab_xml_first(NULL));
    assert_null(jab_xml_next(NULL));
    assert_null(jab_xml_parent(NULL));
    assert_null(jab_xml_child(NULL, NULL, "a"));
    assert_null(jab_xml_next_named(NULL, NULL, "a"));
    assert_int_equal(jab_xml_print(NULL, out, sizeof out), 0);
    assert_string_equal(out, "");
}

/* What a stanza inherits from the stream is part of its tree, and each stream its own. */
static void inherits_from_the_stream(void **state)
{
    (void)state;
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    assert_str(jabi_xml_parser_content_ns(r.p), "");
    feed_z(&r, "<s:stream xmlns='u:1' xmlns:s='u:s' xml:lang='en' to='x'>");
    assert_str(jabi_xml_parser_content_ns(r.p), "u:1");
    for (int i = 0; i < 2; i++) {
        feed_z(&r, "<a><s:b/><s:c/></a>");
        assert_str(jab_xml_ns(r.root), "u:1");
        assert_str(jab_xml_lang(r.root), "en");
        assert_str(jab_xml_ns(jab_xml_first(r.root)), "u:s");
        assert_non_null(jab_xml_child(r.root, "u:s", "c"));
    }
    reader_reset(&r);
    feed_z(&r, "<stream>");
    assert_str(jabi_xml_parser_content_ns(r.p), "");
    feed_z(&r, "<a/>");
    assert_str(jab_xml_ns(r.root), "");
    assert_null(jab_xml_lang(r.root).p);
    assert_int_equal(feed_z(&r, "<s:b/>"), JAB_EBADXML);
    reader_fini(&r);
}

/* -- Printing and copying ---------------------------------------------------------------- */

static void prints_like_snprintf(void **state)
{
    (void)state;
    const char text[] = "<a xmlns='jabber:client'>b</a>";
    const size_t n = sizeof text - 1;
    char out[sizeof text];
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    feed_z(&r, HEAD);
    feed_z(&r, "<a>b</a>");
    assert_int_equal(jab_xml_print(r.root, NULL, 0), n);
    for (size_t size = 1; size <= n; size++) {
        assert_int_equal(jab_xml_print(r.root, out, size), n);
        assert_true(strlen(out) < size);
    }
    assert_int_equal(jab_xml_print(r.root, out, sizeof out), n);
    assert_string_equal(out, text);
    reader_fini(&r);
}

static void dump_into(jabi_buf *buf, const jab_xml *el)
{
    xml_dump d = {.buf = buf};
    dump_tree(&d, el);
}

static void copies_outlive_their_source(void **state)
{
    (void)state;
    reader r;
    jabi_arena arena;
    jabi_buf before, after;
    reader_init(&r, jabi_mem_default(), &wide);
    jabi_arena_init(&arena, jabi_mem_default(), SIZE_MAX);
    jabi_buf_init(&before, jabi_mem_default(), SIZE_MAX);
    jabi_buf_init(&after, jabi_mem_default(), SIZE_MAX);
    feed_z(&r, HEAD);
    feed_z(&r, message);
    const jab_xml *x = jab_xml_child(r.root, "u:x", "x");
    dump_into(&before, r.root);
    dump_into(&before, x);
    jab_xml *copy = jabi_xml_copy(&arena, r.root), *inner = jabi_xml_copy(&arena, x);
    assert_non_null(copy);
    assert_non_null(inner);
    reader_fini(&r);
    dump_into(&after, copy);
    dump_into(&after, inner);
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.p, after.p, after.n);
    assert_null(jab_xml_parent(inner));
    assert_null(jab_xml_next(inner));
    assert_str(jab_xml_lang(inner), "de");
    jabi_arena_fini(&arena);
    jabi_buf_fini(&before);
    jabi_buf_fini(&after);
}

static void copying_survives_a_lack_of_memory(void **state)
{
    (void)state;
    unit_mem u;
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    feed_z(&r, HEAD);
    feed_z(&r, message);
    for (size_t max = 0;; max += 8) {
        jabi_arena arena;
        unit_mem_init(&u, 0);
        jabi_arena_init(&arena, &u.mem, max);
        jab_xml *copy = jabi_xml_copy(&arena, r.root);
        jabi_arena_fini(&arena);
        assert_int_equal(u.live, 0);
        if (copy)
            break;
    }
    reader_fini(&r);
}

static void sets_attributes(void **state)
{
    (void)state;
    reader r;
    reader_init(&r, jabi_mem_default(), &wide);
    feed_z(&r, HEAD);
    feed_z(&r, message);
    jab_xml *copy = jabi_xml_copy(&r.arena, r.root);
    assert_int_equal(jabi_xml_set_attr(&r.arena, copy, "id", JAB_STR("nine")), 0);
    assert_int_equal(jabi_xml_set_attr(&r.arena, copy, "to", JAB_STR("d@e")), 0);
    assert_str(jab_xml_attr(copy, "id"), "nine");
    assert_str(jab_xml_attr(copy, "to"), "d@e");
    assert_str(jab_xml_attr(copy, "from"), "a@b/c");
    assert_str(jab_xml_attr_ns(copy, "u:q", "id"), "8");
    assert_str(jab_xml_attr(r.root, "id"), "7");
    reader_fini(&r);
}

/* -- The application's own XML --------------------------------------------------------------- */

static int parse(jabi_arena *arena, const char *text, const jab_xml **root)
{
    return jabi_xml_parse(jabi_mem_default(), arena, jab_cstr(text), "u:1", root);
}

static void parses_one_element(void **state)
{
    static const char *const wrong[] = {
        "",
        " ",
        "x",
        "<a>",
        "<a/>x",
        "x<a/>",
        "<a/><b/>",
        "</a>",
        "<p:a/>",
        "<a/",
        "<a/><!--x-->",
        "<a>\x01</a>",
        "<?xml version='1.0'?><a/>",
        "<a/></x>",
        "<a/></",
    };
    (void)state;
    jabi_arena arena;
    const jab_xml *root;
    jabi_arena_init(&arena, jabi_mem_default(), SIZE_MAX);
    assert_int_equal(parse(&arena, " <a b='c'>d<e/></a>\n", &root), 0);
    assert_true(jab_xml_is(root, "u:1", "a"));
    assert_true(jab_xml_is(jab_xml_first(root), "u:1", "e"));
    assert_str(jab_xml_attr(root, "b"), "c");
    assert_int_equal(parse(&arena, "<c:message xmlns:c='jabber:client'/>", &root), 0);
    assert_true(jab_xml_is(root, "jabber:client", "message"));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (parse(&arena, wrong[i], &root) != JAB_EXML)
            fail_msg("taken: %s", wrong[i]);
        assert_null(root);
    }
    assert_int_equal(jabi_xml_parse(jabi_mem_default(), &arena, (jab_str){NULL, 0}, NULL, &root),
                     JAB_EXML);
    jabi_arena_fini(&arena);
}

/* -- Limits --------------------------------------------------------------------------------- */

/* Feeds the head whole and the element both whole and byte by byte. */
static void check_limit(const jabi_xml_limits *limits, const char *element, int expected)
{
    for (int step = 0; step < 2; step++) {
        reader r;
        size_t n = strlen(element);
        reader_init(&r, jabi_mem_default(), limits);
        assert_int_equal(feed_z(&r, HEAD), JABI_XML_MORE);
        if (step == 0)
            feed(&r, element, n);
        for (size_t i = 0; step == 1 && i < n && r.result >= 0; i++)
            feed(&r, element + i, 1);
        assert_int_equal(r.result, expected);
        if (expected < 0)
            assert_string_equal(jabi_xml_parser_condition(r.p), "policy-violation");
        reader_fini(&r);
    }
}

static void bounds_bytes(void **state)
{
    static const char *const elements[] = {HEAD "<a>0123456789</a></stream:stream>",
                                           HEAD "<a b='0123456789'/></stream:stream>",
                                           HEAD "<a><b/><b/><![CDATA[]]></a></stream:stream>",
                                           HEAD "<a0123456789></a0123456789></stream:stream>"};
    (void)state;
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        /* The element is nested once more, so that the header fits below its size. */
        jabi_xml_limits limits = wide;
        limits.element_bytes = strlen(elements[i]);
        check_limit(&limits, elements[i], JABI_XML_ELEMENT);
        limits.element_bytes--;
        check_limit(&limits, elements[i], JAB_ETOOBIG);
    }
    /* White space between elements is not part of any. */
    jabi_xml_limits limits = {sizeof HEAD - 1, 1, 8};
    char space[1024];
    memset(space, ' ', sizeof space);
    reader r;
    reader_init(&r, jabi_mem_default(), &limits);
    feed_z(&r, HEAD);
    assert_int_equal(feed(&r, space, sizeof space), JABI_XML_MORE);
    assert_int_equal(feed_z(&r, "<a/>"), JABI_XML_ELEMENT);
    reader_fini(&r);
    limits.element_bytes--;
    reader_init(&r, jabi_mem_default(), &limits);
    assert_int_equal(feed_z(&r, HEAD), JAB_ETOOBIG);
    reader_fini(&r);
}

/* Adds `count` numbered copies: before, number, after. */
static void repeat(jabi_buf *b, size_t count, const char *before, const char *after)
{
    for (size_t i = 0; i < count; i++)
        jabi_buf_printf(b, "%s%zu%s", before, i, after);
}

static void check_built(const jabi_xml_limits *limits, jabi_buf *b, int expected)
{
    jabi_buf_add_char(b, '\0');
    check_limit(limits, b->p, expected);
    b->n--;
}

static void bounds_depth(void **state)
{
    (void)state;
    jabi_xml_limits limits = wide;
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), SIZE_MAX);
    for (size_t depth = 1; depth <= JABI_XML_DEPTH_MAX; depth += depth < 4 ? 1 : 63) {
        jabi_buf_reset(&b);
        for (size_t i = 0; i < depth; i++)
            jabi_buf_add_z(&b, "<a>");
        for (size_t i = 0; i < depth; i++)
            jabi_buf_add_z(&b, "</a>");
        limits.depth = depth;
        check_built(&limits, &b, JABI_XML_ELEMENT);
        limits.depth = depth - 1;
        check_built(&limits, &b, JAB_ETOOBIG);
    }
    jabi_buf_fini(&b);
}

static void bounds_attributes(void **state)
{
    (void)state;
    jabi_xml_limits limits = wide;
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), SIZE_MAX);
    for (size_t count = 5; count <= JABI_XML_ATTRS_MAX; count++) {
        jabi_buf_reset(&b);
        jabi_buf_add_z(&b, "<a xmlns='u'");
        repeat(&b, count - 1, " attribute", "='x'");
        jabi_buf_add_z(&b, "/>");
        limits.attrs = count;
        check_built(&limits, &b, JABI_XML_ELEMENT);
        limits.attrs = count - 1;
        check_built(&limits, &b, JAB_ETOOBIG);
    }
    jabi_buf_fini(&b);
}

static void bounds_prefixes(void **state)
{
    (void)state;
    jabi_buf b;
    jabi_buf_init(&b, jabi_mem_default(), SIZE_MAX);
    /* HEAD declares one prefix; those of the first element are gone after its end. */
    jabi_buf_add_z(&b, "<a><b");
    repeat(&b, 40, " xmlns:p", "='u'");
    jabi_buf_add_z(&b, "/><b");
    repeat(&b, 40, " xmlns:p", "='u'");
    jabi_buf_add_z(&b, "><c");
    repeat(&b, JABI_XML_PREFIXES_MAX - 41, " xmlns:q", "='u'");
    size_t n = b.n;
    jabi_buf_add_z(&b, "/></b></a>");
    check_built(&wide, &b, JABI_XML_ELEMENT);
    b.n = n;
    jabi_buf_add_z(&b, " xmlns:one='u'/></b></a>");
    check_built(&wide, &b, JAB_ETOOBIG);
    jabi_buf_fini(&b);
}

/* -- Memory and time ------------------------------------------------------------------------- */

static const char stream[] =
    "<?xml version='1.0'?>" HEAD "<a b='c'>d<e f='g'/>h<![CDATA[i]]>j</a><k/></stream:stream>";

static int read_with(unit_mem *u, size_t step)
{
    reader r;
    reader_init(&r, &u->mem, &wide);
    size_t n = sizeof stream - 1;
    r.result = r.p ? 0 : JAB_ENOMEM;
    for (size_t i = 0; i < n && r.result >= 0; i += step)
        feed(&r, stream + i, n - i < step ? n - i : step);
    int result = r.result;
    if (result == JAB_ENOMEM && r.p)
        assert_string_equal(jabi_xml_parser_condition(r.p), "resource-constraint");
    reader_fini(&r);
    return result;
}

static void survives_a_lack_of_memory(void **state)
{
    (void)state;
    for (size_t step = 1; step < 1000; step *= 30) {
        int result = JAB_ENOMEM;
        for (size_t fail_at = 1; result == JAB_ENOMEM; fail_at++) {
            unit_mem u;
            unit_mem_init(&u, fail_at);
            result = read_with(&u, step);
            assert_int_equal(u.live, 0);
            assert_true(result >= 0 || u.calls >= fail_at);
        }
        assert_true(result >= 0);
    }
    for (size_t fail_at = 1;; fail_at++) {
        unit_mem u;
        jabi_arena arena;
        const jab_xml *root;
        unit_mem_init(&u, fail_at);
        jabi_arena_init(&arena, &u.mem, SIZE_MAX);
        int result = jabi_xml_parse(&u.mem, &arena, JAB_STR("<a b='c'>d<e/>f</a>"), "u", &root);
        jabi_arena_fini(&arena);
        assert_int_equal(u.live, 0);
        if (result == 0)
            break;
        assert_int_equal(result, JAB_ENOMEM);
    }
}

/* Once everything has its size, stanzas cost no allocation, wherever they are split. */
static void allocates_nothing_in_the_long_run(void **state)
{
    (void)state;
    unit_mem u;
    reader r;
    unit_mem_init(&u, 0);
    reader_init(&r, &u.mem, &wide);
    feed_z(&r, HEAD);
    size_t calls = 0;
    for (int i = 0; i < 1000; i++) {
        size_t cut = (size_t)i % (sizeof message - 1);
        assert_int_equal(feed(&r, message, cut), JABI_XML_MORE);
        assert_int_equal(feed(&r, message + cut, sizeof message - 1 - cut), JABI_XML_ELEMENT);
        if (i == 400)
            calls = u.calls;
    }
    assert_int_equal(u.calls, calls);
    reader_fini(&r);
    assert_int_equal(u.live, 0);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How long one element takes that repeats `unit` so often, fed in pieces. */
static double time_of(const char *open, const char *unit, const char *close, size_t count,
                      size_t step)
{
    static const jabi_xml_limits limits = {1 << 24, 8, 8};
    jabi_buf b;
    reader r;
    jabi_buf_init(&b, jabi_mem_default(), SIZE_MAX);
    jabi_buf_add_z(&b, open);
    for (size_t i = 0; i < count; i++)
        jabi_buf_add_z(&b, unit);
    jabi_buf_add_z(&b, close);
    reader_init(&r, jabi_mem_default(), &limits);
    feed_z(&r, HEAD);
    double start = seconds();
    for (size_t i = 0; i < b.n; i += step)
        feed(&r, b.p + i, b.n - i < step ? b.n - i : step);
    double took = seconds() - start;
    assert_int_equal(r.result, JABI_XML_ELEMENT);
    reader_fini(&r);
    jabi_buf_fini(&b);
    return took;
}

/* Eight times the input takes about eight times as long; quadratic work would take 64. */
static void works_in_linear_time(void **state)
{
    static const struct {
        const char *open, *unit, *close;
        size_t count, step;
    } rows[] = {
        {"<a b='", "0123456789abcdef", "'/>", 8192, 1},
        {"<a>", "0123456789abcdef", "</a>", 8192, 1},
        {"<a><![CDATA[", "0123456789abcde]", "]]></a>", 8192, 1},
        {"<a>", "&lt;", "</a>", 32768, 1},
        {"<a>", "<![CDATA[x]]>", "</a>", 10000, 1 << 20},
        {"<a>", "x<b c='d'/>", "</a>", 10000, 1 << 20},
        {"<a b='", "0123456789abcdef", "'/>", 65536, 1000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double once = 1e9, eight = 1e9;
        for (int k = 0; k < 3; k++) {
            double t =
                time_of(rows[i].open, rows[i].unit, rows[i].close, rows[i].count / 8, rows[i].step);
            once = t < once ? t : once;
            t = time_of(rows[i].open, rows[i].unit, rows[i].close, rows[i].count, rows[i].step);
            eight = t < eight ? t : eight;
        }
        if (eight > 30 * once + 0.005)
            fail_msg("row %zu: %.1f times as long", i, eight / once);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_element),
        cmocka_unit_test(walks_a_tree),
        cmocka_unit_test(takes_null),
        cmocka_unit_test(inherits_from_the_stream),
        cmocka_unit_test(prints_like_snprintf),
        cmocka_unit_test(copies_outlive_their_source),
        cmocka_unit_test(copying_survives_a_lack_of_memory),
        cmocka_unit_test(sets_attributes),
        cmocka_unit_test(parses_one_element),
        cmocka_unit_test(bounds_bytes),
        cmocka_unit_test(bounds_depth),
        cmocka_unit_test(bounds_attributes),
        cmocka_unit_test(bounds_prefixes),
        cmocka_unit_test(survives_a_lack_of_memory),
        cmocka_unit_test(allocates_nothing_in_the_long_run),
        cmocka_unit_test(works_in_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
