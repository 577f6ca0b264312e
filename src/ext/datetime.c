/* datetime.c: XEP-0082 DateTime, over the proleptic Gregorian calendar. */
#include <jabiru/datetime.h>

#include <stdio.h>

#define MS_DAY    INT64_C(86400000)
#define MS_MINUTE INT64_C(60000)

/* Days since 1970-01-01; March is the first month, so that the leap day is
 * the last day of the year. */
static int64_t days_from(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + days - 719468;
}

static void date_from(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

/* Reads exactly n digits and moves on; -1 when they are not there. */
static int digits(jab_str *text, size_t n)
{
    int value = 0;
    if (text->n < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        char c = text->p[i];
        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
    }
    text->p += n;
    text->n -= n;
    return value;
}

static int skip(jab_str *text, char c)
{
    if (text->n == 0 || text->p[0] != c)
        return 0;
    text->p++;
    text->n--;
    return 1;
}

/* ".25" as milliseconds; digits behind the third do not count. */
static int fraction(jab_str *text)
{
    int ms = 0, weight = 100, n = 0;
    for (; text->n && text->p[0] >= '0' && text->p[0] <= '9'; n++) {
        ms += (text->p[0] - '0') * weight;
        weight /= 10;
        text->p++;
        text->n--;
    }
    return n > 0 ? ms : -1;
}

/* "Z" or "+hh:mm" to the end, in minutes. */
static int zone(jab_str text, int *minutes)
{
    *minutes = 0;
    if (skip(&text, 'Z'))
        return text.n == 0 ? 0 : JAB_EINVAL;
    int sign = skip(&text, '+') ? 1 : skip(&text, '-') ? -1 : 0;
    int hour = digits(&text, 2);
    int colon = skip(&text, ':');
    int minute = digits(&text, 2);
    if (!sign || !colon || hour < 0 || hour > 23 || minute < 0 || minute > 59 || text.n)
        return JAB_EINVAL;
    *minutes = sign * (hour * 60 + minute);
    return 0;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static int read_date(jab_str *text, int64_t *days)
{
    int year = digits(text, 4);
    int ok = skip(text, '-');
    int month = digits(text, 2);
    ok = ok && skip(text, '-');
    int day = digits(text, 2);
    if (!ok || year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return JAB_EINVAL;
    *days = days_from(year, month, day);
    return 0;
}

/* A leap second reads as the second behind it. */
static int read_time(jab_str *text, int64_t *ms)
{
    int hour = digits(text, 2);
    int ok = skip(text, ':');
    int minute = digits(text, 2);
    ok = ok && skip(text, ':');
    int second = digits(text, 2);
    int part = skip(text, '.') ? fraction(text) : 0;
    if (!ok || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 ||
        part < 0)
        return JAB_EINVAL;
    *ms = ((int64_t)hour * 60 + minute) * MS_MINUTE + (int64_t)second * 1000 + part;
    return 0;
}

int jab_datetime_parse(jab_str text, int64_t *ms)
{
    int64_t days, time;
    int offset;
    if (read_date(&text, &days) < 0 || !skip(&text, 'T') || read_time(&text, &time) < 0 ||
        zone(text, &offset) < 0)
        return JAB_EINVAL;
    *ms = days * MS_DAY + time - offset * MS_MINUTE;
    return 0;
}

int jab_datetime_format(int64_t ms, char out[JAB_DATETIME_SIZE])
{
    if (ms < -INT64_C(62135596800000) || ms > INT64_C(253402300799999))
        return JAB_EINVAL;
    int64_t days = ms / MS_DAY - (ms % MS_DAY < 0);
    int rest = (int)(ms - days * MS_DAY);
    int year, month, day;
    date_from(days, &year, &month, &day);
    int n = snprintf(out, JAB_DATETIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
                     rest / 3600000, rest / 60000 % 60, rest / 1000 % 60);
    if (rest % 1000)
        n += snprintf(out + n, JAB_DATETIME_SIZE - (size_t)n, ".%03d", rest % 1000);
    return n + snprintf(out + n, JAB_DATETIME_SIZE - (size_t)n, "Z");
}
