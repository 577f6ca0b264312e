/* test_app.c: what the programs share: options, text for terminals, records. */
#include "unit.h"

#include "file.h"
#include "options.h"
#include "output.h"
#include "sanitize.h"
#include <stdio.h>
#include <unistd.h>

/* -- Options --------------------------------------------------------------------- */

struct global_values {
    const char *jid;
    int verbose;
    app_number fd;
};

struct own_values {
    app_list groups;
    app_time interval;
    const char *kind;
};

static const app_opt global_options[] = {
    {"jid", 'j', APP_OPT_TEXT, offsetof(struct global_values, jid), "JID", "", 0, 0, 0},
    {"verbose", 'v', APP_OPT_FLAG, offsetof(struct global_values, verbose), NULL, "", 0, 0, 0},
    {"fd", 0, APP_OPT_NUMBER, offsetof(struct global_values, fd), "N", "", 0, 9, 0},
    {"password", 'p', APP_OPT_REFUSED, 0, NULL, "never here", 0, 0, 0},
    {0},
};

static const app_opt own_options[] = {
    {"group", 'g', APP_OPT_LIST, offsetof(struct own_values, groups), "G", "", 0, 0, 0},
    {"interval", 'i', APP_OPT_TIME, offsetof(struct own_values, interval), "SEC", "", 0, 0, 0},
    {"kind", 0, APP_OPT_CHOICE, offsetof(struct own_values, kind), "chat|normal", "", 0, 0, 0},
    {0},
};

/* A parsed line: values, operands, and how it ended. */
struct parsed {
    struct global_values global;
    struct own_values own;
    const char *operands[8];
    int n, result;
    app_parser parser;
};

static void parse(struct parsed *p, int argc, const char *const *argv)
{
    const char *word;
    *p = (struct parsed){0};
    p->parser = (app_parser){.tables = {global_options, own_options},
                             .values = {&p->global, &p->own},
                             .argv = (char **)argv,
                             .argc = argc};
    while ((p->result = app_parse(&p->parser, &word)) > 0)
        p->operands[p->n++] = word;
}

#define PARSE(p, ...)                                                                              \
    parse(p, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                        \
          (const char *const[]){__VA_ARGS__})

static void options_stand_anywhere(void **state)
{
    (void)state;
    struct parsed p;
    PARSE(&p, "-vj", "me@x", "one", "-g", "A", "--group=B", "two", "-vi2.5", "--fd", "3");
    assert_int_equal(p.result, 0);
    assert_string_equal(p.global.jid, "me@x");
    assert_int_equal(p.global.verbose, 2);
    assert_int_equal(p.global.fd.value, 3);
    assert_int_equal(p.own.groups.n, 2);
    assert_string_equal(p.own.groups.v[1], "B");
    assert_int_equal(p.own.interval.ms, 2500);
    assert_int_equal(p.n, 2);
    assert_string_equal(p.operands[1], "two");
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct parsed p;
    PARSE(&p, "-", "--", "-v", "--", "--nonsense");
    assert_int_equal(p.result, 0);
    assert_int_equal(p.n, 4);
    assert_string_equal(p.operands[0], "-");
    assert_string_equal(p.operands[1], "-v");
    assert_string_equal(p.operands[2], "--");
    assert_int_equal(p.global.verbose, 0);
}

#define assert_refused(words, ...)                                                                 \
    do {                                                                                           \
        struct parsed p_;                                                                          \
        PARSE(&p_, __VA_ARGS__);                                                                   \
        assert_int_equal(p_.result, -1);                                                           \
        assert_string_equal(p_.parser.error.p, words);                                             \
        app_text_free(&p_.parser.error);                                                           \
    } while (0)

static void wrong_options_are_explained(void **state)
{
    (void)state;
    assert_refused("unknown option --gruop; did you mean --group?", "--gruop", "x");
    assert_refused("unknown option --completely-different", "--completely-different");
    assert_refused("unknown option -z", "-vz");
    assert_refused("--group needs a value: G", "--group");
    assert_refused("--verbose yes: this option takes no value", "--verbose=yes");
    assert_refused("--fd 10: a number from 0 to 9 is wanted", "--fd", "10");
    assert_refused("--fd 1x: a number from 0 to 9 is wanted", "--fd", "1x");
    assert_refused("--fd : a number from 0 to 9 is wanted", "--fd=");
    assert_refused("--kind cha: one of chat|normal is wanted", "--kind", "cha");
    assert_refused("--kind chat|normal: one of chat|normal is wanted", "--kind", "chat|normal");
    assert_refused("--kind : one of chat|normal is wanted", "--kind=");
    assert_refused("never here", "-p", "secret");
    assert_refused("never here", "-psecret");
    assert_refused("never here", "--password=secret");
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {
        {"5", 5000},     {"0", 0},        {"0.25", 250},    {"250ms", 250}, {"90s", 90000},
        {"10m", 600000}, {"2h", 7200000}, {"1d", 86400000}, {"", -1},       {"-1", -1},
        {"1w", -1},      {"1 s", -1},     {"inf", -1},      {"nan", -1},    {"1e300", -1},
        {"5s ", -1},     {".5", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -1;
        int result = app_time_parse(rows[i].text, &ms);
        assert_int_equal(result, rows[i].ms < 0 ? -1 : 0);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void near_words(void **state)
{
    (void)state;
    unsigned distance = APP_FAR;
    const char *best = NULL;
    best = app_nearer("sned", best, "listen", &distance);
    best = app_nearer("sned", best, "send", &distance);
    assert_string_equal(best, "send");
    assert_int_equal(distance, 1); /* a swap is one slip */
    distance = APP_FAR;
    assert_null(app_nearer("x", NULL, "iq", &distance));
    assert_null(app_nearer("abcdefgh", NULL, "send", &distance));
}

/* -- Text for terminals ------------------------------------------------------------ */

static void assert_clean(const char *text, app_form form, const char *wanted)
{
    app_text out = {0};
    app_clean(&out, jab_cstr(text), form);
    assert_string_equal(app_text_str(&out).p, wanted);
    app_text_free(&out);
}

#define FAMILY  "\U0001f469\u200d\U0001f469\u200d\U0001f467\U0001f3fd"
#define ENGLAND "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

static void harmless_text_is_kept(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "plain",
        "",
        "Grüße, Ромео",
        FAMILY,
        ENGLAND,
        "\u0928\u092e\u0938\u094d\u0924\u0947",
        "\u05e9\u05dc\u05d5\u05dd",
        "e\u0301\u0323",
        "\u2764\ufe0f",
        "a\u200cb",
        "back\\slash",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_clean(texts[i], APP_LINE, texts[i]);
        assert_clean(texts[i], APP_BLOCK, texts[i]);
        assert_clean(texts[i], APP_JSON, texts[i]);
    }
}

static void what_drives_a_terminal_is_escaped(void **state)
{
    (void)state;
    assert_clean("\033]52;c;aGk=\a", APP_LINE, "\\u{1b}]52;c;aGk=\\u{7}");
    assert_clean("\033]0;title\033\\", APP_BLOCK, "\\u{1b}]0;title\\u{1b}\\");
    assert_clean("\xc2\x9b"
                 "31mred",
                 APP_LINE, "\\u{9b}31mred");
    assert_clean("\xc2\x90"
                 "q\xc2\x9c"
                 "",
                 APP_LINE, "\\u{90}q\\u{9c}");
    assert_clean("\x7f\b\r", APP_BLOCK, "\\u{7f}\\u{8}\\u{d}");
    assert_clean("a\u202eb\u2066c\u200fd\u061ce", APP_LINE,
                 "a\\u{202e}b\\u{2066}c\\u{200f}d\\u{61c}e");
    assert_clean("a\u2028b\u2029c", APP_BLOCK, "a\\u{2028}b\\u{2029}c");
    assert_clean("\ufeffx\ufff9y", APP_LINE, "\\u{feff}x\\u{fff9}y");
    assert_clean("\u0378\U000effff", APP_LINE, "\\u{378}\\u{effff}"); /* unassigned */
}

static void bytes_that_are_no_text_are_escaped(void **state)
{
    (void)state;
    assert_clean("a\xff\xc0\xafz", APP_LINE, "a\\xff\\xc0\\xafz");
    assert_clean("\xed\xa0\x80", APP_LINE, "\\xed\\xa0\\x80"); /* a surrogate */
    assert_clean("cut \xf0\x9f\xa6", APP_LINE, "cut \\xf0\\x9f\\xa6");
}

static void a_second_line_cannot_pose_as_a_record(void **state)
{
    (void)state;
    assert_clean("hi\nboss@x: pay\n", APP_BLOCK, "hi\n    boss@x: pay\n    ");
    assert_clean("a\tb", APP_BLOCK, "a\tb");
    assert_clean("hi\nboss\tx", APP_LINE, "hi\\nboss\\tx");
}

static void marks_are_counted(void **state)
{
    (void)state;
    app_text zalgo = {0}, out = {0};
    app_text_char(&zalgo, 'a');
    for (int i = 0; i < 100; i++)
        app_text_z(&zalgo, i == 50 ? "\u200d" : "\u0301"); /* a joiner does not begin anew */
    app_text_z(&zalgo, "b\u0301");
    app_clean(&out, app_text_str(&zalgo), APP_LINE);
    assert_string_equal(out.p, "a\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u200db\u0301");
    app_text_free(&zalgo);
    app_text_free(&out);
}

static void tables_lose_nothing(void **state)
{
    (void)state;
    assert_clean("a\tb\nc\\d\r", APP_TSV, "a\\tb\\nc\\\\d\\r");
    assert_clean("\xc2\x9b"
                 "\u202e\033",
                 APP_TSV, "\\u009b\\u202e\\u001b");
    assert_clean("\U000e0001", APP_TSV, "\\udb40\\udc01");
}

/* -- Records ------------------------------------------------------------------------ */

/* Prints a record as JSON into a file in memory; the text is to be freed. */
static char *as_json(json_t *record, app_out_form form)
{
    FILE *file = tmpfile();
    app_out out;
    app_text text = {0};
    app_out_init(&out, fileno(file), 1, NULL);
    out.form = form;
    app_out_record(&out, record);
    assert_int_equal(app_out_status(&out), 0);
    app_out_fini(&out);
    lseek(fileno(file), 0, SEEK_SET);
    assert_int_equal(app_fd_read(&text, fileno(file)), 0);
    fclose(file);
    return text.p;
}

static void assert_round_trip(jab_str body)
{
    json_t *record = app_record_new("message");
    app_set_text(record, "body", body);
    char *line = as_json(record, APP_OUT_JSON);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    for (const char *at = line; at[1]; at++) {
        assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
        assert_false((unsigned char)*at == 0xc2 && (unsigned char)at[1] < 0xa0); /* C1 */
    }
    assert_null(strstr(line, "\u2028"));
    json_t *read = json_loads(line, 0, NULL);
    assert_non_null(read);
    jab_str back = app_text_at(read, "body");
    assert_int_equal(back.n, body.n);
    assert_memory_equal(back.p, body.p, body.n);
    json_decref(read);
    free(line);
}

static void json_is_faithful_and_safe(void **state)
{
    (void)state;
    app_text large = {0};
    static const char *const bodies[] = {
        "line\nbreak",
        "\"quote\" \\ back",
        "sep\u2028par\u2029",
        "\033[31mred\a",
        "\xc2\x9b"
        "31m\xc2\x85"
        "\x7f\u202e",
        FAMILY ENGLAND,
        "\ufeff",
        "",
        "\\u0041",
        "\t\r",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_round_trip(jab_cstr(bodies[i]));
    while (large.n < 64 * 1024)
        app_text_z(&large, "0123\u0436\n\"\\\xc2\x9b");
    assert_round_trip(app_text_str(&large));
    app_text_free(&large);
}

static void a_table_has_the_columns_of_its_kind(void **state)
{
    (void)state;
    json_t *record = app_record_new("contact");
    app_set_text(record, "jid", JAB_STR("a@x"));
    app_set_text(record, "name", JAB_STR("A\tb"));
    app_set_text(record, "show", JAB_STR("away"));
    json_object_set_new(record, "groups", json_pack("[s,s]", "G", "H"));
    char *line = as_json(record, APP_OUT_TSV);
    assert_string_equal(line, "away\tA\\tb\ta@x\t\t\tG,H\n");
    free(line);
}

static void a_person_reads_one_line_per_message(void **state)
{
    (void)state;
    json_t *record = app_record_new("message"), *from = json_pack("{s:s}", "bare", "a@x\033");
    json_object_set_new(record, "from", from);
    app_set_text(record, "kind", JAB_STR("chat"));
    app_set_text(record, "subject", JAB_STR("S\n"));
    app_set_text(record, "body", JAB_STR("b\nc"));
    char *line = as_json(record, APP_OUT_HUMAN);
    assert_string_equal(line, "a@x\\u{1b}: [S\\n] b\n    c\n");
    free(line);
}

/* Every column is a field, and every kind can be printed from nothing. */
static void kinds_are_complete(void **state)
{
    (void)state;
    for (const app_record *kind = app_records; kind->type; kind++) {
        for (size_t i = 0; kind->columns[i]; i++) {
            size_t n = strcspn(kind->columns[i], ".");
            const app_field *field = kind->fields;
            while (field->name &&
                   !(strlen(field->name) == n && strncmp(field->name, kind->columns[i], n) == 0))
                field++;
            assert_non_null(field->name);
        }
        char *line = as_json(app_record_new(kind->type), APP_OUT_HUMAN);
        assert_int_equal(line ? line[strlen(line) - 1] : '\n', '\n');
        free(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(wrong_options_are_explained),
        cmocka_unit_test(times),
        cmocka_unit_test(near_words),
        cmocka_unit_test(harmless_text_is_kept),
        cmocka_unit_test(what_drives_a_terminal_is_escaped),
        cmocka_unit_test(bytes_that_are_no_text_are_escaped),
        cmocka_unit_test(a_second_line_cannot_pose_as_a_record),
        cmocka_unit_test(marks_are_counted),
        cmocka_unit_test(tables_lose_nothing),
        cmocka_unit_test(json_is_faithful_and_safe),
        cmocka_unit_test(a_table_has_the_columns_of_its_kind),
        cmocka_unit_test(a_person_reads_one_line_per_message),
        cmocka_unit_test(kinds_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
