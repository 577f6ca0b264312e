/*
 * tls_name.c: whom a certificate is for (RFC 6125 §6, RFC 6120 §13.7.1.2):
 * DNS-ID, SRV-ID, XmppAddr and, for domains that are addresses, iPAddress.
 * The common name never counts.
 */
#include <openssl/x509v3.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/addr.h"
#include "net/tls.h"

#define SRV_ID_PREFIX "_xmpp-client."
#define NAMES_SHOWN   3

static jab_str asn1_text(const ASN1_STRING *s)
{
    return (jab_str){(const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)};
}

static int equals(jab_str a, const char *z)
{
    size_t n = strlen(z);
    return a.n == n && strncasecmp(a.p, z, n) == 0;
}

int jabi_dns_id_matches(jab_str id, const char *domain)
{
    if (!id.p || id.n == 0 || memchr(id.p, '\0', id.n))
        return 0;
    if (id.n < 3 || id.p[0] != '*' || id.p[1] != '.')
        return equals(id, domain);
    /* "*" is one whole label, and stands above two more at least: "*.org"
     * would be everybody. */
    jab_str parent = {id.p + 2, id.n - 2};
    const char *dot = strchr(domain, '.');
    return dot && dot > domain && memchr(parent.p, '.', parent.n) && equals(parent, dot + 1);
}

static int srv_id_matches(jab_str id, const char *domain)
{
    size_t n = sizeof SRV_ID_PREFIX - 1;
    return id.n > n && strncasecmp(id.p, SRV_ID_PREFIX, n) == 0 &&
           equals((jab_str){id.p + n, id.n - n}, domain);
}

/* An XmppAddr holds the domain as a JID does, in U-labels. */
static int xmpp_addr_matches(jab_str id, const char *domain)
{
    char ascii[256];
    if (id.n == 0 || id.n >= sizeof ascii || memchr(id.p, '\0', id.n) ||
        jab_jid_domain_ascii(id, ascii, sizeof ascii) < 0)
        return 0;
    return strcasecmp(ascii, domain) == 0;
}

static int address_matches(jab_str id, const char *domain)
{
    jabi_addr a;
    if (!jabi_addr_parse(&a, jab_cstr(domain), 0))
        return 0;
    if (a.any.sa_family == AF_INET6)
        return id.n == 16 && memcmp(id.p, &a.v6.sin6_addr, 16) == 0;
    return id.n == 4 && memcmp(id.p, &a.v4.sin_addr, 4) == 0;
}

/* The text of an otherName, or absent. */
static jab_str other_text(const OTHERNAME *other)
{
    const ASN1_TYPE *value = other->value;
    if (value && (value->type == V_ASN1_UTF8STRING || value->type == V_ASN1_IA5STRING))
        return asn1_text(value->value.asn1_string);
    return (jab_str){NULL, 0};
}

static int name_matches(const GENERAL_NAME *name, const char *domain, int is_address)
{
    if (name->type == GEN_IPADD)
        return is_address && address_matches(asn1_text(name->d.iPAddress), domain);
    if (name->type == GEN_DNS)
        return !is_address && jabi_dns_id_matches(asn1_text(name->d.dNSName), domain);
    if (name->type != GEN_OTHERNAME)
        return 0;
    jab_str text = other_text(name->d.otherName);
    int nid = OBJ_obj2nid(name->d.otherName->type_id);
    if (!text.p)
        return 0;
    if (nid == NID_SRVName)
        return !is_address && srv_id_matches(text, domain);
    return nid == NID_XmppAddr && xmpp_addr_matches(text, domain);
}

int jabi_cert_matches(X509 *cert, const char *domain)
{
    jabi_addr addr;
    int is_address = jabi_addr_parse(&addr, jab_cstr(domain), 0);
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int found = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
        found = name_matches(sk_GENERAL_NAME_value(names, i), domain, is_address);
    GENERAL_NAMES_free(names);
    return found;
}

/* -- Words ------------------------------------------------------------------- */

static void add_printable(jabi_buf *out, jab_str text)
{
    for (size_t i = 0; i < text.n && i < 80; i++) {
        char c = text.p[i];
        jabi_buf_add_char(out, c > ' ' && c < 0x7f ? c : '?');
    }
}

static void add_name(jabi_buf *out, const GENERAL_NAME *name)
{
    if (name->type == GEN_DNS) {
        add_printable(out, asn1_text(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
        jab_str bytes = asn1_text(name->d.iPAddress);
        char text[JABI_ADDR_TEXT] = "?";
        jabi_addr a;
        if (bytes.n == 4 || bytes.n == 16) {
            jabi_addr_from_bytes(&a, bytes.n == 4 ? AF_INET : AF_INET6, bytes.p, 0);
            jabi_addr_format(&a, text);
            text[strlen(text) - 2] = '\0'; /* the port */
        }
        jabi_buf_add_z(out, text);
    } else {
        add_printable(out, other_text(name->d.otherName));
    }
}

static int is_shown(const GENERAL_NAME *name)
{
    return name->type == GEN_DNS || name->type == GEN_IPADD ||
           (name->type == GEN_OTHERNAME && other_text(name->d.otherName).p);
}

void jabi_cert_names(X509 *cert, char *out, size_t size)
{
    jabi_buf text;
    jabi_buf_init(&text, jabi_mem_default(), size - 1);
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int shown = 0, all = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (!is_shown(name) || all++ >= NAMES_SHOWN)
            continue;
        if (shown++)
            jabi_buf_add_z(&text, ", ");
        add_name(&text, name);
    }
    if (all > shown)
        jabi_buf_printf(&text, " and %d more", all - shown);
    GENERAL_NAMES_free(names);
    memcpy(out, text.p ? text.p : "", text.n);
    out[text.n] = '\0';
    jabi_buf_fini(&text);
}
