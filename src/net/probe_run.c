/* probe_run.c: one connection of a probe, from connect() to its end. */
#include "net/probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "net/tcp.h"

int jabi_probe_fault(jabi_probe_run *run, int code, jab_stage stage, jab_str condition,
                     const char *format, ...)
{
    jab_probe_address *address = run->address;
    char text[600];
    va_list arguments;
    if (address->fault.code)
        return code;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    address->fault = (jab_fault){.code = code, .stage = stage};
    address->fault.condition = jabi_probe_keep(run->p, condition);
    address->fault.text = jabi_probe_keep(run->p, (jab_str){text, size});
    return code;
}

int jabi_probe_enter(jabi_probe_run *run, int (*step)(jabi_probe_run *))
{
    jab_probe *p = run->p;
    run->step = step;
    run->began = jabi_now();
    int64_t end = p->phase == JABI_PROBE_TCP ? p->tcp_until : p->deadline;
    int64_t until = run->began + JABI_PROBE_STEP;
    jabi_timer_set(&p->loop->timers, &run->timer, until < end ? until : end);
    return JABI_PROBE_AGAIN;
}

/* Errors of connect() that say: there is no way from here, whoever is asked. */
static int is_local(int error)
{
    return error == ENETUNREACH || error == EADDRNOTAVAIL || error == EAFNOSUPPORT ||
           error == ENETDOWN;
}

static int not_connected(jabi_probe_run *run, int error)
{
    jab_probe_address *address = run->address;
    char words[64], text[JABI_ADDR_TEXT];
    jabi_errno_words(error, words, sizeof words);
    jabi_addr_format(&run->end->addr, text);
    run->end->state = JABI_END_FAILED;
    run->end->error = error;
    if (run->deep) /* it did connect before */
        return jabi_probe_fault(run, error == ETIMEDOUT ? JAB_ETIMEOUT : JAB_ECONNECT, JAB_AT_TCP,
                                (jab_str){0}, "%s %s", text, words);
    address->state = JAB_PROBE_FAILED_TCP;
    address->error = error;
    address->is_local = is_local(error);
    address->words = jabi_probe_keep(run->p, jab_cstr(words));
    return JAB_ECONNECT;
}

static int connected(jabi_probe_run *run)
{
    int error = jabi_tcp_result(run->watch.fd);
    if (error)
        return not_connected(run, error);
    if (run->deep && run->p->proxy)
        return jabi_probe_begin_proxy(run);
    if (run->deep)
        return run->target->direct_tls ? jabi_probe_begin_tls(run) : jabi_probe_begin_stream(run);
    run->address->state = JAB_PROBE_CONNECTED;
    run->address->took = jabi_now() - run->began;
    run->end->state = JABI_END_NEW;
    return JABI_PROBE_DONE;
}

/* -- Life ------------------------------------------------------------------------------ */

void jabi_probe_stop(jabi_probe_run *run)
{
    jab_loop *loop = run->p->loop;
    int fd = run->watch.fd;
    if (run->tls)
        jabi_tls_close(run->tls);
    jabi_tls_free(run->tls);
    run->tls = NULL;
    jabi_proxy_end(&run->talk);
    jabi_xml_parser_free(run->parser);
    run->parser = NULL;
    jabi_arena_fini(&run->tree);
    jabi_buf_fini(&run->out);
    jabi_timer_stop(&loop->timers, &run->timer);
    jabi_watch_remove(loop, &run->watch);
    if (fd >= 0)
        close(fd);
    run->address = NULL;
    run->p->running--;
}

void jabi_probe_late(jabi_probe_run *run)
{
    if (run->step == connected)
        not_connected(run, ETIMEDOUT);
    else if (run->step == jabi_probe_pass)
        jabi_probe_fault(run, JAB_ETIMEOUT, JAB_AT_TCP, (jab_str){0},
                         "the proxy did not open the connection in time");
    else if (run->step == jabi_probe_shake)
        jabi_probe_fault(run, JAB_ETIMEOUT, JAB_AT_TLS, (jab_str){0},
                         "the server did not finish the TLS handshake in time");
    else
        jabi_probe_fault(run, JAB_ETIMEOUT, JAB_AT_STREAM, (jab_str){0},
                         run->opened ? "the server did not say in time what it offers"
                                     : "the server said nothing in time");
}

static void over(jabi_probe_run *run)
{
    jab_probe *p = run->p;
    jabi_probe_stop(run);
    jabi_probe_next(p);
}

static uint32_t interest(const jabi_probe_run *run)
{
    if (run->step == connected)
        return EPOLLOUT;
    if (run->step == jabi_probe_pass)
        return EPOLLIN | (run->talk.out.n ? EPOLLOUT : 0u);
    if (run->tls && run->tls->wants_write)
        return EPOLLOUT;
    return EPOLLIN | (run->out_at < run->out.n && !run->tls ? EPOLLOUT : 0u);
}

static void go_on(jabi_probe_run *run)
{
    int result;
    do
        result = run->step(run);
    while (result == JABI_PROBE_AGAIN);
    if (result == JABI_PROBE_WAIT && jabi_watch_set(run->p->loop, &run->watch, interest(run)) < 0)
        result = not_connected(run, ENOMEM);
    if (result != JABI_PROBE_WAIT)
        over(run);
}

static void on_socket(void *arg, uint32_t events)
{
    (void)events;
    go_on(arg);
}

static void on_timer(void *arg)
{
    jabi_probe_late(arg);
    over(arg);
}

int jabi_probe_start(jabi_probe_run *run, const jabi_probe_spot *spot, int deep)
{
    jab_probe *p = run->p;
    *run = (jabi_probe_run){.p = p,
                            .address = spot->address,
                            .target = spot->target,
                            .from = spot->from,
                            .end = spot->end,
                            .deep = deep,
                            .watch = {.fd = -1, .fn = on_socket, .arg = run},
                            .timer = {.fn = on_timer, .arg = run}};
    jabi_arena_init(&run->tree, p->cfg.mem, JABI_PROBE_TREE_MAX);
    jabi_buf_init(&run->out, p->cfg.mem, 4096);
    spot->address->checked |= deep;
    p->running++;
    jabi_probe_enter(run, connected);
    int fd = jabi_tcp_connect(&spot->end->addr);
    int error = fd < 0 ? -fd : 0;
    if (!error) {
        run->watch.fd = fd;
        if (jabi_watch_set(p->loop, &run->watch, EPOLLOUT) < 0)
            error = ENOMEM;
    }
    if (error) {
        not_connected(run, error);
        jabi_probe_stop(run);
    }
    return !error;
}
