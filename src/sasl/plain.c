/* plain.c: PLAIN (RFC 4616): the password itself, so only inside TLS. */
#include "sasl/mech.h"

#include "base/utf8.h"

/* RFC 4616 §2: SAFE is any UTF-8 character but NUL, which is the delimiter.
 * Nothing is normalised: how to compare is the server's choice. */
static int is_safe(jab_str s)
{
    return s.n == 0 || (!memchr(s.p, '\0', s.n) && jabi_utf8_valid(s));
}

static int start(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    const jabi_sasl_input *in = &x->in;
    *has_initial = 1;
    if (in->username.n == 0)
        return jabi_sasl_fail(x, JAB_EINVAL, "PLAIN needs a user name, and the address has none");
    if (!is_safe(in->authzid) || !is_safe(in->username) || !is_safe(in->password))
        return jabi_sasl_fail(x, JAB_EINVAL, "user name or password is not UTF-8, or has a NUL");
    jabi_buf_add_str(out, in->authzid);
    jabi_buf_add_char(out, '\0');
    jabi_buf_add_str(out, in->username);
    jabi_buf_add_char(out, '\0');
    jabi_buf_add_str(out, in->password);
    return JABI_SASL_SEND;
}

const jabi_sasl_mech jabi_sasl_plain = {
    .name = "PLAIN",
    .strength = -20,
    .safety = 1,
    .needs_password = 1,
    .start = start,
};
