/* disco.c: XEP-0030 Service Discovery: answers from what is loaded, and asks. */
#include <jabiru/disco.h>

#include "base/mem.h"
#include "ext/ext.h"
#include "ext/text.h"

#define NS_INFO  "http://jabber.org/protocol/disco#info"
#define NS_ITEMS "http://jabber.org/protocol/disco#items"

/* -- Answering -------------------------------------------------------------- */

static size_t count_features(const jab_ext *const *exts, size_t n_exts)
{
    size_t n = 0;
    for (size_t i = 0; i < n_exts; i++)
        for (const char *const *f = exts[i]->features; f && *f; f++)
            n++;
    return n;
}

jab_str *jabi_disco_features(jab_ext_ctx *x, size_t *n)
{
    size_t n_exts, count = 0;
    const jab_ext *const *exts = jab_ext_loaded(x, &n_exts);
    jab_str *list =
        jabi_realloc_array(jab_ext_mem(x), NULL, count_features(exts, n_exts) + 1, sizeof *list);
    if (!list)
        return NULL;
    for (size_t i = 0; i < n_exts; i++)
        for (const char *const *f = exts[i]->features; f && *f; f++)
            list[count++] = jab_cstr(*f);
    jabi_sort(list, count);
    *n = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !jab_str_eq(list[i], list[i - 1]))
            list[(*n)++] = list[i];
    return list;
}

static void write_info(jab_ext_ctx *x, jab_out *o, const jab_str *features, size_t n)
{
    const jab_config *cfg = jab_ext_config(x);
    jab_out_child(o, NULL, "identity");
    jab_out_attr(o, "category", cfg->identity_category);
    jab_out_attr(o, "type", cfg->identity_type);
    jab_out_attr(o, "name", cfg->software_name);
    jab_out_end(o);
    for (size_t i = 0; i < n; i++) {
        jab_out_child(o, NULL, "feature");
        jab_out_attr(o, "var", features[i]);
        jab_out_end(o);
    }
}

static int on_info(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    jab_str node = jab_xml_attr(el, "node");
    if (!jabi_is_get(st))
        return JAB_PASS;
    if (node.n > 0 && !jabi_caps_is_own_node(jab_ext_session(x), node))
        return jab_ext_refuse(x, st, "cancel", "item-not-found");
    size_t n;
    jab_str *features = jabi_disco_features(x, &n);
    if (!features)
        return JAB_ENOMEM;
    jab_out *o = jab_ext_result(x, st);
    jab_out_child(o, NS_INFO, "query");
    jab_out_attr(o, "node", node);
    write_info(x, o, features, n);
    jabi_free(jab_ext_mem(x), features);
    return jabi_answered(jab_out_send(o, 0));
}

/* This client has no items: an empty answer (XEP-0030 §4.2). */
static int on_items(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    jab_str node = jab_xml_attr(el, "node");
    if (!jabi_is_get(st))
        return JAB_PASS;
    if (node.n > 0 && !jabi_caps_is_own_node(jab_ext_session(x), node))
        return jab_ext_refuse(x, st, "cancel", "item-not-found");
    jab_out *o = jab_ext_result(x, st);
    jab_out_child(o, NS_ITEMS, "query");
    jab_out_attr(o, "node", node);
    return jabi_answered(jab_out_send(o, 0));
}

/* -- Asking ----------------------------------------------------------------- */

static size_t count_children(const jab_xml *query, const char *name)
{
    size_t n = 0;
    for (const jab_xml *c = jab_xml_child(query, NULL, name); c;
         c = jab_xml_next_named(c, NULL, name))
        n++;
    return n;
}

/* Fills the two lists, which lie behind the event in its memory. */
static void read_info(jab_disco_info_reply *ev, const jab_xml *query)
{
    jab_identity *identities = (jab_identity *)(void *)(ev + 1);
    for (const jab_xml *c = jab_xml_child(query, NULL, "identity"); c;
         c = jab_xml_next_named(c, NULL, "identity"))
        identities[ev->n_identities++] = (jab_identity){
            .category = jab_xml_attr(c, "category"),
            .type = jab_xml_attr(c, "type"),
            .name = jab_xml_attr(c, "name"),
            .lang = jab_xml_attr_ns(c, "http://www.w3.org/XML/1998/namespace", "lang"),
        };
    jab_str *features = (jab_str *)(void *)(identities + ev->n_identities);
    for (const jab_xml *c = jab_xml_child(query, NULL, "feature"); c;
         c = jab_xml_next_named(c, NULL, "feature"))
        features[ev->n_features++] = jab_xml_attr(c, "var");
    ev->identities = identities;
    ev->features = features;
}

static int on_info_reply(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    int error = jabi_reply_error(reply, NS_INFO, "query");
    const jab_xml *query = error == 0 ? reply->payload : NULL;
    size_t size = count_children(query, "identity") * sizeof(jab_identity) +
                  count_children(query, "feature") * sizeof(jab_str);
    jab_disco_info_reply *ev = jab_ext_emit_reply(x, JAB_EV_DISCO_INFO, tag, sizeof *ev + size);
    if (!ev)
        return 0;
    ev->error = error;
    ev->refusal = reply->refusal;
    ev->from = jabi_reply_from(reply);
    ev->node = jab_xml_attr(query, "node");
    ev->query = query;
    read_info(ev, query);
    return 0;
}

static int on_items_reply(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    int error = jabi_reply_error(reply, NS_ITEMS, "query");
    const jab_xml *query = error == 0 ? reply->payload : NULL;
    size_t size = count_children(query, "item") * sizeof(jab_disco_item);
    jab_disco_items_reply *ev = jab_ext_emit_reply(x, JAB_EV_DISCO_ITEMS, tag, sizeof *ev + size);
    if (!ev)
        return 0;
    jab_disco_item *items = (jab_disco_item *)(void *)(ev + 1);
    *ev = (jab_disco_items_reply){
        .error = error,
        .refusal = reply->refusal,
        .from = jabi_reply_from(reply),
        .node = jab_xml_attr(query, "node"),
        .items = items,
        .query = query,
    };
    for (const jab_xml *c = jab_xml_child(query, NULL, "item"); c;
         c = jab_xml_next_named(c, NULL, "item"))
        items[ev->n_items++] = (jab_disco_item){
            .jid = jab_xml_attr(c, "jid"),
            .node = jab_xml_attr(c, "node"),
            .name = jab_xml_attr(c, "name"),
        };
    return 0;
}

static int ask(jab_session *s, jab_str jid, jab_str node, const char *ns, jab_reply_fn fn,
               uint64_t tag)
{
    jab_out *o = jabi_ext_ask(s, &jabi_ext_disco, jid, JAB_IQ_GET, fn);
    jab_out_child(o, ns, "query");
    jab_out_attr(o, "node", node);
    return jab_out_send(o, tag);
}

int jab_disco_info(jab_session *s, jab_str jid, jab_str node, uint64_t tag)
{
    return ask(s, jid, node, NS_INFO, on_info_reply, tag);
}

int jab_disco_items(jab_session *s, jab_str jid, jab_str node, uint64_t tag)
{
    return ask(s, jid, node, NS_ITEMS, on_items_reply, tag);
}

int jab_disco_has(const jab_disco_info_reply *info, const char *feature)
{
    for (size_t i = 0; i < info->n_features; i++)
        if (jab_str_is(info->features[i], feature))
            return 1;
    return 0;
}

int jab_disco_is(const jab_disco_info_reply *info, const char *category, const char *type)
{
    for (size_t i = 0; i < info->n_identities; i++)
        if (jab_str_is(info->identities[i].category, category) &&
            (!type || jab_str_is(info->identities[i].type, type)))
            return 1;
    return 0;
}

/* -- The extension ---------------------------------------------------------- */

static const jab_route routes[] = {
    {JAB_STAGE_ANSWER, JAB_IQ, JAB_FROM_ANY, NS_INFO, "query", on_info},
    {JAB_STAGE_ANSWER, JAB_IQ, JAB_FROM_ANY, NS_ITEMS, "query", on_items},
};

const jab_ext jabi_ext_disco = {
    .size = sizeof(jab_ext),
    .name = "disco",
    .spec = "XEP-0030 2.5.0",
    .features = JAB_LIST(NS_INFO, NS_ITEMS),
    JAB_ROUTES(routes),
};
