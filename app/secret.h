/*
 * secret.h: where the password comes from. The first of these that is there
 * wins: --password-file or --password-fd; $CREDENTIALS_DIRECTORY/jabiru.NAME;
 * the account's password_command or password_file; $JABIRU_PASSWORD;
 * --netrc; a prompt on the terminal. Never the command line.
 */
#ifndef JABIRU_APP_SECRET_H
#define JABIRU_APP_SECRET_H

#include "text.h"

#define APP_SECRET_MAX 4095 /* bytes: tokens are longer than passwords */

/* The ways to give a password, for the messages. */
#define APP_SECRET_WAYS                                                                            \
    "give the password with --password-file FILE, --password-fd N, password_command in the "       \
    "configuration, $JABIRU_PASSWORD or --netrc"

typedef struct app_secret {
    char bytes[APP_SECRET_MAX + 1];
    size_t n;
} app_secret;

typedef struct app_secret_query {
    const char *file;                   /* --password-file, or NULL */
    int fd;                             /* --password-fd, or -1 */
    const char *account;                /* name of the account, or its address */
    const char *jid;                    /* for the prompt and netrc */
    const char *account_file, *command; /* the account's; NULL when it has none */
    int netrc;                          /* 1: --netrc */
    int no_input;                       /* 1: never ask */
    int64_t deadline;
} app_secret_query;

/* Finds the password. Returns 0, or an exit status after saying why. */
int app_secret_find(app_secret *secret, const app_secret_query *q);

/* Reads the first line of a file that only its owner may read; `kind` of secret is
 * what messages call it. As above. */
int app_secret_file(app_secret *secret, const char *path, const char *kind);

/* Overwrites it. */
void app_secret_wipe(app_secret *secret);

/* Splits a command into words, as a shell would but for expansion: blanks
 * part, '...', "..." and \x hold together. Returns a NULL-ended list to be
 * freed with one free() each for it and its first element, or NULL for an
 * open quote or no word. */
char **app_words(const char *command);

#endif
