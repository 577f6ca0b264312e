/* test_vault.c: a vault in a file: what it keeps, who may use it, and damage. */
#include "unit_vault.h"

#include <signal.h>
#include <sys/wait.h>

/* -- Keeping ------------------------------------------------------------------------------ */

static void test_a_new_vault_is_empty(void **state)
{
    jab_vault *v = opened(*state);
    int is_shared = 7;
    assert_int_equal(load(v, ANN, &is_shared), 0);
    assert_int_equal(is_shared, 0);
    jab_vault_free(v);
    assert_int_equal(size_of(*state), -1);
}

static void test_what_was_saved_is_there_the_next_time(void **state)
{
    leave(*state, "first");
    leave(*state, "second, and longer");
    jab_vault *v = opened(*state);
    assert_holds(v, "second, and longer");
    save(v, "third");
    assert_holds(v, "third");
    jab_vault_free(v);
}

static void test_any_bytes_up_to_the_limit(void **state)
{
    static char most[JAB_VAULT_MAX + 1];
    jab_vault *v = opened(*state);
    int is_shared;
    for (size_t i = 0; i < sizeof most; i++)
        most[i] = (char)(i * 7);
    assert_int_equal(v->save(v->arg, ANN, (jab_str){most, JAB_VAULT_MAX}), 0);
    assert_int_equal(v->save(v->arg, ANN, (jab_str){most, JAB_VAULT_MAX + 1}), JAB_EINVAL);
    assert_int_equal(load(v, ANN, &is_shared), JAB_VAULT_MAX);
    assert_memory_equal(bytes, most, JAB_VAULT_MAX);
    jab_vault_free(v);
}

static void test_a_path_without_a_folder(void **state)
{
    fixture *f = *state;
    jab_vault *v;
    int here = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(f->folder.name), 0);
    assert_int_equal(jab_vault_file_new(&v, JAB_STR("s.db"), NULL, NULL, 0), 0);
    assert_int_equal(fchdir(here), 0);
    close(here);
    save(v, "kept"); /* in the folder that it was then */
    jab_vault_free(v);
    assert_true(size_of(f) > 0);
}

static void test_no_path_is_no_vault(void **state)
{
    jab_vault *v;
    (void)state;
    assert_int_equal(jab_vault_file_new(&v, JAB_STR(""), NULL, NULL, 0), JAB_EINVAL);
    assert_int_equal(jab_vault_file_new(&v, JAB_STR("/tmp/"), NULL, NULL, 0), JAB_EINVAL);
    assert_int_equal(jab_vault_file_new(&v, JAB_STR("/tmp/a\0b"), NULL, NULL, 0), JAB_EINVAL);
    assert_int_equal(jab_vault_file_new(&v, JAB_STR("/nowhere/at/all"), NULL, NULL, 0), JAB_EIO);
}

/* -- Who may use it ------------------------------------------------------------------------ */

static void test_files_are_for_their_owner_only(void **state)
{
    fixture *f = *state;
    struct stat is;
    mode_t before = umask(0);
    leave(f, "text");
    umask(before);
    assert_int_equal(stat(f->folder.path, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    char lock[200];
    snprintf(lock, sizeof lock, "%s.lock", f->folder.path);
    assert_int_equal(stat(lock, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
}

static void test_a_file_that_others_can_use_is_refused(void **state)
{
    fixture *f = *state;
    static const mode_t modes[] = {0640, 0620, 0604, 0602, 0601, 0610};
    leave(f, "text");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(f->folder.path, modes[i]), 0);
        assert_refused(f, "others than you");
    }
    assert_int_equal(chmod(f->folder.path, 0600), 0);
    jab_vault *v = opened(f);
    assert_int_equal(chmod(f->folder.path, 0644), 0);
    int is_shared;
    assert_int_equal(load(v, ANN, &is_shared), JAB_ESTORE);
    assert_int_equal(v->save(v->arg, ANN, JAB_STR("x")), JAB_ESTORE);
    jab_vault_free(v);
}

static void test_what_is_no_file_is_refused(void **state)
{
    fixture *f = *state;
    assert_int_equal(symlink("/dev/null", f->folder.path), 0);
    assert_refused(f, "is a link");
    unlink(f->folder.path);
    assert_int_equal(mkfifo(f->folder.path, 0600), 0);
    assert_refused(f, "not a plain file");
    unlink(f->folder.path);
    assert_int_equal(mkdir(f->folder.path, 0700), 0);
    assert_refused(f, "not a plain file");
    rmdir(f->folder.path);
}

static void test_the_lock_is_no_link(void **state)
{
    fixture *f = *state;
    char lock[200];
    snprintf(lock, sizeof lock, "%s.lock", f->folder.path);
    assert_int_equal(symlink("/dev/null", lock), 0);
    assert_fails(f, JAB_EIO, ".lock");
}

static void test_a_second_one_shares_it_until_the_first_is_gone(void **state)
{
    int is_shared = 0;
    jab_vault *first = opened(*state), *second = opened(*state);
    save(first, "of the first");
    assert_int_equal(load(second, ANN, &is_shared), 12);
    assert_int_equal(is_shared, 1);
    assert_int_equal(second->save(second->arg, ANN, JAB_STR("x")), JAB_ELOCKED);
    assert_int_equal(jab_vault_forget(second, ANN), JAB_ELOCKED);
    assert_int_equal(jab_vault_allow_weaker(second, ANN, NULL), JAB_ESTORE); /* no memory in it */
    jab_vault_free(first);
    assert_int_equal(load(second, ANN, &is_shared), 12);
    assert_int_equal(is_shared, 0);
    save(second, "of the second");
    assert_holds(second, "of the second");
    jab_vault_free(second);
}

static void test_a_killed_program_holds_nothing(void **state)
{
    fixture *f = *state;
    int ends[2], is_shared;
    char c;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        leave(f, "before");
        jab_vault *v = opened(f);
        save(v, "held");
        (void)!write(ends[1], "x", 1);
        pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], &c, 1), 1);
    jab_vault *v = opened(f);
    assert_int_equal(load(v, ANN, &is_shared), 4);
    assert_int_equal(is_shared, 1);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(load(v, ANN, &is_shared), 4);
    assert_int_equal(is_shared, 0);
    jab_vault_free(v);
    close(ends[0]);
    close(ends[1]);
}

static void test_it_holds_one_account(void **state)
{
    fixture *f = *state;
    leave(f, "ann's");
    jab_vault *v = opened(f);
    int is_shared;
    assert_int_equal(load(v, BOB, &is_shared), JAB_ESTORE);
    assert_int_equal(v->save(v->arg, BOB, JAB_STR("bob's")), JAB_ESTORE);
    assert_int_equal(jab_vault_forget(v, BOB), JAB_ESTORE);
    assert_holds(v, "ann's");
    assert_int_equal(jab_vault_forget(v, ANN), 0);
    assert_int_equal(size_of(f), -1);
    assert_int_equal(v->save(v->arg, BOB, JAB_STR("bob's")), 0);
    jab_vault_free(v);
}

/* -- Damage: a floor that cannot be read is no reason to have none -------------------------- */

static void test_any_changed_bit_is_noticed(void **state)
{
    fixture *f = *state;
    leave(f, "floor");
    off_t n = size_of(f);
    for (off_t i = 0; i < n; i++) {
        int change = 1 << (i % 8);
        spoil(f, i, change);
        assert_refused(f, i >= 13 && i < 15 ? "newer" : "damaged");
        spoil(f, i, change);
    }
    jab_vault *v = opened(f);
    assert_holds(v, "floor");
    spoil(f, n - 40, 1);
    int is_shared;
    assert_int_equal(load(v, ANN, &is_shared), JAB_ESTORE);
    assert_int_equal(v->save(v->arg, ANN, JAB_STR("new")), JAB_ESTORE);
    assert_int_equal(jab_vault_forget(v, ANN), JAB_ESTORE);
    jab_vault_free(v);
    assert_int_equal(size_of(f), n);
}

static void test_a_cut_or_longer_file_is_noticed(void **state)
{
    fixture *f = *state;
    leave(f, "floor");
    off_t n = size_of(f);
    assert_int_equal(truncate(f->folder.path, n + 1), 0);
    assert_refused(f, "damaged");
    assert_int_equal(truncate(f->folder.path, 1 << 20), 0);
    assert_refused(f, "damaged");
    while (n-- > 0) {
        assert_int_equal(truncate(f->folder.path, n), 0);
        assert_refused(f, "damaged");
    }
    assert_int_equal(size_of(f), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_new_vault_is_empty),
        TEST(test_what_was_saved_is_there_the_next_time),
        TEST(test_any_bytes_up_to_the_limit),
        TEST(test_a_path_without_a_folder),
        TEST(test_no_path_is_no_vault),
        TEST(test_files_are_for_their_owner_only),
        TEST(test_a_file_that_others_can_use_is_refused),
        TEST(test_what_is_no_file_is_refused),
        TEST(test_the_lock_is_no_link),
        TEST(test_a_second_one_shares_it_until_the_first_is_gone),
        TEST(test_a_killed_program_holds_nothing),
        TEST(test_it_holds_one_account),
        TEST(test_any_changed_bit_is_noticed),
        TEST(test_a_cut_or_longer_file_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
