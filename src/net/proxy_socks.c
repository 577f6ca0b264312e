/* proxy_socks.c: SOCKS5 (RFC 1928) with user and password (RFC 1929). */
#include <stdio.h>

#include "net/addr.h"
#include "net/proxy.h"

enum { VERSION = 5, PASSWORD_VERSION = 1, CMD_CONNECT = 1 };
enum { WITHOUT = 0, BY_PASSWORD = 2, NOTHING_ACCEPTABLE = 0xff }; /* RFC 1928 §3 */
enum { TO_V4 = 1, TO_NAME = 3, TO_V6 = 4 };                       /* §5 */

static void add_byte(jabi_buf *out, int value)
{
    jabi_buf_add_char(out, (char)value);
}

/* RFC 1928 §3: the ways to log in that this side knows. */
void jabi_socks_begin(jabi_proxy_talk *t)
{
    t->step = JABI_PROXY_METHOD;
    add_byte(&t->out, VERSION);
    add_byte(&t->out, t->proxy->has_user ? 2 : 1);
    add_byte(&t->out, WITHOUT);
    if (t->proxy->has_user)
        add_byte(&t->out, BY_PASSWORD);
}

static void add_counted(jabi_buf *out, const char *z)
{
    add_byte(out, (int)strlen(z));
    jabi_buf_add_z(out, z);
}

/* RFC 1929 §2. */
static void log_in(jabi_proxy_talk *t)
{
    t->step = JABI_PROXY_PASSWORD;
    add_byte(&t->out, PASSWORD_VERSION);
    add_counted(&t->out, t->proxy->user);
    add_counted(&t->out, t->proxy->password);
}

/* RFC 1928 §4, §5: a name goes as it is, and the proxy looks it up. */
static void ask(jabi_proxy_talk *t)
{
    jabi_addr addr;
    t->step = JABI_PROXY_CONNECT;
    add_byte(&t->out, VERSION);
    add_byte(&t->out, CMD_CONNECT);
    add_byte(&t->out, 0);
    if (!jabi_addr_parse(&addr, jab_cstr(t->host), 0)) {
        add_byte(&t->out, TO_NAME);
        add_counted(&t->out, t->host);
    } else if (addr.any.sa_family == AF_INET6) {
        add_byte(&t->out, TO_V6);
        jabi_buf_add(&t->out, &addr.v6.sin6_addr, 16);
    } else {
        add_byte(&t->out, TO_V4);
        jabi_buf_add(&t->out, &addr.v4.sin_addr, 4);
    }
    add_byte(&t->out, t->port >> 8);
    add_byte(&t->out, t->port & 0xff);
}

static int no_socks(jabi_proxy_talk *t)
{
    return jabi_proxy_failed(t, JAB_EPROTO, "does not speak SOCKS5");
}

static int take_method(jabi_proxy_talk *t, const uint8_t *p)
{
    if (p[0] != VERSION)
        return no_socks(t);
    if (t->in.n < 2)
        return 0;
    int method = p[1];
    jabi_buf_consume(&t->in, 2);
    if (method == NOTHING_ACCEPTABLE)
        return jabi_proxy_failed(t, JAB_ECONNECT,
                                 t->proxy->has_user ? "takes neither a password nor nobody"
                                                    : "wants a user and a password: "
                                                      "socks5://user:password@host:port");
    if (method == WITHOUT)
        ask(t);
    else if (method == BY_PASSWORD && t->proxy->has_user)
        log_in(t);
    else
        return no_socks(t);
    return 0;
}

/* RFC 1929 §2: any status but 0 refuses. */
static int take_verdict(jabi_proxy_talk *t, const uint8_t *p)
{
    if (p[0] != PASSWORD_VERSION)
        return no_socks(t);
    if (t->in.n < 2)
        return 0;
    int status = p[1];
    jabi_buf_consume(&t->in, 2);
    if (status != 0)
        return jabi_proxy_failed(t, JAB_ECONNECT, "does not accept its user and password");
    ask(t);
    return 0;
}

/* RFC 1928 §6. */
static int refuse(jabi_proxy_talk *t, int reply)
{
    static const char *const words[] = {
        [1] = "general failure",
        [2] = "not allowed by its rules",
        [3] = "network unreachable",
        [4] = "host unreachable, or no such name",
        [5] = "connection refused",
        [6] = "no answer in time",
        [7] = "it does not connect for others",
        [8] = "it does not know this kind of address",
    };
    char why[80];
    int is_known = reply > 0 && (size_t)reply < sizeof words / sizeof *words;
    snprintf(why, sizeof why, "%s (%d)", is_known ? words[reply] : "unknown reason", reply);
    return jabi_proxy_refused(t, why);
}

/* The bytes of a reply with such an address, whose first byte is `first`; 0 for no such kind. */
static size_t reply_size(int kind, int first)
{
    if (kind == TO_V4)
        return 4 + 4 + 2;
    if (kind == TO_V6)
        return 4 + 16 + 2;
    return kind == TO_NAME ? 4 + 1 + (size_t)first + 2 : 0;
}

static int take_reply(jabi_proxy_talk *t, const uint8_t *p)
{
    if (p[0] != VERSION)
        return no_socks(t);
    if (t->in.n >= 2 && p[1] != 0) /* some close without the rest */
        return refuse(t, p[1]);
    if (t->in.n < 5)
        return 0;
    size_t size = reply_size(p[3], p[4]);
    if (size == 0)
        return no_socks(t);
    if (t->in.n < size)
        return 0;
    jabi_buf_consume(&t->in, size);
    t->step = JABI_PROXY_OPEN;
    return 1;
}

int jabi_socks_step(jabi_proxy_talk *t)
{
    static int (*const steps[])(jabi_proxy_talk *, const uint8_t *) = {
        [JABI_PROXY_METHOD] = take_method,
        [JABI_PROXY_PASSWORD] = take_verdict,
        [JABI_PROXY_CONNECT] = take_reply,
    };
    size_t asked = t->out.n;
    int result = t->in.n > 0 ? steps[t->step](t, (const uint8_t *)t->in.p) : 0;
    /* An answer to what was not asked yet. */
    return result == 0 && t->in.n > 0 && t->out.n > asked ? no_socks(t) : result;
}
