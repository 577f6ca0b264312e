/* check.c: the invariants: what must hold at each step, and when all has settled. */
#include "sim.h"

#include <stdlib.h>

#define MINUTE     60000
#define MEMORY_MAX (4u << 20) /* bytes that the session of so small an account may take */

/* -- At each step ---------------------------------------------------------------- */

void sim_check_step(sim_world *w)
{
    if (sim_server_violations(w->server))
        sim_violate(w, "connection %u: %s", sim_server_violation(w->server, 0)->conn,
                    sim_server_violation(w->server, 0)->words);
    for (size_t i = 0; i < w->plan.n_clients; i++)
        if (w->clients[i].mem.bytes > MEMORY_MAX)
            sim_violate(w, "c%zu takes %zu bytes of memory", i, w->clients[i].mem.bytes);
}

/* -- What the server knows ---------------------------------------------------------- */

/* Of several, when an archive was trimmed, one that came back. */
static const sim_message *truth_of(const sim_world *w, const sim_row *row, size_t *n)
{
    const sim_message *found = NULL;
    *n = 0;
    for (size_t i = 0; i < sim_server_messages(w->server); i++) {
        const sim_message *m = sim_server_message(w->server, i);
        if (row->id[0] ? !m->id || strcmp(m->id, row->id) != 0
                       : !m->body || strcmp(m->body, row->body) != 0)
            continue;
        if (m->type && strcmp(m->type, "error") == 0)
            continue;
        if (!found || m->bounced)
            found = m;
        ++*n;
    }
    return found;
}

static size_t row_of(sim_world *w, const sim_message *m)
{
    sim_row *row = sim_row_by_id(w, jab_cstr(m->id), jab_cstr(m->body));
    return row ? (size_t)(row - w->rows) : SIZE_MAX;
}

/* -- The store as it is at the end ----------------------------------------------------- */

typedef struct kept {
    size_t row;
    jab_own_state own;
} kept;

typedef struct reading {
    sim_client *c;
    const char *conversation;
    kept *list;
    size_t n, cap;
} reading;

static int on_kept(void *arg, const jab_kept_message *m)
{
    reading *r = arg;
    sim_world *w = r->c->w;
    if (m->type == JAB_MSG_ERROR || !m->body.p)
        return 0;
    SIM_NOTE(w, m->rank,
             "c%u keeps [%s] %lld " JAB_FMT " \"" JAB_FMT "\" own %d archive id " JAB_FMT,
             r->c->index, r->conversation, (long long)m->rank, JAB_ARG(m->id), JAB_ARG(m->body),
             (int)m->own, JAB_ARG(m->archive_id));
    sim_row *row = sim_row_by_id(w, m->id, m->body);
    if (!row) {
        sim_violate(w, "c%u keeps a message that nobody sent: \"" JAB_FMT "\"", r->c->index,
                    JAB_ARG(m->body));
        return 1;
    }
    if (++row->stored[r->c->index] > 1)
        sim_violate(w, "c%u keeps %s twice", r->c->index, row->id[0] ? row->id : row->body);
    if (r->n == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 64;
        r->list = realloc(r->list, r->cap * sizeof *r->list);
        if (!r->list)
            abort();
    }
    r->list[r->n++] = (kept){(size_t)(row - w->rows), m->own};
    return 0;
}

static const char *const conversations[] = {"alice@example.com", "bob@example.com", SIM_ROOM,
                                            SIM_STRANGER, SIM_NOBODY};
#define N_CONVERSATIONS (sizeof conversations / sizeof *conversations)

/* -- What became of what was sent ---------------------------------------------------------- */

static int is_archived(const sim_world *w, const sim_row *row)
{
    return strcmp(row->to, SIM_ROOM) == 0 ? w->plan.server.room_archive : w->plan.server.archive;
}

static int has_failed(const sim_client *c)
{
    return c->mem.failed || c->disk_mem.failed || c->store.failed || c->lost_power;
}

/* Only who has no store, or no archive to ask, may say that it does not know; and of the first
 * messages to a room, which do not wait for its archive, or to others when they were written to
 * the stream in the transaction that lost the place in the archive: they go out as it goes on. */
static int may_be_unknown(const sim_world *w, const sim_row *row)
{
    int is_room = strcmp(row->to, SIM_ROOM) == 0;
    return w->plan.clients[row->who].store == SIM_NO_STORE || !is_archived(w, row) || w->trimmed ||
           (row->is_blind && (is_room || has_failed(&w->clients[row->who])));
}

static void check_told(sim_world *w, const sim_row *row)
{
    const unsigned *told = row->told;
    int has_store = w->plan.clients[row->who].store != SIM_NO_STORE;
    if (told[JAB_SENT_DELIVERED] + told[JAB_SENT_UNKNOWN] > 1)
        sim_violate(w, "%s: told %u times that it is delivered, %u times unknown", row->id,
                    told[JAB_SENT_DELIVERED], told[JAB_SENT_UNKNOWN]);
    if (told[JAB_SENT_FAILED] > 1 + row->may_fail_again)
        sim_violate(w, "%s: told %u times that it failed", row->id, told[JAB_SENT_FAILED]);
    if (told[JAB_SENT_UNKNOWN] && !may_be_unknown(w, row))
        sim_violate(w, "%s is unknown, though there is an archive", row->id);
    int reports = has_store || w->plan.server.sm;
    if (!told[0] && !told[1] && !told[2] && reports && !w->clients[row->who].killed &&
        !row->forgotten)
        sim_violate(w, "%s: it was never told what became of it", row->id);
}

static void check_sent(sim_world *w, const sim_row *row)
{
    size_t n;
    const sim_message *m = truth_of(w, row, &n);
    if (!row->accepted) {
        if (n && !w->clients[row->who].lost_power)
            sim_violate(w, "%s was not accepted, but sent", row->id);
        return;
    }
    /* What an archive that was empty has lost again, nobody can know to have been there. */
    if (n > 1 && !w->trimmed)
        sim_violate(w, "%s arrived at the server %zu times", row->id, n);
    if (row->told[JAB_SENT_DELIVERED] && !n)
        sim_violate(w, "%s is said to be delivered, but the server does not have it", row->id);
    if (row->told[JAB_SENT_FAILED] && !(m && m->bounced))
        sim_violate(w, "%s is said to have come back, but did not", row->id);
    check_told(w, row);
}

static void check_own_state(sim_client *c, const kept *k)
{
    sim_world *w = c->w;
    const sim_row *row = &w->rows[k->row];
    size_t n;
    const sim_message *m = truth_of(w, row, &n);
    if (row->who != c->index)
        return;
    if (k->own == JAB_OWN_NONE || k->own == JAB_OWN_PENDING)
        sim_violate(w, "%s is kept as %s", row->id, k->own ? "pending" : "another's");
    else if (k->own == JAB_OWN_UNKNOWN && !may_be_unknown(w, row))
        sim_violate(w, "%s is kept as unknown, though there is an archive", row->id);
    else if (k->own == JAB_OWN_FAILED && !(m && m->bounced))
        sim_violate(w, "%s is kept as failed, but did not come back", row->id);
    else if (k->own != JAB_OWN_UNKNOWN && k->own != JAB_OWN_FAILED && !n)
        sim_violate(w, "%s is kept as delivered, but the server does not have it", row->id);
}

/* -- Order ---------------------------------------------------------------------------------------
 */

/* The place in the archive that tells the order; 0: none. */
static size_t place_of(sim_world *w, const char *archive, size_t row)
{
    for (size_t i = 0; i < sim_server_archive_size(w->server, archive); i++)
        if (row_of(w, sim_server_archive_entry(w->server, archive, i)->message) == row)
            return i + 1;
    return 0;
}

static unsigned first_page(const sim_client *c)
{
    unsigned most = c->w->plan.server.page_max;
    return c->plan->first_history < most ? c->plan->first_history : most;
}

/* How many were filed late below what an archive had first; and in all. */
static size_t late_in(const sim_world *w, const char *archive, int is_first)
{
    size_t n = 0;
    for (size_t i = 0; i < sim_server_archive_size(w->server, archive); i++) {
        int is_late = sim_server_archive_entry(w->server, archive, i)->is_late;
        if (is_first && !is_late)
            break;
        n += is_late;
    }
    return n;
}

/* What is older than the first page has its place by its time; when that is the
 * server's, and did not step, and it is known. */
static int may_be_anywhere(const sim_client *c, int is_room, size_t place)
{
    const char *archive = is_room ? SIM_ROOM : c->plan->account;
    size_t known = is_room ? c->room_archived_at_sync : c->archived_at_sync;
    if (c->w->trimmed) /* that is one more first page */
        return 1;
    if (known && place <= late_in(c->w, archive, 1))
        return 1;
    return place <= known + late_in(c->w, archive, 0) && known > first_page(c);
}

/* What is filed late stands where it came until the next pass, which may have begun before. */
static int is_out_of_place(const sim_client *c, const char *archive, size_t place,
                           const sim_row *row)
{
    int64_t came = row->live_at[c->index];
    return sim_server_archive_entry(c->w->server, archive, place - 1)->is_late && came &&
           came + MINUTE > c->synced_at;
}

/* What is not delivered stands where that was learnt. */
static int is_settled_late(jab_own_state own)
{
    return own == JAB_OWN_UNKNOWN || own == JAB_OWN_FAILED;
}

static void check_order(sim_client *c, const reading *r)
{
    sim_world *w = c->w;
    int is_room = strcmp(r->conversation, SIM_ROOM) == 0;
    const char *archive = is_room ? SIM_ROOM : c->plan->account;
    size_t last_place = 0, last_own = 0;
    for (size_t i = 0; i < r->n; i++) {
        const sim_row *row = &w->rows[r->list[i].row];
        size_t place = place_of(w, archive, r->list[i].row);
        int is_own = row->who == c->index;
        /* When the server's clock steps, the next pass makes the order good. */
        int is_anywhere = place && (w->clock_stepped || may_be_anywhere(c, is_room, place) ||
                                    is_out_of_place(c, archive, place, row));
        if (is_anywhere || is_settled_late(r->list[i].own))
            continue;
        if (is_own)
            place = 0;
        if (place && place < last_place)
            sim_violate(w, "c%u: %s is behind what came after it", c->index, row->id);
        if (is_own && r->list[i].row + 1 < last_own)
            sim_violate(w, "c%u: %s is behind what was sent after it", c->index, row->id);
        last_place = place ? place : last_place;
        last_own = is_own ? r->list[i].row + 1 : last_own;
    }
}

static void read_conversation(sim_client *c, const char *conversation)
{
    reading r = {.c = c, .conversation = conversation};
    int n = jab_store_read(
        c->disk,
        JAB_KEPT_QUERY(.conversation = jab_cstr(conversation), .limit = 100000, .forwards = 1),
        on_kept, &r);
    if (n < 0)
        sim_violate(c->w, "c%u: the store cannot be read: %s", c->index, jab_errname(n));
    for (size_t i = 0; i < r.n; i++)
        check_own_state(c, &r.list[i]);
    check_order(c, &r);
    free(r.list);
}

/* -- Completeness
 * ----------------------------------------------------------------------------------- */

/* Without carbons a client hears of what its account's others do at its next log-in. */
static size_t end_for(const sim_client *c, const char *archive)
{
    if (strcmp(archive, SIM_ROOM) != 0 && !c->w->plan.server.carbons)
        return c->archived_at_login;
    return sim_server_archive_size(c->w->server, archive);
}

/* What the archive has and the store has not, behind the place that was first asked for. */
static void check_archive(sim_client *c, const char *archive, size_t before)
{
    sim_world *w = c->w;
    size_t page = first_page(c);
    size_t first = before > page ? before - page + late_in(w, archive, 0) : late_in(w, archive, 1);
    for (size_t i = first; i < end_for(c, archive); i++) {
        const sim_entry *e = sim_server_archive_entry(w->server, archive, i);
        size_t row = e->message->body ? row_of(w, e->message) : SIZE_MAX;
        if (row == SIZE_MAX || strcmp(e->message->type, "error") == 0 || w->trimmed)
            continue;
        if (!w->rows[row].stored[c->index])
            sim_violate(w, "c%u lacks \"%s\" (%s), which is in the archive of %s", c->index,
                        w->rows[row].body, w->rows[row].id, archive);
    }
}

/* A page that was lost with a transaction comes again, but may be another one:
 * what stands before an archive's first page is not asked for by itself. */
static int may_have_moved(sim_client *c, const sim_row *row)
{
    int is_room = strcmp(row->to, SIM_ROOM) == 0;
    int is_again = has_failed(c) || c->killed || c->sync_failed;
    size_t place =
        place_of(c->w, is_room ? SIM_ROOM : c->plan->account, (size_t)(row - c->w->rows));
    return is_again && place && may_be_anywhere(c, is_room, place);
}

static void check_promises(sim_client *c)
{
    for (size_t i = 0; i < c->w->n_rows; i++) {
        const sim_row *row = &c->w->rows[i];
        if (row->promised[c->index] && !row->stored[c->index] && !c->w->trimmed &&
            !may_have_moved(c, row))
            sim_violate(c->w, "c%u acknowledged %s, but does not keep it", c->index, row->id);
    }
}

/* Without a first page, the message that tells the place is kept, but not shown. */
static int may_be_silent(sim_client *c, const sim_row *row)
{
    int is_room = strcmp(row->to, SIM_ROOM) == 0;
    size_t place =
        place_of(c->w, is_room ? SIM_ROOM : c->plan->account, (size_t)(row - c->w->rows));
    size_t before = is_room ? c->room_archived_at_sync : c->archived_at_sync;
    before += before ? late_in(c->w, is_room ? SIM_ROOM : c->plan->account, 0) : 0;
    return c->plan->first_history == 0 && place > 0 && place <= before;
}

/* What is kept was shown, unless the process was killed in between; with
 * commit_by_caller also then. */
static void check_shown(sim_client *c)
{
    for (size_t i = 0; i < c->w->n_rows; i++) {
        const sim_row *row = &c->w->rows[i];
        int is_sure = c->plan->by_caller ? !c->lost_power : !c->killed;
        if (row->shown[c->index] && !row->stored[c->index])
            sim_violate(c->w, "c%u was shown %s, but does not keep it", c->index, row->id);
        if (row->stored[c->index] && !row->shown[c->index] && row->who != c->index && is_sure &&
            !may_be_silent(c, row))
            sim_violate(c->w, "c%u keeps %s, but was never shown it", c->index,
                        row->id[0] ? row->id : row->body);
        if (row->shown[c->index] && row->who == c->index)
            sim_violate(c->w, "c%u was shown its own message %s", c->index, row->id);
    }
}

static void check_client(sim_client *c)
{
    const sim_plan *p = &c->w->plan;
    if (c->plan->store == SIM_NO_STORE)
        return;
    for (size_t i = 0; i < N_CONVERSATIONS; i++)
        read_conversation(c, conversations[i]);
    if (p->server.archive)
        check_archive(c, c->plan->account, c->archived_at_sync);
    if (p->has_room && p->server.room_archive)
        check_archive(c, SIM_ROOM, c->room_archived_at_sync);
    check_promises(c);
    check_shown(c);
    for (size_t i = 0; i < c->w->n_rows; i++) {
        const sim_row *row = &c->w->rows[i];
        if (row->who == c->index && row->accepted && !row->stored[c->index])
            sim_violate(c->w, "c%u: %s was accepted, but is not kept", c->index, row->id);
        if (row->who == c->index && !row->accepted && row->stored[c->index] && !c->lost_power)
            sim_violate(c->w, "c%u: %s was not accepted, but is kept", c->index, row->id);
    }
}

void sim_check_end(sim_world *w)
{
    for (size_t i = 0; i < w->n_rows; i++)
        if (w->rows[i].who != SIM_OUTSIDER)
            check_sent(w, &w->rows[i]);
    for (size_t i = 0; i < w->plan.n_clients; i++)
        check_client(&w->clients[i]);
}
