/*
 * csi.h: telling the server whether somebody is looking (XEP-0352 Client State
 * Indication), so that it can hold back what is not urgent.
 */
#ifndef JABIRU_CSI_H
#define JABIRU_CSI_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Nobody is looking (0), or somebody is (1), which every stream begins with.
 * Remembered, and told again on each stream, resumed or not (XEP-0352 5.1). Returns 0,
 * also when the server does not offer it or there is no stream now. */
JAB_API int jab_csi_set_active(jab_session *s, int active);

#ifdef __cplusplus
}
#endif
#endif
