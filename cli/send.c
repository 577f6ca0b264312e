/* send.c: jabiru send: messages to people or rooms; 0 only when the server took
 * every one of them. */
#include "cli.h"

#include "input.h"
#include "outbox.h"
#include "send.h"
#include <errno.h>
#include <fcntl.h>
#include <jabiru/sm.h>
#include <stdlib.h>
#include <unistd.h>

struct values {
    int room, lines;
    const char *nick, *subject, *type, *wait, *id_out;
};
CLI_VALUES_FIT(struct values);

const app_opt cli_send_options[] = {
    {"room", 0, APP_OPT_FLAG, offsetof(struct values, room), NULL,
     "the recipients are rooms: enter, say it, leave", 0, 0, 0},
    {"nick", 0, APP_OPT_TEXT, offsetof(struct values, nick), "NICK",
     "name in the room; without it, the part of the address before @", 0, 0, 0},
    {"subject", 0, APP_OPT_TEXT, offsetof(struct values, subject), "TEXT", "give it a subject", 0,
     0, 0},
    {"type", 0, APP_OPT_CHOICE, offsetof(struct values, type), "chat|normal|headline",
     "kind of message; chat without it", 0, 0, 0},
    {"lines", 0, APP_OPT_FLAG, offsetof(struct values, lines), NULL,
     "send each line of standard input as a message, as soon as it comes", 0, 0, 0},
    {"wait", 0, APP_OPT_CHOICE, offsetof(struct values, wait), "ack|bounce|receipt|none",
     "what to wait for: that the server has it (ack), that and what it sends back by itself "
     "(bounce, the default), that a client of the recipient has it (receipt), or nothing",
     0, 0, 0},
    {"id-out", 0, APP_OPT_TEXT, offsetof(struct values, id_out), "FILE",
     "write the id of each message to FILE, one per line; - is standard output", 0, 0, 0},
    {0},
};

/* A run of the command. */
struct run {
    cli *c;
    cli_plan plan;
    cli_outbox box;
    cli_input in;
    size_t recipient; /* the next one for the current text */
    jab_str text;     /* the current text; absent: take the next one */
    cli_batch batch;
    int ready; /* online, and in the rooms */
    int taken; /* texts so far, empty lines too */
    int texts; /* those that were not empty */
    size_t occupants;
    int64_t patience; /* until when messages of earlier runs are waited for */
};

#define EARLIER_MS 10000 /* messages of earlier runs are waited for, beyond the own ones */

static jab_message_type type_of(const cli *c)
{
    const struct values *v = c->values;
    if (v->room)
        return JAB_MSG_GROUPCHAT;
    if (v->type && strcmp(v->type, "normal") == 0)
        return JAB_MSG_NORMAL;
    return v->type && strcmp(v->type, "headline") == 0 ? JAB_MSG_HEADLINE : JAB_MSG_CHAT;
}

static const cli_recipients *recipients_of(const struct run *r)
{
    return r->plan.batch ? &r->batch.to : &r->plan.to;
}

/* The current text still has recipients to go to. */
static int is_pending(const struct run *r)
{
    return r->text.p && r->recipient < recipients_of(r)->n;
}

/* The next text from where texts come: 1, 0 not yet, -1 no more. */
static int next_text(struct run *r, jab_str *text)
{
    if (r->plan.text.p) {
        *text = app_text_str(&r->plan.text);
        return r->taken++ ? -1 : 1;
    }
    int got = cli_input_line(&r->in, text);
    r->taken += got > 0;
    return got;
}

/* A line that cannot be sent is an error of its own; the others go on. */
static int is_bad(struct run *r, jab_str line)
{
    app_text what = {0};
    app_text_fmt(&what, "line %d", r->taken);
    int status = cli_check_text(what.p, line);
    if (status == APP_OK && r->plan.batch)
        status = cli_batch_read(&r->batch, line, type_of(r->c), what.p);
    app_text_free(&what);
    if (status != APP_OK && r->box.status == APP_OK)
        r->box.status = status;
    return status != APP_OK;
}

/* Takes the next text that can be sent: 1, 0 not yet, -1 no more. */
static int advance(struct run *r)
{
    jab_str text;
    int got = next_text(r, &text);
    if (got <= 0)
        return got;
    r->recipient = 0;
    r->text = (jab_str){0};
    if (text.n == 0)
        return 1; /* an empty line */
    r->texts++;
    if (r->plan.text.p || !is_bad(r, text))
        r->text = text;
    return 1;
}

/* Makes the next message ready in *draft: 1, 0 not yet, -1 no more. */
static int next_draft(struct run *r, cli_draft *draft)
{
    const struct values *v = r->c->values;
    while (!is_pending(r)) {
        int got = advance(r);
        if (got <= 0)
            return got;
    }
    if (r->plan.batch)
        *draft = r->batch.draft;
    else
        *draft =
            (cli_draft){.body = r->text, .subject = jab_cstr(v->subject), .type = type_of(r->c)};
    draft->to = jab_cstr(recipients_of(r)->v[r->recipient]);
    return 1;
}

/* What cannot be kept is not accepted: nothing of it was sent. */
static int say_full(const cli *c)
{
    jab_str words = c->store ? jab_store_error(c->store) : (jab_str){0};
    return app_say(APP_FILE,
                   "store: " JAB_FMT "; the message was not sent; free some space, or keep nothing "
                   "with --no-store",
                   JAB_ARG(words.n ? words : jab_cstr(jab_strerror(JAB_ESTORE))));
}

/* Sends what there is while the way out is free. */
static int send_some(struct run *r)
{
    cli_draft draft;
    int got = 0;
    while (r->ready && r->box.waiting < CLI_OUTBOX_MAX && (got = next_draft(r, &draft)) > 0) {
        int err = cli_outbox_put(&r->box, &draft);
        if (err == JAB_EAGAIN || (err == JAB_EOFFLINE && r->c->client))
            break;
        if (err == JAB_ESTORE)
            return say_full(r->c);
        r->recipient++;
        if (err < 0 && r->box.status == APP_OK)
            r->box.status = app_say_error("message", err);
    }
    int err = r->ready ? cli_outbox_ask(&r->box) : 0;
    return err < 0 && err != JAB_EOFFLINE ? app_say_error("ping", err) : APP_OK;
}

static int no_more(const struct run *r)
{
    int ended = r->plan.text.p ? r->taken > 0 : r->in.ended && r->in.at == r->in.text.n;
    return ended && !is_pending(r);
}

/* Standard input is read only when no whole line is left of it. */
static int wants_input(const struct run *r)
{
    size_t left = r->in.text.n - r->in.at;
    if (r->plan.text.p || r->in.ended || is_pending(r))
        return 0;
    return left == 0 || !memchr(r->in.text.p + r->in.at, '\n', left);
}

static int enter_rooms(struct run *r)
{
    const struct values *v = r->c->values;
    int status = APP_OK;
    for (size_t i = 0; v->room && status == APP_OK && i < r->plan.to.n; i++)
        status = cli_enter_room(r->c, r->plan.to.v[i], v->nick, 0, &r->occupants);
    if (status == APP_OK && cli_outbox_earlier(&r->box) > 0)
        cli_enter_left_rooms(r->c);
    if (r->c->status == APP_OK && !jab_session_online(cli_session(r->c)))
        return APP_OK; /* the connection was lost meanwhile: again with the next one */
    r->ready |= status == APP_OK;
    return status;
}

static int nothing(void)
{
    return app_say(APP_USAGE, "nothing to send; give a text, or something on standard input");
}

static void others(cli *c, const jab_event *ev)
{
    struct run *r = c->run;
    cli_outbox_event(&r->box, ev);
    if (ev->type == JAB_EV_MESSAGE)
        cli_unseen_note(c, ev->message);
}

/* A stream that is resumed still has its rooms, unless it was another process's. */
static int on_event(struct run *r, const jab_event *ev)
{
    others(r->c, ev);
    if (ev->type == JAB_EV_ONLINE || (ev->type == JAB_EV_RESUMED && !r->ready))
        return enter_rooms(r);
    if (ev->type == JAB_EV_OFFLINE && !r->c->g.quiet)
        app_note("jabiru: the connection was lost; trying again");
    return APP_OK;
}

static int one_turn(struct run *r)
{
    const jab_event *ev;
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    int64_t until = r->patience ? r->patience : JAB_NEVER;
    r->c->awaited = cli_outbox_lacks_receipts(&r->box)
                        ? "the server has it, but no receipt came from the recipient"
                        : NULL;
    switch (cli_wait(r->c, &ev, wants_input(r) ? &in : NULL, until)) {
    case CLI_ENDED:
        return r->c->status;
    case CLI_EVENT:
        return on_event(r, ev);
    case CLI_READY:
        return cli_input_read(&r->in);
    case CLI_TIME:
        break;
    }
    return APP_OK;
}

/* Lines come for ever; once they have ended, the rest has its time. */
static void set_limit(struct run *r)
{
    cli *c = r->c;
    if (!no_more(r) || c->deadline != JAB_NEVER)
        return;
    c->deadline = app_now() + CLI_TIMEOUT;
    app_alarm(c->deadline);
}

/* All is settled: the own messages, and within reason what earlier runs left. */
static int is_done(struct run *r)
{
    size_t earlier = cli_outbox_earlier(&r->box);
    if (!no_more(r) || r->box.waiting > 0)
        return 0;
    if (earlier > 0 && r->patience == 0)
        r->patience = app_now() + EARLIER_MS;
    if (earlier == 0 || app_now() < r->patience)
        return earlier == 0;
    app_note("jabiru: %zu message%s of earlier runs still wait%s to be settled", earlier,
             earlier == 1 ? "" : "s", earlier == 1 ? "s" : "");
    return 1;
}

static int send_all(struct run *r)
{
    int status = APP_OK;
    while (status == APP_OK) {
        status = send_some(r);
        if (status == APP_OK && no_more(r) && r->texts == 0)
            return nothing();
        set_limit(r);
        if (status == APP_OK && is_done(r))
            return r->box.status;
        if (status == APP_OK)
            status = one_turn(r);
    }
    return status;
}

/* What is under way at the end has two seconds more; then it is taken back. */
static int run(struct run *r)
{
    cli *c = r->c;
    c->reconnects = 1;
    c->others = others;
    c->run = r;
    int status = cli_begin(c);
    if (status == APP_OK)
        status = send_all(r);
    if (status != APP_OK)
        cli_close(c);
    cli_outbox_give_up(&r->box);
    return status == APP_OK && r->box.unknown > 0 ? APP_NETWORK : status;
}

static void sum_up(const struct run *r)
{
    const struct values *v = r->c->values;
    const cli *c = r->c;
    app_text line = {0};
    if (c->out.form != APP_OUT_HUMAN || c->g.quiet || r->box.delivered == 0)
        return;
    app_text_fmt(&line, "sent %zu message%s", r->box.delivered, r->box.delivered == 1 ? "" : "s");
    if (!r->plan.batch && r->plan.to.n == 1)
        app_text_fmt(&line, " to %s", r->plan.to.v[0]);
    if (v->room && r->plan.to.n == 1)
        app_text_fmt(&line, " (%zu occupant%s)", r->occupants, r->occupants == 1 ? "" : "s");
    app_text_fmt(&line, " in %.2f s", (double)(app_now() - c->started) / 1000);
    app_out_line(&r->c->out, app_text_str(&line));
    app_text_free(&line);
}

static int open_ids(struct run *r)
{
    const struct values *v = r->c->values;
    if (!v->id_out)
        return APP_OK;
    if (strcmp(v->id_out, "-") == 0)
        r->box.ids = dup(STDOUT_FILENO);
    else
        r->box.ids = open(v->id_out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (r->box.ids < 0)
        return app_say(APP_FILE, "--id-out %s: %s", v->id_out, strerror(errno));
    return APP_OK;
}

static int dry_run(const struct run *r)
{
    app_text line = {0};
    for (size_t i = 0; i < r->plan.to.n; i++) {
        app_text_clear(&line);
        app_text_fmt(&line, "would send to %s", r->plan.to.v[i]);
        app_out_line(&r->c->out, app_text_str(&line));
    }
    app_text_free(&line);
    return APP_OK;
}

/* What can be wrong with a text is said before there is a connection. */
static int check_plan(const cli_plan *plan, const char *subject)
{
    if (plan->text.n == 0)
        return nothing();
    int status = cli_check_text("text", app_text_str(&plan->text));
    return status == APP_OK && subject ? cli_check_text("subject", jab_cstr(subject)) : status;
}

static cli_wait_for wait_for(const char *word)
{
    static const char *const words[] = {[CLI_WAIT_BOUNCE] = "bounce",
                                        [CLI_WAIT_ACK] = "ack",
                                        [CLI_WAIT_RECEIPT] = "receipt",
                                        [CLI_WAIT_NONE] = "none"};
    cli_wait_for i = CLI_WAIT_NONE;
    while (word && i > CLI_WAIT_BOUNCE && strcmp(words[i], word) != 0)
        i--;
    return word ? i : CLI_WAIT_BOUNCE;
}

/* What nobody waits for must not be sent again by a later run: it is not kept. */
static int check_wait(cli *c, const struct values *v)
{
    cli_wait_for wait = wait_for(v->wait);
    c->g.no_store |= wait == CLI_WAIT_NONE;
    if (wait == CLI_WAIT_RECEIPT && v->room)
        return app_say(APP_USAGE, "--wait=receipt: rooms give no receipts; use --wait=bounce");
    return APP_OK;
}

int cli_send(cli *c)
{
    const struct values *v = c->values;
    struct run r = {.c = c};
    int streams = v->lines || (c->g.json && c->n == 0);
    if (streams && !c->g.timeout.given) {
        c->deadline = JAB_NEVER; /* tail -f has no end */
        app_alarm(JAB_NEVER);
    }
    cli_outbox_init(&r.box, c);
    r.box.wait = wait_for(v->wait);
    r.box.accepted = streams && c->g.json;
    r.box.rooms = v->room;
    r.box.quiet = c->out.form == APP_OUT_HUMAN || (c->g.quiet && !c->g.json) ||
                  (v->id_out && strcmp(v->id_out, "-") == 0 && !c->g.json);
    int status = check_wait(c, v);
    if (status == APP_OK)
        status = cli_plan_make(&r.plan, c, v->lines, v->room);
    if (status == APP_OK && r.plan.text.p)
        status = check_plan(&r.plan, v->subject);
    if (status == APP_OK)
        status = open_ids(&r);
    if (status == APP_OK)
        status = c->g.dry_run ? dry_run(&r) : run(&r);
    sum_up(&r);
    c->others = NULL;
    if (r.box.ids >= 0)
        close(r.box.ids);
    cli_outbox_free(&r.box);
    cli_plan_free(&r.plan);
    cli_batch_free(&r.batch);
    app_text_free(&r.in.text);
    return status;
}
