/*
 * login.h: what makes the next log-in as quick as it can be, and never less
 * safe than the last: keys in place of the password, a token (XEP-0484), what
 * the server offered, and the floor.
 *
 * The floor is the best that an account has reached: the class of its
 * mechanism, channel binding, SASL2 (XEP-0388), the version of TLS. A log-in
 * that would sink below it ends with JAB_EWEAKER before a secret byte leaves:
 * somebody on the way may have removed what is better. Only
 * jab_vault_allow_weaker() lifts it, at the user's own word.
 */
#ifndef JABIRU_LOGIN_H
#define JABIRU_LOGIN_H

#include <jabiru/session.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JAB_VAULT_MAX 65536 /* bytes that a vault has to hold for an account */

/*
 * Where a session keeps that, between log-ins and between programs: one row of
 * bytes for each account, as good as its password to whoever reads them.
 * `account` is the bare JID. Both functions are called from the session's
 * thread, at a log-in, and do not call the session.
 */
struct jab_vault {
    size_t size; /* sizeof(jab_vault) */
    void *arg;
    /* Reads what was saved last into `room` bytes at `into`. Returns how many
     * bytes there are, 0 for none, or < 0: the log-in goes on without, and
     * saves nothing, but for JAB_ESTORE, which ends it: a floor that cannot be read is none.
     * *is_shared is set to 1 when another program holds this vault now: the
     * session then uses what is there, but no token and no id that are the
     * other's (a server ends older sessions of the same id: XEP-0386 §3.2). */
    ptrdiff_t (*load)(void *arg, jab_str account, void *into, size_t room, int *is_shared);
    /* Replaces it, durably, before it returns; on failure the old one stays. No bytes
     * take it out. 0 or < 0. Not called while the vault is shared. */
    int (*save)(void *arg, jab_str account, jab_str bytes);
};

/*
 * A vault in a file: mode 0600, replaced as a whole, and held by one program
 * at a time for as long as it is open. It holds one account. The folder has to
 * exist. Returns 0; JAB_ENOMEM, JAB_EINVAL; JAB_ESTORE when the file can be read or
 * written by others, or is no vault: it stays as it is, and no log-in should go on
 * as if there had been none; JAB_EIO when the system fails. `why`, which may be
 * NULL, gets the words of the last two. To be freed after the sessions that use it.
 */
JAB_API int jab_vault_file_new(jab_vault **out, jab_str path, const jab_mem *mem, char *why,
                               size_t why_size) JAB_MUST_USE;
JAB_API void jab_vault_free(jab_vault *vault); /* of jab_vault_file_new(); NULL is fine */

/* Forgets the floor, and what depends on it; the next log-in may be weaker. At the
 * user's word only. 0; JAB_ELOCKED while another program holds the vault; < 0. */
JAB_API int jab_vault_allow_weaker(const jab_vault *vault, jab_str account,
                                   const jab_mem *mem) JAB_MUST_USE;

/* Forgets the account. 0; JAB_ELOCKED, < 0. */
JAB_API int jab_vault_forget(const jab_vault *vault, jab_str account) JAB_MUST_USE;

/* Whether a log-in may succeed without a password: there are keys or a token. 1, 0, < 0. */
JAB_API int jab_vault_has_secret(const jab_vault *vault, jab_str account, const jab_mem *mem);

/* What is remembered of an account, for people; nothing secret. */
typedef struct jab_vault_facts {
    const char *mechanism; /* the floor's: "SCRAM-SHA-256"; static; NULL for none */
    int channel_binding;   /* 1: with that */
    int sasl2;             /* 1: by XEP-0388 */
    int tls_version;       /* 12, 13, or 0 without TLS */
    int keys;              /* 1: there are keys in place of the password */
    int token;             /* 1: there is a token (XEP-0484) */
    int64_t token_expiry;  /* ms since 1970; 0: none was told */
    int is_shared;         /* 1: another program holds the vault */
} jab_vault_facts;

/* Sets *out. Returns 1; 0 when nothing is remembered; JAB_ESTORE, JAB_ENOMEM. */
JAB_API int jab_vault_look(const jab_vault *vault, jab_str account, const jab_mem *mem,
                           jab_vault_facts *out);

/* jab_config.login */
enum jab_login_flags {
    JAB_LOGIN_NO_SASL2 = 1 << 0,      /* the log-in of RFC 6120 only */
    JAB_LOGIN_NO_BIND2 = 1 << 1,      /* no resource bound by XEP-0386 */
    JAB_LOGIN_BIND2 = 1 << 2,         /* that in any case. It makes the server drop what is
                                       * stored for an account that was offline, as the archive
                                       * has it: else it is not used without a store, nor before
                                       * presence was sent once with this store */
    JAB_LOGIN_NO_FAST = 1 << 3,       /* no token is asked for or used (XEP-0484) */
    JAB_LOGIN_NO_PIPELINING = 1 << 4, /* nothing is sent before the server has said what it takes */
    JAB_LOGIN_EARLY_DATA = 1 << 5,    /* TLS 1.3 early data, where a token's counter covers it */
    JAB_LOGIN_INVALIDATE = 1 << 6,    /* the token is used for the last time (XEP-0484 §3.6) */
};

#ifdef __cplusplus
}
#endif
#endif
