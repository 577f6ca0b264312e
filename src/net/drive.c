/* drive.c: moves bytes between the socket and the session, and gives the
 * session its time. */
#include "net/conn.h"

#include "base/check.h"
#include "net/tcp.h"

static ptrdiff_t receive(jab_client *c, void *p, size_t n)
{
    return c->tls ? jabi_tls_recv(c->tls, p, n) : jabi_tcp_recv(c->watch.fd, p, n);
}

static ptrdiff_t transmit(jab_client *c, const void *p, size_t n)
{
    return c->tls ? jabi_tls_send(c->tls, p, n) : jabi_tcp_send(c->watch.fd, p, n);
}

/* What TLS has written and the socket did not take. 0, 1 when some is left, JAB_EIO. */
static int flush_held(jab_client *c)
{
    return c->tls && c->tls->held.n > 0 && !c->tls->is_holding ? jabi_tls_flush(c->tls) : 0;
}

int jabi_flush(jab_client *c)
{
    int was_blocked = c->blocked;
    int held = flush_held(c);
    c->blocked = held == 1;
    for (jab_str out; held == 0 && c->watch.fd >= 0 && (out = jab_session_out(c->session)).n > 0;) {
        ptrdiff_t n = transmit(c, out.p, out.n);
        if (n < 0)
            return JAB_EIO;
        if (n == 0) {
            c->blocked = 1;
            break;
        }
        if (was_blocked && c->prove_by != JAB_NEVER) /* the peer took what came before */
            c->prove_by = jabi_now() + JABI_PROVE_WITHIN;
        jab_session_out_done(c->session, (size_t)n);
        held = flush_held(c);
        c->blocked = held == 1;
    }
    return held < 0 ? JAB_EIO : 0;
}

/* -- In ------------------------------------------------------------------------ */

/* Gives bytes to the session; returns how many it left, 0 when it is over. */
static size_t feed(jab_client *c, const char *p, size_t n)
{
    ptrdiff_t taken = jab_session_feed(c->session, p, n, jabi_now());
    return taken < 0 ? 0 : n - (size_t)taken;
}

/* Bytes that waited for the application to pull events. */
static void feed_pending(jab_client *c)
{
    if (c->pending.n == 0 || jab_session_closed(c->session))
        return;
    size_t left = feed(c, c->pending.p, c->pending.n);
    jabi_buf_consume(&c->pending, c->pending.n - left);
    if (left == 0)
        jabi_buf_fini(&c->pending); /* an idle session holds no buffer */
}

static void keep_pending(jab_client *c, const char *p, size_t n)
{
    jabi_buf_init(&c->pending, c->loop->mem, JABI_PENDING_MAX);
    jabi_buf_add(&c->pending, p, n);
    if (c->pending.error) {
        jab_fault fault = {.code = JAB_ENOMEM,
                           .stage = JAB_AT_SESSION,
                           .text = jab_cstr(jab_strerror(JAB_ENOMEM))};
        jab_session_fail(c->session, &fault, jabi_now());
    }
}

static int may_read(const jab_client *c)
{
    return c->readable && c->pending.n == 0 && !jab_session_closed(c->session) &&
           !jab_session_wants_tls(c->session);
}

/* Reads once. */
static size_t read_some(jab_client *c)
{
    if (!jab_session_online(c->session))
        jabi_tcp_quickack(c->watch.fd);
    char *scratch = c->loop->scratch;
    ptrdiff_t n = receive(c, scratch, JABI_LOOP_SCRATCH);
    if (c->tls && c->tls->fresh) /* TLS 1.3 gives them among the data */
        jabi_recall_keep_session(c);
    /* A short read emptied a plain socket; of TLS only "0" says so. */
    if (n <= 0 || (!c->tls && n < JABI_LOOP_SCRATCH))
        c->readable = 0;
    if (n < 0)
        jab_session_eof(c->session, n == JAB_EEOF, jabi_now());
    if (n <= 0)
        return 0;
    c->prove_by = JAB_NEVER;
    size_t left = feed(c, scratch, (size_t)n);
    if (left)
        keep_pending(c, scratch + n - left, left);
    return (size_t)n;
}

/* Reads until the socket is empty, the session is full or others' turn has
 * come; in that case the next turn goes on. */
static void read_all(jab_client *c)
{
    size_t n = 0;
    while (may_read(c) && n < JABI_READ_BUDGET)
        n += read_some(c);
    if (may_read(c))
        jabi_loop_post(c->loop, &c->work);
}

/* -- TLS ----------------------------------------------------------------------- */

int jabi_drive_tls(jab_client *c)
{
    /* RFC 6120 §5.4.3.3: what came in the clear after <proceed/> may be an
     * attacker's. */
    if (!JAB_CHECK(STARTTLS_BUFFER, 0))
        jabi_buf_fini(&c->pending);
    int err = jabi_tls_new(&c->tls, c->trust, c->watch.fd, c->domain, c->has_pin ? c->pin : NULL,
                           c->direct_tls);
    if (err == 0) {
        c->phase = JABI_CONN_TLS;
        jabi_recall_session(c);
        err = jabi_drive_dane(c);
    }
    return err < 0 ? err : jabi_early_begin(c);
}

/* The session hears of the connection, or of TLS on it. */
static int begin_stream(jab_client *c)
{
    jab_session *s = c->session;
    if (c->is_early)
        return jabi_early_done(c);
    if (jab_session_wants_tls(s))
        return jab_session_secured(s, &c->tls->info, jabi_now());
    return jab_session_connected(s, c->tls ? &c->tls->info : NULL, jabi_now());
}

void jabi_start_stream(jab_client *c)
{
    c->phase = JABI_CONN_STREAM;
    c->readable = 1;
    if (begin_stream(c) < 0) /* the session has ended, and said so */
        jabi_ended(c);
}

/* Under STARTTLS, and with early data, the log-in's time runs on during the handshake. */
static void watch_log_in(jab_client *c)
{
    jab_session *s = c->session;
    int64_t now = jabi_now();
    if ((!jab_session_wants_tls(s) && !c->is_early) || jab_session_deadline(s) > now)
        return;
    jab_session_tick(s, now);
    if (jab_session_closed(s))
        jabi_ended(c);
}

void jabi_tls_failed(jab_client *c, int code)
{
    jab_fault fault = {.code = code, .stage = JAB_AT_TLS, .text = jab_cstr(jab_strerror(code))};
    char text[sizeof c->tls->text];
    if (c->tls && c->tls->fault.code == code) {
        memcpy(text, c->tls->text, sizeof text);
        fault = c->tls->fault;
        fault.text = jab_cstr(text);
    }
    jabi_fail(c, &fault);
}

static void handshake_failed(jab_client *c)
{
    jab_fault fault = c->tls->fault;
    if (!c->tls->is_offered || c->no_resume || fault.code == JAB_ECERT) {
        jabi_tls_failed(c, fault.code);
        return;
    }
    /* Some servers fail on a session that they gave: without one it may go. */
    c->no_resume = 1;
    jab_session_fail(c->session, &fault, jabi_now());
    jabi_start_over(c);
}

static void shake_hands(jab_client *c)
{
    jabi_tcp_quickack(c->watch.fd);
    int result = jabi_tls_handshake(c->tls);
    if (result == 0) {
        watch_log_in(c);
        return;
    }
    if (result < 0) {
        handshake_failed(c);
        return;
    }
    jabi_recall_keep_session(c);
    jabi_start_stream(c);
    if (c->phase == JABI_CONN_STREAM)
        (void)!jabi_flush(c); /* a connection that broke is found by reading */
    jabi_loop_post(c->loop, &c->work);
}

/* -- The stream ------------------------------------------------------------------ */

/* Also when the end came in the same read: an address was bound. */
static void note_online(jab_client *c)
{
    if (c->online_at != JAB_NEVER || !c->session->self)
        return;
    c->online_at = jabi_now();
    c->was_online = 1;
    c->location_tried = 0;
    jabi_recall_keep_endpoint(c);
    jabi_dial_free(c);
}

/* The server asked for the handshake, and all that belongs before is written. */
static void secure(jab_client *c)
{
    int err = jabi_drive_tls(c);
    if (err < 0)
        jabi_tls_failed(c, err);
    else
        shake_hands(c);
}

static void pump(jab_client *c)
{
    jab_session *s = c->session;
    int64_t now = jabi_now();
    /* This program may be late: what arrived in time counts, though epoll has not been asked. */
    if (jab_session_deadline(s) <= now || c->prove_by <= now)
        c->readable = 1;
    feed_pending(c);
    read_all(c);
    now = jabi_now();
    if (jab_session_deadline(s) <= now)
        jab_session_tick(s, now);
    note_online(c);
    if (jabi_flush(c) < 0)
        jab_session_eof(s, 0, now);
    c->flushed_at = now;
    if (c->pending.n && jabi_feed_has_room(s)) /* its output had been full */
        jabi_loop_post(c->loop, &c->work);
    if (jab_session_closed(s))
        jabi_ended(c);
    else if (jab_session_wants_tls(s) && !c->blocked)
        secure(c);
    else if (c->prove_by <= now)
        jabi_prove_check(c, now);
}

/* -- Phases ---------------------------------------------------------------------- */

static void begin(jab_client *c)
{
    if (!jabi_has_event(c) && !c->suspended)
        jabi_connect_begin(c);
}

/* Offline: the application hears of one end before the next connection. */
static void linger(jab_client *c)
{
    if (jabi_has_event(c))
        return;
    if (c->final)
        c->phase = JABI_CONN_OVER;
    else if (c->retry_at <= jabi_now())
        jabi_connect_begin(c);
}

static void rest(jab_client *c)
{
    (void)c;
}

static uint32_t interest(const jab_client *c)
{
    if (c->phase == JABI_CONN_TLS)
        return c->tls->wants_write ? EPOLLOUT : EPOLLIN;
    return (c->pending.n ? 0u : EPOLLIN) | (c->blocked ? EPOLLOUT : 0u);
}

static int64_t next_time(const jab_client *c)
{
    if (c->phase == JABI_CONN_ENDED)
        return c->final || jabi_has_event(c) ? JAB_NEVER : c->retry_at;
    int64_t connect = jabi_connect_deadline(c);
    int64_t session = c->phase == JABI_CONN_STREAM || c->phase == JABI_CONN_TLS
                          ? jab_session_deadline(c->session)
                          : JAB_NEVER;
    int64_t first = connect < session ? connect : session;
    return c->prove_by < first ? c->prove_by : first;
}

/* After each step: what to be woken by, and what the application is told. */
static void arrange(jab_client *c)
{
    if (c->watch.fd >= 0 && jabi_watch_set(c->loop, &c->watch, interest(c)) < 0) {
        jabi_fail_code(c, JAB_EIO, JAB_AT_TCP);
        return;
    }
    c->due = next_time(c);
    jabi_timer_set(&c->loop->timers, &c->timer, c->due);
    if (jabi_has_event(c) || (jab_client_over(c) && !c->over_shown))
        jabi_queue_add(&c->loop->ready, &c->ready);
    else
        jabi_task_remove(&c->ready);
}

void jabi_drive(jab_client *c)
{
    static void (*const phases[])(jab_client *) = {
        [JABI_CONN_IDLE] = begin,
        [JABI_CONN_FINDING] = rest,
        [JABI_CONN_PROXY] = jabi_proxy_run,
        [JABI_CONN_TLS] = shake_hands,
        [JABI_CONN_STREAM] = pump,
        [JABI_CONN_ENDED] = linger,
        [JABI_CONN_OVER] = rest,
    };
    int64_t now = jabi_now();
    /* CLOCK_BOOTTIME went on while nothing ran: the machine slept. */
    int slept = c->due != JAB_NEVER && now - c->due > JABI_SLEPT;
    jabi_task_remove(&c->work);
    jabi_connect_check_time(c, now);
    phases[c->phase](c);
    if (slept)
        jabi_wake(c);
    arrange(c);
}
