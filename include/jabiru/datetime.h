/*
 * datetime.h: points in time as XMPP writes them (XEP-0082), such as
 * "2026-03-01T12:00:00Z".
 */
#ifndef JABIRU_DATETIME_H
#define JABIRU_DATETIME_H

#include <jabiru/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JAB_DATETIME_SIZE 32

/* Reads a DateTime (XEP-0082 3.2), with an offset or "Z", with or without a
 * fraction of a second. Years 1 to 9999. Returns 0 and sets *ms to
 * milliseconds since 1970-01-01 UTC, or JAB_EINVAL. */
JAB_API int jab_datetime_parse(jab_str text, int64_t *ms) JAB_MUST_USE;

/* Writes "2026-03-01T12:00:00Z", or "2026-03-01T12:00:00.250Z" when there are
 * milliseconds, NUL-ended. Returns the length; JAB_EINVAL for what lies
 * outside the years 1 to 9999. */
JAB_API int jab_datetime_format(int64_t ms, char out[JAB_DATETIME_SIZE]) JAB_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
