/*
 * router.c: which extension sees a stanza. The table is sorted by kind,
 * namespace and name; a stanza passes the stages UNWRAP, OBSERVE, ANSWER, and
 * the sender is judged here, before any handler runs.
 */
#include "session/session.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>

static int compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int compare_rows(const void *left, const void *right)
{
    const jabi_route_row *a = left, *b = right;
    if (a->route->kind != b->route->kind)
        return a->route->kind < b->route->kind ? -1 : 1;
    int order = compare_text(a->route->ns, b->route->ns);
    if (order == 0)
        order = compare_text(a->route->name, b->route->name);
    if (order == 0)
        order = (int)a->route->stage - (int)b->route->stage;
    /* The order of the extensions decides between equals: qsort is not stable. */
    if (order == 0)
        order = a->ext < b->ext ? -1 : a->ext > b->ext;
    if (order == 0)
        order = a->route < b->route ? -1 : a->route > b->route;
    return order;
}

static int same_payload(const jab_route *a, const jab_route *b)
{
    return a->kind == b->kind && compare_text(a->ns, b->ns) == 0 &&
           compare_text(a->name, b->name) == 0;
}

int jabi_routes_build(jab_session *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_exts; i++)
        n += s->exts[i].ext->n_routes;
    s->routes = jabi_realloc_array(s->mem, NULL, n, sizeof *s->routes);
    if (!s->routes)
        return JAB_ENOMEM;
    for (size_t i = 0; i < s->n_exts; i++)
        for (size_t r = 0; r < s->exts[i].ext->n_routes; r++)
            s->routes[s->n_routes++] = (jabi_route_row){&s->exts[i].ext->routes[r], &s->exts[i]};
    qsort(s->routes, n, sizeof *s->routes, compare_rows);
    for (size_t i = 1; i < n; i++) {
        const jab_route *a = s->routes[i - 1].route, *b = s->routes[i].route;
        if (a->stage == JAB_STAGE_ANSWER && b->stage == JAB_STAGE_ANSWER && same_payload(a, b))
            return JAB_ECONFLICT;
    }
    return 0;
}

static int compare_view(jab_str view, const char *z)
{
    size_t n = z ? strlen(z) : 0, least = view.n < n ? view.n : n;
    int order = least ? memcmp(view.p, z, least) : 0;
    return order ? order : (view.n > n) - (view.n < n);
}

static int compare_key(jab_kind kind, jab_str ns, jab_str name, const jab_route *route)
{
    if (kind != route->kind)
        return kind < route->kind ? -1 : 1;
    int order = compare_view(ns, route->ns);
    return order ? order : compare_view(name, route->name);
}

/* The first row that is not before the key. */
static size_t lower_bound(const jab_session *s, jab_kind kind, jab_str ns, jab_str name)
{
    size_t low = 0, high = s->n_routes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_key(kind, ns, name, s->routes[middle].route) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int sender_is_right(const jab_stanza *st, jab_from from)
{
    static const unsigned needed[] = {
        [JAB_FROM_SELF] = JABI_ORIGIN_SELF,
        [JAB_FROM_OWN] = JABI_ORIGIN_SELF | JABI_ORIGIN_OWN,
        [JAB_FROM_SERVER] = JABI_ORIGIN_SELF | JABI_ORIGIN_SERVER,
        [JAB_FROM_ROOM] = JABI_ORIGIN_ROOM,
    };
    if (from == JAB_FROM_ANY || from == JAB_FROM_PEER)
        return 1;
    return (st->origin & needed[from]) != 0;
}

/* Runs the rows of one stage under one key. */
static int run_key(jab_session *s, jab_stanza *st, const jab_xml *el, jab_route_stage stage,
                   jab_str ns, jab_str name)
{
    size_t i = lower_bound(s, st->kind, ns, name);
    for (; i < s->n_routes && compare_key(st->kind, ns, name, s->routes[i].route) == 0; i++) {
        const jabi_route_row *row = &s->routes[i];
        if (row->route->stage != stage)
            continue;
        if (!JAB_CHECK(ROUTE_SENDER, sender_is_right(st, row->route->from))) {
            if (stage == JAB_STAGE_OBSERVE)
                continue;
            return JAB_DONE;
        }
        int verdict = row->route->fn(row->ext, st, el);
        if (verdict != JAB_PASS)
            return verdict;
    }
    return JAB_PASS;
}

static const jab_str any = {"", 0};

/* Payload routes run before those of the whole stanza: what marks a stanza
 * (a delay) comes before what reports it. */
static int run_stage(jab_session *s, jab_stanza *st, jab_route_stage stage)
{
    for (const jab_xml *el = jab_xml_first(st->xml); el; el = jab_xml_next(el)) {
        jab_str ns = jab_xml_ns(el);
        if (ns.n == 0)
            continue; /* no payload is in no namespace, and the key would be that of all */
        int verdict = run_key(s, st, el, stage, ns, jab_xml_name(el));
        if (verdict == JAB_PASS)
            verdict = run_key(s, st, el, stage, ns, any);
        if (verdict != JAB_PASS)
            return verdict;
    }
    return run_key(s, st, st->xml, stage, any, any);
}

/* RFC 6120 §8.2.3: a request has an id and exactly one child, and is answered. */
static int answer_request(jab_session *s, jab_stanza *st)
{
    const jab_xml *payload = jab_xml_first(st->xml);
    if (!st->id.p)
        return 0;
    if (!payload || jab_xml_next(payload))
        return jabi_iq_unclaimed(s, st, "modify", "bad-request");
    int verdict = run_stage(s, st, JAB_STAGE_ANSWER);
    if (verdict != JAB_PASS)
        return verdict < 0 ? verdict : 0;
    return jabi_iq_unclaimed(s, st, "cancel", "service-unavailable");
}

static int route_iq(jab_session *s, jab_stanza *st)
{
    jab_iq_type type = jabi_iq_type(st);
    if (type == JAB_IQ_RESULT || type == JAB_IQ_ERROR)
        return jabi_request_reply(s, st);
    if (type != JAB_IQ_GET && type != JAB_IQ_SET)
        return 0;
    int verdict = run_stage(s, st, JAB_STAGE_OBSERVE);
    if (verdict != JAB_PASS)
        return verdict < 0 ? verdict : 0;
    return answer_request(s, st);
}

int jabi_route_stanza(jab_session *s, jab_stanza *st)
{
    if (st->kind == JAB_IQ)
        return route_iq(s, st);
    for (;;) {
        s->unwrapped = NULL;
        int verdict = run_stage(s, st, JAB_STAGE_UNWRAP);
        if (verdict < 0)
            return verdict;
        if (!s->unwrapped && verdict == JAB_DONE)
            return 0;
        if (!s->unwrapped)
            break;
        st = s->routed = s->unwrapped;
    }
    int verdict = run_stage(s, st, JAB_STAGE_OBSERVE);
    return verdict < 0 ? verdict : 0;
}

static int observe_behind(jab_session *s, const jab_ext_ctx *x, jab_stanza *st)
{
    size_t i = lower_bound(s, st->kind, any, any);
    for (; i < s->n_routes && compare_key(st->kind, any, any, s->routes[i].route) == 0; i++) {
        const jabi_route_row *row = &s->routes[i];
        if (row->route->stage != JAB_STAGE_OBSERVE || row->ext <= x ||
            !JAB_CHECK(ROUTE_SENDER, sender_is_right(st, row->route->from)))
            continue;
        int verdict = row->route->fn(row->ext, st, st->xml);
        if (verdict != JAB_PASS)
            return verdict < 0 ? verdict : 0;
    }
    return 0;
}

/* The copy and its events have memory of their own, whatever is routed now. */
int jabi_route_behind(jab_session *s, const jab_ext_ctx *x, const jab_stanza *kept)
{
    jabi_holder *holder = jabi_holder_get(s), *current = s->current;
    jab_stanza *routed = s->routed, *st = holder ? jabi_stanza_copy(&holder->arena, kept) : NULL;
    int err = JAB_ENOMEM;
    if (st) {
        s->current = holder;
        s->routed = st;
        err = observe_behind(s, x, st);
        s->current = current;
        s->routed = routed;
    }
    if (holder && holder->refs > 1) {
        holder->held = holder->arena.used;
        s->held_bytes += holder->held;
    }
    jabi_holder_unref(s, holder);
    return err;
}

static int inner_is_proper(const jab_xml *inner)
{
    return jab_xml_is(inner, JABI_NS_CLIENT, "message") && jab_xml_attr(inner, "from").p;
}

int jab_ext_unwrap(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *inner, unsigned via,
                   int64_t stamp)
{
    jab_session *s = x->session;
    if (!JAB_CHECK(UNWRAP_DEPTH, st->depth < JABI_UNWRAP_DEPTH_MAX) || !inner_is_proper(inner))
        return JAB_DONE;
    int err;
    jab_stanza *out = jabi_stanza_new(s, st->arena, inner, &err);
    if (!out)
        return err < 0 ? err : JAB_DONE;
    out->depth = st->depth + 1;
    out->via = st->via | via;
    out->stamp = stamp;
    /* What a wrapper says of its content gives it no rights: no route that
     * wants the own account or server takes a forwarded stanza. */
    out->origin = 0;
    s->unwrapped = out;
    return JAB_DONE;
}

void jab_ext_mark(jab_ext_ctx *x, const jab_stanza *st, unsigned via, int64_t stamp)
{
    (void)x;
    /* Handlers see stanzas as read-only; this is the one door. */
    jab_stanza *own = (jab_stanza *)st;
    own->via |= via;
    if (stamp)
        own->stamp = stamp;
}
