/* auth.c: a mechanism's exchange in the stream, whatever the dialect: it is
 * begun, answered, verified, and what it taught is kept (RFC 6120 §6.4). */
#include "stream/auth.h"

#include "base/base64.h"
#include "base/check.h"

#include <stdio.h>

void jabi_auth_secret_buf(jabi_stream *str, jabi_buf *b)
{
    jabi_buf_init(b, str->mem, JABI_SASL_BYTES_MAX);
    b->secret = 1;
}

static int fault_of(jabi_stream *str, int err)
{
    const char *words = str->sasl && str->sasl->error[0] ? str->sasl->error : jab_strerror(err);
    return jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", words);
}

static void drop_exchange(jabi_stream *str)
{
    jabi_sasl_free(str->sasl);
    str->sasl = NULL;
}

int jabi_auth_give_up(jabi_stream *str, int err)
{
    (void)fault_of(str, err);
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    jabi_writer_start(&w, jab_cstr(str->auth.dialect->ns), JAB_STR("abort"));
    (void)jabi_stream_write_end(str, &w, mark, NULL);
    jabi_stream_close(str);
    drop_exchange(str);
    return err;
}

/* -- What this side sends --------------------------------------------------------- */

static void begin_text(const jabi_stream *str, jabi_buf *text, jab_str data)
{
    jabi_buf_init(text, str->mem, 2 * JABI_SASL_BYTES_MAX);
    text->secret = 1;
    jabi_base64_encode(text, data.p, data.n);
}

static int end_text(jabi_stream *str, jabi_buf *text, jabi_writer *w, size_t mark,
                    const char *shown)
{
    int err = text->error;
    jabi_buf_fini(text);
    if (err >= 0)
        return jabi_stream_write_end(str, w, mark, shown);
    str->out.n = mark; /* half of a proof is none */
    return jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", jab_strerror(err));
}

static int write_response(jabi_stream *str, jab_str data)
{
    jabi_buf text;
    jabi_writer w;
    size_t mark;
    begin_text(str, &text, data);
    jabi_stream_write(str, &w, &mark);
    if (str->auth.task_asked)
        jabi_upgrade_write_response(&w, jabi_buf_str(&text));
    else
        str->auth.dialect->write_response(&w, jabi_buf_str(&text));
    return end_text(str, &text, &w, mark, "<response>[...]</response>");
}

static int write_first(jabi_stream *str, int has_data, jab_str data)
{
    const jabi_dialect *dialect = str->auth.dialect;
    jabi_buf text;
    jabi_writer w;
    size_t mark;
    char shown[96];
    begin_text(str, &text, data);
    jabi_stream_write(str, &w, &mark);
    jabi_writer_start(&w, jab_cstr(dialect->ns), jab_cstr(dialect->first));
    jabi_writer_attr(&w, JAB_STR("mechanism"), jab_cstr(str->mechanism));
    dialect->write_first(str, &w, has_data ? jabi_buf_str(&text) : (jab_str){NULL, 0});
    snprintf(shown, sizeof shown, "<%s mechanism='%s'>[...]</%s>", dialect->first, str->mechanism,
             dialect->first);
    int err = end_text(str, &text, &w, mark, shown);
    return err < 0 ? err : JABI_STEP_WAIT;
}

/* Sends what a step left in `data`, or goes on computing. */
static int after_step(jabi_stream *str, int code, jabi_buf *data)
{
    if (code < 0)
        return jabi_auth_give_up(str, code);
    if (code == JABI_SASL_WORK)
        return JABI_STEP_WORK;
    int err = write_response(str, jabi_buf_str(data));
    return err < 0 ? err : JABI_STEP_WAIT;
}

static int start_exchange(jabi_stream *str)
{
    jabi_buf data;
    jabi_auth_secret_buf(str, &data);
    int has_initial = 1;
    int code = jabi_sasl_start(str->sasl, &data, &has_initial);
    int step = code < 0 ? jabi_auth_give_up(str, code)
                        : write_first(str, has_initial, jabi_buf_str(&data));
    jabi_buf_fini(&data);
    return step;
}

static int set_offer(jabi_stream *str)
{
    jabi_sasl_offer offer;
    int err = jabi_plan_offer(str, &offer);
    if (err < 0)
        return jabi_auth_give_up(str, err);
    jabi_sasl_set_offer(str->sasl, &offer);
    return 0;
}

int jabi_auth_begin(jabi_stream *str, const jabi_dialect *dialect)
{
    jabi_auth *auth = &str->auth;
    jabi_plan plan;
    jabi_plan_make(str, str->features, dialect == &jabi_dialect_sasl2, &plan);
    if (!plan.mech) {
        jabi_stream_close(str);
        return jabi_stream_fault(str, plan.error, JAB_AT_SASL, NULL, "%s", plan.why);
    }
    drop_exchange(str);
    int err = jabi_sasl_new(&str->sasl, str->mem, plan.mech, &plan.in, str->sasl_cache);
    if (err < 0)
        return jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", jab_strerror(err));
    auth->dialect = dialect;
    auth->is_token = plan.is_token;
    auth->has_keys = plan.in.n_keys > 0 && plan.mech->needs_password;
    auth->proven = auth->task_asked = 0;
    auth->asked_upgrades = 0;
    str->mechanism = plan.mech->name;
    str->channel_binding =
        plan.mech->binds_channel || plan.mech->binding ? plan.in.cb_type.p : NULL;
    return start_exchange(str);
}

int jabi_auth_may_go_ahead(jabi_stream *str, int is_sasl2)
{
    jabi_plan plan;
    jabi_sasl *trial = NULL;
    jabi_plan_make(str, str->features, is_sasl2, &plan);
    int may = plan.mech && jabi_sasl_new(&trial, str->mem, plan.mech, &plan.in, NULL) >= 0;
    jabi_sasl_free(trial);
    return may;
}

/* -- What the server says --------------------------------------------------------- */

int jabi_auth_decode(jabi_stream *str, const jab_xml *el, jabi_buf *data, int *present)
{
    jab_str text = jab_xml_text(el);
    *present = text.n > 0;
    /* RFC 6120 §6.4.3: "=" for data that is there but empty. */
    if (jab_str_is(text, "="))
        return 0;
    int err = jabi_base64_decode(data, text);
    if (err == JAB_EPROTO)
        return jabi_stream_broken(str, "bad-format", "sent SASL data that is not base64");
    if (err == JAB_ELIMIT)
        return jabi_stream_broken(str, "policy-violation", "sent too much SASL data");
    return err < 0 ? jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", jab_strerror(err)) : 0;
}

int jabi_auth_answer(jabi_stream *str, jab_str input)
{
    jabi_buf data;
    jabi_auth_secret_buf(str, &data);
    int code = jabi_sasl_step(str->sasl, input, &data);
    int step = after_step(str, code, &data);
    jabi_buf_fini(&data);
    return step;
}

int jabi_auth_challenge(jabi_stream *str, const jab_xml *el)
{
    jabi_buf data;
    jabi_auth_secret_buf(str, &data);
    int present;
    int step = jabi_auth_decode(str, el, &data, &present);
    if (step >= 0)
        step = set_offer(str);
    if (step >= 0)
        step = jabi_auth_answer(str, jabi_buf_str(&data));
    jabi_buf_fini(&data);
    return step;
}

int jabi_auth_work(jabi_stream *str)
{
    jabi_buf data;
    jabi_auth_secret_buf(str, &data);
    int code = jabi_sasl_work(str->sasl, &data);
    int step = after_step(str, code, &data);
    jabi_buf_fini(&data);
    return step;
}

int jabi_auth_verify(jabi_stream *str, const jab_xml *el)
{
    jabi_buf data;
    jabi_auth_secret_buf(str, &data);
    int present = 0, err = el ? jabi_auth_decode(str, el, &data, &present) : 0;
    if (err >= 0) {
        jab_str view = present ? jabi_buf_str(&data) : (jab_str){NULL, 0};
        err = jabi_sasl_success(str->sasl, view);
        if (err < 0) {
            jabi_stream_close(str);
            (void)fault_of(str, err);
        }
    }
    jabi_buf_fini(&data);
    if (err < 0)
        return err;
    str->auth.proven = 1;
    if (str->sasl->learnt.iterations)
        jabi_memory_learn(&str->memory, &str->sasl->learnt);
    jabi_floor_raise(str);
    return 0;
}

int jabi_auth_succeed(jabi_stream *str)
{
    drop_exchange(str);
    str->state |= JABI_AUTHENTICATED;
    if (str->auth.is_token)
        str->state |= JABI_BY_TOKEN;
    int err = jabi_ahead_remember(str, JABI_MEMORY_BEFORE);
    if (err >= 0)
        err = jabi_memory_save(&str->memory);
    if (err < 0)
        return jabi_stream_fault(str, err, JAB_AT_SASL, NULL,
                                 "what the next log-in needs could not be kept: %s",
                                 jab_strerror(err));
    return 0;
}

/* -- Failure ---------------------------------------------------------------------- */

/* RFC 6120 §6.5: what the server's refusals mean to a user. */
static const struct {
    const char *condition, *words;
} refusals[] = {
    {"account-disabled", "the account is disabled"},
    {"credentials-expired", "the password has expired"},
    {"encryption-required", "the server wants encryption for this mechanism"},
    {"invalid-authzid", "the account may not act in that name"},
    {"mechanism-too-weak", "the server wants a stronger mechanism"},
    {"not-authorized", "wrong user name or password"},
    {"temporary-auth-failure", "the server cannot check passwords at the moment"},
};

static int refused(jabi_stream *str, const jab_xml *el)
{
    jab_str condition = jabi_condition_of(el, JABI_NS_SASL);
    const char *words = "the server refused the log-in", *name = "undefined-condition";
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (jab_str_is(condition, refusals[i].condition)) {
            name = refusals[i].condition;
            words = refusals[i].words;
        }
    }
    if (str->sasl->error[0]) /* RFC 7628 §3.2.2: it was said in a challenge */
        words = str->sasl->error;
    char other[64];
    if (condition.p && condition.n < sizeof other && strcmp(name, "undefined-condition") == 0) {
        snprintf(other, sizeof other, JAB_FMT, JAB_ARG(condition));
        name = other;
    }
    jab_str text = jab_xml_text(jab_xml_child(el, str->auth.dialect->ns, "text"));
    jabi_stream_close(str);
    jab_str who = str->account.local.p ? str->account.bare : str->account.domain;
    return jabi_stream_fault(str, JAB_EAUTH, JAB_AT_SASL, name, "%s for " JAB_FMT " (%s)%s" JAB_FMT,
                             words, JAB_ARG(who), name, text.n ? ": " : "", (int)text.n,
                             text.n ? text.p : "");
}

/* XEP-0484 §4.1: a token that is refused is thrown away, and the password serves. */
static int without_token(jabi_stream *str)
{
    jabi_memory_drop_token(&str->memory);
    str->auth.tokens_off = 1;
    int err = jabi_memory_save(&str->memory);
    return err < 0 ? jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", jab_strerror(err))
                   : JABI_STEP_AGAIN;
}

/* The password was changed: keys of the old one open nothing. */
static int without_keys(jabi_stream *str)
{
    jabi_memory_drop_keys(&str->memory);
    jabi_memory_rest(&str->memory);
    jabi_stream_close(str);
    return jabi_stream_fault(str, JAB_ENOSECRET, JAB_AT_SASL, "not-authorized",
                             "the server does not accept what was kept in place of the password "
                             "of " JAB_FMT ": the password is needed",
                             JAB_ARG(str->account.bare));
}

/* COMPAT: mod_sasl2 of prosody-modules takes no mechanism any more on a stream where it has
 * refused one, be that the one that it offers. */
static int needs_anew(const jabi_auth *auth, jab_str condition)
{
    return (auth->tokens_off || auth->retried) && jab_str_is(condition, "invalid-mechanism");
}

static int begin_anew(jabi_stream *str, const jab_xml *el)
{
    int err = 0;
    if (str->auth.retried) /* the next stream is not to go ahead by the same offer */
        err = jabi_memory_set(&str->memory, JABI_MEMORY_BEFORE, (jab_str){NULL, 0});
    if (err >= 0)
        err = jabi_memory_save(&str->memory);
    str->auth.needs_anew = err >= 0;
    return refused(str, el);
}

static int after_failure(jabi_stream *str, const jab_xml *el)
{
    jabi_auth *auth = &str->auth;
    jab_str condition = jabi_condition_of(el, JABI_NS_SASL);
    int is_other = str->is_stale || jab_xml_child(el, JABI_NS_IAP, "config-version-mismatch");
    int proven = auth->proven;
    if (str->went_ahead && is_other && !auth->retried && !proven) {
        auth->retried = 1;
        return JABI_STEP_AGAIN;
    }
    if (auth->is_token && !proven && !jab_str_is(condition, "temporary-auth-failure"))
        return without_token(str);
    if (auth->has_keys && !proven && jab_str_is(condition, "not-authorized"))
        return without_keys(str);
    if (needs_anew(auth, condition))
        return begin_anew(str, el);
    return refused(str, el);
}

int jabi_auth_failed(jabi_stream *str, const jab_xml *el)
{
    int step = after_failure(str, el);
    drop_exchange(str);
    return step;
}
