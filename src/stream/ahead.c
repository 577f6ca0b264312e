/*
 * ahead.c: the first step of a negotiation in the same flight as the header,
 * by what the server offered last time (XEP-0305 §2, §3; XEP-0509 §2.2). What
 * the server offers this time still counts: when it refuses a step that rested
 * on an older offer, the choice is made anew.
 */
#include "stream/auth.h"

#include "base/check.h"
#include "base/mem.h"

static jabi_memory_text text_for(const jabi_stream *str)
{
    return str->state & JABI_AUTHENTICATED ? JABI_MEMORY_AFTER : JABI_MEMORY_BEFORE;
}

/* Before TLS nothing is remembered: that is no place to learn what is offered behind it. */
static int may_recall(const jabi_stream *str)
{
    return (str->state & JABI_SECURE) || str->cfg->tls == JAB_TLS_OFF;
}

static int recall(jabi_stream *str)
{
    jab_str text = str->memory.texts[text_for(str)];
    if (!may_recall(str) || !text.n)
        return 0;
    int err = jabi_xml_parse(str->mem, &str->features_arena, text, JABI_NS_CLIENT, &str->features);
    return err == JAB_ENOMEM ? err : 0;
}

static int is_starttls(const jabi_stream *str)
{
    return !(str->state & JABI_SECURE) && str->cfg->tls != JAB_TLS_OFF;
}

/* What comes next, if it may leave now. */
static const jabi_feature *next_row(jabi_stream *str, const jab_xml **offer)
{
    *offer = NULL;
    const jabi_feature *row =
        is_starttls(str) ? &jabi_feature_starttls : jabi_features_find(str, str->features, offer);
    return row && row->ahead && row->ahead(str, *offer) ? row : NULL;
}

int jabi_ahead_begin(jabi_stream *str)
{
    str->went_ahead = str->is_stale = 0;
    str->ahead = NULL;
    if (str->cfg->login & JAB_LOGIN_NO_PIPELINING)
        return 0;
    int err = is_starttls(str) ? 0 : recall(str);
    if (err < 0 || (!str->features && !is_starttls(str)))
        return err;
    const jab_xml *offer;
    const jabi_feature *row = next_row(str, &offer);
    int step = row ? row->begin(str, offer) : 0;
    str->remembered = str->features;
    str->features = NULL;
    if (!row)
        return 0;
    str->ahead = row;
    str->went_ahead = 1;
    return step < 0 ? step : 0; /* no first step takes computing */
}

/* RFC 8446 §8: what leaves early can be replayed. Only a token's counter makes that
 * harmless (XEP-0484 §3.4, XEP-0509 §4). */
int jabi_ahead_may_be_early(jabi_stream *str)
{
    jabi_plan plan = {0};
    if ((str->cfg->login & JAB_LOGIN_NO_PIPELINING) || recall(str) < 0 || !str->features)
        return 0;
    const jab_xml *offer;
    const jabi_feature *row = jabi_features_find(str, str->features, &offer);
    if (row == &jabi_feature_sasl2 && offer)
        jabi_plan_make(str, str->features, 1, &plan);
    int may = plan.mech && plan.is_token &&
              JAB_CHECK(EARLY_NEEDS_COUNT, jabi_fast_may_be_early(str, str->features, plan.mech));
    str->features = NULL;
    return may;
}

/* Whether the step under way is what would be begun by this offer. */
static int still_holds(const jabi_stream *str)
{
    const jab_xml *offer;
    if (jabi_features_find(str, str->features, &offer) != str->ahead || !offer)
        return 0;
    if (str->ahead->stage != JAB_AT_SASL)
        return 1;
    jabi_plan then, now;
    int is_sasl2 = str->ahead == &jabi_feature_sasl2;
    jabi_plan_make(str, str->remembered, is_sasl2, &then);
    jabi_plan_make(str, str->features, is_sasl2, &now);
    return jabi_plan_same(&then, &now);
}

int jabi_ahead_check(jabi_stream *str)
{
    const jabi_feature *row = str->ahead;
    str->is_stale = !still_holds(str);
    str->ahead = NULL;
    str->active = row;
    str->phase = JABI_PHASE_STEP;
    /* RFC 6120 §5.3.1: without an offer there is no TLS, whatever comes next. */
    if (row->missing && row->stage == JAB_AT_TLS && str->is_stale)
        return row->missing(str);
    return 0;
}

/* The order differs each time on some servers, and nothing follows from it: the same bytes
 * in another order are the same offer. */
static int is_reordered(jab_str a, jab_str b)
{
    size_t counts[256] = {0}, n = 0;
    for (size_t i = 0; i < a.n; i++)
        counts[(unsigned char)a.p[i]]++;
    for (size_t i = 0; i < b.n && counts[(unsigned char)b.p[i]]; i++, n++)
        counts[(unsigned char)b.p[i]]--;
    return a.n == b.n && n == b.n;
}

int jabi_ahead_remember(jabi_stream *str, jabi_memory_text which)
{
    if (!str->features || !may_recall(str))
        return 0;
    size_t n = jab_xml_print(str->features, NULL, 0);
    char *text = jabi_alloc(str->mem, n + 1);
    if (!text)
        return JAB_ENOMEM;
    jab_xml_print(str->features, text, n + 1);
    jab_str offer = {text, n};
    int is_known = is_reordered(offer, str->memory.texts[which]);
    int err = is_known ? 0 : jabi_memory_set(&str->memory, which, offer);
    jabi_free(str->mem, text);
    return err;
}
