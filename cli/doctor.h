/* doctor.h: what the files of jabiru doctor share: lines of a report. */
#ifndef JABIRU_CLI_DOCTOR_H
#define JABIRU_CLI_DOCTOR_H

#include "cli.h"
#include <jabiru/probe.h>

typedef struct doctor {
    cli *c;
    int all;           /* --all-endpoints */
    int names_account; /* to the server, before the log-in */
    int is_usable;     /* a log-in makes sense */
    int has_said;      /* why the session ended: the line is printed */
    int status;        /* of the first line that decides it */
} doctor;

typedef enum doctor_state {
    DOCTOR_OK,   /* ✓ */
    DOCTOR_NOTE, /* !: works, but not as well as it could */
    DOCTOR_BAD,  /* ✗ */
} doctor_state;

/* One line of the report, built in a record; what is set in it beside goes to --json. */
typedef struct doctor_line {
    doctor_state state;
    const char *check; /* "TLS" */
    app_text text;
    const char *next; /* the next step, for what is not well; or NULL */
    int code;         /* with DOCTOR_BAD: an enum jab_error that ends the command; 0: it does not */
    json_t *facts;    /* members for the record, or NULL; taken */
} doctor_line;

/* Raises the line's state and sets its next step, unless it is as bad already. */
void doctor_worse(doctor_line *line, doctor_state state, const char *next);

/* Prints a line and frees its text. */
void doctor_print(doctor *d, doctor_line *line);

/* -- doctor_server.c: before the log-in -------------------------------------------------- */

/* Prints what a probe found. */
void doctor_server(doctor *d, const jab_probe_report *report);

/* -- doctor_sasl.c ------------------------------------------------------------------------ */

/* Prints what a stream offers at the address. */
void doctor_offer(doctor *d, const jab_probe_address *a);

/* -- doctor_records.c ---------------------------------------------------------------------- */

/* Prints it all with --json, and nothing otherwise. */
void doctor_records(doctor *d, const jab_probe_report *report);

/* Whole days until a certificate expires; below zero when it has. */
int64_t doctor_days_left(const jab_probe_cert *cert);

/* "1.3" */
jab_str doctor_tls_word(int version);

/* -- doctor_login.c ----------------------------------------------------------------------- */

extern const jab_ext doctor_ext; /* by which the features of the stream can be asked for */

/* Logs in and prints what there is for the account. An exit status. */
int doctor_login(doctor *d);

#endif
