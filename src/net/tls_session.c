/*
 * tls_session.c: TLS sessions that are resumed (RFC 8446 §2.2, RFC 5077): what the
 * server gives is kept as bytes, and offered to it the next time.
 *
 * A resumed handshake shows no certificate. What the first one showed is in the
 * session, and is judged again: before it is offered, and by judge() in tls.c
 * after. The chain above it is not, so the time since it was verified in full is
 * bounded. Servers that DANE speaks for, and clients that show a certificate of
 * their own, always do the full handshake.
 */
#include <openssl/err.h>
#include <time.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/pack.h"
#include "net/tls.h"

/* -- Whose it is ------------------------------------------------------------------ */

int jabi_tls_session_key(uint8_t key[32], const jab_config *cfg, const char *domain,
                         const char *host, uint16_t port, int direct)
{
    jabi_buf text;
    uint8_t digest[JABI_HASH_MAX];
    jabi_buf_init(&text, cfg->mem, 1 << 16);
    jabi_pack_number(&text, 1); /* of this form */
    jabi_pack_number(&text, (uint64_t)port << 1 | (direct != 0));
    const jab_str parts[] = {jab_cstr(domain), jab_cstr(host), cfg->jid, cfg->ca_file,
                             cfg->pin_sha256};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        jabi_pack_str(&text, parts[i]);
    jab_str all = jabi_buf_str(&text);
    int err = text.error ? text.error : jabi_hash_parts(JABI_SHA256, &all, 1, digest);
    jabi_buf_fini(&text);
    if (err == 0)
        memcpy(key, digest, 32);
    return err;
}

/* -- Out ------------------------------------------------------------------------- */

int jabi_tls_on_session(SSL *ssl, SSL_SESSION *session)
{
    jabi_tls *t = SSL_get_app_data(ssl);
    SSL_SESSION_free(t->fresh);
    t->fresh = session; /* the reference is ours: RFC 8446 §4.6.1, the newest is the best */
    return 1;
}

/* Below TLS 1.3 a session is known once the handshake is over. RFC 7627 §5.3: one without
 * the extended master secret must not be resumed where channels are bound. */
static SSL_SESSION *take_fresh(jabi_tls *t)
{
    SSL_SESSION *session = t->fresh;
    t->fresh = NULL;
    if (t->info.version < 13 && SSL_get_extms_support(t->ssl) == 1 && !session && !t->was_taken)
        session = SSL_get1_session(t->ssl);
    if (session && t->info.version < 13 && SSL_get_extms_support(t->ssl) != 1) {
        SSL_SESSION_free(session);
        session = NULL;
    }
    t->was_taken = 1;
    return session;
}

static int write_session(const jabi_tls *t, SSL_SESSION *session, jabi_buf *out)
{
    unsigned char *der = NULL;
    int n = i2d_SSL_SESSION(session, &der);
    if (n <= 0)
        return 0;
    jabi_buf_reset(out);
    jabi_pack_str(out, (jab_str){(const char *)t->session_key, sizeof t->session_key});
    jabi_pack_number(out, (uint64_t)t->verified_at);
    jabi_pack_str(out, (jab_str){(const char *)der, (size_t)n});
    OPENSSL_clear_free(der, (size_t)n);
    return out->error == 0;
}

int jabi_tls_keep_session(jabi_tls *t, jabi_buf *out)
{
    if (!t->may_resume || !t->info.verified)
        return 0;
    SSL_SESSION *session = take_fresh(t);
    int is_kept = session && SSL_SESSION_is_resumable(session) && write_session(t, session, out);
    SSL_SESSION_free(session);
    ERR_clear_error();
    return is_kept;
}

/* -- In -------------------------------------------------------------------------- */

int jabi_tls_dates_hold(X509 *cert, int64_t wall)
{
    time_t now = (time_t)(wall / 1000);
    return X509_cmp_time(X509_get0_notBefore(cert), &now) < 0 &&
           X509_cmp_time(X509_get0_notAfter(cert), &now) > 0;
}

/* Whether a session of then may stand for the full handshake of now. */
static int holds(const jabi_tls *t, SSL_SESSION *session, jab_str key, int64_t verified_at)
{
    X509 *cert = SSL_SESSION_get0_peer(session);
    int is_ours = jab_str_eq(key, (jab_str){(const char *)t->session_key, sizeof t->session_key});
    int is_young = verified_at <= t->wall && t->wall - verified_at < JABI_TLS_SESSION_AGE;
    return cert &&
           JAB_CHECK(SESSION_HOLDS, is_ours && is_young && jabi_tls_dates_hold(cert, t->wall)) &&
           jabi_cert_matches(cert, t->domain) && SSL_SESSION_is_resumable(session);
}

static SSL_SESSION *read_session(jab_str der)
{
    const unsigned char *p = (const unsigned char *)der.p;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &p, (long)der.n);
    if (session && p == (const unsigned char *)der.p + der.n)
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

static int offer(jabi_tls *t, jab_str kept)
{
    jabi_unpack u = jabi_unpack_begin(kept);
    jab_str key = jabi_unpack_bytes(&u);
    int64_t verified_at = (int64_t)jabi_unpack_number(&u);
    jab_str der = jabi_unpack_bytes(&u);
    if (!jabi_unpack_is_whole(&u) || !der.p)
        return 0;
    SSL_SESSION *session = read_session(der);
    int is_offered =
        session && holds(t, session, key, verified_at) && SSL_set_session(t->ssl, session) == 1;
    if (is_offered)
        t->verified_at = verified_at;
    SSL_SESSION_free(session);
    return is_offered;
}

int jabi_tls_allow_session(jabi_tls *t, const uint8_t key[32], jab_str kept, int64_t wall)
{
    memcpy(t->session_key, key, sizeof t->session_key);
    t->wall = t->verified_at = wall;
    if (t->ctx->client_cert.p) /* a resumed handshake asks for none: EXTERNAL would not be known */
        return 0;
    t->may_resume = 1;
    t->is_offered = kept.p && kept.n <= JABI_TLS_SESSION_BYTES && offer(t, kept);
    ERR_clear_error();
    return t->is_offered;
}

/* -- Early data ------------------------------------------------------------------- */

size_t jabi_tls_early_room(jabi_tls *t)
{
    SSL_SESSION *session = t->is_offered ? SSL_get0_session(t->ssl) : NULL;
    if (!session || SSL_SESSION_get_protocol_version(session) != TLS1_3_VERSION)
        return 0;
    jabi_tls_expect_info(t, session);
    return SSL_SESSION_get_max_early_data(session);
}

int jabi_tls_send_early(jabi_tls *t, const void *p, size_t n)
{
    ERR_clear_error();
    t->is_holding = 1; /* the handshake's first flight is one write */
    for (size_t sent = 0; t->early_n < n; t->early_n += sent)
        if (SSL_write_early_data(t->ssl, (const char *)p + t->early_n, n - t->early_n, &sent) != 1)
            return jabi_tls_fail(t, JAB_ETLS, "early data could not be sent");
    return 0;
}

size_t jabi_tls_early_taken(const jabi_tls *t)
{
    return SSL_get_early_data_status(t->ssl) == SSL_EARLY_DATA_ACCEPTED ? t->early_n : 0;
}
