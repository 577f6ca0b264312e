/*
 * sasl.h: SASL (RFC 4422) for clients. One mechanism is one file and one
 * table; a mechanism knows bytes, not XMPP: no base64, no XML here.
 */
#ifndef JABI_SASL_H
#define JABI_SASL_H

#include "base/buf.h"
#include "base/hash.h"

typedef struct jabi_sasl jabi_sasl;

#define JABI_SASL_SALT_MAX 256 /* bytes of a salt whose keys are kept */

/* What an earlier log-in by SCRAM leaves in place of the password (RFC 5802 §3):
 * good for the same salt and iterations only. */
typedef struct jabi_sasl_keys {
    jabi_hash hash;
    uint32_t iterations; /* 0: there are none */
    size_t salt_n;
    uint8_t salt[JABI_SASL_SALT_MAX];
    uint8_t client_key[JABI_HASH_MAX], server_key[JABI_HASH_MAX];
} jabi_sasl_keys;

/* What a mechanism may use. All views outlive the exchange. */
typedef struct jabi_sasl_input {
    jab_str username; /* the JID's local part, prepared */
    jab_str password; /* absent when there is none */
    jab_str authzid;  /* absent or empty: none is sent */
    jab_str domain;   /* the JID's domain: realm and digest-uri */
    jab_random_fn random;
    void *random_arg;

    /* Channel binding (RFC 5801 gs2 header). -PLUS sends `cb_type`, absent: no
     * -PLUS is chosen. SCRAM without -PLUS looks at `cb_supported` only: 1 is
     * "y" (we could, the server seems not to), 0 is "n". */
    jab_str cb_type; /* "tls-exporter", "tls-unique", "tls-server-end-point" */
    jab_str cb_data;
    int cb_supported;

    uint32_t min_iterations; /* 0: 4,096 */
    uint32_t max_iterations; /* 0: 2,000,000; stronger than the minimum */
    int has_client_cert;     /* EXTERNAL */

    jab_str token;  /* HT-*: of XEP-0484; absent: none is chosen */
    jab_str bearer; /* OAUTHBEARER (RFC 7628); absent: it is not chosen */
    /* Keys of earlier log-ins, which serve where there is no password, or to
     * spare the computing where there is one. */
    const jabi_sasl_keys *keys;
    size_t n_keys;
    int tls_version; /* 12, 13; 0: none */
} jabi_sasl_input;

/* What the server offered on this stream, to be compared with what it says it
 * offered (XEP-0474, XEP-0515). Views; both lists as announced, in any order. */
typedef struct jabi_sasl_offer {
    const jab_str *mechanisms, *bindings;
    size_t n_mechanisms, n_bindings;
    int has_bindings; /* XEP-0440 was announced, with none in it perhaps */
    int needs_hash;   /* SCRAM goes on only if the server confirms the offer: no announced
                       * binding can be had, and not even tls-server-end-point is announced
                       * (XEP-0474 §7, new rule 6) */
} jabi_sasl_offer;

/* What step and work return, beside errors. */
enum {
    JABI_SASL_SEND = 0, /* `out` holds the response to send, which may be empty */
    JABI_SASL_WORK = 1, /* more computing to do: call jabi_sasl_work() */
};

typedef struct jabi_sasl_mech jabi_sasl_mech;
struct jabi_sasl_mech {
    const char *name; /* "SCRAM-SHA-256-PLUS" */
    int strength;     /* larger is better; the default policy takes those > 0 only. HT-*: good
                       * for choosing among themselves */
    int needs_password;
    int binds_channel; /* -PLUS */
    int proves_server; /* success without a verified proof is a failure */
    size_t state_size;
    int variant; /* for mechanisms that share a file */

    /* The first message. *has_initial is set to 0 when the server begins. */
    int (*start)(jabi_sasl *x, jabi_buf *out, int *has_initial);
    /* A challenge. NULL: the mechanism has none. */
    int (*step)(jabi_sasl *x, jab_str challenge, jabi_buf *out);
    /* Computes for at most about 5 ms. NULL: never asked for. */
    int (*work)(jabi_sasl *x, jabi_buf *out);
    /* The server says success, with this data (absent: none). 0 when that is
     * right, JAB_EPROOF when a proof in it is wrong; that there was one at
     * all, `proven`, is jabi_sasl_success()'s to see. NULL: no data comes. */
    int (*success)(jabi_sasl *x, jab_str data);
    /* Wipes what the state owns. NULL: nothing. */
    void (*wipe)(jabi_sasl *x);
    int needs_certificate; /* the secret is the client's certificate */
    int needs_token;       /* HT-*: never chosen from an offer, but by name with a token */
    int needs_bearer;      /* the secret is a bearer token */
    const char *binding; /* HT-*: the type of channel binding that it is for; NULL: none, or any */
    int safety;          /* jabi_sasl_class() */
    int takes_keys;      /* SCRAM: jabi_sasl_input.keys serve as well */
};

typedef struct jabi_sasl_cache jabi_sasl_cache;

/* An exchange under way. */
struct jabi_sasl {
    const jabi_sasl_mech *mech;
    const jab_mem *mem;
    jabi_sasl_input in;
    void *state;            /* state_size zeroed bytes, wiped at the end */
    char error[160];        /* words for the fault, when a step failed; or why the server is about
                             * to refuse, when it said so in a challenge (OAUTHBEARER) */
    jabi_sasl_cache *cache; /* or NULL */
    int phase;              /* what may come next; sasl.c's alone */
    int proven;             /* the mechanism verified the server's proof */
    jabi_sasl_offer offer;  /* of this stream; empty: not known, and not compared */
    jabi_sasl_keys learnt;  /* to be kept once the server has proved itself; iterations 0: none */
    int by_keys;            /* keys of in.keys served, not the password */
};

/* What survives an exchange within a session, for the next log-in: SCRAM's
 * salted password by salt and iterations (so the work is done once), and
 * DIGEST-MD5's last nonce, cnonce and nc for subsequent authentication
 * (RFC 2831 §2.2). Owned by the caller; zeroed at first. */
jabi_sasl_cache *jabi_sasl_cache_new(const jab_mem *mem);
void jabi_sasl_cache_free(jabi_sasl_cache *cache); /* wiped; NULL is fine */

/* All mechanisms, best first; *n is set to how many. */
const jabi_sasl_mech *const *jabi_sasl_mechs(size_t *n);

/* The mechanism of that name, or NULL; HT-* are found, too. */
const jabi_sasl_mech *jabi_sasl_find(jab_str name);

/*
 * Chooses from what the server offers. `offered` are the names as announced,
 * in any order; `allowed` is the account's list separated by blanks, absent
 * (or blank) for the default policy:
 *   - the best SCRAM; without a password, where no SCRAM can run,
 *   - EXTERNAL when there is a client certificate, which is given for that;
 *   - OAUTHBEARER when there is a bearer token;
 *   - ANONYMOUS when the account has no user name either: an address that is
 *     a domain only asks for just that.
 * Nothing else is ever chosen unless named. -PLUS needs in->cb_type. Returns
 * the best, or NULL with a sentence in `why` that a user can act on. When
 * only the secret is missing the mechanism is returned nevertheless, and
 * jabi_sasl_new() says JAB_ENOSECRET.
 */
const jabi_sasl_mech *jabi_sasl_choose(const jab_str *offered, size_t n_offered, jab_str allowed,
                                       const jabi_sasl_input *in, char *why, size_t why_n);

/* Begins an exchange. 0 and *out, or JAB_ENOMEM, JAB_ENOSECRET (no password or
 * keys, certificate, token), JAB_EINVAL (-PLUS without a binding, HT-* without
 * its own). `cache` may be NULL. */
int jabi_sasl_new(jabi_sasl **out, const jab_mem *mem, const jabi_sasl_mech *mech,
                  const jabi_sasl_input *in, jabi_sasl_cache *cache) JAB_MUST_USE;
void jabi_sasl_free(jabi_sasl *x); /* wiped; NULL is fine */

/* Thin calls of the mechanism's functions, in their order only: start once,
 * work only after JABI_SASL_WORK, nothing after success or an error; else
 * JAB_ESTATE. On an error `out` is as it was before. `out` should be a secret
 * buffer. */
int jabi_sasl_start(jabi_sasl *x, jabi_buf *out, int *has_initial) JAB_MUST_USE;
int jabi_sasl_step(jabi_sasl *x, jab_str challenge, jabi_buf *out) JAB_MUST_USE;
int jabi_sasl_work(jabi_sasl *x, jabi_buf *out) JAB_MUST_USE;
int jabi_sasl_success(jabi_sasl *x, jab_str data) JAB_MUST_USE;

/* What the server offers on this stream is known: to be said before the first
 * challenge is given. The views live until the exchange is freed. */
void jabi_sasl_set_offer(jabi_sasl *x, const jabi_sasl_offer *offer);

/*
 * An upgrade task of XEP-0480 ("UPGR-SCRAM-SHA-256") as an exchange of its own:
 * the mechanism that answers it, or NULL when the task is not known. It begins
 * without an initial message; its challenge is "iterations,salt in base64", its
 * answer the salted password, raw. It needs the password itself. With the answer
 * x->learnt is filled: good for later log-ins once the server says success. None
 * is known for SHA-1.
 */
const jabi_sasl_mech *jabi_sasl_find_upgrade(jab_str task);

#define JABI_SASL_CLASS_MAX 6

/* The class of a mechanism for the floor: larger is better. 0: none (ANONYMOUS);
 * 1: the secret itself is sent (PLAIN, OAUTHBEARER); 2: DIGEST-MD5; 3, 4, 5: SCRAM with
 * SHA-1, -256, -512; 6: EXTERNAL. An HT-* has no class of its own: 0. */
int jabi_sasl_class(const jabi_sasl_mech *mech);

#endif
