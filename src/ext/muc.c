/*
 * muc.c: XEP-0045 Multi-User Chat: joining, leaving, nick and subject. Not
 * yet: configuration, affiliations, moderation, invitations, registration.
 */
#include "ext/muc.h"

#include <jabiru/datetime.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ext/text.h"

#define NS_OWNER "http://jabber.org/protocol/muc#owner"

/* -- Subject ---------------------------------------------------------------- */

/* XEP-0045 §8.1: a subject alone changes the subject; with a body it is only
 * a message that has one. */
static int on_subject(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    const jab_xml *message = jab_stanza_xml(st);
    jab_jid from = jab_stanza_from(st);
    if (!jab_str_is(jab_stanza_type(st), "groupchat") || !jabi_muc_find(x, from.bare) ||
        jab_xml_child(message, NULL, "body") || jab_xml_child(message, NULL, "thread"))
        return JAB_PASS;
    jab_muc_subject *ev = jab_ext_emit(x, JAB_EV_MUC_SUBJECT, sizeof *ev);
    if (ev)
        *ev = (jab_muc_subject){from.bare, from.resource, jab_xml_text(el)};
    return JAB_PASS;
}

int jab_muc_set_subject(jab_session *s, jab_str room, jab_str subject)
{
    jab_out *o = jab_message_to(s, room, JAB_MSG_GROUPCHAT);
    jab_out_subject(o, subject);
    return jab_out_send(o, 0);
}

/* -- Joining ---------------------------------------------------------------- */

static void write_history(jab_out *o, const jab_muc_join_options *options)
{
    char since[JAB_DATETIME_SIZE];
    if (!options->no_history && !options->history && !options->seconds && !options->since)
        return;
    jab_out_child(o, NULL, "history");
    if (options->no_history) {
        jab_out_attr(o, "maxstanzas", JAB_STR("0"));
    } else {
        if (options->history)
            jabi_out_attr_number(o, "maxstanzas", options->history);
        if (options->seconds)
            jabi_out_attr_number(o, "seconds", options->seconds);
        if (options->since && jab_datetime_format(options->since, since) < 0)
            jab_out_fail(o, JAB_EINVAL);
        else if (options->since)
            jab_out_attr(o, "since", jab_cstr(since));
    }
    jab_out_end(o);
}

/* XEP-0045 §7.2.2, §7.2.13: presence to the wanted occupant address. */
static int send_join(jab_session *s, const jab_jid *to, const jab_muc_join_options *options)
{
    jab_out *o = jab_presence_to(s, to->full);
    jab_out_show(o, options->show);
    if (options->status.p)
        jab_out_status(o, (jab_str){NULL, 0}, options->status);
    jab_out_child(o, NS_MUC, "x");
    write_history(o, options);
    if (options->password.p)
        jab_out_leaf(o, "password", options->password);
    jab_out_end(o);
    return jab_out_send(o, 0);
}

/* When the room's answer counts as missing. */
static int64_t answer_deadline(jab_ext_ctx *x)
{
    int64_t timeout = jab_ext_config(x)->request_timeout;
    return timeout == JAB_NEVER ? JAB_NEVER : jab_ext_now(x) + timeout;
}

/* Who asks again while he is in the room stays in it when that cannot be sent. */
static int begin_join(jab_ext_ctx *x, muc_room *room, const jab_jid *to,
                      const jab_muc_join_options *options)
{
    jab_str nick;
    if (jabi_strdup(jab_ext_mem(x), &nick, to->resource) < 0)
        return JAB_ENOMEM;
    int err = send_join(jab_ext_session(x), to, options);
    if (err < 0) {
        jabi_free(jab_ext_mem(x), (char *)nick.p);
        return err;
    }
    jabi_muc_unseat_all(x, room);
    jabi_free(jab_ext_mem(x), (char *)room->nick.p);
    room->nick = nick;
    room->phase = MUC_JOINING;
    room->deadline = answer_deadline(x);
    jab_ext_wake(x, room->deadline);
    return 0;
}

int jab_muc_join(jab_session *s, jab_str jid, jab_str nick, const jab_muc_join_options *options,
                 uint64_t tag)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_muc);
    jab_jid_buf room_buf, buf;
    jab_jid bare, to;
    int err;
    if (nick.n == 0)
        return JAB_EINVAL;
    if (!jab_session_online(s))
        return JAB_EOFFLINE;
    if (jab_jid_parse(&bare, jid, &room_buf) < 0 ||
        jab_jid_make(&to, bare.local, bare.domain, nick, &buf) < 0)
        return JAB_EJID;
    muc_room *there = jabi_muc_find(x, to.bare);
    muc_room *room = there ? there : jabi_muc_add(x, &to, &err);
    if (!room)
        return err;
    err = begin_join(x, room, &to, options ? options : JAB_MUC_JOIN());
    if (err >= 0)
        room->tag = tag;
    else if (!there)
        jabi_muc_drop(x, room);
    return err;
}

int jab_muc_unlock(jab_session *s, jab_str room, uint64_t tag)
{
    jab_out *o = jab_iq_to(s, room, JAB_IQ_SET);
    jab_out_child(o, NS_OWNER, "query");
    jab_out_child(o, "jabber:x:data", "x");
    jab_out_attr(o, "type", JAB_STR("submit"));
    return jab_out_send(o, tag);
}

/* -- Being inside ----------------------------------------------------------- */

static muc_room *find_any(jab_session *s, jab_str jid)
{
    jab_jid_buf buf;
    jab_jid room;
    if (jab_jid_parse(&room, jid, &buf) < 0)
        return NULL;
    return jabi_muc_find(jab_ext_find(s, &jabi_ext_muc), room.bare);
}

/* XEP-0045 §7.14: from the own occupant address, as the room wrote it: it may
 * have chosen a nick that cannot be prepared here. */
static int send_leave(jab_ext_ctx *x, const muc_room *room, jab_str status)
{
    jabi_buf self;
    jabi_buf_init(&self, jab_ext_mem(x), JAB_JID_MAX);
    jabi_buf_add_str(&self, room->key);
    jabi_buf_add_char(&self, '/');
    jabi_buf_add_str(&self, room->nick);
    jab_out *o = jab_ext_presence(x, (jab_str){NULL, 0}, JAB_STR("unavailable"));
    if (self.error)
        jab_out_fail(o, self.error);
    jab_out_to(o, jab_jid_view(jabi_buf_str(&self)));
    jabi_buf_fini(&self);
    if (status.p)
        jab_out_status(o, (jab_str){NULL, 0}, status);
    return jab_out_send(o, 0);
}

int jab_muc_leave(jab_session *s, jab_str jid, jab_str status)
{
    muc_room *room = find_any(s, jid);
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_muc);
    if (!room)
        return JAB_ESTATE;
    int err = send_leave(x, room, status);
    if (err < 0)
        return err;
    room->phase = MUC_LEAVING;
    room->deadline = answer_deadline(x);
    jab_ext_wake(x, room->deadline);
    return jabi_muc_forget(x, room->key);
}

int jab_muc_nick(jab_session *s, jab_str jid, jab_str nick)
{
    muc_room *room = find_any(s, jid);
    jab_jid_buf buf;
    jab_jid to;
    if (!room)
        return JAB_ESTATE;
    if (nick.n == 0)
        return JAB_EINVAL;
    jab_jid bare = jab_jid_view(room->key);
    if (jab_jid_make(&to, bare.local, bare.domain, nick, &buf) < 0)
        return JAB_EJID;
    return jab_out_send(jab_presence_to(s, to.full), 0);
}

/* -- The extension ---------------------------------------------------------- */

/* A room that lets somebody in after all would go on sending. */
static void give_up_join(jab_ext_ctx *x, muc_room *room)
{
    (void)send_leave(x, room, (jab_str){NULL, 0});
    jabi_muc_fail_join(x, room, JAB_ETIMEOUT, NULL);
}

/* What the room answered, or was asked, may just now be on its way. */
static int on_online(jab_ext_ctx *x, int resumed)
{
    muc_state *state = jab_ext_state(x);
    for (size_t i = 0; resumed && i < state->rooms.n; i++) {
        muc_room *room = (muc_room *)(void *)state->rooms.items[i];
        if (room->deadline == JAB_NEVER)
            continue;
        room->deadline = answer_deadline(x);
        jab_ext_wake(x, room->deadline);
    }
    return 0;
}

static int64_t tick(jab_ext_ctx *x, int64_t now)
{
    muc_state *state = jab_ext_state(x);
    int64_t next = JAB_NEVER;
    for (size_t i = state->rooms.n; i-- > 0;) {
        muc_room *room = (muc_room *)(void *)state->rooms.items[i];
        if (room->deadline > now)
            next = room->deadline < next ? room->deadline : next;
        else if (room->phase == MUC_JOINING)
            give_up_join(x, room);
        else
            jabi_muc_end_leave(x, room);
    }
    return next;
}

static void on_offline(jab_ext_ctx *x)
{
    muc_state *state = jab_ext_state(x);
    while (state->rooms.n > 0) {
        muc_room *room = (muc_room *)(void *)state->rooms.items[state->rooms.n - 1];
        if (room->phase == MUC_JOINING)
            jabi_muc_fail_join(x, room, JAB_EOFFLINE, NULL);
        else
            jabi_muc_drop(x, room);
    }
}

static void stop(jab_ext_ctx *x)
{
    muc_state *state = jab_ext_state(x);
    while (state->rooms.n > 0)
        jabi_muc_drop(x, (muc_room *)(void *)state->rooms.items[0]);
    jabi_table_fini(&state->rooms);
}

static const jab_route routes[] = {
    {JAB_STAGE_OBSERVE, JAB_PRESENCE, JAB_FROM_ROOM, NULL, NULL, jabi_muc_on_presence},
    {JAB_STAGE_OBSERVE, JAB_MESSAGE, JAB_FROM_ROOM, "jabber:client", "subject", on_subject},
};

const jab_ext jabi_ext_muc = {
    .size = sizeof(jab_ext),
    .name = "muc",
    .spec = "XEP-0045 1.35.5",
    .features = JAB_LIST(NS_MUC),
    .state_size = sizeof(muc_state),
    JAB_ROUTES(routes),
    .online = on_online,
    .offline = on_offline,
    .tick = tick,
    .stop = stop,
};
