/* roster.c: jabiru roster: the list of contacts and its changes (RFC 6121 2). */
#include "roster.h"

#include <jabiru/roster.h>
#include <stdlib.h>

#define PROBES_MS 400 /* for contacts to be seen that may be online */

struct list_values {
    const char *group;
    int subscribed;
};
CLI_VALUES_FIT(struct list_values);

struct add_values {
    const char *name;
    app_list groups;
    int no_ask;
};
CLI_VALUES_FIT(struct add_values);

const app_opt cli_roster_list_options[] = {
    {"group", 0, APP_OPT_TEXT, offsetof(struct list_values, group), "GROUP",
     "only contacts of this group", 0, 0, 0},
    {"subscribed", 0, APP_OPT_FLAG, offsetof(struct list_values, subscribed), NULL,
     "only contacts whose presence is seen (to, both)", 0, 0, 0},
    {0},
};

const app_opt cli_roster_add_options[] = {
    {"name", 0, APP_OPT_TEXT, offsetof(struct add_values, name), "NAME", "name for the contact", 0,
     0, 0},
    {"group", 0, APP_OPT_LIST, offsetof(struct add_values, groups), "GROUP",
     "put it into this group; may be repeated", 0, 0, 0},
    {"no-ask", 0, APP_OPT_FLAG, offsetof(struct add_values, no_ask), NULL,
     "do not ask to see its presence", 0, 0, 0},
    {0},
};

static const char *const subscriptions[] = {
    [JAB_SUB_NONE] = "none",
    [JAB_SUB_TO] = "to",
    [JAB_SUB_FROM] = "from",
    [JAB_SUB_BOTH] = "both",
};

json_t *cli_contact_record(cli *c, const jab_roster_item *item)
{
    json_t *record = app_record_new("contact"), *groups = json_array();
    const jab_resource *best = jab_resource_best(cli_session(c), item->jid.bare);
    app_set_text(record, "jid", item->jid.bare);
    app_set_text(record, "name", item->name);
    app_set_text(record, "subscription", jab_cstr(subscriptions[item->subscription]));
    app_set_true(record, "asked", item->asked);
    for (size_t i = 0; i < item->n_groups; i++)
        json_array_append_new(groups, json_stringn(item->groups[i].p, item->groups[i].n));
    json_object_set_new(record, "groups", groups);
    json_object_set_new(record, "online", json_boolean(best != NULL));
    app_set_text(record, "show", jab_cstr(best ? jab_show_name(best->show) : "offline"));
    if (best)
        app_set_text(record, "status", best->status);
    return record;
}

int cli_fetch_roster(cli *c)
{
    const jab_event *ev;
    uint64_t tag = cli_tag(c);
    int err = jab_roster_get(cli_session(c), tag);
    if (err < 0)
        return app_say_error("roster", err);
    int status = cli_answer(c, JAB_EV_ROSTER_READY, tag, &ev);
    if (status != APP_OK)
        return status;
    const jab_roster_ready *ready = ev->data;
    return ready->error ? cli_say_reply("roster", ready->error, &ready->refusal) : APP_OK;
}

/* Contacts by name as people read it, then by address. */
static int by_name(const void *a, const void *b)
{
    const jab_roster_item *x = *(const jab_roster_item *const *)a;
    const jab_roster_item *y = *(const jab_roster_item *const *)b;
    jab_str p = x->name.n ? x->name : x->jid.bare, q = y->name.n ? y->name : y->jid.bare;
    int order = strncasecmp(p.p, q.p, p.n < q.n ? p.n : q.n);
    return order ? order : (p.n > q.n) - (p.n < q.n);
}

static int is_in(const jab_roster_item *item, const char *group)
{
    for (size_t i = 0; i < item->n_groups; i++)
        if (jab_str_is(item->groups[i], group))
            return 1;
    return 0;
}

static int print_list(cli *c)
{
    const struct list_values *v = c->values;
    size_t n = jab_roster_count(cli_session(c)), shown = 0;
    const jab_roster_item **items = app_alloc((n + 1) * sizeof *items);
    for (size_t i = 0; i < n; i++)
        items[i] = jab_roster_at(cli_session(c), i);
    qsort(items, n, sizeof *items, by_name);
    for (size_t i = 0; i < n; i++) {
        if (v->group && !is_in(items[i], v->group))
            continue;
        if (v->subscribed && !(items[i]->subscription & JAB_SUB_TO))
            continue;
        app_out_record(&c->out, cli_contact_record(c, items[i]));
        shown++;
    }
    free(items);
    return shown || !v->group ? APP_OK : APP_NOTHING;
}

/* Whether someone who shares presence has not been seen online. */
static int is_anyone_missing(const cli *c)
{
    size_t n = jab_roster_count(cli_session(c));
    for (size_t i = 0; i < n; i++) {
        const jab_roster_item *item = jab_roster_at(cli_session(c), i);
        if ((item->subscription & JAB_SUB_TO) &&
            !jab_resource_count(cli_session(c), item->jid.bare))
            return 1;
    }
    return 0;
}

/* RFC 6121 4.3: the probes that the server sends are answered when the others
 * get to it; who is offline may not be answered for at all. */
static int await_probes(cli *c)
{
    const jab_event *ev;
    int64_t until = app_now() + PROBES_MS;
    while (is_anyone_missing(c) && app_now() < until)
        if (cli_wait(c, &ev, NULL, until) == CLI_ENDED)
            return c->status;
    return APP_OK;
}

int cli_see_contacts(cli *c)
{
    int status = cli_fetch_roster(c);
    if (status != APP_OK)
        return status;
    int err = jab_send_presence(cli_session(c), (jab_str){0}, JAB_SHOW_ONLINE, (jab_str){0}, -1);
    if (err < 0)
        return app_say_error("presence", err);
    status = cli_barrier(c);
    return status == APP_OK ? await_probes(c) : status;
}

int cli_roster_list(cli *c)
{
    int status = cli_want(c, 0, 0);
    if (status == APP_OK)
        status = cli_connect(c);
    if (status == APP_OK)
        status = cli_see_contacts(c);
    return status == APP_OK ? print_list(c) : status;
}

/* Waits for the answer to a change of the roster. */
static int settle(cli *c, int err, uint64_t tag)
{
    const jab_event *ev;
    if (err == JAB_EINVAL)
        return app_say(APP_NOTHING, "roster: no such contact; jabiru roster list shows them all");
    if (err < 0)
        return app_say_error("roster", err);
    int status = cli_answer(c, JAB_EV_IQ, tag, &ev);
    if (status != APP_OK)
        return status;
    return ev->iq->error ? cli_say_reply("roster", ev->iq->error, &ev->iq->refusal) : APP_OK;
}

/* Common to the changes: an address, perhaps only the words of a dry run, the
 * connection and, where the change builds on it, the roster. */
static int prepare(cli *c, int max, jab_jid *jid, jab_jid_buf *bytes, int fetch)
{
    int status = cli_want(c, max < 0 ? -max : max, max < 0 ? CLI_OPERANDS_MAX : max);
    if (status == APP_OK)
        status = cli_address(c->operands[0], jid, bytes);
    if (status != APP_OK)
        return status;
    jab_jid whole = *jid;
    jid->full = jid->bare = whole.bare;
    if (c->g.dry_run)
        return APP_OK;
    status = cli_connect(c);
    return status == APP_OK && fetch ? cli_fetch_roster(c) : status;
}

static int would(cli *c, const char *what, const jab_jid *jid)
{
    app_text line = {0};
    app_text_fmt(&line, "would %s " JAB_FMT, what, JAB_ARG(jid->bare));
    app_out_line(&c->out, app_text_str(&line));
    app_text_free(&line);
    return APP_OK;
}

static size_t views(jab_str *out, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = jab_cstr(list[i]);
    return (size_t)n;
}

int cli_roster_add(cli *c)
{
    const struct add_values *v = c->values;
    jab_str groups[APP_LIST_MAX];
    jab_jid_buf bytes;
    jab_jid jid;
    int status = prepare(c, 1, &jid, &bytes, 0);
    if (status != APP_OK || c->g.dry_run)
        return status == APP_OK ? would(c, "add", &jid) : status;
    uint64_t tag = cli_tag(c);
    size_t n = views(groups, v->groups.v, v->groups.n);
    status =
        settle(c, jab_roster_set(cli_session(c), jid.bare, jab_cstr(v->name), groups, n, tag), tag);
    if (status != APP_OK || v->no_ask)
        return status;
    int err = jab_subscribe(cli_session(c), jid.bare, (jab_str){0});
    return err < 0 ? app_say_error("roster", err) : cli_barrier(c);
}

int cli_roster_rm(cli *c)
{
    jab_jid_buf bytes;
    jab_jid jid;
    int status = prepare(c, 1, &jid, &bytes, 0);
    if (status != APP_OK || c->g.dry_run)
        return status == APP_OK ? would(c, "remove", &jid) : status;
    uint64_t tag = cli_tag(c);
    return settle(c, jab_roster_remove(cli_session(c), jid.bare, tag), tag);
}

/* Answers a request to see the own presence; it also takes an answer back. */
static int decide(cli *c, const char *what, int (*answer)(jab_session *, jab_str))
{
    jab_jid_buf bytes;
    jab_jid jid;
    int status = prepare(c, 1, &jid, &bytes, 0);
    if (status != APP_OK || c->g.dry_run)
        return status == APP_OK ? would(c, what, &jid) : status;
    int err = answer(cli_session(c), jid.bare);
    return err < 0 ? app_say_error("roster", err) : cli_barrier(c);
}

int cli_roster_approve(cli *c)
{
    return decide(c, "approve", jab_subscribed);
}

int cli_roster_deny(cli *c)
{
    return decide(c, "deny", jab_unsubscribed);
}

int cli_roster_rename(cli *c)
{
    jab_jid_buf bytes;
    jab_jid jid;
    int status = prepare(c, 2, &jid, &bytes, 1);
    if (status != APP_OK || c->g.dry_run)
        return status == APP_OK ? would(c, "rename", &jid) : status;
    uint64_t tag = cli_tag(c);
    jab_str name = jab_cstr(c->operands[1]);
    return settle(c, jab_roster_rename(cli_session(c), jid.bare, name, tag), tag);
}

int cli_roster_group(cli *c)
{
    jab_str groups[CLI_OPERANDS_MAX];
    jab_jid_buf bytes;
    jab_jid jid;
    int status = prepare(c, -1, &jid, &bytes, 1);
    if (status != APP_OK || c->g.dry_run)
        return status == APP_OK ? would(c, "regroup", &jid) : status;
    uint64_t tag = cli_tag(c);
    size_t n = views(groups, c->operands + 1, c->n - 1);
    return settle(c, jab_roster_regroup(cli_session(c), jid.bare, groups, n, tag), tag);
}
