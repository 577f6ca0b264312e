/* archive.c: the server's archive, for jabiru history: read page by page, or
 * brought into what is kept here. */
#include "cli.h"

#include <jabiru/history.h>
#include <jabiru/mam.h>
#include <stdlib.h>

#define PAGE 50 /* servers give no more at a time */

/* -- Without a store: page by page, from the newest --------------------------------------- */

struct pages {
    cli_found page; /* the one that comes, oldest first */
    cli_found *found;
    unsigned limit;
    app_text before;
};

static void on_message(cli *c, const jab_event *ev)
{
    struct pages *p = c->run;
    jab_mam_place place;
    if (ev->type != JAB_EV_MESSAGE || !(ev->message->flags & JAB_VIA_ARCHIVE) ||
        !jab_mam_place_of(cli_session(c), ev->message->stanza, &place))
        return;
    json_t *record = cli_message_record(ev->message);
    if (!record)
        return;
    app_set_text(record, "archive_id", place.id);
    if (jab_jid_bare_eq(&ev->message->from, &c->jid))
        app_set_text(record, "state", JAB_STR("delivered"));
    cli_found_add(&p->page, record);
}

/* Into the list that is newest first, until there are enough. */
static void take_page(struct pages *p)
{
    while (p->page.n > 0) {
        json_t *record = p->page.v[--p->page.n];
        if (p->found->n < p->limit)
            cli_found_add(p->found, record);
        else
            json_decref(record);
    }
}

static int say_no_page(const jab_mam_fin *fin)
{
    if (fin->error == JAB_ESTANZA && jab_str_is(fin->refusal.condition, "item-not-found"))
        return app_say(APP_USAGE, "--before: the archive has no such message");
    if (fin->error == JAB_EUNSUPPORTED ||
        (fin->error == JAB_ESTANZA &&
         (jab_str_is(fin->refusal.condition, "service-unavailable") ||
          jab_str_is(fin->refusal.condition, "feature-not-implemented"))))
        return app_say(APP_LACKS, "archive: the server keeps none");
    return cli_say_reply("archive", fin->error, &fin->refusal);
}

/* One page: an exit status, and whether there may be more. */
static int read_page(cli *c, const cli_find *find, struct pages *p, int *more)
{
    const jab_event *ev;
    uint64_t tag = cli_tag(c);
    size_t left = p->limit - p->found->n;
    int err = jab_mam_ask(cli_session(c),
                          JAB_MAM_QUERY(.with = find->with, .start = find->since,
                                        .end = find->until, .before = app_text_str(&p->before),
                                        .max = left < PAGE ? (unsigned)left : PAGE),
                          tag);
    if (err < 0)
        return app_say_error("archive", err);
    int status = cli_answer(c, JAB_EV_MAM_FIN, tag, &ev);
    if (status != APP_OK)
        return status;
    const jab_mam_fin *fin = ev->data;
    if (fin->error)
        return say_no_page(fin);
    *more = !fin->complete && fin->first.n > 0;
    app_text_clear(&p->before);
    app_text_add(&p->before, fin->first);
    take_page(p);
    return APP_OK;
}

int cli_find_archived(cli *c, const cli_find *find, const char *before, cli_found *found)
{
    struct pages p = {.found = found, .limit = find->limit};
    int status = APP_OK, more = 1;
    if (before)
        app_text_z(&p.before, before + (*before == '#'));
    c->others = on_message;
    c->run = &p;
    while (status == APP_OK && more && found->n < find->limit)
        status = read_page(c, find, &p, &more);
    c->others = NULL;
    cli_found_reverse(found);
    cli_found_free(&p.page);
    app_text_free(&p.before);
    return status;
}

/* -- Into the store -------------------------------------------------------------------------- */

/* jabiru listen is to print what is only fetched here. */
static void note_message(cli *c, const jab_event *ev)
{
    if (ev->type == JAB_EV_MESSAGE)
        cli_unseen_note(c, ev->message);
}

static int without_archive(const cli *c)
{
    if (c->g.verbose)
        app_note("jabiru: the server keeps no archive; this is what is kept here");
    return APP_OK;
}

/* What is new, without becoming available: others need not know. */
static int fetch_new(cli *c)
{
    const jab_event *ev;
    int err = jab_history_catch_up(cli_session(c));
    if (err < 0)
        return err == JAB_EUNSUPPORTED ? without_archive(c) : app_say_error("archive", err);
    int status = cli_answer(c, JAB_EV_SYNCED, 0, &ev);
    if (status != APP_OK)
        return status;
    const jab_synced *synced = ev->data;
    if (synced->error == JAB_EUNSUPPORTED || synced->error == JAB_ESTANZA)
        return without_archive(c);
    return synced->error ? app_say_error("archive", synced->error) : APP_OK;
}

/* Whether what is kept reaches back far enough: to `since`, or over as many as are wanted. */
static int is_enough(cli *c, const cli_find *find, int *enough)
{
    cli_found here = {0};
    cli_find older = {.with = find->with, .until = find->since, .limit = 1};
    int status = cli_find_kept(c, find->since ? &older : find, &here);
    *enough = here.n >= (find->since ? 1 : find->limit);
    cli_found_free(&here);
    return status;
}

/* Older ones of the conversation, until there are enough or the archive has no more. */
static int fetch_older(cli *c, const cli_find *find, int *complete)
{
    const jab_event *ev;
    int status = is_enough(c, find, complete);
    if (status != APP_OK || *complete)
        return status;
    uint64_t tag = cli_tag(c);
    int err = jab_history_more(cli_session(c), find->with, PAGE, tag);
    if (err < 0)
        return err == JAB_EUNSUPPORTED ? without_archive(c) : app_say_error("archive", err);
    status = cli_answer(c, JAB_EV_HISTORY, tag, &ev);
    if (status != APP_OK)
        return status;
    const jab_history *history = ev->data;
    *complete = history->complete || history->error || history->added == 0;
    if (history->error == JAB_EUNSUPPORTED || history->error == JAB_ESTANZA)
        return without_archive(c);
    return history->error ? app_say_error("archive", history->error) : APP_OK;
}

int cli_reach_back(cli *c, const cli_find *find)
{
    int status = APP_OK, complete = 0;
    while (status == APP_OK && !complete)
        status = fetch_older(c, find, &complete);
    return status;
}

int cli_catch_up(cli *c, const cli_find *find)
{
    c->others = note_message;
    int status = fetch_new(c);
    return status == APP_OK && find->with.p ? cli_reach_back(c, find) : status;
}
