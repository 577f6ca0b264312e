/* listen.c: jabiru listen: messages as they come, with reconnection. */
#include "cli.h"

#include "exec.h"
#include <jabiru/carbons.h>
#include <jabiru/muc.h>
#include <stdlib.h>

struct values {
    const char *from, *exec, *nick;
    app_list rooms;
    app_number count, history, priority;
    app_time duration;
};
CLI_VALUES_FIT(struct values);

const app_opt cli_listen_options[] = {
    {"from", 0, APP_OPT_TEXT, offsetof(struct values, from), "JID",
     "only messages of this address; of any client of it when it has no resource", 0, 0, 0},
    {"room", 0, APP_OPT_LIST, offsetof(struct values, rooms), "ROOM",
     "enter this room and listen there, too; may be repeated", 0, 0, 0},
    {"nick", 0, APP_OPT_TEXT, offsetof(struct values, nick), "NICK", "name in the rooms", 0, 0, 0},
    {"history", 0, APP_OPT_NUMBER, offsetof(struct values, history), "N",
     "ask each room for its last N messages", 0, 10000, 0},
    {"count", 0, APP_OPT_NUMBER, offsetof(struct values, count), "N", "end after N messages", 1,
     1000000000, 0},
    {"for", 0, APP_OPT_TIME, offsetof(struct values, duration), "SEC", "end after that time", 0, 0,
     0},
    {"exec", 0, APP_OPT_TEXT, offsetof(struct values, exec), "CMD",
     "run CMD with sh for each message: body on standard input, JABIRU_FROM, JABIRU_ID and others "
     "in the environment",
     0, 0, 0},
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
    return APP_OK;
}

static int on_message(struct run *r, const jab_message *m)
{
    const struct values *v = r->c->values;
    json_t *record = is_wanted(r, m) ? cli_message_record(m) : NULL;
    if (!record)
        return APP_OK;
    r->got++;
    if (v->exec && !r->c->g.json)
        json_decref(record);
    else
        app_out_record(&r->c->out, record);
    return v->exec ? run_command(r, m) : APP_OK;
}

static void tell_offline(const cli *c, const jab_event *ev)
{
    if (!c->g.quiet)
        app_note(
            "jabiru: %s: " JAB_FMT "; trying again", jab_stage_name(ev->fault->stage),
            JAB_ARG(ev->fault->text.n ? ev->fault->text : jab_cstr(jab_strerror(ev->fault->code))));
}

/* What makes messages come: copies of other clients' ones, presence, rooms. To
 * be done anew for each stream; one that is lost meanwhile is no failure. */
static int arrive(struct run *r)
{
    cli *c = r->c;
    const struct values *v = c->values;
    int status = APP_OK;
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

static int has_enough(const struct run *r)
{
    const struct values *v = r->c->values;
    return v->count.given && r->got >= v->count.value;
}

/* What comes while a room is entered or the stream closed is output, too. */
static void others(cli *c, const jab_event *ev)
{
    struct run *r = c->run;
    if (ev->type == JAB_EV_MESSAGE && !has_enough(r)) {
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
