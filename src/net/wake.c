/* wake.c: the network changed, or the machine sleeps and wakes. */
#include "net/conn.h"

#include "net/tcp.h"
#include "session/sm.h"

/* -- Attempts ------------------------------------------------------------------ */

/* Whether the way that this attempt takes is not there any more. What only asks
 * a name server asks the one of the network that was. */
static int is_stranded(const jab_client *c)
{
    const jabi_race *race = &c->dial->race;
    if (c->watch.fd >= 0)
        return jabi_tcp_is_stranded(c->watch.fd, &race->end->addr);
    int trying = 0;
    for (size_t i = 0; i < JABI_RACE_RUNNERS; i++) {
        const jabi_runner *runner = &race->runners[i];
        if (runner->watch.fd < 0)
            continue;
        if (jabi_tcp_is_stranded(runner->watch.fd, &runner->end->addr))
            return 1;
        trying++;
    }
    return trying == 0;
}

static void begin_anew(jab_client *c)
{
    jab_fault fault = {
        .code = JAB_EOFFLINE, .stage = jab_client_stage(c), .text = JAB_STR("the network changed")};
    jab_session_fail(c->session, &fault, jabi_now());
    jabi_start_over(c);
}

static void look_at_attempt(jab_client *c)
{
    if (c->dial && !c->closing && !c->cfg->no_reconnect &&
        jabi_now() - c->dial->began_at >= JABI_FRESH_ATTEMPT && is_stranded(c))
        begin_anew(c);
}

/* -- Connections ----------------------------------------------------------------- */

static void demand_proof(jab_client *c)
{
    int64_t now = jabi_now();
    if (c->prove_by != JAB_NEVER || jabi_session_probe(c->session, now) < 0)
        return;
    c->prove_by = now + JABI_PROVE_WITHIN;
    jabi_loop_post(c->loop, &c->work);
}

void jabi_prove_check(jab_client *c, int64_t now)
{
    if (c->pending.n || !jabi_feed_has_room(c->session)) {
        c->prove_by = now + JABI_PROVE_WITHIN; /* silence counts only while this side listens */
        return;
    }
    jab_fault fault = {.code = JAB_ETIMEOUT,
                       .stage = JAB_AT_SESSION,
                       .text = JAB_STR("the network changed, and nothing came since: the "
                                       "connection is dead")};
    jabi_fail(c, &fault);
    if (!c->final)
        c->retry_at = now;
}

/* -- What happened ----------------------------------------------------------------- */

static void connect_now(jab_client *c)
{
    c->backoff.tries = 0;
    if (c->phase == JABI_CONN_ENDED && !c->final)
        c->retry_at = jabi_now();
    jabi_loop_post(c->loop, &c->work);
}

void jabi_wake(jab_client *c)
{
    if (c->suspended)
        return;
    if (c->phase == JABI_CONN_ENDED)
        connect_now(c);
    else if (c->phase == JABI_CONN_STREAM && jab_session_online(c->session))
        demand_proof(c);
    else
        look_at_attempt(c);
}

void jab_client_network_changed(jab_client *c)
{
    jabi_drive(c); /* what came before proves nothing */
    jabi_wake(c);
}

void jab_client_suspend(jab_client *c)
{
    if (c->suspended || c->closing || jab_client_over(c) || c->final)
        return;
    c->suspended = 1;
    c->retry_at = JAB_NEVER;
    if (c->phase == JABI_CONN_IDLE || c->phase == JABI_CONN_ENDED)
        return;
    if (c->phase == JABI_CONN_STREAM && jab_session_online(c->session) &&
        !jabi_sm_may_resume(c->session))
        jab_session_close(c->session, jabi_now());
    if (c->phase == JABI_CONN_STREAM)
        (void)jabi_flush(c); /* what does not leave now is kept, as after any cut */
    jab_fault fault = {
        .code = JAB_EOFFLINE, .stage = jab_client_stage(c), .text = JAB_STR("suspended")};
    jabi_fail(c, &fault);
}

void jab_client_resume(jab_client *c)
{
    c->suspended = 0;
    jab_client_network_changed(c);
}
