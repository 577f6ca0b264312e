/*
 * history.c: the messages of the account, each kept once, in the order of the
 * server (XEP-0313, XEP-0359): what comes, what is sent, and when archives
 * are read.
 */
#include "ext/history.h"

#include <jabiru/sm.h>

#include "base/mem.h"
#include "session/outbox.h"
#include "session/session.h"

/* -- What comes -------------------------------------------------------------------- */

static int on_archived(jab_ext_ctx *x, const jab_stanza *st)
{
    uint64_t tag = 0;
    if (jabi_mam_asker(jab_ext_session(x), st, &tag) != x)
        return JAB_PASS; /* the application asked */
    const history_state *state = jab_ext_state(x);
    if (state->more.is_open && state->more.serial == tag)
        return jabi_history_more_result(x, st);
    history_archive *a = jabi_history_archive_by(x, tag);
    return a ? jabi_history_pass_result(x, a, st) : JAB_DONE;
}

/* Whether a message comes behind others that wait, or that are being read.
 * What is in no archive would be lost if this process ended now. */
static int has_to_wait(const history_archive *a, const history_message *m)
{
    return a && (a->holds || a->n_held) && (m->claim.p || !a->is_own);
}

static int on_message(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    history_message m;
    (void)el;
    if (!jab_ext_store(x))
        return JAB_PASS;
    if (jab_stanza_via(st) & JAB_VIA_ARCHIVE)
        return on_archived(x, st);
    if (!jabi_history_read(x, st, &m))
        return JAB_PASS;
    history_archive *a = jabi_history_archive_of(x, &m);
    int is_held = has_to_wait(a, &m) ? jabi_history_hold(x, a, st, &m) : 0;
    if (is_held)
        return is_held < 0 ? is_held : JAB_DONE;
    jabi_history_trust(&m, a);
    int verdict = jabi_history_take(x, a, st, &m, HISTORY_LIVE);
    if (verdict == JAB_PASS && a)
        a->came++;
    if (verdict == JAB_PASS && m.row.archive.p && ++a->live >= HISTORY_LIVE_MAX &&
        a->phase == HISTORY_IDLE)
        jabi_history_pass_want(x, a, 0);
    return verdict;
}

/* -- Messages of one's own ------------------------------------------------------------ */

/* It may leave once there is a place in the archive to look for it from. */
static void want_place(jab_ext_ctx *x)
{
    const history_state *state = jab_ext_state(x);
    if (state->own && state->own->is_held && state->own->phase == HISTORY_IDLE)
        jabi_history_pass_want(x, state->own, 1);
}

static int on_accepted(jab_ext_ctx *x, const jab_stanza *st)
{
    history_message m;
    int64_t key;
    want_place(x);
    if (!jabi_history_read_own(x, st, &m))
        return 0;
    m.row.rank = JAB_RANK_PENDING;
    return jabi_history_add(x, st, &m, &key);
}

typedef struct own_row {
    int64_t key, rank;
    jab_own_state own;
} own_row;

static int on_own_row(void *arg, const jab_kept_message *m)
{
    if (m->own == JAB_OWN_NONE)
        return 0;
    *(own_row *)arg = (own_row){m->key, m->rank, m->own};
    return 1;
}

static int find_own(jab_ext_ctx *x, jab_str conversation, jab_str id, own_row *row)
{
    jab_store *store = jab_ext_store(x);
    *row = (own_row){0, 0, JAB_OWN_NONE};
    int n = store->table->read(store, JAB_KEPT_QUERY(.conversation = conversation, .id = id),
                               on_own_row, row);
    return n < 0 ? n : row->key != 0;
}

/* How far each state is; one that came back can still have been received. */
static int is_forward(jab_own_state from, jab_own_state to)
{
    static const int steps[] = {
        [JAB_OWN_PENDING] = 1, [JAB_OWN_UNKNOWN] = 2,  [JAB_OWN_DELIVERED] = 3,
        [JAB_OWN_FAILED] = 4,  [JAB_OWN_RECEIVED] = 5, [JAB_OWN_DISPLAYED] = 6,
    };
    return steps[to] > steps[from];
}

static int set_own(jab_ext_ctx *x, jab_str conversation, const own_row *row, jab_own_state state)
{
    jab_store *store = jab_ext_store(x);
    int64_t rank = 0;
    if (row->rank >= JAB_RANK_PENDING && state != JAB_OWN_PENDING)
        rank = jabi_history_own_rank(x, conversation, row->key);
    if (rank < 0)
        return (int)rank;
    if (!is_forward(row->own, state))
        state = JAB_OWN_NONE;
    if (!rank && state == JAB_OWN_NONE)
        return 0;
    return store->table->change(store, row->key, JAB_KEPT_CHANGE(.rank = rank, .own = state));
}

int jabi_history_own_state(jab_ext_ctx *any, jab_str conversation, jab_str id, jab_own_state state,
                           int64_t *key)
{
    jab_ext_ctx *x = jab_ext_find(jab_ext_session(any), &jabi_ext_history);
    own_row row;
    *key = 0;
    if (!jab_ext_store(x) || !id.p)
        return 0;
    int found = find_own(x, conversation, id, &row);
    if (found <= 0)
        return found;
    *key = row.key;
    int err = set_own(x, conversation, &row, state);
    return err < 0 ? err : 1;
}

static int on_settled(jab_ext_ctx *x, jab_sent *sent)
{
    static const jab_own_state states[] = {[JAB_SENT_DELIVERED] = JAB_OWN_DELIVERED,
                                           [JAB_SENT_UNKNOWN] = JAB_OWN_UNKNOWN,
                                           [JAB_SENT_FAILED] = JAB_OWN_FAILED};
    jab_jid to = sent->to.p ? jab_jid_view(sent->to) : *jab_session_jid(jab_ext_session(x));
    int64_t key = 0;
    int found = jabi_history_own_state(x, to.bare, sent->id, states[sent->state], &key);
    if (found == 0 && to.resource.p) /* an occupant of a room */
        found = jabi_history_own_state(x, to.full, sent->id, states[sent->state], &key);
    if (key)
        sent->key = key;
    return found < 0 ? found : 0;
}

/* -- Streams --------------------------------------------------------------------------- */

static void drop_archives(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    while (state->archives.n)
        jabi_history_archive_drop(
            x, (history_archive *)(void *)state->archives.items[state->archives.n - 1]);
}

/* The place may be lost that messages are looked for from: none leaves before there is one. */
static int go_on_with(jab_ext_ctx *x, history_archive *a)
{
    int was_blind = a->is_blind, differs = jabi_history_cursor_again(x, a);
    if (differs < 0)
        return differs;
    int is_placeless = !a->has_cursor || (a->is_blind && !was_blind);
    int is_lost = is_placeless && a->is_own && !a->is_held && !a->is_none;
    if (is_lost) {
        a->is_held = 1;
        jabi_outbox_hold(jab_ext_session(x));
    }
    /* What was read again may be what was lost, and the cursor where it was. */
    int is_unread =
        a->is_own && a->has_read && !a->is_none && a->losses != jab_ext_session(x)->losses;
    if (differs || is_lost || is_unread)
        jabi_history_pass_restart(x, a);
    jabi_history_pass_resumed(x, a);
    return 0;
}

/*
 * A stream goes on. What the store knows may be less than what was known here,
 * when a transaction was lost: the messages come again, but those that came out of an
 * archive answer a question that was closed. They are asked for anew.
 */
static int go_on(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    int err = 0;
    for (size_t i = 0; i < state->archives.n && err >= 0; i++)
        err = go_on_with(x, (history_archive *)(void *)state->archives.items[i]);
    if (err >= 0)
        err = jabi_history_more_again(x);
    jabi_history_held_again(x);
    jab_ext_wake(x, jab_ext_now(x));
    return err;
}

/*
 * Nothing leaves the outbox before there is a place in the archive to look for
 * it from, nor before it is known whether what left on an earlier stream is there.
 * When nothing is to leave, the first presence goes first: Prosody gives nothing
 * from offline storage to a client that has asked the archive.
 */
static int begin(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    jab_session *s = jab_ext_session(x);
    int err;
    drop_archives(x);
    state->has_presence = 0;
    state->own = jabi_history_archive_add(x, jab_session_jid(s)->bare, &err);
    if (!state->own)
        return err;
    state->own->is_own = state->own->is_held = 1;
    if (state->own->has_cursor && !jabi_outbox_in_doubt(s, state->own->key))
        return jabi_history_pass_spare(x, state->own);
    if (!state->own->has_cursor && !jab_outbox_count(s))
        return 0;
    jabi_history_pass_want(x, state->own, 1);
    return jabi_history_pass_ask(x);
}

static int on_online(jab_ext_ctx *x, int resumed)
{
    if (!jab_ext_store(x))
        return 0;
    return resumed ? go_on(x) : begin(x);
}

static void on_offline(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    if (!jab_ext_store(x))
        return;
    (void)jabi_history_held_end(x, NULL); /* the archive, or the room, tells the rest again */
    drop_archives(x);
    state->n_asked = 0;
}

/* What was missed is asked for behind the first presence: what comes from then
 * on comes live. */
static int on_outgoing(jab_ext_ctx *x, jab_out *o)
{
    history_state *state = jab_ext_state(x);
    if (!state->own || state->has_presence || !jab_out_is_available(o) || o->to.full.p)
        return 0;
    state->has_presence = 1;
    jabi_history_pass_want(x, state->own, 1);
    /* RFC 6121 §8.5.2.1.1: nothing is delivered to a negative priority. */
    int is_negative = o->buf.n && memmem(o->buf.p, o->buf.n, "<priority>-", 11) != NULL;
    return is_negative ? 0 : jabi_offline_asked(jab_ext_session(x));
}

static history_archive *room_at(const history_state *state, size_t i)
{
    history_archive *a = (history_archive *)(void *)state->archives.items[i];
    return a->is_own ? NULL : a;
}

static int forget_left(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    int err = 0;
    for (size_t i = state->archives.n; i-- > 0 && err >= 0;) {
        history_archive *a = room_at(state, i);
        if (!a || jabi_room_is_joined(jab_ext_session(x), a->key))
            continue;
        err = jabi_history_held_end(x, a);
        jabi_history_archive_drop(x, a);
    }
    return err;
}

int jabi_history_joined(jab_session *s, jab_str room)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_history);
    if (!x || !jab_ext_store(x))
        return 0;
    int err = forget_left(x);
    if (err < 0)
        return err;
    history_archive *a = jabi_history_archive_find(x, room);
    if (!a)
        a = jabi_history_archive_add(x, room, &err);
    if (!a)
        return err == JAB_ELIMIT ? 0 : err;
    a->is_held = 1;
    a->is_none = 0;
    jabi_history_pass_want(x, a, 1);
    return jabi_history_pass_ask(x);
}

/* As often as a millisecond while the application takes its time. */
static int64_t tick(jab_ext_ctx *x, int64_t now)
{
    jab_session *s = jab_ext_session(x);
    if (!jab_ext_store(x) || !jab_session_online(s))
        return JAB_NEVER;
    int left = 0, err = forget_left(x);
    if (err >= 0)
        err = jabi_history_pass_ask(x);
    if (err >= 0)
        err = left = jabi_history_release(x);
    if (err < 0) {
        jabi_session_fail_with(s, err);
        return JAB_NEVER;
    }
    int64_t next = jabi_history_pass_next(x);
    return left && now + 1 < next ? now + 1 : next;
}

static void stop(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    jabi_history_held_fini(x);
    jabi_history_more_fini(x);
    drop_archives(x);
    jabi_table_fini(&state->archives);
    if (state->scratch.mem)
        jabi_buf_fini(&state->scratch);
}

static const jab_route routes[] = {
    {JAB_STAGE_OBSERVE, JAB_MESSAGE, JAB_FROM_ANY, NULL, NULL, on_message},
};

const jab_ext jabi_ext_history = {
    .size = sizeof(jab_ext),
    .name = "history",
    .spec = "XEP-0313 1.1.3, XEP-0359 0.7.0, XEP-0334 0.4.0",
    .needs = JAB_LIST("carbons", "mam"),
    .state_size = sizeof(history_state),
    JAB_ROUTES(routes),
    .outgoing = on_outgoing,
    .online = on_online,
    .offline = on_offline,
    .tick = tick,
    .stop = stop,
    .accepted = on_accepted,
    .settled = on_settled,
};
