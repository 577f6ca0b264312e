/* net_dns.h: a name server in a thread, on a free loopback port, with a few
 * records or with nothing to say. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "unit.h"

enum { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33, DNS_TLSA = 52 };

typedef struct net_record {
    const char *name;
    int type;
    const char *data; /* an address, an SRV target without its last dot, or bytes of TLSA */
    uint16_t priority, weight, port; /* of TLSA: how many bytes */
} net_record;

typedef struct net_dns {
    const net_record *records; /* NULL: never answers */
    size_t n;
    int rcode;         /* other than 0: the answer to everything */
    int secure;        /* answers are validated: who asks is told */
    int insecure_type; /* but those about this type */
    int failing_type;  /* SERVFAIL for this one */
    int fd;
    pthread_t thread;
    char address[32]; /* "127.0.0.1:12345" */
    int asked[64];    /* queries by type */
} net_dns;

typedef struct net_packet {
    unsigned char p[4096];
    size_t n;
} net_packet;

static inline void net_put16(net_packet *out, unsigned value)
{
    out->p[out->n++] = (unsigned char)(value >> 8);
    out->p[out->n++] = (unsigned char)value;
}

/* A name as labels. */
static inline void net_put_name(net_packet *out, const char *name)
{
    while (*name) {
        size_t n = strcspn(name, ".");
        out->p[out->n++] = (unsigned char)n;
        memcpy(out->p + out->n, name, n);
        out->n += n;
        name += n + (name[n] == '.');
    }
    out->p[out->n++] = 0;
}

static inline void net_put_record(net_packet *out, const net_record *r)
{
    net_put16(out, 0xC00C); /* the name of the question */
    net_put16(out, (unsigned)r->type);
    net_put16(out, 1);
    net_put16(out, 0);
    net_put16(out, 60);
    size_t length_at = out->n;
    net_put16(out, 0);
    if (r->type == DNS_SRV) {
        net_put16(out, r->priority);
        net_put16(out, r->weight);
        net_put16(out, r->port);
        net_put_name(out, r->data);
    } else if (r->type == DNS_TLSA) {
        memcpy(out->p + out->n, r->data, r->port);
        out->n += r->port;
    } else {
        int family = r->type == DNS_A ? AF_INET : AF_INET6;
        assert_int_equal(inet_pton(family, r->data, out->p + out->n), 1);
        out->n += family == AF_INET ? 4 : 16;
    }
    size_t length = out->n - length_at - 2;
    out->p[length_at] = (unsigned char)(length >> 8);
    out->p[length_at + 1] = (unsigned char)length;
}

/* The question's name as text; returns where its type stands. */
static inline size_t net_read_name(const unsigned char *p, char *name)
{
    size_t at = 12, used = 0;
    while (p[at]) {
        memcpy(name + used, p + at + 1, p[at]);
        used += p[at];
        name[used++] = '.';
        at += p[at] + 1u;
    }
    name[used ? used - 1 : 0] = '\0';
    return at + 1;
}

static inline void net_answer(net_dns *dns, const unsigned char *query, net_packet *out)
{
    char name[256];
    size_t at = net_read_name(query, name);
    int type = query[at] << 8 | query[at + 1];
    dns->asked[type & 63]++;
    memcpy(out->p, query, at + 4);
    out->n = at + 4;
    int known = 0;
    unsigned answers = 0;
    for (size_t i = 0; i < dns->n && !dns->rcode; i++) {
        if (strcasecmp(dns->records[i].name, name) != 0)
            continue;
        known = 1;
        if (dns->records[i].type == type) {
            net_put_record(out, &dns->records[i]);
            answers++;
        }
    }
    int failing = dns->failing_type == type ? 2 : dns->rcode;
    int authentic = dns->secure && !failing && dns->insecure_type != type && (query[3] & 0x20);
    out->p[2] = 0x81;
    out->p[3] = (unsigned char)(0x80 |
                                (failing ? failing
                                 : known ? 0
                                         : 3) |
                                (authentic ? 0x20 : 0));
    out->p[6] = (unsigned char)(answers >> 8);
    out->p[7] = (unsigned char)answers;
    memset(out->p + 8, 0, 4); /* no other sections */
}

static inline void *net_dns_run(void *arg)
{
    net_dns *dns = (net_dns *)arg;
    unsigned char query[512];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    for (;;) {
        memset(query, 0, sizeof query);
        ssize_t n = recvfrom(dns->fd, query, sizeof query - 1, 0, (struct sockaddr *)&from, &size);
        if (n < 12) /* net_dns_stop() sends one byte */
            return NULL;
        if (!dns->records && !dns->rcode)
            continue;
        static _Thread_local net_packet out;
        out.n = 0;
        net_answer(dns, query, &out);
        sendto(dns->fd, out.p, out.n, 0, (struct sockaddr *)&from, size);
    }
}

static inline void net_dns_start(net_dns *dns, const net_record *records, size_t n, int rcode)
{
    *dns = (net_dns){.records = records, .n = n, .rcode = rcode};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    dns->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(dns->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(dns->fd, (struct sockaddr *)&a, &size), 0);
    snprintf(dns->address, sizeof dns->address, "127.0.0.1:%d", ntohs(a.sin_port));
    assert_int_equal(pthread_create(&dns->thread, NULL, net_dns_run, dns), 0);
}

static inline void net_dns_stop(net_dns *dns)
{
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    getsockname(dns->fd, (struct sockaddr *)&a, &size);
    sendto(dns->fd, "x", 1, 0, (struct sockaddr *)&a, size);
    pthread_join(dns->thread, NULL);
    close(dns->fd);
}

#endif
