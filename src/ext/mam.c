/* mam.c: XEP-0313 Message Archive Management: asks for a page of an archive,
 * and takes its messages from nobody else. Not yet: preferences, metadata,
 * search by other fields. */
#include "ext/mam.h"

#include <jabiru/datetime.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ext/text.h"

#define NS         "urn:xmpp:mam:2"
#define NS_FORWARD "urn:xmpp:forward:0"
#define NS_DELAY   "urn:xmpp:delay"
#define NS_RSM     "http://jabber.org/protocol/rsm"
#define NS_DATA    "jabber:x:data"
#define ID_BYTES   12

typedef struct mam_query {
    uint64_t serial;    /* of the iq */
    uint64_t tag;       /* the asker's */
    jab_ext_ctx *asker; /* NULL: the application */
    jabi_mam_fn fn;     /* of the asker */
    jab_str archive;    /* owned; absent: the own one */
    char id[2 * ID_BYTES + 1];
    uint32_t found;
} mam_query;

typedef struct mam_state {
    mam_query open[JAB_MAM_QUERIES_MAX];
    size_t n;
    uint64_t serial;
} mam_state;

/* -- Results ---------------------------------------------------------------- */

static jab_str archive_of(jab_ext_ctx *x, const mam_query *q)
{
    return q->archive.p ? q->archive : jab_session_jid(jab_ext_session(x))->bare;
}

/* XEP-0313 §8: the archive that was asked, under the id it was asked with. */
static mam_query *find_query(jab_ext_ctx *x, const jab_stanza *st, jab_str id)
{
    mam_state *state = jab_ext_state(x);
    jab_jid from = jab_stanza_from(st);
    for (size_t i = 0; i < state->n; i++) {
        mam_query *q = &state->open[i];
        if (JAB_CHECK(MAM_QUERY, jab_str_eq(from.full, archive_of(x, q)) && jab_str_is(id, q->id)))
            return q;
    }
    return NULL;
}

/* A room may tell what was said in it, and nothing else. */
static int is_from_room(const mam_query *q, const jab_xml *inner)
{
    jab_jid_buf buf;
    jab_jid from;
    return jab_jid_parse(&from, jab_xml_attr(inner, "from"), &buf) == 0 &&
           jab_str_eq(from.bare, q->archive) &&
           jab_str_is(jab_xml_attr(inner, "type"), "groupchat");
}

static int on_result(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    const jab_xml *forwarded = jab_xml_child(el, NS_FORWARD, "forwarded");
    const jab_xml *inner = jab_xml_child(forwarded, "jabber:client", "message");
    const jab_xml *delay = jab_xml_child(forwarded, NS_DELAY, "delay");
    mam_query *q = find_query(x, st, jab_xml_attr(el, "queryid"));
    int64_t stamp = 0;
    if (!q || !inner || jab_datetime_parse(jab_xml_attr(delay, "stamp"), &stamp) < 0)
        return JAB_DONE;
    if (q->archive.p && !JAB_CHECK(MAM_ROOM, is_from_room(q, inner)))
        return JAB_DONE;
    q->found++;
    return jab_ext_unwrap(x, st, inner, JAB_VIA_ARCHIVE, stamp);
}

/* The element around a message that came out of an archive, or NULL. */
static const jab_xml *result_of(const jab_stanza *st)
{
    const jab_xml *result = jab_xml_parent(jab_xml_parent(jab_stanza_xml(st)));
    if (!(jab_stanza_via(st) & JAB_VIA_ARCHIVE) || !jab_xml_is(result, NS, "result"))
        return NULL;
    return result;
}

/* The query is open: its result is being routed, and find_query() let it in. */
jab_ext_ctx *jabi_mam_asker(jab_session *s, const jab_stanza *st, uint64_t *tag)
{
    const mam_state *state = jabi_ext_state_in(s, &jabi_ext_mam);
    const jab_xml *result = result_of(st);
    jab_str id = jab_xml_attr(result, "queryid");
    for (size_t i = 0; result && i < state->n; i++) {
        if (!jab_str_is(id, state->open[i].id))
            continue;
        *tag = state->open[i].tag;
        return state->open[i].asker;
    }
    return NULL;
}

int jab_mam_place_of(jab_session *s, const jab_stanza *st, jab_mam_place *place)
{
    const jab_xml *result = result_of(st);
    if (!result)
        return 0;
    *place = (jab_mam_place){
        .archive = jab_xml_attr(jab_xml_parent(result), "from"),
        .id = jab_xml_attr(result, "id"),
    };
    if (!place->archive.p)
        place->archive = jab_session_jid(s)->bare;
    return 1;
}

/* -- The end of a page ------------------------------------------------------ */

static void read_fin(jab_mam_fin *ev, const jab_xml *fin)
{
    const jab_xml *set = jab_xml_child(fin, NS_RSM, "set");
    jab_str complete = jab_xml_attr(fin, "complete"), stable = jab_xml_attr(fin, "stable");
    ev->complete = jab_str_is(complete, "true") || jab_str_is(complete, "1");
    ev->unstable = jab_str_is(stable, "false") || jab_str_is(stable, "0");
    ev->first = jabi_leaf(set, NS_RSM, "first");
    ev->last = jabi_leaf(set, NS_RSM, "last");
    if (jabi_number(jabi_leaf(set, NS_RSM, "count"), UINT64_MAX, &ev->count) < 0)
        ev->count = 0;
}

static void tell_application(jab_ext_ctx *x, uint64_t tag, const jab_mam_fin *fin)
{
    jab_mam_fin *ev = jab_ext_emit_reply(x, JAB_EV_MAM_FIN, tag, sizeof *ev);
    if (!ev)
        return;
    *ev = *fin;
    ev->archive = jab_ext_text(x, fin->archive);
}

/* The slot is free, and the table closed, before anyone is told: the asker may
 * ask for the next page. */
static int on_fin(jab_ext_ctx *x, uint64_t serial, const jab_iq_reply *reply)
{
    mam_state *state = jab_ext_state(x);
    mam_query *q = state->open;
    while (q < state->open + state->n && q->serial != serial)
        q++;
    if (q == state->open + state->n)
        return 0;
    const mam_query closed = *q;
    *q = state->open[--state->n];
    jab_mam_fin fin = {.error = jabi_reply_error(reply, NS, "fin"),
                       .refusal = reply->refusal,
                       .archive = archive_of(x, &closed),
                       .found = closed.found};
    read_fin(&fin, fin.error == 0 ? reply->payload : NULL);
    int err = 0;
    if (closed.fn)
        err = closed.fn(closed.asker, closed.tag, &fin);
    else
        tell_application(x, closed.tag, &fin);
    jabi_free(jab_ext_mem(x), (char *)closed.archive.p);
    return err;
}

/* -- Asking ----------------------------------------------------------------- */

static void write_field(jab_out *o, const char *name, const char *type, jab_str value)
{
    if (!value.p)
        return;
    jab_out_child(o, NULL, "field");
    jab_out_attr(o, "var", jab_cstr(name));
    jab_out_attr(o, "type", jab_cstr(type));
    jab_out_leaf(o, "value", value);
    jab_out_end(o);
}

static void write_time(jab_out *o, const char *name, int64_t ms)
{
    char text[JAB_DATETIME_SIZE];
    if (ms == 0)
        return;
    if (jab_datetime_format(ms, text) < 0)
        jab_out_fail(o, JAB_EINVAL);
    else
        write_field(o, name, NULL, jab_cstr(text));
}

/* XEP-0313 §4.1 */
static void write_form(jab_out *o, const jab_mam_query *q)
{
    if (!q->with.p && !q->start && !q->end)
        return;
    jab_out_child(o, NS_DATA, "x");
    jab_out_attr(o, "type", JAB_STR("submit"));
    write_field(o, "FORM_TYPE", "hidden", JAB_STR(NS));
    write_field(o, "with", NULL, q->with);
    write_time(o, "start", q->start);
    write_time(o, "end", q->end);
    jab_out_end(o);
}

/* XEP-0059 §2 */
static void write_page(jab_out *o, const jab_mam_query *q)
{
    if (!q->max && !q->after.p && !q->before.p)
        return;
    jab_out_child(o, NS_RSM, "set");
    if (q->max)
        jabi_out_leaf_number(o, "max", q->max);
    if (q->after.p)
        jab_out_leaf(o, "after", q->after);
    if (q->before.p)
        jab_out_leaf(o, "before", q->before);
    jab_out_end(o);
}

/* Fills the next free slot of the table, which is not taken yet. */
static int prepare(jab_ext_ctx *x, mam_query *q, jab_str archive, uint64_t tag)
{
    const jab_config *cfg = jab_ext_config(x);
    uint8_t id[ID_BYTES];
    jab_jid_buf buf;
    jab_jid room = {.bare = {NULL, 0}};
    if (archive.p && jab_jid_parse(&room, archive, &buf) < 0)
        return JAB_EJID;
    if (cfg->random(cfg->random_arg, id, sizeof id) < 0)
        return JAB_ECRYPTO;
    *q = (mam_query){.tag = tag};
    jabi_hex(id, sizeof id, q->id);
    if (jab_str_eq(room.bare, jab_session_jid(jab_ext_session(x))->bare))
        room.bare = (jab_str){NULL, 0};
    return jabi_strdup(jab_ext_mem(x), &q->archive, room.bare);
}

static int ask(jab_ext_ctx *x, const jab_mam_query *query, mam_query asker)
{
    mam_state *state = jab_ext_state(x);
    if (state->n == JAB_MAM_QUERIES_MAX)
        return JAB_EAGAIN;
    mam_query *q = &state->open[state->n];
    int r = prepare(x, q, query->archive, asker.tag);
    if (r < 0)
        return r;
    q->asker = asker.asker;
    q->fn = asker.fn;
    q->serial = ++state->serial;
    jab_out *o = jab_ext_iq(x, q->archive, JAB_IQ_SET, on_fin);
    jab_out_child(o, NS, "query");
    jab_out_attr(o, "queryid", jab_cstr(q->id));
    write_form(o, query);
    write_page(o, query);
    r = jab_out_send(o, q->serial);
    if (r < 0)
        jabi_free(jab_ext_mem(x), (char *)q->archive.p);
    else
        state->n++;
    return r;
}

int jabi_mam_ask(jab_ext_ctx *asker, const jab_mam_query *query, jabi_mam_fn fn, uint64_t tag)
{
    jab_ext_ctx *x = jab_ext_find(jab_ext_session(asker), &jabi_ext_mam);
    return ask(x, query, (mam_query){.tag = tag, .asker = asker, .fn = fn});
}

int jab_mam_ask(jab_session *s, const jab_mam_query *query, uint64_t tag)
{
    return ask(jab_ext_find(s, &jabi_ext_mam), query, (mam_query){.tag = tag});
}

static void stop(jab_ext_ctx *x)
{
    mam_state *state = jab_ext_state(x);
    while (state->n > 0)
        jabi_free(jab_ext_mem(x), (char *)state->open[--state->n].archive.p);
}

static const jab_route routes[] = {
    {JAB_STAGE_UNWRAP, JAB_MESSAGE, JAB_FROM_PEER, NS, "result", on_result},
};

const jab_ext jabi_ext_mam = {
    .size = sizeof(jab_ext),
    .name = "mam",
    .spec = "XEP-0313 1.1.3, XEP-0059 1.0",
    .state_size = sizeof(mam_state),
    JAB_ROUTES(routes),
    .stop = stop,
};
