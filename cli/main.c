/* main.c: jabiru: reads the command line and runs a command. */
#include "cli.h"

#include <locale.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

/* The command line while it is read. */
struct reading {
    cli *c;
    app_parser parser;
    app_text words; /* of the command so far: "roster" */
};

/* A word of the command: 0, or an exit status. */
static int take_command(struct reading *r, const char *word)
{
    cli *c = r->c;
    if (r->words.n > 0)
        app_text_char(&r->words, ' ');
    app_text_z(&r->words, word);
    c->command = cli_find_command(r->words.p);
    if (!c->command)
        return cli_unknown_command(r->words.p);
    r->parser.tables[1] = c->command->options;
    r->parser.values[1] = c->values;
    return APP_OK;
}

static int take_operand(struct reading *r, const char *word)
{
    cli *c = r->c;
    if (!c->command || (c->command->flags & CLI_GROUP))
        return take_command(r, word);
    if (c->n == CLI_OPERANDS_MAX)
        return app_say(APP_USAGE, "too many operands; at most %d", CLI_OPERANDS_MAX);
    if (r->parser.literal && c->dashes < 0)
        c->dashes = c->n;
    c->operands[c->n++] = word;
    return APP_OK;
}

static int read_line(cli *c, int argc, char **argv)
{
    struct reading r = {.c = c};
    const char *word;
    int got, status = APP_OK;
    r.parser = (app_parser){
        .tables = {cli_global_options}, .values = {&c->g}, .argc = argc, .argv = argv, .at = 1};
    c->dashes = -1;
    while (status == APP_OK && (got = app_parse(&r.parser, &word)) != 0) {
        if (got < 0)
            status = app_say(
                APP_USAGE, "%s%s", r.parser.error.p,
                r.parser.error.n && strchr(r.parser.error.p, ';') ? "" : "; see jabiru --help");
        else
            status = take_operand(&r, word);
    }
    app_text_free(&r.words);
    app_text_free(&r.parser.error);
    return status;
}

/* Without a command, or with only half of one. */
static int no_command(cli *c)
{
    app_text names = {0};
    if (!c->command && isatty(STDOUT_FILENO)) {
        cli_help(c, NULL);
        return APP_OK;
    }
    if (!c->command)
        return app_say(APP_USAGE, "which command? jabiru help lists them");
    for (const cli_command *command = cli_commands; command->name; command++) {
        size_t n = strlen(c->command->name);
        if (strncmp(command->name, c->command->name, n) == 0 && command->name[n] == ' ')
            app_text_fmt(&names, "%s%s", names.n ? ", " : "", command->name + n + 1);
    }
    app_say(0, "%s what? %s; jabiru help %s tells more", c->command->name, names.p,
            c->command->name);
    app_text_free(&names);
    return APP_USAGE;
}

static void set_deadline(cli *c)
{
    c->started = app_now();
    c->deadline = JAB_NEVER;
    if (c->g.timeout.given)
        c->deadline = c->started + c->g.timeout.ms;
    else if (!c->command || !(c->command->flags & CLI_STREAMS))
        c->deadline = c->started + CLI_TIMEOUT;
    app_alarm(c->deadline);
}

static int run(cli *c)
{
    if (c->g.help) {
        cli_help(c, c->command);
        return APP_OK;
    }
    if (c->g.version) {
        c->n = 0;
        c->command = cli_find_command("version");
        return cli_version(c);
    }
    if (!c->command || (c->command->flags & CLI_GROUP))
        return no_command(c);
    if (c->g.dry_run && !(c->command->flags & CLI_CHANGES))
        return app_say(APP_USAGE, "--dry-run: %s changes nothing", c->command->name);
    return c->command->run(c);
}

/* What another process left in the outbox is known by its tags: the upper half is by chance. */
static uint64_t first_tag(void)
{
    uint32_t own = 0;
    if (getrandom(&own, sizeof own, GRND_NONBLOCK) != (ssize_t)sizeof own)
        own = (uint32_t)app_wall();
    return (uint64_t)(own | 1) << 32;
}

int main(int argc, char **argv)
{
    cli *c = app_alloc(sizeof *c);
    c->values = app_alloc(CLI_VALUES_MAX);
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    app_signals_init();
    c->started = app_now();
    c->next_tag = first_tag();
    int status = read_line(c, argc, argv);
    app_out_init(&c->out, STDOUT_FILENO, c->g.json, c->g.color);
    set_deadline(c);
    if (status == APP_OK)
        status = run(c);
    cli_disconnect(c);
    int output = app_out_status(&c->out);
    app_out_fini(&c->out);
    app_config_free(&c->configuration);
    free(c->config_path);
    free(c->values);
    free(c);
    return status != APP_OK ? status : output;
}
