/* doctor.c: jabiru doctor: what is well with a server and what is not, from its names
 * in the DNS to what it offers an account. */
#include "doctor.h"

#include <stdlib.h>

#define TIME_LIMIT 30000 /* ms for all, without --timeout */

struct values {
    int all, no_login;
};
CLI_VALUES_FIT(struct values);

const app_opt cli_doctor_options[] = {
    {"all-endpoints", 0, APP_OPT_FLAG, offsetof(struct values, all), NULL,
     "look at every address of every host, not only up to the first that is well; each has to be",
     0, 0, 0},
    {"no-login", 0, APP_OPT_FLAG, offsetof(struct values, no_login), NULL,
     "look only at what is told before a log-in; no password is asked for", 0, 0, 0},
    {0},
};

/* -- Lines ------------------------------------------------------------------------------- */

void doctor_worse(doctor_line *line, doctor_state state, const char *next)
{
    if (state <= line->state)
        return;
    line->state = state;
    line->next = next;
}

void doctor_print(doctor *d, doctor_line *line)
{
    static const char *const states[] = {"ok", "note", "failed"};
    int ends = line->state == DOCTOR_BAD && line->code ? jab_err_exit(line->code) : 0;
    json_t *record = app_record_new("check");
    app_set_text(record, "check", jab_cstr(line->check));
    app_set_text(record, "state", jab_cstr(states[line->state]));
    app_set_text(record, "text", app_text_str(&line->text));
    app_set_text(record, "next", jab_cstr(line->next));
    if (ends && d->status == APP_OK) {
        d->status = ends;
        app_set_int(record, "exit", ends);
    }
    if (line->facts)
        json_object_update_missing(record, line->facts);
    json_decref(line->facts);
    if (line->state == DOCTOR_OK && d->c->g.quiet)
        json_decref(record);
    else
        app_out_record(&d->c->out, record);
    app_text_free(&line->text);
    *line = (doctor_line){0};
}

/* -- Before the log-in ------------------------------------------------------------------- */

static int probe_to_end(cli *c, jab_probe *p)
{
    for (;;) {
        int err = jab_probe_wait(p, 0);
        if (err < 0)
            return app_say_error("doctor", err);
        if (err > 0)
            return APP_OK;
        if (app_signal())
            return 128 + app_signal();
        int ms = jab_probe_timeout(p);
        struct pollfd one = {.fd = jab_probe_fd(p), .events = POLLIN};
        app_poll(&one, 1, ms < 0 ? c->deadline : app_now() + ms);
    }
}

/* A log-in that follows has a third of the time. */
static int64_t time_for_probe(const cli *c, int log_in)
{
    int64_t left = c->deadline - app_now();
    left = log_in ? left * 2 / 3 : left - left / 20;
    return left > 1 ? left : 1;
}

static int look_at_server(doctor *d, int log_in)
{
    cli *c = d->c;
    char *host = NULL;
    uint16_t port = 0;
    jab_probe *p = NULL;
    if (c->account.host && cli_host_port(c->account.host, &host, &port) != APP_OK)
        return APP_USAGE;
    int err = jab_probe_new(
        &p,
        JAB_CONFIG(.jid = log_in ? c->jid.bare : c->jid.domain,
                   .tls = cli_tls_policy(c->account.tls), .host = jab_cstr(host), .port = port,
                   .ca_file = jab_cstr(c->account.ca_file), .pin_sha256 = jab_cstr(c->account.pin),
                   .nameserver = jab_cstr(c->account.nameserver),
                   .proxy = jab_cstr(c->account.proxy), .dane = cli_dane_level(c),
                   .connect_timeout = time_for_probe(c, log_in),
                   .wire = c->g.xml ? cli_wire : NULL),
        d->all ? JAB_PROBE_ALL : 0);
    free(host);
    if (err == JAB_ETLS)
        return app_say(jab_err_exit(err),
                       "tls: the certificates in %s cannot be read; "
                       "--ca-file wants PEM",
                       c->account.ca_file ? c->account.ca_file : "the system's store");
    if (err < 0)
        return app_say_error("settings", err);
    d->names_account = log_in && c->jid.local.p;
    int status = probe_to_end(c, p);
    if (status == APP_OK)
        doctor_server(d, jab_probe_result(p));
    jab_probe_free(p);
    return status;
}

/* -- Which server, and whose account -------------------------------------------------------- */

static int same_account(const char *address, const jab_jid *jid)
{
    jab_jid_buf bytes;
    jab_jid own;
    return jab_jid_parse(&own, jab_cstr(address), &bytes) == 0 && jab_str_eq(own.bare, jid->bare);
}

/* The name of the configuration's account of that address, to be freed; NULL: there is none. */
static int find_name(cli *c, const jab_jid *jid, char **name)
{
    int status = cli_load_config(c);
    for (size_t i = 0; status == APP_OK && !*name && i < c->configuration.n; i++) {
        const app_account *account = &c->configuration.accounts[i];
        if (account->jid && same_account(account->jid, jid))
            *name = app_copy(jab_cstr(account->name));
    }
    app_config_free(&c->configuration);
    c->configuration = (app_config){0};
    free(c->config_path);
    c->config_path = NULL;
    return status;
}

/* Password and settings are those that the configuration has for the address, if it has. */
static int settle_address(cli *c, const jab_jid *jid)
{
    char *name = NULL;
    int status = c->g.jid ? APP_OK : find_name(c, jid, &name);
    c->g.account = name;
    if (!name)
        c->g.jid = c->operands[0];
    if (status == APP_OK)
        status = cli_settle_account(c);
    c->g.account = c->account.name;
    free(name);
    return status;
}

/* A domain is looked at without an account: none is read, whatever there is. */
static int settle(cli *c, int *log_in)
{
    jab_jid_buf bytes;
    jab_jid jid = {.full = {0}};
    int status = cli_want(c, 0, 1);
    if (status == APP_OK && c->n == 1)
        status = cli_address(c->operands[0], &jid, &bytes);
    if (status != APP_OK || c->n == 0)
        return status == APP_OK ? cli_settle_account(c) : status;
    if (jid.local.p && ((c->g.jid && !same_account(c->g.jid, &jid)) || c->g.account))
        return app_say(APP_USAGE, "doctor: %s is another account than that of -%c; name one",
                       c->operands[0], c->g.jid ? 'j' : 'a');
    if (!jid.local.p && jid.resource.p)
        return app_say(APP_USAGE, "not a domain: \"%s\"", c->operands[0]);
    if (jid.local.p)
        return settle_address(c, &jid);
    *log_in = 0;
    c->g.jid = c->operands[0];
    c->g.account = c->g.config = NULL;
    return cli_settle_account(c);
}

int cli_doctor(cli *c)
{
    const struct values *v = c->values;
    doctor d = {.c = c, .all = v->all};
    int log_in = !v->no_login;
    if (!c->g.timeout.given) {
        c->g.timeout = (app_time){1, TIME_LIMIT};
        c->deadline = c->started + TIME_LIMIT;
        app_alarm(c->deadline);
    }
    int status = settle(c, &log_in);
    if (status == APP_OK)
        status = look_at_server(&d, log_in);
    if (status == APP_OK && log_in && d.is_usable)
        status = doctor_login(&d);
    return d.status != APP_OK ? d.status : status;
}
