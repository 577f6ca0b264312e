/*
 * client.c: one program: the library's session, its connection and its store,
 * driven as net/client.c drives it, under virtual time.
 */
#include "sim.h"

#include "session/session.h"

#include <stdlib.h>

static int on_random(void *arg, void *p, size_t n)
{
    sim_rng_fill(&((sim_client *)arg)->rng, p, n);
    return 0;
}

static int64_t on_wall(void *arg)
{
    const sim_client *c = arg;
    return SIM_WALL + c->w->now + c->wall_step;
}

/* -- Processes ------------------------------------------------------------------- */

void sim_client_init(sim_client *c, sim_world *w, unsigned index)
{
    *c = (sim_client){.w = w, .index = index, .plan = &w->plan.clients[index]};
    snprintf(c->jid, sizeof c->jid, "%s/%s", c->plan->account, c->plan->resource);
    c->rng = sim_rng_fork(&w->rng);
    c->starts_at = c->plan->begins_at;
    c->pull_every = c->plan->pull_every;
    c->never_synced = c->room_never_synced = 1;
    c->join_at = c->pull_at = c->connect_at = c->online_at = JAB_NEVER;
    sim_mem_init(&c->mem);
    sim_mem_init(&c->disk_mem);
    c->heal_at = JAB_NEVER;
    sim_machine_init(c);
}

static int begin(sim_client *c)
{
    jab_store *store;
    int err = sim_machine_open(c, &store);
    if (err < 0)
        return err;
    return jab_session_new(
        &c->s, JAB_CONFIG(.jid = jab_cstr(c->jid), .password = JAB_STR("secret"),
                          .mechanisms = JAB_STR("PLAIN"), .tls = JAB_TLS_OFF, .mem = &c->mem.mem,
                          .random = on_random, .random_arg = c, .wall = on_wall, .wall_arg = c,
                          .login = store ? JAB_LOGIN_BIND2 : 0, .store = store,
                          .commit_by_caller = c->plan->by_caller,
                          .first_history = c->plan->first_history, .receipts = c->plan->receipts));
}

static void start(sim_client *c)
{
    int err = begin(c);
    SIM_NOTE(c->w, err, "c%u starts: %s", c->index, jab_errname(err));
    if (err < 0) { /* out of memory, or of disk: somebody will try again */
        c->starts_at = c->w->now + 1000;
        return;
    }
    c->life++;
    c->starts_at = JAB_NEVER;
    c->connect_at = c->w->now > c->away_until ? c->w->now : c->away_until;
    c->backoff.tries = 0;
    c->synced = c->in_room = c->room_synced = 0;
    c->pull_at = c->join_at = c->online_at = JAB_NEVER;
}

static void leave_wire(sim_client *c)
{
    if (c->wire)
        sim_wire_leave(c->w, c->wire);
    c->wire = NULL;
}

/* What was told while the disk failed may be told again by the next process. */
static void forget_rows(sim_client *c)
{
    int is_unsure = c->lost_power || c->store.failed;
    sim_app_forget(c);
    for (size_t i = 0; i < c->w->n_rows; i++) {
        sim_row *row = &c->w->rows[i];
        if (row->who != c->index)
            continue;
        row->forgotten |= c->plan->store == SIM_NO_STORE;
        if (is_unsure)
            memset(row->told, 0, sizeof row->told);
    }
}

/* The process is gone between two instructions: nothing of it is written any more. */
static void end(sim_client *c, int power, int64_t back_at)
{
    if (!c->s)
        return;
    SIM_NOTE(c->w, back_at, "c%u is killed", c->index);
    c->killed++;
    c->store.dead = 1;
    c->mem.fail_in = c->disk_mem.fail_in = 0;
    jab_session_free(c->s);
    c->s = NULL;
    sim_machine_killed(c, power);
    if (c->mem.live)
        sim_violate(c->w, "c%u: %zu blocks of memory leaked", c->index, c->mem.live);
    leave_wire(c);
    forget_rows(c);
    c->starts_at = back_at;
    c->connect_at = c->pull_at = c->join_at = JAB_NEVER;
}

void sim_client_kill(sim_client *c, int64_t back_at)
{
    end(c, 0, back_at);
}

void sim_client_lose_power(sim_client *c, int64_t back_at)
{
    end(c, 1, back_at);
}

void sim_client_fini(sim_client *c)
{
    c->store.dead = 1;
    c->mem.fail_in = c->disk_mem.fail_in = 0;
    jab_session_free(c->s);
    c->s = NULL;
    if (c->mem.live && !c->w->violation[0])
        sim_violate(c->w, "c%u: %zu blocks of memory leaked", c->index, c->mem.live);
    sim_machine_fini(c);
}

/* -- The connection --------------------------------------------------------------------- */

static int64_t next_delay(sim_client *c)
{
    return jabi_backoff_next(&c->backoff, on_random, c);
}

static void fail_to_connect(sim_client *c)
{
    jab_fault fault = {
        .code = JAB_ECONNECT, .stage = JAB_AT_TCP, .text = JAB_STR("connection refused")};
    SIM_NOTE(c->w, 1, "c%u cannot connect", c->index);
    jab_session_fail(c->s, &fault, c->w->now);
    c->connect_at = c->w->now + next_delay(c);
}

static void connect_now(sim_client *c)
{
    c->connect_at = JAB_NEVER;
    if (c->w->now < c->w->server_back_at || c->w->now < c->away_until) {
        fail_to_connect(c);
        return;
    }
    c->wire = sim_wire_new(c->w, c->index);
    (void)!jab_session_connected(c->s, NULL, c->w->now);
}

/* As net/ended.c: whether and when to try again. A user whom that does not let
 * starts anew by hand. */
static void on_closed(sim_client *c)
{
    const jab_fault *fault = jab_session_fault(c->s);
    leave_wire(c);
    if (c->online_at != JAB_NEVER && c->w->now - c->online_at >= JABI_RETRY_STABLE)
        c->backoff.tries = 0;
    c->online_at = JAB_NEVER;
    int may = fault && jabi_retry_allowed(fault);
    if (!may)
        jab_session_give_up(c->s);
    c->connect_at = c->w->now + (may ? next_delay(c) : 10000);
    c->join_at = JAB_NEVER;
}

static void read_wire(sim_client *c)
{
    sim_link *l = &c->wire->link;
    jab_str in = sim_link_readable(l, SIM_CLIENT);
    if (in.n) {
        ptrdiff_t taken = jab_session_feed(c->s, in.p, in.n, c->w->now);
        size_t n = taken < 0 ? in.n : (size_t)taken;
        if (n)
            SIM_NOTE(c->w, n, "c%u << " JAB_FMT, c->index, (int)n, in.p);
        sim_mix_bytes(c->w, in.p, n);
        sim_link_read(l, SIM_CLIENT, n);
    }
    int end = sim_link_ended(l, SIM_CLIENT);
    if (end && !jab_session_closed(c->s)) {
        SIM_NOTE(c->w, end, "c%u learns that its connection is %s", c->index,
                 end < 0 ? "broken" : "closed");
        jab_session_eof(c->s, end > 0, c->w->now);
    }
}

static void write_wire(sim_client *c)
{
    for (jab_str out; (out = jab_session_out(c->s)).n > 0;) {
        size_t n = sim_link_write(&c->wire->link, SIM_CLIENT, out.p, out.n, c->w->now);
        if (n == 0)
            return;
        jab_session_out_done(c->s, n);
    }
}

/* -- The application's turn ----------------------------------------------------------------- */

static int has_events(const sim_client *c)
{
    return c->s->events.n || c->s->events.shown_holder || c->s->offline_unsaid;
}

/* Takes events: all, or one and the next after some time. */
static void pull(sim_client *c)
{
    int64_t every = c->w->now < c->slow_until ? 700 : c->pull_every;
    c->pull_at = JAB_NEVER;
    for (;;) {
        sim_app_commit(c);
        const jab_event *ev = jab_session_next(c->s);
        if (!ev)
            return;
        sim_app_event(c, ev);
        if (every && ev->type != JAB_EV_OFFLINE) {
            c->pull_at = c->w->now + every;
            return;
        }
    }
}

static void run_app(sim_client *c)
{
    if (c->pull_at == JAB_NEVER ? has_events(c) : c->pull_at <= c->w->now)
        pull(c);
    if (c->join_at <= c->w->now)
        sim_app_join(c);
}

/* -- Time ------------------------------------------------------------------------------------- */

static void drive(sim_client *c)
{
    if (c->wire)
        read_wire(c);
    if (jab_session_deadline(c->s) <= c->w->now)
        jab_session_tick(c->s, c->w->now);
    run_app(c);
    if (c->wire) {
        write_wire(c);
        if (jab_session_closed(c->s))
            on_closed(c);
    }
    /* The application hears of one end before the next connection. */
    if (!c->wire && c->connect_at <= c->w->now && !has_events(c))
        connect_now(c);
    if (c->wire)
        write_wire(c);
}

void sim_client_step(sim_client *c)
{
    if (c->heal_at <= c->w->now)
        sim_machine_heal(c);
    if (!c->s && c->starts_at <= c->w->now)
        start(c);
    if (c->s)
        drive(c);
    if (c->s && jab_session_online(c->s) && !c->store.store.dirty && !c->store.failing)
        c->is_unsure = 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t sim_client_next(const sim_client *c)
{
    if (!c->s)
        return earlier(c->starts_at, c->heal_at);
    int64_t at = earlier(earlier(c->join_at, c->pull_at), c->heal_at);
    if (c->pull_at == JAB_NEVER && has_events(c))
        at = c->w->now;
    if (c->wire)
        at = earlier(at, jab_session_deadline(c->s));
    else if (!has_events(c))
        at = earlier(at, c->connect_at);
    if (c->wire && sim_link_readable(&c->wire->link, SIM_CLIENT).n && jabi_feed_has_room(c->s))
        at = c->w->now;
    return at;
}

/* What is still to be done; NULL: nothing. */
const char *sim_client_unsettled(const sim_client *c)
{
    int has_room = c->w->plan.has_room;
    if (!c->s || !jab_session_online(c->s))
        return "is not online";
    if (c->wire->link.broken || !c->wire->conn)
        return "does not know that its connection is gone";
    if (has_events(c) || c->w->now < c->slow_until)
        return "has events to take";
    if (jab_outbox_count(c->s) || jab_sm_waiting(c->s))
        return "has messages that are not settled";
    if (has_room && !c->in_room)
        return "is not in the room";
    if (c->plan->store == SIM_NO_STORE)
        return NULL;
    if (!c->synced)
        return "has not caught up with its archive";
    return has_room && !c->room_synced ? "has not caught up with the room's archive" : NULL;
}
