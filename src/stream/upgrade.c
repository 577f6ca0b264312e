/* upgrade.c: tasks behind the authentication (XEP-0388 §2.6.3). The only ones
 * known give the server the password salted for a stronger hash (XEP-0480). */
#include "stream/auth.h"

#include "base/check.h"

#include <stdio.h>

/* XEP-0480 §5: over a bound channel, so that nobody in between has the hash; and what
 * is stronger than the mechanism in use. */
static int is_wanted(const jabi_stream *str, jab_str task)
{
    const jabi_sasl_mech *mech = jabi_sasl_find_upgrade(task);
    return mech && str->cfg->password.n && str->sasl->mech->binds_channel &&
           jabi_sasl_class(mech) > jabi_sasl_class(str->sasl->mech);
}

static unsigned bit_of(const jabi_sasl_mech *mech)
{
    return 1u << jabi_sasl_class(mech);
}

void jabi_upgrade_write(jabi_stream *str, jabi_writer *w)
{
    const jab_xml *offer = jab_xml_child(str->features, JABI_NS_SASL2, "authentication");
    const jab_xml *el = jab_xml_child(offer, JABI_NS_UPGRADE, "upgrade");
    for (; el; el = jab_xml_next_named(el, JABI_NS_UPGRADE, "upgrade")) {
        if (!is_wanted(str, jab_xml_text(el)))
            continue;
        str->auth.asked_upgrades |= bit_of(jabi_sasl_find_upgrade(jab_xml_text(el)));
        jabi_writer_start(w, JAB_STR(JABI_NS_UPGRADE), JAB_STR("upgrade"));
        jabi_writer_text(w, jab_xml_text(el));
        jabi_writer_end(w);
    }
}

static int cannot(jabi_stream *str, jab_str task)
{
    (void)jabi_stream_fault(str, JAB_EUNSUPPORTED, JAB_AT_SASL, NULL,
                            "the server wants one more step of the log-in that is not known "
                            "here: " JAB_FMT,
                            (int)(task.n > 64 ? 64 : task.n), task.p ? task.p : "");
    return jabi_auth_give_up(str, JAB_EUNSUPPORTED);
}

static int next_task(jabi_stream *str, const jabi_sasl_mech *mech)
{
    jabi_sasl_input in = str->sasl->in;
    jabi_sasl *exchange;
    int err = jabi_sasl_new(&exchange, str->mem, mech, &in, NULL);
    if (err < 0)
        return jabi_auth_give_up(str, err);
    jabi_sasl_free(str->sasl);
    str->sasl = exchange;
    jabi_buf none;
    jabi_auth_secret_buf(str, &none);
    int has_initial;
    err = jabi_sasl_start(str->sasl, &none, &has_initial);
    jabi_buf_fini(&none);
    if (err < 0)
        return jabi_auth_give_up(str, err);
    str->auth.task_asked = 1;
    str->auth.asked_upgrades &= ~bit_of(mech); /* once */
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    jabi_writer_start(&w, JAB_STR(JABI_NS_SASL2), JAB_STR("next"));
    jabi_writer_attr(&w, JAB_STR("task"), jab_cstr(mech->name));
    err = jabi_stream_write_end(str, &w, mark, NULL);
    return err < 0 ? err : JABI_STEP_WAIT;
}

int jabi_upgrade_on_continue(jabi_stream *str, const jab_xml *el)
{
    int err = 0;
    if (!str->auth.proven)
        err = jabi_auth_verify(str, jab_xml_child(el, JABI_NS_SASL2, "additional-data"));
    if (err < 0)
        return err;
    const jab_xml *tasks = jab_xml_child(el, JABI_NS_SASL2, "tasks");
    const jab_xml *task = jab_xml_child(tasks, JABI_NS_SASL2, "task");
    jab_str first = jab_xml_text(task);
    for (; task; task = jab_xml_next_named(task, JABI_NS_SASL2, "task")) {
        const jabi_sasl_mech *mech = jabi_sasl_find_upgrade(jab_xml_text(task));
        /* Nobody gets a salted password who was not told that it is to be had. */
        if (mech && JAB_CHECK(UPGRADE_ASKED, str->auth.asked_upgrades & bit_of(mech)))
            return next_task(str, mech);
    }
    return cannot(str, first);
}

int jabi_upgrade_on_data(jabi_stream *str, const jab_xml *el)
{
    const jab_xml *salt = jab_xml_child(el, JABI_NS_SCRAM_UPGRADE, "salt");
    jab_str iterations = jab_xml_attr(salt, "iterations"), text = jab_xml_text(salt);
    if (!salt || iterations.n > 10 || text.n > 4096)
        return jabi_stream_broken(str, "bad-format", "sent a task that is not what it named");
    char challenge[4200];
    int n = snprintf(challenge, sizeof challenge, "%.*s,%.*s", (int)iterations.n,
                     iterations.p ? iterations.p : "", (int)text.n, text.p ? text.p : "");
    return jabi_auth_answer(str, (jab_str){challenge, (size_t)n});
}

void jabi_upgrade_write_response(jabi_writer *w, jab_str base64)
{
    jabi_writer_start(w, JAB_STR(JABI_NS_SASL2), JAB_STR("task-data"));
    jabi_writer_start(w, JAB_STR(JABI_NS_SCRAM_UPGRADE), JAB_STR("hash"));
    jabi_writer_text(w, base64);
}
