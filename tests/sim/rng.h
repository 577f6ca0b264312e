/* rng.h: chance from a seed (splitmix64): small, and the same everywhere. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct sim_rng {
    uint64_t state;
} sim_rng;

static inline uint64_t sim_mixed(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t sim_rand(sim_rng *r)
{
    return sim_mixed(r->state += UINT64_C(0x9e3779b97f4a7c15));
}

/* 0 ... n - 1; 0 when n is 0. */
static inline uint64_t sim_below(sim_rng *r, uint64_t n)
{
    return n ? sim_rand(r) % n : 0;
}

/* low ... high, both possible. */
static inline int64_t sim_between(sim_rng *r, int64_t low, int64_t high)
{
    return low + (int64_t)sim_below(r, (uint64_t)(high - low) + 1);
}

/* 1 in so many of a thousand cases. */
static inline int sim_chance(sim_rng *r, unsigned per_mille)
{
    return sim_below(r, 1000) < per_mille;
}

/* A source of its own, so that what one part draws does not move the others. */
static inline sim_rng sim_rng_fork(sim_rng *r)
{
    return (sim_rng){sim_rand(r)};
}

static inline void sim_rng_fill(sim_rng *r, void *p, size_t n)
{
    unsigned char *to = (unsigned char *)p;
    while (n) {
        uint64_t word = sim_rand(r);
        size_t some = n < sizeof word ? n : sizeof word;
        memcpy(to, &word, some);
        to += some;
        n -= some;
    }
}

#endif
