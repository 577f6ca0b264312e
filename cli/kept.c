/* kept.c: what is kept of an account on this machine, and how it is told. */
#include "cli.h"

#include "data.h"
#include <inttypes.h>
#include <jabiru/message.h>
#include <stdio.h>
#include <stdlib.h>

/* What a command that shows no messages saw, for jabiru listen: a space of the store. */
#define UNSEEN       "unseen"
#define UNSEEN_SINCE "listens" /* behind every key: listen has run here */

/* One who sends may well do so beside another jabiru; one who waits for
 * messages should know that nothing is kept. */
static void say_locked(const cli *c)
{
    int matters = (c->command->flags & CLI_STREAMS) != 0;
    if (c->g.quiet || (!matters && !c->g.verbose))
        return;
    app_say(0, "store: another jabiru has this account's messages open; this one keeps nothing");
}

int cli_open_store(cli *c)
{
    if (c->store || c->g.no_store || !(c->command->flags & CLI_KEEPS))
        return APP_OK;
    int err = app_data_open(&c->store, c->jid.bare, APP_DATA_KEEP);
    if (err == JAB_ELOCKED)
        say_locked(c);
    else if (err < 0)
        return jab_err_exit(err);
    return APP_OK;
}

int cli_look_store(cli *c)
{
    int status = c->jid.full.p ? APP_OK : cli_settle_account(c);
    if (status != APP_OK)
        return status;
    int err = app_data_open(&c->store, c->jid.bare, APP_DATA_LOOK);
    return err == JAB_ELOCKED ? app_say_error("store", err) : jab_err_exit(err);
}

/* -- Messages ------------------------------------------------------------------------ */

void cli_key_text(char out[CLI_KEY_SIZE], int64_t key)
{
    snprintf(out, CLI_KEY_SIZE, "%" PRIx64, (uint64_t)key);
}

int cli_key_parse(const char *text, int64_t *key)
{
    text += *text == '#';
    size_t n = strlen(text);
    if (n == 0 || n > CLI_KEY_SIZE - 2 || strspn(text, "0123456789abcdefABCDEF") != n)
        return -1;
    *key = (int64_t)strtoull(text, NULL, 16);
    return 0;
}

int cli_kept_message(jab_message *m, jab_stanza **stanza, const jab_kept_message *kept)
{
    int err = jab_stanza_read(stanza, kept->xml, NULL);
    if (err < 0)
        return err;
    int in_room =
        kept->type == JAB_MSG_GROUPCHAT || memchr(kept->conversation.p, '/', kept->conversation.n);
    *m = (jab_message){.from = jab_stanza_from(*stanza),
                       .to = jab_stanza_to(*stanza),
                       .id = kept->id,
                       .type = kept->type,
                       .flags = JAB_VIA_ARCHIVE | (in_room ? JAB_VIA_ROOM : 0),
                       .body = kept->body,
                       .stamp = kept->stamp,
                       .stanza = *stanza,
                       .key = kept->key};
    if (!m->from.full.p)
        m->from = jab_jid_view(kept->sender);
    return 0;
}

json_t *cli_kept_record(const jab_kept_message *kept)
{
    static const char *const states[] = {
        [JAB_OWN_PENDING] = "accepted",  [JAB_OWN_DELIVERED] = "delivered",
        [JAB_OWN_FAILED] = "failed",     [JAB_OWN_UNKNOWN] = "unknown",
        [JAB_OWN_RECEIVED] = "received", [JAB_OWN_DISPLAYED] = "displayed",
    };
    jab_message m;
    jab_stanza *stanza;
    if (cli_kept_message(&m, &stanza, kept) < 0)
        return NULL;
    json_t *record = cli_message_record(&m);
    if (record && kept->own > JAB_OWN_NONE && kept->own <= JAB_OWN_DISPLAYED)
        app_set_text(record, "state", jab_cstr(states[kept->own]));
    if (record && kept->archive_id.n)
        app_set_text(record, "archive_id", kept->archive_id);
    jab_stanza_drop(stanza);
    return record;
}

/* -- Seen by nobody ------------------------------------------------------------------- */

static int put_unseen(cli *c, jab_str name, jab_str value)
{
    return c->store->table->put(c->store, UNSEEN, name, value);
}

static int is_there(void *arg, jab_str key, jab_str value)
{
    (void)key;
    (void)value;
    *(int *)arg = 1;
    return 0;
}

void cli_unseen_begin(cli *c)
{
    int there = 0;
    if (c->store &&
        c->store->table->get(c->store, UNSEEN, JAB_STR(UNSEEN_SINCE), is_there, &there) >= 0 &&
        !there)
        (void)put_unseen(c, JAB_STR(UNSEEN_SINCE), JAB_STR(""));
}

/* That it cannot be written is told when the session commits. */
void cli_unseen_note(cli *c, const jab_message *m)
{
    char name[CLI_KEY_SIZE];
    int there = 0;
    if (!c->store || !m->key || (m->flags & JAB_VIA_CARBON_SENT) ||
        jab_jid_bare_eq(&m->from, &c->jid))
        return;
    if (c->store->table->get(c->store, UNSEEN, JAB_STR(UNSEEN_SINCE), is_there, &there) < 0 ||
        !there)
        return;
    snprintf(name, sizeof name, "%016" PRIx64, (uint64_t)m->key);
    if (put_unseen(c, jab_cstr(name), JAB_STR("")) >= 0)
        (void)cli_commit(c);
}

struct walk {
    int64_t *keys;
    size_t n;
};

static int on_key(void *arg, jab_str name, jab_str value)
{
    struct walk *walk = arg;
    char text[CLI_KEY_SIZE] = "";
    (void)value;
    if (name.n != CLI_KEY_SIZE - 1)
        return 0;
    memcpy(text, name.p, name.n);
    walk->keys = app_realloc(walk->keys, (walk->n + 1) * sizeof *walk->keys);
    walk->keys[walk->n++] = (int64_t)strtoull(text, NULL, 16);
    return 0;
}

/* Gathered first: what is done with a message writes to the store. */
int cli_unseen_each(cli *c, int (*fn)(void *arg, int64_t key), void *arg)
{
    struct walk walk = {0};
    int status = APP_OK;
    if (!c->store)
        return APP_OK;
    int err = c->store->table->each(c->store, UNSEEN, (jab_str){0}, 0, on_key, &walk);
    for (size_t i = 0; err >= 0 && status == APP_OK && i < walk.n; i++)
        status = fn(arg, walk.keys[i]);
    free(walk.keys);
    return err < 0 ? app_say_error("store", err) : status;
}

void cli_unseen_done(cli *c, int64_t key)
{
    char name[CLI_KEY_SIZE];
    snprintf(name, sizeof name, "%016" PRIx64, (uint64_t)key);
    if (c->store)
        (void)put_unseen(c, jab_cstr(name), (jab_str){0});
}
