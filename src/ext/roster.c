/* roster.c: RFC 6121 §2, the roster: fetched with a version, kept up to date
 * by pushes from the own account. */
#include "ext/roster.h"

#include "base/mem.h"
#include "ext/ext.h"
#include "ext/text.h"

#define NS NS_ROSTER

/* Views of one item while it is read: groups are pointed to from here. */
typedef struct reading {
    jab_roster_item item;
    int removed;
    jab_jid_buf buf;
    jab_str groups[JAB_ROSTER_GROUPS_MAX];
} reading;

/* RFC 6121 §2.1.2.5: other values count as none. */
static jab_subscription read_subscription(jab_str text)
{
    static const char *const names[] = {"none", "to", "from", "both"};
    for (unsigned i = 0; i < 4; i++)
        if (jab_str_is(text, names[i]))
            return (jab_subscription)i;
    return JAB_SUB_NONE;
}

static int read_flag(jab_str text)
{
    return jab_str_is(text, "true") || jab_str_is(text, "1");
}

static int read_item(const jab_xml *el, reading *r)
{
    jab_roster_item *item = &r->item;
    *item = (jab_roster_item){.groups = r->groups};
    int err = jab_jid_parse(&item->jid, jab_xml_attr(el, "jid"), &r->buf);
    if (err < 0)
        return err;
    jab_str subscription = jab_xml_attr(el, "subscription");
    item->name = jab_xml_attr(el, "name");
    item->subscription = read_subscription(subscription);
    item->asked = jab_str_is(jab_xml_attr(el, "ask"), "subscribe");
    item->approved = read_flag(jab_xml_attr(el, "approved"));
    r->removed = jab_str_is(subscription, "remove");
    for (const jab_xml *g = jab_xml_child(el, NS, "group");
         g && item->n_groups < JAB_ROSTER_GROUPS_MAX; g = jab_xml_next_named(g, NS, "group"))
        r->groups[item->n_groups++] = jab_xml_text(g);
    return 0;
}

/* -- Pushes ----------------------------------------------------------------- */

static void emit_change(jab_ext_ctx *x, const reading *r, jab_str version)
{
    size_t n = r->item.n_groups;
    jab_roster_change *ev = jab_ext_emit(x, JAB_EV_ROSTER_ITEM, sizeof *ev + n * sizeof(jab_str));
    if (!ev)
        return;
    jab_str *groups = (jab_str *)(void *)(ev + 1);
    for (size_t i = 0; i < n; i++)
        groups[i] = r->groups[i];
    *ev = (jab_roster_change){.item = r->item, .removed = r->removed, .version = version};
    ev->item.groups = groups;
    ev->item.jid = jab_jid_view(jab_ext_text(x, r->item.jid.full));
}

static int apply(jab_ext_ctx *x, const reading *r, jab_str version)
{
    int err = r->removed ? 0 : jabi_roster_put(x, &r->item);
    if (r->removed)
        jabi_roster_drop(x, r->item.jid.full);
    if (err == 0 && version.p)
        err = jabi_roster_set_version(x, version);
    return err < 0 ? err : jabi_roster_keep(x, &r->item, r->removed);
}

/* RFC 6121 §2.1.6: one item, from the own account, which the router saw to. */
static int on_push(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    reading r;
    if (jabi_is_get(st))
        return JAB_PASS;
    const jab_xml *item = jab_xml_child(el, NS, "item");
    int single = item && !jab_xml_next_named(item, NS, "item");
    if (!single || read_item(item, &r) < 0)
        return jab_ext_refuse(x, st, "modify", "bad-request");
    jab_str version = jab_xml_attr(el, "ver");
    int err = apply(x, &r, version);
    if (err == JAB_ELIMIT)
        return jab_ext_refuse(x, st, "wait", "resource-constraint");
    if (err < 0)
        return err;
    emit_change(x, &r, version);
    return jabi_answered(jab_out_send(jab_ext_result(x, st), 0));
}

/* -- Fetching --------------------------------------------------------------- */

/* Items that cannot be read are left out: one bad contact must not hide the
 * others. */
static int read_all(jab_ext_ctx *x, const jab_xml *query)
{
    reading r;
    jabi_roster_clear(x);
    for (const jab_xml *el = jab_xml_child(query, NS, "item"); el;
         el = jab_xml_next_named(el, NS, "item")) {
        if (read_item(el, &r) < 0)
            continue;
        int err = jabi_roster_put(x, &r.item);
        if (err < 0)
            return err;
    }
    jab_str version = jab_xml_attr(query, "ver");
    int err = version.p ? jabi_roster_set_version(x, version) : 0;
    return err < 0 ? err : jabi_roster_keep_all(x);
}

/* §2.6.3: an empty result means that the version which was sent is current. */
static int on_roster(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    roster_state *state = jab_ext_state(x);
    int unchanged = reply->error == 0 && !reply->payload && state->asked_version;
    int err = unchanged ? 0 : jabi_reply_error(reply, NS, "query");
    if (err == 0 && !unchanged)
        err = read_all(x, reply->payload);
    if (err == JAB_ENOMEM || err == JAB_ESTORE)
        return err;
    if (err < 0)
        state->asked = 0;
    jab_roster_ready *ev = jab_ext_emit_reply(x, JAB_EV_ROSTER_READY, tag, sizeof *ev);
    if (!ev)
        return 0;
    *ev = (jab_roster_ready){
        .error = err, .refusal = reply->refusal, .count = state->items.n, .unchanged = unchanged};
    ev->version = jab_ext_text(x, state->version);
    return 0;
}

/* §2.6.2: an empty version asks a server that has versions to begin. */
static int ask_for_roster(jab_ext_ctx *x, uint64_t tag)
{
    roster_state *state = jab_ext_state(x);
    jabi_roster_first_use(x);
    jab_out *o = jab_ext_iq(x, (jab_str){NULL, 0}, JAB_IQ_GET, on_roster);
    jab_out_child(o, NS, "query");
    int versioned = jab_ext_stream_feature(x, "urn:xmpp:features:rosterver", "ver");
    if (versioned)
        jab_out_attr(o, "ver", state->version.p ? state->version : JAB_STR(""));
    int r = jab_out_send(o, tag);
    if (r < 0)
        return r;
    state->asked = 1;
    state->asked_version = versioned && state->version.p;
    return 0;
}

int jab_roster_get(jab_session *s, uint64_t tag)
{
    return ask_for_roster(jab_ext_find(s, &jabi_ext_roster), tag);
}

int jabi_roster_ensure(jab_session *s)
{
    const roster_state *state = jabi_ext_state_in(s, &jabi_ext_roster);
    return state->asked ? 0 : jab_roster_get(s, 0);
}

/* -- Changing --------------------------------------------------------------- */

int jab_roster_set(jab_session *s, jab_str jid, jab_str name, const jab_str *groups,
                   size_t n_groups, uint64_t tag)
{
    jab_jid_buf buf;
    jab_jid contact;
    if (jab_jid_parse(&contact, jid, &buf) < 0)
        return JAB_EJID;
    jab_out *o = jab_iq_to(s, (jab_str){NULL, 0}, JAB_IQ_SET);
    jab_out_child(o, NS, "query");
    jab_out_child(o, NULL, "item");
    jab_out_attr(o, "jid", contact.bare);
    jab_out_attr(o, "name", name);
    for (size_t i = 0; i < n_groups; i++)
        jab_out_leaf(o, "group", groups[i]);
    return jab_out_send(o, tag);
}

static const jab_roster_item *find_any(jab_session *s, jab_str jid)
{
    jab_jid_buf buf;
    jab_jid contact;
    if (jab_jid_parse(&contact, jid, &buf) < 0)
        return NULL;
    return jab_roster_find(s, contact.bare);
}

int jab_roster_rename(jab_session *s, jab_str jid, jab_str name, uint64_t tag)
{
    const jab_roster_item *item = find_any(s, jid);
    if (!item)
        return JAB_EINVAL;
    return jab_roster_set(s, item->jid.full, name, item->groups, item->n_groups, tag);
}

int jab_roster_regroup(jab_session *s, jab_str jid, const jab_str *groups, size_t n_groups,
                       uint64_t tag)
{
    const jab_roster_item *item = find_any(s, jid);
    if (!item)
        return JAB_EINVAL;
    return jab_roster_set(s, item->jid.full, item->name, groups, n_groups, tag);
}

int jab_roster_remove(jab_session *s, jab_str jid, uint64_t tag)
{
    jab_jid_buf buf;
    jab_jid contact;
    if (jab_jid_parse(&contact, jid, &buf) < 0)
        return JAB_EJID;
    jab_out *o = jab_iq_to(s, (jab_str){NULL, 0}, JAB_IQ_SET);
    jab_out_child(o, NS, "query");
    jab_out_child(o, NULL, "item");
    jab_out_attr(o, "jid", contact.bare);
    jab_out_attr(o, "subscription", JAB_STR("remove"));
    return jab_out_send(o, tag);
}

/* -- The extension ---------------------------------------------------------- */

/* Who sees this account's presence knows already that it is online. */
static int is_trusted(jab_ext_ctx *x, const jab_jid *peer)
{
    const jab_roster_item *item = jab_roster_find(jab_ext_session(x), peer->bare);
    return item && (item->subscription & JAB_SUB_FROM) != 0;
}

static int on_online(jab_ext_ctx *x, int resumed)
{
    roster_state *state = jab_ext_state(x);
    if (!resumed)
        state->asked = 0;
    jab_ext_set_trust(x, is_trusted);
    return jabi_roster_restore(x);
}

static const jab_route routes[] = {
    {JAB_STAGE_ANSWER, JAB_IQ, JAB_FROM_SELF, NS, "query", on_push},
};

const jab_ext jabi_ext_roster = {
    .size = sizeof(jab_ext),
    .name = "roster",
    .spec = "RFC 6121, XEP-0237 1.3",
    .state_size = sizeof(roster_state),
    JAB_ROUTES(routes),
    .online = on_online,
    .stop = jabi_roster_fini,
};
