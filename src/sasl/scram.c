/* scram.c: SCRAM-SHA-1, -256, -512 and their -PLUS (RFC 5802, RFC 7677;
 * channel bindings by RFC 5929 and RFC 9266). `variant` is the hash. */
#include "sasl/scram.h"

#include "base/base64.h"
#include "base/check.h"
#include "base/mem.h"
#include "sasl/mech.h"
#include "sasl/pbkdf2.h"
#include "sasl/prep.h"
#include "sasl/scram_text.h"

#define SALT_MAX     1024
#define TEXT_MAX     65536
#define PASSWORD_MAX 65536

enum { STAGE_NEW, STAGE_FIRST_SENT, STAGE_COMPUTING, STAGE_FINAL_SENT, STAGE_PROVEN };

typedef struct scram {
    int stage;
    jabi_buf nonce;     /* ours */
    jabi_buf binding;   /* cbind-input: gs2-header and the channel's data */
    jabi_buf message;   /* client-first-message-bare, later AuthMessage */
    size_t final_at;    /* where client-final-message-without-proof begins in it */
    jabi_pbkdf2 pbkdf2; /* SaltedPassword, when that takes long */
    uint8_t salted_key[32];
    uint8_t salted[JABI_HASH_MAX];
    uint8_t expected[JABI_HASH_MAX]; /* ServerSignature */
} scram;

static jabi_hash hash_of(const jabi_sasl *x)
{
    return (jabi_hash)x->mech->variant;
}

/* gs2-header (RFC 5802 §7), and with "p" the channel's data behind it. */
static size_t add_binding(jabi_sasl *x, jabi_buf *b)
{
    if (x->mech->binds_channel) {
        jabi_buf_add_z(b, "p=");
        jabi_buf_add_str(b, x->in.cb_type);
    } else {
        jabi_buf_add_char(b, x->in.cb_supported ? 'y' : 'n');
    }
    jabi_buf_add_char(b, ',');
    if (x->in.authzid.n) {
        jabi_buf_add_z(b, "a=");
        jabi_scram_add_name(b, x->in.authzid);
    }
    jabi_buf_add_char(b, ',');
    size_t header_n = b->n;
    if (x->mech->binds_channel)
        jabi_buf_add_str(b, x->in.cb_data);
    return header_n;
}

/* client-first-message-bare. RFC 5802 §5.1: the name prepared by SASLprep. */
static int add_first_bare(jabi_sasl *x, jabi_buf *b)
{
    scram *s = x->state;
    jabi_buf name;
    jabi_buf_init(&name, x->mem, TEXT_MAX);
    int err = jabi_saslprep(&name, x->in.username);
    if (err == JAB_EINVAL)
        jabi_sasl_fail(x, err, "%s",
                       x->in.username.n ? "the user name has characters that SASL does not allow"
                                        : "SCRAM needs a user name, and the address has none");
    jabi_buf_add_z(b, "n=");
    jabi_scram_add_name(b, jabi_buf_str(&name));
    jabi_buf_add_z(b, ",r=");
    jabi_buf_add_str(b, jabi_buf_str(&s->nonce));
    jabi_buf_fini(&name);
    return err < 0 ? err : b->error;
}

static void init_buffers(jabi_sasl *x)
{
    scram *s = x->state;
    jabi_buf_init(&s->nonce, x->mem, TEXT_MAX);
    jabi_buf_init(&s->binding, x->mem, TEXT_MAX);
    jabi_buf_init(&s->message, x->mem, 4 * TEXT_MAX);
    s->binding.secret = s->message.secret = 1;
}

int jabi_scram_begin(jabi_sasl *x, jab_str nonce, jabi_buf *out)
{
    scram *s = x->state;
    init_buffers(x);
    jabi_buf_add_str(&s->nonce, nonce);
    if (s->nonce.error < 0)
        return s->nonce.error;
    size_t header_n = add_binding(x, &s->binding);
    int err = s->binding.error;
    if (err == 0)
        err = add_first_bare(x, &s->message);
    if (err < 0)
        return err;
    jabi_buf_add(out, s->binding.p, header_n);
    jabi_buf_add_str(out, jabi_buf_str(&s->message));
    s->stage = STAGE_FIRST_SENT;
    return JABI_SASL_SEND;
}

static int start(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    *has_initial = 1;
    jabi_buf nonce;
    jabi_buf_init(&nonce, x->mem, 64);
    int err = jabi_sasl_nonce(x, &nonce);
    if (err == 0)
        err = jabi_scram_begin(x, jabi_buf_str(&nonce), out);
    jabi_buf_fini(&nonce);
    return err;
}

/* -- The client's proof (RFC 5802 §3) -- */

typedef struct proofs {
    uint8_t client_key[JABI_HASH_MAX], stored_key[JABI_HASH_MAX];
    uint8_t signature[JABI_HASH_MAX], server_key[JABI_HASH_MAX];
} proofs;

static int compute(scram *s, jabi_hash h, proofs *k)
{
    size_t n = jabi_hash_size(h);
    const jab_str client_key = {(const char *)k->client_key, n};
    int err = jabi_hmac(h, s->salted, n, "Client Key", 10, k->client_key);
    if (err == 0)
        err = jabi_hash_parts(h, &client_key, 1, k->stored_key);
    if (err == 0)
        err = jabi_hmac(h, k->stored_key, n, s->message.p, s->message.n, k->signature);
    if (err == 0)
        err = jabi_hmac(h, s->salted, n, "Server Key", 10, k->server_key);
    if (err == 0)
        err = jabi_hmac(h, k->server_key, n, s->message.p, s->message.n, s->expected);
    return err;
}

/* client-final-message, once SaltedPassword is there. */
static int send_final(jabi_sasl *x, jabi_buf *out)
{
    scram *s = x->state;
    jabi_hash h = hash_of(x);
    proofs k;
    int err = compute(s, h, &k);
    if (err == 0) {
        for (size_t i = 0; i < jabi_hash_size(h); i++)
            k.signature[i] ^= k.client_key[i];
        jabi_buf_add(out, s->message.p + s->final_at, s->message.n - s->final_at);
        jabi_buf_add_z(out, ",p=");
        jabi_base64_encode(out, k.signature, jabi_hash_size(h));
        s->stage = STAGE_FINAL_SENT;
    }
    jabi_wipe(&k, sizeof k);
    jabi_wipe(s->salted, sizeof s->salted);
    return err < 0 ? err : JABI_SASL_SEND;
}

/* -- SaltedPassword, from the cache or by computing -- */

static int find_in_cache(jabi_sasl *x)
{
    scram *s = x->state;
    const jabi_sasl_cache *c = x->cache;
    if (!c || !c->has_salted || !jabi_equal_secret(c->salted_key, s->salted_key, 32))
        return 0;
    memcpy(s->salted, c->salted, sizeof s->salted);
    return 1;
}

static void keep_in_cache(jabi_sasl *x)
{
    scram *s = x->state;
    if (!x->cache)
        return;
    memcpy(x->cache->salted_key, s->salted_key, sizeof s->salted_key);
    memcpy(x->cache->salted, s->salted, sizeof s->salted);
    x->cache->has_salted = 1;
}

static int derive(jabi_sasl *x, jab_str password, jab_str salt, uint32_t iterations)
{
    scram *s = x->state;
    jabi_hash h = hash_of(x);
    const jab_str parts[] = {{(const char *)&h, sizeof h},
                             {(const char *)&iterations, sizeof iterations},
                             salt,
                             x->in.username,
                             password};
    int err = jabi_sasl_key(parts, sizeof parts / sizeof *parts, s->salted_key);
    if (err < 0 || find_in_cache(x))
        return err;
    if (iterations > jabi_pbkdf2_slice(h)) {
        err = jabi_pbkdf2_begin(&s->pbkdf2, h, password, salt, iterations);
        return err < 0 ? err : JABI_SASL_WORK;
    }
    err = jabi_pbkdf2_once(h, password, salt, iterations, s->salted);
    if (err == 0)
        keep_in_cache(x);
    return err;
}

static int prepare_and_derive(jabi_sasl *x, jab_str salt, uint32_t iterations)
{
    jabi_buf password;
    jabi_buf_init(&password, x->mem, PASSWORD_MAX);
    password.secret = 1;
    int err = jabi_saslprep(&password, x->in.password);
    if (err == JAB_EINVAL)
        jabi_sasl_fail(x, err, "the password has characters that SASL does not allow (RFC 4013)");
    if (err == 0)
        err = derive(x, jabi_buf_str(&password), salt, iterations);
    jabi_buf_fini(&password);
    return err;
}

static int work(jabi_sasl *x, jabi_buf *out)
{
    scram *s = x->state;
    int more = jabi_pbkdf2_work(&s->pbkdf2);
    if (more != 0)
        return more < 0 ? more : JABI_SASL_WORK;
    memcpy(s->salted, s->pbkdf2.sum, sizeof s->salted);
    jabi_pbkdf2_fini(&s->pbkdf2);
    keep_in_cache(x);
    return send_final(x, out);
}

/* -- server-first-message -- */

static int check_iterations(jabi_sasl *x, const jabi_scram_first *f)
{
    uint32_t most = x->in.max_iterations, least = x->in.min_iterations;
    int shown = f->iterations_text.n > 20 ? 20 : (int)f->iterations_text.n;
    /* RFC 5802 §9: many iterations are a denial of service, few make the
     * password easy to guess from what we send. */
    if (!JAB_CHECK(SCRAM_ITERATIONS, f->iterations <= most))
        return jabi_sasl_fail(x, JAB_EPROTO,
                              "the server asks for %.*s password iterations, the limit is %u",
                              shown, f->iterations_text.p, most);
    if (!JAB_CHECK(SCRAM_ITERATIONS, f->iterations >= least))
        return jabi_sasl_fail(x, JAB_EPROTO,
                              "the server asks for %.*s password iterations, at least %u are safe",
                              shown, f->iterations_text.p, least);
    return 0;
}

static uint32_t as_count(uint64_t iterations)
{
    return iterations > UINT32_MAX ? UINT32_MAX : (uint32_t)iterations;
}

static int check_nonce(jabi_sasl *x, jab_str nonce)
{
    const scram *s = x->state;
    size_t n = s->nonce.n;
    if (!JAB_CHECK(SCRAM_NONCE, nonce.n > n && memcmp(nonce.p, s->nonce.p, n) == 0))
        return jabi_sasl_fail(x, JAB_EPROTO, "the server's nonce does not extend ours");
    return 0;
}

/* AuthMessage (RFC 5802 §3): the three messages, the last without its proof. */
static int build_message(scram *s, jab_str server_first, jab_str nonce)
{
    jabi_buf *m = &s->message;
    jabi_buf_add_char(m, ',');
    jabi_buf_add_str(m, server_first);
    jabi_buf_add_char(m, ',');
    s->final_at = m->n;
    jabi_buf_add_z(m, "c=");
    jabi_base64_encode(m, s->binding.p, s->binding.n);
    jabi_buf_add_z(m, ",r=");
    jabi_buf_add_str(m, nonce);
    return m->error;
}

static int read_salt(jabi_sasl *x, jab_str text, jabi_buf *salt)
{
    int err = jabi_base64_decode(salt, text);
    if (err == JAB_ELIMIT)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server's salt is longer than %d bytes", SALT_MAX);
    if (err == JAB_EPROTO)
        return jabi_sasl_fail(x, err, "the server's salt is not base64");
    return err;
}

static int on_first(jabi_sasl *x, jab_str text, jabi_buf *out)
{
    scram *s = x->state;
    jabi_scram_first f;
    const char *wrong = jabi_scram_read_first(text, &f);
    if (wrong)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server's SCRAM message %s", wrong);
    int err = check_nonce(x, f.nonce);
    if (err == 0)
        err = check_iterations(x, &f);
    if (err == 0)
        err = build_message(s, text, f.nonce);
    if (err < 0)
        return err;
    jabi_buf salt;
    jabi_buf_init(&salt, x->mem, SALT_MAX);
    err = read_salt(x, f.salt, &salt);
    if (err == 0)
        err = prepare_and_derive(x, jabi_buf_str(&salt), as_count(f.iterations));
    jabi_buf_fini(&salt);
    s->stage = STAGE_COMPUTING;
    return err == 0 ? send_final(x, out) : err;
}

/* -- server-final-message -- */

static int verify(jabi_sasl *x, jab_str verifier)
{
    scram *s = x->state;
    size_t n = jabi_hash_size(hash_of(x));
    jabi_buf proof;
    jabi_buf_init(&proof, x->mem, JABI_HASH_MAX);
    int err = jabi_base64_decode(&proof, verifier);
    int equal = err == 0 && proof.n == n && jabi_equal_secret(proof.p, s->expected, n);
    jabi_buf_fini(&proof);
    if (err == JAB_ENOMEM)
        return err;
    if (!JAB_CHECK(SERVER_PROOF, equal))
        return jabi_sasl_fail(x, JAB_EPROOF,
                              "the server's proof is wrong: it does not know the password");
    x->proven = 1;
    return 0;
}

static int on_final(jabi_sasl *x, jab_str text)
{
    jabi_scram_final f;
    const char *wrong = jabi_scram_read_final(text, &f);
    if (wrong)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server's last SCRAM message %s", wrong);
    if (f.error.p)
        return jabi_sasl_fail(x, JAB_EAUTH, "%s", jabi_scram_error_words(f.error));
    return verify(x, f.verifier);
}

static int step(jabi_sasl *x, jab_str challenge, jabi_buf *out)
{
    scram *s = x->state;
    if (s->stage == STAGE_FIRST_SENT)
        return on_first(x, challenge, out);
    if (s->stage != STAGE_FINAL_SENT)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server sent one challenge too many");
    int err = on_final(x, challenge);
    if (err < 0)
        return err;
    s->stage = STAGE_PROVEN;
    return JABI_SASL_SEND; /* an empty response: success is still to come */
}

static int success(jabi_sasl *x, jab_str data)
{
    const scram *s = x->state;
    if (data.n == 0)
        return 0;
    /* Before our proof there is nothing to verify one with. */
    if (s->stage < STAGE_FINAL_SENT)
        return jabi_sasl_fail(x, JAB_EPROOF, "the server reported success before our proof");
    return on_final(x, data);
}

static void wipe(jabi_sasl *x)
{
    scram *s = x->state;
    jabi_buf_fini(&s->nonce);
    jabi_buf_fini(&s->binding);
    jabi_buf_fini(&s->message);
    jabi_pbkdf2_fini(&s->pbkdf2);
}

#define SCRAM(identifier, text, hash, worth, plus, class)                                          \
    const jabi_sasl_mech identifier = {                                                            \
        .name = text,                                                                              \
        .strength = worth,                                                                         \
        .needs_password = 1,                                                                       \
        .binds_channel = plus,                                                                     \
        .proves_server = 1,                                                                        \
        .state_size = sizeof(scram),                                                               \
        .variant = hash,                                                                           \
        .safety = class,                                                                           \
        .start = start,                                                                            \
        .step = step,                                                                              \
        .work = work,                                                                              \
        .success = success,                                                                        \
        .wipe = wipe,                                                                              \
    }

SCRAM(jabi_scram_sha512_plus, "SCRAM-SHA-512-PLUS", JABI_SHA512, 60, 1, 5);
SCRAM(jabi_scram_sha256_plus, "SCRAM-SHA-256-PLUS", JABI_SHA256, 50, 1, 4);
SCRAM(jabi_scram_sha1_plus, "SCRAM-SHA-1-PLUS", JABI_SHA1, 40, 1, 3);
SCRAM(jabi_scram_sha512, "SCRAM-SHA-512", JABI_SHA512, 30, 0, 5);
SCRAM(jabi_scram_sha256, "SCRAM-SHA-256", JABI_SHA256, 20, 0, 4);
SCRAM(jabi_scram_sha1, "SCRAM-SHA-1", JABI_SHA1, 10, 0, 3);
