/* connect.c: finds a server that answers: DNS, the race of addresses, and the
 * next target when one fails before the log-in. */
#include "net/conn.h"

#include <stdio.h>

#include "base/mem.h"
#include "net/tcp.h"

static int64_t add_time(int64_t now, int64_t span)
{
    return span == JAB_NEVER ? JAB_NEVER : now + span;
}

void jabi_dial_free(jab_client *c)
{
    jabi_dial *dial = c->dial;
    if (!dial)
        return;
    c->dial = NULL;
    jabi_race_fini(&dial->race);
    jabi_resolve_free(dial->resolve);
    jabi_proxy_end(&dial->talk);
    jabi_free(c->loop->mem, dial);
}

/* The most informative fault is the one to report when no target is left. */
static void note(jabi_dial *dial, const jab_fault *fault)
{
    if (dial->best.code && jabi_fault_rank(fault->code) <= jabi_fault_rank(dial->best.code))
        return;
    snprintf(dial->text, sizeof dial->text, JAB_FMT, JAB_ARG(fault->text));
    snprintf(dial->condition, sizeof dial->condition, JAB_FMT, JAB_ARG(fault->condition));
    dial->best = *fault;
    dial->best.text = jab_cstr(dial->text);
    dial->best.condition = fault->condition.p ? jab_cstr(dial->condition) : (jab_str){NULL, 0};
}

/* The end of the search: the best fault goes to the session. */
static void give_up(jab_client *c)
{
    if (c->dial->by_location && !c->closing) {
        jabi_start_over(c);
        return;
    }
    jab_fault best = c->dial->best;
    jab_session_fail(c->session, &best, jabi_now());
    jabi_dial_free(c);
    jabi_ended(c);
}

static void note_words(jab_client *c, int code, const char *what)
{
    char words[400], text[768];
    jabi_race_words(&c->dial->race, words, sizeof words);
    snprintf(text, sizeof text, "%s %s%s: %s", what, c->proxy ? "the proxy " : "",
             c->proxy ? c->proxy->host : c->domain, words);
    jab_fault fault = {.code = code, .stage = JAB_AT_TCP, .text = jab_cstr(text)};
    note(c->dial, &fault);
}

int jabi_dial_has_address(const jabi_dial *dial)
{
    for (size_t i = 0; i < dial->targets.n; i++)
        if (dial->targets.list[i].n > 0 && !dial->targets.list[i].is_recalled)
            return 1;
    return 0;
}

/* No address is left to try. */
static void lost(jab_client *c)
{
    jabi_dial *dial = c->dial;
    if (!jabi_dial_has_address(dial))
        note(dial, jabi_resolve_fault(dial->resolve));
    else
        note_words(c, JAB_ECONNECT, "could not connect to");
    give_up(c);
}

static int has_more(const jab_client *c)
{
    return jabi_race_has_more(&c->dial->race) || jabi_proxy_has_more(c);
}

void jabi_connected(jab_client *c)
{
    if (!c->direct_tls) {
        jabi_start_stream(c);
    } else {
        int err = jabi_drive_tls(c);
        if (err < 0)
            jabi_tls_failed(c, err);
    }
    jabi_loop_post(c->loop, &c->work);
}

/* A socket is connected. */
static void won(jab_client *c)
{
    jabi_dial *dial = c->dial;
    const jabi_target *target = dial->race.target;
    int64_t now = jabi_now();
    c->watch.fd = jabi_race_take(&dial->race);
    jabi_addr_format(&dial->race.end->addr, c->address);
    snprintf(c->target, sizeof c->target, "%s", target->host);
    c->target_port = target->port;
    c->direct_tls = target->direct_tls;
    dial->try_deadline = has_more(c) && c->cfg->connect_timeout != JAB_NEVER
                             ? now + c->cfg->connect_timeout / (target->is_recalled ? 6 : 3)
                             : JAB_NEVER;
    if (c->proxy) {
        jabi_proxy_start(c);
        jabi_loop_post(c->loop, &c->work);
    } else {
        jabi_connected(c);
    }
}

/* Addresses came, an attempt ended, or the name server gave its last word. */
static void look(void *arg)
{
    jab_client *c = arg;
    if (c->phase != JABI_CONN_FINDING)
        return;
    jabi_race_state state = jabi_race_run(&c->dial->race);
    if (state == JABI_RACE_WON)
        won(c);
    else if (state == JABI_RACE_LOST)
        lost(c);
}

/* Where the server would like its stream to be resumed (XEP-0198 §5), once.
 * A host that the account names comes before it: there may be a tunnel. */
static jab_str location(jab_client *c)
{
    const jabi_sm *sm = &c->session->stream.sm;
    jab_str none = {NULL, 0}, name;
    uint16_t port;
    if (!sm->id.p || c->location_tried || c->cfg->host.p || !sm->location.n ||
        !jabi_host_port(sm->location, &name, &port))
        return none;
    c->location_tried = 1;
    c->dial->by_location = 1;
    return sm->location;
}

/* Where to look: the domain, the configured host, where to resume, or where the last
 * server referred us to, which changes nothing about whose certificate is wanted. */
static int resolve(jab_client *c)
{
    jabi_resolve_args args = {
        .loop = c->loop,
        .domain = jab_cstr(c->domain),
        .host = c->cfg->host,
        .port = c->cfg->port,
        .tls = c->cfg->tls,
        .dane = c->proxy || c->cfg->tls == JAB_TLS_OFF ? 0 : c->cfg->dane,
        .nameserver = c->cfg->nameserver,
        .limit = c->cfg->connect_timeout,
        .random = c->cfg->random,
        .random_arg = c->cfg->random_arg,
        .targets = &c->dial->targets,
        .changed = look,
        .arg = c,
    };
    char redirect[sizeof c->redirect];
    memcpy(redirect, c->redirect, sizeof redirect);
    c->redirect[0] = '\0';
    char host[JABI_HOST_MAX];
    jab_str text = redirect[0] ? jab_cstr(redirect) : args.host;
    if (!text.p && (text = location(c)).p && c->direct_tls)
        args.tls = JAB_TLS_DIRECT; /* as the stream was that is to be resumed */
    if (text.p) {
        jab_str name;
        uint16_t port;
        if (!jabi_host_port(text, &name, &port) || name.n >= sizeof host)
            return JAB_EINVAL;
        memcpy(host, name.p, name.n);
        host[name.n] = '\0';
        args.host = jab_cstr(host);
        args.port = redirect[0] || port ? port : args.port;
    }
    jabi_target recalled;
    if (jabi_recall_endpoint(c, args.host, &recalled))
        args.first = &recalled;
    if (c->proxy) {
        int err = jabi_proxy_aims(c, &args);
        if (err < 0)
            return err;
    }
    return jabi_resolve_new(&c->dial->resolve, &args);
}

void jabi_connect_begin(jab_client *c)
{
    int64_t now = jabi_now();
    c->phase = JABI_CONN_FINDING;
    c->online_at = JAB_NEVER;
    c->dial = jabi_alloc0(c->loop->mem, sizeof *c->dial);
    if (!c->dial) {
        jabi_fail_code(c, JAB_ENOMEM, JAB_AT_DNS);
        return;
    }
    c->dial->began_at = now;
    c->dial->deadline = add_time(now, c->cfg->connect_timeout);
    c->dial->try_deadline = JAB_NEVER;
    jabi_race_init(&c->dial->race, c->loop, &c->dial->targets, look, c);
    int err = resolve(c);
    if (c->dial->by_location) /* the normal way is not to wait long for it */
        c->dial->deadline =
            c->cfg->connect_timeout == JAB_NEVER ? now + 10000 : now + c->cfg->connect_timeout / 3;
    if (err < 0 && c->dial->by_location) {
        jabi_start_over(c);
    } else if (err < 0) {
        jabi_dial_free(c);
        jabi_fail_code(c, err, JAB_AT_DNS);
    }
}

void jabi_connect_again(jab_client *c, const jab_fault *fault)
{
    note(c->dial, fault);
    c->dial->try_deadline = JAB_NEVER;
    if (c->closing || c->dial->deadline <= jabi_now() || !has_more(c)) {
        give_up(c);
        return;
    }
    c->phase = JABI_CONN_FINDING;
    if (!jabi_race_has_more(&c->dial->race))
        jabi_proxy_next_aim(c);
    jabi_race_state state = jabi_race_again(&c->dial->race);
    if (state == JABI_RACE_LOST)
        lost(c);
    else if (state == JABI_RACE_WON)
        won(c);
}

/* -- Time ---------------------------------------------------------------------- */

/* TLS is up, or was not wanted: from here on the session's own deadlines count. */
static int is_through(const jab_client *c)
{
    return c->phase == JABI_CONN_STREAM && (c->tls || c->cfg->tls == JAB_TLS_OFF);
}

int64_t jabi_connect_deadline(const jab_client *c)
{
    if (!c->dial || is_through(c))
        return JAB_NEVER;
    return c->dial->deadline < c->dial->try_deadline ? c->dial->deadline : c->dial->try_deadline;
}

/* Without a single connection. */
static void found_nothing_in_time(jab_client *c)
{
    char text[320];
    if (jabi_dial_has_address(c->dial)) {
        note_words(c, JAB_ETIMEOUT, "no connection in time to");
    } else {
        snprintf(text, sizeof text, "the name server did not answer (looking up %s)", c->domain);
        jab_fault fault = {.code = JAB_ETIMEOUT, .stage = JAB_AT_DNS, .text = jab_cstr(text)};
        note(c->dial, &fault);
    }
    give_up(c);
}

static void time_is_up(jab_client *c)
{
    char text[512];
    if (c->phase == JABI_CONN_FINDING) {
        found_nothing_in_time(c);
        return;
    }
    if (c->phase == JABI_CONN_PROXY) {
        snprintf(text, sizeof text, "the proxy %s did not answer in time (connecting to %s)",
                 c->address, c->target);
        jab_fault late = {.code = JAB_ETIMEOUT, .stage = JAB_AT_TCP, .text = jab_cstr(text)};
        jabi_fail(c, &late);
        return;
    }
    int in_tls = c->phase == JABI_CONN_TLS;
    snprintf(text, sizeof text, "%s %s for %s", c->address,
             in_tls ? "did not finish the TLS handshake in time" : "said nothing in time",
             c->domain);
    jab_fault fault = {
        .code = JAB_ETIMEOUT, .stage = in_tls ? JAB_AT_TLS : JAB_AT_STREAM, .text = jab_cstr(text)};
    jabi_fail(c, &fault);
}

void jabi_connect_check_time(jab_client *c, int64_t now)
{
    if (jabi_connect_deadline(c) <= now)
        time_is_up(c);
}
