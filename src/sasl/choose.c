/* choose.c: which mechanism to use, from what the server offers, what the
 * account allows and what can be had here. */
#include "sasl/mech.h"

#include "base/check.h"

#include <stdio.h>

typedef struct choice {
    const jab_str *offered;
    size_t n_offered;
    jab_str allowed; /* absent: the default policy */
    const jabi_sasl_input *in;
} choice;

static int is_offered(const choice *c, const char *name)
{
    for (size_t i = 0; i < c->n_offered; i++)
        if (jab_str_is(c->offered[i], name))
            return 1;
    return 0;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next word of a list, an absent one after the last. */
static jab_str next_word(jab_str *list)
{
    size_t from = 0, to;
    while (from < list->n && is_blank(list->p[from]))
        from++;
    for (to = from; to < list->n && !is_blank(list->p[to]); to++)
        continue;
    jab_str word = {to > from ? list->p + from : NULL, to - from};
    if (list->p)
        *list = (jab_str){list->p + to, list->n - to};
    return word;
}

/* Whether the account names the mechanism; case does not matter, people type it. */
static int is_named(jab_str allowed, const char *name)
{
    for (jab_str word = next_word(&allowed); word.p; word = next_word(&allowed)) {
        size_t i = 0;
        while (i < word.n && name[i] && upper(word.p[i]) == name[i])
            i++;
        if (i == word.n && !name[i])
            return 1;
    }
    return 0;
}

static int is_allowed_by_default(const jabi_sasl_mech *m, const jabi_sasl_input *in)
{
    if (m->strength > 0)
        return 1;
    if (m->needs_bearer)
        return in->bearer.n > 0;
    if (in->password.n)
        return 0;
    if (m == &jabi_sasl_external)
        return in->has_client_cert;
    return m == &jabi_sasl_anonymous && in->username.n == 0;
}

static int is_allowed(const choice *c, const jabi_sasl_mech *m)
{
    return c->allowed.p ? is_named(c->allowed, m->name) : is_allowed_by_default(m, c->in);
}

static int has_binding(const choice *c, const jabi_sasl_mech *m)
{
    return !m->binds_channel || (c->in->cb_type.p && c->in->cb_data.n);
}

/* Whether the certificate, which is given for that, is to be used. */
static int certificate_serves(const choice *c)
{
    return c->in->has_client_cert && is_offered(c, jabi_sasl_external.name) &&
           is_allowed(c, &jabi_sasl_external);
}

/* Keys that an earlier log-in left do not come before a certificate: it is safer. */
static int has_secret(const choice *c, const jabi_sasl_mech *m)
{
    if (m->takes_keys && c->in->password.n == 0 && certificate_serves(c))
        return 0;
    return jabi_sasl_has_secret(m, c->in) && (!m->needs_password || c->in->username.n);
}

/* The best that qualifies, preferring one whose secret is at hand. */
static const jabi_sasl_mech *best(const choice *c)
{
    size_t n;
    const jabi_sasl_mech *const *all = jabi_sasl_mechs(&n);
    const jabi_sasl_mech *without_secret = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!is_offered(c, all[i]->name) || !has_binding(c, all[i]) ||
            !JAB_CHECK(MECHANISM_ALLOWED, is_allowed(c, all[i])))
            continue;
        if (has_secret(c, all[i]))
            return all[i];
        if (!without_secret)
            without_secret = all[i];
    }
    return without_secret;
}

/* -- Why there is none -- */

typedef struct sentence {
    char *p;
    size_t n, size;
} sentence;

static void say(sentence *s, const char *text, size_t n)
{
    for (size_t i = 0; i < n && s->n + 1 < s->size; i++)
        s->p[s->n++] = text[i];
    if (s->size)
        s->p[s->n] = '\0';
}

static void say_z(sentence *s, const char *text)
{
    say(s, text, strlen(text));
}

/* sasl-mech = 1*20mech-char (RFC 4422 §3.1); what is none is not repeated to
 * the user, whose terminal it might address. */
static int is_name(jab_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return 0;
    }
    return s.n > 0 && s.n <= 20;
}

static int came_before(const choice *c, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (jab_str_eq(c->offered[i], c->offered[at]))
            return 1;
    return 0;
}

#define SHOWN_MAX 6

/* "A, B and C" of what is offered; returns how many there are. */
static size_t collect_offer(const choice *c, jab_str shown[SHOWN_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_offered; i++) {
        if (!is_name(c->offered[i]) || came_before(c, i))
            continue;
        if (n < SHOWN_MAX)
            shown[n] = c->offered[i];
        n++;
    }
    return n;
}

static size_t say_offer(sentence *s, const choice *c)
{
    jab_str shown[SHOWN_MAX];
    size_t n = collect_offer(c, shown), last = n < SHOWN_MAX ? n : SHOWN_MAX;
    for (size_t i = 0; i < last; i++) {
        if (i > 0)
            say_z(s, i + 1 == n ? " and " : ", ");
        say(s, shown[i].p, shown[i].n);
    }
    if (n > SHOWN_MAX)
        say_z(s, " and others");
    return n;
}

/* The best offered one that an account could name, or NULL. */
static const jabi_sasl_mech *best_not_allowed(const choice *c)
{
    size_t n;
    const jabi_sasl_mech *const *all = jabi_sasl_mechs(&n);
    for (size_t i = 0; i < n; i++)
        if (is_offered(c, all[i]->name) && has_binding(c, all[i]) && !is_allowed(c, all[i]) &&
            (!all[i]->needs_bearer || c->in->bearer.n))
            return all[i];
    return NULL;
}

static const jabi_sasl_mech *allowed_but_unbound(const choice *c)
{
    size_t n;
    const jabi_sasl_mech *const *all = jabi_sasl_mechs(&n);
    for (size_t i = 0; i < n; i++)
        if (is_offered(c, all[i]->name) && is_allowed(c, all[i]) && !has_binding(c, all[i]))
            return all[i];
    return NULL;
}

static void say_allowed(sentence *s, const choice *c)
{
    jab_str rest = c->allowed;
    int count = 0;
    for (jab_str word = next_word(&rest); word.p; word = next_word(&rest)) {
        if (count++)
            say_z(s, ", ");
        say(s, word.p, word.n);
    }
}

static void explain(const choice *c, sentence *s)
{
    const jabi_sasl_mech *unbound = allowed_but_unbound(c), *other = best_not_allowed(c);
    jab_str shown[SHOWN_MAX];
    if (collect_offer(c, shown) == 0) {
        say_z(s, "the server offers no authentication mechanism");
        return;
    }
    say_z(s, "the server offers only ");
    size_t n = say_offer(s, c);
    if (unbound) {
        say_z(s, ", and there is no channel binding with it for ");
        say_z(s, unbound->name);
    } else if (c->allowed.p) {
        say_z(s, ", the account allows only ");
        say_allowed(s, c);
    } else if (other) {
        say_z(s, n == 1 ? ", which is not allowed by default; --mechanism "
                        : ", none of which is allowed by default; --mechanism ");
        say_z(s, other->name);
        say_z(s, " allows it");
    } else if (is_offered(c, jabi_sasl_oauthbearer.name)) {
        say_z(s, ", and there is no access token for OAUTHBEARER");
    } else {
        say_z(s, n == 1 ? ", which is not known here" : ", none of which is known here");
    }
}

const jabi_sasl_mech *jabi_sasl_choose(const jab_str *offered, size_t n_offered, jab_str allowed,
                                       const jabi_sasl_input *in, char *why, size_t why_n)
{
    jab_str words = allowed;
    if (!next_word(&words).p)
        allowed = (jab_str){NULL, 0};
    const choice c = {offered, n_offered, allowed, in};
    const jabi_sasl_mech *mech = best(&c);
    if (mech)
        return mech;
    sentence s = {why, 0, why_n};
    explain(&c, &s);
    return NULL;
}
