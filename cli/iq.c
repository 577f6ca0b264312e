/* iq.c: jabiru iq: a raw query and its answer. */
#include "cli.h"

#include "input.h"
#include "pretty.h"
#include <stdlib.h>

struct values {
    int pretty;
};
CLI_VALUES_FIT(struct values);

const app_opt cli_iq_options[] = {
    {"pretty", 0, APP_OPT_FLAG, offsetof(struct values, pretty), NULL,
     "print the answer indented, one element per line", 0, 0, 0},
    {0},
};

/* The whole of an element as text. */
static void print_xml(app_text *out, const jab_xml *el)
{
    size_t n = jab_xml_print(el, NULL, 0);
    char *text = app_alloc(n + 1);
    jab_xml_print(el, text, n + 1);
    app_text_add(out, (jab_str){text, n});
    free(text);
}

static void print_reply(cli *c, const jab_iq_reply *reply)
{
    const struct values *v = c->values;
    app_text xml = {0}, pretty = {0};
    jab_jid from = jab_stanza_from(reply->stanza);
    json_t *record = app_record_new("iq");
    for (const jab_xml *el = jab_xml_first(jab_stanza_xml(reply->stanza)); el;
         el = jab_xml_next(el))
        print_xml(&xml, el);
    if (v->pretty)
        cli_pretty(&pretty, app_text_str(&xml));
    app_set_address(record, "from", &from);
    app_set_text(record, "id", jab_stanza_id(reply->stanza));
    app_set_text(record, "xml", app_text_str(v->pretty ? &pretty : &xml));
    if (v->pretty && c->out.form == APP_OUT_TSV)
        c->out.form = APP_OUT_HUMAN; /* several lines were asked for */
    app_out_record(&c->out, record);
    app_text_free(&xml);
    app_text_free(&pretty);
}

static int send_query(cli *c, jab_iq_type type, jab_str to, jab_str xml)
{
    const jab_event *ev;
    uint64_t tag = cli_tag(c);
    jab_out *o = jab_iq_to(cli_session(c), to, type);
    jab_out_raw(o, xml);
    int err = jab_out_send(o, tag);
    if (err == JAB_EXML)
        return app_say(APP_USAGE, "query: not one well-formed element with its namespace; "
                                  "such as <query xmlns='jabber:iq:version'/>");
    if (err < 0)
        return app_say_error("query", err);
    int status = cli_answer(c, JAB_EV_IQ, tag, &ev);
    if (status != APP_OK)
        return status;
    if (ev->iq->stanza)
        print_reply(c, ev->iq);
    if (ev->iq->error)
        return cli_say_reply("refused", ev->iq->error, &ev->iq->refusal);
    return APP_OK;
}

static int read_query(cli *c, app_text *xml)
{
    if (c->n == 2) {
        app_text_z(xml, c->operands[1]);
        return APP_OK;
    }
    return cli_input_all(c, xml);
}

static int run(cli *c, jab_iq_type type)
{
    app_text xml = {0};
    jab_jid_buf bytes;
    jab_jid to = {0};
    int status = cli_want(c, 1, 2);
    if (status == APP_OK)
        status = cli_address(c->operands[0], &to, &bytes);
    if (status == APP_OK)
        status = read_query(c, &xml);
    if (status == APP_OK && xml.n == 0)
        status = app_say(APP_USAGE, "nothing to send; give the query as text or on standard input");
    if (status == APP_OK)
        status = cli_check_text("query", app_text_str(&xml));
    if (status == APP_OK && c->g.dry_run)
        app_out_line(&c->out, app_text_str(&xml));
    else if (status == APP_OK && (status = cli_connect(c)) == APP_OK)
        status = send_query(c, type, to.full, app_text_str(&xml));
    app_text_free(&xml);
    return status;
}

int cli_iq_get(cli *c)
{
    return run(c, JAB_IQ_GET);
}

int cli_iq_set(cli *c)
{
    return run(c, JAB_IQ_SET);
}
