/* test_app_data.c: where messages are kept, and points in time as people write them. */
#include "unit.h"

#include "data.h"
#include "file.h"
#include "when.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/jabiru-data-XXXXXX");
    setenv("TZ", "UTC", 1);
    tzset();
    return mkdtemp(folder) ? setenv("XDG_DATA_HOME", folder, 1) : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {
        "jabiru/a@x.db",      "jabiru/a@x.db-wal", "jabiru/a@x.db-shm",    "jabiru/a@x.db-lock",
        "jabiru/a@x.db.lock", "jabiru/a@x.vault",  "jabiru/a@x.vault.lock"};
    app_text path = {0};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        app_text_clear(&path);
        app_text_fmt(&path, "%s/%s", folder, names[i]);
        unlink(path.p);
    }
    app_text_clear(&path);
    app_text_fmt(&path, "%s/jabiru", folder);
    rmdir(path.p);
    app_text_free(&path);
    return rmdir(folder);
}

static void assert_path(jab_str bare, const char *tail)
{
    app_text wanted = {0};
    app_text_fmt(&wanted, "%s/jabiru/%s", folder, tail);
    char *path = app_data_path(bare, ".db");
    assert_string_equal(path, wanted.p);
    free(path);
    app_text_free(&wanted);
}

static void addresses_as_names_of_files(void **state)
{
    (void)state;
    assert_path(JAB_STR("alice@example.org"), "alice@example.org.db");
    assert_path(JAB_STR("a+b_c-d@[::1]"), "a+b_c-d@%5B%3A%3A1%5D.db");
    assert_path(JAB_STR(".@x"), "%2E@x.db");
    assert_path(JAB_STR("a%2f*@x"), "a%252f%2A@x.db");
    assert_path(JAB_STR("\u0436@x"), "%D0%B6@x.db");
}

static void long_addresses_differ(void **state)
{
    (void)state;
    char text[900];
    memset(text, 'a', sizeof text);
    char *one = app_data_path((jab_str){text, sizeof text}, ".db");
    text[sizeof text - 1] = 'b';
    char *other = app_data_path((jab_str){text, sizeof text}, ".db");
    assert_string_not_equal(one, other);
    assert_true(strlen(strrchr(one, '/')) < 220);
    free(one);
    free(other);
}

static void a_store_is_private_and_for_one(void **state)
{
    (void)state;
    jab_store *first, *second;
    struct stat st;
    app_text path = {0};
    assert_int_equal(app_data_open(&first, JAB_STR("a@x"), APP_DATA_LOOK), 0);
    assert_null(first); /* looking makes no file */
    assert_int_equal(app_data_open(&first, JAB_STR("a@x"), APP_DATA_KEEP), 0);
    assert_non_null(first);
    app_text_fmt(&path, "%s/jabiru", folder);
    assert_int_equal(stat(path.p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    app_text_z(&path, "/a@x.db");
    assert_int_equal(stat(path.p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(app_data_open(&second, JAB_STR("a@x"), APP_DATA_KEEP), JAB_ELOCKED);
    assert_null(second);
    assert_int_equal(app_data_open(&second, JAB_STR("a@x"), APP_DATA_LOOK), 0);
    assert_non_null(second);
    jab_store_free(second);
    jab_store_free(first);
    app_text_free(&path);
}

static void no_home_no_store(void **state)
{
    (void)state;
    jab_store *store;
    unsetenv("XDG_DATA_HOME");
    unsetenv("HOME");
    assert_int_equal(app_data_open(&store, JAB_STR("a@x"), APP_DATA_KEEP), JAB_ESTORE);
    assert_null(store);
    setenv("XDG_DATA_HOME", "/proc/nothing/here", 1);
    assert_int_equal(app_data_open(&store, JAB_STR("a@x"), APP_DATA_KEEP), JAB_ESTORE);
    setenv("XDG_DATA_HOME", folder, 1);
}

static void points_in_time(void **state)
{
    (void)state;
    const int64_t now = INT64_C(1793627000000);
    static const struct {
        const char *text;
        int64_t ms, ago;
    } rows[] = {
        {"2d", 0, 2 * 86400000LL},
        {"12h", 0, 12 * 3600000LL},
        {"30m", 0, 1800000},
        {"90s", 0, 90000},
        {"2026-11-02", INT64_C(1793577600000), 0},
        {"2026-11-02 14:03", INT64_C(1793628180000), 0},
        {"2026-11-02T14:03:05", INT64_C(1793628185000), 0},
        {"2026-11-02T14:03:05Z", INT64_C(1793628185000), 0},
        {"2026-11-02T14:03:05+02:00", INT64_C(1793620985000), 0},
    };
    static const char *const bad[] = {"",           "2",       "yesterday",         "2x",
                                      "2026-02-31", "2026-13", "2026-11-02 14:03x", "-2d"};
    int64_t ms;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(app_when_parse(rows[i].text, now, &ms), 0);
        assert_true(ms == (rows[i].ago ? now - rows[i].ago : rows[i].ms));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(app_when_parse(bad[i], now, &ms), -1);
}

static void a_vault_is_beside_the_database(void **state)
{
    jab_vault *v, *other;
    (void)state;
    assert_int_equal(app_vault_open(&v, JAB_STR("a@x"), NULL), 0);
    assert_int_equal(v->save(v->arg, JAB_STR("a@x"), JAB_STR("floor")), 0);
    assert_int_equal(app_vault_open(&other, JAB_STR("a@x"), NULL), 0); /* both run */
    jab_vault_free(other);
    jab_vault_free(v);
    char *path = app_data_path(JAB_STR("a@x"), ".vault");
    assert_int_equal(access(path, F_OK), 0);
    free(path);
}

/* It is no reason to log in as if there had been none; only the user's word puts it aside. */
static void a_vault_that_cannot_be_believed_stays(void **state)
{
    jab_vault *v;
    int is_unusable = 0;
    app_text name = {0};
    char *path = app_data_path(JAB_STR("a@x"), ".vault");
    (void)state;
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(app_vault_open(&v, JAB_STR("a@x"), NULL), 9);
    assert_null(v);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(app_vault_open(&v, JAB_STR("a@x"), &is_unusable), 0);
    assert_null(v);
    assert_int_equal(is_unusable, 1);
    assert_int_equal(app_vault_set_aside(JAB_STR("a@x"), &name), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_non_null(strstr(name.p, "/a@x.vault.damaged-2"));
    assert_int_equal(unlink(name.p), 0); /* nothing was deleted before */
    assert_int_equal(app_vault_set_aside(JAB_STR("a@x"), &name), 9);
    app_text_free(&name);
    free(path);
}

static void no_place_for_a_vault(void **state)
{
    jab_vault *v;
    int is_unusable = 0;
    (void)state;
    setenv("XDG_DATA_HOME", "/proc/nothing/here", 1);
    assert_int_equal(app_vault_open(&v, JAB_STR("a@x"), &is_unusable), 9);
    assert_null(v);
    assert_int_equal(is_unusable, 0);
    setenv("XDG_DATA_HOME", folder, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_as_names_of_files),
        cmocka_unit_test(long_addresses_differ),
        cmocka_unit_test(a_store_is_private_and_for_one),
        cmocka_unit_test(a_vault_is_beside_the_database),
        cmocka_unit_test(a_vault_that_cannot_be_believed_stays),
        cmocka_unit_test(no_place_for_a_vault),
        cmocka_unit_test(no_home_no_store),
        cmocka_unit_test(points_in_time),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
