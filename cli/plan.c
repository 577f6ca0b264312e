/* plan.c: what jabiru send is to send, and to whom; see send.h. */
#include "send.h"

#include "input.h"
#include <stdlib.h>
#include <unistd.h>

static int add_recipient(cli_recipients *to, const char *text, int room)
{
    jab_jid_buf bytes;
    jab_jid jid;
    int status = cli_address(text, &jid, &bytes);
    if (status != APP_OK)
        return status;
    to->v = app_realloc(to->v, (to->n + 1) * sizeof *to->v);
    to->v[to->n++] = app_copy(room ? jid.bare : jid.full);
    return APP_OK;
}

static void free_recipients(cli_recipients *to)
{
    for (size_t i = 0; i < to->n; i++)
        free(to->v[i]);
    free(to->v);
    *to = (cli_recipients){0};
}

/* user@domain: no blanks, one @ with something on both sides, no resource. */
static int is_bare_address(const char *text)
{
    jab_jid_buf bytes;
    jab_jid jid;
    if (strpbrk(text, " \t\r\n/"))
        return 0;
    return jab_jid_parse(&jid, jab_cstr(text), &bytes) == 0 && jid.local.n > 0;
}

int cli_text_operand(const char *const *operands, int n, int dashes, int all_recipients)
{
    if (all_recipients || n < 2)
        return -1;
    if (dashes > 0)
        return dashes < n ? dashes : -1;
    return is_bare_address(operands[n - 1]) ? -1 : n - 1;
}

static int read_text(cli_plan *plan, cli *c)
{
    if (isatty(STDIN_FILENO) && !c->g.quiet)
        app_note("type the message; ^D at the beginning of a line ends it");
    int status = cli_input_all(c, &plan->text);
    if (plan->text.n > 0 && plan->text.p[plan->text.n - 1] == '\n')
        plan->text.p[--plan->text.n] = '\0';
    return status;
}

static int read_operands(cli_plan *plan, cli *c, int text, int rooms)
{
    int status = APP_OK;
    if (text >= 0 && text < c->n - 1)
        return app_say(APP_USAGE, "several texts after --; put the text in quotes");
    for (int i = 0; status == APP_OK && i < c->n; i++)
        if (i != text)
            status = add_recipient(&plan->to, c->operands[i], rooms);
    return status;
}

int cli_plan_make(cli_plan *plan, cli *c, int lines, int rooms)
{
    plan->batch = c->g.json && c->n == 0;
    if (c->n == 0 && !plan->batch)
        return app_say(APP_USAGE, "to whom? usage: jabiru send %s", c->command->synopsis);
    int text = cli_text_operand(c->operands, c->n, c->dashes, lines);
    int status = read_operands(plan, c, text, rooms);
    if (status != APP_OK || lines || plan->batch)
        return status;
    if (text < 0)
        return read_text(plan, c);
    app_text_z(&plan->text, c->operands[text]);
    return APP_OK;
}

void cli_plan_free(cli_plan *plan)
{
    free_recipients(&plan->to);
    app_text_free(&plan->text);
}

void cli_batch_free(cli_batch *batch)
{
    free_recipients(&batch->to);
    json_decref(batch->line);
    *batch = (cli_batch){0};
}

static int batch_recipients(cli_batch *batch, const char *what)
{
    const json_t *to = json_object_get(batch->line, "to");
    size_t i;
    json_t *one;
    int status = APP_OK;
    if (json_is_string(to))
        return add_recipient(&batch->to, json_string_value(to), 0);
    if (!json_is_array(to) || json_array_size(to) == 0)
        return app_say(APP_USAGE, "%s: \"to\" must be an address or a list of them", what);
    json_array_foreach(to, i, one)
    {
        if (status == APP_OK)
            status = json_is_string(one)
                         ? add_recipient(&batch->to, json_string_value(one), 0)
                         : app_say(APP_USAGE, "%s: \"to\" must hold addresses", what);
    }
    return status;
}

/* Text from JSON may hold what XML may not ("\u0000"). */
static int check_members(const cli_draft *draft, const char *what)
{
    const jab_str members[] = {draft->body, draft->subject, draft->thread, draft->id};
    int status = APP_OK;
    for (size_t i = 0; status == APP_OK && i < sizeof members / sizeof members[0]; i++)
        status = cli_check_text(what, members[i]);
    return status;
}

static jab_message_type kind_of(jab_str kind, jab_message_type otherwise)
{
    if (jab_str_is(kind, "normal"))
        return JAB_MSG_NORMAL;
    if (jab_str_is(kind, "headline"))
        return JAB_MSG_HEADLINE;
    return jab_str_is(kind, "chat") ? JAB_MSG_CHAT : otherwise;
}

int cli_batch_read(cli_batch *batch, jab_str line, jab_message_type type, const char *what)
{
    json_error_t error;
    cli_batch_free(batch);
    if (strspn(line.p, " \t\r") >= line.n)
        return APP_OK; /* an empty line between objects */
    batch->line = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json_is_object(batch->line))
        return app_say(APP_USAGE, "%s: not a JSON object%s%s", what, batch->line ? "" : ": ",
                       batch->line ? "" : error.text);
    batch->draft = (cli_draft){
        .body = app_text_at(batch->line, "body"),
        .subject = app_text_at(batch->line, "subject"),
        .thread = app_text_at(batch->line, "thread"),
        .id = app_text_at(batch->line, "id"),
        .type = kind_of(app_text_at(batch->line, "kind"), type),
    };
    if (batch->draft.body.n == 0 && !batch->draft.subject.p)
        return app_say(APP_USAGE, "%s: nothing to send; \"body\" is missing", what);
    int status = check_members(&batch->draft, what);
    return status == APP_OK ? batch_recipients(batch, what) : status;
}
