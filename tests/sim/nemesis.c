/* nemesis.c: what goes wrong: each kind of fault, and how it ends. */
#include "sim.h"

static sim_client *victim(sim_world *w, const sim_fault *f)
{
    return &w->clients[f->client % w->plan.n_clients];
}

static void strike_break(sim_world *w, const sim_fault *f)
{
    sim_client *c = victim(w, f);
    int64_t told[2] = {f->how & 1   ? 0
                       : f->how & 2 ? f->how_long
                                    : JAB_NEVER,
                       f->how & 4   ? 0
                       : f->how & 8 ? f->how_long
                                    : JAB_NEVER};
    if (!c->wire)
        return;
    sim_link_step(&c->wire->link, w->now);
    sim_link_break(&c->wire->link, told);
}

/* `how`: 1 up, 2 down, 3 both, 4 and for good. */
static void strike_hold(sim_world *w, const sim_fault *f)
{
    sim_client *c = victim(w, f);
    int64_t until = f->how & 4 ? JAB_NEVER : w->now + f->how_long;
    if (!c->wire)
        return;
    sim_link_step(&c->wire->link, w->now);
    for (int end = 0; end < 2; end++)
        if (f->how & (1 << end))
            sim_link_hold(&c->wire->link, end, until);
}

static void strike_restart(sim_world *w, const sim_fault *f)
{
    sim_server_restart(w->server, (sim_restart)(f->how % 3), w->now);
    sim_wires_cut_all(w);
    w->server_back_at = w->now + f->how_long;
}

static void strike_kill(sim_world *w, const sim_fault *f)
{
    sim_client_kill(victim(w, f), w->now + f->how_long);
}

static void strike_power(sim_world *w, const sim_fault *f)
{
    sim_client_lose_power(victim(w, f), w->now + f->how_long);
}

static void strike_store(sim_world *w, const sim_fault *f)
{
    if (victim(w, f)->s)
        sim_machine_fail(victim(w, f), f->how, w->now + f->how_long);
}

static void strike_memory(sim_world *w, const sim_fault *f)
{
    sim_client *c = victim(w, f);
    sim_mem *m = f->how_long & 1 && c->plan->store == SIM_STORE_MEMORY ? &c->disk_mem : &c->mem;
    m->fail_in = (uint64_t)f->how + 1;
}

static void strike_clock(sim_world *w, const sim_fault *f)
{
    if (f->how & 1) {
        w->clock_stepped = 1;
        sim_server_step_clock(w->server, f->how_long);
    } else {
        victim(w, f)->wall_step += f->how_long;
    }
}

static void strike_slow(sim_world *w, const sim_fault *f)
{
    victim(w, f)->slow_until = w->now + f->how_long;
}

/* Out of reach; `how` 1: longer than the server keeps the session. */
static void strike_away(sim_world *w, const sim_fault *f)
{
    sim_client *c = victim(w, f);
    static const int64_t told[2] = {0, JAB_NEVER};
    c->away_until = w->now + f->how_long + (f->how & 1 ? w->plan.server.resume_ms : 0);
    if (!c->wire)
        return;
    sim_link_step(&c->wire->link, w->now);
    sim_link_break(&c->wire->link, told);
}

static void strike_trim(sim_world *w, const sim_fault *f)
{
    const char *whose = f->how & 1 && w->plan.has_room ? SIM_ROOM : victim(w, f)->plan->account;
    w->trimmed = 1;
    sim_server_trim_archive(w->server, whose, (size_t)f->how_long);
}

static void strike_close(sim_world *w, const sim_fault *f)
{
    sim_client *c = victim(w, f);
    if (c->s && c->wire)
        jab_session_close(c->s, w->now);
}

void sim_nemesis_strike(sim_world *w, const sim_fault *f)
{
    static const struct {
        const char *name;
        void (*fn)(sim_world *w, const sim_fault *f);
    } kinds[SIM_FAULT_KINDS] = {
        [SIM_FAULT_BREAK] = {"the link breaks", strike_break},
        [SIM_FAULT_HOLD] = {"the link is silent", strike_hold},
        [SIM_FAULT_RESTART] = {"the server restarts", strike_restart},
        [SIM_FAULT_KILL] = {"kill -9", strike_kill},
        [SIM_FAULT_STORE] = {"the store will fail", strike_store},
        [SIM_FAULT_POWER] = {"power is lost", strike_power},
        [SIM_FAULT_MEMORY] = {"memory will run out", strike_memory},
        [SIM_FAULT_CLOCK] = {"a clock steps", strike_clock},
        [SIM_FAULT_SLOW] = {"the application is slow", strike_slow},
        [SIM_FAULT_AWAY] = {"out of reach", strike_away},
        [SIM_FAULT_TRIM] = {"the archive is trimmed", strike_trim},
        [SIM_FAULT_CLOSE] = {"the application closes", strike_close},
    };
    SIM_NOTE(w, f->kind, "NEMESIS: c%u: %s (%lld, %lld)", f->client % (unsigned)w->plan.n_clients,
             kinds[f->kind].name, (long long)f->how, (long long)f->how_long);
    kinds[f->kind].fn(w, f);
}

/* From here on nothing goes wrong. */
void sim_nemesis_calm(sim_world *w)
{
    SIM_NOTE(w, 0, "NEMESIS: all is calm");
    w->calm = 1;
    w->server_back_at = 0;
    sim_wires_calm(w);
    for (size_t i = 0; i < w->plan.n_clients; i++) {
        sim_client *c = &w->clients[i];
        sim_machine_heal(c);
        c->mem.fail_in = c->disk_mem.fail_in = 0;
        c->slow_until = c->away_until = 0;
    }
}
