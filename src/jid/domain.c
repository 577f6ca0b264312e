/* domain.c: domains: IDNA2008 by libidn2, IP addresses, plain host names. */
#include "jid/text.h"

#include <arpa/inet.h>
#include <idn2.h>

#define LABEL_MAX  63  /* RFC 1034 §3.1, as A-label */
#define DOMAIN_MAX 253 /* the same in its 255 bytes on the wire */

/* RFC 5890 §2.3.1: hyphens neither first nor last, nor both third and fourth:
 * such labels are reserved, of which IDNA knows one kind, "xn--". */
static int hyphens_fit(jab_str label, int ace)
{
    if (label.p[0] == '-' || label.p[label.n - 1] == '-')
        return 0;
    if (label.n < 4 || label.p[2] != '-' || label.p[3] != '-')
        return 1;
    return ace && label.p[0] == 'x' && label.p[1] == 'n';
}

/* Whether all labels are there, of at most `max` bytes, and hyphens fit. */
static int labels_fit(jab_str domain, size_t max, int ace)
{
    size_t start = 0;
    for (size_t i = 0; i <= domain.n; i++) {
        if (i < domain.n && domain.p[i] != '.')
            continue;
        jab_str label = {domain.p + start, i - start};
        if (!label.n || label.n > max || !hyphens_fit(label, ace))
            return 0;
        start = i + 1;
    }
    return 1;
}

static int is_host_name(jab_str domain, int ace)
{
    return domain.n && domain.n <= DOMAIN_MAX && jabi_jid_all(domain, JABI_IN_DOMAIN) &&
           labels_fit(domain, LABEL_MAX, ace);
}

int jabi_jid_domain_plain(jab_str domain)
{
    return is_host_name(domain, 0);
}

static int idn2_error(int code)
{
    return code == IDN2_MALLOC ? JAB_ENOMEM : JAB_EJID;
}

/* Takes over what libidn2 allocated; at most `max` bytes and a NUL to `out`. */
static int take(void *result, char *out, size_t max)
{
    size_t n = strlen(result);
    if (n <= max)
        memcpy(out, result, n + 1);
    idn2_free(result);
    return n <= max ? (int)n : JAB_EJID;
}

/* A-labels. Without UTS #46, whose mappings IDNA2008 does not know: what the
 * name needs of mapping is done, and "ß" stays what it is (RFC 5894 §7.2). */
static int to_ascii(const char *name, char out[DOMAIN_MAX + 1])
{
    uint8_t *result = NULL;
    int code = idn2_lookup_u8((const uint8_t *)name, &result, IDN2_NO_TR46);
    if (code != IDN2_OK)
        return idn2_error(code);
    int n = take(result, out, DOMAIN_MAX);
    return n < 0 || is_host_name((jab_str){out, (size_t)n}, 1) ? n : JAB_EJID;
}

static int to_unicode(const char *name, char out[JAB_JID_PART_MAX + 1])
{
    char *result = NULL;
    int code = idn2_to_unicode_8z8z(name, &result, 0);
    return code == IDN2_OK ? take(result, out, JAB_JID_PART_MAX) : idn2_error(code);
}

/* What libidn2 leaves to us, of a name that only IDNA can judge. */
static int may_be_idn(jab_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char byte = (unsigned char)name.p[i];
        if (byte < 0x80 && !(jabi_jid_ascii[byte] & JABI_IN_DOMAIN))
            return 0;
    }
    return name.n && labels_fit(name, JAB_JID_PART_MAX, 1);
}

/* The mapping of RFC 5895 §2: lower case, width, Form C, and the full stops of
 * East Asian input methods, of which the wide one is a '.' by its width. */
static int map(jab_str text, char out[JAB_JID_PART_MAX])
{
    if (jabi_is_ascii(text))
        return text.n <= JAB_JID_PART_MAX ? jabi_lower_ascii(text, out) : JAB_EJID;
    jabi_text t;
    if (jabi_text_read(&t, text))
        return JAB_EJID;
    jabi_text_map_width(&t);
    for (size_t i = 0; i < t.n; i++)
        if (t.cp[i] == 0x3002)
            t.cp[i] = '.';
    return jabi_text_normalize(&t, 1) ? JAB_EJID : jabi_text_write(&t, out);
}

/* Puts U-labels for A-labels (RFC 7622 §3.2.1) and has both forms checked: an
 * A-label is one only if its U-label leads back to it (RFC 5890 §2.3.2.1). */
static int idna(jab_str mapped, char out[JAB_JID_PART_MAX])
{
    char name[JAB_JID_PART_MAX + 1], unicode[JAB_JID_PART_MAX + 1];
    char ascii[DOMAIN_MAX + 1], again[DOMAIN_MAX + 1];
    if (!may_be_idn(mapped))
        return JAB_EJID;
    memcpy(name, mapped.p, mapped.n);
    name[mapped.n] = '\0';
    int a = to_ascii(name, ascii);
    int u = a < 0 ? a : to_unicode(name, unicode);
    int b = u < 0 ? u : to_ascii(unicode, again);
    if (b < 0)
        return b;
    jab_str decoded = {unicode, (size_t)u};
    if (a != b || memcmp(ascii, again, (size_t)a) != 0 || !may_be_idn(decoded))
        return JAB_EJID;
    /* What an A-label hides must be as mapped: libidn2 lets pass capitals that
     * its Unicode does not know as such (Cherokee). */
    int m = map(decoded, name);
    if (m != u || memcmp(name, unicode, (size_t)u) != 0)
        return JAB_EJID;
    memcpy(out, unicode, (size_t)u);
    return u;
}

static int zone_fits(jab_str zone)
{
    if (zone.n < 4 || memcmp(zone.p, "%25", 3) != 0)
        return 0;
    for (size_t i = 3; i < zone.n; i++) {
        uint8_t in = jabi_jid_ascii[(unsigned char)zone.p[i]];
        if (!(in & (JABI_IN_DOMAIN | JABI_IS_UPPER)) && zone.p[i] != '_' && zone.p[i] != '~')
            return 0;
    }
    return 1;
}

/* "[2001:db8::1]", also with a zone (RFC 6874 §2), whose letters keep their
 * case: it names an interface. */
static int ip_literal(jab_str text, char *out)
{
    char address[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    if (text.n < 4 || text.n > DOMAIN_MAX || text.p[text.n - 1] != ']')
        return JAB_EJID;
    const char *percent = memchr(text.p, '%', text.n);
    size_t n = (percent ? (size_t)(percent - text.p) : text.n - 1) - 1;
    jab_str zone = {text.p + 1 + n, text.n - 2 - n};
    if (n >= sizeof address || memchr(text.p, '\0', text.n) || (zone.n && !zone_fits(zone)))
        return JAB_EJID;
    jabi_lower_ascii((jab_str){text.p + 1, n}, address);
    address[n] = '\0';
    if (inet_pton(AF_INET6, address, bytes) != 1)
        return JAB_EJID;
    memcpy(out, text.p, text.n);
    memcpy(out + 1, address, n);
    return (int)text.n;
}

int jabi_jid_domain(jab_str text, char out[JAB_JID_PART_MAX])
{
    if (!text.n)
        return JAB_EJID;
    if (text.p[0] == '[')
        return ip_literal(text, out);
    char mapped[JAB_JID_PART_MAX];
    int n = map(text, mapped);
    if (n > 0 && mapped[n - 1] == '.') /* RFC 7622 §3.2 */
        n--;
    if (n <= 0)
        return JAB_EJID;
    jab_str name = {mapped, (size_t)n};
    if (!jabi_jid_domain_plain(name))
        return idna(name, out);
    memcpy(out, mapped, name.n);
    return n;
}

int jab_jid_domain_ascii(jab_str domain, char *out, size_t size)
{
    char name[JAB_JID_PART_MAX + 1], ascii[DOMAIN_MAX + 1];
    const char *result = name;
    int n = jabi_jid_domain(domain, name);
    if (n < 0)
        return n;
    name[n] = '\0';
    if (!jabi_is_ascii((jab_str){name, (size_t)n})) {
        n = to_ascii(name, ascii);
        result = ascii;
    }
    if (n < 0)
        return n;
    if ((size_t)n >= size)
        return JAB_ELIMIT;
    memcpy(out, result, (size_t)n + 1);
    return n;
}
