/*
 * outbox.h: messages on their way out, until it is known what became of them.
 *
 * A message counts as taken when the answer to a question sent after it has
 * come (a ping to the own server; for a room, a question to the room) and no
 * error with its id came before: stanzas are dealt with in order (RFC 6120
 * 10.1).
 */
#ifndef JABIRU_CLI_OUTBOX_H
#define JABIRU_CLI_OUTBOX_H

#include "cli.h"

#define CLI_OUTBOX_MAX 128 /* messages under way at a time */

/* A message to be sent; views, borrowed. */
typedef struct cli_draft {
    jab_str to, body, subject, thread, id;
    jab_message_type type;
} cli_draft;

typedef struct cli_item cli_item;
typedef struct cli_target cli_target;

typedef struct cli_outbox {
    cli *c;
    int no_wait;     /* 1: --wait=none */
    int rooms;       /* 1: recipients are rooms */
    int quiet;       /* 1: no record per message */
    int ids;         /* descriptor for --id-out, or -1 */
    cli_item *first; /* under way, in the order of sending */
    cli_item **end;
    cli_target *targets;
    size_t waiting; /* how many are under way */
    size_t delivered, failed, unknown;
    int status; /* 0, or of the first message that failed */
} cli_outbox;

void cli_outbox_init(cli_outbox *b, cli *c);
void cli_outbox_free(cli_outbox *b);

/* Sends a message. 0, JAB_EAGAIN when the way out is full (try again after the
 * next event), or another error that was not yet said. */
int cli_outbox_put(cli_outbox *b, const cli_draft *draft);

/* Asks for what became of the messages, where no such question is open. */
int cli_outbox_ask(cli_outbox *b);

/* Looks at an event. */
void cli_outbox_event(cli_outbox *b, const jab_event *ev);

/* The connection is over: what is under way stays unknown. Says so. */
void cli_outbox_abandon(cli_outbox *b);

#endif
