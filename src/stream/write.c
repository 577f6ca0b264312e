/* write.c: what a stream sends: header, elements, close; and the wire log. */
#include "stream/stream.h"

#include "base/mem.h"

static void log_out(jabi_stream *str, jab_str bytes)
{
    if (str->cfg->wire)
        str->cfg->wire(str->cfg->wire_arg, 1, bytes);
}

/* Text in a header attribute: a prepared JID or a language, escaped. */
static void add_escaped(jabi_buf *b, jab_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&':
            jabi_buf_add_z(b, "&amp;");
            break;
        case '<':
            jabi_buf_add_z(b, "&lt;");
            break;
        case '\'':
            jabi_buf_add_z(b, "&apos;");
            break;
        default:
            jabi_buf_add_char(b, s.p[i]);
        }
    }
}

int jabi_stream_write_header(jabi_stream *str)
{
    jabi_buf *b = &str->out;
    size_t mark = b->n;
    jabi_buf_add_z(b, "<?xml version='1.0'?><stream:stream");
    /* RFC 6120 §4.7.1: the account is named only once the channel is secret. */
    if (str->account.local.p && (str->state & JABI_SECURE)) {
        jabi_buf_add_z(b, " from='");
        add_escaped(b, str->account.bare);
        jabi_buf_add_char(b, '\'');
    }
    jabi_buf_add_z(b, " to='");
    add_escaped(b, str->account.domain);
    jabi_buf_add_z(b, "' version='1.0' xml:lang='");
    add_escaped(b, str->cfg->lang);
    jabi_buf_add_z(b, "' xmlns='" JABI_NS_CLIENT "' xmlns:stream='" JABI_NS_STREAM "'>");
    if (b->error)
        return jabi_stream_fault(str, b->error, JAB_AT_STREAM, NULL, "%s", jab_strerror(b->error));
    str->header_sent = 1;
    log_out(str, (jab_str){b->p + mark, b->n - mark});
    return 0;
}

void jabi_stream_write(jabi_stream *str, jabi_writer *w, size_t *mark)
{
    *mark = str->out.n;
    jabi_writer_init(w, &str->out, JABI_NS_CLIENT);
}

int jabi_stream_write_end(jabi_stream *str, jabi_writer *w, size_t mark, const char *shown)
{
    int err = jabi_writer_close_to(w, 0);
    if (err < 0) {
        str->out.n = mark;
        return jabi_stream_fault(str, err, jabi_stream_stage(str), NULL, "%s", jab_strerror(err));
    }
    log_out(str, shown ? jab_cstr(shown) : (jab_str){str->out.p + mark, str->out.n - mark});
    return 0;
}

void jabi_stream_close(jabi_stream *str)
{
    if (str->close_sent || !str->header_sent)
        return;
    str->close_sent = 1;
    jabi_buf_add_z(&str->out, "</stream:stream>");
    log_out(str, JAB_STR("</stream:stream>"));
}

/* SASL data is as good as a password to whoever reads the log. */
static const struct {
    const char *name, *shown;
} secrets[] = {
    {"challenge", "<challenge>[...]</challenge>"},
    {"success", "<success>[...]</success>"},
    {"continue", "<continue>[...]</continue>"},
    {"task-data", "<task-data>[...]</task-data>"},
};

static const char *redacted(const jab_xml *el)
{
    int is_sasl =
        jab_str_is(jab_xml_ns(el), JABI_NS_SASL) || jab_str_is(jab_xml_ns(el), JABI_NS_SASL2);
    for (size_t i = 0; is_sasl && i < sizeof secrets / sizeof *secrets; i++)
        if (jab_str_is(jab_xml_name(el), secrets[i].name))
            return secrets[i].shown;
    return NULL;
}

void jabi_stream_log_in(jabi_stream *str, const jab_xml *el)
{
    if (!str->cfg->wire)
        return;
    const char *shown = redacted(el);
    if (shown) {
        str->cfg->wire(str->cfg->wire_arg, 0, jab_cstr(shown));
        return;
    }
    size_t n = jab_xml_print(el, NULL, 0);
    char *text = jabi_alloc(str->mem, n + 1);
    if (!text)
        return;
    jab_xml_print(el, text, n + 1);
    str->cfg->wire(str->cfg->wire_arg, 0, (jab_str){text, n});
    jabi_free(str->mem, text);
}

size_t jabi_stream_pending(const jabi_stream *str)
{
    return str->out.n - str->out_at + str->wire.n - str->wire_at;
}

static jab_str rest(const jabi_buf *b, size_t at)
{
    return (jab_str){b->p ? b->p + at : "", b->n - at};
}

jab_str jabi_stream_out(jabi_stream *str)
{
    if (!(str->state & JABI_COMPRESSED))
        return rest(&str->out, str->out_at);
    if (str->out.n > str->out_at && jabi_zlib_deflate(str) < 0)
        return (jab_str){"", 0};
    return rest(&str->wire, str->wire_at);
}

/* Taken bytes are dropped when they are half of the buffer or more: so each
 * byte is moved at most once on average, and the buffer needs no more than
 * twice the room of what is still to send. */
static void take(jabi_buf *b, size_t *at, size_t n)
{
    size_t left = b->n - *at;
    *at += n < left ? n : left;
    if (*at < b->n - *at)
        return;
    jabi_buf_consume(b, *at);
    *at = 0;
}

void jabi_stream_out_done(jabi_stream *str, size_t n)
{
    if (str->state & JABI_COMPRESSED)
        take(&str->wire, &str->wire_at, n);
    else
        take(&str->out, &str->out_at, n);
}

void jabi_stream_discard(jabi_stream *str)
{
    jabi_buf_reset(&str->out);
    jabi_buf_reset(&str->wire);
    str->out_at = str->wire_at = 0;
}

int jabi_random_id(const jab_config *cfg, char out[JABI_ID_SIZE])
{
    /* 32 of 32 characters: 160 bits, unguessable as RFC 6120 §8.1.3 wants. */
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t bytes[JABI_ID_SIZE - 1];
    if (cfg->random(cfg->random_arg, bytes, sizeof bytes) < 0)
        return JAB_ECRYPTO;
    for (size_t i = 0; i < sizeof bytes; i++)
        out[i] = letters[bytes[i] & 31];
    out[sizeof bytes] = '\0';
    return 0;
}
