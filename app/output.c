/* output.c: prints records in one of three forms; see output.h. */
#include "output.h"

#include "fault.h"
#include "wait.h"
#include <errno.h>
#include <jabiru/datetime.h>
#include <stdlib.h>
#include <unistd.h>

#define SCHEMA_VERSION 1
#define EXIT_SIGPIPE   141

static int wants_color(int fd, const char *color)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    if (color && strcmp(color, "auto") != 0)
        return strcmp(color, "always") == 0;
    return isatty(fd) && term && strcmp(term, "dumb") != 0 && !(no_color && *no_color);
}

void app_out_init(app_out *o, int fd, int json, const char *color)
{
    *o = (app_out){.fd = fd};
    o->form = json ? APP_OUT_JSON : isatty(fd) ? APP_OUT_HUMAN : APP_OUT_TSV;
    o->color = o->form == APP_OUT_HUMAN && wants_color(fd, color);
}

void app_out_fini(app_out *o)
{
    app_text_free(&o->line);
}

void app_out_plain(app_out *o, jab_str text)
{
    while (text.n > 0 && !o->failure) {
        ssize_t n = write(o->fd, text.p, text.n);
        if (n >= 0) {
            text.p += n;
            text.n -= (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd one = {.fd = o->fd, .events = POLLOUT};
            app_poll(&one, 1, JAB_NEVER);
        } else if (errno != EINTR) {
            o->failure = errno;
        }
        if (n < 0 && app_signal()) /* asked to end while nobody reads: enough */
            o->failure = EINTR;
    }
}

int app_out_status(app_out *o)
{
    if (o->failure == 0)
        return APP_OK;
    if (o->failure == EINTR)
        return 128 + app_signal();
    if (o->failure == EPIPE)
        return EXIT_SIGPIPE;
    return app_say(APP_FILE, "output: %s; is the disk full?", strerror(o->failure));
}

void app_out_line(app_out *o, jab_str text)
{
    app_text_clear(&o->line);
    app_clean(&o->line, text, APP_LINE);
    app_text_char(&o->line, '\n');
    app_out_plain(o, app_text_str(&o->line));
}

static const app_record *kind_of(const json_t *record)
{
    const char *type = json_string_value(json_object_get(record, "type"));
    const app_record *kind = app_records;
    while (kind->type && strcmp(kind->type, type) != 0)
        kind++;
    return kind;
}

/* Any value as the text of one TSV field; a list is joined by commas. */
static void put_value(app_text *line, const json_t *value)
{
    size_t i;
    json_t *part;
    if (json_is_string(value))
        app_clean(line, (jab_str){json_string_value(value), json_string_length(value)}, APP_TSV);
    else if (json_is_integer(value))
        app_text_fmt(line, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        app_text_z(line, json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value))
        json_array_foreach(value, i, part)
        {
            if (i > 0)
                app_text_char(line, ',');
            app_clean(line, (jab_str){json_string_value(part), json_string_length(part)}, APP_TSV);
        }
}

static void print_tsv(app_out *o, const json_t *record, const app_record *kind)
{
    if (o->kinds)
        app_text_fmt(&o->line, "%s\t", kind->type);
    for (size_t i = 0; kind->columns[i]; i++) {
        if (i > 0)
            app_text_char(&o->line, '\t');
        put_value(&o->line, app_at(record, kind->columns[i]));
    }
    app_text_char(&o->line, '\n');
}

static void print_json(app_out *o, const json_t *record)
{
    char *text = json_dumps(record, JSON_COMPACT);
    app_clean(&o->line, jab_cstr(text ? text : "{}"), APP_JSON);
    app_text_char(&o->line, '\n');
    free(text);
}

void app_out_prepare(app_out *o, json_t *record)
{
    const app_record *kind = kind_of(record);
    app_text_clear(&o->line);
    if (o->form == APP_OUT_JSON)
        print_json(o, record);
    else if (o->form == APP_OUT_TSV)
        print_tsv(o, record, kind);
    else
        kind->human(o, record);
    json_decref(record);
}

void app_out_flush(app_out *o)
{
    app_out_plain(o, app_text_str(&o->line));
}

void app_out_record(app_out *o, json_t *record)
{
    app_out_prepare(o, record);
    app_out_flush(o);
}

json_t *app_record_new(const char *type)
{
    json_t *record = json_object();
    json_object_set_new(record, "v", json_integer(SCHEMA_VERSION));
    json_object_set_new(record, "type", json_string(type));
    return record;
}

void app_set_text(json_t *record, const char *key, jab_str value)
{
    if (value.p)
        json_object_set_new(record, key, json_stringn(value.p, value.n));
}

void app_set_int(json_t *record, const char *key, int64_t value)
{
    json_object_set_new(record, key, json_integer(value));
}

void app_set_true(json_t *record, const char *key, int value)
{
    if (value)
        json_object_set_new(record, key, json_true());
}

void app_set_address(json_t *record, const char *key, const jab_jid *jid)
{
    if (!jid->full.p)
        return;
    json_t *address = json_object();
    app_set_text(address, "full", jid->full);
    app_set_text(address, "bare", jid->bare);
    app_set_text(address, "local", jid->local);
    app_set_text(address, "domain", jid->domain);
    app_set_text(address, "resource", jid->resource);
    json_object_set_new(record, key, address);
}

void app_set_time(json_t *record, const char *key, int64_t ms)
{
    char text[JAB_DATETIME_SIZE];
    if (jab_datetime_format(ms, text) > 0)
        app_set_text(record, key, jab_cstr(text));
}

void app_set_error(json_t *record, const jab_stanza_error *error)
{
    json_t *object = json_object();
    app_set_text(object, "condition", error->condition);
    app_set_text(object, "type", error->type);
    app_set_text(object, "text", error->text);
    json_object_set_new(record, "error", object);
}

const json_t *app_at(const json_t *record, const char *path)
{
    while (record && *path) {
        size_t n = strcspn(path, ".");
        char key[32];
        if (n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        record = json_object_get(record, key);
        path += n + (path[n] == '.');
    }
    return record;
}

jab_str app_text_at(const json_t *record, const char *path)
{
    const json_t *value = app_at(record, path);
    if (!json_is_string(value))
        return (jab_str){0};
    return (jab_str){json_string_value(value), json_string_length(value)};
}
