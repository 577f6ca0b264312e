/*
 * resolve_dane.c: when TLSA records are asked for, and what it means that there are none
 * (RFC 7673 §3). A target whose records are open is not connected to: race.c waits.
 */
#include <arpa/nameser.h>
#include <stdio.h>

#include "base/check.h"
#include "net/dane.h"
#include "net/resolve_internal.h"

#define TYPE_TLSA 52

void jabi_dane_begin(jabi_resolve *r)
{
    int is_local = r->args.dane && jabi_dns_is_local(&r->dns);
    r->dane = is_local ? r->args.dane : 0;
    r->no_local_dns = r->args.dane == JABI_DANE_REQUIRED && !is_local;
}

/* The target has no records that count: without them, or not at all. */
static void without(jabi_resolve *r, jabi_target *t)
{
    t->open_tlsa = 0;
    if (r->args.dane != JABI_DANE_REQUIRED)
        return;
    r->without_dane++;
    t->n = 0;
}

/* RFC 7673 §3.4: a look-up that fails may be an attacker's work. */
static void failed(jabi_resolve *r, jabi_target *t)
{
    t->open_tlsa = 0;
    t->n = 0;
    r->dane_failed++;
}

void jabi_dane_hold(jabi_resolve *r, jabi_target *t)
{
    int is_asked = t->open_v4 || t->open_v6;
    if (!is_asked)
        without(r, t); /* known without DNS, which then has nothing to say of it */
    else if (r->args.dane == JABI_DANE_REQUIRED || (r->dane && t->is_secure))
        t->open_tlsa = 1;
}

static void on_tlsa(void *arg, int status, int timeouts, unsigned char *reply, int size)
{
    (void)timeouts;
    jabi_tlsa_query *q = arg;
    if (status == ARES_EDESTRUCTION)
        return;
    jabi_target *t = &q->resolve->args.targets->list[q->target];
    status = jabi_dns_status(status, reply, size);
    int is_answer = status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA;
    t->open_tlsa = 0;
    if (!is_answer)
        failed(q->resolve, t);
    else if (status == ARES_SUCCESS && !JAB_CHECK(DANE_SECURE, jabi_dns_is_authentic(reply, size)))
        without(q->resolve, t); /* §3.4: "insecure" is none */
    else if (status == ARES_SUCCESS && jabi_dane_read(&q->records, reply, (size_t)size) < 0)
        failed(q->resolve, t);
    else if (q->records.n == 0)
        without(q->resolve, t);
}

/* RFC 6698 §3. */
static int ask(jabi_resolve *r, size_t at)
{
    const jabi_target *t = &r->args.targets->list[at];
    jabi_tlsa_query *q = &r->tlsa[at];
    char name[JABI_HOST_MAX + 16];
    snprintf(name, sizeof name, "_%u._tcp.%s", (unsigned)t->port, t->host);
    q->resolve = r;
    q->target = at;
    jabi_buf_init(&q->records, r->args.loop->mem, JABI_DANE_BYTES);
    return jabi_dns_ask(&r->dns, name, TYPE_TLSA, 1, on_tlsa, q);
}

void jabi_dane_addresses(jabi_resolve *r, size_t at, int is_authentic)
{
    jabi_target *t = &r->args.targets->list[at];
    r->tlsa[at].has_authentic |= r->dane && t->is_secure && is_authentic;
    if (!t->open_tlsa || t->open_v4 || t->open_v6)
        return;
    if (!r->tlsa[at].has_authentic)
        without(r, t); /* RFC 7673 §3.2 */
    else if (ask(r, at) < 0)
        failed(r, t);
}

void jabi_dane_give_up(jabi_resolve *r)
{
    jabi_targets *all = r->args.targets;
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].open_tlsa)
            failed(r, &all->list[i]);
}

void jabi_dane_fini(jabi_resolve *r)
{
    for (size_t i = 0; i < JABI_TARGETS_MAX; i++)
        if (r->tlsa[i].resolve)
            jabi_buf_fini(&r->tlsa[i].records);
}

int jabi_resolve_dane(const jabi_resolve *r, const jabi_target *target, jabi_dane_facts *out)
{
    const jabi_tlsa_query *q = &r->tlsa[target - r->args.targets->list];
    *out = (jabi_dane_facts){.host = r->used_srv ? target->host : ""};
    if (!q->has_authentic)
        return 0;
    if (q->resolve)
        out->records = jabi_buf_str(&q->records);
    return 1;
}

const char *jabi_dane_words(const jabi_resolve *r)
{
    if (r->no_local_dns)
        return "DANE is required, but the name server is not on this machine: what it says of "
               "DNSSEC could be anybody's word";
    if (r->dane_failed)
        return "the name server could not validate what belongs to the server's certificate "
               "(DANE)";
    return r->without_dane
               ? "DANE is required, and no server of the domain has a TLSA record that counts"
               : NULL;
}
