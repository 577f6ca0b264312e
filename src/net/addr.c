/* addr.c: IP addresses as text, without any look-up. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <strings.h>

socklen_t jabi_addr_size(const jabi_addr *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

static void set_port(jabi_addr *a, uint16_t port)
{
    if (a->any.sa_family == AF_INET6)
        a->v6.sin6_port = htons(port);
    else
        a->v4.sin_port = htons(port);
}

int jabi_addr_parse(jabi_addr *a, jab_str text, uint16_t port)
{
    if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = (jab_str){text.p + 1, text.n - 2};
    char z[INET6_ADDRSTRLEN + 32];
    if (text.n == 0 || text.n >= sizeof z || memchr(text.p, '\0', text.n))
        return 0;
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    /* inet_pton() first: getaddrinfo() would also take "1" or "0x7f.1". */
    memset(a, 0, sizeof *a);
    if (inet_pton(AF_INET, z, &a->v4.sin_addr) == 1) {
        a->any.sa_family = AF_INET;
    } else if (inet_pton(AF_INET6, z, &a->v6.sin6_addr) == 1) {
        a->any.sa_family = AF_INET6;
    } else {
        struct addrinfo hints = {.ai_family = AF_INET6, .ai_flags = AI_NUMERICHOST};
        struct addrinfo *found = NULL;
        if (!strchr(z, '%') || getaddrinfo(z, NULL, &hints, &found) != 0)
            return 0;
        memcpy(&a->v6, found->ai_addr, sizeof a->v6);
        freeaddrinfo(found);
    }
    set_port(a, port);
    return 1;
}

void jabi_addr_from_bytes(jabi_addr *a, int family, const void *bytes, uint16_t port)
{
    memset(a, 0, sizeof *a);
    a->any.sa_family = (sa_family_t)family;
    if (family == AF_INET6)
        memcpy(&a->v6.sin6_addr, bytes, sizeof a->v6.sin6_addr);
    else
        memcpy(&a->v4.sin_addr, bytes, sizeof a->v4.sin_addr);
    set_port(a, port);
}

void jabi_addr_format(const jabi_addr *a, char out[JABI_ADDR_TEXT])
{
    char host[INET6_ADDRSTRLEN + 20] = "?";
    if (a->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof host);
        snprintf(out, JABI_ADDR_TEXT, "[%s]:%u", host, (unsigned)ntohs(a->v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof host);
        snprintf(out, JABI_ADDR_TEXT, "%s:%u", host, (unsigned)ntohs(a->v4.sin_port));
    }
}

/* A decimal port 1...65535. */
static int read_port(jab_str text, uint16_t *port)
{
    uint32_t value = 0;
    if (text.n == 0 || text.n > 5)
        return 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        value = value * 10 + (uint32_t)(text.p[i] - '0');
    }
    *port = (uint16_t)value;
    return value > 0 && value <= 65535;
}

int jabi_host_port(jab_str text, jab_str *host, uint16_t *port)
{
    *port = 0;
    if (text.n == 0)
        return 0;
    const char *end = text.p + text.n;
    const char *colon = NULL;
    if (text.p[0] == '[') {
        const char *close = memchr(text.p, ']', text.n);
        if (!close || close == text.p + 1)
            return 0;
        *host = (jab_str){text.p + 1, (size_t)(close - text.p) - 1};
        if (close + 1 == end)
            return 1;
        colon = close + 1;
        if (*colon != ':')
            return 0;
    } else {
        colon = memchr(text.p, ':', text.n);
        if (!colon || memchr(colon + 1, ':', (size_t)(end - colon) - 1)) {
            *host = text; /* a name, or IPv6 without brackets */
            return 1;
        }
        *host = (jab_str){text.p, (size_t)(colon - text.p)};
    }
    return host->n > 0 && read_port((jab_str){colon + 1, (size_t)(end - colon) - 1}, port);
}

int jabi_is_localhost(jab_str name)
{
    static const char local[] = "localhost";
    size_t n = sizeof local - 1;
    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    return name.n >= n && strncasecmp(name.p + name.n - n, local, n) == 0 &&
           (name.n == n || name.p[name.n - n - 1] == '.');
}
