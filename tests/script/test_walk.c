/* test_walk.c: the log-in against a scripted server: from every state of it, every element
 * of a vocabulary, each with a session of its own; and no secret leaves before its gate.
 * "test_script_walk STATE" prints what happens there instead. */
#include "machine.h"
#include "quick.h"
#include "verdicts.h"

#include <stdio.h>

/* -- Which rule is it ------------------------------------------------------------------------ */

static int fits(const char *pattern, size_t n, const char *name)
{
    if (pattern[n - 1] == '*')
        return strncmp(pattern, name, n - 1) == 0;
    return strlen(name) == n && memcmp(pattern, name, n) == 0;
}

static int names(const char *list, const char *name)
{
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, " ");
        if (fits(p, n, name))
            return 1;
        p += n + (p[n] == ' ');
    }
    return 0;
}

static size_t find_rule(state_id id, const char *name)
{
    size_t i = 0;
    for (; i < sizeof rules / sizeof *rules; i++) {
        const rule *r = &rules[i];
        int is_here = r->state ? r->state == id : r->group == ANY || r->group == states[id].group;
        if (is_here && names(r->words, name))
            break;
    }
    return i; /* the last one fits always */
}

/* -- What happens ---------------------------------------------------------------------------- */

typedef struct outcome {
    kind kind;
    int code;
    print before, after;
    unsigned secrets;
} outcome;

static int all_is_said_before_the_end(void)
{
    const char *end = memmem(e.sent, e.n_sent, "</stream:stream>", 16);
    return !end || (size_t)(end - e.sent) + 16 == e.n_sent;
}

static outcome try(state_id id, const word *w)
{
    outcome o = {0};
    size_t length;
    enter(id);
    o.before = where();
    ptrdiff_t n = server_says(w->text, &length);
    o.after = where();
    o.secrets = secrets_sent();
    o.code = n < 0 ? (int)n : jab_session_error(e.s);
    if (o.code < 0)
        o.kind = ENDS;
    else if (n == 0)
        o.kind = HELD;
    else
        o.kind = strcmp(o.before.text, o.after.text) == 0 ? WAITS : GOES;
    if (o.code < 0 && o.code != JAB_ESTATE && !states[id].is_cut && !states[states[id].from].is_cut)
        assert_true(all_is_said_before_the_end());
    return o;
}

static const char *describe(const outcome *o, state_id id)
{
    static char text[400];
    static const char *const kinds[] = {"ends", "waits", "is held", "goes on to"};
    snprintf(text, sizeof text, "%s %s", kinds[o->kind],
             o->kind == ENDS   ? jab_errname(o->code)
             : o->kind == GOES ? name_of(&o->after, id)
                               : "");
    return text;
}

static int is_as(const outcome *o, const rule *r)
{
    if (o->kind == WAITS && r->kind == GOES)
        return strcmp(prints[r->to].state, o->after.state) == 0;
    if (o->kind != r->kind)
        return 0;
    return o->kind == ENDS   ? o->code == r->to
           : o->kind == GOES ? strcmp(prints[r->to].state, o->after.state) == 0
                             : 1;
}

static unsigned secrets_for(state_id id, const rule *r)
{
    return secrets_until(id) | (r->kind == GOES ? states[r->to].secrets : 0);
}

/* -- The walk -------------------------------------------------------------------------------- */

static unsigned used[sizeof rules / sizeof *rules], seen;

/* Returns whether it is as it should be. */
static int walk_one(state_id id, const word *w)
{
    size_t at = find_rule(id, w->name);
    const rule *r = &rules[at];
    outcome o = try(id, w);
    unsigned early = o.secrets & ~secrets_for(id, r);
    int good = is_as(&o, r) && !early;
    if (!good)
        print_error("%s: %s %s%s, not as rule %zu (%s)\n", states[id].name, w->name,
                    describe(&o, id), early ? ", with a secret too early" : "", at, r->why);
    used[at]++;
    seen |= o.secrets;
    leave_session();
    return good;
}

static void every_element_in_every_state(void **state)
{
    (void)state;
    size_t bad = 0;
    for (int id = 1; id < STATES; id++)
        for (size_t i = 0; i < WORDS; i++)
            bad += !walk_one((state_id)id, &words[i]);
    print_message("# %d states x %zu elements, %zu rules\n", STATES - 1, WORDS,
                  sizeof rules / sizeof *rules);
    assert_int_equal(bad, 0);
}

/* A table with rows that say nothing is not read. */
static void every_rule_is_of_use(void **state)
{
    (void)state;
    size_t idle = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        idle += used[i] == 0;
        if (used[i] == 0)
            print_error("rule %zu is never the first: %s\n", i, rules[i].words);
    }
    assert_int_equal(idle, 0);
}

/* Else the search for what leaves too early would be blind. */
static void every_secret_left_in_its_time(void **state)
{
    (void)state;
    assert_int_equal(seen, SEEN_PASSWORD | SEEN_PROOF | SEEN_TOKEN | SEEN_SALTED);
}

/* -- Shut gates ------------------------------------------------------------------------------ */

#define UNVERIFIED                                                                                 \
    {                                                                                              \
        .version = 13, .exporter = { "eeeeeeee", 8 }                                               \
    }
#define OLDER                                                                                      \
    {                                                                                              \
        .verified = 1, .version = 12, .unique = { "uuuuuuuu", 8 }                                  \
    }
#define OFFERED                                                                                    \
    .tls = JAB_TLS_DIRECT,                                                                         \
    .before = IN_XML(SASL1(MECHANISM("PLAIN") MECHANISM("SCRAM-SHA-1")) SASL2_OFFER)
#define PLAIN_IS_FINE .mechanisms = "PLAIN SCRAM-SHA-1 SCRAM-SHA-1-PLUS"

/* By none of these may any secret leave, whatever the server says. */
static const account shut[] = {
    {OFFERED, .tls_info = UNVERIFIED},
    {OFFERED, PLAIN_IS_FINE, .tls_info = UNVERIFIED},
    {OFFERED, .token_mechanism = "HT-SHA-256-NONE", .tls_info = UNVERIFIED},
    {OFFERED, .mechanisms = "SCRAM-SHA-512", .tls_info = VERIFIED},
    {OFFERED, .floor = {.mechanism = 4}, .tls_info = VERIFIED},
    {OFFERED, PLAIN_IS_FINE, .floor = {.mechanism = 4}, .tls_info = VERIFIED},
    {OFFERED, PLAIN_IS_FINE, .floor = {.tls_version = 13}, .tls_info = OLDER},
    {OFFERED, .token_mechanism = "HT-SHA-256-NONE", .floor = {.tls_version = 13},
     .tls_info = OLDER},
    {OFFERED, .mechanisms = "PLAIN", .floor = {.binding = 1}, .tls_info = VERIFIED},
    {OFFERED, .token_mechanism = "HT-SHA-256-NONE", .floor = {.mechanism = 4, .binding = 1},
     .tls_info = VERIFIED},
};

/* Up to the features; returns whether there is still a stream. */
static int knock(const account *a, const word *features)
{
    size_t length;
    make_session(a);
    transport_up(&a->tls_info);
    if (server_says(find_word("header", 6)->text, &length) < 0)
        return 0;
    return server_says(features->text, &length) >= 0;
}

static void knock_by_each(const account *a, const word *features)
{
    size_t length;
    int is_open = 1;
    for (size_t i = 0; i < WORDS && is_open; i++) {
        is_open = knock(a, features);
        if (is_open)
            (void)!server_says(words[i].text, &length);
        unsigned left = secrets_sent();
        if (left)
            print_error("gate %d: secret %x after %s, %s\n", (int)(a - shut), left, features->name,
                        words[i].name);
        assert_int_equal(left, 0);
        leave_session();
    }
}

static void nothing_leaves_by_a_shut_gate(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shut / sizeof *shut; i++)
        for (size_t k = 0; k < WORDS; k++)
            if (strncmp(words[k].name, "features-", 9) == 0)
                knock_by_each(&shut[i], &words[k]);
}

static void print_state(const char *name)
{
    for (int id = 1; id < STATES; id++)
        for (size_t i = 0; i < WORDS && strcmp(states[id].name, name) == 0; i++) {
            outcome o = try((state_id)id, &words[i]);
            printf("%-28s %s\n", words[i].name, describe(&o, (state_id)id));
            leave_session();
        }
}

static int set_up(void **state)
{
    (void)state;
    make_keys(&sha1_keys, EVP_sha1());
    make_keys(&sha256_keys, EVP_sha256());
    learn_prints();
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_element_in_every_state),
        cmocka_unit_test(every_rule_is_of_use),
        cmocka_unit_test(every_secret_left_in_its_time),
        cmocka_unit_test(nothing_leaves_by_a_shut_gate),
    };
    be_quick();
    if (argc < 2)
        return cmocka_run_group_tests(tests, set_up, NULL);
    set_up(NULL);
    print_state(argv[1]);
    return 0;
}
