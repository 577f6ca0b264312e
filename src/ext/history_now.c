/* history_now.c: catching up with the own archive when the application says
 * so, without a presence that would tell others of it. */
#include "ext/history.h"

static history_archive *own_archive(jab_ext_ctx *x, int *err)
{
    history_state *state = jab_ext_state(x);
    *err = 0;
    if (state->own) /* none: the stream was resumed from another process */
        return state->own;
    jab_session *s = jab_ext_session(x);
    state->own = jabi_history_archive_add(x, jab_session_jid(s)->bare, err);
    if (state->own)
        state->own->is_own = 1;
    return state->own;
}

int jab_history_catch_up(jab_session *s)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_history);
    int err = 0;
    if (!x || !jab_ext_store(x))
        return JAB_ESTATE;
    if (!jab_session_online(s))
        return JAB_EOFFLINE;
    history_archive *own = own_archive(x, &err);
    if (!own)
        return err;
    if (own->is_none)
        return JAB_EUNSUPPORTED;
    jabi_history_pass_want(x, own, 1);
    return 0;
}
