/*
 * options.h: command lines described by tables. The same rows give the
 * parsing, --help and the manual page.
 */
#ifndef JABIRU_APP_OPTIONS_H
#define JABIRU_APP_OPTIONS_H

#include "text.h"

typedef enum app_opt_kind {
    APP_OPT_FLAG,    /* int: how often it was given */
    APP_OPT_TEXT,    /* const char * */
    APP_OPT_LIST,    /* app_list: may be repeated */
    APP_OPT_NUMBER,  /* app_number: an integer between min and max */
    APP_OPT_TIME,    /* app_time: milliseconds, from "5", "0.5", "90s", "2h", "1d" */
    APP_OPT_CHOICE,  /* const char *: one of the words in `arg`, separated by "|" */
    APP_OPT_REFUSED, /* any use is an error, `help` says what to do instead */
} app_opt_kind;

#define APP_LIST_MAX 32
typedef struct app_list {
    const char *v[APP_LIST_MAX];
    int n;
} app_list;

typedef struct app_number {
    int given;
    int value;
} app_number;

typedef struct app_time {
    int given;
    int64_t ms;
} app_time;

/* One option. A table of them ends with a row whose name is NULL. */
typedef struct app_opt {
    const char *name; /* without the dashes */
    char letter;      /* its short form, or 0 */
    app_opt_kind kind;
    size_t at;        /* offset of its value in the struct of values */
    const char *arg;  /* what it is called in the help: "SEC"; NULL for a flag */
    const char *help; /* one sentence without a full stop */
    int min, max;     /* of a number */
    int quiet;        /* 1: in the manual, but not in --help */
} app_opt;

/* A command line being read. Set the first two rows before the first call and
 * tables[1], values[1] once the command is known. */
typedef struct app_parser {
    const app_opt *tables[2]; /* the global options, the command's (or NULL) */
    void *values[2];
    char **argv;
    int argc;
    int at;              /* the argument to be read next */
    int literal;         /* 1 after "--": everything is an operand */
    const char *cluster; /* the rest of "-qv" */
    app_text error;
} app_parser;

/*
 * Stores the options up to the next operand. Returns 1 and sets *operand; 0 at
 * the end; -1 with one line in p->error, which the caller frees.
 */
int app_parse(app_parser *p, const char **operand);

/* Reads "5", "0.5", "250ms", "90s", "5m", "2h" or "1d" into milliseconds; 0, or -1. */
int app_time_parse(const char *text, int64_t *ms);

/* Reads a whole number between min and max; 0, or -1. */
int app_number_parse(const char *text, int min, int max, int *value);

/* Whether `value` is one of the words in "a|b|c". */
int app_is_one_of(const char *words, const char *value);

/* Of the two, the one that is nearer to `word` and near enough for a "did you
 * mean"; `best` may be NULL. Start with *distance = APP_FAR. */
#define APP_FAR 3
const char *app_nearer(const char *word, const char *best, const char *candidate,
                       unsigned *distance);

#endif
