/* sasl.c: the table of mechanisms, and the order in which one may be used. */
#include "sasl/mech.h"

#include "base/base64.h"
#include "base/check.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

/* Best first. Channel binding comes before the hash: it alone notices a
 * man in the middle who holds a certificate. */
static const jabi_sasl_mech *const mechs[] = {
    &jabi_scram_sha512_plus, &jabi_scram_sha256_plus, &jabi_scram_sha1_plus, &jabi_scram_sha512,
    &jabi_scram_sha256,      &jabi_scram_sha1,        &jabi_sasl_external,   &jabi_sasl_oauthbearer,
    &jabi_sasl_digest_md5,   &jabi_sasl_plain,        &jabi_sasl_anonymous,
};

const jabi_sasl_mech *const *jabi_sasl_mechs(size_t *n)
{
    *n = sizeof mechs / sizeof *mechs;
    return mechs;
}

const jabi_sasl_mech *jabi_sasl_find(jab_str name)
{
    for (size_t i = 0; i < sizeof mechs / sizeof *mechs; i++)
        if (jab_str_is(name, mechs[i]->name))
            return mechs[i];
    for (size_t i = 0; i < JABI_SASL_HT_COUNT; i++)
        if (jab_str_is(name, jabi_sasl_ht[i].name))
            return &jabi_sasl_ht[i];
    return NULL;
}

int jabi_sasl_fail(jabi_sasl *x, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(x->error, sizeof x->error, format, args);
    va_end(args);
    return code;
}

int jabi_sasl_nonce(jabi_sasl *x, jabi_buf *out)
{
    uint8_t bytes[24];
    if (!x->in.random || x->in.random(x->in.random_arg, bytes, sizeof bytes) < 0)
        return jabi_sasl_fail(x, JAB_ECRYPTO, "no random numbers for a nonce");
    jabi_base64_encode(out, bytes, sizeof bytes);
    return out->error;
}

/* What may come next. */
enum { PHASE_NEW, PHASE_OPEN, PHASE_WORKING, PHASE_OVER };

#define MIN_ITERATIONS 4096
#define MAX_ITERATIONS 2000000

static int has_keys(const jabi_sasl_mech *mech, const jabi_sasl_input *in)
{
    for (size_t i = 0; mech->takes_keys && i < in->n_keys; i++)
        if (in->keys[i].iterations > 0 && in->keys[i].hash == (jabi_hash)mech->variant)
            return 1;
    return 0;
}

int jabi_sasl_has_secret(const jabi_sasl_mech *mech, const jabi_sasl_input *in)
{
    return (!mech->needs_password || in->password.n || has_keys(mech, in)) &&
           (!mech->needs_certificate || in->has_client_cert) &&
           (!mech->needs_token || in->token.n) && (!mech->needs_bearer || in->bearer.n);
}

static int has_binding(const jabi_sasl_mech *mech, const jabi_sasl_input *in)
{
    return in->cb_type.p && in->cb_data.n &&
           (!mech->binding || jab_str_is(in->cb_type, mech->binding));
}

static int check_input(const jabi_sasl_mech *mech, const jabi_sasl_input *in)
{
    if (!jabi_sasl_has_secret(mech, in))
        return JAB_ENOSECRET;
    return mech->binds_channel && !has_binding(mech, in) ? JAB_EINVAL : 0;
}

int jabi_sasl_new(jabi_sasl **out, const jab_mem *mem, const jabi_sasl_mech *mech,
                  const jabi_sasl_input *in, jabi_sasl_cache *cache)
{
    *out = NULL;
    int err = check_input(mech, in);
    if (err < 0)
        return err;
    jabi_sasl *x = jabi_alloc0(mem, sizeof *x);
    if (!x)
        return JAB_ENOMEM;
    *x = (jabi_sasl){.mech = mech, .mem = mem, .in = *in, .cache = cache};
    if (x->in.authzid.n == 0)
        x->in.authzid = (jab_str){NULL, 0};
    if (x->in.min_iterations == 0)
        x->in.min_iterations = MIN_ITERATIONS;
    if (x->in.max_iterations == 0)
        x->in.max_iterations = MAX_ITERATIONS;
    x->state = jabi_alloc0(mem, mech->state_size);
    if (!x->state) {
        jabi_free(mem, x);
        return JAB_ENOMEM;
    }
    *out = x;
    return 0;
}

void jabi_sasl_free(jabi_sasl *x)
{
    if (!x)
        return;
    if (x->mech->wipe)
        x->mech->wipe(x);
    const jab_mem *mem = x->mem;
    jabi_wipe(x->state, x->mech->state_size);
    jabi_free(mem, x->state);
    jabi_wipe(x, sizeof *x);
    jabi_free(mem, x);
}

/* Notes how a call ended; after an error, nothing that it wrote stays. */
static int settle(jabi_sasl *x, int code, jabi_buf *out, size_t mark)
{
    if (code >= 0 && out->error < 0)
        code = out->error;
    if (code < 0) {
        x->phase = PHASE_OVER;
        if (out->n > mark)
            jabi_wipe(out->p + mark, out->n - mark);
        out->n = mark;
        return code;
    }
    x->phase = code == JABI_SASL_WORK ? PHASE_WORKING : PHASE_OPEN;
    return code;
}

void jabi_sasl_set_offer(jabi_sasl *x, const jabi_sasl_offer *offer)
{
    x->offer = *offer;
}

int jabi_sasl_class(const jabi_sasl_mech *mech)
{
    return mech->safety;
}

int jabi_sasl_start(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    if (x->phase != PHASE_NEW)
        return JAB_ESTATE;
    size_t mark = out->n;
    *has_initial = 1;
    return settle(x, x->mech->start(x, out, has_initial), out, mark);
}

int jabi_sasl_step(jabi_sasl *x, jab_str challenge, jabi_buf *out)
{
    if (x->phase == PHASE_WORKING) {
        /* RFC 4422 §3.3: challenge and response take turns. */
        x->phase = PHASE_OVER;
        return jabi_sasl_fail(x, JAB_EPROTO, "the server sent a challenge before our response");
    }
    if (x->phase != PHASE_OPEN)
        return JAB_ESTATE;
    size_t mark = out->n;
    int code = x->mech->step ? x->mech->step(x, challenge, out)
                             : jabi_sasl_fail(x, JAB_EPROTO, "%s has no challenge, but one came",
                                              x->mech->name);
    return settle(x, code, out, mark);
}

int jabi_sasl_work(jabi_sasl *x, jabi_buf *out)
{
    if (x->phase != PHASE_WORKING || !x->mech->work)
        return JAB_ESTATE;
    size_t mark = out->n;
    return settle(x, x->mech->work(x, out), out, mark);
}

int jabi_sasl_success(jabi_sasl *x, jab_str data)
{
    if (x->phase != PHASE_OPEN && x->phase != PHASE_WORKING)
        return JAB_ESTATE;
    x->phase = PHASE_OVER;
    int code = 0;
    if (x->mech->success)
        code = x->mech->success(x, data);
    else if (data.n > 0)
        code = jabi_sasl_fail(x, JAB_EPROTO, "%s has no data with success, but some came",
                              x->mech->name);
    if (code < 0)
        return code;
    if (x->mech->proves_server && !JAB_CHECK(SERVER_PROOF, x->proven))
        return jabi_sasl_fail(x, JAB_EPROOF,
                              "the server reported success without proving that it knows the "
                              "password: it may not be the real one");
    return 0;
}
