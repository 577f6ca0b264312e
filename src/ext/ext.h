/* ext.h: what the built-in extensions share. */
#ifndef JABI_EXT_H
#define JABI_EXT_H

#include <jabiru/ext.h>
#include <jabiru/store.h>

#define JABI_EXT(name) extern const jab_ext jabi_ext_##name;
#include "ext/ext_list.h"
#undef JABI_EXT

/* All of them; what a session starts with. */
const jab_ext *const *jabi_ext_builtin(size_t *n);

/* The state of an extension in a session. */
static inline void *jabi_ext_state_in(jab_session *s, const jab_ext *ext)
{
    return jab_ext_state(jab_ext_find(s, ext));
}

/* Begins an iq request of an extension, from one of its public functions. */
static inline jab_out *jabi_ext_ask(jab_session *s, const jab_ext *ext, jab_str to,
                                    jab_iq_type type, jab_reply_fn fn)
{
    return jab_ext_iq(jab_ext_find(s, ext), to, type, fn);
}

/* Who answered a request; all absent when nobody did. */
static inline jab_jid jabi_reply_from(const jab_iq_reply *reply)
{
    return reply->stanza ? jab_stanza_from(reply->stanza) : (jab_jid){.full = {NULL, 0}};
}

/* The error of a reply whose payload must be ns:name: an answer without it is
 * one that broke the protocol. */
static inline int jabi_reply_error(const jab_iq_reply *reply, const char *ns, const char *name)
{
    if (reply->error < 0)
        return reply->error;
    return jab_xml_is(reply->payload, ns, name) ? 0 : JAB_EPROTO;
}

/* What a handler returns after sending an answer: a full queue loses the
 * answer, no memory loses the session. */
static inline int jabi_answered(int sent)
{
    return sent == JAB_ENOMEM ? sent : JAB_DONE;
}

/* Whether an iq is of type get; else it is a set. */
static inline int jabi_is_get(const jab_stanza *st)
{
    return jab_str_is(jab_stanza_type(st), "get");
}

/* roster.c: fetches the roster unless this was done on this stream. */
int jabi_roster_ensure(jab_session *s);

/* disco.c: the own features, sorted, each once, in a block that the caller
 * frees; NULL when out of memory. */
jab_str *jabi_disco_features(jab_ext_ctx *x, size_t *n);

/*
 * history.c: what became of a message of one's own, said by others: only
 * forwards (what was displayed stays so). `conversation` is its bare address, or
 * an occupant's; `id` that of the stanza, or its origin id. Returns 1 when it is in
 * the store, and sets *key; 0; < 0 on failure.
 */
int jabi_history_own_state(jab_ext_ctx *x, jab_str conversation, jab_str id, jab_own_state state,
                           int64_t *key);

/* history.c: a room was joined. 0 or < 0. */
int jabi_history_joined(jab_session *s, jab_str room);

/* caps.c: whether a node of service discovery stands for what this client is. */
int jabi_caps_is_own_node(jab_session *s, jab_str node);

#endif
