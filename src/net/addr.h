/* addr.h: IP addresses and the targets that a client may connect to. */
#ifndef JABI_ADDR_H
#define JABI_ADDR_H

#include <jabiru/base.h>
#include <netinet/in.h>
#include <sys/socket.h>

typedef union jabi_addr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} jabi_addr;

#define JABI_ADDR_TEXT 80 /* "[fe80::1%interface]:65535" and its NUL */

/* The size that connect() wants. */
socklen_t jabi_addr_size(const jabi_addr *a);

/* Reads "192.0.2.1", "2001:db8::1", "fe80::1%eth0" or "[2001:db8::1]". No
 * name is looked up. 1, or 0 when it is not an address. */
int jabi_addr_parse(jabi_addr *a, jab_str text, uint16_t port);

/* An address from 4 or 16 bytes in network order. */
void jabi_addr_from_bytes(jabi_addr *a, int family, const void *bytes, uint16_t port);

/* "[::1]:5222"; always NUL-ended. */
void jabi_addr_format(const jabi_addr *a, char out[JABI_ADDR_TEXT]);

/* Splits "host", "host:port", "[v6]", "[v6]:port" or a bare "v6". Returns 1
 * and sets *host (without brackets) and *port (0 when there is none), or 0. */
int jabi_host_port(jab_str text, jab_str *host, uint16_t *port);

/* Whether a name is "localhost" or below it (RFC 6761 §6.3). */
int jabi_is_localhost(jab_str name);

#endif
