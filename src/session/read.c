/* read.c: a stanza from XML text, such as a store keeps. */
#include "session/session.h"

#include "base/mem.h"
#include "xml/xml.h"

#define READ_BYTES_MAX (64u << 20)

static jab_jid address(const jab_xml *el, const char *name)
{
    jab_str text = jab_xml_attr(el, name);
    return text.n ? jab_jid_view(text) : (jab_jid){.full = {0}};
}

static int read_into(jab_stanza *st, jab_str xml)
{
    const jab_xml *el = NULL;
    int err = jabi_xml_parse(st->mem, st->arena, xml, JABI_NS_CLIENT, &el);
    if (err < 0)
        return err;
    jab_str name = jab_xml_name(el);
    if (!jab_str_is(jab_xml_ns(el), JABI_NS_CLIENT))
        return JAB_EXML;
    st->kind = jab_str_is(name, "message")    ? JAB_MESSAGE
               : jab_str_is(name, "presence") ? JAB_PRESENCE
                                              : JAB_IQ;
    st->xml = el;
    st->id = jab_xml_attr(el, "id");
    st->type = jab_xml_attr(el, "type");
    st->from = address(el, "from");
    st->to = address(el, "to");
    return 0;
}

int jab_stanza_read(jab_stanza **out, jab_str xml, const jab_mem *mem)
{
    *out = NULL;
    mem = mem ? mem : jabi_mem_default();
    jabi_arena *arena = jabi_alloc(mem, sizeof *arena);
    if (!arena)
        return JAB_ENOMEM;
    jabi_arena_init(arena, mem, READ_BYTES_MAX);
    jab_stanza *st = jabi_arena_alloc(arena, sizeof *st);
    int err = JAB_ENOMEM;
    if (st) {
        *st = (jab_stanza){.mem = mem, .arena = arena};
        err = read_into(st, xml);
    }
    if (err < 0) {
        jabi_arena_fini(arena);
        jabi_free(mem, arena);
        return err;
    }
    *out = st;
    return 0;
}
