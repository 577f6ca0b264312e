/* fault.c: errors as one line with a next step; see fault.h. */
#include "fault.h"

#include "sanitize.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The next step, by error and, where that tells more, by condition. The first
 * row that fits is taken. */
#define JID "JID" /* stands for the account's address */
static const struct {
    int code;
    const char *condition; /* NULL: any */
    const char *step;
} steps[] = {
    {JAB_EDNS, NULL, "check the part after @, or name the server with --host"},
    {JAB_ECONNECT, NULL,
     "check that the server runs and that no firewall is between, or try --host"},
    {JAB_ETIMEOUT, NULL, "try again, or give it more time with --timeout SEC"},
    {JAB_ECERT, NULL, "name its authority with --ca-file, or its key with --pin, if you trust it"},
    {JAB_ETLS, NULL,
     "check --host and --tls, and whether something between changes the connection"},
    {JAB_ENOTLS, NULL,
     "nothing was sent in the clear; --tls=off goes without TLS on a private network"},
    {JAB_EAUTH, "account-disabled", "ask the operator of the server"},
    {JAB_EAUTH, "temporary-auth-failure", "try again later"},
    {JAB_EAUTH, NULL, "check the address and the password"},
    {JAB_EMECH, NULL, "allow one that the server offers with --mechanism NAME"},
    {JAB_EPROOF, NULL, "do not trust this server with the password: it does not know it"},
    {JAB_ENOSECRET, NULL, "give one with --password-file FILE"},
    {JAB_EREDIRECT, NULL, "name that host with --host if you trust it"},
    {JAB_ESTREAM, "conflict", "another client took this resource; choose another with --resource"},
    {JAB_ESTREAM, "host-unknown", "check the part after @: this server does not serve it"},
    {JAB_ESTREAM, "policy-violation", "the server limits what clients do; try again later"},
    {JAB_ESTREAM, "system-shutdown", "the server stops or restarts; try again later"},
    {JAB_ESTREAM, "resource-constraint", "the server is overloaded; try again later"},
    {JAB_ESTREAM, NULL, "try again; --xml shows what was said"},
    {JAB_EEOF, NULL, "try again; --xml shows what was said"},
    {JAB_EPROTO, NULL, "--xml shows what was said"},
    {JAB_EBADXML, NULL, "--xml shows what was said"},
    {JAB_ETOOBIG, NULL, "--xml shows what was said"},
    {JAB_EJID, NULL, "an address looks like user@domain"},
    {JAB_EXML, NULL, "control characters cannot be sent"},
    {JAB_ELIMIT, NULL, "make it smaller"},
    {JAB_EWEAKER, NULL,
     "somebody on the way may have removed what is better; if you know why, jabiru account set " JID
     " --allow-weaker"},
    {JAB_ESTORE, NULL, "free some space, or keep nothing with --no-store"},
};

static const struct {
    const char *condition, *words;
} bounces[] =
    {
        {"service-unavailable", "no such user, or they block you"},
        {"not-allowed", "they do not take messages from you"},
},
  conditions[] = {
      {"service-unavailable", "nobody there answers that"},
      {"item-not-found", "there is no such address"},
      {"recipient-unavailable", "not online, and nothing is stored for them"},
      {"remote-server-not-found", "that server does not exist"},
      {"remote-server-timeout", "that server cannot be reached"},
      {"not-allowed", "nobody may do this there"},
      {"forbidden", "you may not do this there"},
      {"not-acceptable", "it does not accept this, or you are not in the room"},
      {"registration-required", "only members may enter"},
      {"not-authorized", "a password is needed, or they share nothing with you"},
      {"subscription-required", "they do not share their presence with you"},
      {"conflict", "the name is taken"},
      {"jid-malformed", "not a valid address"},
      {"bad-request", "the request was not understood"},
      {"feature-not-implemented", "it does not know this"},
      {"internal-server-error", "their server has a fault"},
      {"resource-constraint", "too busy or too full"},
      {"policy-violation", "against the rules there"},
      {"gone", "moved or deleted for good"},
      {"redirect", "elsewhere for now"},
      {"unexpected-request", "not now"},
};

static void say(const char *before, const char *format, va_list arguments)
{
    app_text line = {0}, clean = {0};
    char *words = NULL;
    if (vasprintf(&words, format, arguments) < 0)
        words = NULL;
    app_text_z(&line, words ? words : format);
    app_text_z(&clean, before);
    app_clean(&clean, app_text_str(&line), APP_LINE);
    app_text_char(&clean, '\n');
    ssize_t ignored = write(STDERR_FILENO, clean.p, clean.n);
    (void)ignored;
    free(words);
    app_text_free(&line);
    app_text_free(&clean);
}

int app_say(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("jabiru: ", format, arguments);
    va_end(arguments);
    return status;
}

void app_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("", format, arguments);
    va_end(arguments);
}

static const char *step_for(int code, jab_str condition)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i].code == code &&
            (!steps[i].condition || jab_str_is(condition, steps[i].condition)))
            return steps[i].step;
    return "-v tells more";
}

const char *app_fault_step(const jab_fault *fault)
{
    if (fault->code == JAB_ESTORE && fault->stage == JAB_AT_STREAM) /* what is in the vault */
        return "if you know why, jabiru account set " JID " --allow-weaker forgets it";
    return step_for(fault->code, fault->condition);
}

static void put_step(app_text *out, const char *step, jab_str account)
{
    const char *at = strstr(step, JID);
    app_text_add(out, (jab_str){step, at ? (size_t)(at - step) : strlen(step)});
    if (at) {
        app_text_add(out, account);
        app_text_z(out, at + sizeof JID - 1);
    }
}

int app_say_fault(const jab_fault *fault, jab_str account)
{
    jab_str cause = fault->text.n ? fault->text : jab_cstr(jab_strerror(fault->code));
    app_text condition = {0}, step = {0};
    put_step(&step, app_fault_step(fault), account);
    if (fault->condition.n && !memmem(cause.p, cause.n, fault->condition.p, fault->condition.n))
        app_text_fmt(&condition, " (" JAB_FMT ")", JAB_ARG(fault->condition));
    app_say(0, "%s: " JAB_FMT "%s; %s", jab_stage_name(fault->stage), JAB_ARG(cause),
            app_text_str(&condition).p, step.p);
    app_text_free(&condition);
    app_text_free(&step);
    return jab_err_exit(fault->code);
}

int app_say_error(const char *stage, int err)
{
    return app_say(jab_err_exit(err), "%s: %s; %s", stage, jab_strerror(err),
                   step_for(err, (jab_str){0}));
}

static const char *condition_words(jab_str condition, int is_bounce)
{
    for (size_t i = 0; is_bounce && i < sizeof bounces / sizeof bounces[0]; i++)
        if (jab_str_is(condition, bounces[i].condition))
            return bounces[i].words;
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        if (jab_str_is(condition, conditions[i].condition))
            return conditions[i].words;
    return NULL;
}

/* Our words for the condition, then what the other side says itself. */
static int say_error(const char *what, const jab_stanza_error *error, int is_bounce)
{
    const char *words = condition_words(error->condition, is_bounce);
    app_text why = {0};
    if (words)
        app_text_fmt(&why, " (%s)", words);
    if (error->text.n)
        app_text_fmt(&why, ": " JAB_FMT, JAB_ARG(error->text));
    app_say(0, "%s: " JAB_FMT "%s", what, JAB_ARG(error->condition), app_text_str(&why).p);
    app_text_free(&why);
    return APP_REFUSED;
}

int app_say_refusal(const char *what, const jab_stanza_error *refusal)
{
    return say_error(what, refusal, 0);
}

int app_say_bounce(const char *to, const jab_stanza_error *error)
{
    app_text what = {0};
    app_text_fmt(&what, "not delivered to %s", to);
    int status = say_error(what.p, error, 1);
    app_text_free(&what);
    return status;
}
