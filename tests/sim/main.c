/*
 * main.c: runs of the simulation.
 *
 *     sim [--seed S] [--runs N] [--jobs N] [--store none|memory|sqlite] [--most N] [--trace]
 *     sim --cuts [--stride N] [--jobs N]     golden sessions, cut at each byte
 *     sim --cut VARIANT,END,BYTE             one of these, with its trace
 *     sim --tap SEEDS ...                    as the test suite wants it
 */
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX   16
#define TAIL_LINES 80

typedef struct options {
    uint64_t seed, runs, stride, most; /* most: a job that found so many violations ends */
    unsigned jobs;
    sim_store_kind store;
    int trace, cuts;
    const char *seeds, *cut;
} options;

typedef struct counts {
    uint64_t runs, logins, faults, cuts, violations;
} counts;

/* -- One run ------------------------------------------------------------------------ */

static const char *store_words(sim_store_kind store)
{
    static const char *const words[] = {"", " STORE=none", " STORE=memory", " STORE=sqlite"};
    return words[store];
}

/* The end of the story of a run that failed: told again, as it is the same each time. */
static void explain(const sim_plan *plan, const char *how)
{
    char *text = NULL;
    size_t n = 0, lines = 0;
    FILE *trace = open_memstream(&text, &n);
    sim_world w = {0};
    if (!trace)
        abort();
    (void)sim_run(&w, plan, trace);
    fclose(trace);
    char *at = text + n;
    while (at > text && lines < TAIL_LINES)
        lines += *--at == '\n';
    printf("# VIOLATION: %s\n%s\n# replay: %s\n", w.violation, at, how);
    fflush(stdout);
    sim_world_fini(&w);
    free(text);
}

static int run_seed(sim_world *w, uint64_t seed, const options *o, counts *sum)
{
    static sim_plan plan;
    sim_plan_from_seed(&plan, seed, o->store);
    int failed = sim_run(w, &plan, o->trace ? stdout : NULL) < 0;
    sum->runs++;
    sum->logins += w->logins;
    sum->faults += w->struck;
    if (!failed && seed % 64 == 0) {
        uint64_t hash = w->hash;
        failed = sim_run(w, &plan, NULL) < 0 || w->hash != hash;
        if (failed)
            printf("# seed %llu is not the same twice\n", (unsigned long long)seed);
    }
    if (failed) {
        char how[96];
        snprintf(how, sizeof how, "make sim SEED=%llu%s", (unsigned long long)seed,
                 store_words(o->store));
        if (!o->trace)
            explain(&plan, how);
        sum->violations++;
    }
    return failed;
}

static counts run_seeds(const options *o, unsigned job)
{
    counts sum = {0};
    sim_world w = {0};
    for (uint64_t i = job; i < o->runs && sum.violations < o->most; i += o->jobs)
        run_seed(&w, o->seed + i, o, &sum);
    sim_world_fini(&w);
    return sum;
}

/* -- Jobs ------------------------------------------------------------------------------- */

static counts run_job(const options *o, unsigned job)
{
    counts sum = {0};
    if (!o->cuts)
        return run_seeds(o, job);
    sum.violations = (uint64_t)sim_golden(job, o->jobs, o->stride, &sum.cuts);
    return sum;
}

/* A job in a process of its own; returns where its counts can be read. */
static int begin_job(const options *o, unsigned job)
{
    int ends[2];
    if (pipe(ends) < 0)
        abort();
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        abort();
    if (child > 0) {
        close(ends[1]);
        return ends[0];
    }
    close(ends[0]);
    counts sum = run_job(o, job);
    ssize_t n = write(ends[1], &sum, sizeof sum);
    fflush(stdout);
    _exit(n == (ssize_t)sizeof sum ? 0 : 1);
}

static void add(counts *sum, const counts *more)
{
    sum->runs += more->runs;
    sum->logins += more->logins;
    sum->faults += more->faults;
    sum->cuts += more->cuts;
    sum->violations += more->violations;
}

static counts run_jobs(const options *o)
{
    counts sum = {0};
    int from[JOBS_MAX];
    if (o->jobs == 1)
        return run_job(o, 0);
    for (unsigned i = 0; i < o->jobs; i++)
        from[i] = begin_job(o, i);
    for (unsigned i = 0; i < o->jobs; i++) {
        counts more;
        if (read(from[i], &more, sizeof more) != (ssize_t)sizeof more)
            more = (counts){.violations = 1}; /* it crashed, and said so */
        add(&sum, &more);
        close(from[i]);
    }
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
    return sum;
}

/* -- The test suite ----------------------------------------------------------------------- */

static sim_store_kind store_named(const char *name)
{
    static const char *const names[] = {"any", "none", "memory", "sqlite"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return (sim_store_kind)i;
    fprintf(stderr, "sim: what is %s?\n", name);
    exit(2);
}

/* Each line: a seed, the kind of store ("any"), and a word what it once found. */
static counts run_known(const options *o)
{
    counts sum = {0};
    sim_world w = {0};
    char line[256], store[16];
    unsigned long long seed;
    FILE *file = fopen(o->seeds, "r");
    if (!file) {
        perror(o->seeds);
        return (counts){.violations = 1};
    }
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%llu %15s", &seed, store) != 2)
            continue;
        options one = *o;
        one.store = store_named(store);
        run_seed(&w, seed, &one, &sum);
    }
    fclose(file);
    sim_world_fini(&w);
    return sum;
}

static void say(const counts *sum)
{
    if (sum->cuts)
        printf("sim: %llu cuts, %llu violations\n", (unsigned long long)sum->cuts,
               (unsigned long long)sum->violations);
    else
        printf("sim: %llu runs, %llu log-ins, %llu faults, %llu violations\n",
               (unsigned long long)sum->runs, (unsigned long long)sum->logins,
               (unsigned long long)sum->faults, (unsigned long long)sum->violations);
}

static int report(int number, const char *name, const counts *sum)
{
    printf("# ");
    say(sum);
    printf("%s %d - %s\n", sum->violations ? "not ok" : "ok", number, name);
    fflush(stdout);
    return sum->violations != 0;
}

static int run_tap(options o)
{
    printf("1..4\n");
    counts sum = run_known(&o);
    int failed = report(1, "seeds that failed once", &sum);
    sum = run_jobs(&o);
    failed |= report(2, "simulated sessions with faults", &sum);
    options in_one_step = o;
    in_one_step.seed += SIM_SASL2_SEEDS;
    in_one_step.runs /= 4;
    sum = run_jobs(&in_one_step);
    failed |= report(3, "the same, with log-ins in one step", &sum);
    o.cuts = 1;
    sum = run_jobs(&o);
    return failed | report(4, "golden sessions cut at some of their bytes", &sum);
}

/* -- Options ------------------------------------------------------------------------------------
 */

static int take(options *o, const char *name, const char *value)
{
    struct {
        const char *name;
        uint64_t *to;
    } numbers[] = {
        {"--seed", &o->seed}, {"--runs", &o->runs}, {"--stride", &o->stride}, {"--most", &o->most}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].to = strtoull(value, NULL, 10);
            return 1;
        }
    if (strcmp(name, "--jobs") == 0)
        o->jobs = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--store") == 0)
        o->store = store_named(value);
    else if (strcmp(name, "--cut") == 0)
        o->cut = value;
    else if (strcmp(name, "--tap") == 0)
        o->seeds = value;
    else
        return 0;
    return 1;
}

static int run_one_cut(const char *cut)
{
    unsigned long long variant, byte;
    long long end;
    if (sscanf(cut, "%llu,%lld,%llu", &variant, &end, &byte) != 3)
        return 2;
    return sim_golden_one((size_t)variant, end, byte) < 0;
}

int main(int argc, char **argv)
{
    options o = {.seed = 1, .runs = 1, .stride = 1, .most = 3, .jobs = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            o.trace = 1;
        else if (strcmp(argv[i], "--cuts") == 0)
            o.cuts = 1;
        else if (i + 1 < argc && take(&o, argv[i], argv[i + 1]))
            i++;
        else {
            fprintf(stderr, "sim: what is %s?\n", argv[i]);
            return 2;
        }
    }
    o.jobs = o.jobs < 1 ? 1 : o.jobs > JOBS_MAX ? JOBS_MAX : o.jobs;
    o.stride = o.stride ? o.stride : 1;
    if (o.cut)
        return run_one_cut(o.cut);
    if (o.seeds)
        return run_tap(o);
    counts sum = run_jobs(&o);
    say(&sum);
    return sum.violations != 0;
}
