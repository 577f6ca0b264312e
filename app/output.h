/*
 * output.h: records to standard output: for people on a terminal, as
 * tab-separated values in a pipe, as one JSON object per line with --json.
 * Every byte for standard output goes through here, and so through sanitize.c.
 */
#ifndef JABIRU_APP_OUTPUT_H
#define JABIRU_APP_OUTPUT_H

#include "sanitize.h"
#include "text.h"
#include <jabiru/stanza.h>
#include <jansson.h>

typedef enum app_out_form { APP_OUT_HUMAN, APP_OUT_TSV, APP_OUT_JSON } app_out_form;

typedef struct app_out {
    int fd;
    app_out_form form;
    int color;
    int kinds;   /* 1: a TSV line begins with the record's type */
    int past;    /* 1: messages are lines of a history, with a date and the key */
    int failure; /* the first error (errno) of writing; nothing is written after it */
    app_text line;
} app_out;

/* One field of a record, for the schema. */
typedef struct app_field {
    const char *name;
    const char *kind; /* "string", "integer", "boolean", "strings", "address", ... */
    const char *help;
} app_field;

/* A kind of record. */
typedef struct app_record {
    const char *type;
    const char *help;
    const char *const *columns; /* paths of the TSV columns, NULL-ended */
    void (*human)(app_out *o, const json_t *record);
    const app_field *fields; /* ended by a NULL name */
} app_record;

/* All kinds, ended by a NULL type. */
extern const app_record app_records[];

/* Chooses the form: `json`, else by whether `fd` is a terminal; `color` is
 * "auto", "always", "never" or NULL. */
void app_out_init(app_out *o, int fd, int json, const char *color);
void app_out_fini(app_out *o);

/* Prints a record and gives it back (the reference is taken). */
void app_out_record(app_out *o, json_t *record);

/* The same in two steps, so that something can be made sure of when nothing is left to do but
 * to write: the first takes the reference. */
void app_out_prepare(app_out *o, json_t *record);
void app_out_flush(app_out *o);

/* Prints a line for people, cleaned. */
void app_out_line(app_out *o, jab_str text);

/* Writes bytes as they are: only for text of the program itself. */
void app_out_plain(app_out *o, jab_str text);

/* The exit status when writing failed, after saying why; else 0. A reader that
 * went away is no news: 141, without a word. */
int app_out_status(app_out *o);

/* -- Records ------------------------------------------------------------------ */

/* Begins {"v":1,"type":type}. */
json_t *app_record_new(const char *type);

/* check.c: a line of jabiru doctor, with the next step below it; and what is for --json only. */
void app_human_check(app_out *o, const json_t *record);
void app_human_nothing(app_out *o, const json_t *record);

/* Sets a text member; an absent string sets none. */
void app_set_text(json_t *record, const char *key, jab_str value);
void app_set_int(json_t *record, const char *key, int64_t value);
void app_set_true(json_t *record, const char *key, int value); /* 0 sets none */

/* Sets {"full":...,"bare":...,"local":...,"domain":...,"resource":...}. */
void app_set_address(json_t *record, const char *key, const jab_jid *jid);

/* Sets "2026-03-01T12:00:00.250Z". */
void app_set_time(json_t *record, const char *key, int64_t ms);

/* Sets {"condition":...,"type":...,"text":...} under "error". */
void app_set_error(json_t *record, const jab_stanza_error *error);

/* What stands at a path such as "from.bare"; NULL when nothing does. */
const json_t *app_at(const json_t *record, const char *path);

/* The text at a path; absent when there is none. */
jab_str app_text_at(const json_t *record, const char *path);

#endif
