/* link.c: a connection under virtual time: see link.h. */
#include "link.h"

#include <stdlib.h>

/* The harness itself does not survive a machine without memory. */
static void *grown(void *p, size_t n)
{
    void *q = realloc(p, n);
    if (!q)
        abort();
    return q;
}

static void pipe_open(sim_pipe *p, uint64_t cut_at)
{
    sim_pipe fresh = {.bytes = p->bytes,
                      .cap = p->cap,
                      .chunks = p->chunks,
                      .cap_chunks = p->cap_chunks,
                      .cut_at = cut_at};
    *p = fresh;
}

void sim_link_open(sim_link *l, const sim_weather *weather, sim_rng rng, int64_t now)
{
    for (int end = 0; end < 2; end++) {
        pipe_open(&l->pipe[end], weather->cut_at[end]);
        l->told_at[end] = JAB_NEVER;
    }
    l->weather = *weather;
    l->rng = rng;
    l->now = now;
    l->broken = 0;
}

void sim_link_fini(sim_link *l)
{
    for (int end = 0; end < 2; end++) {
        free(l->pipe[end].bytes);
        free(l->pipe[end].chunks);
    }
}

/* -- Writing ----------------------------------------------------------------- */

static void add_chunk(sim_link *l, sim_pipe *p, size_t n)
{
    if (p->first_chunk + p->n_chunks == p->cap_chunks) {
        if (p->n_chunks)
            memmove(p->chunks, p->chunks + p->first_chunk, p->n_chunks * sizeof *p->chunks);
        p->first_chunk = 0;
        if (p->n_chunks * 2 >= p->cap_chunks) {
            p->cap_chunks = p->cap_chunks ? p->cap_chunks * 2 : 64;
            p->chunks = grown(p->chunks, p->cap_chunks * sizeof *p->chunks);
        }
    }
    int64_t at = l->now + l->weather.latency;
    if (l->weather.jitter)
        at += sim_between(&l->rng, 0, l->weather.jitter);
    if (at < p->last_at)
        at = p->last_at;
    if (at < p->held_until)
        at = p->held_until;
    p->last_at = at;
    p->chunks[p->first_chunk + p->n_chunks++] = (sim_chunk){n, at};
}

/* A broken link is found by who writes to it, after TCP has tried for a while. */
static void find_break(sim_link *l, int end)
{
    int64_t at = l->now + sim_between(&l->rng, 1, 60000);
    if (at < l->told_at[end])
        l->told_at[end] = at;
}

size_t sim_link_write(sim_link *l, int end, const char *bytes, size_t n, int64_t now)
{
    sim_pipe *p = &l->pipe[end];
    l->now = now;
    int is_gone = l->broken || l->pipe[!end].closed;
    if (is_gone)
        find_break(l, end);
    size_t room = p->n < SIM_WINDOW ? SIM_WINDOW - p->n : 0;
    if (n > room)
        n = room;
    p->written += n;
    if (is_gone || p->closed || n == 0)
        return n;
    if (p->n + n > p->cap) {
        p->cap = (p->n + n) * 2;
        p->bytes = grown(p->bytes, p->cap);
    }
    memcpy(p->bytes + p->n, bytes, n);
    p->n += n;
    for (size_t left = n, some; left; left -= some) {
        some = l->weather.piece ? (size_t)sim_between(&l->rng, 1, (int64_t)l->weather.piece) : left;
        some = some < left ? some : left;
        add_chunk(l, p, some);
    }
    return n;
}

void sim_link_close(sim_link *l, int end)
{
    l->pipe[end].closed = 1;
}

/* -- Reading ----------------------------------------------------------------- */

jab_str sim_link_readable(const sim_link *l, int end)
{
    const sim_pipe *p = &l->pipe[!end];
    return (jab_str){p->bytes, p->arrived};
}

void sim_link_read(sim_link *l, int end, size_t n)
{
    sim_pipe *p = &l->pipe[!end];
    memmove(p->bytes, p->bytes + n, p->n - n);
    p->n -= n;
    p->arrived -= n;
}

int sim_link_ended(const sim_link *l, int end)
{
    const sim_pipe *p = &l->pipe[!end];
    if (p->arrived)
        return 0;
    if (l->told_at[end] <= l->now)
        return -1;
    return !l->broken && p->closed && p->n == 0 && p->held_until <= l->now;
}

/* -- Time and trouble ---------------------------------------------------------- */

/* What is under way is lost; what arrived may still be read. */
static void lose(sim_pipe *p)
{
    p->n = p->arrived;
    p->n_chunks = 0;
}

void sim_link_break(sim_link *l, const int64_t told[2])
{
    l->broken = 1;
    for (int end = 0; end < 2; end++) {
        lose(&l->pipe[end]);
        if (told[end] != JAB_NEVER && l->now + told[end] < l->told_at[end])
            l->told_at[end] = l->now + told[end];
    }
}

void sim_link_hold(sim_link *l, int end, int64_t until)
{
    sim_pipe *p = &l->pipe[end];
    if (until < p->held_until)
        until = p->held_until;
    p->held_until = until;
    for (size_t i = 0; i < p->n_chunks; i++)
        if (p->chunks[p->first_chunk + i].at < until)
            p->chunks[p->first_chunk + i].at = until;
    if (p->last_at < until)
        p->last_at = until;
}

void sim_link_release(sim_link *l)
{
    for (int end = 0; end < 2; end++) {
        sim_pipe *p = &l->pipe[end];
        if (p->held_until <= l->now)
            continue;
        p->held_until = p->last_at = l->now;
        for (size_t i = 0; i < p->n_chunks; i++)
            p->chunks[p->first_chunk + i].at = l->now;
    }
}

static int arrive(sim_pipe *p, int64_t now)
{
    while (p->n_chunks && p->chunks[p->first_chunk].at <= now) {
        size_t n = p->chunks[p->first_chunk].n;
        p->first_chunk++;
        p->n_chunks--;
        if (p->passed + n >= p->cut_at) {
            p->arrived += (size_t)(p->cut_at - p->passed);
            p->passed = p->cut_at;
            p->cut_at = UINT64_MAX;
            return 1;
        }
        p->arrived += n;
        p->passed += n;
    }
    return 0;
}

/* One end in three notices a break at once, one after some time, one only when
 * it writes. */
static int64_t notice(sim_rng *r)
{
    switch (sim_below(r, 3)) {
    case 0:
        return 0;
    case 1:
        return sim_between(r, 1, 20000);
    default:
        return JAB_NEVER;
    }
}

int sim_link_step(sim_link *l, int64_t now)
{
    l->now = now;
    int cut = 0;
    for (int end = 0; end < 2 && !l->broken; end++) {
        if (!arrive(&l->pipe[end], now))
            continue;
        int64_t told[2] = {notice(&l->rng), notice(&l->rng)};
        sim_link_break(l, told);
        cut = 1;
    }
    return cut;
}

int64_t sim_link_next(const sim_link *l)
{
    int64_t at = JAB_NEVER;
    for (int end = 0; end < 2; end++) {
        const sim_pipe *p = &l->pipe[end];
        if (p->n_chunks && p->chunks[p->first_chunk].at < at)
            at = p->chunks[p->first_chunk].at;
        if (p->closed && !l->broken && p->held_until > l->now && p->held_until < at)
            at = p->held_until;
        if (l->told_at[end] > l->now && l->told_at[end] < at)
            at = l->told_at[end];
    }
    return at;
}
