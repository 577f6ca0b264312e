/* session.c: the life of a session: making it, a stream's begin and end, time. */
#include "session/session.h"

#include "base/mem.h"
#include "session/outbox.h"
#include "session/recent.h"
#include "session/sm.h"

#include <stdio.h>

#define CLOSE_TIMEOUT 2000 /* ms to wait for the server's </stream:stream> */

static int64_t after(int64_t now, int64_t timeout)
{
    return timeout == JAB_NEVER ? JAB_NEVER : now + timeout;
}

static int set_up(jab_session *s, const jab_config *cfg)
{
    int err = jabi_config_copy(&s->cfg, cfg, s->mem);
    if (err < 0)
        return err;
    err = jab_jid_parse(&s->account, s->cfg.jid, &s->account_buf);
    if (err < 0)
        return err;
    jabi_buf_init(&s->sent.bytes, s->mem, s->cfg.max_output_bytes + s->cfg.max_stanza_bytes);
    s->requests = jabi_realloc_array(s->mem, NULL, s->cfg.max_requests, sizeof *s->requests);
    if (!s->requests)
        return JAB_ENOMEM;
    err = jabi_stream_init(&s->stream, &s->cfg, &s->account);
    s->stream.inline_fn = jabi_exts_inline;
    s->stream.inline_arg = s;
    if (err >= 0)
        err = jabi_exts_start(s);
    if (err >= 0)
        err = jabi_sm_restore(s);
    if (err >= 0)
        err = jabi_offline_restore(s);
    return err < 0 ? err : jabi_outbox_load(s);
}

int jab_session_new(jab_session **out, const jab_config *cfg)
{
    *out = NULL;
    if (!cfg || !cfg->jid.p)
        return JAB_EINVAL;
    const jab_mem *mem =
        cfg->size > offsetof(jab_config, mem) && cfg->mem ? cfg->mem : jabi_mem_default();
    jab_session *s = jabi_alloc0(mem, sizeof *s);
    if (!s)
        return JAB_ENOMEM;
    s->mem = mem;
    s->login_deadline = s->close_deadline = s->stanza_deadline = JAB_NEVER;
    s->asked_at = JAB_NEVER;
    int err = set_up(s, cfg);
    if (err < 0) {
        jab_session_free(s);
        return err;
    }
    *out = s;
    return 0;
}

/* What the caller has not committed comes again; a stream that ended well is
 * not taken up by the next process. */
static void leave_store(jab_session *s)
{
    if (!s->cfg.store || !s->requests)
        return;
    if (jabi_store_waits(s)) {
        s->cfg.store->table->rollback(s->cfg.store);
        s->stream.sm.in = s->sm_safe;
    }
    (void)jabi_store_commit(s);
    if (s->cfg.store->dirty)
        s->cfg.store->table->rollback(s->cfg.store);
    s->cfg.store = NULL; /* what is freed from here on is not forgotten there */
}

void jab_session_free(jab_session *s)
{
    if (!s)
        return;
    const jab_mem *mem = s->mem;
    leave_store(s); /* which may end the stream, and with it what is open */
    for (size_t i = 0; i < s->n_requests; i++) {
        jabi_free(mem, (char *)s->requests[i].id.p);
        jabi_free(mem, (char *)s->requests[i].to.p);
    }
    jabi_exts_stop(s);
    jabi_outbox_fini(s);
    jabi_sm_fini(s);
    jabi_recent_fini(s);
    if (s->stream.mem)
        jabi_stream_fini(&s->stream);
    jabi_holder_unref(s, s->filling);
    jabi_events_fini(s);
    jabi_holders_fini(s);
    jabi_outs_fini(s);
    jabi_free(mem, s->requests);
    jabi_config_fini(&s->cfg, mem);
    jabi_wipe(s, sizeof *s);
    jabi_free(mem, s);
}

/* What an earlier stream left is put in order. */
static void begin_anew(jab_session *s, int64_t now)
{
    s->now = now;
    s->started = 1;
    if (s->given_up)
        jabi_sm_lost(s);
    s->given_up = 0;
    (void)jabi_store_settle(s);
    if (s->cfg.store && s->cfg.store->dirty)
        s->stream.sm.in = s->sm_safe; /* the rest will be sent again, and is known then */
    if (s->stream.sm.in - jabi_sm_kept(s) < UINT32_MAX / 2)
        s->stream.sm.in = s->sm_safe = jabi_sm_kept(s); /* the server keeps what is held back */
    jabi_sm_claim(s);
    s->online = s->closing = s->closed = s->starved = 0;
    s->eof = JABI_EOF_NONE;
    s->self = NULL;
    s->fault = (jab_fault){0};
    s->inflated_left = (jab_str){NULL, 0};
    jabi_holder_unref(s, s->filling);
    s->filling = NULL;
    s->login_deadline = after(now, s->cfg.login_timeout);
    s->close_deadline = s->stanza_deadline = JAB_NEVER;
    s->last_out = now;
}

static int fail_if(jab_session *s, int err)
{
    if (err < 0)
        jabi_session_fail_code(s, err, NULL, jab_strerror(err));
    return err;
}

int jab_session_connected(jab_session *s, const jab_tls_info *tls, int64_t now)
{
    if (s->started && !s->closed)
        return JAB_ESTATE;
    begin_anew(s, now);
    return fail_if(s, jabi_stream_start(&s->stream, tls));
}

int jab_session_early(jab_session *s, const jab_tls_info *tls, int64_t now)
{
    int is_open = s->started && !s->closed;
    if (!tls || (is_open && !jab_session_wants_tls(s)))
        return JAB_ESTATE;
    if (!(s->cfg.login & JAB_LOGIN_EARLY_DATA))
        return 0;
    if (!is_open)
        begin_anew(s, now);
    int begun = fail_if(s, jabi_stream_early(&s->stream, tls));
    if (begun == 0 && !is_open)
        s->closed = 1; /* until jab_session_connected() */
    return begun;
}

int jab_session_early_done(jab_session *s, const jab_tls_info *tls, int64_t now)
{
    if (!s->started || s->closed || !tls || !s->stream.is_early)
        return JAB_ESTATE;
    s->now = now;
    return fail_if(s, jabi_stream_early_done(&s->stream, tls));
}

int jab_session_wants_tls(const jab_session *s)
{
    return s->started && !s->closed && s->stream.phase == JABI_PHASE_TLS;
}

int jab_session_secured(jab_session *s, const jab_tls_info *tls, int64_t now)
{
    if (!jab_session_wants_tls(s) || !tls)
        return JAB_ESTATE;
    s->now = now;
    int err = jabi_stream_secured(&s->stream, tls);
    if (err < 0)
        jabi_session_fail_code(s, err, NULL, jab_strerror(err));
    return err;
}

/* -- The end of a stream ---------------------------------------------------- */

static void keep_fault(jab_session *s, const jab_fault *f)
{
    snprintf(s->fault_text, sizeof s->fault_text, JAB_FMT, JAB_ARG(f->text));
    snprintf(s->fault_condition, sizeof s->fault_condition, JAB_FMT, JAB_ARG(f->condition));
    s->fault = *f;
    s->fault.text = jab_cstr(s->fault_text);
    s->fault.condition = f->condition.p ? jab_cstr(s->fault_condition) : (jab_str){NULL, 0};
}

/* The event owns its words, as the session's change with the next stream. */
static void emit_offline(jab_session *s)
{
    jab_event *ev = jabi_event_push(s, JAB_EV_OFFLINE, 0, sizeof(jab_fault));
    if (!ev) {
        s->offline_unsaid = 1; /* jab_session_next() says it without memory */
        return;
    }
    jab_fault *f = (jab_fault *)ev->data;
    *f = s->fault;
    f->text = jabi_arena_str(&s->emitted->arena, s->fault.text);
    f->condition = jabi_arena_str(&s->emitted->arena, s->fault.condition);
    if (!f->text.p)
        f->text = JAB_STR("");
    ev->fault = f;
}

void jabi_session_reset(jab_session *s)
{
    jabi_requests_fail(s, JAB_EOFFLINE);
    jabi_exts_offline(s);
}

void jabi_session_forget(jab_session *s)
{
    jabi_session_reset(s);
    jabi_sm_lost(s);
}

/* With a store, a later process may still take the stream up. */
void jab_session_give_up(jab_session *s)
{
    if (s->kept && s->closed && s->cfg.store) {
        jabi_session_reset(s);
        s->given_up = 1;
    } else if (s->kept && s->closed) {
        jabi_session_forget(s);
    }
    s->kept = 0;
}

void jabi_session_end(jab_session *s)
{
    if (s->closed)
        return;
    jab_fault graceful = {.stage = JAB_AT_SESSION, .text = JAB_STR("closed")};
    keep_fault(s, s->stream.fault.code ? &s->stream.fault : &graceful);
    s->closed = 1;
    s->online = 0;
    s->stream.phase = JABI_PHASE_OFF;
    jabi_memory_rest(&s->stream.memory);
    s->login_deadline = s->close_deadline = s->stanza_deadline = JAB_NEVER;
    /* Whatever is emitted now belongs to no stanza. */
    jabi_holder *current = s->current;
    jab_stanza *routed = s->routed;
    s->current = NULL;
    s->routed = NULL;
    s->kept = jabi_sm_may_resume(s);
    if (!s->kept)
        jabi_session_forget(s);
    emit_offline(s);
    s->current = current;
    s->routed = routed;
}

void jabi_session_fail_code(jab_session *s, int code, const char *condition, const char *words)
{
    if (s->closed)
        return;
    jabi_stream_write_error(&s->stream, condition ? condition : "undefined-condition");
    (void)jabi_stream_fault(&s->stream, code, jabi_stream_stage(&s->stream), condition, "%s",
                            words);
    jabi_session_end(s);
}

void jabi_session_settle(jab_session *s)
{
    if (s->starved) {
        jabi_store_abandon(s);
        jabi_session_fail_code(s, JAB_ENOMEM, NULL, jab_strerror(JAB_ENOMEM));
    }
    s->starved = 0;
}

void jabi_session_fail_with(jab_session *s, int err)
{
    char room[512];
    const char *words = jabi_store_words(s, err, room, sizeof room);
    jabi_store_abandon(s);
    jabi_session_fail_code(s, err, NULL, words);
    if (s->cfg.store)
        jabi_stream_discard(&s->stream);
}

void jab_session_fail(jab_session *s, const jab_fault *fault, int64_t now)
{
    s->now = now;
    if (!s->started || s->closed) {
        s->started = 1;
        s->closed = 0;
        s->stream.fault = (jab_fault){0};
    }
    char condition[64];
    snprintf(condition, sizeof condition, JAB_FMT, JAB_ARG(fault->condition));
    (void)jabi_stream_fault(&s->stream, fault->code, fault->stage,
                            fault->condition.p ? condition : NULL, JAB_FMT, JAB_ARG(fault->text));
    jabi_session_end(s);
}

static void end_of_input(jab_session *s)
{
    if (!s->closing)
        (void)jabi_stream_fault(&s->stream, JAB_EEOF, jabi_stream_stage(&s->stream), NULL,
                                s->eof == JABI_EOF_CLEAN ? "the server closed the connection"
                                                         : "the connection was cut");
    jabi_session_end(s);
}

/* What came before the end and was taken, but found no room, is not lost. */
void jab_session_eof(jab_session *s, int clean, int64_t now)
{
    s->now = now;
    if (!s->started || s->closed)
        return;
    s->eof = clean ? JABI_EOF_CLEAN : JABI_EOF_CUT;
    if (!jabi_feed_is_left(s))
        end_of_input(s);
}

void jab_session_close(jab_session *s, int64_t now)
{
    if (!s->started || s->closed || s->closing)
        return;
    s->now = now;
    jabi_sm_before_close(s);
    s->closing = 1;
    jabi_stream_close(&s->stream);
    s->close_deadline = now + CLOSE_TIMEOUT;
    /* Before the log-in there is nothing to wait for. */
    if (!s->online)
        jabi_session_end(s);
}

/* -- Time ------------------------------------------------------------------- */

static void timed_out(jab_session *s, const char *words)
{
    jabi_session_fail_code(s, JAB_ETIMEOUT, "connection-timeout", words);
}

/* XEP-0478 §3.1: well before the server takes the stream for idle. */
static int64_t keepalive_of(const jab_session *s)
{
    int64_t half = (int64_t)s->stream.idle_seconds * 500;
    return half && half < s->cfg.keepalive ? half : s->cfg.keepalive;
}

static int64_t keepalive_at(const jab_session *s)
{
    return s->online && !s->closing ? after(s->last_out, keepalive_of(s)) : JAB_NEVER;
}

/* RFC 6120 §4.6.1: a space keeps the way open; with stream management a question does,
 * which also tells whether anybody is there (XEP-0198 §4). */
static void keep_alive(jab_session *s)
{
    if (keepalive_at(s) > s->now)
        return;
    s->last_out = s->now;
    if (!s->stream.sm.active || jabi_sm_ask(&s->stream) < 0)
        jabi_buf_add_char(&s->stream.out, ' ');
    else if (s->asked_at == JAB_NEVER)
        s->asked_at = s->now;
}

static void do_work(jab_session *s)
{
    if (s->stream.phase == JABI_PHASE_WORK && jabi_stream_work(&s->stream) < 0)
        jabi_session_end(s);
}

void jab_session_tick(jab_session *s, int64_t now)
{
    s->now = now;
    if (!s->started || s->closed)
        return;
    if (s->close_deadline <= now) {
        jabi_session_end(s);
        return;
    }
    jabi_feed_watch(s);
    if (s->login_deadline <= now)
        timed_out(s, "the server did not finish the log-in in time");
    if (s->stanza_deadline <= now)
        timed_out(s, "the server took too long within one stanza");
    jabi_sm_tick(s);
    if (jabi_sm_deadline(s) <= now)
        timed_out(s, "the server has not acknowledged what was sent: the connection is dead");
    if (s->closed)
        return;
    do_work(s);
    if (jabi_feed_waits(s))
        jabi_feed_more(s);
    if (s->eof && !jabi_feed_is_left(s) && !s->closed)
        end_of_input(s);
    if (s->online) { /* what an earlier stream left waits until this one takes it up */
        jabi_requests_expire(s);
        jabi_exts_tick(s);
    }
    jabi_session_settle(s);
    jabi_feed_watch(s);
    if (!s->closed)
        keep_alive(s);
}

int64_t jab_session_deadline(const jab_session *s)
{
    if (!s->started || s->closed)
        return JAB_NEVER;
    if (s->stream.phase == JABI_PHASE_WORK || jabi_feed_waits(s))
        return s->now;
    const int64_t candidates[] = {jabi_sm_deadline(s),
                                  s->login_deadline,
                                  s->close_deadline,
                                  s->stanza_deadline,
                                  keepalive_at(s),
                                  s->online ? jabi_requests_deadline(s) : JAB_NEVER,
                                  s->online ? jabi_exts_deadline(s) : JAB_NEVER};
    int64_t earliest = JAB_NEVER;
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++)
        if (candidates[i] < earliest)
            earliest = candidates[i];
    return earliest;
}

/* -- Bytes out and facts ------------------------------------------------------ */

/* What says that a message left is committed before it leaves. */
static void before_out(jab_session *s)
{
    int waits = jabi_store_waits(s), err = waits ? 0 : jabi_outbox_pump(s);
    if (err < 0) {
        jabi_session_fail_with(s, err);
        jabi_stream_discard(&s->stream); /* what left in it is not marked any more */
        return;
    }
    int must = !waits && (s->outbox.marked || s->outbox.redo);
    if ((must ? jabi_store_commit(s) : jabi_store_settle(s)) < 0)
        return;
    jabi_sm_before_out(s);
    err = jabi_sm_ask_behind(s);
    if (err < 0)
        jabi_session_fail_with(s, err);
}

jab_str jab_session_out(jab_session *s)
{
    if (s->started && !s->closed)
        before_out(s);
    jab_str out = s->started ? jabi_stream_out(&s->stream) : (jab_str){"", 0};
    if (!s->closed && (s->stream.out.error || s->stream.wire.error))
        jabi_session_fail_code(s, JAB_ENOMEM, NULL, jab_strerror(JAB_ENOMEM));
    return out;
}

void jab_session_out_done(jab_session *s, size_t n)
{
    jabi_stream_out_done(&s->stream, n);
    s->last_out = s->now;
}

int jab_session_closed(const jab_session *s)
{
    return s->closed;
}

int jab_session_online(const jab_session *s)
{
    return s->online && !s->closing;
}

int jab_session_error(const jab_session *s)
{
    return s->fault.code;
}

const jab_fault *jab_session_fault(const jab_session *s)
{
    return s->fault.code ? &s->fault : NULL;
}

jab_str jab_session_redirect(const jab_session *s)
{
    return s->stream.redirect[0] ? jab_cstr(s->stream.redirect) : (jab_str){NULL, 0};
}

const jab_jid *jab_session_jid(const jab_session *s)
{
    return s->self ? s->self : &s->account;
}

jab_login_info jab_session_login(const jab_session *s)
{
    const jabi_stream *str = &s->stream;
    const jabi_sasl_mech *mech = str->mechanism ? jabi_sasl_find(jab_cstr(str->mechanism)) : NULL;
    return (jab_login_info){
        .mechanism = jab_cstr(str->mechanism),
        .channel_binding = jab_cstr(str->channel_binding),
        .tls_version = str->state & JABI_SECURE ? str->tls.version : 0,
        .cipher = str->tls.cipher,
        .compressed = (str->state & JABI_COMPRESSED) != 0,
        .server_proved = mech && mech->proves_server && (str->state & JABI_AUTHENTICATED),
        .sasl2 = (str->state & JABI_BY_SASL2) != 0,
        .bind2 = (str->state & JABI_BY_BIND2) != 0,
        .token = (str->state & JABI_BY_TOKEN) != 0,
        .tls_resumed = (str->state & JABI_SECURE) && str->tls.resumed,
    };
}

void jab_session_set_user(jab_session *s, void *user)
{
    s->user = user;
}

void *jab_session_user(const jab_session *s)
{
    return s->user;
}
