/* origin.c: XEP-0359 Unique and Stable Stanza IDs: an id by which a message
 * that may have been sent is found again in the archive. */
#include "ext/ext.h"
#include "session/ext_out.h"

#define NS "urn:xmpp:sid:0"

/* Without a store nobody looks for it. */
static int add_origin(jab_ext_ctx *x, jab_out *o)
{
    if (!jab_ext_store(x) || !jabi_out_is_ours(o) || jabi_out_has(o, NS, "origin-id"))
        return 0;
    jab_out_child(o, NS, "origin-id");
    jab_out_attr(o, "id", jab_out_id(o));
    jab_out_end(o);
    return 0;
}

const jab_ext jabi_ext_origin = {
    .size = sizeof(jab_ext),
    .name = "origin",
    .spec = "XEP-0359 0.7.0",
    .outgoing = add_origin,
};
