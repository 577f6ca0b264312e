/* presence_table.c: who is online, as far as presence has told. */
#include "ext/presence.h"

#include <jabiru/roster.h>

#include "base/mem.h"
#include "ext/ext.h"
#include "ext/text.h"

/* One available resource: one block with its text. */
typedef struct held {
    jab_resource resource;
    uint64_t serial;
    int stranger;
} held;

typedef struct peer {
    jab_str key;
    held **held;
    size_t n;
} peer;

static peer *peer_add(jab_ext_ctx *x, jab_str bare)
{
    presence_state *state = jab_ext_state(x);
    const jab_mem *mem = jab_ext_mem(x);
    peer *p = jabi_alloc(mem, sizeof *p + bare.n + 1);
    if (!p)
        return NULL;
    char *cursor = (char *)(p + 1);
    *p = (peer){.key = jabi_put(&cursor, bare)};
    if (jabi_table_put(&state->peers, x, p, SIZE_MAX) == 0)
        return p;
    jabi_free(mem, p);
    return NULL;
}

static void peer_drop_if_empty(jab_ext_ctx *x, peer *p)
{
    presence_state *state = jab_ext_state(x);
    const jab_mem *mem = jab_ext_mem(x);
    if (p->n > 0)
        return;
    jabi_table_take(&state->peers, p->key);
    jabi_free(mem, p->held);
    jabi_free(mem, p);
}

static size_t find_held(const peer *p, jab_str full)
{
    size_t i = 0;
    while (i < p->n && !jab_str_eq(p->held[i]->resource.jid.full, full))
        i++;
    return i;
}

static held *held_new(const jab_mem *mem, const jab_presence *from)
{
    int keeps_status = from->status.n <= JAB_PRESENCE_STATUS_MAX;
    jab_str status = keeps_status ? from->status : (jab_str){NULL, 0};
    held *h = jabi_alloc(mem, sizeof *h + from->from.full.n + 1 + status.n + 1);
    if (!h)
        return NULL;
    char *cursor = (char *)(h + 1);
    *h = (held){.resource = {.show = from->show, .priority = from->priority}};
    h->resource.jid = jab_jid_view(jabi_put(&cursor, from->from.full));
    h->resource.status = jabi_put(&cursor, status);
    return h;
}

static int is_stranger(jab_ext_ctx *x, const jab_jid *from)
{
    jab_session *s = jab_ext_session(x);
    return !jab_jid_bare_eq(from, jab_session_jid(s)) && !jab_roster_find(s, from->bare);
}

/* Puts a resource into its peer's list: in the place of its last presence, or
 * at the end. */
static int peer_hold(jab_ext_ctx *x, peer *p, held *h)
{
    presence_state *state = jab_ext_state(x);
    const jab_mem *mem = jab_ext_mem(x);
    size_t i = find_held(p, h->resource.jid.full);
    if (i < p->n) {
        state->strangers -= (size_t)p->held[i]->stranger;
        jabi_free(mem, p->held[i]);
    } else {
        held **list = jabi_realloc_array(mem, p->held, p->n + 1, sizeof *list);
        if (!list)
            return JAB_ENOMEM;
        p->held = list;
        p->n++;
    }
    p->held[i] = h;
    state->strangers += (size_t)h->stranger;
    h->serial = ++state->serial;
    return 0;
}

static int is_room_left(const presence_state *state, const peer *p, int stranger)
{
    return (!p || p->n < JAB_PRESENCE_RESOURCES_MAX) &&
           (!stranger || state->strangers < JAB_PRESENCE_STRANGERS_MAX);
}

int jabi_presence_note(jab_ext_ctx *x, const jab_presence *from)
{
    presence_state *state = jab_ext_state(x);
    int stranger = is_stranger(x, &from->from);
    peer *p = jabi_table_get(&state->peers, from->from.bare);
    int known = p && find_held(p, from->from.full) < p->n;
    if (!known && !is_room_left(state, p, stranger))
        return 0;
    held *h = held_new(jab_ext_mem(x), from);
    if (h && !p)
        p = peer_add(x, from->from.bare);
    int err = h && p ? 0 : JAB_ENOMEM;
    if (err == 0) {
        h->stranger = stranger;
        err = peer_hold(x, p, h);
    }
    if (err < 0)
        jabi_free(jab_ext_mem(x), h);
    if (p)
        peer_drop_if_empty(x, p);
    return err;
}

static void release(jab_ext_ctx *x, peer *p, size_t i)
{
    presence_state *state = jab_ext_state(x);
    state->strangers -= (size_t)p->held[i]->stranger;
    jabi_free(jab_ext_mem(x), p->held[i]);
    p->held[i] = p->held[--p->n];
}

void jabi_presence_forget(jab_ext_ctx *x, const jab_jid *jid)
{
    presence_state *state = jab_ext_state(x);
    peer *p = jabi_table_get(&state->peers, jid->bare);
    if (!p)
        return;
    for (size_t i = p->n; i-- > 0;)
        if (!jid->resource.p || jab_str_eq(p->held[i]->resource.jid.full, jid->full))
            release(x, p, i);
    peer_drop_if_empty(x, p);
}

void jabi_presence_clear(jab_ext_ctx *x)
{
    presence_state *state = jab_ext_state(x);
    while (state->peers.n > 0) {
        peer *p = (peer *)(void *)state->peers.items[state->peers.n - 1];
        while (p->n > 0)
            release(x, p, p->n - 1);
        peer_drop_if_empty(x, p);
    }
    jabi_table_fini(&state->peers);
}

static const peer *find_peer(jab_session *s, jab_str bare)
{
    const presence_state *state = jabi_ext_state_in(s, &jabi_ext_presence);
    return jabi_table_get(&state->peers, bare);
}

size_t jab_resource_count(jab_session *s, jab_str bare)
{
    const peer *p = find_peer(s, bare);
    return p ? p->n : 0;
}

const jab_resource *jab_resource_at(jab_session *s, jab_str bare, size_t i)
{
    const peer *p = find_peer(s, bare);
    return p && i < p->n ? &p->held[i]->resource : NULL;
}

/* RFC 6121 §8.5.2.1.1 leaves the choice between equal priorities open. */
static int is_better(const held *a, const held *b)
{
    if (a->resource.priority != b->resource.priority)
        return a->resource.priority > b->resource.priority;
    if (a->resource.show != b->resource.show)
        return a->resource.show > b->resource.show;
    return a->serial > b->serial;
}

const jab_resource *jab_resource_best(jab_session *s, jab_str bare)
{
    const peer *p = find_peer(s, bare);
    const held *best = NULL;
    for (size_t i = 0; p && i < p->n; i++)
        if (!best || is_better(p->held[i], best))
            best = p->held[i];
    return best ? &best->resource : NULL;
}
