/* faulty.c: memory that runs out, and a store that fails and dies with its process. */
#include "sim.h"

#include <stdlib.h>

/* -- Memory ------------------------------------------------------------------ */

/* The length stands in front of what is handed out. */
#define HEAD 16

static int call_fails(sim_mem *m)
{
    if (m->fail_in == 0 || --m->fail_in > 0)
        return 0;
    m->failed++;
    return 1;
}

static void *resized(void *arg, void *p, size_t n)
{
    sim_mem *m = arg;
    if (call_fails(m))
        return NULL;
    char *old = p ? (char *)p - HEAD : NULL;
    size_t before = old ? *(size_t *)(void *)old : 0;
    char *fresh = realloc(old, n + HEAD);
    if (!fresh)
        abort();
    *(size_t *)(void *)fresh = n;
    m->live += !old;
    m->bytes += n - before;
    if (m->bytes > m->peak)
        m->peak = m->bytes;
    return fresh + HEAD;
}

static void *allocated(void *arg, size_t n)
{
    return resized(arg, NULL, n);
}

static void freed(void *arg, void *p)
{
    sim_mem *m = arg;
    if (!p)
        return;
    char *old = (char *)p - HEAD;
    m->live--;
    m->bytes -= *(size_t *)(void *)old;
    free(old);
}

void sim_mem_init(sim_mem *m)
{
    *m = (sim_mem){.mem = {m, allocated, resized, freed}};
}

/* -- The store ----------------------------------------------------------------- */

static sim_store *mine(const jab_store *st)
{
    return (sim_store *)(void *)st;
}

/* Whether this writing call fails; one of a dead process does nothing. */
static int write_fails(sim_store *st)
{
    if (st->dead)
        return 1;
    if (st->fail_in && --st->fail_in == 0)
        st->failing = 1;
    st->failed += st->failing != 0;
    return st->failing;
}

static int told(sim_store *st, int result)
{
    st->store.dirty = st->inner->dirty;
    return result;
}

static int on_commit(jab_store *s)
{
    sim_store *st = mine(s);
    return write_fails(st) ? JAB_ESTORE : told(st, st->inner->table->commit(st->inner));
}

static void on_rollback(jab_store *s)
{
    sim_store *st = mine(s);
    if (st->dead)
        return;
    st->inner->table->rollback(st->inner);
    (void)told(st, 0);
}

static jab_str on_error(const jab_store *s)
{
    sim_store *st = mine(s);
    return st->failing ? JAB_STR("disk full, says the simulation")
                       : st->inner->table->error(st->inner);
}

static void on_free(jab_store *s)
{
    (void)s;
}

static int on_put(jab_store *s, const char *space, jab_str key, jab_str value)
{
    sim_store *st = mine(s);
    return write_fails(st) ? JAB_ESTORE
                           : told(st, st->inner->table->put(st->inner, space, key, value));
}

static int on_get(jab_store *s, const char *space, jab_str key, jab_value_fn fn, void *arg)
{
    return mine(s)->inner->table->get(mine(s)->inner, space, key, fn, arg);
}

static int on_each(jab_store *s, const char *space, jab_str after, unsigned limit, jab_value_fn fn,
                   void *arg)
{
    return mine(s)->inner->table->each(mine(s)->inner, space, after, limit, fn, arg);
}

static int on_add(jab_store *s, const jab_kept_message *m, int64_t *key)
{
    sim_store *st = mine(s);
    return write_fails(st) ? JAB_ESTORE : told(st, st->inner->table->add(st->inner, m, key));
}

static int on_change(jab_store *s, int64_t key, const jab_kept_change *change)
{
    sim_store *st = mine(s);
    return write_fails(st) ? JAB_ESTORE
                           : told(st, st->inner->table->change(st->inner, key, change));
}

static int on_remove(jab_store *s, int64_t key)
{
    sim_store *st = mine(s);
    return write_fails(st) ? JAB_ESTORE : told(st, st->inner->table->remove(st->inner, key));
}

static int on_read(jab_store *s, const jab_kept_query *q, jab_kept_fn fn, void *arg)
{
    return mine(s)->inner->table->read(mine(s)->inner, q, fn, arg);
}

static int on_search(jab_store *s, const jab_kept_query *q, jab_kept_fn fn, void *arg)
{
    return mine(s)->inner->table->search(mine(s)->inner, q, fn, arg);
}

static const jab_store_table faulty = {
    .size = sizeof(jab_store_table),
    .name = "faulty",
    .commit = on_commit,
    .rollback = on_rollback,
    .error = on_error,
    .free = on_free,
    .put = on_put,
    .get = on_get,
    .each = on_each,
    .add = on_add,
    .change = on_change,
    .remove = on_remove,
    .read = on_read,
    .search = on_search,
};

jab_store *sim_store_open(sim_store *st, jab_store *inner)
{
    *st = (sim_store){.store = {&faulty, inner->dirty}, .inner = inner};
    return &st->store;
}

void sim_store_heal(sim_store *st)
{
    st->fail_in = 0;
    st->failing = 0;
}
