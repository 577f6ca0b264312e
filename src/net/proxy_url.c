/* proxy_url.c: the proxy that a configuration names. */
#include <stdio.h>

#include "base/mem.h"
#include "net/addr.h"
#include "net/proxy.h"

static const struct {
    const char *scheme;
    jabi_proxy_kind kind;
} schemes[] = {
    {"socks5://", JABI_PROXY_SOCKS5},
    {"socks5h://",
     JABI_PROXY_SOCKS5}, /* how some say that the proxy resolves names: it always does */
    {"http://", JABI_PROXY_HTTP},
};

static int bad(char *why, size_t size, const char *words)
{
    snprintf(why, size, "%s", words);
    return JAB_EINVAL;
}

static jabi_proxy_kind take_scheme(jab_str *url)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t n = strlen(schemes[i].scheme);
        if (url->n >= n && memcmp(url->p, schemes[i].scheme, n) == 0) {
            *url = (jab_str){url->p + n, url->n - n};
            return schemes[i].kind;
        }
    }
    return JABI_PROXY_NONE;
}

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)((at - digits) % 16) : -1;
}

/* RFC 3986 §2.1: %40 is "@". 1, or 0 for what is too long or has a byte that
 * would end a line or a string. */
static int decode(jab_str from, char to[JABI_PROXY_SECRET])
{
    size_t used = 0;
    for (size_t i = 0; i < from.n; i++) {
        int c = (unsigned char)from.p[i];
        if (c == '%') {
            if (from.n - i < 3 || hex_value(from.p[i + 1]) < 0 || hex_value(from.p[i + 2]) < 0)
                return 0;
            c = hex_value(from.p[i + 1]) << 4 | hex_value(from.p[i + 2]);
            i += 2;
        }
        if (c < ' ' || c == 0x7f || used == JABI_PROXY_SECRET - 1)
            return 0;
        to[used++] = (char)c;
    }
    to[used] = '\0';
    return 1;
}

/* "user:password", in which ":" and "@" of the user's own are written with "%". */
static int read_user(jabi_proxy *p, jab_str text, char *why, size_t size)
{
    const char *colon = memchr(text.p, ':', text.n);
    size_t user_n = colon ? (size_t)(colon - text.p) : text.n;
    jab_str password = {text.p + user_n + 1, colon ? text.n - user_n - 1 : 0};
    if (!decode((jab_str){text.p, user_n}, p->user) || !decode(password, p->password))
        return bad(why, size,
                   "its user or password is longer than 255 bytes, or has a \"%\" that is not "
                   "followed by two hexadecimal digits, or a control character");
    if (!p->user[0])
        return bad(why, size, "the user before \"@\" is empty");
    if (p->kind == JABI_PROXY_SOCKS5 && !p->password[0]) /* RFC 1929 §2: 1 to 255 bytes */
        return bad(why, size, "a user of a SOCKS5 proxy needs a password: user:password@");
    if (p->kind == JABI_PROXY_HTTP && strchr(p->user, ':')) /* RFC 7617 §2 */
        return bad(why, size, "a user of an HTTP proxy has no colon");
    p->has_user = 1;
    return 0;
}

static int read_host(jabi_proxy *p, jab_str text, char *why, size_t size)
{
    jab_str host;
    if (!jabi_host_port(text, &host, &p->port) || host.n == 0)
        return bad(why, size, "what follows is not host:port");
    if (p->port == 0)
        return bad(why, size, "it has no port: write host:port");
    for (size_t i = 0; i < host.n; i++)
        if ((unsigned char)host.p[i] <= ' ' || strchr("/?#@\\", host.p[i]))
            return bad(why, size, "its host has a character that no host has");
    if (host.n >= sizeof p->host)
        return bad(why, size, "its host is too long");
    memcpy(p->host, host.p, host.n);
    p->host[host.n] = '\0';
    return 0;
}

static jab_str last_at_sign(jab_str text)
{
    for (size_t i = text.n; i > 0; i--)
        if (text.p[i - 1] == '@')
            return (jab_str){text.p + i - 1, text.n - i + 1};
    return (jab_str){NULL, 0};
}

static int read_rest(jabi_proxy *p, jab_str rest, char *why, size_t size)
{
    if (rest.n > 0 && rest.p[rest.n - 1] == '/') /* a path of nothing, as browsers show it */
        rest.n--;
    jab_str at = last_at_sign(rest);
    if (!at.p)
        return read_host(p, rest, why, size);
    int err = read_user(p, (jab_str){rest.p, rest.n - at.n}, why, size);
    return err < 0 ? err : read_host(p, (jab_str){at.p + 1, at.n - 1}, why, size);
}

int jabi_proxy_parse(jabi_proxy *p, jab_str url, char *why, size_t why_size)
{
    *p = (jabi_proxy){0};
    if (memchr(url.p ? url.p : "", '\0', url.n))
        return bad(why, why_size, "it has a NUL byte");
    p->kind = take_scheme(&url);
    int err = p->kind == JABI_PROXY_NONE
                  ? bad(why, why_size, "it does not begin with socks5:// or http://")
                  : read_rest(p, url, why, why_size);
    if (err < 0)
        jabi_wipe(p, sizeof *p);
    return err;
}
