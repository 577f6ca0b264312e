/* recall.c: what a connection leaves for the next one: its TLS session, and where it led. */
#include <stdio.h>

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
    /* RFC 8446 C.4: in a shared vault it is the other program's. With direct TLS nobody has
     * looked into the vault before; one that cannot be read ends the log-in when that begins. */
    if (jabi_memory_load(m, c->cfg) < 0 || m->is_shared || c->cfg->dane || c->no_resume ||
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

/* -- Endpoints --------------------------------------------------------------------- */

int jabi_endpoint_read(jab_str text, jabi_target *target)
{
    jab_str host, name;
    uint16_t port;
    *target = (jabi_target){.is_recalled = 1};
    if (text.n < 4 || (text.p[0] != 'D' && text.p[0] != 'S') || text.p[1] != ' ')
        return 0;
    target->direct_tls = text.p[0] == 'D';
    const char *from = text.p + 2, *end = text.p + text.n;
    const char *space = memchr(from, ' ', (size_t)(end - from));
    if (!space)
        return 0;
    name = (jab_str){space + 1, (size_t)(end - space) - 1};
    jabi_addr addr;
    if (name.n == 0 || name.n >= sizeof target->host || memchr(name.p, '\0', name.n) ||
        !jabi_host_port((jab_str){from, (size_t)(space - from)}, &host, &port) || !port ||
        !jabi_addr_parse(&addr, host, port))
        return 0;
    memcpy(target->host, name.p, name.n);
    target->port = port;
    jabi_target_add(target, &addr, 0);
    return 1;
}

int jabi_endpoint_write(const jabi_target *target, char *out, size_t size)
{
    char address[JABI_ADDR_TEXT];
    jabi_addr_format(&target->ends[0].addr, address);
    int n = snprintf(out, size, "%c %s %s", target->direct_tls ? 'D' : 'S', address, target->host);
    return n > 0 && (size_t)n < size;
}

static int is_wanted(const jab_client *c, const jabi_target *target)
{
    static const int direct[] = {[JAB_TLS_REQUIRED] = -1, [JAB_TLS_DIRECT] = 1, [JAB_TLS_OFF] = 0};
    int wanted = direct[c->cfg->tls];
    return wanted < 0 || wanted == target->direct_tls;
}

/* DNSSEC has nothing to say of an endpoint that no SRV record names now. */
static int may_recall(const jab_client *c, jab_str host)
{
    return !host.p && !c->proxy && !c->cfg->dane && c->cfg->tls != JAB_TLS_OFF;
}

int jabi_recall_endpoint(jab_client *c, jab_str host, jabi_target *target)
{
    jabi_memory *m = memory_of(c);
    /* A vault that cannot be read ends the log-in, with words, when it begins. */
    if (!may_recall(c, host) || jabi_memory_load(m, c->cfg) < 0)
        return 0;
    jab_str text = m->texts[JABI_MEMORY_ENDPOINT];
    return text.p && jabi_endpoint_read(text, target) && is_wanted(c, target);
}

void jabi_recall_keep_endpoint(jab_client *c)
{
    char text[JABI_ADDR_TEXT + JABI_HOST_MAX + 4];
    jabi_dial *dial = c->dial;
    if (!dial || !may_recall(c, c->cfg->host) || dial->by_location || c->redirects ||
        !c->tls->info.verified)
        return;
    jabi_target here = {.port = c->target_port, .direct_tls = c->direct_tls};
    memcpy(here.host, c->target, sizeof here.host);
    jabi_target_add(&here, &dial->race.end->addr, 0);
    if (jabi_endpoint_write(&here, text, sizeof text))
        (void)!jabi_memory_set(memory_of(c), JABI_MEMORY_ENDPOINT, jab_cstr(text));
}
