/* feed.c: bytes in: through inflation and the parser to the stream, and once
 * a resource is bound, stanza by stanza to the router. */
#include "session/session.h"

#include "base/check.h"
#include "session/outbox.h"
#include "session/recent.h"
#include "session/sm.h"

/* Stanzas whose events wait may take as much as one stanza at its worst. */
#define HELD_PER_BYTE 32

/* The caller commits: one message at a time, so that a commit is of that one. */
static int waits_for_caller(const jab_session *s)
{
    return s->cfg.store && s->cfg.commit_by_caller && (s->events.n || s->owed);
}

/* Reading stops when the application has this much to pull first, or the
 * server has so many answers to take that what it asks for outruns it. What
 * the application sends does not count: two ends that both wait for the other
 * to read would wait for ever. */
static int is_full(const jab_session *s)
{
    if (waits_for_caller(s))
        return 1;
    if (s->events.n >= s->cfg.max_events ||
        (s->events.n && s->held_bytes / HELD_PER_BYTE >= s->cfg.max_stanza_bytes))
        return 1;
    size_t most = s->cfg.max_output_bytes + s->cfg.max_stanza_bytes / 2;
    return !s->eof && jabi_stream_pending(&s->stream) > most;
}

static void out_of_memory(jab_session *s)
{
    jabi_session_fail_code(s, JAB_ENOMEM, NULL, jab_strerror(JAB_ENOMEM));
}

/* The event owns its address, as the session's changes with the next stream. */
static int emit_online(jab_session *s, int resumed)
{
    jab_event *ev =
        jabi_event_push(s, resumed ? JAB_EV_RESUMED : JAB_EV_ONLINE, 0, sizeof(jab_jid));
    if (!ev)
        return JAB_ENOMEM;
    jab_jid *jid = (jab_jid *)ev->data;
    ev->jid = jid;
    ev->data = NULL;
    *jid = jab_jid_view(jabi_arena_str(&s->emitted->arena, s->self->full));
    return jid->full.p ? 0 : JAB_ENOMEM;
}

/* RFC 6120 §7: the resource is bound, stanzas may flow. */
static void go_online(jab_session *s)
{
    s->self = &s->stream.bound;
    s->self_bare = jab_jid_view(s->stream.bound.bare);
    s->login_deadline = JAB_NEVER;
    /* A stream of an earlier process goes on, but nothing else is left of it. */
    int resumed = s->stream.sm.resumed, goes_on = resumed && !s->restored && !s->unready;
    if (!resumed && s->kept)
        jabi_session_forget(s);
    else if (!resumed && s->restored)
        jabi_sm_lost(s);
    else if (s->unready)
        jabi_session_reset(s);
    /* What the answers taken back made callers ask is not for this stream. */
    s->online = 1;
    s->kept = 0;
    s->unready = 1;
    s->outbox.held |= !goes_on;
    int err = emit_online(s, goes_on);
    if (err == 0)
        err = resumed ? jabi_sm_resume(s) : jabi_sm_begin(s);
    s->restored &= err < 0;
    if (err < 0)
        jabi_session_fail_with(s, err);
    else
        jabi_exts_online(s, goes_on);
    jabi_session_settle(s);
    /* XEP-0386 §3.2: a stream that was enabled with the resource can be resumed already. */
    s->unready = !s->online && (resumed || s->stream.sm.active);
}

/* A stanza that could not be dealt with has not come: it is not acknowledged,
 * and when it comes again, nothing of it has been told. */
static void undo_stanza(jab_session *s, uint32_t count)
{
    jabi_events_drop_of(s, s->filling);
    s->stream.sm.in = count;
    jabi_recent_undo(s);
}

static void on_stanza(jab_session *s, const jab_xml *root)
{
    int err;
    jabi_store_before_stanza(s);
    const uint32_t count = s->stream.sm.in;
    jabi_sm_count_in(s);
    jab_stanza *st = jabi_stanza_new(s, &s->filling->arena, root, &err);
    if (st) {
        s->current = s->filling;
        s->routed = st;
        err = jabi_route_stanza(s, st);
        s->current = NULL;
        s->routed = NULL;
    }
    if (jabi_is_fatal(err) || s->starved)
        undo_stanza(s, count);
    if (jabi_is_fatal(err))
        jabi_session_fail_with(s, err);
    jabi_session_settle(s);
}

static void on_element(jab_session *s, const jab_xml *root)
{
    int result = jabi_stream_on_element(&s->stream, root);
    if (result == 2)
        result = jabi_sm_on_element(s, root);
    if ((result == JAB_ENOMEM || result == JAB_ESTORE) && !s->stream.fault.code)
        jabi_session_fail_with(s, result);
    else if (result < 0)
        jabi_session_end(s);
    else if (result == 1)
        on_stanza(s, root);
    else if (s->stream.phase == JABI_PHASE_READY && !s->online && !s->closing)
        go_online(s);
}

static void on_close(jab_session *s)
{
    if (!s->closing)
        (void)jabi_stream_fault(&s->stream, JAB_EEOF, jabi_stream_stage(&s->stream), NULL,
                                "the server closed the stream");
    jabi_stream_close(&s->stream);
    jabi_session_end(s);
}

static void on_bad_xml(jab_session *s, int err)
{
    if (err == JAB_ENOMEM) {
        out_of_memory(s);
        return;
    }
    const char *condition = jabi_xml_parser_condition(s->stream.parser);
    jabi_session_fail_code(s, err, condition,
                           err == JAB_ETOOBIG ? "the server sent a stanza larger than the limit"
                                              : "the server sent malformed XML");
}

/* Takes one item from *p. Returns 0 when more input is needed. */
static int take_item(jab_session *s, const char **p, size_t *n)
{
    if (!s->filling && !(s->filling = jabi_holder_get(s))) {
        out_of_memory(s);
        return 0;
    }
    const jab_xml *root = NULL;
    int item = jabi_xml_parser_next(s->stream.parser, p, n, &s->filling->arena, &root);
    if (item == JABI_XML_MORE)
        return 0;
    s->stanza_deadline = JAB_NEVER;
    if (item < 0)
        on_bad_xml(s, item);
    else if (item == JABI_XML_CLOSE)
        on_close(s);
    else if (item == JABI_XML_ELEMENT)
        on_element(s, root);
    else if (jabi_stream_on_open(&s->stream, root) < 0)
        jabi_session_end(s);
    if (s->filling->refs > 1) {
        s->filling->held = s->filling->arena.used;
        s->held_bytes += s->filling->held;
    }
    jabi_holder_unref(s, s->filling);
    s->filling = NULL;
    return 1;
}

int jab_ext_has_room(jab_ext_ctx *x)
{
    return !is_full(x->session);
}

int jabi_feed_has_room(const jab_session *s)
{
    return !s->closed && !is_full(s) && s->stream.phase != JABI_PHASE_TLS &&
           s->stream.phase != JABI_PHASE_WORK;
}

/* Takes items from plain XML; moves *p and *n. What follows <compressed/> is
 * no longer plain. */
static void take_items(jab_session *s, const char **p, size_t *n)
{
    unsigned compressed = s->stream.state & JABI_COMPRESSED;
    while (*n && jabi_feed_has_room(s) && take_item(s, p, n))
        if ((s->stream.state & JABI_COMPRESSED) != compressed)
            return;
}

/* Takes compressed bytes, beginning with what an earlier call left inflated. */
static void take_compressed(jab_session *s, const char **p, size_t *n)
{
    while (jabi_feed_has_room(s)) {
        if (s->inflated_left.n) {
            take_items(s, &s->inflated_left.p, &s->inflated_left.n);
            if (s->inflated_left.n)
                return;
            continue;
        }
        int err;
        jab_str chunk = jabi_stream_inflate(&s->stream, p, n, &err);
        if (err < 0) {
            jabi_session_end(s);
            return;
        }
        if (chunk.n == 0)
            return;
        s->inflated_left = chunk;
    }
}

int jabi_feed_is_left(const jab_session *s)
{
    return s->inflated_left.n || s->stream.inflate_pending;
}

int jabi_feed_waits(const jab_session *s)
{
    return jabi_feed_is_left(s) && jabi_feed_has_room(s);
}

/* Takes what there is room for; returns how much of `n` is left. */
static size_t take_all(jab_session *s, const char *p, size_t left)
{
    int progress = 1;
    while (progress && jabi_feed_has_room(s) && (left || jabi_feed_waits(s))) {
        size_t before = left + s->inflated_left.n;
        int compressed = (s->stream.state & JABI_COMPRESSED) != 0;
        if (compressed)
            take_compressed(s, &p, &left);
        else
            take_items(s, &p, &left);
        progress = left + s->inflated_left.n != before || s->stream.inflate_pending;
    }
    return left;
}

void jabi_feed_watch(jab_session *s)
{
    if (s->closed || !jabi_xml_parser_inside(s->stream.parser) || !jabi_feed_has_room(s))
        s->stanza_deadline = JAB_NEVER;
    else if (s->stanza_deadline == JAB_NEVER && s->cfg.stanza_timeout != JAB_NEVER)
        s->stanza_deadline = s->now + s->cfg.stanza_timeout;
}

void jabi_feed_more(jab_session *s)
{
    take_all(s, "", 0);
    jabi_feed_watch(s);
}

ptrdiff_t jab_session_feed(jab_session *s, const void *bytes, size_t n, int64_t now)
{
    s->now = now;
    if (!s->started || s->closed)
        return JAB_ESTATE;
    size_t given = n > PTRDIFF_MAX ? PTRDIFF_MAX : n;
    size_t left = take_all(s, bytes, given);
    jabi_feed_watch(s);
    return s->closed && s->fault.code < 0 ? s->fault.code : (ptrdiff_t)(given - left);
}
