/* test_store.c: what every store does, tried on each, and on one closed and opened again. */
#include "unit_store.h"

#define A JAB_STR("ann@example.org")
#define B JAB_STR("bob@example.org")

typedef struct fixture {
    jab_store *st;
    store_folder folder;
    int file;
} fixture;

static int open_memory(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    return jab_store_memory(&f->st, NULL);
}

static int open_file(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    folder_make(&f->folder);
    f->file = 1;
    *state = f;
    return jab_store_open(&f->st, JAB_STORE_FILE(.path = f->folder.path));
}

static int close_any(void **state)
{
    fixture *f = *state;
    jab_store_free(f->st);
    if (f->file)
        folder_remove(&f->folder);
    free(f);
    return 0;
}

/* Commits; a store in a file is opened again. */
static jab_store *again(fixture *f)
{
    assert_int_equal(f->st->table->commit(f->st), 0);
    assert_int_equal(f->st->dirty, 0);
    if (!f->file)
        return f->st;
    char words[100] = "?";
    jab_store_free(f->st);
    assert_int_equal(jab_store_open(&f->st, JAB_STORE_FILE(.path = f->folder.path, .words = words,
                                                           .words_size = sizeof words)),
                     0);
    assert_string_equal(words, "");
    return f->st;
}

static void put(jab_store *st, const char *space, jab_str key, jab_str value)
{
    assert_int_equal(st->table->put(st, space, key, value), 0);
}

#define assert_each(st, expected, ...)                                                             \
    assert_bodies(g, (st)->table->each(st, __VA_ARGS__, got_value, &g), expected)
#define assert_get(st, expected, ...)                                                              \
    assert_bodies(g, (st)->table->get(st, __VA_ARGS__, got_value, &g), expected)

/* -- Values --------------------------------------------------------------------- */

static const jab_str absent = {NULL, 0};

static void values_are_kept_in_spaces_and_in_order(void **state)
{
    fixture *f = *state;
    jab_store *st = f->st;
    put(st, "x", JAB_STR("b"), JAB_STR("1"));
    put(st, "x", JAB_STR("a\0c"), JAB_STR("2"));
    put(st, "x", JAB_STR("a"), JAB_STR(""));
    put(st, "x", JAB_STR("\xff"), JAB_STR("4"));
    put(st, "y", JAB_STR("a"), JAB_STR("5"));
    put(st, "w", JAB_STR("z"), JAB_STR("6"));
    put(st, "x", JAB_STR("b"), JAB_STR("3"));
    for (int i = 0; i < 2; i++, st = again(f)) {
        store_got all = {.n = 0};
        assert_int_equal(st->table->each(st, "x", absent, 0, got_value, &all), 4);
        assert_memory_equal(all.text, "a= a\0c=2 b=3 \xff=4 ", all.n);
        assert_each(st, "b=3 ", "x", JAB_STR("a\0c"), 1);
        assert_each(st, "b=3 \xff=4 ", "x", JAB_STR("az"), 0);
        assert_each(st, "", "x", JAB_STR("\xff"), 0);
        assert_each(st, "", "v", absent, 0);
        assert_get(st, "a= ", "x", JAB_STR("a"));
        assert_get(st, "a=5 ", "y", JAB_STR("a"));
        assert_get(st, "", "x", JAB_STR("c"));
    }
    put(st, "x", JAB_STR("a"), absent);
    put(st, "x", JAB_STR("never there"), absent);
    assert_get(st, "", "x", JAB_STR("a"));
    assert_get(again(f), "", "x", JAB_STR("a"));
}

static void a_reader_may_stop(void **state)
{
    fixture *f = *state;
    for (int i = 1; i <= 3; i++) {
        char key[] = {(char)('0' + i), '\0'};
        put(f->st, "x", jab_cstr(key), JAB_STR("v"));
        add_body(f->st, "ann@example.org", i * 1000, i == 1 ? "one" : i == 2 ? "two" : "three");
    }
    store_got v = {.stop_after = 2}, m = {.stop_after = 1}, s = {.stop_after = 1};
    assert_int_equal(f->st->table->each(f->st, "x", absent, 0, got_value, &v), 2);
    assert_string_equal(v.text, "1=v 2=v ");
    assert_int_equal(jab_store_read(f->st, JAB_KEPT_QUERY(.conversation = A), got_body, &m), 1);
    assert_string_equal(m.text, "three ");
    assert_int_equal(jab_store_search(f->st, JAB_KEPT_QUERY(.words = JAB_STR("t")), got_body, &s),
                     1);
    assert_string_equal(s.text, "three ");
}

static void rollback_undoes_what_was_not_committed(void **state)
{
    fixture *f = *state;
    jab_store *st = f->st;
    put(st, "x", JAB_STR("old"), JAB_STR("1"));
    int64_t gone = add_body(st, "ann@example.org", 1000, "kept");
    int64_t last = add_body(st, "ann@example.org", 2000, "changed");
    assert_int_equal(st->dirty, 1);
    st = again(f);
    put(st, "x", JAB_STR("old"), JAB_STR("2"));
    put(st, "x", JAB_STR("new"), JAB_STR("3"));
    assert_int_equal(st->table->remove(st, gone), 0);
    assert_int_equal(st->table->change(st, last, JAB_KEPT_CHANGE(.rank = 5, .stamp = 7)), 0);
    int64_t never = add_body(st, "ann@example.org", 3000, "undone");
    assert_read(st, "undone changed ", .conversation = A);
    assert_int_equal(st->dirty, 1);
    st->table->rollback(st);
    assert_int_equal(st->dirty, 0);
    for (int i = 0; i < 2; i++, st = again(f)) {
        assert_each(st, "old=1 ", "x", absent, 0);
        assert_read(st, "changed kept ", .conversation = A);
        assert_found(st, "", .words = JAB_STR("undone"));
        assert_found(st, "kept ", .words = JAB_STR("kept"));
    }
    assert_true(add_body(st, "ann@example.org", 3000, "next") > last && never > last);
}

static void keys_are_never_given_twice(void **state)
{
    fixture *f = *state;
    int64_t first = add_body(f->st, "ann@example.org", 1, "one");
    f->st->table->rollback(f->st);
    int64_t second = add_body(f->st, "ann@example.org", 1, "two");
    assert_true(second > first);
    assert_int_equal(f->st->table->remove(f->st, second), 0);
    jab_store *st = again(f);
    assert_true(add_body(st, "ann@example.org", 1, "three") > second);
}

/* -- Messages ------------------------------------------------------------------- */

static int check_whole(void *arg, const jab_kept_message *m)
{
    const jab_kept_message *e = arg;
    assert_int_equal(m->key, e->key);
    assert_int_equal(m->rank, e->rank);
    assert_int_equal(m->stamp, e->stamp);
    assert_int_equal(m->type, e->type);
    assert_int_equal(m->own, e->own);
    assert_int_equal(m->fingerprint, e->fingerprint);
    assert_true(jab_str_eq(m->conversation, e->conversation));
    assert_true(jab_str_eq(m->sender, e->sender));
    assert_true(jab_str_eq(m->id, e->id));
    assert_true(jab_str_eq(m->origin_id, e->origin_id));
    assert_true(jab_str_eq(m->archive, e->archive));
    assert_true(jab_str_eq(m->archive_id, e->archive_id));
    assert_true(jab_str_eq(m->body, e->body));
    assert_true(jab_str_eq(m->xml, e->xml));
    return 0;
}

static void assert_whole(jab_store *st, const jab_kept_message *e)
{
    assert_int_equal(jab_store_read(st, JAB_KEPT_QUERY(.key = e->key), check_whole, (void *)e), 1);
}

static void a_message_is_kept_whole(void **state)
{
    fixture *f = *state;
    jab_kept_message full = {.rank = JAB_RANK_PENDING + 5,
                             .stamp = INT64_C(1772000000123),
                             .conversation = JAB_STR("room@conf.example.org/\xc3\xa4"),
                             .sender = JAB_STR("room@conf.example.org/me"),
                             .type = JAB_MSG_GROUPCHAT,
                             .own = JAB_OWN_PENDING,
                             .id = JAB_STR("i"),
                             .origin_id = JAB_STR(""),
                             .archive = A,
                             .archive_id = JAB_STR("28482-98726-73623"),
                             .fingerprint = INT64_MIN,
                             .body = JAB_STR("nul \0 and \xf0\x9f\x91\x8d"),
                             .xml = JAB_STR("<message/>")};
    jab_kept_message bare = {.rank = -4, .stamp = -5, .conversation = JAB_STR("")};
    assert_int_equal(f->st->table->add(f->st, &full, &full.key), 0);
    assert_int_equal(f->st->table->add(f->st, &bare, &bare.key), 0);
    assert_whole(f->st, &full);
    assert_whole(again(f), &bare);
    assert_whole(f->st, &full);
}

static void a_change_changes_only_what_it_names(void **state)
{
    fixture *f = *state;
    jab_kept_message m = {.rank = 1000,
                          .stamp = 1,
                          .conversation = A,
                          .sender = B,
                          .own = JAB_OWN_PENDING,
                          .id = JAB_STR("1"),
                          .body = JAB_STR("hello")};
    assert_int_equal(f->st->table->add(f->st, &m, &m.key), 0);
    int64_t other = add_body(f->st, "ann@example.org", 2000, "other");
    assert_int_equal(
        f->st->table->change(f->st, m.key, JAB_KEPT_CHANGE(.own = m.own = JAB_OWN_DELIVERED)), 0);
    assert_whole(f->st, &m);
    m.archive = B, m.archive_id = JAB_STR("x"), m.rank = 3000;
    assert_int_equal(f->st->table->change(f->st, m.key,
                                          JAB_KEPT_CHANGE(.rank = 3000, .archive = m.archive,
                                                          .archive_id = m.archive_id)),
                     0);
    assert_whole(f->st, &m);
    assert_read(f->st, "hello other ", .conversation = A);
    assert_read(f->st, "other hello ", .limit = 5);
    m.stamp = 50;
    assert_int_equal(f->st->table->change(f->st, m.key, JAB_KEPT_CHANGE(.stamp = 50)), 0);
    assert_whole(again(f), &m);
    assert_read(f->st, "hello other ", .limit = 5);
    assert_found(f->st, "hello ", .words = JAB_STR("hello"));
    assert_int_equal(
        f->st->table->change(f->st, other + 99, JAB_KEPT_CHANGE(.stamp = 50, .rank = 3)), 0);
    assert_read(f->st, "hello other ", .limit = 5);
}

static void what_is_removed_is_not_found(void **state)
{
    fixture *f = *state;
    int64_t one = add_body(f->st, "ann@example.org", 1000, "same words");
    add_body(f->st, "ann@example.org", 2000, "same");
    assert_int_equal(f->st->table->remove(again(f), one), 0);
    assert_int_equal(f->st->table->remove(f->st, 12345), 0);
    for (int i = 0; i < 2; i++, again(f)) {
        assert_read(f->st, "", .key = one);
        assert_read(f->st, "", .fingerprint = 1000);
        assert_found(f->st, "", .words = JAB_STR("words"));
        assert_found(f->st, "same ", .words = JAB_STR("same"));
    }
}

static void a_conversation_is_read_by_ranks(void **state)
{
    fixture *f = *state;
    add_body(f->st, "ann@example.org", JAB_RANK_PENDING, "6");
    add_body(f->st, "ann@example.org", 3000, "3");
    add_body(f->st, "ann@example.org", 3000, "4");
    add_body(f->st, "bob@example.org", 3000, "x");
    add_body(f->st, "ann@example.org", 1000, "1");
    add_body(f->st, "ann@example.org", 2000, "2");
    add_body(f->st, "ann@example.org", 5000, "5");
    jab_store *st = again(f);
    assert_read(st, "6 5 4 3 2 1 ", .conversation = A);
    assert_read(st, "1 2 3 4 5 6 ", .conversation = A, .forwards = 1);
    assert_read(st, "6 5 ", .conversation = A, .limit = 2);
    assert_read(st, "4 3 ", .conversation = A, .limit = 2, .before = 5000);
    assert_read(st, "5 6 ", .conversation = A, .after = 3000, .forwards = 1);
    assert_read(st, "5 4 3 2 ", .conversation = A, .after = 1000, .before = JAB_RANK_PENDING);
    assert_read(st, "5 4 3 ", .conversation = A, .since = 3, .until = 6);
    assert_read(st, "", .conversation = JAB_STR("nobody@example.org"));
    assert_read(st, "", .conversation = JAB_STR("ann@example.orgx"));
}

static void all_conversations_are_read_by_stamps(void **state)
{
    fixture *f = *state;
    for (int i = 9; i > 0; i--) {
        char body[] = {(char)('0' + i), '\0'};
        int64_t key = add_body(f->st, i % 2 ? "ann@example.org" : "bob@example.org", 100 - i, body);
        assert_int_equal(f->st->table->change(f->st, key, JAB_KEPT_CHANGE(.stamp = i * 10)), 0);
    }
    jab_store *st = again(f);
    assert_read(st, "9 8 7 6 5 4 3 2 1 ", .limit = 0);
    assert_read(st, "1 2 3 ", .limit = 3, .forwards = 1);
    assert_read(st, "4 3 2 ", .since = 20, .before = 50);
    assert_read(st, "4 3 ", .after = 20, .until = 50);
    assert_read(st, "3 4 ", .after = 20, .until = 50, .since = 10, .forwards = 1, .before = 70);
    assert_read(st, "9 7 5 3 1 ", .conversation = A, .forwards = 1);
}

static void single_messages_are_found_by_their_ids(void **state)
{
    fixture *f = *state;
    jab_kept_message m = {.rank = 7,
                          .stamp = 7,
                          .conversation = A,
                          .sender = A,
                          .fingerprint = 77,
                          .id = JAB_STR("i"),
                          .origin_id = JAB_STR("o"),
                          .archive = B,
                          .archive_id = JAB_STR("z"),
                          .body = JAB_STR("one")};
    int64_t one, two;
    assert_int_equal(f->st->table->add(f->st, &m, &one), 0);
    m.conversation = B, m.archive = A, m.body = JAB_STR("two"), m.origin_id = m.id,
    m.fingerprint = 78;
    assert_int_equal(f->st->table->add(f->st, &m, &two), 0);
    jab_store *st = again(f);
    assert_read(st, "one ", .conversation = A, .id = JAB_STR("i"));
    assert_read(st, "one ", .conversation = A, .id = JAB_STR("o"));
    assert_read(st, "two ", .conversation = B, .id = JAB_STR("i"));
    assert_read(st, "", .conversation = B, .id = JAB_STR("o"));
    assert_read(st, "one ", .archive = B, .archive_id = JAB_STR("z"));
    assert_read(st, "two ", .archive = A, .archive_id = JAB_STR("z"));
    assert_read(st, "", .archive = A, .archive_id = JAB_STR("zz"));
    assert_read(st, "", .archive = A, .archive_id = JAB_STR("z"), .key = one);
    assert_read(st, "one ", .fingerprint = 77);
    assert_read(st, "", .fingerprint = 77, .conversation = B);
    assert_read(st, "one ", .fingerprint = 77, .conversation = A);
    assert_read(st, "one ", .key = one, .conversation = A);
    assert_read(st, "", .key = one, .conversation = B);
}

static void half_a_condition_is_refused(void **state)
{
    fixture *f = *state;
    store_got g = {.n = 0};
    assert_int_equal(jab_store_read(f->st, JAB_KEPT_QUERY(.archive = A), got_body, &g), JAB_EINVAL);
    assert_int_equal(jab_store_read(f->st, JAB_KEPT_QUERY(.archive_id = A), got_body, &g),
                     JAB_EINVAL);
    assert_int_equal(jab_store_read(f->st, JAB_KEPT_QUERY(.id = A), got_body, &g), JAB_EINVAL);
    assert_int_equal(jab_store_search(f->st, JAB_KEPT_QUERY(.limit = 1), got_body, &g), JAB_EINVAL);
    assert_int_equal(jab_store_read(NULL, JAB_KEPT_QUERY(.limit = 1), got_body, &g), JAB_EINVAL);
}

static void two_of_an_archive_do_not_have_one_id(void **state)
{
    fixture *f = *state;
    jab_kept_message m = {.rank = 1,
                          .conversation = A,
                          .archive = B,
                          .archive_id = JAB_STR("z"),
                          .body = JAB_STR("one")};
    int64_t key, other = add_body(f->st, "ann@example.org", 5, "five");
    assert_int_equal(f->st->table->add(f->st, &m, &key), 0);
    again(f);
    assert_int_equal(f->st->table->add(f->st, &m, &key), JAB_ESTORE);
    assert_true(jab_store_error(f->st).n > 0);
    /* Nothing more is written until what was begun is undone. */
    assert_int_equal(f->st->table->put(f->st, "x", A, B), JAB_ESTORE);
    assert_int_equal(f->st->table->commit(f->st), JAB_ESTORE);
    assert_non_null(strstr(jab_store_error(f->st).p, "kept already"));
    f->st->table->rollback(f->st);
    assert_int_equal(f->st->table->change(
                         f->st, other, JAB_KEPT_CHANGE(.archive = B, .archive_id = JAB_STR("z"))),
                     JAB_ESTORE);
    f->st->table->rollback(f->st);
    put(f->st, "x", A, B);
    again(f);
    assert_get(f->st, "ann@example.org=bob@example.org ", "x", A);
    assert_read(f->st, "five one ", .conversation = A);
}

static void older_programs_know_fewer_members(void **state)
{
    fixture *f = *state;
    add_body(f->st, "ann@example.org", 1, "one");
    add_body(f->st, "bob@example.org", 1, "two");
    jab_kept_query q = {.size = offsetof(jab_kept_query, archive),
                        .conversation = B,
                        .forwards = 1,
                        .limit = 1,
                        .archive = A};
    assert_bodies(g, jab_store_read(f->st, &q, got_body, &g), "two ");
}

/* -- Search --------------------------------------------------------------------- */

static void words_are_found_newest_first(void **state)
{
    fixture *f = *state;
    static const char *const bodies[] = {"Gr\u00FC\u00DFe_aus-Wien", "newest gruss", "GRUSSE again",
                                         "nothing"};
    static const int ranks[] = {3000, 9000, 1000, 2000};
    for (int i = 0; i < 4; i++)
        add_body(f->st, i == 2 ? "bob@example.org" : "ann@example.org", ranks[i], bodies[i]);
    jab_store *st = again(f);
    assert_found(st, "newest gruss Gr\u00FC\u00DFe_aus-Wien GRUSSE again ",
                 .words = JAB_STR("gr\xc3\xbcss"));
    assert_found(st, "Gr\u00FC\u00DFe_aus-Wien ", .words = JAB_STR("  wIEN, GRU "));
    assert_found(st, "newest gruss ", .words = JAB_STR("gruss"), .limit = 1);
    assert_found(st, "GRUSSE again ", .words = JAB_STR("gruss"), .limit = 1, .forwards = 1);
    assert_found(st, "GRUSSE again ", .words = JAB_STR("gruss"), .conversation = B);
    assert_found(st, "Gr\u00FC\u00DFe_aus-Wien ", .words = JAB_STR("gruss"), .since = 2,
                 .until = 9);
    assert_found(st, "GRUSSE again ", .words = JAB_STR("gruss"), .before = 3);
    assert_found(st, "", .words = JAB_STR("russ"));
    assert_found(st, "", .words = JAB_STR("gruss unknown"));
}

static void queries_are_never_syntax(void **state)
{
    fixture *f = *state;
    add_body(f->st, "ann@example.org", 1000, "near AND or text");
    static const char *const nothing[] = {
        "", " ", "\"", "*", "''", "-", "%", "()", "_", "_1", "\xff", "{text}:none", "xyz* OR near"};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        assert_found(f->st, "", .words = jab_cstr(nothing[i]));
    assert_found(f->st, "near AND or text ", .words = JAB_STR("\"near\" OR (and)"));
    assert_found(f->st, "near AND or text ", .words = JAB_STR("text:near*"));
    assert_found(f->st, "near AND or text ", .words = JAB_STR("^near"));
}

static void text_without_blanks_is_found_by_any_piece(void **state)
{
    fixture *f = *state;
    add_body(
        f->st, "ann@example.org", 1000,
        "\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\xe3\x81\xae\xe5\xa4\xa9\xe6\xb0\x97 fine"); /* 東京都の天気
                                                                                           */
    add_body(f->st, "ann@example.org", 2000, "\xe4\xba\xac\xe9\x83\xbd \xe6\x9d\xb1"); /* 京都 東 */
    jab_store *st = again(f);
    assert_found(st,
                 "\xe4\xba\xac\xe9\x83\xbd \xe6\x9d\xb1 "
                 "\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\xe3\x81\xae\xe5\xa4\xa9\xe6\xb0\x97 fine ",
                 .words = JAB_STR("\xe4\xba\xac\xe9\x83\xbd"));
    assert_found(st,
                 "\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\xe3\x81\xae\xe5\xa4\xa9\xe6\xb0\x97 fine ",
                 .words = JAB_STR("\xe6\x9d\xb1\xe4\xba\xac"));
    assert_found(st,
                 "\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\xe3\x81\xae\xe5\xa4\xa9\xe6\xb0\x97 fine ",
                 .words = JAB_STR("fi\xe5\xa4\xa9"));
    assert_found(st, "", .words = JAB_STR("\xe9\x83\xbd\xe4\xba\xac"));
}

static void a_query_too_long_is_refused(void **state)
{
    fixture *f = *state;
    static char words[5001];
    memset(words, 'a', 5000);
    for (int i = 0; i < 5000; i += 5)
        words[i] = ' ';
    store_got g = {.n = 0};
    assert_int_equal(
        jab_store_search(f->st, JAB_KEPT_QUERY(.words = jab_cstr(words)), got_body, &g),
        JAB_EINVAL);
}

/* A reader may read on in the store while it is given a row. */
static int read_inside(void *arg, const jab_kept_message *m)
{
    jab_store *st = arg;
    (void)m;
    assert_read(st, "2 1 ", .conversation = A);
    return 0;
}

static void reading_may_be_nested(void **state)
{
    fixture *f = *state;
    add_body(f->st, "ann@example.org", 1000, "1");
    add_body(f->st, "ann@example.org", 2000, "2");
    assert_int_equal(jab_store_read(f->st, JAB_KEPT_QUERY(.conversation = A), read_inside, f->st),
                     2);
}

#define EACH_STORE(test)                                                                           \
    {"memory: " #test, test, open_memory, close_any, NULL},                                        \
    {                                                                                              \
        "file: " #test, test, open_file, close_any, NULL                                           \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_STORE(values_are_kept_in_spaces_and_in_order),
        EACH_STORE(a_reader_may_stop),
        EACH_STORE(rollback_undoes_what_was_not_committed),
        EACH_STORE(keys_are_never_given_twice),
        EACH_STORE(a_message_is_kept_whole),
        EACH_STORE(a_change_changes_only_what_it_names),
        EACH_STORE(what_is_removed_is_not_found),
        EACH_STORE(a_conversation_is_read_by_ranks),
        EACH_STORE(all_conversations_are_read_by_stamps),
        EACH_STORE(single_messages_are_found_by_their_ids),
        EACH_STORE(half_a_condition_is_refused),
        EACH_STORE(two_of_an_archive_do_not_have_one_id),
        EACH_STORE(older_programs_know_fewer_members),
        EACH_STORE(words_are_found_newest_first),
        EACH_STORE(queries_are_never_syntax),
        EACH_STORE(text_without_blanks_is_found_by_any_piece),
        EACH_STORE(a_query_too_long_is_refused),
        EACH_STORE(reading_may_be_nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
