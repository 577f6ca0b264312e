/* table.c: a hash table under SipHash-2-4, with its entries in one array. */
#include "ext/table.h"

#include "base/mem.h"

#define FIRST_SLOTS 16

static size_t home_of(const jabi_table *t, jab_str key)
{
    return (size_t)jabi_siphash(t->key, key.p, key.n) & (t->n_slots - 1);
}

/* The slot of a key, or the free one where it belongs. */
static size_t slot_of(const jabi_table *t, jab_str key)
{
    size_t at = home_of(t, key);
    while (t->slots[at] && !jab_str_eq(*t->items[t->slots[at] - 1], key))
        at = (at + 1) & (t->n_slots - 1);
    return at;
}

void *jabi_table_get(const jabi_table *t, jab_str key)
{
    if (t->n == 0 || !key.p)
        return NULL;
    uint32_t slot = t->slots[slot_of(t, key)];
    return slot ? t->items[slot - 1] : NULL;
}

static int start(jabi_table *t, jab_ext_ctx *x)
{
    const jab_config *cfg = jab_ext_config(x);
    if (cfg->random(cfg->random_arg, t->key, sizeof t->key) < 0)
        return JAB_ECRYPTO;
    t->mem = jab_ext_mem(x);
    return 0;
}

static int grow_items(jabi_table *t)
{
    size_t cap = t->cap ? t->cap * 2 : FIRST_SLOTS / 2;
    jab_str **items = jabi_realloc_array(t->mem, t->items, cap, sizeof *items);
    if (!items)
        return JAB_ENOMEM;
    t->items = items;
    t->cap = cap;
    return 0;
}

static int grow_slots(jabi_table *t)
{
    size_t n_slots = t->n_slots ? t->n_slots * 2 : FIRST_SLOTS;
    uint32_t *slots = jabi_alloc0(t->mem, n_slots * sizeof *slots);
    if (!slots)
        return JAB_ENOMEM;
    jabi_free(t->mem, t->slots);
    t->slots = slots;
    t->n_slots = n_slots;
    for (size_t i = 0; i < t->n; i++)
        slots[slot_of(t, *t->items[i])] = (uint32_t)(i + 1);
    return 0;
}

int jabi_table_put(jabi_table *t, jab_ext_ctx *x, void *entry, size_t max)
{
    int r = t->mem ? 0 : start(t, x);
    if (r == 0 && t->n >= max)
        r = JAB_ELIMIT;
    if (r == 0 && t->n == t->cap)
        r = grow_items(t);
    if (r == 0 && t->n * 2 >= t->n_slots)
        r = grow_slots(t);
    if (r < 0)
        return r;
    size_t at = slot_of(t, *(const jab_str *)entry);
    t->items[t->n++] = entry;
    t->slots[at] = (uint32_t)t->n;
    return 0;
}

void jabi_table_replace(jabi_table *t, const void *old, void *entry)
{
    t->items[t->slots[slot_of(t, *(const jab_str *)old)] - 1] = entry;
}

/* Frees a slot and moves those behind it up that could not have their own. */
static void close_gap(jabi_table *t, size_t gap)
{
    size_t mask = t->n_slots - 1;
    for (size_t at = (gap + 1) & mask; t->slots[at]; at = (at + 1) & mask) {
        size_t home = home_of(t, *t->items[t->slots[at] - 1]);
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        t->slots[gap] = t->slots[at];
        gap = at;
    }
    t->slots[gap] = 0;
}

void *jabi_table_take(jabi_table *t, jab_str key)
{
    if (!jabi_table_get(t, key))
        return NULL;
    size_t slot = slot_of(t, key);
    size_t i = t->slots[slot] - 1;
    void *entry = t->items[i];
    close_gap(t, slot);
    t->n--;
    if (i != t->n) {
        size_t moved = slot_of(t, *t->items[t->n]);
        t->items[i] = t->items[t->n];
        t->slots[moved] = (uint32_t)(i + 1);
    }
    return entry;
}

void jabi_table_fini(jabi_table *t)
{
    if (!t->mem)
        return;
    jabi_free(t->mem, t->items);
    jabi_free(t->mem, t->slots);
    *t = (jabi_table){.mem = NULL};
}
