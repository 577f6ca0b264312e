/* test_net_race.c: Happy Eyeballs: which address is next, and who wins. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "net/race.h"

#define NOW 1000000

/* -- Which one next, on a clock of our own ------------------------------------- */

static void add(jabi_target *t, const char *address, uint16_t port, int64_t now)
{
    jabi_addr a;
    assert_true(jabi_addr_parse(&a, jab_cstr(address), port));
    jabi_target_add(t, &a, now);
}

static void picks(jabi_targets *all, int64_t now, const char *expected)
{
    int family = 0;
    char text[JABI_ADDR_TEXT];
    size_t at = 0;
    char got[400] = "";
    for (;;) {
        jabi_target *target;
        int64_t wait;
        jabi_end *end = jabi_race_pick(all, family, now, &target, &wait);
        if (!end)
            break;
        end->state = JABI_END_TRYING;
        family = end->addr.any.sa_family;
        jabi_addr_format(&end->addr, text);
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%s", at ? " " : "", text);
    }
    assert_string_equal(got, expected);
}

static void families_alternate_within_a_target(void **state)
{
    (void)state;
    jabi_targets all = {.n = 2, .complete = 1, .began_at = NOW};
    add(&all.list[0], "192.0.2.1", 1, NOW);
    add(&all.list[0], "192.0.2.2", 1, NOW);
    add(&all.list[0], "192.0.2.2", 1, NOW); /* once is enough */
    add(&all.list[0], "2001:db8::1", 1, NOW);
    add(&all.list[0], "2001:db8::2", 1, NOW);
    add(&all.list[1], "2001:db8::3", 2, NOW);
    picks(&all, NOW, "[2001:db8::1]:1 192.0.2.1:1 [2001:db8::2]:1 192.0.2.2:1 [2001:db8::3]:2");
}

static void ipv4_waits_a_little_for_ipv6(void **state)
{
    (void)state;
    jabi_targets all = {.n = 1, .complete = 1, .began_at = NOW};
    jabi_target *t;
    int64_t wait;
    all.list[0].open_v6 = 1;
    add(&all.list[0], "192.0.2.1", 1, NOW + 10);
    assert_null(jabi_race_pick(&all, 0, NOW + 59, &t, &wait));
    assert_int_equal(wait, NOW + 10 + 50);
    assert_non_null(jabi_race_pick(&all, 0, NOW + 60, &t, &wait));
    all.list[0].open_v6 = 0; /* answered: no reason to wait any more */
    assert_non_null(jabi_race_pick(&all, 0, NOW + 11, &t, &wait));
}

static void a_silent_first_target_holds_up_the_second_for_a_moment(void **state)
{
    (void)state;
    jabi_targets all = {.n = 2, .complete = 1, .began_at = NOW};
    jabi_target *t;
    int64_t wait;
    all.list[0].open_v6 = all.list[0].open_v4 = 1;
    add(&all.list[1], "192.0.2.1", 1, NOW);
    assert_null(jabi_race_pick(&all, 0, NOW + 249, &t, &wait));
    assert_int_equal(wait, NOW + 250);
    assert_non_null(jabi_race_pick(&all, 0, NOW + 250, &t, &wait));
    assert_ptr_equal(t, &all.list[1]);
}

/* -- The race itself, on loopback ------------------------------------------------ */

static int changes;

static void on_change(void *arg)
{
    (void)arg;
    changes++;
}

/* A listening socket; *port says where. */
static int listener(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static uint16_t closed_port(void)
{
    uint16_t port;
    close(listener(&port));
    return port;
}

/* A black hole: a listener whose queue is full drops what else comes. */
typedef struct hole {
    int fd, fill[4];
} hole;

static hole hole_open(uint16_t *port)
{
    hole h = {.fd = listener(port)};
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < 4; i++) {
        h.fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(h.fill[i], (struct sockaddr *)&a, sizeof a);
    }
    return h;
}

static void hole_close(hole *h)
{
    for (int i = 0; i < 4; i++)
        close(h->fill[i]);
    close(h->fd);
}

static jabi_race_state run(jabi_race *race, jab_loop *loop, int64_t ms)
{
    jabi_race_state result = jabi_race_run(race);
    int64_t until = jabi_now() + ms;
    changes = 0;
    while (result == JABI_RACE_RUNNING && !changes && jabi_now() < until)
        assert_int_equal(jabi_loop_turn(loop, 50), 0);
    return jabi_race_run(race);
}

static void a_black_hole_costs_a_quarter_of_a_second(void **state)
{
    (void)state;
    jab_loop *loop;
    jabi_race race;
    uint16_t silent, good;
    hole h = hole_open(&silent);
    int fd = listener(&good);
    assert_int_equal(jab_loop_new(&loop, NULL), 0);
    jabi_targets all = {.n = 2, .complete = 1, .began_at = jabi_now()};
    add(&all.list[0], "127.0.0.1", silent, jabi_now());
    add(&all.list[1], "127.0.0.1", good, jabi_now());
    jabi_race_init(&race, loop, &all, on_change, NULL);
    int64_t began = jabi_now();
    assert_int_equal(run(&race, loop, 3000), JABI_RACE_WON);
    assert_in_range(jabi_now() - began, 240, 600);
    assert_ptr_equal(race.target, &all.list[1]);
    assert_int_equal(all.list[0].ends[0].state, JABI_END_NEW); /* may be tried again */
    assert_true(jabi_race_has_more(&race));
    int won = jabi_race_take(&race);
    assert_true(won >= 0);
    assert_int_equal(fcntl(won, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(won);
    for (int i = 0; i < JABI_RACE_RUNNERS; i++)
        assert_int_equal(race.runners[i].watch.fd, -1); /* the loser is closed */
    jabi_race_fini(&race);
    jab_loop_free(loop);
    hole_close(&h);
    close(fd);
}

static void a_refusal_starts_the_next_at_once(void **state)
{
    (void)state;
    jab_loop *loop;
    jabi_race race;
    uint16_t good;
    int fd = listener(&good);
    assert_int_equal(jab_loop_new(&loop, NULL), 0);
    jabi_targets all = {.n = 2, .complete = 1, .began_at = jabi_now()};
    add(&all.list[0], "127.0.0.1", closed_port(), jabi_now());
    add(&all.list[1], "127.0.0.1", good, jabi_now());
    jabi_race_init(&race, loop, &all, on_change, NULL);
    int64_t began = jabi_now();
    assert_int_equal(run(&race, loop, 3000), JABI_RACE_WON);
    assert_in_range(jabi_now() - began, 0, 150);
    /* And when what comes after the connection fails, nothing is left. */
    close(jabi_race_take(&race));
    assert_int_equal(jabi_race_again(&race), JABI_RACE_LOST);
    jabi_race_fini(&race);
    jab_loop_free(loop);
    close(fd);
}

static void all_refusals_are_named(void **state)
{
    (void)state;
    jab_loop *loop;
    jabi_race race;
    uint16_t port = closed_port();
    assert_int_equal(jab_loop_new(&loop, NULL), 0);
    jabi_targets all = {.n = 1, .complete = 1, .began_at = jabi_now()};
    add(&all.list[0], "::1", port, jabi_now());
    add(&all.list[0], "127.0.0.1", port, jabi_now());
    jabi_race_init(&race, loop, &all, on_change, NULL);
    assert_int_equal(run(&race, loop, 3000), JABI_RACE_LOST);
    char expected[200], words[200], cut[40];
    snprintf(expected, sizeof expected, "127.0.0.1:%d connection refused", port);
    jabi_race_words(&race, words, sizeof words);
    assert_non_null(strstr(words, expected));
    snprintf(expected, sizeof expected, "[::1]:%d ", port);
    assert_int_equal(strncmp(words, expected, strlen(expected)), 0);
    jabi_race_words(&race, cut, sizeof cut);
    assert_true(strlen(cut) < sizeof cut);
    jabi_race_fini(&race);
    jab_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_alternate_within_a_target),
        cmocka_unit_test(ipv4_waits_a_little_for_ipv6),
        cmocka_unit_test(a_silent_first_target_holds_up_the_second_for_a_moment),
        cmocka_unit_test(a_black_hole_costs_a_quarter_of_a_second),
        cmocka_unit_test(a_refusal_starts_the_next_at_once),
        cmocka_unit_test(all_refusals_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
