/* probe_peer.h: a probe run at a scripted server on loopback. */
#ifndef PROBE_PEER_H
#define PROBE_PEER_H

#include <jabiru/probe.h>

#include "net_client.h"

#define STARTTLS "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
#define PROCEED  "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define HEAD                                                                                       \
    "<?xml version='1.0'?><stream:stream from='example.org' id='1' version='1.0' "                 \
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
#define FEATURES(inside) HEAD "<stream:features>" inside "</stream:features>"
#define SCRAM                                                                                      \
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism>"      \
    "<mechanism>SCRAM-SHA-256-PLUS</mechanism></mechanisms>"
#define ALL_OF_IT                                                                                  \
    SCRAM "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding "                     \
          "type='tls-exporter'/></sasl-channel-binding>"                                           \
          "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256</mechanism>"           \
          "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade><inline>"          \
          "<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:csi:0'/></inline></bind>"  \
          "<fast xmlns='urn:xmpp:fast:0' tls-0rtt='true'><mechanism>HT-SHA-256-EXPR</mechanism>"   \
          "</fast><sm xmlns='urn:xmpp:sm:3'/></inline></authentication>"                           \
          "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method>"         \
          "</compression><register xmlns='http://jabber.org/features/iq-register'/>"               \
          "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>262144</max-bytes>"                 \
          "<idle-seconds>84O</idle-seconds></limits><ver xmlns='urn:xmpp:features:rosterver'/>"    \
          "<csi xmlns='urn:xmpp:csi:0'/><sm xmlns='urn:xmpp:sm:3'/>"

#define WITH_TLS "C:<stream:stream", "S:" FEATURES(STARTTLS), "C:<starttls", "S:" PROCEED, "TLS"

static inline net_cert good_cert(void)
{
    return net_cert_make("DNS:example.org", "example.org", -60, 86400 * 61 + 600, EVP_sha256());
}

/* A probe run to its end. */
static inline jab_probe *look(const jab_config *cfg, unsigned flags,
                              const jab_probe_report **report)
{
    jab_probe *p = NULL;
    assert_int_equal(jab_probe_new(&p, cfg, flags), 0);
    assert_null(jab_probe_result(p));
    assert_int_equal(jab_probe_wait(p, 10000), 1);
    *report = jab_probe_result(p);
    assert_non_null(*report);
    return p;
}

/* The one address that there is. */
static inline const jab_probe_address *only(const jab_probe_report *report)
{
    assert_int_equal(report->n, 1);
    assert_int_equal(report->targets[0].n, 1);
    return &report->targets[0].addresses[0];
}

static inline int has(jab_str text, const char *part)
{
    return text.p && strstr(text.p, part) != NULL;
}

/* Probes one server with one script. The report is valid until probe_end(). */
typedef struct at_server {
    net_cert cert;
    net_server sv;
    jab_config cfg;
    jab_probe *p;
    const jab_probe_report *report;
    const jab_probe_address *a;
    int may_name; /* 1: a later probe found the server well */
} at_server;

static inline void probe_server(at_server *at, net_cert cert, jab_tls_policy tls, net_script script)
{
    at->cert = cert;
    net_server_start(&at->sv, &at->cert, TLS1_3_VERSION);
    for (int i = 1; i < 8; i++) /* the first connection only looks whether there is one */
        at->sv.scripts[i] = script;
    at->cfg = net_config(at->sv.port, at->cert.file);
    at->cfg.tls = tls;
    at->p = look(&at->cfg, 0, &at->report);
    at->a = only(at->report);
    at->may_name = 0;
}

static inline void probe_end(at_server *at)
{
    net_server_stop(&at->sv);
    /* The password stayed here; the account, too, unless the server had proved itself. */
    if (at->a->fault.code && !at->may_name)
        assert_null(strstr(at->sv.got, "juliet"));
    assert_null(strstr(at->sv.got, "s3cret"));
    assert_null(strstr(at->sv.got, "<auth"));
    jab_probe_free(at->p);
    net_cert_free(&at->cert);
}

#endif
