/*
 * data.h: what is kept of an account in $XDG_DATA_HOME/jabiru, which its owner
 * alone can read: a database of messages, and a vault (login.h).
 */
#ifndef JABIRU_APP_DATA_H
#define JABIRU_APP_DATA_H

#include "text.h"
#include <jabiru/login.h>
#include <jabiru/store.h>

/* "$XDG_DATA_HOME/jabiru/<address><suffix>", or below ~/.local/share; to be freed.
 * What a file name should not hold is written as %XX. NULL without a home. */
char *app_data_path(jab_str bare, const char *suffix);

typedef enum app_data_use {
    APP_DATA_KEEP, /* read and write; alone */
    APP_DATA_LOOK, /* only read, also while another process writes */
} app_data_use;

/*
 * Opens the database of an account and sets *store. Returns 0, with *store NULL when
 * it is only to be looked at and there is none; JAB_ELOCKED, without a word, while
 * another process has it; else < 0 after saying why. That a damaged file was
 * set aside is said, too.
 */
int app_data_open(jab_store **store, jab_str bare, app_data_use use);

/* Opens the vault of an account, which may be new: 0, or an exit status after
 * saying why. One that must not be used is left as it is; with `is_unusable` not
 * NULL, that alone is no failure: it is set to 1, and *vault is NULL. */
int app_vault_open(jab_vault **vault, jab_str bare, int *is_unusable);

/* Gives the vault another name, which is appended to *name: 0, or an exit status
 * after saying why. For one that cannot be opened, at the user's word. */
int app_vault_set_aside(jab_str bare, app_text *name);

#endif
