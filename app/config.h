/*
 * config.h: config.ini: one [account NAME] section per account, and above
 * them what holds for all. It holds no secret: it says where one is.
 */
#ifndef JABIRU_APP_CONFIG_H
#define JABIRU_APP_CONFIG_H

#include "text.h"

#define APP_NAME_MAX 40 /* bytes of an account's name */

/* An account; what was not written is NULL. */
typedef struct app_account {
    char *name;
    char *jid;
    char *host, *nameserver;
    char *tls, *compress;
    char *ca_file, *pin, *cert, *key;
    char *mechanism, *resource, *device;
    char *proxy, *dane;
    char *password_file, *password_command, *bearer_token_file;
} app_account;

typedef struct app_config {
    char *standard; /* name of the default account, or NULL */
    app_account *accounts;
    size_t n;
} app_config;

/* $XDG_CONFIG_HOME/jabiru/config.ini; to be freed. NULL without a home. */
char *app_config_path(void);

/* Reads a file; one that is not there reads as empty. Returns 0, or -1 with
 * one line in *why. Free *c either way. */
int app_config_load(app_config *c, const char *path, app_text *why);

/* As app_config_load(), from text; `path` is for the messages. */
int app_config_parse(app_config *c, jab_str text, const char *path, app_text *why);

void app_config_free(app_config *c);

/* The account of that name; `name` NULL: the default one, or the only one. */
const app_account *app_config_account(const app_config *c, const char *name);

/* Whether a name may stand in [account NAME]: letters, digits, . _ - @ + */
int app_config_name_ok(const char *name);

/* Whether there is such a key for an account ("jid", "ca_file", ...); a value
 * may not hold line breaks. 0, or -1 with one line in *why. */
int app_config_check(const char *key, const char *value, app_text *why);

/* The keys an account may have, by number; NULL after the last. */
const char *app_config_key(size_t i);

/* The value of that key, or NULL. */
const char *app_config_value(const app_account *account, size_t i);

/* Makes the value of a key that app_config_check() let pass point to `value`. */
void app_config_set(app_account *account, const char *key, char *value);

/* -- Editing: text in, text out, comments and order kept ---------------------- */

/* Appends a section for `account`; makes it the default when there is none. */
void app_config_add(app_text *out, jab_str text, const app_account *account);

/* Gives a key of that section a value, once; an empty value takes it out. */
void app_config_change(app_text *out, jab_str text, const char *name, const char *key,
                       const char *value);

/* Leaves out the section of that name, and the default that names it. */
void app_config_remove(app_text *out, jab_str text, const char *name);

#endif
