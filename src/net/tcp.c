/* tcp.c: non-blocking TCP sockets. */
#include "net/tcp.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int jabi_tcp_connect(const jabi_addr *addr)
{
    int fd = socket(addr->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int on = 1;
    /* Stanzas are gathered before they are written: Nagle could only delay. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* A connect() that a signal interrupts goes on all the same. */
    if (connect(fd, &addr->any, jabi_addr_size(addr)) < 0 && errno != EINPROGRESS &&
        errno != EINTR) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int jabi_tcp_result(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return errno;
    return error;
}

ptrdiff_t jabi_tcp_recv(int fd, void *p, size_t n)
{
    ssize_t got;
    do
        got = recv(fd, p, n, 0);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return JAB_EEOF;
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : JAB_EIO;
    return got;
}

ptrdiff_t jabi_tcp_send(int fd, const void *p, size_t n)
{
    ssize_t sent;
    do
        sent = send(fd, p, n, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : JAB_EIO;
    return sent;
}

void jabi_tcp_quickack(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static int same_host(const jabi_addr *a, const jabi_addr *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return 0;
    if (a->any.sa_family == AF_INET6)
        return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
    return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

int jabi_tcp_is_stranded(int fd, const jabi_addr *peer)
{
    jabi_addr had = {0}, has = {0};
    socklen_t had_size = sizeof had, has_size = sizeof has;
    if (getsockname(fd, &had.any, &had_size) < 0)
        return 0;
    /* A datagram socket is routed by connect(), which sends nothing. */
    int test = socket(peer->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (test < 0)
        return 0;
    int is_routed = connect(test, &peer->any, jabi_addr_size(peer)) == 0 &&
                    getsockname(test, &has.any, &has_size) == 0;
    close(test);
    return !is_routed || !same_host(&had, &has);
}

void jabi_errno_words(int error, char *out, size_t size)
{
    const char *words = strerrordesc_np(error);
    snprintf(out, size, "%s", words ? words : "unknown error");
    if (size > 1 && isupper((unsigned char)out[0]) && islower((unsigned char)out[1]))
        out[0] = (char)tolower((unsigned char)out[0]);
}
