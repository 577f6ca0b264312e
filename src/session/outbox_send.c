/*
 * outbox_send.c: how a message gets into the outbox, and from there onto the
 * stream. What says that it left is committed before a byte of it leaves.
 */

#include "base/mem.h"
#include "session/outbox.h"
#include "session/sm.h"

/* As much is written ahead of the socket as keeps it busy. */
#define PUMP_BYTES 65536

int jabi_outbox_takes(const jab_out *o)
{
    return o->session->cfg.store && o->kind == JAB_MESSAGE && !o->ext;
}

/* -- Leaving -------------------------------------------------------------------------- */

static jabi_sent_stanza stanza_of(const jabi_outbox_row *row, jab_str xml)
{
    return (jabi_sent_stanza){.xml = xml,
                              .id = jabi_outbox_id(row),
                              .to = jabi_outbox_to(row),
                              .tag = row->tag,
                              .seq = row->seq,
                              .is_ours = 1};
}

/* Room on the stream and in the queue of what is not acknowledged. */
static int reserve(jab_session *s, const jabi_sent_stanza *st)
{
    jabi_buf *out = &s->stream.out;
    if (jabi_stream_pending(&s->stream) + st->xml.n > s->cfg.max_output_bytes)
        return JAB_EAGAIN;
    if (!jabi_buf_room(out, st->xml.n)) {
        int err = out->error;
        out->error = 0; /* the stream is whole: only this stanza found no room */
        return err;
    }
    return jabi_sm_reserve(s, st);
}

static void depart(jab_session *s, const jabi_sent_stanza *st)
{
    jabi_buf_add_str(&s->stream.out, st->xml);
    jabi_sm_add(s, st);
    if (s->cfg.wire)
        s->cfg.wire(s->cfg.wire_arg, 1, st->xml);
}

static void set_left(jab_session *s, jabi_outbox_row *row)
{
    s->outbox.waiting -= row->state == JABI_OUT_WAITS;
    row->state = JABI_OUT_LEFT;
    row->count = s->stream.sm.out + 1;
    row->is_marked = 0;
}

/* A room's messages stay in order, one behind another in doubt. */
static int is_behind_doubt(jab_session *s, size_t i)
{
    const jabi_outbox_row *row = jabi_outbox_at(s, i);
    for (size_t k = 0; k < i; k++) {
        const jabi_outbox_row *other = jabi_outbox_at(s, k);
        if (other->state == JABI_OUT_DOUBT && other->is_room &&
            jab_str_eq(jabi_outbox_to(other), jabi_outbox_to(row)))
            return 1;
    }
    return 0;
}

static int may_leave(jab_session *s, size_t i)
{
    const jabi_outbox_row *row = jabi_outbox_at(s, i);
    if (row->state != JABI_OUT_WAITS)
        return 0;
    if (!row->is_room)
        return !s->outbox.held;
    /* A room refuses what comes from somebody who is not in it (XEP-0045 §7.4). */
    return jabi_room_is_joined(s, jabi_outbox_to(row)) && !is_behind_doubt(s, i);
}

/* Returns 1 when it was sent, 0 when there is no room now. */
static int send_row(jab_session *s, jabi_outbox_row *row)
{
    jabi_buf *scratch = &s->outbox.scratch;
    int err = jabi_outbox_xml(s, row->seq, scratch);
    if (err == 0 || (err > 0 && jabi_stream_refuses(&s->stream, scratch->n)))
        return jabi_outbox_settle(s, row->seq, JAB_SENT_FAILED);
    if (err < 0)
        return err;
    jabi_sent_stanza st = stanza_of(row, jabi_buf_str(scratch));
    err = reserve(s, &st);
    if (err < 0)
        return err == JAB_EAGAIN ? 0 : err;
    set_left(s, row);
    s->outbox.marked = 1;
    err = jabi_outbox_mark(s, row);
    depart(s, &st); /* whatever happened to the mark: it is not out yet, and the commit will tell */
    return err < 0 ? err : 1;
}

int jabi_outbox_pump(jab_session *s)
{
    if (!s->cfg.store || !s->online || s->closing)
        return 0;
    for (size_t i = 0; i < s->outbox.n && s->outbox.waiting; i++) {
        if (jabi_stream_pending(&s->stream) > PUMP_BYTES)
            break;
        if (!may_leave(s, i))
            continue;
        int sent = send_row(s, jabi_outbox_at(s, i));
        if (sent <= 0)
            return sent;
    }
    return 0;
}

/* -- Accepting ------------------------------------------------------------------------- */

/* Shows the stanza to the extensions as it will leave. */
static int show(jab_session *s, const jab_out *o)
{
    jabi_arena arena;
    const jab_xml *el = NULL;
    jabi_arena_init(&arena, s->mem, s->cfg.max_stanza_bytes * 16 + 65536);
    int err = jabi_xml_parse(s->mem, &arena, jabi_buf_str(&o->buf), JABI_NS_CLIENT, &el);
    jab_stanza *st = err < 0 ? NULL : jabi_stanza_new(s, &arena, el, &err);
    for (size_t i = 0; st && err >= 0 && i < s->n_exts; i++)
        if (JABI_HAS_SLOT(s->exts[i].ext, accepted))
            err = s->exts[i].ext->accepted(&s->exts[i], st);
    jabi_arena_fini(&arena);
    return err;
}

/* The row, and all that belongs to it, in one transaction. */
static int write_all(jab_session *s, const jab_out *o, const jabi_outbox_row *row)
{
    int err = jabi_outbox_write(s, row, jabi_buf_str(&o->buf));
    if (err >= 0 && row->state == JABI_OUT_LEFT)
        err = jabi_outbox_mark(s, row);
    if (err >= 0)
        err = show(s, o);
    return err < 0 ? err : s->cfg.store->table->commit(s->cfg.store);
}

static void drop_last(jab_session *s)
{
    jabi_outbox *b = &s->outbox;
    jabi_outbox_row *row = jabi_outbox_at(s, --b->n);
    b->waiting -= row->state == JABI_OUT_WAITS;
    jabi_free(s->mem, row->text);
}

/* Whether it may leave at once: then one transaction says all of it. */
static int leaves_now(jab_session *s, const jab_out *o, jabi_outbox_row *row)
{
    if (!s->online || s->closing || s->outbox.waiting > 1 || !may_leave(s, s->outbox.n - 1))
        return 0;
    jabi_sent_stanza st = stanza_of(row, jabi_buf_str(&o->buf));
    return reserve(s, &st) >= 0;
}

int jabi_outbox_accept(jab_out *o, uint64_t tag)
{
    jab_session *s = o->session;
    if (o->buf.n > s->cfg.max_output_bytes ||
        (s->online && jabi_stream_refuses(&s->stream, o->buf.n)))
        return JAB_ELIMIT; /* it would never leave, nor what is behind it */
    /* What the caller has pulled is the caller's to commit, and this has a commit of its own. */
    if (s->outbox.n >= s->cfg.max_outbox || jabi_store_waits(s))
        return JAB_EAGAIN;
    int err = jabi_store_commit(s); /* what came before does not fail with this */
    if (err < 0)
        return err;
    const jabi_outbox_row fresh = {.seq = s->outbox.last_seq + 1,
                                   .tag = tag,
                                   .state = JABI_OUT_WAITS,
                                   .is_room = o->type == JAB_MSG_GROUPCHAT};
    jab_str to = fresh.is_room ? o->to.bare : o->to.full;
    jabi_outbox_row *row = jabi_outbox_add_row(s, &fresh, o->id, to);
    if (!row)
        return JAB_ENOMEM;
    int now = leaves_now(s, o, row);
    if (now)
        set_left(s, row);
    err = write_all(s, o, row);
    if (err < 0) {
        s->cfg.store->table->rollback(s->cfg.store);
        drop_last(s);
        return err;
    }
    if (now) {
        jabi_sent_stanza st = stanza_of(row, jabi_buf_str(&o->buf));
        row->is_marked = 1;
        depart(s, &st);
    }
    return 0;
}
