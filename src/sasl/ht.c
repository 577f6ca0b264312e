/* ht.c: HT-SHA-256 and HT-SHA-512, the hashed tokens of XEP-0484
 * (draft-schmaus-kitten-sasl-ht). `variant` is the hash. */
#include "sasl/mech.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/utf8.h"

typedef struct hashed_token {
    uint8_t expected[JABI_HASH_MAX]; /* the responder's message */
} hashed_token;

/* HMAC(token, word || cb-data) (draft §3.1, §3.2). */
static int hash_token(const jabi_sasl *x, const char *word, uint8_t *out)
{
    jabi_buf text;
    jab_str token = x->in.token;
    jabi_buf_init(&text, x->mem, 65536);
    text.secret = 1;
    jabi_buf_add_z(&text, word);
    if (x->mech->binding)
        jabi_buf_add_str(&text, x->in.cb_data);
    int err = text.error;
    if (err == 0)
        err = jabi_hmac((jabi_hash)x->mech->variant, token.p, token.n, text.p, text.n, out);
    jabi_buf_fini(&text);
    return err;
}

/* authcid NUL initiator-hashed-token (draft §3.1). */
static int start(jabi_sasl *x, jabi_buf *out, int *has_initial)
{
    hashed_token *h = x->state;
    jab_str name = x->in.username;
    uint8_t initiator[JABI_HASH_MAX];
    *has_initial = 1;
    if (name.n == 0 || memchr(name.p, '\0', name.n) || !jabi_utf8_valid(name))
        return jabi_sasl_fail(x, JAB_EINVAL, "a token needs a user name that is text");
    int err = hash_token(x, "Initiator", initiator);
    if (err == 0)
        err = hash_token(x, "Responder", h->expected);
    jabi_buf_add_str(out, name);
    jabi_buf_add_char(out, '\0');
    if (err == 0)
        jabi_buf_add(out, initiator, jabi_hash_size((jabi_hash)x->mech->variant));
    jabi_wipe(initiator, sizeof initiator);
    return err < 0 ? err : JABI_SASL_SEND;
}

/* responder-msg (draft §3.2): it authenticates the server. */
static int success(jabi_sasl *x, jab_str data)
{
    const hashed_token *h = x->state;
    size_t n = jabi_hash_size((jabi_hash)x->mech->variant);
    if (data.n == 0)
        return 0;
    if (!JAB_CHECK(SERVER_PROOF, data.n == n && jabi_equal_secret(data.p, h->expected, n)))
        return jabi_sasl_fail(x, JAB_EPROOF,
                              "the server's proof is wrong: it does not know the token");
    x->proven = 1;
    return 0;
}

#define HT(text, hash, worth, type)                                                                \
    {                                                                                              \
        .name = text, .strength = worth, .needs_token = 1, .binds_channel = (type) != NULL,        \
        .binding = type, .proves_server = 1, .state_size = sizeof(hashed_token), .variant = hash,  \
        .start = start, .success = success                                                         \
    }

#define EXPORTER  "tls-exporter"
#define UNIQUE    "tls-unique"
#define END_POINT "tls-server-end-point"

/* Channel binding MUST be preferred (XEP-0484 §6). */
const jabi_sasl_mech jabi_sasl_ht[JABI_SASL_HT_COUNT] = {
    HT("HT-SHA-512-EXPR", JABI_SHA512, -40, EXPORTER),
    HT("HT-SHA-256-EXPR", JABI_SHA256, -41, EXPORTER),
    HT("HT-SHA-512-UNIQ", JABI_SHA512, -42, UNIQUE),
    HT("HT-SHA-256-UNIQ", JABI_SHA256, -43, UNIQUE),
    HT("HT-SHA-512-ENDP", JABI_SHA512, -44, END_POINT),
    HT("HT-SHA-256-ENDP", JABI_SHA256, -45, END_POINT),
    HT("HT-SHA-512-NONE", JABI_SHA512, -46, NULL),
    HT("HT-SHA-256-NONE", JABI_SHA256, -47, NULL),
};
