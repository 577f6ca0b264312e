/*
 * auth.h: authentication in the stream: one way to choose, to prove and to
 * fail, and two dialects on the wire: RFC 6120 §6 and XEP-0388.
 */
#ifndef JABI_AUTH_H
#define JABI_AUTH_H

#include "stream/stream.h"

#define JABI_MECHANISMS_MAX 64
#define JABI_BINDINGS_MAX   16
#define JABI_SASL_BYTES_MAX 65536

/* How a log-in would go by what a server offers. */
typedef struct jabi_plan {
    const jabi_sasl_mech *mech; /* NULL: there is no way */
    jabi_sasl_input in;
    int is_sasl2, is_token;
    int error;     /* why there is none: an enum jab_error */
    char why[400]; /* and in words */
} jabi_plan;

/* Makes one from features as they came or as they are remembered. */
void jabi_plan_make(const jabi_stream *str, const jab_xml *features, int is_sasl2, jabi_plan *plan);

/* Whether two plans come to the same first step. */
int jabi_plan_same(const jabi_plan *a, const jabi_plan *b);

/* The floor (login.h): whether the plan keeps to it; else its error is set. */
int jabi_floor_check(const jabi_stream *str, jabi_plan *plan);

/* What was reached is what the next log-in has to reach. */
void jabi_floor_raise(jabi_stream *str);

/* -- Dialects -- */

typedef struct jabi_dialect {
    const char *ns, *first;
    /* What is in the first element; `base64` is absent without an initial response. */
    void (*write_first)(jabi_stream *str, jabi_writer *w, jab_str base64);
    void (*write_response)(jabi_writer *w, jab_str base64);
} jabi_dialect;

extern const jabi_dialect jabi_dialect_sasl1, jabi_dialect_sasl2;

/* Whether the plan by these features can leave ahead of the server's own. */
int jabi_auth_may_go_ahead(jabi_stream *str, int is_sasl2);

/* Begins by str->features. Returns a step. */
int jabi_auth_begin(jabi_stream *str, const jabi_dialect *dialect);

/* <challenge/>. Returns a step. */
int jabi_auth_challenge(jabi_stream *str, const jab_xml *el);

/* The mechanism has succeeded by the server's words, with this element's data or none (NULL):
 * the proof is verified. 0 or < 0 with the fault set. */
int jabi_auth_verify(jabi_stream *str, const jab_xml *data);

/* All is proven: what was learnt is kept. 0 or < 0 with the fault set. */
int jabi_auth_succeed(jabi_stream *str);

/* <failure/>. Returns a step: to choose again, or the fault. */
int jabi_auth_failed(jabi_stream *str, const jab_xml *el);

/* Sends what an exchange answers to `input`; also of a task. Returns a step. */
int jabi_auth_answer(jabi_stream *str, jab_str input);

/* Base64 of an element's text into `data`; *present: there was any. 0, or < 0 with the
 * fault set. */
int jabi_auth_decode(jabi_stream *str, const jab_xml *el, jabi_buf *data, int *present);

void jabi_auth_secret_buf(jabi_stream *str, jabi_buf *b);

/* This side gives up (RFC 6120 §6.4.4). */
int jabi_auth_give_up(jabi_stream *str, int err);

/* -- Inline parts of XEP-0388 -- */

/* bind2.c: XEP-0386. */
int jabi_bind2_is_wanted(const jabi_stream *str);
void jabi_bind2_write(jabi_stream *str, jabi_writer *w);
int jabi_bind2_on_bound(jabi_stream *str, const jab_xml *bound, jab_str identifier);

/* fast.c: XEP-0484. The mechanism of the token at hand, if it serves on this stream. */
const jabi_sasl_mech *jabi_fast_token(const jabi_stream *str, const jab_xml *features,
                                      jabi_sasl_input *in);
/* Whether this token may go into early data on a server with these features. */
int jabi_fast_may_be_early(const jabi_stream *str, const jab_xml *features,
                           const jabi_sasl_mech *mech);
void jabi_fast_write(jabi_stream *str, jabi_writer *w);
int jabi_fast_on_success(jabi_stream *str, const jab_xml *el);

/* upgrade.c: tasks (XEP-0388 §2.6.3, XEP-0480). */
void jabi_upgrade_write(jabi_stream *str, jabi_writer *w);
int jabi_upgrade_on_continue(jabi_stream *str, const jab_xml *el);
int jabi_upgrade_on_data(jabi_stream *str, const jab_xml *el);
void jabi_upgrade_write_response(jabi_writer *w, jab_str base64);

/* plan.c */
const jab_xml *jabi_plan_inline(const jab_xml *features); /* <inline/>, or NULL */
/* What was offered by the dialect in use, in the features' arena. 0 or JAB_ENOMEM. */
int jabi_plan_offer(jabi_stream *str, jabi_sasl_offer *offer);
jab_str jabi_plan_binding(const jabi_stream *str, const char *type); /* its data here */

#endif
