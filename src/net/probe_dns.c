/* probe_dns.c: what a probe notes of the name server's answers. */
#include <stdlib.h>

#include "net/probe.h"
#include "net/resolve_internal.h"

static jab_probe_answer answer_of(jabi_srv_answer answer)
{
    static const jab_probe_answer answers[] = {
        [JABI_SRV_UNASKED] = JAB_PROBE_UNASKED, [JABI_SRV_OPEN] = JAB_PROBE_FAILED,
        [JABI_SRV_NONE] = JAB_PROBE_NONE,       [JABI_SRV_FAILED] = JAB_PROBE_FAILED,
        [JABI_SRV_REFUSED] = JAB_PROBE_REFUSED, [JABI_SRV_SOME] = JAB_PROBE_SOME,
    };
    return answers[answer];
}

/* By priority; then the heavier one, which is drawn more often (RFC 2782). */
static int compare(const void *a, const void *b)
{
    const jab_probe_srv *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (x->direct_tls != y->direct_tls)
        return y->direct_tls - x->direct_tls;
    return (y->weight > x->weight) - (y->weight < x->weight);
}

static void note_records(jab_probe *p)
{
    jab_probe_srv found[JABI_PROBE_LIST_MAX];
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        const jabi_srv_query *q = &p->resolve->services[i];
        for (const struct ares_srv_reply *r = q->reply; r && n < JABI_PROBE_LIST_MAX; r = r->next)
            found[n++] = (jab_probe_srv){.host = jabi_probe_clean(p, r->host),
                                         .priority = r->priority,
                                         .weight = r->weight,
                                         .port = r->port,
                                         .direct_tls = q->direct_tls};
    }
    jab_probe_srv *records = n ? jabi_probe_alloc(p, n * sizeof *records) : NULL;
    if (!records)
        return;
    qsort(found, n, sizeof *found, compare);
    memcpy(records, found, n * sizeof *records);
    p->report.dns.records = records;
    p->report.dns.n = n;
}

/* A name that does not exist has nothing below it either: each look-up says so. */
static int asked(const jabi_resolve *r)
{
    int services = 0;
    for (size_t i = 0; i < 2; i++)
        services += r->services[i].answer != JABI_SRV_UNASKED;
    return services + 2; /* and A, AAAA */
}

void jabi_probe_note_dns(jab_probe *p)
{
    jab_probe_dns *dns = &p->report.dns;
    jabi_resolve *r = p->resolve;
    dns->direct = answer_of(r->services[0].answer);
    dns->starttls = answer_of(r->services[1].answer);
    dns->took = jabi_now() - p->began;
    dns->fallback = !p->cfg.host.p && !p->proxy && !r->used_srv && !r->refused;
    note_records(p);
    for (size_t i = 0; i < p->targets.n; i++)
        if (p->targets.list[i].n > 0)
            return;
    dns->fault = *jabi_resolve_fault(r);
    dns->fault.text = jabi_probe_keep(p, dns->fault.text);
    dns->no_such_name = !r->used_srv && r->tally.unknown == asked(r);
}

static jab_probe_address make_address(jab_probe *p, const jabi_end *end)
{
    char text[JABI_ADDR_TEXT];
    jabi_addr_format(&end->addr, text);
    return (jab_probe_address){.address = jabi_probe_keep(p, jab_cstr(text)),
                               .family = end->addr.any.sa_family == AF_INET6 ? 6 : 4};
}

static size_t count(const jabi_targets *all)
{
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++)
        n += all->list[i].n;
    return n;
}

/* One target, with all addresses of `from`. */
static void lay_out_target(jab_probe *p, jab_probe_target *t, jabi_target *from,
                           jab_probe_address *addresses)
{
    t->addresses = addresses + p->n_spots;
    t->n = from->n;
    for (size_t i = 0; i < from->n; i++, p->n_spots++) {
        addresses[p->n_spots] = make_address(p, &from->ends[i]);
        p->spots[p->n_spots] = (jabi_probe_spot){t, &addresses[p->n_spots], from, &from->ends[i]};
    }
}

/* Through a proxy the resolver's one target is the proxy; the report's are what it is
 * asked for. */
int jabi_probe_lay_out(jab_probe *p)
{
    jabi_targets *all = &p->targets;
    uint16_t ports[2];
    size_t aims = p->proxy ? jabi_probe_aims(p, ports) : 1, n = count(all) * aims;
    jab_probe_target *targets = jabi_probe_alloc(p, (all->n * aims + 1) * sizeof *targets);
    jab_probe_address *addresses = jabi_probe_alloc(p, (n + 1) * sizeof *addresses);
    p->spots = jabi_probe_alloc(p, (n + 1) * sizeof *p->spots);
    if (!targets || !addresses || !p->spots)
        return JAB_ENOMEM;
    for (size_t i = 0; i < all->n * aims; i++) {
        jabi_target *from = &all->list[i / aims];
        const char *host = !p->proxy ? from->host : p->cfg.host.p ? p->cfg.host.p : p->domain;
        targets[i] = (jab_probe_target){.host = jabi_probe_clean(p, host),
                                        .port = p->proxy ? ports[i % aims] : from->port,
                                        .direct_tls = from->direct_tls};
        lay_out_target(p, &targets[i], from, addresses);
    }
    p->report.targets = targets;
    p->report.n = all->n * aims;
    return p->error;
}
