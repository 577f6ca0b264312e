/*
 * sanitize.h: the only way for text of others to a terminal. XML bars most
 * C0 characters but not C1 (U+009B is CSI), and bidirectional controls can
 * make a line read differently from what it says.
 */
#ifndef JABIRU_APP_SANITIZE_H
#define JABIRU_APP_SANITIZE_H

#include "text.h"

typedef enum app_form {
    APP_LINE,  /* one line for people: a line break is shown as \n */
    APP_BLOCK, /* several lines for people: those after the first are indented */
    APP_TSV,   /* one field of a table for programs: nothing is lost */
    APP_JSON,  /* finished JSON text: what is dangerous becomes \uXXXX, nothing is lost */
} app_form;

/*
 * Appends `text` to `out` in a form that a terminal only shows. Escaped are
 * C0, DEL, C1, bidirectional controls, U+2028/9, and, but in JSON, unassigned
 * code points and bytes that are not UTF-8; in the forms for people, combining
 * marks beyond eight on one character are left out.
 */
void app_clean(app_text *out, jab_str text, app_form form);

#endif
