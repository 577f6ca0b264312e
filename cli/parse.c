/* parse.c: small readers of what people write on the command line. */
#include "cli.h"

#include <stdlib.h>
#include <utf8proc.h>

int cli_address(const char *text, jab_jid *jid, jab_jid_buf *bytes)
{
    if (jab_jid_parse(jid, jab_cstr(text), bytes) == 0)
        return APP_OK;
    return app_say(APP_USAGE, "not an address: \"%s\"; one looks like user@domain", text);
}

static int split_brackets(const char *text, char **host, const char **rest)
{
    const char *end = strchr(text, ']');
    if (!end || (end[1] != '\0' && end[1] != ':'))
        return -1;
    *host = app_copy((jab_str){text + 1, (size_t)(end - text - 1)});
    *rest = end + 1;
    return 0;
}

int cli_host_port(const char *text, char **host, uint16_t *port)
{
    const char *rest = "";
    int number = 0;
    *port = 0;
    *host = NULL;
    const char *colon = strchr(text, ':');
    if (text[0] == '[') {
        if (split_brackets(text, host, &rest) < 0)
            goto bad;
    } else if (colon && !strchr(colon + 1, ':')) {
        *host = app_copy((jab_str){text, (size_t)(colon - text)});
        rest = colon;
    } else {
        *host = app_copy(jab_cstr(text)); /* a name, or an IPv6 address without a port */
    }
    if ((*rest == ':' && app_number_parse(rest + 1, 1, 65535, &number) < 0) || !**host)
        goto bad;
    *port = (uint16_t)number;
    return APP_OK;
bad:
    free(*host);
    *host = NULL;
    return app_say(APP_USAGE, "--host %s: write HOST, HOST:PORT or [IPv6]:PORT", text);
}

/* The characters of XML 1.0 2.2. */
static int is_xml_character(int32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0xfffe && c != 0xffff);
}

int cli_check_text(const char *what, jab_str text)
{
    for (size_t i = 0; i < text.n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text.p + i,
                                              (utf8proc_ssize_t)(text.n - i), &c);
        if (n <= 0)
            return app_say(APP_USAGE, "%s: byte %zu is not UTF-8; convert it with iconv", what,
                           i + 1);
        if (!is_xml_character(c))
            return app_say(APP_USAGE,
                           "%s: byte %zu is U+%04X, which XMPP cannot carry; take it out", what,
                           i + 1, (unsigned)c);
        i += (size_t)n;
    }
    return APP_OK;
}

int cli_want(const cli *c, int min, int max)
{
    if (c->n >= min && c->n <= max)
        return APP_OK;
    return app_say(APP_USAGE, "usage: jabiru %s %s; jabiru help %s tells more", c->command->name,
                   c->command->synopsis, c->command->name);
}
