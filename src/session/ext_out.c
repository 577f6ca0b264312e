/* ext_out.c: messages of extensions, and elements that are no stanzas. */
#include "session/ext_out.h"

#include <stdio.h>

jab_out *jabi_out_message(jab_ext_ctx *x, jab_jid to, jab_message_type type)
{
    jab_out *o = jab_message_to(x->session, (jab_str){NULL, 0}, type);
    if (o)
        o->ext = x;
    jab_out_to(o, to);
    return o;
}

int jabi_out_is_ours(const jab_out *o)
{
    return o && o->kind == JAB_MESSAGE && !o->ext;
}

/* The writer puts the namespace first, and no text holds a "<" of its own. */
int jabi_out_has(const jab_out *o, const char *ns, const char *name)
{
    char begin[128];
    int n = snprintf(begin, sizeof begin, "<%s xmlns='%s'", name, ns);
    return o && o->buf.p && memmem(o->buf.p, o->buf.n, begin, (size_t)n) != NULL;
}

/* Room first: what fails later would end the stream. */
int jabi_write_nonza(jab_session *s, const char *ns, const char *name)
{
    jabi_buf *out = &s->stream.out;
    jabi_writer w;
    size_t mark;
    if (!jab_session_online(s))
        return JAB_EOFFLINE;
    if (!jabi_buf_room(out, sizeof "< xmlns=''/>" + strlen(ns) + strlen(name))) {
        int err = out->error;
        out->error = 0;
        return err;
    }
    jabi_stream_write(&s->stream, &w, &mark);
    jabi_writer_start(&w, jab_cstr(ns), jab_cstr(name));
    return jabi_stream_write_end(&s->stream, &w, mark, NULL);
}
