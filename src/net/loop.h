/*
 * loop.h: one epoll descriptor with what waits behind it: sockets (watches),
 * deadlines (timers) and work that needs no waiting (tasks).
 */
#ifndef JABI_LOOP_H
#define JABI_LOOP_H

#include <jabiru/client.h>
#include <sys/epoll.h>

#include "net/timer.h"

/* A descriptor that the loop looks at. Embedded in what it belongs to. */
typedef struct jabi_watch {
    int fd;          /* -1: none */
    uint32_t events; /* EPOLLIN, EPOLLOUT; 0: not in epoll, which would report
                      * a hang-up all the same */
    void (*fn)(void *arg, uint32_t events);
    void *arg;
} jabi_watch;

/* A member of one of the loop's queues. Embedded; queued at most once. */
typedef struct jabi_task {
    struct jabi_task *next, *prev;
    struct jabi_queue *queue; /* NULL: not queued */
    void (*fn)(void *arg);
    void *arg;
} jabi_task;

typedef struct jabi_queue {
    jabi_task *first, *last;
    size_t n;
} jabi_queue;

void jabi_queue_add(jabi_queue *q, jabi_task *task); /* nothing when it is in a queue */
void jabi_task_remove(jabi_task *task);

#define JABI_LOOP_BATCH   64
#define JABI_LOOP_SCRATCH 65536

struct jab_loop {
    const jab_mem *mem;
    int epoll_fd;
    int timer_fd; /* makes epoll_fd readable at deadlines */
    jabi_watch timer_watch;
    int64_t armed; /* what timer_fd is set to; JAB_NEVER: off */
    int fd_given;  /* somebody polls epoll_fd: timer_fd is needed */
    jabi_timers timers;
    jabi_queue work;  /* to be done in the next turn */
    jabi_queue ready; /* clients that have something for the application */
    struct epoll_event events[JABI_LOOP_BATCH];
    int n_events, at_event;   /* the batch being handed out */
    struct jabi_tls_ctx *tls; /* trust settings in use, shared by clients */
    char *scratch;            /* JABI_LOOP_SCRATCH bytes to read into */
};

/* Milliseconds of CLOCK_BOOTTIME. */
int64_t jabi_now(void);

/* Sets what is watched for, 0 for nothing; the watch's fd, fn and arg are
 * set. 0 or JAB_EIO. */
int jabi_watch_set(jab_loop *l, jabi_watch *w, uint32_t events) JAB_MUST_USE;

/* Ends watching and sets the watch's fd to -1; the descriptor stays open. An
 * event that epoll already reported for it is dropped. */
void jabi_watch_remove(jab_loop *l, jabi_watch *w);

/* Puts a task into the loop's work, and wakes who polls the descriptor. */
void jabi_loop_post(jab_loop *l, jabi_task *task);

/* One turn: does what is due; with nothing due it waits up to `timeout` ms
 * (-1: without end) for a socket or a deadline, and serves it. 0, or JAB_EIO. */
int jabi_loop_turn(jab_loop *l, int timeout) JAB_MUST_USE;

/* Sets timer_fd to the next deadline if somebody polls. After each turn and
 * before control goes back to the application. */
void jabi_loop_arm(jab_loop *l);

#endif
