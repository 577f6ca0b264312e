/*
 * stanza.h: reading what arrived (elements, stanzas, messages) and building
 * what is to be sent.
 */
#ifndef JABIRU_STANZA_H
#define JABIRU_STANZA_H

#include <jabiru/base.h>
#include <jabiru/jid.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jab_session jab_session;
typedef struct jab_xml jab_xml;       /* one element of a tree, read-only */
typedef struct jab_stanza jab_stanza; /* a message, presence or iq that arrived */
typedef struct jab_out jab_out;       /* one stanza being built */

/* -- Elements ----------------------------------------------------------------
 *
 * All views and elements live as long as the stanza they belong to. Every
 * function takes NULL for an element and answers "absent", so look-ups can
 * be chained: jab_xml_text(jab_xml_child(el, NS, "body")).
 */

/* The local name ("body"), without a prefix. */
JAB_API jab_str jab_xml_name(const jab_xml *el);

/* The namespace, resolved ("jabber:client"); empty when there is none. */
JAB_API jab_str jab_xml_ns(const jab_xml *el);

/* Whether the element has this namespace and local name. ns NULL: any. */
JAB_API int jab_xml_is(const jab_xml *el, const char *ns, const char *name);

/* The value of an attribute that is in no namespace; absent if not there. */
JAB_API jab_str jab_xml_attr(const jab_xml *el, const char *name);

/* The value of an attribute in a namespace. */
JAB_API jab_str jab_xml_attr_ns(const jab_xml *el, const char *ns, const char *name);

/* The language in force at the element (the nearest xml:lang); absent if none. */
JAB_API jab_str jab_xml_lang(const jab_xml *el);

/* All text directly inside the element, joined; empty when there is none.
 * Text inside child elements is not part of it. */
JAB_API jab_str jab_xml_text(const jab_xml *el);

/* The first child element, and the next sibling element; NULL at the end. */
JAB_API const jab_xml *jab_xml_first(const jab_xml *el);
JAB_API const jab_xml *jab_xml_next(const jab_xml *el);

/* The element around this one; NULL at the top. */
JAB_API const jab_xml *jab_xml_parent(const jab_xml *el);

/* The first child element with this namespace and name. ns NULL means the
 * namespace of `el` itself; name NULL means any name. NULL when none. */
JAB_API const jab_xml *jab_xml_child(const jab_xml *el, const char *ns, const char *name);

/* The next sibling after `el` that has this namespace and name; NULL means what
 * it means to jab_xml_child(), with the namespace of `el` itself. */
JAB_API const jab_xml *jab_xml_next_named(const jab_xml *el, const char *ns, const char *name);

/*
 * Writes the element as XML text, NUL-ended, to `out`. Returns the length
 * that the text has, without the NUL: when that is `size` or more, nothing
 * useful was written, and a larger buffer is wanted (as snprintf does).
 */
JAB_API size_t jab_xml_print(const jab_xml *el, char *out, size_t size);

/* -- Stanzas ------------------------------------------------------------------
 *
 * A stanza in an event is valid until the next event is pulled.
 */
typedef enum jab_kind { JAB_MESSAGE = 1, JAB_PRESENCE, JAB_IQ } jab_kind;

typedef enum jab_message_type {
    JAB_MSG_NORMAL,
    JAB_MSG_CHAT,
    JAB_MSG_GROUPCHAT,
    JAB_MSG_HEADLINE,
    JAB_MSG_ERROR,
} jab_message_type;

typedef enum jab_iq_type { JAB_IQ_GET, JAB_IQ_SET, JAB_IQ_RESULT, JAB_IQ_ERROR } jab_iq_type;

/* How a stanza came, or-ed together. Judged by the core, never by the sender. */
enum jab_via {
    JAB_VIA_CARBON_SENT = 1 << 0,     /* copy of what another of my clients sent */
    JAB_VIA_CARBON_RECEIVED = 1 << 1, /* copy of what another of my clients got */
    JAB_VIA_ARCHIVE = 1 << 2,         /* result of an archive query */
    JAB_VIA_DELAYED = 1 << 3,         /* my server or the room stored it for a while */
    JAB_VIA_HISTORY = 1 << 4,         /* a room's history */
    JAB_VIA_ROOM = 1 << 5,            /* from a room that this session joined */
};

JAB_API jab_kind jab_stanza_kind(const jab_stanza *st);
JAB_API jab_jid jab_stanza_from(const jab_stanza *st); /* absent "from" gives the own bare JID */
JAB_API jab_jid jab_stanza_to(const jab_stanza *st);   /* absent "to" gives the own full JID */
JAB_API jab_str jab_stanza_id(const jab_stanza *st);   /* absent if it has none */
JAB_API jab_str jab_stanza_type(const jab_stanza *st); /* the type attribute as it came */
JAB_API const jab_xml *jab_stanza_xml(const jab_stanza *st);
JAB_API unsigned jab_stanza_via(const jab_stanza *st); /* enum jab_via */

/* Keeps a stanza beyond its event: a compact copy that the caller owns and
 * gives to jab_stanza_drop(). NULL when out of memory. */
JAB_API jab_stanza *jab_stanza_keep(const jab_stanza *st) JAB_MUST_USE;

/* Frees a stanza that jab_stanza_keep() or jab_stanza_read() returned. NULL is fine. */
JAB_API void jab_stanza_drop(jab_stanza *st);

/*
 * Reads XML text as a stanza that the caller owns, such as the message that a store keeps
 * (jab_kept_message.xml). Addresses are as written, and absent where they are;
 * nobody has judged who sent it. `mem` NULL: malloc. Returns 0 and sets *out;
 * JAB_EXML; JAB_ENOMEM.
 */
JAB_API int jab_stanza_read(jab_stanza **out, jab_str xml, const jab_mem *mem) JAB_MUST_USE;

/* A stanza error (RFC 6120 8.3). */
typedef struct jab_stanza_error {
    jab_str condition;  /* "service-unavailable" */
    jab_str type;       /* "cancel", "auth", "modify", "wait", "continue" */
    jab_str text;       /* words for people, may be absent */
    const jab_xml *app; /* an application-specific condition, or NULL */
} jab_stanza_error;

/* Reads the <error/> of a stanza into *e. Returns 1, or 0 when the stanza is
 * not of type "error". A missing condition reads as "undefined-condition". */
JAB_API int jab_stanza_error_read(const jab_stanza *st, jab_stanza_error *e);

/* -- Building -----------------------------------------------------------------
 *
 * A builder writes one stanza from left to right. Each call may fail; the
 * first failure is remembered, the later calls do nothing, and
 * jab_out_send() reports it. So ten calls need one check. NULL is accepted
 * as a builder that failed with JAB_ENOMEM.
 *
 * A builder is valid until jab_out_send() or jab_out_cancel(), one of which
 * must be called. Strings passed in are copied at once.
 */

/* Begins a message. `to` must be an address, prepared or not. A random id is
 * set, and readable as jab_out_id(). */
JAB_API jab_out *jab_message_to(jab_session *s, jab_str to, jab_message_type type);

/* Begins a presence without a type (available); see presence.h for the rest.
 * `to` absent: to everyone who has a subscription. */
JAB_API jab_out *jab_presence_to(jab_session *s, jab_str to);

/* Begins an iq request (JAB_IQ_GET or JAB_IQ_SET). `to` absent: the own
 * server, on behalf of the account. The reply, an error, or the failure to
 * get one arrives as a JAB_EV_IQ event that carries the tag of jab_out_send(). */
JAB_API jab_out *jab_iq_to(jab_session *s, jab_str to, jab_iq_type type);

/*
 * Addresses a stanza that was begun without `to`, before anything is written
 * in it, to an address that the library handed out, as it is. Preparing it
 * again would fail for a resource that is not to be had here, but which
 * another server let pass (a nickname with a newer emoji). The builder fails
 * with JAB_ESTATE when it has an address or content, JAB_EJID when `to` is
 * absent or longer than JAB_JID_MAX.
 */
JAB_API void jab_out_to(jab_out *o, jab_jid to);

/* Opens a child element inside the current one and makes it current. `ns`
 * NULL means the namespace of the current element. */
JAB_API void jab_out_child(jab_out *o, const char *ns, const char *name);

/* Adds an attribute to the element just opened. An absent value adds none. */
JAB_API void jab_out_attr(jab_out *o, const char *name, jab_str value);

/* Sets xml:lang on the element just opened. */
JAB_API void jab_out_lang(jab_out *o, jab_str lang);

/* Adds text to the current element; it is escaped. Bytes that XML does not
 * allow (control characters, bad UTF-8) fail the builder with JAB_EXML. */
JAB_API void jab_out_text(jab_out *o, jab_str text);

/* Closes the current element. */
JAB_API void jab_out_end(jab_out *o);

/* Adds <name>text</name> in the namespace of the current element. */
JAB_API void jab_out_leaf(jab_out *o, const char *name, jab_str text);

/* Copies an element, with all in it, into the current one. */
JAB_API void jab_out_copy(jab_out *o, const jab_xml *el);

/* Adds XML text: one well-formed element, no prefixes but those it declares,
 * else the builder fails with JAB_EXML. It is parsed before it is
 * sent, so it cannot break the stream. */
JAB_API void jab_out_raw(jab_out *o, jab_str xml);

/* Sets the stanza's id instead of the random one. Only before the first child. */
JAB_API void jab_out_set_id(jab_out *o, jab_str id);

/* <body/>, <subject/> and <thread/> of a message. */
JAB_API void jab_out_body(jab_out *o, jab_str text);
JAB_API void jab_out_body_in(jab_out *o, jab_str lang, jab_str text);
JAB_API void jab_out_subject(jab_out *o, jab_str text);
JAB_API void jab_out_thread(jab_out *o, jab_str id, jab_str parent);

/* What is being built. */
JAB_API jab_str jab_out_id(const jab_out *o); /* valid until the builder is */
JAB_API jab_kind jab_out_kind(const jab_out *o);
JAB_API jab_message_type jab_out_type(const jab_out *o);
JAB_API int jab_out_has_body(const jab_out *o);
JAB_API int jab_out_is_available(const jab_out *o); /* a presence without a type */

/* Makes the builder fail with this error (< 0), unless it failed before. */
JAB_API void jab_out_fail(jab_out *o, int error);

/* The error the builder has met so far, or 0. */
JAB_API int jab_out_error(const jab_out *o);

/*
 * Sends the stanza: closes what is open, runs the outgoing filters of the
 * extensions, and appends it to the session's output. The builder is gone
 * afterwards, whatever is returned. `tag` is the caller's, and comes back in
 * the event that answers an iq request.
 *
 * Returns 0; the builder's error (JAB_EXML, JAB_EJID, JAB_ENOMEM, ...);
 * JAB_EOFFLINE when the session is not online; JAB_EAGAIN when the output
 * queue or the table of open requests is full; JAB_ELIMIT when the stanza is
 * larger than the configured limit.
 */
JAB_API int jab_out_send(jab_out *o, uint64_t tag);

/* Gives the builder back without sending. NULL is fine. */
JAB_API void jab_out_cancel(jab_out *o);

#ifdef __cplusplus
}
#endif
#endif
