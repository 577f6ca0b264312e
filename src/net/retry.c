/* retry.c: whether and when to connect again. */
#include "net/retry.h"

int64_t jabi_backoff_next(jabi_backoff *b, jab_random_fn random, void *random_arg)
{
    uint64_t bound = JABI_RETRY_FIRST;
    for (unsigned i = 0; i < b->tries && bound < JABI_RETRY_MAX; i++)
        bound += bound / 2;
    if (bound > JABI_RETRY_MAX)
        bound = JABI_RETRY_MAX;
    if (b->tries < 32)
        b->tries++;
    uint64_t dice = 0;
    if (random(random_arg, &dice, sizeof dice) < 0)
        return (int64_t)bound;
    return (int64_t)(dice % (bound + 1));
}

void jabi_backoff_was_online(jabi_backoff *b, int64_t span)
{
    if (span >= JABI_RETRY_STABLE)
        b->tries = 0;
}

static int is_one_of(jab_str condition, const char *const *list)
{
    for (; *list; list++)
        if (jab_str_is(condition, *list))
            return 1;
    return 0;
}

int jabi_retry_allowed(const jab_fault *fault)
{
    /* Stream errors that the same log-in would meet again, or that two
     * clients would throw at each other for ever (RFC 6120 §4.9.3.3). */
    static const char *const final[] = {"conflict", "policy-violation", "not-authorized",
                                        "host-unknown", NULL};
    /* RFC 6120 §6.5.9: the password was not even looked at. */
    if (fault->code == JAB_EAUTH && jab_str_is(fault->condition, "temporary-auth-failure"))
        return 1;
    jab_err_kind kind = jab_err_class(fault->code);
    if (kind == JAB_ERR_CREDENTIALS || kind == JAB_ERR_CALLER || fault->code == JAB_ECERT)
        return 0;
    return fault->code != JAB_ESTREAM || !is_one_of(fault->condition, final);
}

int jabi_other_target_may_help(const jab_fault *fault)
{
    static const int codes[] = {JAB_ECONNECT, JAB_ETIMEOUT, JAB_EEOF,    JAB_EIO,   JAB_ETLS,
                                JAB_ECERT,    JAB_ENOTLS,   JAB_EBADXML, JAB_EPROTO};
    static const char *const conditions[] = {"system-shutdown", "internal-server-error",
                                             "remote-connection-failed", "resource-constraint",
                                             NULL};
    if (fault->stage >= JAB_AT_SASL)
        return 0;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == fault->code)
            return 1;
    return fault->code == JAB_ESTREAM && is_one_of(fault->condition, conditions);
}

int jabi_fault_rank(int code)
{
    static const int by_rank[] = {JAB_ECONNECT, JAB_EIO,     JAB_ETIMEOUT, JAB_EEOF,   JAB_EBADXML,
                                  JAB_EPROTO,   JAB_ESTREAM, JAB_ETLS,     JAB_ENOTLS, JAB_ECERT};
    for (int i = 0; i < (int)(sizeof by_rank / sizeof *by_rank); i++)
        if (by_rank[i] == code)
            return i + 1;
    return 0;
}
