/* bounce.c: RFC 6120 §8.3: messages of the application that come back, told
 * with the tag that they were sent with. */
#include "base/check.h"
#include "ext/ext.h"
#include "session/recent.h"
#include "session/sm.h"

static int tell(jab_session *s, const jab_stanza *st, jabi_recent_row *row)
{
    uint64_t tag = row->tag;
    jab_sent sent = {.id = jab_stanza_id(st), .state = JAB_SENT_FAILED};
    int err = jabi_sm_failed(s, sent.id, &tag);
    if (err < 0)
        return err;
    sent.to = jabi_recent_to(s, row, st);
    jab_stanza_error_read(st, &sent.refusal);
    err = jabi_sent_emit(s, tag, &sent);
    if (err < 0)
        return err;
    jabi_recent_fail(s, row);
    return JAB_PASS;
}

/* Whoever else says that a message came back knows only its id. */
static int on_message(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    (void)el;
    if (!jab_str_is(jab_stanza_type(st), "error") || (jab_stanza_via(st) & JAB_VIA_CARBON_SENT))
        return JAB_PASS;
    jab_session *s = jab_ext_session(x);
    jabi_recent_row *row = jabi_recent_find(s, jab_stanza_id(st));
    if (!row || row->failed || !JAB_CHECK(BOUNCE_SENDER, jabi_recent_went_to(s, row, st)))
        return JAB_PASS;
    return tell(s, st, row);
}

static const jab_route routes[] = {
    {JAB_STAGE_OBSERVE, JAB_MESSAGE, JAB_FROM_ANY, NULL, NULL, on_message},
};

const jab_ext jabi_ext_bounce = {
    .size = sizeof(jab_ext),
    .name = "bounce",
    .needs = JAB_LIST("message"),
    JAB_ROUTES(routes),
};
