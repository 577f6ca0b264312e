/* ext_ctx.c: loading extensions, and what their functions may ask of a session. */
#include "session/session.h"

#include "base/mem.h"

#include <stdlib.h>

static const jab_ext *find_by_name(const jab_ext *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    return NULL;
}

static int needs_are_loaded(const jab_session *s, const jab_ext *ext)
{
    for (const char *const *need = ext->needs; need && *need; need++)
        if (!find_by_name(s->ext_list, s->n_exts, *need))
            return 0;
    return 1;
}

/* Loads every extension whose needs are met, until none is left; what then
 * remains needs something that is not there, or itself (a cycle). */
static int order_by_needs(jab_session *s, const jab_ext **all, size_t n)
{
    int progress = 1;
    while (progress) {
        progress = 0;
        for (size_t i = 0; i < n; i++) {
            if (!all[i] || !needs_are_loaded(s, all[i]))
                continue;
            if (find_by_name(s->ext_list, s->n_exts, all[i]->name))
                return JAB_ECONFLICT;
            s->ext_list[s->n_exts++] = all[i];
            all[i] = NULL;
            progress = 1;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (all[i])
            return JAB_EINVAL;
    return 0;
}

static int collect(jab_session *s)
{
    size_t n_builtin, n_own = 0;
    const jab_ext *const *builtin = jabi_ext_builtin(&n_builtin);
    const jab_ext *const *own = s->cfg.exts;
    while (own && own[n_own])
        n_own++;
    size_t n = n_builtin + n_own;
    const jab_ext **all = jabi_realloc_array(s->mem, NULL, n, sizeof *all);
    s->ext_list = jabi_realloc_array(s->mem, NULL, n, sizeof *s->ext_list);
    int err = all && s->ext_list ? 0 : JAB_ENOMEM;
    for (size_t i = 0; !err && i < n; i++)
        all[i] = i < n_builtin ? builtin[i] : own[i - n_builtin];
    if (!err)
        err = order_by_needs(s, all, n);
    jabi_free(s->mem, all);
    return err;
}

int jabi_exts_start(jab_session *s)
{
    int err = collect(s);
    if (err < 0)
        return err;
    s->exts = s->n_exts ? jabi_alloc0(s->mem, s->n_exts * sizeof *s->exts) : NULL;
    if (s->n_exts && !s->exts) {
        s->n_exts = 0;
        return JAB_ENOMEM;
    }
    for (size_t i = 0; i < s->n_exts; i++)
        s->exts[i] = (jab_ext_ctx){.session = s, .ext = s->ext_list[i], .wake = JAB_NEVER};
    for (size_t i = 0; i < s->n_exts; i++) {
        size_t size = s->ext_list[i]->state_size;
        if (size && !(s->exts[i].state = jabi_alloc0(s->mem, size)))
            return JAB_ENOMEM;
    }
    return jabi_routes_build(s);
}

void jabi_exts_online(jab_session *s, int resumed)
{
    for (size_t i = 0; i < s->n_exts && s->online; i++) {
        jab_ext_ctx *x = &s->exts[i];
        int err = x->ext->online ? x->ext->online(x, resumed) : 0;
        if (err < 0)
            jabi_session_fail_code(s, err, NULL, jab_strerror(err));
    }
}

static void ask_inline(jab_ext_ctx *x, jabi_writer *w)
{
    const char *name = x->ext->inline_name(x);
    x->is_inline = name != NULL;
    if (!name)
        return;
    jabi_writer_start(w, jab_cstr(x->ext->inline_ns), jab_cstr(name));
    jabi_writer_end(w);
}

/* What was asked for by an older offer, and is not offered now, was not done. */
void jabi_exts_inline(void *session, jabi_writer *w, const jab_xml *offer)
{
    jab_session *s = session;
    for (size_t i = 0; i < s->n_exts; i++) {
        jab_ext_ctx *x = &s->exts[i];
        int is_listed =
            JABI_HAS_SLOT(x->ext, inline_name) && jabi_bind2_lists(offer, x->ext->inline_ns);
        if (!is_listed)
            x->is_inline = 0;
        else if (w)
            ask_inline(x, w);
    }
}

int jab_ext_was_inline(jab_ext_ctx *x)
{
    return x->is_inline && (x->session->stream.state & JABI_BY_BIND2);
}

static void forget_rooms(jab_session *s)
{
    for (size_t i = 0; i < s->n_rooms; i++)
        jabi_free(s->mem, (char *)s->rooms[i].p);
    s->n_rooms = 0;
}

void jabi_exts_offline(jab_session *s)
{
    for (size_t i = 0; i < s->n_exts; i++)
        if (s->exts[i].ext->offline)
            s->exts[i].ext->offline(&s->exts[i]);
    forget_rooms(s);
}

void jabi_exts_stop(jab_session *s)
{
    for (size_t i = 0; s->exts && i < s->n_exts; i++) {
        jab_ext_ctx *x = &s->exts[i];
        int ready = x->state || !x->ext->state_size;
        if (x->ext->stop && ready)
            x->ext->stop(x);
        jabi_free(s->mem, x->state);
    }
    forget_rooms(s);
    jabi_free(s->mem, s->rooms);
    jabi_free(s->mem, s->routes);
    jabi_free(s->mem, s->exts);
    jabi_free(s->mem, s->ext_list);
}

void jabi_exts_tick(jab_session *s)
{
    for (size_t i = 0; i < s->n_exts && !s->closed; i++) {
        jab_ext_ctx *x = &s->exts[i];
        if (x->wake > s->now)
            continue;
        x->wake = JAB_NEVER;
        int64_t next = x->ext->tick ? x->ext->tick(x, s->now) : JAB_NEVER;
        jab_ext_wake(x, next);
    }
}

int64_t jabi_exts_deadline(const jab_session *s)
{
    int64_t earliest = JAB_NEVER;
    for (size_t i = 0; i < s->n_exts; i++)
        if (s->exts[i].wake < earliest)
            earliest = s->exts[i].wake;
    return earliest;
}

jab_session *jab_ext_session(jab_ext_ctx *x)
{
    return x->session;
}

void *jab_ext_state(jab_ext_ctx *x)
{
    return x->state;
}

jab_ext_ctx *jab_ext_find(jab_session *s, const jab_ext *ext)
{
    for (size_t i = 0; i < s->n_exts; i++)
        if (s->exts[i].ext == ext)
            return &s->exts[i];
    return NULL;
}

const jab_mem *jab_ext_mem(jab_ext_ctx *x)
{
    return x->session->mem;
}

int64_t jab_ext_now(jab_ext_ctx *x)
{
    return x->session->now;
}

int64_t jab_ext_wall(jab_ext_ctx *x)
{
    return x->session->cfg.wall(x->session->cfg.wall_arg);
}

const jab_config *jab_ext_config(jab_ext_ctx *x)
{
    return &x->session->cfg;
}

const jab_ext *const *jab_ext_loaded(jab_ext_ctx *x, size_t *n)
{
    *n = x->session->n_exts;
    return x->session->ext_list;
}

void jab_ext_wake(jab_ext_ctx *x, int64_t at)
{
    if (at < x->wake)
        x->wake = at;
}

void *jab_ext_emit_reply(jab_ext_ctx *x, uint32_t type, uint64_t tag, size_t size)
{
    jab_session *s = x->session;
    jab_event *ev = jabi_event_push(s, type, tag, size ? size : 1);
    if (ev)
        return (void *)ev->data;
    s->starved = 1; /* not now: the extension is in the middle of its state */
    return NULL;
}

void *jab_ext_emit(jab_ext_ctx *x, uint32_t type, size_t size)
{
    return jab_ext_emit_reply(x, type, 0, size);
}

jab_str jab_ext_text(jab_ext_ctx *x, jab_str text)
{
    jabi_holder *h = x->session->emitted;
    return h ? jabi_arena_str(&h->arena, text) : (jab_str){NULL, 0};
}

jab_message *jab_ext_emit_message(jab_ext_ctx *x)
{
    jab_event *ev = jabi_event_push(x->session, JAB_EV_MESSAGE, 0, sizeof(jab_message));
    if (!ev) {
        x->session->starved = 1;
        return NULL;
    }
    ev->message = ev->data;
    return (jab_message *)ev->data;
}

/* The place of a room in the sorted table, or where it would go. */
static size_t find_room(const jab_session *s, jab_str bare, int *found)
{
    size_t low = 0, high = s->n_rooms;
    *found = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        jab_str at = s->rooms[middle];
        size_t least = at.n < bare.n ? at.n : bare.n;
        int order = memcmp(at.p, bare.p, least);
        if (order == 0)
            order = (at.n > bare.n) - (at.n < bare.n);
        if (order == 0) {
            *found = 1;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int jabi_room_is_joined(const jab_session *s, jab_str bare)
{
    int found = 0;
    if (s->n_rooms && bare.p)
        find_room(s, bare, &found);
    return found;
}

static int add_room(jab_session *s, size_t at, jab_str bare)
{
    if (s->n_rooms >= JABI_ROOMS_MAX)
        return JAB_ELIMIT;
    if (s->n_rooms == s->cap_rooms) {
        size_t cap = s->cap_rooms ? s->cap_rooms * 2 : 8;
        jab_str *rooms = jabi_realloc_array(s->mem, s->rooms, cap, sizeof *rooms);
        if (!rooms)
            return JAB_ENOMEM;
        s->rooms = rooms;
        s->cap_rooms = cap;
    }
    jab_str copy;
    if (jabi_strdup(s->mem, &copy, bare) < 0)
        return JAB_ENOMEM;
    memmove(&s->rooms[at + 1], &s->rooms[at], (s->n_rooms - at) * sizeof copy);
    s->rooms[at] = copy;
    s->n_rooms++;
    return 0;
}

int jab_ext_track_room(jab_ext_ctx *x, const jab_jid *room, int joined)
{
    jab_session *s = x->session;
    int found;
    size_t at = find_room(s, room->bare, &found);
    if (joined)
        return found ? 0 : add_room(s, at, room->bare);
    if (found) {
        jabi_free(s->mem, (char *)s->rooms[at].p);
        s->n_rooms--;
        memmove(&s->rooms[at], &s->rooms[at + 1], (s->n_rooms - at) * sizeof *s->rooms);
    }
    return 0;
}

int jab_peer_trusted(jab_ext_ctx *x, const jab_jid *peer)
{
    jab_session *s = x->session;
    if (s->self && jab_jid_bare_eq(peer, s->self))
        return 1;
    return s->trust ? s->trust(s->trust_ext, peer) : 0;
}

void jab_ext_set_trust(jab_ext_ctx *x, jab_trust_fn fn)
{
    x->session->trust_ext = x;
    x->session->trust = fn;
}

int jab_ext_stream_feature(jab_ext_ctx *x, const char *ns, const char *name)
{
    return jab_xml_child(x->session->stream.features, ns, name) != NULL;
}
