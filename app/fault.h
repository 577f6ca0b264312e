/*
 * fault.h: what went wrong, in one line: "jabiru: <stage>: <cause>; <next
 * step>" on standard error, and the exit status that goes with it.
 */
#ifndef JABIRU_APP_FAULT_H
#define JABIRU_APP_FAULT_H

#include <jabiru/base.h>
#include <jabiru/stanza.h>

enum {
    APP_OK = 0,
    APP_NOTHING = 1, /* nothing found */
    APP_USAGE = 2,   /* usage, configuration, no secret */
    APP_NETWORK = 4,
    APP_REFUSED = 5,
    APP_TIMEOUT = 7,
    APP_LACKS = 8, /* the server lacks the feature */
    APP_FILE = 9,  /* local file */
};

/* Prints "jabiru: " and the line, made safe for a terminal, to standard error.
 * Returns `status`, so that a caller can say and return in one go. */
int app_say(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As app_say(), without the "jabiru: " before it. */
void app_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says why a session of the account ended, with the next step for that kind of end. */
int app_say_fault(const jab_fault *fault, jab_str account);

/* That next step; static. */
const char *app_fault_step(const jab_fault *fault);

/* Says what an error code means; `stage` as the program calls it. */
int app_say_error(const char *stage, int err);

/* Says that a request was refused: "jabiru: <what>: <condition> (<words>)". */
int app_say_refusal(const char *what, const jab_stanza_error *refusal);

/* Says that a message came back: "jabiru: not delivered to <to>: ...". Both
 * return 5. */
int app_say_bounce(const char *to, const jab_stanza_error *error);

#endif
