/*
 * transcript.h: conversations in readable files, played against a session
 * that has no socket, no clock and no chance. tests/transcripts/README.md says
 * how they are written.
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include <jabiru/jabiru.h>
#include <stdio.h>
#include <stdlib.h>

#define LINES_MAX    2000
#define CAPTURES_MAX 32
#define EVENTS_MAX   512

/* Text that grows; the tools' own memory is not the session's. */
typedef struct text {
    char *p;
    size_t n, cap;
} text;

void text_add(text *t, const char *p, size_t n);
void text_printf(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_free(text *t);

/* The session's memory: counts, and fails the call `fail_at` (0: none). */
typedef struct counted {
    jab_mem mem;
    size_t calls, live, fail_at;
} counted;

typedef struct line {
    char *text; /* owned: "C: <presence/>" */
    const char *file;
    int number;
} line;

typedef struct capture {
    char name[32];
    char value[512];
} capture;

typedef struct play {
    const char *dir;
    line lines[LINES_MAX];
    size_t n_lines;
    const line *at; /* being played */

    counted memory;
    jab_session *s;
    jab_store *store; /* of "CONFIG: store=memory"; its memory is not the session's */
    jab_config cfg;
    text cfg_text[16]; /* what the configuration's strings point to */
    size_t n_cfg_text;
    int64_t now;
    unsigned random;
    size_t split; /* bytes fed at a time; 0: all */

    text sent;               /* by the client, not yet expected */
    text events[EVENTS_MAX]; /* pulled, not yet expected */
    size_t n_events;
    capture captures[CAPTURES_MAX];
    size_t n_captures;
    jab_stanza *kept; /* the last message, for DO: reply */
    jab_message last;
    int cut; /* the script ended the stream */
    int failed;
    char why[2048];
} play;

/* transcript.c */
int play_load(play *p, const char *dir, const char *file); /* 0, or -1 */
int play_run(play *p);                                     /* 1 when all was as written */
void play_free(play *p);                                   /* frees the session, keeps the lines */
void play_unload(play *p);
void play_feed(play *p, const char *bytes, size_t n);
void play_collect(play *p); /* takes output and events from the session */
void play_drop(play *p);    /* forgets what was collected */
void play_fail(play *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
text *play_event(play *p); /* a new event in the list */

/* transcript_events.c: "NAME\nkey=value\n..." */
void event_text(text *t, jab_session *s, const jab_event *ev);
void put_str(text *t, const char *key, jab_str value);
void put_number(text *t, const char *key, long long value);

/* transcript_calls.c: what DO: does; 1 when it returned what was written. */
void play_call(play *p, char *what);

/* Splits "a \"b c\" d=e" in place; returns how many words. */
size_t split_words(char *text, char **words, size_t max);

/* transcript_main.c: one line of TAP. */
void result(int ok, const char *name, const char *how, const char *why);

/* transcript_forged.c: every route with every forged sender. */
void forged_senders(const char *dir);

#endif
