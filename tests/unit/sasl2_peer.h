/* sasl2_peer.h: a server that speaks XEP-0388, and a vault of one row. */
#ifndef SASL2_PEER_H
#define SASL2_PEER_H

#include "peer.h"

#include "base/base64.h"
#include "base/hash.h"
#include "base/mem.h"
#include "session/session.h"
#include "stream/memory.h"

#define SASL2_FEATURES                                                                             \
    "<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism>"        \
    "<mechanism>SCRAM-SHA-1</mechanism><inline><sm xmlns='urn:xmpp:sm:3'/>"                        \
    "<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/>"                    \
    "<feature var='urn:xmpp:csi:0'/><feature var='urn:xmpp:sm:3'/></inline></bind>"                \
    "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism>"                         \
    "<mechanism>HT-SHA-256-EXPR</mechanism><mechanism>HT-SHA-256-UNIQ</mechanism></fast>"          \
    "</inline></authentication></stream:features>"

#define SASL2_SUCCESS                                                                              \
    "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@example.org"                \
    "</authorization-identifier></success>"

#define SASL2_BOUND                                                                                \
    "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@example.org/jabiru/x1"      \
    "</authorization-identifier><bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' "    \
    "id='sm1' resume='true'/></bound></success>"

#define SASL2_AFTER "<stream:features><csi xmlns='urn:xmpp:csi:0'/></stream:features>"

static const jab_tls_info secure = {.verified = 1, .version = 13, .exporter = {"eeeeeeee", 8}};

typedef struct vault_row {
    jab_vault vault;
    char bytes[JAB_VAULT_MAX];
    size_t n;
    unsigned saves;
    int is_shared;
} vault_row;

static inline ptrdiff_t row_load(void *arg, jab_str account, void *into, size_t room,
                                 int *is_shared)
{
    const vault_row *r = arg;
    (void)room;
    assert_str(account, "juliet@example.org");
    memcpy(into, r->bytes, r->n);
    *is_shared = r->is_shared;
    return (ptrdiff_t)r->n;
}

static inline void row_put(vault_row *r, jab_str bytes)
{
    assert_true(bytes.n <= sizeof r->bytes);
    memcpy(r->bytes, bytes.p, bytes.n);
    r->n = bytes.n;
}

static inline int row_save(void *arg, jab_str account, jab_str bytes)
{
    (void)account;
    row_put(arg, bytes);
    ((vault_row *)arg)->saves++;
    return 0;
}

static inline void row_fini(vault_row *r)
{
    memset(r, 0, sizeof *r);
}

static inline jab_config sasl2_config(peer *e, vault_row *r)
{
    unit_mem_init(&e->mem, 0);
    jab_config cfg = peer_config(e);
    cfg.jid = JAB_STR("juliet@example.org");
    cfg.tls = JAB_TLS_DIRECT;
    r->vault = (jab_vault){.size = sizeof r->vault, .arg = r, .load = row_load, .save = row_save};
    cfg.vault = &r->vault;
    return cfg;
}

static inline void sasl2_start(peer *e, const jab_config *cfg)
{
    assert_int_equal(peer_new(e, cfg), 0);
    assert_int_equal(jab_session_connected(e->s, &secure, e->now), 0);
    peer_clear(e);
}

static inline void sasl2_end(peer *e, vault_row *r)
{
    peer_free(e);
    row_fini(r);
}

/* What a server that knows the token says of it, without a binding. */
static inline void token_proof(char *out, size_t size, const char *token)
{
    uint8_t sum[JABI_HASH_MAX];
    jabi_buf text;
    assert_int_equal(jabi_hmac(JABI_SHA256, token, strlen(token), "Responder", 9, sum), 0);
    jabi_buf_init(&text, jabi_mem_default(), 256);
    jabi_base64_encode(&text, sum, 32);
    snprintf(out, size, "%.*s", (int)text.n, text.p);
    jabi_buf_fini(&text);
}

#endif
