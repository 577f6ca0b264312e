/*
 * golden.c: sessions in which nothing goes wrong but one cut, at each byte of
 * both directions in turn: log-in, 50 messages each way, a stream that breaks
 * and goes on (or does not), messages while away, and the archive.
 */
#include "sim.h"

#include <stdlib.h>

#define EACH_WAY 50

static const struct {
    const char *name;
    int resume, by_caller;
    sim_fault_kind fault; /* in the middle */
} variants[] = {
    {"resumable", 1, 0, SIM_FAULT_BREAK},
    {"not resumable", 0, 0, SIM_FAULT_BREAK},
    {"restarted process", 1, 0, SIM_FAULT_KILL},
    {"committed by the caller", 1, 1, SIM_FAULT_BREAK},
};
#define N_VARIANTS (sizeof variants / sizeof *variants)

static void add_errand(sim_plan *p, unsigned who, int64_t at)
{
    p->errands[p->n_errands++] = (sim_errand){
        .at = at, .who = who, .to = who == SIM_OUTSIDER ? "alice@example.com" : SIM_STRANGER};
}

/* Half of the messages on the first stream, most others on the second, the
 * last ones while nobody is there. */
static void plan_messages(sim_plan *p)
{
    for (int64_t i = 0; i < EACH_WAY; i++) {
        int64_t at = i < EACH_WAY / 2 ? 1000 + i / 5 * 200 : 3900 + i / 5 * 200;
        add_errand(p, 0, at);
        add_errand(p, SIM_OUTSIDER, i < EACH_WAY - 5 ? at + 30 : 16000);
    }
}

static void plan_variant(sim_plan *p, size_t variant)
{
    *p = (sim_plan){.seed = variant + 1, .n_clients = 1, .calm_at = 30000, .patience = 1800000};
    sim_server_defaults(&p->server);
    p->server.resume = variants[variant].resume;
    p->server.bounce_remote = false;
    p->server.request_every = 5;
    p->clients[0] = (sim_client_plan){.account = "alice@example.com",
                                      .resource = "a",
                                      .store = SIM_STORE_MEMORY,
                                      .by_caller = variants[variant].by_caller,
                                      .first_history = 50};
    plan_messages(p);
    p->faults[p->n_faults++] =
        (sim_fault){.at = 5000, .kind = variants[variant].fault, .how = 5, .how_long = 500};
    p->faults[p->n_faults++] = (sim_fault){.at = 15000, .kind = SIM_FAULT_CLOSE};
    p->latency = 20;
    p->cut_end = -1;
}

static int run_cut(sim_world *w, size_t variant, int64_t end, uint64_t byte, FILE *trace)
{
    static sim_plan plan;
    plan_variant(&plan, variant);
    plan.cut_end = end;
    plan.cut_byte = byte;
    return sim_run(w, &plan, trace);
}

/* How many bytes went either way when nothing was cut. */
static int measure(sim_world *w, size_t variant, uint64_t bytes[2])
{
    int err = run_cut(w, variant, -1, 0, NULL);
    for (int end = 0; end < 2; end++) {
        bytes[end] = w->passed[end];
        for (size_t i = 0; i < w->n_wires; i++)
            bytes[end] += w->wires[i]->is_used ? w->wires[i]->link.pipe[end].passed : 0;
    }
    return err;
}

static void explain(const sim_world *w, size_t variant, int64_t end, uint64_t byte)
{
    printf("# VIOLATION (%s): %s\n# replay: make sim-cuts CUT=%zu,%lld,%llu\n",
           variants[variant].name, w->violation, variant, (long long)end, (unsigned long long)byte);
    fflush(stdout);
}

int sim_golden_one(size_t variant, int64_t end, uint64_t byte)
{
    sim_world w = {0};
    int err = variant < N_VARIANTS ? run_cut(&w, variant, end, byte, stdout) : -1;
    sim_world_fini(&w);
    return err;
}

int sim_golden(unsigned job, unsigned jobs, uint64_t stride, uint64_t *cuts)
{
    sim_world w = {0};
    uint64_t number = 0, bytes[2];
    int failed = 0;
    for (size_t v = 0; v < N_VARIANTS; v++) {
        if (measure(&w, v, bytes) < 0) {
            explain(&w, v, -1, 0);
            failed++;
        }
        for (int end = 0; end < 2 && failed < 3; end++)
            for (uint64_t byte = 1; byte <= bytes[end] && failed < 3; byte++) {
                if (number++ % (stride * jobs) != job * stride)
                    continue;
                ++*cuts;
                if (run_cut(&w, v, end, byte, NULL) == 0)
                    continue;
                explain(&w, v, end, byte);
                failed++;
            }
    }
    sim_world_fini(&w);
    return failed;
}
