/* muc_presence.c: XEP-0045 §7: what a room's presence says about who is in it. */
#include "ext/muc.h"

#include "ext/presence.h"
#include "ext/text.h"

static const char *const roles[] = {
    [JAB_ROLE_NONE] = "none",
    [JAB_ROLE_VISITOR] = "visitor",
    [JAB_ROLE_PARTICIPANT] = "participant",
    [JAB_ROLE_MODERATOR] = "moderator",
};

static const char *const affiliations[] = {
    [JAB_AFFILIATION_OUTCAST] = "outcast", [JAB_AFFILIATION_NONE] = "none",
    [JAB_AFFILIATION_MEMBER] = "member",   [JAB_AFFILIATION_ADMIN] = "admin",
    [JAB_AFFILIATION_OWNER] = "owner",
};

const char *jab_role_name(jab_role role)
{
    size_t i = (size_t)role;
    return i < sizeof roles / sizeof roles[0] ? roles[i] : roles[JAB_ROLE_NONE];
}

const char *jab_affiliation_name(jab_affiliation affiliation)
{
    size_t i = (size_t)affiliation;
    const size_t n = sizeof affiliations / sizeof affiliations[0];
    return affiliations[i < n ? i : JAB_AFFILIATION_NONE];
}

/* The index of a name in a table, or what stands for none of them. */
static size_t find_name(const char *const *names, size_t n, jab_str text, size_t otherwise)
{
    for (size_t i = 0; i < n; i++)
        if (jab_str_is(text, names[i]))
            return i;
    return otherwise;
}

/* XEP-0045 §15.6.2 */
static const struct {
    const char *code;
    unsigned status;
} codes[] = {
    {"100", JAB_MUC_NOT_ANONYMOUS}, {"110", JAB_MUC_SELF},          {"170", JAB_MUC_LOGGED},
    {"201", JAB_MUC_CREATED},       {"210", JAB_MUC_NICK_ASSIGNED}, {"301", JAB_MUC_BANNED},
    {"303", JAB_MUC_RENAMED},       {"307", JAB_MUC_KICKED},        {"321", JAB_MUC_NO_MEMBER},
    {"322", JAB_MUC_NO_MEMBER},     {"332", JAB_MUC_SHUTDOWN},      {"333", JAB_MUC_FAILED},
};

static unsigned read_status(const jab_xml *user)
{
    unsigned status = 0;
    for (const jab_xml *c = jab_xml_child(user, NULL, "status"); c;
         c = jab_xml_next_named(c, NULL, "status"))
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
            if (jab_str_is(jab_xml_attr(c, "code"), codes[i].code))
                status |= codes[i].status;
    return status | (jab_xml_child(user, NULL, "destroy") ? JAB_MUC_DESTROYED : 0u);
}

/* One presence of an occupant, read. */
typedef struct reading {
    jab_muc_change change;
    jab_str alternative; /* of a destroyed room */
    jab_jid_buf real;
} reading;

static void read_occupant(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el, reading *r)
{
    const jab_xml *user = jab_xml_child(el, NS_MUC_USER, "x");
    const jab_xml *item = jab_xml_child(user, NULL, "item");
    const jab_xml *destroy = jab_xml_child(user, NULL, "destroy");
    jab_jid from = jab_stanza_from(st);
    jab_occupant *o = &r->change.occupant;
    r->change = (jab_muc_change){
        .room = from.bare,
        .status_text = jabi_text_in(el, "status", jab_ext_config(x)->lang),
        .reason = jabi_leaf(destroy ? destroy : item, NULL, "reason"),
        .status = read_status(user),
        .new_nick = jab_xml_attr(item, "nick"),
    };
    o->nick = from.resource;
    o->role = (jab_role)find_name(roles, 4, jab_xml_attr(item, "role"), JAB_ROLE_NONE);
    o->affiliation = (jab_affiliation)find_name(affiliations, 5, jab_xml_attr(item, "affiliation"),
                                                JAB_AFFILIATION_NONE);
    o->show = jabi_presence_show(el);
    if (jab_jid_parse(&o->jid, jab_xml_attr(item, "jid"), &r->real) < 0)
        o->jid = (jab_jid){.full = {NULL, 0}};
    r->alternative = jab_xml_attr(destroy, "jid");
}

static void emit_change(jab_ext_ctx *x, const reading *r, jab_muc_change_kind kind)
{
    jab_muc_change *ev = jab_ext_emit(x, JAB_EV_MUC_OCCUPANT, sizeof *ev);
    if (!ev)
        return;
    *ev = r->change;
    ev->kind = kind;
    if (kind != JAB_MUC_NICK)
        ev->new_nick = (jab_str){NULL, 0};
    if (r->change.occupant.jid.full.p)
        ev->occupant.jid = jab_jid_view(jab_ext_text(x, r->change.occupant.jid.full));
}

/* §7.1: the own presence comes last and ends the joining. */
static void emit_joined(jab_ext_ctx *x, muc_room *room, const reading *r)
{
    jab_muc_joined *ev = jab_ext_emit_reply(x, JAB_EV_MUC_JOINED, room->tag, sizeof *ev);
    if (!ev)
        return; /* when the presence comes again */
    room->phase = MUC_JOINED;
    room->deadline = JAB_NEVER;
    *ev = (jab_muc_joined){
        .room = r->change.room,
        .nick = r->change.occupant.nick,
        .status = r->change.status,
        .occupants = room->occupants.n,
        .role = r->change.occupant.role,
        .affiliation = r->change.occupant.affiliation,
    };
}

static int on_available(jab_ext_ctx *x, muc_room *room, const reading *r)
{
    int known, err;
    int self = (r->change.status & JAB_MUC_SELF) != 0;
    err = jabi_muc_seat(x, room, &r->change.occupant, &known);
    if (err == 0 && self)
        err = jabi_muc_now_as(x, room, r->change.occupant.nick);
    if (err < 0)
        return err;
    emit_change(x, r, known ? JAB_MUC_CHANGED : JAB_MUC_ENTERED);
    if (!self || room->phase != MUC_JOINING)
        return 0;
    err = jabi_history_joined(jab_ext_session(x), room->key);
    if (err >= 0)
        emit_joined(x, room, r);
    return err;
}

/* §7.6: code 303 says that the same person goes on under another nick. */
static int on_renamed(jab_ext_ctx *x, muc_room *room, reading *r)
{
    jab_occupant renamed = r->change.occupant;
    int known;
    renamed.nick = r->change.new_nick;
    jabi_muc_unseat(x, room, r->change.occupant.nick);
    int err = jabi_muc_seat(x, room, &renamed, &known);
    if (err == 0 && (r->change.status & JAB_MUC_SELF))
        err = jabi_muc_now_as(x, room, renamed.nick);
    if (err == 0)
        emit_change(x, r, JAB_MUC_NICK);
    return err;
}

/* Who was put out does not come back by himself; who lost the room may. */
static int on_left(jab_ext_ctx *x, muc_room *room, const reading *r)
{
    const unsigned put_out =
        JAB_MUC_BANNED | JAB_MUC_KICKED | JAB_MUC_NO_MEMBER | JAB_MUC_DESTROYED;
    const unsigned lost = JAB_MUC_SHUTDOWN | JAB_MUC_FAILED;
    unsigned status = r->change.status;
    int err = (status & put_out) && !(status & lost) ? jabi_muc_forget(x, room->key) : 0;
    jab_muc_left *ev = jab_ext_emit(x, JAB_EV_MUC_LEFT, sizeof *ev);
    if (ev)
        *ev = (jab_muc_left){r->change.room, r->change.status, r->change.reason, r->alternative};
    jabi_muc_drop(x, room);
    return err;
}

static int is_own(const muc_room *room, const reading *r)
{
    return (r->change.status & JAB_MUC_SELF) || jab_str_eq(r->change.occupant.nick, room->nick);
}

static int on_unavailable(jab_ext_ctx *x, muc_room *room, reading *r)
{
    if ((r->change.status & JAB_MUC_RENAMED) && r->change.new_nick.n > 0)
        return on_renamed(x, room, r);
    if (is_own(room, r) && room->phase == MUC_JOINING && !(r->change.status & JAB_MUC_SELF))
        return 0; /* someone else had the nick */
    if (is_own(room, r))
        return on_left(x, room, r);
    jabi_muc_unseat(x, room, r->change.occupant.nick);
    emit_change(x, r, JAB_MUC_GONE);
    return 0;
}

/* §7.2: a refused join, or a change that was refused later. */
static int on_error(jab_ext_ctx *x, const jab_stanza *st, muc_room *room)
{
    jab_stanza_error refusal = {.condition = {NULL, 0}};
    jab_stanza_error_read(st, &refusal);
    if (room->phase == MUC_JOINING) {
        jabi_muc_fail_join(x, room, JAB_ESTANZA, &refusal);
        return 0;
    }
    if (room->phase == MUC_LEAVING) {
        jabi_muc_end_leave(x, room); /* whoever cannot leave is not in it */
        return 0;
    }
    jab_muc_error *ev = jab_ext_emit(x, JAB_EV_MUC_ERROR, sizeof *ev);
    if (ev)
        *ev = (jab_muc_error){jab_stanza_from(st).bare, refusal};
    return 0;
}

int jabi_muc_on_presence(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    muc_room *room = jabi_muc_find(x, jab_stanza_from(st).bare);
    jab_str type = jab_stanza_type(st);
    int err = 0;
    reading r;
    if (!room)
        return JAB_PASS;
    read_occupant(x, st, el, &r);
    int is_error = jab_str_is(type, "error");
    if (!r.change.occupant.nick.p && !is_error)
        return JAB_PASS; /* the room's own presence says nothing of occupants */
    if (!type.p)
        err = on_available(x, room, &r);
    else if (jab_str_is(type, "unavailable"))
        err = on_unavailable(x, room, &r);
    else if (is_error)
        err = on_error(x, st, room);
    return err < 0 ? err : JAB_PASS;
}
