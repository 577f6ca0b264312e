/* caps.h: hashes and what they stand for, between caps.c, caps_hash.c and caps_set.c. */
#ifndef JABI_CAPS_H
#define JABI_CAPS_H

#include <jabiru/caps.h>
#include <jabiru/ext.h>

#include "base/buf.h"
#include "base/hash.h"

#define NS_CAPS        "http://jabber.org/protocol/caps"
#define NS_DISCO_INFO  "http://jabber.org/protocol/disco#info"
#define JABI_CAPS_NODE "jabiru:client"

/* The verification string (XEP-0115 §5.1) of an answer to a disco#info query,
 * hashed, in base64, added to `out`. 0; JAB_EPROTO when the answer is
 * ill-formed (§5.4); JAB_ENOMEM, JAB_ECRYPTO. */
int jabi_caps_hash_query(const jab_mem *mem, const jab_xml *query, jabi_hash hash, jabi_buf *out);

/* The same of the own identity and sorted features, with SHA-1. */
int jabi_caps_hash_own(const jab_config *cfg, const jab_mem *mem, const jab_str *features, size_t n,
                       jabi_buf *out);

/* -- caps_set.c ---------------------------------------------------------------- */

/* A set of features under its hash: key "sha-1 <ver>". One block. */
typedef struct jabi_caps_set {
    jab_str key;
    size_t n;
    const jab_str *features; /* sorted */
} jabi_caps_set;

/* How many sets the store has, once they were counted. */
typedef struct jabi_caps_kept {
    int is_counted;
    size_t n;
} jabi_caps_kept;

/* The features in an answer to a disco#info query; NULL when out of memory. */
jabi_caps_set *jabi_caps_set_read(const jab_mem *mem, jab_str key, const jab_xml *query);

/* Writes a set whose hash is right to the store, in which are no more than
 * JAB_CAPS_CACHE_MAX. 0 or < 0. */
int jabi_caps_set_keep(jab_ext_ctx *x, jabi_caps_kept *kept, const jabi_caps_set *set);

/* Reads the set of this key from the store; *out stays NULL when it is not
 * there, or damaged. 0 or < 0. */
int jabi_caps_set_load(jab_ext_ctx *x, jab_str key, jabi_caps_set **out);

#endif
