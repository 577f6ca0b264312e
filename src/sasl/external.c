/* external.c: EXTERNAL (RFC 4422 appendix A): the TLS client certificate
 * says who we are. */
#include "sasl/mech.h"

#include "base/utf8.h"

/* RFC 4422 §A.1: the authorization identity or nothing, without NUL. */
static int start(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    jab_str authzid = x->in.authzid;
    *has_initial = 1;
    if (authzid.n && (memchr(authzid.p, '\0', authzid.n) || !jabi_utf8_valid(authzid)))
        return jabi_sasl_fail(x, JAB_EINVAL, "the authorization identity is not UTF-8");
    jabi_buf_add_str(out, authzid);
    return JABI_SASL_SEND;
}

const jabi_sasl_mech jabi_sasl_external = {
    .name = "EXTERNAL",
    .strength = 0,
    .safety = 6,
    .needs_certificate = 1,
    .start = start,
};
