/* digest_md5.c: DIGEST-MD5 (RFC 2831), qop=auth. Obsolete (RFC 6331), and
 * used only when the account names it. */
#include "sasl/digest_md5.h"

#include "base/check.h"
#include "base/mem.h"
#include "sasl/digest_text.h"
#include "sasl/mech.h"

#define TEXT_MAX 65536

enum { STAGE_NEW, STAGE_AGAIN_SENT, STAGE_SENT, STAGE_PROVEN };

typedef struct digest {
    int stage;
    jabi_digest_memory now; /* what this authentication goes by */
    char rspauth[33];       /* what the server must answer */
} digest;

static int key_of(const jabi_sasl *x, uint8_t key[32])
{
    const jab_str parts[] = {x->in.username, x->in.domain, x->in.authzid, x->in.password};
    return jabi_sasl_key(parts, sizeof parts / sizeof *parts, key);
}

static void init_now(jabi_sasl *x)
{
    digest *d = x->state;
    jabi_digest_forget(&d->now);
    jabi_buf_init(&d->now.realm, x->mem, TEXT_MAX);
    jabi_buf_init(&d->now.nonce, x->mem, TEXT_MAX);
    jabi_buf_init(&d->now.cnonce, x->mem, TEXT_MAX);
}

/* Computes and sends the response that d->now describes. */
static int respond(jabi_sasl *x, jabi_buf *out)
{
    digest *d = x->state;
    jabi_buf uri, text;
    jabi_buf_init(&uri, x->mem, TEXT_MAX);
    jabi_buf_init(&text, x->mem, TEXT_MAX);
    jabi_buf_add_z(&uri, "xmpp/");
    jabi_buf_add_str(&uri, x->in.domain);
    const jabi_digest_terms t = {
        .username = x->in.username,
        .password = x->in.password,
        .authzid = x->in.authzid,
        .realm = jabi_buf_str(&d->now.realm),
        .nonce = jabi_buf_str(&d->now.nonce),
        .cnonce = jabi_buf_str(&d->now.cnonce),
        .uri = jabi_buf_str(&uri),
        .nc = d->now.nc,
        .utf8 = d->now.utf8,
    };
    int err = uri.error < 0 ? uri.error : jabi_digest_respond(&t, &text, d->rspauth);
    if (err == 0)
        jabi_buf_add_str(out, jabi_buf_str(&text));
    if (err == JAB_EUNSUPPORTED)
        jabi_sasl_fail(x, err,
                       "DIGEST-MD5 of this server is limited to ISO 8859-1, and the user "
                       "name or password has other characters");
    jabi_buf_fini(&uri);
    jabi_buf_fini(&text);
    return err < 0 ? err : JABI_SASL_SEND;
}

/* RFC 2831 §2.2: takes up an earlier authentication of the same user. It is
 * out of the cache until the server accepts it: whatever goes wrong, the next
 * log-in starts afresh and no nonce count is used twice. */
static int take_up(jabi_sasl *x)
{
    digest *d = x->state;
    uint8_t key[32];
    if (!x->cache || x->cache->digest.nc == 0 || x->cache->digest.nc == UINT32_MAX)
        return 0;
    int err = key_of(x, key);
    if (err < 0 || !jabi_equal_secret(key, x->cache->digest.key, sizeof key))
        return err;
    d->now = x->cache->digest;
    memset(&x->cache->digest, 0, sizeof x->cache->digest);
    d->now.nc++;
    return 1;
}

static int start(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    digest *d = x->state;
    if (x->in.username.n == 0)
        return jabi_sasl_fail(x, JAB_EINVAL,
                              "DIGEST-MD5 needs a user name, and the address has none");
    int again = take_up(x);
    if (again < 0)
        return again;
    *has_initial = again;
    d->stage = again ? STAGE_AGAIN_SENT : STAGE_NEW;
    return again ? respond(x, out) : JABI_SASL_SEND;
}

/* RFC 2831 §2.1.1: what a challenge must have for us to answer it. */
static const char *check_challenge(const jabi_digest_challenge *c)
{
    if (c->nonce.n == 0)
        return "has no nonce";
    if (!jabi_digest_same(c->algorithm, "md5-sess"))
        return "is not for the algorithm md5-sess";
    if (c->charset.p && !jabi_digest_same(c->charset, "utf-8"))
        return "has an unknown charset";
    if (c->stale.p && !jabi_digest_same(c->stale, "true"))
        return "has a wrong \"stale\"";
    if (!jabi_digest_offers_auth(c->qop))
        return "does not offer qop \"auth\"";
    return NULL;
}

/* A digest-challenge. With or without `stale`, which tells whether to ask the
 * user again: the password that we were given is the answer either way. */
static int on_challenge(jabi_sasl *x, const jabi_digest_challenge *c, jabi_buf *out)
{
    digest *d = x->state;
    const char *wrong = check_challenge(c);
    if (wrong)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server's DIGEST-MD5 challenge %s", wrong);
    init_now(x);
    d->now.nc = 1;
    d->now.utf8 = c->charset.p != NULL;
    jabi_buf_add_str(&d->now.nonce, c->nonce);
    /* Some servers name no realm and mean their domain. */
    jabi_buf_add_str(&d->now.realm, c->realm.p ? c->realm : x->in.domain);
    int err = d->now.nonce.error < 0 ? d->now.nonce.error : d->now.realm.error;
    if (err == 0)
        err = jabi_sasl_nonce(x, &d->now.cnonce);
    if (err == 0)
        err = key_of(x, d->now.key);
    if (err < 0)
        return err;
    d->stage = STAGE_SENT;
    return respond(x, out);
}

/* RFC 2831 §2.1.3 */
static int on_rspauth(jabi_sasl *x, jab_str rspauth)
{
    digest *d = x->state;
    int equal = rspauth.n == 32 && jabi_equal_secret(rspauth.p, d->rspauth, 32);
    if (!JAB_CHECK(DIGEST_RSPAUTH, equal))
        return jabi_sasl_fail(x, JAB_EPROOF,
                              "the server's proof is wrong: it does not know the password");
    x->proven = 1;
    d->stage = STAGE_PROVEN;
    return JABI_SASL_SEND;
}

static int on_message(jabi_sasl *x, const jabi_digest_challenge *c, jabi_buf *out)
{
    const digest *d = x->state;
    int may_challenge = d->stage == STAGE_NEW || d->stage == STAGE_AGAIN_SENT;
    /* Before our response there is nothing to compare a proof with. */
    if (c->rspauth.p && d->stage != STAGE_NEW)
        return on_rspauth(x, c->rspauth);
    if (may_challenge && out)
        return on_challenge(x, c, out);
    return jabi_sasl_fail(x, JAB_EPROOF, "the server's answer has no proof (rspauth)");
}

static int read_and_act(jabi_sasl *x, jab_str text, jabi_buf *out)
{
    jabi_digest_challenge c;
    jabi_buf store;
    const char *wrong;
    jabi_buf_init(&store, x->mem, TEXT_MAX);
    int err = jabi_digest_read(text, x->in.domain, &store, &c, &wrong);
    if (err == JAB_EPROTO)
        jabi_sasl_fail(x, err, "the server's DIGEST-MD5 challenge %s", wrong);
    if (err == 0)
        err = on_message(x, &c, out);
    jabi_buf_fini(&store);
    return err;
}

static int step(jabi_sasl *x, jab_str challenge, jabi_buf *out)
{
    const digest *d = x->state;
    if (d->stage == STAGE_PROVEN)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server sent one challenge too many");
    return read_and_act(x, challenge, out);
}

static void remember(jabi_sasl *x)
{
    digest *d = x->state;
    if (!x->cache || !x->proven)
        return;
    jabi_digest_forget(&x->cache->digest);
    x->cache->digest = d->now;
    memset(&d->now, 0, sizeof d->now);
}

static int success(jabi_sasl *x, jab_str data)
{
    int err = data.n ? read_and_act(x, data, NULL) : 0;
    if (err == 0)
        remember(x);
    return err;
}

static void wipe(jabi_sasl *x)
{
    digest *d = x->state;
    jabi_digest_forget(&d->now);
}

const jabi_sasl_mech jabi_sasl_digest_md5 = {
    .name = "DIGEST-MD5",
    .strength = -10,
    .safety = 2,
    .needs_password = 1,
    .proves_server = 1,
    .state_size = sizeof(digest),
    .start = start,
    .step = step,
    .success = success,
    .wipe = wipe,
};
