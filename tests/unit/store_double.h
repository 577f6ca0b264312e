/* store_double.h: a store in memory that fails when it is told to. */
#ifndef STORE_DOUBLE_H
#define STORE_DOUBLE_H

#include "unit.h"

#include <jabiru/store.h>

typedef struct store_double {
    jab_store store;
    jab_store *inner;
    int fail_commits; /* how many of the next ones fail */
    int fail_puts;
    int fail_writes;  /* the how many-th from now fails, of any kind */
    unsigned commits; /* that had something to commit */
} store_double;

static inline jab_store *double_inner(jab_store *st)
{
    return ((store_double *)st)->inner;
}

static inline int double_commit(jab_store *st)
{
    store_double *d = (store_double *)st;
    if (d->fail_commits > 0) {
        d->fail_commits--;
        return JAB_ESTORE;
    }
    d->commits += st->dirty != 0;
    int err = d->inner->table->commit(d->inner);
    st->dirty = d->inner->dirty;
    return err;
}

/* As with a disk: what was begun is to be rolled back. */
static inline int double_fails(store_double *d)
{
    if (d->fail_writes <= 0 || --d->fail_writes > 0)
        return 0;
    d->store.dirty = 1;
    return 1;
}

static inline void double_rollback(jab_store *st)
{
    jab_store *inner = double_inner(st);
    inner->table->rollback(inner);
    st->dirty = inner->dirty;
}

static inline jab_str double_error(const jab_store *st)
{
    (void)st;
    return JAB_STR("disk full: /tmp/double.db");
}

static inline void double_free(jab_store *st)
{
    (void)st; /* the test's own */
}

static inline int double_put(jab_store *st, const char *space, jab_str key, jab_str value)
{
    store_double *d = (store_double *)st;
    if ((d->fail_puts > 0 && --d->fail_puts == 0) || double_fails(d))
        return JAB_ESTORE;
    int err = d->inner->table->put(d->inner, space, key, value);
    st->dirty = d->inner->dirty;
    return err;
}

static inline int double_get(jab_store *st, const char *space, jab_str key, jab_value_fn fn,
                             void *arg)
{
    return double_inner(st)->table->get(double_inner(st), space, key, fn, arg);
}

static inline int double_each(jab_store *st, const char *space, jab_str after, unsigned limit,
                              jab_value_fn fn, void *arg)
{
    return double_inner(st)->table->each(double_inner(st), space, after, limit, fn, arg);
}

static inline int double_add(jab_store *st, const jab_kept_message *m, int64_t *key)
{
    if (double_fails((store_double *)st))
        return JAB_ESTORE;
    int err = double_inner(st)->table->add(double_inner(st), m, key);
    st->dirty = double_inner(st)->dirty;
    return err;
}

static inline int double_change(jab_store *st, int64_t key, const jab_kept_change *change)
{
    if (double_fails((store_double *)st))
        return JAB_ESTORE;
    int err = double_inner(st)->table->change(double_inner(st), key, change);
    st->dirty = double_inner(st)->dirty;
    return err;
}

static inline int double_remove(jab_store *st, int64_t key)
{
    if (double_fails((store_double *)st))
        return JAB_ESTORE;
    int err = double_inner(st)->table->remove(double_inner(st), key);
    st->dirty = double_inner(st)->dirty;
    return err;
}

static inline int double_read(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg)
{
    return double_inner(st)->table->read(double_inner(st), q, fn, arg);
}

static inline int double_search(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg)
{
    return double_inner(st)->table->search(double_inner(st), q, fn, arg);
}

static inline void store_double_init(store_double *d)
{
    static const jab_store_table table = {
        .size = sizeof(jab_store_table),
        .name = "double",
        .commit = double_commit,
        .rollback = double_rollback,
        .error = double_error,
        .free = double_free,
        .put = double_put,
        .get = double_get,
        .each = double_each,
        .add = double_add,
        .change = double_change,
        .remove = double_remove,
        .read = double_read,
        .search = double_search,
    };
    *d = (store_double){.store = {&table, 0}};
    assert_int_equal(jab_store_memory(&d->inner, NULL), 0);
}

static inline void store_double_fini(store_double *d)
{
    jab_store_free(d->inner);
}

#endif
