/* race.c: Happy Eyeballs (RFC 8305) over all targets of a domain. */
#include "net/race.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "net/tcp.h"

/* -- Which one next ------------------------------------------------------------ */

/* An untried address, of the other family than the last one if there is one
 * (RFC 8305 §4: families alternate, IPv6 first). */
static jabi_end *untried(jabi_target *t, int last_family)
{
    jabi_end *any = NULL;
    for (size_t i = 0; i < t->n; i++) {
        jabi_end *end = &t->ends[i];
        if (end->state != JABI_END_NEW)
            continue;
        int family = end->addr.any.sa_family;
        if (last_family == AF_INET6 ? family == AF_INET : family == AF_INET6)
            return end;
        if (!any)
            any = end;
    }
    return any;
}

/* Whether a target whose look-ups are not finished is worth waiting for, and
 * until when: for AAAA after A the resolution delay (RFC 8305 §3); for a
 * target of which nothing is known, as long as between two attempts. */
static int64_t worth_waiting(const jabi_targets *all, const jabi_target *t)
{
    if (t->open_tlsa)
        return all->began_at + JABI_RACE_STAGGER;
    if (!t->open_v6 && (!t->open_v4 || t->n > 0))
        return 0;
    return t->n > 0 ? t->first_at + JABI_RACE_V6_DELAY : all->began_at + JABI_RACE_STAGGER;
}

jabi_end *jabi_race_pick(jabi_targets *all, int last_family, int64_t now, jabi_target **target,
                         int64_t *wait)
{
    *wait = JAB_NEVER;
    for (size_t i = 0; i < all->n; i++) {
        jabi_target *t = &all->list[i];
        int64_t until = worth_waiting(all, t);
        if (now < until) {
            *wait = until;
            return NULL;
        }
        jabi_end *end = t->open_tlsa ? NULL : untried(t, last_family);
        if (end) {
            *target = t;
            return end;
        }
    }
    return NULL;
}

/* -- Attempts ------------------------------------------------------------------ */

static void stop_runner(jabi_race *race, jabi_runner *runner)
{
    int fd = runner->watch.fd;
    if (fd < 0)
        return;
    jabi_watch_remove(race->loop, &runner->watch);
    close(fd);
}

static void fail(jabi_end *end, int error)
{
    end->state = JABI_END_FAILED;
    end->error = error;
}

/* One attempt is connected: the others stop, and may be tried again later. */
static void win(jabi_race *race, jabi_runner *winner)
{
    race->fd = winner->watch.fd;
    race->target = winner->target;
    race->end = winner->end;
    race->end->state = JABI_END_WON;
    jabi_watch_remove(race->loop, &winner->watch);
    for (size_t i = 0; i < JABI_RACE_RUNNERS; i++) {
        if (race->runners[i].watch.fd < 0)
            continue;
        race->runners[i].end->state = JABI_END_NEW;
        stop_runner(race, &race->runners[i]);
    }
    jabi_timer_stop(&race->loop->timers, &race->timer);
}

static void on_writable(void *arg, uint32_t events)
{
    (void)events;
    jabi_runner *runner = arg;
    jabi_race *race = runner->race;
    int error = jabi_tcp_result(runner->watch.fd);
    if (error == 0) {
        win(race, runner);
    } else {
        fail(runner->end, error);
        stop_runner(race, runner);
        race->next_at = 0; /* RFC 8305 §5: the next one starts at once */
    }
    if (jabi_race_run(race) != JABI_RACE_RUNNING)
        race->changed(race->arg);
}

static void on_timer(void *arg)
{
    jabi_race *race = arg;
    if (jabi_race_run(race) != JABI_RACE_RUNNING)
        race->changed(race->arg);
}

/* Begins one attempt. 0, or an errno when it failed at once. */
static int start(jabi_race *race, jabi_runner *runner, jabi_target *target, jabi_end *end)
{
    int fd = jabi_tcp_connect(&end->addr);
    if (fd < 0)
        return -fd;
    runner->watch.fd = fd;
    runner->target = target;
    runner->end = end;
    if (jabi_watch_set(race->loop, &runner->watch, EPOLLOUT) < 0) {
        runner->watch.fd = -1;
        close(fd);
        return ENOMEM;
    }
    end->state = JABI_END_TRYING;
    race->last_family = end->addr.any.sa_family;
    return 0;
}

static jabi_runner *idle_runner(jabi_race *race)
{
    for (size_t i = 0; i < JABI_RACE_RUNNERS; i++)
        if (race->runners[i].watch.fd < 0)
            return &race->runners[i];
    return NULL;
}

static size_t count(const jabi_targets *all, jabi_end_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->list[i].n; k++)
            n += all->list[i].ends[k].state == state;
    return n;
}

static int look_ups_open(const jabi_targets *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].open_v4 || all->list[i].open_v6 || all->list[i].open_tlsa)
            return 1;
    return !all->complete;
}

static jabi_race_state state_of(const jabi_race *race)
{
    if (race->fd >= 0)
        return JABI_RACE_WON;
    const jabi_targets *all = race->targets;
    int over =
        !look_ups_open(all) && count(all, JABI_END_NEW) == 0 && count(all, JABI_END_TRYING) == 0;
    return over ? JABI_RACE_LOST : JABI_RACE_RUNNING;
}

jabi_race_state jabi_race_run(jabi_race *race)
{
    int64_t now = jabi_now(), wait = JAB_NEVER;
    while (race->fd < 0) {
        jabi_runner *runner = idle_runner(race);
        jabi_target *target = NULL;
        wait = JAB_NEVER;
        if (!runner)
            break;
        if (now < race->next_at && count(race->targets, JABI_END_NEW) > 0) {
            wait = race->next_at;
            break;
        }
        jabi_end *end = jabi_race_pick(race->targets, race->last_family, now, &target, &wait);
        if (!end)
            break;
        int error = start(race, runner, target, end);
        if (error)
            fail(end, error);
        else
            race->next_at = now + JABI_RACE_STAGGER;
    }
    jabi_timer_set(&race->loop->timers, &race->timer, race->fd < 0 ? wait : JAB_NEVER);
    return state_of(race);
}

/* -- The rest ------------------------------------------------------------------ */

void jabi_race_init(jabi_race *race, jab_loop *loop, jabi_targets *targets, void (*changed)(void *),
                    void *arg)
{
    *race = (jabi_race){.loop = loop, .targets = targets, .changed = changed, .arg = arg, .fd = -1};
    race->timer.fn = on_timer;
    race->timer.arg = race;
    for (size_t i = 0; i < JABI_RACE_RUNNERS; i++) {
        jabi_runner *runner = &race->runners[i];
        runner->race = race;
        runner->watch = (jabi_watch){.fd = -1, .fn = on_writable, .arg = runner};
    }
}

void jabi_race_fini(jabi_race *race)
{
    if (!race->loop)
        return;
    for (size_t i = 0; i < JABI_RACE_RUNNERS; i++)
        stop_runner(race, &race->runners[i]);
    jabi_timer_stop(&race->loop->timers, &race->timer);
    if (race->fd >= 0)
        close(race->fd);
    race->fd = -1;
    race->loop = NULL;
}

int jabi_race_take(jabi_race *race)
{
    int fd = race->fd;
    race->fd = -1;
    return fd;
}

jabi_race_state jabi_race_again(jabi_race *race)
{
    if (race->end)
        fail(race->end, 0);
    race->next_at = 0;
    return jabi_race_run(race);
}

int jabi_race_has_more(const jabi_race *race)
{
    return look_ups_open(race->targets) || count(race->targets, JABI_END_NEW) > 0;
}

void jabi_race_words(const jabi_race *race, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < race->targets->n; i++) {
        const jabi_target *t = &race->targets->list[i];
        for (size_t k = 0; k < t->n && !t->is_recalled; k++) {
            const jabi_end *end = &t->ends[k];
            char address[JABI_ADDR_TEXT], why[64];
            jabi_addr_format(&end->addr, address);
            if (end->state == JABI_END_FAILED && end->error)
                jabi_errno_words(end->error, why, sizeof why);
            else
                snprintf(why, sizeof why, "%s",
                         end->state == JABI_END_FAILED ? "failed later" : "no answer");
            int n = snprintf(out + at, size - at, "%s%s %s", at ? ", " : "", address, why);
            if (n < 0 || (size_t)n >= size - at) {
                out[at] = '\0'; /* no half addresses */
                return;
            }
            at += (size_t)n;
        }
    }
}
