/* when.h: points in time as people write them. */
#ifndef JABIRU_APP_WHEN_H
#define JABIRU_APP_WHEN_H

#include <jabiru/base.h>

/*
 * Reads "2d", "12h", "30m" or "90s", which count back from `now`; "2026-11-02",
 * the day's beginning; "2026-11-02 14:03" or "2026-11-02T14:03:05", of this
 * machine's time zone; and what has an offset ("...Z"). ms since 1970: 0 and
 * *ms, or -1.
 */
int app_when_parse(const char *text, int64_t now, int64_t *ms);

#endif
