/* history_read.c: what a message is to the history: whose, in which
 * conversation, and under which names its copies are to be known. */
#include "ext/history.h"

#include <jabiru/muc.h>

#include "base/check.h"
#include "ext/text.h"
#include "session/outbox.h"
#include "session/session.h"

#define NS_SID      "urn:xmpp:sid:0"
#define NS_HINTS    "urn:xmpp:hints"
#define NS_MUC_USER "http://jabber.org/protocol/muc#user"

static jab_message_type type_of(const jab_stanza *st)
{
    static const char *const names[] = {
        [JAB_MSG_NORMAL] = "normal",       [JAB_MSG_CHAT] = "chat",
        [JAB_MSG_GROUPCHAT] = "groupchat", [JAB_MSG_HEADLINE] = "headline",
        [JAB_MSG_ERROR] = "error",
    };
    for (int i = 0; i < 5; i++)
        if (jab_str_is(jab_stanza_type(st), names[i]))
            return (jab_message_type)i;
    return JAB_MSG_NORMAL; /* RFC 6121 §5.2.2 */
}

/* XEP-0045 §7.5: the account behind an occupant is not known, and another
 * occupant of the room is another conversation. */
static int is_occupant(jab_ext_ctx *x, const jab_stanza *st, const jab_jid *jid)
{
    if (!jid->resource.p)
        return 0;
    return jabi_room_is_joined(jab_ext_session(x), jid->bare) ||
           jab_xml_child(jab_stanza_xml(st), NS_MUC_USER, "x") != NULL;
}

static void read_personal(jab_ext_ctx *x, const jab_stanza *st, history_message *m)
{
    jab_str own = jab_session_jid(jab_ext_session(x))->bare;
    jab_jid from = jab_stanza_from(st), to = jab_stanza_to(st);
    int is_own = jab_str_eq(from.bare, own);
    const jab_jid *other = is_own ? &to : &from;
    jab_str name = is_occupant(x, st, other) ? other->full : other->bare;
    m->row.conversation = name;
    m->row.sender = is_own ? own : name;
    m->row.own = is_own ? JAB_OWN_DELIVERED : JAB_OWN_NONE;
}

/* Whether a message is what a room sent to all: live from one that is joined,
 * or out of its own archive. */
static int is_from_room(jab_ext_ctx *x, const jab_stanza *st)
{
    jab_mam_place place;
    if (jab_mam_place_of(jab_ext_session(x), st, &place))
        return jab_str_eq(place.archive, jab_stanza_from(st).bare);
    return (jab_stanza_via(st) & JAB_VIA_ROOM) != 0;
}

/* What may have left was said under the nickname of that time. Nobody else knows
 * its id who has not got it from there. */
static int is_in_doubt(const jab_session *s, const jab_stanza *st, jab_str room)
{
    const jab_xml *origin = jab_xml_child(jab_stanza_xml(st), NS_SID, "origin-id");
    jab_str id = origin ? jab_xml_attr(origin, "id") : jab_stanza_id(st);
    return (jab_stanza_via(st) & JAB_VIA_ARCHIVE) && jabi_outbox_is_doubted(s, room, id);
}

static void read_room(jab_ext_ctx *x, const jab_stanza *st, history_message *m)
{
    jab_session *s = jab_ext_session(x);
    jab_jid from = jab_stanza_from(st);
    m->row.conversation = from.bare;
    m->row.sender = from.full;
    /* In a room that an earlier process joined, or that was just left, the own
     * nickname is not known: then what is equal to an own message is that one. */
    jab_str nick = jab_muc_own_nick(s, from.bare);
    m->is_reflection = from.resource.p && (!nick.p || jab_str_eq(from.resource, nick) ||
                                           is_in_doubt(s, st, from.bare));
}

/*
 * XEP-0359 §5: an id is believed when it names the archive itself, which takes out
 * what others wrote in its name; one that is there twice was not given by it.
 */
static jab_str read_claim(const jab_xml *el, jab_str archive)
{
    jab_str claim = {NULL, 0};
    const jab_xml *id = jab_xml_child(el, NS_SID, "stanza-id");
    for (; id; id = jab_xml_next_named(id, NS_SID, "stanza-id")) {
        if (!JAB_CHECK(STANZA_ID_BY, jab_str_eq(jab_xml_attr(id, "by"), archive)))
            continue;
        if (claim.p)
            return (jab_str){NULL, 0};
        claim = jab_xml_attr(id, "id");
    }
    return claim.n ? claim : (jab_str){NULL, 0};
}

/* XEP-0334 §4.2 and §4.3 */
static int is_not_for_keeping(const jab_xml *el)
{
    return jab_xml_child(el, NS_HINTS, "no-store") ||
           jab_xml_child(el, NS_HINTS, "no-permanent-store");
}

static jab_str present(jab_str text)
{
    return text.n ? text : (jab_str){NULL, 0};
}

static void begin(const jab_stanza *st, history_message *m)
{
    jab_str body = jabi_text_in(jab_stanza_xml(st), "body", (jab_str){NULL, 0});
    *m = (history_message){.via = jab_stanza_via(st)};
    m->row.type = type_of(st);
    m->row.body = present(body);
}

static void read_names(jab_ext_ctx *x, const jab_stanza *st, history_message *m)
{
    const jab_xml *origin = jab_xml_child(jab_stanza_xml(st), NS_SID, "origin-id");
    m->row.id = present(jab_stanza_id(st));
    m->row.origin_id = present(jab_xml_attr(origin, "id"));
    m->row.stamp = jab_stanza_stamp(st);
    m->is_stored = m->row.stamp != 0;
    if (!m->row.stamp)
        m->row.stamp = jab_ext_wall(x);
}

int jabi_history_read(jab_ext_ctx *x, const jab_stanza *st, history_message *m)
{
    const jab_xml *el = jab_stanza_xml(st);
    begin(st, m);
    int is_group = m->row.type == JAB_MSG_GROUPCHAT;
    if (!m->row.body.p || m->row.type == JAB_MSG_ERROR || (is_group && !is_from_room(x, st)))
        return 0;
    if (is_group)
        read_room(x, st, m);
    else
        read_personal(x, st, m);
    const jab_str own = jab_session_jid(jab_ext_session(x))->bare;
    m->claim = read_claim(el, is_group ? m->row.conversation : own);
    if (is_not_for_keeping(el) && !m->claim.p && !(m->via & JAB_VIA_ARCHIVE))
        return 0;
    read_names(x, st, m);
    return 1;
}

int jabi_history_read_own(jab_ext_ctx *x, const jab_stanza *st, history_message *m)
{
    const jab_xml *el = jab_stanza_xml(st);
    begin(st, m);
    if (!m->row.body.p || m->row.type == JAB_MSG_ERROR || is_not_for_keeping(el))
        return 0;
    read_personal(x, st, m);
    if (m->row.type == JAB_MSG_GROUPCHAT)
        m->row.conversation = jab_stanza_to(st).bare;
    m->row.sender = jab_session_jid(jab_ext_session(x))->bare;
    m->row.own = JAB_OWN_PENDING;
    read_names(x, st, m);
    return 1;
}

void jabi_history_trust(history_message *m, const history_archive *a)
{
    if (!a || !a->is_known || !m->claim.p)
        return;
    m->row.archive = a->key;
    m->row.archive_id = m->claim;
}

history_archive *jabi_history_archive_of(jab_ext_ctx *x, const history_message *m)
{
    const history_state *state = jab_ext_state(x);
    if (m->row.type == JAB_MSG_GROUPCHAT)
        return jabi_history_archive_find(x, m->row.conversation);
    return state->own;
}
