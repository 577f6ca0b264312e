/* roster.h: what the commands about contacts share. */
#ifndef JABIRU_CLI_ROSTER_H
#define JABIRU_CLI_ROSTER_H

#include "cli.h"
#include <jabiru/roster.h>

/* Fetches the roster. An exit status. */
int cli_fetch_roster(cli *c);

/* Fetches the roster and the presence of the contacts: goes online with a
 * negative priority, so that no message comes here (RFC 6121 8.5.2.1.1), and
 * waits until the server has dealt with that and, for a moment, for those who
 * share their presence and have not been seen. */
int cli_see_contacts(cli *c);

/* A contact, with its presence, as a record. */
json_t *cli_contact_record(cli *c, const jab_roster_item *item);

#endif
