/* link.c: the connection of a command: settings in, events out, always within
 * the command's time limit. */
#include "cli.h"

#include "sanitize.h"
#include "secret.h"
#include <errno.h>
#include <jabiru/ping.h>
#include <jabiru/sm.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define CLOSE_MS     2000 /* for </stream> and its answer */
#define STORE_TRIES  5    /* connections that may end because nothing can be kept */
#define LONG_TIMEOUT (24 * 3600 * 1000LL)

/* What a log-in may need; wiped as soon as the client has it. */
typedef struct cli_secrets {
    app_secret password, token;
} cli_secrets;

static jab_str text_of(const app_secret *secret)
{
    return secret->n ? jab_cstr(secret->bytes) : (jab_str){0};
}

/* Wire log: one line a piece, the direction before it. */
void cli_wire(void *arg, int out, jab_str bytes)
{
    app_text line = {0};
    (void)arg;
    app_text_z(&line, out ? "C: " : "S: ");
    app_clean(&line, bytes, APP_LINE);
    app_text_char(&line, '\n');
    ssize_t ignored = write(STDERR_FILENO, line.p, line.n);
    (void)ignored;
    app_text_free(&line);
}

/* The mechanisms as one string; from --mechanism, else the account's; else what a token is for. */
static void join_mechanisms(const cli *c, app_text *out)
{
    for (int i = 0; i < c->g.mechanism.n; i++)
        app_text_fmt(out, "%s%s", i ? " " : "", c->g.mechanism.v[i]);
    if (c->g.mechanism.n == 0 && c->account.mechanism)
        app_text_z(out, c->account.mechanism);
    if (out->n == 0 && c->account.bearer_token_file)
        app_text_z(out, "OAUTHBEARER");
}

/* Whether every mechanism allowed goes without a password. */
static int needs_no_password(const char *mechanisms)
{
    size_t n;
    int any = 0;
    for (const char *at = mechanisms; *at; at += n) {
        at += strspn(at, " ");
        n = strcspn(at, " ");
        jab_str name = {at, n};
        if (n > 0 && !jab_str_is(name, "ANONYMOUS") && !jab_str_is(name, "EXTERNAL"))
            return 0;
        any |= n > 0;
    }
    return any;
}

/* A password that was not named on the command line itself is asked for only when nothing
 * else serves. */
static int needs_password(cli *c, const char *mechanisms)
{
    int is_named = c->g.password_file || c->g.password_fd.given;
    if (needs_no_password(mechanisms) || c->account.bearer_token_file)
        return 0;
    c->withheld = c->vault && !is_named && !c->asks_password &&
                  jab_vault_has_secret(c->vault, c->jid.bare, NULL) == 1;
    return !c->withheld;
}

static int find_secret(cli *c, app_secret *secret)
{
    app_text jid = {0};
    app_text_add(&jid, c->jid.bare);
    app_secret_query q = {
        .file = c->g.password_file,
        .fd = c->g.password_fd.given ? c->g.password_fd.value : -1,
        .account = c->account.name ? c->account.name : jid.p,
        .jid = jid.p,
        .account_file = c->account.password_file,
        .command = c->account.password_command,
        .netrc = c->g.netrc,
        .no_input = c->g.no_input,
        .deadline = c->deadline,
    };
    int status = app_secret_find(secret, &q);
    app_text_free(&jid);
    return status;
}

jab_tls_policy cli_tls_policy(const char *word)
{
    if (word && strcmp(word, "off") == 0)
        return JAB_TLS_OFF;
    return word && strcmp(word, "direct") == 0 ? JAB_TLS_DIRECT : JAB_TLS_REQUIRED;
}

static jab_compress_policy compress_policy(const cli *c)
{
    const char *word = c->account.compress;
    if (c->g.compress > 1 || (!c->g.compress && word && strcmp(word, "anyway") == 0))
        return JAB_COMPRESS_ANYWAY;
    if (c->g.compress == 1 || (word && strcmp(word, "plain") == 0))
        return JAB_COMPRESS_PLAIN;
    return JAB_COMPRESS_OFF;
}

/* The command's own limit is the only one that counts, when it has one. */
static int64_t time_limit(const cli *c, int64_t otherwise)
{
    if (c->deadline == JAB_NEVER)
        return otherwise;
    return c->g.timeout.given ? LONG_TIMEOUT : 0;
}

static unsigned login_flags(const cli *c)
{
    int is_classic = c->g.login && strcmp(c->g.login, "classic") == 0;
    return c->login | (is_classic ? JAB_LOGIN_NO_SASL2 | JAB_LOGIN_NO_PIPELINING : 0);
}

/* How much a DANE record counts: see jab_config.dane. */
int cli_dane_level(const cli *c)
{
    const char *word = c->account.dane;
    if (c->g.dane)
        return c->g.dane > 1 ? 2 : 1;
    return !word || strcmp(word, "no") == 0 ? 0 : strcmp(word, "required") == 0 ? 2 : 1;
}

static int make_client(cli *c, const cli_secrets *secrets, const char *mechanisms)
{
    char *host = NULL;
    uint16_t port = 0;
    if (c->account.host && cli_host_port(c->account.host, &host, &port) != APP_OK)
        return APP_USAGE;
    int err = jab_client_new(
        &c->client,
        JAB_CONFIG(.jid = c->jid.full, .exts = c->exts, .password = text_of(&secrets->password),
                   .bearer_token = text_of(&secrets->token),
                   .mechanisms = *mechanisms ? jab_cstr(mechanisms) : (jab_str){0},
                   .tls = cli_tls_policy(c->account.tls), .compress = compress_policy(c),
                   .software_name = JAB_STR("jabiru"), .software_version = JAB_STR(JAB_VERSION),
                   .request_timeout = time_limit(c, 0), .connect_timeout = time_limit(c, 0),
                   .login_timeout = time_limit(c, 0), .wire = c->g.xml ? cli_wire : NULL,
                   .host = jab_cstr(host), .port = port, .ca_file = jab_cstr(c->account.ca_file),
                   .client_cert = jab_cstr(c->account.cert), .client_key = jab_cstr(c->account.key),
                   .pin_sha256 = jab_cstr(c->account.pin),
                   .nameserver = jab_cstr(c->account.nameserver), .no_reconnect = !c->reconnects,
                   .proxy = jab_cstr(c->account.proxy), .dane = cli_dane_level(c),
                   .vault = c->vault, .login = login_flags(c),
                   .device = jab_cstr(c->account.device), .store = c->store,
                   .commit_by_caller = c->commits, .receipts = c->receipts,
                   .first_history = c->first_history));
    free(host);
    if (err == JAB_ETLS)
        return app_say(jab_err_exit(err),
                       "tls: the certificates in %s cannot be read; "
                       "--ca-file wants PEM",
                       c->account.ca_file ? c->account.ca_file : "the system's store");
    if (err < 0)
        return app_say_error("settings", err);
    return APP_OK;
}

int cli_commit(cli *c)
{
    if (!c->store || !c->client)
        return 0;
    c->pulled = 0;
    int err = jab_session_commit(cli_session(c));
    if (err == 0)
        c->store_failures = 0;
    return err;
}

/* What was pulled has been dealt with. To be called before anything more is read: what came
 * and was not pulled yet is not to be committed. That nothing could be kept is told by the end
 * of the stream. */
static void commit_pulled(cli *c)
{
    if (c->commits && c->store && c->pulled)
        (void)jab_session_commit(cli_session(c));
    c->pulled = 0;
}

/* Asked for anew each time: deadlines of what is sent next count from then. */
jab_session *cli_session(const cli *c)
{
    return jab_client_session(c->client);
}

int cli_begin(cli *c)
{
    cli_secrets secrets = {.password = {.n = 0}};
    app_text mechanisms = {0};
    int status = c->jid.full.p ? APP_OK : cli_settle_account(c);
    join_mechanisms(c, &mechanisms);
    if (status == APP_OK)
        status = cli_open_vault(c);
    if (status == APP_OK && needs_password(c, app_text_str(&mechanisms).p))
        status = find_secret(c, &secrets.password);
    c->has_password = secrets.password.n > 0;
    if (status == APP_OK && c->account.bearer_token_file)
        status = app_secret_file(&secrets.token, c->account.bearer_token_file, "token");
    if (status == APP_OK)
        status = cli_open_store(c);
    if (status == APP_OK)
        status = make_client(c, &secrets, app_text_str(&mechanisms).p);
    app_secret_wipe(&secrets.password);
    app_secret_wipe(&secrets.token);
    app_text_free(&mechanisms);
    return status;
}

/* -v: each stage as it begins. */
static void tell_stage(cli *c)
{
    jab_stage stage = jab_client_stage(c->client);
    if (!c->g.verbose || stage == c->told)
        return;
    c->told = stage;
    jab_connection connection = jab_client_connection(c->client);
    app_note("jabiru: %s" JAB_FMT JAB_FMT "%s%s", jab_stage_name(stage),
             JAB_ARG(connection.address.n ? JAB_STR(" ") : JAB_STR("")),
             JAB_ARG(connection.address), connection.by_proxy ? " (proxy)" : "",
             connection.by_dane ? " (DANE)" : "");
}

void cli_login_words(app_text *out, const jab_login_info *login)
{
    app_text_fmt(out, JAB_FMT, JAB_ARG(login->mechanism));
    if (login->channel_binding.n)
        app_text_fmt(out, " (" JAB_FMT ")", JAB_ARG(login->channel_binding));
    app_text_z(out, login->token ? ", by a token" : "");
    app_text_z(out, login->sasl2 ? ", SASL2" : "");
    app_text_z(out, login->bind2 ? ", Bind 2" : "");
    app_text_z(out, login->tls_version == 0    ? ", no TLS"
                    : login->tls_version == 13 ? ", TLS 1.3"
                                               : ", TLS 1.2");
    app_text_z(out, login->tls_resumed ? " resumed" : "");
    app_text_z(out, login->compressed ? ", compressed" : "");
}

static void tell_online(cli *c, const jab_event *ev)
{
    jab_login_info login = jab_session_login(cli_session(c));
    c->was_online = 1;
    if (!c->g.verbose)
        return;
    app_text words = {0};
    cli_login_words(&words, &login);
    app_note("jabiru: online as " JAB_FMT ", %s", JAB_ARG(ev->jid->full), words.p);
    app_text_free(&words);
}

static cli_what ended(cli *c, int status)
{
    c->status = status;
    return CLI_ENDED;
}

static cli_what timed_out(cli *c)
{
    jab_stage stage = jab_client_stage(c->client);
    double seconds = (double)(c->g.timeout.given ? c->g.timeout.ms : CLI_TIMEOUT) / 1000;
    const char *doing = !c->was_online ? jab_stage_name(stage)
                        : c->awaited   ? c->awaited
                                       : "waiting for an answer";
    return ended(c, app_say(APP_TIMEOUT,
                            "timeout: not done within %g s (%s); "
                            "give it more with --timeout SEC, or see -v",
                            seconds, doing));
}

/* What an earlier log-in left does not serve any more: the password was changed, or the
 * server keeps it in another way. Messages that wait in this process only would be lost with
 * the client. */
static int may_try_password(const cli *c, const jab_fault *fault)
{
    if (!c->withheld || (c->was_online && !c->store))
        return 0;
    return fault->code == JAB_ENOSECRET ||
           (fault->code == JAB_EAUTH && !jab_str_is(fault->condition, "account-disabled") &&
            !jab_str_is(fault->condition, "temporary-auth-failure"));
}

static cli_what try_password(cli *c)
{
    commit_pulled(c);
    jab_client_free(c->client);
    c->client = NULL;
    jab_store_free(c->store);
    c->store = NULL;
    c->asks_password = 1;
    if (c->g.verbose)
        app_note("jabiru: the log-in needs the password again");
    int status = cli_begin(c);
    return status == APP_OK ? CLI_TIME : ended(c, status);
}

/* The end of a stream: final, unless the command stays and had been online. A full
 * disk may get room again, but not for ever. */
static cli_what offline(cli *c, const jab_event *ev)
{
    const jab_fault *fault = ev->fault;
    if (fault && may_try_password(c, fault))
        return try_password(c);
    if (fault && fault->code == JAB_ESTORE && ++c->store_failures >= STORE_TRIES)
        return ended(c, app_say_fault(fault, c->jid.bare));
    if (fault && fault->code < 0 && c->reconnects && c->was_online && !jab_client_over(c->client))
        return CLI_EVENT;
    if (!fault || fault->code >= 0)
        return ended(c, app_say(APP_NETWORK, "session: the server closed the stream; try again"));
    return ended(c, c->say_fault ? c->say_fault(c, fault) : app_say_fault(fault, c->jid.bare));
}

/* One turn without waiting: an event, or CLI_TIME when there is none. */
static cli_what turn(cli *c, const jab_event **ev)
{
    commit_pulled(c);
    int err = jab_client_process(c->client);
    tell_stage(c);
    *ev = jab_client_next(c->client);
    c->pulled = *ev != NULL;
    if (*ev) {
        if ((*ev)->type == JAB_EV_ONLINE || (*ev)->type == JAB_EV_RESUMED)
            tell_online(c, *ev);
        return (*ev)->type == JAB_EV_OFFLINE ? offline(c, *ev) : CLI_EVENT;
    }
    if (err < 0)
        return ended(c, app_say_error("connection", err));
    if (jab_client_over(c->client))
        return ended(c, app_say(APP_NETWORK, "session: the connection is over; try again"));
    return CLI_TIME;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Waits on the client's descriptor and an extra one; and, for a command that
 * only prints, on a reader that goes away. CLI_READY: the extra one is ready;
 * CLI_TIME: a signal came; CLI_EVENT: the client may have one. */
static cli_what sleep_until(cli *c, struct pollfd *extra, int64_t until)
{
    int client_ms = jab_client_timeout(c->client);
    struct pollfd fds[3] = {{.fd = jab_client_fd(c->client), .events = POLLIN},
                            {.fd = c->command->flags & CLI_STREAMS ? c->out.fd : -1},
                            {.fd = -1}};
    if (extra)
        fds[2] = *extra;
    until = earlier(until, c->deadline);
    if (client_ms >= 0)
        until = earlier(until, app_now() + client_ms);
    int woken = app_poll(fds, 3, until) < 0;
    if (fds[1].revents & (POLLERR | POLLHUP) && !c->out.failure)
        c->out.failure = EPIPE;
    if (extra)
        extra->revents = fds[2].revents;
    if (extra && extra->revents)
        return CLI_READY;
    return woken ? CLI_TIME : CLI_EVENT;
}

cli_what cli_wait(cli *c, const jab_event **ev, struct pollfd *extra, int64_t until)
{
    for (;;) {
        if (app_signal())
            return ended(c, 128 + app_signal());
        if (c->out.failure && c->command->flags & CLI_STREAMS)
            return ended(c, app_out_status(&c->out));
        cli_what what = turn(c, ev);
        if (what != CLI_TIME)
            return what;
        int64_t now = app_now();
        if (now >= c->deadline)
            return timed_out(c);
        if (now >= until)
            return CLI_TIME;
        what = sleep_until(c, extra, until);
        if (what == CLI_READY || (what == CLI_TIME && !app_signal()))
            return what;
    }
}

cli_what cli_idle(cli *c, int64_t until)
{
    if (app_signal())
        return ended(c, 128 + app_signal());
    int err = jab_client_process(c->client);
    if (app_now() >= c->deadline)
        return timed_out(c);
    /* With events waiting, or nothing left to wait for, the descriptor may stay
     * ready: a short sleep keeps that from spinning. */
    if (err < 0 || jab_client_timeout(c->client) == 0)
        app_poll(NULL, 0, earlier(until, app_now() + 20));
    else
        sleep_until(c, NULL, until);
    return CLI_TIME;
}

int cli_connect(cli *c)
{
    const jab_event *ev;
    int status = cli_begin(c);
    while (status == APP_OK) {
        cli_what what = cli_wait(c, &ev, NULL, JAB_NEVER);
        if (what == CLI_ENDED)
            status = c->status;
        else if (what == CLI_EVENT && (ev->type == JAB_EV_ONLINE || ev->type == JAB_EV_RESUMED))
            return APP_OK;
    }
    return status;
}

uint64_t cli_tag(cli *c)
{
    return ++c->next_tag;
}

int cli_answer(cli *c, uint32_t type, uint64_t tag, const jab_event **ev)
{
    for (;;) {
        cli_what what = cli_wait(c, ev, NULL, JAB_NEVER);
        if (what == CLI_ENDED)
            return c->status;
        if (what != CLI_EVENT)
            continue;
        if ((*ev)->type == type && (*ev)->tag == tag)
            return APP_OK;
        if (c->others)
            c->others(c, *ev);
    }
}

int cli_say_reply(const char *what, int error, const jab_stanza_error *refusal)
{
    if (error == JAB_ESTANZA)
        return app_say_refusal(what, refusal);
    return app_say_error(what, error);
}

int cli_barrier(cli *c)
{
    const jab_event *ev;
    uint64_t tag = cli_tag(c);
    int err = jab_ping(cli_session(c), (jab_str){0}, tag);
    if (err < 0)
        return app_say_error("ping", err);
    int status = cli_answer(c, JAB_EV_PONG, tag, &ev);
    if (status != APP_OK)
        return status;
    const jab_pong *pong = ev->data;
    if (pong->error == 0 || pong->error == JAB_ESTANZA)
        return APP_OK;
    return app_say_error("ping", pong->error);
}

static void pull_all(cli *c)
{
    const jab_event *ev;
    while ((ev = jab_client_next(c->client))) {
        c->pulled = 1;
        if (c->others)
            c->others(c, ev);
        commit_pulled(c);
    }
}

void cli_close(cli *c)
{
    if (!c->client || jab_client_over(c->client))
        return;
    int64_t until = earlier(app_now() + CLOSE_MS, c->deadline);
    commit_pulled(c);
    jab_client_close(c->client);
    do {
        int err = jab_client_process(c->client);
        pull_all(c);
        int client_ms = jab_client_timeout(c->client);
        if (err < 0 || jab_client_over(c->client) || app_now() >= until)
            break;
        struct pollfd fd = {.fd = jab_client_fd(c->client), .events = POLLIN};
        app_poll(&fd, 1, client_ms < 0 ? until : earlier(until, app_now() + client_ms));
    } while (1);
}

void cli_disconnect(cli *c)
{
    cli_close(c);
    jab_client_free(c->client);
    c->client = NULL;
    jab_store_free(c->store);
    c->store = NULL;
    jab_vault_free(c->vault);
    c->vault = NULL;
}

int cli_restart(cli *c)
{
    cli_disconnect(c);
    app_config_free(&c->configuration);
    free(c->config_path);
    c->config_path = NULL;
    c->account = (app_account){0};
    c->jid = (jab_jid){.full = {NULL, 0}};
    c->was_online = 0;
    c->asks_password = 0;
    return cli_begin(c);
}
