/* anonymous.c: ANONYMOUS (RFC 4505). */
#include "sasl/mech.h"

/* RFC 4505 §2: trace information is optional and would tell who the user is. */
static int start(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    (void)x;
    (void)out;
    *has_initial = 1;
    return JABI_SASL_SEND;
}

const jabi_sasl_mech jabi_sasl_anonymous = {
    .name = "ANONYMOUS",
    .strength = -30,
    .start = start,
};
