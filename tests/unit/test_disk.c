/* test_disk.c: the disk that fails, by SQLite alone: it loses what was not synced, and only that.
 */
#include <sqlite3.h>
#include <stdio.h>

#include "sim/disk.h"
#include "unit.h"

#define PATH    "/folder/x.db"
#define COMMITS 12

/* One run: a counter and rows beside it, which belong together. */
typedef struct run {
    disk *d;
    sqlite3 *db;
    int committed; /* as SQLite said */
} run;

static int open_db(run *r, const char *journal, const char *sync)
{
    char sql[120];
    snprintf(sql, sizeof sql,
             "PRAGMA page_size=1024; PRAGMA synchronous=%s; PRAGMA journal_mode=%s", sync, journal);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(PATH, &r->db, flags, "disk");
    return rc != SQLITE_OK ? rc : sqlite3_exec(r->db, sql, NULL, NULL, NULL);
}

static void close_db(run *r)
{
    sqlite3_close(r->db);
    r->db = NULL;
}

/* The first value of the first row; -1: it could not be had. */
static int ask(run *r, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int value = -1;
    if (sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        value = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return value;
}

static int make_schema(run *r)
{
    return sqlite3_exec(r->db,
                        "BEGIN; CREATE TABLE counter (n); INSERT INTO counter VALUES (0);"
                        "CREATE TABLE rows (n INTEGER, bytes BLOB); COMMIT",
                        NULL, NULL, NULL);
}

static int commit_one(run *r, int n)
{
    char sql[240];
    snprintf(sql, sizeof sql,
             "BEGIN; UPDATE counter SET n = %d;"
             "WITH RECURSIVE c(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM c WHERE i < %d)"
             "INSERT INTO rows SELECT %d, zeroblob(%d) FROM c; COMMIT",
             n, n % 4, n, 100 + n * 137);
    int rc = sqlite3_exec(r->db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

static void work(run *r)
{
    for (int n = 1; n <= COMMITS; n++) {
        if (commit_one(r, n) != SQLITE_OK)
            return;
        r->committed = n;
        if (n == COMMITS / 2)
            sqlite3_exec(r->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    }
}

static void start(run *r, uint64_t seed, const char *journal, const char *sync)
{
    *r = (run){disk_new(seed), NULL, 0};
    assert_non_null(r->d);
    assert_int_equal(disk_register(r->d, "disk"), 0);
    assert_int_equal(open_db(r, journal, sync), SQLITE_OK);
    assert_int_equal(make_schema(r), SQLITE_OK);
}

static void end(run *r)
{
    close_db(r);
    disk_free(r->d);
}

/* Whether the file is sound and has what was committed, or the one commit more that was under way.
 */
static int is_sound(run *r)
{
    int n = ask(r, "SELECT n FROM counter");
    return ask(r, "SELECT count(*) FROM pragma_quick_check WHERE quick_check = 'ok'") == 1 &&
           (n == r->committed || n == r->committed + 1) &&
           ask(r, "SELECT ifnull(max(n), 0) FROM rows") == n &&
           ask(r, "SELECT count(DISTINCT n) FROM rows") == n;
}

/* Power goes at the nth operation; 1 when all is well after it, -1 when the work was done before.
 */
static int lose_power_at(uint64_t seed, uint64_t nth, const char *journal, const char *sync)
{
    run r;
    start(&r, seed, journal, sync);
    disk_fail_at(r.d, DISK_POWER, DISK_ANY, nth, DISK_LASTING);
    work(&r);
    close_db(&r);
    int ended = !disk_has_failed(r.d);
    assert_int_equal(disk_power_cycle(r.d), 0);
    int sound = open_db(&r, journal, sync) == SQLITE_OK && is_sound(&r);
    end(&r);
    return ended ? -1 : sound;
}

static int spoilt_by_power(uint64_t seed, const char *journal, const char *sync)
{
    int spoilt = 0, sound;
    for (uint64_t nth = 1; (sound = lose_power_at(seed, nth, journal, sync)) >= 0; nth++)
        spoilt += !sound;
    return spoilt;
}

static void what_was_synced_survives(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2; seed++) {
        assert_int_equal(spoilt_by_power(seed, "WAL", "EXTRA"), 0);
        assert_int_equal(spoilt_by_power(seed, "DELETE", "EXTRA"), 0);
    }
}

/* SQLite syncs the folder behind a journal's deletion only with EXTRA; with FULL, the journal may
 * come back, and undo what was committed. So it is on disks that promise no more than POSIX. */
static void what_was_deleted_may_come_back(void **state)
{
    (void)state;
    assert_true(spoilt_by_power(1, "DELETE", "FULL") > 0);
}

/* Without syncing the same work does not survive: the disk is not kinder than real ones. */
static void what_was_not_synced_is_spoilt(void **state)
{
    (void)state;
    assert_true(spoilt_by_power(1, "WAL", "OFF") > 10);
    assert_true(spoilt_by_power(1, "DELETE", "OFF") > 10);
}

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    uint64_t operations[2];
    for (int i = 0; i < 2; i++) {
        run r;
        start(&r, 7, "WAL", "EXTRA");
        disk_fail_at(r.d, DISK_POWER, DISK_ANY, 100, DISK_LASTING);
        work(&r);
        close_db(&r);
        disk_power_cycle(r.d);
        assert_int_equal(open_db(&r, "WAL", "EXTRA"), SQLITE_OK);
        assert_true(is_sound(&r));
        operations[i] = disk_operations(r.d, DISK_ANY) * 100 + (uint64_t)r.committed;
        end(&r);
    }
    assert_int_equal(operations[0], operations[1]);
}

/* A fault that strikes once or for good: words of its kind, and work goes on when it is over. */
static void fail_and_go_on(disk_fault fault, unsigned kinds, int first, uint64_t times,
                           int expected)
{
    for (uint64_t nth = 1;; nth++) {
        run r;
        start(&r, nth, "WAL", "EXTRA");
        disk_fail_at(r.d, fault, kinds, nth, times);
        int failed = 0;
        for (int n = 1; n <= COMMITS && !failed; n++) {
            failed = commit_one(&r, n);
            r.committed += !failed;
        }
        if (!failed) {
            assert_true(nth > 1);
            end(&r);
            return;
        }
        assert_int_equal(failed & 0xff, expected);
        if (times == DISK_LASTING && first)
            assert_int_not_equal(commit_one(&r, r.committed + 1), SQLITE_OK);
        disk_heal(r.d);
        assert_int_equal(ask(&r, "SELECT n FROM counter"), r.committed);
        assert_int_equal(commit_one(&r, ++r.committed), SQLITE_OK);
        assert_true(is_sound(&r));
        end(&r);
    }
}

static void a_full_disk_is_one_until_there_is_room(void **state)
{
    (void)state;
    fail_and_go_on(DISK_FULL, DISK_WRITES, 1, DISK_LASTING, SQLITE_FULL);
}

static void errors_pass(void **state)
{
    (void)state;
    fail_and_go_on(DISK_ERROR, DISK_WRITES, 0, 1, SQLITE_IOERR);
    fail_and_go_on(DISK_ERROR, DISK_SYNCS, 0, 1, SQLITE_IOERR);
}

static void rot_is_seen(void **state)
{
    (void)state;
    run r;
    start(&r, 3, "DELETE", "EXTRA");
    work(&r);
    close_db(&r);
    assert_int_equal(disk_rot(r.d, PATH, 1024, 1 << 30), -1);
    assert_int_equal(disk_rot(r.d, PATH, 1024, 1024), 0);
    open_db(&r, "DELETE", "EXTRA");
    assert_false(is_sound(&r));
    end(&r);
}

static void a_copy_has_the_files_and_its_own_life(void **state)
{
    (void)state;
    run r;
    start(&r, 3, "DELETE", "EXTRA");
    work(&r);
    close_db(&r);
    run other = {disk_copy(r.d, 4), NULL, COMMITS};
    assert_int_equal(disk_length(other.d, PATH), disk_length(r.d, PATH));
    assert_string_equal(disk_name(other.d, 0), PATH);
    assert_null(disk_name(other.d, 1));
    disk_unregister(r.d);
    assert_int_equal(disk_register(other.d, "disk"), 0);
    assert_int_equal(open_db(&other, "DELETE", "EXTRA"), SQLITE_OK);
    assert_true(is_sound(&other));
    assert_int_equal(commit_one(&other, COMMITS + 1), SQLITE_OK);
    assert_true(disk_length(other.d, PATH) > disk_length(r.d, PATH));
    end(&other);
    disk_free(r.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_survives),
        cmocka_unit_test(what_was_deleted_may_come_back),
        cmocka_unit_test(what_was_not_synced_is_spoilt),
        cmocka_unit_test(the_same_seed_is_the_same_run),
        cmocka_unit_test(a_full_disk_is_one_until_there_is_room),
        cmocka_unit_test(errors_pass),
        cmocka_unit_test(rot_is_seen),
        cmocka_unit_test(a_copy_has_the_files_and_its_own_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
