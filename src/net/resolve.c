/* resolve.c: which look-ups are made, and what their answers lead to. */
#include <arpa/nameser.h>
#include <netdb.h>
#include <stdio.h>

#include "base/mem.h"
#include "net/resolve_internal.h"

static void on_progress(void *arg);

void jabi_target_add(jabi_target *t, const jabi_addr *addr, int64_t now)
{
    for (size_t i = 0; i < t->n; i++)
        if (memcmp(&t->ends[i].addr, addr, jabi_addr_size(addr)) == 0)
            return;
    if (t->n == JABI_ADDRS_MAX)
        return;
    if (t->n == 0)
        t->first_at = now;
    t->ends[t->n++] = (jabi_end){.addr = *addr, .state = JABI_END_NEW};
}

static void count(jabi_dns_tally *tally, int status)
{
    tally->unknown += status == ARES_ENOTFOUND;
    if (status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA)
        tally->answered++;
    else if (status == ARES_ETIMEOUT)
        tally->silent++;
    else
        tally->failed = status;
}

/* -- Addresses --------------------------------------------------------------- */

/* Reads the addresses of an answer; they get the target's port. */
static void take_addresses(jabi_target *t, int family, const unsigned char *reply, int size)
{
    struct ares_addrttl v4[JABI_ADDRS_MAX];
    struct ares_addr6ttl v6[JABI_ADDRS_MAX];
    int n = JABI_ADDRS_MAX;
    int status = family == AF_INET6 ? ares_parse_aaaa_reply(reply, size, NULL, v6, &n)
                                    : ares_parse_a_reply(reply, size, NULL, v4, &n);
    for (int i = 0; status == ARES_SUCCESS && i < n; i++) {
        const void *bytes = family == AF_INET6 ? (const void *)&v6[i].ip6addr : &v4[i].ipaddr;
        jabi_addr addr;
        jabi_addr_from_bytes(&addr, family, bytes, t->port);
        jabi_target_add(t, &addr, jabi_now());
    }
}

static void on_addresses(void *arg, int status, int timeouts, unsigned char *reply, int size)
{
    (void)timeouts;
    jabi_addr_query *q = arg;
    if (status == ARES_EDESTRUCTION)
        return;
    jabi_target *t = &q->resolve->args.targets->list[q->target];
    status = jabi_dns_status(status, reply, size);
    count(&q->resolve->tally, status);
    if (status == ARES_SUCCESS)
        take_addresses(t, q->family, reply, size);
    if (q->family == AF_INET6)
        t->open_v6 = 0;
    else
        t->open_v4 = 0;
    jabi_dane_addresses(q->resolve, q->target,
                        status == ARES_SUCCESS && jabi_dns_is_authentic(reply, size));
}

/* Takes what the hosts file says. 1 when it knows the name. */
static int look_in_hosts_file(jabi_resolve *r, jabi_target *t)
{
    static const int families[] = {AF_INET6, AF_INET};
    for (size_t i = 0; i < 2; i++) {
        struct hostent *found = NULL;
        if (ares_gethostbyname_file(r->dns.channel, t->host, families[i], &found) != ARES_SUCCESS)
            continue;
        for (char **p = found->h_addr_list; *p; p++) {
            jabi_addr addr;
            jabi_addr_from_bytes(&addr, found->h_addrtype, *p, t->port);
            jabi_target_add(t, &addr, jabi_now());
        }
        ares_free_hostent(found);
    }
    return t->n > 0;
}

static int dns_on(jabi_resolve *r)
{
    if (r->dns.channel)
        return 0;
    int err = jabi_dns_init(&r->dns, r->args.loop, r->nameserver, on_progress, r);
    if (err < 0)
        return err;
    r->dns.random = r->args.random;
    r->dns.random_arg = r->args.random_arg;
    jabi_dane_begin(r);
    return 0;
}

/* Finds a target's addresses: by itself, or by asking. */
static int find_addresses(jabi_resolve *r, size_t at)
{
    jabi_target *t = &r->args.targets->list[at];
    jab_str host = jab_cstr(t->host);
    jabi_addr addr;
    if (jabi_addr_parse(&addr, host, t->port)) {
        jabi_target_add(t, &addr, jabi_now());
        return 0;
    }
    if (jabi_is_localhost(host)) { /* RFC 6761 §6.3: never asked of a server */
        jabi_addr_parse(&addr, JAB_STR("::1"), t->port);
        jabi_target_add(t, &addr, jabi_now());
        jabi_addr_parse(&addr, JAB_STR("127.0.0.1"), t->port);
        jabi_target_add(t, &addr, jabi_now());
        return 0;
    }
    int err = dns_on(r);
    if (err < 0 || look_in_hosts_file(r, t))
        return err;
    t->open_v6 = t->open_v4 = 1;
    jabi_addr_query *q = &r->queries[2 * at];
    q[0] = (jabi_addr_query){r, at, AF_INET6};
    q[1] = (jabi_addr_query){r, at, AF_INET};
    jabi_dane_hold(r, t);
    err = jabi_dns_ask(&r->dns, t->host, ns_t_aaaa, r->dane, on_addresses, &q[0]);
    return err < 0 ? err : jabi_dns_ask(&r->dns, t->host, ns_t_a, r->dane, on_addresses, &q[1]);
}

static int look_up(jabi_resolve *r, size_t at)
{
    jabi_target *t = &r->args.targets->list[at];
    int err = find_addresses(r, at);
    if (err >= 0 && !t->open_v6 && !t->open_v4 && t->n > 0 && !r->queries[2 * at].resolve)
        jabi_dane_hold(r, t);
    return err;
}

static void add_target(jabi_resolve *r, const char *host, uint16_t port, int direct_tls,
                       int is_secure)
{
    jabi_targets *all = r->args.targets;
    if (strlen(host) >= JABI_HOST_MAX || all->n == JABI_TARGETS_MAX)
        return;
    jabi_target *t = &all->list[all->n++];
    *t = (jabi_target){.port = port, .direct_tls = direct_tls, .is_secure = is_secure};
    memcpy(t->host, host, strlen(host) + 1);
}

static int look_up_all(jabi_resolve *r)
{
    jabi_targets *all = r->args.targets;
    all->complete = 1;
    all->began_at = jabi_now();
    int err = 0;
    for (size_t i = 0; i < all->n && err == 0; i++)
        if (!all->list[i].is_recalled)
            err = look_up(r, i);
    if (r->dns.channel)
        jabi_dns_arm(&r->dns);
    return err;
}

/* The host itself on the standard port (RFC 6120 §3.2.2). */
static int use_host(jabi_resolve *r, jab_str host, uint16_t port)
{
    int direct = r->args.tls == JAB_TLS_DIRECT;
    add_target(r, host.p, port ? port : direct ? 5223 : 5222, direct, 1);
    return look_up_all(r);
}

/* -- Services ---------------------------------------------------------------- */

static jabi_srv_answer read_srv(jabi_srv_query *q, int status, const unsigned char *reply, int size)
{
    if (status == ARES_SUCCESS)
        status = ares_parse_srv_reply(reply, size, &q->reply);
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
        return JABI_SRV_NONE;
    if (status != ARES_SUCCESS || !q->reply)
        return JABI_SRV_FAILED;
    const char *host = q->reply->host;
    int refused = !q->reply->next && (host[0] == '\0' || strcmp(host, ".") == 0);
    return refused ? JABI_SRV_REFUSED : JABI_SRV_SOME;
}

static void on_srv(void *arg, int status, int timeouts, unsigned char *reply, int size)
{
    (void)timeouts;
    jabi_srv_query *q = arg;
    if (status == ARES_EDESTRUCTION)
        return;
    status = jabi_dns_status(status, reply, size);
    count(&q->resolve->tally, status);
    q->is_authentic = jabi_dns_is_authentic(reply, size);
    q->answer = read_srv(q, status, reply, size);
}

static int ask_srv(jabi_resolve *r, jabi_srv_query *q, const char *service)
{
    char name[JABI_HOST_MAX + 32];
    int n = snprintf(name, sizeof name, "%s._tcp.%s", service, r->domain.p);
    if (n < 0 || (size_t)n >= sizeof name)
        return JAB_EINVAL;
    q->answer = JABI_SRV_OPEN;
    return jabi_dns_ask(&r->dns, name, ns_t_srv, r->dane, on_srv, q);
}

static int ask_services(jabi_resolve *r)
{
    int err = dns_on(r);
    if (err == 0 && r->args.tls != JAB_TLS_OFF)
        err = ask_srv(r, &r->services[0], "_xmpps-client");
    if (err == 0 && r->args.tls != JAB_TLS_DIRECT)
        err = ask_srv(r, &r->services[1], "_xmpp-client");
    if (r->dns.channel)
        jabi_dns_arm(&r->dns);
    return err;
}

/* Both services' records, in the order in which to try them. */
static int use_records(jabi_resolve *r)
{
    const jab_mem *mem = r->args.loop->mem;
    jabi_srv *records = jabi_realloc_array(mem, NULL, JABI_SRV_MAX, sizeof *records);
    if (!records)
        return JAB_ENOMEM;
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        for (const struct ares_srv_reply *p = r->services[i].reply; p && n < JABI_SRV_MAX;
             p = p->next)
            records[n++] =
                (jabi_srv){p->host, p->port, p->priority, p->weight, r->services[i].direct_tls};
    }
    jabi_srv order[JABI_TARGETS_MAX];
    n = jabi_srv_order(records, n, r->args.random, r->args.random_arg, order);
    for (size_t i = 0; i < n; i++)
        add_target(r, order[i].host, order[i].port, order[i].direct_tls,
                   r->services[!order[i].direct_tls].is_authentic);
    jabi_free(mem, records);
    r->used_srv = 1;
    return look_up_all(r);
}

/* What the services' answers lead to; nothing while one is missing. */
static void judge_services(jabi_resolve *r)
{
    jabi_srv_answer direct = r->services[0].answer, starttls = r->services[1].answer;
    switch (jabi_srv_judge(direct, starttls)) {
    case JABI_SRV_WAIT:
        /* One service's records are there: the other has a second more. */
        if (direct == JABI_SRV_SOME || starttls == JABI_SRV_SOME)
            r->srv_until = r->srv_until < jabi_now() + 1000 ? r->srv_until : jabi_now() + 1000;
        return;
    case JABI_SRV_USE:
        r->error = use_records(r);
        return;
    case JABI_SRV_FALLBACK:
        /* RFC 7673 §3.1: no way around records that do not validate. */
        if (r->dane && (direct == JABI_SRV_FAILED || starttls == JABI_SRV_FAILED)) {
            r->dane_failed++;
            r->args.targets->complete = 1;
        } else {
            r->error = use_host(r, r->domain, 0);
        }
        return;
    case JABI_SRV_STOP:
        r->refused = 1;
        r->args.targets->complete = 1;
        return;
    }
}

/* -- The course of events ------------------------------------------------------ */

static int open_look_ups(const jabi_targets *all)
{
    int n = 0;
    for (size_t i = 0; i < all->n; i++)
        n += all->list[i].open_v4 + all->list[i].open_v6 + all->list[i].open_tlsa;
    return n;
}

/* The time for services is over: what was not answered counts as failed. */
static void give_up_services(jabi_resolve *r)
{
    for (size_t i = 0; i < 2; i++) {
        if (r->services[i].answer == JABI_SRV_OPEN) {
            r->services[i].answer = JABI_SRV_FAILED;
            r->tally.silent++;
        }
    }
}

static void give_up_addresses(jabi_resolve *r)
{
    jabi_targets *all = r->args.targets;
    r->tally.silent += open_look_ups(all);
    jabi_dane_give_up(r);
    for (size_t i = 0; i < all->n; i++)
        all->list[i].open_v4 = all->list[i].open_v6 = 0;
}

/* Looks at what has arrived, and goes on from there. */
static void step(jabi_resolve *r)
{
    if (r->done)
        return;
    jabi_targets *all = r->args.targets;
    int64_t now = jabi_now();
    if (!all->complete && now >= r->srv_until)
        give_up_services(r);
    if (!all->complete && !r->error)
        judge_services(r);
    if (all->complete && now >= r->until)
        give_up_addresses(r);
    r->done = r->error < 0 || (all->complete && open_look_ups(all) == 0);
    if (r->done)
        all->complete = 1;
    jabi_timer_set(&r->args.loop->timers, &r->timer,
                   r->done         ? JAB_NEVER
                   : all->complete ? r->until
                                   : r->srv_until);
    r->args.changed(r->args.arg);
}

static void on_progress(void *arg)
{
    step(arg);
}

static int begin(jabi_resolve *r)
{
    jabi_addr addr;
    if (r->host.p)
        return use_host(r, r->host, r->args.port);
    if (jabi_addr_parse(&addr, r->domain, 0) || jabi_is_localhost(r->domain))
        return use_host(r, r->domain, 0);
    return ask_services(r);
}

int jabi_resolve_new(jabi_resolve **out, const jabi_resolve_args *args)
{
    const jab_mem *mem = args->loop->mem;
    jabi_resolve *r = jabi_alloc0(mem, sizeof *r);
    *out = NULL;
    if (!r)
        return JAB_ENOMEM;
    r->args = *args;
    *args->targets = (jabi_targets){0};
    if (args->first)
        args->targets->list[args->targets->n++] = *args->first;
    r->args.first = NULL;
    for (int i = 0; i < 2; i++)
        r->services[i] = (jabi_srv_query){.resolve = r, .direct_tls = i == 0};
    int64_t now = jabi_now();
    int64_t limit = args->limit < JABI_DNS_LIMIT ? args->limit : JABI_DNS_LIMIT;
    r->until = now + limit;
    r->srv_until = now + limit / 2;
    r->timer = (jabi_timer){.fn = on_progress, .arg = r};
    int err = jabi_strdup(mem, &r->domain, args->domain);
    if (err == 0)
        err = jabi_strdup(mem, &r->host, args->host);
    if (err == 0)
        err = jabi_strdup(mem, &r->nameserver, args->nameserver);
    if (err == 0)
        err = begin(r);
    if (err < 0) {
        jabi_resolve_free(r);
        return err;
    }
    jabi_timer_set(&args->loop->timers, &r->timer, now);
    *out = r;
    return 0;
}

void jabi_resolve_free(jabi_resolve *r)
{
    if (!r)
        return;
    const jab_mem *mem = r->args.loop->mem;
    jabi_dns_fini(&r->dns);
    jabi_dane_fini(r);
    jabi_timer_stop(&r->args.loop->timers, &r->timer);
    for (size_t i = 0; i < 2; i++)
        if (r->services[i].reply)
            ares_free_data(r->services[i].reply);
    jabi_free(mem, (char *)r->domain.p);
    jabi_free(mem, (char *)r->host.p);
    jabi_free(mem, (char *)r->nameserver.p);
    jabi_free(mem, r);
}

int jabi_resolve_done(const jabi_resolve *r)
{
    return r->done;
}

/* -- Words ------------------------------------------------------------------- */

/* Writes the words for why there is no address; returns the error. */
static int say(jabi_resolve *r)
{
    const char *name = r->host.p ? r->host.p : r->domain.p;
    size_t size = sizeof r->text;
    int code = JAB_EDNS;
    if (r->error) {
        code = r->error;
        snprintf(r->text, size, "looking up %s: %s", name, jab_strerror(code));
    } else if (r->refused) {
        snprintf(r->text, size, "%s offers no XMPP service to clients (its SRV record says \".\")",
                 name);
    } else if (jabi_dane_words(r)) {
        snprintf(r->text, size, "%s: %s", name, jabi_dane_words(r));
    } else if (r->tally.silent) {
        code = JAB_ETIMEOUT;
        snprintf(r->text, size, "the name server did not answer (looking up %s)", name);
    } else if (r->tally.failed) {
        snprintf(r->text, size, "looking up %s failed: %s", name, ares_strerror(r->tally.failed));
    } else if (r->used_srv) {
        snprintf(r->text, size, "no host that %s names in its SRV records has an address", name);
    } else if (r->host.p) {
        snprintf(r->text, size, "no such host: %s (no A or AAAA record)", name);
    } else {
        snprintf(r->text, size, "no such domain: %s (no SRV, A or AAAA record)", name);
    }
    return code;
}

const jab_fault *jabi_resolve_fault(jabi_resolve *r)
{
    int code = say(r);
    r->fault = (jab_fault){.code = code, .stage = JAB_AT_DNS, .text = jab_cstr(r->text)};
    return &r->fault;
}
