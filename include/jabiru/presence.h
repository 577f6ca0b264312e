/*
 * presence.h: who is there (RFC 6121 4) and who may see it (RFC 6121 3).
 *
 * Nothing is sent by itself: an account whose program has not sent presence
 * gets no messages from most servers.
 */
#ifndef JABIRU_PRESENCE_H
#define JABIRU_PRESENCE_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JAB_PRESENCE_RESOURCES_MAX 64   /* resources kept of one contact */
#define JAB_PRESENCE_STRANGERS_MAX 1000 /* addresses kept that are not in the roster */
#define JAB_PRESENCE_STATUS_MAX    1024 /* bytes of a status kept in the table */

enum {
    JAB_EV_PRESENCE = JAB_EV(6121, 2), /* data: jab_presence */
};

typedef enum jab_presence_type {
    JAB_PRESENCE_AVAILABLE,
    JAB_PRESENCE_UNAVAILABLE,
    JAB_PRESENCE_SUBSCRIBE, /* asks to see this account's presence */
    JAB_PRESENCE_SUBSCRIBED,
    JAB_PRESENCE_UNSUBSCRIBE,
    JAB_PRESENCE_UNSUBSCRIBED,
    JAB_PRESENCE_PROBE,
    JAB_PRESENCE_ERROR,
} jab_presence_type;

/* RFC 6121 4.7.2.1, from least to most willing to talk. */
typedef enum jab_show {
    JAB_SHOW_DND,
    JAB_SHOW_XA,
    JAB_SHOW_AWAY,
    JAB_SHOW_ONLINE, /* no <show/> */
    JAB_SHOW_CHAT,
} jab_show;

/* Presence that arrived, rooms' occupants left out: those are in muc.h. */
typedef struct jab_presence {
    jab_jid from;
    jab_presence_type type;
    jab_show show;
    int priority;   /* -128...127 */
    jab_str status; /* for the stream's language; absent without one */
    const jab_stanza *stanza;
} jab_presence;

/* "chat", "away", "xa", "dnd", and "online" for none; static. */
JAB_API const char *jab_show_name(jab_show show);

/* "available", "unavailable", "subscribe", ...: the type attribute, and a word
 * for presence without one; static. */
JAB_API const char *jab_presence_type_name(jab_presence_type type);

/* -- Sending ------------------------------------------------------------------ */

/* Available to all who have a subscription, with this status (absent: none).
 * Before the first one the roster is fetched, unless it was (RFC 6121 2.2). */
JAB_API int jab_set_presence(jab_session *s, jab_str status);

/* The same with all that there is to say. `to` absent: to all who have a
 * subscription; else directed (RFC 6121 4.6). Builder calls may add more
 * statuses: see jab_out_show() below. JAB_EINVAL: priority not -128...127. */
JAB_API int jab_send_presence(jab_session *s, jab_str to, jab_show show, jab_str status,
                              int priority);

/* Unavailable, to all or, directed, to one. */
JAB_API int jab_send_unavailable(jab_session *s, jab_str to, jab_str status);

/* For presences begun with jab_presence_to(). */
JAB_API void jab_out_show(jab_out *o, jab_show show);
JAB_API void jab_out_status(jab_out *o, jab_str lang, jab_str text);
JAB_API void jab_out_priority(jab_out *o, int priority);

/* -- Subscriptions (RFC 6121 3) -----------------------------------------------
 *
 * The address is made bare. What comes of it arrives as JAB_EV_PRESENCE and
 * JAB_EV_ROSTER_ITEM; an error as JAB_EV_PRESENCE of type error.
 */
JAB_API int jab_subscribe(jab_session *s, jab_str jid, jab_str status); /* asks */
JAB_API int jab_subscribed(jab_session *s, jab_str jid);                /* grants */
JAB_API int jab_unsubscribe(jab_session *s, jab_str jid);               /* gives up its own */
JAB_API int jab_unsubscribed(jab_session *s, jab_str jid);              /* refuses, takes back */

/* Grants a request before it comes (RFC 6121 3.4). JAB_EUNSUPPORTED when the
 * server does not do that. */
JAB_API int jab_preapprove(jab_session *s, jab_str jid);

/* -- Who is online -------------------------------------------------------------- */

/* One resource that is available. */
typedef struct jab_resource {
    jab_jid jid; /* full */
    jab_show show;
    int priority;
    jab_str status; /* absent also when longer than JAB_PRESENCE_STATUS_MAX */
} jab_resource;

/* How many resources of a prepared bare address are available, and which.
 * Valid until the session is next fed. */
JAB_API size_t jab_resource_count(jab_session *s, jab_str bare);
JAB_API const jab_resource *jab_resource_at(jab_session *s, jab_str bare, size_t i);

/* The one to talk to: highest priority, then most willing, then newest; NULL
 * when none is available. */
JAB_API const jab_resource *jab_resource_best(jab_session *s, jab_str bare);

#ifdef __cplusplus
}
#endif
#endif
