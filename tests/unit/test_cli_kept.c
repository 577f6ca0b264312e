/* test_cli_kept.c: kept messages as records, found and exported; what other commands saw is
 * kept for jabiru listen. */
#include "unit.h"

#include "cli.h"
#include <stdio.h>
#include <unistd.h>

static cli c;

static int begin(void **state)
{
    (void)state;
    static const cli_command command = {.name = "history"};
    c = (cli){.command = &command};
    assert_int_equal(cli_address("me@x", &c.jid, &c.jid_bytes), 0);
    setenv("TZ", "UTC", 1);
    return jab_store_memory(&c.store, NULL);
}

static int end(void **state)
{
    (void)state;
    jab_store_free(c.store);
    return 0;
}

static int64_t keep(const char *with, const char *body, int64_t stamp, jab_own_state own)
{
    char xml[512];
    int64_t key;
    snprintf(xml, sizeof xml,
             "<message %s='%s/r' id='i1' type='chat'><subject>s</subject><body>%s</body></message>",
             own ? "to" : "from", with, body);
    jab_kept_message m = {.rank = stamp * 1000,
                          .stamp = stamp,
                          .conversation = jab_cstr(with),
                          .sender = own ? JAB_STR("me@x") : jab_cstr(with),
                          .type = JAB_MSG_CHAT,
                          .own = own,
                          .id = JAB_STR("i1"),
                          .archive = JAB_STR("me@x"),
                          .body = jab_cstr(body),
                          .xml = jab_cstr(xml)};
    char id[32];
    snprintf(id, sizeof id, "a%lld", (long long)stamp + (long long)strlen(body) * 1000000);
    m.archive_id = jab_cstr(id);
    assert_int_equal(c.store->table->add(c.store, &m, &key), 0);
    assert_int_equal(c.store->table->commit(c.store), 0);
    return key;
}

static void assert_found(const cli_find *find, const char *wanted)
{
    cli_found found = {0};
    app_text bodies = {0};
    assert_int_equal(cli_find_kept(&c, find, &found), 0);
    for (size_t i = 0; i < found.n; i++) {
        jab_str body = app_text_at(found.v[i], "body");
        app_text_fmt(&bodies, "%s" JAB_FMT, i ? "," : "", JAB_ARG(body));
    }
    assert_string_equal(app_text_str(&bodies).p, wanted);
    app_text_free(&bodies);
    cli_found_free(&found);
}

static void numbers_of_messages(void **state)
{
    (void)state;
    char text[CLI_KEY_SIZE];
    int64_t key;
    cli_key_text(text, 0xf3a1);
    assert_string_equal(text, "f3a1");
    assert_int_equal(cli_key_parse("#f3a1", &key), 0);
    assert_true(key == 0xf3a1);
    assert_int_equal(cli_key_parse("F3A1", &key), 0);
    static const char *const bad[] = {"", "#", "xyz", "f3 a1", "-1", "10000000000000000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(cli_key_parse(bad[i], &key), -1);
}

static void the_newest_in_their_order(void **state)
{
    (void)state;
    keep("bob@x", "one", 1000, JAB_OWN_NONE);
    keep("eve@x", "two", 2000, JAB_OWN_NONE);
    int64_t third = keep("bob@x", "three", 3000, JAB_OWN_DELIVERED);
    keep("bob@x", "four", 3000, JAB_OWN_NONE);
    assert_found(&(cli_find){.limit = 10}, "one,two,three,four");
    assert_found(&(cli_find){.limit = 2}, "three,four");
    assert_found(&(cli_find){.limit = 10, .with = JAB_STR("bob@x")}, "one,three,four");
    assert_found(&(cli_find){.limit = 10, .before = third}, "one,two");
    assert_found(&(cli_find){.limit = 10, .with = JAB_STR("bob@x"), .before = third}, "one");
    assert_found(&(cli_find){.limit = 10, .since = 2000, .until = 3000}, "two");
    assert_found(&(cli_find){.limit = 10, .with = JAB_STR("nobody@x")}, "");
    cli_found found = {0};
    assert_int_equal(cli_find_kept(&c, &(cli_find){.limit = 1, .before = 999}, &found), 2);
}

static void words_are_found(void **state)
{
    (void)state;
    keep("bob@x", "\u0451\u043b\u043a\u0430 \u0438 \u0437\u0432\u0435\u0437\u0434\u0430", 1000,
         JAB_OWN_NONE);
    keep("bob@x", "\u4f60\u597d\u4e16\u754c", 2000, JAB_OWN_NONE);
    assert_found(&(cli_find){.limit = 9, .words = JAB_STR("\u0415\u041b\u041a\u0410")},
                 "\u0451\u043b\u043a\u0430 \u0438 \u0437\u0432\u0435\u0437\u0434\u0430");
    assert_found(&(cli_find){.limit = 9, .words = JAB_STR("\u4e16\u754c")},
                 "\u4f60\u597d\u4e16\u754c");
    assert_found(&(cli_find){.limit = 9, .words = JAB_STR("nothing")}, "");
}

static int first_record(void *arg, const jab_kept_message *kept)
{
    *(json_t **)arg = cli_kept_record(kept);
    return 1;
}

static void what_a_record_says(void **state)
{
    (void)state;
    json_t *record = NULL;
    int64_t key = keep("bob@x", "hello", 5000, JAB_OWN_UNKNOWN);
    assert_int_equal(jab_store_read(c.store, JAB_KEPT_QUERY(.key = key), first_record, &record), 1);
    assert_str(app_text_at(record, "type"), "message");
    assert_str(app_text_at(record, "from.bare"), "me@x");
    assert_str(app_text_at(record, "to.full"), "bob@x/r");
    assert_str(app_text_at(record, "state"), "unknown");
    assert_str(app_text_at(record, "archive_id"), "a5005000");
    assert_str(app_text_at(record, "subject"), "s");
    assert_str(app_text_at(record, "stamp"), "1970-01-01T00:00:05Z");
    assert_true(json_is_true(app_at(record, "history")));
    assert_non_null(app_text_at(record, "key").p);
    json_decref(record);
}

/* What a function writes to the output. */
static void read_output(int fd, char *text, size_t size)
{
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    ssize_t n = read(fd, text, size - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
}

static void exported(const char *form, app_out_form out, char *text, size_t size)
{
    char name[] = "/tmp/jabiru-export-XXXXXX";
    cli_found found = {0};
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    unlink(name);
    app_out_init(&c.out, fd, 0, "never");
    c.out.form = out;
    assert_int_equal(cli_find_kept(&c, &(cli_find){.limit = 9}, &found), 0);
    cli_export(&c, form, &found);
    app_out_fini(&c.out);
    cli_found_free(&found);
    read_output(fd, text, size);
}

static void a_mailbox(void **state)
{
    (void)state;
    char text[2048];
    keep("bob@x", "From me\n&gt;From you\n\u0436", 5000, JAB_OWN_NONE);
    exported("mbox", APP_OUT_TSV, text, sizeof text);
    assert_non_null(strstr(text, "From bob@x Thu Jan  1 00:00:05 1970\nFrom: bob@x/r\n"));
    assert_non_null(strstr(text, "\nDate: Thu, 1 Jan 1970 00:00:05 +0000\nSubject: s\n"));
    assert_non_null(strstr(text, "\n\n>From me\n"));
    assert_non_null(strstr(text, "\n\u0436\n\n"));
}

static void markdown_shows_text_as_text(void **state)
{
    (void)state;
    char text[2048];
    keep("bob@x", "*not bold*\nsecond", 5000, JAB_OWN_NONE);
    exported("md", APP_OUT_HUMAN, text, sizeof text);
    assert_string_equal(
        text, "## 1970-01-01\n\n**00:00** bob@x: s\n\n> \\*not bold\\*  \n> second  \n\n");
}

static void lines_of_a_history(void **state)
{
    (void)state;
    char name[] = "/tmp/jabiru-lines-XXXXXX", text[512];
    cli_found found = {0};
    int fd = mkstemp(name);
    unlink(name);
    int64_t key = keep("bob@x", "the invoice \xc2\x9b is attached", 5000, JAB_OWN_NONE);
    app_out_init(&c.out, fd, 0, "never");
    c.out.form = APP_OUT_HUMAN;
    c.out.past = 1;
    assert_int_equal(cli_find_kept(&c, &(cli_find){.limit = 9}, &found), 0);
    app_out_record(&c.out, json_incref(found.v[0]));
    app_out_fini(&c.out);
    cli_found_free(&found);
    read_output(fd, text, sizeof text);
    assert_non_null(strstr(text, "1970-01-01 00:00  bob  [s] the invoice "));
    assert_null(strstr(text, "\xc2\x9b"));
    char end_of_line[64], number[CLI_KEY_SIZE];
    cli_key_text(number, key);
    snprintf(end_of_line, sizeof end_of_line, " is attached   #%s\n", number);
    assert_non_null(strstr(text, end_of_line));
}

static int count_key(void *arg, int64_t key)
{
    *(int64_t *)arg = *(int64_t *)arg * 100 + key;
    return 0;
}

static void what_nobody_saw(void **state)
{
    (void)state;
    jab_jid_buf bytes;
    int64_t sum = 0;
    jab_message m = {.key = 7};
    assert_int_equal(cli_address("bob@x/r", &m.from, &bytes), 0);
    cli_unseen_note(&c, &m); /* listen has never run: nothing is to be printed later */
    assert_int_equal(cli_unseen_each(&c, count_key, &sum), 0);
    assert_true(sum == 0);
    cli_unseen_begin(&c);
    cli_unseen_note(&c, &m);
    m.key = 11;
    cli_unseen_note(&c, &m);
    m.key = 12;
    m.flags = JAB_VIA_CARBON_SENT;
    cli_unseen_note(&c, &m);
    assert_int_equal(cli_unseen_each(&c, count_key, &sum), 0);
    assert_true(sum == 711);
    cli_unseen_done(&c, 7);
    sum = 0;
    assert_int_equal(cli_unseen_each(&c, count_key, &sum), 0);
    assert_true(sum == 11);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(numbers_of_messages), ROW(the_newest_in_their_order),
        ROW(words_are_found),     ROW(what_a_record_says),
        ROW(a_mailbox),           ROW(markdown_shows_text_as_text),
        ROW(lines_of_a_history),  ROW(what_nobody_saw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
