/* vault.c: what programs do with a vault (login.h) outside of a log-in. */
#include "base/mem.h"
#include "base/system.h"
#include "stream/memory.h"

/* Reads the account's row into m; returns how many bytes it had, or < 0. */
static ptrdiff_t take(jabi_memory *m, const jab_vault *vault)
{
    char *room = jabi_alloc(m->mem, JAB_VAULT_MAX);
    if (!room)
        return JAB_ENOMEM;
    ptrdiff_t n = vault->load(vault->arg, m->account, room, JAB_VAULT_MAX, &m->is_shared);
    if (n > 0) {
        int err =
            n <= JAB_VAULT_MAX ? jabi_memory_unpack(m, (jab_str){room, (size_t)n}) : JAB_ESTORE;
        n = err == 0 || err == JAB_ENOMEM ? (err ? err : n) : JAB_ESTORE;
    }
    jabi_wipe(room, JAB_VAULT_MAX);
    jabi_free(m->mem, room);
    return n;
}

static void begin(jabi_memory *m, const jab_vault *vault, jab_str account, const jab_mem *mem)
{
    jabi_memory_init(m, mem ? mem : jabi_mem_default(), vault, account);
}

/* The token goes, too: it stands for a log-in that was as safe as the floor says. */
int jab_vault_allow_weaker(const jab_vault *vault, jab_str account, const jab_mem *mem)
{
    jabi_memory m;
    begin(&m, vault, account, mem);
    ptrdiff_t n = take(&m, vault);
    int err = n < 0 ? (int)n : 0;
    if (err == 0 && m.is_shared)
        err = JAB_ELOCKED;
    if (err == 0 && n > 0) {
        jabi_memory_drop_floor(&m);
        jabi_memory_drop_token(&m);
        err = jabi_memory_save(&m);
    }
    jabi_memory_fini(&m);
    return err;
}

int jab_vault_forget(const jab_vault *vault, jab_str account)
{
    int is_shared = 0;
    /* Only to learn whose it is: nothing fits in no room. */
    (void)vault->load(vault->arg, account, NULL, 0, &is_shared);
    return is_shared ? JAB_ELOCKED : vault->save(vault->arg, account, JAB_STR(""));
}

/* That may serve. */
static int has_keys(const jabi_memory *m)
{
    for (size_t i = 0; i < JABI_MEMORY_KEYS && !m->salts_vary; i++)
        if (m->keys[i].iterations > 0)
            return 1;
    return 0;
}

static int has_token(const jabi_memory *m)
{
    return m->texts[JABI_MEMORY_TOKEN].p &&
           (m->token_expiry == 0 || m->token_expiry > jabi_wall_default(NULL));
}

/* The numbers of jabi_sasl_class(). */
static const char *class_name(unsigned number)
{
    static const char *const names[] = {
        NULL, "PLAIN", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "EXTERNAL"};
    return number < sizeof names / sizeof names[0] ? names[number] : NULL;
}

int jab_vault_look(const jab_vault *vault, jab_str account, const jab_mem *mem,
                   jab_vault_facts *out)
{
    jabi_memory m;
    begin(&m, vault, account, mem);
    ptrdiff_t n = take(&m, vault);
    *out = (jab_vault_facts){.mechanism = class_name(m.floor.mechanism),
                             .channel_binding = m.floor.binding,
                             .sasl2 = m.floor.sasl2,
                             .tls_version = m.floor.tls_version,
                             .keys = has_keys(&m),
                             .token = has_token(&m),
                             .token_expiry = m.token_expiry,
                             .is_shared = m.is_shared};
    jabi_memory_fini(&m);
    return n > 0 ? 1 : (int)n;
}

/* The token is that of the program which holds the vault. */
int jab_vault_has_secret(const jab_vault *vault, jab_str account, const jab_mem *mem)
{
    jab_vault_facts facts;
    int n = jab_vault_look(vault, account, mem, &facts);
    return n > 0 ? facts.keys || (facts.token && !facts.is_shared) : n;
}
