/*
 * roster.h: the list of contacts (RFC 6121 2), kept up to date from the
 * server's pushes, with versions (RFC 6121 2.6) where the server has them.
 *
 * The table belongs to the session and lives through reconnects; in a session
 * with a store (store.h) it is kept there, and can be read offline. Pushes that
 * come from anyone but the own account are dropped unseen (RFC 6121 2.1.6).
 */
#ifndef JABIRU_ROSTER_H
#define JABIRU_ROSTER_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JAB_ROSTER_MAX        500000 /* contacts; more are refused */
#define JAB_ROSTER_GROUPS_MAX 64     /* groups of one contact; more are left out */

enum {
    JAB_EV_ROSTER_READY = JAB_EV(6121, 16), /* data: jab_roster_ready */
    JAB_EV_ROSTER_ITEM = JAB_EV(6121, 17),  /* data: jab_roster_change */
};

/* Who sees whose presence (RFC 6121 2.1.2.5). */
typedef enum jab_subscription {
    JAB_SUB_NONE = 0,
    JAB_SUB_TO = 1,   /* this account sees the contact */
    JAB_SUB_FROM = 2, /* the contact sees this account */
    JAB_SUB_BOTH = 3,
} jab_subscription;

typedef struct jab_roster_item {
    jab_jid jid;
    jab_str name; /* absent without one */
    jab_subscription subscription;
    int asked;    /* 1: a subscription was asked for and not yet answered */
    int approved; /* 1: a request of the contact would be granted at once */
    const jab_str *groups;
    size_t n_groups;
} jab_roster_item;

/* The roster was fetched, or could not be. */
typedef struct jab_roster_ready {
    int error;                /* 0, or as in jab_iq_reply */
    jab_stanza_error refusal; /* with JAB_ESTANZA */
    jab_str version;          /* absent: the server keeps no versions */
    size_t count;             /* contacts in the table now */
    int unchanged;            /* 1: the version that was loaded is current */
} jab_roster_ready;

/* A contact was added, changed or removed. */
typedef struct jab_roster_change {
    jab_roster_item item;
    int removed;     /* 1: gone; of the item only `jid` counts */
    jab_str version; /* the roster's after the change, absent without versions */
} jab_roster_change;

/*
 * Fetches the roster; JAB_EV_ROSTER_READY answers. From then on changes come
 * as JAB_EV_ROSTER_ITEM. The first presence sent with presence.h fetches it
 * by itself (RFC 6121 2.2), with tag 0. Returns what jab_out_send() does.
 */
JAB_API int jab_roster_get(jab_session *s, uint64_t tag);

/* Gives the session a roster kept from an earlier run, before the first
 * fetch, with the version it had: replaces the table. Everything is copied. A
 * session with a store needs no help. Returns 0, JAB_EJID, JAB_ENOMEM,
 * JAB_ELIMIT, JAB_ESTORE. */
JAB_API int jab_roster_load(jab_session *s, jab_str version, const jab_roster_item *items,
                            size_t n);

/* The version of the table, absent when unknown. Valid until the next event is
 * pulled. */
JAB_API jab_str jab_roster_version(jab_session *s);

/* The table: `i` below the count, in no order that means something. Items are
 * valid until the session is next fed. */
JAB_API size_t jab_roster_count(jab_session *s);
JAB_API const jab_roster_item *jab_roster_at(jab_session *s, size_t i);

/* The item of a prepared bare address, or NULL. */
JAB_API const jab_roster_item *jab_roster_find(jab_session *s, jab_str bare);

/* Adds a contact, or gives it this name and these groups in place of those it
 * has. `name` absent: none. JAB_EV_IQ answers. Adding asks for no
 * subscription: see jab_subscribe(). */
JAB_API int jab_roster_set(jab_session *s, jab_str jid, jab_str name, const jab_str *groups,
                           size_t n_groups, uint64_t tag);

/* Renames a contact, keeping the groups that the table knows, or the other way
 * round. JAB_EINVAL when the table does not have it. */
JAB_API int jab_roster_rename(jab_session *s, jab_str jid, jab_str name, uint64_t tag);
JAB_API int jab_roster_regroup(jab_session *s, jab_str jid, const jab_str *groups, size_t n_groups,
                               uint64_t tag);

/* Removes a contact, with the subscriptions both ways (RFC 6121 2.5). */
JAB_API int jab_roster_remove(jab_session *s, jab_str jid, uint64_t tag);

#ifdef __cplusplus
}
#endif
#endif
