/*
 * early_front.c: takes TLS 1.3 with early data (RFC 8446 §2.3) for a server that does not, and
 * answers it before the handshake is over.
 *
 *     early_front CERTIFICATE KEY PORT       prints the port it listens on
 *
 * Bytes go on in the clear to PORT of 127.0.0.1: for measurements only.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct front {
    SSL *tls;
    int near, far; /* the client, the server */
    int early;     /* 1: the handshake has not reached its end */
    char bytes[16384];
} front;

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done <= 0)
            return 0;
        p += done;
        n -= (size_t)done;
    }
    return 1;
}

static int waits(front *f)
{
    return SSL_get_error(f->tls, 0) == SSL_ERROR_WANT_READ;
}

/* 1: there may be more; 0: not now, or it is over, which *ended says. */
static int take_early(front *f, int *ended)
{
    size_t n = 0;
    int state = SSL_read_early_data(f->tls, f->bytes, sizeof f->bytes, &n);
    f->early = state != SSL_READ_EARLY_DATA_FINISH;
    if (state == SSL_READ_EARLY_DATA_ERROR)
        *ended = !waits(f);
    else
        *ended = !write_all(f->far, f->bytes, n);
    return state != SSL_READ_EARLY_DATA_ERROR && !*ended;
}

static int take(front *f, int *ended)
{
    size_t n = 0;
    if (!SSL_read_ex(f->tls, f->bytes, sizeof f->bytes, &n)) {
        *ended = !waits(f);
        return 0;
    }
    *ended = !write_all(f->far, f->bytes, n);
    return !*ended;
}

static int from_client(front *f)
{
    int ended = 0;
    while (f->early ? take_early(f, &ended) : take(f, &ended))
        continue;
    return !ended;
}

static int from_server(front *f)
{
    size_t done;
    ssize_t n = read(f->far, f->bytes, sizeof f->bytes);
    if (n <= 0)
        return 0;
    return f->early ? SSL_write_early_data(f->tls, f->bytes, (size_t)n, &done)
                    : SSL_write_ex(f->tls, f->bytes, (size_t)n, &done);
}

static void pass(front *f)
{
    struct pollfd ends[] = {{.fd = f->near, .events = POLLIN}, {.fd = f->far, .events = POLLIN}};
    int alive = 1;
    while (alive && poll(ends, 2, -1) > 0) {
        if (ends[0].revents)
            alive = from_client(f);
        if (alive && ends[1].revents)
            alive = from_server(f);
    }
    SSL_shutdown(f->tls);
}

static struct sockaddr_in local(unsigned long port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void serve(SSL_CTX *context, int near, unsigned long port)
{
    struct sockaddr_in to = local(port);
    front f = {.tls = SSL_new(context), .near = near, .early = 1};
    f.far = socket(AF_INET, SOCK_STREAM, 0);
    if (!f.tls || connect(f.far, (struct sockaddr *)&to, sizeof to) < 0)
        exit(1);
    setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(f.far, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    fcntl(near, F_SETFL, O_NONBLOCK);
    SSL_set_fd(f.tls, near);
    SSL_set_accept_state(f.tls);
    pass(&f);
    exit(0);
}

/* Replays are the token's counter's business (XEP-0484 §3.4); processes share the tickets. */
static SSL_CTX *new_context(const char *certificate, const char *key)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    if (!c || SSL_CTX_use_certificate_chain_file(c, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1 ||
        !SSL_CTX_set_max_early_data(c, 16384) || !SSL_CTX_set_recv_max_early_data(c, 16384))
        return NULL;
    SSL_CTX_set_options(c, SSL_OP_NO_ANTI_REPLAY | SSL_OP_IGNORE_UNEXPECTED_EOF);
    return c;
}

int main(int argc, char **argv)
{
    SSL_CTX *context = argc == 4 ? new_context(argv[1], argv[2]) : NULL;
    struct sockaddr_in at = local(0);
    socklen_t n = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (!context || bind(listener, (struct sockaddr *)&at, n) < 0 || listen(listener, 16) < 0 ||
        getsockname(listener, (struct sockaddr *)&at, &n) < 0) {
        fprintf(stderr, "usage: early_front CERTIFICATE KEY PORT\n");
        return 1;
    }
    signal(SIGCHLD, SIG_IGN);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        int near = accept(listener, NULL, NULL);
        if (near >= 0 && fork() == 0)
            serve(context, near, strtoul(argv[3], NULL, 10));
        close(near);
    }
}
