/*
 * jid.h: what the layers above need of addresses beside <jabiru/jid.h>:
 * preparing into an arena, and the profiles for single parts.
 */
#ifndef JABI_JID_H
#define JABI_JID_H

#include "base/arena.h"

#include <jabiru/jid.h>

/* The longest text that can still become a part of JAB_JID_PART_MAX bytes: no
 * mapping shrinks a code point to less than a third (fullwidth to ASCII). */
#define JABI_JID_TEXT_MAX (3 * JAB_JID_PART_MAX)

/*
 * Prepares `text` into *jid, whose bytes are taken from the arena, NUL-ended.
 * Returns 0, JAB_EJID, or JAB_ENOMEM; on error *jid is all absent.
 */
int jabi_jid_parse_into(jab_jid *jid, jab_str text, jabi_arena *arena) JAB_MUST_USE;

/*
 * The same for a `text` that lives as long as the arena does: an address that
 * needs no change (nearly all that servers send) is not copied, *jid is views
 * into `text` itself. Nothing is promised about a NUL.
 */
int jabi_jid_parse_view(jab_jid *jid, jab_str text, jabi_arena *arena) JAB_MUST_USE;

/* What a byte may be part of when it is ASCII; 0 for all others. */
enum {
    JABI_IN_LOCAL = 1,    /* RFC 7622 §3.3 and §3.3.1 */
    JABI_IN_DOMAIN = 2,   /* letter, digit, hyphen, and the dot */
    JABI_IN_RESOURCE = 4, /* printable */
    JABI_IS_UPPER = 8,    /* its lower case may be in all three */
};
extern const uint8_t jabi_jid_ascii[256];

/* Whether every byte of `text` has this bit in jabi_jid_ascii. */
int jabi_jid_all(jab_str text, uint8_t bit);

/*
 * The profiles below write the prepared form, at most JAB_JID_PART_MAX bytes
 * without a NUL, to `out`, which must not overlap `text`. They return its
 * length, which is never 0, or JAB_EJID (or JAB_ENOMEM, domain only).
 */

/* A localpart: RFC 8265 §3.3 UsernameCaseMapped less RFC 7622 §3.3.1. */
int jabi_jid_local(jab_str text, char out[JAB_JID_PART_MAX]) JAB_MUST_USE;

/* A resourcepart, a password: RFC 8265 §4.2 OpaqueString. */
int jabi_jid_opaque(jab_str text, char out[JAB_JID_PART_MAX]) JAB_MUST_USE;

/* A domainpart: RFC 7622 §3.2, with U-labels. */
int jabi_jid_domain(jab_str text, char out[JAB_JID_PART_MAX]) JAB_MUST_USE;

/* Whether a domain is prepared ASCII that holds no label which only IDNA can
 * judge. */
int jabi_jid_domain_plain(jab_str domain);

#endif
