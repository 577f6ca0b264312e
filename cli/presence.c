/* presence.c: jabiru presence: one's own, and that of others (RFC 6121 4). */
#include "roster.h"

struct set_values {
    const char *show, *status;
    app_number priority;
    app_time duration;
};
CLI_VALUES_FIT(struct set_values);

struct watch_values {
    app_time duration;
    app_number count;
};
CLI_VALUES_FIT(struct watch_values);

const app_opt cli_presence_set_options[] = {
    {"show", 0, APP_OPT_CHOICE, offsetof(struct set_values, show), "online|chat|away|xa|dnd",
     "how willing to talk; online without it", 0, 0, 0},
    {"status", 0, APP_OPT_TEXT, offsetof(struct set_values, status), "TEXT", "words to go with it",
     0, 0, 0},
    {"priority", 0, APP_OPT_NUMBER, offsetof(struct set_values, priority), "N",
     "priority of this client, -128 to 127; -1 without it, so that no messages come here", -128,
     127, 0},
    {"for", 0, APP_OPT_TIME, offsetof(struct set_values, duration), "SEC",
     "stay online for that time; without it, the presence ends with the command", 0, 0, 0},
    {0},
};

const app_opt cli_presence_watch_options[] = {
    {"for", 0, APP_OPT_TIME, offsetof(struct watch_values, duration), "SEC", "end after that time",
     0, 0, 0},
    {"count", 0, APP_OPT_NUMBER, offsetof(struct watch_values, count), "N", "end after N changes",
     1, 1000000000, 0},
    {0},
};

static jab_show show_of(const char *word)
{
    for (int show = JAB_SHOW_DND; word && show <= JAB_SHOW_CHAT; show++)
        if (strcmp(jab_show_name((jab_show)show), word) == 0)
            return (jab_show)show;
    return JAB_SHOW_ONLINE;
}

/* Stays until a time, dropping what comes; CLI_ENDED's status, or 0. */
static int stay(cli *c, int64_t until)
{
    const jab_event *ev;
    while (app_now() < until)
        if (cli_wait(c, &ev, NULL, until) == CLI_ENDED)
            return c->status;
    return APP_OK;
}

int cli_presence_set(cli *c)
{
    const struct set_values *v = c->values;
    int status = cli_want(c, 0, 0);
    if (status == APP_OK && v->status)
        status = cli_check_text("status", jab_cstr(v->status));
    if (v->duration.given && !c->g.timeout.given) {
        c->deadline = JAB_NEVER;
        app_alarm(JAB_NEVER);
    }
    if (status == APP_OK && c->g.dry_run) {
        app_out_line(&c->out, JAB_STR("would set the presence"));
        return APP_OK;
    }
    if (status == APP_OK)
        status = cli_connect(c);
    if (status != APP_OK)
        return status;
    int err = jab_send_presence(cli_session(c), (jab_str){0}, show_of(v->show), jab_cstr(v->status),
                                v->priority.given ? v->priority.value : -1);
    if (err < 0)
        return app_say_error("presence", err);
    status = cli_barrier(c);
    if (status == APP_OK && v->duration.given)
        return stay(c, app_now() + v->duration.ms);
    if (status == APP_OK && !c->g.quiet)
        app_note("jabiru: presence was set, and ends now with the connection; --for SEC keeps it");
    return status;
}

static int watch(cli *c, int64_t until)
{
    const struct watch_values *v = c->values;
    const jab_event *ev;
    int seen = 0;
    while (!v->count.given || seen < v->count.value) {
        cli_what what = cli_wait(c, &ev, NULL, until);
        if (what == CLI_ENDED)
            return c->status;
        if (what == CLI_EVENT && ev->type == JAB_EV_ONLINE)
            jab_send_presence(cli_session(c), (jab_str){0}, JAB_SHOW_ONLINE, (jab_str){0}, -1);
        if (what == CLI_EVENT && ev->type == JAB_EV_PRESENCE) {
            app_out_record(&c->out, cli_presence_record(ev->data));
            seen++;
        }
        if (app_now() >= until)
            return v->count.given ? APP_NOTHING : APP_OK;
    }
    return APP_OK;
}

int cli_presence_watch(cli *c)
{
    const struct watch_values *v = c->values;
    int64_t until = v->duration.given ? c->started + v->duration.ms : JAB_NEVER;
    int status = cli_want(c, 0, 0);
    c->reconnects = 1;
    if (status == APP_OK)
        status = cli_begin(c);
    return status == APP_OK ? watch(c, until) : status;
}

static void print_resource(cli *c, const jab_resource *resource)
{
    json_t *record = app_record_new("presence");
    app_set_address(record, "from", &resource->jid);
    app_set_text(record, "kind", JAB_STR("available"));
    app_set_text(record, "show", jab_cstr(jab_show_name(resource->show)));
    app_set_int(record, "priority", resource->priority);
    app_set_text(record, "status", resource->status);
    app_set_time(record, "stamp", app_wall());
    app_out_record(&c->out, record);
}

static void print_offline(cli *c, const jab_jid *jid)
{
    json_t *record = app_record_new("presence");
    app_set_address(record, "from", jid);
    app_set_text(record, "kind", JAB_STR("unavailable"));
    app_set_time(record, "stamp", app_wall());
    app_out_record(&c->out, record);
}

int cli_presence_get(cli *c)
{
    jab_jid_buf bytes;
    jab_jid jid;
    int status = cli_want(c, 1, 1);
    if (status == APP_OK)
        status = cli_address(c->operands[0], &jid, &bytes);
    if (status == APP_OK)
        status = cli_connect(c);
    if (status == APP_OK)
        status = cli_see_contacts(c);
    if (status != APP_OK)
        return status;
    size_t n = jab_resource_count(cli_session(c), jid.bare);
    const jab_roster_item *item = jab_roster_find(cli_session(c), jid.bare);
    for (size_t i = 0; i < n; i++)
        print_resource(c, jab_resource_at(cli_session(c), jid.bare, i));
    if (n > 0)
        return APP_OK;
    if (!item || !(item->subscription & JAB_SUB_TO))
        return app_say(APP_NOTHING,
                       "presence: %s does not share it with you; ask with jabiru "
                       "roster add",
                       c->operands[0]);
    print_offline(c, &jid);
    return APP_OK;
}
