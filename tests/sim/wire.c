/* wire.c: the connections between clients and the server. */
#include "sim.h"

#include <stdlib.h>

static sim_wire *unused_wire(sim_world *w)
{
    for (size_t i = 0; i < w->n_wires; i++)
        if (!w->wires[i]->is_used)
            return w->wires[i];
    if (w->n_wires == w->cap_wires) {
        w->cap_wires = w->cap_wires ? w->cap_wires * 2 : 8;
        w->wires = realloc(w->wires, w->cap_wires * sizeof(sim_wire *));
        if (!w->wires)
            abort();
    }
    sim_wire *wire = calloc(1, sizeof *wire);
    if (!wire)
        abort();
    w->wires[w->n_wires++] = wire;
    return wire;
}

/* Where a golden session is cut, told in bytes over all its links so far. */
static uint64_t golden_cut(const sim_world *w, int end)
{
    const sim_plan *p = &w->plan;
    return p->cut_end == end && p->cut_byte > w->passed[end] ? p->cut_byte - w->passed[end]
                                                             : UINT64_MAX;
}

static sim_weather draw_weather(sim_world *w)
{
    const sim_plan *p = &w->plan;
    sim_weather weather = {.latency = p->latency, .jitter = p->jitter};
    if (sim_chance(&w->rng, p->piece_chance))
        weather.piece = (size_t)sim_between(&w->rng, 1, sim_chance(&w->rng, 300) ? 3 : 300);
    int cut = -1;
    if (!w->calm && sim_chance(&w->rng, p->cut_chance)) {
        cut = (int)sim_below(&w->rng, 2);
        w->struck++;
    }
    for (int end = 0; end < 2; end++)
        weather.cut_at[end] =
            end == cut ? (uint64_t)sim_between(&w->rng, 0, 6000) : golden_cut(w, end);
    return weather;
}

sim_wire *sim_wire_new(sim_world *w, unsigned client)
{
    sim_wire *wire = unused_wire(w);
    sim_weather weather = draw_weather(w);
    sim_link_open(&wire->link, &weather, sim_rng_fork(&w->rng), w->now);
    wire->conn = sim_server_accept(w->server, w->now);
    wire->client = client;
    wire->is_used = wire->has_client = 1;
    SIM_NOTE(w, client, "c%u connects (connection %u)", client, sim_conn_number(wire->conn));
    return wire;
}

static void retire(sim_world *w, sim_wire *wire)
{
    if (wire->has_client || wire->conn || !wire->is_used)
        return;
    wire->is_used = 0;
    for (int end = 0; end < 2; end++)
        w->passed[end] += wire->link.pipe[end].passed;
}

void sim_wire_leave(sim_world *w, sim_wire *wire)
{
    sim_link_close(&wire->link, SIM_CLIENT);
    wire->has_client = 0;
    retire(w, wire);
}

static void drop_conn(sim_world *w, sim_wire *wire)
{
    sim_conn_free(wire->conn);
    wire->conn = NULL;
    sim_link_close(&wire->link, SIM_SERVER);
    retire(w, wire);
}

/* -- The server's end -------------------------------------------------------------- */

static void server_reads(sim_world *w, sim_wire *wire)
{
    jab_str in = sim_link_readable(&wire->link, SIM_SERVER);
    if (in.n) {
        if (in.n > 1 || in.p[0] != ' ')
            SIM_NOTE(w, in.n, "c%u >> " JAB_FMT, wire->client, JAB_ARG(in));
        sim_mix_bytes(w, in.p, in.n);
        sim_conn_feed(wire->conn, in.p, in.n, w->now);
        sim_link_read(&wire->link, SIM_SERVER, in.n);
    }
    int end = sim_link_ended(&wire->link, SIM_SERVER);
    if (!end)
        return;
    SIM_NOTE(w, end, "c%u: the server learns that connection %u is %s", wire->client,
             sim_conn_number(wire->conn), end < 0 ? "broken" : "closed");
    sim_conn_cut(wire->conn, w->now);
    drop_conn(w, wire);
}

static void server_writes(sim_world *w, sim_wire *wire)
{
    const void *bytes;
    size_t n = sim_conn_out(wire->conn, &bytes);
    if (n) {
        size_t taken = sim_link_write(&wire->link, SIM_SERVER, bytes, n, w->now);
        sim_conn_out_done(wire->conn, taken);
        if (taken < n)
            return;
    }
    if (sim_conn_closed(wire->conn))
        drop_conn(w, wire);
}

void sim_wires_step(sim_world *w)
{
    for (size_t i = 0; i < w->n_wires; i++) {
        sim_wire *wire = w->wires[i];
        if (!wire->is_used)
            continue;
        if (sim_link_step(&wire->link, w->now)) {
            w->plan.cut_end = -1;
            SIM_NOTE(w, i, "c%u: the link is cut (%llu up, %llu down)", wire->client,
                     (unsigned long long)wire->link.pipe[0].passed,
                     (unsigned long long)wire->link.pipe[1].passed);
        }
        if (wire->conn)
            server_reads(w, wire);
    }
}

void sim_wires_flush(sim_world *w)
{
    for (size_t i = 0; i < w->n_wires; i++)
        if (w->wires[i]->is_used && w->wires[i]->conn)
            server_writes(w, w->wires[i]);
}

int64_t sim_wires_next(const sim_world *w)
{
    int64_t at = JAB_NEVER;
    for (size_t i = 0; i < w->n_wires; i++) {
        int64_t next = w->wires[i]->is_used ? sim_link_next(&w->wires[i]->link) : JAB_NEVER;
        if (next < at)
            at = next;
    }
    return at;
}

/* The server is gone: its machine answers with a reset, sooner or later. */
void sim_wires_cut_all(sim_world *w)
{
    for (size_t i = 0; i < w->n_wires; i++) {
        sim_wire *wire = w->wires[i];
        if (!wire->is_used)
            continue;
        int64_t told[2] = {sim_chance(&w->rng, 700) ? sim_between(&w->rng, 0, 100) : JAB_NEVER, 0};
        sim_link_step(&wire->link, w->now);
        sim_link_break(&wire->link, told);
        if (wire->conn)
            drop_conn(w, wire);
    }
}

/* What was silent for good is found to be broken. */
void sim_wires_calm(sim_world *w)
{
    static const int64_t soon[2] = {1000, 1000};
    for (size_t i = 0; i < w->n_wires; i++) {
        sim_link *l = &w->wires[i]->link;
        if (!w->wires[i]->is_used)
            continue;
        l->now = w->now;
        for (int end = 0; end < 2; end++) {
            l->pipe[end].cut_at = UINT64_MAX;
            if (l->pipe[end].held_until == JAB_NEVER)
                sim_link_break(l, soon);
        }
        sim_link_release(l);
    }
}

void sim_wires_fini(sim_world *w)
{
    for (size_t i = 0; i < w->n_wires; i++) {
        sim_link_fini(&w->wires[i]->link);
        free(w->wires[i]);
    }
    free(w->wires);
    w->wires = NULL;
    w->n_wires = w->cap_wires = 0;
}
