/* markers.c: XEP-0333 Displayed Markers. Not yet: markers in rooms. */
#include "ext/receipts.h"

#include "base/check.h"
#include "ext/ext.h"
#include "session/ext_out.h"

#define NS       "urn:xmpp:chat-markers:0"
#define NS_HINTS "urn:xmpp:hints"

void jab_out_ask_displayed(jab_out *o)
{
    jab_out_child(o, NS, "markable");
    jab_out_end(o);
}

int jab_message_wants_displayed(const jab_message *m)
{
    return m->type != JAB_MSG_ERROR && m->id.n > 0 &&
           jab_xml_child(jab_stanza_xml(m->stanza), NS, "markable") != NULL;
}

/* XEP-0333 §5, §7: not of own messages, and to those only who may know that
 * somebody is there; a room's occupants are not among them. */
static int may_mark(jab_ext_ctx *x, const jab_message *m)
{
    const unsigned others = JAB_VIA_CARBON_SENT | JAB_VIA_ROOM | JAB_VIA_HISTORY;
    return jab_message_wants_displayed(m) && m->type != JAB_MSG_GROUPCHAT && !(m->flags & others) &&
           !jab_jid_bare_eq(&m->from, jab_session_jid(jab_ext_session(x))) &&
           JAB_CHECK(MARKER_TRUSTED, jab_peer_trusted(x, &m->from));
}

int jab_mark_displayed(jab_session *s, const jab_message *m)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_markers);
    if (!may_mark(x, m))
        return 0;
    jab_out *o = jabi_out_message(x, jab_jid_view(m->from.bare),
                                  m->type == JAB_MSG_CHAT ? JAB_MSG_CHAT : JAB_MSG_NORMAL);
    jab_out_child(o, NS, "displayed");
    jab_out_attr(o, "id", m->id);
    jab_out_end(o);
    jab_out_child(o, NS_HINTS, "store"); /* for their other clients, later */
    jab_out_end(o);
    return jab_out_send(o, 0);
}

static int on_kept(void *arg, const jab_kept_message *m)
{
    *(int64_t *)arg = m->key;
    return 1;
}

/* What another client of the account says is about a message of the other side. */
static int on_own(jab_ext_ctx *x, const jab_stanza *st, jab_str id)
{
    jab_store *store = jab_ext_store(x);
    int64_t key = 0;
    int err = 0;
    if (store)
        err = store->table->read(
            store, JAB_KEPT_QUERY(.conversation = jab_stanza_to(st).bare, .id = id, .limit = 1),
            on_kept, &key);
    return err < 0 ? err : jabi_receipts_emit(x, st, id, JAB_EV_DISPLAYED, key);
}

static int on_message(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    const unsigned copied = JAB_VIA_CARBON_SENT | JAB_VIA_ARCHIVE;
    jab_str type = jab_stanza_type(st);
    jab_str id = jab_xml_attr(jab_xml_child(el, NS, "displayed"), "id");
    jab_jid from = jab_stanza_from(st);
    if (id.n == 0 || jab_str_is(type, "error") || jab_str_is(type, "groupchat"))
        return JAB_PASS;
    int is_own = jab_jid_bare_eq(&from, jab_session_jid(jab_ext_session(x)));
    if (is_own && (jab_stanza_via(st) & copied))
        return on_own(x, st, id);
    return jabi_receipts_claim(x, st, id, JAB_EV_DISPLAYED, JAB_OWN_DISPLAYED);
}

static const jab_route routes[] = {
    {JAB_STAGE_OBSERVE, JAB_MESSAGE, JAB_FROM_ANY, NULL, NULL, on_message},
};

const jab_ext jabi_ext_markers = {
    .size = sizeof(jab_ext),
    .name = "markers",
    .spec = "XEP-0333 1.0.0",
    .features = JAB_LIST(NS),
    .needs = JAB_LIST("message", "roster"),
    JAB_ROUTES(routes),
};
