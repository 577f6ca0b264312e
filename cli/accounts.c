/* accounts.c: jabiru account: the accounts in config.ini. */
#include "cli.h"

#include "file.h"
#include "prompt.h"
#include <errno.h>
#include <stdlib.h>

struct add_values {
    app_list set;
};
CLI_VALUES_FIT(struct add_values);

const app_opt cli_account_add_options[] = {
    {"set", 0, APP_OPT_LIST, offsetof(struct add_values, set), "KEY=VALUE",
     "write this into the account, too; may be repeated", 0, 0, 0},
    {0},
};

static int read_file(cli *c, app_text *text)
{
    int result = app_file_read(text, c->config_path, 0);
    if (result < 0 && result != -ENOENT)
        return app_say(APP_USAGE, "configuration: %s: %s", c->config_path, strerror(-result));
    return APP_OK;
}

static int write_file(cli *c, jab_str text)
{
    if (c->g.dry_run) {
        app_text line = {0};
        app_text_fmt(&line, "would write %s", c->config_path);
        app_out_line(&c->out, app_text_str(&line));
        app_text_free(&line);
        return APP_OK;
    }
    int result = app_file_replace(c->config_path, text);
    if (result < 0)
        return app_say(APP_FILE, "configuration: %s: %s", c->config_path, strerror(-result));
    return APP_OK;
}

/* The options that an account may keep, by the keys of config.ini; `mechanisms`
 * is room for the list of them. */
static void take_options(cli *c, app_account *account, app_text *mechanisms)
{
    static char *const compressions[] = {NULL, (char *)"plain", (char *)"anyway"};
    static char *const danes[] = {NULL, (char *)"yes", (char *)"required"};
    for (int i = 0; i < c->g.mechanism.n; i++)
        app_text_fmt(mechanisms, "%s%s", i ? " " : "", c->g.mechanism.v[i]);
    account->mechanism = mechanisms->p;
    account->compress = compressions[c->g.compress > 2 ? 2 : c->g.compress];
    account->host = (char *)c->g.host;
    account->nameserver = (char *)c->g.nameserver;
    account->tls = (char *)c->g.tls;
    account->ca_file = (char *)c->g.ca_file;
    account->pin = (char *)c->g.pin;
    account->cert = (char *)c->g.cert;
    account->key = (char *)c->g.key;
    account->resource = (char *)c->g.resource;
    account->proxy = (char *)c->g.proxy;
    account->dane = danes[c->g.dane > 2 ? 2 : c->g.dane];
    account->password_file = (char *)c->g.password_file;
    account->bearer_token_file = (char *)c->g.bearer_token_file;
}

/* --set KEY=VALUE; `text` is a copy that is cut in two. */
static int set_one(app_account *account, char *text)
{
    app_text why = {0};
    int status = APP_OK;
    char *equals = strchr(text, '=');
    if (!equals)
        return app_say(APP_USAGE, "--set %s: write KEY=VALUE", text);
    *equals = '\0';
    if (app_config_check(text, equals + 1, &why) < 0)
        status = app_say(APP_USAGE, "--set: %s", why.p);
    else
        app_config_set(account, text, equals + 1);
    app_text_free(&why);
    return status;
}

/* One KEY=VALUE, from `before` into `after`. */
static int change_one(const char *name, const char *setting, jab_str before, app_text *after)
{
    app_text why = {0};
    char *text = app_copy(jab_cstr(setting)), *equals = strchr(text, '=');
    int status = APP_OK;
    if (equals)
        *equals = '\0';
    if (!equals)
        status = app_say(APP_USAGE, "--set %s: write KEY=VALUE, or KEY= to take it out", text);
    else if (equals[1] && app_config_check(text, equals + 1, &why) < 0)
        status = app_say(APP_USAGE, "--set: %s", why.p);
    else if (strcmp(text, "jid") == 0)
        status = app_say(APP_USAGE, "--set jid: another address is another account; add that");
    else
        app_config_change(after, before, name, text, equals + 1);
    free(text);
    app_text_free(&why);
    return status;
}

int cli_change_account(cli *c, const char *name, const app_list *settings)
{
    app_text before = {0}, after = {0};
    int status = cli_load_config(c);
    if (status == APP_OK && !app_config_account(&c->configuration, name))
        status = app_say(APP_NOTHING, "no account %s; jabiru account list shows what there is",
                         name ? name : "is the default");
    if (status == APP_OK)
        status = read_file(c, &before);
    for (int i = 0; status == APP_OK && i < settings->n; i++) {
        status = change_one(app_config_account(&c->configuration, name)->name, settings->v[i],
                            app_text_str(&before), &after);
        app_text_free(&before);
        before = after;
        after = (app_text){0};
    }
    if (status == APP_OK)
        status = write_file(c, app_text_str(&before));
    app_text_free(&before);
    app_text_free(&after);
    app_config_free(&c->configuration); /* it is another now */
    free(c->config_path);
    c->config_path = NULL;
    return status;
}

static int check_all(const app_account *account)
{
    app_text why = {0};
    int status = APP_OK;
    for (size_t i = 0; status == APP_OK && app_config_key(i); i++) {
        const char *value = app_config_value(account, i);
        if (value && app_config_check(app_config_key(i), value, &why) < 0)
            status = app_say(APP_USAGE, "account: %s", why.p);
    }
    app_text_free(&why);
    return status;
}

/* "add NAME JID", "add JID", "add NAME -j JID", or a question at the terminal. */
static int names(cli *c, const char **name, const char **jid, app_text *asked)
{
    int first_is_jid = c->n == 1 && !c->g.jid && strchr(c->operands[0], '@');
    *jid = c->n == 2 ? c->operands[1] : first_is_jid ? c->operands[0] : c->g.jid;
    if (!*jid && !c->g.no_input && app_prompt_possible()) {
        int status = app_prompt(asked, "Address (you@server): ", 1, c->deadline);
        if (status != APP_OK)
            return status;
        *jid = app_text_str(asked).p;
    }
    if (!*jid)
        return app_say(APP_USAGE, "usage: jabiru account add NAME user@domain");
    *name = c->n > 0 ? c->operands[0] : *jid;
    if (!app_config_name_ok(*name))
        return app_say(APP_USAGE, "account name \"%s\": up to %d letters, digits and . _ - @ +",
                       *name, APP_NAME_MAX);
    return APP_OK;
}

static int add(cli *c, app_account *account, jab_jid *jid, jab_jid_buf *bytes)
{
    const struct add_values *v = c->values;
    app_text before = {0}, after = {0};
    char *copies[APP_LIST_MAX] = {0};
    int status = cli_address(account->jid, jid, bytes);
    if (status == APP_OK)
        account->jid = bytes->bytes;
    for (int i = 0; status == APP_OK && i < v->set.n; i++)
        status = set_one(account, copies[i] = app_copy(jab_cstr(v->set.v[i])));
    if (status == APP_OK)
        status = check_all(account);
    if (status == APP_OK && account->proxy)
        status = cli_check_proxy(account->proxy, 1);
    if (status == APP_OK)
        status = cli_load_config(c);
    if (status == APP_OK && app_config_account(&c->configuration, account->name))
        status = app_say(APP_USAGE, "account %s is there already; jabiru account rm %s removes it",
                         account->name, account->name);
    if (status == APP_OK)
        status = read_file(c, &before);
    if (status == APP_OK) {
        app_config_add(&after, app_text_str(&before), account);
        status = write_file(c, app_text_str(&after));
    }
    for (int i = 0; i < v->set.n; i++)
        free(copies[i]);
    app_text_free(&before);
    app_text_free(&after);
    return status;
}

int cli_account_add(cli *c)
{
    app_account account = {0};
    app_text asked = {0}, mechanisms = {0};
    const char *name = NULL, *jid_text = NULL;
    jab_jid_buf bytes;
    jab_jid jid;
    int status = cli_want(c, 0, 2);
    if (status == APP_OK)
        status = names(c, &name, &jid_text, &asked);
    if (status == APP_OK) {
        take_options(c, &account, &mechanisms);
        account.name = (char *)name;
        account.jid = (char *)jid_text;
        status = add(c, &account, &jid, &bytes);
    }
    if (status == APP_OK && !c->g.quiet && !c->g.dry_run)
        app_note("account %s was added to %s; jabiru account test %s tries it; the password "
                 "is needed once, and not kept",
                 name, c->config_path, name);
    app_text_free(&asked);
    app_text_free(&mechanisms);
    return status;
}

int cli_account_list(cli *c)
{
    int status = cli_want(c, 0, 0);
    if (status == APP_OK)
        status = cli_load_config(c);
    if (status != APP_OK)
        return status;
    const app_account *standard = app_config_account(&c->configuration, NULL);
    for (size_t i = 0; i < c->configuration.n; i++) {
        const app_account *account = &c->configuration.accounts[i];
        json_t *record = app_record_new("account");
        app_set_text(record, "name", jab_cstr(account->name));
        app_set_text(record, "jid", jab_cstr(account->jid));
        json_object_set_new(record, "default", json_boolean(account == standard));
        app_out_record(&c->out, record);
    }
    return APP_OK;
}

/* Whether another account of the configuration logs in with the same address. */
static int is_used_twice(const cli *c)
{
    int n = 0;
    for (size_t i = 0; i < c->configuration.n; i++) {
        jab_jid_buf bytes;
        jab_jid jid;
        const char *text = c->configuration.accounts[i].jid;
        n += text && jab_jid_parse(&jid, jab_cstr(text), &bytes) == 0 &&
             jab_jid_bare_eq(&jid, &c->jid);
    }
    return n > 1;
}

/* One that has no address, or one that is none, has logged in nowhere. */
static int forget_logins(cli *c, const app_account *account)
{
    if (c->g.dry_run || !account->jid ||
        jab_jid_parse(&c->jid, jab_cstr(account->jid), &c->jid_bytes) < 0)
        return APP_OK;
    c->account = *account;
    return is_used_twice(c) ? APP_OK : cli_forget_vault(c);
}

int cli_account_rm(cli *c)
{
    app_text before = {0}, after = {0};
    int status = cli_want(c, 1, 1);
    if (status == APP_OK)
        status = cli_load_config(c);
    const app_account *account =
        status == APP_OK ? app_config_account(&c->configuration, c->operands[0]) : NULL;
    if (status == APP_OK && !account)
        status = app_say(APP_NOTHING, "no account %s; jabiru account list shows what there is",
                         c->operands[0]);
    if (status == APP_OK)
        status = forget_logins(c, account);
    if (status == APP_OK)
        status = read_file(c, &before);
    if (status == APP_OK) {
        app_config_remove(&after, app_text_str(&before), c->operands[0]);
        status = write_file(c, app_text_str(&after));
    }
    app_text_free(&before);
    app_text_free(&after);
    return status;
}

static void print_login(cli *c)
{
    jab_login_info login = jab_session_login(cli_session(c));
    jab_connection connection = jab_client_connection(c->client);
    json_t *record = app_record_new("login");
    app_set_text(record, "jid", jab_session_jid(cli_session(c))->full);
    app_set_text(record, "address", connection.address);
    app_set_true(record, "by_proxy", connection.by_proxy);
    app_set_true(record, "by_dane", connection.by_dane);
    if (login.tls_version)
        app_set_text(record, "tls", login.tls_version == 13 ? JAB_STR("1.3") : JAB_STR("1.2"));
    app_set_text(record, "cipher", login.cipher);
    app_set_text(record, "mechanism", login.mechanism);
    app_set_text(record, "channel_binding", login.channel_binding);
    app_set_true(record, "compressed", login.compressed);
    app_set_true(record, "sasl2", login.sasl2);
    app_set_true(record, "bind2", login.bind2);
    app_set_true(record, "token", login.token);
    app_set_true(record, "tls_resumed", login.tls_resumed);
    json_object_set_new(record, "server_proved", json_boolean(login.server_proved));
    app_set_int(record, "ms", app_now() - c->started);
    app_out_record(&c->out, record);
}

int cli_account_test(cli *c)
{
    int status = cli_want(c, 0, 1);
    if (c->n == 1)
        c->g.account = c->operands[0];
    if (status == APP_OK)
        status = cli_connect(c);
    if (status == APP_OK)
        print_login(c);
    if (status == APP_OK && c->has_password && c->vault && !c->g.quiet &&
        c->out.form == APP_OUT_HUMAN)
        app_note("the password is not kept; account info shows what takes its place");
    return status;
}
