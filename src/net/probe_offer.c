/* probe_offer.c: stream features into facts: two tables of where each one stands. */
#include "net/probe.h"
#include "stream/stream.h"

#define NS_SASL2    "urn:xmpp:sasl:2"
#define NS_FAST     "urn:xmpp:fast:0"
#define NS_BIND2    "urn:xmpp:bind:0"
#define NS_LIMITS   "urn:xmpp:stream-limits:0"
#define NS_UPGRADE  "urn:xmpp:sasl:upgrade:0"
#define NS_REGISTER "http://jabber.org/features/iq-register"

#define PATH_MAX_STEPS 4

/* One step down from <stream:features/>. */
struct step {
    const char *ns, *name;
};

#define SASL2                                                                                      \
    {                                                                                              \
        NS_SASL2, "authentication"                                                                 \
    }

/* What is listed: the element around it, its own name, and what of it is the word. */
static const struct list_row {
    struct step path[PATH_MAX_STEPS];
    struct step item;
    const char *attr; /* NULL: its text */
    size_t at;
} list_rows[] = {
    {{{JABI_NS_SASL, "mechanisms"}},
     {JABI_NS_SASL, "mechanism"},
     NULL,
     offsetof(jab_probe_offer, mechanisms)},
    {{SASL2}, {NS_SASL2, "mechanism"}, NULL, offsetof(jab_probe_offer, sasl2)},
    {{SASL2}, {NS_UPGRADE, "upgrade"}, NULL, offsetof(jab_probe_offer, upgrades)},
    {{SASL2, {NS_SASL2, "inline"}, {NS_FAST, "fast"}},
     {NS_FAST, "mechanism"},
     NULL,
     offsetof(jab_probe_offer, fast)},
    {{SASL2, {NS_SASL2, "inline"}, {NS_BIND2, "bind"}, {NS_BIND2, "inline"}},
     {NS_BIND2, "feature"},
     "var",
     offsetof(jab_probe_offer, bind2)},
    {{{JABI_NS_SASL_CB, "sasl-channel-binding"}},
     {JABI_NS_SASL_CB, "channel-binding"},
     "type",
     offsetof(jab_probe_offer, bindings)},
    {{{JABI_NS_COMPRESS_FEATURE, "compression"}},
     {JABI_NS_COMPRESS_FEATURE, "method"},
     NULL,
     offsetof(jab_probe_offer, compression)},
};

/* What is there, or not. */
static const struct flag_row {
    struct step path[PATH_MAX_STEPS];
    size_t at;
} flag_rows[] = {
    {{SASL2}, offsetof(jab_probe_offer, has_sasl2)},
    {{SASL2, {NS_SASL2, "inline"}, {NS_BIND2, "bind"}}, offsetof(jab_probe_offer, has_bind2)},
    {{SASL2, {NS_SASL2, "inline"}, {NS_FAST, "fast"}}, offsetof(jab_probe_offer, has_fast)},
    {{SASL2, {NS_SASL2, "inline"}, {JABI_NS_SM, "sm"}}, offsetof(jab_probe_offer, resumes_inline)},
    {{{JABI_NS_SASL_CB, "sasl-channel-binding"}}, offsetof(jab_probe_offer, has_bindings)},
    {{{JABI_NS_TLS, "starttls"}}, offsetof(jab_probe_offer, starttls)},
    {{{JABI_NS_TLS, "starttls"}, {JABI_NS_TLS, "required"}},
     offsetof(jab_probe_offer, starttls_required)},
    {{{JABI_NS_SM, "sm"}}, offsetof(jab_probe_offer, sm)},
    {{{"urn:xmpp:features:rosterver", "ver"}}, offsetof(jab_probe_offer, roster_versions)},
    {{{"urn:xmpp:csi:0", "csi"}}, offsetof(jab_probe_offer, csi)},
    {{{NS_REGISTER, "register"}}, offsetof(jab_probe_offer, registration)},
};

static const jab_xml *walk(const jab_xml *el, const struct step path[PATH_MAX_STEPS])
{
    for (size_t i = 0; i < PATH_MAX_STEPS && path[i].ns; i++)
        el = jab_xml_child(el, path[i].ns, path[i].name);
    return el;
}

static jab_str word_of(const jab_xml *item, const char *attr)
{
    return attr ? jab_xml_attr(item, attr) : jab_xml_text(item);
}

/* A word that is empty, or longer than any that is known, is none. */
static int is_word(jab_str word)
{
    return word.n > 0 && word.n <= JABI_PROBE_WORD_MAX;
}

static void read_list(jab_probe *p, jab_probe_list *list, const jab_xml *features,
                      const struct list_row *row)
{
    const jab_xml *around = walk(features, row->path);
    const jab_xml *item = jab_xml_child(around, row->item.ns, row->item.name);
    jab_str words[JABI_PROBE_LIST_MAX];
    size_t n = 0;
    for (; item && n < JABI_PROBE_LIST_MAX;
         item = jab_xml_next_named(item, row->item.ns, row->item.name))
        if (is_word(word_of(item, row->attr)))
            words[n++] = jabi_probe_keep(p, word_of(item, row->attr));
    jab_str *v = n ? jabi_probe_alloc(p, n * sizeof *v) : NULL;
    if (!v)
        return;
    memcpy(v, words, n * sizeof *v);
    *list = (jab_probe_list){v, n};
}

/* XEP-0478 §3.1: a whole number; what is none, or too large for any use, is 0. */
static int64_t limit(const jab_xml *features, const char *name)
{
    const jab_xml *limits = jab_xml_child(features, NS_LIMITS, "limits");
    jab_str text = jab_xml_text(jab_xml_child(limits, NS_LIMITS, name));
    int64_t value = 0;
    if (text.n > 15)
        return 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        value = value * 10 + (text.p[i] - '0');
    }
    return value;
}

/* XEP-0484 §3.1: "true" or "1". */
static int takes_early_data(const jab_xml *features)
{
    static const struct step path[PATH_MAX_STEPS] = {
        SASL2, {NS_SASL2, "inline"}, {NS_FAST, "fast"}};
    jab_str value = jab_xml_attr(walk(features, path), "tls-0rtt");
    return jab_str_is(value, "true") || jab_str_is(value, "1");
}

jab_probe_offer *jabi_probe_read_offer(jab_probe *p, const jab_xml *features)
{
    jab_probe_offer *offer = jabi_probe_alloc(p, sizeof *offer);
    if (!offer)
        return NULL;
    for (size_t i = 0; i < sizeof list_rows / sizeof *list_rows; i++)
        read_list(p, (jab_probe_list *)((char *)offer + list_rows[i].at), features, &list_rows[i]);
    for (size_t i = 0; i < sizeof flag_rows / sizeof *flag_rows; i++)
        *(int *)((char *)offer + flag_rows[i].at) = walk(features, flag_rows[i].path) != NULL;
    offer->early_data = takes_early_data(features);
    offer->max_bytes = limit(features, "max-bytes");
    offer->idle_seconds = limit(features, "idle-seconds");
    return p->error ? NULL : offer;
}
