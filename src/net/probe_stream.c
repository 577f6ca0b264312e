/* probe_stream.c: what a probe says on a stream, and hears: header, features, STARTTLS,
 * features, good-bye. */
#include "base/mem.h"
#include "net/probe.h"
#include "net/tcp.h"
#include "stream/stream.h"
#include "xml/escape.h"

static void say(jabi_probe_run *run, const char *text)
{
    const jab_config *cfg = &run->p->cfg;
    jabi_buf_add_z(&run->out, text);
    if (cfg->wire)
        cfg->wire(cfg->wire_arg, 1, jab_cstr(text));
}

/* RFC 6120 §4.7.1: the account, if one is given, is named only once the channel is secret,
 * and to nobody but its server. */
static void say_header(jabi_probe_run *run)
{
    const jab_config *cfg = &run->p->cfg;
    const jab_jid *jid = &run->p->jid;
    size_t mark = run->out.n;
    jabi_sink sink = {.buf = &run->out};
    jabi_buf_add_z(&run->out, "<?xml version='1.0'?><stream:stream to='");
    jabi_escape(&sink, jid->domain, JABI_IN_VALUE);
    if (jid->local.p && run->tls && !run->address->fault.code) {
        jabi_buf_add_z(&run->out, "' from='");
        jabi_escape(&sink, jid->bare, JABI_IN_VALUE);
    }
    jabi_buf_add_z(&run->out, "' version='1.0' xml:lang='en' xmlns='" JABI_NS_CLIENT
                              "' xmlns:stream='" JABI_NS_STREAM "'>");
    if (cfg->wire && !run->out.error)
        cfg->wire(cfg->wire_arg, 1, (jab_str){run->out.p + mark, run->out.n - mark});
}

static void show_in(jabi_probe_run *run, const jab_xml *el)
{
    const jab_config *cfg = &run->p->cfg;
    size_t n = cfg->wire ? jab_xml_print(el, NULL, 0) : 0;
    char *text = n ? jabi_alloc(cfg->mem, n + 1) : NULL;
    if (!text)
        return;
    jab_xml_print(el, text, n + 1);
    cfg->wire(cfg->wire_arg, 0, (jab_str){text, n});
    jabi_free(cfg->mem, text);
}

static int out_of_memory(jabi_probe_run *run)
{
    run->p->error = JAB_ENOMEM;
    return jabi_probe_fault(run, JAB_ENOMEM, JAB_AT_STREAM, (jab_str){0}, "%s",
                            jab_strerror(JAB_ENOMEM));
}

int jabi_probe_begin_stream(jabi_probe_run *run)
{
    static const jabi_xml_limits limits = {JABI_PROBE_ELEMENT_MAX, JABI_XML_DEPTH_MAX,
                                           JABI_XML_ATTRS_MAX};
    if (run->parser)
        jabi_xml_parser_reset(run->parser);
    else
        run->parser = jabi_xml_parser_new(run->p->cfg.mem, &limits);
    run->opened = 0;
    run->out_at = 0;
    jabi_buf_reset(&run->out);
    say_header(run);
    if (!run->parser || run->out.error)
        return out_of_memory(run);
    return jabi_probe_enter(run, jabi_probe_talk);
}

/* -- What comes ----------------------------------------------------------------------- */

static int broken(jabi_probe_run *run, const char *words)
{
    return jabi_probe_fault(run, JAB_EPROTO, JAB_AT_STREAM, (jab_str){0}, "the server %s", words);
}

/* RFC 6120 §4.7.1, §4.7.5: who answers, and in which language. */
static int on_open(jabi_probe_run *run, const jab_xml *root)
{
    jab_str from = jab_xml_attr(root, "from"), version = jab_xml_attr(root, "version");
    jab_jid jid;
    jab_jid_buf buf;
    run->opened = 1;
    if (!jab_xml_is(root, JABI_NS_STREAM, "stream"))
        return broken(run, "answered with something that is not an XMPP stream");
    if (version.n < 3 || memcmp(version.p, "1.", 2) != 0)
        return broken(run, "speaks a version of XMPP before 1.0");
    if (from.p &&
        (jab_jid_parse(&jid, from, &buf) < 0 || !jab_str_eq(jid.full, run->p->jid.domain)))
        return broken(run, "answered in the name of another domain");
    return JABI_PROBE_WAIT;
}

/* RFC 6120 §4.9: words of the server's own are part of the fault's. */
static int on_error(jabi_probe_run *run, const jab_xml *el)
{
    jab_str condition = jabi_condition_of(el, JABI_NS_STREAMS);
    jab_str words = jab_xml_text(jab_xml_child(el, JABI_NS_STREAMS, "text"));
    int moved = jab_str_is(condition, "see-other-host");
    if (moved)
        words = jab_xml_text(jab_xml_child(el, JABI_NS_STREAMS, "see-other-host"));
    words.n = words.n < JABI_PROBE_WORD_MAX ? words.n : 0;
    return jabi_probe_fault(run, moved ? JAB_EREDIRECT : JAB_ESTREAM, JAB_AT_STREAM,
                            condition.n < 64 ? condition : (jab_str){0}, "%s%s" JAB_FMT,
                            moved ? "the server refers to another host"
                                  : "the server ended the stream with an error",
                            words.n ? ": " : "", JAB_ARG(words));
}

/* STARTTLS is asked for where the policy wants TLS, and there is none yet. */
static int on_features(jabi_probe_run *run, const jab_xml *el)
{
    jab_probe_address *address = run->address;
    jab_probe_offer *offer = jabi_probe_read_offer(run->p, el);
    if (!offer)
        return out_of_memory(run);
    offer->took = jabi_now() - run->began;
    if (run->tls || run->p->cfg.tls == JAB_TLS_OFF) {
        address->offer = offer;
        say(run, "</stream:stream>");
        return JABI_PROBE_DONE;
    }
    address->clear = offer;
    if (!offer->starttls)
        return jabi_probe_fault(run, JAB_ENOTLS, JAB_AT_TLS, (jab_str){0},
                                "the server offers no TLS, or somebody on the way removed the "
                                "offer");
    run->asked_tls = 1;
    say(run, "<starttls xmlns='" JABI_NS_TLS "'/>");
    return JABI_PROBE_WAIT;
}

static int on_element(jabi_probe_run *run, const jab_xml *el)
{
    if (jab_xml_is(el, JABI_NS_STREAM, "error"))
        return on_error(run, el);
    if (run->asked_tls && !run->tls) {
        if (!jab_xml_is(el, JABI_NS_TLS, "proceed"))
            return jabi_probe_fault(run, JAB_ETLS, JAB_AT_TLS, (jab_str){0},
                                    "the server offers STARTTLS and refuses it");
        return jabi_probe_begin_tls(run);
    }
    if (jab_xml_is(el, JABI_NS_STREAM, "features"))
        return on_features(run, el);
    return broken(run, "sent something else in place of its features");
}

static int bad_xml(jabi_probe_run *run, int err)
{
    if (err == JAB_ENOMEM)
        return out_of_memory(run);
    if (err == JAB_ETOOBIG)
        return jabi_probe_fault(run, err, JAB_AT_STREAM, (jab_str){0},
                                "the server sent more than %d bytes for one element",
                                JABI_PROBE_ELEMENT_MAX);
    return jabi_probe_fault(run, err, JAB_AT_STREAM,
                            jab_cstr(jabi_xml_parser_condition(run->parser)),
                            "the server sent something that is not XML as XMPP wants it");
}

/* Reads what came. What stands behind <proceed/> is dropped: it may be an attacker's
 * (RFC 6120 §5.4.3.3). */
static int take(jabi_probe_run *run, const char *p, size_t n)
{
    int result = JABI_PROBE_WAIT;
    while (result == JABI_PROBE_WAIT) {
        const jab_xml *root = NULL;
        int item = jabi_xml_parser_next(run->parser, &p, &n, &run->tree, &root);
        if (item < 0)
            return bad_xml(run, item);
        if (item == JABI_XML_MORE)
            return JABI_PROBE_WAIT;
        if (item == JABI_XML_CLOSE)
            return jabi_probe_fault(run, JAB_EEOF, JAB_AT_STREAM, (jab_str){0},
                                    "the server closed the stream without a word");
        show_in(run, root);
        result = item == JABI_XML_OPEN ? on_open(run, root) : on_element(run, root);
        jabi_arena_reset(&run->tree, 0);
    }
    return result;
}

/* -- Bytes ------------------------------------------------------------------------------ */

static int flush(jabi_probe_run *run)
{
    while (run->out_at < run->out.n) {
        const char *from = run->out.p + run->out_at;
        size_t left = run->out.n - run->out_at;
        ptrdiff_t n = run->tls ? jabi_tls_send(run->tls, from, left)
                               : jabi_tcp_send(run->watch.fd, from, left);
        if (n <= 0)
            return n < 0 ? JAB_EIO : 0;
        run->out_at += (size_t)n;
    }
    return 0;
}

static ptrdiff_t receive(jabi_probe_run *run)
{
    char *scratch = run->p->loop->scratch;
    return run->tls ? jabi_tls_recv(run->tls, scratch, JABI_LOOP_SCRATCH)
                    : jabi_tcp_recv(run->watch.fd, scratch, JABI_LOOP_SCRATCH);
}

static int cut_off(jabi_probe_run *run)
{
    return jabi_probe_fault(run, JAB_EEOF, JAB_AT_STREAM, (jab_str){0},
                            run->opened ? "the server closed the connection before it had said "
                                          "what it offers"
                                        : "the server closed the connection without a word");
}

int jabi_probe_talk(jabi_probe_run *run)
{
    int result = JABI_PROBE_WAIT;
    /* What a broken connection still brings, such as a stream error, comes first. */
    int lost = flush(run) < 0;
    while (result == JABI_PROBE_WAIT) {
        ptrdiff_t n = receive(run);
        if (n == 0 && !lost)
            return JABI_PROBE_WAIT;
        if (n <= 0)
            return cut_off(run);
        run->n_read += (size_t)n;
        if (run->n_read > JABI_PROBE_READ_MAX)
            return jabi_probe_fault(run, JAB_ETOOBIG, JAB_AT_STREAM, (jab_str){0},
                                    "the server sent more than %d bytes before a log-in",
                                    JABI_PROBE_READ_MAX);
        result = take(run, run->p->loop->scratch, (size_t)n);
        lost |= flush(run) < 0;
    }
    return result;
}
