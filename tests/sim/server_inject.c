/* server_inject.c: stanzas that other servers bring to the model server. */
#include "server_own.h"

#include <stdlib.h>
#include <string.h>

typedef struct outside {
    sim_server *server;
    const char *from;
    const sim_message *message;
    bool taken;
} outside;

static void on_header(void *arg, srv_node *root)
{
    (void)arg;
    (void)root;
}

static void on_trailer(void *arg)
{
    (void)arg;
}

static void on_stanza(void *arg, srv_node *node)
{
    outside *o = arg;
    if (!srv_attr_of(node, "to")) /* RFC 6120 §8.1.1.2 */
        return;
    o->taken = true;
    if (srv_is(node, NS_CLIENT, "message"))
        o->message = &srv_message_in(o->server, NULL, o->from, NULL, node)->pub;
    else if (srv_is(node, NS_CLIENT, "presence"))
        srv_presence_in(o->server, NULL, o->from, node);
    else
        srv_iq_in(o->server, NULL, o->from, node);
}

const sim_message *sim_server_inject(sim_server *server, const char *from, const char *xml,
                                     int64_t now)
{
    static const char open[] = "<stream xmlns='" NS_CLIENT "'>";
    outside o = {server, from, NULL, false};
    srv_builder b = {.arg = &o, .header = on_header, .stanza = on_stanza, .trailer = on_trailer};
    srv_at(server, now);
    srv_builder_init(&b);
    bool good = srv_builder_feed(&b, open, sizeof open - 1) &&
                srv_builder_feed(&b, xml, strlen(xml)) && o.taken;
    srv_builder_fini(&b);
    if (!good) /* the test itself is wrong */
        abort();
    return o.message;
}
