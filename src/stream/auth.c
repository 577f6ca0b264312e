/* auth.c: SASL in the stream (RFC 6120 §6): choosing a mechanism and a channel
 * binding, and carrying the mechanism's bytes in XML. */
#include "stream/stream.h"

#include "base/base64.h"
#include "base/check.h"

#include <stdio.h>
#include <strings.h>

#define MECHANISMS_MAX 64
#define SASL_BYTES_MAX 65536

static jabi_sasl_input input_for(const jabi_stream *str)
{
    const jab_config *cfg = str->cfg;
    return (jabi_sasl_input){
        .username = str->account.local,
        .password = cfg->password,
        .authzid = cfg->authzid,
        .domain = str->account.domain,
        .random = cfg->random,
        .random_arg = cfg->random_arg,
        .min_iterations = 4096,
        .max_iterations = cfg->max_scram_iterations,
        .has_client_cert = str->tls.has_client_cert,
    };
}

static int ends_in_plus(jab_str s)
{
    return s.n > 5 && memcmp(s.p + s.n - 5, "-PLUS", 5) == 0;
}

static size_t read_offer(const jab_xml *offer, jab_str names[MECHANISMS_MAX])
{
    size_t n = 0;
    const jab_xml *el = jab_xml_child(offer, JABI_NS_SASL, "mechanism");
    for (; el && n < MECHANISMS_MAX; el = jab_xml_next_named(el, JABI_NS_SASL, "mechanism"))
        names[n++] = jab_xml_text(el);
    return n;
}

/* The channel bindings that this connection can give, best first. */
typedef struct binding_row {
    const char *type;
    size_t offset; /* of its data in jab_tls_info */
    int below_13;  /* RFC 9266 §3: not to be used on TLS 1.3 */
} binding_row;

static const binding_row bindings[] = {
    {"tls-exporter", offsetof(jab_tls_info, exporter), 0},
    {"tls-unique", offsetof(jab_tls_info, unique), 1},
    {"tls-server-end-point", offsetof(jab_tls_info, end_point), 0},
};

static jab_str binding_data(const jabi_stream *str, const binding_row *row)
{
    jab_str data;
    memcpy(&data, (const char *)&str->tls + row->offset, sizeof data);
    return row->below_13 && str->tls.version >= 13 ? (jab_str){NULL, 0} : data;
}

static int is_listed(const jab_xml *list, const char *type)
{
    const jab_xml *el = jab_xml_child(list, JABI_NS_SASL_CB, "channel-binding");
    for (; el; el = jab_xml_next_named(el, JABI_NS_SASL_CB, "channel-binding"))
        if (jab_str_is(jab_xml_attr(el, "type"), type))
            return 1;
    return 0;
}

/*
 * Without XEP-0440 the server's bindings are a guess: tls-unique below TLS
 * 1.3, where RFC 5802 §6 makes it the default. On 1.3 none is chosen unless
 * the account names a -PLUS mechanism.
 * COMPAT: ejabberd before 24.02 offers -PLUS on TLS 1.3 and then fails
 * tls-exporter as a wrong password.
 */
static int is_usable(const jabi_stream *str, const jab_xml *list, const binding_row *row, int named)
{
    if (!binding_data(str, row).p)
        return 0;
    if (list)
        return is_listed(list, row->type);
    return row->below_13 || (named && str->tls.version >= 13);
}

/* People type names in any case. */
static int account_names_plus(jab_str allowed)
{
    for (size_t i = 0; i + 5 <= allowed.n; i++)
        if (strncasecmp(allowed.p + i, "-PLUS", 5) == 0)
            return 1;
    return 0;
}

/* Whether the account names mechanisms, and none with channel binding. */
static int account_goes_without(jab_str allowed)
{
    size_t i = 0;
    while (i < allowed.n && strchr(" \t\r\n", allowed.p[i]))
        i++;
    return i < allowed.n && !account_names_plus(allowed);
}

/* The server's list of channel bindings; NULL when it names none. */
static const jab_xml *announced_bindings(const jabi_stream *str)
{
    const jab_xml *list = jab_xml_child(str->features, JABI_NS_SASL_CB, "sasl-channel-binding");
    return jab_xml_child(list, JABI_NS_SASL_CB, "channel-binding") ? list : NULL;
}

static int can_bind(const jabi_stream *str)
{
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        if (binding_data(str, &bindings[i]).p)
            return 1;
    return 0;
}

static void choose_binding(const jabi_stream *str, jabi_sasl_input *in, int server_has_plus)
{
    const jab_xml *list = announced_bindings(str);
    int named = account_names_plus(str->cfg->mechanisms);
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++) {
        if (in->cb_type.p || !server_has_plus || !is_usable(str, list, &bindings[i], named))
            continue;
        in->cb_type = jab_cstr(bindings[i].type);
        in->cb_data = binding_data(str, &bindings[i]);
    }
    /* XEP-0440 §3: "y" only where the server showed no sign of -PLUS at all,
     * so that a server whose offer was stripped notices. */
    in->cb_supported = can_bind(str) && !server_has_plus && !list;
}

/* XEP-0440 §3: bindings without a mechanism for them, or none that is known
 * and not even the one that every server has: somebody in between removed the
 * rest, and neither "y" nor "n" would tell. Not for an account that goes
 * without by its own word. */
static int binding_was_stripped(const jabi_stream *str, const jabi_sasl_input *in,
                                const jabi_sasl_mech *mech, int server_has_plus)
{
    const jab_xml *list = announced_bindings(str);
    int wanted = mech->strength > 0 && !mech->binds_channel && can_bind(str) &&
                 !account_goes_without(str->cfg->mechanisms);
    return wanted && list && !in->cb_type.p &&
           (!server_has_plus || !is_listed(list, "tls-server-end-point"));
}

static int write_auth(jabi_stream *str, const char *name, int has_data, jab_str data)
{
    int is_first = strcmp(name, "auth") == 0;
    jabi_buf text;
    jabi_buf_init(&text, str->mem, 2 * SASL_BYTES_MAX);
    text.secret = 1;
    /* RFC 6120 §6.4.2: an empty initial response is "=". */
    if (has_data && data.n == 0 && is_first)
        jabi_buf_add_char(&text, '=');
    else if (has_data)
        jabi_base64_encode(&text, data.p, data.n);
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    jabi_writer_start(&w, JAB_STR(JABI_NS_SASL), jab_cstr(name));
    if (is_first)
        jabi_writer_attr(&w, JAB_STR("mechanism"), jab_cstr(str->mechanism));
    jabi_writer_text(&w, jabi_buf_str(&text));
    int err = text.error;
    jabi_buf_fini(&text);
    char shown[80] = "<response>[...]</response>";
    if (is_first)
        snprintf(shown, sizeof shown, "<auth mechanism='%s'>[...]</auth>", str->mechanism);
    if (err >= 0)
        return jabi_stream_write_end(str, &w, mark, shown);
    str->out.n = mark; /* half of a proof is none */
    return jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", jab_strerror(err));
}

/* RFC 6120 §6.4.4: this side gives up. */
static int give_up(jabi_stream *str, int err)
{
    const char *words = str->sasl && str->sasl->error[0] ? str->sasl->error : jab_strerror(err);
    char text[200];
    snprintf(text, sizeof text, "%s", words);
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    jabi_writer_start(&w, JAB_STR(JABI_NS_SASL), JAB_STR("abort"));
    (void)jabi_stream_write_end(str, &w, mark, NULL);
    jabi_stream_close(str);
    jabi_sasl_free(str->sasl);
    str->sasl = NULL;
    return jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", text);
}

/* Sends what a step left in `data`, or goes on computing. */
static int after_mechanism(jabi_stream *str, int code, const char *name, int has_data,
                           jabi_buf *data)
{
    if (code < 0)
        return give_up(str, code);
    if (code == JABI_SASL_WORK)
        return JABI_STEP_WORK;
    int err = write_auth(str, name, has_data, jabi_buf_str(data));
    return err < 0 ? err : JABI_STEP_WAIT;
}

static void secret_buf(jabi_stream *str, jabi_buf *b)
{
    jabi_buf_init(b, str->mem, SASL_BYTES_MAX);
    b->secret = 1;
}

static int start_mechanism(jabi_stream *str, const jabi_sasl_mech *mech, const jabi_sasl_input *in)
{
    jabi_sasl_free(str->sasl);
    str->sasl = NULL;
    int err = jabi_sasl_new(&str->sasl, str->mem, mech, in, str->sasl_cache);
    if (err < 0)
        return jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", jab_strerror(err));
    str->mechanism = mech->name;
    str->channel_binding = mech->binds_channel ? in->cb_type.p : NULL;
    jabi_buf data;
    secret_buf(str, &data);
    int has_initial = 1;
    int code = jabi_sasl_start(str->sasl, &data, &has_initial);
    int step = after_mechanism(str, code, "auth", has_initial, &data);
    jabi_buf_fini(&data);
    return step;
}

static int begin(jabi_stream *str, const jab_xml *offer)
{
    jab_str names[MECHANISMS_MAX];
    size_t n = read_offer(offer, names);
    int server_has_plus = 0;
    for (size_t i = 0; i < n; i++)
        server_has_plus |= ends_in_plus(names[i]);
    jabi_sasl_input in = input_for(str);
    choose_binding(str, &in, server_has_plus);
    char why[256] = "";
    const jabi_sasl_mech *mech =
        jabi_sasl_choose(names, n, str->cfg->mechanisms, &in, why, sizeof why);
    if (!mech) {
        jabi_stream_close(str);
        return jabi_stream_fault(str, JAB_EMECH, JAB_AT_SASL, NULL, "%s", why);
    }
    if (!JAB_CHECK(BINDING_STRIPPED, !binding_was_stripped(str, &in, mech, server_has_plus))) {
        jabi_stream_close(str);
        return jabi_stream_fault(str, JAB_EMECH, JAB_AT_SASL, NULL,
                                 "the server " JAB_FMT " announces channel binding and offers "
                                 "none that is usable: someone in between may have removed it",
                                 JAB_ARG(str->account.domain));
    }
    if (!jabi_stream_may_send_secret(str)) {
        jabi_stream_close(str);
        return jabi_stream_fault(str, JAB_ENOTLS, JAB_AT_SASL, NULL,
                                 "no log-in without verified TLS to " JAB_FMT,
                                 JAB_ARG(str->account.domain));
    }
    return start_mechanism(str, mech, &in);
}

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

static int on_failure(jabi_stream *str, const jab_xml *el)
{
    jab_str condition = jabi_condition_of(el, JABI_NS_SASL);
    const char *words = "the server refused the log-in", *name = "undefined-condition";
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (jab_str_is(condition, refusals[i].condition)) {
            name = refusals[i].condition;
            words = refusals[i].words;
        }
    }
    char other[64];
    if (condition.p && condition.n < sizeof other && strcmp(name, "undefined-condition") == 0) {
        snprintf(other, sizeof other, JAB_FMT, JAB_ARG(condition));
        name = other;
    }
    jab_str text = jab_xml_text(jab_xml_child(el, JABI_NS_SASL, "text"));
    jabi_stream_close(str);
    jab_str who = str->account.local.p ? str->account.bare : str->account.domain;
    return jabi_stream_fault(str, JAB_EAUTH, JAB_AT_SASL, name, "%s for " JAB_FMT " (%s)%s" JAB_FMT,
                             words, JAB_ARG(who), name, text.n ? ": " : "", (int)text.n,
                             text.n ? text.p : "");
}

/* RFC 6120 §6.4.3: base64, and "=" for data that is there but empty. */
static int decode(jabi_stream *str, const jab_xml *el, jabi_buf *data, int *present)
{
    jab_str text = jab_xml_text(el);
    *present = text.n > 0;
    if (jab_str_is(text, "="))
        return 0;
    int err = jabi_base64_decode(data, text);
    if (err == JAB_EPROTO)
        return jabi_stream_broken(str, "bad-format", "sent SASL data that is not base64");
    if (err == JAB_ELIMIT)
        return jabi_stream_broken(str, "policy-violation", "sent too much SASL data");
    return err < 0 ? jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", jab_strerror(err)) : 0;
}

static int on_challenge(jabi_stream *str, jab_str challenge)
{
    jabi_buf data;
    secret_buf(str, &data);
    int code = jabi_sasl_step(str->sasl, challenge, &data);
    int step = after_mechanism(str, code, "response", 1, &data);
    jabi_buf_fini(&data);
    return step;
}

static int on_success(jabi_stream *str, jab_str additional)
{
    int err = jabi_sasl_success(str->sasl, additional);
    if (err < 0) {
        const char *words = str->sasl->error[0] ? str->sasl->error : jab_strerror(err);
        jabi_stream_close(str);
        return jabi_stream_fault(str, err, JAB_AT_SASL, NULL, "%s", words);
    }
    jabi_sasl_free(str->sasl);
    str->sasl = NULL;
    str->state |= JABI_AUTHENTICATED;
    return JABI_STEP_RESTART;
}

static int element(jabi_stream *str, const jab_xml *el)
{
    int is_challenge = jab_xml_is(el, JABI_NS_SASL, "challenge");
    int is_success = jab_xml_is(el, JABI_NS_SASL, "success");
    if (jab_xml_is(el, JABI_NS_SASL, "failure"))
        return on_failure(str, el);
    if (!str->sasl || !(is_challenge || is_success))
        return jabi_stream_broken(str, "not-authorized", "broke the order of authentication");
    jabi_buf data;
    secret_buf(str, &data);
    int present;
    int step = decode(str, el, &data, &present);
    if (step >= 0) {
        jab_str view = present ? jabi_buf_str(&data) : (jab_str){NULL, 0};
        step = is_challenge ? on_challenge(str, jabi_buf_str(&data)) : on_success(str, view);
    }
    jabi_buf_fini(&data);
    return step;
}

int jabi_auth_work(jabi_stream *str)
{
    jabi_buf data;
    secret_buf(str, &data);
    int code = jabi_sasl_work(str->sasl, &data);
    int step = after_mechanism(str, code, "response", 1, &data);
    jabi_buf_fini(&data);
    return step;
}

static int missing(jabi_stream *str)
{
    jabi_stream_close(str);
    return jabi_stream_fault(str, JAB_EMECH, JAB_AT_SASL, NULL,
                             "the server " JAB_FMT " offers no authentication",
                             JAB_ARG(str->account.domain));
}

const jabi_feature jabi_feature_sasl = {
    .ns = JABI_NS_SASL,
    .name = "mechanisms",
    .stage = JAB_AT_SASL,
    .forbidden = JABI_AUTHENTICATED,
    .begin = begin,
    .element = element,
    .missing = missing,
};
