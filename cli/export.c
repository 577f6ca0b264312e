/* export.c: messages as a mailbox (RFC 4155, with ">" before "From " as mboxrd has it) or as
 * Markdown. */
#include "cli.h"

#include <stdlib.h>
#include <time.h>

struct writer {
    cli *c;
    app_text text;
    char day[16]; /* of the message before */
};

/* A file gets the text as it is, a terminal only what is safe. */
static void put_line(struct writer *w, jab_str line)
{
    if (w->c->out.form == APP_OUT_HUMAN)
        app_clean(&w->text, line, APP_LINE);
    else
        app_text_add(&w->text, line);
}

/* What stands in a header must not begin another one. */
static void put_header(struct writer *w, const char *name, jab_str value)
{
    if (!value.n)
        return;
    app_text_fmt(&w->text, "%s: ", name);
    app_clean(&w->text, value, APP_LINE);
    app_text_char(&w->text, '\n');
}

/* Calls `fn` for each line of a text. */
static void each_line(struct writer *w, jab_str text, void (*fn)(struct writer *w, jab_str line))
{
    while (text.n > 0) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        fn(w, (jab_str){text.p, n});
        app_text_char(&w->text, '\n');
        n += end != NULL;
        text.p += n;
        text.n -= n;
    }
}

static void mbox_line(struct writer *w, jab_str line)
{
    size_t quotes = 0;
    while (quotes < line.n && line.p[quotes] == '>')
        quotes++;
    if (line.n - quotes >= 5 && memcmp(line.p + quotes, "From ", 5) == 0)
        app_text_char(&w->text, '>');
    put_line(w, line);
}

static int stamp_of(const json_t *record, struct tm *utc)
{
    jab_str stamp = app_text_at(record, "stamp");
    *utc = (struct tm){0};
    return stamp.p && strptime(stamp.p, "%Y-%m-%dT%H:%M:%S", utc) != NULL;
}

/* Dates in mail are in English, whatever the language is here. */
static void put_mail_date(struct writer *w, const struct tm *t, int header)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const char *day = days[t->tm_wday % 7], *month = months[t->tm_mon % 12];
    if (header)
        app_text_fmt(&w->text, "Date: %s, %d %s %d %02d:%02d:%02d +0000\n", day, t->tm_mday, month,
                     t->tm_year + 1900, t->tm_hour, t->tm_min, t->tm_sec);
    else
        app_text_fmt(&w->text, "%s %s %2d %02d:%02d:%02d %d\n", day, month, t->tm_mday, t->tm_hour,
                     t->tm_min, t->tm_sec, t->tm_year + 1900);
}

/* An address in "From ..." may hold no blank: a nickname may. */
static void put_word(struct writer *w, jab_str text)
{
    for (size_t i = 0; i < text.n; i++)
        app_text_char(&w->text, (unsigned char)text.p[i] <= ' ' ? '_' : text.p[i]);
}

static void put_mail(struct writer *w, const json_t *record)
{
    struct tm utc;
    jab_str body = app_text_at(record, "body");
    stamp_of(record, &utc);
    app_text_z(&w->text, "From ");
    put_word(w, app_text_at(record, "from.bare"));
    app_text_char(&w->text, ' ');
    put_mail_date(w, &utc, 0);
    put_header(w, "From", app_text_at(record, "from.full"));
    put_header(w, "To", app_text_at(record, "to.full"));
    put_mail_date(w, &utc, 1);
    put_header(w, "Subject", app_text_at(record, "subject"));
    put_header(w, "X-XMPP-Id", app_text_at(record, "id"));
    put_header(w, "X-XMPP-Archive-Id", app_text_at(record, "archive_id"));
    put_header(w, "X-XMPP-State", app_text_at(record, "state"));
    app_text_z(&w->text, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                         "Content-Transfer-Encoding: 8bit\n\n");
    each_line(w, body, mbox_line);
    app_text_char(&w->text, '\n');
}

/* What Markdown would take for markup is text here. */
static void md_text(struct writer *w, jab_str text)
{
    app_text clean = {0};
    app_clean(&clean, text, APP_LINE);
    for (size_t i = 0; i < clean.n; i++) {
        if (strchr("\\`*_{}[]<>()#+-.!|~&", clean.p[i]))
            app_text_char(&w->text, '\\');
        app_text_char(&w->text, clean.p[i]);
    }
    app_text_free(&clean);
}

static void md_line(struct writer *w, jab_str line)
{
    app_text_z(&w->text, "> ");
    md_text(w, line);
    app_text_z(&w->text, "  "); /* a line break */
}

static void put_md(struct writer *w, const json_t *record)
{
    struct tm utc, local;
    char day[16], clock[16];
    jab_str nick = app_text_at(record, "from.resource"), subject = app_text_at(record, "subject");
    stamp_of(record, &utc);
    time_t then = timegm(&utc);
    localtime_r(&then, &local);
    strftime(day, sizeof day, "%Y-%m-%d", &local);
    strftime(clock, sizeof clock, "%H:%M", &local);
    if (strcmp(day, w->day) != 0)
        app_text_fmt(&w->text, "## %s\n\n", day);
    memcpy(w->day, day, sizeof day);
    app_text_fmt(&w->text, "**%s** ", clock);
    md_text(w, json_is_true(app_at(record, "room")) && nick.n ? nick
                                                              : app_text_at(record, "from.bare"));
    app_text_z(&w->text, subject.n ? ": " : "");
    md_text(w, subject);
    app_text_z(&w->text, "\n\n");
    each_line(w, app_text_at(record, "body"), md_line);
    app_text_char(&w->text, '\n');
}

static void put_json(struct writer *w, const json_t *record)
{
    char *text = json_dumps(record, JSON_COMPACT);
    app_clean(&w->text, jab_cstr(text ? text : "{}"), APP_JSON);
    app_text_char(&w->text, '\n');
    free(text);
}

void cli_export(cli *c, const char *form, const cli_found *found)
{
    struct writer w = {.c = c};
    void (*put)(struct writer * w, const json_t *record) = put_json;
    if (strcmp(form, "mbox") == 0)
        put = put_mail;
    else if (strcmp(form, "md") == 0)
        put = put_md;
    for (size_t i = 0; i < found->n; i++) {
        app_text_clear(&w.text);
        put(&w, found->v[i]);
        app_out_plain(&c->out, app_text_str(&w.text));
    }
    app_text_free(&w.text);
}
