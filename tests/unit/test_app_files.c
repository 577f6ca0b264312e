/* test_app_files.c: what the programs share: configuration and passwords. */
#include "unit.h"

#include "config.h"
#include "file.h"
#include "netrc.h"
#include "secret.h"
#include "wait.h"
#include <sys/stat.h>
#include <unistd.h>

/* -- Configuration -------------------------------------------------------------------- */

static const char sample[] = "; a comment\n"
                             "default = work\n"
                             "\n"
                             "[account work]\n"
                             "jid = alice@example.org\n"
                             "password_command = pass show 'xmpp/alice'\n"
                             "# kept\n"
                             "[account test]\n"
                             "jid=t@localhost ; not a part\n"
                             "host = [::1]:5222\n"
                             "tls = direct\n";

static void configuration_is_read(void **state)
{
    (void)state;
    app_config c;
    app_text why = {0};
    assert_int_equal(app_config_parse(&c, jab_cstr(sample), "f", &why), 0);
    assert_int_equal(c.n, 2);
    const app_account *work = app_config_account(&c, NULL);
    assert_string_equal(work->name, "work");
    assert_string_equal(work->password_command, "pass show 'xmpp/alice'");
    assert_null(work->host);
    const app_account *test = app_config_account(&c, "test");
    assert_string_equal(test->jid, "t@localhost");
    assert_string_equal(test->host, "[::1]:5222");
    assert_null(app_config_account(&c, "none"));
    app_config_free(&c);
}

static void assert_bad_configuration(const char *text, const char *words)
{
    app_config c;
    app_text why = {0};
    assert_int_equal(app_config_parse(&c, jab_cstr(text), "f", &why), -1);
    assert_string_equal(why.p, words);
    app_text_free(&why);
    app_config_free(&c);
}

static void mistakes_in_the_configuration_are_named(void **state)
{
    (void)state;
    app_text line = {0};
    assert_bad_configuration("[account a]\nhots = x\n",
                             "f:2: unknown key \"hots\"; did you mean \"host\"?");
    assert_bad_configuration("[account a]\njid = a@x\npassword = x\n",
                             "f:3: a password does not belong here; use password_file or "
                             "password_command");
    assert_bad_configuration("[account a]\ntls = maybe\n",
                             "f:2: tls = maybe: one of required|direct|off is wanted");
    assert_bad_configuration("[acount a]\njid = a@x\n",
                             "f:2: [acount a]: a section is called [account NAME]");
    assert_bad_configuration("[account a b]\njid = a@x\n",
                             "f:2: [account a b]: a section is called [account NAME]");
    assert_bad_configuration("jid = a@x\n", "f:1: unknown key \"jid\" outside of an account");
    assert_bad_configuration("[account a]\nnonsense\n", "f:2: not \"key = value\"");
    app_text_z(&line, "[account a]\njid = ");
    for (int i = 0; i < 200; i++)
        app_text_char(&line, 'x');
    assert_bad_configuration(line.p, "f:2: a line may have 198 bytes");
    app_text_free(&line);
}

static void editing_keeps_the_rest(void **state)
{
    (void)state;
    app_text out = {0}, back = {0}, why = {0};
    app_config c;
    app_account account = {.name = (char *)"new", .jid = (char *)"n@x", .pin = (char *)"00ff"};
    app_config_add(&out, jab_cstr(sample), &account);
    assert_int_equal(strncmp(out.p, sample, sizeof sample - 1), 0);
    assert_int_equal(app_config_parse(&c, app_text_str(&out), "f", &why), 0);
    assert_string_equal(app_config_account(&c, "new")->pin, "00ff");
    assert_string_equal(app_config_account(&c, NULL)->name, "work");
    app_config_free(&c);
    app_config_remove(&back, app_text_str(&out), "work");
    assert_non_null(strstr(back.p, "; a comment\n"));
    assert_null(strstr(back.p, "default"));
    assert_null(strstr(back.p, "alice"));
    assert_int_equal(app_config_parse(&c, app_text_str(&back), "f", &why), 0);
    assert_int_equal(c.n, 2);
    app_config_free(&c);
    app_text_free(&out);
    app_text_free(&back);
}

static void the_first_account_is_the_default(void **state)
{
    (void)state;
    app_text out = {0};
    app_account account = {.name = (char *)"one", .jid = (char *)"o@x"};
    app_config_add(&out, JAB_STR(""), &account);
    assert_string_equal(out.p, "default = one\n\n[account one]\njid = o@x\n");
    app_text_free(&out);
}

/* -- Files ------------------------------------------------------------------------------ */

static char folder[] = "/tmp/jabiru-unit-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

/* The path of a file in the folder, written with that content and mode. */
static char *file_with(const char *name, const char *content, mode_t mode)
{
    app_text path = {0};
    app_text_fmt(&path, "%s/%s", folder, name);
    assert_int_equal(app_file_replace(path.p, jab_cstr(content)), 0);
    assert_int_equal(chmod(path.p, mode), 0);
    return path.p;
}

static void drop(char *path)
{
    unlink(path);
    free(path);
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void files_are_replaced_whole(void **state)
{
    (void)state;
    struct stat st;
    char *path = file_with("sub", "one", 0600);
    app_text text = {0};
    assert_int_equal(app_file_replace(path, JAB_STR("second")), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(app_file_read(&text, path, 1), 0);
    assert_string_equal(text.p, "second");
    app_text_free(&text);
    drop(path);
}

/* -- Passwords ---------------------------------------------------------------------------- */

static app_secret_query query(void)
{
    return (app_secret_query){.fd = -1,
                              .account = "work",
                              .jid = "alice@example.org",
                              .no_input = 1,
                              .deadline = app_now() + 5000};
}

static void assert_secret(const app_secret_query *q, const char *wanted)
{
    app_secret secret = {.n = 0};
    assert_int_equal(app_secret_find(&secret, q), 0);
    assert_string_equal(secret.bytes, wanted);
    app_secret_wipe(&secret);
    assert_int_equal(secret.n, 0);
}

/* Each way is taken away in turn, and the next one speaks. */
static void passwords_in_their_order(void **state)
{
    (void)state;
    app_secret secret;
    app_secret_query q = query();
    char *file = file_with("pw", "from file\nsecond line\n", 0600);
    char *credential = file_with("jabiru.work", "from credentials", 0600);
    char *own = file_with("own", "from account file\r\n", 0600);
    char *netrc = file_with("netrc", "machine example.org login alice password from-netrc", 0600);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    setenv("JABIRU_PASSWORD", "from environment", 1);
    setenv("NETRC", netrc, 1);
    q.file = file;
    q.command = "printf 'from %s\\n' command";
    q.account_file = own;
    q.netrc = 1;
    assert_secret(&q, "from file");
    q.file = NULL;
    assert_secret(&q, "from credentials");
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_secret(&q, "from command");
    q.command = NULL;
    assert_secret(&q, "from account file");
    q.account_file = NULL;
    assert_secret(&q, "from environment");
    unsetenv("JABIRU_PASSWORD");
    assert_secret(&q, "from-netrc");
    q.netrc = 0;
    assert_int_equal(app_secret_find(&secret, &q), 2);
    unsetenv("NETRC");
    drop(file);
    drop(credential);
    drop(own);
    drop(netrc);
}

static void a_descriptor_gives_a_password(void **state)
{
    (void)state;
    app_secret_query q = query();
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "pass w\xc3\xb6rd\n", 11), 11);
    q.fd = ends[0];
    assert_secret(&q, "pass w\xc3\xb6rd"); /* the writer may stay open */
    close(ends[0]);
    close(ends[1]);
}

static void passwords_that_are_refused(void **state)
{
    (void)state;
    static const mode_t loose[] = {0640, 0604, 0620, 0644, 0660, 0666, 0610};
    app_secret secret;
    app_secret_query q = query();
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++) {
        char *file = file_with("pw", "secret", loose[i]);
        q.file = file;
        assert_int_equal(app_secret_find(&secret, &q), 2);
        drop(file);
    }
    char *empty = file_with("pw", "\nsecret\n", 0600);
    q.file = empty;
    assert_int_equal(app_secret_find(&secret, &q), 2);
    drop(empty);
    q.file = "/nonexistent/pw";
    assert_int_equal(app_secret_find(&secret, &q), 2);
}

static void commands_that_fail(void **state)
{
    (void)state;
    app_secret secret;
    app_secret_query q = query();
    q.command = "false";
    assert_int_equal(app_secret_find(&secret, &q), 2);
    q.command = "/nonexistent/command";
    assert_int_equal(app_secret_find(&secret, &q), 2);
    q.command = "'open quote";
    assert_int_equal(app_secret_find(&secret, &q), 2);
    q.command = "sleep 20";
    q.deadline = app_now() + 100;
    assert_int_equal(app_secret_find(&secret, &q), 7);
    assert_true(app_now() < q.deadline + 1000);
}

static void words_of_a_command(void **state)
{
    (void)state;
    char **words = app_words("  a 'b c' d\"e f\"g\th\\ i '' \"x\\\"y\" $HOME");
    static const char *const wanted[] = {"a", "b c", "de fg", "h i", "", "x\"y", "$HOME"};
    size_t n = sizeof wanted / sizeof wanted[0];
    for (size_t i = 0; i < n; i++)
        assert_string_equal(words[i], wanted[i]);
    assert_null(words[n]);
    free(words[0]);
    free(words);
    assert_null(app_words("   "));
    assert_null(app_words(""));
    assert_null(app_words("a \"b"));
}

static void netrc_entries(void **state)
{
    (void)state;
    static const char netrc[] = "machine other.org login alice password no\n"
                                "machine example.org\n\tlogin bob\n\tpassword bobs\n"
                                "machine example.org login alice@example.org password full\n"
                                "default login anyone password never\n";
    static const struct {
        const char *jid, *password;
    } rows[] = {{"bob@example.org", "bobs"},
                {"alice@example.org/home", "full"},
                {"alice@third.org", NULL},
                {"example.org", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        app_text found = {0};
        int result = app_netrc_find(&found, jab_cstr(netrc), rows[i].jid);
        assert_int_equal(result, rows[i].password != NULL);
        if (result)
            assert_string_equal(found.p, rows[i].password);
        app_text_free(&found);
    }
}

static void assert_changed(const char *text, const char *key, const char *value, const char *wanted)
{
    app_text out = {0};
    app_config_change(&out, jab_cstr(text), "work", key, value);
    assert_string_equal(app_text_str(&out).p, wanted);
    app_text_free(&out);
}

static void a_key_of_an_account_changes(void **state)
{
    static const char text[] = "default = work\n; a comment\n[account home]\nhost = h\n\n"
                               "[account work]\njid = a@x ; mine\nhost = one\n two\nhost = three\n"
                               "tls = direct\n[account last]\nhost = l";
    (void)state;
    assert_changed(text, "host", "new",
                   "default = work\n; a comment\n[account home]\nhost = h\n\n"
                   "[account work]\njid = a@x ; mine\nhost = new\n"
                   "tls = direct\n[account last]\nhost = l\n");
    assert_changed(text, "host", "",
                   "default = work\n; a comment\n[account home]\nhost = h\n\n"
                   "[account work]\njid = a@x ; mine\n"
                   "tls = direct\n[account last]\nhost = l\n");
    assert_changed("[account work]\njid = a@x", "proxy", "http://p:1",
                   "[account work]\nproxy = http://p:1\njid = a@x\n");
    assert_changed("[account work]\njid = a@x\n", "proxy", "", "[account work]\njid = a@x\n");
    assert_changed("[account other]\njid = a@x\n", "tls", "off", "[account other]\njid = a@x\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configuration_is_read),
        cmocka_unit_test(mistakes_in_the_configuration_are_named),
        cmocka_unit_test(editing_keeps_the_rest),
        cmocka_unit_test(the_first_account_is_the_default),
        cmocka_unit_test(files_are_replaced_whole),
        cmocka_unit_test(passwords_in_their_order),
        cmocka_unit_test(a_descriptor_gives_a_password),
        cmocka_unit_test(passwords_that_are_refused),
        cmocka_unit_test(commands_that_fail),
        cmocka_unit_test(words_of_a_command),
        cmocka_unit_test(netrc_entries),
        cmocka_unit_test(a_key_of_an_account_changes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
