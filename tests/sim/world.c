/* world.c: one loop over virtual time: whatever is next happens. */
#include "sim.h"

#include <stdarg.h>
#include <stdlib.h>

#define TURNS_MAX 100000 /* steps at one moment: more, and somebody turns in circles */

/* -- What happened ---------------------------------------------------------------- */

void sim_mix_bytes(sim_world *w, const char *p, size_t n)
{
    uint64_t word = 0;
    for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        w->hash = sim_mixed(w->hash ^ word);
    }
    word = n;
    for (size_t i = 0; i < n; i++)
        word = word << 8 | (unsigned char)p[i];
    w->hash = sim_mixed(w->hash ^ word);
}

void sim_say(sim_world *w, const char *format, ...)
{
    va_list list;
    fprintf(w->trace, "%9.3f ", (double)w->now / 1000);
    va_start(list, format);
    vfprintf(w->trace, format, list);
    va_end(list);
    fputc('\n', w->trace);
}

void sim_violate(sim_world *w, const char *format, ...)
{
    va_list list;
    char words[sizeof w->violation];
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    SIM_NOTE(w, 1, "VIOLATION: %s", words);
    if (!w->violation[0])
        memcpy(w->violation, words, sizeof words);
}

/* -- The beginning ------------------------------------------------------------------ */

static void on_acknowledged(void *arg, const char *full_jid, const sim_message *m)
{
    sim_world *w = arg;
    sim_row *row = sim_row_by_id(w, jab_cstr(m->id), jab_cstr(m->body));
    for (size_t i = 0; row && i < w->plan.n_clients; i++)
        if (strcmp(w->clients[i].jid, full_jid) == 0)
            row->promised[i]++;
}

static void begin(sim_world *w, const sim_plan *plan, FILE *trace)
{
    sim_wire **wires = w->wires; /* their memory is used again */
    size_t n_wires = w->n_wires, cap_wires = w->cap_wires, cap_rows = w->cap_rows;
    sim_row *rows = w->rows;
    memset(w, 0, sizeof *w);
    w->wires = wires;
    w->n_wires = n_wires;
    w->cap_wires = cap_wires;
    w->rows = rows;
    w->cap_rows = cap_rows;
    w->plan = *plan;
    w->trace = trace;
    w->rng = (sim_rng){plan->seed};
    for (size_t i = 0; i < n_wires; i++) {
        wires[i]->is_used = 0;
        wires[i]->conn = NULL;
    }
}

static void open_server(sim_world *w)
{
    sim_server_options options = w->plan.server;
    options.acknowledged = on_acknowledged;
    options.arg = w;
    options.wall = SIM_WALL;
    w->server = sim_server_new(&options);
    sim_server_add_account(w->server, "alice@example.com", "secret");
    sim_server_add_account(w->server, "bob@example.com", "secret");
    sim_server_befriend(w->server, "alice@example.com", "bob@example.com", 0);
}

/* -- Errands ---------------------------------------------------------------------------- */

static void send_from_outside(sim_world *w, const sim_errand *e)
{
    char xml[512], id[96] = "";
    sim_row *row = sim_row_add(w, SIM_OUTSIDER, e->to, e->is_common);
    /* A message is not to be known by anything where nobody gave it an id. */
    const sim_server_options *o = &w->plan.server;
    if (e->is_common || !o->stanza_id || !o->archive || sim_chance(&w->rng, 700))
        snprintf(row->id, sizeof row->id, "outside-%zu", w->n_rows);
    if (row->id[0])
        snprintf(id, sizeof id, " id='%s'", row->id);
    snprintf(xml, sizeof xml, "<message type='chat' to='%s'%s><body>%s</body></message>", e->to, id,
             row->body);
    SIM_NOTE(w, w->n_rows, "outside: %s", xml);
    row->accepted = sim_server_inject(w->server, SIM_STRANGER "/x", xml, w->now) != NULL;
}

static void run_errand(sim_world *w, sim_errand *e)
{
    e->done = 1;
    if (e->who == SIM_OUTSIDER) {
        send_from_outside(w, e);
        return;
    }
    sim_client *c = &w->clients[e->who];
    if (c->s && sim_app_send(c, e) >= 0)
        return;
    e->done = 0; /* the person tries again, which is another message */
    e->at = w->now + 2000;
}

static void run_errands(sim_world *w)
{
    for (size_t i = 0; i < w->plan.n_errands; i++)
        if (!w->plan.errands[i].done && w->plan.errands[i].at <= w->now)
            run_errand(w, &w->plan.errands[i]);
}

static void run_faults(sim_world *w)
{
    while (w->next_fault < w->plan.n_faults && w->plan.faults[w->next_fault].at <= w->now) {
        w->struck++;
        sim_nemesis_strike(w, &w->plan.faults[w->next_fault++]);
    }
    if (!w->calm && w->now >= w->plan.calm_at)
        sim_nemesis_calm(w);
}

/* -- Time ---------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_time(const sim_world *w)
{
    int64_t at = earlier(sim_wires_next(w), sim_server_deadline(w->server));
    for (size_t i = 0; i < w->plan.n_clients; i++)
        at = earlier(at, sim_client_next(&w->clients[i]));
    for (size_t i = 0; i < w->plan.n_errands; i++)
        if (!w->plan.errands[i].done)
            at = earlier(at, w->plan.errands[i].at);
    if (w->next_fault < w->plan.n_faults)
        at = earlier(at, w->plan.faults[w->next_fault].at);
    return w->calm ? at : earlier(at, w->plan.calm_at);
}

static void step(sim_world *w)
{
    run_faults(w);
    sim_wires_step(w);
    if (sim_server_deadline(w->server) <= w->now)
        sim_server_tick(w->server, w->now);
    run_errands(w);
    for (size_t i = 0; i < w->plan.n_clients; i++)
        sim_client_step(&w->clients[i]);
    sim_wires_flush(w);
    sim_check_step(w);
}

/* What is still to be done; NULL: nothing. */
static const char *unsettled(const sim_world *w)
{
    if (!w->calm)
        return "the nemesis is not done";
    for (size_t i = 0; i < w->plan.n_errands; i++)
        if (!w->plan.errands[i].done)
            return "not all is sent";
    for (size_t i = 0; i < w->plan.n_clients; i++)
        if (sim_client_unsettled(&w->clients[i]))
            return sim_client_unsettled(&w->clients[i]);
    return NULL;
}

/* What is still on the way when all seem to be done has time to arrive, and a silent link
 * to be noticed: a minute until the next question, and half of one without an answer. */
static void run_to_end(sim_world *w)
{
    int64_t over_at = JAB_NEVER, until = w->plan.calm_at + w->plan.patience;
    unsigned turns = 0;
    while (!w->violation[0] && w->now < over_at) {
        int64_t at = next_time(w);
        turns = at <= w->now ? turns + 1 : 0;
        if (turns > TURNS_MAX)
            sim_violate(w, "time stands still: somebody turns in circles");
        if (at > w->now)
            w->now = at;
        if (w->now > over_at || w->now > until)
            break;
        step(w);
        if (unsettled(w))
            over_at = JAB_NEVER;
        else if (over_at == JAB_NEVER)
            over_at = w->now + 120000 + 8 * (w->plan.latency + w->plan.jitter);
    }
    if (w->now > until && !w->violation[0])
        sim_violate(w, "all is calm, but it does not settle: somebody %s", unsettled(w));
}

int sim_run(sim_world *w, const sim_plan *plan, FILE *trace)
{
    begin(w, plan, trace);
    open_server(w);
    for (unsigned i = 0; i < plan->n_clients; i++)
        sim_client_init(&w->clients[i], w, i);
    run_to_end(w);
    if (!w->violation[0])
        sim_check_end(w);
    for (size_t i = 0; i < plan->n_clients; i++)
        sim_client_fini(&w->clients[i]);
    for (size_t i = 0; i < sim_server_violations(w->server); i++)
        if (!w->violation[0])
            sim_violate(w, "connection %u: %s", sim_server_violation(w->server, i)->conn,
                        sim_server_violation(w->server, i)->words);
    sim_server_free(w->server);
    w->server = NULL;
    return w->violation[0] ? -1 : 0;
}

void sim_world_fini(sim_world *w)
{
    sim_wires_fini(w);
    free(w->rows);
    w->rows = NULL;
    w->n_rows = w->cap_rows = 0;
}
