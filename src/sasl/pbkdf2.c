/* pbkdf2.c: PBKDF2 with HMAC (RFC 8018 §5.2), one block, in slices. */
#include "sasl/pbkdf2.h"

#include "base/mem.h"

#include <limits.h>
#include <openssl/evp.h>

/* Measured at about 15,000 (SHA-1, SHA-256) and 5,500 (SHA-512) in 5 ms on a
 * core of 2020; halved for slower ones. */
typedef struct row {
    const EVP_MD *(*md)(void);
    uint32_t slice;
    size_t block; /* HMAC's block, RFC 2104 §2 */
} row;

static const row rows[] = {
    [JABI_SHA1] = {EVP_sha1, 10000, 64},
    [JABI_SHA256] = {EVP_sha256, 10000, 64},
    [JABI_SHA512] = {EVP_sha512, 4000, 128},
};

#define BLOCK_MAX 128

uint32_t jabi_pbkdf2_slice(jabi_hash hash)
{
    return rows[hash].slice;
}

int jabi_pbkdf2_once(jabi_hash hash, jab_str password, jab_str salt, uint32_t iterations,
                     uint8_t *out)
{
    if (password.n > INT_MAX || salt.n > INT_MAX || iterations > INT_MAX)
        return JAB_ECRYPTO;
    int ok = PKCS5_PBKDF2_HMAC(password.n ? password.p : "", (int)password.n,
                               (const uint8_t *)salt.p, (int)salt.n, (int)iterations,
                               rows[hash].md(), (int)jabi_hash_size(hash), out);
    return ok == 1 ? 0 : JAB_ECRYPTO;
}

/* One of HMAC's two digests, fed with the key and its pad (RFC 2104 §2). */
static void *keyed(jabi_hash hash, const uint8_t *key, uint8_t pad)
{
    uint8_t block[BLOCK_MAX];
    size_t n = rows[hash].block;
    for (size_t i = 0; i < n; i++)
        block[i] = key[i] ^ pad;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok =
        ctx && EVP_DigestInit_ex(ctx, rows[hash].md(), NULL) && EVP_DigestUpdate(ctx, block, n);
    jabi_wipe(block, sizeof block);
    if (!ok) {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static int set_key(jabi_pbkdf2 *p, jab_str password)
{
    uint8_t key[BLOCK_MAX] = {0};
    int err = 0;
    if (password.n > rows[p->hash].block)
        err = jabi_hash_parts(p->hash, &password, 1, key);
    else if (password.n)
        memcpy(key, password.p, password.n);
    if (err == 0) {
        p->inner = keyed(p->hash, key, 0x36);
        p->outer = keyed(p->hash, key, 0x5C);
        p->run = EVP_MD_CTX_new();
        err = p->inner && p->outer && p->run ? 0 : JAB_ECRYPTO;
    }
    jabi_wipe(key, sizeof key);
    return err;
}

/* u = HMAC(password, the two parts). */
static int hmac(jabi_pbkdf2 *p, const void *a, size_t a_n, const void *b, size_t b_n)
{
    size_t n = jabi_hash_size(p->hash);
    int ok = EVP_MD_CTX_copy_ex(p->run, p->inner) && EVP_DigestUpdate(p->run, a, a_n) &&
             (b_n == 0 || EVP_DigestUpdate(p->run, b, b_n)) &&
             EVP_DigestFinal_ex(p->run, p->u, NULL) && EVP_MD_CTX_copy_ex(p->run, p->outer) &&
             EVP_DigestUpdate(p->run, p->u, n) && EVP_DigestFinal_ex(p->run, p->u, NULL);
    return ok ? 0 : JAB_ECRYPTO;
}

int jabi_pbkdf2_begin(jabi_pbkdf2 *p, jabi_hash hash, jab_str password, jab_str salt,
                      uint32_t iterations)
{
    static const uint8_t first_block[4] = {0, 0, 0, 1};
    p->hash = hash;
    int err = set_key(p, password);
    if (err == 0)
        err = hmac(p, salt.p, salt.n, first_block, sizeof first_block);
    if (err < 0)
        return err;
    memcpy(p->sum, p->u, jabi_hash_size(hash));
    p->left = iterations - 1;
    return 0;
}

int jabi_pbkdf2_work(jabi_pbkdf2 *p)
{
    size_t n = jabi_hash_size(p->hash);
    uint32_t slice = rows[p->hash].slice;
    if (slice > p->left)
        slice = p->left;
    for (uint32_t i = 0; i < slice; i++) {
        if (hmac(p, p->u, n, NULL, 0) < 0)
            return JAB_ECRYPTO;
        for (size_t k = 0; k < n; k++)
            p->sum[k] ^= p->u[k];
    }
    p->left -= slice;
    return p->left > 0;
}

void jabi_pbkdf2_fini(jabi_pbkdf2 *p)
{
    EVP_MD_CTX_free(p->inner);
    EVP_MD_CTX_free(p->outer);
    EVP_MD_CTX_free(p->run);
    jabi_wipe(p, sizeof *p);
}
