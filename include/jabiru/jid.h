/*
 * jid.h: addresses (RFC 7622), their escaping (XEP-0106) and xmpp: URIs
 * (RFC 5122).
 *
 * An address is prepared (PRECIS for local part and resource, IDNA2008 for
 * the domain) once, when it enters the program; after that, equal addresses
 * are equal bytes, and preparing again changes nothing.
 */
#ifndef JABIRU_JID_H
#define JABIRU_JID_H

#include <jabiru/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JAB_JID_PART_MAX 1023 /* bytes of one part, RFC 7622 3.1 */
#define JAB_JID_MAX      3071 /* bytes of a whole address */

/* A prepared address. All members are views into one string: `full`. */
typedef struct jab_jid {
    jab_str full;     /* "juliet@example.com/balcony" */
    jab_str bare;     /* "juliet@example.com" */
    jab_str local;    /* "juliet", absent in "example.com" */
    jab_str domain;   /* "example.com"; U-labels, as RFC 7622 3.2 wants */
    jab_str resource; /* "balcony", absent in a bare address */
} jab_jid;

/* Room for one prepared address. */
typedef struct jab_jid_buf {
    char bytes[JAB_JID_MAX + 1];
} jab_jid_buf;

/*
 * Prepares `text` into *jid. The bytes are written to `buf`, end with a NUL,
 * and *jid points into it: it is valid as long as `buf` is and stays put.
 * Returns 0, JAB_EJID when `text` is not an address, or JAB_ENOMEM (only an
 * address with an international domain needs memory). On error *jid is all
 * absent and `buf` untouched. `text` may lie in `buf`.
 */
JAB_API int jab_jid_parse(jab_jid *jid, jab_str text, jab_jid_buf *buf) JAB_MUST_USE;

/*
 * Puts an address together from its parts and prepares it. `local` and
 * `resource` may be absent; what is there must not be empty. Returns as
 * jab_jid_parse() does.
 */
JAB_API int jab_jid_make(jab_jid *jid, jab_str local, jab_str domain, jab_str resource,
                         jab_jid_buf *buf) JAB_MUST_USE;

/* Splits an already prepared address (one that jab_jid_parse() once gave, read
 * back from a file, say) without preparing it again. */
JAB_API jab_jid jab_jid_view(jab_str prepared);

/* Whether two prepared addresses are the same, resource included. */
static inline int jab_jid_eq(const jab_jid *a, const jab_jid *b)
{
    return jab_str_eq(a->full, b->full);
}

/* Whether two prepared addresses belong to the same account. */
static inline int jab_jid_bare_eq(const jab_jid *a, const jab_jid *b)
{
    return jab_str_eq(a->bare, b->bare);
}

/*
 * The domain as A-labels ("xn--..."), for DNS, certificates and SNI. Writes
 * at most `size` bytes with the NUL to `out`. IP addresses are copied, IPv6
 * with its brackets. The name need not be prepared. Returns the length,
 * JAB_EJID when IDNA2008 does not allow the name, JAB_ENOMEM, or JAB_ELIMIT
 * when `out` is too small (256 bytes always suffice).
 */
JAB_API int jab_jid_domain_ascii(jab_str domain, char *out, size_t size) JAB_MUST_USE;

/*
 * XEP-0106: writes the escaped form of a foreign user name ("d'artagnan" to
 * "d\27artagnan") to `out`, and back. The result is NUL-ended. Return the
 * length; JAB_ELIMIT when `out` is too small; JAB_EJID when the foreign name
 * begins or ends with a space, which cannot be escaped (XEP-0106 4.1). Show an
 * address that cannot be unescaped as it is, and compare none unescaped.
 */
JAB_API int jab_jid_escape(jab_str text, char *out, size_t size) JAB_MUST_USE;
JAB_API int jab_jid_unescape(jab_str text, char *out, size_t size) JAB_MUST_USE;

/* One key=value pair of an xmpp: URI's query. */
typedef struct jab_uri_param {
    jab_str key, value; /* value absent in "?join;nogreeting" */
} jab_uri_param;

#define JAB_URI_PARAMS_MAX 16

/* An xmpp: URI taken apart; its strings are views into the buffer given. */
typedef struct jab_uri {
    jab_jid account; /* "xmpp://account@host/to": the account; else all absent */
    jab_jid jid;     /* whom it is about; all absent in "xmpp://account@host" */
    jab_str action;  /* "message", "join", ...; absent when the query has none */
    jab_uri_param params[JAB_URI_PARAMS_MAX];
    size_t n_params;
} jab_uri;

/* Room for a parsed URI. */
typedef struct jab_uri_buf {
    jab_jid_buf account, jid;
    char query[4096];
} jab_uri_buf;

/*
 * Parses an xmpp: URI or IRI (RFC 5122). Nothing that it asks for is done:
 * what an action means, and whether the user wants it, is the program's to
 * ask. Returns 0, JAB_EINVAL when it is not an xmpp: URI or hides control
 * characters, JAB_EJID when its address is none, JAB_ELIMIT when it has too
 * many parameters or bytes, or JAB_ENOMEM. On error *uri is all absent.
 */
JAB_API int jab_uri_parse(jab_uri *uri, jab_str text, jab_uri_buf *buf) JAB_MUST_USE;

/*
 * Writes "xmpp:..." for an address and an optional query such as
 * "message;body=Hi" whose reserved characters the caller already encoded.
 * Returns the length without the NUL, or JAB_ELIMIT.
 */
JAB_API int jab_uri_format(const jab_jid *jid, jab_str query, char *out, size_t size) JAB_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
