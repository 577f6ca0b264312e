/* transcript.c: reads a transcript and plays the server's part of it. */
#include "transcript.h"

#include <ctype.h>
#include <stdarg.h>

/* -- Text ------------------------------------------------------------------- */

void text_add(text *t, const char *p, size_t n)
{
    if (t->n + n + 1 > t->cap) {
        t->cap = (t->n + n + 1) * 2;
        t->p = realloc(t->p, t->cap);
        if (!t->p)
            abort();
    }
    if (n)
        memcpy(t->p + t->n, p, n);
    t->n += n;
    t->p[t->n] = '\0';
}

void text_printf(text *t, const char *format, ...)
{
    char buf[8192];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(buf, sizeof buf, format, args);
    va_end(args);
    text_add(t, buf, n < (int)sizeof buf ? (size_t)n : sizeof buf - 1);
}

void text_free(text *t)
{
    free(t->p);
    *t = (text){NULL, 0, 0};
}

void play_fail(play *p, const char *format, ...)
{
    va_list args;
    if (p->failed)
        return;
    p->failed = 1;
    int n = p->at ? snprintf(p->why, sizeof p->why, "%s:%d: ", p->at->file, p->at->number) : 0;
    va_start(args, format);
    vsnprintf(p->why + n, sizeof p->why - (size_t)n, format, args);
    va_end(args);
}

/* -- What the session is given ---------------------------------------------- */

static int fails(counted *c)
{
    return ++c->calls == c->fail_at;
}

static void *take(void *arg, size_t n)
{
    counted *c = arg;
    void *p = fails(c) ? NULL : malloc(n);
    c->live += p != NULL;
    return p;
}

static void *resize(void *arg, void *old, size_t n)
{
    counted *c = arg;
    void *p = fails(c) ? NULL : realloc(old, n);
    c->live += p && !old;
    return p;
}

static void give(void *arg, void *p)
{
    counted *c = arg;
    c->live -= p != NULL;
    free(p);
}

static int chance(void *arg, void *out, size_t n)
{
    play *p = arg;
    for (size_t i = 0; i < n; i++) {
        p->random = p->random * 1103515245u + 12345u;
        ((unsigned char *)out)[i] = (unsigned char)(p->random >> 16);
    }
    return 0;
}

/* 2026-03-01T12:00:00Z when the session's clock is at 0. */
static int64_t wall(void *arg)
{
    const play *p = arg;
    return 1772366400000 + p->now;
}

/* -- Events and output ------------------------------------------------------ */

text *play_event(play *p)
{
    if (p->n_events == EVENTS_MAX) {
        play_fail(p, "too many events");
        text_free(&p->events[--p->n_events]);
    }
    return &p->events[p->n_events++];
}

static void keep_message(play *p, const jab_message *m)
{
    jab_stanza_drop(p->kept);
    p->kept = jab_stanza_keep(m->stanza);
    if (!p->kept)
        return;
    p->last = *m;
    p->last.stanza = p->kept;
    p->last.from = jab_stanza_from(p->kept);
    p->last.to = jab_stanza_to(p->kept);
    p->last.id = jab_stanza_id(p->kept);
    p->last.body = jab_message_body_in(&p->last, JAB_STR("en"));
}

void play_collect(play *p)
{
    for (const jab_event *ev; (ev = jab_session_next(p->s));) {
        event_text(play_event(p), p->s, ev);
        if (ev->type == JAB_EV_MESSAGE)
            keep_message(p, ev->message);
    }
    for (jab_str out; (out = jab_session_out(p->s)).n > 0;) {
        text_add(&p->sent, out.p, out.n);
        jab_session_out_done(p->s, out.n);
    }
}

void play_drop(play *p)
{
    for (size_t i = 0; i < p->n_events; i++)
        text_free(&p->events[i]);
    p->n_events = 0;
    p->sent.n = 0;
}

static void feed_piece(play *p, const char *bytes, size_t n)
{
    while (n > 0) {
        ptrdiff_t taken = jab_session_feed(p->s, bytes, n, p->now);
        play_collect(p);
        if (taken <= 0)
            return;
        bytes += taken;
        n -= (size_t)taken;
    }
}

void play_feed(play *p, const char *bytes, size_t n)
{
    size_t piece = p->split ? p->split : n;
    for (size_t at = 0; at < n; at += piece)
        feed_piece(p, bytes + at, n - at < piece ? n - at : piece);
}

/* -- Captures --------------------------------------------------------------- */

static capture *find_capture(play *p, const char *name, size_t n)
{
    for (size_t i = 0; i < p->n_captures; i++)
        if (strlen(p->captures[i].name) == n && memcmp(p->captures[i].name, name, n) == 0)
            return &p->captures[i];
    return NULL;
}

static void set_capture(play *p, const char *name, size_t n, const char *value, size_t value_n)
{
    capture *c = find_capture(p, name, n);
    if (!c && p->n_captures < CAPTURES_MAX)
        c = &p->captures[p->n_captures++];
    if (!c || n >= sizeof c->name || value_n >= sizeof c->value) {
        play_fail(p, "capture does not fit");
        return;
    }
    memcpy(c->name, name, n);
    c->name[n] = '\0';
    memcpy(c->value, value, value_n);
    c->value[value_n] = '\0';
}

/* Replaces each {name} that was captured; other braces stay. */
static void substitute(play *p, const char *from, text *to)
{
    text_add(to, "", 0);
    for (const char *at = from; *at;) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        const capture *c = end ? find_capture(p, at + 1, (size_t)(end - at - 1)) : NULL;
        if (c) {
            text_add(to, c->value, strlen(c->value));
            at = end + 1;
        } else {
            text_add(to, at++, 1);
        }
    }
}

/* -- Steps ------------------------------------------------------------------ */

static void must_be_quiet(play *p)
{
    if (p->sent.n > 0)
        play_fail(p, "the client also sent: %s", p->sent.p);
    else if (p->n_events > 0)
        play_fail(p, "unexpected event: %s", p->events[0].p);
}

/* Matches output against a pattern whose wildcards end where the text behind
 * them begins. Returns how much matched, or -1. */
static ptrdiff_t match(play *p, const char *pattern, const char *sent)
{
    const char *at = sent;
    while (*pattern) {
        if (*pattern != '{') {
            if (*at++ != *pattern++)
                return -1;
            continue;
        }
        const char *close = strchr(pattern, '}');
        const char *name = pattern[1] == 'i' && !strncmp(pattern, "{id=", 4) ? pattern + 4 : NULL;
        size_t name_n = name ? (size_t)(close - name) : 0;
        char literal[1024];
        size_t n = strcspn(close + 1, "{");
        snprintf(literal, sizeof literal, "%.*s", (int)n, close + 1);
        const char *found = n ? strstr(at, literal) : at + strlen(at);
        if (!found)
            return -1;
        if (name)
            set_capture(p, name, name_n, at, (size_t)(found - at));
        at = found;
        pattern = close + 1;
    }
    return at - sent;
}

static void step_client(play *p, char *rest)
{
    text pattern = {NULL, 0, 0};
    substitute(p, rest, &pattern);
    ptrdiff_t n = p->sent.n ? match(p, pattern.p, p->sent.p) : -1;
    if (n < 0) {
        play_fail(p, "expected from the client: %s\n#   but it sent: %s", pattern.p,
                  p->sent.n ? p->sent.p : "(nothing)");
    } else {
        p->sent.n -= (size_t)n;
        memmove(p->sent.p, p->sent.p + n, p->sent.n + 1);
    }
    text_free(&pattern);
}

static void step_server(play *p, char *rest)
{
    text bytes = {NULL, 0, 0};
    must_be_quiet(p);
    substitute(p, rest, &bytes);
    play_feed(p, bytes.p, bytes.n);
    text_free(&bytes);
}

/* Whether an event's text has a line "key=value". */
static int has_field(const text *event, const char *field)
{
    size_t n = strlen(field);
    for (const char *at = strchr(event->p, '\n'); at && at[1]; at = strchr(at + 1, '\n'))
        if (strncmp(at + 1, field, n) == 0 && at[1 + n] == '\n')
            return 1;
    return 0;
}

static void step_event(play *p, char *rest)
{
    char *words[32];
    text copy = {NULL, 0, 0};
    substitute(p, rest, &copy);
    size_t n = split_words(copy.p, words, 32);
    if (p->n_events == 0) {
        play_fail(p, "expected an event, there is none: %s", rest);
    } else {
        text *event = &p->events[0];
        size_t name = strlen(words[0]);
        int ok = strncmp(event->p, words[0], name) == 0 && event->p[name] == '\n';
        for (size_t i = 1; i < n && ok; i++)
            ok = has_field(event, words[i]);
        if (!ok)
            play_fail(p, "expected event: %s\n#   but it is: %s", rest, event->p);
        text_free(event);
        memmove(&p->events[0], &p->events[1], --p->n_events * sizeof *event);
        p->events[p->n_events] = (text){NULL, 0, 0};
    }
    text_free(&copy);
}

static void step_do(play *p, char *rest)
{
    text words = {NULL, 0, 0};
    must_be_quiet(p);
    substitute(p, rest, &words);
    play_call(p, words.p);
    play_collect(p);
    text_free(&words);
}

static void step_time(play *p, char *rest)
{
    must_be_quiet(p);
    p->now += strtol(rest, NULL, 10);
    jab_session_tick(p->s, p->now);
    play_collect(p);
}

/* "1.3 verified", "none": connects, or ends a STARTTLS handshake. */
static void step_tls(play *p, char *rest)
{
    const jab_tls_info tls = {.verified = strstr(rest, "verified") != NULL,
                              .version = strncmp(rest, "1.2", 3) == 0 ? 12 : 13};
    const jab_tls_info *info = strncmp(rest, "none", 4) == 0 ? NULL : &tls;
    must_be_quiet(p);
    int r = jab_session_wants_tls(p->s) ? jab_session_secured(p->s, info, p->now)
                                        : jab_session_connected(p->s, info, p->now);
    if (r < 0)
        play_fail(p, "could not connect: %s", jab_errname(r));
    play_collect(p);
}

static void step_end(play *p, char *rest)
{
    must_be_quiet(p);
    p->cut = 1;
    jab_session_eof(p->s, strncmp(rest, "cut", 3) != 0, p->now);
    play_collect(p);
}

/* -- Configuration ---------------------------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
} settings[] = {
    {"jid", offsetof(jab_config, jid)},
    {"password", offsetof(jab_config, password)},
    {"mechanisms", offsetof(jab_config, mechanisms)},
    {"lang", offsetof(jab_config, lang)},
    {"software_name", offsetof(jab_config, software_name)},
    {"software_version", offsetof(jab_config, software_version)},
    {"software_os", offsetof(jab_config, software_os)},
    {"identity_type", offsetof(jab_config, identity_type)},
};

static void set_config(play *p, const char *word)
{
    const char *equals = strchr(word, '=');
    if (strncmp(word, "receipts=", 9) == 0) {
        p->cfg.receipts = (unsigned)strtoul(equals + 1, NULL, 10);
        return;
    }
    for (size_t i = 0; equals && i < sizeof settings / sizeof settings[0]; i++) {
        size_t n = strlen(settings[i].name);
        if ((size_t)(equals - word) != n || strncmp(word, settings[i].name, n) != 0)
            continue;
        text *value = &p->cfg_text[p->n_cfg_text++ % 16];
        value->n = 0;
        text_add(value, equals + 1, strlen(equals + 1));
        *(jab_str *)(void *)((char *)&p->cfg + settings[i].offset) = (jab_str){value->p, value->n};
        return;
    }
    if (strcmp(word, "store=memory") == 0 && !p->store) {
        if (jab_store_memory(&p->store, NULL) < 0)
            abort();
        p->cfg.store = p->store;
        return;
    }
    play_fail(p, "no such setting: %s", word);
}

static void step_config(play *p, char *rest)
{
    char *words[16];
    text copy = {NULL, 0, 0};
    text_add(&copy, rest, strlen(rest));
    size_t n = split_words(copy.p, words, 16);
    for (size_t i = 0; i < n; i++)
        set_config(p, words[i]);
    text_free(&copy);
}

static void begin(play *p)
{
    p->cfg.mem = &p->memory.mem;
    p->cfg.random = chance;
    p->cfg.random_arg = p;
    p->cfg.wall = wall;
    p->cfg.wall_arg = p;
    p->cfg.login = JAB_LOGIN_NO_PIPELINING; /* a line at a time, as transcripts have it */
    int r = jab_session_new(&p->s, &p->cfg);
    if (r < 0)
        play_fail(p, "no session: %s", jab_errname(r));
}

static const struct {
    const char *prefix;
    void (*fn)(play *p, char *rest);
    int needs_session;
} steps[] = {
    {"C: ", step_client, 1}, {"S: ", step_server, 1},      {"EV: ", step_event, 1},
    {"DO: ", step_do, 1},    {"+", step_time, 1},          {"TLS: ", step_tls, 1},
    {"END: ", step_end, 1},  {"CONFIG: ", step_config, 0},
};

static void play_line(play *p)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        size_t n = strlen(steps[i].prefix);
        if (strncmp(p->at->text, steps[i].prefix, n) != 0)
            continue;
        if (steps[i].needs_session && !p->s)
            begin(p);
        if (!p->failed)
            steps[i].fn(p, p->at->text + n);
        return;
    }
    play_fail(p, "what is this? %s", p->at->text);
}

int play_run(play *p)
{
    p->memory.mem = (jab_mem){&p->memory, take, resize, give};
    p->cfg = (jab_config){.size = sizeof p->cfg};
    for (size_t i = 0; i < p->n_lines && !p->failed; i++) {
        p->at = &p->lines[i];
        play_line(p);
    }
    if (!p->failed)
        must_be_quiet(p);
    return !p->failed;
}

void play_free(play *p)
{
    jab_stanza_drop(p->kept);
    jab_session_free(p->s);
    jab_store_free(p->store);
    play_drop(p);
    text_free(&p->sent);
    for (size_t i = 0; i < 16; i++)
        text_free(&p->cfg_text[i]);
}

/* -- Files ------------------------------------------------------------------ */

static void add_line(play *p, const char *file, int number, const char *content, size_t n)
{
    if (p->n_lines == LINES_MAX) {
        play_fail(p, "too many lines");
        return;
    }
    char *copy = malloc(n + 1);
    if (!copy)
        abort();
    memcpy(copy, content, n);
    copy[n] = '\0';
    p->lines[p->n_lines++] = (line){copy, file, number};
}

/* A line that begins with blanks goes on with the one before it. */
static void join_line(play *p, const char *content)
{
    line *last = &p->lines[p->n_lines - 1];
    while (*content == ' ')
        content++;
    size_t n = strlen(last->text), more = strlen(content);
    char *joined = realloc(last->text, n + more + 1);
    if (!joined)
        abort();
    memcpy(joined + n, content, more + 1);
    last->text = joined;
}

int play_load(play *p, const char *dir, const char *file)
{
    char path[512], buf[16384];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    FILE *f = fopen(path, "r");
    if (!f)
        return -1;
    int err = 0;
    p->dir = dir;
    for (int number = 1; err == 0 && fgets(buf, sizeof buf, f); number++) {
        size_t n = strcspn(buf, "\n");
        buf[n] = '\0';
        if (n == 0 || buf[0] == '#')
            continue;
        if (buf[0] == ' ' && p->n_lines > 0)
            join_line(p, buf);
        else if (strncmp(buf, "INCLUDE ", 8) == 0)
            err = play_load(p, dir, buf + 8);
        else
            add_line(p, file, number, buf, n);
    }
    fclose(f);
    return err;
}

void play_unload(play *p)
{
    for (size_t i = 0; i < p->n_lines; i++)
        free(p->lines[i].text);
    p->n_lines = 0;
}

size_t split_words(char *from, char **words, size_t max)
{
    size_t n = 0;
    char *to = from;
    while (*from && n < max) {
        while (isspace((unsigned char)*from))
            from++;
        if (!*from)
            break;
        words[n++] = to;
        for (int quoted = 0; *from && (quoted || !isspace((unsigned char)*from)); from++) {
            if (*from == '"')
                quoted = !quoted;
            else
                *to++ = *from;
        }
        if (*from)
            from++;
        *to++ = '\0';
    }
    return n;
}
