/* prompt.h: asks a person at the terminal, not whoever feeds standard input. */
#ifndef JABIRU_APP_PROMPT_H
#define JABIRU_APP_PROMPT_H

#include "text.h"

/* Whether there is a person to ask: standard error is a terminal, and the
 * process has one that it may read. */
int app_prompt_possible(void);

/* Asks for one line, with `echo` 0 without showing it. Returns 0 with the line
 * in *out, or an exit status after saying why (time-out, interrupted). */
int app_prompt(app_text *out, const char *words, int echo, int64_t deadline);

#endif
