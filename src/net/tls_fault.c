/* tls_fault.c: what went wrong with TLS, in words that a user can act on. */
#include <openssl/err.h>
#include <stdio.h>

#include "net/tls.h"

static int set(jabi_tls *t, int code)
{
    t->fault = (jab_fault){.code = code, .stage = JAB_AT_TLS, .text = jab_cstr(t->text)};
    return code;
}

int jabi_tls_fail(jabi_tls *t, int code, const char *words)
{
    snprintf(t->text, sizeof t->text, "TLS with %s failed: %s", t->domain, words);
    return set(t, code);
}

/* Chains that end nowhere: naming their issuer's file would help. */
static int is_untrusted(int error)
{
    static const int untrusted[] = {
        X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,       X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,   X509_V_ERR_CERT_UNTRUSTED,
    };
    for (size_t i = 0; i < sizeof untrusted / sizeof *untrusted; i++)
        if (untrusted[i] == error)
            return 1;
    return 0;
}

int jabi_tls_fail_chain(jabi_tls *t)
{
    const char *whose = t->chain_depth > 0 ? "a certificate above the one " : "certificate ";
    const char *words = X509_verify_cert_error_string(t->chain_error);
    size_t size = sizeof t->text;
    if (t->chain_error == X509_V_ERR_CERT_HAS_EXPIRED)
        snprintf(t->text, size, "%sfor %s expired on %s", whose, t->domain, t->chain_date);
    else if (t->chain_error == X509_V_ERR_CERT_NOT_YET_VALID)
        snprintf(t->text, size, "%sfor %s is not valid before %s (is this machine's clock right?)",
                 whose, t->domain, t->chain_date);
    else if (t->chain_error == X509_V_ERR_DANE_NO_MATCH)
        snprintf(t->text, size, "certificate for %s is none that its TLSA records name (DANE)",
                 t->domain);
    else if (is_untrusted(t->chain_error))
        snprintf(t->text, size,
                 "certificate for %s is not trusted: %s (--ca-file FILE trusts its issuer)",
                 t->domain, words);
    else
        snprintf(t->text, size, "%sfor %s is not acceptable: %s", whose, t->domain, words);
    return set(t, JAB_ECERT);
}

int jabi_tls_fail_name(jabi_tls *t, X509 *cert)
{
    char names[300];
    jabi_cert_names(cert, names, sizeof names);
    if (names[0])
        snprintf(t->text, sizeof t->text, "certificate is for %s, not for %s", names, t->domain);
    else
        snprintf(t->text, sizeof t->text,
                 "certificate names no domain (a common name does not count), not for %s",
                 t->domain);
    return set(t, JAB_ECERT);
}

int jabi_tls_fail_openssl(jabi_tls *t, int ssl_error)
{
    unsigned long error = ERR_peek_last_error();
    if (t->chain_error && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return jabi_tls_fail_chain(t);
    const char *words = error ? ERR_reason_error_string(error) : NULL;
    if (ssl_error == SSL_ERROR_ZERO_RETURN || ssl_error == SSL_ERROR_SYSCALL || t->eof)
        return jabi_tls_fail(t, JAB_ETLS, "the connection was closed during the handshake");
    if (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER)
        words = "the server does not speak TLS on this port";
    return jabi_tls_fail(t, JAB_ETLS, words ? words : "handshake failed");
}
