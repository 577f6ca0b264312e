/* tls_bio.c: an OpenSSL BIO over a socket: OpenSSL's own would raise SIGPIPE. */
#include "net/tcp.h"
#include "net/tls.h"

static int bio_write(BIO *bio, const char *p, int n)
{
    jabi_tls *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
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
