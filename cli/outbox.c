/* outbox.c: follows messages until their state is final; see outbox.h. */
#include "outbox.h"

#include <errno.h>
#include <jabiru/disco.h>
#include <jabiru/message.h>
#include <jabiru/ping.h>
#include <jabiru/receipts.h>
#include <jabiru/sm.h>
#include <stdlib.h>
#include <unistd.h>

/* What has to come until a message is settled. */
enum {
    NEEDS_ACK = 1 << 0,
    NEEDS_ANSWER = 1 << 1, /* to a question behind it */
    NEEDS_RECEIPT = 1 << 2,
};

struct cli_item {
    char *to, *id;
    uint64_t tag;
    unsigned needs;
    cli_target *target;
    int acked; /* 1: the server has it */
    int asked; /* 1: the open question of its target covers it */
    cli_item *next;
};

/* Whom to ask: the own server (jid NULL) or a room. */
struct cli_target {
    char *jid;
    uint64_t tag; /* of the open question, or 0 */
    cli_target *next;
};

void cli_outbox_init(cli_outbox *b, cli *c)
{
    *b = (cli_outbox){.c = c, .ids = -1};
    b->end = &b->first;
}

static void free_item(cli_item *item)
{
    free(item->to);
    free(item->id);
    free(item);
}

void cli_outbox_free(cli_outbox *b)
{
    for (cli_item *item = b->first, *next; item; item = next) {
        next = item->next;
        free_item(item);
    }
    for (cli_target *target = b->targets, *next; target; target = next) {
        next = target->next;
        free(target->jid);
        free(target);
    }
    free(b->unknown_to);
}

static cli_target *target_for(cli_outbox *b, jab_str to)
{
    jab_str jid = b->rooms ? to : (jab_str){0};
    for (cli_target *target = b->targets; target; target = target->next)
        if (jab_str_eq(jab_cstr(target->jid), jid))
            return target;
    cli_target *target = app_alloc(sizeof *target);
    *target = (cli_target){.jid = app_copy(jid), .next = b->targets};
    b->targets = target;
    return target;
}

/* -- Telling --------------------------------------------------------------------------- */

static void put_record(cli_outbox *b, jab_str to, jab_str id, const char *state, int earlier,
                       const jab_stanza_error *error)
{
    json_t *record = app_record_new("sent");
    app_set_text(record, "to", to);
    app_set_text(record, "id", id);
    app_set_text(record, "state", jab_cstr(state));
    app_set_true(record, "earlier", earlier);
    if (error && error->condition.p)
        app_set_error(record, error);
    app_out_record(&b->c->out, record);
}

static void report(cli_outbox *b, const cli_item *item, const char *state,
                   const jab_stanza_error *error)
{
    if (!b->quiet)
        put_record(b, jab_cstr(item->to), jab_cstr(item->id), state, 0, error);
}

static void write_id(cli_outbox *b, jab_str id)
{
    app_text line = {0};
    if (b->ids < 0)
        return;
    app_text_add(&line, id);
    app_text_char(&line, '\n');
    if (write(b->ids, line.p, line.n) != (ssize_t)line.n && b->status == APP_OK)
        b->status = app_say(APP_FILE, "--id-out: %s", strerror(errno));
    app_text_free(&line);
}

/* -- Sending ---------------------------------------------------------------------------- */

static jab_out *build(cli_outbox *b, const cli_draft *draft)
{
    jab_out *o = jab_message_to(cli_session(b->c), draft->to, draft->type);
    if (draft->id.n)
        jab_out_set_id(o, draft->id);
    if (draft->subject.p)
        jab_out_subject(o, draft->subject);
    if (draft->body.p)
        jab_out_body(o, draft->body);
    if (draft->thread.n)
        jab_out_thread(o, draft->thread, (jab_str){0});
    if (b->wait == CLI_WAIT_RECEIPT)
        jab_out_ask_receipt(o);
    return o;
}

static unsigned needs_of(const cli_outbox *b)
{
    int is_told = b->c->store || jab_sm_active(cli_session(b->c));
    unsigned needs = is_told ? NEEDS_ACK : NEEDS_ANSWER;
    if (b->wait == CLI_WAIT_BOUNCE)
        needs |= NEEDS_ANSWER;
    return b->wait == CLI_WAIT_RECEIPT ? needs | NEEDS_RECEIPT : needs;
}

static void add_item(cli_outbox *b, cli_item *item, jab_str to)
{
    item->needs = needs_of(b);
    item->target = target_for(b, to);
    *b->end = item;
    b->end = &item->next;
    b->waiting++;
    if (b->accepted && b->c->store)
        report(b, item, "accepted", NULL);
}

int cli_outbox_put(cli_outbox *b, const cli_draft *draft)
{
    jab_out *o = build(b, draft);
    cli_item *item = app_alloc(sizeof *item);
    item->to = app_copy(draft->to);
    item->id = jab_out_error(o) ? NULL : app_copy(jab_out_id(o));
    item->tag = cli_tag(b->c);
    int err = jab_out_send(o, item->tag);
    if (err < 0) {
        free_item(item);
        return err;
    }
    write_id(b, jab_cstr(item->id));
    if (b->wait == CLI_WAIT_NONE) {
        b->delivered++;
        report(b, item, "sent", NULL);
        free_item(item);
    } else {
        add_item(b, item, draft->to);
    }
    return 0;
}

/* A question is worth something only behind the message: one that the server has, or
 * that has left. All have when the stream waits for as many as the outbox holds. */
static int may_ask(const cli_outbox *b, const cli_item *item)
{
    const jab_session *s = cli_session(b->c);
    if (!(item->needs & NEEDS_ANSWER) || item->asked)
        return 0;
    return !(item->needs & NEEDS_ACK) || jab_sm_waiting(s) == jab_outbox_count(s);
}

static int ask(cli_outbox *b, cli_target *target)
{
    uint64_t tag = cli_tag(b->c);
    jab_str none = {0};
    size_t n = 0;
    for (cli_item *item = b->first; item; item = item->next)
        n += item->target == target && may_ask(b, item);
    if (n == 0)
        return 0;
    int err = target->jid ? jab_disco_info(cli_session(b->c), jab_cstr(target->jid), none, tag)
                          : jab_ping(cli_session(b->c), none, tag);
    if (err < 0)
        return err;
    target->tag = tag;
    for (cli_item *item = b->first; item; item = item->next)
        if (item->target == target && may_ask(b, item))
            item->asked = 1;
    return 0;
}

int cli_outbox_ask(cli_outbox *b)
{
    if (!jab_session_online(cli_session(b->c)))
        return 0;
    for (cli_target *target = b->targets; target; target = target->next) {
        int err = !target->tag ? ask(b, target) : 0;
        if (err < 0 && err != JAB_EAGAIN)
            return err;
    }
    return 0;
}

/* -- Settling ----------------------------------------------------------------------------- */

/* Takes the item at *link out of the list. */
static void settle(cli_outbox *b, cli_item **link, const char *state, const jab_stanza_error *error)
{
    cli_item *item = *link;
    report(b, item, state, error);
    if (b->settled)
        b->settled(b->settled_arg, item->to, state);
    *link = item->next;
    if (b->end == &item->next)
        b->end = link;
    b->waiting--;
    free_item(item);
}

static void bounced(cli_outbox *b, cli_item **link, const jab_stanza_error *error)
{
    int status = app_say_bounce((*link)->to, error);
    b->status = b->status ? b->status : status;
    b->failed++;
    settle(b, link, "failed", error);
}

static void lost(cli_outbox *b, cli_item **link)
{
    if (b->unknown++ == 0)
        b->unknown_to = app_copy(jab_cstr((*link)->to));
    settle(b, link, "unknown", NULL);
}

/* Something that was waited for has come. */
static void came(cli_outbox *b, cli_item **link, unsigned what)
{
    (*link)->needs &= ~what;
    (*link)->acked |= what & NEEDS_ACK;
    if ((*link)->needs)
        return;
    b->delivered++;
    settle(b, link, b->wait == CLI_WAIT_RECEIPT ? "received" : "delivered", NULL);
}

/* The same account or room, whatever the resource: a bounce may come from it
 * or from the resource that was written to. */
static int is_from(const jab_jid *from, const char *to)
{
    jab_jid whom = jab_jid_view(jab_cstr(to));
    return jab_str_eq(from->bare, whom.bare);
}

static cli_item **item_of(cli_outbox *b, jab_str id, const jab_jid *from)
{
    cli_item **link = &b->first;
    while (*link && !(jab_str_eq(jab_cstr((*link)->id), id) && is_from(from, (*link)->to)))
        link = &(*link)->next;
    return link;
}

static void on_message(cli_outbox *b, const jab_event *ev)
{
    jab_stanza_error error;
    if (ev->message->type != JAB_MSG_ERROR || !jab_message_error(ev->message, &error))
        return;
    cli_item **link = item_of(b, ev->message->id, &ev->message->from);
    if (*link)
        bounced(b, link, &error);
}

static void on_receipt(cli_outbox *b, const jab_event *ev)
{
    const jab_receipt *receipt = ev->data;
    cli_item **link = item_of(b, receipt->id, &receipt->from);
    if (*link && b->wait == CLI_WAIT_RECEIPT)
        came(b, link, NEEDS_ACK | NEEDS_ANSWER | NEEDS_RECEIPT);
}

/* A message that another process put into the outbox. */
static void on_earlier(cli_outbox *b, const jab_sent *sent)
{
    static const char *const states[] = {[JAB_SENT_DELIVERED] = "delivered",
                                         [JAB_SENT_UNKNOWN] = "unknown",
                                         [JAB_SENT_FAILED] = "failed"};
    const cli *c = b->c;
    jab_str to = sent->to.p ? sent->to : c->jid.bare;
    if (c->g.json || c->g.verbose)
        put_record(b, to, sent->id, states[sent->state], 1, &sent->refusal);
    if (sent->state == JAB_SENT_FAILED)
        app_note("jabiru: a message of an earlier run to " JAB_FMT " was not delivered",
                 JAB_ARG(to));
    else if (sent->state == JAB_SENT_UNKNOWN)
        app_note("jabiru: unknown whether a message of an earlier run to " JAB_FMT " was taken",
                 JAB_ARG(to));
}

static void on_sent(cli_outbox *b, const jab_event *ev)
{
    const jab_sent *sent = ev->data;
    cli_item **link = &b->first;
    if (ev->tag >> 32 != b->c->next_tag >> 32) {
        on_earlier(b, sent);
        return;
    }
    while (*link && (*link)->tag != ev->tag)
        link = &(*link)->next;
    if (!*link)
        return; /* it came back meanwhile */
    if (sent->state == JAB_SENT_DELIVERED) {
        came(b, link, NEEDS_ACK);
    } else if (sent->state == JAB_SENT_UNKNOWN) {
        lost(b, link);
    } else if (sent->refusal.condition.p) {
        bounced(b, link, &sent->refusal);
    } else {
        b->withdrawn++;
        settle(b, link, "failed", NULL);
    }
}

/* Any answer proves that what came before the question was dealt with. When there was
 * none because the connection ended, the next one is asked. */
static void on_answer(cli_outbox *b, cli_target *target, int error)
{
    int answered = error == 0 || error == JAB_ESTANZA;
    target->tag = 0;
    for (cli_item **link = &b->first, *item; (item = *link);) {
        int asked = item->target == target && item->asked;
        item->asked = asked ? 0 : item->asked;
        if (asked && (answered || (item->acked && error != JAB_EOFFLINE)))
            came(b, link, NEEDS_ANSWER);
        else if (asked && error != JAB_EOFFLINE && !(item->needs & NEEDS_ACK))
            lost(b, link);
        if (*link == item)
            link = &item->next;
    }
}

static cli_target *target_of(cli_outbox *b, uint64_t tag)
{
    cli_target *target = b->targets;
    while (target && target->tag != tag)
        target = target->next;
    return tag ? target : NULL;
}

/* -- The connection -------------------------------------------------------------------------- */

static void say_unknown(const cli_outbox *b)
{
    if (b->unknown == 1)
        app_note("jabiru: unknown whether the message to %s was taken; ask there before you "
                 "send it again",
                 b->unknown_to);
    else if (b->unknown > 1)
        app_note("jabiru: unknown whether %zu messages were taken; ask there before you send "
                 "them again",
                 b->unknown);
}

static void lose_all(cli_outbox *b)
{
    while (b->first)
        lost(b, &b->first);
}

/* Without a store, and on a stream that is not to be resumed, nothing tells any more
 * what became of the messages. */
static void on_offline(cli_outbox *b)
{
    if (!b->c->store && !jab_sm_resumable(cli_session(b->c)))
        lose_all(b);
}

void cli_outbox_event(cli_outbox *b, const jab_event *ev)
{
    cli_target *target = target_of(b, ev->tag);
    if (ev->type == JAB_EV_MESSAGE)
        on_message(b, ev);
    else if (ev->type == JAB_EV_SENT)
        on_sent(b, ev);
    else if (ev->type == JAB_EV_RECEIPT)
        on_receipt(b, ev);
    else if (ev->type == JAB_EV_OFFLINE)
        on_offline(b);
    else if (ev->type == JAB_EV_PONG && target)
        on_answer(b, target, ((const jab_pong *)ev->data)->error);
    else if (ev->type == JAB_EV_DISCO_INFO && target)
        on_answer(b, target, ((const jab_disco_info_reply *)ev->data)->error);
}

/* What was accepted and has not been settled, without those of this process. */
size_t cli_outbox_earlier(const cli_outbox *b)
{
    size_t own = 0;
    if (!b->c->store || !b->c->client)
        return 0;
    for (const cli_item *item = b->first; item; item = item->next)
        own += (item->needs & NEEDS_ACK) != 0;
    size_t all = jab_outbox_count(cli_session(b->c));
    return all > own ? all - own : 0;
}

int cli_outbox_lacks_receipts(const cli_outbox *b)
{
    for (const cli_item *item = b->first; item; item = item->next)
        if (item->needs != NEEDS_RECEIPT)
            return 0;
    return b->first != NULL;
}

/* -- The end ---------------------------------------------------------------------------------- */

static void pull(cli_outbox *b)
{
    const jab_event *ev;
    while ((ev = jab_client_next(b->c->client)))
        cli_outbox_event(b, ev);
}

static void say_withdrawn(const cli_outbox *b)
{
    if (b->withdrawn)
        app_note("jabiru: %zu message%s not sent, and will not be later: it is safe to try again",
                 b->withdrawn, b->withdrawn == 1 ? " was" : "s were");
}

/* Those that the server has, and that only a receipt or an answer is missing for. */
static void settle_acked(cli_outbox *b)
{
    for (cli_item **link = &b->first, *item; (item = *link);) {
        if (!item->acked) {
            link = &item->next;
            continue;
        }
        b->delivered++;
        settle(b, link, "delivered", NULL);
    }
}

void cli_outbox_give_up(cli_outbox *b)
{
    cli *c = b->c;
    uint64_t own = c->next_tag >> 32 << 32;
    if (c->client)
        pull(b);
    if (c->client && c->store && b->waiting > 0) {
        if (jab_outbox_withdraw_tags(cli_session(c), own, own | UINT32_MAX) < 0)
            app_note("jabiru: what waits cannot be taken out of the outbox; the next "
                     "jabiru send delivers it");
        pull(b);
    }
    say_withdrawn(b);
    settle_acked(b);
    lose_all(b);
    say_unknown(b);
}

void cli_outbox_leave(cli_outbox *b)
{
    if (b->c->client)
        pull(b);
    if (!b->c->store)
        lose_all(b);
    else if (b->waiting > 0)
        app_note("jabiru: %zu message%s will be sent the next time", b->waiting,
                 b->waiting == 1 ? "" : "s");
}
