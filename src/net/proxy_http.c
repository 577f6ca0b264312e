/* proxy_http.c: a tunnel by HTTP CONNECT (RFC 9110 §9.3.6), with Basic (RFC 7617). */
#include <stdio.h>

#include "base/base64.h"
#include "base/mem.h"
#include "net/proxy.h"

/* RFC 7617 §2. */
static void add_password(jabi_proxy_talk *t)
{
    char both[2 * JABI_PROXY_SECRET];
    int n = snprintf(both, sizeof both, "%s:%s", t->proxy->user, t->proxy->password);
    jabi_buf_add_z(&t->out, "Proxy-Authorization: Basic ");
    jabi_base64_encode(&t->out, both, (size_t)n);
    jabi_buf_add_z(&t->out, "\r\n");
    jabi_wipe(both, sizeof both);
}

void jabi_http_begin(jabi_proxy_talk *t)
{
    char aim[JABI_HOST_MAX + 16];
    jabi_proxy_aim(t, aim, sizeof aim);
    t->step = JABI_PROXY_CONNECT;
    jabi_buf_printf(&t->out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", aim, aim);
    if (t->proxy->has_user)
        add_password(t);
    jabi_buf_add_z(&t->out, "\r\n");
}

/* Bytes up to and with the empty line, or 0. A line may end in a lone LF (RFC 9112 §2.2). */
static size_t header_size(jab_str in)
{
    for (size_t i = 0; i + 1 < in.n; i++) {
        if (in.p[i] != '\n')
            continue;
        if (in.p[i + 1] == '\n')
            return i + 2;
        if (in.p[i + 1] == '\r' && i + 2 < in.n && in.p[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

/* The status of "HTTP/1.1 200 Established" (RFC 9112 §4), or -1. */
static int read_status(jab_str in)
{
    if (in.n < 13 || memcmp(in.p, "HTTP/1.", 7) != 0 || in.p[8] != ' ')
        return -1;
    int status = 0;
    for (size_t i = 9; i < 12; i++) {
        if (in.p[i] < '0' || in.p[i] > '9')
            return -1;
        status = status * 10 + in.p[i] - '0';
    }
    return strchr(" \r\n", in.p[12]) ? status : -1;
}

/* The proxy's own words, of which a terminal has nothing to fear. */
static int refuse(jabi_proxy_talk *t, int status, jab_str in)
{
    if (status == 407) /* RFC 9110 §15.5.8 */
        return jabi_proxy_failed(
            t, JAB_ECONNECT,
            t->proxy->has_user ? "does not accept its user and password"
                               : "wants a user and a password: http://user:password@host:port");
    char words[60];
    size_t n = 0;
    for (size_t i = 13; i < in.n && n < sizeof words - 1 && in.p[i] != '\r' && in.p[i] != '\n'; i++)
        words[n++] = in.p[i] >= ' ' && in.p[i] < 0x7f ? in.p[i] : '?';
    words[n] = '\0';
    char why[100];
    snprintf(why, sizeof why, "%s (%d)", n ? words : "no reason given", status);
    return jabi_proxy_refused(t, why);
}

int jabi_http_step(jabi_proxy_talk *t)
{
    jab_str in = jabi_buf_str(&t->in);
    size_t start = in.n < 7 ? in.n : 7;
    if (memcmp(in.p, "HTTP/1.", start) != 0)
        return jabi_proxy_failed(t, JAB_EPROTO, "does not speak HTTP");
    for (size_t size; (size = header_size(in)) > 0; in = jabi_buf_str(&t->in)) {
        int status = read_status(in);
        if (status < 0)
            return jabi_proxy_failed(t, JAB_EPROTO, "does not speak HTTP");
        if (status >= 300 || status == 101)
            return refuse(t, status, in);
        jabi_buf_consume(&t->in, size);
        /* RFC 9110 §9.3.6: any 2xx opens the tunnel, whatever lengths the header gives;
         * §15.2: answers before the last one are skipped. */
        if (status >= 200) {
            t->step = JABI_PROXY_OPEN;
            return 1;
        }
    }
    return 0;
}
