/*
 * login_bench.h: what the programs that log in for bench/login.py say, and to whom.
 *
 *     PROGRAM JID PORT CA WAYS [VAULT]           password in $PEER_PASSWORD
 *
 * WAYS is words with commas between. Once the roster is there, a program prints when it began,
 * when it could send and when the roster was there, by the clock that does not jump, and the
 * processor time in between; it stays until its input ends, so that bytes of its end are not
 * counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct times {
    double begin, online, processor;
} times;

static inline double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline times begun(void)
{
    return (times){.begin = seconds(CLOCK_MONOTONIC),
                   .processor = seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

/* `how` is what else there is to say of the log-in. */
static inline void say_ready(const times *t, const char *how)
{
    printf("%.6f %.6f %.6f %.6f %s\n", t->begin, t->online, seconds(CLOCK_MONOTONIC),
           seconds(CLOCK_PROCESS_CPUTIME_ID) - t->processor, how);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
}

static inline int has_way(const char *ways, const char *way)
{
    size_t n = strlen(way);
    for (const char *at = ways; (at = strstr(at, way)); at += n)
        if ((at == ways || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
            return 1;
    return 0;
}
