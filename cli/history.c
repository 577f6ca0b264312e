/* history.c: jabiru history and jabiru search: messages of the past, from what
 * is kept here and from the server's archive. */
#include "cli.h"

#include "when.h"
#include <stdlib.h>

#define LIMIT     20     /* messages without --limit */
#define LIMIT_ALL 100000 /* with --since */

struct values {
    const char *with, *since, *until, *before, *export;
    app_number limit;
    int server, local;
};
CLI_VALUES_FIT(struct values);

#define WITH                                                                                       \
    {                                                                                              \
        "with", 0, APP_OPT_TEXT, offsetof(struct values, with), "JID",                             \
            "only the conversation with this person or room; a name alone is one at the own "      \
            "server",                                                                              \
            0, 0, 0                                                                                \
    }
#define SINCE                                                                                      \
    {                                                                                              \
        "since", 0, APP_OPT_TEXT, offsetof(struct values, since), "TIME",                          \
            "not older than that: 30m, 12h, 2d, 2026-11-02 or \"2026-11-02 14:03\"", 0, 0, 0       \
    }
#define UNTIL                                                                                      \
    {                                                                                              \
        "until", 0, APP_OPT_TEXT, offsetof(struct values, until), "TIME", "older than that", 0, 0, \
            0                                                                                      \
    }
#define LIMITED                                                                                    \
    {                                                                                              \
        "limit", 0, APP_OPT_NUMBER, offsetof(struct values, limit), "N",                           \
            "at most the N newest of them; 20, and with --since all, without it", 1, LIMIT_ALL, 0  \
    }

const app_opt cli_history_options[] = {
    WITH,
    SINCE,
    UNTIL,
    {"before", 0, APP_OPT_TEXT, offsetof(struct values, before), "ID",
     "only messages before this one, by the #ID that is shown behind each", 0, 0, 0},
    LIMITED,
    {"local", 0, APP_OPT_FLAG, offsetof(struct values, local), NULL,
     "only what is kept here: no connection is made", 0, 0, 0},
    {"server", 0, APP_OPT_FLAG, offsetof(struct values, server), NULL,
     "only what the server's archive has", 0, 0, 0},
    {"export", 0, APP_OPT_CHOICE, offsetof(struct values, export), "mbox|json|md",
     "print as a mailbox, as JSON lines, or as Markdown", 0, 0, 0},
    {0},
};

const app_opt cli_search_options[] = {WITH, SINCE, UNTIL, LIMITED, {0}};

/* A run of either command. */
struct run {
    cli *c;
    cli_find find;
    jab_jid_buf with_bytes;
    app_text words;
    cli_found found;
};

static int read_time(const char *option, const char *text, int64_t *ms)
{
    if (!text || app_when_parse(text, app_wall(), ms) == 0)
        return APP_OK;
    return app_say(APP_USAGE, "--%s %s: a time is wanted: 30m, 12h, 2d or 2026-11-02", option,
                   text);
}

/* "bob" is bob at the own server. */
static int read_with(struct run *r, const char *text)
{
    jab_jid jid;
    if (!text)
        return APP_OK;
    if (!strpbrk(text, "@./:") &&
        jab_jid_make(&jid, jab_cstr(text), r->c->jid.domain, (jab_str){0}, &r->with_bytes) == 0)
        r->find.with = jid.bare;
    int status = r->find.with.p ? APP_OK : cli_address(text, &jid, &r->with_bytes);
    if (status == APP_OK && !r->find.with.p)
        r->find.with = jid.full; /* with a resource: an occupant of a room */
    return status;
}

static int read_options(struct run *r)
{
    const struct values *v = r->c->values;
    int status = cli_settle_account(r->c);
    if (status == APP_OK)
        status = read_with(r, v->with);
    if (status == APP_OK)
        status = read_time("since", v->since, &r->find.since);
    if (status == APP_OK)
        status = read_time("until", v->until, &r->find.until);
    r->find.limit = v->limit.given ? (unsigned)v->limit.value : v->since ? LIMIT_ALL : LIMIT;
    return status;
}

static int print_all(struct run *r)
{
    cli *c = r->c;
    const struct values *v = c->values;
    if (r->found.n == 0)
        return c->g.quiet ? APP_NOTHING : app_say(APP_NOTHING, "nothing found");
    c->out.past = 1;
    if (v->export) {
        cli_export(c, v->export, &r->found);
        return APP_OK;
    }
    for (size_t i = 0; i < r->found.n; i++)
        app_out_record(&c->out, json_incref(r->found.v[i]));
    return APP_OK;
}

static int find_and_print(struct run *r)
{
    int status = r->c->store ? cli_find_kept(r->c, &r->find, &r->found) : APP_OK;
    return status == APP_OK ? print_all(r) : status;
}

/* Of all conversations together nobody knows here whether everything is kept: the archive
 * is asked. What cannot be had from there is no failure of what is here. */
static int find_everywhere(struct run *r)
{
    cli_found archived = {0};
    char *before = NULL;
    int status = cli_find_kept(r->c, &r->find, &r->found);
    if (status != APP_OK || r->find.with.p || (r->found.n >= r->find.limit && !r->find.since))
        return status;
    if (r->find.before && (status = cli_archive_id(r->c, r->find.before, &before)) != APP_OK)
        return status;
    if (!r->find.before || before)
        status = cli_find_archived(r->c, &r->find, before, &archived);
    cli_found_merge(&r->found, &archived, r->find.limit);
    free(before);
    return status == APP_LACKS ? APP_OK : status;
}

/* What is kept is shown also when the server cannot be asked, but the status says that there
 * may be more. While another jabiru has the store, it keeps it up to date. */
static int ask_and_print(struct run *r)
{
    cli *c = r->c;
    int status = cli_open_store(c);
    if (status != APP_OK)
        return status;
    if (!c->store) {
        status = cli_look_store(c);
        return status == APP_OK ? find_and_print(r) : status;
    }
    c->first_history = r->find.limit < 1000 ? r->find.limit : 1000;
    int asked = cli_connect(c);
    if (asked == APP_OK)
        asked = cli_catch_up(c, &r->find);
    if (asked == APP_OK)
        asked = find_everywhere(r);
    else if (asked < 128)
        (void)cli_find_kept(c, &r->find, &r->found);
    status = asked < 128 ? print_all(r) : asked;
    return asked != APP_OK ? asked : status;
}

static int ask_server(struct run *r)
{
    const struct values *v = r->c->values;
    r->c->g.no_store = 1;
    int status = cli_connect(r->c);
    if (status == APP_OK)
        status = cli_find_archived(r->c, &r->find, v->before, &r->found);
    return status == APP_OK ? print_all(r) : status;
}

static int look(struct run *r)
{
    int status = r->c->g.no_store ? APP_OK : cli_look_store(r->c);
    return status == APP_OK ? find_and_print(r) : status;
}

static int finish(struct run *r, int status)
{
    cli_disconnect(r->c);
    cli_found_free(&r->found);
    app_text_free(&r->words);
    free(r);
    return status;
}

int cli_history(cli *c)
{
    const struct values *v = c->values;
    struct run *r = app_alloc(sizeof *r);
    r->c = c;
    int status = cli_want(c, 0, 0);
    int server = v->server || c->g.no_store;
    if (status == APP_OK && server && v->local)
        status = app_say(APP_USAGE, "--local looks only at what is kept here; leave out %s",
                         v->server ? "--server" : "--no-store");
    if (status == APP_OK)
        status = read_options(r);
    if (status == APP_OK && v->before && !server && cli_key_parse(v->before, &r->find.before) < 0)
        status = app_say(APP_USAGE, "--before %s: the #ID of a message is wanted", v->before);
    if (status == APP_OK)
        status = server ? ask_server(r) : v->local ? look(r) : ask_and_print(r);
    return finish(r, status);
}

int cli_search(cli *c)
{
    struct run *r = app_alloc(sizeof *r);
    r->c = c;
    int status = cli_want(c, 1, CLI_OPERANDS_MAX);
    for (int i = 0; i < c->n; i++)
        app_text_fmt(&r->words, "%s%s", i ? " " : "", c->operands[i]);
    if (status == APP_OK)
        status = cli_check_text("search", app_text_str(&r->words));
    if (status == APP_OK)
        status = read_options(r);
    r->find.words = app_text_str(&r->words);
    if (status == APP_OK)
        status = look(r);
    return finish(r, status);
}
