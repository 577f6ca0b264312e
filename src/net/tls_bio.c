/*
 * tls_bio.c: an OpenSSL BIO over a socket: OpenSSL's own would raise SIGPIPE, and write
 * the end of a handshake and the first data behind it one by one.
 */
#include "net/tcp.h"
#include "net/tls.h"

#define HELD_MAX 131072 /* bytes: a flight with all its certificates */

void jabi_bio_init(jabi_tls *t)
{
    jabi_buf_init(&t->held, t->ctx->loop->mem, HELD_MAX);
}

int jabi_tls_flush(jabi_tls *t)
{
    t->is_holding = 0;
    while (t->held.n > 0) {
        ptrdiff_t sent = jabi_tcp_send(t->fd, t->held.p, t->held.n);
        if (sent <= 0)
            return sent < 0 ? JAB_EIO : 1;
        jabi_buf_consume(&t->held, (size_t)sent);
    }
    jabi_buf_fini(&t->held); /* an idle connection holds no buffer */
    return t->held.error;
}

static int bio_write(BIO *bio, const char *p, int n)
{
    jabi_tls *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (t->is_holding) {
        jabi_buf_add(&t->held, p, n > 0 ? (size_t)n : 0);
        return t->held.error ? -1 : n;
    }
    int rest = jabi_tls_flush(t); /* what is older goes first */
    if (rest > 0)
        BIO_set_retry_write(bio);
    if (rest != 0)
        return -1;
    ptrdiff_t sent = jabi_tcp_send(t->fd, p, n > 0 ? (size_t)n : 0);
    if (sent > 0)
        return (int)sent;
    if (sent == 0)
        BIO_set_retry_write(bio);
    return -1;
}

static int bio_read(BIO *bio, char *p, int n)
{
    jabi_tls *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ptrdiff_t got = jabi_tcp_recv(t->fd, p, n > 0 ? (size_t)n : 0);
    if (got > 0)
        return (int)got;
    if (got == 0)
        BIO_set_retry_read(bio);
    if (got == JAB_EEOF)
        t->eof = 1;
    return got == JAB_EEOF ? 0 : -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *p)
{
    (void)number;
    (void)p;
    if (command == BIO_CTRL_EOF)
        return ((jabi_tls *)BIO_get_data(bio))->eof;
    return command == BIO_CTRL_FLUSH; /* nothing is held back here */
}

BIO_METHOD *jabi_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "jabiru socket");
    if (method && BIO_meth_set_write(method, bio_write) && BIO_meth_set_read(method, bio_read) &&
        BIO_meth_set_ctrl(method, bio_ctrl))
        return method;
    BIO_meth_free(method);
    return NULL;
}

BIO *jabi_bio_new(jabi_tls *t)
{
    BIO *bio = BIO_new(t->ctx->bio);
    if (!bio)
        return NULL;
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    return bio;
}
