/* net_client.h: a client at a scripted server, and what its last end said. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include <jabiru/client.h>

#include "net/loop.h"
#include "net_server.h"

#define SCRIPT(...) ((net_script)(const char *const[]){__VA_ARGS__, NULL})

/* A fault kept beyond its event. */
typedef struct net_fault {
    int code;
    jab_stage stage;
    char text[512];
} net_fault;

/* One attempt, by direct TLS, at a server on loopback. */
static inline jab_config net_config(uint16_t port, const char *ca_file)
{
    return (jab_config){.size = sizeof(jab_config),
                        .jid = JAB_STR("juliet@example.org/balcony"),
                        .password = JAB_STR("s3cret"),
                        .mechanisms = JAB_STR("PLAIN"),
                        .tls = JAB_TLS_DIRECT,
                        .host = JAB_STR("127.0.0.1"),
                        .port = port,
                        .ca_file = jab_cstr(ca_file),
                        .connect_timeout = 3000,
                        .no_reconnect = 1};
}

/* Waits for this event; 1 when it came. Keeps the faults that came before. */
static inline int net_await(jab_client *c, uint32_t type, net_fault *last)
{
    const jab_event *ev;
    int64_t until = jabi_now() + 5000;
    while (jabi_now() < until && jab_client_wait(c, &ev, 1000) > 0) {
        if (ev->type == JAB_EV_OFFLINE) {
            last->code = ev->fault->code;
            last->stage = ev->fault->stage;
            snprintf(last->text, sizeof last->text, JAB_FMT, JAB_ARG(ev->fault->text));
        }
        if (ev->type == type)
            return 1;
    }
    return 0;
}

#endif
