/* system.c: the defaults for what a configuration leaves out. */
#include "base/system.h"

#include <limits.h>
#include <openssl/rand.h>
#include <time.h>

int jabi_random_default(void *arg, void *p, size_t n)
{
    (void)arg;
    return n <= INT_MAX && RAND_bytes(p, (int)n) == 1 ? 0 : JAB_ECRYPTO;
}

int64_t jabi_wall_default(void *arg)
{
    (void)arg;
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) < 0)
        return 0;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
