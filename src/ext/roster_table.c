/* roster_table.c: the contacts of the roster in memory, and reading them. */
#include "ext/roster.h"

#include "base/mem.h"
#include "ext/ext.h"
#include "ext/text.h"

/* One block: this, the groups, the text of all. */
typedef struct roster_entry {
    jab_str key;
    jab_roster_item item;
} roster_entry;

static size_t text_bytes(const jab_roster_item *item)
{
    size_t n = item->jid.full.n + 1 + item->name.n + 1;
    for (size_t i = 0; i < item->n_groups; i++)
        n += item->groups[i].n + 1;
    return n;
}

static roster_entry *entry_new(const jab_mem *mem, const jab_roster_item *item)
{
    size_t array = item->n_groups * sizeof(jab_str);
    roster_entry *e = jabi_alloc(mem, sizeof *e + array + text_bytes(item));
    if (!e)
        return NULL;
    jab_str *groups = (jab_str *)(void *)(e + 1);
    char *cursor = (char *)(groups + item->n_groups);
    e->item = *item;
    e->item.jid = jab_jid_view(jabi_put(&cursor, item->jid.full));
    e->item.name = jabi_put(&cursor, item->name);
    e->item.groups = groups;
    for (size_t i = 0; i < item->n_groups; i++)
        groups[i] = jabi_put(&cursor, item->groups[i]);
    e->key = e->item.jid.full;
    return e;
}

int jabi_roster_put(jab_ext_ctx *x, const jab_roster_item *item)
{
    roster_state *state = jab_ext_state(x);
    const jab_mem *mem = jab_ext_mem(x);
    roster_entry *e = entry_new(mem, item);
    if (!e)
        return JAB_ENOMEM;
    roster_entry *old = jabi_table_get(&state->items, e->key);
    if (old) {
        jabi_table_replace(&state->items, old, e);
        jabi_free(mem, old);
        return 0;
    }
    int err = jabi_table_put(&state->items, x, e, JAB_ROSTER_MAX);
    if (err < 0)
        jabi_free(mem, e);
    return err;
}

void jabi_roster_drop(jab_ext_ctx *x, jab_str jid)
{
    roster_state *state = jab_ext_state(x);
    jabi_free(jab_ext_mem(x), jabi_table_take(&state->items, jid));
}

void jabi_roster_clear(jab_ext_ctx *x)
{
    roster_state *state = jab_ext_state(x);
    const jab_mem *mem = jab_ext_mem(x);
    for (size_t i = 0; i < state->items.n; i++)
        jabi_free(mem, state->items.items[i]);
    jabi_table_fini(&state->items);
    jabi_free(mem, (char *)state->version.p);
    state->version = (jab_str){NULL, 0};
}

int jabi_roster_set_version(jab_ext_ctx *x, jab_str version)
{
    roster_state *state = jab_ext_state(x);
    const jab_mem *mem = jab_ext_mem(x);
    jab_str copy;
    if (jabi_strdup(mem, &copy, version) < 0)
        return JAB_ENOMEM;
    jabi_free(mem, (char *)state->version.p);
    state->version = copy;
    return 0;
}

void jabi_roster_fini(jab_ext_ctx *x)
{
    jabi_roster_clear(x);
}

int jab_roster_load(jab_session *s, jab_str version, const jab_roster_item *items, size_t n)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_roster);
    int err = 0;
    jabi_roster_first_use(x);
    jabi_roster_clear(x);
    for (size_t i = 0; i < n && err == 0; i++)
        err = items[i].jid.full.p ? jabi_roster_put(x, &items[i]) : JAB_EJID;
    if (err == 0)
        err = jabi_roster_set_version(x, version);
    if (err == 0)
        err = jabi_roster_keep_all(x);
    if (err < 0)
        jabi_roster_clear(x);
    return err;
}

/* The table for looking at. */
static const roster_state *table_of(jab_session *s)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_roster);
    jabi_roster_first_use(x);
    return jab_ext_state(x);
}

jab_str jab_roster_version(jab_session *s)
{
    const roster_state *state = table_of(s);
    return state->version;
}

size_t jab_roster_count(jab_session *s)
{
    const roster_state *state = table_of(s);
    return state->items.n;
}

const jab_roster_item *jab_roster_at(jab_session *s, size_t i)
{
    const roster_state *state = table_of(s);
    if (i >= state->items.n)
        return NULL;
    return &((const roster_entry *)(const void *)state->items.items[i])->item;
}

const jab_roster_item *jab_roster_find(jab_session *s, jab_str bare)
{
    const roster_state *state = table_of(s);
    const roster_entry *e = jabi_table_get(&state->items, bare);
    return e ? &e->item : NULL;
}
