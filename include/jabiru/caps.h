/*
 * caps.h: entity capabilities (XEP-0115). Presence sent carries a hash of what
 * this client can do; the hashes of contacts are resolved once for all that
 * have the same one, and only if the hash is right.
 *
 * In a session with a store what a hash stands for outlives the program.
 *
 * Contacts with a subscription "to" and own resources are looked up by
 * themselves, a few at a time. Strangers and rooms' occupants are not.
 */
#ifndef JABIRU_CAPS_H
#define JABIRU_CAPS_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JAB_CAPS_CACHE_MAX    1000  /* sets of features kept */
#define JAB_CAPS_PEERS_MAX    50000 /* full addresses whose hash is remembered */
#define JAB_CAPS_QUERIES_MAX  8     /* look-ups under way */
#define JAB_CAPS_FEATURES_MAX 1000  /* features of one set; larger ones are not kept */
#define JAB_CAPS_TEXT_MAX     256 /* bytes of a hash, its name and node; longer ones do not count */

enum {
    JAB_EV_CAPS = JAB_EV(115, 1), /* the features of a peer are known: jab_caps */
};

typedef struct jab_caps {
    jab_jid jid;  /* the full address that was asked */
    jab_str ver;  /* its hash; others with the same one are known now, too */
    int verified; /* 0: the hash did not fit, known of this address only */
} jab_caps;

/* Whether an entity (prepared full address) has a feature: 1 or 0, or
 * JAB_EAGAIN when that is not known. */
JAB_API int jab_caps_has(jab_session *s, jab_str jid, jab_str feature);

/* The own hash, as sent in presence. Valid until the session is freed; absent
 * when out of memory. */
JAB_API jab_str jab_caps_ver(jab_session *s);

#ifdef __cplusplus
}
#endif
#endif
