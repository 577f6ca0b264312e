/* account.c: which account a command runs for: options over configuration. */
#include "cli.h"

#include "file.h"
#include <errno.h>
#include <stdlib.h>

int cli_load_config(cli *c)
{
    app_text why = {0};
    c->config_path = c->g.config ? app_copy(jab_cstr(c->g.config)) : app_config_path();
    if (!c->config_path)
        return app_say(APP_USAGE, "configuration: $HOME is not set; name the file with --config");
    int status = APP_OK;
    if (app_config_load(&c->configuration, c->config_path, &why) < 0)
        status = app_say(APP_USAGE, "configuration: %s", why.p);
    app_text_free(&why);
    return status;
}

static int unknown_account(const cli *c)
{
    const char *best = NULL;
    unsigned distance = APP_FAR;
    if (!c->g.account && c->configuration.n == 0)
        return app_say(APP_USAGE, "no account; name one with -j user@domain, or keep one with "
                                  "jabiru account add NAME user@domain");
    if (!c->g.account)
        return app_say(APP_USAGE, "several accounts and no default; choose one with -a NAME");
    for (size_t i = 0; i < c->configuration.n; i++)
        best = app_nearer(c->g.account, best, c->configuration.accounts[i].name, &distance);
    if (best)
        return app_say(APP_USAGE, "no account %s; did you mean %s?", c->g.account, best);
    return app_say(APP_USAGE, "no account %s; jabiru account list shows what there is",
                   c->g.account);
}

/* With -j alone the configuration is not looked at: what is in it, or wrong
 * with it, must not matter to a script that says everything itself. */
static int find_account(cli *c)
{
    if (c->g.jid && !c->g.account && !c->g.config)
        return APP_OK;
    int status = cli_load_config(c);
    if (status != APP_OK)
        return status;
    const app_account *found = app_config_account(&c->configuration, c->g.account);
    if (found)
        c->account = *found;
    else if (!c->g.jid || c->g.account)
        return unknown_account(c);
    return APP_OK;
}

/* The command line goes before the configuration. */
static void override(cli *c)
{
    const struct {
        const char *option;
        char **setting;
    } pairs[] = {
        {c->g.jid, &c->account.jid},
        {c->g.host, &c->account.host},
        {c->g.nameserver, &c->account.nameserver},
        {c->g.tls, &c->account.tls},
        {c->g.ca_file, &c->account.ca_file},
        {c->g.pin, &c->account.pin},
        {c->g.cert, &c->account.cert},
        {c->g.key, &c->account.key},
        {c->g.resource, &c->account.resource},
        {c->g.proxy, &c->account.proxy},
        {c->g.bearer_token_file, &c->account.bearer_token_file},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i].option)
            *pairs[i].setting = (char *)pairs[i].option;
}

/* "http://user:password@host:port" */
static int has_password(const char *url)
{
    const char *begin = strstr(url, "://");
    const char *at = strrchr(url, '@');
    return begin && at && memchr(begin + 3, ':', (size_t)(at - begin - 3));
}

int cli_check_proxy(const char *url, int is_option)
{
    char why[200];
    if (jab_proxy_check(jab_cstr(url), why, sizeof why) < 0)
        return app_say(APP_USAGE, "proxy: %s", why);
    if (is_option && has_password(url))
        return app_say(APP_USAGE, "proxy: a password on the command line can be seen by everyone "
                                  "on this machine; write \"proxy = ...\" into the account");
    return APP_OK;
}

/* A file that others can read is no place for a secret. */
static int check_own_proxy(const cli *c)
{
    app_text text = {0};
    const char *url = c->account.proxy;
    int status = url ? cli_check_proxy(url, c->g.proxy != NULL) : APP_OK;
    if (status == APP_OK && url && has_password(url) &&
        app_file_read(&text, c->config_path, 1) == -EPERM)
        status = app_say(APP_USAGE,
                         "proxy: others than you can read %s, which has its password; chmod 600 it",
                         c->config_path);
    app_text_free(&text);
    return status;
}

int cli_settle_account(cli *c)
{
    int status = find_account(c);
    if (status != APP_OK)
        return status;
    override(c);
    if (!c->account.jid)
        return app_say(APP_USAGE, "account %s has no jid; add \"jid = user@domain\" to %s",
                       c->account.name, c->config_path);
    status = cli_address(c->account.jid, &c->jid, &c->jid_bytes);
    if (status == APP_OK && c->account.resource) {
        jab_jid_buf whole;
        jab_jid jid;
        if (jab_jid_make(&jid, c->jid.local, c->jid.domain, jab_cstr(c->account.resource), &whole) <
            0)
            return app_say(APP_USAGE, "not a resource: \"%s\"", c->account.resource);
        status = cli_address(whole.bytes, &c->jid, &c->jid_bytes);
    }
    return status == APP_OK ? check_own_proxy(c) : status;
}
