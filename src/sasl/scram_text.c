/* scram_text.c: the grammar of SCRAM's messages (RFC 5802 §7), strict. */
#include "sasl/scram_text.h"

#include "base/utf8.h"

/* Far above any server's message, far below what would cost anything. */
#define MESSAGE_MAX 4096

typedef struct attribute {
    char name;
    jab_str value;
} attribute;

/* attr-val = ALPHA "=" value, value being at least one character and without
 * comma. Takes one off `rest`, which becomes absent after the last. */
static int take(jab_str *rest, attribute *out)
{
    const char *p = rest->p;
    if (!p || rest->n < 3 || p[1] != '=' || p[2] == ',')
        return 0;
    if (!((p[0] >= 'a' && p[0] <= 'z') || (p[0] >= 'A' && p[0] <= 'Z')))
        return 0;
    const char *comma = memchr(p + 2, ',', rest->n - 2);
    size_t n = comma ? (size_t)(comma - p) : rest->n;
    *out = (attribute){p[0], {p + 2, n - 2}};
    *rest = comma ? (jab_str){comma + 1, rest->n - n - 1} : (jab_str){NULL, 0};
    return 1;
}

/* The attribute of that name, which must come next. */
static int take_named(jab_str *rest, char name, jab_str *value)
{
    attribute a;
    if (!take(rest, &a) || a.name != name)
        return 0;
    *value = a.value;
    return 1;
}

static const char *check_whole(jab_str text)
{
    if (text.n > MESSAGE_MAX)
        return "is too long";
    if (text.n == 0)
        return "is empty";
    if (memchr(text.p, '\0', text.n) || !jabi_utf8_valid(text))
        return "is not text";
    /* RFC 5802 §5.1: what "m" demands is unknown to us, so it must fail. */
    if (text.n > 1 && text.p[0] == 'm' && text.p[1] == '=')
        return "demands an unknown extension (m=)";
    return NULL;
}

/* An extension that is known here, with where its value goes. */
typedef struct extension {
    char name;
    jab_str *value;
} extension;

static const char *note(const extension *known, size_t n, const attribute *a)
{
    for (size_t i = 0; i < n; i++) {
        if (known[i].name != a->name)
            continue;
        if (known[i].value->p)
            return "has an extension twice";
        *known[i].value = a->value;
    }
    return NULL;
}

/* Unknown extensions are ignored, but not what would repeat a known
 * attribute in another place. */
static const char *read_extensions(jab_str rest, const extension *known, size_t n)
{
    attribute a;
    const char *wrong = NULL;
    while (rest.p && !wrong) {
        if (!take(&rest, &a))
            return "has a malformed extension";
        if (a.name == 'm')
            return "demands an unknown extension (m=)";
        if (strchr("aceinprsv", a.name))
            return "has an attribute in the wrong place";
        wrong = note(known, n, &a);
    }
    return wrong;
}

/* printable = %x21-2B / %x2D-7E; there is no comma in a value. */
static int is_printable(jab_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x21 || s.p[i] > 0x7E)
            return 0;
    return 1;
}

/* posit-number = %x31-39 *DIGIT */
static int read_number(jab_str s, uint64_t *out)
{
    uint64_t n = 0;
    if (s.p[0] == '0')
        return 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return 0;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
    }
    *out = n;
    return 1;
}

const char *jabi_scram_read_first(jab_str text, jabi_scram_first *out)
{
    *out = (jabi_scram_first){.nonce = {NULL, 0}};
    const extension known[] = {{'h', &out->offer_hash}, {'t', &out->tls_version}};
    const char *wrong = check_whole(text);
    if (wrong)
        return wrong;
    if (!take_named(&text, 'r', &out->nonce) || !is_printable(out->nonce))
        return "has no nonce (r=) at its place";
    if (!take_named(&text, 's', &out->salt))
        return "has no salt (s=) at its place";
    if (!take_named(&text, 'i', &out->iterations_text) ||
        !read_number(out->iterations_text, &out->iterations))
        return "has no iteration count (i=) at its place";
    return read_extensions(text, known, sizeof known / sizeof *known);
}

const char *jabi_scram_read_final(jab_str text, jabi_scram_final *out)
{
    *out = (jabi_scram_final){{NULL, 0}, {NULL, 0}};
    const char *wrong = check_whole(text);
    if (wrong)
        return wrong;
    attribute a;
    if (!take(&text, &a) || (a.name != 'v' && a.name != 'e'))
        return "has neither a proof (v=) nor an error (e=)";
    *(a.name == 'v' ? &out->verifier : &out->error) = a.value;
    return read_extensions(text, NULL, 0);
}

void jabi_scram_add_name(jabi_buf *out, jab_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == ',')
            jabi_buf_add_z(out, "=2C");
        else if (name.p[i] == '=')
            jabi_buf_add_z(out, "=3D");
        else
            jabi_buf_add_char(out, name.p[i]);
    }
}

/* RFC 5802 §7, server-error-value. */
static const struct {
    const char *value, *words;
} errors[] = {
    {"invalid-encoding", "the server could not read our message (invalid-encoding)"},
    {"extensions-not-supported", "the server lacks a SCRAM extension (extensions-not-supported)"},
    {"invalid-proof", "wrong password (invalid-proof)"},
    {"channel-bindings-dont-match",
     "the server sees another TLS connection than we do: someone may be in between "
     "(channel-bindings-dont-match)"},
    {"server-does-support-channel-binding",
     "the server offers channel binding, but its offer did not reach us: someone may be in between "
     "(server-does-support-channel-binding)"},
    {"channel-binding-not-supported",
     "the server does not support channel binding (channel-binding-not-supported)"},
    {"unsupported-channel-binding-type",
     "the server does not know this channel binding (unsupported-channel-binding-type)"},
    {"unknown-user", "the server knows no such user (unknown-user)"},
    {"invalid-username-encoding",
     "the server cannot read the user name (invalid-username-encoding)"},
    {"no-resources", "the server is out of resources, try again later (no-resources)"},
};

const char *jabi_scram_error_words(jab_str error)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (jab_str_is(error, errors[i].value))
            return errors[i].words;
    /* RFC 5802 §7: unrecognized ones are other-error. */
    return "the server refused the log-in without saying why (other-error)";
}
