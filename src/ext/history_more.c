/*
 * history_more.c: older messages of one conversation, from the archive, page by
 * page backwards (XEP-0059 §2.3). Space "older" has, by conversation, how far
 * that got below the gap that it began at.
 */
#include "ext/history.h"

#include "base/mem.h"
#include "base/pack.h"
#include "session/session.h"

#define SPACE     "older"
#define PAGES_MAX 50 /* of known messages, until one brings something new */

/* How far a conversation is known below a gap. */
typedef struct older {
    jabi_buf gap, before;
    int64_t rank;
    int is_complete, is_there;
} older;

static void older_init(jab_ext_ctx *x, older *o)
{
    *o = (older){.rank = JAB_RANK_PENDING};
    jabi_buf_init(&o->gap, jab_ext_mem(x), HISTORY_ID_MAX);
    jabi_buf_init(&o->before, jab_ext_mem(x), HISTORY_ID_MAX);
}

static void older_fini(older *o)
{
    jabi_buf_fini(&o->gap);
    jabi_buf_fini(&o->before);
}

static void set(jabi_buf *to, jab_str text)
{
    jabi_buf_reset(to);
    jabi_buf_add_str(to, text);
}

/* -- What is kept of it ---------------------------------------------------------- */

static int on_older(void *arg, jab_str key, jab_str value)
{
    older *o = arg;
    jabi_unpack u = jabi_unpack_begin(value);
    (void)key;
    int64_t rank = (int64_t)jabi_unpack_number(&u);
    int is_complete = jabi_unpack_number(&u) != 0;
    jab_str gap = jabi_unpack_str(&u), before = jabi_unpack_str(&u);
    if (!jabi_unpack_is_whole(&u) || rank <= 0 || rank > JAB_RANK_PENDING)
        return 0;
    o->rank = rank;
    o->is_complete = is_complete;
    o->is_there = 1;
    set(&o->gap, gap);
    set(&o->before, before);
    return 0;
}

static int older_read(jab_ext_ctx *x, older *o, jab_str conversation)
{
    jab_store *store = jab_ext_store(x);
    int n = store->table->get(store, SPACE, conversation, on_older, o);
    return n < 0 ? n : o->gap.error ? o->gap.error : o->before.error;
}

static int older_write(jab_ext_ctx *x, const history_more *m, int is_complete)
{
    jab_store *store = jab_ext_store(x);
    jabi_buf value;
    jabi_buf_init(&value, jab_ext_mem(x), HISTORY_VALUE_MAX);
    jabi_pack_number(&value, (uint64_t)m->rank);
    jabi_pack_number(&value, (uint64_t)is_complete);
    jabi_pack_str(&value, jabi_buf_str(&m->gap));
    jabi_pack_str(&value, jabi_buf_str(&m->before));
    int err = m->before.error ? m->before.error : value.error;
    if (!err)
        err = store->table->put(store, SPACE, m->conversation, jabi_buf_str(&value));
    jabi_buf_fini(&value);
    return err;
}

/* The latest gap that the archive can fill. */
static int on_gap(void *arg, int64_t rank, jab_str id)
{
    older *o = arg;
    if (id.n == 0)
        return 0;
    set(&o->gap, id);
    o->rank = rank;
    o->is_there = 1;
    return 0;
}

/* -- Which archive ------------------------------------------------------------------ */

static int on_type(void *arg, const jab_kept_message *m)
{
    *(int *)arg = m->type == JAB_MSG_GROUPCHAT;
    return 1;
}

/* A room that is joined, or one that messages are kept of. 1, 0 or < 0. */
static int is_room(jab_ext_ctx *x, const jab_jid *jid)
{
    jab_store *store = jab_ext_store(x);
    int is_group = 0;
    if (jid->resource.p)
        return 0;
    if (jabi_room_is_joined(jab_ext_session(x), jid->bare))
        return 1;
    int n = store->table->read(store, JAB_KEPT_QUERY(.conversation = jid->bare, .limit = 1),
                               on_type, &is_group);
    return n < 0 ? n : is_group;
}

static jab_str archive_name(jab_ext_ctx *x, const history_more *m)
{
    return m->is_room ? m->conversation : jab_session_jid(jab_ext_session(x))->bare;
}

/* -- Pages ---------------------------------------------------------------------------- */

static int on_page(jab_ext_ctx *x, uint64_t tag, const jab_mam_fin *fin);

static void finish(jab_ext_ctx *x, const jab_mam_fin *fin, int is_complete)
{
    history_state *state = jab_ext_state(x);
    history_more *m = &state->more;
    jab_history *ev = jab_ext_emit_reply(x, JAB_EV_HISTORY, m->tag, sizeof *ev);
    if (ev) {
        *ev = (jab_history){.error = fin->error,
                            .refusal = fin->refusal,
                            .added = m->added,
                            .complete = is_complete};
        ev->conversation = jab_ext_text(x, m->conversation);
    }
    jabi_history_more_fini(x);
}

static int ask(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    history_more *m = &state->more;
    jab_mam_query q = {.size = sizeof q, .before = jabi_buf_str(&m->before), .max = m->wanted};
    if (m->is_room)
        q.archive = m->conversation;
    else
        q.with = m->conversation;
    m->n = 0;
    m->last = 0;
    m->lowest = m->rank;
    m->pages++;
    return jabi_mam_ask(x, &q, on_page, m->serial);
}

static int on_page(jab_ext_ctx *x, uint64_t tag, const jab_mam_fin *fin)
{
    history_state *state = jab_ext_state(x);
    history_more *m = &state->more;
    if (!m->is_open || tag != m->serial)
        return 0;
    if (fin->error < 0) {
        finish(x, fin, 0);
        return 0;
    }
    int is_stuck = jab_str_eq(fin->first, jabi_buf_str(&m->before));
    int is_id = fin->first.n && fin->first.n <= HISTORY_ID_MAX;
    int is_complete = fin->complete || !is_id || is_stuck;
    m->rank = m->lowest;
    if (is_id)
        set(&m->before, fin->first);
    int err = older_write(x, m, is_complete);
    if (err >= 0 && !is_complete && m->added == 0 && m->pages < PAGES_MAX)
        err = ask(x);
    else if (err >= 0)
        finish(x, fin, is_complete);
    if (err == JAB_EAGAIN || err == JAB_EOFFLINE) {
        finish(x, &(const jab_mam_fin){.error = err}, 0);
        err = 0;
    }
    return err;
}

int jabi_history_more_result(jab_ext_ctx *x, const jab_stanza *st)
{
    history_state *state = jab_ext_state(x);
    jab_mam_place place;
    history_message m;
    if (!jab_mam_place_of(jab_ext_session(x), st, &place) || !place.id.n ||
        place.id.n > HISTORY_ID_MAX || !jabi_history_read(x, st, &m))
        return JAB_DONE;
    m.row.archive = archive_name(x, &state->more);
    m.row.archive_id = place.id;
    int verdict = jabi_history_take(x, jabi_history_archive_of(x, &m), st, &m, HISTORY_OLDER);
    if (verdict == JAB_PASS) {
        state->more.added++;
        state->more.key = st->key;
    }
    return verdict < 0 ? verdict : JAB_DONE;
}

void jabi_history_more_fini(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    history_more *m = &state->more;
    if (!m->is_open)
        return;
    jabi_buf_fini(&m->gap);
    jabi_buf_fini(&m->before);
    jabi_free(jab_ext_mem(x), (char *)m->conversation.p);
    *m = (history_more){0};
}

static int on_key(void *arg, const jab_kept_message *m)
{
    (void)m;
    *(int *)arg = 1;
    return 1;
}

int jabi_history_more_again(jab_ext_ctx *x)
{
    const history_state *state = jab_ext_state(x);
    jab_store *store = jab_ext_store(x);
    int is_there = 0;
    if (!state->more.is_open || !state->more.key)
        return 0;
    int n = store->table->read(store, JAB_KEPT_QUERY(.key = state->more.key), on_key, &is_there);
    if (n >= 0 && !is_there)
        finish(x, &(const jab_mam_fin){.error = JAB_ESTORE}, 0);
    return n < 0 ? n : 0;
}

/* -- Asking ----------------------------------------------------------------------------- */

/* Where to begin: where the last request got to below the latest gap, or at
 * that gap. 1; 0 when there is nothing older; < 0. */
static int find_beginning(jab_ext_ctx *x, history_more *m)
{
    older there, gap;
    older_init(x, &there);
    older_init(x, &gap);
    int err = older_read(x, &there, m->conversation);
    if (err >= 0)
        err = jabi_history_gap_each(x, archive_name(x, m), on_gap, &gap);
    jab_str id = jabi_buf_str(&gap.gap);
    int goes_on = there.is_there && jab_str_eq(jabi_buf_str(&there.gap), id);
    const history_archive *a = jabi_history_archive_find(x, archive_name(x, m));
    int is_whole = goes_on ? there.is_complete : a && a->has_cursor && !gap.is_there;
    set(&m->gap, id);
    set(&m->before, goes_on ? jabi_buf_str(&there.before) : id);
    m->rank = goes_on ? there.rank : gap.rank;
    if (err >= 0)
        err = m->gap.error ? m->gap.error : m->before.error;
    older_fini(&there);
    older_fini(&gap);
    return err < 0 ? err : !is_whole;
}

static int open(jab_ext_ctx *x, const jab_jid *jid, unsigned n, uint64_t tag)
{
    history_state *state = jab_ext_state(x);
    history_more *m = &state->more;
    int room = is_room(x, jid);
    if (room < 0)
        return room;
    *m = (history_more){.is_open = 1, .is_room = room, .serial = ++state->serial, .tag = tag};
    m->wanted = n && n < HISTORY_PAGE ? n : HISTORY_PAGE;
    jabi_buf_init(&m->gap, jab_ext_mem(x), HISTORY_ID_MAX);
    jabi_buf_init(&m->before, jab_ext_mem(x), HISTORY_ID_MAX);
    int err = jabi_strdup(jab_ext_mem(x), &m->conversation, jid->full);
    return err < 0 ? err : find_beginning(x, m);
}

int jab_history_more(jab_session *s, jab_str conversation, unsigned n, uint64_t tag)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_history);
    const history_state *state = jab_ext_state(x);
    jab_jid_buf buf;
    jab_jid jid;
    if (!jab_ext_store(x))
        return JAB_ESTATE;
    if (state->more.is_open)
        return JAB_EAGAIN;
    if (!jab_session_online(s))
        return JAB_EOFFLINE;
    int err = jab_jid_parse(&jid, conversation, &buf);
    if (err < 0)
        return err;
    int has_older = open(x, &jid, n, tag);
    if (has_older > 0)
        err = ask(x);
    else if (has_older == 0)
        finish(x, &(const jab_mam_fin){0}, 1);
    else
        err = has_older;
    if (err < 0)
        jabi_history_more_fini(x);
    return err;
}

/* -- Is it whole? ------------------------------------------------------------------------ */

struct judging {
    jab_ext_ctx *x;
    const older *there;
    jab_str conversation;
    int is_torn, error;
};

static int on_any(void *arg, const jab_kept_message *m)
{
    (void)m;
    *(int *)arg = 1;
    return 1;
}

/* Whether messages are kept on both sides of a rank. 1, 0 or < 0. */
static int is_torn_at(const struct judging *j, int64_t rank)
{
    jab_store *store = jab_ext_store(j->x);
    int below = 0, above = 0;
    int n = store->table->read(
        store, JAB_KEPT_QUERY(.conversation = j->conversation, .before = rank, .limit = 1), on_any,
        &below);
    if (n >= 0)
        n = store->table->read(store,
                               JAB_KEPT_QUERY(.conversation = j->conversation, .after = rank - 1,
                                              .forwards = 1, .limit = 1),
                               on_any, &above);
    return n < 0 ? n : below && above;
}

static int judge_gap(void *arg, int64_t rank, jab_str id)
{
    struct judging *j = arg;
    int is_known = id.n && j->there->is_there && jab_str_eq(jabi_buf_str(&j->there->gap), id);
    if (is_known && j->there->is_complete)
        return 0;
    int torn = is_torn_at(j, is_known ? j->there->rank : rank);
    j->error = torn < 0 ? torn : 0;
    j->is_torn = torn != 0;
    return j->is_torn;
}

/* What is above the cursor is not known to be whole while a pass is due. */
static int is_being_read(const history_archive *a)
{
    return a && !a->is_none && (!a->has_cursor || a->phase != HISTORY_IDLE);
}

static int judge(jab_ext_ctx *x, const jab_jid *jid)
{
    history_more m = {.is_room = is_room(x, jid), .conversation = jid->full};
    jab_str archive = archive_name(x, &m);
    older there;
    if (m.is_room < 0 || is_being_read(jabi_history_archive_find(x, archive)))
        return 0;
    older_init(x, &there);
    struct judging j = {.x = x, .there = &there, .conversation = jid->full};
    int err = older_read(x, &there, jid->full);
    if (err >= 0)
        err = jabi_history_gap_each(x, archive, judge_gap, &j);
    older_fini(&there);
    return err >= 0 && !j.error && !j.is_torn;
}

int jab_history_is_whole(jab_session *s, jab_str conversation)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_history);
    jab_jid_buf buf;
    jab_jid jid;
    if (!jab_ext_store(x) || jab_jid_parse(&jid, conversation, &buf) < 0)
        return 0;
    return judge(x, &jid);
}
