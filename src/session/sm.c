/*
 * sm.c: stream management in the session (XEP-0198): what was sent is kept
 * until the server has it, what came is acknowledged once the application is
 * done with it, and a stream that breaks is taken up again.
 */
#include "session/sm.h"

#include "base/mem.h"
#include "session/outbox.h"
#include "session/recent.h"

/* -- What was sent ------------------------------------------------------------------ */

/* Doubles the room, or moves the rows to the front of it. */
static int make_room(jab_session *s)
{
    jabi_sent_queue *q = &s->sent;
    if (q->first > q->n) {
        memmove(q->rows, q->rows + q->first, q->n * sizeof *q->rows);
        q->first = 0;
        return 0;
    }
    size_t cap = q->cap ? q->cap * 2 : 16;
    jabi_sent_row *rows = jabi_realloc_array(s->mem, q->rows, cap, sizeof *rows);
    if (!rows)
        return JAB_ENOMEM;
    q->rows = rows;
    q->cap = cap;
    return 0;
}

/* Without stream management only what is to be reported is kept: its name. */
static jabi_sent_stanza kept_part(const jab_session *s, const jabi_sent_stanza *st)
{
    jabi_sent_stanza part = *st;
    if (!s->stream.sm.requested)
        part.xml.n = 0;
    if (!st->is_ours)
        part.id.n = part.to.n = 0;
    return part;
}

static int is_noted(const jab_session *s, const jabi_sent_stanza *st)
{
    return s->stream.sm.requested || (st->is_ours && s->cfg.store);
}

int jabi_sm_reserve(jab_session *s, const jabi_sent_stanza *st)
{
    jabi_sent_queue *q = &s->sent;
    int begun = st->is_ours ? jabi_recent_begin(s) : 0;
    if (begun < 0 || !is_noted(s, st))
        return begun;
    if (q->first + q->n == q->cap && make_room(s) < 0)
        return JAB_ENOMEM;
    jabi_sent_stanza part = kept_part(s, st);
    if (!jabi_buf_room(&q->bytes, part.xml.n + part.id.n + part.to.n)) {
        int err = q->bytes.error == JAB_ELIMIT ? JAB_EAGAIN : q->bytes.error;
        q->bytes.error = 0;
        return err;
    }
    return 0;
}

void jabi_sm_add(jab_session *s, const jabi_sent_stanza *st)
{
    jabi_sent_queue *q = &s->sent;
    if (st->is_ours)
        jabi_recent_note(s, st->id, st->to, st->tag);
    if (!is_noted(s, st))
        return;
    jabi_sent_stanza part = kept_part(s, st);
    q->rows[q->first + q->n++] = (jabi_sent_row){.n = part.xml.n,
                                                 .id_n = part.id.n,
                                                 .to_n = part.to.n,
                                                 .tag = st->tag,
                                                 .seq = st->seq,
                                                 .is_ours = st->is_ours};
    jabi_buf_add(&q->bytes, part.xml.p, part.xml.n);
    jabi_buf_add(&q->bytes, part.id.p, part.id.n);
    jabi_buf_add(&q->bytes, part.to.p, part.to.n);
    q->serial++;
    if (s->stream.sm.requested)
        s->stream.sm.out++;
}

int jabi_sent_emit(jab_session *s, uint64_t tag, const jab_sent *from)
{
    jab_event *ev = jabi_event_push(s, JAB_EV_SENT, tag, sizeof(jab_sent));
    if (!ev)
        return JAB_ENOMEM;
    jabi_arena *arena = &s->emitted->arena;
    jab_sent *sent = (jab_sent *)ev->data;
    *sent = *from;
    sent->id = jabi_arena_str(arena, from->id);
    sent->to = jabi_arena_str(arena, from->to);
    if (!sent->id.p)
        sent->id = JAB_STR("");
    int err = 0;
    for (size_t i = 0; err >= 0 && s->cfg.store && i < s->n_exts; i++)
        if (JABI_HAS_SLOT(s->exts[i].ext, settled))
            err = s->exts[i].ext->settled(&s->exts[i], sent);
    if (err < 0)
        jabi_event_take_back(s); /* it will be settled once more */
    return err;
}

static size_t size_of(const jabi_sent_row *row)
{
    return row->n + row->id_n + row->to_n;
}

static jab_str id_of(const jab_session *s, const jabi_sent_row *row, size_t at)
{
    return (jab_str){s->sent.bytes.p + at + row->n, row->id_n};
}

/* Tells the application what became of a row. In a session with a store what
 * is not acknowledged stays in the outbox. */
static int tell(jab_session *s, const jabi_sent_row *row, jab_sent_state state)
{
    if (!row->is_ours)
        return 0;
    if (row->seq && state == JAB_SENT_UNKNOWN) {
        jabi_outbox_doubt(s, row->seq);
        return 0;
    }
    if (row->seq)
        return jabi_outbox_settle(s, row->seq, state);
    jab_str id = id_of(s, row, s->sent.at);
    jab_str to = {row->to_n ? id.p + row->id_n : NULL, row->to_n};
    const jab_sent sent = {.id = id, .state = state, .to = to};
    return jabi_sent_emit(s, row->tag, &sent);
}

/* Takes the oldest row out and tells the application. 0 or < 0, and then the
 * row stays. */
static int settle_first(jab_session *s, jab_sent_state state)
{
    jabi_sent_queue *q = &s->sent;
    const jabi_sent_row row = q->rows[q->first];
    int err = tell(s, &row, state);
    if (err < 0)
        return err;
    q->at += size_of(&row);
    q->first++;
    q->n--;
    if (q->n == 0)
        q->first = 0;
    if (q->at == q->bytes.n || q->at > q->bytes.n / 2 + 65536) {
        jabi_buf_consume(&q->bytes, q->at);
        q->at = 0;
    }
    return 0;
}

/* What can no longer be settled. Without memory for the events the rows stay
 * and are told when the next chance comes. */
static void settle_unknown(jab_session *s)
{
    while (s->sent.n)
        if (settle_first(s, JAB_SENT_UNKNOWN) < 0)
            return;
}

/* XEP-0198 §4: counts are modulo 2^32, and nobody has more than was sent. */
static int on_acked(jab_session *s, uint32_t h)
{
    jabi_sm *sm = &s->stream.sm;
    uint32_t newly = h - sm->acked;
    if (newly > sm->out - sm->acked)
        return jabi_sm_too_high(&s->stream, h);
    for (; newly && s->sent.n; newly--) {
        int err = settle_first(s, JAB_SENT_DELIVERED);
        if (err < 0)
            return err;
        sm->acked++;
    }
    return 0;
}

int jabi_sm_is_unmanaged(const jab_session *s)
{
    return s->online && !s->stream.sm.requested && s->sent.n;
}

uint64_t jabi_sm_last_serial(const jab_session *s)
{
    return s->sent.serial;
}

int jabi_sm_settle_upto(jab_session *s, uint64_t serial)
{
    int err = 0;
    while (err >= 0 && s->sent.n && s->sent.serial - s->sent.n < serial)
        err = settle_first(s, JAB_SENT_DELIVERED);
    return err;
}

int jabi_sm_failed(jab_session *s, jab_str id, uint64_t *tag)
{
    jabi_sent_queue *q = &s->sent;
    size_t at = q->at;
    for (size_t i = 0; i < q->n; i++) {
        jabi_sent_row *row = &q->rows[q->first + i];
        if (row->is_ours && jab_str_eq(id_of(s, row, at), id)) {
            *tag = row->tag;
            row->is_ours = 0;
            int err = row->seq ? jabi_outbox_take_out(s, row->seq) : 0;
            return err < 0 ? err : 1;
        }
        at += size_of(row);
    }
    return jabi_outbox_failed(s, id, tag); /* it left on an earlier stream */
}

/* -- What came ------------------------------------------------------------------------ */

void jabi_sm_hold(jab_session *s)
{
    if (!s->held_from.is_set || s->held_from.epoch != s->sm_epoch)
        s->held_from = jabi_sm_stamp(s);
    s->held_ends = 0;
}

void jabi_sm_let_go(jab_session *s)
{
    s->held_ends = 1;
    if (!s->cfg.store || !s->cfg.store->dirty)
        jabi_sm_committed(s);
}

void jabi_sm_committed(jab_session *s)
{
    if (s->held_ends)
        s->held_from.is_set = s->held_ends = 0;
}

uint32_t jabi_sm_kept(const jab_session *s)
{
    uint32_t in = s->stream.sm.in, first = s->held_from.count - 1;
    int is_held = s->held_from.is_set && s->held_from.epoch == s->sm_epoch;
    return is_held && in - first < UINT32_MAX / 2 ? first : in; /* less came, when some was lost */
}

/* Stanzas are handled in order: up to the one before the first whose events
 * the application has not left behind. */
static void count_handled(jab_session *s)
{
    jabi_sm *sm = &s->stream.sm;
    const jabi_event_queue *q = &s->events;
    if (!sm->active && !sm->id.p)
        return;
    uint32_t epoch = s->sm_epoch, before = sm->in;
    if (q->shown_holder && q->shown_from.is_set)
        before = q->shown_from.epoch == epoch ? q->shown_from.count - 1 : sm->handled;
    else if (q->n && q->ring[q->first].from.is_set)
        before =
            q->ring[q->first].from.epoch == epoch ? q->ring[q->first].from.count - 1 : sm->handled;
    else if (q->shown_holder || q->n)
        before = sm->handled;
    int is_unsaved = s->cfg.store && (s->cfg.store->dirty || jabi_store_waits(s));
    if (is_unsaved && before - sm->handled > s->sm_safe - sm->handled)
        before = s->sm_safe; /* an acknowledged stanza is one that is kept */
    if (before - sm->handled > sm->in - sm->handled)
        return; /* it stays: a count never goes back */
    uint32_t most = jabi_sm_kept(s);
    sm->handled = before - sm->handled > most - sm->handled ? most : before;
}

/* What was acknowledged once may not be taken back by the process that resumes
 * the stream: it is in the store before it leaves. */
static int save_handled(jab_session *s)
{
    jabi_sm *sm = &s->stream.sm;
    uint32_t newly = sm->handled - s->saved_in;
    if (!s->cfg.store || !sm->id.p || newly == 0 || newly > UINT32_MAX / 2)
        return 0;
    if (s->cfg.store->dirty || jabi_store_waits(s)) { /* by the caller's will */
        sm->handled = s->saved_in == UINT32_MAX ? sm->handled : s->saved_in;
        return 0;
    }
    int err = jabi_sm_save(s);
    if (err >= 0)
        return jabi_store_commit(s);
    jabi_session_fail_with(s, err);
    return err;
}

/* RFC 6120 §4.4: not behind the end of the stream. */
static void answer(jab_session *s)
{
    if (s->closing || jabi_store_settle(s) < 0)
        return;
    count_handled(s);
    if (save_handled(s) < 0)
        return;
    s->ack_owed = s->stream.sm.handled != s->stream.sm.in;
    if (jabi_sm_answer(&s->stream) < 0)
        jabi_session_end(s);
}

/* The application is done with some events: an answer that had to leave
 * stanzas out is made good once none is left. */
void jabi_sm_pulled(jab_session *s)
{
    if (!s->ack_owed || !s->online || s->events.n || s->events.shown_holder)
        return;
    uint32_t told = s->stream.sm.handled;
    count_handled(s);
    if (s->stream.sm.handled != told)
        answer(s);
}

jabi_event_from jabi_sm_stamp(const jab_session *s)
{
    /* An event without a stanza belongs behind all that came before it. */
    uint32_t count = s->stream.sm.in + (s->routed || s->current ? 0 : 1);
    return (jabi_event_from){count, s->sm_epoch, s->stream.sm.active};
}

void jabi_sm_count_in(jab_session *s)
{
    if (s->stream.sm.active)
        s->stream.sm.in++;
}

/* -- The stream ------------------------------------------------------------------------- */

/* With a store, what was sent meanwhile is asked behind, as it will be now. */
static int on_refused(jab_session *s)
{
    if (!s->cfg.store)
        settle_unknown(s);
    jabi_sm_forget(&s->stream);
    s->asked_at = JAB_NEVER; /* nobody answers that now */
    return 0;
}

static int on_enabled(jab_session *s)
{
    s->sm_epoch++;
    s->is_durable = 0;
    s->saved_in = UINT32_MAX; /* another stream: the next save writes it */
    int err = jabi_sm_save(s);
    return err < 0 ? err : jabi_outbox_named(s);
}

int jabi_sm_on_element(jab_session *s, const jab_xml *el)
{
    jabi_sm_event event;
    uint32_t h = 0;
    int err = jabi_sm_element(&s->stream, el, &event, &h);
    if (err < 0)
        return err;
    if (event == JABI_SM_ENABLED)
        err = on_enabled(s);
    else if (event == JABI_SM_REFUSED)
        err = on_refused(s);
    else if (event == JABI_SM_ASKED)
        answer(s);
    else if (event == JABI_SM_ACKED) {
        s->asked_at = JAB_NEVER;
        err = on_acked(s, h);
    }
    return err;
}

/* Asks for an acknowledgement behind what was sent since the last question. */
void jabi_sm_before_out(jab_session *s)
{
    if (!s->online || !s->stream.sm.requested || !s->sent.n || s->asked_at != JAB_NEVER ||
        s->closing)
        return;
    if (jabi_sm_ask(&s->stream) >= 0)
        s->asked_at = s->now;
}

/* XEP-0198 §4: an answer before the end spares the server from resending. */
void jabi_sm_before_close(jab_session *s)
{
    jabi_sm_before_out(s);
    if (s->online && s->stream.sm.active)
        answer(s);
}

/* Silence counts only while this side listens. */
void jabi_sm_tick(jab_session *s)
{
    if (!s->ack_paused || s->events.n >= s->cfg.max_events)
        return;
    s->ack_paused = 0;
    if (s->asked_at != JAB_NEVER)
        s->asked_at = s->now;
}

int64_t jabi_sm_deadline(const jab_session *s)
{
    if (!s->online || s->events.n >= s->cfg.max_events || s->asked_at == JAB_NEVER ||
        s->cfg.ack_timeout == JAB_NEVER)
        return JAB_NEVER;
    return s->asked_at + s->cfg.ack_timeout;
}

/* RFC 6120 §7 and XEP-0198 §3: right behind the binding, so that all that
 * follows is counted. */
int jabi_sm_begin(jab_session *s)
{
    s->asked_at = JAB_NEVER;
    s->ack_owed = 0;
    s->sm_safe = 0;
    jabi_sm_forget(&s->stream);
    settle_unknown(s);
    if (s->sent.n)
        return JAB_ENOMEM;
    if (jabi_sm_adopt(&s->stream))
        return on_enabled(s);
    if (!jab_xml_child(s->stream.features, JABI_NS_SM, "sm"))
        return 0;
    return jabi_sm_enable(&s->stream);
}

/* XEP-0198 §5: what the server has not got is sent again, in order, as it was. */
static int resend(jab_session *s)
{
    const jabi_sent_queue *q = &s->sent;
    size_t at = q->at;
    for (size_t i = 0; i < q->n; i++) {
        const jabi_sent_row *row = &q->rows[q->first + i];
        jabi_buf_add(&s->stream.out, q->bytes.p + at, row->n);
        at += size_of(row);
    }
    return s->stream.out.error;
}

/* The stream of an earlier process: what was on its way is in the outbox, and
 * counting goes on from where the server is. */
static int go_on(jab_session *s)
{
    jabi_sm *sm = &s->stream.sm;
    sm->out = sm->acked = sm->told;
    return jabi_outbox_saved(s, sm->told, 1, 1);
}

int jabi_sm_resume(jab_session *s)
{
    s->asked_at = JAB_NEVER;
    s->ack_owed = 0;
    if (s->restored)
        return go_on(s);
    jabi_requests_extend(s);
    int err = on_acked(s, s->stream.sm.told);
    if (err >= 0)
        err = jabi_outbox_resent(s);
    return err < 0 ? err : resend(s);
}

int jabi_sm_may_resume(const jab_session *s)
{
    return s->stream.sm.id.p != NULL && !s->closing && !s->cfg.no_reconnect;
}

/* The server would not go on with the last stream, but may say how far it
 * had got (XEP-0198 §5, <failed h=''/>). */
void jabi_sm_lost(jab_session *s)
{
    const jabi_sm *sm = &s->stream.sm;
    if (s->restored) {
        if (jabi_outbox_saved(s, sm->told, sm->has_told, 0) < 0)
            (void)jabi_outbox_saved(s, 0, 0, 0); /* the rest stays in doubt */
    } else if (sm->has_told && sm->id.p && sm->told - sm->acked <= sm->out - sm->acked) {
        (void)on_acked(s, sm->told);
    }
    s->restored = 0;
    settle_unknown(s);
    jabi_sm_forget(&s->stream);
}

void jabi_sm_fini(jab_session *s)
{
    jabi_free(s->mem, s->sent.rows);
    jabi_buf_fini(&s->sent.bytes);
}

int jab_sm_active(const jab_session *s)
{
    return s->stream.sm.requested;
}

int jab_sm_resumable(const jab_session *s)
{
    return s->closed && s->kept;
}

size_t jab_sm_waiting(const jab_session *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->sent.n; i++)
        n += s->sent.rows[s->sent.first + i].is_ours != 0;
    return n;
}
