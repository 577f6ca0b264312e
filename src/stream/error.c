/* error.c: how a stream fails: the fault for the program, the stream error for
 * the server (RFC 6120 §4.9), and reading the server's own. */
#include "stream/stream.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

int jabi_stream_fault(jabi_stream *str, int code, jab_stage stage, const char *condition,
                      const char *format, ...)
{
    if (str->fault.code)
        return code;
    va_list args;
    va_start(args, format);
    vsnprintf(str->fault_text, sizeof str->fault_text, format, args);
    va_end(args);
    /* What the server said may have been cut within a character. */
    str->fault_text[jabi_utf8_whole(jab_cstr(str->fault_text))] = '\0';
    str->fault = (jab_fault){.code = code, .stage = stage, .text = jab_cstr(str->fault_text)};
    if (condition) {
        snprintf(str->fault_condition, sizeof str->fault_condition, "%s", condition);
        str->fault.condition = jab_cstr(str->fault_condition);
    }
    return code;
}

void jabi_stream_write_error(jabi_stream *str, const char *condition)
{
    if (str->close_sent)
        return;
    /* RFC 6120 §4.9.1.2: an error before the header comes with a header. */
    if (!str->header_sent)
        (void)jabi_stream_write_header(str);
    jabi_buf_printf(&str->out, "<stream:error><%s xmlns='" JABI_NS_STREAMS "'/></stream:error>",
                    condition);
    jabi_stream_close(str);
}

int jabi_stream_broken(jabi_stream *str, const char *condition, const char *words)
{
    jabi_stream_write_error(str, condition);
    return jabi_stream_fault(str, JAB_EPROTO, jabi_stream_stage(str), condition,
                             "the server " JAB_FMT " %s", JAB_ARG(str->account.domain), words);
}

/* What a user can make of the conditions that servers send (RFC 6120 §4.9.3). */
static const struct {
    const char *condition, *words;
} known_conditions[] = {
    {"conflict", "another client logged in with the same resource"},
    {"connection-timeout", "the server had not heard from this client for too long"},
    {"host-gone", "this server no longer serves the domain"},
    {"host-unknown", "this server does not serve the domain"},
    {"internal-server-error", "the server has an internal error"},
    {"not-authorized", "the server did not accept what was sent before log-in"},
    {"policy-violation", "the server's rules were broken"},
    {"remote-connection-failed", "the server cannot reach a service that it needs"},
    {"reset", "the server asks to connect again"},
    {"resource-constraint", "the server is overloaded"},
    {"system-shutdown", "the server is shutting down"},
    {"unsupported-version", "the server does not support XMPP 1.0"},
};

static const char *words_for(jab_str condition)
{
    for (size_t i = 0; i < sizeof known_conditions / sizeof *known_conditions; i++)
        if (jab_str_is(condition, known_conditions[i].condition))
            return known_conditions[i].words;
    return "the server ended the stream";
}

static int on_redirect(jabi_stream *str, const jab_xml *el)
{
    jab_str host = jab_xml_text(jab_xml_child(el, JABI_NS_STREAMS, "see-other-host"));
    if (host.n < sizeof str->redirect)
        snprintf(str->redirect, sizeof str->redirect, JAB_FMT, JAB_ARG(host));
    return jabi_stream_fault(str, JAB_EREDIRECT, jabi_stream_stage(str), "see-other-host",
                             "the server " JAB_FMT " refers to another host",
                             JAB_ARG(str->account.domain));
}

int jabi_stream_on_error(jabi_stream *str, const jab_xml *el)
{
    jab_str condition = jabi_condition_of(el, JABI_NS_STREAMS);
    jab_str text = jab_xml_text(jab_xml_child(el, JABI_NS_STREAMS, "text"));
    jabi_stream_close(str);
    if (jab_str_is(condition, "see-other-host"))
        return on_redirect(str, el);
    if (!condition.p || condition.n >= sizeof str->fault_condition)
        condition = JAB_STR("undefined-condition");
    char name[sizeof str->fault_condition];
    snprintf(name, sizeof name, JAB_FMT, JAB_ARG(condition));
    return jabi_stream_fault(str, JAB_ESTREAM, jabi_stream_stage(str), name, "%s (%s)%s" JAB_FMT,
                             words_for(condition), name, text.n ? ": " : "", (int)text.n,
                             text.n ? text.p : "");
}
