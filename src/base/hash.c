/* hash.c: digests and HMAC over OpenSSL, one table row per hash. */
#include "base/hash.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

typedef struct hash_row {
    const EVP_MD *(*md)(void);
    size_t size;
} hash_row;

static const hash_row rows[] = {
    [JABI_MD5] = {EVP_md5, 16},
    [JABI_SHA1] = {EVP_sha1, 20},
    [JABI_SHA256] = {EVP_sha256, 32},
    [JABI_SHA512] = {EVP_sha512, 64},
};

size_t jabi_hash_size(jabi_hash h)
{
    return rows[h].size;
}

int jabi_hash_parts(jabi_hash h, const jab_str *parts, size_t count, uint8_t *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx && EVP_DigestInit_ex(ctx, rows[h].md(), NULL);
    for (size_t i = 0; ok && i < count; i++)
        ok = parts[i].n == 0 || EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
    ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
    EVP_MD_CTX_free(ctx);
    return ok ? 0 : JAB_ECRYPTO;
}

int jabi_hmac(jabi_hash h, const void *key, size_t key_n, const void *msg, size_t msg_n,
              uint8_t *out)
{
    if (key_n > INT_MAX)
        return JAB_EINVAL;
    return HMAC(rows[h].md(), key, (int)key_n, msg, msg_n, out, NULL) ? 0 : JAB_ECRYPTO;
}

void jabi_hex(const void *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
    out[2 * n] = '\0';
}
