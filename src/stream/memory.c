/* memory.c: what log-ins leave for later ones, and the bytes of a vault. */
#include "stream/memory.h"

#include "base/mem.h"
#include "base/pack.h"

#include <stdio.h>

#define VERSION 1

static const size_t limits[JABI_MEMORY_TEXTS] = {
    [JABI_MEMORY_TOKEN_MECHANISM] = 32, [JABI_MEMORY_TOKEN] = 4096,
    [JABI_MEMORY_BEFORE] = 8192,        [JABI_MEMORY_AFTER] = 8192,
    [JABI_MEMORY_TLS_SESSION] = 16384,  [JABI_MEMORY_ENDPOINT] = 300,
};

void jabi_memory_init(jabi_memory *m, const jab_mem *mem, const jab_vault *vault, jab_str account)
{
    *m = (jabi_memory){.mem = mem, .vault = vault, .account = account};
}

static void forget_text(jabi_memory *m, jabi_memory_text which)
{
    jab_str *text = &m->texts[which];
    jabi_wipe((char *)text->p, text->n);
    jabi_free(m->mem, (char *)text->p);
    *text = (jab_str){NULL, 0};
}

static void forget_all(jabi_memory *m)
{
    for (int i = 0; i < JABI_MEMORY_TEXTS; i++)
        forget_text(m, (jabi_memory_text)i);
    jabi_wipe(m->keys, sizeof m->keys);
    m->salts_vary = 0;
    m->floor = (jabi_floor){0};
    m->token_expiry = 0;
    m->token_count = 0;
    m->agent[0] = '\0';
}

void jabi_memory_fini(jabi_memory *m)
{
    forget_all(m);
    jabi_wipe(m, sizeof *m);
}

int jabi_memory_set(jabi_memory *m, jabi_memory_text which, jab_str value)
{
    if (value.n > limits[which])
        value = (jab_str){NULL, 0};
    if (!value.p == !m->texts[which].p && jab_str_eq(value, m->texts[which]))
        return 0;
    jab_str copy = {NULL, 0};
    if (value.p && jabi_strdup(m->mem, &copy, value) < 0)
        return JAB_ENOMEM;
    forget_text(m, which);
    m->texts[which] = copy;
    m->is_changed = 1;
    return 0;
}

void jabi_memory_learn(jabi_memory *m, const jabi_sasl_keys *keys)
{
    jabi_sasl_keys *row = &m->keys[JABI_MEMORY_KEYS - 1];
    for (size_t i = JABI_MEMORY_KEYS; i-- > 0;)
        if (m->keys[i].iterations == 0 || m->keys[i].hash == keys->hash)
            row = &m->keys[i];
    int is_same = memcmp(row, keys, sizeof *row) == 0, varies = !is_same && row->iterations > 0;
    m->is_changed |= !is_same || varies != m->salts_vary;
    m->salts_vary = varies;
    memcpy(row, keys, sizeof *row);
}

void jabi_memory_drop_token(jabi_memory *m)
{
    m->is_changed |= m->texts[JABI_MEMORY_TOKEN].p != NULL;
    forget_text(m, JABI_MEMORY_TOKEN);
    forget_text(m, JABI_MEMORY_TOKEN_MECHANISM);
    m->token_expiry = 0;
    m->token_count = 0;
}

void jabi_memory_drop_keys(jabi_memory *m)
{
    jabi_wipe(m->keys, sizeof m->keys);
    m->is_changed = 1;
}

void jabi_memory_drop_floor(jabi_memory *m)
{
    forget_text(m, JABI_MEMORY_BEFORE);
    forget_text(m, JABI_MEMORY_AFTER);
    m->floor = (jabi_floor){0};
    m->is_changed = 1;
}

/* -- The bytes ------------------------------------------------------------------ */

static jab_str bytes_of(const void *p, size_t n)
{
    return (jab_str){p, n};
}

static void pack_keys(const jabi_sasl_keys *k, jabi_buf *out)
{
    size_t n = jabi_hash_size(k->hash);
    jabi_pack_number(out, k->hash);
    jabi_pack_number(out, k->iterations);
    jabi_pack_str(out, bytes_of(k->salt, k->salt_n));
    jabi_pack_str(out, bytes_of(k->client_key, n));
    jabi_pack_str(out, bytes_of(k->server_key, n));
}

int jabi_memory_pack(const jabi_memory *m, jabi_buf *out)
{
    jabi_pack_number(out, VERSION);
    jabi_pack_str(out, jab_cstr(m->agent));
    jabi_pack_str(out, bytes_of(&m->floor, sizeof m->floor));
    jabi_pack_number(out, (uint64_t)m->token_expiry);
    jabi_pack_number(out, m->token_count);
    jabi_pack_number(out, (uint64_t)m->salts_vary);
    for (size_t i = 0; i < JABI_MEMORY_KEYS; i++)
        pack_keys(&m->keys[i], out);
    for (int i = 0; i < JABI_MEMORY_TEXTS; i++)
        jabi_pack_str(out, m->texts[i]);
    return out->error;
}

/* Reads bytes whose number is known, or at most that. */
static size_t unpack_into(jabi_unpack *u, void *to, size_t least, size_t most)
{
    jab_str bytes = jabi_unpack_bytes(u);
    if (bytes.n < least || bytes.n > most) {
        u->error = JAB_EINVAL;
        return 0;
    }
    if (bytes.n)
        memcpy(to, bytes.p, bytes.n);
    return bytes.n;
}

static void unpack_keys(jabi_unpack *u, jabi_sasl_keys *k)
{
    uint64_t hash = jabi_unpack_number(u), iterations = jabi_unpack_number(u);
    if (hash > JABI_SHA512 || iterations > UINT32_MAX) {
        u->error = JAB_EINVAL;
        return;
    }
    k->hash = (jabi_hash)hash;
    k->iterations = (uint32_t)iterations;
    size_t n = jabi_hash_size(k->hash);
    k->salt_n = unpack_into(u, k->salt, 0, sizeof k->salt);
    unpack_into(u, k->client_key, n, n);
    unpack_into(u, k->server_key, n, n);
}

/* RFC 9562 §4: it goes onto the wire as it is. */
static int is_agent(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t n = strspn(text, "0123456789abcdef-");
    for (size_t i = 0; i < n; i++)
        if ((shape[i] == '-') != (text[i] == '-'))
            return 0;
    return text[n] == '\0' && (n == 0 || n == sizeof shape - 1);
}

static int is_sane(const jabi_memory *m)
{
    const jabi_floor *f = &m->floor;
    int is_version = f->tls_version == 0 || (f->tls_version >= 10 && f->tls_version < 20);
    return is_agent(m->agent) && f->mechanism <= JABI_SASL_CLASS_MAX && f->binding <= 1 &&
           f->sasl2 <= 1 && is_version;
}

/* Truncated, a count would come a second time (XEP-0484 §3.4). */
static uint32_t unpack_count(jabi_unpack *u)
{
    uint64_t n = jabi_unpack_number(u);
    if (n > UINT32_MAX)
        u->error = JAB_EINVAL;
    return (uint32_t)n;
}

static int unpack(jabi_memory *m, jabi_unpack *u)
{
    if (jabi_unpack_number(u) != VERSION)
        return JAB_EINVAL;
    m->agent[unpack_into(u, m->agent, 0, sizeof m->agent - 1)] = '\0';
    unpack_into(u, &m->floor, sizeof m->floor, sizeof m->floor);
    m->token_expiry = (int64_t)jabi_unpack_number(u);
    m->token_count = unpack_count(u);
    m->salts_vary = jabi_unpack_number(u) > 0;
    for (size_t i = 0; i < JABI_MEMORY_KEYS; i++)
        unpack_keys(u, &m->keys[i]);
    int err = 0;
    for (int i = 0; err >= 0 && i < JABI_MEMORY_TEXTS; i++)
        err = jabi_memory_set(m, (jabi_memory_text)i, jabi_unpack_bytes(u));
    return err < 0 || (jabi_unpack_is_whole(u) && is_sane(m)) ? err : JAB_EINVAL;
}

int jabi_memory_unpack(jabi_memory *m, jab_str bytes)
{
    forget_all(m);
    jabi_unpack u = jabi_unpack_begin(bytes);
    int err = unpack(m, &u);
    if (err < 0)
        forget_all(m);
    m->is_changed = 0;
    return err;
}

/* -- The vault ------------------------------------------------------------------ */

/* RFC 9562 §5.4: 122 random bits. */
static int make_agent(jabi_memory *m, const jab_config *cfg)
{
    uint8_t b[16];
    char hex[33];
    if (cfg->random(cfg->random_arg, b, sizeof b) < 0)
        return JAB_ECRYPTO;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    jabi_hex(b, sizeof b, hex);
    snprintf(m->agent, sizeof m->agent, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
             hex + 16, hex + 20);
    m->is_changed = 1;
    return 0;
}

static int read_vault(jabi_memory *m, char *room)
{
    ptrdiff_t n = m->vault->load(m->vault->arg, m->account, room, JAB_VAULT_MAX, &m->is_shared);
    m->is_shared |= n < 0; /* what could not be read is not replaced */
    if (n <= 0)
        return n == JAB_ESTORE || n == JAB_ENOMEM ? (int)n : 0;
    int err = n > JAB_VAULT_MAX ? JAB_EINVAL : jabi_memory_unpack(m, (jab_str){room, (size_t)n});
    jabi_wipe(room, n > JAB_VAULT_MAX ? JAB_VAULT_MAX : (size_t)n);
    return err == JAB_EINVAL ? JAB_ESTORE : err;
}

/* XEP-0386 §3.2: a server ends older sessions of the same id, and a token belongs to one. */
static void leave_to_the_other(jabi_memory *m)
{
    memcpy(m->agent, m->other, sizeof m->agent);
    jabi_memory_drop_token(m);
}

int jabi_memory_load(jabi_memory *m, const jab_config *cfg)
{
    if (m->is_loaded)
        return 0;
    int err = 0;
    m->is_shared = 0;
    if (m->vault) {
        char *room = jabi_alloc(m->mem, JAB_VAULT_MAX);
        err = room ? read_vault(m, room) : JAB_ENOMEM;
        jabi_free(m->mem, room);
    }
    if (m->is_shared)
        leave_to_the_other(m);
    if (err >= 0 && !m->agent[0])
        err = make_agent(m, cfg);
    if (m->is_shared)
        memcpy(m->other, m->agent, sizeof m->other);
    m->is_loaded = err >= 0;
    return err;
}

void jabi_memory_rest(jabi_memory *m)
{
    if (m->is_loaded)
        m->is_changed = jabi_memory_save(m) < 0; /* what is not saved now may be later */
    m->is_loaded = 0;
}

int jabi_memory_save(jabi_memory *m)
{
    if (!m->is_changed || !m->vault || m->is_shared)
        return 0;
    jabi_buf bytes;
    jabi_buf_init(&bytes, m->mem, JAB_VAULT_MAX);
    bytes.secret = 1;
    int err = jabi_memory_pack(m, &bytes);
    if (err >= 0)
        err = m->vault->save(m->vault->arg, m->account, jabi_buf_str(&bytes));
    jabi_buf_fini(&bytes);
    m->is_changed &= err < 0;
    return err;
}
