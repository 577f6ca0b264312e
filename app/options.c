/* options.c: reads command lines by tables; see options.h. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>

#define WORD_MAX 32 /* words longer than this get no "did you mean" */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance, with a swap of neighbours counted as one. */
static unsigned distance_of(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 1];
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > WORD_MAX || b_length > WORD_MAX)
        return APP_FAR;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3], *swap = rows[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned change = before[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = min3(change, before[j] + 1, now[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = min3(now[j], swap[j - 2] + 1, now[j]);
        }
    }
    return rows[a_length % 3][b_length];
}

const char *app_nearer(const char *word, const char *best, const char *candidate,
                       unsigned *distance)
{
    unsigned d = distance_of(word, candidate);
    if (d >= *distance || d >= strlen(word))
        return best;
    *distance = d;
    return candidate;
}

int app_number_parse(const char *text, int min, int max, int *value)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < min || n > max)
        return -1;
    *value = (int)n;
    return 0;
}

int app_time_parse(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
    char *end;
    if (*text < '0' || *text > '9')
        return -1;
    double n = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].unit) != 0)
            continue;
        if (!(n * units[i].ms < 1e13))
            return -1;
        *ms = (int64_t)(n * units[i].ms);
        return 0;
    }
    return -1;
}

static int fail(app_parser *p, const app_opt *opt, const char *value, const char *words)
{
    app_text_fmt(&p->error, "--%s %s: %s", opt->name, value, words);
    return -1;
}

static int store_text(app_parser *p, const app_opt *opt, void *at, const char *value)
{
    (void)p;
    (void)opt;
    *(const char **)at = value;
    return 0;
}

static int store_list(app_parser *p, const app_opt *opt, void *at, const char *value)
{
    app_list *list = at;
    if (list->n == APP_LIST_MAX)
        return fail(p, opt, value, "given too often");
    list->v[list->n++] = value;
    return 0;
}

static int store_number(app_parser *p, const app_opt *opt, void *at, const char *value)
{
    app_number *number = at;
    if (app_number_parse(value, opt->min, opt->max, &number->value) < 0) {
        app_text_fmt(&p->error, "--%s %s: a number from %d to %d is wanted", opt->name, value,
                     opt->min, opt->max);
        return -1;
    }
    number->given = 1;
    return 0;
}

static int store_time(app_parser *p, const app_opt *opt, void *at, const char *value)
{
    app_time *time = at;
    if (app_time_parse(value, &time->ms) < 0)
        return fail(p, opt, value, "a time is wanted: 5, 0.5, 90s, 10m, 2h or 1d");
    time->given = 1;
    return 0;
}

int app_is_one_of(const char *words, const char *value)
{
    size_t n = strlen(value);
    if (n == 0 || strchr(value, '|'))
        return 0;
    for (const char *word = words; word; word = strchr(word, '|')) {
        word += *word == '|';
        if (strncmp(word, value, n) == 0 && (word[n] == '|' || word[n] == '\0'))
            return 1;
    }
    return 0;
}

static int store_choice(app_parser *p, const app_opt *opt, void *at, const char *value)
{
    if (app_is_one_of(opt->arg, value))
        return store_text(p, opt, at, value);
    app_text_fmt(&p->error, "--%s %s: one of %s is wanted", opt->name, value, opt->arg);
    return -1;
}

static int (*const stores[])(app_parser *, const app_opt *, void *, const char *) = {
    [APP_OPT_TEXT] = store_text, [APP_OPT_LIST] = store_list,     [APP_OPT_NUMBER] = store_number,
    [APP_OPT_TIME] = store_time, [APP_OPT_CHOICE] = store_choice,
};

/* Finds an option by its long name (n bytes), or by its letter when name is
 * NULL, in the command's table first. */
static const app_opt *find(const app_parser *p, const char *name, size_t n, char letter,
                           void **values)
{
    for (int t = 1; t >= 0; t--) {
        for (const app_opt *opt = p->tables[t]; opt && opt->name; opt++) {
            int same = name ? strlen(opt->name) == n && strncmp(opt->name, name, n) == 0
                            : opt->letter == letter;
            if (!same)
                continue;
            *values = p->values[t];
            return opt;
        }
    }
    return NULL;
}

static int unknown_long(app_parser *p, const char *name, size_t n)
{
    char word[WORD_MAX + 1];
    const char *best = NULL;
    unsigned distance = APP_FAR;
    app_text_fmt(&p->error, "unknown option --%.*s", (int)n, name);
    if (n > WORD_MAX)
        return -1;
    memcpy(word, name, n);
    word[n] = '\0';
    for (int t = 0; t < 2; t++)
        for (const app_opt *opt = p->tables[t]; opt && opt->name; opt++)
            best = app_nearer(word, best, opt->name, &distance);
    if (best)
        app_text_fmt(&p->error, "; did you mean --%s?", best);
    return -1;
}

/* The value of an option that stands in the next argument. */
static const char *next_value(app_parser *p, const app_opt *opt)
{
    if (p->at < p->argc)
        return p->argv[p->at++];
    app_text_fmt(&p->error, "--%s needs a value: %s", opt->name, opt->arg);
    return NULL;
}

static int take(app_parser *p, const app_opt *opt, void *values, const char *value)
{
    void *at = (char *)values + opt->at;
    if (opt->kind == APP_OPT_REFUSED) {
        app_text_z(&p->error, opt->help);
        return -1;
    }
    if (opt->kind == APP_OPT_FLAG) {
        if (value)
            return fail(p, opt, value, "this option takes no value");
        ++*(int *)at;
        return 0;
    }
    if (!value && !(value = next_value(p, opt)))
        return -1;
    return stores[opt->kind](p, opt, at, value);
}

static int take_long(app_parser *p, const char *name)
{
    void *values;
    size_t n = strcspn(name, "=");
    const app_opt *opt = find(p, name, n, 0, &values);
    if (!opt)
        return unknown_long(p, name, n);
    return take(p, opt, values, name[n] ? name + n + 1 : NULL);
}

/* One letter of a cluster: "-vj me@example.org" and "-jme@example.org" both work. */
static int take_letter(app_parser *p)
{
    void *values;
    char letter = *p->cluster++;
    const char *rest = *p->cluster ? p->cluster : NULL;
    const app_opt *opt = find(p, NULL, 0, letter, &values);
    if (!opt) {
        app_text_fmt(&p->error, "unknown option -%c", letter);
        return -1;
    }
    if (opt->kind == APP_OPT_FLAG) {
        p->cluster = rest;
        return take(p, opt, values, NULL);
    }
    p->cluster = NULL;
    return take(p, opt, values, rest);
}

int app_parse(app_parser *p, const char **operand)
{
    for (;;) {
        int result = 0;
        if (p->cluster) {
            result = take_letter(p);
        } else if (p->at >= p->argc) {
            return 0;
        } else {
            const char *word = p->argv[p->at++];
            if (p->literal || word[0] != '-' || word[1] == '\0') {
                *operand = word;
                return 1;
            }
            if (strcmp(word, "--") == 0)
                p->literal = 1;
            else if (word[1] == '-')
                result = take_long(p, word + 2);
            else
                p->cluster = word + 1;
        }
        if (result < 0)
            return -1;
    }
}
