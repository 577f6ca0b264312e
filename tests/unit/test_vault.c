/* test_vault.c: a vault in a file: who may use it, and what becomes of it when things fail. */
#include "unit_store.h"

#include "stream/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ANN JAB_STR("ann@example.org")
#define BOB JAB_STR("bob@example.org")

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

/* -- What the tests share -------------------------------------------------------------- */

typedef struct fixture {
    store_folder folder;
    char why[300];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    memset(&disk, 0, sizeof disk);
    owner = 0;
    folder_make(&f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    memset(&disk, 0, sizeof disk);
    folder_remove(&f->folder);
    free(f);
    return 0;
}

static int open_as(fixture *f, jab_vault **v)
{
    memset(f->why, '?', sizeof f->why);
    return jab_vault_file_new(v, jab_cstr(f->folder.path), NULL, f->why, sizeof f->why);
}

static jab_vault *opened(fixture *f)
{
    jab_vault *v;
    assert_int_equal(open_as(f, &v), 0);
    assert_string_equal(f->why, "");
    return v;
}

#define assert_refused(f, part) assert_fails(f, JAB_ESTORE, part)
#define assert_fails(f, error, part)                                                               \
    do {                                                                                           \
        jab_vault *refused_;                                                                       \
        assert_int_equal(open_as(f, &refused_), error);                                            \
        assert_null(refused_);                                                                     \
        if (!strstr((f)->why, part))                                                               \
            fail_msg("\"%s\" does not say \"%s\"", (f)->why, part);                                \
    } while (0)

static char bytes[JAB_VAULT_MAX];

static ptrdiff_t load(const jab_vault *v, jab_str account, int *is_shared)
{
    memset(bytes, 0, sizeof bytes);
    return v->load(v->arg, account, bytes, sizeof bytes, is_shared);
}

static void assert_holds(const jab_vault *v, const char *text)
{
    int is_shared;
    assert_int_equal(load(v, ANN, &is_shared), (ptrdiff_t)strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
}

static void save(const jab_vault *v, const char *text)
{
    assert_int_equal(v->save(v->arg, ANN, jab_cstr(text)), 0);
}

static void spoil(const fixture *f, off_t at, int change)
{
    int fd = open(f->folder.path, O_RDWR);
    unsigned char c;
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c = (unsigned char)(c ^ change);
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static off_t size_of(const fixture *f)
{
    struct stat is;
    return stat(f->folder.path, &is) == 0 ? is.st_size : -1;
}

/* A vault that holds something, closed again. */
static void leave(fixture *f, const char *text)
{
    jab_vault *v = opened(f);
    save(v, text);
    jab_vault_free(v);
}

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

static void test_a_file_of_another_user_is_refused(void **state)
{
    fixture *f = *state;
    leave(f, "text");
    owner = geteuid() + 1;
    assert_refused(f, "belongs to another user");
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
        __real_write(ends[1], "x", 1);
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

/* -- What programs ask ------------------------------------------------------------------------ */

static void remember(const jab_vault *v, const jabi_memory *m)
{
    jabi_buf row;
    jabi_buf_init(&row, m->mem, JAB_VAULT_MAX);
    assert_int_equal(jabi_memory_pack(m, &row), 0);
    assert_int_equal(v->save(v->arg, ANN, jabi_buf_str(&row)), 0);
    jabi_buf_fini(&row);
}

static void begin_memory(jabi_memory *m, unit_mem *mem)
{
    unit_mem_init(mem, 0);
    jabi_memory_init(m, &mem->mem, NULL, ANN);
    memcpy(m->agent, "d4565fa7-4d72-4749-b3d3-740edbf87770", JABI_AGENT_SIZE);
    m->floor = (jabi_floor){.mechanism = 4, .binding = 1, .sasl2 = 1, .tls_version = 13};
}

static void give_token(jabi_memory *m, int64_t expiry)
{
    assert_int_equal(jabi_memory_set(m, JABI_MEMORY_TOKEN, JAB_STR("secret")), 0);
    assert_int_equal(jabi_memory_set(m, JABI_MEMORY_TOKEN_MECHANISM, JAB_STR("HT-SHA-256-EXPR")),
                     0);
    m->token_expiry = expiry;
}

static void give_keys(jabi_memory *m)
{
    jabi_sasl_keys keys = {.hash = JABI_SHA256, .iterations = 4096, .salt_n = 4, .salt = "salt"};
    jabi_memory_learn(m, &keys);
}

static void test_what_is_remembered_can_be_told(void **state)
{
    jab_vault *v = opened(*state);
    jab_vault_facts facts;
    unit_mem mem;
    jabi_memory m;
    assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), 0);
    assert_null(facts.mechanism);
    begin_memory(&m, &mem);
    give_keys(&m);
    give_token(&m, INT64_MAX);
    remember(v, &m);
    assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), 1);
    assert_string_equal(facts.mechanism, "SCRAM-SHA-256");
    assert_int_equal(facts.channel_binding, 1);
    assert_int_equal(facts.sasl2, 1);
    assert_int_equal(facts.tls_version, 13);
    assert_int_equal(facts.keys, 1);
    assert_int_equal(facts.token, 1);
    assert_int_equal(facts.token_expiry, INT64_MAX);
    assert_int_equal(facts.is_shared, 0);
    jabi_memory_fini(&m);
    assert_int_equal(mem.live, 0);
    jab_vault_free(v);
}

static void test_keys_or_a_token_that_is_valid_are_a_secret(void **state)
{
    jab_vault *v = opened(*state);
    unit_mem mem;
    jabi_memory m;
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), 0);
    begin_memory(&m, &mem);
    remember(v, &m);
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), 0);
    give_token(&m, 1000);
    remember(v, &m);
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), 0);
    m.token_expiry = 0;
    remember(v, &m);
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), 1);
    jab_vault *other = opened(*state); /* whose program may not use that token */
    assert_int_equal(jab_vault_has_secret(other, ANN, NULL), 0);
    give_keys(&m);
    remember(v, &m);
    assert_int_equal(jab_vault_has_secret(other, ANN, NULL), 1);
    jab_vault_free(other);
    jabi_memory_fini(&m);
    jab_vault_free(v);
}

static void test_only_the_floor_goes_at_the_users_word(void **state)
{
    jab_vault *v = opened(*state);
    jab_vault_facts facts;
    unit_mem mem;
    jabi_memory m;
    assert_int_equal(jab_vault_allow_weaker(v, ANN, NULL), 0);
    begin_memory(&m, &mem);
    give_keys(&m);
    give_token(&m, 0);
    remember(v, &m);
    jabi_memory_fini(&m);
    jab_vault *other = opened(*state);
    assert_int_equal(jab_vault_allow_weaker(other, ANN, NULL), JAB_ELOCKED);
    jab_vault_free(other);
    assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), 1);
    assert_int_equal(facts.tls_version, 13);
    assert_int_equal(jab_vault_allow_weaker(v, ANN, NULL), 0);
    assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), 1);
    assert_null(facts.mechanism);
    assert_int_equal(facts.channel_binding + facts.sasl2 + facts.tls_version, 0);
    assert_int_equal(facts.keys, 1);
    assert_int_equal(facts.token, 0);
    assert_int_equal(jab_vault_forget(v, ANN), 0);
    assert_int_equal(jab_vault_forget(v, ANN), 0);
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), 0);
    jab_vault_free(v);
}

static void test_bytes_that_are_no_memory(void **state)
{
    jab_vault *v = opened(*state);
    jab_vault_facts facts;
    save(v, "no memory at all");
    assert_int_equal(jab_vault_has_secret(v, ANN, NULL), JAB_ESTORE);
    assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), JAB_ESTORE);
    assert_int_equal(jab_vault_allow_weaker(v, ANN, NULL), JAB_ESTORE);
    assert_int_equal(jab_vault_forget(v, ANN), 0);
    jab_vault_free(v);
}

static void test_asking_without_memory(void **state)
{
    jab_vault *v = opened(*state);
    unit_mem mem;
    jabi_memory m;
    begin_memory(&m, &mem);
    give_keys(&m);
    give_token(&m, 0);
    remember(v, &m);
    jabi_memory_fini(&m);
    int has = JAB_ENOMEM;
    for (size_t at = 1; has == JAB_ENOMEM; at++) {
        assert_true(at < 50);
        unit_mem_init(&mem, at);
        has = jab_vault_has_secret(v, ANN, &mem.mem);
        assert_int_equal(mem.live, 0);
    }
    assert_int_equal(has, 1);
    int err = JAB_ENOMEM;
    for (size_t at = 1; err == JAB_ENOMEM; at++) {
        assert_true(at < 50);
        jab_vault_facts facts;
        assert_int_equal(jab_vault_look(v, ANN, NULL, &facts), 1);
        assert_int_equal(facts.tls_version, 13); /* the floor stays until it was lifted */
        unit_mem_init(&mem, at);
        err = jab_vault_allow_weaker(v, ANN, &mem.mem);
        assert_int_equal(mem.live, 0);
    }
    assert_int_equal(err, 0);
    jab_vault_free(v);
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
        TEST(test_a_file_of_another_user_is_refused),
        TEST(test_what_is_no_file_is_refused),
        TEST(test_the_lock_is_no_link),
        TEST(test_a_second_one_shares_it_until_the_first_is_gone),
        TEST(test_a_killed_program_holds_nothing),
        TEST(test_it_holds_one_account),
        TEST(test_any_changed_bit_is_noticed),
        TEST(test_a_cut_or_longer_file_is_noticed),
        TEST(test_a_failing_disk_leaves_the_old_or_the_new),
        TEST(test_a_full_disk_keeps_the_old),
        TEST(test_interrupted_and_short_writes_go_on),
        TEST(test_a_folder_that_cannot_be_synced_is_no_failure),
        TEST(test_what_a_killed_program_left_half_written),
        TEST(test_what_cannot_be_read_is_no_empty_vault),
        TEST(test_memory_that_runs_out),
        TEST(test_what_is_remembered_can_be_told),
        TEST(test_keys_or_a_token_that_is_valid_are_a_secret),
        TEST(test_only_the_floor_goes_at_the_users_word),
        TEST(test_bytes_that_are_no_memory),
        TEST(test_asking_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
