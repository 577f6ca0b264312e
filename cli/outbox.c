/* outbox.c: follows messages until their state is final; see outbox.h. */
#include "outbox.h"

#include <errno.h>
#include <jabiru/disco.h>
#include <jabiru/message.h>
#include <jabiru/ping.h>
#include <stdlib.h>
#include <unistd.h>

struct cli_item {
    char *to, *id;
    cli_target *target;
    int asked; /* 1: the open question of its target covers it */
    cli_item *next;
};

/* Whom to ask: the own server (jid NULL) or a room. */
struct cli_target {
    char *jid;
    uint64_t tag; /* of the open question, or 0 */
    int news;     /* 1: something was sent since the last question */
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

static void report(cli_outbox *b, const cli_item *item, const char *state,
                   const jab_stanza_error *error)
{
    if (b->quiet)
        return;
    json_t *record = app_record_new("sent");
    app_set_text(record, "to", jab_cstr(item->to));
    app_set_text(record, "id", jab_cstr(item->id));
    app_set_text(record, "state", jab_cstr(state));
    if (error)
        app_set_error(record, error);
    app_out_record(&b->c->out, record);
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
    return o;
}

int cli_outbox_put(cli_outbox *b, const cli_draft *draft)
{
    jab_out *o = build(b, draft);
    cli_item *item = app_alloc(sizeof *item);
    item->to = app_copy(draft->to);
    item->id = jab_out_error(o) ? NULL : app_copy(jab_out_id(o));
    int err = jab_out_send(o, 0);
    if (err < 0) {
        free_item(item);
        return err;
    }
    write_id(b, jab_cstr(item->id));
    if (b->no_wait) {
        b->delivered++;
        report(b, item, "sent", NULL);
        free_item(item);
        return 0;
    }
    item->target = target_for(b, draft->to);
    item->target->news = 1;
    *b->end = item;
    b->end = &item->next;
    b->waiting++;
    return 0;
}

static int ask(cli_outbox *b, cli_target *target)
{
    uint64_t tag = cli_tag(b->c);
    jab_str none = {0};
    int err = target->jid ? jab_disco_info(cli_session(b->c), jab_cstr(target->jid), none, tag)
                          : jab_ping(cli_session(b->c), none, tag);
    if (err < 0)
        return err;
    target->tag = tag;
    target->news = 0;
    for (cli_item *item = b->first; item; item = item->next)
        if (item->target == target)
            item->asked = 1;
    return 0;
}

int cli_outbox_ask(cli_outbox *b)
{
    for (cli_target *target = b->targets; target; target = target->next) {
        int err = target->news && !target->tag ? ask(b, target) : 0;
        if (err < 0 && err != JAB_EAGAIN)
            return err;
    }
    return 0;
}

/* Takes the item at *link out of the list. */
static void settle(cli_outbox *b, cli_item **link)
{
    cli_item *item = *link;
    *link = item->next;
    if (b->end == &item->next)
        b->end = link;
    b->waiting--;
    free_item(item);
}

static void bounced(cli_outbox *b, cli_item **link, const jab_stanza_error *error)
{
    report(b, *link, "failed", error);
    int status = app_say_bounce((*link)->to, error);
    b->status = b->status ? b->status : status;
    b->failed++;
    settle(b, link);
}

/* The same account or room, whatever the resource: a bounce may come from it
 * or from the resource that was written to. */
static int is_from(const jab_jid *from, const char *to)
{
    jab_jid whom = jab_jid_view(jab_cstr(to));
    return jab_str_eq(from->bare, whom.bare);
}

static void on_message(cli_outbox *b, const jab_message *m)
{
    jab_stanza_error error;
    int is_bounce = m->type == JAB_MSG_ERROR && jab_message_error(m, &error);
    if (!is_bounce)
        return;
    for (cli_item **link = &b->first; *link; link = &(*link)->next) {
        if (jab_str_eq(jab_cstr((*link)->id), m->id) && is_from(&m->from, (*link)->to)) {
            bounced(b, link, &error);
            return;
        }
    }
}

/* Any answer proves that what came before the question was dealt with. */
static void on_answer(cli_outbox *b, cli_target *target, int error)
{
    int answered = error == 0 || error == JAB_ESTANZA;
    target->tag = 0;
    for (cli_item **link = &b->first; *link;) {
        if ((*link)->target != target || !(*link)->asked) {
            link = &(*link)->next;
            continue;
        }
        report(b, *link, answered ? "delivered" : "unknown", NULL);
        b->delivered += answered != 0;
        b->unknown += answered == 0;
        settle(b, link);
    }
    if (!answered && b->status == APP_OK)
        b->status = app_say_error("unknown whether it was taken", error);
}

static cli_target *target_of(cli_outbox *b, uint64_t tag)
{
    cli_target *target = b->targets;
    while (target && target->tag != tag)
        target = target->next;
    return tag ? target : NULL;
}

void cli_outbox_event(cli_outbox *b, const jab_event *ev)
{
    cli_target *target = target_of(b, ev->tag);
    if (ev->type == JAB_EV_MESSAGE)
        on_message(b, ev->message);
    else if (ev->type == JAB_EV_PONG && target)
        on_answer(b, target, ((const jab_pong *)ev->data)->error);
    else if (ev->type == JAB_EV_DISCO_INFO && target)
        on_answer(b, target, ((const jab_disco_info_reply *)ev->data)->error);
}

void cli_outbox_abandon(cli_outbox *b)
{
    if (b->first && b->waiting == 1)
        app_note("jabiru: unknown whether the message to %s was taken; ask there before you "
                 "send it again",
                 b->first->to);
    else if (b->waiting > 1)
        app_note("jabiru: unknown whether %zu messages were taken; ask there before you send "
                 "them again",
                 b->waiting);
    while (b->first) {
        report(b, b->first, "unknown", NULL);
        b->unknown++;
        settle(b, &b->first);
    }
}
