/* scram.c: SCRAM-SHA-1, -256, -512 and their -PLUS (RFC 5802, RFC 7677;
 * channel bindings by RFC 5929 and RFC 9266). `variant` is the hash. */
#include "sasl/scram.h"

#include "base/base64.h"
#include "base/check.h"
#include "base/mem.h"
#include "sasl/mech.h"
#include "sasl/offer.h"
#include "sasl/prep.h"
#include "sasl/salted.h"
#include "sasl/scram_text.h"

#define TEXT_MAX 65536

enum { STAGE_NEW, STAGE_FIRST_SENT, STAGE_COMPUTING, STAGE_FINAL_SENT, STAGE_PROVEN };

typedef struct scram {
    int stage;
    jabi_buf nonce;   /* ours */
    jabi_buf binding; /* cbind-input: gs2-header and the channel's data */
    jabi_buf message; /* client-first-message-bare, later AuthMessage */
    size_t final_at;  /* where client-final-message-without-proof begins in it */
    jabi_salted salted;
    jabi_sasl_keys keys;
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

/* ClientProof, and what the server must answer, from the keys. */
static int compute(scram *s, jabi_hash h, uint8_t *proof)
{
    size_t n = jabi_hash_size(h);
    uint8_t stored_key[JABI_HASH_MAX];
    const jab_str client_key = {(const char *)s->keys.client_key, n};
    int err = jabi_hash_parts(h, &client_key, 1, stored_key);
    if (err == 0)
        err = jabi_hmac(h, stored_key, n, s->message.p, s->message.n, proof);
    for (size_t i = 0; i < n && err == 0; i++)
        proof[i] ^= s->keys.client_key[i];
    if (err == 0)
        err = jabi_hmac(h, s->keys.server_key, n, s->message.p, s->message.n, s->expected);
    jabi_wipe(stored_key, sizeof stored_key);
    return err;
}

/* client-final-message, once the keys are there. */
static int send_final(jabi_sasl *x, jabi_buf *out)
{
    scram *s = x->state;
    uint8_t proof[JABI_HASH_MAX];
    int err = compute(s, hash_of(x), proof);
    if (err < 0)
        return err;
    jabi_buf_add(out, s->message.p + s->final_at, s->message.n - s->final_at);
    jabi_buf_add_z(out, ",p=");
    jabi_base64_encode(out, proof, jabi_hash_size(hash_of(x)));
    s->stage = STAGE_FINAL_SENT;
    return JABI_SASL_SEND;
}

/* The keys out of SaltedPassword, which is not needed any more. */
static int finish_keys(jabi_sasl *x)
{
    scram *s = x->state;
    int err = jabi_keys_make(&s->keys, hash_of(x), s->salted.value);
    jabi_salted_fini(&s->salted);
    return err;
}

/* The keys from an earlier log-in, or made of the password. 0, JABI_SASL_WORK or < 0. */
static int find_keys(jabi_sasl *x, jab_str salt, uint32_t iterations)
{
    scram *s = x->state;
    const jabi_sasl_keys *known = jabi_keys_find(x, salt, iterations);
    if (known) {
        s->keys = *known;
        x->by_keys = 1;
        return 0;
    }
    if (x->in.password.n == 0)
        return jabi_sasl_fail(x, JAB_ENOSECRET,
                              "the server changed how it keeps the password: it is needed once "
                              "more");
    jabi_keys_describe(&s->keys, hash_of(x), salt, iterations);
    int code = jabi_salted_begin(&s->salted, x, salt, iterations);
    return code == 0 ? finish_keys(x) : code;
}

static int work(jabi_sasl *x, jabi_buf *out)
{
    scram *s = x->state;
    int code = jabi_salted_work(&s->salted, x);
    if (code == 0)
        code = finish_keys(x);
    return code == 0 ? send_final(x, out) : code;
}

/* -- server-first-message -- */

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

static int on_first(jabi_sasl *x, jab_str text, jabi_buf *out)
{
    scram *s = x->state;
    jabi_scram_first f;
    const char *wrong = jabi_scram_read_first(text, &f);
    if (wrong)
        return jabi_sasl_fail(x, JAB_EPROTO, "the server's SCRAM message %s", wrong);
    int err = check_nonce(x, f.nonce);
    if (err == 0)
        err = jabi_salted_check_count(x, f.iterations_text, f.iterations);
    if (err == 0)
        err = jabi_offer_check(x, f.offer_hash);
    if (err == 0)
        err = jabi_offer_check_tls(x, f.tls_version);
    if (err == 0)
        err = build_message(s, text, f.nonce);
    if (err < 0)
        return err;
    jabi_buf salt;
    jabi_buf_init(&salt, x->mem, JABI_SALT_MAX);
    err = jabi_salted_read_salt(x, f.salt, &salt);
    if (err == 0)
        err = find_keys(x, jabi_buf_str(&salt), as_count(f.iterations));
    jabi_buf_fini(&salt);
    s->stage = STAGE_COMPUTING;
    return err == 0 ? send_final(x, out) : err;
}

/* -- server-final-message -- */

static int verify(jabi_sasl *x, jab_str verifier)
{
    const scram *s = x->state;
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
    if (s->keys.iterations > 0)
        x->learnt = s->keys;
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
    jabi_salted_fini(&s->salted);
}

#define SCRAM(identifier, text, hash, worth, plus, class)                                          \
    const jabi_sasl_mech identifier = {                                                            \
        .name = text,                                                                              \
        .strength = worth,                                                                         \
        .needs_password = 1,                                                                       \
        .takes_keys = 1,                                                                           \
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
