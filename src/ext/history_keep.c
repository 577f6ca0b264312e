/*
 * history_keep.c: whether a message is there already, and its place when not.
 *
 * The id in an archive says it (XEP-0313 §4.1.2); without one, content, sender and
 * the ids that the sender gave do (XEP-0359 §4). What another sender wrote is never
 * taken for a copy, whatever it says.
 */
#include "ext/history.h"

#include "base/hash.h"
#include "session/outbox.h"
#include "session/session.h"
#include "xml/xml.h"

#define DAY          86400000 /* ms: so far apart may copies with a plain id be */
#define WHILE        600000   /* ms: and those that nobody had kept on their way */
#define MOMENT       2000     /* ms: and copies without any */
#define XML_PER_BYTE 6        /* as what one byte is written: "&quot;" */
#define XML_BYTES    4096     /* and what is always written */
#define LOOK_MOST    64       /* messages of one fingerprint that are looked at */

/* What there is to know of a message in the store. */
typedef struct found_row {
    int64_t key, rank;
    jab_own_state own;
    int has_archive;
    int is_silent; /* it is kept, and nobody was told */
} found_row;

typedef struct search {
    const history_message *m;
    const history_archive *a;
    jab_str name;  /* the sender that a copy is kept under */
    jab_str other; /* or, under the same id, this one; absent: no */
    int is_taken;  /* the id is that of somebody else's message */
    found_row best;
    int64_t distance;
} search;

/* -- Is it a copy? ------------------------------------------------------------------ */

/* The same stanza has the same ids wherever it comes from. */
static int64_t fingerprint(const history_message *m, jab_str sender, int *err)
{
    const jab_kept_message *row = &m->row;
    const jab_str end = {"", 1};
    const jab_str parts[] = {
        row->conversation, end, sender, end, row->origin_id.p ? row->origin_id : row->id, end,
        row->body};
    uint8_t digest[JABI_HASH_MAX];
    uint64_t value = 0;
    *err = jabi_hash_parts(JABI_SHA256, parts, sizeof parts / sizeof *parts, digest);
    for (size_t i = 0; *err >= 0 && i < 8; i++)
        value = value << 8 | digest[i];
    value &= INT64_MAX;
    return value ? (int64_t)value : 1;
}

static int64_t apart(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

static int is_in_archive(const jab_kept_message *row)
{
    return row->archive.p && row->archive_id.p;
}

/* Two ids of one archive are two messages; but not when the sender's own
 * origin id says otherwise, nor where the archive has given new ones. */
static int may_be_one(const search *look, const jab_kept_message *there)
{
    const jab_kept_message *row = &look->m->row;
    if (!is_in_archive(row) || !is_in_archive(there) || !jab_str_eq(row->archive, there->archive) ||
        jab_str_eq(row->archive_id, there->archive_id))
        return 1;
    return look->a && look->a->is_lenient && apart(row->stamp, there->stamp) <= MOMENT;
}

static int has_attribute(jab_str xml, jab_str value)
{
    const char *end = xml.p + xml.n;
    for (const char *p = xml.p; (p = memmem(p, (size_t)(end - p), value.p, value.n)); p++)
        if (p > xml.p && p[-1] == '\'' && end - p > (ptrdiff_t)value.n && p[value.n] == '\'')
            return 1;
    return 0;
}

/* One came before it was known that there is an archive, and its own word for its place there
 * was not taken: now that agrees with the archive's, or with the word of the other, which only
 * its sender can have made up, too. */
static int names_place(const history_message *m, const jab_kept_message *there)
{
    if (is_in_archive(there))
        return m->claim.n && jab_str_eq(m->claim, there->archive_id);
    jab_str id = is_in_archive(&m->row) ? m->row.archive_id : m->claim;
    return id.n && memmem(there->xml.p, there->xml.n, "<stanza-id", 10) &&
           has_attribute(there->xml, id);
}

static int is_copy(const search *look, const jab_kept_message *there)
{
    const history_message *m = look->m;
    int64_t distance = apart(m->row.stamp, there->stamp);
    if (!jab_str_eq(there->sender, look->name) ||
        !jab_str_eq(there->conversation, m->row.conversation) ||
        !jab_str_eq(there->body, m->row.body))
        return 0;
    if (m->row.origin_id.p)
        return jab_str_eq(m->row.origin_id, there->origin_id);
    if (!may_be_one(look, there))
        return 0;
    /* Programs that count begin anew: what came twice straight from them is two. */
    int is_elsewhere = m->is_stored || is_in_archive(&m->row) || is_in_archive(there);
    if (m->row.id.p)
        return jab_str_eq(m->row.id, there->id) &&
               (names_place(m, there) ||
                distance <= (is_elsewhere || there->own != JAB_OWN_NONE ? DAY : WHILE));
    if (there->id.p)
        return 0;
    return names_place(m, there) || (distance <= MOMENT && is_elsewhere);
}

static void note(search *look, const jab_kept_message *there)
{
    const history_archive *a = look->a;
    look->best = (found_row){.key = there->key,
                             .rank = there->rank,
                             .own = there->own,
                             .has_archive = is_in_archive(there)};
    look->best.is_silent = a && a->silent.n && is_in_archive(there) &&
                           jab_str_eq(there->archive, a->key) &&
                           jab_str_eq(there->archive_id, jabi_buf_str(&a->silent));
}

/* Of several, one that is not yet known in the archive, and the nearest. */
static int on_candidate(void *arg, const jab_kept_message *there)
{
    search *look = arg;
    if (!is_copy(look, there))
        return 0;
    int64_t distance = apart(look->m->row.stamp, there->stamp);
    int is_better = !look->best.key || (look->best.has_archive && !is_in_archive(there)) ||
                    (look->best.has_archive == is_in_archive(there) && distance < look->distance);
    if (is_better) {
        note(look, there);
        look->distance = distance;
    }
    return 0;
}

static int on_same_id(void *arg, const jab_kept_message *there)
{
    search *look = arg;
    int is_same = jab_str_eq(there->sender, look->name) ||
                  (look->other.p && jab_str_eq(there->sender, look->other));
    if (is_same && jab_str_eq(there->conversation, look->m->row.conversation))
        note(look, there);
    else
        look->is_taken = 1;
    return 1;
}

/* Under its id in the archive. 1, 0 or < 0. An id that is another message's is
 * no good. */
static int find_by_id(jab_ext_ctx *x, search *look, history_message *m)
{
    jab_store *store = jab_ext_store(x);
    if (!is_in_archive(&m->row))
        return 0;
    int n = store->table->read(
        store,
        JAB_KEPT_QUERY(.archive = m->row.archive, .archive_id = m->row.archive_id, .limit = 1),
        on_same_id, look);
    if (look->is_taken)
        m->row.archive = m->row.archive_id = (jab_str){NULL, 0};
    return n < 0 ? n : look->best.key != 0;
}

static int find_by_content(jab_ext_ctx *x, search *look, jab_str name)
{
    jab_store *store = jab_ext_store(x);
    int err;
    look->name = name;
    int64_t print = fingerprint(look->m, name, &err);
    if (err >= 0)
        err = store->table->read(store, JAB_KEPT_QUERY(.fingerprint = print, .limit = LOOK_MOST),
                                 on_candidate, look);
    return err < 0 ? err : look->best.key != 0;
}

/* A message that the room sent back is kept under the own address. */
static int find(jab_ext_ctx *x, search *look, history_message *m)
{
    jab_str own = jab_session_jid(jab_ext_session(x))->bare;
    look->name = m->row.sender;
    look->other = m->is_reflection ? own : (jab_str){NULL, 0};
    int found = find_by_id(x, look, m);
    if (found == 0 && m->is_reflection)
        found = find_by_content(x, look, own);
    return found == 0 ? find_by_content(x, look, m->row.sender) : found;
}

/* -- Its place ----------------------------------------------------------------------- */

static int on_rank(void *arg, const jab_kept_message *there)
{
    *(int64_t *)arg = there->rank;
    return 1;
}

/* The first rank from `stamp` that is behind `last`, and not behind what waits. */
static int64_t rank_behind(int64_t last, int64_t stamp)
{
    int64_t rank = stamp > 0 && stamp < JAB_RANK_PENDING / 1000 ? stamp * 1000 : 1;
    if (rank <= last)
        rank = last + 1;
    return rank < JAB_RANK_PENDING ? rank : JAB_RANK_PENDING - 1;
}

/* Behind the last message of a conversation whose rank is less than `before`. */
static int64_t rank_before(jab_ext_ctx *x, jab_str conversation, int64_t before, int64_t stamp)
{
    jab_store *store = jab_ext_store(x);
    int64_t last = 0;
    int n = store->table->read(
        store, JAB_KEPT_QUERY(.conversation = conversation, .before = before, .limit = 1), on_rank,
        &last);
    return n < 0 ? n : rank_behind(last, stamp);
}

int64_t jabi_history_next_rank(jab_ext_ctx *x, jab_str conversation, int64_t stamp)
{
    return rank_before(x, conversation, JAB_RANK_PENDING, stamp);
}

typedef struct later_own {
    int64_t key;   /* of the message that is looked for a place for */
    int64_t first; /* the lowest rank of an own one that was sent later; 0: none */
    int64_t last;  /* the greatest rank below that */
} later_own;

/* From the newest on; nothing that was kept before it matters. */
static int on_later(void *arg, const jab_kept_message *there)
{
    later_own *look = arg;
    if (look->first && !look->last)
        look->last = there->rank;
    if (there->key < look->key)
        return 1;
    if (there->own != JAB_OWN_NONE) {
        look->first = there->rank;
        look->last = 0;
    }
    return 0;
}

/* A server deals with a stream's messages in order (RFC 6120 §10.1): what comes back of a later
 * one before the acknowledgement of both has its place behind this one. */
int64_t jabi_history_own_rank(jab_ext_ctx *x, jab_str conversation, int64_t key)
{
    jab_store *store = jab_ext_store(x);
    later_own look = {.key = key};
    int n = store->table->read(store,
                               JAB_KEPT_QUERY(.conversation = conversation,
                                              .before = JAB_RANK_PENDING, .limit = LOOK_MOST),
                               on_later, &look);
    if (n < 0)
        return n;
    if (look.first > look.last + 1)
        return look.first - 1;
    return jabi_history_next_rank(x, conversation, jab_ext_wall(x));
}

/* What was stored for us, or is a room's history, may be older than the place
 * from which the archive was read: then it is in a gap. */
static int is_from_gap(const history_archive *a, const history_message *m)
{
    return a && a->has_cursor && m->is_stored && is_in_archive(&m->row) && m->row.stamp > 0 &&
           m->row.stamp <= a->stamp;
}

static int on_gap(void *arg, int64_t rank, jab_str id)
{
    (void)id;
    *(int64_t *)arg = rank;
    return 0;
}

/* Below the first rank there is none: those of the oldest stand in the order of their keys. */
static int64_t at_least_one(int64_t rank)
{
    return rank > 1 ? rank : 1;
}

/* By its time, and below the end of the latest gap. */
static int64_t rank_in_gap(jab_ext_ctx *x, const history_archive *a, const history_message *m)
{
    int64_t end = JAB_RANK_PENDING, stamp = m->row.stamp;
    int err = jabi_history_gap_each(x, a->key, on_gap, &end);
    if (err < 0)
        return err;
    if (stamp * 1000 > end)
        end = JAB_RANK_PENDING; /* it is behind that one */
    int64_t before = (stamp + 1) * 1000 < end ? (stamp + 1) * 1000 : end;
    int64_t rank = rank_before(x, m->row.conversation, before, stamp);
    return rank < end ? rank : at_least_one(end - 1);
}

/* Below what was reached, in the order in which the page brings them. */
static int64_t rank_below(history_more *more, int64_t stamp)
{
    int64_t room = more->n < HISTORY_PAGE ? HISTORY_PAGE - (int64_t)more->n : 1;
    int64_t rank = rank_behind(more->last, stamp);
    if (rank > more->rank - room)
        rank = at_least_one(more->rank - room);
    more->n++;
    more->last = rank;
    if (rank < more->lowest)
        more->lowest = rank;
    return rank;
}

static uint64_t hash_of(jab_str conversation)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a: a collision costs a place, no more */
    for (size_t i = 0; i < conversation.n; i++)
        hash = (hash ^ (unsigned char)conversation.p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Where a pass has noted this conversation; HISTORY_PLACED: nowhere. */
static unsigned place_in(const history_archive *a, uint64_t hash)
{
    unsigned i = 0, n = a->n_placed < HISTORY_PLACED ? a->n_placed : HISTORY_PLACED;
    while (i < n && a->placed[i].conversation != hash)
        i++;
    return i < n ? i : HISTORY_PLACED;
}

/* Behind what a message of this conversation belongs that a pass brings. With more
 * conversations than are kept apart, all count as one. */
static int64_t placed_last(const history_archive *a, jab_str conversation)
{
    unsigned i = place_in(a, hash_of(conversation));
    if (i < HISTORY_PLACED)
        return a->placed[i].rank;
    return a->n_placed > HISTORY_PLACED ? a->top : a->base;
}

static void note_placed(history_archive *a, jab_str conversation, int64_t rank)
{
    uint64_t hash = hash_of(conversation);
    unsigned i = place_in(a, hash);
    int is_new = i == HISTORY_PLACED;
    if (is_new)
        i = a->n_placed++ % HISTORY_PLACED;
    if (is_new || rank > a->placed[i].rank) /* a pass by time leaves some where they are */
        a->placed[i] = (history_place){hash, rank};
    if (rank > a->top)
        a->top = rank;
    if (rank > a->rank)
        a->rank = rank;
}

static int64_t rank_for(jab_ext_ctx *x, const history_archive *a, const history_message *m,
                        history_mode mode)
{
    history_state *state = jab_ext_state(x);
    if (mode == HISTORY_LIVE && is_from_gap(a, m))
        return rank_in_gap(x, a, m);
    if (mode == HISTORY_LIVE)
        return jabi_history_next_rank(x, m->row.conversation, m->row.stamp);
    if (mode == HISTORY_OLDER)
        return rank_below(&state->more, m->row.stamp);
    return rank_behind(placed_last(a, m->row.conversation), m->row.stamp);
}

/* A copy stays where it is, unless its place was not settled, or the archive
 * has it behind what comes before it here; a pass by time begins with what has
 * its place. 0: it stays. */
static int64_t rank_again(jab_ext_ctx *x, history_archive *a, const history_message *m,
                          const found_row *there, history_mode mode)
{
    int is_behind = mode == HISTORY_PASS && there->rank <= placed_last(a, m->row.conversation) &&
                    !(a->is_lenient && there->has_archive);
    if (is_behind)
        a->has_reordered = 1;
    if (there->rank >= JAB_RANK_PENDING || is_behind)
        return rank_for(x, a, m, mode);
    return 0;
}

/* -- Writing ------------------------------------------------------------------------- */

/* Written out, a stanza can be far longer than it was: what is said is kept in any case. */
static void write_short(jabi_writer *w, const jab_xml *el, jab_str body)
{
    static const char *const names[] = {"from", "to", "id", "type"};
    jabi_writer_start(w, (jab_str){NULL, 0}, JAB_STR("message"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        jabi_writer_attr(w, jab_cstr(names[i]), jab_xml_attr(el, names[i]));
    jabi_writer_start(w, (jab_str){NULL, 0}, JAB_STR("body"));
    jabi_writer_text(w, body);
    (void)jabi_writer_close_to(w, 0);
}

/* The XML of a message, in the scratch buffer. 0 or < 0. */
static int write_xml(jab_ext_ctx *x, const jab_xml *el, jab_str body)
{
    history_state *state = jab_ext_state(x);
    jabi_writer w;
    if (!state->scratch.mem)
        jabi_buf_init(&state->scratch, jab_ext_mem(x),
                      XML_PER_BYTE * jab_ext_config(x)->max_stanza_bytes + XML_BYTES);
    jabi_buf_reset(&state->scratch);
    jabi_writer_init(&w, &state->scratch, JABI_NS_CLIENT);
    jabi_writer_tree(&w, el);
    if (w.error == JAB_ELIMIT) {
        jabi_buf_reset(&state->scratch);
        jabi_writer_init(&w, &state->scratch, JABI_NS_CLIENT);
        write_short(&w, el, body);
    }
    return w.error ? w.error : state->scratch.error;
}

int jabi_history_add(jab_ext_ctx *x, const jab_stanza *st, history_message *m, int64_t *key)
{
    history_state *state = jab_ext_state(x);
    jab_store *store = jab_ext_store(x);
    int err;
    m->row.fingerprint = fingerprint(m, m->row.sender, &err);
    if (err >= 0)
        err = write_xml(x, jab_stanza_xml(st), m->row.body);
    if (err < 0)
        return err;
    m->row.xml = jabi_buf_str(&state->scratch);
    err = store->table->add(store, &m->row, key);
    if (state->scratch.cap > HISTORY_SCRATCH_KEEP)
        jabi_buf_fini(&state->scratch);
    return err;
}

/* What is there already is as far as it got. */
static void note_older(jab_ext_ctx *x, int64_t rank)
{
    history_state *state = jab_ext_state(x);
    if (rank < state->more.lowest)
        state->more.lowest = rank;
    if (rank > state->more.last && rank < state->more.rank)
        state->more.last = rank;
}

/* What a copy knows that the first one did not. */
static int merge(jab_ext_ctx *x, history_archive *a, const history_message *m,
                 const found_row *there, history_mode mode)
{
    jab_store *store = jab_ext_store(x);
    jab_kept_change c = {.size = sizeof c};
    c.rank = rank_again(x, a, m, there, mode);
    if (c.rank < 0)
        return (int)c.rank;
    if (is_in_archive(&m->row) && !there->has_archive) {
        c.archive = m->row.archive;
        c.archive_id = m->row.archive_id;
    }
    if (m->is_stored && (c.archive.p || c.rank))
        c.stamp = m->row.stamp;
    if (m->row.own != JAB_OWN_NONE && there->own == JAB_OWN_UNKNOWN)
        c.own = JAB_OWN_DELIVERED;
    if (mode == HISTORY_OLDER)
        note_older(x, there->rank);
    int64_t rank = c.rank ? c.rank : there->rank;
    if (mode == HISTORY_PASS && rank < JAB_RANK_PENDING)
        note_placed(a, m->row.conversation, rank);
    if (!c.rank && !c.archive.p && !c.own)
        return 0;
    return store->table->change(store, there->key, &c);
}

/* A message of one's own came back: it has arrived. */
static int tell_outbox(jab_ext_ctx *x, const history_message *m, const found_row *there)
{
    int is_ours = m->row.own != JAB_OWN_NONE || (m->is_reflection && there->own != JAB_OWN_NONE);
    jab_str id = m->row.origin_id.p ? m->row.origin_id : m->row.id;
    if (!is_ours || !id.p || (!m->is_reflection && !is_in_archive(&m->row)))
        return 0;
    jab_str archive = m->row.type == JAB_MSG_GROUPCHAT ? m->row.conversation : (jab_str){NULL, 0};
    int n = jabi_outbox_found(jab_ext_session(x), archive, id);
    return n < 0 ? n : 0;
}

int jabi_history_arrived(jab_ext_ctx *x, const history_message *m)
{
    search look = {.m = m};
    jab_str own = jab_session_jid(jab_ext_session(x))->bare;
    int found = m->is_reflection ? find_by_content(x, &look, own) : 0;
    return found > 0 ? tell_outbox(x, m, &look.best) : found;
}

/* Nobody was told of the message that the first look at an archive brought: its
 * other copy is for whoever waits for it. */
static int take_copy(jab_ext_ctx *x, history_archive *a, const history_message *m,
                     const found_row *there, history_mode mode)
{
    int err = merge(x, a, m, there, mode);
    if (err >= 0)
        err = tell_outbox(x, m, there);
    /* A pass by time comes by it where what waited live was not told: go_before_held(). */
    int is_due = mode == HISTORY_LIVE || (mode == HISTORY_PASS && a->is_due);
    if (err < 0 || !there->is_silent || !is_due)
        return err < 0 ? err : JAB_DONE;
    jabi_buf_reset(&a->silent);
    err = jabi_history_cursor_write(x, a);
    return err < 0 ? err : JAB_PASS;
}

int jabi_history_take(jab_ext_ctx *x, history_archive *a, const jab_stanza *st, history_message *m,
                      history_mode mode)
{
    int64_t key = 0;
    search look = {.m = m, .a = a};
    int found = find(x, &look, m);
    if (found < 0)
        return found;
    if (found) {
        jabi_stanza_set_key(st, look.best.key);
        return take_copy(x, a, m, &look.best, mode);
    }
    m->row.rank = rank_for(x, a, m, mode);
    if (m->row.rank < 0)
        return (int)m->row.rank;
    int err = jabi_history_add(x, st, m, &key);
    if (err < 0)
        return err;
    if (mode == HISTORY_PASS)
        note_placed(a, m->row.conversation, m->row.rank);
    jabi_stanza_set_key(st, key);
    return JAB_PASS;
}
