/*
 * data.h: where messages are kept: one database for each account in
 * $XDG_DATA_HOME/jabiru, which its owner alone can read.
 */
#ifndef JABIRU_APP_DATA_H
#define JABIRU_APP_DATA_H

#include "text.h"
#include <jabiru/store.h>

/* "$XDG_DATA_HOME/jabiru/<address>.db", or below ~/.local/share; to be freed.
 * What a file name should not hold is written as %XX. NULL without a home. */
char *app_data_path(jab_str bare);

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

#endif
