/* test_store_file.c: the store in a file: who may open it, and what becomes of it when things fail.
 */
#include "unit_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ANN JAB_STR("ann@example.org")

typedef struct fixture {
    store_folder folder;
    char words[300];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    folder_make(&f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    folder_remove(&f->folder);
    free(f);
    return 0;
}

static int open_as(fixture *f, jab_store **st, int read_only)
{
    memset(f->words, '?', sizeof f->words);
    return jab_store_open(st, JAB_STORE_FILE(.path = f->folder.path, .read_only = read_only,
                                             .words = f->words, .words_size = sizeof f->words));
}

static jab_store *open_again(fixture *f)
{
    jab_store *st;
    assert_int_equal(open_as(f, &st, 0), 0);
    return st;
}

static void commit(jab_store *st)
{
    assert_int_equal(st->table->commit(st), 0);
}

static void name_of(const fixture *f, const char *suffix, char *out, size_t n)
{
    snprintf(out, n, "%s%s", f->folder.path, suffix);
}

#define assert_says(f, part) assert_non_null(strstr((f)->words, part))

/* Does something in another process, which then is gone, without a word. */
static void in_another_process(fixture *f, void (*what)(fixture *f))
{
    pid_t pid = fork();
    if (pid == 0) {
        what(f);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* -- Who may open it -------------------------------------------------------------- */

static void assert_owner_only(const fixture *f, const char *suffix)
{
    char name[200];
    struct stat is;
    name_of(f, suffix, name, sizeof name);
    assert_int_equal(stat(name, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
}

static void only_the_owner_reads_it(void **state)
{
    fixture *f = *state;
    mode_t mask = umask(0);
    jab_store *st = open_again(f);
    add_body(st, "ann@example.org", 1, "one");
    commit(st);
    assert_owner_only(f, "");
    assert_owner_only(f, "-wal");
    assert_owner_only(f, "-shm");
    assert_owner_only(f, ".lock");
    jab_store_free(st);
    assert_int_equal(chmod(f->folder.path, 0644), 0);
    jab_store_free(open_again(f));
    assert_owner_only(f, "");
    umask(mask);
}

static void links_are_not_followed(void **state)
{
    fixture *f = *state;
    char other[200];
    name_of(f, ".other", other, sizeof other);
    close(open(other, O_CREAT | O_WRONLY, 0644));
    assert_int_equal(symlink(other, f->folder.path), 0);
    jab_store *st;
    assert_int_equal(open_as(f, &st, 0), JAB_ESTORE);
    assert_null(st);
    assert_says(f, "not a plain file");
}

static void a_second_process_is_told_of_the_first(void **state)
{
    fixture *f = *state;
    jab_store *st = open_again(f), *second;
    assert_int_equal(open_as(f, &second, 0), JAB_ELOCKED);
    assert_null(second);
    char pid[32];
    snprintf(pid, sizeof pid, "(%ld)", (long)getpid());
    assert_says(f, pid);
    assert_says(f, f->folder.path);
    jab_store_free(st);
    assert_int_equal(open_as(f, &second, 0), 0);
    jab_store_free(second);
}

static void cannot_open(fixture *f)
{
    jab_store *st;
    if (open_as(f, &st, 0) != JAB_ELOCKED)
        _exit(1);
}

static void the_lock_holds_against_another_process(void **state)
{
    fixture *f = *state;
    jab_store *st = open_again(f);
    in_another_process(f, cannot_open);
    jab_store_free(st);
}

static void what_cannot_be_opened_says_why(void **state)
{
    fixture *f = *state;
    jab_store *st;
    assert_int_equal(open_as(f, &st, 1), JAB_ESTORE);
    assert_says(f, "no such file");
    assert_int_equal(jab_store_open(&st, JAB_STORE_FILE(.path = "")), JAB_EINVAL);
    assert_int_equal(jab_store_open(&st, JAB_STORE_FILE(.read_only = 0)), JAB_EINVAL);
    assert_int_equal(mkdir(f->folder.path, 0700), 0);
    assert_int_equal(open_as(f, &st, 0), JAB_ESTORE);
    assert_says(f, "not a plain file");
    rmdir(f->folder.path);
    strncat(f->folder.path, "/nowhere/x.db", 20);
    assert_int_equal(open_as(f, &st, 0), JAB_ESTORE);
    assert_says(f, "no such f");
}

/* -- Reading beside a writer ------------------------------------------------------ */

static void a_reader_sees_what_a_writer_committed(void **state)
{
    fixture *f = *state;
    jab_store *st = open_again(f), *reader;
    add_body(st, "ann@example.org", 1000, "one");
    commit(st);
    assert_int_equal(open_as(f, &reader, 1), 0);
    assert_string_equal(f->words, "");
    add_body(st, "ann@example.org", 2000, "two");
    assert_read(reader, "one ", .conversation = ANN);
    commit(st);
    assert_read(reader, "two one ", .conversation = ANN);
    assert_found(reader, "two ", .words = JAB_STR("two"));
    assert_int_equal(reader->table->put(reader, "x", ANN, ANN), JAB_ESTORE);
    assert_non_null(strstr(jab_store_error(reader).p, "reading only"));
    reader->table->rollback(reader);
    assert_read(reader, "two one ", .conversation = ANN);
    jab_store_free(st);
    assert_read(reader, "two one ", .conversation = ANN);
    jab_store_free(reader);
    assert_read(st = open_again(f), "two one ", .conversation = ANN);
    jab_store_free(st);
}

/* -- Ends that were not clean ------------------------------------------------------ */

static void dies_writing(fixture *f)
{
    jab_store *st = open_again(f);
    add_body(st, "ann@example.org", 1000, "committed");
    commit(st);
    add_body(st, "ann@example.org", 2000, "not committed");
}

static void what_was_committed_survives_the_process(void **state)
{
    fixture *f = *state;
    in_another_process(f, dies_writing);
    jab_store *st = open_again(f);
    assert_string_equal(f->words, "");
    assert_read(st, "committed ", .conversation = ANN);
    assert_found(st, "committed ", .words = JAB_STR("committed"));
    jab_store_free(st);
}

static void fill(jab_store *st, int n)
{
    for (int i = 0; i < n; i++)
        add_body(st, "ann@example.org", i + 1, "some words to fill the pages of the file with");
    commit(st);
}

static void dies_filled(fixture *f)
{
    jab_store *st = open_again(f);
    fill(st, 2000);
    sqlite3 *db;
    sqlite3_stmt *s;
    /* Into the file with it: what is damaged is to be there, not in the log. */
    if (sqlite3_open(f->folder.path, &db) ||
        sqlite3_prepare_v2(db, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &s, NULL) ||
        sqlite3_step(s) != SQLITE_ROW)
        _exit(1);
}

static void overwrite(const fixture *f, off_t at, size_t n)
{
    int fd = open(f->folder.path, O_WRONLY);
    static const char junk[65536] = {1, 2, 3};
    assert_true(n <= sizeof junk);
    assert_int_equal(pwrite(fd, junk, n, at), n);
    close(fd);
}

static int count_damaged(const fixture *f)
{
    int n = 0;
    DIR *d = opendir(f->folder.name);
    for (struct dirent *e; (e = readdir(d));)
        n += strncmp(e->d_name, "s.db.damaged-2", 14) == 0 && !strstr(e->d_name, "-wal");
    closedir(d);
    return n;
}

static void assert_begun_anew(fixture *f, int damaged)
{
    jab_store *st = open_again(f);
    assert_says(f, "damaged");
    assert_says(f, ".damaged-2");
    assert_int_equal(count_damaged(f), damaged);
    assert_read(st, "", .conversation = ANN);
    assert_string_equal(jab_store_error(st).p, "");
    fill(st, 1);
    jab_store_free(st);
    jab_store_free(open_again(f));
    assert_string_equal(f->words, "");
    assert_owner_only(f, "");
}

static void a_damaged_file_is_set_aside(void **state)
{
    fixture *f = *state;
    in_another_process(f, dies_filled);
    overwrite(f, 0, 100); /* not a database any more */
    assert_begun_anew(f, 1);
    in_another_process(f, dies_filled);
    overwrite(f, 100, 40); /* the schema */
    assert_begun_anew(f, 2);
    in_another_process(f, dies_filled);
    overwrite(f, 40960, 65536); /* somewhere in the middle */
    assert_begun_anew(f, 3);
    in_another_process(f, dies_filled);
    assert_int_equal(truncate(f->folder.path, 40000), 0);
    assert_begun_anew(f, 4);
}

static void damage_that_is_met_later_is_told(void **state)
{
    fixture *f = *state;
    jab_store *st = open_again(f);
    fill(st, 2000);
    jab_store_free(st);
    for (off_t at = 98304; at < 98304 + 65536 * 4; at += 65536)
        overwrite(f, at, 65536);
    st = open_again(f); /* the last end was clean: nobody looks */
    store_got g = {.stop_after = -1};
    int n = 0;
    for (int i = 1; n >= 0 && i < 2000; i++) {
        g.n = 0;
        n = jab_store_read(st, JAB_KEPT_QUERY(.key = i), got_body, &g);
    }
    assert_int_equal(n, JAB_ESTORE);
    assert_non_null(strstr(jab_store_error(st).p, "opened again"));
    jab_store_free(st);
    assert_begun_anew(f, 1);
}

static void sql(const fixture *f, const char *text)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->folder.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void the_index_of_words_is_made_again(void **state)
{
    fixture *f = *state;
    in_another_process(f, dies_filled);
    sql(f, "DELETE FROM words_data WHERE id > 10");
    jab_store *st = open_again(f);
    assert_string_equal(f->words, "");
    store_got g = {.stop_after = 1};
    assert_int_equal(jab_store_search(st, JAB_KEPT_QUERY(.words = JAB_STR("fill")), got_body, &g),
                     1);
    jab_store_free(st);
}

/* -- Formats ---------------------------------------------------------------------- */

/* As version 1 had it, which knew no search. */
static const char version_1[] =
    "DROP TABLE words; DROP TABLE IF EXISTS later; PRAGMA user_version = 1";

static void each_older_format_is_brought_up_to_date(void **state)
{
    fixture *f = *state;
    jab_store *st = open_again(f);
    int64_t key = add_body(st, "ann@example.org", 1000, "Fr\xc3\xa4ulein Smilla");
    assert_int_equal(st->table->put(st, "x", ANN, JAB_STR("1")), 0);
    commit(st);
    jab_store_free(st);
    sql(f, version_1);
    jab_store *reader;
    assert_int_equal(open_as(f, &reader, 1), JAB_ESTORE);
    assert_says(f, "older version");
    st = open_again(f);
    assert_found(st, "Fr\xc3\xa4ulein Smilla ", .words = JAB_STR("fraul"), .conversation = ANN);
    assert_bodies(g, st->table->get(st, "x", ANN, got_value, &g), "ann@example.org=1 ");
    assert_int_equal(st->table->remove(st, key), 0);
    assert_true(add_body(st, "ann@example.org", 1000, "other") > key);
    assert_found(st, "", .words = JAB_STR("fraul"));
    commit(st);
    jab_store_free(st);
}

static void a_newer_format_is_refused(void **state)
{
    fixture *f = *state;
    jab_store *st = open_again(f);
    jab_store_free(st);
    sql(f, "PRAGMA user_version = 99");
    assert_int_equal(open_as(f, &st, 0), JAB_ESTORE);
    assert_says(f, "newer version");
    assert_int_equal(count_damaged(f), 0);
    assert_int_equal(open_as(f, &st, 1), JAB_ESTORE);
    assert_says(f, "newer version");
}

static void databases_of_others_are_left_alone(void **state)
{
    fixture *f = *state;
    sql(f, "CREATE TABLE bookmarks(x)");
    jab_store *st;
    assert_int_equal(open_as(f, &st, 0), JAB_ESTORE);
    assert_says(f, "another program");
    sql(f, "INSERT INTO bookmarks VALUES(1)");
}

/* -- Out of memory, out of disk ------------------------------------------------------ */

/* What a session does: everything once. 0, or the first error. */
static int work(jab_store *st)
{
    jab_kept_message m = {
        .rank = 1, .stamp = 1, .conversation = ANN, .body = JAB_STR("some words")};
    int64_t key;
    store_got g = {.n = 0};
    int err = st->table->put(st, "x", ANN, ANN);
    if (err == 0)
        err = st->table->add(st, &m, &key);
    if (err == 0)
        err = st->table->change(st, key, JAB_KEPT_CHANGE(.rank = 2, .stamp = 3));
    if (err == 0)
        err = jab_store_search(st, JAB_KEPT_QUERY(.words = JAB_STR("wor")), got_body, &g);
    if (err > 0)
        err = jab_store_read(st, JAB_KEPT_QUERY(.conversation = ANN), got_body, &g);
    return err < 0 ? err : st->table->commit(st);
}

static void fail_each_allocation(fixture *f, int file)
{
    int err = -1;
    for (size_t at = 1; err < 0; at++) {
        unit_mem u;
        jab_store *st;
        unit_mem_init(&u, at);
        err = file ? jab_store_open(&st, JAB_STORE_FILE(.path = f->folder.path, .mem = &u.mem))
                   : jab_store_memory(&st, &u.mem);
        if (err == 0) {
            err = work(st);
            st->table->rollback(st);
            u.fail_at = 0;
            assert_int_equal(work(st), 0);
            assert_true(err == 0 || jab_store_error(st).n > 0);
        }
        assert_true(err == 0 || err == JAB_ENOMEM);
        jab_store_free(st);
        assert_int_equal(u.live, 0);
        assert_true(at < 200);
    }
}

static void every_allocation_may_fail(void **state)
{
    fail_each_allocation(*state, 0);
    fail_each_allocation(*state, 1);
}

/* Files may not grow beyond this; to a write that is as a full disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void there_is_room_again(void **state)
{
    fixture *f = *state;
    jab_store *st = open_again(f);
    signal(SIGXFSZ, SIG_IGN);
    fill(st, 50);
    limit_files(200000);
    int err = 0;
    int64_t added = 0, key;
    jab_kept_message m = {.rank = 1000, .conversation = ANN, .body = JAB_STR("more")};
    while (err == 0 && added < 5000) {
        m.rank++;
        err = st->table->add(st, &m, &key);
        if (err == 0)
            err = st->table->commit(st);
        added += err == 0;
    }
    assert_int_equal(err, JAB_ESTORE);
    assert_non_null(strstr(jab_store_error(st).p, f->folder.path));
    st->table->rollback(st);
    limit_files(RLIM_INFINITY);
    assert_int_equal(st->table->add(st, &m, &key), 0);
    commit(st);
    jab_store_free(st);
    store_got g = {.n = 0};
    st = open_again(f);
    assert_string_equal(f->words, "");
    assert_int_equal(
        jab_store_read(st, JAB_KEPT_QUERY(.conversation = ANN, .after = 1000, .limit = 9999),
                       got_body, &g),
        added + 1);
    jab_store_free(st);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(only_the_owner_reads_it),
        TEST(links_are_not_followed),
        TEST(a_second_process_is_told_of_the_first),
        TEST(the_lock_holds_against_another_process),
        TEST(what_cannot_be_opened_says_why),
        TEST(a_reader_sees_what_a_writer_committed),
        TEST(what_was_committed_survives_the_process),
        TEST(a_damaged_file_is_set_aside),
        TEST(damage_that_is_met_later_is_told),
        TEST(the_index_of_words_is_made_again),
        TEST(each_older_format_is_brought_up_to_date),
        TEST(a_newer_format_is_refused),
        TEST(databases_of_others_are_left_alone),
        TEST(every_allocation_may_fail),
        TEST(there_is_room_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
