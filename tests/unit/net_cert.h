/* net_cert.h: certificates made on the spot, for tests of TLS. */
#ifndef NET_CERT_H
#define NET_CERT_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "unit.h"

/* A self-signed certificate and its key. */
typedef struct net_cert {
    EVP_PKEY *key;
    X509 *cert;
    char file[64]; /* both as PEM, removed by net_cert_free() */
} net_cert;

/* The extension for names as OpenSSL writes them: "DNS:a.example, IP:192.0.2.1",
 * or, where a comma is part of one, a section: "otherName.1=...". */
static inline X509_EXTENSION *net_cert_names(const char *names)
{
    if (!strstr(names, ".1="))
        return X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    CONF *conf = NCONF_new(NULL);
    BIO *text = BIO_new(BIO_s_mem());
    long line;
    BIO_printf(text, "[names]\n%s\n", names);
    assert_int_equal(NCONF_load_bio(conf, text, &line), 1);
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(conf, &ctx, NID_subject_alt_name, "@names");
    BIO_free(text);
    NCONF_free(conf);
    return ext;
}

/* `names` as above, NULL for none; valid from `from` to `to` seconds from now, signed with `md`. */
static inline net_cert net_cert_make(const char *names, const char *common_name, long from, long to,
                                     const EVP_MD *md)
{
    net_cert c = {EVP_EC_gen("P-256"), X509_new(), "/tmp/jabiru-test-XXXXXX"};
    assert_non_null(c.key);
    X509_set_version(c.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c.cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(c.cert), from);
    X509_gmtime_adj(X509_getm_notAfter(c.cert), to);
    X509_set_pubkey(c.cert, c.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c.cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)common_name, -1, -1, 0);
    X509_set_issuer_name(c.cert, X509_get_subject_name(c.cert));
    if (names) {
        X509_EXTENSION *ext = net_cert_names(names);
        assert_non_null(ext);
        X509_add_ext(c.cert, ext, -1);
        X509_EXTENSION_free(ext);
    }
    assert_true(X509_sign(c.cert, c.key, md) > 0);
    int fd = mkstemp(c.file);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    PEM_write_X509(f, c.cert);
    PEM_write_PrivateKey(f, c.key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    return c;
}

static inline void net_cert_free(net_cert *c)
{
    unlink(c->file);
    X509_free(c->cert);
    EVP_PKEY_free(c->key);
}

#endif
