/* tcp.c: non-blocking TCP sockets. */
#include "net/tcp.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
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

void jabi_errno_words(int error, char *out, size_t size)
{
    const char *words = strerrordesc_np(error);
    snprintf(out, size, "%s", words ? words : "unknown error");
    if (size > 1 && isupper((unsigned char)out[0]) && islower((unsigned char)out[1]))
        out[0] = (char)tolower((unsigned char)out[0]);
}
