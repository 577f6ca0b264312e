/* doctor_login.c: what there is for an account once it is logged in: of the stream, the
 * account, the server and its services. */
#include "doctor.h"

#include <jabiru/disco.h>
#include <jabiru/ext.h>
#include <jabiru/ping.h>
#include <jabiru/sm.h>
#include <stdlib.h>

#define ANSWER_MS 6000 /* for all answers together */
#define ITEMS_MAX 32   /* services that are asked */
#define SLOW_MS   500
#define NS_UPLOAD "urn:xmpp:http:upload:0"
#define NS_DATA   "jabber:x:data"

/* Does nothing: who is loaded may ask for the features of the stream. */
const jab_ext doctor_ext = {.size = sizeof(jab_ext), .name = "doctor"};

/* Who is to have it. */
enum { OWN = 1 << 0, SERVICE = 1 << 1 }; /* the account or its server; what the server lists */

/* What is looked for: a feature, or an identity; the first row of a check that is found counts. */
static const struct row {
    const char *check;
    int where;
    const char *feature;
    const char *category, *type; /* with it, when not NULL */
    const char *spec, *words, *without;
} rows[] = {
    {"archive", OWN, "urn:xmpp:mam:2#extended", NULL, NULL, "XEP-0313",
     "messages are kept, and found from both ends", NULL},
    {"archive", OWN, "urn:xmpp:mam:2", NULL, NULL, "XEP-0313", "messages are kept",
     "what comes while nobody is there may be missed"},
    {"carbons", OWN, "urn:xmpp:carbons:2", NULL, NULL, "XEP-0280", "all clients see a conversation",
     "clients do not see what others of the account sent and got"},
    {"blocking", OWN, "urn:xmpp:blocking", NULL, NULL, "XEP-0191", "contacts can be blocked",
     "nobody can be blocked"},
    {"push", OWN, "urn:xmpp:push:0", NULL, NULL, "XEP-0357", "phones can be woken",
     "phones are not woken"},
    {"pep", OWN, "http://jabber.org/protocol/pubsub#publish-options", "pubsub", "pep", "XEP-0163",
     "the account can publish, and say who may read", NULL},
    {"pep", OWN, NULL, "pubsub", "pep", "XEP-0163", "the account can publish",
     "no avatars, no bookmarks that all clients see, no keys for encryption"},
    {"bookmarks", OWN, "urn:xmpp:bookmarks:1#compat", NULL, NULL, "XEP-0402",
     "old and new clients see the same rooms", NULL},
    {"bookmarks", OWN, "urn:xmpp:bookmarks:1#compat-pep", NULL, NULL, "XEP-0402",
     "old and new clients see the same rooms", "old and new clients see different rooms"},
    {"upload", SERVICE | OWN, NS_UPLOAD, NULL, NULL, "XEP-0363", "files can be sent",
     "files cannot be sent"},
    {"rooms", SERVICE, "http://jabber.org/protocol/muc", "conference", NULL, "XEP-0045",
     "there are rooms", "the server has no rooms of its own"},
};
#define ROWS (sizeof rows / sizeof rows[0])

/* What the answers said. */
struct gathered {
    doctor *d;
    uint64_t own[2], items, ping; /* tags */
    struct {
        uint64_t tag;
        char *jid;
    } services[ITEMS_MAX];
    size_t n_services;
    int asked, answered;
    int own_answers;   /* of the account and its server */
    char *found[ROWS]; /* who has it; NULL: nobody */
    int64_t upload_max;
    int64_t ping_began, ping_ms; /* -1: no answer */
};

/* -- Asking ------------------------------------------------------------------------------- */

static int ask(struct gathered *g, jab_str jid, int items, uint64_t *tag)
{
    jab_session *s = cli_session(g->d->c);
    jab_str none = {NULL, 0};
    *tag = cli_tag(g->d->c);
    int err = items ? jab_disco_items(s, jid, none, *tag) : jab_disco_info(s, jid, none, *tag);
    g->asked += err == 0;
    return err;
}

static void ask_services(struct gathered *g, const jab_disco_items_reply *reply)
{
    for (size_t i = 0; i < reply->n_items && g->n_services < ITEMS_MAX; i++) {
        if (ask(g, reply->items[i].jid, 0, &g->services[g->n_services].tag) == 0)
            g->services[g->n_services++].jid = app_copy(reply->items[i].jid);
    }
}

/* -- Answers ------------------------------------------------------------------------------ */

/* XEP-0363 §4: the largest file, in a form beside the features; 0: not told. */
static int64_t largest_file(const jab_xml *query)
{
    for (const jab_xml *form = jab_xml_child(query, NS_DATA, "x"); form;
         form = jab_xml_next_named(form, NS_DATA, "x"))
        for (const jab_xml *field = jab_xml_child(form, NS_DATA, "field"); field;
             field = jab_xml_next_named(field, NS_DATA, "field")) {
            jab_str value = jab_xml_text(jab_xml_child(field, NS_DATA, "value"));
            char digits[20] = "";
            if (!jab_str_is(jab_xml_attr(field, "var"), "max-file-size") || value.n > 18)
                continue;
            memcpy(digits, value.p, value.n);
            char *end;
            int64_t size = strtoll(digits, &end, 10);
            return *end == '\0' && size > 0 ? size : 0;
        }
    return 0;
}

static int fits(const struct row *row, const jab_disco_info_reply *info)
{
    return (!row->feature || jab_disco_has(info, row->feature)) &&
           (!row->category || jab_disco_is(info, row->category, row->type));
}

static void note_info(struct gathered *g, int where, jab_str jid, const jab_disco_info_reply *info)
{
    for (size_t i = 0; i < ROWS && !info->error; i++) {
        if (!(rows[i].where & where) || g->found[i] || !fits(&rows[i], info))
            continue;
        g->found[i] = app_copy(jid);
        if (rows[i].feature && strcmp(rows[i].feature, NS_UPLOAD) == 0)
            g->upload_max = largest_file(info->query);
    }
}

/* Who refuses has answered; what came to no answer is not known. */
static int is_answer(struct gathered *g, int error)
{
    int there = error == 0 || error == JAB_ESTANZA;
    g->answered += there;
    return there;
}

static void take_info(struct gathered *g, const jab_event *ev)
{
    const jab_disco_info_reply *info = ev->data;
    if (!is_answer(g, info->error))
        return;
    if (ev->tag == g->own[0] || ev->tag == g->own[1]) {
        g->own_answers++;
        note_info(g, OWN, g->d->c->jid.domain, info);
    }
    for (size_t i = 0; i < g->n_services; i++)
        if (ev->tag == g->services[i].tag)
            note_info(g, SERVICE, jab_cstr(g->services[i].jid), info);
}

static void take(struct gathered *g, const jab_event *ev)
{
    const jab_disco_items_reply *items = ev->data;
    const jab_pong *pong = ev->data;
    if (ev->type == JAB_EV_DISCO_INFO)
        take_info(g, ev);
    if (ev->type == JAB_EV_DISCO_ITEMS && ev->tag == g->items && is_answer(g, items->error))
        ask_services(g, items);
    if (ev->type == JAB_EV_PONG && ev->tag == g->ping && is_answer(g, pong->error))
        g->ping_ms = app_now() - g->ping_began;
}

/* All is asked at once; a service that does not answer costs its time once. */
static int gather(struct gathered *g)
{
    cli *c = g->d->c;
    const jab_event *ev;
    int64_t until = app_now() + ANSWER_MS;
    g->ping = cli_tag(c);
    g->ping_began = app_now();
    g->ping_ms = -1;
    int err = jab_ping(cli_session(c), (jab_str){0}, g->ping);
    g->asked += err == 0;
    if (err == 0)
        err = ask(g, c->jid.bare, 0, &g->own[0]);
    if (err == 0)
        err = ask(g, c->jid.domain, 0, &g->own[1]);
    if (err == 0)
        err = ask(g, c->jid.domain, 1, &g->items);
    if (err < 0)
        return app_say_error("doctor", err);
    while (g->answered < g->asked) {
        cli_what what = cli_wait(c, &ev, NULL, until);
        if (what == CLI_ENDED)
            return c->status;
        if (what == CLI_EVENT)
            take(g, ev);
        else if (app_now() >= until)
            break;
    }
    return APP_OK;
}

/* -- Lines -------------------------------------------------------------------------------- */

/* Whether somebody who might have it did not say. */
static int is_unknown(const struct gathered *g, const struct row *row)
{
    return (row->where & OWN && g->own_answers < 2) ||
           (row->where & SERVICE && g->answered < g->asked);
}

static void say_row(const struct gathered *g, const struct row *row, const char *jid)
{
    doctor_line line = {.check = row->check, .facts = json_object()};
    app_text next = {0};
    app_set_text(line.facts, "spec", jab_cstr(row->spec));
    app_set_text(line.facts, "jid", jab_cstr(jid));
    int unknown = !jid && is_unknown(g, row);
    app_text_z(&line.text, unknown ? "not known: not all have answered"
                           : jid   ? row->words
                                   : row->without);
    if (jid && row->where & SERVICE)
        app_text_fmt(&line.text, " at %s", jid);
    if (jid && strcmp(row->check, "upload") == 0 && g->upload_max > 0) {
        app_text_fmt(&line.text, ", up to %.4g MiB", (double)g->upload_max / 1048576);
        app_set_int(line.facts, "bytes", g->upload_max);
    }
    if (unknown) {
        doctor_worse(&line, DOCTOR_NOTE, "try again");
    } else if (!jid) {
        app_text_fmt(&next, "ask the server's operator for %s", row->spec);
        doctor_worse(&line, DOCTOR_NOTE, next.p);
    }
    doctor_print(g->d, &line);
    app_text_free(&next);
}

/* One line for each check: the first row that is found, else the last, which has the words. */
static void say_rows(const struct gathered *g)
{
    for (size_t i = 0; i < ROWS; i++) {
        int is_last = i + 1 == ROWS || strcmp(rows[i].check, rows[i + 1].check) != 0;
        if (!g->found[i] && !is_last)
            continue;
        say_row(g, &rows[i], g->found[i]);
        while (i + 1 < ROWS && strcmp(rows[i].check, rows[i + 1].check) == 0)
            i++;
    }
}

static void say_latency(const struct gathered *g)
{
    doctor_line line = {.check = "latency", .facts = json_object()};
    if (g->ping_ms < 0) {
        app_text_z(&line.text, "no answer to a ping");
        doctor_worse(&line, DOCTOR_NOTE, "try again; the server may be overloaded");
    } else {
        app_text_fmt(&line.text, "%lld ms", (long long)g->ping_ms);
        app_set_int(line.facts, "ms", g->ping_ms);
        if (g->ping_ms > SLOW_MS)
            doctor_worse(&line, DOCTOR_NOTE, "the way there is long, or the server is busy");
    }
    if (g->answered < g->asked) {
        app_text_fmt(&line.text, "; %d of %d questions were not answered in time",
                     g->asked - g->answered, g->asked);
        doctor_worse(&line, DOCTOR_NOTE, "see which service hangs: jabiru disco --tree DOMAIN");
    }
    doctor_print(g->d, &line);
}

static void put_word(app_text *text, int there, const char *word)
{
    app_text_fmt(text, "%s%s%s", text->n ? ", " : "", there ? "" : "no ", word);
}

static void say_session(doctor *d)
{
    cli *c = d->c;
    doctor_line line = {.check = "session", .facts = json_object()};
    jab_ext_ctx *x = jab_ext_find(cli_session(c), &doctor_ext);
    int sm = jab_sm_active(cli_session(c)) || jab_ext_stream_feature(x, "urn:xmpp:sm:3", "sm");
    int versions = jab_ext_stream_feature(x, "urn:xmpp:features:rosterver", "ver");
    int csi = jab_ext_stream_feature(x, "urn:xmpp:csi:0", "csi");
    put_word(&line.text, sm, "stream management");
    put_word(&line.text, versions, "roster versions");
    put_word(&line.text, csi, "client state");
    json_object_set_new(line.facts, "stream_management", json_boolean(sm));
    json_object_set_new(line.facts, "roster_versions", json_boolean(versions));
    json_object_set_new(line.facts, "client_state", json_boolean(csi));
    if (!sm)
        doctor_worse(&line, DOCTOR_NOTE,
                     "without XEP-0198 a message may be lost when a connection breaks");
    doctor_print(d, &line);
}

static void say_login(doctor *d, int64_t took)
{
    cli *c = d->c;
    jab_login_info login = jab_session_login(cli_session(c));
    doctor_line line = {.check = "login", .facts = json_object()};
    app_text_fmt(&line.text, JAB_FMT ", " JAB_FMT, JAB_ARG(jab_session_jid(cli_session(c))->full),
                 JAB_ARG(login.mechanism));
    if (login.channel_binding.n)
        app_text_fmt(&line.text, " (" JAB_FMT ")", JAB_ARG(login.channel_binding));
    app_text_fmt(&line.text, "%s%s%s, %lld ms", login.sasl2 ? ", SASL2" : "",
                 login.bind2 ? ", Bind 2" : "", login.token ? ", token" : "", (long long)took);
    app_set_text(line.facts, "jid", jab_session_jid(cli_session(c))->full);
    app_set_text(line.facts, "mechanism", login.mechanism);
    app_set_text(line.facts, "channel_binding", login.channel_binding);
    app_set_int(line.facts, "ms", took);
    doctor_print(d, &line);
}

/* -- The log-in --------------------------------------------------------------------------- */

static int say_fault(cli *c, const jab_fault *fault)
{
    doctor *d = c->run;
    doctor_line line = {.check = c->was_online ? "session" : "login",
                        .code = fault->code,
                        .next = app_fault_step(fault),
                        .state = DOCTOR_BAD};
    app_text_add(&line.text, fault->text.n ? fault->text : jab_cstr(jab_strerror(fault->code)));
    doctor_print(d, &line);
    d->has_said = 1;
    return d->status;
}

/* Standard error has the details of what is no fault of a session. */
static void say_no_login(doctor *d, int status)
{
    int code = status == APP_TIMEOUT ? JAB_ETIMEOUT : status == APP_USAGE ? JAB_ENOSECRET : 0;
    doctor_line line = {.check = "login", .state = DOCTOR_BAD, .code = code};
    if (d->has_said || !code)
        return;
    line.next = code == JAB_ETIMEOUT ? "give it more time with --timeout SEC"
                                     : "give a password with --password-file FILE, or --no-login";
    app_text_z(&line.text, code == JAB_ETIMEOUT ? "not done in time" : "nothing to log in with");
    doctor_print(d, &line);
}

int doctor_login(doctor *d)
{
    static const jab_ext *const exts[] = {&doctor_ext, NULL};
    cli *c = d->c;
    struct gathered g = {.d = d};
    int64_t began = app_now();
    c->run = d;
    c->exts = exts;
    c->say_fault = say_fault;
    int status = cli_connect(c);
    if (status != APP_OK) {
        say_no_login(d, status);
        return status;
    }
    say_login(d, app_now() - began);
    status = gather(&g);
    if (status == APP_OK) {
        say_session(d);
        say_rows(&g);
        say_latency(&g);
    }
    for (size_t i = 0; i < ROWS; i++)
        free(g.found[i]);
    for (size_t i = 0; i < g.n_services; i++)
        free(g.services[i].jid);
    return status;
}
