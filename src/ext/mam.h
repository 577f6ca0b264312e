/*
 * mam.h: archives read on behalf of another extension: the page ends in a
 * function instead of an event, and its messages tell whose they are.
 */
#ifndef JABI_EXT_MAM_H
#define JABI_EXT_MAM_H

#include <jabiru/mam.h>

#include "ext/ext.h"

/* The end of a page: what JAB_EV_MAM_FIN would have told. Returns 0 or < 0, as
 * a jab_reply_fn does. It may ask for the next page. */
typedef int (*jabi_mam_fn)(jab_ext_ctx *x, uint64_t tag, const jab_mam_fin *fin);

/* jab_mam_ask() for the extension `x`. */
int jabi_mam_ask(jab_ext_ctx *x, const jab_mam_query *query, jabi_mam_fn fn, uint64_t tag);

/* Of a message being routed that came out of an archive: the extension that asked
 * for it, and its tag. NULL when the application did, or it is none such. */
jab_ext_ctx *jabi_mam_asker(jab_session *s, const jab_stanza *st, uint64_t *tag);

#endif
