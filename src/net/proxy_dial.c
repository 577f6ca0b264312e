/* proxy_dial.c: the part of a connection between the proxy's socket and the server. */
#include <stdio.h>

#include "base/mem.h"
#include "net/conn.h"
#include "net/tcp.h"

int jab_proxy_check(jab_str url, char *why, size_t why_size)
{
    jabi_proxy proxy;
    int err = jabi_proxy_parse(&proxy, url, why, why_size);
    jabi_wipe(&proxy, sizeof proxy);
    return err;
}

int jabi_proxy_set_up(jab_client *c)
{
    char why[160];
    if (!c->cfg->proxy.p)
        return 0;
    c->proxy = jabi_alloc0(c->loop->mem, sizeof *c->proxy);
    return c->proxy ? jabi_proxy_parse(c->proxy, c->cfg->proxy, why, sizeof why) : JAB_ENOMEM;
}

void jabi_proxy_free(jab_client *c)
{
    if (c->proxy)
        jabi_wipe(c->proxy, sizeof *c->proxy);
    jabi_free(c->loop->mem, c->proxy);
    c->proxy = NULL;
}

/* SRV cannot be asked without telling a name server whom this is for: the host itself
 * on the ports that servers use (RFC 6120 §3.2.2, XEP-0368 §1), which are never port 0. */
int jabi_proxy_aims(jab_client *c, jabi_resolve_args *args)
{
    jabi_aims *aims = &c->dial->aims;
    int direct = args->tls == JAB_TLS_DIRECT;
    jab_str host = args->host.p ? args->host : args->domain;
    if (host.n == 0 || host.n >= sizeof aims->host)
        return JAB_EINVAL;
    memcpy(aims->host, host.p, host.n);
    aims->host[host.n] = '\0';
    aims->ports[0] = args->host.p && args->port ? args->port : direct ? 5223 : 5222;
    aims->ports[1] = direct && !(args->host.p && args->port) ? 443 : 0;
    args->host = jab_cstr(c->proxy->host);
    args->port = c->proxy->port;
    return 0;
}

int jabi_proxy_has_more(const jab_client *c)
{
    const jabi_aims *aims = &c->dial->aims;
    return c->proxy && aims->at == 0 && aims->ports[1];
}

void jabi_proxy_next_aim(jab_client *c)
{
    jabi_targets *all = &c->dial->targets;
    c->dial->aims.at++;
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->list[i].n; k++)
            all->list[i].ends[k].state = JABI_END_NEW;
    c->dial->race.end = NULL; /* the last one did connect: it is as good as the others */
}

static void failed(jab_client *c, int code)
{
    jab_fault fault = {.code = code, .stage = JAB_AT_TCP, .text = jab_cstr(c->dial->talk.text)};
    if (!fault.text.n)
        fault.text = jab_cstr(jab_strerror(code));
    jabi_fail(c, &fault);
}

void jabi_proxy_start(jab_client *c)
{
    jabi_dial *dial = c->dial;
    const jabi_aims *aims = &dial->aims;
    snprintf(c->target, sizeof c->target, "%s", aims->host);
    c->target_port = aims->ports[aims->at];
    c->phase = JABI_CONN_PROXY;
    c->readable = 0;
    int err = jabi_proxy_begin(&dial->talk, c->loop->mem, c->proxy, c->address, aims->host,
                               c->target_port);
    if (err < 0)
        failed(c, err);
}

/* Writes what there is. 0, or JAB_EIO. */
static int say(jab_client *c)
{
    jabi_buf *out = &c->dial->talk.out;
    c->blocked = 0;
    while (out->n > 0) {
        ptrdiff_t n = jabi_tcp_send(c->watch.fd, out->p, out->n);
        if (n < 0)
            return JAB_EIO;
        if (n == 0) {
            c->blocked = 1;
            return 0;
        }
        jabi_buf_consume(out, (size_t)n);
    }
    return 0;
}

/* Reads and answers: 1 once the way is open, 0 to wait, < 0. */
static int talk(jab_client *c)
{
    jabi_proxy_talk *t = &c->dial->talk;
    char bytes[1024];
    int result = say(c) < 0 ? JAB_EEOF : 0;
    while (result == 0 && !c->blocked) {
        ptrdiff_t n = jabi_tcp_recv(c->watch.fd, bytes, sizeof bytes);
        if (n == 0)
            return 0;
        result = n < 0 ? JAB_EEOF : jabi_proxy_feed(t, bytes, (size_t)n);
        if (result == 0 && say(c) < 0)
            result = JAB_EEOF;
    }
    if (result == JAB_EEOF)
        result = jabi_proxy_failed(t, JAB_ECONNECT, "closed the connection without an answer");
    return result;
}

void jabi_proxy_run(jab_client *c)
{
    jabi_tcp_quickack(c->watch.fd);
    int result = talk(c);
    if (result < 0) {
        failed(c, result);
    } else if (result == 1) {
        jabi_proxy_end(&c->dial->talk);
        jabi_connected(c);
    }
}
