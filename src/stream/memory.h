/*
 * memory.h: what log-ins leave for later ones, in the core's own terms; and
 * how it is packed into the bytes of a vault (login.h).
 */
#ifndef JABI_MEMORY_H
#define JABI_MEMORY_H

#include <jabiru/login.h>

#include "base/buf.h"
#include "sasl/sasl.h"

#define JABI_AGENT_SIZE  37 /* a UUID and a NUL */
#define JABI_MEMORY_KEYS 3  /* one for each hash */

/* The best that the account has reached. */
typedef struct jabi_floor {
    uint8_t mechanism;   /* jabi_sasl_class() */
    uint8_t binding;     /* 1: with channel binding */
    uint8_t sasl2;       /* 1 */
    uint8_t tls_version; /* 12, 13; 0: none */
} jabi_floor;

/* What is remembered as a string of bytes; limits in memory.c. */
typedef enum jabi_memory_text {
    JABI_MEMORY_TOKEN_MECHANISM, /* "HT-SHA-256-EXPR" */
    JABI_MEMORY_TOKEN,           /* a secret */
    JABI_MEMORY_BEFORE,          /* features of the secured stream before the log-in, as XML */
    JABI_MEMORY_AFTER,           /* and behind it; absent where nothing is negotiated there */
    JABI_MEMORY_TLS_SESSION,     /* the driver's: a TLS session in ASN.1, a secret */
    JABI_MEMORY_ENDPOINT,        /* the driver's: where the last log-in succeeded */
    JABI_MEMORY_TEXTS
} jabi_memory_text;

typedef struct jabi_memory {
    const jab_mem *mem;
    const jab_vault *vault; /* or NULL */
    jab_str account;        /* view */
    int is_loaded;          /* for this attempt to log in */
    int is_shared;          /* another program holds the vault, or it failed: nothing is saved */
    int is_changed;         /* since it was saved */
    char agent[JABI_AGENT_SIZE]; /* user-agent id (XEP-0388 §2.3), a UUID v4 */
    char other[JABI_AGENT_SIZE]; /* that of this session while the vault is shared */
    jabi_floor floor;
    jabi_sasl_keys keys[JABI_MEMORY_KEYS];
    int salts_vary;                   /* the server made another salt for the last log-in */
    int64_t token_expiry;             /* ms since 1970; 0: none given */
    uint32_t token_count;             /* how often it was used in early data (XEP-0484 §3.4) */
    jab_str texts[JABI_MEMORY_TEXTS]; /* owned */
} jabi_memory;

/* `account` has to live as long as the memory. */
void jabi_memory_init(jabi_memory *m, const jab_mem *mem, const jab_vault *vault, jab_str account);
void jabi_memory_fini(jabi_memory *m); /* wiped */

/* Reads the vault, once for each attempt to log in, and makes an id where there is none.
 * 0; JAB_ESTORE when the vault says so or what it holds cannot be understood: a floor that
 * is lost is no floor; JAB_ENOMEM, JAB_ECRYPTO. */
int jabi_memory_load(jabi_memory *m, const jab_config *cfg) JAB_MUST_USE;

/* The attempt is over: the next one reads the vault again. */
void jabi_memory_rest(jabi_memory *m);

/* Saves what changed; nothing without a vault, or in a shared one. 0 or < 0. */
int jabi_memory_save(jabi_memory *m) JAB_MUST_USE;

/* Sets one of the texts, copying it; an absent one is forgotten, and so is one that is
 * too long. 0 or JAB_ENOMEM, and then the old one stays. */
int jabi_memory_set(jabi_memory *m, jabi_memory_text which, jab_str value) JAB_MUST_USE;

/* Keys take the place of those with the same hash. Were those of another salt, the password
 * was changed, or the server keeps it as it is and makes a salt each time: then to try keys
 * is to fail (`salts_vary`). */
void jabi_memory_learn(jabi_memory *m, const jabi_sasl_keys *keys);

void jabi_memory_drop_token(jabi_memory *m);
void jabi_memory_drop_keys(jabi_memory *m);

/* The account's next log-in may be weaker: the floor goes, and what was remembered of the
 * server with it. */
void jabi_memory_drop_floor(jabi_memory *m);

/* The bytes of a vault. 0, JAB_ENOMEM, JAB_ELIMIT; JAB_EINVAL for what is no memory, and
 * then `m` has nothing. */
int jabi_memory_pack(const jabi_memory *m, jabi_buf *out) JAB_MUST_USE;
int jabi_memory_unpack(jabi_memory *m, jab_str bytes) JAB_MUST_USE;

#endif
