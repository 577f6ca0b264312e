/*
 * history_pass.c: reads archives forward, page by page, from where the last
 * time ended to the end (XEP-0313 §4.2, XEP-0059 §2.2).
 */
#include "ext/history.h"

#include "base/mem.h"
#include "session/outbox.h"
#include "session/session.h"

#define AGAIN_SOON 1000 /* ms, when there is no room for a question */

/* -- The archives ------------------------------------------------------------------ */

history_archive *jabi_history_archive_find(jab_ext_ctx *x, jab_str bare)
{
    const history_state *state = jab_ext_state(x);
    return jabi_table_get(&state->archives, bare);
}

history_archive *jabi_history_archive_by(jab_ext_ctx *x, uint64_t serial)
{
    const history_state *state = jab_ext_state(x);
    for (size_t i = 0; i < state->archives.n; i++) {
        history_archive *a = (history_archive *)(void *)state->archives.items[i];
        if (a->serial == serial)
            return a;
    }
    return NULL;
}

static void archive_free(jab_ext_ctx *x, history_archive *a)
{
    jabi_buf_fini(&a->id);
    jabi_buf_fini(&a->silent);
    jabi_buf_fini(&a->from.id);
    jabi_buf_fini(&a->next.id);
    jabi_free(jab_ext_mem(x), a);
}

void jabi_history_archive_drop(jab_ext_ctx *x, history_archive *a)
{
    history_state *state = jab_ext_state(x);
    if (state->own == a)
        state->own = NULL;
    jabi_table_take(&state->archives, a->key);
    archive_free(x, a);
}

history_archive *jabi_history_archive_add(jab_ext_ctx *x, jab_str bare, int *err)
{
    history_state *state = jab_ext_state(x);
    const jab_mem *mem = jab_ext_mem(x);
    history_archive *a = jabi_alloc0(mem, sizeof *a + bare.n);
    *err = JAB_ENOMEM;
    if (!a)
        return NULL;
    memcpy(a + 1, bare.p, bare.n);
    a->key = (jab_str){(const char *)(a + 1), bare.n};
    a->serial = ++state->serial;
    jabi_buf_init(&a->id, mem, HISTORY_ID_MAX);
    jabi_buf_init(&a->silent, mem, HISTORY_ID_MAX);
    jabi_buf_init(&a->from.id, mem, HISTORY_ID_MAX);
    jabi_buf_init(&a->next.id, mem, HISTORY_ID_MAX);
    *err = jabi_history_cursor_read(x, a);
    if (*err >= 0)
        *err = jabi_table_put(&state->archives, x, a, JABI_ROOMS_MAX + 1);
    if (*err < 0) {
        archive_free(x, a);
        return NULL;
    }
    a->is_known = a->has_cursor;
    return a;
}

/* -- The end of a pass -------------------------------------------------------------- */

static void emit_synced(jab_ext_ctx *x, const history_archive *a, const jab_mam_fin *fin)
{
    jab_synced *ev = jab_ext_emit(x, JAB_EV_SYNCED, sizeof *ev);
    if (!ev)
        return;
    *ev = (jab_synced){
        .error = fin->error, .refusal = fin->refusal, .added = a->added, .has_gap = a->has_gap};
    ev->archive = jab_ext_text(x, a->key);
}

/* The outbox learns what the archive said; and no later process takes a pass
 * that began anywhere for one that says where in-doubt messages are not. */
static int tell_outbox(jab_ext_ctx *x, history_archive *a)
{
    jab_session *s = jab_ext_session(x);
    int is_blind = a->is_blind || a->is_none, err = 0;
    if (a->is_held)
        err = is_blind ? jabi_outbox_unknowable(s, a->key) : jabi_outbox_absent(s, a->key);
    if (err < 0)
        return err;
    a->is_held = 0;
    if (!a->is_blind)
        return err;
    a->is_blind = 0;
    return a->has_cursor ? jabi_history_cursor_write(x, a) : 0;
}

/* What came while the archive was read may have come in another order than the archive
 * has: when a stream is taken up, ejabberd lets the new overtake the old. */
static int may_be_overtaken(jab_ext_ctx *x, const history_archive *a)
{
    return a->is_own && a->holds && a->n_held && !a->is_second && !a->is_none &&
           jab_ext_session(x)->stream.sm.resumed;
}

/* A server may file a message late, and have given it to a client that was there before
 * this one: ejabberd does. It is looked for once more; and what was on its way when a pass
 * set others right has its place then, too. */
static void look_back_later(jab_ext_ctx *x, history_archive *a)
{
    const history_state *state = jab_ext_state(x);
    int is_check = a->is_own && !a->is_checked && !a->is_none && state->has_presence;
    a->looks = a->is_look_back ? a->looks : 0;
    int is_wanted = is_check || (a->has_reordered && a->looks++ < HISTORY_LOOKS_MOST);
    a->has_reordered = a->is_look_back = 0;
    a->is_checked |= is_check;
    if (!is_wanted)
        return;
    a->is_resumed = 0;
    a->look_at = jab_ext_now(x) + HISTORY_CHECK;
}

void jabi_history_pass_resumed(jab_ext_ctx *x, history_archive *a)
{
    const history_state *state = jab_ext_state(x);
    if (!a->is_own || a->is_none || !state->has_presence)
        return;
    if (!a->look_at) {
        a->is_resumed = 1;
        a->came = 0;
    }
    a->look_at = jab_ext_now(x) + HISTORY_CHECK;
}

static void look_back(jab_ext_ctx *x, history_archive *a)
{
    int is_needless = a->is_resumed && !a->came;
    a->look_at = 0;
    a->is_resumed = 0;
    if (is_needless)
        return;
    a->is_look_back = 1;
    jabi_history_pass_want(x, a, 0);
}

static int end_well(jab_ext_ctx *x, history_archive *a, const jab_mam_fin *fin)
{
    a->phase = HISTORY_IDLE;
    a->is_begun = 0;
    a->delay = 0;
    a->live = 0;
    int err = tell_outbox(x, a);
    if (err >= 0 && a->was_due) {
        a->is_due = a->was_due = 0;
        err = jabi_history_cursor_write(x, a);
    }
    if (err < 0)
        return err;
    int is_second = may_be_overtaken(x, a);
    if (a->again || is_second) {
        a->again = 0;
        a->is_second = is_second;
        jabi_history_pass_want(x, a, a->holds);
        return 0;
    }
    emit_synced(x, a, fin);
    a->holds = a->has_gap = a->is_second = 0;
    a->added = 0;
    look_back_later(x, a);
    jab_ext_wake(x, jab_ext_now(x));
    return 0;
}

static int end_without_archive(jab_ext_ctx *x, history_archive *a, const jab_mam_fin *fin)
{
    a->is_none = 1;
    a->is_known = a->again = 0;
    return end_well(x, a, fin);
}

/* What waits for its place goes without; messages in doubt wait on. Those that never
 * left do not when the archive has not worked for minutes. */
static int end_for_now(jab_ext_ctx *x, history_archive *a, const jab_mam_fin *fin)
{
    a->delay = a->delay ? a->delay * 2 : HISTORY_RETRY_FIRST;
    if (a->delay > HISTORY_RETRY_MOST) {
        a->delay = HISTORY_RETRY_MOST;
        if (a->is_own)
            jabi_outbox_let_go(jab_ext_session(x));
    }
    a->phase = HISTORY_WANTED;
    a->at = jab_ext_now(x) + a->delay;
    a->is_begun = a->holds = a->again = a->is_second = 0;
    emit_synced(x, a, fin);
    jab_ext_wake(x, jab_ext_now(x));
    return 0;
}

static int is_refused_for_good(const jab_mam_fin *fin)
{
    static const char *const conditions[] = {"feature-not-implemented",
                                             "service-unavailable",
                                             "item-not-found",
                                             "forbidden",
                                             "not-allowed",
                                             "not-authorized",
                                             "registration-required",
                                             "subscription-required",
                                             "bad-request"};
    if (fin->error == JAB_EUNSUPPORTED)
        return 1;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (fin->error == JAB_ESTANZA && jab_str_is(fin->refusal.condition, conditions[i]))
            return 1;
    return 0;
}

/* -- Pages --------------------------------------------------------------------------- */

static int on_page(jab_ext_ctx *x, uint64_t tag, const jab_mam_fin *fin);

static jab_mam_query next_page(jab_ext_ctx *x, const history_archive *a)
{
    jab_mam_query q = {.size = sizeof q, .max = HISTORY_PAGE};
    unsigned first = jab_ext_config(x)->first_history;
    if (!a->is_own)
        q.archive = a->key;
    if (a->is_first) {
        q.before = JAB_STR("");
        q.max = first ? first : 1;
    } else if (a->is_back && a->from.id.n) {
        q.after = jabi_buf_str(&a->from.id);
    } else if (a->id.n && !a->is_back) {
        q.after = jabi_buf_str(&a->id);
    } else if (!a->is_back) {
        q.start = a->stamp;
    }
    return q;
}

/* Asks for the next page. Without room for the question it is asked later. */
static int ask(jab_ext_ctx *x, history_archive *a)
{
    history_state *state = jab_ext_state(x);
    jab_mam_query q = next_page(x, a);
    int err = jabi_mam_ask(x, &q, on_page, a->serial);
    if (err == JAB_EAGAIN || err == JAB_EOFFLINE) {
        a->phase = HISTORY_WANTED;
        a->at = jab_ext_now(x) + AGAIN_SOON;
        jab_ext_wake(x, a->at);
        return 0;
    }
    if (err < 0)
        return err;
    a->phase = HISTORY_ASKED;
    a->has_moved = 0;
    state->n_asked++;
    return 0;
}

/* The archive has no message any more that was there the last time: it was
 * trimmed, or began anew. All that came since then is asked for by its time. */
static int go_by_time(jab_ext_ctx *x, history_archive *a)
{
    a->has_gap = a->is_blind = a->is_lenient = 1;
    a->is_due = 0;
    int err = jabi_history_gap_add(x, a, JAB_STR(""), a->rank + 1);
    if (err >= 0)
        err = jabi_history_cursor_move(x, a, JAB_STR(""), a->stamp);
    return err < 0 ? err : ask(x, a);
}

/* From where the last pass ended, when what is before it is gone. */
static int go_straight(jab_ext_ctx *x, history_archive *a)
{
    int is_other = !jab_str_eq(jabi_buf_str(&a->from.id), jabi_buf_str(&a->id));
    int is_back = a->is_back && is_other;
    jabi_history_cursor_straight(a);
    a->base = a->top = a->rank;
    return is_back ? ask(x, a) : go_by_time(x, a);
}

/* What came live before the place was known is in the archive before that place. Until it has
 * been told, only another pass would come by it: servers take what is in the archive for
 * delivered when a stream ends, acknowledged or not. COMPAT: Prosody does. */
static int go_before_held(jab_ext_ctx *x, history_archive *a, const jab_mam_fin *fin)
{
    int is_told = fin->complete && jab_ext_config(x)->first_history; /* by the page itself */
    int64_t since = a->has_cursor && !is_told ? jabi_history_held_since(x, a) : INT64_MAX;
    if (since == INT64_MAX || !a->is_own)
        return 0;
    if (since > a->stamp)
        since = a->stamp;
    a->is_due = 1;
    return jabi_history_cursor_move(x, a, JAB_STR(""), since > 1000 ? since - 1000 : 1);
}

/* The first page tells the place: there is nothing behind it yet. */
static int end_first(jab_ext_ctx *x, history_archive *a, const jab_mam_fin *fin)
{
    int err = 0;
    a->is_first = 0;
    if (fin->complete && a->has_cursor)
        err = jabi_history_gap_remove(x, a);
    if (err >= 0 && fin->complete && a->has_cursor)
        err = jabi_history_cursor_whole(x, a, fin->first);
    if (err >= 0 && !a->has_cursor)
        err = jabi_history_cursor_write(x, a); /* the archive is empty */
    if (err >= 0)
        err = go_before_held(x, a, fin);
    return err < 0 ? err : end_well(x, a, fin);
}

static int is_id(jab_str id)
{
    return id.n && id.n <= HISTORY_ID_MAX;
}

/* An archive that talks without end does not keep what comes live from being
 * told, nor the server from hearing that it came. */
static void give_way(jab_ext_ctx *x, history_archive *a)
{
    if (!a->holds || jab_ext_now(x) - a->holds_since < HISTORY_HOLDS_MOST)
        return;
    a->holds = 0;
    jab_ext_wake(x, jab_ext_now(x));
}

static int end_page(jab_ext_ctx *x, history_archive *a, const jab_mam_fin *fin)
{
    int err = 0;
    a->is_known = 1;
    a->empty = fin->found ? 0 : a->empty + 1;
    if (is_id(fin->last) && !jab_str_eq(fin->last, jabi_buf_str(&a->id)))
        err = jabi_history_cursor_move(x, a, fin->last, 0);
    if (err < 0)
        return err;
    if (a->is_first)
        return end_first(x, a, fin);
    if (fin->complete || !a->has_moved)
        return end_well(x, a, fin);
    if (a->empty > HISTORY_EMPTY_MAX)
        return end_for_now(x, a, &(const jab_mam_fin){.error = JAB_EPROTO});
    give_way(x, a);
    return ask(x, a);
}

static int end_question(jab_ext_ctx *x, history_archive *a, const jab_mam_fin *fin)
{
    if (fin->error == 0)
        return end_page(x, a, fin);
    if (jab_str_is(fin->refusal.condition, "item-not-found") && a->id.n && !a->is_first)
        return go_straight(x, a);
    return is_refused_for_good(fin) ? end_without_archive(x, a, fin) : end_for_now(x, a, fin);
}

static int on_page(jab_ext_ctx *x, uint64_t tag, const jab_mam_fin *fin)
{
    history_state *state = jab_ext_state(x);
    history_archive *a = jabi_history_archive_by(x, tag);
    state->n_asked--;
    if (!a || fin->error == JAB_EOFFLINE)
        return 0;
    int err = end_question(x, a, fin);
    if (err < 0)
        jabi_history_pass_restart(x, a); /* when the stream goes on, as nobody answers this again */
    return err;
}

/* -- What a page brings ---------------------------------------------------------------- */

/* A message of one's own that is not kept may be waited for all the same. */
static int note_unkept(jab_ext_ctx *x, const history_archive *a, const jab_stanza *st)
{
    jab_session *s = jab_ext_session(x);
    jab_jid from = jab_stanza_from(st);
    jab_str id = jab_stanza_id(st);
    if (!a->is_own || !id.p || !jab_str_eq(from.bare, a->key))
        return 0;
    int n = jabi_outbox_found(s, a->key, id);
    return n < 0 ? n : 0;
}

/* JAB_PASS when it is to be told, JAB_DONE, or < 0. What a room said is told by
 * the room, and not by what somebody's archive has of it. */
static int take(jab_ext_ctx *x, history_archive *a, const jab_stanza *st, jab_str id, int is_quiet)
{
    history_message m;
    if (!jabi_history_read(x, st, &m)) {
        int is_again = jab_stanza_stamp(st) < a->seen;
        int is_told = !is_quiet && !is_again && m.row.type != JAB_MSG_GROUPCHAT;
        int err = note_unkept(x, a, st);
        return err < 0 ? err : is_told ? JAB_PASS : JAB_DONE;
    }
    m.row.archive = a->key;
    m.row.archive_id = id;
    int verdict = jabi_history_take(x, a, st, &m, HISTORY_PASS);
    if (verdict != JAB_PASS || !is_quiet)
        return verdict;
    jabi_buf_reset(&a->silent);
    jabi_buf_add_str(&a->silent, id);
    return JAB_DONE;
}

/* In one transaction: the message, the cursor behind it, and at the beginning
 * what is not known before it. */
static int move_behind(jab_ext_ctx *x, history_archive *a, const jab_stanza *st, jab_str id)
{
    int err = 0;
    int64_t stamp = jab_stanza_stamp(st), rank = a->rank ? a->rank : stamp * 1000;
    if (!a->has_cursor) /* a server may say any time, also one before 1970 */
        err = jabi_history_gap_add(x, a, id, rank > 0 ? rank : 1);
    return err < 0 ? err : jabi_history_cursor_move(x, a, id, stamp);
}

int jabi_history_pass_result(jab_ext_ctx *x, history_archive *a, const jab_stanza *st)
{
    jab_mam_place place;
    int is_quiet = a->is_first && !jab_ext_config(x)->first_history;
    if (!jab_mam_place_of(jab_ext_session(x), st, &place) || !is_id(place.id))
        return JAB_DONE;
    int verdict = take(x, a, st, place.id, is_quiet);
    if (verdict < 0)
        return verdict;
    a->added += verdict == JAB_PASS;
    int err = move_behind(x, a, st, place.id);
    return err < 0 ? err : verdict;
}

/* -- When ------------------------------------------------------------------------------- */

/* What is read again is looked up, and not told: see take(). */
static void begin_back(history_archive *a)
{
    if (!a->from.is_set)
        jabi_history_cursor_straight(a);
    a->next.is_set = 0;
    a->is_back = a->from.is_set;
    a->seen = a->is_back ? a->stamp : INT64_MIN;
    a->base = a->top = a->is_back ? a->from.rank : a->rank;
}

static void begin(jab_ext_ctx *x, history_archive *a)
{
    a->is_begun = a->has_read = 1;
    a->losses = jab_ext_session(x)->losses;
    a->is_first = !a->has_cursor;
    a->was_due = a->is_due;
    a->is_lenient = a->has_cursor && !a->id.n && a->stamp && !a->is_due;
    a->is_blind |= a->is_first;
    a->n_placed = 0;
    begin_back(a);
}

void jabi_history_pass_want(jab_ext_ctx *x, history_archive *a, int holds)
{
    if (a->is_none)
        return;
    if (holds && !a->holds)
        a->holds_since = jab_ext_now(x);
    a->holds |= holds;
    if (a->phase == HISTORY_ASKED || a->is_begun) {
        a->again = 1;
        return;
    }
    a->phase = HISTORY_WANTED;
    a->at = jab_ext_now(x);
    jab_ext_wake(x, a->at);
}

void jabi_history_pass_restart(jab_ext_ctx *x, history_archive *a)
{
    history_state *state = jab_ext_state(x);
    uint64_t old = a->serial;
    a->serial = ++state->serial;
    for (size_t i = 0; i < state->n_held; i++)
        if (state->held[i].serial == old)
            state->held[i].serial = a->serial;
    a->phase = HISTORY_IDLE;
    a->is_begun = a->again = a->is_none = 0;
    jabi_history_pass_want(x, a, 1);
}

int jabi_history_pass_spare(jab_ext_ctx *x, history_archive *a)
{
    return tell_outbox(x, a);
}

int jabi_history_pass_ask(jab_ext_ctx *x)
{
    history_state *state = jab_ext_state(x);
    int64_t now = jab_ext_now(x);
    int err = 0;
    for (size_t i = 0; i < state->archives.n && err >= 0; i++) {
        history_archive *a = (history_archive *)(void *)state->archives.items[i];
        if (a->look_at && a->look_at <= now)
            look_back(x, a);
        if (a->phase != HISTORY_WANTED || a->at > now ||
            (!a->is_own && state->n_asked >= HISTORY_PASSES_MAX))
            continue;
        if (!a->is_begun)
            begin(x, a);
        err = ask(x, a);
    }
    return err;
}

/* Those that wait for others to end are asked for when these do. */
int64_t jabi_history_pass_next(jab_ext_ctx *x)
{
    const history_state *state = jab_ext_state(x);
    int64_t next = JAB_NEVER;
    for (size_t i = 0; i < state->archives.n; i++) {
        const history_archive *a = (const history_archive *)(void *)state->archives.items[i];
        int is_due = a->phase == HISTORY_WANTED && (a->is_own || a->at > jab_ext_now(x));
        if (is_due && a->at < next)
            next = a->at;
        if (a->look_at && a->look_at < next)
            next = a->look_at;
    }
    return next;
}
