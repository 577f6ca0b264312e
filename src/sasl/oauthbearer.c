/* oauthbearer.c: OAUTHBEARER (RFC 7628): an access token as it is, so only inside TLS. */
#include "sasl/mech.h"

#include "base/utf8.h"
#include "sasl/scram_text.h"

typedef struct bearer {
    int was_refused;
} bearer;

/* b64token (RFC 6750 §2.1), with "=" anywhere. It cannot end the field early. */
static int is_token(jab_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        int is_word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_word && (!c || !strchr("-._~+/=", c)))
            return 0;
    }
    return s.n > 0;
}

/* "a=": for whom. Optional in RFC 7628 §3.1, but servers may ask for it, and do;
 * in XMPP it is the bare JID (RFC 6120 §6.3.8). */
static void add_authzid(const jabi_sasl_input *in, jabi_buf *out)
{
    if (in->authzid.n == 0 && in->username.n == 0)
        return;
    jabi_buf_add_z(out, "a=");
    jabi_scram_add_name(out, in->authzid.n ? in->authzid : in->username);
    if (in->authzid.n == 0) {
        jabi_buf_add_char(out, '@');
        jabi_scram_add_name(out, in->domain);
    }
}

static int start(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    const jabi_sasl_input *in = &x->in;
    const jab_str names[] = {in->authzid, in->username};
    *has_initial = 1;
    if (!is_token(in->bearer))
        return jabi_sasl_fail(x, JAB_EINVAL,
                              "the access token has characters that none may have (RFC 6750 §2.1)");
    for (size_t i = 0; i < 2; i++)
        if (names[i].n && (memchr(names[i].p, '\0', names[i].n) ||
                           memchr(names[i].p, '\001', names[i].n) || !jabi_utf8_valid(names[i])))
            return jabi_sasl_fail(x, JAB_EINVAL, "the user name is not text");
    jabi_buf_add_z(out, "n,");
    add_authzid(in, out);
    jabi_buf_add_z(out, ",\001auth=Bearer ");
    jabi_buf_add_str(out, in->bearer);
    jabi_buf_add_z(out, "\001\001");
    return JABI_SASL_SEND;
}

/* -- Why the server refuses (RFC 7628 §3.2.2) -- */

/* What is between a quotation mark at `*at` and the next one, escapes as they
 * are; `*at` is left behind it. */
static jab_str take_quoted(jab_str json, size_t *at)
{
    size_t from = *at + 1, to = from;
    while (to < json.n && json.p[to] != '"')
        to += json.p[to] == '\\' ? 2 : 1;
    if (to > json.n)
        to = json.n;
    *at = to < json.n ? to + 1 : to;
    return (jab_str){json.p + from, to - from};
}

/* The text that an object has under a name, absent when there is none. As much
 * of JSON (RFC 8259) as that takes. */
static jab_str find_text(jab_str json, const char *name)
{
    jab_str key = {NULL, 0};
    int depth = 0;
    char last = 0;
    for (size_t i = 0; i < json.n;) {
        char c = json.p[i];
        if (c == '"') {
            jab_str text = take_quoted(json, &i);
            if (depth == 1 && last == ':' && jab_str_is(key, name))
                return text;
            key = text;
        } else {
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
            i++;
        }
        if (!strchr(" \t\r\n", c) || !c)
            last = c;
    }
    return (jab_str){NULL, 0};
}

#define SHOWN_MAX 40

/* For a user's eyes: printable ASCII, and not much of it. */
static void show(jab_str s, char out[SHOWN_MAX + 1])
{
    size_t n = s.n < SHOWN_MAX ? s.n : SHOWN_MAX;
    for (size_t i = 0; i < n; i++)
        out[i] = s.p[i] >= 0x20 && s.p[i] < 0x7F ? s.p[i] : '?';
    out[n] = '\0';
}

/* RFC 6750 §3.1. */
static const struct {
    const char *status, *words;
} reasons[] = {
    {"invalid_request", "the server cannot read what was sent"},
    {"invalid_token", "the access token is wrong, expired or revoked"},
    {"insufficient_scope", "the access token is not meant for this"},
};

static void say_reason(jabi_sasl *x, jab_str json)
{
    jab_str status = find_text(json, "status"), scope = find_text(json, "scope");
    char shown[SHOWN_MAX + 1], wanted[SHOWN_MAX + 1];
    const char *words = "the server refuses the access token";
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (jab_str_is(status, reasons[i].status))
            words = reasons[i].words;
    show(status, shown);
    show(scope, wanted);
    jabi_sasl_fail(x, JAB_EAUTH, "%s (%s)%s%s", words, shown[0] ? shown : "no reason is given",
                   wanted[0] ? "; the scope has to be " : "", wanted);
}

/* RFC 7628 §3.2.3: a single %x01 lets the server finish with its failure. */
static int step(jabi_sasl *x, jab_str challenge, jabi_buf *out)
{
    bearer *b = x->state;
    if (b->was_refused)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server sent one challenge too many");
    b->was_refused = 1;
    say_reason(x, challenge);
    jabi_buf_add_char(out, '\001');
    return JABI_SASL_SEND;
}

static int success(jabi_sasl *x, jab_str data)
{
    const bearer *b = x->state;
    if (b->was_refused)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server refused the log-in, then accepted it");
    if (data.n > 0)
        return jabi_sasl_fail(x, JAB_EPROTO, "OAUTHBEARER has no data with success, but some came");
    return 0;
}

const jabi_sasl_mech jabi_sasl_oauthbearer = {
    .name = "OAUTHBEARER",
    .strength = -5,
    .safety = 1,
    .needs_bearer = 1,
    .state_size = sizeof(bearer),
    .start = start,
    .step = step,
    .success = success,
};
