/* iq.c: open iq requests, matched by id and sender (RFC 6120 §8.2.3), and
 * answers to what nobody claims. */
#include "session/session.h"

#include "base/check.h"
#include "base/mem.h"

static int64_t deadline_from(const jab_session *s)
{
    return s->cfg.request_timeout == JAB_NEVER ? JAB_NEVER : s->now + s->cfg.request_timeout;
}

int jabi_request_add(jab_session *s, const jab_out *o, uint64_t tag)
{
    if (s->n_requests >= s->cfg.max_requests)
        return JAB_EAGAIN;
    jabi_request *r = &s->requests[s->n_requests];
    *r = (jabi_request){.tag = tag, .ext = o->ext, .fn = o->fn};
    r->deadline = deadline_from(s);
    if (jabi_strdup(s->mem, &r->id, o->id) < 0 || jabi_strdup(s->mem, &r->to, o->to.full) < 0) {
        jabi_free(s->mem, (char *)r->id.p);
        return JAB_ENOMEM;
    }
    s->n_requests++;
    return 0;
}

void jabi_requests_extend(jab_session *s)
{
    for (size_t i = 0; i < s->n_requests; i++)
        s->requests[i].deadline = deadline_from(s);
}

void jabi_request_undo(jab_session *s)
{
    const jabi_request *r = &s->requests[--s->n_requests];
    jabi_free(s->mem, (char *)r->id.p);
    jabi_free(s->mem, (char *)r->to.p);
}

/* Takes a request out of the table; its strings are the caller's to free. */
static jabi_request take(jab_session *s, size_t i)
{
    jabi_request r = s->requests[i];
    memmove(&s->requests[i], &s->requests[i + 1], (s->n_requests - i - 1) * sizeof r);
    s->n_requests--;
    return r;
}

static int is_server(const jab_session *s, jab_str jid)
{
    return !jid.p || jab_str_eq(jid, s->self->bare) || jab_str_eq(jid, s->self->domain);
}

/* RFC 6120 §8.1.2.1 and §10.3.3: the server answers for the account without
 * "from", as the account, or as itself; everybody else under the address
 * that was asked. */
static int sender_was_asked(const jab_session *s, const jabi_request *r, const jab_stanza *st)
{
    jab_str from = jab_xml_attr(st->xml, "from").p ? st->from.full : (jab_str){NULL, 0};
    if (is_server(s, r->to))
        return is_server(s, from) || jab_str_eq(from, s->self->full);
    return jab_str_eq(r->to, from);
}

static int deliver(jab_session *s, const jabi_request *r, const jab_iq_reply *reply)
{
    if (r->fn)
        return r->fn(r->ext, r->tag, reply);
    jab_event *ev = jabi_event_push(s, JAB_EV_IQ, r->tag, sizeof(jab_iq_reply));
    if (!ev)
        return JAB_ENOMEM;
    memcpy((void *)ev->data, reply, sizeof *reply);
    ev->iq = ev->data;
    return 0;
}

static void free_request(jab_session *s, jabi_request *r)
{
    jabi_free(s->mem, (char *)r->id.p);
    jabi_free(s->mem, (char *)r->to.p);
}

static const jab_xml *payload_of(const jab_stanza *st)
{
    const jab_xml *el = jab_xml_first(st->xml);
    while (el && jab_xml_is(el, JABI_NS_CLIENT, "error"))
        el = jab_xml_next(el);
    return el;
}

int jabi_request_reply(jab_session *s, jab_stanza *st)
{
    for (size_t i = 0; i < s->n_requests; i++) {
        if (!jab_str_eq(s->requests[i].id, st->id) ||
            !JAB_CHECK(IQ_REPLY_SENDER, sender_was_asked(s, &s->requests[i], st)))
            continue;
        jabi_request r = take(s, i);
        jab_iq_reply reply = {.stanza = st, .payload = payload_of(st)};
        if (jab_stanza_error_read(st, &reply.refusal))
            reply.error = JAB_ESTANZA;
        int verdict = deliver(s, &r, &reply);
        free_request(s, &r);
        return verdict < 0 ? verdict : 0;
    }
    return 0;
}

/* Ends a request without an answer. */
static int fail_request(jab_session *s, size_t i, int error)
{
    jabi_request r = take(s, i);
    const jab_iq_reply reply = {.error = error};
    int verdict = deliver(s, &r, &reply);
    free_request(s, &r);
    return verdict;
}

void jabi_requests_expire(jab_session *s)
{
    for (size_t i = 0; i < s->n_requests;) {
        if (s->requests[i].deadline > s->now) {
            i++;
            continue;
        }
        int err = fail_request(s, i, JAB_ETIMEOUT);
        if (jabi_is_fatal(err))
            jabi_session_fail_code(s, err, NULL, jab_strerror(err));
    }
}

void jabi_requests_fail(jab_session *s, int error)
{
    while (s->n_requests)
        (void)fail_request(s, 0, error);
}

int64_t jabi_requests_deadline(const jab_session *s)
{
    int64_t earliest = JAB_NEVER;
    for (size_t i = 0; i < s->n_requests; i++)
        if (s->requests[i].deadline < earliest)
            earliest = s->requests[i].deadline;
    return earliest;
}

/* A reply of type result or error to a request that arrived. */
static jab_out *reply_to(jab_session *s, const jab_stanza *request, const char *type)
{
    jab_str to = jab_xml_attr(request->xml, "from").p ? request->from.full : (jab_str){NULL, 0};
    jab_out *o = jabi_out_new(s, JAB_IQ, (jab_str){NULL, 0}, type);
    if (!o)
        return NULL;
    o->iq_type = jab_str_is(jab_cstr(type), "result") ? JAB_IQ_RESULT : JAB_IQ_ERROR;
    jabi_out_answers(o, to, request->id);
    return o;
}

jab_out *jab_ext_result(jab_ext_ctx *x, const jab_stanza *request)
{
    return reply_to(x->session, request, "result");
}

int jabi_iq_unclaimed(jab_session *s, const jab_stanza *st, const char *type, const char *condition)
{
    jab_out *o = reply_to(s, st, "error");
    jab_out_child(o, NULL, "error");
    jab_out_attr(o, "type", jab_cstr(type));
    jab_out_child(o, JABI_NS_STANZAS, condition);
    int err = jab_out_send(o, 0);
    /* A full queue loses the refusal, not the session: the peer times out. */
    return err == JAB_ENOMEM ? err : 0;
}

int jab_ext_refuse(jab_ext_ctx *x, const jab_stanza *request, const char *type,
                   const char *condition)
{
    int err = jabi_iq_unclaimed(x->session, request, type, condition);
    return err < 0 ? err : JAB_DONE;
}
