/* fast.c: a token in place of the password, in one round trip (XEP-0484). */
#include "stream/auth.h"

#include "base/check.h"

#include <jabiru/datetime.h>

#include <stdio.h>

static const jab_xml *offer_of(const jab_xml *features)
{
    return jab_xml_child(jabi_plan_inline(features), JABI_NS_FAST, "fast");
}

static int is_offered(const jab_xml *fast, const char *mechanism)
{
    const jab_xml *el = jab_xml_child(fast, JABI_NS_FAST, "mechanism");
    for (; el; el = jab_xml_next_named(el, JABI_NS_FAST, "mechanism"))
        if (jab_str_is(jab_xml_text(el), mechanism))
            return 1;
    return 0;
}

/* XEP-0484 §6: never without verified TLS, whatever the account allows itself. */
static int may_use(const jabi_stream *str)
{
    int is_safe = (str->state & JABI_SECURE) && str->tls.verified;
    return JAB_CHECK(TOKEN_NEEDS_TLS, is_safe) && !(str->cfg->login & JAB_LOGIN_NO_FAST) &&
           !str->cfg->mechanisms.n && str->memory.agent[0] && str->account.local.p;
}

static int is_fresh(const jabi_stream *str)
{
    int64_t expiry = str->memory.token_expiry;
    return expiry == 0 || str->cfg->wall(str->cfg->wall_arg) < expiry;
}

const jabi_sasl_mech *jabi_fast_token(const jabi_stream *str, const jab_xml *features,
                                      jabi_sasl_input *in)
{
    const jabi_memory *m = &str->memory;
    const jabi_sasl_mech *mech = jabi_sasl_find(m->texts[JABI_MEMORY_TOKEN_MECHANISM]);
    if (!mech || !mech->needs_token || !m->texts[JABI_MEMORY_TOKEN].n || str->auth.tokens_off ||
        !may_use(str) || !is_fresh(str) || !is_offered(offer_of(features), mech->name))
        return NULL;
    if (mech->binding) {
        in->cb_type = jab_cstr(mech->binding);
        in->cb_data = jabi_plan_binding(str, mech->binding);
    }
    in->token = m->texts[JABI_MEMORY_TOKEN];
    return mech->binding && !in->cb_data.n ? NULL : mech;
}

/* Best first: XEP-0484 §6 prefers those with channel binding. */
static const char *const wishes[] = {
    "HT-SHA-512-EXPR", "HT-SHA-256-EXPR", "HT-SHA-512-UNIQ", "HT-SHA-256-UNIQ",
    "HT-SHA-512-ENDP", "HT-SHA-256-ENDP", "HT-SHA-512-NONE", "HT-SHA-256-NONE",
};

/* Those that can be had before a handshake is over, best first. */
static const char *const early_wishes[] = {
    "HT-SHA-512-ENDP",
    "HT-SHA-256-ENDP",
    "HT-SHA-512-NONE",
    "HT-SHA-256-NONE",
};

/* XEP-0484 §3.1: "1" or "true". */
static int takes_early_data(const jab_xml *features)
{
    jab_str value = jab_xml_attr(offer_of(features), "tls-0rtt");
    return jab_str_is(value, "true") || jab_str_is(value, "1");
}

int jabi_fast_may_be_early(const jabi_stream *str, const jab_xml *features,
                           const jabi_sasl_mech *mech)
{
    if (!(str->cfg->login & JAB_LOGIN_EARLY_DATA) || !takes_early_data(features))
        return 0;
    for (size_t i = 0; i < sizeof early_wishes / sizeof *early_wishes; i++)
        if (strcmp(early_wishes[i], mech->name) == 0)
            return 1;
    return 0;
}

/* The next connection may be of the other version of TLS, so a binding that this one
 * has is asked for; one without is not asked for where there was a binding. */
static const char *first_of(const jabi_stream *str, const char *const *names, size_t n)
{
    const jab_xml *fast = offer_of(str->features);
    for (size_t i = 0; i < n; i++) {
        const jabi_sasl_mech *mech = jabi_sasl_find(jab_cstr(names[i]));
        int has = mech && (!mech->binding || jabi_plan_binding(str, mech->binding).n);
        int sinks = mech && !mech->binding && (str->memory.floor.binding || str->channel_binding);
        if (has && !sinks && is_offered(fast, names[i]))
            return mech->name;
    }
    return NULL;
}

static const char *wish(const jabi_stream *str)
{
    const char *early = NULL;
    if ((str->cfg->login & JAB_LOGIN_EARLY_DATA) && takes_early_data(str->features))
        early = first_of(str, early_wishes, sizeof early_wishes / sizeof *early_wishes);
    return early ? early : first_of(str, wishes, sizeof wishes / sizeof *wishes);
}

static void write_use(jabi_stream *str, jabi_writer *w)
{
    char count[16];
    snprintf(count, sizeof count, "%u", (unsigned)str->memory.token_count);
    jabi_writer_start(w, JAB_STR(JABI_NS_FAST), JAB_STR("fast"));
    if (str->is_early) /* XEP-0484 §3.4: no two attempts with the same count */
        jabi_writer_attr(w, JAB_STR("count"), jab_cstr(count));
    if (str->cfg->login & JAB_LOGIN_INVALIDATE)
        jabi_writer_attr(w, JAB_STR("invalidate"), JAB_STR("true"));
    jabi_writer_end(w);
}

void jabi_fast_write(jabi_stream *str, jabi_writer *w)
{
    jabi_auth *auth = &str->auth;
    auth->asked_token = NULL;
    if (auth->is_token)
        write_use(str, w);
    else if (may_use(str) && !str->memory.is_shared && !(str->cfg->login & JAB_LOGIN_INVALIDATE))
        auth->asked_token = wish(str);
    if (!auth->asked_token)
        return;
    jabi_writer_start(w, JAB_STR(JABI_NS_FAST), JAB_STR("request-token"));
    jabi_writer_attr(w, JAB_STR("mechanism"), jab_cstr(auth->asked_token));
    jabi_writer_end(w);
}

static int keep(jabi_stream *str, jab_str token, jab_str expiry)
{
    jabi_memory *m = &str->memory;
    const char *mechanism = str->auth.is_token ? str->mechanism : str->auth.asked_token;
    int err = jabi_memory_set(m, JABI_MEMORY_TOKEN, token);
    if (err >= 0)
        err = jabi_memory_set(m, JABI_MEMORY_TOKEN_MECHANISM, jab_cstr(mechanism));
    if (err < 0) {
        jabi_memory_drop_token(m); /* half of one is none */
        return jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", jab_strerror(err));
    }
    int64_t until = 0;
    if (jab_datetime_parse(expiry, &until) < 0)
        until = 0;
    m->is_changed |= m->token_expiry != until || m->token_count != 0;
    m->token_expiry = until;
    m->token_count = 0;
    return 0;
}

/* XEP-0484 §3.5: the old one is good until the new one is used, and so is not missed
 * when this one cannot be saved. */
int jabi_fast_on_success(jabi_stream *str, const jab_xml *el)
{
    const jab_xml *token = jab_xml_child(el, JABI_NS_FAST, "token");
    if (str->cfg->login & JAB_LOGIN_INVALIDATE) {
        if (str->auth.is_token)
            jabi_memory_drop_token(&str->memory);
        return 0;
    }
    if (!token || (!str->auth.is_token && !str->auth.asked_token))
        return 0;
    jab_str text = jab_xml_attr(token, "token");
    return text.n ? keep(str, text, jab_xml_attr(token, "expiry")) : 0;
}
