/* check.c: the lines of jabiru doctor for people. */
#include "output.h"

#include <ctype.h>

#define CELLS  10 /* of a check's name, with the blank behind it */
#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define OFF    "\033[0m"

/* "dns" as people write it: "DNS"; but "Archive". */
static void put_name(app_out *o, jab_str name)
{
    static const char *const short_ones[] = {"dns",   "tcp",  "tls", "sasl",
                                             "sasl2", "fast", "pep", "starttls"};
    int all = 0;
    for (size_t i = 0; i < sizeof short_ones / sizeof short_ones[0]; i++)
        all |= jab_str_is(name, short_ones[i]);
    for (size_t i = 0; i < name.n; i++)
        app_text_char(&o->line,
                      (char)(all || i == 0 ? toupper((unsigned char)name.p[i]) : name.p[i]));
    for (size_t used = name.n; used < CELLS; used++)
        app_text_char(&o->line, ' ');
}

static void put_mark(app_out *o, jab_str state)
{
    static const struct {
        const char *state, *mark, *color;
    } marks[] = {{"ok", "✓ ", GREEN}, {"note", "! ", YELLOW}, {"failed", "✗ ", RED}};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (jab_str_is(state, marks[i].state))
            app_text_fmt(&o->line, "%s%s%s", o->color ? marks[i].color : "", marks[i].mark,
                         o->color ? OFF : "");
}

void app_human_check(app_out *o, const json_t *record)
{
    jab_str next = app_text_at(record, "next");
    put_mark(o, app_text_at(record, "state"));
    put_name(o, app_text_at(record, "check"));
    app_clean(&o->line, app_text_at(record, "text"), APP_LINE);
    if (app_at(record, "exit"))
        app_text_fmt(&o->line, "        exit %d", (int)json_integer_value(app_at(record, "exit")));
    app_text_char(&o->line, '\n');
    if (!next.n)
        return;
    app_text_z(&o->line, "  ");
    app_clean(&o->line, next, APP_LINE);
    app_text_char(&o->line, '\n');
}

void app_human_nothing(app_out *o, const json_t *record)
{
    (void)o;
    (void)record;
}
