/* server_text.c: memory, growing text, addresses, times and numbers of the model server. */
#include "server_own.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 16000 };

typedef struct srv_chunk {
    struct srv_chunk *before;
    size_t n, room;
    _Alignas(16) char bytes[];
} srv_chunk;

void *srv_realloc(void *p, size_t n)
{
    void *q = realloc(p, n);
    if (!q)
        abort();
    return q;
}

void *srv_alloc(srv_arena *arena, size_t n)
{
    srv_chunk *c = arena->chunk;
    n = (n + 15) & ~(size_t)15;
    if (!c || c->room - c->n < n) {
        size_t room = n > CHUNK ? n : CHUNK;
        srv_chunk *fresh = srv_realloc(NULL, sizeof *fresh + room);
        fresh->before = c;
        fresh->n = 0;
        fresh->room = room;
        arena->chunk = c = fresh;
    }
    void *p = c->bytes + c->n;
    c->n += n;
    return memset(p, 0, n);
}

char *srv_copy(srv_arena *arena, const char *p, size_t n)
{
    char *z = srv_alloc(arena, n + 1);
    if (n)
        memcpy(z, p, n);
    return z;
}

char *srv_dup(srv_arena *arena, const char *z)
{
    return z ? srv_copy(arena, z, strlen(z)) : NULL;
}

void srv_arena_reset(srv_arena *arena)
{
    srv_chunk *c = arena->chunk;
    while (c && c->before) {
        arena->chunk = c->before;
        free(c);
        c = arena->chunk;
    }
    if (c)
        c->n = 0;
}

void srv_arena_free(srv_arena *arena)
{
    srv_arena_reset(arena);
    free(arena->chunk);
    arena->chunk = NULL;
}

void srv_text_free(srv_text *t)
{
    free(t->p);
    *t = (srv_text){0};
}

void srv_add(srv_text *t, const char *p, size_t n)
{
    if (t->room - t->n < n + 1) {
        t->room = (t->n + n + 1) * 2 + 512;
        t->p = srv_realloc(t->p, t->room);
    }
    if (n)
        memcpy(t->p + t->n, p, n);
    t->n += n;
    t->p[t->n] = '\0';
}

void srv_adds(srv_text *t, const char *z)
{
    srv_add(t, z, strlen(z));
}

/* What a byte is written as in text and in attributes; NULL: as itself. */
static const char *escaped(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\'':
        return "&apos;";
    case '"':
        return "&quot;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

void srv_escape(srv_text *t, const char *p, size_t n)
{
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        const char *as = escaped(p[i]);
        if (!as)
            continue;
        srv_add(t, p + from, i - from);
        srv_adds(t, as);
        from = i + 1;
    }
    srv_add(t, p + from, n - from);
}

static void add_number(srv_text *t, uint64_t value)
{
    char digits[20];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    srv_add(t, digits + n, sizeof digits - n);
}

static void add_one(srv_text *t, char kind, va_list *list)
{
    const char *z;
    switch (kind) {
    case 's':
        z = va_arg(*list, const char *);
        srv_escape(t, z ? z : "", z ? strlen(z) : 0);
        break;
    case 'x':
        z = va_arg(*list, const char *);
        srv_adds(t, z ? z : "");
        break;
    default:
        add_number(t, va_arg(*list, uint64_t));
    }
}

void srv_addf(srv_text *t, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    for (const char *at = format; *at;) {
        size_t plain = strcspn(at, "%");
        srv_add(t, at, plain);
        at += plain;
        if (!*at)
            break;
        add_one(t, at[1], &list);
        at += 2;
    }
    va_end(list);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void srv_stamp(char out[32], int64_t ms)
{
    int64_t days = (ms >= 0 ? ms : ms - 86399999) / 86400000;
    unsigned rest = (unsigned)(ms - days * 86400000);
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned of_era = (unsigned)(shifted - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153;
    unsigned day = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    unsigned parts[] = {(unsigned)(era * 400 + year + (month <= 2)) % 10000,
                        month,
                        day,
                        rest / 3600000,
                        rest / 60000 % 60,
                        rest / 1000 % 60,
                        rest % 1000};
    static const char form[] = "0000-11-22T33:44:55.666Z";
    memcpy(out, form, sizeof form);
    for (size_t i = sizeof form - 2; i-- > 0;)
        if (form[i] >= '0' && form[i] <= '6') {
            unsigned *part = &parts[form[i] - '0'];
            out[i] = (char)('0' + *part % 10);
            *part /= 10;
        }
}

/* Exactly n digits at *z, which moves behind them. */
static bool digits(const char **z, unsigned n, unsigned *value)
{
    *value = 0;
    for (; n; n--, (*z)++) {
        if (**z < '0' || **z > '9')
            return false;
        *value = *value * 10 + (unsigned)(**z - '0');
    }
    return true;
}

static bool literal(const char **z, char c)
{
    if (**z != c)
        return false;
    (*z)++;
    return true;
}

/* "Z" or "+01:00" (XEP-0082 §3.2), as milliseconds to subtract. */
static bool zone(const char *z, int64_t *ms)
{
    unsigned hours, minutes;
    *ms = 0;
    if (strcmp(z, "Z") == 0)
        return true;
    char sign = *z;
    if (sign != '+' && sign != '-')
        return false;
    z++;
    if (!digits(&z, 2, &hours) || !literal(&z, ':') || !digits(&z, 2, &minutes) || *z)
        return false;
    *ms = ((int64_t)hours * 60 + minutes) * 60000 * (sign == '+' ? 1 : -1);
    return true;
}

bool srv_stamp_parse(const char *z, int64_t *ms)
{
    unsigned year, month, day, hour, minute, second;
    int64_t fraction = 0, offset;
    if (!z || !digits(&z, 4, &year) || !literal(&z, '-') || !digits(&z, 2, &month) ||
        !literal(&z, '-') || !digits(&z, 2, &day) || !literal(&z, 'T') || !digits(&z, 2, &hour) ||
        !literal(&z, ':') || !digits(&z, 2, &minute) || !literal(&z, ':') ||
        !digits(&z, 2, &second))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60)
        return false;
    if (literal(&z, '.'))
        for (int64_t unit = 100; *z >= '0' && *z <= '9'; z++, unit /= 10)
            fraction += (*z - '0') * unit;
    if (!zone(z, &offset))
        return false;
    int64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *ms = seconds * 1000 + fraction - offset;
    return true;
}

char *srv_bare(srv_arena *arena, const char *jid)
{
    return srv_copy(arena, jid, strcspn(jid, "/"));
}

const char *srv_resource(const char *jid)
{
    const char *slash = strchr(jid, '/');
    return slash ? slash + 1 : NULL;
}

bool srv_same_bare(const char *a, const char *b)
{
    size_t n = strcspn(a, "/");
    return strncmp(a, b, n) == 0 && (b[n] == '\0' || b[n] == '/');
}

bool srv_eq(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static int base64_value(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

char *srv_base64(srv_arena *arena, const char *z, size_t *n)
{
    size_t length = strlen(z);
    char *out = srv_alloc(arena, length + 1);
    unsigned bits = 0, held = 0;
    *n = 0;
    if (length % 4 || length == 0)
        return NULL;
    size_t pad = (z[length - 1] == '=') + (z[length - 2] == '=');
    for (size_t i = 0; i < length - pad; i++) {
        int value = base64_value(z[i]);
        if (value < 0)
            return NULL;
        held = (held << 6 | (unsigned)value) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[(*n)++] = (char)(held >> bits & 0xff);
        }
    }
    return out;
}

bool srv_number(const char *z, uint32_t *value)
{
    uint64_t sum = 0;
    if (!z || !*z || strlen(z) > 10)
        return false;
    for (; *z; z++) {
        if (*z < '0' || *z > '9')
            return false;
        sum = sum * 10 + (uint64_t)(*z - '0');
    }
    *value = (uint32_t)sum;
    return sum <= UINT32_MAX;
}
