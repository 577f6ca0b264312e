/* test_cli.c: the parts of the program that need no connection: which operand
 * is the text, lines of a batch, addresses of servers, indented XML. */
#include "unit.h"

#include "input.h"
#include "pretty.h"
#include "send.h"
#include <stdio.h>
#include <unistd.h>

static void the_operand_that_is_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *operands[4];
        int n, dashes, all, text;
    } rows[] = {
        {{"a@x"}, 1, -1, 0, -1},
        {{"a@x", "hello"}, 2, -1, 0, 1},
        {{"a@x", "b@y", "hello there"}, 3, -1, 0, 2},
        {{"a@x", "b@y"}, 2, -1, 0, -1},         /* two recipients */
        {{"a@x", "write to b@y"}, 2, -1, 0, 1}, /* blanks: a text */
        {{"a@x", "b@y/home"}, 2, -1, 0, 1},     /* not bare */
        {{"a@x", "example.org"}, 2, -1, 0, 1},  /* no user */
        {{"a@x", "@y"}, 2, -1, 0, 1},
        {{"a@x", ""}, 2, -1, 0, 1},
        {{"a@x", "b@y"}, 2, 1, 0, 1}, /* after -- */
        {{"a@x", "b@y", "two", "texts"}, 4, 2, 0, 2},
        {{"a@x", "hello"}, 2, 0, 0, 1},   /* -- before everything settles nothing */
        {{"a@x", "b@y"}, 2, 2, 0, -1},    /* nothing after -- */
        {{"a@x", "hello"}, 2, -1, 1, -1}, /* --lines: all are recipients */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(cli_text_operand(rows[i].operands, rows[i].n, rows[i].dashes, rows[i].all),
                         rows[i].text);
}

static void lines_of_a_batch(void **state)
{
    (void)state;
    cli_batch batch = {0};
    jab_str line =
        JAB_STR("{\"to\":[\"a@X\",\"b@y/r\"],\"body\":\"one\\n\\u2028\",\"subject\":\"s\","
                "\"kind\":\"normal\",\"id\":\"i1\"}");
    assert_int_equal(cli_batch_read(&batch, line, JAB_MSG_CHAT, "line 1"), 0);
    assert_int_equal(batch.to.n, 2);
    assert_string_equal(batch.to.v[0], "a@x");
    assert_string_equal(batch.to.v[1], "b@y/r");
    assert_str(batch.draft.body, "one\n\u2028");
    assert_str(batch.draft.subject, "s");
    assert_str(batch.draft.id, "i1");
    assert_int_equal(batch.draft.type, JAB_MSG_NORMAL);
    assert_int_equal(cli_batch_read(&batch, JAB_STR("  "), JAB_MSG_CHAT, "line 2"), 0);
    assert_int_equal(batch.to.n, 0);
    cli_batch_free(&batch);
}

static void lines_that_are_no_batch(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "nonsense",
        "[]",
        "\"text\"",
        "{\"to\":\"a@x\"}",
        "{\"body\":\"b\"}",
        "{\"to\":\"@\",\"body\":\"b\"}",
        "{\"to\":[],\"body\":\"b\"}",
        "{\"to\":[1],\"body\":\"b\"}",
        "{\"to\":\"a@x\",\"body\":\"nul \\u0000\"}",
        "{\"to\":\"a@x\",\"body\":\"esc \\u001b\"}",
        "{\"to\":\"a@x\",\"body\":\"b\",\"body\":\"c\"}",
        "{\"to\":\"a@x\",\"body\":\"\"}",
        "{\"to\":\"a@x\",\"body\":\"b\"",
    };
    cli_batch batch = {0};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(cli_batch_read(&batch, jab_cstr(lines[i]), JAB_MSG_CHAT, "line"), 2);
    cli_batch_free(&batch);
}

static void hosts_and_ports(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        int port; /* -1: refused */
    } rows[] = {
        {"example.org", "example.org", 0},
        {"example.org:5269", "example.org", 5269},
        {"127.0.0.1:1", "127.0.0.1", 1},
        {"[::1]:5222", "::1", 5222},
        {"[::1]", "::1", 0},
        {"::1", "::1", 0},
        {"2001:db8::5222", "2001:db8::5222", 0},
        {"x:0", NULL, -1},
        {"x:65536", NULL, -1},
        {"x:", NULL, -1},
        {"x:5222a", NULL, -1},
        {"[::1", NULL, -1},
        {"[::1]5222", NULL, -1},
        {":5222", NULL, -1},
        {"", NULL, -1},
        {"[]:1", NULL, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *host;
        uint16_t port;
        int status = cli_host_port(rows[i].text, &host, &port);
        assert_int_equal(status, rows[i].port < 0 ? 2 : 0);
        if (status == 0) {
            assert_string_equal(host, rows[i].host);
            assert_int_equal(port, rows[i].port);
        }
        free(host);
    }
}

static void text_that_may_be_sent(void **state)
{
    (void)state;
    static const char *const good[] = {"", "a\tb\r\nc",
                                       "\u0436\U0001f98e\xc2\x85"
                                       "\xc2\x9b"
                                       "",
                                       "\ufffd"};
    static const char *const bad[] = {"\033[m", "\x01",   "\xff",     "a\xed\xa0\x80",
                                      "\ufffe", "\uffff", "\xc0\x80", "cut\xe2\x82"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(cli_check_text("text", jab_cstr(good[i])), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(cli_check_text("text", jab_cstr(bad[i])), 2);
    assert_int_equal(cli_check_text("text", (jab_str){"a\0b", 3}), 2);
}

static void assert_pretty(const char *xml, const char *wanted)
{
    app_text out = {0};
    cli_pretty(&out, jab_cstr(xml));
    assert_string_equal(app_text_str(&out).p, wanted);
    app_text_free(&out);
}

static void xml_for_people(void **state)
{
    (void)state;
    assert_pretty("", "");
    assert_pretty("<a/>", "<a/>");
    assert_pretty("<a><b>text</b><c/><d></d></a>", "<a>\n  <b>text</b>\n  <c/>\n  <d></d>\n</a>");
    assert_pretty("<a>mixed <b/> text</a>", "<a>mixed <b/> text</a>");
    assert_pretty("<a x='1>2'><b y=\"/>\"/></a>", "<a x='1>2'>\n  <b y=\"/>\"/>\n</a>");
    assert_pretty("<a/><b/>", "<a/>\n<b/>");
}

/* Feeds standard input from a pipe. */
static void feed(const char *text)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
}

static void lines_of_standard_input(void **state)
{
    (void)state;
    cli_input in = {0};
    jab_str line;
    feed("one\n\nlast");
    assert_int_equal(cli_input_line(&in, &line), 0);
    assert_int_equal(cli_input_read(&in), 0);
    assert_int_equal(cli_input_line(&in, &line), 1);
    assert_str(line, "one");
    assert_int_equal(cli_input_line(&in, &line), 1);
    assert_int_equal(line.n, 0);
    assert_int_equal(cli_input_line(&in, &line), 0); /* more may come */
    assert_int_equal(cli_input_read(&in), 0);
    assert_int_equal(cli_input_line(&in, &line), 1);
    assert_str(line, "last");
    assert_int_equal(cli_input_line(&in, &line), -1);
    app_text_free(&in.text);
}

static void every_command_is_described(void **state)
{
    (void)state;
    for (const cli_command *command = cli_commands; command->name; command++) {
        assert_true(strlen(command->purpose) > 10);
        assert_true(command->purpose[strlen(command->purpose) - 1] != '.');
        assert_ptr_equal(cli_find_command(command->name), command);
        assert_true((command->run == NULL) == ((command->flags & CLI_GROUP) != 0));
        for (const app_opt *opt = command->options; opt && opt->name; opt++) {
            assert_true(strlen(opt->help) > 5);
            assert_true((opt->arg == NULL) == (opt->kind == APP_OPT_FLAG));
            assert_true(opt->at < CLI_VALUES_MAX);
        }
    }
    assert_null(cli_find_command("tui"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_operand_that_is_the_text),
        cmocka_unit_test(lines_of_a_batch),
        cmocka_unit_test(lines_that_are_no_batch),
        cmocka_unit_test(hosts_and_ports),
        cmocka_unit_test(text_that_may_be_sent),
        cmocka_unit_test(xml_for_people),
        cmocka_unit_test(lines_of_standard_input),
        cmocka_unit_test(every_command_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
