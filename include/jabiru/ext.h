/*
 * ext.h: how a protocol extension plugs in. An extension is one constant
 * descriptor: what it announces, which payloads it takes from whom, and what
 * it does with them. Built-in ones are listed in src/ext/ext_list.h; a
 * program passes its own in jab_config.exts, with the same rights.
 *
 * Data flows one way. An extension reads a stanza, changes its own state,
 * writes to the output and emits events; it never calls the application,
 * touches a socket or reads a clock.
 */
#ifndef JABIRU_EXT_H
#define JABIRU_EXT_H

#include <jabiru/base.h>
#include <jabiru/session.h>
#include <jabiru/stanza.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One extension within one session: handed to each of its functions. */
typedef struct jab_ext_ctx jab_ext_ctx;

/* The stages that an inbound stanza goes through, in this order. */
typedef enum jab_route_stage {
    JAB_STAGE_UNWRAP,  /* takes a stanza out of its wrapper: carbons, archive */
    JAB_STAGE_OBSERVE, /* looks, emits events, may end the journey */
    JAB_STAGE_ANSWER,  /* iq get and set: exactly one owner per payload */
} jab_route_stage;

/*
 * Who may send a payload: judged by the router before the handler runs, from
 * the stanza's "from", against the session's account and server. A stanza
 * whose sender is wrong is dropped whole in UNWRAP and ANSWER (no reply, so
 * nothing is given away), and passes by the route in OBSERVE.
 */
typedef enum jab_from {
    JAB_FROM_ANY,
    JAB_FROM_SELF,   /* no "from", or exactly the own bare address */
    JAB_FROM_OWN,    /* SELF, or any resource of the own account */
    JAB_FROM_SERVER, /* SELF, or the own domain */
    JAB_FROM_ROOM,   /* a room that jab_ext_track_room() named, or an occupant of it */
    JAB_FROM_PEER,   /* checked by the handler against an open query (archive of a room) */
} jab_from;

/* What a handler returns; below zero ends the session with that error, but for
 * JAB_EAGAIN and JAB_EOFFLINE: what could not be sent then is not. */
enum {
    JAB_PASS = 0, /* go on with the next route */
    JAB_DONE = 1, /* the stanza is dealt with: no later route sees it */
};

/*
 * A handler. `el` is the payload element that matched (the stanza's own
 * element on a route without a payload). All views live as long as the
 * stanza; an event that points into it keeps it alive by itself.
 */
typedef int (*jab_route_fn)(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el);

typedef struct jab_route {
    jab_route_stage stage;
    jab_kind kind;
    jab_from from;
    const char *ns;   /* payload's namespace; NULL: every stanza of this kind */
    const char *name; /* payload's name; NULL: any name in that namespace */
    jab_route_fn fn;
} jab_route;

/* The answer to a request of the extension itself; `reply` as in JAB_EV_IQ. */
typedef int (*jab_reply_fn)(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply);

/* A constant list of strings ended by NULL: JAB_LIST("a", "b"). */
#define JAB_LIST(...)     ((const char *const[]){__VA_ARGS__, NULL})
#define JAB_ROUTES(table) .routes = (table), .n_routes = sizeof(table) / sizeof((table)[0])

struct jab_sent; /* sm.h */

/* The descriptor. Every member but `size` and `name` may be left out. */
struct jab_ext {
    size_t size;                 /* sizeof(jab_ext) */
    const char *name;            /* "receipts"; unique within a session */
    const char *spec;            /* "XEP-0184 1.4.0", or several separated by ", " */
    const char *const *features; /* announced by service discovery */
    const char *const *needs;    /* names of extensions started before this one */
    size_t state_size;           /* bytes of zeroed state per session */
    const jab_route *routes;
    size_t n_routes;

    /* Sees each stanza that is sent, with all its elements closed, and may
     * add to it. Returns 0, or < 0, which the sender gets. */
    int (*outgoing)(jab_ext_ctx *x, jab_out *o);

    /* The resource is bound; `resumed` is 1 when an earlier stream goes on.
     * What it writes leaves in one flight with the others'. */
    int (*online)(jab_ext_ctx *x, int resumed);

    /* The stream ended; state that was about it goes. */
    void (*offline)(jab_ext_ctx *x);

    /* Time passed; returns when to be called again, or JAB_NEVER. */
    int64_t (*tick)(jab_ext_ctx *x, int64_t now);

    /* The session is being freed: give back what the state owns. */
    void (*stop)(jab_ext_ctx *x);

    /* In a session with a store. A message of the application was accepted
     * (`st` is how it leaves): within the transaction that puts it into the outbox. Returns 0,
     * or < 0, and it is not accepted. */
    int (*accepted)(jab_ext_ctx *x, const jab_stanza *st);

    /* A message of the application is settled: jab_sent of sm.h, before its
     * event. The function may set `key`. Returns 0 or < 0. */
    int (*settled)(jab_ext_ctx *x, struct jab_sent *sent);

    /* What is switched on together with the resource (XEP-0386 3.1), by an empty element in the
     * namespace `inline_ns`, where the server lists that as a feature: returns the element's
     * name, or NULL for nothing. When the resource was bound so, jab_ext_was_inline() says it. */
    const char *inline_ns;
    const char *(*inline_name)(jab_ext_ctx *x);
};

/* -- For the functions of an extension -------------------------------------- */

JAB_API jab_session *jab_ext_session(jab_ext_ctx *x);

/* The extension's own state: state_size bytes, zeroed when the session began. */
JAB_API void *jab_ext_state(jab_ext_ctx *x);

/* The context of an extension in a session: what its public functions, which
 * take a session, begin with. NULL when it is not loaded. */
JAB_API jab_ext_ctx *jab_ext_find(jab_session *s, const jab_ext *ext);

/* The session's allocator. */
JAB_API const jab_mem *jab_ext_mem(jab_ext_ctx *x);

/* The time of the input being processed, ms of the session's clock. */
JAB_API int64_t jab_ext_now(jab_ext_ctx *x);

/* ms since 1970-01-01 UTC. */
JAB_API int64_t jab_ext_wall(jab_ext_ctx *x);

/* The session's configuration, with defaults filled in. */
JAB_API const jab_config *jab_ext_config(jab_ext_ctx *x);

/* The session's store, or NULL. What is written to it in a handler is committed
 * by the session, before anything leaves or is shown that depends on it; when that fails
 * the session ends, and state that mirrors the store is to be read anew in `online`, which
 * comes after a resumption, too. Return what a failed write returned. */
JAB_API jab_store *jab_ext_store(jab_ext_ctx *x);

/* Whether there is room for another event before the application has pulled
 * some: what an extension has to say of its own accord waits until then. */
JAB_API int jab_ext_has_room(jab_ext_ctx *x);

/* The descriptors loaded in this session: *n is set to how many. */
JAB_API const jab_ext *const *jab_ext_loaded(jab_ext_ctx *x, size_t *n);

/* Asks to have `tick` called at this time. */
JAB_API void jab_ext_wake(jab_ext_ctx *x, int64_t at);

/*
 * Queues an event and returns its zeroed payload, which the application finds
 * in jab_event.data, or NULL when out of memory (the session then fails by
 * itself, as soon as the handler has returned). What the payload's views point
 * to must live until the event is consumed: the stanza being routed does;
 * anything else goes through jab_ext_text(). Size may be 0.
 */
JAB_API void *jab_ext_emit(jab_ext_ctx *x, uint32_t type, size_t size);

/* As jab_ext_emit(), for the answer to a request that carried `tag`. */
JAB_API void *jab_ext_emit_reply(jab_ext_ctx *x, uint32_t type, uint64_t tag, size_t size);

/* Copies text into the memory of the event emitted last. */
JAB_API jab_str jab_ext_text(jab_ext_ctx *x, jab_str text);

/* The message event of the core, filled by the message extension. */
JAB_API jab_message *jab_ext_emit_message(jab_ext_ctx *x);

/* Begin stanzas of the extension's own. A jab_jid is used as it is, text is
 * prepared; see jab_out_to() for the other stanzas to a jab_jid. */
JAB_API jab_out *jab_ext_message(jab_ext_ctx *x, jab_jid to);
JAB_API jab_out *jab_ext_presence(jab_ext_ctx *x, jab_str to, jab_str type);

/* Begins an iq request whose answer goes to `fn`, not to the application. */
JAB_API jab_out *jab_ext_iq(jab_ext_ctx *x, jab_str to, jab_iq_type type, jab_reply_fn fn);

/* Begins the result to an iq get or set; send it even when empty. */
JAB_API jab_out *jab_ext_result(jab_ext_ctx *x, const jab_stanza *request);

/* Refuses an iq get or set: type "cancel", condition "item-not-found"... */
JAB_API int jab_ext_refuse(jab_ext_ctx *x, const jab_stanza *request, const char *type,
                           const char *condition);

/*
 * For UNWRAP handlers: replaces the stanza by the one inside `inner` (a
 * message, presence or iq element in jabber:client), marked with `via` beside
 * what it carried. Routing begins again with it, up to a depth of 4. `stamp`
 * is when it was sent (ms since 1970), 0 if unknown. Return its result.
 */
JAB_API int jab_ext_unwrap(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *inner, unsigned via,
                           int64_t stamp);

/* When the stanza was sent, from a delay that was set by someone who may;
 * ms since 1970, 0 if it says nothing. */
JAB_API int64_t jab_stanza_stamp(const jab_stanza *st);

/* Marks the stanza being routed as delayed (XEP-0203) or otherwise special. */
JAB_API void jab_ext_mark(jab_ext_ctx *x, const jab_stanza *st, unsigned via, int64_t stamp);

/* Names a room as joined (or not any more): JAB_FROM_ROOM and JAB_VIA_ROOM
 * follow. The bare address is copied. Returns 0, JAB_ENOMEM or JAB_ELIMIT. */
JAB_API int jab_ext_track_room(jab_ext_ctx *x, const jab_jid *room, int joined);

/* Whether the sender may learn that this account is online: a contact with a
 * subscription from the account ("from" or "both"), or the account itself. */
JAB_API int jab_peer_trusted(jab_ext_ctx *x, const jab_jid *peer);

/* The roster extension says who that is. */
typedef int (*jab_trust_fn)(jab_ext_ctx *x, const jab_jid *peer);
JAB_API void jab_ext_set_trust(jab_ext_ctx *x, jab_trust_fn fn);

/* In `online`: whether inline_name() was asked for on this stream, and the resource bound so. */
JAB_API int jab_ext_was_inline(jab_ext_ctx *x);

/* Whether a child of the stream features announced this (rosterver, ...). */
JAB_API int jab_ext_stream_feature(jab_ext_ctx *x, const char *ns, const char *name);

#ifdef __cplusplus
}
#endif
#endif
