/* plan.c: which mechanism and which channel binding a log-in goes by, from what
 * the server offers and from what may be used here (XEP-0440). */
#include "stream/auth.h"

#include "base/check.h"

#include <stdio.h>
#include <strings.h>

static jabi_sasl_input input_for(const jabi_stream *str)
{
    const jab_config *cfg = str->cfg;
    jabi_sasl_input in = {
        .username = str->account.local,
        .password = cfg->password,
        .authzid = cfg->authzid,
        .domain = str->account.domain,
        .random = cfg->random,
        .random_arg = cfg->random_arg,
        .min_iterations = 4096,
        .max_iterations = cfg->max_scram_iterations,
        .has_client_cert = str->tls.has_client_cert,
        .bearer = cfg->bearer_token,
        .tls_version = str->state & JABI_SECURE ? str->tls.version : 0,
    };
    /* A password that was given may be newer than the keys. */
    if (!cfg->password.n) {
        in.keys = str->memory.keys;
        in.n_keys = JABI_MEMORY_KEYS;
    }
    return in;
}

static int ends_in_plus(jab_str s)
{
    return s.n > 5 && memcmp(s.p + s.n - 5, "-PLUS", 5) == 0;
}

static const jab_xml *offer_of(const jab_xml *features, int is_sasl2)
{
    return is_sasl2 ? jab_xml_child(features, JABI_NS_SASL2, "authentication")
                    : jab_xml_child(features, JABI_NS_SASL, "mechanisms");
}

static size_t read_offer(const jab_xml *offer, const char *ns, jab_str names[JABI_MECHANISMS_MAX])
{
    size_t n = 0;
    const jab_xml *el = jab_xml_child(offer, ns, "mechanism");
    for (; el && n < JABI_MECHANISMS_MAX; el = jab_xml_next_named(el, ns, "mechanism"))
        names[n++] = jab_xml_text(el);
    return n;
}

const jab_xml *jabi_plan_inline(const jab_xml *features)
{
    return jab_xml_child(offer_of(features, 1), JABI_NS_SASL2, "inline");
}

/* -- Channel binding -------------------------------------------------------------- */

/* The channel bindings that this connection can give, best first. */
typedef struct binding_row {
    const char *type;
    size_t offset; /* of its data in jab_tls_info */
    int below_13;  /* RFC 9266 §3: not to be used on TLS 1.3 */
} binding_row;

static const binding_row bindings[] = {
    {"tls-exporter", offsetof(jab_tls_info, exporter), 0},
    {"tls-unique", offsetof(jab_tls_info, unique), 1},
    {"tls-server-end-point", offsetof(jab_tls_info, end_point), 0},
};

static jab_str binding_data(const jabi_stream *str, const binding_row *row)
{
    jab_str data;
    memcpy(&data, (const char *)&str->tls + row->offset, sizeof data);
    return row->below_13 && str->tls.version >= 13 ? (jab_str){NULL, 0} : data;
}

jab_str jabi_plan_binding(const jabi_stream *str, const char *type)
{
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        if (strcmp(bindings[i].type, type) == 0)
            return binding_data(str, &bindings[i]);
    return (jab_str){NULL, 0};
}

static int is_listed(const jab_xml *list, const char *type)
{
    const jab_xml *el = jab_xml_child(list, JABI_NS_SASL_CB, "channel-binding");
    for (; el; el = jab_xml_next_named(el, JABI_NS_SASL_CB, "channel-binding"))
        if (jab_str_is(jab_xml_attr(el, "type"), type))
            return 1;
    return 0;
}

/* The server's list of channel bindings; NULL when it names none. */
static const jab_xml *announced_bindings(const jab_xml *features)
{
    const jab_xml *list = jab_xml_child(features, JABI_NS_SASL_CB, "sasl-channel-binding");
    return jab_xml_child(list, JABI_NS_SASL_CB, "channel-binding") ? list : NULL;
}

/* What is known of servers that announce what they cannot do. A row is told by
 * what it shows, as the software is not named before the log-in. */
typedef struct quirk {
    const char *server;
    int (*is_shown)(const jabi_stream *str, const jab_xml *list);
    const char *usable; /* the only binding that works there; NULL: none does */
} quirk;

/* COMPAT: ejabberd before 24.02 offers -PLUS on TLS 1.3 and binds tls-unique
 * there, which RFC 9266 §3 rules out; all else fails as a wrong password. It
 * names no bindings (XEP-0440). */
static int is_old_ejabberd(const jabi_stream *str, const jab_xml *list)
{
    return !list && str->tls.version >= 13;
}

/* RFC 5802 §6: before XEP-0440, tls-unique is what every server has that has any. */
static int names_no_bindings(const jabi_stream *str, const jab_xml *list)
{
    return !list && str->tls.version < 13;
}

static const quirk quirks[] = {
    {"ejabberd before 24.02", is_old_ejabberd, NULL},
    {"servers before XEP-0440", names_no_bindings, "tls-unique"},
};

static int quirk_allows(const jabi_stream *str, const jab_xml *list, const char *type)
{
    for (size_t i = 0; i < sizeof quirks / sizeof *quirks; i++)
        if (quirks[i].is_shown(str, list))
            return quirks[i].usable && strcmp(quirks[i].usable, type) == 0;
    return 1;
}

/* An account that names a -PLUS mechanism has it tried in spite of a quirk. */
static int is_usable(const jabi_stream *str, const jab_xml *list, const binding_row *row, int named)
{
    if (!binding_data(str, row).p || (list && !is_listed(list, row->type)))
        return 0;
    return quirk_allows(str, list, row->type) || (named && str->tls.version >= 13);
}

/* People type names in any case. */
static int account_names_plus(jab_str allowed)
{
    for (size_t i = 0; i + 5 <= allowed.n; i++)
        if (strncasecmp(allowed.p + i, "-PLUS", 5) == 0)
            return 1;
    return 0;
}

/* Whether the account names mechanisms, and none with channel binding. */
static int account_goes_without(jab_str allowed)
{
    size_t i = 0;
    while (i < allowed.n && strchr(" \t\r\n", allowed.p[i]))
        i++;
    return i < allowed.n && !account_names_plus(allowed);
}

static int can_bind(const jabi_stream *str)
{
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        if (binding_data(str, &bindings[i]).p)
            return 1;
    return 0;
}

static void choose_binding(const jabi_stream *str, const jab_xml *list, jabi_plan *plan,
                           int server_has_plus)
{
    jabi_sasl_input *in = &plan->in;
    int named = account_names_plus(str->cfg->mechanisms);
    /* XEP-0440 §3: what is guessed for servers of SASL1 is a sign of an attack with SASL2. */
    int may = server_has_plus && (list || !plan->is_sasl2 || named);
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++) {
        if (in->cb_type.p || !may || !is_usable(str, list, &bindings[i], named))
            continue;
        in->cb_type = jab_cstr(bindings[i].type);
        in->cb_data = binding_data(str, &bindings[i]);
    }
    /* XEP-0440 §3: "y" only where the server showed no sign of -PLUS at all,
     * so that a server whose offer was stripped notices. */
    in->cb_supported = can_bind(str) && !server_has_plus && !list;
}

/* XEP-0440 §3: bindings without a mechanism for them, or none that is known
 * and not even the one that every server has, or with SASL2 a mechanism and no
 * bindings: somebody in between removed the rest, and neither "y" nor "n" would
 * tell. Not for an account that goes without by its own word. */
static int binding_was_stripped(const jabi_stream *str, const jab_xml *list, const jabi_plan *plan,
                                int server_has_plus)
{
    int wanted = plan->mech->strength > 0 && !plan->mech->binds_channel && can_bind(str) &&
                 !account_goes_without(str->cfg->mechanisms);
    int is_half = list ? !server_has_plus || !is_listed(list, "tls-server-end-point")
                       : server_has_plus && plan->is_sasl2;
    return wanted && !plan->in.cb_type.p && is_half;
}

int jabi_plan_offer(jabi_stream *str, jabi_sasl_offer *offer)
{
    jab_str *mechanisms =
        jabi_arena_alloc(&str->features_arena, JABI_MECHANISMS_MAX * sizeof *mechanisms);
    jab_str *types = jabi_arena_alloc(&str->features_arena, JABI_BINDINGS_MAX * sizeof *types);
    if (!mechanisms || !types)
        return JAB_ENOMEM;
    const jab_xml *list = jab_xml_child(str->features, JABI_NS_SASL_CB, "sasl-channel-binding");
    *offer = (jabi_sasl_offer){.mechanisms = mechanisms, .bindings = types};
    offer->has_bindings = list != NULL;
    int is_sasl2 = str->auth.dialect == &jabi_dialect_sasl2;
    offer->n_mechanisms =
        read_offer(offer_of(str->features, is_sasl2), str->auth.dialect->ns, mechanisms);
    const jab_xml *el = jab_xml_child(list, JABI_NS_SASL_CB, "channel-binding");
    for (; el && offer->n_bindings < JABI_BINDINGS_MAX;
         el = jab_xml_next_named(el, JABI_NS_SASL_CB, "channel-binding"))
        types[offer->n_bindings++] = jab_xml_attr(el, "type");
    return 0;
}

/* -- The plan --------------------------------------------------------------------- */

static void refuse(jabi_plan *plan, int error, const char *words, jab_str domain)
{
    plan->mech = NULL;
    plan->error = error;
    snprintf(plan->why, sizeof plan->why, words, (int)domain.n, domain.p);
}

static void check_stripped(const jabi_stream *str, const jab_xml *list, jabi_plan *plan,
                           int server_has_plus)
{
    int stripped = binding_was_stripped(str, list, plan, server_has_plus);
    if (!JAB_CHECK(BINDING_STRIPPED, !stripped))
        refuse(plan, JAB_EMECH,
               "the server %.*s announces channel binding and offers none that is usable: "
               "someone in between may have removed it",
               str->account.domain);
}

static int take_token(const jabi_stream *str, const jab_xml *features, jabi_plan *plan)
{
    plan->mech = plan->is_sasl2 ? jabi_fast_token(str, features, &plan->in) : NULL;
    plan->is_token = plan->mech != NULL;
    return plan->is_token;
}

void jabi_plan_make(const jabi_stream *str, const jab_xml *features, int is_sasl2, jabi_plan *plan)
{
    const char *ns = is_sasl2 ? JABI_NS_SASL2 : JABI_NS_SASL;
    const jab_xml *list = announced_bindings(features);
    jab_str names[JABI_MECHANISMS_MAX];
    size_t n = read_offer(offer_of(features, is_sasl2), ns, names);
    int server_has_plus = 0;
    for (size_t i = 0; i < n; i++)
        server_has_plus |= ends_in_plus(names[i]);
    *plan = (jabi_plan){.in = input_for(str), .is_sasl2 = is_sasl2};
    if (take_token(str, features, plan) && jabi_floor_check(str, plan))
        return;
    *plan = (jabi_plan){.in = input_for(str), .is_sasl2 = is_sasl2};
    choose_binding(str, list, plan, server_has_plus);
    plan->mech =
        jabi_sasl_choose(names, n, str->cfg->mechanisms, &plan->in, plan->why, sizeof plan->why);
    if (!plan->mech) {
        plan->error = JAB_EMECH;
        return;
    }
    if (!jabi_floor_check(str, plan))
        return;
    check_stripped(str, list, plan, server_has_plus);
    if (plan->mech && !jabi_stream_may_send_secret(str))
        refuse(plan, JAB_ENOTLS, "no log-in without verified TLS to %.*s", str->account.domain);
}

int jabi_plan_same(const jabi_plan *a, const jabi_plan *b)
{
    return a->mech == b->mech && a->is_sasl2 == b->is_sasl2 && a->is_token == b->is_token &&
           jab_str_eq(a->in.cb_type, b->in.cb_type) && a->in.cb_supported == b->in.cb_supported;
}
