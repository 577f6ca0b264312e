/* probe.c: the course of a probe: names, TCP to every address, then TLS and the
 * stream where a client would go. */
#include "net/probe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "net/race.h"
#include "net/retry.h"
#include "session/session.h"

/* -- Memory of the report --------------------------------------------------------------- */

void *jabi_probe_alloc(jab_probe *p, size_t n)
{
    void *room = jabi_arena_alloc(&p->facts, n);
    if (room)
        memset(room, 0, n);
    else
        p->error = JAB_ENOMEM;
    return room;
}

jab_str jabi_probe_keep(jab_probe *p, jab_str s)
{
    jab_str copy = jabi_arena_str(&p->facts, s);
    if (s.p && !copy.p)
        p->error = JAB_ENOMEM;
    return copy;
}

jab_str jabi_probe_clean(jab_probe *p, const char *z)
{
    jab_str copy = jabi_probe_keep(p, jab_cstr(z));
    char *bytes = (char *)copy.p; /* the arena's, and so ours */
    int is_text = jabi_utf8_valid(copy);
    for (size_t i = 0; i < copy.n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        /* C1, U+0080 to U+009F, in UTF-8; the NUL behind the last byte is none. */
        int is_c1 = is_text && c == 0xc2 && (unsigned char)bytes[i + 1] < 0xa0;
        if (c < ' ' || c == 0x7f || is_c1 || (c > 0x7f && !is_text))
            bytes[i] = '?';
        if (is_c1)
            bytes[++i] = '?';
    }
    return copy;
}

/* -- The end ------------------------------------------------------------------------------ */

/* How far a client would come at an address. */
static int reach(const jab_probe_address *a)
{
    if (a->checked && !a->fault.code)
        return 5;
    return a->offer ? 4 : a->tls ? 3 : a->checked ? 2 : a->state == JAB_PROBE_CONNECTED;
}

static void note_tcp(jab_probe *p)
{
    char words[400], text[700];
    jabi_race race = {.targets = &p->targets};
    int late = 1;
    for (size_t i = 0; i < p->n_spots; i++)
        late &= p->spots[i].address->state == JAB_PROBE_UNTRIED ||
                p->spots[i].address->error == ETIMEDOUT;
    jabi_race_words(&race, words, sizeof words);
    snprintf(text, sizeof text, "%s %s: %s",
             late ? "no connection in time to" : "could not connect to", p->domain, words);
    p->report.fault = (jab_fault){.code = late ? JAB_ETIMEOUT : JAB_ECONNECT,
                                  .stage = JAB_AT_TCP,
                                  .text = jabi_probe_keep(p, jab_cstr(text))};
}

/* The best address, and when that is not good enough, the fault that tells most. */
static void judge(jab_probe *p)
{
    jab_probe_report *report = &p->report;
    const jab_fault *worst = NULL;
    int best = 0;
    for (size_t i = 0; i < p->n_spots; i++) {
        const jab_probe_address *a = p->spots[i].address;
        if (reach(a) > best) {
            best = reach(a);
            report->best = a;
        }
        if (a->fault.code &&
            (!worst || jabi_fault_rank(a->fault.code) > jabi_fault_rank(worst->code)))
            worst = &a->fault;
    }
    if (p->n_spots == 0)
        report->fault = report->dns.fault;
    else if (worst && best < 5)
        report->fault = *worst;
    else if (best < 5)
        note_tcp(p);
}

static void finish(jab_probe *p)
{
    if (p->phase == JABI_PROBE_OVER)
        return;
    p->phase = JABI_PROBE_OVER;
    for (size_t i = 0; i < JABI_PROBE_RUNS; i++)
        if (p->runs[i].address)
            jabi_probe_stop(&p->runs[i]);
    jabi_timer_stop(&p->loop->timers, &p->timer);
    judge(p);
    p->report.took = jabi_now() - p->began;
}

static void on_deadline(void *arg)
{
    jab_probe *p = arg;
    if (p->phase == JABI_PROBE_NAMES) {
        p->report.dns.took = jabi_now() - p->began;
        p->report.dns.fault = (jab_fault){.code = JAB_ETIMEOUT,
                                          .stage = JAB_AT_DNS,
                                          .text = JAB_STR("the name server did not answer")};
    }
    for (size_t i = 0; i < JABI_PROBE_RUNS; i++)
        if (p->runs[i].address)
            jabi_probe_late(&p->runs[i]);
    finish(p);
}

/* -- From address to address ---------------------------------------------------------------- */

static jabi_probe_run *idle_run(jab_probe *p)
{
    size_t most = p->phase == JABI_PROBE_TCP ? JABI_PROBE_RUNS
                  : p->flags & JAB_PROBE_ALL ? JABI_PROBE_CHECKS
                                             : 1;
    for (size_t i = 0; i < most; i++)
        if (!p->runs[i].address)
            return &p->runs[i];
    return NULL;
}

static void connect_all(jab_probe *p)
{
    jabi_probe_run *run;
    while (p->next < p->n_spots && jabi_now() < p->tcp_until && (run = idle_run(p))) {
        run->p = p;
        jabi_probe_start(run, &p->spots[p->next++], 0);
    }
}

/* Whether one is found that a client would stay with, and no more is asked for. */
static int found(const jab_probe *p)
{
    for (size_t i = 0; i < p->next && !(p->flags & JAB_PROBE_ALL); i++)
        if (reach(p->spots[i].address) == 5 && p->running == 0)
            return 1;
    return 0;
}

static void check_all(jab_probe *p)
{
    jabi_probe_run *run;
    while (p->next < p->n_spots && !found(p) && (run = idle_run(p))) {
        const jabi_probe_spot *spot = &p->spots[p->next++];
        run->p = p;
        if (spot->address->state == JAB_PROBE_CONNECTED)
            jabi_probe_start(run, spot, 1);
    }
}

void jabi_probe_next(jab_probe *p)
{
    if (p->phase == JABI_PROBE_TCP) {
        connect_all(p);
        if (p->running > 0)
            return;
        p->phase = JABI_PROBE_STREAMS;
        p->next = 0;
    }
    check_all(p);
    if (p->running == 0 || p->error)
        finish(p);
}

static void on_names(void *arg)
{
    jab_probe *p = arg;
    int64_t now = jabi_now();
    if (p->phase != JABI_PROBE_NAMES || !jabi_resolve_done(p->resolve))
        return;
    jabi_probe_note_dns(p);
    if (jabi_probe_lay_out(p) < 0) {
        finish(p);
        return;
    }
    p->phase = JABI_PROBE_TCP;
    p->tcp_until = now + (p->deadline - now) / 2;
    jabi_probe_next(p);
}

static void on_begin(void *arg)
{
    jab_probe *p = arg;
    jabi_resolve_args args = {
        .loop = p->loop,
        .domain = jab_cstr(p->domain),
        .host = p->proxy ? jab_cstr(p->proxy->host) : p->cfg.host,
        .port = p->proxy ? p->proxy->port : p->cfg.port,
        .tls = p->cfg.tls,
        .dane = p->proxy ? 0 : p->cfg.dane,
        .nameserver = p->cfg.nameserver,
        .limit = (p->deadline - p->began) / 2,
        .random = p->cfg.random,
        .random_arg = p->cfg.random_arg,
        .targets = &p->targets,
        .changed = on_names,
        .arg = p,
    };
    int err = jabi_resolve_new(&p->resolve, &args);
    if (err == 0)
        return;
    p->report.dns.fault =
        (jab_fault){.code = err, .stage = JAB_AT_DNS, .text = jab_cstr(jab_strerror(err))};
    finish(p);
}

/* -- The public side ------------------------------------------------------------------------ */

/* What a probe does not need it does not hold: no password, token or key. */
static int take_settings(jab_probe *p, const jab_config *cfg, const jab_mem *mem)
{
    jab_config without = {0};
    memcpy(&without, cfg, cfg->size < sizeof without ? cfg->size : sizeof without);
    jab_str none = {NULL, 0};
    without.password = without.bearer_token = without.client_cert = without.client_key = none;
    without.store = NULL;
    without.vault = NULL;
    int err = jabi_config_copy(&p->cfg, &without, mem);
    if (err == 0)
        err = jabi_probe_set_proxy(p);
    if (err == 0)
        err = jab_jid_parse(&p->jid, p->cfg.jid, &p->jid_bytes);
    if (err == 0)
        err = jab_jid_domain_ascii(p->jid.domain, p->domain, sizeof p->domain);
    if (err >= 0 && p->cfg.pin_sha256.p) {
        p->has_pin = 1;
        err = jabi_pin_parse(p->cfg.pin_sha256, p->pin);
    }
    if (err >= 0 && p->cfg.tls != JAB_TLS_OFF)
        err = jabi_tls_ctx_get(&p->trust, p->loop, &p->cfg);
    return err < 0 ? err : 0;
}

int jab_probe_new(jab_probe **out, const jab_config *cfg, unsigned flags)
{
    *out = NULL;
    if (!cfg || cfg->size < offsetof(jab_config, jid) + sizeof cfg->jid)
        return JAB_EINVAL;
    const jab_mem *mem = cfg->size >= offsetof(jab_config, mem) + sizeof cfg->mem && cfg->mem
                             ? cfg->mem
                             : jabi_mem_default();
    jab_probe *p = jabi_alloc0(mem, sizeof *p);
    if (!p)
        return JAB_ENOMEM;
    p->flags = flags;
    p->cfg.mem = mem;
    jabi_arena_init(&p->facts, mem, JABI_PROBE_FACTS_MAX);
    int err = jab_loop_new(&p->loop, mem);
    if (err == 0)
        err = take_settings(p, cfg, mem);
    if (err < 0) {
        jab_probe_free(p);
        return err;
    }
    p->report.domain = jab_cstr(p->domain);
    p->report.proxied = p->proxy != NULL;
    p->began = jabi_now();
    p->deadline = p->began + (p->cfg.connect_timeout == JAB_NEVER ? 30000 : p->cfg.connect_timeout);
    p->timer = (jabi_timer){.fn = on_deadline, .arg = p};
    p->begin = (jabi_task){.fn = on_begin, .arg = p};
    jabi_timer_set(&p->loop->timers, &p->timer, p->deadline);
    jabi_loop_post(p->loop, &p->begin);
    *out = p;
    return 0;
}

void jab_probe_free(jab_probe *p)
{
    if (!p)
        return;
    const jab_mem *mem = p->cfg.mem;
    for (size_t i = 0; i < JABI_PROBE_RUNS; i++)
        if (p->runs[i].address)
            jabi_probe_stop(&p->runs[i]);
    jabi_resolve_free(p->resolve);
    jabi_tls_ctx_put(p->trust);
    jab_loop_free(p->loop);
    jabi_arena_fini(&p->facts);
    jabi_probe_free_proxy(p);
    jabi_config_fini(&p->cfg, mem);
    jabi_free(mem, p);
}

int jab_probe_wait(jab_probe *p, int timeout)
{
    int64_t until = timeout < 0 ? JAB_NEVER : jabi_now() + timeout;
    for (int left = timeout; p->phase != JABI_PROBE_OVER;) {
        int err = jabi_loop_turn(p->loop, left);
        int64_t now = jabi_now();
        if (err < 0)
            return err;
        if (now >= until)
            break;
        left = timeout < 0 ? -1 : (int)(until - now);
    }
    jabi_loop_arm(p->loop);
    if (p->error && p->phase == JABI_PROBE_OVER)
        return p->error;
    return p->phase == JABI_PROBE_OVER;
}

int jab_probe_fd(const jab_probe *p)
{
    return jab_loop_fd(p->loop);
}

int jab_probe_timeout(const jab_probe *p)
{
    return p->phase == JABI_PROBE_OVER ? 0 : jab_loop_timeout(p->loop);
}

const jab_probe_report *jab_probe_result(const jab_probe *p)
{
    return p->phase == JABI_PROBE_OVER ? &p->report : NULL;
}
