/* client.c: the public side of a client; what it does is in drive.c. */
#include "net/conn.h"

#include "base/mem.h"

static void on_work(void *arg)
{
    jabi_drive(arg);
}

static void on_socket(void *arg, uint32_t events)
{
    jab_client *c = arg;
    if (events & ~(uint32_t)EPOLLOUT) /* a hang-up is found by reading */
        c->readable = 1;
    jabi_drive(c);
}

/* -- Life ---------------------------------------------------------------------- */

static int set_up(jab_client *c)
{
    c->cfg = &c->session->cfg;
    int err =
        jab_jid_domain_ascii(jab_session_jid(c->session)->domain, c->domain, sizeof c->domain);
    if (err < 0)
        return err;
    if (c->cfg->pin_sha256.p) {
        c->has_pin = 1;
        err = jabi_pin_parse(c->cfg->pin_sha256, c->pin);
        if (err < 0)
            return err;
    }
    err = jabi_proxy_set_up(c);
    /* Neither asks DNS for what would have to be required. */
    if (c->cfg->dane == JABI_DANE_REQUIRED && (c->proxy || c->cfg->tls == JAB_TLS_OFF))
        return JAB_EINVAL;
    if (err < 0 || c->cfg->tls == JAB_TLS_OFF)
        return err;
    return jabi_tls_ctx_get(&c->trust, c->loop, c->cfg);
}

/* Takes the session over; it is freed with the client, or now on failure. */
static int make(jab_client **out, jab_session *s, jab_loop *loop, int owns_loop)
{
    jab_client *c = jabi_alloc0(loop->mem, sizeof *c);
    if (!c) {
        jab_session_free(s);
        return JAB_ENOMEM;
    }
    c->loop = loop;
    c->session = s;
    c->online_at = c->prove_by = c->due = JAB_NEVER;
    c->watch = (jabi_watch){.fd = -1, .fn = on_socket, .arg = c};
    c->work = (jabi_task){.fn = on_work, .arg = c};
    c->ready.arg = c;
    c->timer = (jabi_timer){.fn = on_work, .arg = c};
    jabi_buf_init(&c->pending, loop->mem, JABI_PENDING_MAX);
    int err = set_up(c);
    if (err < 0) {
        jab_client_free(c);
        return err;
    }
    c->owns_loop = owns_loop;
    jabi_loop_post(loop, &c->work);
    *out = c;
    return 0;
}

int jab_client_new_in(jab_client **out, const jab_config *cfg, jab_loop *loop)
{
    jab_session *s = NULL;
    *out = NULL;
    int err = jab_session_new(&s, cfg);
    return err < 0 ? err : make(out, s, loop, 0);
}

int jab_client_new(jab_client **out, const jab_config *cfg)
{
    jab_session *s = NULL;
    jab_loop *loop = NULL;
    *out = NULL;
    int err = jab_session_new(&s, cfg);
    if (err < 0)
        return err;
    err = jab_loop_new(&loop, s->mem);
    if (err < 0) {
        jab_session_free(s);
        return err;
    }
    err = make(out, s, loop, 1);
    if (err < 0)
        jab_loop_free(loop);
    return err;
}

void jab_client_free(jab_client *c)
{
    if (!c)
        return;
    jab_loop *loop = c->loop;
    int owns_loop = c->owns_loop;
    jabi_task_remove(&c->work);
    jabi_task_remove(&c->ready);
    jabi_timer_stop(&loop->timers, &c->timer);
    jabi_dial_free(c);
    jabi_hang_up(c, 0);
    jabi_memory_rest(&c->session->stream.memory); /* what came since the log-in is saved */
    jab_session_free(c->session);
    jabi_tls_ctx_put(c->trust);
    jabi_proxy_free(c);
    jabi_free(loop->mem, c);
    if (owns_loop)
        jab_loop_free(loop);
}

/* -- Events -------------------------------------------------------------------- */

jab_session *jab_client_session(jab_client *c)
{
    /* What the caller is about to send is written in the next turn, and its
     * deadlines count from now, not from the last thing that arrived. */
    int64_t now = jabi_now();
    if (jab_session_deadline(c->session) > now)
        jab_session_tick(c->session, now);
    else /* what may have arrived in time is read first, in that turn */
        c->session->now = now;
    jabi_loop_post(c->loop, &c->work);
    return c->session;
}

void jabi_client_shown(jab_client *c)
{
    c->over_shown = jab_client_over(c);
    if (!c->over_shown)
        jabi_loop_post(c->loop, &c->work);
}

/* Whether there is work that no socket and no timer announces: what was pulled
 * made room for what waits, here or inflated within the session, or lets an
 * end come to its end; or the application sent something. Output that the
 * socket does not take asks for itself. */
static int has_work(const jab_client *c, int pulled)
{
    if (c->phase != JABI_CONN_STREAM)
        return pulled && c->phase == JABI_CONN_ENDED;
    if (!c->blocked && jabi_stream_pending(&c->session->stream))
        return 1;
    if (c->pending.n)
        return jabi_feed_has_room(c->session);
    return jab_session_deadline(c->session) <= jabi_now();
}

const jab_event *jab_client_next(jab_client *c)
{
    const jab_event *ev = jab_session_next(c->session);
    if (has_work(c, ev != NULL))
        jabi_loop_post(c->loop, &c->work);
    if (!jabi_has_event(c) && !jab_client_over(c))
        jabi_task_remove(&c->ready);
    return ev;
}

/* While the application pulls one event after the other, what it answers is
 * not held back for long. */
static void flush_late(jab_client *c)
{
    if (c->phase != JABI_CONN_STREAM || !jabi_has_event(c) ||
        jabi_stream_pending(&c->session->stream) == 0)
        return;
    if (jabi_now() - c->flushed_at >= JABI_FLUSH_AFTER)
        jabi_drive(c);
}

int jab_client_wait(jab_client *c, const jab_event **ev, int timeout)
{
    int64_t until = timeout < 0 ? JAB_NEVER : jabi_now() + timeout;
    flush_late(c);
    for (int turns = 0, left = timeout;; turns++) {
        *ev = jab_client_next(c);
        if (*ev)
            return 1;
        if (jab_client_over(c))
            return c->error;
        if (turns > 0 && left == 0)
            return 0;
        if (turns == 0)
            jabi_drive(c); /* what the application sent leaves before the wait */
        int done = jabi_has_event(c) || jab_client_over(c);
        int err = done ? 0 : jabi_loop_turn(c->loop, left);
        if (err < 0)
            return err;
        int64_t now = jabi_now();
        left = timeout < 0 ? -1 : until > now ? (int)(until - now) : 0;
    }
}

int jab_client_process(jab_client *c)
{
    jabi_loop_post(c->loop, &c->work);
    int err = jabi_loop_turn(c->loop, 0);
    jabi_loop_arm(c->loop);
    if (err < 0)
        return err;
    return jab_client_over(c) ? c->error : 0;
}

int jab_client_fd(const jab_client *c)
{
    return jab_loop_fd(c->loop);
}

int jab_client_timeout(const jab_client *c)
{
    return jab_loop_timeout(c->loop);
}

void jab_client_close(jab_client *c)
{
    if (c->closing || c->final)
        return;
    c->closing = 1;
    if (c->phase == JABI_CONN_STREAM) {
        jab_session_close(c->session, jabi_now());
    } else if (c->phase == JABI_CONN_ENDED) {
        c->final = 1;
    } else {
        jab_fault none = {.stage = jab_client_stage(c), .text = JAB_STR("closed")};
        jabi_fail(c, &none);
    }
    jabi_loop_post(c->loop, &c->work);
}

/* -- Facts --------------------------------------------------------------------- */

int jab_client_over(const jab_client *c)
{
    return c->phase == JABI_CONN_OVER ||
           (c->phase == JABI_CONN_ENDED && c->final && !jabi_has_event(c));
}

jab_stage jab_client_stage(const jab_client *c)
{
    if (c->phase == JABI_CONN_FINDING)
        return c->dial && jabi_dial_has_address(c->dial) ? JAB_AT_TCP : JAB_AT_DNS;
    if (c->phase == JABI_CONN_PROXY)
        return JAB_AT_TCP;
    if (c->phase == JABI_CONN_TLS)
        return JAB_AT_TLS;
    if (c->phase != JABI_CONN_STREAM)
        return JAB_AT_NONE;
    return jab_session_online(c->session) ? JAB_AT_SESSION : jabi_stream_stage(&c->session->stream);
}

jab_connection jab_client_connection(const jab_client *c)
{
    jab_connection none = {0};
    if (c->phase != JABI_CONN_STREAM && c->phase != JABI_CONN_TLS)
        return none;
    return (jab_connection){jab_cstr(c->address), jab_cstr(c->target), c->direct_tls,
                            c->proxy != NULL, c->tls && c->tls->by_dane};
}
