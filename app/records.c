/*
 * records.c: the kinds of records: what is in them (the schema), which of it
 * are the columns of a table, and how they look to a person.
 */
#include "output.h"

#include <stdlib.h>
#include <time.h>

#define COLUMNS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define FIELDS(...)  ((const app_field[]){__VA_ARGS__, {0}})

#define BOLD "\033[1m"
#define DIM  "\033[2m"
#define RED  "\033[31m"
#define OFF  "\033[0m"

/* Terminals show at most so many cells of a name before columns stop lining up. */
#define NAME_CELLS 20
#define JID_CELLS  28

static void put(app_out *o, jab_str text, app_form form)
{
    app_clean(&o->line, text, form);
}

static void put_at(app_out *o, const json_t *record, const char *path, app_form form)
{
    put(o, app_text_at(record, path), form);
}

static void style(app_out *o, const char *code)
{
    if (o->color)
        app_text_z(&o->line, code);
}

/* Code points, near enough to cells for lining up. */
static size_t cells(const char *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)p[i] & 0xc0) != 0x80;
    return count;
}

static void put_padded(app_out *o, jab_str text, size_t width)
{
    size_t begin = o->line.n;
    put(o, text, APP_LINE);
    size_t used = cells(o->line.p + begin, o->line.n - begin);
    for (; used < width; used++)
        app_text_char(&o->line, ' ');
    app_text_z(&o->line, "  ");
}

/* The record's stamp in the local time zone: 1, or 0 without one. */
static int local_stamp(const json_t *record, struct tm *local)
{
    jab_str stamp = app_text_at(record, "stamp");
    struct tm utc = {0};
    if (!stamp.p || !strptime(stamp.p, "%Y-%m-%dT%H:%M:%S", &utc))
        return 0;
    time_t then = timegm(&utc);
    localtime_r(&then, local);
    return 1;
}

static void put_date(app_out *o, const json_t *record)
{
    struct tm local;
    char text[32];
    if (!local_stamp(record, &local))
        return;
    strftime(text, sizeof text, "%Y-%m-%d %H:%M  ", &local);
    style(o, DIM);
    app_text_z(&o->line, text);
    style(o, OFF);
}

/* "14:03", or with the date when it is not today, from the record's stamp. */
static void put_clock(app_out *o, const json_t *record)
{
    struct tm local, today;
    char text[32];
    time_t now = time(NULL);
    if (!local_stamp(record, &local))
        return;
    localtime_r(&now, &today);
    int same_day = local.tm_yday == today.tm_yday && local.tm_year == today.tm_year;
    strftime(text, sizeof text, same_day ? "%H:%M " : "%Y-%m-%d %H:%M ", &local);
    style(o, DIM);
    app_text_z(&o->line, text);
    style(o, OFF);
}

static void end_line(app_out *o)
{
    app_text_char(&o->line, '\n');
}

static void put_error(app_out *o, const json_t *record)
{
    style(o, RED);
    app_text_z(&o->line, "not delivered: ");
    put_at(o, record, "error.condition", APP_LINE);
    style(o, OFF);
    app_text_char(&o->line, ' ');
}

/* Subject and body. */
static void put_content(app_out *o, const json_t *record)
{
    jab_str subject = app_text_at(record, "subject"), body = app_text_at(record, "body");
    if (app_at(record, "error"))
        put_error(o, record);
    if (subject.n) {
        app_text_char(&o->line, '[');
        put(o, subject, APP_LINE);
        app_text_z(&o->line, body.n ? "] " : "]");
    }
    put(o, body, APP_BLOCK);
}

/* Who speaks: an occupant by address and nick, anyone else by address. */
static void put_speaker(app_out *o, const json_t *record)
{
    int room = jab_str_is(app_text_at(record, "kind"), "groupchat");
    int own = jab_str_is(app_text_at(record, "carbon"), "sent");
    style(o, BOLD);
    put_at(o, record, room ? "from.full" : "from.bare", APP_LINE);
    style(o, OFF);
    if (own) {
        app_text_z(&o->line, " to ");
        put_at(o, record, "to.bare", APP_LINE);
    }
    app_text_char(&o->line, ':');
}

/* A line of a history: "2026-11-02 14:03  bob  the invoice is attached   #f3a1". */
static void put_past(app_out *o, const json_t *record)
{
    jab_str nick = app_text_at(record, "from.resource"), name = app_text_at(record, "from.local");
    jab_str state = app_text_at(record, "state"), key = app_text_at(record, "key");
    int in_room = json_is_true(app_at(record, "room"));
    put_date(o, record);
    style(o, BOLD);
    put(o, in_room && nick.n ? nick : name.n ? name : app_text_at(record, "from.bare"), APP_LINE);
    style(o, OFF);
    if (state.n && !in_room) {
        app_text_z(&o->line, " to ");
        put_at(o, record, app_text_at(record, "to.local").n ? "to.local" : "to.bare", APP_LINE);
    }
    app_text_z(&o->line, "  ");
    put_content(o, record);
    if (jab_str_is(state, "failed") || jab_str_is(state, "unknown") ||
        jab_str_is(state, "accepted"))
        app_text_fmt(&o->line, "   (%s)", jab_str_is(state, "accepted") ? "waits" : state.p);
    if (!key.n)
        key = app_text_at(record, "archive_id");
    style(o, DIM);
    app_text_z(&o->line, key.n ? "   #" : "");
    put(o, key, APP_LINE);
    style(o, OFF);
    end_line(o);
}

static void human_message(app_out *o, const json_t *record)
{
    if (o->past) {
        put_past(o, record);
        return;
    }

    put_clock(o, record);
    put_speaker(o, record);
    app_text_char(&o->line, ' ');
    put_content(o, record);
    end_line(o);
}

static void human_sent(app_out *o, const json_t *record)
{
    put_at(o, record, "state", APP_LINE);
    app_text_z(&o->line, ": message to ");
    put_at(o, record, "to", APP_LINE);
    end_line(o);
}

static void put_status(app_out *o, const json_t *record)
{
    jab_str status = app_text_at(record, "status");
    if (!status.n)
        return;
    app_text_z(&o->line, "  \"");
    put(o, status, APP_LINE);
    app_text_char(&o->line, '"');
}

static void human_presence(app_out *o, const json_t *record)
{
    int available = jab_str_is(app_text_at(record, "kind"), "available");
    put_clock(o, record);
    put_at(o, record, "from.full", APP_LINE);
    app_text_z(&o->line, " is ");
    put_at(o, record, available ? "show" : "kind", APP_LINE);
    app_text_z(&o->line, app_at(record, "error") ? " " : "");
    if (app_at(record, "error"))
        put_error(o, record);
    put_status(o, record);
    end_line(o);
}

static void human_contact(app_out *o, const json_t *record)
{
    int online = json_is_true(app_at(record, "online"));
    jab_str name = app_text_at(record, "name");
    app_text_z(&o->line, online ? "● " : "○ ");
    put_padded(o, name.n ? name : app_text_at(record, "jid"), NAME_CELLS);
    put_padded(o, app_text_at(record, "jid"), JID_CELLS);
    put_padded(o, app_text_at(record, "subscription"), 4);
    jab_str show = app_text_at(record, "show");
    if (online && !jab_str_is(show, "online"))
        put(o, show, APP_LINE);
    if (json_is_true(app_at(record, "asked")))
        app_text_z(&o->line, "asked");
    put_status(o, record);
    while (o->line.n && o->line.p[o->line.n - 1] == ' ')
        o->line.n--;
    end_line(o);
}

static void human_pong(app_out *o, const json_t *record)
{
    app_text_fmt(&o->line, "%lld ms from ", (long long)json_integer_value(app_at(record, "ms")));
    put_at(o, record, "from", APP_LINE);
    end_line(o);
}

static long long number_at(const json_t *record, const char *path)
{
    return (long long)json_integer_value(app_at(record, path));
}

static void human_ping_stats(app_out *o, const json_t *record)
{
    app_text_fmt(&o->line, "%lld sent, %lld received", number_at(record, "sent"),
                 number_at(record, "received"));
    if (number_at(record, "received") > 0)
        app_text_fmt(&o->line, ", min/avg/max %lld/%lld/%lld ms", number_at(record, "min"),
                     number_at(record, "avg"), number_at(record, "max"));
    end_line(o);
}

static void human_version(app_out *o, const json_t *record)
{
    jab_str os = app_text_at(record, "os");
    put_at(o, record, "name", APP_LINE);
    app_text_char(&o->line, ' ');
    put_at(o, record, "version", APP_LINE);
    if (os.n) {
        app_text_z(&o->line, " (");
        put(o, os, APP_LINE);
        app_text_char(&o->line, ')');
    }
    end_line(o);
}

static void put_depth(app_out *o, const json_t *record)
{
    for (long long depth = number_at(record, "depth"); depth > 0; depth--)
        app_text_z(&o->line, "  ");
}

static void human_identity(app_out *o, const json_t *record)
{
    put_depth(o, record);
    put_at(o, record, "category", APP_LINE);
    app_text_char(&o->line, '/');
    put_at(o, record, "kind", APP_LINE);
    app_text_z(&o->line, "  ");
    put_at(o, record, "name", APP_LINE);
    end_line(o);
}

static void human_feature(app_out *o, const json_t *record)
{
    put_depth(o, record);
    put_at(o, record, "var", APP_LINE);
    end_line(o);
}

static void human_item(app_out *o, const json_t *record)
{
    jab_str node = app_text_at(record, "node"), name = app_text_at(record, "name");
    put_depth(o, record);
    put_at(o, record, "jid", APP_LINE);
    if (node.n) {
        app_text_z(&o->line, "  #");
        put(o, node, APP_LINE);
    }
    if (name.n) {
        app_text_z(&o->line, "  ");
        put(o, name, APP_LINE);
    }
    end_line(o);
}

static void human_iq(app_out *o, const json_t *record)
{
    jab_str xml = app_text_at(record, "xml");
    while (xml.n > 0) {
        const char *end = memchr(xml.p, '\n', xml.n);
        size_t n = end ? (size_t)(end - xml.p) : xml.n;
        put(o, (jab_str){xml.p, n}, APP_LINE);
        end_line(o);
        n += end != NULL;
        xml.p += n;
        xml.n -= n;
    }
}

static void human_account(app_out *o, const json_t *record)
{
    app_text_z(&o->line, json_is_true(app_at(record, "default")) ? "* " : "  ");
    put_padded(o, app_text_at(record, "name"), NAME_CELLS);
    put_at(o, record, "jid", APP_LINE);
    end_line(o);
}

/* What the next log-ins may not fall below. */
static void put_floor(app_out *o, const json_t *record)
{
    jab_str mechanism = app_text_at(record, "mechanism"), tls = app_text_at(record, "tls");
    app_text_z(&o->line, "  not below   ");
    put(o, mechanism.n ? mechanism : JAB_STR("nothing was reached yet"), APP_LINE);
    if (json_is_true(app_at(record, "channel_binding")))
        app_text_z(&o->line, " with channel binding");
    if (json_is_true(app_at(record, "sasl2")))
        app_text_z(&o->line, ", SASL2");
    app_text_z(&o->line, tls.n ? ", TLS " : "");
    put(o, tls, APP_LINE);
    end_line(o);
}

static void human_account_info(app_out *o, const json_t *record)
{
    jab_str expires = app_text_at(record, "token_expires");
    put_at(o, record, "jid", APP_LINE);
    end_line(o);
    put_floor(o, record);
    app_text_z(&o->line, "  kept here   ");
    app_text_z(&o->line,
               json_is_true(app_at(record, "keys")) ? "keys in place of the password" : "no keys");
    app_text_z(&o->line, json_is_true(app_at(record, "token")) ? ", a token" : "");
    app_text_z(&o->line, expires.n ? " until " : "");
    put(o, expires, APP_LINE);
    end_line(o);
    if (!json_is_true(app_at(record, "in_use")))
        return;
    app_text_z(&o->line, "  in use by another jabiru");
    end_line(o);
}

static void human_login(app_out *o, const json_t *record)
{
    jab_str mechanism = app_text_at(record, "mechanism"), tls = app_text_at(record, "tls");
    app_text_z(&o->line, "✓ ");
    put_at(o, record, "jid", APP_LINE);
    app_text_z(&o->line, tls.n ? "  TLS " : "  no TLS");
    put(o, tls, APP_LINE);
    app_text_z(&o->line, "  ");
    put(o, mechanism, APP_LINE);
    if (json_is_true(app_at(record, "server_proved")))
        app_text_z(&o->line, " (the server proved itself)");
    app_text_fmt(&o->line, "  %lld ms", number_at(record, "ms"));
    end_line(o);
}

#define V_TYPE                                                                                     \
    {"v", "integer", "version of this schema, 1"},                                                 \
    {                                                                                              \
        "type", "string", "kind of record"                                                         \
    }

const app_record app_records[] = {
    {"message", "a message that arrived, or a copy of an own one",
     COLUMNS("stamp", "from.full", "kind", "body"), human_message,
     FIELDS(V_TYPE, {"from", "address", "who sent it; in a room, the occupant"},
            {"to", "address", "whom it was sent to"},
            {"kind", "string", "normal, chat, groupchat, headline or error"},
            {"id", "string", "the sender's id of it"}, {"subject", "string", "its subject"},
            {"body", "string", "its text"}, {"thread", "string", "id of the conversation"},
            {"lang", "string", "language of the text"},
            {"stamp", "time", "when it was sent, as far as known, else when it arrived"},
            {"delay", "delay", "it was stored on its way"},
            {"carbon", "string", "sent or received: a copy of what another client had"},
            {"history", "boolean", "true: from an archive, a room's history, or what is kept here"},
            {"key", "string", "names the message among those kept here, for history --before"},
            {"archive_id", "string", "its id in the server's archive"},
            {"state", "string",
             "of an own message: accepted, delivered, failed, unknown, received or displayed"},
            {"room", "boolean", "true: it came by a room that was joined"},
            {"error", "error", "why an own message came back, with kind error"})},
    {"sent", "what became of a message that was to be sent", COLUMNS("to", "id", "state"),
     human_sent,
     FIELDS(V_TYPE, {"to", "string", "the recipient"}, {"id", "string", "id of the message"},
            {"state", "string",
             "accepted: it is kept here until it is sent; delivered: the server took it; failed: "
             "it came back, or was not sent; unknown: it may have been taken, or not; received: "
             "a client of the recipient has it; sent: with --wait=none"},
            {"earlier", "boolean", "true: an earlier run was ended before it could tell"},
            {"error", "error", "why it failed"})},
    {"presence", "presence of a contact", COLUMNS("from.full", "kind", "show", "status"),
     human_presence,
     FIELDS(V_TYPE, {"from", "address", "whose presence"},
            {"kind", "string",
             "available, unavailable, subscribe, subscribed, unsubscribe, unsubscribed or error"},
            {"show", "string", "online, chat, away, xa or dnd; when available"},
            {"status", "string", "words of the contact"},
            {"priority", "integer", "of the resource, -128 to 127"},
            {"stamp", "time", "when it arrived"}, {"error", "error", "with kind error"})},
    {"contact", "an entry of the roster",
     COLUMNS("show", "name", "jid", "subscription", "status", "groups"), human_contact,
     FIELDS(V_TYPE, {"jid", "string", "bare address"}, {"name", "string", "name given to it"},
            {"subscription", "string", "none, to, from or both"},
            {"asked", "boolean", "true: a request to see its presence is open"},
            {"groups", "strings", "the groups it is in"},
            {"online", "boolean", "whether any client of it is there"},
            {"show", "string", "of its best client: online, chat, away, xa or dnd; else offline"},
            {"status", "string", "words of that client"})},
    {"pong", "an answer to a ping", COLUMNS("from", "ms"), human_pong,
     FIELDS(V_TYPE, {"from", "string", "who answered"}, {"seq", "integer", "number of the ping"},
            {"ms", "integer", "round trip in milliseconds"})},
    {"ping-stats", "the sum of several pings", COLUMNS("sent", "received", "min", "avg", "max"),
     human_ping_stats,
     FIELDS(V_TYPE, {"sent", "integer", "pings sent"}, {"received", "integer", "answers"},
            {"min", "integer", "quickest, ms"}, {"avg", "integer", "mean, ms"},
            {"max", "integer", "slowest, ms"})},
    {"version", "a program and its version", COLUMNS("name", "version", "os"), human_version,
     FIELDS(V_TYPE, {"jid", "string", "who runs it; absent for jabiru itself"},
            {"name", "string", "of the program"}, {"version", "string", "of the program"},
            {"os", "string", "the system, if told"})},
    {"identity", "what an entity is (XEP-0030)", COLUMNS("category", "kind", "name"),
     human_identity,
     FIELDS(V_TYPE, {"jid", "string", "the entity"}, {"category", "string", "such as conference"},
            {"kind", "string", "type within the category"}, {"name", "string", "its name"},
            {"lang", "string", "language of the name"}, {"depth", "integer", "with --tree"})},
    {"feature", "a feature of an entity (XEP-0030)", COLUMNS("var"), human_feature,
     FIELDS(V_TYPE, {"jid", "string", "the entity"}, {"var", "string", "name of the feature"},
            {"depth", "integer", "with --tree"})},
    {"item", "an item of an entity (XEP-0030)", COLUMNS("jid", "node", "name"), human_item,
     FIELDS(V_TYPE, {"jid", "string", "address of the item"}, {"node", "string", "its node"},
            {"name", "string", "its name"}, {"depth", "integer", "with --tree"})},
    {"iq", "the answer to a raw query", COLUMNS("xml"), human_iq,
     FIELDS(V_TYPE, {"from", "address", "who answered"}, {"id", "string", "of the query"},
            {"xml", "string", "the payload"})},
    {"account", "an account in the configuration", COLUMNS("name", "jid", "default"), human_account,
     FIELDS(V_TYPE, {"name", "string", "for --account"}, {"jid", "string", "its address"},
            {"default", "boolean", "true: used without --account"})},
    {"account-info", "what is known of an account's log-ins",
     COLUMNS("jid", "mechanism", "channel_binding", "sasl2", "tls", "keys", "token",
             "token_expires"),
     human_account_info,
     FIELDS(V_TYPE, {"name", "string", "for --account"}, {"jid", "string", "its address"},
            {"mechanism", "string", "what the next log-ins may not fall below"},
            {"channel_binding", "boolean", "true: with that"},
            {"sasl2", "boolean", "true: by XEP-0388"}, {"tls", "string", "version of TLS"},
            {"keys", "boolean", "true: there are keys in place of the password"},
            {"token", "boolean", "true: there is a token (XEP-0484)"},
            {"token_expires", "time", "of the token, when the server told it"},
            {"in_use", "boolean", "true: another jabiru has it now"})},
    {"login", "how a log-in went", COLUMNS("jid", "tls", "mechanism", "channel_binding", "ms"),
     human_login,
     FIELDS(V_TYPE, {"jid", "string", "full address"}, {"address", "string", "IP address and port"},
            {"by_proxy", "boolean", "true: that is the proxy's"},
            {"by_dane", "boolean", "true: DNSSEC vouched for the certificate (RFC 7671)"},
            {"tls", "string", "version of TLS"}, {"cipher", "string", "its cipher suite"},
            {"mechanism", "string", "SASL mechanism"},
            {"channel_binding", "string", "kind of channel binding"},
            {"compressed", "boolean", "true: XEP-0138"},
            {"server_proved", "boolean", "true: the server proved that it knows the password"},
            {"sasl2", "boolean", "true: by XEP-0388"},
            {"bind2", "boolean", "true: the resource was bound in the same step (XEP-0386)"},
            {"token", "boolean", "true: a token took the place of the password (XEP-0484)"},
            {"tls_resumed", "boolean", "true: an earlier TLS session went on"},
            {"ms", "integer", "from start to log-in"})},
    {"check", "what jabiru doctor found out about one thing",
     COLUMNS("state", "check", "text", "next"), app_human_check,
     FIELDS(V_TYPE,
            {"check", "string",
             "what was looked at: dns, tcp, tls, starttls, stream, sasl, binding, sasl2, fast, "
             "login, session, "
             "archive, carbons, blocking, push, pep, bookmarks, upload, rooms or latency"},
            {"state", "string", "ok; note: it works, but could be better; failed"},
            {"text", "string", "what was found"},
            {"next", "string", "what to do, where not all is well"},
            {"exit", "integer", "the exit status, on the line that decides it"},
            {"spec", "string", "the specification of what an account has or lacks"},
            {"jid", "string", "who has it; of login, the address"},
            {"bytes", "integer", "of upload: the largest file"},
            {"ms", "integer", "of login and latency"},
            {"mechanism", "string", "of login: SASL mechanism"},
            {"channel_binding", "string", "of login: kind of channel binding"},
            {"stream_management", "boolean", "of session: XEP-0198"},
            {"roster_versions", "boolean", "of session: RFC 6121 2.6"},
            {"client_state", "boolean", "of session: XEP-0352"})},
    {"srv", "an SRV record of a domain, from jabiru doctor",
     COLUMNS("service", "priority", "weight", "port", "host"), app_human_nothing,
     FIELDS(V_TYPE, {"service", "string", "_xmpps-client or _xmpp-client"},
            {"priority", "integer", "lower ones are tried first"},
            {"weight", "integer", "among equal priorities"}, {"port", "integer", "its port"},
            {"host", "string", "its host"})},
    {"endpoint", "an address of a server, from jabiru doctor",
     COLUMNS("address", "tcp", "tls", "fault"), app_human_nothing,
     FIELDS(V_TYPE, {"host", "string", "whose address"}, {"port", "integer", "its port"},
            {"direct_tls", "boolean", "true: TLS from the first byte"},
            {"address", "string", "IP address and port"}, {"family", "integer", "6 or 4"},
            {"tcp", "string", "connected, failed or untried"},
            {"tcp_error", "string", "why it failed"},
            {"tcp_ms", "integer", "until it was connected"},
            {"checked", "boolean", "true: TLS and stream were looked at"},
            {"tls", "string", "version: 1.2 or 1.3"}, {"cipher", "string", "its cipher suite"},
            {"alpn", "string", "the protocol agreed on"}, {"tls_ms", "integer", "the handshake"},
            {"bindings", "strings", "channel bindings that are possible"},
            {"issuer", "string", "of the certificate"},
            {"names", "string", "whom the certificate is for"},
            {"key_sha256", "string", "of its public key, for --pin"},
            {"not_before", "time", "when it begins"}, {"not_after", "time", "when it expires"},
            {"days_left", "integer", "until then; below 0: expired"},
            {"trusted", "boolean", "whether the chain verifies"},
            {"name_matches", "boolean", "whether it is for the domain"},
            {"dane", "boolean", "true: DNSSEC vouches for the key, whatever the authority is"},
            {"fault", "string", "why no client can log in there: JAB_ECERT, ..."},
            {"condition", "string", "of a stream error"}, {"text", "string", "the same in words"})},
    {"offer", "stream features before a log-in, from jabiru doctor",
     COLUMNS("address", "secured", "mechanisms"), app_human_nothing,
     FIELDS(V_TYPE, {"address", "string", "where"}, {"secured", "boolean", "true: inside TLS"},
            {"mechanisms", "strings", "SASL mechanisms of RFC 6120"},
            {"bindings", "strings", "channel bindings that are announced (XEP-0440)"},
            {"sasl2", "boolean", "XEP-0388"}, {"sasl2_mechanisms", "strings", "its mechanisms"},
            {"bind2", "boolean", "XEP-0386"},
            {"bind2_features", "strings", "what can be switched on with it"},
            {"fast", "boolean", "XEP-0484"}, {"fast_mechanisms", "strings", "its mechanisms"},
            {"early_data", "boolean", "XEP-0484 in TLS early data"},
            {"upgrades", "strings", "tasks of XEP-0480"},
            {"resumes_inline", "boolean", "XEP-0198 within SASL2"},
            {"compression", "strings", "methods of XEP-0138"},
            {"starttls", "boolean", "TLS is offered"},
            {"starttls_required", "boolean", "and has to be taken"},
            {"registration", "boolean", "XEP-0077"},
            {"stream_management", "boolean", "XEP-0198, before the log-in"},
            {"roster_versions", "boolean", "RFC 6121 2.6, before the log-in"},
            {"client_state", "boolean", "XEP-0352, before the log-in"},
            {"max_bytes", "integer", "largest stanza (XEP-0478)"},
            {"idle_seconds", "integer", "until an idle stream may be closed (XEP-0478)"},
            {"ms", "integer", "until it was told"})},
    {0},
};
