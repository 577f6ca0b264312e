/* caps.h: the hash of XEP-0115, between caps.c and caps_hash.c. */
#ifndef JABI_CAPS_H
#define JABI_CAPS_H

#include <jabiru/caps.h>

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

#endif
