/* tls_ctx.c: trust settings: protocol versions, trusted and own certificates. */
#include <openssl/err.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/mem.h"
#include "net/tls.h"

/* Notes why a chain failed and lets OpenSSL's verdict stand. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    jabi_tls *t = ssl ? SSL_get_app_data(ssl) : NULL;
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    if (ok || !t)
        return ok;
    t->chain_error = X509_STORE_CTX_get_error(store);
    t->chain_depth = X509_STORE_CTX_get_error_depth(store);
    const ASN1_TIME *when = NULL;
    if (cert && t->chain_error == X509_V_ERR_CERT_HAS_EXPIRED)
        when = X509_get0_notAfter(cert);
    if (cert && t->chain_error == X509_V_ERR_CERT_NOT_YET_VALID)
        when = X509_get0_notBefore(cert);
    struct tm tm;
    if (when && ASN1_TIME_to_tm(when, &tm))
        strftime(t->chain_date, sizeof t->chain_date, "%Y-%m-%d", &tm);
    return ok;
}

/* Called when the server asked for a certificate; what was loaded is sent. */
static int on_cert_asked(SSL *ssl, void *arg)
{
    (void)arg;
    jabi_tls *t = SSL_get_app_data(ssl);
    t->cert_asked = 1;
    return 1;
}

static int set_trust(SSL_CTX *ssl, jab_str ca_file)
{
    if (!ca_file.p)
        return SSL_CTX_set_default_verify_paths(ssl) == 1 ? 0 : JAB_ETLS;
    /* A file that the user names is trusted as it is, roots or not. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
    return SSL_CTX_load_verify_file(ssl, ca_file.p) == 1 ? 0 : JAB_ETLS;
}

static int set_own_cert(SSL_CTX *ssl, jab_str cert, jab_str key)
{
    if (!cert.p)
        return 0;
    const char *key_file = key.p ? key.p : cert.p;
    int ok = SSL_CTX_use_certificate_chain_file(ssl, cert.p) == 1 &&
             SSL_CTX_use_PrivateKey_file(ssl, key_file, SSL_FILETYPE_PEM) == 1 &&
             SSL_CTX_check_private_key(ssl) == 1;
    return ok ? 0 : JAB_ETLS;
}

static void set_protocol(SSL_CTX *ssl)
{
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    /* OpenSSL keeps no sessions: whom one is for is known in tls_session.c. */
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl, jabi_tls_on_session);
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_default_read_buffer_len(ssl, 32768);
    int unverified = JAB_CHECK(CERT_CHAIN, 0); /* never, but in a test of this check */
    SSL_CTX_set_verify(ssl, unverified ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, on_verify);
    SSL_CTX_set_cert_cb(ssl, on_cert_asked, NULL);
}

/* Without it OpenSSL would ask for a key's pass phrase on the terminal. */
static int no_pass_phrase(char *buf, int size, int writing, void *arg)
{
    (void)writing;
    (void)arg;
    if (size > 0)
        buf[0] = '\0';
    return -1;
}

static int fill(jabi_tls_ctx *ctx, const jab_config *cfg)
{
    const jab_mem *mem = ctx->loop->mem;
    if (jabi_strdup(mem, &ctx->ca_file, cfg->ca_file) < 0 ||
        jabi_strdup(mem, &ctx->client_cert, cfg->client_cert) < 0 ||
        jabi_strdup(mem, &ctx->client_key, cfg->client_key) < 0)
        return JAB_ENOMEM;
    ctx->ssl = SSL_CTX_new(TLS_client_method());
    ctx->bio = jabi_bio_method();
    if (!ctx->ssl || !ctx->bio)
        return JAB_ENOMEM;
    set_protocol(ctx->ssl);
    if (SSL_CTX_dane_enable(ctx->ssl) != 1)
        return JAB_ENOMEM;
    SSL_CTX_set_default_passwd_cb(ctx->ssl, no_pass_phrase);
    int err = set_trust(ctx->ssl, ctx->ca_file);
    if (err == 0)
        err = set_own_cert(ctx->ssl, ctx->client_cert, ctx->client_key);
    ERR_clear_error();
    return err;
}

static void free_ctx(jabi_tls_ctx *ctx)
{
    const jab_mem *mem = ctx->loop->mem;
    SSL_CTX_free(ctx->ssl);
    BIO_meth_free(ctx->bio);
    jabi_free(mem, (char *)ctx->ca_file.p);
    jabi_free(mem, (char *)ctx->client_cert.p);
    jabi_free(mem, (char *)ctx->client_key.p);
    jabi_free(mem, ctx);
}

int jabi_tls_ctx_get(jabi_tls_ctx **out, jab_loop *loop, const jab_config *cfg)
{
    for (jabi_tls_ctx *ctx = loop->tls; ctx; ctx = ctx->next) {
        if (jab_str_eq(ctx->ca_file, cfg->ca_file) &&
            jab_str_eq(ctx->client_cert, cfg->client_cert) &&
            jab_str_eq(ctx->client_key, cfg->client_key)) {
            ctx->refs++;
            *out = ctx;
            return 0;
        }
    }
    jabi_tls_ctx *ctx = jabi_alloc0(loop->mem, sizeof *ctx);
    *out = NULL;
    if (!ctx)
        return JAB_ENOMEM;
    ctx->loop = loop;
    int err = fill(ctx, cfg);
    if (err < 0) {
        free_ctx(ctx);
        return err;
    }
    ctx->refs = 1;
    ctx->next = loop->tls;
    loop->tls = ctx;
    *out = ctx;
    return 0;
}

void jabi_tls_ctx_put(jabi_tls_ctx *ctx)
{
    if (!ctx || --ctx->refs > 0)
        return;
    for (jabi_tls_ctx **p = &ctx->loop->tls; *p; p = &(*p)->next) {
        if (*p == ctx) {
            *p = ctx->next;
            break;
        }
    }
    free_ctx(ctx);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)((p - digits) % 16) : -1;
}

/* 64 digits, with or without a colon between two bytes. */
static int pin_from_hex(jab_str text, uint8_t pin[32])
{
    size_t digits = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':' && digits % 2 == 0 && digits > 0)
            continue;
        int value = hex_digit(text.p[i]);
        if (value < 0 || digits == 64)
            return 0;
        pin[digits / 2] = (uint8_t)(digits % 2 ? pin[digits / 2] << 4 | value : value);
        digits++;
    }
    return digits == 64;
}

int jabi_pin_parse(jab_str text, uint8_t pin[32])
{
    if (pin_from_hex(text, pin))
        return 0;
    jabi_buf bytes;
    jabi_buf_init(&bytes, jabi_mem_default(), 64);
    int err = jabi_base64_decode(&bytes, text);
    if (err == 0 && bytes.n == 32)
        memcpy(pin, bytes.p, 32);
    int ok = err == 0 && bytes.n == 32;
    jabi_buf_fini(&bytes);
    return ok ? 0 : JAB_EINVAL;
}
