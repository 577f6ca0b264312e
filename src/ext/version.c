/* version.c: XEP-0092 Software Version, both ways. */
#include <jabiru/version.h>

#include "ext/ext.h"
#include "ext/text.h"

#define NS "jabber:iq:version"

static int on_query(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    (void)el;
    const jab_config *cfg = jab_ext_config(x);
    if (!jabi_is_get(st))
        return JAB_PASS;
    jab_out *o = jab_ext_result(x, st);
    jab_out_child(o, NS, "query");
    jab_out_leaf(o, "name", cfg->software_name);
    jab_out_leaf(o, "version", cfg->software_version);
    if (cfg->software_os.p) /* XEP-0092 §5: the system may be a secret */
        jab_out_leaf(o, "os", cfg->software_os);
    return jabi_answered(jab_out_send(o, 0));
}

static int on_reply(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    jab_version_reply *ev = jab_ext_emit_reply(x, JAB_EV_VERSION, tag, sizeof *ev);
    if (ev)
        *ev = (jab_version_reply){
            .error = jabi_reply_error(reply, NS, "query"),
            .refusal = reply->refusal,
            .from = jabi_reply_from(reply),
            .name = jabi_leaf(reply->payload, NS, "name"),
            .version = jabi_leaf(reply->payload, NS, "version"),
            .os = jabi_leaf(reply->payload, NS, "os"),
        };
    return 0;
}

int jab_version_query(jab_session *s, jab_str to, uint64_t tag)
{
    jab_out *o = jabi_ext_ask(s, &jabi_ext_version, to, JAB_IQ_GET, on_reply);
    jab_out_child(o, NS, "query");
    return jab_out_send(o, tag);
}

static const jab_route routes[] = {
    {JAB_STAGE_ANSWER, JAB_IQ, JAB_FROM_ANY, NS, "query", on_query},
};

const jab_ext jabi_ext_version = {
    .size = sizeof(jab_ext),
    .name = "version",
    .spec = "XEP-0092 1.1",
    .features = JAB_LIST(NS),
    JAB_ROUTES(routes),
};
