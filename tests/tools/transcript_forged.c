/*
 * transcript_forged.c: walks the routes of all built-in extensions and gives
 * each that is not open to everyone its payload from senders who may not send
 * it. Nothing may come of it: no answer, no event, no change of state. The
 * same payload from who may send it must have an effect, so that the test
 * would notice when it proves nothing.
 */
#include "transcript.h"

#include "session/session.h"

#define OWN  "alice@example.org"
#define ROOM "room@muc.example.org"

/* What each guarded route takes, and from whom. {q} is the open archive query. */
static const struct {
    const char *ext;
    jab_kind kind;
    const char *name; /* of the payload; NULL: the whole stanza */
    const char *stanza_type;
    const char *payload;
    const char *honest;
} payloads[] = {
    {"roster", JAB_IQ, "query", "set",
     "<query xmlns='jabber:iq:roster'><item jid='eve@evil.example' subscription='both'/></query>",
     OWN},
    {"carbons", JAB_MESSAGE, "sent", "chat",
     "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
     "<message xmlns='jabber:client' from='" OWN "/a' to='bob@example.org'><body>x</body></message>"
     "</forwarded></sent>",
     OWN},
    {"carbons", JAB_MESSAGE, "received", "chat",
     "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
     "<message xmlns='jabber:client' from='bob@example.org/b' to='" OWN "'><body>x</body></message>"
     "</forwarded></received>",
     OWN},
    {"mam", JAB_MESSAGE, "result", NULL,
     "<result xmlns='urn:xmpp:mam:2' queryid='{q}' id='1'><forwarded xmlns='urn:xmpp:forward:0'>"
     "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>"
     "<message xmlns='jabber:client' from='bob@example.org/b' to='" OWN "'><body>x</body></message>"
     "</forwarded></result>",
     OWN},
    {"muc", JAB_PRESENCE, NULL, NULL,
     "<x xmlns='http://jabber.org/protocol/muc#user'>"
     "<item affiliation='owner' role='moderator'/></x>",
     ROOM "/thirdwitch"},
    {"muc", JAB_MESSAGE, "subject", "groupchat", "<subject>Fire burn</subject>",
     ROOM "/thirdwitch"},
};

/* Whom a server would pass on, in ways that look like the right sender. */
static const char *const strangers[] = {
    "mallory@evil.example/x",
    "mallory@evil.example",
    "example.org",
    OWN "/other",
    OWN ".evil.example",
    "alice@example.org.evil.example/phone",
    ROOM "/thirdwitch",
    ROOM,
    "other@muc.example.org/thirdwitch",
    "muc.example.org",
    "bob@example.org/b",
    OWN,
};

static const char *kind_name(jab_kind kind)
{
    return kind == JAB_IQ ? "iq" : kind == JAB_PRESENCE ? "presence" : "message";
}

static const char *query_id(const play *p)
{
    for (size_t i = 0; i < p->n_captures; i++)
        if (strcmp(p->captures[i].name, "q") == 0)
            return p->captures[i].value;
    return "";
}

static void feed_payload(play *p, size_t i, const char *from)
{
    text t = {NULL, 0, 0};
    const char *mark = strstr(payloads[i].payload, "{q}");
    text_printf(&t, "<%s id='forged' from='%s' to='%s/phone'", kind_name(payloads[i].kind), from,
                OWN);
    if (payloads[i].stanza_type)
        text_printf(&t, " type='%s'", payloads[i].stanza_type);
    if (mark)
        text_printf(&t, ">%.*s%s%s", (int)(mark - payloads[i].payload), payloads[i].payload,
                    query_id(p), mark + 3);
    else
        text_printf(&t, ">%s", payloads[i].payload);
    text_printf(&t, "</%s>", kind_name(payloads[i].kind));
    play_feed(p, t.p, t.n);
    text_free(&t);
}

/* An observed stanza goes on to those who take it from everyone. */
static int is_everybodys(const text *event)
{
    return strncmp(event->p, "MESSAGE\n", 8) == 0 || strncmp(event->p, "PRESENCE\n", 9) == 0;
}

static int had_effect(const play *p, const jab_route *route, const jab_ext_ctx *x,
                      const unsigned char *before)
{
    int effect = memcmp(before, x->state, x->ext->state_size) != 0 || p->sent.n > 0;
    for (size_t i = 0; i < p->n_events && !effect; i++)
        effect = route->stage != JAB_STAGE_OBSERVE || !is_everybodys(&p->events[i]);
    return effect;
}

/* A session in a room, with copies on and a query open; 1 when it got there. */
static int set_up(play *p, const char *dir)
{
    memset(p, 0, sizeof *p);
    return play_load(p, dir, "forged.inc") == 0 && play_run(p);
}

static int try_sender(play *p, const char *dir, size_t payload, const jab_route *route,
                      const jab_ext *ext, const char *from)
{
    if (!set_up(p, dir))
        return -1;
    jab_ext_ctx *x = jab_ext_find(p->s, ext);
    unsigned char *before = malloc(ext->state_size + 1);
    if (!before)
        abort();
    memcpy(before, x->state, ext->state_size);
    play_drop(p);
    feed_payload(p, payload, from);
    int effect = had_effect(p, route, x, before);
    free(before);
    return effect;
}

static size_t find_payload(const jab_ext *ext, const jab_route *route)
{
    const size_t n = sizeof payloads / sizeof payloads[0];
    for (size_t i = 0; i < n; i++) {
        int same_name = payloads[i].name && route->name ? strcmp(payloads[i].name, route->name) == 0
                                                        : !payloads[i].name && !route->name;
        if (strcmp(payloads[i].ext, ext->name) == 0 && payloads[i].kind == route->kind && same_name)
            return i;
    }
    return n;
}

static int may_send(size_t payload, const jab_route *route, const char *from)
{
    if (route->from == JAB_FROM_ROOM)
        return strncmp(from, ROOM, sizeof ROOM - 1) == 0;
    return strcmp(from, payloads[payload].honest) == 0;
}

/* One sender on a fresh session. Returns what try_sender() does; `why` is told
 * of what must not be. */
static int try_fresh(play *p, const char *dir, size_t payload, const jab_route *route,
                     const jab_ext *ext, const char *from)
{
    int effect = try_sender(p, dir, payload, route, ext, from);
    play_free(p);
    play_unload(p);
    return effect;
}

static int check_route(play *p, const char *dir, const jab_ext *ext, const jab_route *route,
                       char why[256])
{
    size_t payload = find_payload(ext, route);
    if (payload == sizeof payloads / sizeof payloads[0]) {
        snprintf(why, 256, "there is no payload for this route in transcript_forged.c");
        return 0;
    }
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        if (may_send(payload, route, strangers[i]))
            continue;
        int effect = try_fresh(p, dir, payload, route, ext, strangers[i]);
        if (effect != 0) {
            snprintf(why, 256, "from %s: %.200s", strangers[i],
                     effect < 0 ? p->why : "it had an effect");
            return 0;
        }
    }
    int effect = try_fresh(p, dir, payload, route, ext, payloads[payload].honest);
    snprintf(why, 256, "from %s: %.200s", payloads[payload].honest,
             effect < 0 ? p->why : "it had no effect, so the test proves nothing");
    return effect == 1;
}

void forged_senders(const char *dir)
{
    size_t n_exts;
    const jab_ext *const *exts = jabi_ext_builtin(&n_exts);
    play *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    for (size_t i = 0; i < n_exts; i++) {
        for (size_t r = 0; r < exts[i]->n_routes; r++) {
            const jab_route *route = &exts[i]->routes[r];
            char name[128], why[256];
            if (route->from == JAB_FROM_ANY)
                continue;
            snprintf(name, sizeof name, "forged senders of %s %s", exts[i]->name,
                     route->name ? route->name : "(any)");
            result(check_route(p, dir, exts[i], route, why), name, "", why);
        }
    }
    free(p);
}
