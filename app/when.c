/* when.c: reads points in time; see when.h. */
#include "when.h"

#include "options.h"
#include <jabiru/datetime.h>
#include <time.h>

/* A whole length with its unit: "2" alone could be seconds or days. */
static int parse_ago(const char *text, int64_t now, int64_t *ms)
{
    int64_t length;
    size_t n = strlen(text);
    if (n < 2 || (text[n - 1] >= '0' && text[n - 1] <= '9') || app_time_parse(text, &length) < 0)
        return -1;
    *ms = now - length;
    return 0;
}

/* mktime() takes 31 February for a day in March: what it made of the day is compared. */
static int parse_local(const char *text, int64_t *ms)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
                                        "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm t = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i], &t);
        if (!end || *end)
            continue;
        int day = t.tm_mday;
        time_t seconds = mktime(&t);
        if (seconds == (time_t)-1 || t.tm_mday != day)
            return -1;
        *ms = (int64_t)seconds * 1000;
        return 0;
    }
    return -1;
}

int app_when_parse(const char *text, int64_t now, int64_t *ms)
{
    if (parse_ago(text, now, ms) == 0 || parse_local(text, ms) == 0)
        return 0;
    return jab_datetime_parse(jab_cstr(text), ms) == 0 ? 0 : -1;
}
