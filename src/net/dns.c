/* dns.c: c-ares with its sockets and deadlines in the loop. */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <sys/time.h>

#include "net/resolve_internal.h"

#define AD       0x20 /* in the fourth byte of a header (RFC 6840 §5.7, §5.8) */
#define UDP_SIZE 1232 /* bytes that an answer may have without TCP */

static jabi_dns_socket *find(jabi_dns *dns, int fd)
{
    for (size_t i = 0; i < JABI_DNS_SOCKETS; i++)
        if (dns->sockets[i].watch.fd == fd)
            return &dns->sockets[i];
    return NULL;
}

/* c-ares opens, changes or closes a socket. One that cannot be watched stays
 * unheard, and its query times out. */
static void socket_changed(void *arg, ares_socket_t fd, int readable, int writable)
{
    jabi_dns *dns = arg;
    uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
    jabi_dns_socket *known = find(dns, fd);
    if (known) {
        if (!events || jabi_watch_set(dns->loop, &known->watch, events) < 0)
            jabi_watch_remove(dns->loop, &known->watch);
        return;
    }
    jabi_dns_socket *unused = find(dns, -1);
    if (!unused || !events)
        return;
    unused->watch.fd = fd;
    if (jabi_watch_set(dns->loop, &unused->watch, events) < 0)
        unused->watch.fd = -1;
}

void jabi_dns_arm(jabi_dns *dns)
{
    struct timeval room, *left = ares_timeout(dns->channel, NULL, &room);
    int64_t at = JAB_NEVER;
    if (left)
        at = jabi_now() + (int64_t)left->tv_sec * 1000 + left->tv_usec / 1000 + 1;
    jabi_timer_set(&dns->loop->timers, &dns->timer, at);
}

static void process(jabi_dns *dns, ares_socket_t in, ares_socket_t out)
{
    ares_process_fd(dns->channel, in, out);
    jabi_dns_arm(dns);
    dns->progress(dns->arg);
}

static void on_socket(void *arg, uint32_t events)
{
    jabi_dns_socket *socket = arg;
    int fd = socket->watch.fd;
    int in = events & (EPOLLIN | EPOLLERR | EPOLLHUP) ? fd : ARES_SOCKET_BAD;
    int out = events & EPOLLOUT ? fd : ARES_SOCKET_BAD;
    process(socket->dns, in, out);
}

static void on_timer(void *arg)
{
    process(arg, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

int jabi_dns_init(jabi_dns *dns, jab_loop *loop, jab_str nameserver, void (*progress)(void *),
                  void *arg)
{
    *dns = (jabi_dns){.loop = loop, .progress = progress, .arg = arg};
    for (size_t i = 0; i < JABI_DNS_SOCKETS; i++) {
        dns->sockets[i].dns = dns;
        dns->sockets[i].watch = (jabi_watch){.fd = -1, .fn = on_socket, .arg = &dns->sockets[i]};
    }
    dns->timer.fn = on_timer;
    dns->timer.arg = dns;
    /* No search list: "example" must not become "example.my.domain". */
    struct ares_options options = {.flags = ARES_FLAG_NOSEARCH,
                                   .timeout = 1500,
                                   .tries = 3,
                                   .sock_state_cb = socket_changed,
                                   .sock_state_cb_data = dns};
    int status = ares_init_options(&dns->channel, &options,
                                   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                       ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        dns->channel = NULL;
        return status == ARES_ENOMEM ? JAB_ENOMEM : JAB_EIO;
    }
    if (!nameserver.p)
        return 0;
    status = ares_set_servers_ports_csv(dns->channel, nameserver.p);
    return status == ARES_SUCCESS ? 0 : status == ARES_ENOMEM ? JAB_ENOMEM : JAB_EINVAL;
}

/* -- DNSSEC -------------------------------------------------------------------- */

int jabi_dns_ask(jabi_dns *dns, const char *name, int type, int asks_ad, ares_callback answered,
                 void *arg)
{
    unsigned char *query = NULL;
    uint16_t id;
    int size = 0;
    if (!asks_ad) {
        ares_query(dns->channel, name, ns_c_in, type, answered, arg);
        return 0;
    }
    if (dns->random(dns->random_arg, &id, sizeof id) < 0)
        return JAB_ECRYPTO;
    if (ares_create_query(name, ns_c_in, type, id, 1, &query, &size, UDP_SIZE) != ARES_SUCCESS)
        return JAB_ENOMEM;
    query[3] |= AD; /* RFC 6840 §5.7: "tell me" */
    ares_send(dns->channel, query, size, answered, arg);
    ares_free_string(query);
    return 0;
}

int jabi_dns_status(int status, const unsigned char *reply, int size)
{
    static const int by_code[] = {ARES_SUCCESS,   ARES_EFORMERR, ARES_ESERVFAIL,
                                  ARES_ENOTFOUND, ARES_ENOTIMP,  ARES_EREFUSED};
    if (status != ARES_SUCCESS || size < 12)
        return status == ARES_SUCCESS ? ARES_EBADRESP : status;
    size_t code = reply[3] & 15;
    status = code < sizeof by_code / sizeof *by_code ? by_code[code] : ARES_EREFUSED;
    return status == ARES_SUCCESS && reply[6] == 0 && reply[7] == 0 ? ARES_ENODATA : status;
}

int jabi_dns_is_authentic(const unsigned char *reply, int size)
{
    return reply && size >= 12 && (reply[3] & AD);
}

static int is_loopback(const struct ares_addr_port_node *server)
{
    if (server->family == AF_INET)
        return ntohl(server->addr.addr4.s_addr) >> 24 == 127;
    return memcmp(&server->addr.addr6, &in6addr_loopback, sizeof in6addr_loopback) == 0;
}

int jabi_dns_is_local(const jabi_dns *dns)
{
    struct ares_addr_port_node *servers = NULL;
    if (ares_get_servers_ports(dns->channel, &servers) != ARES_SUCCESS || !servers)
        return 0;
    int is_local = 1;
    for (const struct ares_addr_port_node *p = servers; p; p = p->next)
        is_local &= is_loopback(p);
    ares_free_data(servers);
    return is_local;
}

void jabi_dns_fini(jabi_dns *dns)
{
    if (!dns->channel)
        return;
    ares_destroy(dns->channel);
    dns->channel = NULL;
    for (size_t i = 0; i < JABI_DNS_SOCKETS; i++)
        jabi_watch_remove(dns->loop, &dns->sockets[i].watch);
    jabi_timer_stop(&dns->loop->timers, &dns->timer);
}
