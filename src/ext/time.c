/* time.c: XEP-0202 Entity Time, both ways; the own time zone stays private. */
#include <jabiru/datetime.h>
#include <jabiru/time.h>

#include "ext/ext.h"
#include "ext/text.h"

#define NS "urn:xmpp:time"

static int on_query(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    (void)el;
    char utc[JAB_DATETIME_SIZE];
    if (!jabi_is_get(st))
        return JAB_PASS;
    int64_t second = jab_ext_wall(x) / 1000 * 1000;
    if (jab_datetime_format(second, utc) < 0)
        return jab_ext_refuse(x, st, "wait", "internal-server-error");
    jab_out *o = jab_ext_result(x, st);
    jab_out_child(o, NS, "time");
    jab_out_leaf(o, "tzo", JAB_STR("Z"));
    jab_out_leaf(o, "utc", jab_cstr(utc));
    return jabi_answered(jab_out_send(o, 0));
}

static int two_digits(const char *p)
{
    int tens = p[0] - '0', ones = p[1] - '0';
    return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}

/* "Z", "+02:00" (XEP-0082 §3.2). 0, or JAB_EPROTO. */
static int read_offset(jab_str tzo, int *minutes)
{
    *minutes = 0;
    if (jab_str_is(tzo, "Z"))
        return 0;
    if (tzo.n != 6 || (tzo.p[0] != '+' && tzo.p[0] != '-') || tzo.p[3] != ':')
        return JAB_EPROTO;
    int hour = two_digits(tzo.p + 1), minute = two_digits(tzo.p + 4);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return JAB_EPROTO;
    *minutes = (hour * 60 + minute) * (tzo.p[0] == '-' ? -1 : 1);
    return 0;
}

static int on_reply(jab_ext_ctx *x, uint64_t tag, const jab_iq_reply *reply)
{
    jab_time_reply *ev = jab_ext_emit_reply(x, JAB_EV_TIME, tag, sizeof *ev);
    if (!ev)
        return 0;
    ev->error = jabi_reply_error(reply, NS, "time");
    ev->refusal = reply->refusal;
    ev->from = jabi_reply_from(reply);
    if (ev->error == 0 && (jab_datetime_parse(jabi_leaf(reply->payload, NS, "utc"), &ev->utc) < 0 ||
                           read_offset(jabi_leaf(reply->payload, NS, "tzo"), &ev->offset) < 0))
        ev->error = JAB_EPROTO;
    return 0;
}

int jab_time_query(jab_session *s, jab_str to, uint64_t tag)
{
    jab_out *o = jabi_ext_ask(s, &jabi_ext_time, to, JAB_IQ_GET, on_reply);
    jab_out_child(o, NS, "time");
    return jab_out_send(o, tag);
}

static const jab_route routes[] = {
    {JAB_STAGE_ANSWER, JAB_IQ, JAB_FROM_ANY, NS, "time", on_query},
};

const jab_ext jabi_ext_time = {
    .size = sizeof(jab_ext),
    .name = "time",
    .spec = "XEP-0202 2.0",
    .features = JAB_LIST(NS),
    JAB_ROUTES(routes),
};
