/* stanza.c: the envelope of a stanza, and keeping one beyond its event. */
#include "session/session.h"

#include "base/mem.h"
#include "jid/jid.h"

#define KEPT_BYTES_MAX (64u << 20)

static jab_kind kind_of(const jab_xml *el)
{
    jab_str name = jab_xml_name(el);
    if (jab_str_is(name, "message"))
        return JAB_MESSAGE;
    return jab_str_is(name, "presence") ? JAB_PRESENCE : JAB_IQ;
}

/*
 * A nickname in a room may hold what the tables here do not know yet (a newer
 * emoji), and the server let it pass. Its message is not lost for that: the
 * account is prepared as ever, the resource is compared as the bytes it is.
 */
static int read_odd_resource(jab_jid *jid, jab_str text, jabi_arena *arena)
{
    const char *slash = memchr(text.p, '/', text.n);
    size_t bare_n = slash ? (size_t)(slash - text.p) : text.n;
    size_t tail_n = text.n - bare_n; /* with the slash */
    if (tail_n < 2 || tail_n > JAB_JID_PART_MAX + 1)
        return JAB_EJID;
    jab_jid bare;
    int err = jabi_jid_parse_view(&bare, (jab_str){text.p, bare_n}, arena);
    if (err < 0)
        return err;
    char *full = jabi_arena_alloc(arena, bare.full.n + tail_n);
    if (!full)
        return JAB_ENOMEM;
    memcpy(full, bare.full.p, bare.full.n);
    memcpy(full + bare.full.n, slash, tail_n);
    *jid = jab_jid_view((jab_str){full, bare.full.n + tail_n});
    return 0;
}

/* A copy: the event may be pulled when the session has another address. */
static int copy_address(jab_jid *jid, const jab_jid *from, jabi_arena *arena)
{
    jab_str full = jabi_arena_str(arena, from->full);
    *jid = jab_jid_view(full);
    return full.p ? 0 : JAB_ENOMEM;
}

/* RFC 6120 §8.1: absent addresses have a meaning; bad ones make no stanza. */
static int read_address(jab_jid *jid, jab_str text, const jab_jid *fallback, jabi_arena *arena)
{
    if (!text.p)
        return copy_address(jid, fallback, arena);
    int err = jabi_jid_parse_view(jid, text, arena);
    return err == JAB_EJID ? read_odd_resource(jid, text, arena) : err;
}

static unsigned judge_origin(const jab_session *s, const jab_stanza *st)
{
    const jab_jid *self = jab_session_jid(s);
    unsigned origin = 0;
    int absent = !jab_xml_attr(st->xml, "from").p;
    if (absent || jab_str_eq(st->from.full, self->bare))
        origin |= JABI_ORIGIN_SELF;
    if (absent || jab_jid_bare_eq(&st->from, self))
        origin |= JABI_ORIGIN_OWN;
    if (absent || jab_str_eq(st->from.full, self->domain))
        origin |= JABI_ORIGIN_SERVER;
    if (!absent && jabi_room_is_joined(s, st->from.bare))
        origin |= JABI_ORIGIN_ROOM;
    return origin;
}

jab_stanza *jabi_stanza_new(jab_session *s, jabi_arena *arena, const jab_xml *el, int *error)
{
    *error = 0;
    jab_stanza *st = jabi_arena_alloc(arena, sizeof *st);
    if (!st) {
        *error = JAB_ENOMEM;
        return NULL;
    }
    *st = (jab_stanza){.arena = arena, .xml = el, .kind = kind_of(el)};
    st->id = jab_xml_attr(el, "id");
    st->type = jab_xml_attr(el, "type");
    const jab_jid *self = jab_session_jid(s);
    const jab_jid bare = jab_jid_view(self->bare);
    int from = read_address(&st->from, jab_xml_attr(el, "from"), &bare, arena);
    int to = read_address(&st->to, jab_xml_attr(el, "to"), self, arena);
    if (from < 0 || to < 0) {
        *error = from == JAB_ENOMEM || to == JAB_ENOMEM ? JAB_ENOMEM : 0;
        return NULL;
    }
    st->origin = judge_origin(s, st);
    st->via = st->origin & JABI_ORIGIN_ROOM ? JAB_VIA_ROOM : 0;
    return st;
}

jab_iq_type jabi_iq_type(const jab_stanza *st)
{
    static const char *const names[] = {"get", "set", "result", "error"};
    for (int i = 0; i < 4; i++)
        if (jab_str_is(st->type, names[i]))
            return (jab_iq_type)i;
    return (jab_iq_type)-1;
}

jab_kind jab_stanza_kind(const jab_stanza *st)
{
    return st->kind;
}

jab_jid jab_stanza_from(const jab_stanza *st)
{
    return st->from;
}

jab_jid jab_stanza_to(const jab_stanza *st)
{
    return st->to;
}

jab_str jab_stanza_id(const jab_stanza *st)
{
    return st->id;
}

jab_str jab_stanza_type(const jab_stanza *st)
{
    return st->type;
}

const jab_xml *jab_stanza_xml(const jab_stanza *st)
{
    return st->xml;
}

unsigned jab_stanza_via(const jab_stanza *st)
{
    return st->via;
}

int64_t jab_stanza_stamp(const jab_stanza *st)
{
    return st->stamp;
}

jab_stanza *jabi_stanza_copy(jabi_arena *arena, const jab_stanza *st)
{
    jab_stanza *copy = jabi_arena_alloc(arena, sizeof *copy);
    jab_xml *xml = jabi_xml_copy(arena, st->xml);
    if (!copy || !xml)
        return NULL;
    *copy = *st;
    copy->mem = NULL;
    copy->arena = arena;
    copy->xml = xml;
    copy->id = jab_xml_attr(xml, "id");
    copy->type = jab_xml_attr(xml, "type");
    int err = copy_address(&copy->from, &st->from, arena);
    if (err == 0)
        err = copy_address(&copy->to, &st->to, arena);
    return err < 0 ? NULL : copy;
}

/* Handlers see stanzas as read-only; this, as jab_ext_mark(), is a door. */
void jabi_stanza_set_key(const jab_stanza *st, int64_t key)
{
    ((jab_stanza *)st)->key = key;
}

jab_stanza *jab_stanza_keep(const jab_stanza *st)
{
    const jab_mem *mem = st->arena->mem;
    jabi_arena *arena = jabi_alloc(mem, sizeof *arena);
    if (!arena)
        return NULL;
    jabi_arena_init(arena, mem, KEPT_BYTES_MAX);
    jab_stanza *copy = jabi_stanza_copy(arena, st);
    if (!copy) {
        jabi_arena_fini(arena);
        jabi_free(mem, arena);
        return NULL;
    }
    copy->mem = mem;
    return copy;
}

void jab_stanza_drop(jab_stanza *st)
{
    if (!st)
        return;
    const jab_mem *mem = st->mem;
    jabi_arena *arena = st->arena;
    jabi_arena_fini(arena);
    jabi_free(mem, arena);
}

int jab_stanza_error_read(const jab_stanza *st, jab_stanza_error *e)
{
    *e = (jab_stanza_error){0};
    if (!jab_str_is(st->type, "error"))
        return 0;
    const jab_xml *error = jab_xml_child(st->xml, JABI_NS_CLIENT, "error");
    e->type = jab_xml_attr(error, "type");
    e->condition = jabi_condition_of(error, JABI_NS_STANZAS);
    if (!e->condition.p)
        e->condition = JAB_STR("undefined-condition");
    const jab_xml *text = jab_xml_child(error, JABI_NS_STANZAS, "text");
    e->text = text ? jab_xml_text(text) : (jab_str){NULL, 0};
    for (const jab_xml *el = jab_xml_first(error); el && !e->app; el = jab_xml_next(el))
        if (!jab_str_is(jab_xml_ns(el), JABI_NS_STANZAS))
            e->app = el;
    return 1;
}
