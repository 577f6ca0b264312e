/*
 * test_storm.c: what 10,000 clients of a server that restarted do to it, under
 * virtual time. The policy is the library's own; the network is two numbers:
 * how long the server is down, and how long a vain attempt takes.
 *
 * Peak to mean is measured from the first log-in to the one by which 95 % of
 * the clients are back: the most log-ins within one second, over the mean of a
 * second in that time. The attempts while nobody listens are no load.
 */
#include "unit.h"

#include "net/retry.h"

#define CLIENTS   10000
#define SECONDS   2000
#define REFUSED   0     /* ms: the machine is up, and says so */
#define TIMED_OUT 30000 /* ms: jab_config.connect_timeout */

typedef struct storm {
    unsigned long long seed;
    int64_t down;    /* ms */
    int64_t in_vain; /* ms that an attempt takes while the server is down */
    int64_t back[CLIENTS];
    jabi_backoff backoff[CLIENTS];
} storm;

static storm st;

/* xorshift64* */
static int dice(void *arg, void *p, size_t n)
{
    storm *s = arg;
    uint64_t x = s->seed;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    s->seed = x;
    x *= 2685821657736338717u;
    memcpy(p, &x, n < sizeof x ? n : sizeof x);
    return 0;
}

/* When a client that lost its connection at 0 is back. */
static int64_t comes_back(jabi_backoff *b)
{
    int64_t now = jabi_backoff_next(b, dice, &st);
    while (now < st.down)
        now += st.in_vain + jabi_backoff_next(b, dice, &st);
    return now;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* One restart: st.back is sorted then. */
static void restart(int64_t down, int64_t in_vain)
{
    st.down = down;
    st.in_vain = in_vain;
    for (size_t i = 0; i < CLIENTS; i++)
        st.back[i] = comes_back(&st.backoff[i]);
    qsort(st.back, CLIENTS, sizeof *st.back, by_time);
}

static void begin(unsigned long long seed)
{
    memset(&st, 0, sizeof st);
    st.seed = seed * 0x9e3779b97f4a7c15u + 1;
}

static unsigned peak(void)
{
    static unsigned seconds[SECONDS];
    unsigned most = 0;
    memset(seconds, 0, sizeof seconds);
    for (size_t i = 0; i < CLIENTS * 95 / 100; i++) {
        size_t second = (size_t)(st.back[i] - st.back[0]) / 1000;
        assert_in_range(second, 0, SECONDS - 1);
        if (++seconds[second] > most)
            most = seconds[second];
    }
    return most;
}

static double peak_to_mean(void)
{
    size_t n = CLIENTS * 95 / 100;
    double span = (double)(st.back[n - 1] - st.back[0]) / 1000;
    return peak() * (span > 1 ? span : 1) / (double)n;
}

static void a_restarted_server_is_not_stormed(void **state)
{
    (void)state;
    static const int64_t downs[] = {0, 5000, 60000, 600000};
    static const int64_t vain[] = {REFUSED, TIMED_OUT};
    for (unsigned seed = 1; seed <= 3; seed++)
        for (size_t i = 0; i < 4; i++)
            for (size_t k = 0; k < 2; k++) {
                begin(seed);
                restart(downs[i], vain[k]);
                double ratio = peak_to_mean();
                if (seed == 1)
                    print_message("# down %3d s, an attempt in vain takes %2d s: peak %4u/s, "
                                  "peak to mean %.2f, 95 %% back %.0f s after the server\n",
                                  (int)(downs[i] / 1000), (int)(vain[k] / 1000), peak(), ratio,
                                  (double)(st.back[CLIENTS * 95 / 100] - st.down) / 1000);
                if (ratio > 3)
                    fail_msg("peak to mean %.2f after %d s", ratio, (int)(downs[i] / 1000));
            }
}

/* The bound holds whenever the server comes back, not only at chosen moments. */
static void no_length_of_the_outage_is_unlucky(void **state)
{
    (void)state;
    double worst = 0;
    int64_t worst_down = 0;
    for (int64_t down = 0; down < 900000; down += down < 30000 ? 1000 : down / 10) {
        begin((unsigned)down + 7);
        restart(down, REFUSED);
        double ratio = peak_to_mean();
        if (ratio > worst) {
            worst = ratio;
            worst_down = down;
        }
    }
    print_message("# worst peak to mean %.2f, after %d s\n", worst, (int)(worst_down / 1000));
    assert_true(worst <= 3);
}

/* A server that falls again under the load gets more time with each fall. */
static void a_server_that_keeps_falling_is_left_in_peace(void **state)
{
    (void)state;
    unsigned first = 0, last = 0;
    begin(1);
    for (int fall = 0; fall < 10; fall++) {
        restart(0, REFUSED);
        last = peak();
        if (fall == 0)
            first = last;
        for (size_t i = 0; i < CLIENTS; i++)
            jabi_backoff_was_online(&st.backoff[i], 20000);
    }
    assert_true(last * 20 < first);
}

/* A single user, a moment's trouble: nobody should have to look at it. */
static void after_a_blip_one_is_back_at_once(void **state)
{
    (void)state;
    begin(1);
    restart(0, REFUSED);
    assert_in_range(st.back[CLIENTS / 2], 0, 1999);
    begin(1);
    restart(3000, REFUSED); /* and soon after a short outage */
    assert_in_range(st.back[CLIENTS / 2] - 3000, 0, 1999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restarted_server_is_not_stormed),
        cmocka_unit_test(no_length_of_the_outage_is_unlucky),
        cmocka_unit_test(a_server_that_keeps_falling_is_left_in_peace),
        cmocka_unit_test(after_a_blip_one_is_back_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
