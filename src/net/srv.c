/* srv.c: the order of SRV targets (RFC 2782, "Usage rules"; XEP-0368 §3). */
#include "net/srv.h"

#include <stdlib.h>

jabi_srv_verdict jabi_srv_judge(jabi_srv_answer direct, jabi_srv_answer starttls)
{
    if (direct == JABI_SRV_OPEN || starttls == JABI_SRV_OPEN)
        return JABI_SRV_WAIT;
    if (direct == JABI_SRV_SOME || starttls == JABI_SRV_SOME)
        return JABI_SRV_USE;
    /* "." from one and nothing from the other: XEP-0368 §3 wants no fallback. */
    if (direct == JABI_SRV_REFUSED || starttls == JABI_SRV_REFUSED)
        return JABI_SRV_STOP;
    return JABI_SRV_FALLBACK;
}

/* By priority; records of weight 0 first, as RFC 2782 wants for the draw. */
static int compare(const void *a, const void *b)
{
    const jabi_srv *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return (x->weight > 0) - (y->weight > 0);
}

static size_t drop_useless(jabi_srv *records, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const char *host = records[i].host;
        if (records[i].port != 0 && host[0] != '\0' && strcmp(host, ".") != 0)
            records[kept++] = records[i];
    }
    return kept;
}

/* Draws one of the n records by weight: the first whose running sum reaches a
 * random number between 0 and the sum of all (RFC 2782). Without randomness
 * the order of the records stands. */
static size_t draw(const jabi_srv *records, size_t n, jab_random_fn random, void *random_arg)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += records[i].weight;
    uint64_t dice = 0;
    if (random(random_arg, &dice, sizeof dice) < 0)
        dice = 0;
    dice %= sum + 1;
    uint64_t running = 0;
    for (size_t i = 0; i < n; i++) {
        running += records[i].weight;
        if (running >= dice)
            return i;
    }
    return n - 1;
}

size_t jabi_srv_order(jabi_srv *records, size_t n, jab_random_fn random, void *random_arg,
                      jabi_srv out[JABI_TARGETS_MAX])
{
    n = drop_useless(records, n);
    if (n > 1)
        qsort(records, n, sizeof *records, compare);
    size_t used = 0;
    for (size_t from = 0; from < n && used < JABI_TARGETS_MAX;) {
        size_t to = from;
        while (to < n && records[to].priority == records[from].priority)
            to++;
        while (from < to && used < JABI_TARGETS_MAX) {
            size_t at = from + draw(records + from, to - from, random, random_arg);
            out[used++] = records[at];
            /* The rest keeps its order: those of weight 0 stay in front. */
            memmove(records + from + 1, records + from, (at - from) * sizeof *records);
            from++;
        }
        from = to;
    }
    return used;
}
