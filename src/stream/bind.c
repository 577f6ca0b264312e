/* bind.c: resource binding (RFC 6120 §7). */
#include "stream/stream.h"

#include <stdio.h>

static int begin(jabi_stream *str, const jab_xml *offer)
{
    (void)offer;
    if (jabi_random_id(str->cfg, str->bind_id) < 0)
        return jabi_stream_fault(str, JAB_ECRYPTO, JAB_AT_BIND, NULL, "no randomness for an id");
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    jabi_writer_start(&w, JAB_STR(JABI_NS_CLIENT), JAB_STR("iq"));
    jabi_writer_attr(&w, JAB_STR("type"), JAB_STR("set"));
    jabi_writer_attr(&w, JAB_STR("id"), jab_cstr(str->bind_id));
    jabi_writer_start(&w, JAB_STR(JABI_NS_BIND), JAB_STR("bind"));
    if (str->account.resource.p) {
        jabi_writer_start(&w, (jab_str){NULL, 0}, JAB_STR("resource"));
        jabi_writer_text(&w, str->account.resource);
    }
    return jabi_stream_write_end(str, &w, mark, NULL);
}

/* RFC 6120 §7.6: the server chooses the resource, not another account. Who
 * logged in without a name (ANONYMOUS) is given one. */
int jabi_bind_is_ours(const jabi_stream *str, const jab_jid *jid)
{
    if (!jid->resource.p || !jab_str_eq(jid->domain, str->account.domain))
        return 0;
    return !str->account.local.p || jab_str_eq(jid->local, str->account.local);
}

static int refused(jabi_stream *str, const jab_xml *iq)
{
    const jab_xml *error = jab_xml_child(iq, JABI_NS_CLIENT, "error");
    jab_str condition = jabi_condition_of(error, JABI_NS_STANZAS);
    char name[64];
    snprintf(name, sizeof name, JAB_FMT, (int)(condition.n < 60 ? condition.n : 0),
             condition.p ? condition.p : "");
    jabi_stream_close(str);
    return jabi_stream_fault(str, JAB_ESTANZA, JAB_AT_BIND, name[0] ? name : NULL,
                             "the server " JAB_FMT " refused the resource%s%s",
                             JAB_ARG(str->account.domain), name[0] ? ": " : "", name);
}

static int element(jabi_stream *str, const jab_xml *el)
{
    if (!jab_xml_is(el, JABI_NS_CLIENT, "iq") ||
        !jab_str_eq(jab_xml_attr(el, "id"), jab_cstr(str->bind_id)))
        return jabi_stream_broken(str, "not-authorized",
                                  "sent a stanza before the resource was bound");
    if (jab_str_is(jab_xml_attr(el, "type"), "error"))
        return refused(str, el);
    const jab_xml *bind = jab_xml_child(el, JABI_NS_BIND, "bind");
    jab_str text = jab_xml_text(jab_xml_child(bind, JABI_NS_BIND, "jid"));
    if (!jab_str_is(jab_xml_attr(el, "type"), "result") ||
        jab_jid_parse(&str->bound, text, &str->bound_buf) < 0 ||
        !jabi_bind_is_ours(str, &str->bound)) {
        str->bound = (jab_jid){0};
        return jabi_stream_broken(str, "bad-format", "bound an address that is not this account's");
    }
    str->state |= JABI_BOUND;
    return JABI_STEP_READY;
}

static int missing(jabi_stream *str)
{
    return jabi_stream_broken(str, "unsupported-feature", "offers no resource binding");
}

static int ahead(jabi_stream *str, const jab_xml *offer)
{
    (void)str;
    return offer != NULL;
}

const jabi_feature jabi_feature_bind = {
    .ns = JABI_NS_BIND,
    .name = "bind",
    .stage = JAB_AT_BIND,
    .required = JABI_AUTHENTICATED,
    .forbidden = JABI_BOUND,
    .begin = begin,
    .element = element,
    .missing = missing,
    .ahead = ahead,
};
