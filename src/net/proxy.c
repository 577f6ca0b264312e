/* proxy.c: the talk with a proxy, of whatever kind. */
#include "net/proxy.h"

#include <stdio.h>

#include "base/mem.h"
#include "net/addr.h"

static const struct {
    void (*begin)(jabi_proxy_talk *t);
    int (*step)(jabi_proxy_talk *t);
} kinds[] = {
    [JABI_PROXY_SOCKS5] = {jabi_socks_begin, jabi_socks_step},
    [JABI_PROXY_HTTP] = {jabi_http_begin, jabi_http_step},
};

/* A name from DNS or a server's words must not write headers of its own. */
static int is_tellable(const char *host)
{
    for (const char *p = host; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("/?#@\\", *p))
            return 0;
    return host[0] != '\0' && strlen(host) < JABI_HOST_MAX;
}

int jabi_proxy_begin(jabi_proxy_talk *t, const jab_mem *mem, const jabi_proxy *proxy,
                     const char *address, const char *host, uint16_t port)
{
    *t = (jabi_proxy_talk){.proxy = proxy, .port = port};
    jabi_buf_init(&t->out, mem, 4096);
    jabi_buf_init(&t->in, mem, JABI_PROXY_REPLY);
    t->out.secret = 1;
    if (!is_tellable(host))
        return JAB_EINVAL;
    snprintf(t->host, sizeof t->host, "%s", host);
    snprintf(t->address, sizeof t->address, "%s", address);
    kinds[proxy->kind].begin(t);
    return t->out.error;
}

int jabi_proxy_feed(jabi_proxy_talk *t, const void *bytes, size_t n)
{
    jabi_buf_add(&t->in, bytes, n);
    if (t->in.error == JAB_ENOMEM)
        return JAB_ENOMEM;
    if (t->in.error)
        return jabi_proxy_failed(t, JAB_EPROTO, "sent an answer without end");
    int result = kinds[t->proxy->kind].step(t);
    if (result == 0 && t->out.error)
        return t->out.error;
    /* The client speaks first, in TLS and in XMPP: the server had no cause to. */
    if (result == 1 && t->in.n > 0)
        return jabi_proxy_failed(t, JAB_EPROTO, "sent more than its answer");
    return result;
}

void jabi_proxy_end(jabi_proxy_talk *t)
{
    jabi_buf_fini(&t->out);
    jabi_buf_fini(&t->in);
}

/* -- Words ------------------------------------------------------------------- */

void jabi_proxy_aim(const jabi_proxy_talk *t, char *out, size_t size)
{
    int bare_v6 = strchr(t->host, ':') != NULL;
    snprintf(out, size, "%s%s%s:%u", bare_v6 ? "[" : "", t->host, bare_v6 ? "]" : "",
             (unsigned)t->port);
}

int jabi_proxy_refused(jabi_proxy_talk *t, const char *why)
{
    char aim[JABI_HOST_MAX + 16];
    jabi_proxy_aim(t, aim, sizeof aim);
    snprintf(t->text, sizeof t->text, "the proxy %s refused to connect to %s: %s", t->address, aim,
             why);
    return JAB_ECONNECT;
}

int jabi_proxy_failed(jabi_proxy_talk *t, int code, const char *what)
{
    snprintf(t->text, sizeof t->text, "the proxy %s %s", t->address, what);
    return code;
}
