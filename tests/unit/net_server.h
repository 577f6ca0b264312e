/* net_server.h: a scripted XMPP server in a thread, on a free loopback port. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "net_cert.h"
#include "peer.h"

/* A script is a list of steps, ended by NULL; the connection is then cut.
 *   "C:text"   waits until the client has sent this
 *   "S:text"   says this
 *   "TLS"      does the handshake
 *   "BIND"     waits for the request to bind, and grants it
 *   "END"      says good-bye to TLS and closes
 *   "KEYS"     forgets how it sealed the sessions that it gave
 *   "FLOOD"    sends NET_FLOOD messages
 *   "WAIT"     keeps the connection until the client closes it */
#define SERVER_LOGIN                                                                               \
    "C:<stream:stream", "S:" PEER_HEADER PEER_PLAIN, "C:</auth>", "S:" PEER_SUCCESS,               \
        "C:<stream:stream", "S:" PEER_HEADER PEER_BIND, "BIND"

#define NET_FLOOD 3000

typedef const char *const *net_script;

typedef struct net_server {
    int fd, stop[2];
    uint16_t port;
    pthread_t thread;
    SSL_CTX *ctx;
    net_script scripts[8]; /* one a connection; a missing one cuts it */
    int connections;
    int ask_cert;           /* set it to ask clients for a certificate */
    char sni[64], alpn[32]; /* of the last handshake */
    int client_cert;        /* 1: the client showed one */
    int resumed;            /* handshakes that went on with an earlier session */
    int early;              /* set it to take early data; 2: to allow it, and not take it */
    size_t n_early;         /* bytes of `got` that were early */
    uint8_t exporter[32];   /* of the last handshake, as this side knows it */
    uint8_t unique[64];
    size_t unique_n;
    char got[16384]; /* what the client sent over all connections */
    size_t n_got;
    /* The connection that is being served. */
    int peer;
    SSL *ssl;
    size_t from; /* in got: what the next "C:" looks at */
} net_server;

static inline int net_choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *n,
                                  const unsigned char *in, unsigned in_n, void *arg)
{
    (void)ssl;
    net_server *sv = (net_server *)arg;
    *out = in + 1;
    *n = in[0];
    snprintf(sv->alpn, sizeof sv->alpn, "%.*s", (int)in[0] < (int)in_n ? in[0] : 0, in + 1);
    return SSL_TLSEXT_ERR_OK;
}

/* Reads once; 0 when the client is gone or the test is over. */
static inline int net_read(net_server *sv)
{
    struct pollfd p[] = {{sv->peer, POLLIN, 0}, {sv->stop[0], POLLIN, 0}};
    if ((!sv->ssl || !SSL_pending(sv->ssl)) && (poll(p, 2, 5000) <= 0 || p[1].revents))
        return 0;
    char *to = sv->got + sv->n_got;
    size_t room = sizeof sv->got - 1 - sv->n_got;
    ssize_t n = sv->ssl ? SSL_read(sv->ssl, to, (int)room) : recv(sv->peer, to, room, 0);
    if (n <= 0)
        return 0;
    sv->n_got += (size_t)n;
    sv->got[sv->n_got] = '\0';
    return 1;
}

static inline int net_expect(net_server *sv, const char *text)
{
    char *at;
    while (!(at = strstr(sv->got + sv->from, text)))
        if (!net_read(sv))
            return 0;
    sv->from = (size_t)(at - sv->got) + strlen(text);
    return 1;
}

static inline int net_say(net_server *sv, const char *text)
{
    size_t n = strlen(text);
    if (sv->ssl)
        return SSL_write(sv->ssl, text, (int)n) == (int)n;
    return send(sv->peer, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static inline int net_bind(net_server *sv)
{
    if (!net_expect(sv, "<iq") || !net_expect(sv, "id='"))
        return 0;
    const char *id = sv->got + sv->from;
    if (!net_expect(sv, "</iq>"))
        return 0;
    char text[512];
    snprintf(text, sizeof text,
             "<iq type='result' id='%.*s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
             "<jid>juliet@example.org/balcony</jid></bind></iq>",
             (int)strcspn(id, "'"), id);
    return net_say(sv, text);
}

static inline int net_any_cert(int ok, X509_STORE_CTX *store)
{
    (void)ok;
    (void)store;
    return 1;
}

static inline int net_flood(net_server *sv)
{
    char text[200];
    for (int i = 0; i < NET_FLOOD; i++) {
        snprintf(text, sizeof text,
                 "<message from='romeo@example.net/o' type='chat'><body>%d</body></message>", i);
        if (!net_say(sv, text))
            return 0;
    }
    return 1;
}

/* RFC 5929 §3.1, RFC 9266 §2. */
static inline void net_note_bindings(net_server *sv)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    int resumed = SSL_session_reused(sv->ssl);
    sv->resumed += resumed;
    sv->unique_n = resumed ? SSL_get_finished(sv->ssl, sv->unique, sizeof sv->unique)
                           : SSL_get_peer_finished(sv->ssl, sv->unique, sizeof sv->unique);
    SSL_export_keying_material(sv->ssl, sv->exporter, sizeof sv->exporter, label, sizeof label - 1,
                               (const unsigned char *)"", 0, 1);
}

/* Takes early data as any other, and says that it may be sent. */
static inline int net_take_early(net_server *sv)
{
    for (int state = SSL_READ_EARLY_DATA_SUCCESS; state != SSL_READ_EARLY_DATA_FINISH;) {
        size_t n = 0;
        state =
            SSL_read_early_data(sv->ssl, sv->got + sv->n_got, sizeof sv->got - 1 - sv->n_got, &n);
        if (state == SSL_READ_EARLY_DATA_ERROR)
            return 0;
        sv->n_got += n;
        sv->n_early += n;
    }
    return 1;
}

static inline int net_change_keys(net_server *sv)
{
    unsigned char keys[80];
    memset(keys, sv->connections, sizeof keys);
    return SSL_CTX_set_tlsext_ticket_keys(sv->ctx, keys, sizeof keys) == 1;
}

static inline int net_handshake(net_server *sv)
{
    sv->ssl = SSL_new(sv->ctx);
    if (sv->ask_cert)
        SSL_set_verify(sv->ssl, SSL_VERIFY_PEER, net_any_cert);
    SSL_set_fd(sv->ssl, sv->peer);
    SSL_set_max_early_data(sv->ssl, sv->early ? 16384 : 0);
    int ok = (sv->early != 1 || net_take_early(sv)) && SSL_accept(sv->ssl) == 1;
    const char *name = SSL_get_servername(sv->ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(sv->sni, sizeof sv->sni, "%s", name ? name : "");
    sv->client_cert = SSL_get0_peer_certificate(sv->ssl) != NULL;
    if (ok)
        net_note_bindings(sv);
    return ok;
}

static inline int net_step(net_server *sv, const char *step)
{
    if (strncmp(step, "C:", 2) == 0)
        return net_expect(sv, step + 2);
    if (strncmp(step, "S:", 2) == 0)
        return net_say(sv, step + 2);
    if (strcmp(step, "TLS") == 0)
        return net_handshake(sv);
    if (strcmp(step, "BIND") == 0)
        return net_bind(sv);
    if (strcmp(step, "KEYS") == 0)
        return net_change_keys(sv);
    if (strcmp(step, "FLOOD") == 0)
        return net_flood(sv);
    if (strcmp(step, "END") == 0)
        return SSL_shutdown(sv->ssl) < 0;
    while (net_read(sv)) /* WAIT */
        continue;
    return 0;
}

static inline void net_serve(net_server *sv)
{
    net_script script = sv->connections < 8 ? sv->scripts[sv->connections] : NULL;
    sv->connections++;
    sv->from = sv->n_got;
    while (script && *script && net_step(sv, *script))
        script++;
    SSL_free(sv->ssl);
    sv->ssl = NULL;
    close(sv->peer);
}

static inline void *net_server_run(void *arg)
{
    net_server *sv = (net_server *)arg;
    /* OpenSSL's sockets raise SIGPIPE here; the client has to do without this. */
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    for (;;) {
        struct pollfd p[] = {{sv->fd, POLLIN, 0}, {sv->stop[0], POLLIN, 0}};
        if (poll(p, 2, 10000) <= 0 || p[1].revents)
            return NULL;
        sv->peer = accept(sv->fd, NULL, NULL);
        net_serve(sv);
    }
}

/* `cert` NULL: without TLS. The scripts may be set before the first client. */
static inline void net_server_start(net_server *sv, const net_cert *cert, int tls_version)
{
    *sv = (net_server){0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    sv->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(sv->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(sv->fd, 128), 0);
    assert_int_equal(getsockname(sv->fd, (struct sockaddr *)&a, &size), 0);
    sv->port = ntohs(a.sin_port);
    assert_int_equal(pipe(sv->stop), 0);
    if (cert) {
        sv->ctx = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_max_proto_version(sv->ctx, tls_version);
        assert_int_equal(SSL_CTX_use_certificate(sv->ctx, cert->cert), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(sv->ctx, cert->key), 1);
        SSL_CTX_set_alpn_select_cb(sv->ctx, net_choose_alpn, sv);
    }
    assert_int_equal(pthread_create(&sv->thread, NULL, net_server_run, sv), 0);
}

static inline void net_server_stop(net_server *sv)
{
    assert_int_equal(write(sv->stop[1], "x", 1), 1);
    pthread_join(sv->thread, NULL);
    close(sv->stop[0]);
    close(sv->stop[1]);
    close(sv->fd);
    SSL_CTX_free(sv->ctx);
}

#endif
