/* csi.c: XEP-0352 Client State Indication. */
#include <jabiru/csi.h>

#include "ext/ext.h"
#include "session/ext_out.h"

#define NS "urn:xmpp:csi:0"

typedef struct csi_state {
    int inactive;       /* nobody is looking */
    int told_inactive;  /* what the server believes of this stream */
    int asked_inactive; /* what was asked for with the resource */
} csi_state;

static int tell(jab_ext_ctx *x)
{
    csi_state *state = jab_ext_state(x);
    jab_session *s = jab_ext_session(x);
    if (state->inactive == state->told_inactive || !jab_session_online(s) ||
        !jab_ext_stream_feature(x, NS, "csi"))
        return 0;
    int err = jabi_write_nonza(s, NS, state->inactive ? "inactive" : "active");
    if (err == 0)
        state->told_inactive = state->inactive;
    return err;
}

int jab_csi_set_active(jab_session *s, int active)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_csi);
    csi_state *state = jab_ext_state(x);
    state->inactive = !active;
    return tell(x);
}

/* XEP-0352 §4.2, §5.2: every stream begins active, a resumed one, too. */
static int on_online(jab_ext_ctx *x, int resumed)
{
    csi_state *state = jab_ext_state(x);
    (void)resumed;
    state->told_inactive = jab_ext_was_inline(x) ? state->asked_inactive : 0;
    return tell(x);
}

/* XEP-0386 §3.2: the stream may begin in the other state. */
static const char *inline_name(jab_ext_ctx *x)
{
    csi_state *state = jab_ext_state(x);
    state->asked_inactive = state->inactive;
    return state->inactive ? "inactive" : NULL;
}

const jab_ext jabi_ext_csi = {
    .size = sizeof(jab_ext),
    .name = "csi",
    .spec = "XEP-0352 1.0.0",
    .state_size = sizeof(csi_state),
    .online = on_online,
    .inline_ns = NS,
    .inline_name = inline_name,
};
