/*
 * disco.h: service discovery (XEP-0030): what an entity is and can do. This
 * client answers such questions by itself, from the extensions loaded.
 */
#ifndef JABIRU_DISCO_H
#define JABIRU_DISCO_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JAB_EV_DISCO_INFO = JAB_EV(30, 1),  /* data: jab_disco_info_reply */
    JAB_EV_DISCO_ITEMS = JAB_EV(30, 2), /* data: jab_disco_items_reply */
};

typedef struct jab_identity {
    jab_str category; /* "conference" */
    jab_str type;     /* "text" */
    jab_str name;     /* absent without one */
    jab_str lang;     /* of the name; absent without one */
} jab_identity;

typedef struct jab_disco_info_reply {
    int error;                /* 0, or as in jab_iq_reply */
    jab_stanza_error refusal; /* with JAB_ESTANZA */
    jab_jid from;             /* all absent when no answer came */
    jab_str node;             /* absent without one */
    const jab_identity *identities;
    size_t n_identities;
    const jab_str *features;
    size_t n_features;
    const jab_xml *query; /* the whole answer, with its forms (XEP-0128) */
} jab_disco_info_reply;

typedef struct jab_disco_item {
    jab_str jid; /* as written: prepare it before comparing */
    jab_str node;
    jab_str name;
} jab_disco_item;

typedef struct jab_disco_items_reply {
    int error;
    jab_stanza_error refusal;
    jab_jid from;
    jab_str node;
    const jab_disco_item *items;
    size_t n_items;
    const jab_xml *query; /* the whole answer, with its result set (XEP-0059) */
} jab_disco_items_reply;

/* Asks an entity what it is (XEP-0030 3) or what it has (XEP-0030 4). `node`
 * absent: none. The event carries the tag. Returns what jab_out_send() does. */
JAB_API int jab_disco_info(jab_session *s, jab_str jid, jab_str node, uint64_t tag);
JAB_API int jab_disco_items(jab_session *s, jab_str jid, jab_str node, uint64_t tag);

/* Whether an answer lists a feature or an identity; type NULL: any. */
JAB_API int jab_disco_has(const jab_disco_info_reply *info, const char *feature);
JAB_API int jab_disco_is(const jab_disco_info_reply *info, const char *category, const char *type);

#ifdef __cplusplus
}
#endif
#endif
