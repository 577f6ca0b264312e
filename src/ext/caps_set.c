/* caps_set.c: sets of features, as they are in memory and in the store. */
#include "ext/caps.h"

#include "base/mem.h"
#include "base/pack.h"
#include "ext/text.h"

#include <jabiru/store.h>

#define SPACE "caps"

/* One block: the set, its views, their text. `bytes` is that of the features,
 * each with an end. */
static jabi_caps_set *set_new(const jab_mem *mem, jab_str key, size_t n, size_t bytes,
                              char **cursor)
{
    jabi_caps_set *set = jabi_alloc(mem, sizeof *set + n * sizeof(jab_str) + bytes + key.n + 1);
    if (!set)
        return NULL;
    jab_str *list = (jab_str *)(void *)(set + 1);
    *cursor = (char *)(list + n);
    *set = (jabi_caps_set){.key = jabi_put(cursor, key), .features = list};
    return set;
}

static void add(jabi_caps_set *set, jab_str feature, char **cursor)
{
    ((jab_str *)(void *)(set + 1))[set->n++] = jabi_put(cursor, feature);
}

static jabi_caps_set *sorted(jabi_caps_set *set)
{
    jabi_sort((jab_str *)(void *)(set + 1), set->n);
    return set;
}

jabi_caps_set *jabi_caps_set_read(const jab_mem *mem, jab_str key, const jab_xml *query)
{
    size_t n = 0, bytes = 0;
    char *cursor;
    const jab_xml *f = jab_xml_child(query, NULL, "feature");
    for (; f; f = jab_xml_next_named(f, NULL, "feature"), n++)
        bytes += jab_xml_attr(f, "var").n + 1;
    jabi_caps_set *set = set_new(mem, key, n, bytes, &cursor);
    if (!set)
        return NULL;
    for (f = jab_xml_child(query, NULL, "feature"); f; f = jab_xml_next_named(f, NULL, "feature"))
        add(set, jab_xml_attr(f, "var"), &cursor);
    return sorted(set);
}

/* -- In the store --------------------------------------------------------------- */

static int count_one(void *arg, jab_str key, jab_str value)
{
    (void)key;
    (void)value;
    ++*(size_t *)arg;
    return 0;
}

static int copy_key(void *arg, jab_str key, jab_str value)
{
    (void)value;
    jabi_buf_add_str(arg, key);
    return 1;
}

/* Keys are hashes: the next one in their order is any of them. */
static int evict(jab_ext_ctx *x, jab_str new_key)
{
    jab_store *store = jab_ext_store(x);
    jabi_buf key;
    jabi_buf_init(&key, jab_ext_mem(x), SIZE_MAX / 2);
    int err = store->table->each(store, SPACE, new_key, 1, copy_key, &key);
    if (err >= 0 && key.n == 0)
        err = store->table->each(store, SPACE, (jab_str){NULL, 0}, 1, copy_key, &key);
    if (err >= 0)
        err = key.error ? key.error
                        : store->table->put(store, SPACE, jabi_buf_str(&key), (jab_str){NULL, 0});
    jabi_buf_fini(&key);
    return err;
}

static int make_room(jab_ext_ctx *x, jabi_caps_kept *kept, jab_str new_key)
{
    jab_store *store = jab_ext_store(x);
    int err = 0;
    if (!kept->is_counted) {
        kept->n = 0;
        err = store->table->each(store, SPACE, (jab_str){NULL, 0}, 0, count_one, &kept->n);
        kept->is_counted = err >= 0;
    }
    for (; err >= 0 && kept->n >= JAB_CAPS_CACHE_MAX; kept->n--)
        err = evict(x, new_key);
    return err;
}

int jabi_caps_set_keep(jab_ext_ctx *x, jabi_caps_kept *kept, const jabi_caps_set *set)
{
    jab_store *store = jab_ext_store(x);
    jabi_buf value;
    if (!store)
        return 0;
    int err = make_room(x, kept, set->key);
    jabi_buf_init(&value, jab_ext_mem(x), SIZE_MAX / 2);
    jabi_pack_number(&value, set->n);
    for (size_t i = 0; i < set->n; i++)
        jabi_pack_str(&value, set->features[i]);
    if (err >= 0)
        err = value.error ? value.error
                          : store->table->put(store, SPACE, set->key, jabi_buf_str(&value));
    kept->n += err >= 0;
    jabi_buf_fini(&value);
    return err < 0 ? err : 0;
}

typedef struct loading {
    const jab_mem *mem;
    jabi_caps_set *set;
    int error;
} loading;

/* Goes over the value twice: how much is it, and what. */
static int on_value(void *arg, jab_str key, jab_str value)
{
    loading *l = arg;
    jabi_unpack u = jabi_unpack_begin(value), again;
    uint64_t n = jabi_unpack_number(&u);
    size_t bytes = 0;
    char *cursor;
    again = u;
    if (n > JAB_CAPS_FEATURES_MAX)
        return 0;
    for (uint64_t i = 0; i < n; i++)
        bytes += jabi_unpack_str(&u).n + 1;
    if (!jabi_unpack_is_whole(&u))
        return 0;
    l->set = set_new(l->mem, key, (size_t)n, bytes, &cursor);
    if (!l->set)
        return l->error = JAB_ENOMEM;
    for (uint64_t i = 0; i < n; i++)
        add(l->set, jabi_unpack_str(&again), &cursor);
    sorted(l->set);
    return 0;
}

int jabi_caps_set_load(jab_ext_ctx *x, jab_str key, jabi_caps_set **out)
{
    jab_store *store = jab_ext_store(x);
    loading l = {jab_ext_mem(x), NULL, 0};
    *out = NULL;
    if (!store)
        return 0;
    int err = store->table->get(store, SPACE, key, on_value, &l);
    *out = l.set;
    return l.error ? l.error : err < 0 ? err : 0;
}
