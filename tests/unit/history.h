/* history.h: an account with a store and a server played by hand, for tests of
 * the history: its archive, and what was told and kept of it. */
#ifndef HISTORY_TEST_H
#define HISTORY_TEST_H

#include "peer.h"

#define HISTORY_SM                                                                                 \
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"                            \
    "<sm xmlns='urn:xmpp:sm:3'/></stream:features>"
#define OWN   "juliet@example.org"
#define ROMEO "romeo@example.net"

#define FROM_ROMEO "from='" ROMEO "/orchard' to='" OWN "' type='chat'"
#define SID(id)    "<stanza-id xmlns='urn:xmpp:sid:0' by='" OWN "' id='" id "'/>"
#define TEXT(t)    "<body>" t "</body>"

typedef struct account {
    peer e;
    jab_store *store;
    jab_config cfg;
    int64_t wall;
    char told[8192]; /* bodies of the messages told since told_clear(): "one two " */
    char synced[256];
    int n_synced;
    jab_synced last;
    char condition[64];
    char iq[64], query[64]; /* ids of the last archive question */
} account;

static inline int64_t account_wall(void *arg)
{
    return ((account *)arg)->wall;
}

static inline void account_init(account *a)
{
    memset(a, 0, sizeof *a);
    unit_mem_init(&a->e.mem, 0);
    assert_int_equal(jab_store_memory(&a->store, NULL), 0);
    a->wall = 1700000000000;
    a->cfg = peer_config(&a->e);
    a->cfg.store = a->store;
    a->cfg.wall = account_wall;
    a->cfg.wall_arg = a;
}

/* Pulls events and ticks, until nothing is left to be done now. */
static inline void account_pull(account *a)
{
    for (int i = 0; i < 5000; i++) {
        const jab_event *ev = jab_session_next(a->e.s);
        if (ev && ev->type == JAB_EV_MESSAGE) {
            size_t n = strlen(a->told);
            snprintf(a->told + n, sizeof a->told - n, JAB_FMT " ", JAB_ARG(ev->message->body));
        }
        if (ev && ev->type == JAB_EV_SYNCED) {
            a->last = *(const jab_synced *)ev->data;
            a->n_synced++;
            snprintf(a->condition, sizeof a->condition, JAB_FMT,
                     JAB_ARG(a->last.refusal.condition));
            snprintf(a->synced, sizeof a->synced, JAB_FMT, JAB_ARG(a->last.archive));
        }
        if (ev)
            continue;
        if (jab_session_deadline(a->e.s) > a->e.now + 2)
            break;
        a->e.now += 1;
        jab_session_tick(a->e.s, a->e.now);
    }
    peer_collect(&a->e);
}

static inline void account_says(account *a, const char *text)
{
    size_t n = strlen(text);
    for (int i = 0; n > 0 && i < 5000; i++) {
        ptrdiff_t taken = jab_session_feed(a->e.s, text, n, a->e.now);
        if (taken < 0)
            break;
        text += taken;
        n -= (size_t)taken;
        account_pull(a);
    }
    account_pull(a);
}

static inline void told_clear(account *a)
{
    a->told[0] = '\0';
}

/* What was sent behind the last `mark`, up to a quote. */
static inline int account_find(account *a, const char *mark, char *out, size_t size)
{
    const char *at = NULL;
    peer_collect(&a->e);
    for (const char *p = a->e.sent; (p = strstr(p, mark)); p++)
        at = p + strlen(mark);
    if (!at)
        return 0;
    snprintf(out, size, "%.*s", (int)strcspn(at, "'\""), at);
    return 1;
}

/* Whether an archive is asked; its ids are taken, and what was sent forgotten. */
static inline int account_asked(account *a)
{
    account_pull(a);
    const char *at = NULL;
    for (const char *p = a->e.sent; (p = strstr(p, "<query xmlns='urn:xmpp:mam:2'")); p++)
        at = p;
    if (!at)
        return 0;
    const char *iq = at;
    while (iq > a->e.sent && strncmp(iq, " id='", 5) != 0)
        iq--;
    snprintf(a->iq, sizeof a->iq, "%.*s", (int)strcspn(iq + 5, "'"), iq + 5);
    const char *q = strstr(at, "queryid='") + 9;
    snprintf(a->query, sizeof a->query, "%.*s", (int)strcspn(q, "'"), q);
    return 1;
}

static inline void account_forget(account *a)
{
    peer_clear(&a->e);
}

static inline void history_stamp(char out[JAB_DATETIME_SIZE], int64_t ms)
{
    assert_true(jab_datetime_format(ms, out) >= 0);
}

/* A page's message: `inner` are the attributes and content of the message. */
static inline void say_result(account *a, const char *from, const char *id, int64_t ms,
                              const char *attributes, const char *content)
{
    char text[2048], when[JAB_DATETIME_SIZE];
    history_stamp(when, ms);
    snprintf(text, sizeof text,
             "<message from='%s'><result xmlns='urn:xmpp:mam:2' queryid='%s' id='%s'>"
             "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='%s'/>"
             "<message xmlns='jabber:client' %s>%s</message></forwarded></result></message>",
             from, a->query, id, when, attributes, content);
    account_says(a, text);
}

static inline void say_fin(account *a, const char *from, int complete, const char *first,
                           const char *last)
{
    char text[1024];
    snprintf(text, sizeof text,
             "<iq type='result' from='%s' id='%s'><fin xmlns='urn:xmpp:mam:2'%s>"
             "<set xmlns='http://jabber.org/protocol/rsm'>%s%s%s%s%s%s</set></fin></iq>",
             from, a->iq, complete ? " complete='true'" : "", first ? "<first>" : "",
             first ? first : "", first ? "</first>" : "", last ? "<last>" : "", last ? last : "",
             last ? "</last>" : "");
    account_forget(a);
    account_says(a, text);
}

static inline void say_refusal(account *a, const char *from, const char *condition)
{
    char text[512];
    snprintf(text, sizeof text,
             "<iq type='error' from='%s' id='%s'><error type='cancel'>"
             "<%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
             from, a->iq, condition);
    account_forget(a);
    account_says(a, text);
}

static inline void account_new(account *a)
{
    assert_int_equal(peer_new(&a->e, &a->cfg), 0);
}

static inline void account_log_in(account *a)
{
    peer *e = &a->e;
    assert_int_equal(jab_session_connected(e->s, NULL, e->now), 0);
    assert_true(peer_says(e, PEER_HEADER PEER_PLAIN) >= 0 && peer_says(e, PEER_SUCCESS) >= 0);
    peer_clear(e);
    assert_true(peer_says(e, PEER_HEADER PEER_BIND) >= 0);
    char id[64], reply[512];
    assert_true(account_find(a, " id='", id, sizeof id));
    snprintf(reply, sizeof reply,
             "<iq type='result' id='%s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
             "<jid>" OWN "/balcony</jid></bind></iq>",
             id);
    account_forget(a);
    account_says(a, reply);
    assert_true(jab_session_online(e->s));
}

/* The first question to an archive that was never read. */
static inline void account_look(account *a)
{
    assert_int_equal(jab_history_catch_up(a->e.s), 0);
    assert_true(account_asked(a));
}

/* An account whose archive was empty at its first log-in. */
static inline void account_begin(account *a)
{
    account_init(a);
    account_new(a);
    account_log_in(a);
    account_look(a);
    say_fin(a, OWN, 1, NULL, NULL);
}

/* A message that comes now, five seconds after the one before. */
static inline void account_live(account *a, const char *attributes, const char *content)
{
    char text[2048];
    a->wall += 5000;
    snprintf(text, sizeof text, "<message %s>%s</message>", attributes, content);
    account_says(a, text);
}

typedef struct history_listing {
    char text[16384];
    int64_t last_rank;
} history_listing;

static inline int history_list_row(void *arg, const jab_kept_message *m)
{
    history_listing *l = (history_listing *)arg;
    size_t n = strlen(l->text);
    assert_true(m->rank > l->last_rank || m->rank == JAB_RANK_PENDING);
    l->last_rank = m->rank;
    snprintf(l->text + n, sizeof l->text - n, JAB_FMT "%s" JAB_FMT " ", JAB_ARG(m->body),
             m->archive_id.p ? "@" : "", JAB_ARG(m->archive_id));
    return 0;
}

/* The bodies kept of a conversation in the order of their ranks, each with "@"
 * and its id in the archive. */
static inline const char *account_kept(account *a, const char *conversation)
{
    static history_listing l;
    l.text[0] = '\0';
    l.last_rank = 0;
    assert_true(jab_store_read(a->store,
                               JAB_KEPT_QUERY(.conversation = jab_cstr(conversation), .forwards = 1,
                                              .limit = 2000),
                               history_list_row, &l) >= 0);
    return l.text;
}

static inline void account_free(account *a)
{
    jab_session_free(a->e.s);
    assert_int_equal(a->e.mem.live, 0);
    jab_store_free(a->store);
}

#endif
