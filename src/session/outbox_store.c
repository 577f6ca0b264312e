/*
 * outbox_store.c: the outbox in the store. Space "outbox" has the messages,
 * by a number that grows; space "sent" says of those that have left on which
 * stream, and as which of its stanzas.
 */

#include "base/mem.h"
#include "base/pack.h"
#include "session/outbox.h"
#include "session/recent.h"

#define SPACE      "outbox"
#define SPACE_SENT "sent"
#define KEY_SIZE   8
#define META_BYTES 16384 /* of a record beside the stanza: an id and an address */

static jab_str key_of(uint64_t seq, char room[KEY_SIZE])
{
    for (int i = KEY_SIZE - 1; i >= 0; i--, seq >>= 8)
        room[i] = (char)(seq & 0xff);
    return (jab_str){room, KEY_SIZE};
}

static int put(jab_session *s, const char *space, uint64_t seq, jab_str value)
{
    char room[KEY_SIZE];
    return s->cfg.store->table->put(s->cfg.store, space, key_of(seq, room), value);
}

/* -- Writing ------------------------------------------------------------------------ */

int jabi_outbox_write(jab_session *s, const jabi_outbox_row *row, jab_str xml)
{
    jabi_buf value;
    jabi_buf_init(&value, s->mem, s->cfg.max_stanza_bytes + META_BYTES);
    jabi_pack_number(&value, row->tag);
    jabi_pack_number(&value, (uint64_t)row->is_room);
    jabi_pack_str(&value, jabi_outbox_to(row));
    jabi_pack_str(&value, jabi_outbox_id(row));
    jabi_pack_str(&value, xml);
    int err = value.error ? value.error : put(s, SPACE, row->seq, jabi_buf_str(&value));
    jabi_buf_fini(&value);
    return err;
}

int jabi_outbox_mark(jab_session *s, const jabi_outbox_row *row)
{
    if (row->state == JABI_OUT_WAITS)
        return put(s, SPACE_SENT, row->seq, (jab_str){NULL, 0});
    if (row->state != JABI_OUT_LEFT)
        return 0; /* it is there, under the name of its stream */
    jabi_buf value;
    jabi_buf_init(&value, s->mem, META_BYTES);
    jabi_pack_str(&value, s->stream.sm.id.p ? s->stream.sm.id : JAB_STR(""));
    jabi_pack_number(&value, row->count);
    int err = value.error ? value.error : put(s, SPACE_SENT, row->seq, jabi_buf_str(&value));
    jabi_buf_fini(&value);
    return err;
}

int jabi_outbox_erase(jab_session *s, uint64_t seq)
{
    jab_str absent = {NULL, 0};
    int err = put(s, SPACE, seq, absent);
    return err < 0 ? err : put(s, SPACE_SENT, seq, absent);
}

/* -- Reading -------------------------------------------------------------------------- */

typedef struct record {
    uint64_t tag, is_room;
    jab_str to, id, xml;
} record;

static int read_record(record *r, jab_str value)
{
    jabi_unpack u = jabi_unpack_begin(value);
    r->tag = jabi_unpack_number(&u);
    r->is_room = jabi_unpack_number(&u);
    r->to = jabi_unpack_str(&u);
    r->id = jabi_unpack_str(&u);
    r->xml = jabi_unpack_str(&u);
    return jabi_unpack_is_whole(&u) && r->xml.n > 0;
}

static int on_xml(void *arg, jab_str key, jab_str value)
{
    record r;
    (void)key;
    if (read_record(&r, value))
        jabi_buf_add_str(arg, r.xml);
    return 0;
}

int jabi_outbox_xml(jab_session *s, uint64_t seq, jabi_buf *to)
{
    char room[KEY_SIZE];
    jabi_buf_reset(to);
    int n = s->cfg.store->table->get(s->cfg.store, SPACE, key_of(seq, room), on_xml, to);
    if (n < 0)
        return n;
    return to->error ? to->error : to->n > 0;
}

static uint64_t seq_of(jab_str key)
{
    uint64_t seq = 0;
    for (size_t i = 0; i < key.n; i++)
        seq = seq << 8 | (unsigned char)key.p[i];
    return seq;
}

struct load {
    jab_session *s;
    int error;
};

static int on_row(void *arg, jab_str key, jab_str value)
{
    struct load *load = arg;
    record r;
    if (key.n != KEY_SIZE || !read_record(&r, value))
        return 0; /* damaged: nothing to be sent is left of it */
    const jabi_outbox_row row = {
        .seq = seq_of(key), .tag = r.tag, .is_room = r.is_room != 0, .state = JABI_OUT_WAITS};
    load->error = jabi_recent_begin(load->s);
    if (!load->error && !jabi_outbox_add_row(load->s, &row, r.id, r.to))
        load->error = JAB_ENOMEM;
    if (!load->error)
        jabi_recent_note(load->s, r.id, r.to, r.tag);
    return load->error;
}

/* A row that has left: on the stream that may be resumed, or on one that is gone. */
static int on_mark(void *arg, jab_str key, jab_str value)
{
    jab_session *s = ((struct load *)arg)->s;
    uint64_t seq = seq_of(key);
    jabi_unpack u = jabi_unpack_begin(value);
    jab_str stream = jabi_unpack_str(&u);
    uint64_t count = jabi_unpack_number(&u);
    jabi_outbox_row *row = jabi_outbox_find(s, seq);
    if (!row || row->state != JABI_OUT_WAITS)
        return 0;
    int is_saved = s->restored && jab_str_eq(stream, s->stream.sm.id);
    row->state = is_saved ? JABI_OUT_SAVED : JABI_OUT_DOUBT;
    row->count = (uint32_t)count;
    s->outbox.waiting--;
    return 0;
}

int jabi_outbox_load(jab_session *s)
{
    jab_store *st = s->cfg.store;
    struct load load = {.s = s};
    jabi_buf_init(&s->outbox.scratch, s->mem, s->cfg.max_stanza_bytes + META_BYTES);
    if (!st)
        return 0;
    jab_str all = {NULL, 0};
    int n = st->table->each(st, SPACE, all, 0, on_row, &load);
    if (n >= 0 && !load.error)
        n = st->table->each(st, SPACE_SENT, all, 0, on_mark, &load);
    return load.error ? load.error : n < 0 ? n : 0;
}
