/* machine.h: brings a fresh session into a state, and tells which one it is in. */
#ifndef SCRIPT_MACHINE_H
#define SCRIPT_MACHINE_H

#include "states.h"

static const word *find_word(const char *name, size_t n)
{
    for (size_t i = 0; i < WORDS; i++)
        if (strlen(words[i].name) == n && memcmp(words[i].name, name, n) == 0)
            return &words[i];
    fail_msg("no such word: %.*s", (int)n, name);
    return NULL;
}

/* -- The session ---------------------------------------------------------------------------- */

/* The vault as an earlier log-in left it. */
static inline void leave_for(const account *a)
{
    jabi_memory m;
    jabi_buf bytes;
    jabi_memory_init(&m, jabi_mem_default(), NULL, JAB_STR("juliet@example.org"));
    snprintf(m.agent, sizeof m.agent, "d4565fa7-4d72-4749-b3d3-740edbf87770");
    m.floor = a->floor;
    if (a->token_mechanism) {
        assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_TOKEN, JAB_STR(TOKEN)), 0);
        assert_int_equal(
            jabi_memory_set(&m, JABI_MEMORY_TOKEN_MECHANISM, jab_cstr(a->token_mechanism)), 0);
    }
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_BEFORE, jab_cstr(a->before)), 0);
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_AFTER, jab_cstr(a->after)), 0);
    jabi_buf_init(&bytes, jabi_mem_default(), JAB_VAULT_MAX);
    assert_int_equal(jabi_memory_pack(&m, &bytes), 0);
    row_put(&row, jabi_buf_str(&bytes));
    jabi_buf_fini(&bytes);
    jabi_memory_fini(&m);
}

static inline void make_session(const account *a)
{
    jab_config cfg = sasl2_config(&e, &row);
    leave_for(a);
    cfg.mechanisms = jab_cstr(a->mechanisms);
    cfg.tls = a->tls;
    cfg.compress = a->compress;
    cfg.login = a->login;
    server_first[0] = '\0';
    assert_int_equal(peer_new(&e, &cfg), 0);
}

static inline void transport_up(const jab_tls_info *tls)
{
    assert_int_equal(jab_session_connected(e.s, tls, e.now), 0);
    peer_collect(&e);
}

/* One word of a row; "TCP" and "TLS" are the transport's. */
static inline void take(const char *name, size_t n, const jab_tls_info *tls)
{
    size_t length;
    if (n == 3 && memcmp(name, "TCP", 3) == 0) {
        transport_up(NULL);
    } else if (n == 3 && memcmp(name, "TLS", 3) == 0) {
        if (jab_session_wants_tls(e.s))
            assert_int_equal(jab_session_secured(e.s, tls, e.now), 0);
        else
            transport_up(tls);
        peer_collect(&e);
    } else {
        ptrdiff_t taken = server_says(find_word(name, n)->text, &length);
        if (taken != (ptrdiff_t)length)
            fail_msg("%.*s was not taken: %s", (int)n, name, jab_strerror(jab_session_error(e.s)));
    }
}

static inline void cut(void)
{
    while (jab_session_next(e.s))
        continue;
    jab_session_eof(e.s, 0, e.now);
    while (jab_session_next(e.s))
        continue;
}

static inline void enter_by(const state_row *s, const jab_tls_info *tls)
{
    if (s->account)
        make_session(s->account);
    if (s->is_cut)
        cut();
    for (const char *p = s->says; *p;) {
        size_t n = strcspn(p, " ");
        take(p, n, tls);
        p += n + (p[n] == ' ');
    }
}

/* From nothing to the state. */
static inline void enter(state_id id)
{
    state_id way[STATES];
    size_t n = 0;
    for (way[n] = id; states[way[n]].from; n++)
        way[n + 1] = states[way[n]].from;
    const account *a = states[way[n]].account;
    for (size_t i = n + 1; i-- > 0;)
        enter_by(&states[way[i]], &a->tls_info);
}

static inline void leave_session(void)
{
    sasl2_end(&e, &row);
}

/* Secrets that may have left on the way. */
static inline unsigned secrets_until(state_id id)
{
    unsigned may = 0;
    for (; id; id = states[id].from)
        may |= states[id].secrets;
    return may;
}

/* -- Where it is ---------------------------------------------------------------------------- */

/* What the machine has reached, in words: all of it, and what says which state that is. */
typedef struct print {
    char text[400], state[300];
} print;

/* The last thing that the client said. */
static const char *last_said(void)
{
    static const char *const names[] = {"<stream:stream", "<starttls",  "<auth ",
                                        "<authenticate ", "<response",  "<next",
                                        "<task-data",     "<compress ", "<iq "};
    const char *last = "", *at = e.sent;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *p = e.sent;
        while ((p = memmem(p, (size_t)(e.sent + e.n_sent - p), names[i], strlen(names[i])))) {
            if (p >= at) {
                at = p;
                last = names[i];
            }
            p++;
        }
    }
    return last;
}

/* Behind the log-in it does not matter how it went. */
static inline void print_exchange(const jabi_stream *str, char *out, size_t size)
{
    int is_open = !(str->state & JABI_AUTHENTICATED);
    int is_stale = is_open && str->is_stale && !str->ahead && !str->auth.retried;
    snprintf(out, size, "%s said '%s' by %s, exchange %d %d", is_stale ? " stale" : "",
             is_open ? last_said() : "", is_open && str->mechanism ? str->mechanism : "-",
             str->sasl ? str->sasl->phase : -1, str->sasl ? str->sasl->proven : 0);
}

static inline print where(void)
{
    print w;
    char exchange[120];
    const jabi_stream *str = &e.s->stream;
    const jabi_auth *a = &str->auth;
    unsigned reached =
        str->state & (JABI_SECURE | JABI_AUTHENTICATED | JABI_COMPRESSED | JABI_BOUND);
    print_exchange(str, exchange, sizeof exchange);
    snprintf(w.state, sizeof w.state,
             "phase %d reached %x active %s ahead %s%s%s, managed %d, resumed %d, online %d",
             (int)str->phase, reached, str->active ? str->active->ns : "-",
             str->ahead ? str->ahead->ns : "-", str->features_due ? ", features due," : "",
             exchange, str->sm.active, str->sm.resumed, jab_session_online(e.s));
    snprintf(w.text, sizeof w.text, "%s %x %d%d%d%d%d%d%d%d", w.state, str->state, a->is_token,
             a->tokens_off, a->retried, a->asked_bind, a->asked_resume, a->asked_upgrades != 0,
             a->task_asked, str->sm.requested);
    return w;
}

static print prints[STATES]; /* of each state, made by learn_prints() */

static inline void learn_prints(void)
{
    for (int id = 1; id < STATES; id++) {
        enter((state_id)id);
        prints[id] = where();
        leave_session();
    }
}

/* The name of the state that this is, `near` before all. */
static const char *name_of(const print *w, state_id near)
{
    if (strcmp(prints[near].state, w->state) == 0)
        return states[near].name;
    for (int id = 1; id < STATES; id++)
        if (strcmp(prints[id].state, w->state) == 0)
            return states[id].name;
    return w->state;
}

#endif
