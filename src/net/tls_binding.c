/* tls_binding.c: what SASL wants to know about TLS: channel bindings. */
#include <openssl/err.h>

#include "net/tls.h"

#define EXPORTER_LABEL "EXPORTER-Channel-Binding"

/* RFC 9266 §2: on TLS 1.2 only with the extended master secret, else the
 * value could be the same on two connections (RFC 7627). */
static void read_exporter(jabi_tls *t)
{
    if (t->info.version < 13 && SSL_get_extms_support(t->ssl) != 1)
        return;
    if (SSL_export_keying_material(t->ssl, t->exporter, sizeof t->exporter, EXPORTER_LABEL,
                                   sizeof EXPORTER_LABEL - 1, (const unsigned char *)"", 0, 1) == 1)
        t->info.exporter = (jab_str){(const char *)t->exporter, sizeof t->exporter};
}

/* RFC 5929 §3.1: the first Finished message: the client's, or the server's
 * when a session was resumed. TLS 1.3 has none (RFC 8446 C.5). Two resumed connections
 * could have the same one without the extended master secret (RFC 7627 §1). */
static void read_unique(jabi_tls *t)
{
    if (t->info.version > 12 || (t->info.resumed && SSL_get_extms_support(t->ssl) != 1))
        return;
    size_t n = SSL_session_reused(t->ssl)
                   ? SSL_get_peer_finished(t->ssl, t->unique, sizeof t->unique)
                   : SSL_get_finished(t->ssl, t->unique, sizeof t->unique);
    if (n > 0 && n <= sizeof t->unique)
        t->info.unique = (jab_str){(const char *)t->unique, n};
}

/* RFC 5929 §4.1: the certificate hashed as its signature is, but never by MD5
 * or SHA-1. Signatures without a hash of their own leave it undefined. */
static void read_end_point(jabi_tls *t, X509 *cert)
{
    int hash = NID_undef;
    unsigned n = 0;
    if (!X509_get_signature_info(cert, &hash, NULL, NULL, NULL) || hash == NID_undef)
        return;
    if (hash == NID_md5 || hash == NID_sha1)
        hash = NID_sha256;
    const EVP_MD *md = EVP_get_digestbynid(hash);
    if (md && EVP_MD_get_size(md) <= (int)sizeof t->end_point &&
        X509_digest(cert, md, t->end_point, &n))
        t->info.end_point = (jab_str){(const char *)t->end_point, n};
}

int jabi_tls_read_info(jabi_tls *t)
{
    X509 *cert = SSL_get0_peer_certificate(t->ssl);
    if (!cert)
        return JAB_ECRYPTO;
    t->info = (jab_tls_info){.verified = 1};
    t->info.version = SSL_version(t->ssl) >= TLS1_3_VERSION ? 13 : 12;
    t->info.cipher = jab_cstr(SSL_get_cipher_name(t->ssl));
    t->info.resumed = SSL_session_reused(t->ssl);
    t->info.has_client_cert = t->cert_asked && SSL_get_certificate(t->ssl) != NULL;
    read_exporter(t);
    read_unique(t);
    read_end_point(t, cert);
    ERR_clear_error();
    return 0;
}

void jabi_tls_expect_info(jabi_tls *t, SSL_SESSION *session)
{
    const SSL_CIPHER *cipher = SSL_SESSION_get0_cipher(session);
    t->info = (jab_tls_info){.verified = 1, .version = 13, .resumed = 1};
    t->info.cipher = jab_cstr(cipher ? SSL_CIPHER_get_name(cipher) : NULL);
    read_end_point(t, SSL_SESSION_get0_peer(session));
    ERR_clear_error();
}
