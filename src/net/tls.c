/* tls.c: one TLS connection over a non-blocking socket. */
#include "net/tls.h"

#include <openssl/err.h>
#include <stdio.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "net/addr.h"

static int set_up(jabi_tls *t, int direct)
{
    static const unsigned char alpn[] = "\x0bxmpp-client"; /* XEP-0368 §4 */
    jabi_addr addr;
    t->ssl = SSL_new(t->ctx->ssl);
    BIO *bio = t->ssl ? jabi_bio_new(t) : NULL;
    if (!bio)
        return JAB_ENOMEM;
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_app_data(t->ssl, t);
    SSL_set_connect_state(t->ssl);
    /* The name to ask for is the account's domain, whatever host DNS led to
     * (XEP-0368 §3). An address may not be asked for (RFC 6066 §3). */
    if (!jabi_addr_parse(&addr, jab_cstr(t->domain), 0) &&
        SSL_set_tlsext_host_name(t->ssl, t->domain) != 1)
        return JAB_ENOMEM;
    if (direct && SSL_set_alpn_protos(t->ssl, alpn, sizeof alpn - 1) != 0)
        return JAB_ENOMEM;
    return 0;
}

int jabi_tls_new(jabi_tls **out, jabi_tls_ctx *ctx, int fd, const char *domain, const uint8_t *pin,
                 int direct)
{
    *out = NULL;
    jabi_tls *t = jabi_alloc0(ctx->loop->mem, sizeof *t);
    if (!t)
        return JAB_ENOMEM;
    t->ctx = ctx;
    t->fd = fd;
    jabi_bio_init(t);
    snprintf(t->domain, sizeof t->domain, "%s", domain);
    t->has_pin = pin != NULL;
    if (pin)
        memcpy(t->pin, pin, sizeof t->pin);
    int err = set_up(t, direct);
    ERR_clear_error();
    if (err < 0) {
        jabi_tls_free(t);
        return err;
    }
    *out = t;
    return 0;
}

void jabi_tls_free(jabi_tls *t)
{
    if (!t)
        return;
    const jab_mem *mem = t->ctx->loop->mem;
    SSL_SESSION_free(t->fresh);
    SSL_free(t->ssl);
    jabi_buf_fini(&t->held);
    jabi_wipe(t->exporter, sizeof t->exporter);
    jabi_wipe(t->unique, sizeof t->unique);
    jabi_free(mem, t);
}

/* -- The handshake -------------------------------------------------------------- */

static int pin_matches(const jabi_tls *t, X509 *cert)
{
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    if (n <= 0)
        return 0;
    jab_str part = {(const char *)der, (size_t)n};
    uint8_t digest[JABI_HASH_MAX];
    int err = jabi_hash_parts(JABI_SHA256, &part, 1, digest);
    OPENSSL_free(der);
    return err == 0 && memcmp(digest, t->pin, sizeof t->pin) == 0;
}

/* RFC 8446 §4.6.1: a resumed session does not outlive the certificate that began it. */
static int is_still_valid(const jabi_tls *t, X509 *cert)
{
    return !SSL_session_reused(t->ssl) || jabi_tls_dates_hold(cert, t->wall);
}

/* OpenSSL has verified the chain, now or when the session began; whom the certificate is for is
 * judged here, before a single byte of XMPP is sent. */
static int judge(jabi_tls *t)
{
    X509 *cert = SSL_get0_peer_certificate(t->ssl);
    if (!cert || !JAB_CHECK(CERT_CHAIN, SSL_get_verify_result(t->ssl) == X509_V_OK))
        return jabi_tls_fail(t, JAB_ECERT, "the server showed no certificate that verifies");
    if (!JAB_CHECK(SESSION_HOLDS, is_still_valid(t, cert)))
        return jabi_tls_fail(t, JAB_ECERT, "its certificate is not valid now");
    t->by_dane = t->dane_records > 0 && SSL_get0_dane_authority(t->ssl, NULL, NULL) >= 0;
    if (!JAB_CHECK(CERT_NAME, jabi_tls_names_hold(t, cert)))
        return jabi_tls_fail_name(t, cert);
    if (!JAB_CHECK(CERT_PIN, !t->has_pin || pin_matches(t, cert))) {
        snprintf(t->text, sizeof t->text,
                 "certificate for %s has another public key than the pinned one", t->domain);
        t->fault = (jab_fault){.code = JAB_ECERT, .stage = JAB_AT_TLS, .text = jab_cstr(t->text)};
        return JAB_ECERT;
    }
    return jabi_tls_read_info(t) < 0 ? jabi_tls_fail(t, JAB_ECRYPTO, "no channel binding") : 1;
}

/* A flight is one write. The last one waits for the data that follows at once. */
static int next_flight(jabi_tls *t)
{
    t->is_holding = 1;
    int result = SSL_do_handshake(t->ssl);
    int error = SSL_get_error(t->ssl, result);
    t->wants_write = result != 1 && jabi_tls_flush(t) == 1;
    return error;
}

int jabi_tls_handshake(jabi_tls *t)
{
    ERR_clear_error();
    if (!t->is_holding && t->held.n > 0 && jabi_tls_flush(t) == 1)
        return 0;
    int error = next_flight(t);
    if (error == SSL_ERROR_NONE)
        return judge(t);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return 0;
    int code = jabi_tls_fail_openssl(t, error);
    ERR_clear_error();
    return code;
}

/* -- Bytes --------------------------------------------------------------------- */

/* What a failed read or write means. */
static ptrdiff_t after(jabi_tls *t, int result)
{
    int error = SSL_get_error(t->ssl, result);
    ERR_clear_error();
    t->wants_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return 0;
    return error == SSL_ERROR_ZERO_RETURN ? JAB_EEOF : JAB_EIO;
}

ptrdiff_t jabi_tls_recv(jabi_tls *t, void *p, size_t n)
{
    ERR_clear_error();
    size_t got = 0;
    if (t->is_holding && jabi_tls_flush(t) < 0)
        return JAB_EIO;
    int result = SSL_read_ex(t->ssl, p, n, &got);
    return result == 1 ? (ptrdiff_t)got : after(t, result);
}

ptrdiff_t jabi_tls_send(jabi_tls *t, const void *p, size_t n)
{
    ERR_clear_error();
    size_t sent = 0;
    int result = SSL_write_ex(t->ssl, p, n, &sent);
    if (t->is_holding && jabi_tls_flush(t) < 0)
        return JAB_EIO;
    return result == 1 ? (ptrdiff_t)sent : after(t, result);
}

void jabi_tls_close(jabi_tls *t)
{
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    (void)!jabi_tls_flush(t); /* what does not leave now never will */
    ERR_clear_error();
}
