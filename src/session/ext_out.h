/* ext_out.h: what the built-in extensions ask of the output, beside ext.h. */
#ifndef JABI_SESSION_EXT_OUT_H
#define JABI_SESSION_EXT_OUT_H

#include "session/session.h"

/* Begins a message of the extension's own. It is not the application's: no
 * outbox keeps it, and nothing is reported of it. */
jab_out *jabi_out_message(jab_ext_ctx *x, jab_jid to, jab_message_type type);

/* Whether a message is being built by the application. */
int jabi_out_is_ours(const jab_out *o);

/* Whether an element with this name and namespace has been written into it. */
int jabi_out_has(const jab_out *o, const char *ns, const char *name);

/* Writes an empty element that is no stanza (XEP-0352). 0, JAB_EOFFLINE or
 * JAB_ENOMEM. */
int jabi_write_nonza(jab_session *s, const char *ns, const char *name);

#endif
