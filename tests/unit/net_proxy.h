/* net_proxy.h: a proxy in a thread, which says what a test tells it to, a byte at a
 * time, and then connects to a server of the test's, whatever it was asked for. */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include "net_server.h"

/* Once the client has said `wants` bytes, or up to an empty line when that is 0,
 * the proxy answers. */
typedef struct net_turn {
    size_t wants;
    const char *answer;
    size_t n;
} net_turn;

typedef struct net_proxy {
    net_turn turns[4]; /* ended by one without an answer */
    uint16_t server;   /* the port on loopback to connect to then; 0: stays silent */
    int fd, stop[2];
    uint16_t port;
    int connections;
    int records[8]; /* of TLS, in each piece that a client sent through */
    size_t n_records;
    char got[2048]; /* what clients said to the proxy itself */
    size_t n_got;
    pthread_t thread;
} net_proxy;

static inline int net_proxy_hear(net_proxy *px, int client, size_t wants)
{
    size_t from = px->n_got;
    while (wants ? px->n_got - from < wants : !strstr(px->got + from, "\r\n\r\n")) {
        struct pollfd p[] = {{client, POLLIN, 0}, {px->stop[0], POLLIN, 0}};
        if (poll(p, 2, 5000) <= 0 || p[1].revents || px->n_got == sizeof px->got - 1 ||
            recv(client, px->got + px->n_got, 1, 0) != 1)
            return 0;
        px->n_got++;
    }
    return 1;
}

static inline int net_proxy_answer(int client, const net_turn *turn)
{
    for (size_t i = 0; i < turn->n; i++) {
        if (send(client, turn->answer + i, 1, MSG_NOSIGNAL) != 1)
            return 0;
        poll(NULL, 0, i % 4 == 0 ? 1 : 0); /* so that it comes in pieces */
    }
    return 1;
}

/* RFC 8446 §5.1: each record says its length. */
static inline void net_proxy_count(net_proxy *px, const char *bytes, ssize_t n)
{
    const unsigned char *p = (const unsigned char *)bytes, *end = p + n;
    if (n <= 0 || px->n_records == 8)
        return;
    while (end - p >= 5) {
        px->records[px->n_records]++;
        p += 5 + (p[3] << 8 | p[4]);
    }
    px->n_records++;
}

/* Bytes from one side to the other until one of them ends. */
static inline void net_proxy_relay(net_proxy *px, int client)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(px->server),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int stands = connect(server, (struct sockaddr *)&a, sizeof a) == 0;
    while (stands) {
        char bytes[4096];
        struct pollfd p[] = {{client, POLLIN, 0}, {server, POLLIN, 0}, {px->stop[0], POLLIN, 0}};
        if (poll(p, 3, 10000) <= 0 || p[2].revents)
            break;
        for (int i = 0; i < 2 && stands; i++) {
            if (!p[i].revents)
                continue;
            ssize_t n = recv(p[i].fd, bytes, sizeof bytes, 0);
            if (i == 0)
                net_proxy_count(px, bytes, n);
            stands = n > 0 && send(p[1 - i].fd, bytes, (size_t)n, MSG_NOSIGNAL) == n;
        }
    }
    close(server);
}

static inline void net_proxy_serve(net_proxy *px, int client)
{
    px->connections++;
    for (const net_turn *turn = px->turns; turn->answer; turn++)
        if (!net_proxy_hear(px, client, turn->wants) || !net_proxy_answer(client, turn))
            return;
    if (px->server)
        net_proxy_relay(px, client);
    else
        (void)net_proxy_hear(px, client, sizeof px->got);
}

static inline void *net_proxy_run(void *arg)
{
    net_proxy *px = (net_proxy *)arg;
    for (;;) {
        struct pollfd p[] = {{px->fd, POLLIN, 0}, {px->stop[0], POLLIN, 0}};
        if (poll(p, 2, 10000) <= 0 || p[1].revents)
            return NULL;
        int client = accept(px->fd, NULL, NULL);
        net_proxy_serve(px, client);
        close(client);
    }
}

/* The turns and the server's port are set before. */
static inline void net_proxy_start(net_proxy *px)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    px->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(px->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(px->fd, 16), 0);
    assert_int_equal(getsockname(px->fd, (struct sockaddr *)&a, &size), 0);
    px->port = ntohs(a.sin_port);
    assert_int_equal(pipe(px->stop), 0);
    assert_int_equal(pthread_create(&px->thread, NULL, net_proxy_run, px), 0);
}

static inline void net_proxy_stop(net_proxy *px)
{
    assert_int_equal(write(px->stop[1], "x", 1), 1);
    pthread_join(px->thread, NULL);
    close(px->stop[0]);
    close(px->stop[1]);
    close(px->fd);
}

#endif
