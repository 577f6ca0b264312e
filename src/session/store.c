/*
 * store.c: when what is to be kept is committed: before anything that depends
 * on it leaves, or is shown. A failure undoes all since the last time, and
 * ends the stream: the server still has what was not acknowledged.
 */

#include "session/outbox.h"
#include "session/recent.h"
#include "session/sm.h"

#include <stdio.h>

jab_store *jab_ext_store(jab_ext_ctx *x)
{
    return x->session->cfg.store;
}

const char *jabi_store_words(const jab_session *s, int err, char *room, size_t size)
{
    jab_str words = {NULL, 0};
    if (err == JAB_ESTORE && s->cfg.store)
        words = s->cfg.store->table->error(s->cfg.store);
    if (words.n == 0)
        return jab_strerror(err);
    snprintf(room, size, JAB_FMT, JAB_ARG(words));
    return room;
}

/* What came since the last commit counts as not having come: its effects are
 * gone, and the server will send it again. */
static void forget_unsaved(jab_session *s)
{
    s->cfg.store->table->rollback(s->cfg.store);
    s->losses++;
    jabi_outbox_undo(s);
    jabi_events_drop_unsaved(s);
    s->stream.sm.in = s->sm_safe;
    if (s->stream.sm.handled - s->sm_safe < UINT32_MAX / 2)
        s->stream.sm.handled = s->sm_safe;
    s->saved_in = UINT32_MAX; /* the next save writes it */
    jabi_recent_undo(s);
    s->held_ends = 0;
    s->unsaved = s->owed = s->pulled = 0;
}

void jabi_store_abandon(jab_session *s)
{
    if (s->cfg.store && s->cfg.store->dirty)
        forget_unsaved(s);
    if (s->cfg.store)
        jabi_outbox_undo(s); /* what failed to be written is written later */
}

static int failed(jab_session *s, int err)
{
    char room[512];
    const char *words = jabi_store_words(s, err, room, sizeof room);
    forget_unsaved(s);
    jabi_session_fail_code(s, err, NULL, words);
    jabi_stream_discard(&s->stream);
    return err;
}

int jabi_store_commit(jab_session *s)
{
    jab_store *st = s->cfg.store;
    if (!st)
        return 0;
    int err = 0;
    if (st->dirty || s->outbox.redo || jabi_sm_is_news(s)) {
        err = s->outbox.redo ? jabi_outbox_redo(s) : 0;
        if (err >= 0)
            err = jabi_sm_save(s);
        if (err >= 0 && st->dirty)
            err = st->table->commit(st);
        if (err < 0)
            return failed(s, err);
        jabi_outbox_committed(s);
        if (s->saved && s->saved_in != UINT32_MAX) {
            s->is_durable = 1;
            s->durable_in = s->saved_in;
        }
    }
    jabi_sm_committed(s);
    jabi_recent_committed(s);
    s->sm_safe = s->stream.sm.in;
    s->unsaved = s->owed = s->pulled = 0;
    return 0;
}

int jabi_store_waits(const jab_session *s)
{
    return s->cfg.store && s->cfg.commit_by_caller && s->owed;
}

int jabi_store_settle(jab_session *s)
{
    return jabi_store_waits(s) ? 0 : jabi_store_commit(s);
}

/* What is lost with a transaction begins with the stanza that began it. */
void jabi_store_before_stanza(jab_session *s)
{
    if (!s->cfg.store || s->cfg.store->dirty || jabi_store_waits(s))
        return;
    s->sm_safe = s->stream.sm.in;
    s->unsaved = 0;
}

/* A message that nobody has seen yet is not committed by itself. */
int jab_session_commit(jab_session *s)
{
    return jabi_store_waits(s) && !s->pulled ? 0 : jabi_store_commit(s);
}
