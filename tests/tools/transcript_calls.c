/* transcript_calls.c: the calls of an application that DO: lines name. */
#include "transcript.h"

typedef struct call {
    play *p;
    jab_session *s;
    jab_str arg[12];
    size_t n;
    uint64_t tag;
    char named[8][2][128]; /* key=value arguments */
    size_t n_named;
} call;

/* The value of a key=value argument, absent without one. */
static jab_str named(const call *c, const char *key)
{
    for (size_t i = 0; i < c->n_named; i++)
        if (strcmp(c->named[i][0], key) == 0)
            return jab_cstr(c->named[i][1]);
    return (jab_str){NULL, 0};
}

static unsigned number(const call *c, const char *key)
{
    jab_str value = named(c, key);
    return value.p ? (unsigned)strtoul(value.p, NULL, 10) : 0;
}

static int64_t time_of(const call *c, const char *key)
{
    int64_t ms = 0;
    jab_str value = named(c, key);
    if (value.p && jab_datetime_parse(value, &ms) < 0)
        play_fail(c->p, "not a time: %s", value.p);
    return ms;
}

static jab_show show_of(jab_str name)
{
    for (int i = JAB_SHOW_DND; i <= JAB_SHOW_CHAT; i++)
        if (name.p && jab_str_is(name, jab_show_name((jab_show)i)))
            return (jab_show)i;
    return JAB_SHOW_ONLINE;
}

static int do_message(call *c)
{
    static const char *const types[] = {"normal", "chat", "groupchat", "headline"};
    int type = 0;
    for (int i = 0; i < 4; i++)
        if (jab_str_is(c->arg[1], types[i]))
            type = i;
    jab_out *o = jab_message_to(c->s, c->arg[0], (jab_message_type)type);
    if (named(c, "thread").p)
        jab_out_thread(o, named(c, "thread"), (jab_str){NULL, 0});
    jab_out_body(o, c->arg[2]);
    if (named(c, "private").p)
        jab_out_private(o);
    if (named(c, "receipt").p)
        jab_out_ask_receipt(o);
    if (named(c, "markable").p)
        jab_out_ask_displayed(o);
    return jab_out_send(o, c->tag);
}

/* Of the message that came last. */
static int do_displayed(call *c)
{
    return c->p->kept ? jab_mark_displayed(c->s, &c->p->last) : JAB_ESTATE;
}

static int do_csi(call *c)
{
    return jab_csi_set_active(c->s, jab_str_is(c->arg[0], "active"));
}

static int do_reply(call *c)
{
    if (!c->p->kept)
        return JAB_ESTATE;
    jab_out *o = jab_reply(c->s, &c->p->last);
    jab_out_body(o, c->arg[0]);
    return jab_out_send(o, c->tag);
}

static int do_presence(call *c)
{
    int priority = (int)strtol(named(c, "priority").p ? named(c, "priority").p : "0", NULL, 10);
    return jab_send_presence(c->s, named(c, "to"), show_of(named(c, "show")), named(c, "status"),
                             priority);
}

static int do_set_presence(call *c)
{
    return jab_set_presence(c->s, c->arg[0]);
}

static int do_unavailable(call *c)
{
    return jab_send_unavailable(c->s, c->arg[0], named(c, "status"));
}

static int do_subscribe(call *c)
{
    return jab_subscribe(c->s, c->arg[0], named(c, "status"));
}

static int do_subscribed(call *c)
{
    return jab_subscribed(c->s, c->arg[0]);
}

static int do_unsubscribe(call *c)
{
    return jab_unsubscribe(c->s, c->arg[0]);
}

static int do_unsubscribed(call *c)
{
    return jab_unsubscribed(c->s, c->arg[0]);
}

static int do_preapprove(call *c)
{
    return jab_preapprove(c->s, c->arg[0]);
}

static int do_roster_get(call *c)
{
    return jab_roster_get(c->s, c->tag);
}

static int do_roster_set(call *c)
{
    return jab_roster_set(c->s, c->arg[0], named(c, "name"), c->arg + 1, c->n - 1, c->tag);
}

static int do_roster_rename(call *c)
{
    return jab_roster_rename(c->s, c->arg[0], c->arg[1], c->tag);
}

static int do_roster_regroup(call *c)
{
    return jab_roster_regroup(c->s, c->arg[0], c->arg + 1, c->n - 1, c->tag);
}

static int do_roster_remove(call *c)
{
    return jab_roster_remove(c->s, c->arg[0], c->tag);
}

/* roster-load VERSION JID...: contacts with a subscription both ways. */
static int do_roster_load(call *c)
{
    jab_roster_item items[12];
    jab_jid_buf *bufs = malloc(12 * sizeof *bufs);
    int err = bufs ? 0 : JAB_ENOMEM;
    for (size_t i = 1; i < c->n && err == 0; i++) {
        items[i - 1] = (jab_roster_item){.subscription = JAB_SUB_BOTH};
        err = jab_jid_parse(&items[i - 1].jid, c->arg[i], &bufs[i]);
    }
    if (err == 0)
        err = jab_roster_load(c->s, c->arg[0], items, c->n - 1);
    free(bufs);
    return err;
}

/* Shows the table as events, each "CONTACT". */
static int do_roster_list(call *c)
{
    for (size_t i = 0; i < jab_roster_count(c->s); i++) {
        const jab_roster_item *item = jab_roster_at(c->s, i);
        text *t = play_event(c->p);
        text_printf(t, "CONTACT\n");
        put_str(t, "jid", item->jid.full);
        put_str(t, "name", item->name);
        put_number(t, "sub", item->subscription);
        put_number(t, "groups", (long long)item->n_groups);
    }
    return 0;
}

/* Shows the resource to talk to as an event, "BEST". */
static int do_best(call *c)
{
    const jab_resource *r = jab_resource_best(c->s, c->arg[0]);
    text *t = play_event(c->p);
    text_printf(t, "BEST\n");
    put_number(t, "count", (long long)jab_resource_count(c->s, c->arg[0]));
    put_str(t, "jid", r ? r->jid.full : (jab_str){NULL, 0});
    put_str(t, "status", r ? r->status : (jab_str){NULL, 0});
    return 0;
}

static int do_ping(call *c)
{
    return jab_ping(c->s, c->arg[0], c->tag);
}

static int do_version(call *c)
{
    return jab_version_query(c->s, c->arg[0], c->tag);
}

static int do_time(call *c)
{
    return jab_time_query(c->s, c->arg[0], c->tag);
}

static int do_last(call *c)
{
    return jab_last_query(c->s, c->arg[0], c->tag);
}

static int do_disco_info(call *c)
{
    return jab_disco_info(c->s, c->arg[0], c->arg[1], c->tag);
}

static int do_disco_items(call *c)
{
    return jab_disco_items(c->s, c->arg[0], c->arg[1], c->tag);
}

/* Shows whether a peer has a feature as an event, "HAS". */
static int do_caps_has(call *c)
{
    text *t = play_event(c->p);
    text_printf(t, "HAS\n");
    put_number(t, "answer", jab_caps_has(c->s, c->arg[0], c->arg[1]));
    return 0;
}

static int do_carbons_enable(call *c)
{
    return jab_carbons_enable(c->s, c->tag);
}

static int do_carbons_disable(call *c)
{
    return jab_carbons_disable(c->s, c->tag);
}

static int do_mam(call *c)
{
    return jab_mam_ask(c->s,
                       JAB_MAM_QUERY(.archive = named(c, "archive"), .with = named(c, "with"),
                                     .start = time_of(c, "start"), .end = time_of(c, "end"),
                                     .after = named(c, "after"), .before = named(c, "before"),
                                     .max = number(c, "max")),
                       c->tag);
}

static int do_history_more(call *c)
{
    return jab_history_more(c->s, c->arg[0], number(c, "n"), c->tag);
}

/* Shows as an event, "WHOLE", whether a conversation is. */
static int do_history_whole(call *c)
{
    text *t = play_event(c->p);
    text_printf(t, "WHOLE\n");
    put_number(t, "whole", jab_history_is_whole(c->s, c->arg[0]));
    return 0;
}

static int do_muc_join(call *c)
{
    jab_muc_join_options options = *JAB_MUC_JOIN(.password = named(c, "password"));
    options.no_history = named(c, "no-history").p != NULL;
    options.history = number(c, "history");
    options.seconds = number(c, "seconds");
    options.since = time_of(c, "since");
    return jab_muc_join(c->s, c->arg[0], c->arg[1], &options, c->tag);
}

static int do_muc_leave(call *c)
{
    return jab_muc_leave(c->s, c->arg[0], c->arg[1]);
}

static int do_muc_nick(call *c)
{
    return jab_muc_nick(c->s, c->arg[0], c->arg[1]);
}

static int do_muc_subject(call *c)
{
    return jab_muc_set_subject(c->s, c->arg[0], c->arg[1]);
}

static int do_muc_unlock(call *c)
{
    return jab_muc_unlock(c->s, c->arg[0], c->tag);
}

/* Shows who is in a room as events, each "SEAT", after "ROOM". */
static int do_muc_list(call *c)
{
    text *t = play_event(c->p);
    text_printf(t, "ROOM\n");
    put_str(t, "nick", jab_muc_own_nick(c->s, c->arg[0]));
    put_number(t, "count", (long long)jab_muc_occupant_count(c->s, c->arg[0]));
    for (size_t i = 0; i < jab_muc_occupant_count(c->s, c->arg[0]); i++) {
        const jab_occupant *o = jab_muc_occupant_at(c->s, c->arg[0], i);
        t = play_event(c->p);
        text_printf(t, "SEAT\n");
        put_str(t, "nick", o->nick);
        put_str(t, "jid", o->jid.full);
        put_str(t, "role", jab_cstr(jab_role_name(o->role)));
    }
    return 0;
}

static int do_close(call *c)
{
    jab_session_close(c->s, c->p->now);
    return 0;
}

static const struct {
    const char *name;
    int (*fn)(call *c);
} calls[] = {
    {"message", do_message},
    {"displayed", do_displayed},
    {"csi", do_csi},
    {"reply", do_reply},
    {"presence", do_presence},
    {"set-presence", do_set_presence},
    {"unavailable", do_unavailable},
    {"subscribe", do_subscribe},
    {"subscribed", do_subscribed},
    {"unsubscribe", do_unsubscribe},
    {"unsubscribed", do_unsubscribed},
    {"preapprove", do_preapprove},
    {"roster-get", do_roster_get},
    {"roster-set", do_roster_set},
    {"roster-rename", do_roster_rename},
    {"roster-regroup", do_roster_regroup},
    {"roster-remove", do_roster_remove},
    {"roster-load", do_roster_load},
    {"roster-list", do_roster_list},
    {"best", do_best},
    {"ping", do_ping},
    {"version", do_version},
    {"time", do_time},
    {"last", do_last},
    {"disco-info", do_disco_info},
    {"disco-items", do_disco_items},
    {"caps-has", do_caps_has},
    {"carbons-enable", do_carbons_enable},
    {"carbons-disable", do_carbons_disable},
    {"mam", do_mam},
    {"history-more", do_history_more},
    {"history-whole", do_history_whole},
    {"muc-join", do_muc_join},
    {"muc-leave", do_muc_leave},
    {"muc-nick", do_muc_nick},
    {"muc-subject", do_muc_subject},
    {"muc-unlock", do_muc_unlock},
    {"muc-list", do_muc_list},
    {"close", do_close},
};

/* Takes "key=value" apart; other words are positional, and "-" is absent. */
static void add_word(call *c, char *word)
{
    char *equals = strchr(word, '=');
    const char *blank = strchr(word, ' ');
    if (!equals || c->n_named == 8 || equals - word > 12 || (blank && blank < equals)) {
        if (c->n < 12)
            c->arg[c->n++] = strcmp(word, "-") == 0 ? (jab_str){NULL, 0} : jab_cstr(word);
        return;
    }
    snprintf(c->named[c->n_named][0], 128, "%.*s", (int)(equals - word), word);
    snprintf(c->named[c->n_named][1], 128, "%s", equals + 1);
    if (strcmp(c->named[c->n_named][0], "tag") == 0)
        c->tag = strtoull(equals + 1, NULL, 10);
    c->n_named++;
}

/* "name arguments => JAB_ERROR"; without an arrow the call must succeed. */
void play_call(play *p, char *what)
{
    char *words[24];
    const char *wanted = "JAB_OK";
    char *arrow = strstr(what, " => ");
    if (arrow) {
        *arrow = '\0';
        wanted = arrow + 4;
    }
    size_t n = split_words(what, words, 24);
    call c = {.p = p, .s = p->s};
    for (size_t i = 1; i < n; i++)
        add_word(&c, words[i]);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (n == 0 || strcmp(calls[i].name, words[0]) != 0)
            continue;
        int r = calls[i].fn(&c);
        if (strcmp(jab_errname(r), wanted) != 0)
            play_fail(p, "%s returned %s", words[0], jab_errname(r));
        return;
    }
    play_fail(p, "no such call: %s", n ? words[0] : "");
}
