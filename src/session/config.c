/* config.c: an owned copy of a configuration, with defaults filled in. */
#include "session/session.h"

#include "base/mem.h"
#include "base/system.h"

/* The members that are strings, and what they are when left out. */
static const struct {
    size_t offset;
    const char *fallback;
} strings[] = {
    {offsetof(jab_config, jid), NULL},
    {offsetof(jab_config, password), NULL},
    {offsetof(jab_config, authzid), NULL},
    {offsetof(jab_config, mechanisms), NULL},
    {offsetof(jab_config, lang), "en"},
    {offsetof(jab_config, software_name), "jabiru"},
    {offsetof(jab_config, software_version), JAB_VERSION},
    {offsetof(jab_config, software_os), NULL},
    {offsetof(jab_config, identity_category), "client"},
    {offsetof(jab_config, identity_type), "console"},
    {offsetof(jab_config, host), NULL},
    {offsetof(jab_config, ca_file), NULL},
    {offsetof(jab_config, client_cert), NULL},
    {offsetof(jab_config, client_key), NULL},
    {offsetof(jab_config, pin_sha256), NULL},
    {offsetof(jab_config, nameserver), NULL},
    {offsetof(jab_config, bearer_token), NULL},
    {offsetof(jab_config, device), NULL},
    {offsetof(jab_config, proxy), NULL},
};

static jab_str *member(jab_config *cfg, size_t i)
{
    return (jab_str *)((char *)cfg + strings[i].offset);
}

/* What is computed from a limit stays within a size_t. */
#define BYTES_MAX (SIZE_MAX / 128)

static size_t at_most(size_t n, size_t max)
{
    return n < max ? n : max;
}

/* JAB_EINVAL for a time before now. One so long that a clock's time plus it
 * is no time is JAB_NEVER. */
static int check_times(jab_config *c)
{
    int64_t *const times[] = {&c->login_timeout, &c->request_timeout, &c->stanza_timeout,
                              &c->ack_timeout,   &c->keepalive,       &c->connect_timeout};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        if (*times[i] < 0)
            return JAB_EINVAL;
        if (*times[i] > JAB_NEVER / 2)
            *times[i] = JAB_NEVER;
    }
    return 0;
}

static void fill_defaults(jab_config *c)
{
    static const jab_config defaults = {
        .max_stanza_bytes = 1 << 20,
        .max_output_bytes = 4 << 20,
        .max_events = 256,
        .max_requests = 64,
        .max_scram_iterations = 2000000,
        .login_timeout = 60000,
        .request_timeout = 30000,
        .stanza_timeout = 60000,
        .ack_timeout = 30000,
        .keepalive = 60000,
        .connect_timeout = 30000,
        .max_outbox = 10000,
    };
#define FILL(name) c->name = c->name ? c->name : defaults.name
    FILL(max_stanza_bytes);
    FILL(max_output_bytes);
    FILL(max_events);
    FILL(max_requests);
    FILL(max_scram_iterations);
    FILL(login_timeout);
    FILL(request_timeout);
    FILL(stanza_timeout);
    FILL(ack_timeout);
    FILL(keepalive);
    FILL(connect_timeout);
    FILL(max_outbox);
#undef FILL
    c->max_stanza_bytes = at_most(c->max_stanza_bytes, BYTES_MAX);
    c->max_output_bytes = at_most(c->max_output_bytes, BYTES_MAX);
    if (!c->random)
        c->random = jabi_random_default;
    if (!c->wall)
        c->wall = jabi_wall_default;
}

int jabi_config_copy(jab_config *to, const jab_config *from, const jab_mem *mem)
{
    if (!from || from->size < sizeof(size_t) || !mem->alloc || !mem->realloc || !mem->free)
        return JAB_EINVAL;
    *to = (jab_config){0};
    /* A program built against an older header knows fewer members. */
    memcpy(to, from, from->size < sizeof *to ? from->size : sizeof *to);
    to->size = sizeof *to;
    to->mem = mem;
    fill_defaults(to);
    int err = check_times(to);
    if (err < 0) {
        *to = (jab_config){0}; /* its strings are the caller's */
        return err;
    }
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        jab_str *s = member(to, i);
        jab_str value = s->p || !strings[i].fallback ? *s : jab_cstr(strings[i].fallback);
        if (jabi_strdup(mem, s, value) < 0)
            err = JAB_ENOMEM;
    }
    if (err < 0)
        jabi_config_fini(to, mem);
    return err;
}

void jabi_config_fini(jab_config *cfg, const jab_mem *mem)
{
    jabi_wipe((char *)cfg->password.p, cfg->password.n);
    jabi_wipe((char *)cfg->bearer_token.p, cfg->bearer_token.n);
    jabi_wipe((char *)cfg->proxy.p, cfg->proxy.n); /* it may have a password, too */
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        jabi_free(mem, (char *)member(cfg, i)->p);
        *member(cfg, i) = (jab_str){NULL, 0};
    }
}
