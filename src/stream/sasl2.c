/* sasl2.c: SASL as XEP-0388 has it on the wire, with what is asked for in the
 * same step: the last stream, or a resource; a token; upgrades. */
#include "stream/auth.h"

#define ABSENT ((jab_str){NULL, 0}) /* the namespace of the element around */

static void write_text(jabi_writer *w, const char *name, jab_str text)
{
    jabi_writer_start(w, ABSENT, jab_cstr(name));
    jabi_writer_text(w, text);
    jabi_writer_end(w);
}

/* XEP-0388 §2.3: the id says which installation this is. */
static void write_agent(const jabi_stream *str, jabi_writer *w)
{
    jabi_writer_start(w, ABSENT, JAB_STR("user-agent"));
    jabi_writer_attr(w, JAB_STR("id"), jab_cstr(str->memory.agent));
    write_text(w, "software", str->cfg->software_name);
    if (str->cfg->device.p)
        write_text(w, "device", str->cfg->device);
    jabi_writer_end(w);
}

/* XEP-0509 §2.2: what this step assumes of the server's configuration. */
static void write_config_version(const jabi_stream *str, jabi_writer *w)
{
    const jab_xml *el = jab_xml_child(str->features, JABI_NS_IAP, "config-version");
    if (!jab_xml_attr(el, "value").p)
        return;
    jabi_writer_start(w, JAB_STR(JABI_NS_IAP), JAB_STR("config-version"));
    jabi_writer_attr(w, JAB_STR("scheme"), jab_xml_attr(el, "scheme"));
    jabi_writer_attr(w, JAB_STR("value"), jab_xml_attr(el, "value"));
    jabi_writer_end(w);
}

static void write_inline(jabi_stream *str, jabi_writer *w)
{
    jabi_auth *auth = &str->auth;
    const jab_xml *offer = jabi_plan_inline(str->features);
    auth->asked_resume =
        jabi_sm_wants_resume(str) && jab_xml_child(offer, JABI_NS_SM, "sm") != NULL;
    auth->asked_bind = jabi_bind2_is_wanted(str);
    if (auth->asked_resume)
        jabi_sm_write_resume(str, w);
    if (auth->asked_bind)
        jabi_bind2_write(str, w);
    jabi_fast_write(str, w);
    jabi_upgrade_write(str, w);
    write_config_version(str, w);
}

static void write_first(jabi_stream *str, jabi_writer *w, jab_str base64)
{
    if (base64.p)
        write_text(w, "initial-response", base64);
    write_agent(str, w);
    write_inline(str, w);
}

static void write_response(jabi_writer *w, jab_str base64)
{
    jabi_writer_start(w, JAB_STR(JABI_NS_SASL2), JAB_STR("response"));
    jabi_writer_text(w, base64);
}

const jabi_dialect jabi_dialect_sasl2 = {
    .ns = JABI_NS_SASL2,
    .first = "authenticate",
    .write_first = write_first,
    .write_response = write_response,
};

/* -- Success ---------------------------------------------------------------------- */

/* XEP-0388 §2.6.1: whose log-in succeeded. Another account's is a mistake or an attack. */
static int check_identifier(jabi_stream *str, jab_str identifier)
{
    jab_jid jid;
    jab_jid_buf buf;
    int is_ours = jab_jid_parse(&jid, identifier, &buf) >= 0 &&
                  jab_str_eq(jid.domain, str->account.domain) &&
                  (!str->account.local.p || jab_str_eq(jid.local, str->account.local));
    return is_ours ? 0 : jabi_stream_broken(str, "bad-format", "logged in another account");
}

/* XEP-0386 §3.2: the last stream goes on, or else a resource is bound, or neither. */
static int on_inline(jabi_stream *str, const jab_xml *el, jab_str identifier)
{
    jabi_auth *auth = &str->auth;
    const jab_xml *resumed = jab_xml_child(el, JABI_NS_SM, "resumed");
    const jab_xml *failed = jab_xml_child(el, JABI_NS_SM, "failed");
    const jab_xml *bound = jab_xml_child(el, JABI_NS_BIND2, "bound");
    if (((resumed || failed) && !auth->asked_resume) || (bound && (!auth->asked_bind || resumed)))
        return jabi_stream_broken(str, "bad-format", "did what it was not asked for");
    int err = 0;
    if (resumed || failed)
        err = jabi_sm_on_resume(str, resumed ? resumed : failed);
    else if (auth->asked_resume)
        str->state |= JABI_RESUME_TRIED;
    if (err >= 0 && bound)
        err = jabi_bind2_on_bound(str, bound, identifier);
    return err;
}

static int on_success(jabi_stream *str, const jab_xml *el)
{
    jab_str identifier = jab_xml_text(jab_xml_child(el, JABI_NS_SASL2, "authorization-identifier"));
    int err = 0;
    if (!str->auth.proven)
        err = jabi_auth_verify(str, jab_xml_child(el, JABI_NS_SASL2, "additional-data"));
    if (err >= 0)
        err = check_identifier(str, identifier);
    if (err >= 0)
        err = on_inline(str, el, identifier);
    if (err >= 0)
        err = jabi_fast_on_success(str, el);
    if (err >= 0)
        err = jabi_auth_succeed(str);
    str->state |= JABI_BY_SASL2;
    return err < 0 ? err : JABI_STEP_FEATURES;
}

/* -- The row ---------------------------------------------------------------------- */

static int wanted(const jabi_stream *str)
{
    return !(str->cfg->login & JAB_LOGIN_NO_SASL2);
}

static int begin(jabi_stream *str, const jab_xml *offer)
{
    (void)offer;
    return jabi_auth_begin(str, &jabi_dialect_sasl2);
}

static int ahead(jabi_stream *str, const jab_xml *offer)
{
    return offer && jabi_auth_may_go_ahead(str, 1);
}

static int element(jabi_stream *str, const jab_xml *el)
{
    if (str->sasl && jab_xml_is(el, JABI_NS_SASL2, "failure"))
        return jabi_auth_failed(str, el);
    if (str->sasl && jab_xml_is(el, JABI_NS_SASL2, "challenge") && !str->auth.proven)
        return jabi_auth_challenge(str, el);
    if (str->sasl && jab_xml_is(el, JABI_NS_SASL2, "continue"))
        return jabi_upgrade_on_continue(str, el);
    if (str->auth.task_asked && jab_xml_is(el, JABI_NS_SASL2, "task-data"))
        return jabi_upgrade_on_data(str, el);
    if (str->sasl && jab_xml_is(el, JABI_NS_SASL2, "success"))
        return on_success(str, el);
    return jabi_stream_broken(str, "not-authorized", "broke the order of authentication");
}

const jabi_feature jabi_feature_sasl2 = {
    .ns = JABI_NS_SASL2,
    .name = "authentication",
    .stage = JAB_AT_SASL,
    .forbidden = JABI_AUTHENTICATED,
    .wanted = wanted,
    .begin = begin,
    .element = element,
    .ahead = ahead,
};
