/* bind2.c: a resource bound with the log-in, and what belongs to it (XEP-0386). */
#include "stream/auth.h"

static const jab_xml *offer_of(const jabi_stream *str)
{
    return jab_xml_child(jabi_plan_inline(str->features), JABI_NS_BIND2, "bind");
}

/* XEP-0386 §3.2: the server clears what was stored while the account was offline, as
 * the archive has it: only who reads the archive from a known place may ask for that. And it makes
 * the resource up, so an account that names one binds it the older way. */
int jabi_bind2_is_wanted(const jabi_stream *str)
{
    const jab_config *cfg = str->cfg;
    int may = (str->may_clear && !str->account.resource.p) || (cfg->login & JAB_LOGIN_BIND2);
    return may && !(cfg->login & JAB_LOGIN_NO_BIND2) && offer_of(str) != NULL;
}

/* XEP-0386 §3.1: features are listed by the name that service discovery has for them. */
int jabi_bind2_lists(const jab_xml *offer, const char *var)
{
    const jab_xml *list = jab_xml_child(offer, JABI_NS_BIND2, "inline");
    const jab_xml *el = jab_xml_child(list, JABI_NS_BIND2, "feature");
    for (; el; el = jab_xml_next_named(el, JABI_NS_BIND2, "feature"))
        if (jab_str_is(jab_xml_attr(el, "var"), var))
            return 1;
    return 0;
}

void jabi_bind2_write(jabi_stream *str, jabi_writer *w)
{
    const jab_xml *offer = offer_of(str);
    jab_str tag = str->account.resource.p ? str->account.resource : str->cfg->software_name;
    jabi_writer_start(w, JAB_STR(JABI_NS_BIND2), JAB_STR("bind"));
    jabi_writer_start(w, (jab_str){NULL, 0}, JAB_STR("tag"));
    jabi_writer_text(w, tag);
    jabi_writer_end(w);
    str->auth.asked_enable = jabi_bind2_lists(offer, JABI_NS_SM);
    if (str->auth.asked_enable) {
        jabi_writer_start(w, JAB_STR(JABI_NS_SM), JAB_STR("enable"));
        if (!str->cfg->no_reconnect)
            jabi_writer_attr(w, JAB_STR("resume"), JAB_STR("true"));
        jabi_writer_end(w);
    }
    if (str->inline_fn)
        str->inline_fn(str->inline_arg, w, offer);
    jabi_writer_end(w);
}

int jabi_bind2_on_bound(jabi_stream *str, const jab_xml *bound, jab_str identifier)
{
    if (jab_jid_parse(&str->bound, identifier, &str->bound_buf) < 0 ||
        !jabi_bind_is_ours(str, &str->bound)) {
        str->bound = (jab_jid){0};
        return jabi_stream_broken(str, "bad-format", "bound an address that is not this account's");
    }
    const jab_xml *enabled = jab_xml_child(bound, JABI_NS_SM, "enabled");
    if (enabled && !str->auth.asked_enable)
        return jabi_stream_broken(str, "bad-format", "did what it was not asked for");
    str->state |= JABI_BOUND | JABI_BY_BIND2;
    if (str->inline_fn)
        str->inline_fn(str->inline_arg, NULL, offer_of(str));
    return enabled ? jabi_sm_on_inline(str, enabled) : 0;
}
