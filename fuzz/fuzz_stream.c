/*
 * fuzz_stream.c: bytes from the server on a session that is logged in, with a
 * roster, copies, a room and an archive query open, so that every route of
 * every extension can be reached.
 *
 * Input: one byte that says how many bytes are fed at a time (0: all), then
 * what the server sends. In it "$0" to "$9" stand for the ids of the requests
 * that are then open, oldest first, "$q" for the id of the archive query.
 */
#include <jabiru/jabiru.h>
#include <stdio.h>
#include <stdlib.h>

#include "session/session.h"

#define HEADER                                                                                     \
    "<stream:stream from='example.org' id='s' version='1.0' xmlns='jabber:client' "                \
    "xmlns:stream='http://etherx.jabber.org/streams'>"
#define PLAIN                                                                                      \
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"                       \
    "<mechanism>PLAIN</mechanism></mechanisms></stream:features>"
#define SUCCESS "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
#define BIND                                                                                       \
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"                            \
    "<ver xmlns='urn:xmpp:features:rosterver'/></stream:features>"
#define OUTPUT_MAX 8192

typedef struct world {
    jab_session *s;
    unsigned random;
    char sent[OUTPUT_MAX]; /* the end of what the client sent */
    char query[64];
} world;

static int chance(void *arg, void *p, size_t n)
{
    world *w = arg;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = (unsigned char)(w->random++ * 73);
    return 0;
}

static int64_t wall(void *arg)
{
    (void)arg;
    return 1772366400000;
}

/* Pulls all events, touching what they point to, and takes the output. */
static void drain(world *w)
{
    const jab_event *ev;
    while ((ev = jab_session_next(w->s)) != NULL) {
        char text[256];
        if (ev->stanza)
            (void)jab_xml_print(jab_stanza_xml(ev->stanza), text, sizeof text);
        if (ev->type == JAB_EV_MESSAGE && jab_session_online(w->s)) {
            jab_out *o = jab_reply(w->s, ev->message);
            jab_out_body(o, JAB_STR("heard"));
            (void)jab_out_send(o, 0);
        }
    }
    for (jab_str out; (out = jab_session_out(w->s)).n > 0;) {
        size_t n = out.n < OUTPUT_MAX - 1 ? out.n : OUTPUT_MAX - 1;
        memcpy(w->sent, out.p + out.n - n, n);
        w->sent[n] = '\0';
        jab_session_out_done(w->s, out.n);
    }
}

static void feed(world *w, const char *p, size_t n)
{
    while (n > 0) {
        ptrdiff_t taken = jab_session_feed(w->s, p, n, 1000);
        drain(w);
        if (taken <= 0)
            return;
        p += taken;
        n -= (size_t)taken;
    }
}

static void say(world *w, const char *text)
{
    feed(w, text, strlen(text));
}

/* The value of an attribute in what was sent last. */
static void find_value(const world *w, const char *name, char value[64])
{
    const char *at = strstr(w->sent, name);
    size_t i = 0;
    for (; at && i < 63 && at[strlen(name) + i] && at[strlen(name) + i] != '\''; i++)
        value[i] = at[strlen(name) + i];
    value[i] = '\0';
}

static void log_in(world *w)
{
    const jab_tls_info tls = {.verified = 1, .version = 13};
    char id[64], reply[256];
    if (jab_session_connected(w->s, &tls, 0) < 0)
        abort();
    drain(w);
    say(w, HEADER PLAIN);
    say(w, SUCCESS);
    say(w, HEADER BIND);
    find_value(w, " id='", id);
    snprintf(reply, sizeof reply,
             "<iq type='result' id='%s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
             "<jid>alice@example.org/phone</jid></bind></iq>",
             id);
    say(w, reply);
    if (!jab_session_online(w->s))
        abort();
}

/* Opens these requests, in this order: $0 roster, $1 carbons, $2 archive, $3 disco
 * info, $4 disco items, $5 version, $6 time, $7 last, $8 ping, $9 any iq. */
static void open_everything(world *w)
{
    jab_session *s = w->s;
    const jab_str room = JAB_STR("room@muc.example.org"), bob = JAB_STR("bob@example.org/x");
    jab_out *o;
    (void)jab_roster_get(s, 1);
    (void)jab_carbons_enable(s, 2);
    drain(w);
    (void)jab_mam_ask(s, JAB_MAM_QUERY(.max = 5), 3);
    drain(w);
    find_value(w, "queryid='", w->query);
    (void)jab_disco_info(s, JAB_STR("example.org"), JAB_STR("n"), 4);
    (void)jab_disco_items(s, JAB_STR("example.org"), JAB_STR("n"), 5);
    (void)jab_version_query(s, bob, 6);
    (void)jab_time_query(s, bob, 7);
    (void)jab_last_query(s, bob, 8);
    (void)jab_ping(s, bob, 9);
    o = jab_iq_to(s, bob, JAB_IQ_GET);
    jab_out_child(o, "urn:x", "x");
    (void)jab_out_send(o, 10);
    (void)jab_set_presence(s, JAB_STR("here"));
    (void)jab_muc_join(s, room, JAB_STR("witch"), NULL, 11);
    drain(w);
}

/* Writes the value that "$c" stands for. Returns its length, 0 for none. */
static size_t value_of(const world *w, char c, char *out, size_t room)
{
    jab_str value = {NULL, 0};
    if (c == 'q')
        value = jab_cstr(w->query);
    else if (c >= '0' && c <= '9' && (size_t)(c - '0') < w->s->n_requests)
        value = w->s->requests[c - '0'].id;
    if (value.n > room)
        return 0;
    if (value.n)
        memcpy(out, value.p, value.n);
    return value.n;
}

static void feed_pieces(world *w, const char *p, size_t n, size_t piece)
{
    for (size_t at = 0; at < n; at += piece)
        feed(w, p + at, n - at < piece ? n - at : piece);
}

/* Feeds the input; what a "$" stands for is looked up when it is reached. */
static void play(world *w, const char *p, size_t n, size_t piece)
{
    size_t begin = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        char value[64];
        if (p[i] != '$')
            continue;
        feed_pieces(w, p + begin, i - begin, piece);
        size_t value_n = value_of(w, p[i + 1], value, sizeof value);
        feed_pieces(w, value, value_n, piece);
        begin = value_n ? i + 2 : i;
        i += value_n > 0;
    }
    feed_pieces(w, p + begin, n - begin, piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w = {.random = 1};
    jab_config cfg = {.size = sizeof cfg,
                      .jid = JAB_STR("alice@example.org/phone"),
                      .password = JAB_STR("secret"),
                      .mechanisms = JAB_STR("PLAIN"),
                      .random = chance,
                      .random_arg = &w,
                      .wall = wall,
                      .login = JAB_LOGIN_NO_PIPELINING,
                      .max_stanza_bytes = 65536};
    if (size < 1 || jab_session_new(&w.s, &cfg) < 0)
        return 0;
    log_in(&w);
    open_everything(&w);
    size_t piece = data[0] >= '0' && data[0] <= '9' ? (size_t)(data[0] - '0') : data[0];
    play(&w, (const char *)data + 1, size - 1, piece ? piece : size);
    jab_session_tick(w.s, 40000);
    drain(&w);
    jab_session_free(w.s);
    return 0;
}
