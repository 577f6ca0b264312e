/*
 * sm_saved.c: the stream that may be resumed, in the store, so that another
 * process can do so (XEP-0198 §5). What it needs is the stream's name, the
 * bound address, and how many stanzas that came are dealt with for good; the
 * outbox knows what was on its way.
 */

#include "base/mem.h"
#include "base/pack.h"
#include "session/sm.h"

#define SPACE "stream"
#define KEY   JAB_STR("sm")

static int put(jab_session *s, jab_str value)
{
    return s->cfg.store->table->put(s->cfg.store, SPACE, KEY, value);
}

int jabi_sm_is_news(const jab_session *s)
{
    return s->saved && !s->stream.sm.id.p;
}

int jabi_sm_save(jab_session *s)
{
    const jabi_sm *sm = &s->stream.sm;
    jab_store *st = s->cfg.store;
    if (!st || (!sm->id.p && !s->saved) || (s->saved && sm->id.p && s->saved_in == jabi_sm_kept(s)))
        return 0;
    if (!sm->id.p) {
        s->saved = 0;
        return put(s, (jab_str){NULL, 0});
    }
    jabi_buf value;
    jabi_buf_init(&value, s->mem, 16384);
    jabi_pack_str(&value, sm->id);
    jabi_pack_str(&value, sm->location);
    jabi_pack_str(&value, s->stream.bound.full);
    jabi_pack_number(&value, jabi_sm_kept(s));
    int err = value.error ? value.error : put(s, jabi_buf_str(&value));
    jabi_buf_fini(&value);
    if (err >= 0) {
        s->saved = 1;
        s->saved_in = jabi_sm_kept(s);
    }
    return err;
}

/* What <resume h=''/> says to have come, a later process must not take back
 * (XEP-0198 §4): it is in the store first. Where that fails, what is there is
 * said, and the rest comes again. */
void jabi_sm_claim(jab_session *s)
{
    jabi_sm *sm = &s->stream.sm;
    if (!s->cfg.store || !sm->id.p || (s->is_durable && s->durable_in == sm->in))
        return;
    int err = jabi_store_waits(s) ? JAB_EAGAIN : jabi_sm_save(s);
    if (err >= 0)
        err = jabi_store_commit(s);
    if (err < 0 && s->is_durable)
        sm->in = s->sm_safe = s->durable_in;
}

/* The address that was bound must be what the configuration asks for now. */
static int is_this_account(const jab_session *s, const jab_jid *jid)
{
    if (!jab_jid_bare_eq(jid, &s->account) || !jid->resource.p)
        return 0;
    return !s->account.resource.p || jab_str_eq(jid->resource, s->account.resource);
}

static int on_record(void *arg, jab_str key, jab_str value)
{
    jab_session *s = arg;
    jabi_stream *str = &s->stream;
    jabi_unpack u = jabi_unpack_begin(value);
    jab_str id = jabi_unpack_str(&u), location = jabi_unpack_str(&u), jid = jabi_unpack_str(&u);
    uint64_t in = jabi_unpack_number(&u);
    (void)key;
    s->saved = 1;
    if (!jabi_unpack_is_whole(&u) || !id.n || jab_jid_parse(&str->bound, jid, &str->bound_buf) < 0)
        return 0;
    if (!is_this_account(s, &str->bound) || s->cfg.no_reconnect)
        return 0;
    if (jabi_strdup(str->mem, &str->sm.id, id) < 0 ||
        (location.n && jabi_strdup(str->mem, &str->sm.location, location) < 0))
        return JAB_ENOMEM;
    str->sm.in = str->sm.handled = s->sm_safe = s->saved_in = s->durable_in = (uint32_t)in;
    s->is_durable = 1;
    s->restored = 1;
    return 0;
}

int jabi_sm_restore(jab_session *s)
{
    if (!s->cfg.store)
        return 0;
    int n = s->cfg.store->table->get(s->cfg.store, SPACE, KEY, on_record, s);
    return n < 0 ? n : 0;
}
