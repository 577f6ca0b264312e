/* message.c: RFC 6121 §5, exchanging messages: one event for each, the parts
 * of it, and the answer to it. */
#include <jabiru/message.h>

#include "ext/ext.h"
#include "ext/text.h"
#include "session/session.h"

static jab_message_type type_of(const jab_stanza *st)
{
    static const struct {
        const char *name;
        jab_message_type type;
    } types[] = {
        {"chat", JAB_MSG_CHAT},
        {"groupchat", JAB_MSG_GROUPCHAT},
        {"headline", JAB_MSG_HEADLINE},
        {"error", JAB_MSG_ERROR},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (jab_str_is(jab_stanza_type(st), types[i].name))
            return types[i].type;
    return JAB_MSG_NORMAL; /* RFC 6121 §5.2.2: what is unknown is normal */
}

static int on_message(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    jab_message *m = jab_ext_emit_message(x);
    if (m)
        *m = (jab_message){
            .from = jab_stanza_from(st),
            .to = jab_stanza_to(st),
            .id = jab_stanza_id(st),
            .type = type_of(st),
            .flags = jab_stanza_via(st),
            .body = jabi_text_in(el, "body", jab_ext_config(x)->lang),
            .stamp = jab_stanza_stamp(st),
            .stanza = st,
            .key = st->key,
        };
    return JAB_PASS;
}

jab_str jab_message_subject(const jab_message *m)
{
    return jabi_text_in(jab_stanza_xml(m->stanza), "subject", (jab_str){NULL, 0});
}

jab_str jab_message_thread(const jab_message *m)
{
    return jabi_leaf(jab_stanza_xml(m->stanza), NULL, "thread");
}

jab_str jab_message_parent(const jab_message *m)
{
    return jab_xml_attr(jab_xml_child(jab_stanza_xml(m->stanza), NULL, "thread"), "parent");
}

jab_str jab_message_body_in(const jab_message *m, jab_str lang)
{
    return jabi_text_in(jab_stanza_xml(m->stanza), "body", lang);
}

int jab_message_error(const jab_message *m, jab_stanza_error *e)
{
    return jab_stanza_error_read(m->stanza, e);
}

/* RFC 6121 §5.1: to the resource that wrote, as long as that says anything
 * about where the other person is now. */
static jab_str answer_address(const jab_message *m)
{
    const unsigned stored = JAB_VIA_ARCHIVE | JAB_VIA_DELAYED;
    if (m->type == JAB_MSG_GROUPCHAT)
        return m->from.bare;
    const jab_jid *other = m->flags & JAB_VIA_CARBON_SENT ? &m->to : &m->from;
    if (m->flags & JAB_VIA_ROOM)
        return other->full; /* an occupant, whose bare address is the room's */
    if (m->flags & (stored | JAB_VIA_CARBON_SENT | JAB_VIA_CARBON_RECEIVED))
        return other->bare;
    return other->full;
}

jab_out *jab_reply(jab_session *s, const jab_message *m)
{
    jab_message_type type = m->type;
    if (type == JAB_MSG_HEADLINE || type == JAB_MSG_ERROR)
        type = JAB_MSG_NORMAL; /* §5.2.2: headlines are not conversations */
    jab_out *o = jab_message_to(s, (jab_str){NULL, 0}, type);
    jab_out_to(o, jab_jid_view(answer_address(m)));
    if (m->type == JAB_MSG_ERROR)
        jab_out_fail(o, JAB_EINVAL); /* RFC 6120 §8.3.1 */
    jab_str thread = jab_message_thread(m);
    if (thread.n > 0)
        jab_out_thread(o, thread, jab_message_parent(m));
    return o;
}

static const jab_route routes[] = {
    {JAB_STAGE_OBSERVE, JAB_MESSAGE, JAB_FROM_ANY, NULL, NULL, on_message},
};

const jab_ext jabi_ext_message = {
    .size = sizeof(jab_ext),
    .name = "message",
    .spec = "RFC 6121",
    .needs = JAB_LIST("history"), /* which says whether a message is new */
    JAB_ROUTES(routes),
};
