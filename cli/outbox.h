/*
 * outbox.h: messages on their way out, until it is known what became of them.
 *
 * The server takes responsibility for a message (JAB_EV_SENT); and what it sends back by
 * itself has come when the answer to a question sent after the message has (a ping to the
 * own server; for a room, a question to the room): stanzas are dealt with in order
 * (RFC 6120 10.1). Where nothing tells the former, the latter does.
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

/* What is waited for: --wait. */
typedef enum cli_wait_for {
    CLI_WAIT_BOUNCE, /* that the server has it, and what it sends back by itself */
    CLI_WAIT_ACK,
    CLI_WAIT_RECEIPT, /* that a client of the recipient has it */
    CLI_WAIT_NONE,
} cli_wait_for;

typedef struct cli_outbox {
    cli *c;
    cli_wait_for wait;
    int rooms;       /* 1: recipients are rooms */
    int quiet;       /* 1: no record per message */
    int accepted;    /* 1: a record when the outbox holds it, too */
    int ids;         /* descriptor for --id-out, or -1 */
    cli_item *first; /* under way, in the order of sending */
    cli_item **end;
    cli_target *targets;
    size_t waiting; /* how many are under way */
    size_t delivered, failed, unknown, withdrawn;
    char *unknown_to; /* recipient of the first of those */
    int status;       /* 0, or of the first message that failed */
    /* Gets each message of this process that is final, and its state. */
    void (*settled)(void *arg, const char *to, const char *state);
    void *settled_arg;
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

/* How many messages of earlier processes still wait in the outbox. */
size_t cli_outbox_earlier(const cli_outbox *b);

/* Whether all that is waited for are receipts. */
int cli_outbox_lacks_receipts(const cli_outbox *b);

/* The end without success: what has not left is taken out of the outbox, so that
 * nothing goes out later that was told to have failed; the rest stays unknown. Says so. */
void cli_outbox_give_up(cli_outbox *b);

/* The end of a program whose messages wait for the next time, where there is a store. */
void cli_outbox_leave(cli_outbox *b);

#endif
