/* ended.c: what follows the end of a connection: another target, another
 * connection, or the end of the client. */
#include <jabiru/sm.h>

#include "net/conn.h"

#include <stdio.h>
#include <unistd.h>

#include "base/check.h"

void jabi_hang_up(jab_client *c, int polite)
{
    if (c->tls && polite)
        jabi_tls_close(c->tls);
    jabi_tls_free(c->tls);
    c->tls = NULL;
    if (c->dial)
        jabi_proxy_end(&c->dial->talk);
    int fd = c->watch.fd;
    jabi_watch_remove(c->loop, &c->watch);
    if (fd >= 0)
        close(fd);
    c->blocked = c->is_early = 0;
    c->prove_by = JAB_NEVER;
    jabi_buf_fini(&c->pending);
}

/* The events of an attempt that another one follows are nobody's business:
 * the queue was empty when it began. */
static void swallow_events(jab_client *c)
{
    while (jab_session_next(c->session))
        continue;
}

/* RFC 6120 §4.9.3.19: a server that proved to be the domain's may refer us to
 * another host, which has to prove the same. */
static int may_follow(const jab_client *c, const jab_fault *fault, int verified)
{
    int one_attempt = c->cfg->no_reconnect && c->online_at != JAB_NEVER;
    return fault && fault->code == JAB_EREDIRECT && !c->closing && !one_attempt &&
           JAB_CHECK(REDIRECT_TLS, verified) && c->redirects < JABI_REDIRECTS_MAX &&
           jab_session_redirect(c->session).n > 0;
}

/* A token was refused, and the server takes nothing else on that stream: the next
 * is without it. Once, whatever is remembered. */
static int may_begin_anew(const jab_client *c)
{
    return c->session->stream.auth.needs_anew && !c->began_anew && !c->closing;
}

void jabi_start_over(jab_client *c)
{
    jabi_dial_free(c);
    jabi_hang_up(c, 0);
    c->retry_at = jabi_now();
    c->phase = JABI_CONN_ENDED;
    if (c->online_at == JAB_NEVER)
        swallow_events(c);
    jabi_loop_post(c->loop, &c->work);
}

static void follow(jab_client *c)
{
    jab_str where = jab_session_redirect(c->session);
    snprintf(c->redirect, sizeof c->redirect, JAB_FMT, JAB_ARG(where));
    c->redirects++;
    jabi_start_over(c);
}

/* A certificate that was good once is given another chance: networks that want
 * a log-in of their own show theirs in place of the server's. */
static int may_try_again(const jab_client *c, const jab_fault *fault)
{
    if (c->closing || c->cfg->no_reconnect)
        return 0;
    return c->suspended || !fault || jabi_retry_allowed(fault) ||
           (fault->code == JAB_ECERT && c->was_online);
}

/* Offline: waits for its time, or is the end. */
static void settle(jab_client *c, const jab_fault *fault)
{
    int64_t now = jabi_now();
    if (c->online_at != JAB_NEVER && now - c->online_at >= JABI_RETRY_STABLE)
        c->redirects = 0;
    if (c->online_at != JAB_NEVER)
        jabi_backoff_was_online(&c->backoff, now - c->online_at);
    c->online_at = JAB_NEVER;
    c->began_anew = 0;
    c->phase = JABI_CONN_ENDED;
    jabi_dial_free(c);
    if (!may_try_again(c, fault)) {
        c->final = 1;
        jab_session_give_up(c->session);
        c->error = !c->closing && fault ? fault->code : 0;
        return;
    }
    c->retry_at = c->suspended
                      ? JAB_NEVER
                      : now + jabi_backoff_next(&c->backoff, c->cfg->random, c->cfg->random_arg);
}

void jabi_ended(jab_client *c)
{
    const jab_fault *fault = jab_session_fault(c->session);
    int verified = c->tls != NULL && c->tls->info.verified;
    jabi_hang_up(c, 1);
    if (may_follow(c, fault, verified)) {
        follow(c);
    } else if (may_begin_anew(c)) {
        c->began_anew = 1;
        jabi_start_over(c);
    } else if (c->dial && fault && !c->suspended && jabi_other_target_may_help(fault)) {
        jab_fault kept = *fault; /* its views live until the next connection */
        swallow_events(c);
        jabi_connect_again(c, &kept);
    } else {
        settle(c, fault);
    }
    jabi_loop_post(c->loop, &c->work);
}

void jabi_fail(jab_client *c, const jab_fault *fault)
{
    jab_session_fail(c->session, fault, jabi_now());
    jabi_ended(c);
}

void jabi_fail_code(jab_client *c, int code, jab_stage stage)
{
    jab_fault fault = {.code = code, .stage = stage, .text = jab_cstr(jab_strerror(code))};
    jabi_fail(c, &fault);
}
