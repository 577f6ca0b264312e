/* chat.c: jabiru chat: a conversation line by line: what is typed goes out,
 * messages and presence come in, and neither waits for the other. */
#include "cli.h"

#include "input.h"
#include "outbox.h"
#include "roster.h"
#include <jabiru/carbons.h>
#include <jabiru/receipts.h>
#include <jabiru/sm.h>
#include <stdlib.h>
#include <unistd.h>

#define LEAVE_MS 10000 /* at the end, for what is under way; the rest waits in the outbox */

struct values {
    app_number history;
};
CLI_VALUES_FIT(struct values);

const app_opt cli_chat_options[] = {
    {"history", 0, APP_OPT_NUMBER, offsetof(struct values, history), "N",
     "first the last N messages of the conversation", 0, 10000, 0},
    {0},
};

struct run {
    cli *c;
    jab_jid_buf bytes;
    jab_jid with;
    cli_input in;
    cli_outbox box;
    int ready; /* the roster was shown: events are shown from now on */
    int quit;
    int64_t quit_at;
    int shown; /* the history was */
};

/* As jabiru listen does: kept, then shown. */
static void show_message(struct run *r, const jab_message *m)
{
    json_t *record = cli_message_record(m);
    if (!record)
        return;
    app_out_prepare(&r->c->out, record);
    if (cli_commit(r->c) == 0)
        app_out_flush(&r->c->out);
}

/* In words, once for what was typed in one go. */
static void show_state(void *arg, const char *to, const char *state)
{
    struct run *r = arg;
    (void)to;
    if (r->c->out.form != APP_OUT_HUMAN)
        return;
    if (strcmp(state, "delivered") == 0 && r->box.waiting == 1)
        app_out_line(&r->c->out, JAB_STR("  ✓ delivered"));
    else if (strcmp(state, "unknown") == 0)
        app_out_line(&r->c->out, JAB_STR("  ? unknown whether it was delivered"));
}

static void show_receipt(struct run *r, const jab_receipt *receipt)
{
    int own = jab_jid_bare_eq(&receipt->from, &r->with);
    if (r->c->out.form == APP_OUT_HUMAN && own && r->box.waiting == 0)
        app_out_line(&r->c->out, JAB_STR("  ✓✓ received"));
}

/* Presence of the one talked to, and requests, which want an answer. */
static void show_presence(struct run *r, const jab_presence *p)
{
    int asks = p->type == JAB_PRESENCE_SUBSCRIBE;
    if (asks || jab_jid_bare_eq(&p->from, &r->with))
        app_out_record(&r->c->out, cli_presence_record(p));
}

static int show_history(struct run *r)
{
    cli *c = r->c;
    const struct values *v = c->values;
    cli_found found = {0};
    const cli_find find = {.with = r->with.bare, .limit = (unsigned)v->history.value};
    if (!c->store || find.limit == 0)
        return APP_OK;
    int status = cli_reach_back(c, &find);
    if (c->status == APP_OK) /* what is here is shown whatever the archive says */
        status = cli_find_kept(c, &find, &found);
    for (size_t i = 0; i < found.n; i++)
        app_out_record(&c->out, json_incref(found.v[i]));
    cli_found_free(&found);
    return status;
}

static int show_roster(struct run *r)
{
    cli *c = r->c;
    size_t n = jab_roster_count(cli_session(c));
    for (size_t i = 0; i < n; i++)
        app_out_record(&c->out, cli_contact_record(c, jab_roster_at(cli_session(c), i)));
    if (!c->g.quiet)
        app_note("talking to " JAB_FMT "; /quit or ^D ends", JAB_ARG(r->with.full));
    return APP_OK;
}

static void others(cli *c, const jab_event *ev)
{
    struct run *r = c->run;
    cli_outbox_event(&r->box, ev);
    if (ev->type == JAB_EV_MESSAGE)
        show_message(r, ev->message);
    else if (ev->type == JAB_EV_RECEIPT)
        show_receipt(r, ev->data);
    else if (ev->type == JAB_EV_PRESENCE && r->ready)
        show_presence(r, ev->data);
}

/* Online: roster, presence, copies of what other clients send. */
static int arrive(struct run *r)
{
    cli *c = r->c;
    int status = cli_fetch_roster(c);
    if (status == APP_OK && !r->shown)
        status = show_history(r);
    r->shown |= status == APP_OK;
    int err = status == APP_OK ? jab_carbons_enable(cli_session(c), 0) : 0;
    if (status == APP_OK && err == 0)
        err = jab_set_presence(cli_session(c), (jab_str){0});
    if (err < 0)
        status = app_say_error("session", err);
    if (status == APP_OK)
        status = cli_barrier(c);
    if (status != APP_OK)
        return c->status == APP_OK && !jab_session_online(cli_session(c)) ? APP_OK : status;
    if (!r->ready)
        show_roster(r);
    r->ready = 1;
    return APP_OK;
}

static int say(struct run *r, jab_str line)
{
    cli_draft draft = {.to = r->with.full, .body = line, .type = JAB_MSG_CHAT};
    if (cli_check_text("not sent", line) != APP_OK)
        return APP_OK;
    int err = cli_outbox_put(&r->box, &draft);
    if (err == JAB_EOFFLINE || err == JAB_EAGAIN)
        app_say(0, "not sent, as there is no connection now; type it again later");
    else if (err < 0)
        app_say_error("not sent", err);
    return APP_OK;
}

/* A line that was typed: "/quit", "//text" for "/text", "/me ...", or text. */
static int on_line(struct run *r, jab_str line)
{
    if (line.n == 0)
        return APP_OK;
    if (jab_str_is(line, "/quit")) {
        r->quit = 1;
        return APP_OK;
    }
    int is_me = line.n >= 4 && memcmp(line.p, "/me ", 4) == 0; /* XEP-0245 */
    if (line.p[0] == '/' && !is_me) {
        if (line.n < 2 || line.p[1] != '/') {
            app_note("/quit ends, /me does something, //... sends a line that begins with /");
            return APP_OK;
        }
        line.p++;
        line.n--;
    }
    return say(r, line);
}

static int take_lines(struct run *r)
{
    jab_str line;
    int got = 0, status = APP_OK;
    while (status == APP_OK && !r->quit && r->box.waiting < CLI_OUTBOX_MAX &&
           (got = cli_input_line(&r->in, &line)) > 0)
        status = on_line(r, line);
    r->quit |= got < 0;
    int err = cli_outbox_ask(&r->box);
    return err < 0 && err != JAB_EOFFLINE ? app_say_error("ping", err) : status;
}

static int on_event(struct run *r, const jab_event *ev)
{
    int was_ready = r->ready;
    others(r->c, ev);
    if (ev->type == JAB_EV_OFFLINE)
        app_note("jabiru: the connection was lost; trying again");
    if (ev->type == JAB_EV_ONLINE || (ev->type == JAB_EV_RESUMED && !was_ready))
        return arrive(r);
    if (ev->type == JAB_EV_RESUMED)
        app_note("jabiru: connected again; nothing was lost");
    return APP_OK;
}

static int wants_input(const struct run *r)
{
    size_t left = r->in.text.n - r->in.at;
    return r->ready && !r->quit && !r->in.ended &&
           (left == 0 || !memchr(r->in.text.p + r->in.at, '\n', left));
}

/* With a store, what cannot be sent now is sent by the next run. */
static int may_leave(struct run *r)
{
    if (!r->quit || r->box.waiting == 0)
        return r->quit;
    r->quit_at = r->quit_at ? r->quit_at : app_now() + LEAVE_MS;
    return r->c->store && (app_now() >= r->quit_at || !jab_session_online(cli_session(r->c)));
}

static int converse(struct run *r)
{
    const jab_event *ev;
    int status = cli_begin(r->c);
    while (status == APP_OK) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        if (r->ready)
            status = take_lines(r);
        if (status != APP_OK || may_leave(r))
            break;
        cli_what what = cli_wait(r->c, &ev, wants_input(r) ? &in : NULL,
                                 r->quit_at && r->c->store ? r->quit_at : JAB_NEVER);
        if (what == CLI_ENDED)
            status = r->c->status;
        else if (what == CLI_EVENT)
            status = on_event(r, ev);
        else if (what == CLI_READY)
            status = cli_input_read(&r->in);
    }
    cli_close(r->c);
    cli_outbox_leave(&r->box);
    return status;
}

int cli_chat(cli *c)
{
    struct run *r = app_alloc(sizeof *r);
    int status = cli_want(c, 1, 1);
    r->c = c;
    cli_outbox_init(&r->box, c);
    r->box.quiet = !c->g.json;
    r->box.settled = show_state;
    r->box.settled_arg = r;
    c->reconnects = 1;
    c->commits = 1;
    c->receipts = JAB_RECEIPTS_ASK;
    c->others = others;
    c->run = r;
    if (status == APP_OK)
        status = cli_address(c->operands[0], &r->with, &r->bytes);
    if (status == APP_OK)
        status = converse(r);
    cli_disconnect(c);
    cli_outbox_free(&r->box);
    app_text_free(&r->in.text);
    free(r);
    return status;
}
