/* input.h: standard input, whole or line by line, without ever blocking longer
 * than the command may take. */
#ifndef JABIRU_CLI_INPUT_H
#define JABIRU_CLI_INPUT_H

#include "cli.h"

#define CLI_INPUT_MAX (1024 * 1024) /* bytes of one text or line */

typedef struct cli_input {
    app_text text;
    size_t at; /* what was taken already */
    int ended;
} cli_input;

/* Reads once from standard input, which is ready. An exit status. */
int cli_input_read(cli_input *in);

/* Takes a line out, without its line break: 1 and *line, valid until the next
 * read; 0 when there is no whole one yet; -1 at the end. */
int cli_input_line(cli_input *in, jab_str *line);

/* Reads standard input to its end. An exit status. */
int cli_input_all(cli *c, app_text *out);

#endif
