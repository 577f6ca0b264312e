/* token.c: finds where a token ends, over any number of splits, each byte looked at once. */
#include "xml/lex.h"

typedef jabi_token_end token;

static jabi_xml_fault in_text(token *t, const char **p, const char *end)
{
    (void)t;
    const char *stop = memchr(*p, '<', (size_t)(end - *p));
    *p = stop ? stop : end;
    return stop ? JABI_FAULT_NONE : JABI_FAULT_PARTIAL;
}

static jabi_xml_fault in_markup(token *t, const char **p, const char *end)
{
    (void)end;
    t->kind = **p == '!' ? JABI_TOKEN_MARK : **p == '?' ? JABI_TOKEN_DECLARATION : JABI_TOKEN_TAG;
    if (t->kind != JABI_TOKEN_TAG)
        ++*p;
    return JABI_FAULT_PARTIAL;
}

static jabi_xml_fault in_tag(token *t, const char **p, const char *end)
{
    while (*p < end) {
        char c = *(*p)++;
        if (c == '>' || c == '<')
            return JABI_FAULT_NONE;
        if (c == '"' || c == '\'') {
            t->quote = c;
            t->kind = JABI_TOKEN_QUOTED;
            break;
        }
    }
    return JABI_FAULT_PARTIAL;
}

static jabi_xml_fault in_quotes(token *t, const char **p, const char *end)
{
    unsigned seen = 0;
    *p = jabi_scan_value(*p, end, t->quote, &seen);
    if (*p == end)
        return JABI_FAULT_PARTIAL;
    if (*(*p)++ == '<')
        return JABI_FAULT_NONE;
    t->kind = JABI_TOKEN_TAG;
    return JABI_FAULT_PARTIAL;
}

/* After "<!" only "[CDATA[" may come (RFC 6120 §11.1). */
static jabi_xml_fault in_mark(token *t, const char **p, const char *end)
{
    static const char section[] = "[CDATA[", comment[] = "--", doctype[] = "DOCTYPE";
    (void)end;
    char c = *(*p)++;
    if (t->matched == 0)
        t->quote = c; /* tells which of the three it is going to be */
    const char *word = t->quote == '[' ? section : t->quote == '-' ? comment : doctype;
    if (c != word[t->matched])
        return JABI_FAULT_MALFORMED;
    t->matched++;
    if (word[t->matched] != '\0')
        return JABI_FAULT_PARTIAL;
    if (word != section)
        return JABI_FAULT_RESTRICTED;
    t->kind = JABI_TOKEN_CDATA;
    t->matched = 0;
    return JABI_FAULT_PARTIAL;
}

static jabi_xml_fault in_cdata(token *t, const char **p, const char *end)
{
    while (*p < end) {
        char c = *(*p)++;
        if (c == '>' && t->matched == 2)
            return JABI_FAULT_NONE;
        if (c != ']')
            t->matched = 0;
        else if (t->matched < 2)
            t->matched++;
    }
    return JABI_FAULT_PARTIAL;
}

static jabi_xml_fault in_declaration(token *t, const char **p, const char *end)
{
    while (*p < end) {
        char c = *(*p)++;
        if (c == '>' && t->matched)
            return JABI_FAULT_NONE;
        t->matched = c == '?';
    }
    return JABI_FAULT_PARTIAL;
}

static jabi_xml_fault at_start(token *t, const char **p, const char *end)
{
    (void)end;
    t->matched = 0;
    t->kind = **p == '<' ? JABI_TOKEN_MARKUP : JABI_TOKEN_TEXT;
    if (t->kind == JABI_TOKEN_MARKUP)
        ++*p;
    return JABI_FAULT_PARTIAL;
}

jabi_xml_fault jabi_token_find_end(jabi_token_end *t, const char **p, const char *end)
{
    static jabi_xml_fault (*const steps[])(token *, const char **, const char *) = {
        [JABI_TOKEN_NONE] = at_start,    [JABI_TOKEN_TEXT] = in_text,
        [JABI_TOKEN_MARKUP] = in_markup, [JABI_TOKEN_TAG] = in_tag,
        [JABI_TOKEN_QUOTED] = in_quotes, [JABI_TOKEN_MARK] = in_mark,
        [JABI_TOKEN_CDATA] = in_cdata,   [JABI_TOKEN_DECLARATION] = in_declaration,
    };
    jabi_xml_fault fault = JABI_FAULT_PARTIAL;
    while (fault == JABI_FAULT_PARTIAL && *p < end)
        fault = steps[t->kind](t, p, end);
    return fault;
}
