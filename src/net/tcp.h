/* tcp.h: non-blocking TCP sockets that are closed on exec and raise no SIGPIPE. */
#ifndef JABI_TCP_H
#define JABI_TCP_H

#include "net/addr.h"

/* Begins to connect. Returns the descriptor, or a negated errno. */
int jabi_tcp_connect(const jabi_addr *addr) JAB_MUST_USE;

/* Once the socket is writable: 0 when it is connected, else an errno. */
int jabi_tcp_result(int fd);

/* Bytes received, > 0; 0: nothing there yet; JAB_EEOF: the peer closed;
 * JAB_EIO: the connection broke. */
ptrdiff_t jabi_tcp_recv(int fd, void *p, size_t n) JAB_MUST_USE;

/* Bytes sent; 0: the socket is full; JAB_EIO: the connection broke. */
ptrdiff_t jabi_tcp_send(int fd, const void *p, size_t n) JAB_MUST_USE;

/* Acknowledges at once what arrives next: servers that wait for it (Nagle)
 * would else add 40 ms to each step of a log-in. Lasts for a while only. */
void jabi_tcp_quickack(int fd);

/* Whether what is sent to the peer now would leave from another address than
 * the socket's, or not at all: the network that it was opened on is gone. */
int jabi_tcp_is_stranded(int fd, const jabi_addr *peer);

/* "connection refused": an errno's words, small first letter. */
void jabi_errno_words(int error, char *out, size_t size);

#endif
