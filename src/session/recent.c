/* recent.c: a ring of the messages sent last, as hashes under a key of its own. */
#include "session/recent.h"

#include "base/mem.h"
#include "base/siphash.h"
#include "session/sm.h"

struct jabi_recent {
    uint64_t key[2];
    size_t n;      /* ever noted: the next goes to n % JABI_RECENT_MAX */
    int has_fresh; /* some failed since the last commit */
    jabi_recent_row rows[JABI_RECENT_MAX];
};

static uint64_t hash(const struct jabi_recent *r, jab_str text)
{
    return jabi_siphash(r->key, text.p ? text.p : "", text.n);
}

/* A program that only listens never needs it. */
int jabi_recent_begin(jab_session *s)
{
    if (s->recent)
        return 0;
    struct jabi_recent *r = jabi_alloc0(s->mem, sizeof *r);
    if (!r)
        return JAB_ENOMEM;
    if (s->cfg.random(s->cfg.random_arg, r->key, sizeof r->key) < 0) {
        jabi_free(s->mem, r);
        return JAB_ECRYPTO;
    }
    s->recent = r;
    return 0;
}

void jabi_recent_note(jab_session *s, jab_str id, jab_str to, uint64_t tag)
{
    struct jabi_recent *r = s->recent;
    jab_jid whom = jab_jid_view(to.p ? to : jab_session_jid(s)->bare);
    r->rows[r->n++ % JABI_RECENT_MAX] = (jabi_recent_row){.id = hash(r, id),
                                                          .full = hash(r, whom.full),
                                                          .bare = hash(r, whom.bare),
                                                          .tag = tag,
                                                          .to_self = !to.p};
}

jabi_recent_row *jabi_recent_find(jab_session *s, jab_str id)
{
    struct jabi_recent *r = s->recent;
    if (!r || !id.p)
        return NULL;
    uint64_t wanted = hash(r, id);
    size_t held = r->n < JABI_RECENT_MAX ? r->n : JABI_RECENT_MAX;
    for (size_t i = 1; i <= held; i++) {
        jabi_recent_row *row = &r->rows[(r->n - i) % JABI_RECENT_MAX];
        if (row->id == wanted)
            return row;
    }
    return NULL;
}

void jabi_recent_fail(jab_session *s, jabi_recent_row *row)
{
    row->failed = 1;
    row->failed_by = jabi_sm_stamp(s);
    s->recent->has_fresh = 1;
}

/* XEP-0045 §17: the occupants of a room share its bare address. */
int jabi_recent_went_to(const jab_session *s, const jabi_recent_row *row, const jab_stanza *st)
{
    jab_jid from = jab_stanza_from(st);
    if (jab_stanza_via(st) & JAB_VIA_ROOM)
        return hash(s->recent, from.full) == row->full;
    return hash(s->recent, from.bare) == row->bare;
}

jab_str jabi_recent_to(const jab_session *s, const jabi_recent_row *row, const jab_stanza *st)
{
    jab_jid from = jab_stanza_from(st);
    if (row->to_self)
        return (jab_str){NULL, 0};
    return hash(s->recent, from.full) == row->full ? from.full : from.bare;
}

void jabi_recent_undo(jab_session *s)
{
    for (size_t i = 0; s->recent && i < JABI_RECENT_MAX; i++) {
        jabi_recent_row *row = &s->recent->rows[i];
        const jabi_event_from *by = &row->failed_by;
        uint32_t behind = by->count - s->stream.sm.in;
        if (by->is_set && by->epoch == s->sm_epoch && behind && behind < UINT32_MAX / 2)
            row->failed = 0;
    }
}

void jabi_recent_committed(jab_session *s)
{
    for (size_t i = 0; s->recent && s->recent->has_fresh && i < JABI_RECENT_MAX; i++)
        s->recent->rows[i].failed_by.is_set = 0;
    if (s->recent)
        s->recent->has_fresh = 0;
}

void jabi_recent_fini(jab_session *s)
{
    jabi_free(s->mem, s->recent);
    s->recent = NULL;
}
