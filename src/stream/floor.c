/*
 * floor.c: a log-in is never less safe than the account's best so far
 * (login.h). XEP-0474 has the reason: what an attacker removes from an offer
 * is not missed by who does not remember it.
 */
#include "stream/auth.h"

#include "base/check.h"

#include <stdio.h>

static const char *class_name(int class)
{
    static const char *const names[] = {"no password",  "a password in the clear", "DIGEST-MD5",
                                        "SCRAM-SHA-1",  "SCRAM-SHA-256",           "SCRAM-SHA-512",
                                        "a certificate"};
    return class >= 0 && class < (int)(sizeof names / sizeof *names) ? names[class] : "SASL";
}

static int has_binding(const jabi_sasl_mech *mech)
{
    return mech->binds_channel || mech->binding != NULL;
}

/* A token was got by a log-in that kept to the floor, and is bound to its
 * mechanism (XEP-0484 §3.4); a certificate signs the handshake itself (RFC 4422 A). */
static int class_counts(const jabi_plan *plan)
{
    return !plan->is_token && !plan->mech->needs_certificate;
}

typedef struct sinking {
    int is_below;
    char had[48], has[48];
} sinking;

static sinking mechanism_sinks(const jabi_stream *str, const jabi_plan *plan)
{
    sinking s = {0};
    int had = str->memory.floor.mechanism, has = jabi_sasl_class(plan->mech);
    s.is_below = class_counts(plan) && has < had;
    snprintf(s.had, sizeof s.had, "%s", class_name(had));
    snprintf(s.has, sizeof s.has, "%s", class_name(has));
    return s;
}

static sinking binding_sinks(const jabi_stream *str, const jabi_plan *plan)
{
    sinking s = {.had = "channel binding", .has = "none"};
    s.is_below =
        str->memory.floor.binding && !has_binding(plan->mech) && !plan->mech->needs_certificate;
    return s;
}

/* Who asks for the classic log-in gets it. */
static sinking sasl2_sinks(const jabi_stream *str, const jabi_plan *plan)
{
    sinking s = {.had = "SASL2 (XEP-0388)", .has = "only the older log-in"};
    s.is_below =
        str->memory.floor.sasl2 && !plan->is_sasl2 && !(str->cfg->login & JAB_LOGIN_NO_SASL2);
    return s;
}

static sinking tls_sinks(const jabi_stream *str, const jabi_plan *plan)
{
    sinking s = {0};
    int had = str->memory.floor.tls_version, has = plan->in.tls_version;
    s.is_below = has < had;
    snprintf(s.had, sizeof s.had, "TLS 1.%d", had % 10);
    snprintf(s.has, sizeof s.has, has ? "TLS 1.%d" : "no TLS", has % 10);
    return s;
}

static sinking (*const parts[])(const jabi_stream *, const jabi_plan *) = {
    tls_sinks,
    sasl2_sinks,
    binding_sinks,
    mechanism_sinks,
};

int jabi_floor_check(const jabi_stream *str, jabi_plan *plan)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        sinking s = parts[i](str, plan);
        if (JAB_CHECK(LOGIN_FLOOR, !s.is_below))
            continue;
        plan->mech = NULL;
        plan->error = JAB_EWEAKER;
        snprintf(plan->why, sizeof plan->why,
                 "the account " JAB_FMT " logged in with %s before, and now the server offers %s: "
                 "someone in between may have removed the better",
                 JAB_ARG(str->account.bare), s.had, s.has);
        return 0;
    }
    return 1;
}

static void raise(jabi_memory *m, uint8_t *floor, int reached)
{
    if (reached <= *floor)
        return;
    *floor = (uint8_t)reached;
    m->is_changed = 1;
}

void jabi_floor_raise(jabi_stream *str)
{
    jabi_memory *m = &str->memory;
    const jabi_sasl_mech *mech = str->sasl->mech;
    if (!str->auth.is_token && !mech->needs_certificate)
        raise(m, &m->floor.mechanism, jabi_sasl_class(mech));
    raise(m, &m->floor.binding, has_binding(mech));
    raise(m, &m->floor.sasl2, str->auth.dialect == &jabi_dialect_sasl2);
    raise(m, &m->floor.tls_version, str->state & JABI_SECURE ? str->tls.version : 0);
}
