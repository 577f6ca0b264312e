/*
 * version.h: which software an entity runs (XEP-0092). Questions from others
 * are answered with jab_config.software_name, .software_version and, only if
 * it was set, .software_os.
 */
#ifndef JABIRU_VERSION_H
#define JABIRU_VERSION_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JAB_EV_VERSION = JAB_EV(92, 1), /* data: jab_version_reply */
};

typedef struct jab_version_reply {
    int error;                 /* 0, or as in jab_iq_reply */
    jab_stanza_error refusal;  /* with JAB_ESTANZA */
    jab_jid from;              /* all absent when no answer came */
    jab_str name, version, os; /* absent where not told */
} jab_version_reply;

/* Asks an entity for its version. The event carries the tag. */
JAB_API int jab_version_query(jab_session *s, jab_str to, uint64_t tag);

#ifdef __cplusplus
}
#endif
#endif
