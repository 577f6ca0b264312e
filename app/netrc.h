/* netrc.h: passwords from a netrc file, as curl and ftp read it. */
#ifndef JABIRU_APP_NETRC_H
#define JABIRU_APP_NETRC_H

#include "text.h"

/* Appends the password for an address: the entry whose machine is its domain
 * and whose login is its local part or its bare address. Returns 1 or 0. */
int app_netrc_find(app_text *password, jab_str netrc, const char *jid);

#endif
