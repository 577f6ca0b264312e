/* help.c: help from the tables: for people, and as the parts of the manual. */
#include "cli.h"

#include <stdlib.h>

#define COLUMN 30

struct values {
    int mdoc;
};
CLI_VALUES_FIT(struct values);

const app_opt cli_help_options[] = {
    {"mdoc", 0, APP_OPT_FLAG, offsetof(struct values, mdoc), NULL,
     "print the generated part of the manual page", 0, 0, 1},
    {0},
};

const cli_command *cli_find_command(const char *name)
{
    for (const cli_command *command = cli_commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

/* Whether `command` is "group word". */
static int is_of(const cli_command *command, const char *group)
{
    size_t n = strlen(group);
    return strncmp(command->name, group, n) == 0 && command->name[n] == ' ';
}

int cli_unknown_command(const char *name)
{
    const char *best = NULL;
    unsigned distance = APP_FAR;
    for (const cli_command *command = cli_commands; command->name; command++)
        best = app_nearer(name, best, command->name, &distance);
    if (best)
        return app_say(APP_USAGE, "no command \"%s\"; did you mean %s?", name, best);
    return app_say(APP_USAGE, "no command \"%s\"; jabiru help lists them", name);
}

static void pad(app_text *out, size_t begin)
{
    if (out->n - begin >= COLUMN - 1) {
        app_text_char(out, '\n');
        begin = out->n;
    }
    while (out->n - begin < COLUMN)
        app_text_char(out, ' ');
}

static void put_option(app_text *out, const app_opt *opt)
{
    size_t begin = out->n;
    if (opt->kind == APP_OPT_REFUSED || opt->quiet)
        return;
    if (opt->letter)
        app_text_fmt(out, "  -%c, --%s", opt->letter, opt->name);
    else
        app_text_fmt(out, "      --%s", opt->name);
    if (opt->arg)
        app_text_fmt(out, " %s", opt->arg);
    pad(out, begin);
    app_text_fmt(out, "%s\n", opt->help);
}

static void put_options(app_text *out, const char *title, const app_opt *options)
{
    if (!options)
        return;
    app_text_fmt(out, "\n%s:\n", title);
    for (; options->name; options++)
        put_option(out, options);
}

static void put_command(app_text *out, const cli_command *command)
{
    size_t begin = out->n;
    app_text_fmt(out, "  %s %s", command->name, command->synopsis);
    pad(out, begin);
    app_text_fmt(out, "%s\n", command->purpose);
}

static void put_list(app_text *out)
{
    app_text_z(out, "usage: jabiru COMMAND [OPTIONS] ...\n\n");
    for (const cli_command *command = cli_commands; command->name; command++)
        if (command->run)
            put_command(out, command);
    put_options(out, "Options of all commands", cli_global_options);
    app_text_z(out, "\nFirst steps:\n"
                    "  jabiru account add work user@example.org\n"
                    "  jabiru send friend@example.net \"hello\"\n");
}

static void put_group(app_text *out, const cli_command *group)
{
    app_text_fmt(out, "jabiru %s: %s\n\n", group->name, group->purpose);
    for (const cli_command *command = cli_commands; command->name; command++)
        if (is_of(command, group->name))
            put_command(out, command);
}

static void put_one(app_text *out, const cli_command *command)
{
    app_text_fmt(out, "usage: jabiru %s [OPTIONS] %s\n%s\n", command->name, command->synopsis,
                 command->purpose);
    put_options(out, "Options", command->options);
    put_options(out, "Options of all commands", cli_global_options);
}

void cli_help(cli *c, const cli_command *command)
{
    app_text out = {0};
    if (!command)
        put_list(&out);
    else if (command->flags & CLI_GROUP)
        put_group(&out, command);
    else
        put_one(&out, command);
    app_out_plain(&c->out, app_text_str(&out));
    app_text_free(&out);
}

/* Text for mdoc: backslashes escaped, and no macro from a line's first dot. */
static void put_mdoc_text(app_text *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        app_text_z(out, "\\&");
    for (; *text; text++) {
        if (*text == '\\')
            app_text_z(out, "\\e");
        else if (*text == '-')
            app_text_z(out, "\\-");
        else
            app_text_char(out, *text);
    }
    app_text_z(out, ".\n");
}

static void put_mdoc_option(app_text *out, const app_opt *opt)
{
    if (opt->kind == APP_OPT_REFUSED)
        return;
    app_text_z(out, ".It ");
    if (opt->letter)
        app_text_fmt(out, "Fl %c , ", opt->letter);
    app_text_fmt(out, "Fl Fl %s", opt->name);
    if (opt->arg)
        app_text_fmt(out, " Ar %s", opt->arg);
    app_text_char(out, '\n');
    put_mdoc_text(out, opt->help);
}

static void put_mdoc_options(app_text *out, const app_opt *options)
{
    app_text_z(out, ".Bl -tag -width Ds -compact\n");
    for (; options->name; options++)
        put_mdoc_option(out, options);
    app_text_z(out, ".El\n");
}

static void put_mdoc(app_text *out)
{
    app_text_z(out, ".Ss Commands\n");
    for (const cli_command *command = cli_commands; command->name; command++) {
        if (!command->run)
            continue;
        app_text_fmt(out, ".Bl -tag -width Ds\n.It Cm %s%s%s\n", command->name,
                     *command->synopsis ? " Ar " : "", command->synopsis);
        put_mdoc_text(out, command->purpose);
        if (command->options)
            put_mdoc_options(out, command->options);
        app_text_z(out, ".El\n");
    }
    app_text_z(out, ".Ss Options of all commands\n");
    put_mdoc_options(out, cli_global_options);
}

int cli_help_command(cli *c)
{
    const struct values *v = c->values;
    app_text text = {0};
    int status = APP_OK;
    if (v->mdoc) {
        put_mdoc(&text);
        app_out_plain(&c->out, app_text_str(&text));
        app_text_free(&text);
        return APP_OK;
    }
    for (int i = 0; i < c->n; i++)
        app_text_fmt(&text, "%s%s", i ? " " : "", c->operands[i]);
    const cli_command *command = c->n ? cli_find_command(text.p) : NULL;
    if (c->n && !command)
        status = cli_unknown_command(text.p);
    else
        cli_help(c, command);
    app_text_free(&text);
    return status;
}
