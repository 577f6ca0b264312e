/* pretty.h: XML text for people. */
#ifndef JABIRU_CLI_PRETTY_H
#define JABIRU_CLI_PRETTY_H

#include "text.h"

/* Appends well-formed XML with a line break and an indent between elements
 * that stand side by side or in one another without text between them. */
void cli_pretty(app_text *out, jab_str xml);

#endif
