/* test_vault_disk.c: a vault in a file, when the disk, the system or memory fails. */
#include "unit_vault.h"

#include <errno.h>

/* -- The system's calls, which can be made to fail -------------------------------------- */

static struct {
    int n;          /* calls so far */
    int fail_at;    /* from 1; 0: never */
    int lasts;      /* 1: all that follow fail, too */
    int error;      /* errno then */
    const char *on; /* only this call; NULL: any */
    int half;       /* 1: write() takes one byte less, once */
} disk;

static int fails(const char *call)
{
    if (disk.on && strcmp(disk.on, call) != 0)
        return 0;
    disk.n++;
    if (disk.fail_at == 0 || disk.n < disk.fail_at || (!disk.lasts && disk.n > disk.fail_at))
        return 0;
    errno = disk.error;
    return 1;
}

int __real_openat64(int folder, const char *name, int flags, ...);
int __wrap_openat64(int folder, const char *name, int flags, ...);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fstat64(int fd, struct stat *is);
int __wrap_fstat64(int fd, struct stat *is);
int __real_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name);

int __wrap_openat64(int folder, const char *name, int flags, ...)
{
    return fails("openat") ? -1 : __real_openat64(folder, name, flags, 0600);
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (fails("write"))
        return -1;
    if (disk.half && n > 1) {
        disk.half = 0;
        n--;
    }
    return __real_write(fd, p, n);
}

int __wrap_fsync(int fd)
{
    return fails("fsync") ? -1 : __real_fsync(fd);
}

static uid_t owner; /* what files seem to belong to; 0: as it is */

int __wrap_fstat64(int fd, struct stat *is)
{
    int result = fails("fstat") ? -1 : __real_fstat64(fd, is);
    if (owner)
        is->st_uid = owner;
    return result;
}

int __wrap_renameat(int from, const char *old, int to, const char *name)
{
    return fails("renameat") ? -1 : __real_renameat(from, old, to, name);
}

static int fresh(void **state)
{
    memset(&disk, 0, sizeof disk);
    owner = 0;
    return setup(state);
}

static void test_a_file_of_another_user_is_refused(void **state)
{
    fixture *f = *state;
    leave(f, "text");
    owner = geteuid() + 1;
    assert_refused(f, "belongs to another user");
}

/* -- Failures -------------------------------------------------------------------------------- */

static void fail_from(int at, int lasts, int error, const char *on)
{
    memset(&disk, 0, sizeof disk);
    disk.fail_at = at;
    disk.lasts = lasts;
    disk.error = error;
    disk.on = on;
}

/* Whatever call fails, alone or with all that follow: the old bytes or the new ones are there,
 * and the new ones if it was said so. */
static void test_a_failing_disk_leaves_the_old_or_the_new(void **state)
{
    fixture *f = *state;
    int done = 0, failures = 0;
    for (int lasts = 0; lasts < 2; lasts++) {
        for (int at = 1; at < 20; at++) {
            unlink(f->folder.path);
            leave(f, "old");
            jab_vault *v = opened(f);
            fail_from(at, lasts, ENOSPC, NULL);
            int err = v->save(v->arg, ANN, JAB_STR("the new"));
            memset(&disk, 0, sizeof disk);
            jab_vault_free(v);
            v = opened(f);
            int is_shared;
            ptrdiff_t n = load(v, ANN, &is_shared);
            assert_true(n == 7 || (n == 3 && err < 0));
            assert_true(err == 0 || err == JAB_ESTORE);
            done += err == 0;
            failures += err < 0;
            save(v, "and it goes on");
            jab_vault_free(v);
        }
    }
    assert_true(done > 10 && failures > 10);
}

static void test_a_full_disk_keeps_the_old(void **state)
{
    fixture *f = *state;
    static const char *const calls[] = {"write", "fsync", "renameat"};
    leave(f, "old");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        jab_vault *v = opened(f);
        fail_from(1, 0, ENOSPC, calls[i]);
        assert_int_equal(v->save(v->arg, ANN, JAB_STR("new")), JAB_ESTORE);
        memset(&disk, 0, sizeof disk);
        assert_holds(v, "old");
        jab_vault_free(v);
    }
}

static void test_interrupted_and_short_writes_go_on(void **state)
{
    jab_vault *v = opened(*state);
    fail_from(1, 0, EINTR, "write");
    disk.half = 1;
    save(v, "whole");
    assert_int_equal(disk.n, 3);
    assert_holds(v, "whole");
    jab_vault_free(v);
}

static void test_a_folder_that_cannot_be_synced_is_no_failure(void **state)
{
    jab_vault *v = opened(*state);
    fail_from(2, 0, EINVAL, "fsync");
    save(v, "text");
    fail_from(2, 0, EIO, "fsync");
    assert_int_equal(v->save(v->arg, ANN, JAB_STR("text")), JAB_ESTORE);
    jab_vault_free(v);
}

static void test_what_a_killed_program_left_half_written(void **state)
{
    fixture *f = *state;
    char name[200];
    snprintf(name, sizeof name, "%s.new", f->folder.path);
    leave(f, "old");
    close(open(name, O_WRONLY | O_CREAT, 0644));
    jab_vault *v = opened(f);
    assert_holds(v, "old");
    save(v, "new");
    assert_holds(v, "new");
    jab_vault_free(v);
    assert_int_equal(access(name, F_OK), -1);
}

static void test_what_cannot_be_read_is_no_empty_vault(void **state)
{
    fixture *f = *state;
    static const char *const calls[] = {"fstat", "openat"};
    int is_shared;
    leave(f, "floor");
    jab_vault *v = opened(f);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        fail_from(1, 0, EIO, calls[i]);
        assert_int_equal(load(v, ANN, &is_shared), JAB_ESTORE);
    }
    memset(&disk, 0, sizeof disk);
    char small[3];
    assert_int_equal(v->load(v->arg, ANN, small, sizeof small, &is_shared), JAB_ESTORE);
    jab_vault_free(v);
    fail_from(1, 0, EACCES, "openat");
    assert_fails(f, JAB_EIO, ".lock: Permission denied");
    fail_from(2, 0, EACCES, "openat");
    assert_fails(f, JAB_EIO, "Permission denied");
}

static void test_memory_that_runs_out(void **state)
{
    fixture *f = *state;
    unit_mem mem;
    jab_vault *v = NULL;
    int err = JAB_ENOMEM;
    leave(f, "text");
    for (size_t at = 1; err == JAB_ENOMEM; at++) {
        assert_true(at < 20);
        unit_mem_init(&mem, at);
        err = jab_vault_file_new(&v, jab_cstr(f->folder.path), &mem.mem, f->why, sizeof f->why);
        if (err < 0)
            assert_int_equal(mem.live, 0);
    }
    assert_int_equal(err, 0);
    size_t calls = mem.calls;
    assert_holds(v, "text");
    save(v, "more");
    assert_int_equal(mem.calls, calls); /* a log-in needs none */
    jab_vault_free(v);
    assert_int_equal(mem.live, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_file_of_another_user_is_refused),
        TEST(test_a_failing_disk_leaves_the_old_or_the_new),
        TEST(test_a_full_disk_keeps_the_old),
        TEST(test_interrupted_and_short_writes_go_on),
        TEST(test_a_folder_that_cannot_be_synced_is_no_failure),
        TEST(test_what_a_killed_program_left_half_written),
        TEST(test_what_cannot_be_read_is_no_empty_vault),
        TEST(test_memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
