/* recall.c: what a connection leaves for the next one: its TLS session, and where it led. */
#include "net/conn.h"

static jabi_memory *memory_of(jab_client *c)
{
    return &c->session->stream.memory;
}

/* -- Sessions ---------------------------------------------------------------------- */

void jabi_recall_session(jab_client *c)
{
    jabi_memory *m = memory_of(c);
    uint8_t key[32];
    /* RFC 8446 C.4: in a shared vault it is the other program's. */
    if (m->is_shared || c->cfg->dane || c->no_resume ||
        jabi_tls_session_key(key, c->cfg, c->domain, c->target, c->target_port, c->direct_tls) < 0)
        return;
    int64_t wall = c->cfg->wall(c->cfg->wall_arg);
    jab_str kept = m->texts[JABI_MEMORY_TLS_SESSION], none = {NULL, 0};
    if (jabi_tls_allow_session(c->tls, key, kept, wall))
        (void)!jabi_memory_set(m, JABI_MEMORY_TLS_SESSION, none); /* forgetting cannot fail */
}

void jabi_recall_keep_session(jab_client *c)
{
    jabi_buf bytes;
    jabi_buf_init(&bytes, c->loop->mem, JABI_TLS_SESSION_BYTES);
    bytes.secret = 1;
    /* Without memory to keep it in, the next handshake is a full one. */
    if (jabi_tls_keep_session(c->tls, &bytes))
        (void)!jabi_memory_set(memory_of(c), JABI_MEMORY_TLS_SESSION, jabi_buf_str(&bytes));
    jabi_buf_fini(&bytes);
}
