/*
 * history_held.c: live messages that wait while an archive is read, so that
 * they come behind what was said before them.
 */
#include "ext/history.h"

#include "base/arena.h"
#include "base/mem.h"
#include "session/session.h"
#include "session/sm.h"

static size_t size_of(const jab_stanza *st)
{
    return st->arena->used;
}

static void drop(jab_ext_ctx *x, size_t i)
{
    history_state *state = jab_ext_state(x);
    history_held *h = &state->held[i];
    history_archive *a = h->is_out ? NULL : jabi_history_archive_by(x, h->serial);
    if (a)
        a->n_held--;
    state->held_bytes -= h->bytes;
    jab_stanza_drop(h->st);
    memmove(h, h + 1, (--state->n_held - i) * sizeof *h);
}

/* Once nothing is left to commit, what was let go is safe, unless it was in a
 * transaction that was lost. */
static void forget_safe(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    if (jab_ext_store(x)->dirty)
        return;
    for (size_t i = state->n_held; i-- > 0;)
        if (state->held[i].is_out && state->held[i].losses == jab_ext_session(x)->losses)
            drop(x, i);
}

/* The message is dealt with as one that comes now. JAB_PASS when it is to be
 * told, JAB_DONE, or < 0. */
static int let_go(jab_ext_ctx *x, history_held *h)
{
    history_message m;
    if (!jabi_history_read(x, h->st, &m))
        return JAB_PASS;
    if (!m.is_stored)
        m.row.stamp = h->came;
    history_archive *a = jabi_history_archive_of(x, &m);
    jabi_history_trust(&m, a);
    return jabi_history_take(x, a, h->st, &m, HISTORY_LIVE);
}

static int release_at(jab_ext_ctx *x, size_t i)
{
    history_state *state = jab_ext_state(x);
    history_held *h = &state->held[i];
    history_archive *a = jabi_history_archive_by(x, h->serial);
    int verdict = let_go(x, h);
    if (verdict == JAB_PASS)
        verdict = jabi_route_behind(jab_ext_session(x), x, h->st);
    if (verdict < 0)
        return verdict;
    if (a && !h->is_out)
        a->n_held--;
    h->is_out = 1;
    h->losses = jab_ext_session(x)->losses;
    return verdict;
}

/* The oldest one that waits for this archive, or n_held. */
static size_t oldest_of(const history_state *state, uint64_t serial)
{
    size_t i = 0;
    while (i < state->n_held && (state->held[i].is_out || state->held[i].serial != serial))
        i++;
    return i;
}

static int is_full(const history_state *state, size_t more)
{
    return state->n_held >= HISTORY_HELD_MAX || state->held_bytes + more > HISTORY_HELD_BYTES;
}

static int grow(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    if (state->n_held < state->cap_held)
        return 0;
    size_t cap = state->cap_held ? state->cap_held * 2 : 16;
    history_held *held = jabi_realloc_array(jab_ext_mem(x), state->held, cap, sizeof *held);
    if (!held)
        return JAB_ENOMEM;
    state->held = held;
    state->cap_held = cap;
    return 0;
}

/* Without room: what the archive has comes with the next pass; else the oldest
 * one goes without its place. 1 when there is room then, 0, or < 0. */
static int make_room(jab_ext_ctx *x, history_archive *a, const history_message *m, size_t more)
{
    history_state *state = jab_ext_state(x);
    forget_safe(x);
    if (!is_full(state, more))
        return 1;
    if (a->is_known && m->claim.p) {
        if (a->phase == HISTORY_IDLE)
            jabi_history_pass_want(x, a, 1);
        else
            a->again = 1;
        return 0;
    }
    while (is_full(state, more)) {
        size_t i = oldest_of(state, a->serial);
        int err = i < state->n_held ? release_at(x, i) : JAB_DONE;
        if (err < 0)
            return err;
        if (i == state->n_held)
            return 0;
        drop(x, i);
    }
    return 1;
}

/*
 * A pass from a place that is proven brings what the archive says it has, to
 * the next process if not to this one. The server may hear that such a message has come:
 * COMPAT: ejabberd ends a stream with policy-violation when 5,000 stanzas are not
 * acknowledged (max_ack_queue), which the pages of a long absence soon are.
 */
static int is_safe_there(const history_archive *a, const history_message *m)
{
    int is_from_gap = m->is_stored && m->row.stamp <= a->stamp;
    return a->is_known && a->has_cursor && !a->is_first && !a->is_blind && m->claim.p &&
           !is_from_gap;
}

int jabi_history_hold(jab_ext_ctx *x, history_archive *a, const jab_stanza *st,
                      const history_message *m)
{
    history_state *state = jab_ext_state(x);
    int has_room = make_room(x, a, m, size_of(st));
    if (has_room <= 0)
        return has_room < 0 ? has_room : a->is_known && m->claim.p;
    int is_safe = is_safe_there(a, m);
    int err = is_safe ? 0 : jabi_history_arrived(x, m); /* no pass need come by it */
    if (err < 0)
        return err;
    jab_stanza *kept = grow(x) < 0 ? NULL : jab_stanza_keep(st);
    if (!kept)
        return JAB_ENOMEM;
    state->held[state->n_held++] = (history_held){
        .st = kept, .serial = a->serial, .came = jab_ext_wall(x), .bytes = size_of(kept)};
    state->held_bytes += size_of(kept);
    a->n_held++;
    if (!is_safe) /* if this process ended now, it would have to come again */
        jabi_sm_hold(jab_ext_session(x));
    return 1;
}

int64_t jabi_history_held_since(jab_ext_ctx *x, const history_archive *a)
{
    const history_state *state = jab_ext_state(x);
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < state->n_held; i++) {
        const history_held *h = &state->held[i];
        history_message m;
        if (h->is_out || h->serial != a->serial || !jabi_history_read(x, h->st, &m))
            continue;
        /* The server's clock may be another: this stream is not older there than here. */
        int64_t stamp = m.is_stored ? m.row.stamp : a->stamp - (jab_ext_now(x) - a->holds_since);
        earliest = stamp < earliest ? stamp : earliest;
    }
    return earliest;
}

static int may_go(jab_ext_ctx *x, const history_held *h)
{
    const history_archive *a = jabi_history_archive_by(x, h->serial);
    return !h->is_out && (!a || !a->holds);
}

/* Once none waits any more, the server may hear that they have come. */
static void tell_session(jab_ext_ctx *x)
{
    const history_state *state = jab_ext_state(x);
    for (size_t i = 0; i < state->n_held; i++)
        if (!state->held[i].is_out)
            return;
    jabi_sm_let_go(jab_ext_session(x));
}

int jabi_history_release(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    forget_safe(x);
    for (size_t i = 0; i < state->n_held; i++) {
        if (!may_go(x, &state->held[i]))
            continue;
        if (!jab_ext_has_room(x))
            return 1;
        int err = release_at(x, i);
        if (err < 0)
            return err;
    }
    tell_session(x);
    return 0;
}

int jabi_history_held_end(jab_ext_ctx *x, const history_archive *of)
{
    history_state *state = jab_ext_state(x);
    int err = 0;
    for (size_t i = 0; i < state->n_held;) {
        history_held *h = &state->held[i];
        history_archive *a = jabi_history_archive_by(x, h->serial);
        history_message m;
        if (of && a != of) {
            i++;
            continue;
        }
        int is_kept = jabi_history_read(x, h->st, &m) > 0;
        int is_there = is_kept && a && a->is_known && m.claim.p;
        if (!is_there && err >= 0)
            err = release_at(x, i);
        drop(x, i);
    }
    tell_session(x);
    return err;
}

/* What is in no lost transaction was told, and is not told again. */
void jabi_history_held_again(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    forget_safe(x);
    for (size_t i = 0; i < state->n_held; i++) {
        history_held *h = &state->held[i];
        history_archive *a = jabi_history_archive_by(x, h->serial);
        if (!h->is_out || h->losses == jab_ext_session(x)->losses)
            continue;
        h->is_out = 0;
        if (a)
            a->n_held++;
    }
}

void jabi_history_held_fini(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    while (state->n_held)
        jab_stanza_drop(state->held[--state->n_held].st);
    jabi_free(jab_ext_mem(x), state->held);
    state->held = NULL;
    state->cap_held = 0;
}
