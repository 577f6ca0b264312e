/* transcript_events.c: events as lines of text, to be compared. */
#include "transcript.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* "key=value"; an absent string is "-". */
void put_str(text *t, const char *key, jab_str value)
{
    text_printf(t, "%s=", key);
    if (value.p)
        text_add(t, value.p, value.n);
    else
        text_add(t, "-", 1);
    text_add(t, "\n", 1);
}

void put_number(text *t, const char *key, long long value)
{
    text_printf(t, "%s=%lld\n", key, value);
}

static void put_error(text *t, int error, const jab_stanza_error *refusal)
{
    text_printf(t, "error=%s\n", error < 0 ? jab_errname(error) : "0");
    put_str(t, "condition", refusal->condition);
}

static void put_groups(text *t, const jab_str *groups, size_t n)
{
    text_printf(t, "groups=");
    for (size_t i = 0; i < n; i++)
        text_printf(t, "%s" JAB_FMT, i ? "," : "", JAB_ARG(groups[i]));
    text_add(t, "\n", 1);
}

static void put_time(text *t, const char *key, int64_t ms)
{
    char buf[JAB_DATETIME_SIZE] = "0";
    if (ms && jab_datetime_format(ms, buf) < 0)
        abort();
    text_printf(t, "%s=%s\n", key, buf);
}

static const char *const subscriptions[] = {"none", "to", "from", "both"};

static void roster_item(text *t, const jab_event *ev)
{
    const jab_roster_change *c = ev->data;
    put_str(t, "jid", c->item.jid.full);
    put_str(t, "name", c->item.name);
    put_str(t, "sub", jab_cstr(subscriptions[c->item.subscription]));
    put_number(t, "asked", c->item.asked);
    put_number(t, "approved", c->item.approved);
    put_number(t, "removed", c->removed);
    put_str(t, "version", c->version);
    put_groups(t, c->item.groups, c->item.n_groups);
}

static void roster_ready(text *t, const jab_event *ev)
{
    const jab_roster_ready *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_str(t, "version", r->version);
    put_number(t, "count", (long long)r->count);
    put_number(t, "unchanged", r->unchanged);
}

static void presence(text *t, const jab_event *ev)
{
    static const char *const types[] = {"available",   "unavailable",  "subscribe", "subscribed",
                                        "unsubscribe", "unsubscribed", "probe",     "error"};
    const jab_presence *p = ev->data;
    put_str(t, "from", p->from.full);
    put_str(t, "type", jab_cstr(types[p->type]));
    put_str(t, "show", jab_cstr(jab_show_name(p->show)));
    put_number(t, "priority", p->priority);
    put_str(t, "status", p->status);
}

static void put_flags(text *t, unsigned flags)
{
    static const char *const names[] = {"carbon-sent", "carbon-received", "archive",
                                        "delayed",     "history",         "room"};
    const char *comma = "";
    text_printf(t, "flags=");
    for (size_t i = 0; i < LENGTH(names); i++) {
        if (!(flags & 1u << i))
            continue;
        text_printf(t, "%s%s", comma, names[i]);
        comma = ",";
    }
    text_add(t, "\n", 1);
}

static void message(text *t, const jab_event *ev)
{
    static const char *const types[] = {"normal", "chat", "groupchat", "headline", "error"};
    const jab_message *m = ev->message;
    jab_stanza_error error;
    jab_delay delay = {0, {NULL, 0}, {NULL, 0}};
    put_str(t, "from", m->from.full);
    put_str(t, "to", m->to.full);
    put_str(t, "id", m->id);
    put_str(t, "type", jab_cstr(types[m->type]));
    put_str(t, "body", m->body);
    put_str(t, "subject", jab_message_subject(m));
    put_str(t, "thread", jab_message_thread(m));
    put_str(t, "parent", jab_message_parent(m));
    put_str(t, "de", jab_message_body_in(m, JAB_STR("de")));
    put_flags(t, m->flags);
    put_time(t, "stamp", m->stamp);
    if (jab_message_error(m, &error))
        put_str(t, "condition", error.condition);
    jab_delay_claimed(m->stanza, &delay);
    put_time(t, "claimed", delay.stamp);
}

static void receipt(text *t, const jab_event *ev)
{
    const jab_receipt *r = ev->data;
    put_str(t, "from", r->from.full);
    put_str(t, "id", r->id);
    put_flags(t, r->flags);
}

static void sent(text *t, const jab_event *ev)
{
    static const char *const states[] = {"delivered", "unknown", "failed"};
    const jab_sent *s = ev->data;
    put_str(t, "id", s->id);
    put_str(t, "state", jab_cstr(states[s->state]));
    put_str(t, "to", s->to);
    put_str(t, "condition", s->refusal.condition);
}

static void iq(text *t, const jab_event *ev)
{
    put_error(t, ev->iq->error, &ev->iq->refusal);
}

static void disco_info(text *t, const jab_event *ev)
{
    const jab_disco_info_reply *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_str(t, "from", r->from.full);
    put_str(t, "node", r->node);
    for (size_t i = 0; i < r->n_identities; i++)
        text_printf(t, "identity=" JAB_FMT "/" JAB_FMT "/" JAB_FMT "\n",
                    JAB_ARG(r->identities[i].category), JAB_ARG(r->identities[i].type),
                    JAB_ARG(r->identities[i].name));
    for (size_t i = 0; i < r->n_features; i++)
        put_str(t, "feature", r->features[i]);
    put_number(t, "carbons", jab_disco_has(r, "urn:xmpp:carbons:2"));
    put_number(t, "server", jab_disco_is(r, "server", NULL));
}

static void disco_items(text *t, const jab_event *ev)
{
    const jab_disco_items_reply *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_str(t, "from", r->from.full);
    for (size_t i = 0; i < r->n_items; i++)
        put_str(t, "item", r->items[i].jid);
    put_number(t, "count", (long long)r->n_items);
}

static void caps(text *t, const jab_event *ev)
{
    const jab_caps *c = ev->data;
    put_str(t, "jid", c->jid.full);
    put_str(t, "ver", c->ver);
    put_number(t, "verified", c->verified);
}

static void version(text *t, const jab_event *ev)
{
    const jab_version_reply *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_str(t, "from", r->from.full);
    put_str(t, "name", r->name);
    put_str(t, "version", r->version);
    put_str(t, "os", r->os);
}

static void pong(text *t, const jab_event *ev)
{
    const jab_pong *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_str(t, "from", r->from.full);
    put_number(t, "took", r->took);
}

static void entity_time(text *t, const jab_event *ev)
{
    const jab_time_reply *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_time(t, "utc", r->utc);
    put_number(t, "offset", r->offset);
}

static void last(text *t, const jab_event *ev)
{
    const jab_last_reply *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_number(t, "seconds", (long long)r->seconds);
    put_str(t, "status", r->status);
}

static void carbons(text *t, const jab_event *ev)
{
    const jab_carbons_reply *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_number(t, "enabled", r->enabled);
}

static void synced(text *t, const jab_event *ev)
{
    const jab_synced *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_str(t, "archive", r->archive);
    put_number(t, "added", r->added);
    put_number(t, "gap", r->has_gap);
}

static void history(text *t, const jab_event *ev)
{
    const jab_history *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_str(t, "conversation", r->conversation);
    put_number(t, "added", r->added);
    put_number(t, "complete", r->complete);
}

static void mam_fin(text *t, const jab_event *ev)
{
    const jab_mam_fin *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_str(t, "archive", r->archive);
    put_number(t, "complete", r->complete);
    put_number(t, "unstable", r->unstable);
    put_str(t, "first", r->first);
    put_str(t, "last", r->last);
    put_number(t, "count", (long long)r->count);
    put_number(t, "found", r->found);
}

static void put_status(text *t, unsigned status)
{
    static const char *const names[] = {"open",      "self",     "logged",  "created",
                                        "assigned",  "banned",   "renamed", "kicked",
                                        "no-member", "shutdown", "failed",  "destroyed"};
    const char *comma = "";
    text_printf(t, "status=");
    for (size_t i = 0; i < LENGTH(names); i++) {
        if (!(status & 1u << i))
            continue;
        text_printf(t, "%s%s", comma, names[i]);
        comma = ",";
    }
    text_add(t, "\n", 1);
}

static void muc_joined(text *t, const jab_event *ev)
{
    const jab_muc_joined *r = ev->data;
    put_error(t, r->error, &r->refusal);
    put_str(t, "room", r->room);
    put_str(t, "nick", r->nick);
    put_status(t, r->status);
    put_number(t, "occupants", (long long)r->occupants);
    put_str(t, "role", jab_cstr(jab_role_name(r->role)));
    put_str(t, "affiliation", jab_cstr(jab_affiliation_name(r->affiliation)));
}

static void muc_left(text *t, const jab_event *ev)
{
    const jab_muc_left *r = ev->data;
    put_str(t, "room", r->room);
    put_status(t, r->status);
    put_str(t, "reason", r->reason);
    put_str(t, "alternative", r->alternative);
}

static void muc_change(text *t, const jab_event *ev)
{
    static const char *const kinds[] = {"entered", "changed", "nick", "gone"};
    const jab_muc_change *c = ev->data;
    put_str(t, "kind", jab_cstr(kinds[c->kind]));
    put_str(t, "room", c->room);
    put_str(t, "nick", c->occupant.nick);
    put_str(t, "jid", c->occupant.jid.full);
    put_str(t, "role", jab_cstr(jab_role_name(c->occupant.role)));
    put_str(t, "affiliation", jab_cstr(jab_affiliation_name(c->occupant.affiliation)));
    put_str(t, "show", jab_cstr(jab_show_name(c->occupant.show)));
    put_str(t, "new", c->new_nick);
    put_str(t, "reason", c->reason);
    put_status(t, c->status);
}

static void muc_subject(text *t, const jab_event *ev)
{
    const jab_muc_subject *r = ev->data;
    put_str(t, "room", r->room);
    put_str(t, "nick", r->nick);
    put_str(t, "subject", r->subject);
}

static void muc_error(text *t, const jab_event *ev)
{
    const jab_muc_error *r = ev->data;
    put_str(t, "room", r->room);
    put_str(t, "condition", r->refusal.condition);
}

static void online(text *t, const jab_event *ev)
{
    put_str(t, "jid", ev->jid->full);
}

static void offline(text *t, const jab_event *ev)
{
    text_printf(t, "code=%s\n", ev->fault->code ? jab_errname(ev->fault->code) : "0");
    put_str(t, "condition", ev->fault->condition);
}

static const struct {
    uint32_t type;
    const char *name;
    void (*fn)(text *t, const jab_event *ev);
} events[] = {
    {JAB_EV_ONLINE, "ONLINE", online},
    {JAB_EV_RESUMED, "RESUMED", online},
    {JAB_EV_OFFLINE, "OFFLINE", offline},
    {JAB_EV_IQ, "IQ", iq},
    {JAB_EV_MESSAGE, "MESSAGE", message},
    {JAB_EV_SENT, "SENT", sent},
    {JAB_EV_RECEIPT, "RECEIPT", receipt},
    {JAB_EV_DISPLAYED, "DISPLAYED", receipt},
    {JAB_EV_PRESENCE, "PRESENCE", presence},
    {JAB_EV_ROSTER_READY, "ROSTER_READY", roster_ready},
    {JAB_EV_ROSTER_ITEM, "ROSTER_ITEM", roster_item},
    {JAB_EV_DISCO_INFO, "DISCO_INFO", disco_info},
    {JAB_EV_DISCO_ITEMS, "DISCO_ITEMS", disco_items},
    {JAB_EV_CAPS, "CAPS", caps},
    {JAB_EV_VERSION, "VERSION", version},
    {JAB_EV_PONG, "PONG", pong},
    {JAB_EV_TIME, "TIME", entity_time},
    {JAB_EV_LAST, "LAST", last},
    {JAB_EV_CARBONS, "CARBONS", carbons},
    {JAB_EV_MAM_FIN, "MAM_FIN", mam_fin},
    {JAB_EV_SYNCED, "SYNCED", synced},
    {JAB_EV_HISTORY, "HISTORY", history},
    {JAB_EV_MUC_JOINED, "MUC_JOINED", muc_joined},
    {JAB_EV_MUC_LEFT, "MUC_LEFT", muc_left},
    {JAB_EV_MUC_OCCUPANT, "MUC_OCCUPANT", muc_change},
    {JAB_EV_MUC_SUBJECT, "MUC_SUBJECT", muc_subject},
    {JAB_EV_MUC_ERROR, "MUC_ERROR", muc_error},
};

static void put_place(text *t, jab_session *s, const jab_event *ev)
{
    jab_mam_place place = {{NULL, 0}, {NULL, 0}};
    jab_mam_place_of(s, ev->message->stanza, &place);
    put_str(t, "archive", place.archive);
    put_str(t, "place", place.id);
}

void event_text(text *t, jab_session *s, const jab_event *ev)
{
    for (size_t i = 0; i < LENGTH(events); i++) {
        if (events[i].type != ev->type)
            continue;
        text_printf(t, "%s\ntag=%llu\n", events[i].name, (unsigned long long)ev->tag);
        events[i].fn(t, ev);
        if (ev->type == JAB_EV_MESSAGE)
            put_place(t, s, ev);
        return;
    }
    text_printf(t, "EVENT-%u-%u\n", ev->type >> 8, ev->type & 255);
}
