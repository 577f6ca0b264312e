/* server_archive.c: archives of the model server and their queries (XEP-0313, XEP-0059). */
#include "server_own.h"

#include <string.h>

void srv_archive_put(srv_archive *a, srv_entry *e)
{
    if (a->n == a->room) {
        a->room = a->room * 2 + 16;
        a->p = srv_realloc(a->p, a->room * sizeof(srv_entry *));
    }
    a->p[a->n++] = e;
}

/* It was accepted before some that are there: see server_late.c. */
static void move_down(srv_archive *a)
{
    size_t i = a->n - 1;
    srv_entry *e = a->p[i];
    for (; i > a->first && a->p[i - 1]->pub.message->number > e->pub.message->number; i--)
        a->p[i] = a->p[i - 1];
    e->pub.is_late = i + 1 < a->n;
    a->p[i] = e;
}

const char *srv_archive_add(sim_server *server, srv_archive *a, srv_message *m, const char *from,
                            const char *to)
{
    srv_entry *e = srv_alloc(&server->arena, sizeof *e);
    e->pub = (sim_entry){srv_id(server),
                         &m->pub,
                         srv_dup(&server->arena, from),
                         srv_dup(&server->arena, to),
                         m->wall,
                         false,
                         false};
    e->message = m;
    srv_archive_put(a, e);
    move_down(a);
    m->pub.archived++;
    return e->pub.id;
}

/* A query, understood. */
typedef struct query {
    const srv_archive *archive;
    const char *id;        /* queryid */
    const char *by, *with; /* the archive's address; filter */
    bool has_start, has_end;
    int64_t start, end;
    size_t low, high; /* what lies between the ids given */
    bool backward, flip;
    uint32_t max;
    const char *condition, *type; /* the error to answer with */
} query;

static bool matches_with(const query *q, const srv_entry *e)
{
    const char *from = e->pub.from, *to = e->pub.to;
    if (srv_resource(q->with))
        return srv_eq(from, q->with) || srv_eq(to, q->with);
    if (srv_eq(q->with, q->by)) /* XEP-0313 §4.1.1: what one sent to oneself */
        return srv_same_bare(q->with, from) && to && srv_same_bare(q->with, to);
    return srv_same_bare(q->with, from) || (to && srv_same_bare(q->with, to));
}

static bool matches(const query *q, const srv_entry *e)
{
    if (q->has_start && e->pub.stamp < q->start)
        return false;
    if (q->has_end && e->pub.stamp > q->end)
        return false;
    return !q->with || matches_with(q, e);
}

static void fail(query *q, const char *type, const char *condition)
{
    if (!q->condition) {
        q->type = type;
        q->condition = condition;
    }
}

/* The place of an id that is still served. */
static bool find(query *q, const char *id, size_t *place)
{
    for (size_t i = q->archive->n; i-- > q->archive->first;)
        if (strcmp(q->archive->p[i]->pub.id, id) == 0) {
            *place = i;
            return true;
        }
    fail(q, "cancel", "item-not-found"); /* XEP-0313 §4.3.2 */
    return false;
}

static void limit_after(query *q, const char *id)
{
    size_t place;
    if (find(q, id, &place) && place + 1 > q->low)
        q->low = place + 1;
}

static void limit_before(query *q, const char *id)
{
    size_t place;
    if (find(q, id, &place) && place < q->high)
        q->high = place;
}

static void read_field(srv_arena *arena, query *q, const srv_node *field)
{
    const char *var = srv_attr_of(field, "var");
    const srv_node *child = srv_child(field, NS_FORM, "value");
    const char *value = child ? srv_text_of(arena, child) : "";
    if (srv_eq(var, "FORM_TYPE")) {
        if (strcmp(value, NS_MAM) != 0)
            fail(q, "modify", "bad-request");
    } else if (srv_eq(var, "with"))
        q->with = value;
    else if (srv_eq(var, "start"))
        q->has_start =
            srv_stamp_parse(value, &q->start) || (fail(q, "modify", "bad-request"), false);
    else if (srv_eq(var, "end"))
        q->has_end = srv_stamp_parse(value, &q->end) || (fail(q, "modify", "bad-request"), false);
    else if (srv_eq(var, "after-id"))
        limit_after(q, value);
    else if (srv_eq(var, "before-id"))
        limit_before(q, value);
    else
        fail(q, "cancel", "feature-not-implemented"); /* XEP-0313 §4.1.5 */
}

static void read_form(srv_arena *arena, query *q, const srv_node *form)
{
    if (!srv_eq(srv_attr_of(form, "type"), "submit"))
        fail(q, "modify", "bad-request");
    bool typed = false;
    for (const srv_node *f = form->first; f; f = f->next)
        if (srv_is(f, NS_FORM, "field")) {
            typed |= srv_eq(srv_attr_of(f, "var"), "FORM_TYPE");
            read_field(arena, q, f);
        }
    if (!typed)
        fail(q, "modify", "bad-request");
}

static void read_set(srv_arena *arena, query *q, const srv_node *set)
{
    const srv_node *max = srv_child(set, NS_RSM, "max");
    const srv_node *later = srv_child(set, NS_RSM, "after");
    const srv_node *before = srv_child(set, NS_RSM, "before");
    uint32_t wished;
    if (max && !srv_number(srv_text_of(arena, max), &wished))
        fail(q, "modify", "bad-request");
    else if (max && wished < q->max)
        q->max = wished;
    if (later && before) /* XEP-0313 §4.3.2: not defined */
        fail(q, "modify", "bad-request");
    if (later)
        limit_after(q, srv_text_of(arena, later));
    const char *id = before ? srv_text_of(arena, before) : "";
    q->backward = before != NULL;
    if (*id)
        limit_before(q, id);
}

static void read_query(sim_server *server, srv_arena *arena, query *q, const srv_node *node)
{
    q->id = srv_attr_of(node, "queryid");
    q->max = server->o.page_max;
    q->low = q->archive->first;
    q->high = q->archive->n;
    q->flip = srv_child(node, NS_MAM, "flip-page") != NULL;
    for (const srv_node *c = node->first; c; c = c->next)
        if (srv_is(c, NS_FORM, "x"))
            read_form(arena, q, c);
        else if (srv_is(c, NS_RSM, "set"))
            read_set(arena, q, c);
}

static void send_result(sim_server *server, srv_session *s, const query *q, const srv_entry *e)
{
    char stamp[32];
    srv_text *t = &server->scratch;
    t->n = 0;
    srv_stamp(stamp, e->pub.stamp);
    bool own = srv_same_bare(q->by, s->jid);
    srv_addf(t, "<message to='%s'", s->jid);
    if (!own || !server->o.results_without_from)
        srv_addf(t, " from='%s'", q->by);
    srv_addf(t, "><result xmlns='" NS_MAM "' id='%s'", e->pub.id);
    if (q->id)
        srv_addf(t, " queryid='%s'", q->id);
    srv_addf(t, "><forwarded xmlns='" NS_FORWARD "'><delay xmlns='" NS_DELAY "' stamp='%x'/>",
             stamp);
    srv_message_write(t, e->message, e->pub.from, e->pub.to, true, NULL);
    srv_adds(t, "</forwarded></result></message>");
    srv_send(server, s, t->p, t->n, e->message, true);
}

/* A page: its entries, in the order of looking. */
typedef struct result {
    const srv_entry *p[1000];
    size_t n;
    bool complete;
} result;

static void collect(const query *q, result *page)
{
    size_t max = q->max < 1000 ? q->max : 1000;
    page->n = 0;
    page->complete = true;
    size_t n = q->high > q->low ? q->high - q->low : 0;
    for (size_t i = 0; i < n; i++) {
        const srv_entry *e = q->archive->p[q->backward ? q->high - 1 - i : q->low + i];
        if (!matches(q, e))
            continue;
        if (page->n == max) {
            page->complete = false;
            return;
        }
        page->p[page->n++] = e;
    }
}

/* How many match the filter, and how many of them come before an entry (XEP-0059 §2.6). */
static size_t count(const query *q, const srv_entry *until, size_t *index)
{
    size_t n = 0;
    for (size_t i = q->archive->first; i < q->archive->n; i++) {
        if (q->archive->p[i] == until)
            *index = n;
        n += matches(q, q->archive->p[i]);
    }
    return n;
}

static void write_fin(sim_server *server, const query *q, const result *page, srv_text *t)
{
    size_t index = 0;
    const srv_entry *first = page->n ? page->p[q->backward ? page->n - 1 : 0] : NULL;
    const srv_entry *last = page->n ? page->p[q->backward ? 0 : page->n - 1] : NULL;
    size_t n = server->o.rsm_count ? count(q, first, &index) : 0;
    srv_addf(t, "<fin xmlns='" NS_MAM "'%x><set xmlns='" NS_RSM "'>",
             page->complete ? " complete='true'" : "");
    if (first && server->o.rsm_count)
        srv_addf(t, "<first index='%u'>%s</first>", (uint64_t)index, first->pub.id);
    else if (first)
        srv_addf(t, "<first>%s</first>", first->pub.id);
    if (last)
        srv_addf(t, "<last>%s</last>", last->pub.id);
    if (server->o.rsm_count)
        srv_addf(t, "<count>%u</count>", (uint64_t)n);
    srv_adds(t, "</set></fin>");
}

static void answer(sim_server *server, srv_session *s, srv_node *iq, const query *q)
{
    result page;
    collect(q, &page);
    for (size_t i = 0; i < page.n; i++) {
        bool reverse = q->backward != q->flip;
        send_result(server, s, q, page.p[reverse ? page.n - 1 - i : i]);
    }
    srv_text fin = {0};
    write_fin(server, q, &page, &fin);
    srv_iq_result(server, s, iq, fin.p);
    srv_text_free(&fin);
}

static void write_bound(srv_text *t, const char *name, const srv_entry *e)
{
    char stamp[32];
    srv_stamp(stamp, e->pub.stamp);
    srv_addf(t, "<%x id='%s' timestamp='%x'/>", name, e->pub.id, stamp);
}

static void metadata(sim_server *server, srv_session *s, srv_node *iq, const srv_archive *a)
{
    srv_text t = {0};
    srv_adds(&t, "<metadata xmlns='" NS_MAM "'>");
    if (a->n > a->first) {
        write_bound(&t, "start", a->p[a->first]);
        write_bound(&t, "end", a->p[a->n - 1]);
    }
    srv_adds(&t, "</metadata>");
    srv_iq_result(server, s, iq, t.p);
    srv_text_free(&t);
}

void srv_archive_iq(sim_server *server, srv_session *s, srv_node *iq, srv_node *node,
                    srv_archive *a, const char *by)
{
    if (srv_is(node, NS_MAM, "metadata")) {
        metadata(server, s, iq, a);
        return;
    }
    if (!srv_eq(srv_attr_of(iq, "type"), "set")) {
        srv_iq_error(server, s, iq, "cancel", "feature-not-implemented");
        return;
    }
    query q = {.archive = a, .by = by};
    srv_arena arena = {0};
    read_query(server, &arena, &q, node);
    if (q.condition) {
        if (strcmp(q.condition, "item-not-found") != 0)
            srv_violation(server, s->conn, "an archive query that is none: %s (XEP-0313 §4)",
                          q.condition);
        srv_iq_error(server, s, iq, q.type, q.condition);
    } else
        answer(server, s, iq, &q);
    srv_arena_free(&arena);
}
