/* out.c: builders: one stanza written from left to right, with a sticky error. */
#include "session/ext_out.h"
#include "session/outbox.h"
#include "session/sm.h"

#include "base/mem.h"

static jab_out *take_spare(jab_session *s)
{
    jab_out *o = s->spare_out;
    if (!o) {
        o = jabi_alloc0(s->mem, sizeof *o);
        if (o)
            jabi_buf_init(&o->buf, s->mem, s->cfg.max_stanza_bytes);
        return o;
    }
    s->spare_out = o->next;
    s->n_spare_out--;
    jabi_buf buf = o->buf;
    memset(o, 0, offsetof(jab_out, id_text));
    o->buf = buf;
    jabi_buf_reset(&o->buf);
    o->id_written = o->has_body = o->error = 0;
    o->to = (jab_jid){0};
    o->ext = NULL;
    o->fn = NULL;
    return o;
}

static void give_back(jab_out *o)
{
    jab_session *s = o->session;
    if (s->n_spare_out >= JABI_SPARE_BUILDERS || o->buf.cap > JABI_BUILDER_KEEP) {
        jabi_buf_fini(&o->buf);
        jabi_free(s->mem, o);
        return;
    }
    o->next = s->spare_out;
    s->spare_out = o;
    s->n_spare_out++;
}

void jabi_outs_fini(jab_session *s)
{
    while (s->spare_out) {
        jab_out *next = s->spare_out->next;
        jabi_buf_fini(&s->spare_out->buf);
        jabi_free(s->mem, s->spare_out);
        s->spare_out = next;
    }
    s->n_spare_out = 0;
}

static void fail(jab_out *o, int err)
{
    if (!o->error)
        o->error = err;
}

static void random_id(jab_out *o)
{
    char id[JABI_ID_SIZE];
    int err = jabi_random_id(&o->session->cfg, id);
    if (err < 0) {
        fail(o, err);
        return;
    }
    memcpy(o->id_text, id, sizeof id);
    o->id = (jab_str){o->id_text, sizeof id - 1};
}

jab_out *jabi_out_new(jab_session *s, jab_kind kind, jab_str to, const char *type)
{
    static const char *const names[] = {
        [JAB_MESSAGE] = "message", [JAB_PRESENCE] = "presence", [JAB_IQ] = "iq"};
    jab_out *o = take_spare(s);
    if (!o)
        return NULL;
    o->session = s;
    o->kind = kind;
    o->is_available = kind == JAB_PRESENCE && !type;
    jabi_writer_init(&o->writer, &o->buf, JABI_NS_CLIENT);
    jabi_writer_start(&o->writer, (jab_str){NULL, 0}, jab_cstr(names[kind]));
    jabi_writer_attr(&o->writer, JAB_STR("type"), jab_cstr(type));
    if (to.p) {
        int err = jab_jid_parse(&o->to, to, &o->to_buf);
        if (err < 0)
            fail(o, err);
        else
            jabi_writer_attr(&o->writer, JAB_STR("to"), o->to.full);
    }
    if (kind != JAB_PRESENCE)
        random_id(o);
    return o;
}

void jabi_out_answers(jab_out *o, jab_str to, jab_str id)
{
    int fits = id.p && id.n < sizeof o->id_text;
    if (fits)
        memcpy(o->id_text, id.p, id.n);
    o->id = fits ? (jab_str){o->id_text, id.n} : (jab_str){NULL, 0};
    o->id_written = 1;
    jabi_writer_attr(&o->writer, JAB_STR("to"), to);
    jabi_writer_attr(&o->writer, JAB_STR("id"), id);
}

jab_out *jab_message_to(jab_session *s, jab_str to, jab_message_type type)
{
    static const char *const names[] = {
        [JAB_MSG_NORMAL] = NULL,           [JAB_MSG_CHAT] = "chat",
        [JAB_MSG_GROUPCHAT] = "groupchat", [JAB_MSG_HEADLINE] = "headline",
        [JAB_MSG_ERROR] = "error",
    };
    size_t i = (size_t)type;
    jab_out *o = jabi_out_new(s, JAB_MESSAGE, to, i < 5 ? names[i] : NULL);
    if (o)
        o->type = type;
    return o;
}

jab_out *jab_presence_to(jab_session *s, jab_str to)
{
    return jabi_out_new(s, JAB_PRESENCE, to, NULL);
}

jab_out *jab_iq_to(jab_session *s, jab_str to, jab_iq_type type)
{
    jab_out *o = jabi_out_new(s, JAB_IQ, to, type == JAB_IQ_SET ? "set" : "get");
    if (!o)
        return NULL;
    o->iq_type = type;
    if (type != JAB_IQ_GET && type != JAB_IQ_SET)
        fail(o, JAB_EINVAL);
    return o;
}

jab_out *jab_ext_message(jab_ext_ctx *x, jab_jid to)
{
    return jabi_out_message(x, to, JAB_MSG_NORMAL);
}

jab_out *jab_ext_presence(jab_ext_ctx *x, jab_str to, jab_str type)
{
    char name[16] = "";
    int fits = type.n < sizeof name;
    if (fits && type.p)
        memcpy(name, type.p, type.n);
    jab_out *o = jabi_out_new(x->session, JAB_PRESENCE, to, name[0] ? name : NULL);
    if (!fits)
        jab_out_fail(o, JAB_EINVAL);
    return o;
}

jab_out *jab_ext_iq(jab_ext_ctx *x, jab_str to, jab_iq_type type, jab_reply_fn fn)
{
    jab_out *o = jab_iq_to(x->session, to, type);
    if (o) {
        o->ext = x;
        o->fn = fn;
    }
    return o;
}

/* The id is written last of the stanza's attributes, as it may be replaced. */
static void begin_content(jab_out *o)
{
    if (o->id_written)
        return;
    o->id_written = 1;
    jabi_writer_attr(&o->writer, JAB_STR("id"), o->id);
}

static int is_usable(jab_out *o)
{
    return o && !o->error;
}

void jab_out_to(jab_out *o, jab_jid to)
{
    if (!is_usable(o))
        return;
    if (o->to.full.p || o->id_written) {
        fail(o, JAB_ESTATE);
    } else if (!to.full.p || to.full.n > JAB_JID_MAX) {
        fail(o, JAB_EJID);
    } else {
        memcpy(o->to_buf.bytes, to.full.p, to.full.n);
        o->to = jab_jid_view((jab_str){o->to_buf.bytes, to.full.n});
        jabi_writer_attr(&o->writer, JAB_STR("to"), o->to.full);
    }
}

void jab_out_child(jab_out *o, const char *ns, const char *name)
{
    if (!is_usable(o))
        return;
    begin_content(o);
    jabi_writer_start(&o->writer, jab_cstr(ns), jab_cstr(name));
    int own_ns = !ns || strcmp(ns, JABI_NS_CLIENT) == 0;
    if (!o->writer.error && o->writer.depth == 2 && own_ns && strcmp(name, "body") == 0)
        o->has_body = o->kind == JAB_MESSAGE;
}

void jab_out_attr(jab_out *o, const char *name, jab_str value)
{
    if (is_usable(o))
        jabi_writer_attr(&o->writer, jab_cstr(name), value);
}

void jab_out_lang(jab_out *o, jab_str lang)
{
    if (is_usable(o))
        jabi_writer_lang(&o->writer, lang);
}

void jab_out_text(jab_out *o, jab_str text)
{
    if (!is_usable(o))
        return;
    begin_content(o);
    jabi_writer_text(&o->writer, text);
}

void jab_out_end(jab_out *o)
{
    if (!is_usable(o))
        return;
    if (o->writer.depth <= 1)
        fail(o, o->writer.error ? o->writer.error : JAB_EXML); /* more ends than beginnings */
    else
        jabi_writer_end(&o->writer);
}

void jab_out_leaf(jab_out *o, const char *name, jab_str text)
{
    jab_out_child(o, NULL, name);
    jab_out_text(o, text);
    jab_out_end(o);
}

void jab_out_copy(jab_out *o, const jab_xml *el)
{
    if (!is_usable(o) || !el)
        return;
    begin_content(o);
    if (o->writer.depth == 1 && jab_xml_is(el, JABI_NS_CLIENT, "body"))
        o->has_body = o->kind == JAB_MESSAGE;
    jabi_writer_tree(&o->writer, el);
}

void jab_out_raw(jab_out *o, jab_str xml)
{
    if (!is_usable(o))
        return;
    jabi_arena arena;
    jabi_arena_init(&arena, o->session->mem, o->session->cfg.max_stanza_bytes * 16 + 65536);
    const jab_xml *el = NULL;
    int err = jabi_xml_parse(o->session->mem, &arena, xml, JABI_NS_CLIENT, &el);
    if (err < 0)
        fail(o, err);
    else
        jab_out_copy(o, el);
    jabi_arena_fini(&arena);
}

void jab_out_set_id(jab_out *o, jab_str id)
{
    if (!is_usable(o))
        return;
    if (o->id_written)
        fail(o, JAB_ESTATE);
    else if (!id.p || id.n >= sizeof o->id_text)
        fail(o, JAB_ELIMIT);
    else {
        memcpy(o->id_text, id.p, id.n);
        o->id = (jab_str){o->id_text, id.n};
    }
}

void jab_out_body(jab_out *o, jab_str text)
{
    jab_out_leaf(o, "body", text);
}

void jab_out_body_in(jab_out *o, jab_str lang, jab_str text)
{
    jab_out_child(o, NULL, "body");
    jab_out_lang(o, lang);
    jab_out_text(o, text);
    jab_out_end(o);
}

void jab_out_subject(jab_out *o, jab_str text)
{
    jab_out_leaf(o, "subject", text);
}

void jab_out_thread(jab_out *o, jab_str id, jab_str parent)
{
    jab_out_child(o, NULL, "thread");
    jab_out_attr(o, "parent", parent);
    jab_out_text(o, id);
    jab_out_end(o);
}

jab_str jab_out_id(const jab_out *o)
{
    return o ? o->id : (jab_str){NULL, 0};
}

jab_kind jab_out_kind(const jab_out *o)
{
    return o ? o->kind : (jab_kind)0;
}

jab_message_type jab_out_type(const jab_out *o)
{
    return o ? o->type : JAB_MSG_NORMAL;
}

int jab_out_has_body(const jab_out *o)
{
    return o && o->has_body;
}

int jab_out_is_available(const jab_out *o)
{
    return o && o->is_available;
}

void jab_out_fail(jab_out *o, int error)
{
    if (o)
        fail(o, error < 0 ? error : JAB_EINVAL);
}

int jab_out_error(const jab_out *o)
{
    if (!o)
        return JAB_ENOMEM;
    return o->error ? o->error : o->writer.error;
}

static void run_filters(jab_out *o)
{
    jab_session *s = o->session;
    for (size_t i = 0; i < s->n_exts && is_usable(o); i++) {
        if (!s->exts[i].ext->outgoing)
            continue;
        (void)jabi_writer_close_to(&o->writer, 1);
        int err = s->exts[i].ext->outgoing(&s->exts[i], o);
        if (err < 0)
            fail(o, err);
    }
}

static int is_request(const jab_out *o)
{
    return o->kind == JAB_IQ && (o->iq_type == JAB_IQ_GET || o->iq_type == JAB_IQ_SET);
}

/* Answers have room of their own: a full queue of what the application sends
 * does not make this client deaf to a server that asks whether it is there. */
static int check_room(const jab_out *o)
{
    const jab_config *cfg = &o->session->cfg;
    int is_answer = o->kind == JAB_IQ && !is_request(o);
    size_t limit = cfg->max_output_bytes + (is_answer ? cfg->max_stanza_bytes : 0);
    if (o->buf.n > limit)
        return JAB_ELIMIT; /* it will never fit */
    if (jabi_stream_refuses(&o->session->stream, o->buf.n))
        return JAB_ELIMIT;
    return jabi_stream_pending(&o->session->stream) + o->buf.n > limit ? JAB_EAGAIN : 0;
}

/* All that can fail comes before the bytes join the output. */
static int queue(jab_out *o, uint64_t tag)
{
    jab_session *s = o->session;
    jabi_buf *out = &s->stream.out;
    int full = check_room(o);
    if (full < 0)
        return full;
    if (!jabi_buf_room(out, o->buf.n)) {
        int err = out->error;
        out->error = 0; /* the stream is whole: only this stanza found no room */
        return err;
    }
    const jabi_sent_stanza sent = {.xml = jabi_buf_str(&o->buf),
                                   .id = o->id,
                                   .to = o->to.full,
                                   .tag = tag,
                                   .is_ours = o->kind == JAB_MESSAGE && !o->ext};
    int err = is_request(o) ? jabi_request_add(s, o, tag) : 0;
    if (err < 0)
        return err;
    err = jabi_sm_reserve(s, &sent);
    if (err < 0) {
        if (is_request(o))
            jabi_request_undo(s);
        return err;
    }
    jabi_sm_add(s, &sent);
    jabi_buf_add(out, o->buf.p, o->buf.n);
    if (s->cfg.wire)
        s->cfg.wire(s->cfg.wire_arg, 1, jabi_buf_str(&o->buf));
    return 0;
}

int jab_out_send(jab_out *o, uint64_t tag)
{
    if (!o)
        return JAB_ENOMEM;
    jab_session *s = o->session;
    int err = jab_out_error(o);
    int is_kept = jabi_outbox_takes(o);
    if (err >= 0 && (s->closing || (!s->online && !is_kept)))
        err = JAB_EOFFLINE;
    if (err >= 0) {
        begin_content(o);
        run_filters(o);
        (void)jabi_writer_close_to(&o->writer, 0);
        err = jab_out_error(o);
    }
    if (err >= 0)
        err = is_kept ? jabi_outbox_accept(o, tag) : queue(o, tag);
    give_back(o);
    return err;
}

void jab_out_cancel(jab_out *o)
{
    if (o)
        give_back(o);
}
