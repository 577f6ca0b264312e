/*
 * test_disk_store.c: the store in a file on a disk that fails: nothing that was committed is lost,
 * nothing that was rolled back is there, and work goes on when the disk does.
 *
 * It is built twice: with sanitizers, and, for many more points, without.
 * DISK_POINTS=n loses power at about n points.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "disk_work.h"

#define STEPS 32
#define BASE  30 /* steps that a store has behind it, when it is not new */

#ifndef POINTS
#define POINTS 250
#define SEEDS  2
#endif

/* -- A run ------------------------------------------------------------------------------- */

/* A disk on which a store has been at work before, and what is in it. */
typedef struct base {
    disk *d;
    work_model model;
    int versions;
} base;

static void work_on(work *w, disk *d, uint64_t seed)
{
    *w = (work){.d = d, .path = WORK_PATH, .vfs = WORK_VFS, .rng = {seed}};
    assert_non_null(d);
    assert_int_equal(disk_register(d, WORK_VFS), 0);
}

static int make_base(void **state)
{
    static base made;
    work w;
    work_on(&w, disk_new(1), 1);
    assert_int_equal(work_open(&w), 0);
    assert_int_equal(work_steps(&w, BASE), 0);
    work_close(&w);
    disk_unregister(w.d);
    made = (base){w.d, w.committed, w.versions};
    *state = &made;
    return 0;
}

static int free_base(void **state)
{
    disk_free(((base *)*state)->d);
    return 0;
}

/* Every fourth seed begins with an empty disk. */
static void start(work *w, const base *from, uint64_t seed)
{
    if (seed % 4 == 0) {
        work_on(w, disk_new(seed), seed);
        return;
    }
    work_on(w, disk_copy(from->d, seed), seed);
    w->now = w->committed = w->doubt = from->model;
    w->versions = from->versions;
}

/* Opens, works, closes and opens again in between: 0, or what failed first. */
static int run(work *w)
{
    for (int i = 0; i < 2; i++) {
        if (w->st)
            work_close(w);
        int rc = work_open(w);
        if (rc == 0)
            rc = work_steps(w, STEPS / 2);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int is_aside(const disk *d)
{
    const char *name;
    for (size_t i = 0; (name = disk_name(d, i)); i++)
        if (strstr(name, "damaged"))
            return 1;
    return 0;
}

static void check_pages(void)
{
    sqlite3 *db;
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_open_v2(WORK_PATH, &db, SQLITE_OPEN_READWRITE, WORK_VFS), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
    sqlite3_finalize(st);
    sqlite3_close(db);
}

/* The disk is well again: the store is whole, goes on, and is whole after another opening. */
static void goes_on(work *w)
{
    assert_true(work_same(w->st, &w->committed));
    assert_int_equal(work_steps(w, 6), 0);
    assert_true(work_same(w->st, &w->committed));
    work_close(w);
    check_pages();
    assert_int_equal(work_open(w), 0);
    assert_string_equal(w->words, "");
    assert_true(work_same(w->st, &w->committed));
    work_close(w);
    assert_false(is_aside(w->d));
}

static void end(work *w)
{
    work_close(w);
    disk_free(w->d);
}

/* A program can tell its user what is wrong, and it is not said of a file that is whole that it
 * is damaged. */
static void says(const work *w, int rc, const char *word)
{
    assert_int_equal(rc, JAB_ESTORE);
    jab_str words = work_error(w);
    assert_true(words.n > 0);
    assert_null(strstr(words.p, "damaged"));
    if (word)
        assert_non_null(strstr(words.p, word));
}

/* -- Loss of power -------------------------------------------------------------------------- */

/* What was there after power came back is what goes on from here. */
static void take_what_is_there(work *w)
{
    if (!work_same(w->st, &w->committed)) {
        assert_true(work_same(w->st, &w->doubt));
        w->committed = w->doubt;
    }
    w->now = w->committed;
}

/* 0 when the work was done before anything failed. */
static int lose_power(const base *from, uint64_t seed, disk_fault fault, unsigned kinds,
                      uint64_t nth)
{
    work w;
    start(&w, from, seed);
    disk_fail_at(w.d, fault, kinds, nth, DISK_LASTING);
    int rc = run(&w);
    int failed = disk_has_failed(w.d);
    if (rc < 0)
        says(&w, rc, NULL);
    work_close(&w);
    if (failed) {
        assert_int_equal(disk_power_cycle(w.d), 0);
        assert_int_equal(work_open(&w), 0);
        assert_string_equal(w.words, "");
        take_what_is_there(&w);
        goes_on(&w);
    }
    end(&w);
    return failed;
}

static void power_may_go_at_any_moment(void **state)
{
    const char *text = getenv("DISK_POINTS");
    long points = text ? strtol(text, NULL, 10) : POINTS;
    for (uint64_t seed = 0; points > 0; seed++)
        for (uint64_t nth = 1; lose_power(*state, seed, DISK_POWER, DISK_ANY, nth); nth++)
            points--;
}

/* Nothing that was to be synced is known to be on the disk, and then power goes, too. */
static void power_may_go_after_syncs_have_failed(void **state)
{
    for (uint64_t seed = 0; seed < 4 * SEEDS; seed++)
        for (uint64_t nth = 1; lose_power(*state, seed, DISK_ERROR, DISK_SYNCS, nth); nth++)
            continue;
}

/* -- A full disk ------------------------------------------------------------------------------- */

/* As long as the disk is full, it says so, and what was committed can be read. */
static void stays_full(work *w)
{
    for (int i = 0; i < 3; i++) {
        assert_true(work_same(w->st, &w->committed));
        says(w, work_steps(w, 4), "full");
        work_rollback(w);
    }
}

/* 0 when the work was done before the disk was full. */
static int fill_disk(const base *from, uint64_t seed, uint64_t nth)
{
    work w;
    start(&w, from, seed);
    disk_fail_at(w.d, DISK_FULL, DISK_WRITES, nth, DISK_LASTING);
    int rc = run(&w);
    int failed = disk_has_failed(w.d);
    if (rc < 0)
        says(&w, rc, "full");
    if (w.st && rc < 0) {
        work_rollback(&w);
        stays_full(&w);
    }
    disk_heal(w.d);
    if (!w.st)
        assert_int_equal(work_open(&w), 0);
    goes_on(&w);
    end(&w);
    return failed;
}

static void the_disk_may_be_full_at_any_write(void **state)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (uint64_t nth = 1; fill_disk(*state, seed, nth); nth++)
            continue;
}

/* -- Errors
 * ---------------------------------------------------------------------------------------- */

/* 0 when the work was done before. What fails is rolled back, and the same store goes on. */
static int break_at(const base *from, uint64_t seed, uint64_t nth, uint64_t times)
{
    work w;
    start(&w, from, seed);
    disk_fail_at(w.d, DISK_ERROR, DISK_ANY, nth, times);
    int rc = run(&w);
    int failed = disk_has_failed(w.d);
    if (rc < 0)
        says(&w, rc, NULL);
    if (w.st)
        work_rollback(&w);
    disk_heal(w.d);
    if (!w.st)
        assert_int_equal(work_open(&w), 0);
    goes_on(&w);
    end(&w);
    return failed;
}

static void anything_may_fail_once(void **state)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (uint64_t nth = 1; break_at(*state, seed, nth, 1); nth++)
            continue;
}

static void anything_may_fail_for_a_while(void **state)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (uint64_t nth = 1; break_at(*state, seed, nth, DISK_LASTING); nth++)
            continue;
}

/* -- Rot
 * ---------------------------------------------------------------------------------------------- */

#define PAGE_SIZE 4096

/* 1 when it was seen, 0 when it hit nothing that is in use. */
static int rot_page(const base *from, size_t page)
{
    work w;
    start(&w, from, 1);
    assert_int_equal(disk_rot(w.d, WORK_PATH, page * PAGE_SIZE, PAGE_SIZE), 0);
    int rc = work_open(&w);
    if (rc < 0) {
        assert_int_equal(rc, JAB_ESTORE);
        assert_non_null(strstr(w.words, "damaged"));
    } else {
        assert_true(work_same(w.st, &w.committed));
    }
    end(&w);
    return rc < 0;
}

/* Setting the file aside needs the real file system: test_store_file.c. */
static void rot_is_seen_when_the_store_is_opened(void **state)
{
    const base *from = *state;
    size_t pages = (size_t)disk_length(from->d, WORK_PATH) / PAGE_SIZE, seen = 0;
    for (size_t page = 0; page < pages; page++)
        seen += (size_t)rot_page(from, page);
    assert_true(pages > 10 && seen > pages * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_may_go_at_any_moment),
        cmocka_unit_test(power_may_go_after_syncs_have_failed),
        cmocka_unit_test(the_disk_may_be_full_at_any_write),
        cmocka_unit_test(anything_may_fail_once),
        cmocka_unit_test(anything_may_fail_for_a_while),
        cmocka_unit_test(rot_is_seen_when_the_store_is_opened),
    };
    return cmocka_run_group_tests(tests, make_base, free_base);
}
