/* cache.c: what a session keeps from one log-in to the next. */
#include "sasl/mech.h"

#include "base/mem.h"

jabi_sasl_cache *jabi_sasl_cache_new(const jab_mem *mem)
{
    jabi_sasl_cache *cache = jabi_alloc0(mem, sizeof *cache);
    if (cache)
        cache->mem = mem;
    return cache;
}

void jabi_sasl_cache_free(jabi_sasl_cache *cache)
{
    if (!cache)
        return;
    const jab_mem *mem = cache->mem;
    jabi_digest_forget(&cache->digest);
    jabi_wipe(cache, sizeof *cache);
    jabi_free(mem, cache);
}

void jabi_digest_forget(jabi_digest_memory *m)
{
    jabi_buf_fini(&m->realm);
    jabi_buf_fini(&m->nonce);
    jabi_buf_fini(&m->cnonce);
    jabi_wipe(m, sizeof *m);
}

#define KEY_PARTS 8

int jabi_sasl_key(const jab_str *parts, size_t count, uint8_t out[32])
{
    uint64_t sizes[KEY_PARTS];
    jab_str all[2 * KEY_PARTS];
    if (count > KEY_PARTS)
        return JAB_EINVAL;
    for (size_t i = 0; i < count; i++) {
        sizes[i] = parts[i].n;
        all[2 * i] = (jab_str){(const char *)&sizes[i], sizeof sizes[i]};
        all[2 * i + 1] = parts[i];
    }
    return jabi_hash_parts(JABI_SHA256, all, 2 * count, out);
}
