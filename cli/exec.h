/* exec.h: the user's own command, run for one message. */
#ifndef JABIRU_CLI_EXEC_H
#define JABIRU_CLI_EXEC_H

#include "cli.h"
#include <sys/types.h>

typedef struct cli_child {
    pid_t pid;
    int failed; /* 1: it ended with another status than 0, or by a signal */
} cli_child;

/*
 * Starts `command` with sh -c. Nothing of the message is in the command line:
 * the body is on standard input, the rest in JABIRU_FROM (bare address),
 * JABIRU_FROM_FULL, JABIRU_NICK (in a room), JABIRU_TO, JABIRU_ID, JABIRU_KIND
 * and JABIRU_SUBJECT. An exit status.
 */
int cli_exec_start(cli_child *child, const char *command, const jab_message *m);

/* Whether it has ended; says so when it ended badly, and sets child->failed. */
int cli_exec_done(cli_child *child);

#endif
