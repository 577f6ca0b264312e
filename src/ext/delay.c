/* delay.c: XEP-0203 Delayed Delivery: when a stored stanza was sent, if
 * someone says so who may. */
#include <jabiru/datetime.h>
#include <jabiru/delay.h>

#include "base/check.h"
#include "ext/ext.h"

#define NS "urn:xmpp:delay"

static int read_delay(const jab_xml *el, jab_delay *d)
{
    *d = (jab_delay){0, jab_xml_attr(el, "from"), jab_xml_text(el)};
    return jab_datetime_parse(jab_xml_attr(el, "stamp"), &d->stamp);
}

/* Whether an address is the own server's or the own account's. */
static int is_home(jab_ext_ctx *x, const jab_jid *jid)
{
    const jab_jid *own = jab_session_jid(jab_ext_session(x));
    return jab_str_eq(jid->full, own->domain) || jab_str_eq(jid->bare, own->bare);
}

/*
 * XEP-0203 §5: a delay can be forged. It is believed from the own server and
 * account, who removes others' claims in their name; from a joined room about
 * what it sends; and without a name only in what the server itself sends.
 */
static unsigned believe(jab_ext_ctx *x, const jab_stanza *st, jab_str who)
{
    jab_jid_buf buf;
    jab_jid from = jab_stanza_from(st), by = from;
    if (who.p && jab_jid_parse(&by, who, &buf) < 0)
        return 0;
    if (JAB_CHECK(DELAY_SENDER, is_home(x, &by)))
        return JAB_VIA_DELAYED;
    int by_room = who.p && (jab_stanza_via(st) & JAB_VIA_ROOM) && jab_jid_bare_eq(&by, &from);
    if (!by_room)
        return 0;
    return jab_str_is(jab_stanza_type(st), "groupchat") ? JAB_VIA_HISTORY : JAB_VIA_DELAYED;
}

static int on_delay(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    jab_delay d;
    if (jab_stanza_stamp(st) || read_delay(el, &d) < 0)
        return JAB_PASS;
    unsigned via = believe(x, st, d.from);
    if (via)
        jab_ext_mark(x, st, via, d.stamp);
    return JAB_PASS;
}

int jab_delay_claimed(const jab_stanza *st, jab_delay *d)
{
    const jab_xml *el = jab_xml_child(jab_stanza_xml(st), NS, "delay");
    while (el && read_delay(el, d) < 0)
        el = jab_xml_next_named(el, NS, "delay");
    return el != NULL;
}

/* UNWRAP, so that the mark is there before anyone observes. */
static const jab_route routes[] = {
    {JAB_STAGE_UNWRAP, JAB_MESSAGE, JAB_FROM_ANY, NS, "delay", on_delay},
    {JAB_STAGE_UNWRAP, JAB_PRESENCE, JAB_FROM_ANY, NS, "delay", on_delay},
};

const jab_ext jabi_ext_delay = {
    .size = sizeof(jab_ext),
    .name = "delay",
    .spec = "XEP-0203 2.0, XEP-0082 1.1.1",
    .features = JAB_LIST(NS),
    JAB_ROUTES(routes),
};
