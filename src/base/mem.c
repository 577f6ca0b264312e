/* mem.c: allocation through the session's jab_mem, with sizes checked. */
#include "base/mem.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static void *default_alloc(void *arg, size_t n)
{
    (void)arg;
    return malloc(n);
}

static void *default_realloc(void *arg, void *p, size_t n)
{
    (void)arg;
    return realloc(p, n);
}

static void default_free(void *arg, void *p)
{
    (void)arg;
    free(p);
}

const jab_mem *jabi_mem_default(void)
{
    static const jab_mem mem = {NULL, default_alloc, default_realloc, default_free};
    return &mem;
}

void *jabi_alloc(const jab_mem *mem, size_t n)
{
    return mem->alloc(mem->arg, n ? n : 1);
}

void *jabi_alloc0(const jab_mem *mem, size_t n)
{
    void *p = jabi_alloc(mem, n);
    if (p)
        memset(p, 0, n);
    return p;
}

void *jabi_realloc_array(const jab_mem *mem, void *p, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return mem->realloc(mem->arg, p, bytes ? bytes : 1);
}

void jabi_free(const jab_mem *mem, void *p)
{
    if (p)
        mem->free(mem->arg, p);
}

int jabi_strdup(const jab_mem *mem, jab_str *out, jab_str s)
{
    *out = (jab_str){NULL, 0};
    if (!s.p)
        return 0;
    char *copy = jabi_alloc(mem, s.n + 1);
    if (!copy)
        return JAB_ENOMEM;
    memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    *out = (jab_str){copy, s.n};
    return 0;
}

void jabi_wipe(void *p, size_t n)
{
    if (p)
        OPENSSL_cleanse(p, n);
}

int jabi_equal_secret(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}
