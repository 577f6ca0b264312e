/* probe_proxy.c: a probe's way through a proxy: which ports it aims at, and the talk with
 * the proxy before the server's first byte. */
#include <stdio.h>

#include "base/mem.h"
#include "net/probe.h"
#include "net/tcp.h"

int jabi_probe_set_proxy(jab_probe *p)
{
    char why[160];
    if (!p->cfg.proxy.p)
        return 0;
    p->proxy = jabi_alloc0(p->cfg.mem, sizeof *p->proxy);
    return p->proxy ? jabi_proxy_parse(p->proxy, p->cfg.proxy, why, sizeof why) : JAB_ENOMEM;
}

void jabi_probe_free_proxy(jab_probe *p)
{
    if (p->proxy)
        jabi_wipe(p->proxy, sizeof *p->proxy);
    jabi_free(p->cfg.mem, p->proxy);
}

/* As a client: SRV cannot be asked without telling a name server whom this is for, so
 * it is the host itself, on the ports that servers use (RFC 6120 §3.2.2, XEP-0368 §1). */
size_t jabi_probe_aims(const jab_probe *p, uint16_t ports[2])
{
    int direct = p->cfg.tls == JAB_TLS_DIRECT;
    int given = p->cfg.host.p && p->cfg.port;
    ports[0] = given ? p->cfg.port : direct ? 5223 : 5222;
    ports[1] = 443;
    return direct && !given ? 2 : 1;
}

/* -- The talk --------------------------------------------------------------------------- */

static int failed(jabi_probe_run *run, int code)
{
    jab_str words = jab_cstr(run->talk.text[0] ? run->talk.text : jab_strerror(code));
    return jabi_probe_fault(run, code, JAB_AT_TCP, (jab_str){0}, JAB_FMT, JAB_ARG(words));
}

static int say(jabi_probe_run *run)
{
    jabi_buf *out = &run->talk.out;
    while (out->n > 0) {
        ptrdiff_t n = jabi_tcp_send(run->watch.fd, out->p, out->n);
        if (n <= 0)
            return n < 0 ? JAB_EIO : 0;
        jabi_buf_consume(out, (size_t)n);
    }
    return 0;
}

int jabi_probe_pass(jabi_probe_run *run)
{
    char bytes[1024];
    int result = say(run);
    while (result == 0) {
        ptrdiff_t n = jabi_tcp_recv(run->watch.fd, bytes, sizeof bytes);
        if (n == 0)
            return JABI_PROBE_WAIT;
        result = n < 0 ? JAB_EIO : jabi_proxy_feed(&run->talk, bytes, (size_t)n);
        if (result == 0)
            result = say(run);
    }
    if (result == JAB_EIO)
        result =
            jabi_proxy_failed(&run->talk, JAB_ECONNECT, "closed the connection without an answer");
    if (result < 0)
        return failed(run, result);
    jabi_proxy_end(&run->talk);
    return run->target->direct_tls ? jabi_probe_begin_tls(run) : jabi_probe_begin_stream(run);
}

int jabi_probe_begin_proxy(jabi_probe_run *run)
{
    jab_probe *p = run->p;
    char address[JABI_ADDR_TEXT];
    jabi_addr_format(&run->end->addr, address);
    int err = jabi_proxy_begin(&run->talk, p->cfg.mem, p->proxy, address, run->target->host.p,
                               run->target->port);
    return err < 0 ? failed(run, err) : jabi_probe_enter(run, jabi_probe_pass);
}
