/* probe_tls.c: a handshake that goes on whatever the certificate is, and what is
 * to be known of both. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "base/hash.h"
#include "net/probe.h"

#define SHA256_SIZE 32

/* As drive_dane.c does for a client. 0 or < 0. */
static int use_dane(jabi_probe_run *run)
{
    jab_probe *p = run->p;
    jabi_dane_facts facts;
    if (!p->cfg.dane || p->proxy || !jabi_resolve_dane(p->resolve, run->from, &facts))
        return 0;
    int used = jabi_tls_use_dane(run->tls, facts.host, facts.records);
    return used < 0 ? used : 0;
}

int jabi_probe_begin_tls(jabi_probe_run *run)
{
    jab_probe *p = run->p;
    int err =
        jabi_tls_new(&run->tls, p->trust, run->watch.fd, p->domain, NULL, run->target->direct_tls);
    if (err == 0)
        err = use_dane(run);
    if (err < 0)
        return jabi_probe_fault(run, err, JAB_AT_TLS, (jab_str){0}, "%s", jab_strerror(err));
    /* The verdict on the chain is noted, not obeyed: nothing secret follows. */
    SSL_set_verify(run->tls->ssl, SSL_VERIFY_NONE, NULL);
    return jabi_probe_enter(run, jabi_probe_shake);
}

/* -- The certificate ------------------------------------------------------------------ */

static int64_t ms_of(const ASN1_TIME *time)
{
    struct tm tm;
    if (!time || !ASN1_TIME_to_tm(time, &tm))
        return 0;
    return (int64_t)timegm(&tm) * 1000;
}

/* An entry of a name as text; 0 when there is none. */
static int entry_text(X509_NAME *name, int nid, char *out, size_t size)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(name, at) : NULL;
    unsigned char *text = NULL;
    int n = entry ? ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry)) : -1;
    if (n > 0)
        snprintf(out, size, "%.*s", n, (const char *)text);
    if (n >= 0)
        OPENSSL_free(text);
    return n > 0;
}

static jab_str issuer_of(jab_probe *p, X509 *cert)
{
    char text[128] = "";
    X509_NAME *name = X509_get_issuer_name(cert);
    if (!entry_text(name, NID_organizationName, text, sizeof text))
        entry_text(name, NID_commonName, text, sizeof text);
    return jabi_probe_clean(p, text);
}

static void hash_key(jab_probe *p, jab_probe_cert *facts, X509 *cert)
{
    unsigned char *der = NULL;
    uint8_t digest[JABI_HASH_MAX];
    char hex[2 * SHA256_SIZE + 1];
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    if (n <= 0)
        return;
    jab_str part = {(const char *)der, (size_t)n};
    if (jabi_hash_parts(JABI_SHA256, &part, 1, digest) == 0) {
        jabi_hex(digest, SHA256_SIZE, hex);
        facts->key_sha256 = jabi_probe_keep(p, jab_cstr(hex));
        facts->pinned = !p->has_pin || memcmp(digest, p->pin, SHA256_SIZE) == 0;
    }
    OPENSSL_free(der);
}

static void note_cert(jabi_probe_run *run, jab_probe_cert *facts, X509 *cert)
{
    jab_probe *p = run->p;
    jabi_tls *t = run->tls;
    char names[300];
    jabi_cert_names(cert, names, sizeof names);
    facts->issuer = issuer_of(p, cert);
    facts->names = jabi_probe_keep(p, jab_cstr(names));
    facts->from = ms_of(X509_get0_notBefore(cert));
    facts->until = ms_of(X509_get0_notAfter(cert));
    facts->trusted = SSL_get_verify_result(t->ssl) == X509_V_OK;
    facts->tlsa = t->dane_records;
    t->by_dane = t->dane_records > 0 && SSL_get0_dane_authority(t->ssl, NULL, NULL) >= 0;
    facts->by_dane = t->by_dane;
    facts->matches = jabi_tls_names_hold(t, cert);
    hash_key(p, facts, cert);
}

/* The first reason for which a client would end the connection here. */
static void judge_cert(jabi_probe_run *run, const jab_probe_cert *facts, X509 *cert)
{
    jabi_tls *t = run->tls;
    if (!facts->trusted)
        jabi_tls_fail_chain(t);
    else if (!facts->matches)
        jabi_tls_fail_name(t, cert);
    else if (facts->pinned)
        return;
    jab_str words = facts->trusted && facts->matches
                        ? JAB_STR("its public key is another than the pinned one")
                        : t->fault.text;
    jabi_probe_fault(run, JAB_ECERT, JAB_AT_TLS, (jab_str){0}, JAB_FMT, JAB_ARG(words));
}

/* -- The handshake --------------------------------------------------------------------- */

static int note(jabi_probe_run *run)
{
    jab_probe *p = run->p;
    jabi_tls *t = run->tls;
    jab_probe_tls *facts = jabi_probe_alloc(p, sizeof *facts);
    X509 *cert = SSL_get0_peer_certificate(t->ssl);
    if (!facts)
        return JAB_ENOMEM;
    if (!cert || jabi_tls_read_info(t) < 0)
        return jabi_probe_fault(run, JAB_ECERT, JAB_AT_TLS, (jab_str){0},
                                "the server showed no certificate");
    const unsigned char *alpn = NULL;
    unsigned n = 0;
    SSL_get0_alpn_selected(t->ssl, &alpn, &n);
    facts->version = t->info.version;
    facts->cipher = jabi_probe_keep(p, t->info.cipher);
    /* What was agreed on is what was offered: "xmpp-client". */
    facts->alpn = n ? jabi_probe_keep(p, (jab_str){(const char *)alpn, n}) : (jab_str){0};
    facts->exporter = t->info.exporter.p != NULL;
    facts->unique = t->info.unique.p != NULL;
    facts->end_point = t->info.end_point.p != NULL;
    facts->took = jabi_now() - run->began;
    note_cert(run, &facts->cert, cert);
    judge_cert(run, &facts->cert, cert);
    run->address->tls = facts;
    return jabi_probe_begin_stream(run);
}

int jabi_probe_shake(jabi_probe_run *run)
{
    jabi_tls *t = run->tls;
    ERR_clear_error();
    int result = SSL_do_handshake(t->ssl);
    if (result == 1) {
        t->wants_write = 0;
        return note(run);
    }
    int error = SSL_get_error(t->ssl, result);
    t->wants_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return JABI_PROBE_WAIT;
    int code = jabi_tls_fail_openssl(t, error);
    ERR_clear_error();
    return jabi_probe_fault(run, code, JAB_AT_TLS, (jab_str){0}, JAB_FMT, JAB_ARG(t->fault.text));
}
