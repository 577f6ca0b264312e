/* presence.c: RFC 6121 §3 and §4: presence and subscriptions, sent and read. */
#include "ext/presence.h"

#include "ext/ext.h"
#include "ext/text.h"

#include <stdio.h>

static const char *const shows[] = {
    [JAB_SHOW_DND] = "dnd",   [JAB_SHOW_XA] = "xa",     [JAB_SHOW_AWAY] = "away",
    [JAB_SHOW_ONLINE] = NULL, [JAB_SHOW_CHAT] = "chat",
};

static const char *const types[] = {
    [JAB_PRESENCE_AVAILABLE] = "",
    [JAB_PRESENCE_UNAVAILABLE] = "unavailable",
    [JAB_PRESENCE_SUBSCRIBE] = "subscribe",
    [JAB_PRESENCE_SUBSCRIBED] = "subscribed",
    [JAB_PRESENCE_UNSUBSCRIBE] = "unsubscribe",
    [JAB_PRESENCE_UNSUBSCRIBED] = "unsubscribed",
    [JAB_PRESENCE_PROBE] = "probe",
    [JAB_PRESENCE_ERROR] = "error",
};

const char *jab_presence_type_name(jab_presence_type type)
{
    size_t i = (size_t)type;
    return i < sizeof types / sizeof types[0] && types[i][0] ? types[i] : "available";
}

const char *jab_show_name(jab_show show)
{
    size_t i = (size_t)show;
    return i < sizeof shows / sizeof shows[0] && shows[i] ? shows[i] : "online";
}

/* -- Reading ---------------------------------------------------------------- */

/* The type, or -1: RFC 6121 §4.7.1 knows no others. */
static int read_type(jab_str text)
{
    if (!text.p)
        return JAB_PRESENCE_AVAILABLE;
    for (int i = JAB_PRESENCE_UNAVAILABLE; i <= JAB_PRESENCE_ERROR; i++)
        if (jab_str_is(text, types[i]))
            return i;
    return -1;
}

/* §4.7.2.1: what is not one of the four is not there. */
jab_show jabi_presence_show(const jab_xml *el)
{
    jab_str text = jabi_leaf(el, NULL, "show");
    for (int i = JAB_SHOW_DND; i <= JAB_SHOW_CHAT; i++)
        if (shows[i] && jab_str_is(text, shows[i]))
            return (jab_show)i;
    return JAB_SHOW_ONLINE;
}

/* §4.7.2.3: -128 to 127; without one it is 0. */
int jabi_presence_priority(const jab_xml *el)
{
    jab_str text = jabi_leaf(el, NULL, "priority");
    uint64_t value;
    int minus = text.n > 0 && text.p[0] == '-';
    if (minus)
        text = (jab_str){text.p + 1, text.n - 1};
    if (jabi_number(text, minus ? 128 : 127, &value) < 0)
        return 0;
    return minus ? -(int)value : (int)value;
}

static int keep_track(jab_ext_ctx *x, const jab_presence *p)
{
    if (p->type == JAB_PRESENCE_AVAILABLE)
        return jabi_presence_note(x, p);
    if (p->type == JAB_PRESENCE_UNAVAILABLE || p->type == JAB_PRESENCE_ERROR)
        jabi_presence_forget(x, &p->from);
    return 0;
}

/* Occupants of rooms are the room extension's. */
static int on_presence(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    int type = read_type(jab_stanza_type(st));
    if (type < 0 || (jab_stanza_via(st) & JAB_VIA_ROOM))
        return JAB_PASS;
    jab_presence p = {
        .from = jab_stanza_from(st),
        .type = (jab_presence_type)type,
        .show = jabi_presence_show(el),
        .priority = jabi_presence_priority(el),
        .status = jabi_text_in(el, "status", jab_ext_config(x)->lang),
        .stanza = st,
    };
    int err = keep_track(x, &p);
    if (err < 0)
        return err;
    jab_presence *ev = jab_ext_emit(x, JAB_EV_PRESENCE, sizeof *ev);
    if (ev)
        *ev = p;
    return JAB_PASS;
}

/* -- Sending ---------------------------------------------------------------- */

void jab_out_show(jab_out *o, jab_show show)
{
    size_t i = (size_t)show;
    if (i >= sizeof shows / sizeof shows[0])
        jab_out_fail(o, JAB_EINVAL);
    else if (shows[i])
        jab_out_leaf(o, "show", jab_cstr(shows[i]));
}

void jab_out_status(jab_out *o, jab_str lang, jab_str text)
{
    jab_out_child(o, NULL, "status");
    if (lang.p)
        jab_out_lang(o, lang);
    jab_out_text(o, text);
    jab_out_end(o);
}

void jab_out_priority(jab_out *o, int priority)
{
    char buf[16];
    if (priority < -128 || priority > 127)
        jab_out_fail(o, JAB_EINVAL);
    snprintf(buf, sizeof buf, "%d", priority);
    jab_out_leaf(o, "priority", jab_cstr(buf));
}

int jab_send_presence(jab_session *s, jab_str to, jab_show show, jab_str status, int priority)
{
    int err = to.p ? 0 : jabi_roster_ensure(s);
    if (err < 0)
        return err;
    jab_out *o = jab_presence_to(s, to);
    jab_out_show(o, show);
    if (status.p)
        jab_out_status(o, (jab_str){NULL, 0}, status);
    if (priority != 0)
        jab_out_priority(o, priority);
    return jab_out_send(o, 0);
}

int jab_set_presence(jab_session *s, jab_str status)
{
    return jab_send_presence(s, (jab_str){NULL, 0}, JAB_SHOW_ONLINE, status, 0);
}

static int send_typed(jab_session *s, jab_str to, jab_presence_type type, jab_str status)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_presence);
    jab_out *o = jab_ext_presence(x, to, jab_cstr(types[type]));
    if (status.p)
        jab_out_status(o, (jab_str){NULL, 0}, status);
    return jab_out_send(o, 0);
}

int jab_send_unavailable(jab_session *s, jab_str to, jab_str status)
{
    return send_typed(s, to, JAB_PRESENCE_UNAVAILABLE, status);
}

/* RFC 6121 §3.1.1: subscriptions are between bare addresses. */
static int send_to_bare(jab_session *s, jab_str jid, jab_presence_type type, jab_str status)
{
    jab_jid_buf buf;
    jab_jid to;
    if (jab_jid_parse(&to, jid, &buf) < 0)
        return JAB_EJID;
    return send_typed(s, to.bare, type, status);
}

int jab_subscribe(jab_session *s, jab_str jid, jab_str status)
{
    return send_to_bare(s, jid, JAB_PRESENCE_SUBSCRIBE, status);
}

int jab_subscribed(jab_session *s, jab_str jid)
{
    return send_to_bare(s, jid, JAB_PRESENCE_SUBSCRIBED, (jab_str){NULL, 0});
}

int jab_unsubscribe(jab_session *s, jab_str jid)
{
    return send_to_bare(s, jid, JAB_PRESENCE_UNSUBSCRIBE, (jab_str){NULL, 0});
}

int jab_unsubscribed(jab_session *s, jab_str jid)
{
    return send_to_bare(s, jid, JAB_PRESENCE_UNSUBSCRIBED, (jab_str){NULL, 0});
}

int jab_preapprove(jab_session *s, jab_str jid)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_presence);
    if (!jab_session_online(s))
        return JAB_EOFFLINE;
    if (!jab_ext_stream_feature(x, "urn:xmpp:features:pre-approval", "sub"))
        return JAB_EUNSUPPORTED;
    return jab_subscribed(s, jid);
}

/* -- The extension ---------------------------------------------------------- */

static const jab_route routes[] = {
    {JAB_STAGE_OBSERVE, JAB_PRESENCE, JAB_FROM_ANY, NULL, NULL, on_presence},
};

const jab_ext jabi_ext_presence = {
    .size = sizeof(jab_ext),
    .name = "presence",
    .spec = "RFC 6121",
    .needs = JAB_LIST("roster"),
    .state_size = sizeof(presence_state),
    JAB_ROUTES(routes),
    .offline = jabi_presence_clear,
    .stop = jabi_presence_clear,
};
