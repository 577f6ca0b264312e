/* loop.c: epoll, deadlines and work for one thread's clients. */
#include "net/loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/conn.h"

int64_t jabi_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void jabi_queue_add(jabi_queue *q, jabi_task *task)
{
    if (task->queue)
        return;
    task->queue = q;
    task->next = NULL;
    task->prev = q->last;
    if (q->last)
        q->last->next = task;
    else
        q->first = task;
    q->last = task;
    q->n++;
}

void jabi_task_remove(jabi_task *task)
{
    jabi_queue *q = task->queue;
    if (!q)
        return;
    if (task->prev)
        task->prev->next = task->next;
    else
        q->first = task->next;
    if (task->next)
        task->next->prev = task->prev;
    else
        q->last = task->prev;
    q->n--;
    task->queue = NULL;
    task->next = task->prev = NULL;
}

/* -- Watches --------------------------------------------------------------- */

/* Drops what epoll already reported for a watch. */
static void forget(jab_loop *l, const jabi_watch *w)
{
    for (int i = l->at_event; i < l->n_events; i++)
        if (l->events[i].data.ptr == w)
            l->events[i].data.ptr = NULL;
}

int jabi_watch_set(jab_loop *l, jabi_watch *w, uint32_t events)
{
    if (w->events == events)
        return 0;
    int op = !events ? EPOLL_CTL_DEL : w->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    struct epoll_event ev = {.events = events, .data.ptr = w};
    if (epoll_ctl(l->epoll_fd, op, w->fd, &ev) < 0)
        return JAB_EIO;
    w->events = events;
    if (!events)
        forget(l, w);
    return 0;
}

void jabi_watch_remove(jab_loop *l, jabi_watch *w)
{
    struct epoll_event ev = {0};
    if (w->fd >= 0 && w->events)
        epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, &ev);
    forget(l, w);
    w->fd = -1;
    w->events = 0;
}

/* -- Turns ----------------------------------------------------------------- */

void jabi_loop_arm(jab_loop *l)
{
    if (!l->fd_given)
        return;
    int64_t at = l->work.first || l->ready.first ? 0 : jabi_timers_next(&l->timers);
    if (at == l->armed)
        return;
    struct itimerspec when = {0};
    if (at != JAB_NEVER) {
        when.it_value.tv_sec = at > 0 ? at / 1000 : 0;
        when.it_value.tv_nsec = at > 0 ? at % 1000 * 1000000 : 0;
        if (when.it_value.tv_sec == 0 && when.it_value.tv_nsec == 0)
            when.it_value.tv_nsec = 1; /* all zero would switch it off */
    }
    if (timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
        l->armed = at;
}

void jabi_loop_post(jab_loop *l, jabi_task *task)
{
    jabi_queue_add(&l->work, task);
    jabi_loop_arm(l);
}

static size_t run_timers(jab_loop *l)
{
    int64_t now = jabi_now();
    size_t n = 0;
    for (jabi_timer *t; (t = jabi_timers_due(&l->timers, now)); n++)
        t->fn(t->arg);
    return n;
}

/* Does the work that is queued now; what this queues waits for the next turn. */
static size_t run_work(jab_loop *l)
{
    size_t done = 0;
    for (size_t n = l->work.n; done < n && l->work.first; done++) {
        jabi_task *task = l->work.first;
        jabi_task_remove(task);
        task->fn(task->arg);
    }
    return done;
}

static void run_watches(jab_loop *l)
{
    for (l->at_event = 0; l->at_event < l->n_events;) {
        struct epoll_event *ev = &l->events[l->at_event++];
        jabi_watch *w = ev->data.ptr;
        if (w && w->fn)
            w->fn(w->arg, ev->events);
    }
    l->n_events = l->at_event = 0;
}

static int wait_ms(const jab_loop *l, int timeout)
{
    if (l->work.first || timeout == 0)
        return 0;
    int64_t next = jabi_timers_next(&l->timers);
    if (next == JAB_NEVER)
        return timeout;
    int64_t left = next - jabi_now();
    if (left < 0)
        left = 0;
    if (left > INT_MAX)
        left = INT_MAX;
    return timeout < 0 || left < timeout ? (int)left : timeout;
}

int jabi_loop_turn(jab_loop *l, int timeout)
{
    /* What is done here may be what the caller waits for: no wait after it. */
    size_t done = run_timers(l) + run_work(l);
    int n = epoll_wait(l->epoll_fd, l->events, JABI_LOOP_BATCH, done ? 0 : wait_ms(l, timeout));
    if (n < 0 && errno != EINTR)
        return JAB_EIO;
    l->n_events = n > 0 ? n : 0;
    run_watches(l);
    run_timers(l);
    run_work(l);
    return 0;
}

/* -- The public side --------------------------------------------------------- */

/* timer_fd only has to make epoll_fd readable: its turn sets it anew. */
static void on_timer_fd(void *arg, uint32_t events)
{
    (void)events;
    jab_loop *l = arg;
    uint64_t times;
    if (read(l->timer_fd, &times, sizeof times) == (ssize_t)sizeof times)
        l->armed = JAB_NEVER;
}

static int open_descriptors(jab_loop *l)
{
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (l->epoll_fd < 0 || l->timer_fd < 0)
        return JAB_EIO;
    l->timer_watch = (jabi_watch){.fd = l->timer_fd, .fn = on_timer_fd, .arg = l};
    return jabi_watch_set(l, &l->timer_watch, EPOLLIN);
}

int jab_loop_new(jab_loop **out, const jab_mem *mem)
{
    if (!mem)
        mem = jabi_mem_default();
    *out = NULL;
    jab_loop *l = jabi_alloc0(mem, sizeof *l);
    if (!l)
        return JAB_ENOMEM;
    l->mem = mem;
    l->epoll_fd = l->timer_fd = -1;
    l->armed = JAB_NEVER;
    l->scratch = jabi_alloc(mem, JABI_LOOP_SCRATCH);
    int err = l->scratch ? open_descriptors(l) : JAB_ENOMEM;
    if (err < 0) {
        jab_loop_free(l);
        return err;
    }
    *out = l;
    return 0;
}

void jab_loop_free(jab_loop *l)
{
    if (!l)
        return;
    if (l->timer_fd >= 0)
        close(l->timer_fd);
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    if (l->scratch)
        jabi_wipe(l->scratch, JABI_LOOP_SCRATCH);
    jabi_free(l->mem, l->scratch);
    jabi_free(l->mem, l);
}

int jab_loop_wait(jab_loop *l, int timeout)
{
    int64_t until = timeout < 0 ? JAB_NEVER : jabi_now() + timeout;
    int left = l->ready.first ? 0 : timeout;
    for (;;) {
        int err = jabi_loop_turn(l, left);
        if (err < 0)
            return err;
        int64_t now = jabi_now();
        if (l->ready.first || now >= until)
            break;
        left = timeout < 0 ? -1 : (int)(until - now);
    }
    jabi_loop_arm(l);
    return l->ready.n > INT_MAX ? INT_MAX : (int)l->ready.n;
}

jab_client *jab_loop_next(jab_loop *l)
{
    jabi_task *task = l->ready.first;
    if (!task)
        return NULL;
    jabi_task_remove(task);
    jabi_client_shown(task->arg);
    return task->arg;
}

int jab_loop_fd(const jab_loop *l)
{
    /* Only the loop's own bookkeeping changes, which the caller cannot see. */
    jab_loop *self = (jab_loop *)l;
    self->fd_given = 1;
    jabi_loop_arm(self);
    return l->epoll_fd;
}

int jab_loop_timeout(const jab_loop *l)
{
    return l->ready.first ? 0 : wait_ms(l, -1);
}
