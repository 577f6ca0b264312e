/* plan.c: what a seed says: who is there, what the server can do, what is sent, what goes wrong. */
#include "sim.h"

static const char *const accounts[] = {"alice@example.com", "bob@example.com"};

/* -- The server -------------------------------------------------------------------- */

static void draw_features(sim_server_options *o, sim_rng *r)
{
    sim_server_defaults(o);
    o->seed = sim_rand(r);
    o->sm = sim_chance(r, 930);
    o->resume = sim_chance(r, 850);
    o->archive = sim_chance(r, 880);
    o->carbons = sim_chance(r, 930);
    o->stanza_id = sim_chance(r, 900);
    o->room_archive = sim_chance(r, 850);
    o->archive_signals = sim_chance(r, 300);
    o->offline_and_archive = sim_chance(r, 500);
    o->rsm_count = sim_chance(r, 500);
    o->results_without_from = sim_chance(r, 300);
    o->bounce_remote = sim_chance(r, 500);
    o->failed_with_h = sim_chance(r, 500);
    o->csi = sim_chance(r, 500);
    o->routing = sim_chance(r, 700) ? SIM_TO_ALL : SIM_TO_HIGHEST;
    o->unacked = (sim_unacked)sim_below(r, 3);
}

static void draw_habits(sim_server_options *o, sim_rng *r)
{
    static const unsigned pages[] = {1, 2, 5, 50};
    o->resume_ms = sim_chance(r, 500) ? sim_between(r, 5000, 60000) : 300000;
    o->page_max = pages[sim_below(r, 4)];
    o->ack_delay_ms = sim_chance(r, 300) ? sim_between(r, 1, 5000) : 0;
    o->request_every = sim_chance(r, 500) ? (unsigned)sim_between(r, 1, 10) : 0;
    o->request_idle_ms = sim_between(r, 500, 10000);
    o->ack_every = sim_chance(r, 300) ? (unsigned)sim_between(r, 1, 5) : 0;
}

/* -- The clients ------------------------------------------------------------------------ */

static void draw_client(sim_plan *p, sim_rng *r, size_t i, sim_store_kind store)
{
    static const char *const resources[] = {"a", "b", "c"};
    sim_client_plan *c = &p->clients[i];
    c->account = accounts[i > 0 && (p->n_clients == 3 ? i == 2 : sim_chance(r, 600))];
    c->resource = resources[i];
    c->store = store != SIM_ANY_STORE ? store : sim_chance(r, 60) ? SIM_NO_STORE : SIM_STORE_MEMORY;
    c->by_caller = c->store != SIM_NO_STORE && sim_chance(r, 250);
    c->begins_at = sim_chance(r, 800) ? sim_between(r, 0, 3000) : sim_between(r, 0, 40000);
    c->pull_every = sim_chance(r, 150) ? sim_between(r, 1, 400) : 0;
    c->first_history = sim_chance(r, 800) ? 50 : (unsigned)sim_below(r, 4);
    c->receipts = sim_chance(r, 200) ? JAB_RECEIPTS_ASK | JAB_RECEIPTS_ANSWER : 0;
}

/* -- Messages ------------------------------------------------------------------------------ */

/* To whom a client writes: the other account, now and then its own, the room, or abroad. */
static const char *draw_target(const sim_plan *p, sim_rng *r, unsigned who)
{
    int is_bob = p->clients[who].account == accounts[1];
    if (p->has_room && sim_chance(r, 400))
        return SIM_ROOM;
    if (sim_chance(r, 60))
        return SIM_NOBODY;
    return accounts[sim_chance(r, 40) ? is_bob : !is_bob];
}

static void draw_errands(sim_plan *p, sim_rng *r, int64_t span)
{
    size_t n = (size_t)sim_between(r, 3, 18);
    int64_t at = sim_between(r, 0, 5000);
    for (size_t i = 0; i < n; i++) {
        sim_errand *e = &p->errands[p->n_errands++];
        e->who = sim_chance(r, 150) ? SIM_OUTSIDER : (unsigned)sim_below(r, p->n_clients);
        e->to = e->who == SIM_OUTSIDER ? accounts[sim_chance(r, 300)] : draw_target(p, r, e->who);
        e->is_common = sim_chance(r, 150);
        e->at = at;
        /* Half of them in bursts. */
        at += sim_chance(r, 500) ? sim_between(r, 0, 50) : sim_between(r, 0, 2 * span / (int64_t)n);
    }
}

/* -- Faults ----------------------------------------------------------------------------------- */

static sim_fault_kind draw_kind(sim_rng *r)
{
    static const unsigned weights[SIM_FAULT_KINDS] = {
        [SIM_FAULT_BREAK] = 25, [SIM_FAULT_HOLD] = 15, [SIM_FAULT_RESTART] = 10,
        [SIM_FAULT_KILL] = 15,  [SIM_FAULT_STORE] = 8, [SIM_FAULT_POWER] = 3,
        [SIM_FAULT_MEMORY] = 8, [SIM_FAULT_CLOCK] = 3, [SIM_FAULT_SLOW] = 5,
        [SIM_FAULT_AWAY] = 8,   [SIM_FAULT_TRIM] = 1,  [SIM_FAULT_CLOSE] = 5,
    };
    unsigned sum = 0;
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++)
        sum += weights[i];
    unsigned dice = (unsigned)sim_below(r, sum), kind = 0;
    while (dice >= weights[kind])
        dice -= weights[kind++];
    return (sim_fault_kind)kind;
}

static void draw_details(sim_fault *f, sim_rng *r)
{
    f->how = sim_between(r, 0, 15);
    f->how_long = sim_chance(r, 700) ? sim_between(r, 0, 8000) : sim_between(r, 0, 90000);
    if (f->kind == SIM_FAULT_STORE)
        f->how = sim_chance(r, 500) ? sim_between(r, 0, 5) : sim_between(r, 0, 60);
    if (f->kind == SIM_FAULT_MEMORY)
        f->how = sim_chance(r, 500) ? sim_between(r, 0, 40) : sim_between(r, 0, 600);
    if (f->kind == SIM_FAULT_CLOCK)
        f->how_long = sim_between(r, -INT64_C(100000000), INT64_C(100000000));
    if (f->kind == SIM_FAULT_TRIM)
        f->how_long = sim_between(r, 0, 3);
}

static void draw_faults(sim_plan *p, sim_rng *r, int64_t span)
{
    size_t n = (size_t)sim_between(r, 1, 6);
    int64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        sim_fault *f = &p->faults[p->n_faults++];
        /* Some right upon another: while that is being repaired. */
        at +=
            sim_chance(r, 350) ? sim_between(r, 0, 3000) : sim_between(r, 0, 2 * span / (int64_t)n);
        f->at = at;
        f->kind = draw_kind(r);
        f->client = (unsigned)sim_below(r, p->n_clients);
        draw_details(f, r);
        /* Where nothing else tells copies, the time has to: not by an hour. */
        const sim_server_options *o = &p->server;
        if (f->kind == SIM_FAULT_CLOCK && !(o->stanza_id && o->archive && o->room_archive))
            f->how_long %= 600000;
    }
    p->calm_at = (at > span ? at : span) + sim_between(r, 0, 20000);
}

void sim_plan_from_seed(sim_plan *p, uint64_t seed, sim_store_kind store)
{
    sim_rng r = {sim_mixed(seed + UINT64_C(0x5851f42d4c957f2d))};
    memset(p, 0, sizeof *p);
    p->seed = sim_rand(&r);
    draw_features(&p->server, &r);
    draw_habits(&p->server, &r);
    p->n_clients = (size_t)sim_between(&r, 1, SIM_CLIENTS_MAX);
    p->has_room = sim_chance(&r, 300);
    if (store == SIM_ANY_STORE && sim_chance(&r, 2))
        store = SIM_STORE_SQLITE;
    for (size_t i = 0; i < p->n_clients; i++)
        draw_client(p, &r, i, store);
    int64_t span =
        sim_chance(&r, 800) ? sim_between(&r, 10000, 60000) : sim_between(&r, 10000, 600000);
    draw_errands(p, &r, span);
    draw_faults(p, &r, span);
    p->patience = INT64_C(1800000);
    p->latency = sim_between(&r, 1, sim_chance(&r, 800) ? 60 : 2000);
    p->jitter = sim_chance(&r, 500) ? sim_between(&r, 1, 2 * p->latency) : 0;
    p->piece_chance = sim_chance(&r, 300) ? 300 : 0;
    p->cut_chance = sim_chance(&r, 500) ? 250 : 0;
    p->cut_end = -1;
    p->server.sasl2 = seed >= SIM_SASL2_SEEDS;
    p->server.files_late_ms = sim_chance(&r, 250) ? sim_between(&r, 1, 5000) : 0;
}
