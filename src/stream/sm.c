/*
 * sm.c: stream management on the wire (XEP-0198): resuming the last stream in
 * place of binding a resource, and the elements that count stanzas. What is
 * resent, and what the application hears, is the session's business.
 */
#include "stream/stream.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdio.h>

#define SM_ID_MAX       4000 /* XEP-0198 §5: ids should not be longer */
#define SM_LOCATION_MAX 300

/* An unsigned 32-bit number without sign or blanks. */
static int read_count(jab_str text, uint32_t *out)
{
    uint64_t value = 0;
    if (text.n == 0 || text.n > 10)
        return 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    *out = (uint32_t)value;
    return value <= UINT32_MAX;
}

static int is_true(jab_str text)
{
    return jab_str_is(text, "true") || jab_str_is(text, "1");
}

void jabi_sm_forget(jabi_stream *str)
{
    jabi_free(str->mem, (char *)str->sm.id.p);
    jabi_free(str->mem, (char *)str->sm.location.p);
    str->sm = (jabi_sm){0};
}

void jabi_sm_forget_inline(jabi_stream *str)
{
    jabi_free(str->mem, (char *)str->inline_sm.id.p);
    jabi_free(str->mem, (char *)str->inline_sm.location.p);
    str->inline_sm.id = str->inline_sm.location = (jab_str){NULL, 0};
    str->inline_sm.is_enabled = 0;
}

int jabi_sm_adopt(jabi_stream *str)
{
    if (!str->inline_sm.is_enabled)
        return 0;
    jabi_sm_forget(str);
    str->sm.requested = str->sm.active = 1;
    str->sm.id = str->inline_sm.id;
    str->sm.location = str->inline_sm.location;
    str->inline_sm.id = str->inline_sm.location = (jab_str){NULL, 0};
    str->inline_sm.is_enabled = 0;
    return 1;
}

/* -- Writing -------------------------------------------------------------------- */

static void write_counted(jabi_writer *w, const char *name, const char *previd, uint32_t h)
{
    char text[16];
    snprintf(text, sizeof text, "%u", (unsigned)h);
    jabi_writer_start(w, JAB_STR(JABI_NS_SM), jab_cstr(name));
    jabi_writer_attr(w, JAB_STR("previd"), jab_cstr(previd));
    jabi_writer_attr(w, JAB_STR("h"), jab_cstr(text));
}

int jabi_sm_enable(jabi_stream *str)
{
    jabi_sm_forget(str);
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    jabi_writer_start(&w, JAB_STR(JABI_NS_SM), JAB_STR("enable"));
    if (!str->cfg->no_reconnect)
        jabi_writer_attr(&w, JAB_STR("resume"), JAB_STR("true"));
    str->sm.requested = 1;
    return jabi_stream_write_end(str, &w, mark, NULL);
}

int jabi_sm_ask(jabi_stream *str)
{
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    jabi_writer_start(&w, JAB_STR(JABI_NS_SM), JAB_STR("r"));
    return jabi_stream_write_end(str, &w, mark, NULL);
}

int jabi_sm_answer(jabi_stream *str)
{
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    write_counted(&w, "a", NULL, str->sm.handled);
    return jabi_stream_write_end(str, &w, mark, NULL);
}

int jabi_sm_too_high(jabi_stream *str, uint32_t h)
{
    uint32_t sent = str->sm.out;
    jabi_buf_printf(&str->out,
                    "<stream:error><undefined-condition xmlns='" JABI_NS_STREAMS "'/>"
                    "<handled-count-too-high xmlns='" JABI_NS_SM "' h='%u' send-count='%u'/>"
                    "</stream:error>",
                    (unsigned)h, (unsigned)sent);
    jabi_stream_close(str);
    jabi_sm_forget(str);
    return jabi_stream_fault(str, JAB_EPROTO, JAB_AT_SESSION, "undefined-condition",
                             "the server acknowledged %u stanzas, but only %u were sent",
                             (unsigned)h, (unsigned)sent);
}

/* -- Reading -------------------------------------------------------------------- */

/* XEP-0198 §5: where the server would like to be resumed. Who can write into
 * the stream must not choose where the next one goes. */
static int keep_location(jabi_stream *str, jab_str *to, jab_str location)
{
    if (location.n == 0 || location.n > SM_LOCATION_MAX ||
        !JAB_CHECK(LOCATION_TLS, str->tls.verified))
        return 0;
    return jabi_strdup(str->mem, to, location);
}

static int read_enabled(jabi_stream *str, const jab_xml *el, jab_str *name, jab_str *location)
{
    jab_str id = jab_xml_attr(el, "id");
    if (!is_true(jab_xml_attr(el, "resume")) || id.n == 0 || id.n > SM_ID_MAX)
        return 0;
    int err = jabi_strdup(str->mem, name, id);
    if (err >= 0)
        err = keep_location(str, location, jab_xml_attr(el, "location"));
    return err < 0 ? jabi_stream_fault(str, err, JAB_AT_SESSION, NULL, "%s", jab_strerror(err)) : 0;
}

static int on_enabled(jabi_stream *str, const jab_xml *el)
{
    str->sm.active = 1;
    return read_enabled(str, el, &str->sm.id, &str->sm.location);
}

int jabi_sm_on_inline(jabi_stream *str, const jab_xml *el)
{
    jabi_sm_forget_inline(str);
    str->inline_sm.is_enabled = 1;
    return read_enabled(str, el, &str->inline_sm.id, &str->inline_sm.location);
}

int jabi_sm_element(jabi_stream *str, const jab_xml *el, jabi_sm_event *event, uint32_t *h)
{
    jabi_sm *sm = &str->sm;
    jab_str name = jab_xml_name(el);
    *event = JABI_SM_NOTHING;
    if (jab_str_is(name, "r") && sm->active) {
        *event = JABI_SM_ASKED;
    } else if (jab_str_is(name, "a") && sm->requested && read_count(jab_xml_attr(el, "h"), h)) {
        *event = JABI_SM_ACKED;
    } else if (jab_str_is(name, "enabled") && sm->requested && !sm->active) {
        *event = JABI_SM_ENABLED;
        return on_enabled(str, el);
    } else if (jab_str_is(name, "failed") && sm->requested && !sm->active) {
        *event = JABI_SM_REFUSED;
    } else {
        return jabi_stream_broken(str, "bad-format", "broke the order of stream management");
    }
    return 0;
}

/* -- Resuming, in place of binding -------------------------------------------------- */

int jabi_sm_wants_resume(const jabi_stream *str)
{
    return str->sm.id.p != NULL;
}

/* What waits in the event queue survived the cut with this session: the server
 * need not send it again. */
void jabi_sm_write_resume(jabi_stream *str, jabi_writer *w)
{
    str->sm.handled = str->sm.in;
    write_counted(w, "resume", str->sm.id.p, str->sm.handled);
    jabi_writer_end(w);
}

static int begin(jabi_stream *str, const jab_xml *offer)
{
    (void)offer;
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    jabi_sm_write_resume(str, &w);
    int err = jabi_stream_write_end(str, &w, mark, NULL);
    return err < 0 ? err : JABI_STEP_WAIT;
}

int jabi_sm_on_resume(jabi_stream *str, const jab_xml *el)
{
    jabi_sm *sm = &str->sm;
    sm->has_told = read_count(jab_xml_attr(el, "h"), &sm->told);
    if (jab_xml_is(el, JABI_NS_SM, "failed")) {
        str->state |= JABI_RESUME_TRIED;
        return 0;
    }
    if (!jab_xml_is(el, JABI_NS_SM, "resumed") || !sm->has_told ||
        !jab_str_eq(jab_xml_attr(el, "previd"), sm->id))
        return jabi_stream_broken(str, "bad-format", "did not answer the request to resume");
    sm->requested = sm->active = sm->resumed = 1;
    str->state |= JABI_BOUND;
    return 0;
}

static int element(jabi_stream *str, const jab_xml *el)
{
    int err = jabi_sm_on_resume(str, el);
    if (err < 0)
        return err;
    return str->state & JABI_BOUND ? JABI_STEP_READY : JABI_STEP_AGAIN;
}

static int ahead(jabi_stream *str, const jab_xml *offer)
{
    (void)str;
    return offer != NULL;
}

const jabi_feature jabi_feature_resume = {
    .ns = JABI_NS_SM,
    .name = "sm",
    .stage = JAB_AT_BIND,
    .required = JABI_AUTHENTICATED,
    .forbidden = JABI_BOUND | JABI_RESUME_TRIED,
    .wanted = jabi_sm_wants_resume,
    .begin = begin,
    .element = element,
    .ahead = ahead,
};
