/* vault.c: what log-ins leave on this machine: jabiru account info and set, and
 * its end with the account. */
#include "cli.h"

#include "data.h"
#include <jabiru/sm.h>
#include <stdlib.h>

#define FAREWELL_MS 5000 /* for a server to hear that the token is not to be used any more */

struct set_values {
    app_list set;
    int allow_weaker;
};
CLI_VALUES_FIT(struct set_values);

const app_opt cli_account_set_options[] = {
    {"set", 0, APP_OPT_LIST, offsetof(struct set_values, set), "KEY=VALUE",
     "write this into the account, or take the key out with KEY=; may be repeated", 0, 0, 0},
    {"allow-weaker", 0, APP_OPT_FLAG, offsetof(struct set_values, allow_weaker), NULL,
     "let the next log-in be less safe than the best one before", 0, 0, 0},
    {0},
};

int cli_open_vault(cli *c)
{
    return c->vault || c->g.no_store ? APP_OK : app_vault_open(&c->vault, c->jid.bare, NULL);
}

/* The operand is the name of an account, or an address; without one, the account is found
 * as for any other command. */
static int settle(cli *c)
{
    const char *word = c->n > 0 ? c->operands[0] : NULL;
    if (!word)
        return cli_settle_account(c);
    int status = cli_load_config(c);
    if (status != APP_OK)
        return status;
    int is_name = app_config_account(&c->configuration, word) != NULL || !strchr(word, '@');
    app_config_free(&c->configuration);
    free(c->config_path);
    c->config_path = NULL;
    *(is_name ? &c->g.account : &c->g.jid) = word;
    return cli_settle_account(c);
}

static int say_vault_error(int err)
{
    if (err == JAB_ELOCKED)
        return app_say(APP_FILE, "vault: another jabiru runs for this account; end it first");
    return app_say_error("vault", err);
}

/* -- account info ------------------------------------------------------------------------- */

static void set_flag(json_t *record, const char *key, int value)
{
    json_object_set_new(record, key, json_boolean(value));
}

static void print_info(cli *c, const jab_vault_facts *facts)
{
    json_t *record = app_record_new("account-info");
    app_set_text(record, "name", jab_cstr(c->account.name));
    app_set_text(record, "jid", c->jid.bare);
    app_set_text(record, "mechanism", jab_cstr(facts->mechanism));
    set_flag(record, "channel_binding", facts->channel_binding);
    set_flag(record, "sasl2", facts->sasl2);
    if (facts->tls_version)
        app_set_text(record, "tls", facts->tls_version == 13 ? JAB_STR("1.3") : JAB_STR("1.2"));
    set_flag(record, "keys", facts->keys);
    set_flag(record, "token", facts->token);
    if (facts->token && facts->token_expiry)
        app_set_time(record, "token_expires", facts->token_expiry);
    app_set_true(record, "in_use", facts->is_shared);
    app_out_record(&c->out, record);
}

int cli_account_info(cli *c)
{
    jab_vault_facts facts = {.mechanism = NULL};
    int status = cli_want(c, 0, 1);
    if (status == APP_OK)
        status = settle(c);
    if (status == APP_OK)
        status = cli_open_vault(c);
    int err =
        status == APP_OK && c->vault ? jab_vault_look(c->vault, c->jid.bare, NULL, &facts) : 0;
    if (err < 0)
        return say_vault_error(err);
    if (status == APP_OK)
        print_info(c, &facts);
    return status;
}

/* -- account set -------------------------------------------------------------------------- */

/* What was reached, in words; nothing when nothing was. */
static void put_reached(app_text *out, const jab_vault_facts *facts)
{
    app_text_z(out, facts->mechanism ? facts->mechanism : "");
    app_text_z(out, facts->channel_binding ? " with channel binding" : "");
    app_text_z(out, facts->sasl2 ? ", SASL2" : "");
    if (facts->tls_version)
        app_text_fmt(out, "%sTLS 1.%d", out->n ? ", " : "", facts->tls_version - 10);
}

static void tell_lifted(const cli *c, const jab_vault_facts *facts)
{
    const char *did = c->g.dry_run ? "would forget" : "forgot";
    app_text reached = {0};
    if (c->g.quiet)
        return;
    put_reached(&reached, facts);
    if (reached.n)
        app_note("%s that log-ins of " JAB_FMT " reached %s; the next one may be weaker, and "
                 "counts from then on",
                 did, JAB_ARG(c->jid.bare), reached.p);
    else
        app_note("nothing is remembered of log-ins of " JAB_FMT, JAB_ARG(c->jid.bare));
    app_text_free(&reached);
}

/* What cannot be understood has no floor that could be forgotten alone. */
static int lift(cli *c)
{
    jab_vault_facts facts = {.mechanism = NULL};
    int err = jab_vault_look(c->vault, c->jid.bare, NULL, &facts);
    if (err >= 0 && !c->g.dry_run)
        err = jab_vault_allow_weaker(c->vault, c->jid.bare, NULL);
    else if (err == JAB_ESTORE)
        err = c->g.dry_run ? 0 : jab_vault_forget(c->vault, c->jid.bare);
    if (err < 0)
        return say_vault_error(err);
    tell_lifted(c, &facts);
    return APP_OK;
}

static int put_aside(const cli *c)
{
    app_text name = {0};
    int status = c->g.dry_run ? APP_OK : app_vault_set_aside(c->jid.bare, &name);
    if (status == APP_OK && !c->g.quiet)
        app_note(c->g.dry_run ? "would put aside a vault that cannot be used%s"
                              : "a vault that could not be used is now %s; nothing is remembered "
                                "of earlier log-ins",
                 app_text_str(&name).p);
    app_text_free(&name);
    return status;
}

static int allow_weaker(cli *c)
{
    int is_unusable = 0;
    if (c->g.no_store)
        return app_say(APP_USAGE, "--no-store: nothing is remembered then, and nothing to lift");
    int status = settle(c);
    if (status == APP_OK)
        status = app_vault_open(&c->vault, c->jid.bare, &is_unusable);
    if (status != APP_OK)
        return status;
    return is_unusable ? put_aside(c) : lift(c);
}

int cli_account_set(cli *c)
{
    const struct set_values *v = c->values;
    int status = cli_want(c, 0, 1);
    if (status == APP_OK && !v->allow_weaker && v->set.n == 0)
        status = app_say(APP_USAGE, "account set: what? --set KEY=VALUE, or --allow-weaker, which "
                                    "lets the next log-in be less safe than the best one before");
    if (status == APP_OK && v->set.n > 0)
        status = cli_change_account(c, c->n > 0 ? c->operands[0] : c->g.account, &v->set);
    return status == APP_OK && v->allow_weaker ? allow_weaker(c) : status;
}

/* -- account rm ---------------------------------------------------------------------------- */

/* Logs in with the token for the last time, so that the server forgets it (XEP-0484 §3.6).
 * Whoever is offline has to wait for its expiry. */
static void invalidate(cli *c)
{
    int64_t until = app_now() + FAREWELL_MS;
    const jab_event *ev;
    int is_told = 0;
    c->login = JAB_LOGIN_INVALIDATE | JAB_LOGIN_NO_BIND2; /* nothing stored is taken for that */
    if (cli_begin(c) != APP_OK)
        return;
    for (int64_t left; !is_told && !app_signal() && (left = until - app_now()) > 0;) {
        if (jab_client_wait(c->client, &ev, (int)left) < 0 || !ev)
            break;
        is_told = ev->type == JAB_EV_ONLINE || ev->type == JAB_EV_RESUMED;
    }
    if (c->g.verbose)
        app_note("jabiru: the server was %stold that the token is not used any more",
                 is_told ? "" : "not ");
    cli_close(c);
    jab_client_free(c->client);
    c->client = NULL;
}

int cli_forget_vault(cli *c)
{
    jab_vault_facts facts;
    int status = cli_open_vault(c);
    if (status != APP_OK || !c->vault)
        return status;
    int err = jab_vault_look(c->vault, c->jid.bare, NULL, &facts);
    if (err >= 0 && facts.is_shared)
        return say_vault_error(JAB_ELOCKED);
    if (err > 0 && facts.token)
        invalidate(c);
    err = jab_vault_forget(c->vault, c->jid.bare);
    return err < 0 ? say_vault_error(err) : APP_OK;
}
