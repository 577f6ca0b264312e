/* version.c: jabiru version: of this program, or of an entity (XEP-0092). */
#include "cli.h"

#include <jabiru/version.h>

static void print(cli *c, jab_str jid, jab_str name, jab_str version, jab_str os)
{
    json_t *record = app_record_new("version");
    app_set_text(record, "jid", jid);
    app_set_text(record, "name", name);
    app_set_text(record, "version", version);
    app_set_text(record, "os", os);
    app_out_record(&c->out, record);
}

static int ask(cli *c, const char *whom)
{
    const jab_event *ev;
    jab_jid_buf bytes;
    jab_jid to;
    uint64_t tag = cli_tag(c);
    int status = cli_address(whom, &to, &bytes);
    if (status == APP_OK)
        status = cli_connect(c);
    if (status != APP_OK)
        return status;
    int err = jab_version_query(cli_session(c), to.full, tag);
    if (err < 0)
        return app_say_error("version", err);
    status = cli_answer(c, JAB_EV_VERSION, tag, &ev);
    if (status != APP_OK)
        return status;
    const jab_version_reply *reply = ev->data;
    if (reply->error)
        return cli_say_reply("version", reply->error, &reply->refusal);
    print(c, to.full, reply->name, reply->version, reply->os);
    return APP_OK;
}

int cli_version(cli *c)
{
    int status = cli_want(c, 0, 1);
    if (status != APP_OK)
        return status;
    if (c->n == 1)
        return ask(c, c->operands[0]);
    print(c, (jab_str){0}, JAB_STR("jabiru"), jab_cstr(jab_version()), (jab_str){0});
    return APP_OK;
}
