/* app.c: the program that uses the library: what it sends, and what it does with events. */
#include "sim.h"

#include <stdlib.h>

/* -- Rows ------------------------------------------------------------------------ */

sim_row *sim_row_add(sim_world *w, unsigned who, const char *to, int is_common)
{
    static const char *const common[] = {"ok", "yes", "hello"};
    if (w->n_rows == w->cap_rows) {
        w->cap_rows = w->cap_rows ? w->cap_rows * 2 : 64;
        w->rows = realloc(w->rows, w->cap_rows * sizeof *w->rows);
        if (!w->rows)
            abort();
    }
    sim_row *row = &w->rows[w->n_rows++];
    *row = (sim_row){.who = who, .to = to};
    if (is_common)
        snprintf(row->body, sizeof row->body, "%s", common[sim_below(&w->rng, 3)]);
    else
        snprintf(row->body, sizeof row->body, "message %zu of %u", w->n_rows - 1, who);
    return row;
}

/* Asked for each row again and again: most differ in the first byte. */
static int is_text(jab_str text, const char *word)
{
    return text.n && text.p[0] == word[0] && jab_str_is(text, word);
}

/* Ids of others' messages may be absent; their text is their own then. */
sim_row *sim_row_by_id(sim_world *w, jab_str id, jab_str body)
{
    for (size_t i = 0; i < w->n_rows; i++) {
        sim_row *row = &w->rows[i];
        if (id.p && row->id[0] ? is_text(id, row->id) : is_text(body, row->body))
            return row;
    }
    return NULL;
}

/* -- Sending ----------------------------------------------------------------------- */

/* Returns what jab_out_send() does. */
int sim_app_send(sim_client *c, const sim_errand *errand)
{
    sim_world *w = c->w;
    int is_room = strcmp(errand->to, SIM_ROOM) == 0;
    jab_session_tick(c->s, w->now); /* as jab_client_session() does */
    sim_app_commit(c);
    size_t index = w->n_rows;
    sim_row *row = sim_row_add(w, c->index, errand->to, errand->is_common);
    jab_out *o =
        jab_message_to(c->s, jab_cstr(errand->to), is_room ? JAB_MSG_GROUPCHAT : JAB_MSG_CHAT);
    jab_str id = jab_out_id(o);
    if (id.p)
        snprintf(row->id, sizeof row->id, JAB_FMT, JAB_ARG(id));
    else
        snprintf(row->id, sizeof row->id, "no memory for %zu", index);
    row->life = c->life;
    row->is_blind = is_room ? c->room_never_synced : c->never_synced;
    jab_out_body(o, jab_cstr(row->body));
    int err = jab_out_send(o, index);
    row->accepted = err >= 0;
    SIM_NOTE(w, err, "c%u sends %s to %s: \"%s\": %s", c->index, row->id, row->to, row->body,
             jab_errname(err));
    return err;
}

/* Says that it is there, and enters the room; what fails is tried again. */
void sim_app_join(sim_client *c)
{
    c->join_at = JAB_NEVER;
    if (!jab_session_online(c->s))
        return;
    if (!c->is_present)
        c->is_present = jab_out_send(jab_presence_to(c->s, (jab_str){NULL, 0}), 0) >= 0;
    int err = c->is_present ? 0 : JAB_EAGAIN;
    char nick[32];
    snprintf(nick, sizeof nick, "nick%u", c->index);
    if (!err && c->w->plan.has_room && !c->in_room)
        err = jab_muc_join(c->s, JAB_STR(SIM_ROOM), jab_cstr(nick), NULL, 0);
    if (err < 0)
        c->join_at = c->w->now + 3000;
}

/* -- What was shown, with commit_by_caller ---------------------------------------------- */

void sim_app_forget(sim_client *c)
{
    for (size_t i = 0; i < c->w->n_rows; i++) {
        sim_row *row = &c->w->rows[i];
        row->pending[c->index] = 0;
        row->may_fail_again += row->is_failing && row->who == c->index; /* with what comes again */
        row->is_failing &= row->who != c->index;
    }
    if (c->is_unsure) /* how far the archives were read */
        c->never_synced = c->room_never_synced = 1;
}

/* The program's own log and the store are one transaction, as it were. */
void sim_app_commit(sim_client *c)
{
    if (!c->plan->by_caller || !c->s)
        return;
    if (jab_session_commit(c->s) < 0) {
        SIM_NOTE(c->w, 1, "c%u cannot commit", c->index);
        sim_app_forget(c);
        return;
    }
    for (size_t i = 0; i < c->w->n_rows; i++) {
        sim_row *row = &c->w->rows[i];
        row->shown[c->index] += row->pending[c->index];
        row->pending[c->index] = 0;
        row->is_failing &= row->who != c->index;
    }
}

/* -- Events --------------------------------------------------------------------------------- */

static void on_online(sim_client *c, const jab_event *ev)
{
    int resumed = ev->type == JAB_EV_RESUMED;
    SIM_NOTE(c->w, resumed, "c%u is %s", c->index, resumed ? "back" : "online");
    c->online_at = c->w->now;
    c->logins++;
    c->resumed += (unsigned)resumed;
    c->w->logins++;
    if (!resumed) {
        c->archived_at_login = sim_server_archive_size(c->w->server, c->plan->account);
        c->synced = c->in_room = c->room_synced = c->is_present = 0;
    }
    /* The stream may have ended before this was heard, and go on now. */
    sim_app_join(c);
}

static void on_message(sim_client *c, const jab_event *ev)
{
    const jab_message *m = ev->message;
    if (m->type == JAB_MSG_ERROR || !m->body.p)
        return;
    /* A room in which nobody is cannot say anything. */
    if (m->type == JAB_MSG_GROUPCHAT && !(m->flags & (JAB_VIA_ROOM | JAB_VIA_ARCHIVE)))
        return;
    sim_row *row = sim_row_by_id(c->w, m->id, m->body);
    SIM_NOTE(c->w, m->key, "c%u gets " JAB_FMT ": \"" JAB_FMT "\" (key %lld, flags %x)", c->index,
             JAB_ARG(m->id), JAB_ARG(m->body), (long long)m->key, m->flags);
    if (!row) {
        sim_violate(c->w, "c%u was shown a message that nobody sent: \"" JAB_FMT "\"", c->index,
                    JAB_ARG(m->body));
        return;
    }
    if (!(m->flags & JAB_VIA_ARCHIVE))
        row->live_at[c->index] = c->w->now;
    if (c->plan->by_caller)
        row->pending[c->index]++;
    else
        row->shown[c->index]++;
    if (c->plan->store != SIM_NO_STORE && row->shown[c->index] + row->pending[c->index] > 1)
        sim_violate(c->w, "c%u was shown %s twice", c->index, row->id[0] ? row->id : row->body);
}

static void on_sent(sim_client *c, const jab_event *ev)
{
    static const char *const names[] = {"delivered", "unknown", "failed"};
    const jab_sent *sent = ev->data;
    sim_row *row = sim_row_by_id(c->w, sent->id, (jab_str){NULL, 0});
    SIM_NOTE(c->w, sent->state, "c%u: " JAB_FMT " is %s", c->index, JAB_ARG(sent->id),
             names[sent->state]);
    if (!row || row->who != c->index || !row->accepted) {
        sim_violate(c->w, "c%u is told of " JAB_FMT ", which it did not send", c->index,
                    JAB_ARG(sent->id));
        return;
    }
    if (row != &c->w->rows[ev->tag])
        sim_violate(c->w, "c%u is told of %s under the tag of another", c->index, row->id);
    row->told[sent->state]++;
    row->is_failing |= c->plan->by_caller && sent->state == JAB_SENT_FAILED;
}

static void on_joined(sim_client *c, const jab_event *ev)
{
    const jab_muc_joined *joined = ev->data;
    SIM_NOTE(c->w, joined->error, "c%u in the room: %s", c->index, jab_errname(joined->error));
    c->in_room = joined->error == 0;
    if (joined->error)
        c->join_at = c->w->now + 5000;
    else if (joined->status & JAB_MUC_CREATED)
        (void)jab_muc_unlock(c->s, JAB_STR(SIM_ROOM), 0);
}

static void on_left(sim_client *c, const jab_event *ev)
{
    (void)ev;
    SIM_NOTE(c->w, 2, "c%u is out of the room", c->index);
    c->in_room = c->room_synced = 0;
    c->join_at = c->w->now + 1000;
}

static void on_synced(sim_client *c, const jab_event *ev)
{
    const jab_synced *synced = ev->data;
    SIM_NOTE(c->w, synced->error, "c%u has caught up with " JAB_FMT ": %s, %u new%s", c->index,
             JAB_ARG(synced->archive), jab_errname(synced->error), synced->added,
             synced->has_gap ? ", a gap" : "");
    int done =
        synced->error == 0 || synced->error == JAB_ESTANZA || synced->error == JAB_EUNSUPPORTED;
    c->has_gap |= synced->has_gap;
    c->is_unsure |= done;
    c->sync_failed |= !done;
    size_t size = sim_server_archive_size(
        c->w->server, jab_str_is(synced->archive, SIM_ROOM) ? SIM_ROOM : c->plan->account);
    if (jab_str_is(synced->archive, SIM_ROOM)) {
        if (c->room_never_synced)
            c->room_archived_at_sync = size;
        c->room_synced |= done;
        c->room_never_synced &= !done;
    } else {
        if (c->never_synced)
            c->archived_at_sync = size;
        if (synced->error == 0)
            c->synced_at = c->w->now;
        c->synced |= done;
        c->never_synced &= !done;
    }
}

static void on_offline(sim_client *c, const jab_event *ev)
{
    SIM_NOTE(c->w, ev->fault->code, "c%u is offline: %s " JAB_FMT, c->index,
             jab_errname(ev->fault->code), JAB_ARG(ev->fault->text));
    /* By-caller: what was pulled and not committed will come again. */
    if (ev->fault->code == JAB_ESTORE || ev->fault->code == JAB_ENOMEM)
        sim_app_forget(c);
}

void sim_app_event(sim_client *c, const jab_event *ev)
{
    static const struct {
        uint32_t type;
        void (*fn)(sim_client *c, const jab_event *ev);
    } table[] = {
        {JAB_EV_ONLINE, on_online}, {JAB_EV_RESUMED, on_online},  {JAB_EV_MESSAGE, on_message},
        {JAB_EV_SENT, on_sent},     {JAB_EV_OFFLINE, on_offline}, {JAB_EV_MUC_JOINED, on_joined},
        {JAB_EV_MUC_LEFT, on_left}, {JAB_EV_SYNCED, on_synced},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].type == ev->type)
            table[i].fn(c, ev);
}
