/* tls_dane.c: certificates that TLSA records vouch for (RFC 7671, RFC 7673 §4). */
#include <openssl/err.h>
#include <stdio.h>

#include "base/check.h"
#include "net/dane.h"
#include "net/tls.h"

#define DANE_EE 3 /* RFC 7218 §2.1 */

/* What OpenSSL cannot use (RFC 7671 §2: unknown usages, selectors, matching types) counts
 * as not there. */
static int add_records(jabi_tls *t, jab_str records)
{
    jabi_tlsa r;
    for (unsigned n = 0; n < JABI_DANE_RECORDS && jabi_dane_next(&records, &r); n++) {
        int added = SSL_dane_tlsa_add(t->ssl, r.usage, r.selector, r.matching, r.data, r.n);
        if (added < 0)
            ERR_clear_error(); /* malformed: a digest of the wrong length, say */
        t->dane_records += added > 0;
    }
    return t->dane_records;
}

int jabi_tls_use_dane(jabi_tls *t, const char *host, jab_str records)
{
    snprintf(t->secure_host, sizeof t->secure_host, "%s", host);
    if (records.n == 0 || JAB_CHECK(DANE_MATCH, 0)) /* the second never, but in its test */
        return 0;
    if (SSL_dane_enable(t->ssl, t->domain) != 1)
        return JAB_ENOMEM;
    /* Whom a certificate is for is judged in tls_name.c, by the rules of XMPP. */
    X509_VERIFY_PARAM_set1_host(SSL_get0_param(t->ssl), NULL, 0);
    SSL_dane_set_flags(t->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    int usable = add_records(t, records);
    ERR_clear_error();
    return usable > 0;
}

/* RFC 7673 §4.2: a record of the server's own certificate or key needs no name in it. */
static int is_end_entity(const jabi_tls *t)
{
    uint8_t usage = 0;
    return t->by_dane && SSL_get0_dane_tlsa(t->ssl, &usage, NULL, NULL, NULL, NULL) >= 0 &&
           usage == DANE_EE;
}

/* RFC 7673 §4.1: where DNSSEC vouches for the SRV record, its target is a name, too. */
int jabi_tls_names_hold(const jabi_tls *t, X509 *cert)
{
    return is_end_entity(t) || jabi_cert_matches(cert, t->domain) ||
           (t->secure_host[0] && jabi_cert_matches(cert, t->secure_host));
}
