/* unit_vault.h: what the tests of vaults share: one in a folder of its own. */
#ifndef UNIT_VAULT_H
#define UNIT_VAULT_H

#include "unit_store.h"

#include <jabiru/login.h>

#include <fcntl.h>
#include <sys/stat.h>

#define ANN JAB_STR("ann@example.org")
#define BOB JAB_STR("bob@example.org")

typedef struct fixture {
    store_folder folder;
    char why[300];
} fixture;

static inline int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    folder_make(&f->folder);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    fixture *f = *state;
    folder_remove(&f->folder);
    free(f);
    return 0;
}

static inline int open_as(fixture *f, jab_vault **v)
{
    memset(f->why, '?', sizeof f->why);
    return jab_vault_file_new(v, jab_cstr(f->folder.path), NULL, f->why, sizeof f->why);
}

static inline jab_vault *opened(fixture *f)
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

static inline ptrdiff_t load(const jab_vault *v, jab_str account, int *is_shared)
{
    memset(bytes, 0, sizeof bytes);
    return v->load(v->arg, account, bytes, sizeof bytes, is_shared);
}

static inline void assert_holds(const jab_vault *v, const char *text)
{
    int is_shared;
    assert_int_equal(load(v, ANN, &is_shared), (ptrdiff_t)strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
}

static inline void save(const jab_vault *v, const char *text)
{
    assert_int_equal(v->save(v->arg, ANN, jab_cstr(text)), 0);
}

static inline void spoil(const fixture *f, off_t at, int change)
{
    int fd = open(f->folder.path, O_RDWR);
    unsigned char c;
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c = (unsigned char)(c ^ change);
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static inline off_t size_of(const fixture *f)
{
    struct stat is;
    return stat(f->folder.path, &is) == 0 ? is.st_size : -1;
}

/* A vault that holds something, closed again. */
static inline void leave(fixture *f, const char *text)
{
    jab_vault *v = opened(f);
    save(v, text);
    jab_vault_free(v);
}

#endif
