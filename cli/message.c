/* message.c: messages and presences as records. */
#include "cli.h"

#include <jabiru/delay.h>
#include <jabiru/message.h>

static const char *const message_kinds[] = {
    [JAB_MSG_NORMAL] = "normal",     [JAB_MSG_CHAT] = "chat",   [JAB_MSG_GROUPCHAT] = "groupchat",
    [JAB_MSG_HEADLINE] = "headline", [JAB_MSG_ERROR] = "error",
};

/* A delay counts when the library believed it (jab_message.stamp); who says so
 * is then the sender of the claim. */
static void set_delay(json_t *record, const jab_message *m)
{
    jab_delay claimed;
    if (!m->stamp)
        return;
    json_t *delay = json_object();
    app_set_time(delay, "stamp", m->stamp);
    if (jab_delay_claimed(m->stanza, &claimed))
        app_set_text(delay, "from", claimed.from);
    json_object_set_new(record, "delay", delay);
}

static void set_origin(json_t *record, const jab_message *m)
{
    if (m->flags & JAB_VIA_CARBON_SENT)
        app_set_text(record, "carbon", JAB_STR("sent"));
    else if (m->flags & JAB_VIA_CARBON_RECEIVED)
        app_set_text(record, "carbon", JAB_STR("received"));
    app_set_true(record, "history", (m->flags & (JAB_VIA_ARCHIVE | JAB_VIA_HISTORY)) != 0);
    app_set_true(record, "room", (m->flags & JAB_VIA_ROOM) != 0);
}

static void set_key(json_t *record, int64_t key)
{
    char text[CLI_KEY_SIZE];
    if (!key)
        return;
    cli_key_text(text, key);
    app_set_text(record, "key", jab_cstr(text));
}

json_t *cli_message_record(const jab_message *m)
{
    jab_stanza_error error;
    jab_str subject = jab_message_subject(m);
    int is_error = m->type == JAB_MSG_ERROR && jab_message_error(m, &error);
    if (!m->body.p && !is_error && (!subject.p || m->type == JAB_MSG_GROUPCHAT))
        return NULL; /* a room's subject is its state, not a message (XEP-0045 8.1) */
    json_t *record = app_record_new("message");
    app_set_address(record, "from", &m->from);
    app_set_address(record, "to", &m->to);
    app_set_text(record, "kind", jab_cstr(message_kinds[m->type]));
    app_set_text(record, "id", m->id);
    app_set_text(record, "subject", subject);
    app_set_text(record, "body", m->body);
    app_set_text(record, "thread", jab_message_thread(m));
    app_set_text(record, "lang", jab_xml_lang(jab_stanza_xml(m->stanza)));
    app_set_time(record, "stamp", m->stamp ? m->stamp : app_wall());
    set_delay(record, m);
    set_origin(record, m);
    set_key(record, m->key);
    if (is_error)
        app_set_error(record, &error);
    return record;
}

json_t *cli_presence_record(const jab_presence *p)
{
    jab_stanza_error error;
    json_t *record = app_record_new("presence");
    app_set_address(record, "from", &p->from);
    app_set_text(record, "kind", jab_cstr(jab_presence_type_name(p->type)));
    if (p->type == JAB_PRESENCE_AVAILABLE) {
        app_set_text(record, "show", jab_cstr(jab_show_name(p->show)));
        app_set_int(record, "priority", p->priority);
    }
    app_set_text(record, "status", p->status);
    app_set_time(record, "stamp", app_wall());
    if (p->type == JAB_PRESENCE_ERROR && jab_stanza_error_read(p->stanza, &error))
        app_set_error(record, &error);
    return record;
}
