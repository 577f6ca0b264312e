/* listen.c: jabiru listen: messages as they come, with reconnection. */
#include "cli.h"

#include "exec.h"
#include <jabiru/carbons.h>
#include <jabiru/muc.h>
#include <jabiru/receipts.h>
#include <jabiru/sm.h>
#include <stdlib.h>

struct values {
    const char *from, *exec, *nick;
    app_list rooms;
    app_number count, history, priority;
    app_time duration;
    int ack_after_exec, receipts;
};
CLI_VALUES_FIT(struct values);

const app_opt cli_listen_options[] = {
    {"from", 0, APP_OPT_TEXT, offsetof(struct values, from), "JID",
     "only messages of this address; of any client of it when it has no resource", 0, 0, 0},
    {"room", 0, APP_OPT_LIST, offsetof(struct values, rooms), "ROOM",
     "enter this room and listen there, too; may be repeated", 0, 0, 0},
    {"nick", 0, APP_OPT_TEXT, offsetof(struct values, nick), "NICK", "name in the rooms", 0, 0, 0},
    {"history", 0, APP_OPT_NUMBER, offsetof(struct values, history), "N",
     "first the last N messages to the account, and of each room", 0, 10000, 0},
    {"count", 0, APP_OPT_NUMBER, offsetof(struct values, count), "N", "end after N messages", 1,
     1000000000, 0},
    {"for", 0, APP_OPT_TIME, offsetof(struct values, duration), "SEC", "end after that time", 0, 0,
     0},
    {"exec", 0, APP_OPT_TEXT, offsetof(struct values, exec), "CMD",
     "run CMD with sh for each message: body on standard input, JABIRU_FROM, JABIRU_ID and others "
     "in the environment",
     0, 0, 0},
    {"ack-after-exec", 0, APP_OPT_FLAG, offsetof(struct values, ack_after_exec), NULL,
     "a message counts as taken when CMD has ended with 0; otherwise listen ends, and the message "
     "comes again the next time",
     0, 0, 0},
    {"receipts", 0, APP_OPT_FLAG, offsetof(struct values, receipts), NULL,
     "tell contacts who ask that their message has arrived", 0, 0, 0},
    {"priority", 0, APP_OPT_NUMBER, offsetof(struct values, priority), "N",
     "priority of this client, -128 to 127; 0 without it", -128, 127, 0},
    {0},
};

struct run {
    cli *c;
    jab_jid_buf from_bytes;
    jab_jid from; /* all absent: anyone */
    int got;
    int status;
    int begun; /* what was kept before was shown */
};

static int is_wanted(const struct run *r, const jab_message *m)
{
    if (!r->from.full.p)
        return 1;
    if (r->from.resource.p)
        return jab_jid_eq(&m->from, &r->from);
    return jab_jid_bare_eq(&m->from, &r->from);
}

/* Runs the user's command for a message and stays connected meanwhile. */
static int run_command(struct run *r, const jab_message *m)
{
    const struct values *v = r->c->values;
    cli_child child;
    int status = cli_exec_start(&child, v->exec, m);
    if (status != APP_OK)
        return status;
    while (!cli_exec_done(&child))
        if (cli_idle(r->c, app_now() + 1000) == CLI_ENDED)
            return r->c->status;
    if (child.failed && v->ack_after_exec)
        return app_say(APP_FILE, "--ack-after-exec: the message was not taken; it comes again the "
                                 "next time");
    return APP_OK;
}

/* From here on nothing counts as taken any more: it comes again the next time. */
static int stop(struct run *r, int status)
{
    r->c->commits = 0;
    return status;
}

/* The message is made durable when nothing is left to do but to write the line. Where that
 * fails, it is as if it had not come: the server has it. */
static int take(struct run *r, json_t *record)
{
    app_out *out = &r->c->out;
    app_out_prepare(out, record);
    if (cli_commit(r->c) < 0)
        return 0;
    app_out_flush(out);
    r->got++;
    return 1;
}

static int on_message(struct run *r, const jab_message *m)
{
    cli *c = r->c;
    const struct values *v = c->values;
    json_t *record = is_wanted(r, m) ? cli_message_record(m) : NULL;
    int status = APP_OK;
    if (!record)
        return APP_OK;
    if (v->exec && v->ack_after_exec)
        status = run_command(r, m);
    if (status != APP_OK) {
        json_decref(record);
        return stop(r, status);
    }
    if (v->exec && !c->g.json) {
        json_decref(record);
        int kept = cli_commit(c) == 0;
        r->got += kept;
        return kept && !v->ack_after_exec ? run_command(r, m) : APP_OK;
    }
    int taken = take(r, record);
    return taken && v->exec && !v->ack_after_exec ? run_command(r, m) : APP_OK;
}

static void tell_offline(const cli *c, const jab_event *ev)
{
    if (!c->g.quiet)
        app_note(
            "jabiru: %s: " JAB_FMT "; trying again", jab_stage_name(ev->fault->stage),
            JAB_ARG(ev->fault->text.n ? ev->fault->text : jab_cstr(jab_strerror(ev->fault->code))));
}

static int has_enough(const struct run *r)
{
    const struct values *v = r->c->values;
    return v->count.given && r->got >= v->count.value;
}

/* -- What is kept from before ---------------------------------------------------------- */

/* Keys of messages, the newest first. */
struct kept {
    int64_t *keys;
    size_t n;
    unsigned limit;
    int rooms; /* 1: messages of rooms are meant */
};

static int on_key(void *arg, const jab_kept_message *m)
{
    struct kept *k = arg;
    int in_room = m->type == JAB_MSG_GROUPCHAT;
    if (in_room != k->rooms || (m->own != JAB_OWN_NONE && !in_room) || !m->body.n)
        return 0;
    k->keys = app_realloc(k->keys, (k->n + 1) * sizeof *k->keys);
    k->keys[k->n++] = m->key;
    return k->n >= k->limit;
}

/* A kept message, copied: what is done with it writes to the store. */
struct copy {
    jab_message m;
    jab_stanza *stanza;
};

static int on_copy(void *arg, const jab_kept_message *kept)
{
    struct copy *copy = arg;
    if (cli_kept_message(&copy->m, &copy->stanza, kept) < 0)
        return 1;
    copy->m.id = jab_stanza_id(copy->stanza);
    copy->m.body = jab_xml_text(jab_xml_child(jab_stanza_xml(copy->stanza), NULL, "body"));
    copy->m.from = jab_stanza_from(copy->stanza);
    return 1;
}

static int show_key(void *arg, int64_t key)
{
    struct run *r = arg;
    struct copy copy = {.stanza = NULL};
    int status = APP_OK;
    if (has_enough(r))
        return APP_OK;
    int n = jab_store_read(r->c->store, JAB_KEPT_QUERY(.key = key), on_copy, &copy);
    cli_unseen_done(r->c, key);
    if (!copy.m.from.full.p)
        copy.m.from = r->c->jid;
    if (n > 0 && copy.stanza)
        status = on_message(r, &copy.m);
    jab_stanza_drop(copy.stanza);
    return status;
}

/* The last messages of the account, or of a room; from the oldest on. */
static int show_last(struct run *r, jab_str room)
{
    const struct values *v = r->c->values;
    struct kept k = {.limit = (unsigned)v->history.value, .rooms = room.p != NULL};
    int status = APP_OK;
    if (!r->c->store || k.limit == 0)
        return APP_OK;
    int err = jab_store_read(r->c->store, JAB_KEPT_QUERY(.conversation = room, .limit = UINT32_MAX),
                             on_key, &k);
    for (size_t i = k.n; err >= 0 && status == APP_OK && i > 0; i--)
        status = show_key(r, k.keys[i - 1]);
    free(k.keys);
    return err < 0 ? app_say_error("store", err) : status;
}

/* What other commands fetched and did not show, and what --history asks for. */
static int show_kept(struct run *r)
{
    const struct values *v = r->c->values;
    cli_unseen_begin(r->c);
    int status = show_last(r, (jab_str){NULL, 0});
    for (int i = 0; status == APP_OK && i < v->rooms.n; i++) {
        jab_jid_buf bytes;
        jab_jid room;
        status = cli_address(v->rooms.v[i], &room, &bytes);
        if (status == APP_OK)
            status = show_last(r, room.bare);
    }
    return status == APP_OK ? cli_unseen_each(r->c, show_key, r) : status;
}

/* What makes messages come: copies of other clients' ones, presence, rooms. To
 * be done anew for each stream; one that is lost meanwhile is no failure. */
static int arrive(struct run *r)
{
    cli *c = r->c;
    const struct values *v = c->values;
    int status = r->begun ? APP_OK : show_kept(r);
    r->begun = 1;
    if (status != APP_OK || has_enough(r))
        return status;
    int err = jab_carbons_enable(cli_session(c), 0);
    if (err == 0)
        err = jab_send_presence(cli_session(c), (jab_str){0}, JAB_SHOW_ONLINE, (jab_str){0},
                                v->priority.value);
    if (err < 0 && err != JAB_EOFFLINE)
        return app_say_error("session", err);
    for (int i = 0; status == APP_OK && i < v->rooms.n; i++)
        status = cli_enter_room(c, v->rooms.v[i], v->nick, (unsigned)v->history.value, NULL);
    return c->status == APP_OK && !jab_session_online(cli_session(c)) ? APP_OK : status;
}

static int on_event(struct run *r, const jab_event *ev)
{
    switch (ev->type) {
    case JAB_EV_RESUMED: /* perhaps of a process that has ended */
        return r->begun ? APP_OK : arrive(r);
    case JAB_EV_ONLINE:
        return arrive(r);
    case JAB_EV_OFFLINE:
        tell_offline(r->c, ev);
        return APP_OK;
    case JAB_EV_MESSAGE:
        return on_message(r, ev->message);
    default:
        return APP_OK;
    }
}

/* What comes while a room is entered or the stream closed is output, too. */
static void others(cli *c, const jab_event *ev)
{
    struct run *r = c->run;
    if (ev->type != JAB_EV_MESSAGE)
        return;
    if (has_enough(r) || r->status || !c->commits) {
        stop(r, APP_OK);
    } else {
        int status = on_message(r, ev->message);
        r->status = r->status ? r->status : status;
    }
}

static int listen_until(struct run *r, int64_t until)
{
    cli *c = r->c;
    const struct values *v = c->values;
    const jab_event *ev;
    int status = APP_OK;
    while (status == APP_OK && r->status == APP_OK && !has_enough(r)) {
        cli_what what = cli_wait(c, &ev, NULL, until);
        if (what == CLI_ENDED)
            status = c->status;
        else if (what == CLI_EVENT)
            status = on_event(r, ev);
        else if (app_hangup())
            status = cli_restart(c);
        else if (app_now() >= until)
            return v->count.given ? APP_NOTHING : APP_OK;
    }
    return status ? status : r->status;
}

static int check_rooms(const struct values *v)
{
    jab_jid_buf bytes;
    jab_jid jid;
    int status = APP_OK;
    for (int i = 0; status == APP_OK && i < v->rooms.n; i++)
        status = cli_address(v->rooms.v[i], &jid, &bytes);
    return status;
}

int cli_listen(cli *c)
{
    const struct values *v = c->values;
    struct run *r = app_alloc(sizeof *r);
    int64_t until = v->duration.given ? c->started + v->duration.ms : JAB_NEVER;
    int status = cli_want(c, 0, 0);
    r->c = c;
    if (status == APP_OK && v->from)
        status = cli_address(v->from, &r->from, &r->from_bytes);
    if (status == APP_OK)
        status = check_rooms(v);
    c->commits = 1;
    c->receipts = v->receipts ? JAB_RECEIPTS_ANSWER : 0;
    c->first_history = (unsigned)v->history.value;
    if (status == APP_OK && v->ack_after_exec && !v->exec)
        status = app_say(APP_USAGE, "--ack-after-exec: after which command? give one with --exec");
    app_hangup(); /* from here on it means: read the configuration again */
    c->reconnects = 1;
    c->others = others;
    c->run = r;
    if (status == APP_OK)
        status = cli_begin(c);
    if (status == APP_OK)
        status = listen_until(r, until);
    cli_disconnect(c);
    free(r);
    return status;
}
