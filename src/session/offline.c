/*
 * offline.c: whether what the server keeps for an account that is offline was
 * asked for once, by presence. From then on all that comes is behind the place in the
 * archive that the store has, and the server may clear the rest: with the resource
 * (XEP-0386 §3.2) it does, and nobody would be told of what it clears.
 */
#include "session/session.h"

#define SPACE "stream"
#define KEY   JAB_STR("offline")

static int on_record(void *arg, jab_str key, jab_str value)
{
    jabi_stream *str = arg;
    (void)key;
    (void)value;
    str->may_clear = 1;
    return 0;
}

int jabi_offline_restore(jab_session *s)
{
    if (!s->cfg.store)
        return 0;
    int n = s->cfg.store->table->get(s->cfg.store, SPACE, KEY, on_record, &s->stream);
    return n < 0 ? n : 0;
}

int jabi_offline_asked(jab_session *s)
{
    if (!s->cfg.store || s->stream.may_clear)
        return 0;
    int err = s->cfg.store->table->put(s->cfg.store, SPACE, KEY, JAB_STR("asked"));
    s->stream.may_clear = err >= 0;
    return err;
}
