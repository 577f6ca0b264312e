/*
 * outbox.c: the rows of the outbox in memory: what state each is in, and what
 * settles it.
 */
#include "session/outbox.h"

#include "base/mem.h"

jabi_outbox_row *jabi_outbox_at(jab_session *s, size_t i)
{
    return &s->outbox.rows[s->outbox.first + i];
}

/* -- The table -------------------------------------------------------------------- */

static int make_room(jab_session *s)
{
    jabi_outbox *b = &s->outbox;
    if (b->first + b->n < b->cap)
        return 0;
    if (b->first > b->n) {
        memmove(b->rows, b->rows + b->first, b->n * sizeof *b->rows);
        b->first = 0;
        return 0;
    }
    size_t cap = b->cap ? b->cap * 2 : 16;
    jabi_outbox_row *rows = jabi_realloc_array(s->mem, b->rows, cap, sizeof *rows);
    if (!rows)
        return JAB_ENOMEM;
    b->rows = rows;
    b->cap = cap;
    return 0;
}

jabi_outbox_row *jabi_outbox_add_row(jab_session *s, const jabi_outbox_row *from, jab_str id,
                                     jab_str to)
{
    jabi_outbox *b = &s->outbox;
    char *text = make_room(s) < 0 ? NULL : s->mem->alloc(s->mem->arg, id.n + to.n + 1);
    if (!text)
        return NULL;
    if (id.n)
        memcpy(text, id.p, id.n);
    if (to.n)
        memcpy(text + id.n, to.p, to.n);
    jabi_outbox_row *row = jabi_outbox_at(s, b->n++);
    *row = *from;
    row->text = text;
    row->id_n = id.n;
    row->to_n = to.n;
    b->waiting += row->state == JABI_OUT_WAITS;
    b->last_seq = row->seq;
    return row;
}

/* Where the row of that key is, or would be. */
static size_t place_of(jab_session *s, uint64_t seq)
{
    size_t low = 0, high = s->outbox.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (jabi_outbox_at(s, middle)->seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

jabi_outbox_row *jabi_outbox_find(jab_session *s, uint64_t seq)
{
    size_t i = place_of(s, seq);
    if (i == s->outbox.n || jabi_outbox_at(s, i)->seq != seq)
        return NULL;
    return jabi_outbox_at(s, i);
}

/* Takes a row out of the table; its text goes with the copy that is returned. */
static jabi_outbox_row detach(jab_session *s, jabi_outbox_row *row)
{
    jabi_outbox *b = &s->outbox;
    jabi_outbox_row taken = *row;
    size_t i = (size_t)(row - jabi_outbox_at(s, 0));
    b->waiting -= taken.state == JABI_OUT_WAITS;
    if (i == 0)
        b->first++;
    else
        memmove(row, row + 1, (b->n - i - 1) * sizeof *row);
    if (--b->n == 0)
        b->first = 0;
    return taken;
}

static void set_state(jab_session *s, jabi_outbox_row *row, jabi_out_state state)
{
    s->outbox.waiting += (state == JABI_OUT_WAITS) - (row->state == JABI_OUT_WAITS);
    row->state = state;
}

void jabi_outbox_committed(jab_session *s)
{
    jabi_outbox *b = &s->outbox;
    for (size_t i = 0; i < b->n_done; i++)
        jabi_free(s->mem, b->done[i].row.text);
    b->n_done = 0;
    for (size_t i = 0; b->marked && i < b->n; i++)
        jabi_outbox_at(s, i)->is_marked |= jabi_outbox_at(s, i)->state == JABI_OUT_LEFT;
    b->marked = b->redo = 0;
}

void jabi_outbox_fini(jab_session *s)
{
    jabi_outbox *b = &s->outbox;
    jabi_outbox_committed(s);
    for (size_t i = 0; i < b->n; i++)
        jabi_free(s->mem, jabi_outbox_at(s, i)->text);
    jabi_free(s->mem, b->rows);
    jabi_free(s->mem, b->done);
    jabi_buf_fini(&b->scratch);
    *b = (jabi_outbox){0};
}

/* In place of a jab_sent_state: somebody else says what became of it. */
#define TAKEN_OUT (-1)

/* -- Settling ------------------------------------------------------------------------ */

static int make_room_for_done(jab_session *s)
{
    jabi_outbox *b = &s->outbox;
    if (b->n_done < b->cap_done)
        return 0;
    size_t cap = b->cap_done ? b->cap_done * 2 : 8;
    jabi_outbox_done *done = jabi_realloc_array(s->mem, b->done, cap, sizeof *done);
    if (!done)
        return JAB_ENOMEM;
    b->done = done;
    b->cap_done = cap;
    return 0;
}

static jab_sent sent_of(const jabi_outbox_row *row, jab_sent_state state)
{
    return (jab_sent){.id = jabi_outbox_id(row), .state = state, .to = jabi_outbox_to(row)};
}

/* The row goes into the list of those that are done: if the transaction is
 * lost that takes it out of the store, a later one does so. */
static int finish(jab_session *s, jabi_outbox_row *row, jab_sent_state state)
{
    jabi_outbox *b = &s->outbox;
    uint64_t seq = row->seq;
    b->done[b->n_done++] = (jabi_outbox_done){detach(s, row), state};
    return jabi_outbox_erase(s, seq);
}

int jabi_outbox_settle(jab_session *s, uint64_t seq, jab_sent_state state)
{
    jabi_outbox_row *row = jabi_outbox_find(s, seq);
    if (!row)
        return 0;
    int err = make_room_for_done(s);
    if (err < 0)
        return err;
    jab_sent sent = sent_of(row, state);
    err = jabi_sent_emit(s, row->tag, &sent);
    return err < 0 ? err : finish(s, row, state);
}

int jabi_outbox_take_out(jab_session *s, uint64_t seq)
{
    jabi_outbox_row *row = jabi_outbox_find(s, seq);
    if (!row)
        return 0;
    int err = make_room_for_done(s);
    return err < 0 ? err : finish(s, row, TAKEN_OUT);
}

/* What said that it came back may be lost with the stream. */
static int put_back(jab_session *s, const jabi_outbox_row *row)
{
    if (make_room(s) < 0)
        return JAB_ENOMEM;
    size_t i = place_of(s, row->seq);
    jabi_outbox_row *at = jabi_outbox_at(s, i);
    memmove(at + 1, at, (s->outbox.n++ - i) * sizeof *at);
    *at = *row;
    at->state = JABI_OUT_DOUBT;
    return 0;
}

void jabi_outbox_undo(jab_session *s)
{
    jabi_outbox *b = &s->outbox;
    size_t keep = 0;
    for (size_t i = 0; i < b->n_done; i++)
        if (b->done[i].state != TAKEN_OUT || put_back(s, &b->done[i].row) < 0)
            b->done[keep++] = b->done[i];
    b->n_done = keep;
    b->marked = 0;
    b->redo = 1;
}

int jabi_outbox_failed(jab_session *s, jab_str id, uint64_t *tag)
{
    for (size_t i = 0; i < s->outbox.n; i++) {
        const jabi_outbox_row *row = jabi_outbox_at(s, i);
        if (row->state == JABI_OUT_WAITS || !jab_str_eq(jabi_outbox_id(row), id))
            continue;
        *tag = row->tag;
        int err = jabi_outbox_take_out(s, row->seq);
        return err < 0 ? err : 1;
    }
    return 0;
}

static int is_unmarked(const jabi_outbox_row *row)
{
    return row->state == JABI_OUT_LEFT && !row->is_marked;
}

int jabi_outbox_redo(jab_session *s)
{
    jabi_outbox *b = &s->outbox;
    int err = 0;
    for (size_t i = 0; err >= 0 && i < b->n_done; i++) {
        int is_taken = b->done[i].state == TAKEN_OUT;
        jab_sent sent =
            sent_of(&b->done[i].row, is_taken ? JAB_SENT_FAILED : (jab_sent_state)b->done[i].state);
        for (size_t e = 0; err >= 0 && e < s->n_exts; e++)
            if (JABI_HAS_SLOT(s->exts[e].ext, settled))
                err = s->exts[e].ext->settled(&s->exts[e], &sent);
        if (err >= 0)
            err = jabi_outbox_erase(s, b->done[i].row.seq);
    }
    for (size_t i = 0; err >= 0 && i < b->n; i++)
        if (!is_unmarked(jabi_outbox_at(s, i)))
            err = jabi_outbox_mark(s, jabi_outbox_at(s, i));
    return err;
}

int jabi_outbox_named(jab_session *s)
{
    int err = 0;
    for (size_t i = 0; err >= 0 && s->stream.sm.id.p && i < s->outbox.n; i++)
        if (jabi_outbox_at(s, i)->state == JABI_OUT_LEFT)
            err = jabi_outbox_mark(s, jabi_outbox_at(s, i));
    return err;
}

int jabi_outbox_resent(jab_session *s)
{
    int err = 0;
    for (size_t i = 0; err >= 0 && i < s->outbox.n; i++) {
        if (!is_unmarked(jabi_outbox_at(s, i)))
            continue;
        s->outbox.marked = 1;
        err = jabi_outbox_mark(s, jabi_outbox_at(s, i));
    }
    return err;
}

/* -- Streams that end ------------------------------------------------------------------ */

void jabi_outbox_doubt(jab_session *s, uint64_t seq)
{
    jabi_outbox_row *row = jabi_outbox_find(s, seq);
    if (row && row->state == JABI_OUT_LEFT)
        set_state(s, row, row->is_marked ? JABI_OUT_DOUBT : JABI_OUT_WAITS);
}

/* XEP-0198 §5: `h` settles what the server had; of the rest it had nothing
 * when the stream goes on, and may have had it when not. */
int jabi_outbox_saved(jab_session *s, uint32_t h, int has_h, int goes_on)
{
    for (size_t i = 0; i < s->outbox.n;) {
        jabi_outbox_row *row = jabi_outbox_at(s, i);
        if (row->state != JABI_OUT_SAVED) {
            i++;
            continue;
        }
        int err = 0;
        if (has_h && h - row->count < UINT32_MAX / 2) {
            err = jabi_outbox_settle(s, row->seq, JAB_SENT_DELIVERED);
        } else {
            set_state(s, row, goes_on ? JABI_OUT_WAITS : JABI_OUT_DOUBT);
            i++;
            if (goes_on)
                err = jabi_outbox_mark(s, row);
        }
        if (err < 0)
            return err;
    }
    return 0;
}

/* -- The archive's word --------------------------------------------------------------- */

static int is_own(const jab_session *s, jab_str archive)
{
    return !archive.p || jab_str_eq(archive, jab_session_jid(s)->bare);
}

static int concerns(const jab_session *s, const jabi_outbox_row *row, jab_str archive)
{
    if (is_own(s, archive))
        return !row->is_room;
    return row->is_room && jab_str_eq(jabi_outbox_to(row), archive);
}

size_t jabi_outbox_in_doubt(const jab_session *s, jab_str archive)
{
    size_t n = 0;
    for (size_t i = 0; i < s->outbox.n; i++) {
        const jabi_outbox_row *row = &s->outbox.rows[s->outbox.first + i];
        n += row->state == JABI_OUT_DOUBT && concerns(s, row, archive);
    }
    return n;
}

int jabi_outbox_is_doubted(const jab_session *s, jab_str archive, jab_str id)
{
    for (size_t i = 0; id.p && i < s->outbox.n; i++) {
        const jabi_outbox_row *row = &s->outbox.rows[s->outbox.first + i];
        if (row->state == JABI_OUT_DOUBT && jab_str_eq(jabi_outbox_id(row), id) &&
            concerns(s, row, archive))
            return 1;
    }
    return 0;
}

int jabi_outbox_found(jab_session *s, jab_str archive, jab_str origin_id)
{
    for (size_t i = 0; i < s->outbox.n; i++) {
        const jabi_outbox_row *row = jabi_outbox_at(s, i);
        if (row->state == JABI_OUT_WAITS || !jab_str_eq(jabi_outbox_id(row), origin_id) ||
            !concerns(s, row, archive))
            continue;
        int err = jabi_outbox_settle(s, row->seq, JAB_SENT_DELIVERED);
        return err < 0 ? err : 1;
    }
    return 0;
}

int jabi_outbox_absent(jab_session *s, jab_str archive)
{
    int err = 0;
    for (size_t i = 0; err >= 0 && i < s->outbox.n; i++) {
        jabi_outbox_row *row = jabi_outbox_at(s, i);
        if (row->state != JABI_OUT_DOUBT || !concerns(s, row, archive))
            continue;
        set_state(s, row, JABI_OUT_WAITS);
        err = jabi_outbox_mark(s, row);
    }
    if (err >= 0 && is_own(s, archive))
        s->outbox.held = 0;
    return err;
}

void jabi_outbox_let_go(jab_session *s)
{
    s->outbox.held = 0;
}

void jabi_outbox_hold(jab_session *s)
{
    s->outbox.held = 1;
}

int jabi_outbox_unknowable(jab_session *s, jab_str archive)
{
    for (size_t i = 0; i < s->outbox.n;) {
        const jabi_outbox_row *row = jabi_outbox_at(s, i);
        if (row->state != JABI_OUT_DOUBT || !concerns(s, row, archive)) {
            i++;
            continue;
        }
        int err = jabi_outbox_settle(s, row->seq, JAB_SENT_UNKNOWN);
        if (err < 0)
            return err;
    }
    if (is_own(s, archive))
        s->outbox.held = 0;
    return 0;
}

size_t jab_outbox_count(const jab_session *s)
{
    return s->cfg.store ? s->outbox.n : jab_sm_waiting(s);
}

int jab_outbox_withdraw(jab_session *s)
{
    return jab_outbox_withdraw_tags(s, 0, UINT64_MAX);
}

int jab_outbox_withdraw_tags(jab_session *s, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < s->outbox.n;) {
        const jabi_outbox_row *row = jabi_outbox_at(s, i);
        if (row->tag < first || row->tag > last) {
            i++;
            continue;
        }
        int err = jabi_outbox_settle(
            s, row->seq, row->state == JABI_OUT_WAITS ? JAB_SENT_FAILED : JAB_SENT_UNKNOWN);
        if (err < 0)
            return err;
    }
    return jabi_store_commit(s);
}
