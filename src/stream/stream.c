/* stream.c: the life of a stream: header, elements, restart, close (RFC 6120 §4). */
#include "stream/stream.h"

#include "base/check.h"
#include "base/mem.h"

#define FEATURES_BYTES_MAX  (256 * 1024)
#define TLS_FACTS_BYTES_MAX 4096
#define OWN_BYTES_MAX       (256 * 1024)

int jabi_stream_init(jabi_stream *str, const jab_config *cfg, const jab_jid *account)
{
    *str = (jabi_stream){.cfg = cfg, .mem = cfg->mem, .account = *account};
    const jabi_xml_limits limits = {cfg->max_stanza_bytes, JABI_XML_DEPTH_MAX, JABI_XML_ATTRS_MAX};
    /* What is queued, the stream's own elements, and as much that was taken. */
    jabi_buf_init(&str->out, cfg->mem,
                  2 * (cfg->max_output_bytes + cfg->max_stanza_bytes + OWN_BYTES_MAX));
    jabi_buf_init(&str->wire, cfg->mem, SIZE_MAX / 2);
    jabi_arena_init(&str->features_arena, cfg->mem, FEATURES_BYTES_MAX);
    jabi_arena_init(&str->tls_arena, cfg->mem, TLS_FACTS_BYTES_MAX);
    jabi_memory_init(&str->memory, cfg->mem, cfg->vault, str->account.bare);
    str->parser = jabi_xml_parser_new(cfg->mem, &limits);
    str->sasl_cache = jabi_sasl_cache_new(cfg->mem);
    if (str->parser && str->sasl_cache)
        return 0;
    jabi_stream_fini(str);
    return JAB_ENOMEM;
}

void jabi_stream_fini(jabi_stream *str)
{
    jabi_sasl_free(str->sasl);
    jabi_sasl_cache_free(str->sasl_cache);
    jabi_zlib_free(str);
    jabi_xml_parser_free(str->parser);
    jabi_sm_forget(str);
    jabi_sm_forget_inline(str);
    if (str->memory.mem)
        jabi_memory_fini(&str->memory);
    jabi_arena_fini(&str->features_arena);
    jabi_arena_fini(&str->tls_arena);
    jabi_buf_fini(&str->out);
    jabi_buf_fini(&str->wire);
    *str = (jabi_stream){0};
}

static int keep_tls_facts(jabi_stream *str, const jab_tls_info *tls)
{
    jabi_arena_reset(&str->tls_arena, TLS_FACTS_BYTES_MAX);
    str->tls = *tls;
    str->tls.exporter = jabi_arena_str(&str->tls_arena, tls->exporter);
    str->tls.unique = jabi_arena_str(&str->tls_arena, tls->unique);
    str->tls.end_point = jabi_arena_str(&str->tls_arena, tls->end_point);
    str->tls.cipher = jabi_arena_str(&str->tls_arena, tls->cipher);
    int lost = (tls->exporter.p && !str->tls.exporter.p) || (tls->unique.p && !str->tls.unique.p) ||
               (tls->end_point.p && !str->tls.end_point.p);
    str->state |= JABI_SECURE;
    return lost ? JAB_ENOMEM : 0;
}

static void forget_last_stream(jabi_stream *str)
{
    jabi_sasl_free(str->sasl);
    str->sasl = NULL;
    jabi_zlib_free(str);
    str->inflate_pending = 0;
    jabi_buf_reset(&str->out);
    jabi_buf_reset(&str->wire);
    str->out_at = str->wire_at = 0;
    str->out.secret = 1; /* SASL responses pass through it */
    str->state = 0;
    str->active = NULL;
    str->features = str->remembered = NULL;
    str->is_early = str->features_due = 0;
    str->auth = (jabi_auth){0};
    str->max_bytes = str->idle_seconds = 0;
    jabi_sm_forget_inline(str);
    str->header_sent = str->close_sent = 0;
    str->tls = (jab_tls_info){0};
    str->channel_binding = str->mechanism = NULL;
    if (!str->sm.id.p)
        str->bound = (jab_jid){0};
    str->sm.resumed = str->sm.active = str->sm.requested = 0;
    str->fault = (jab_fault){0};
    str->redirect[0] = '\0';
}

/* RFC 6120 §4.3.3: a new stream in place of the old one. */
static int restart(jabi_stream *str)
{
    jabi_xml_parser_reset(str->parser);
    jabi_arena_reset(&str->features_arena, 16 * 1024);
    str->features = str->remembered = NULL;
    str->active = NULL;
    str->header_sent = 0;
    str->phase = JABI_PHASE_HEADER;
    int err = jabi_stream_write_header(str);
    return err < 0 ? err : jabi_ahead_begin(str);
}

int jabi_stream_start(jabi_stream *str, const jab_tls_info *tls)
{
    forget_last_stream(str);
    int err = jabi_memory_load(&str->memory, str->cfg);
    if (err == JAB_ESTORE)
        return jabi_stream_fault(str, err, JAB_AT_STREAM, NULL,
                                 "what earlier log-ins left cannot be read, and this one must "
                                 "not be less safe");
    if (err >= 0 && tls)
        err = keep_tls_facts(str, tls);
    return err < 0 ? err : restart(str);
}

/* The count is on disk before it is used: it never comes twice. */
static int count_token(jabi_stream *str)
{
    str->memory.token_count++;
    str->memory.is_changed = 1;
    return jabi_memory_save(&str->memory);
}

int jabi_stream_early(jabi_stream *str, const jab_tls_info *tls)
{
    int is_fresh = str->phase == JABI_PHASE_OFF;
    if (jabi_memory_load(&str->memory, str->cfg) < 0)
        return 0; /* jabi_stream_start() says it */
    if (is_fresh)
        forget_last_stream(str);
    int err = keep_tls_facts(str, tls);
    str->is_early = err >= 0 && jabi_ahead_may_be_early(str) && count_token(str) >= 0;
    if (!str->is_early) {
        str->state &= ~(unsigned)JABI_SECURE;
        return err < 0 ? err : 0;
    }
    err = restart(str);
    return err < 0 ? err : 1;
}

int jabi_stream_early_done(jabi_stream *str, const jab_tls_info *tls)
{
    str->is_early = 0;
    return keep_tls_facts(str, tls);
}

int jabi_stream_secured(jabi_stream *str, const jab_tls_info *tls)
{
    int err = keep_tls_facts(str, tls);
    return err < 0 ? err : restart(str);
}

/* RFC 6120 §4.7.5: "1.0", and later minor versions, which add nothing that matters. */
static int version_is_known(jab_str version)
{
    return version.n >= 3 && memcmp(version.p, "1.", 2) == 0;
}

/* RFC 6120 §4.7.1: the header says who answers; another domain is a mistake
 * of the network or an attack. */
static int header_names_our_server(const jabi_stream *str, const jab_xml *root)
{
    jab_str from = jab_xml_attr(root, "from");
    if (!from.p)
        return 1;
    jab_jid jid;
    jab_jid_buf buf;
    return jab_jid_parse(&jid, from, &buf) >= 0 && jab_str_eq(jid.full, str->account.domain);
}

/* RFC 6120 §4.8.2: stanzas of a client's stream are in "jabber:client"; §4.8.3
 * lets the stream's own namespace be the default, and each stanza say its. */
static int content_is_for_clients(const jabi_stream *str)
{
    jab_str ns = jabi_xml_parser_content_ns(str->parser);
    return ns.n == 0 || jab_str_is(ns, JABI_NS_CLIENT) || jab_str_is(ns, JABI_NS_STREAM);
}

int jabi_stream_on_open(jabi_stream *str, const jab_xml *root)
{
    jabi_stream_log_in(str, root);
    if (!jab_xml_is(root, JABI_NS_STREAM, "stream") || !content_is_for_clients(str))
        return jabi_stream_broken(str, "invalid-namespace",
                                  "answered with something that is not an XMPP stream");
    if (!JAB_CHECK(STREAM_ORDER, str->phase == JABI_PHASE_HEADER))
        return jabi_stream_broken(str, "bad-format", "sent a second stream header");
    if (!version_is_known(jab_xml_attr(root, "version")))
        return jabi_stream_broken(str, "unsupported-version",
                                  "speaks a version of XMPP before 1.0");
    if (!header_names_our_server(str, root))
        return jabi_stream_broken(str, "invalid-from", "answered in the name of another domain");
    str->phase = JABI_PHASE_FEATURES;
    return 0;
}

/* XEP-0478 §3.1: decimal; what is none counts as not told. */
static uint64_t read_limit(const jab_xml *limits, const char *name)
{
    jab_str text = jab_xml_text(jab_xml_child(limits, JABI_NS_LIMITS, name));
    uint64_t value = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || text.n > 10)
            return 0;
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    return value;
}

/* XEP-0478 §4: the limits may change with each announcement. */
static void read_limits(jabi_stream *str)
{
    const jab_xml *limits = jab_xml_child(str->features, JABI_NS_LIMITS, "limits");
    if (!limits)
        return;
    str->max_bytes = read_limit(limits, "max-bytes");
    str->idle_seconds = read_limit(limits, "idle-seconds");
}

int jabi_stream_refuses(const jabi_stream *str, size_t bytes)
{
    return str->max_bytes && bytes > str->max_bytes;
}

static int keep_features(jabi_stream *str, const jab_xml *el)
{
    str->features = jabi_xml_copy(&str->features_arena, el);
    if (!str->features)
        return jabi_stream_fault(str, JAB_ENOMEM, JAB_AT_STREAM, NULL, "%s",
                                 jab_strerror(JAB_ENOMEM));
    read_limits(str);
    return 0;
}

static int on_features(jabi_stream *str, const jab_xml *el)
{
    int err = keep_features(str, el);
    if (err < 0)
        return err;
    return str->ahead ? jabi_ahead_check(str) : jabi_features_next(str);
}

static int is_stanza(const jab_xml *el)
{
    return jab_xml_is(el, JABI_NS_CLIENT, "message") ||
           jab_xml_is(el, JABI_NS_CLIENT, "presence") || jab_xml_is(el, JABI_NS_CLIENT, "iq");
}

static int on_ready(jabi_stream *str)
{
    str->phase = JABI_PHASE_READY;
    str->out.secret = 0; /* no password passes from here on */
    int by_inline = str->state & (JABI_BY_BIND2 | JABI_BY_SASL2);
    int err = by_inline ? 0 : jabi_ahead_remember(str, JABI_MEMORY_AFTER);
    if (err >= 0)
        err = jabi_memory_save(&str->memory);
    return err < 0 ? jabi_stream_fault(str, err, JAB_AT_BIND, NULL, "%s", jab_strerror(err)) : 0;
}

int jabi_stream_on_element(jabi_stream *str, const jab_xml *el)
{
    jabi_stream_log_in(str, el);
    if (jab_xml_is(el, JABI_NS_STREAM, "error"))
        return jabi_stream_on_error(str, el);
    if (str->features_due && jab_xml_is(el, JABI_NS_STREAM, "features")) {
        str->features_due = 0;
        return keep_features(str, el);
    }
    if (str->phase == JABI_PHASE_READY) {
        if (is_stanza(el))
            return 1;
        if (jab_str_is(jab_xml_ns(el), JABI_NS_SM))
            return 2;
        return jabi_stream_broken(str, "unsupported-stanza-type",
                                  "sent an element that is not a stanza");
    }
    if (str->phase == JABI_PHASE_FEATURES && jab_xml_is(el, JABI_NS_STREAM, "features"))
        return on_features(str, el);
    if (str->phase == JABI_PHASE_STEP && str->active)
        return jabi_stream_after_step(str, str->active->element(str, el));
    if (!JAB_CHECK(STREAM_ORDER, 0))
        return jabi_stream_broken(str, "not-authorized",
                                  "sent an element out of order during log-in");
    return 0;
}

int jabi_stream_after_step(jabi_stream *str, int step)
{
    switch (step) {
    case JABI_STEP_WAIT:
        str->phase = JABI_PHASE_STEP;
        return 0;
    case JABI_STEP_WORK:
        str->phase = JABI_PHASE_WORK;
        return 0;
    case JABI_STEP_TLS:
        str->phase = JABI_PHASE_TLS;
        return 0;
    case JABI_STEP_READY:
        return on_ready(str);
    case JABI_STEP_FEATURES: /* COMPAT: Prosody gives what a resumed stream has waiting first */
        jabi_arena_reset(&str->features_arena, 16 * 1024);
        str->features = str->remembered = NULL;
        str->active = NULL;
        str->went_ahead = 0;
        str->phase = JABI_PHASE_FEATURES;
        str->features_due = str->sm.resumed;
        return str->sm.resumed ? on_ready(str) : 0;
    case JABI_STEP_RESTART:
        return restart(str);
    case JABI_STEP_AGAIN:
        return jabi_features_next(str);
    default:
        return step;
    }
}

int jabi_stream_work(jabi_stream *str)
{
    return jabi_stream_after_step(str, jabi_auth_work(str));
}

jab_stage jabi_stream_stage(const jabi_stream *str)
{
    if (str->phase == JABI_PHASE_READY)
        return JAB_AT_SESSION;
    if (str->active)
        return str->active->stage;
    return JAB_AT_STREAM;
}

int jabi_stream_may_send_secret(const jabi_stream *str)
{
    int verified = (str->state & JABI_SECURE) && str->tls.verified;
    return JAB_CHECK(SECRET_NEEDS_TLS, verified || str->cfg->tls == JAB_TLS_OFF);
}

jab_str jabi_condition_of(const jab_xml *el, const char *ns)
{
    for (const jab_xml *child = jab_xml_first(el); child; child = jab_xml_next(child))
        if (jab_str_is(jab_xml_ns(child), ns) && !jab_str_is(jab_xml_name(child), "text"))
            return jab_xml_name(child);
    return (jab_str){NULL, 0};
}
