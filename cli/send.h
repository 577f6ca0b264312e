/* send.h: what is to be sent, and to whom: read from the operands, standard
 * input, or lines of JSON. */
#ifndef JABIRU_CLI_SEND_H
#define JABIRU_CLI_SEND_H

#include "outbox.h"

typedef struct cli_recipients {
    char **v; /* prepared addresses */
    size_t n;
} cli_recipients;

typedef struct cli_plan {
    cli_recipients to;
    app_text text; /* the one text; p NULL: lines of standard input instead */
    int batch;     /* 1: each line is a JSON object with its own "to" */
} cli_plan;

/*
 * Which operand is the text: its index, or -1 when the text comes from
 * standard input. `dashes`: how many operands stood before "--", -1 without.
 * With two or more operands the last is the text unless it is a bare address
 * without blanks; what stands after "--" is text; with `all_recipients` none is.
 */
int cli_text_operand(const char *const *operands, int n, int dashes, int all_recipients);

/* Reads operands and, where the text comes from there, standard input. */
int cli_plan_make(cli_plan *plan, cli *c, int lines, int rooms);
void cli_plan_free(cli_plan *plan);

/* One line of a batch: {"to":...,"body":...}, and subject, thread, id, kind. */
typedef struct cli_batch {
    json_t *line;
    cli_recipients to;
    cli_draft draft; /* without `to` */
} cli_batch;

/* Reads a line; says what is wrong with it, calling it `what`. */
int cli_batch_read(cli_batch *batch, jab_str line, jab_message_type type, const char *what);
void cli_batch_free(cli_batch *batch);

#endif
