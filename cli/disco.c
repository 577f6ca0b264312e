/* disco.c: jabiru disco: what an entity is, can and has (XEP-0030). */
#include "cli.h"

#include <jabiru/disco.h>
#include <stdlib.h>

#define TREE_DEPTH_MAX    4
#define TREE_ENTITIES_MAX 200

struct values {
    const char *node;
    int items, features, tree;
};
CLI_VALUES_FIT(struct values);

const app_opt cli_disco_options[] = {
    {"node", 0, APP_OPT_TEXT, offsetof(struct values, node), "NODE", "ask about a node of it", 0, 0,
     0},
    {"items", 0, APP_OPT_FLAG, offsetof(struct values, items), NULL, "print only its items", 0, 0,
     0},
    {"features", 0, APP_OPT_FLAG, offsetof(struct values, features), NULL,
     "print only its features, one per line", 0, 0, 0},
    {"tree", 0, APP_OPT_FLAG, offsetof(struct values, tree), NULL,
     "go on with its items, and theirs", 0, 0, 0},
    {0},
};

/* An entity that is still to be asked. */
struct entity {
    char *jid, *node, *name;
    int depth;
    struct entity *next;
};

struct walk {
    struct entity *first; /* in the order of asking: a tree is walked depth first */
    int asked;
};

static void set_depth(cli *c, json_t *record, int depth)
{
    const struct values *v = c->values;
    if (v->tree)
        app_set_int(record, "depth", depth);
}

static void print_identity(cli *c, const struct entity *e, const jab_identity *identity)
{
    json_t *record = app_record_new("identity");
    app_set_text(record, "jid", jab_cstr(e->jid));
    app_set_text(record, "category", identity->category);
    app_set_text(record, "kind", identity->type);
    app_set_text(record, "name", identity->name);
    app_set_text(record, "lang", identity->lang);
    set_depth(c, record, e->depth);
    app_out_record(&c->out, record);
}

static void print_feature(cli *c, const struct entity *e, jab_str var)
{
    json_t *record = app_record_new("feature");
    app_set_text(record, "jid", jab_cstr(e->jid));
    app_set_text(record, "var", var);
    set_depth(c, record, e->depth);
    app_out_record(&c->out, record);
}

static void print_item(cli *c, const struct entity *e, const jab_disco_item *item)
{
    json_t *record = app_record_new("item");
    app_set_text(record, "jid", item->jid);
    app_set_text(record, "node", item->node);
    app_set_text(record, "name", item->name);
    set_depth(c, record, e->depth + 1);
    app_out_record(&c->out, record);
}

static int ask_info(cli *c, const struct entity *e, const jab_event **ev)
{
    uint64_t tag = cli_tag(c);
    int err = jab_disco_info(cli_session(c), jab_cstr(e->jid), jab_cstr(e->node), tag);
    return err < 0 ? app_say_error("disco", err) : cli_answer(c, JAB_EV_DISCO_INFO, tag, ev);
}

static int ask_items(cli *c, const struct entity *e, const jab_event **ev)
{
    uint64_t tag = cli_tag(c);
    int err = jab_disco_items(cli_session(c), jab_cstr(e->jid), jab_cstr(e->node), tag);
    return err < 0 ? app_say_error("disco", err) : cli_answer(c, JAB_EV_DISCO_ITEMS, tag, ev);
}

/* What is asked below the top of a tree may be refused: that is no failure. */
static int judge(const struct entity *e, int error, const jab_stanza_error *refusal)
{
    if (error == 0 || (error == JAB_ESTANZA && e->depth > 0))
        return APP_OK;
    return cli_say_reply(e->jid, error, refusal);
}

static int show_info(cli *c, const struct entity *e)
{
    const struct values *v = c->values;
    const jab_event *ev;
    int status = ask_info(c, e, &ev);
    if (status != APP_OK)
        return status;
    const jab_disco_info_reply *info = ev->data;
    for (size_t i = 0; i < info->n_identities && !v->features; i++)
        print_identity(c, e, &info->identities[i]);
    for (size_t i = 0; i < info->n_features && (v->features || !v->tree); i++)
        print_feature(c, e, info->features[i]);
    return judge(e, info->error, &info->refusal);
}

static struct entity *new_entity(jab_str jid, jab_str node, jab_str name, int depth)
{
    struct entity *e = app_alloc(sizeof *e);
    *e = (struct entity){app_copy(jid), app_copy(node), app_copy(name), depth, NULL};
    return e;
}

static void free_entity(struct entity *e)
{
    free(e->jid);
    free(e->node);
    free(e->name);
    free(e);
}

/* Puts the items before what is still to be asked, in their order. */
static void queue_items(struct walk *w, const struct entity *e, const jab_disco_items_reply *reply)
{
    struct entity *rest = w->first, **end = &w->first;
    for (size_t i = 0; i < reply->n_items && w->asked < TREE_ENTITIES_MAX; i++, w->asked++) {
        const jab_disco_item *item = &reply->items[i];
        *end = new_entity(item->jid, item->node, item->name, e->depth + 1);
        end = &(*end)->next;
    }
    *end = rest;
}

static int show_items(cli *c, struct walk *w, const struct entity *e)
{
    const struct values *v = c->values;
    const jab_event *ev;
    int status = ask_items(c, e, &ev);
    if (status != APP_OK)
        return status;
    const jab_disco_items_reply *reply = ev->data;
    for (size_t i = 0; i < reply->n_items && !v->tree; i++)
        print_item(c, e, &reply->items[i]);
    if (v->tree && e->depth < TREE_DEPTH_MAX)
        queue_items(w, e, reply);
    return judge(e, reply->error, &reply->refusal);
}

/* In a tree, an entity's own line comes before what it is. */
static void show_self(cli *c, const struct entity *e)
{
    const struct values *v = c->values;
    jab_disco_item self = {jab_cstr(e->jid), jab_cstr(e->node), jab_cstr(e->name)};
    struct entity above = {.depth = e->depth - 1};
    if (v->tree)
        print_item(c, &above, &self);
}

static int show(cli *c, struct walk *w, const struct entity *e)
{
    const struct values *v = c->values;
    int status = APP_OK;
    show_self(c, e);
    if (v->features || !v->items)
        status = show_info(c, e);
    if (status == APP_OK && (v->items || v->tree || !v->features))
        status = show_items(c, w, e);
    return status;
}

static int walk(cli *c, jab_str jid)
{
    const struct values *v = c->values;
    struct walk w = {.first = new_entity(jid, jab_cstr(v->node), (jab_str){0}, 0)};
    int status = APP_OK;
    while (w.first) {
        struct entity *e = w.first;
        w.first = e->next;
        if (status == APP_OK)
            status = show(c, &w, e);
        free_entity(e);
    }
    return status;
}

int cli_disco(cli *c)
{
    const struct values *v = c->values;
    jab_jid_buf bytes;
    jab_jid jid = {0};
    int status = cli_want(c, 1, 1);
    c->out.kinds = v->tree || v->items == v->features;
    if (status == APP_OK)
        status = cli_address(c->operands[0], &jid, &bytes);
    if (status == APP_OK)
        status = cli_connect(c);
    return status == APP_OK ? walk(c, jid.full) : status;
}
