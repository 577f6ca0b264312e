/*
 * store.h: what survives the end of a program: the outbox, the messages, the
 * places in archives, the roster, and small state of extensions. A session
 * that is given a store (jab_config.store) keeps all that in it by itself.
 *
 * A store is a table of functions, so that a program may bring its own. Two
 * come with the library: one in memory, and one in a file, over SQLite. A
 * store belongs to one session at a time, and to its thread.
 *
 * Writes gather in a transaction, which the first of them begins. When
 * commit() returned 0 they survive a crash and a loss of power; rollback(), or
 * the end of the process before that, undoes all of them. Reads see what was
 * written. After a failed write the transaction is to be rolled back.
 */
#ifndef JABIRU_STORE_H
#define JABIRU_STORE_H

#include <jabiru/base.h>
#include <jabiru/stanza.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jab_store jab_store;

/* -- Messages ------------------------------------------------------------------ */

/* Where an own message is on its way; JAB_OWN_NONE for those of others. The
 * numbers are part of the file format. */
typedef enum jab_own_state {
    JAB_OWN_NONE = 0,
    JAB_OWN_PENDING = 1,   /* in the outbox */
    JAB_OWN_DELIVERED = 2, /* the own server has it */
    JAB_OWN_FAILED = 3,    /* it came back, or was withdrawn */
    JAB_OWN_UNKNOWN = 4,   /* it may have arrived, or not */
    JAB_OWN_RECEIVED = 5,  /* a client of the other side has it (XEP-0184) */
    JAB_OWN_DISPLAYED = 6, /* the other side has seen it (XEP-0333) */
} jab_own_state;

/* The rank of own messages that wait in the outbox begins here: they stand
 * behind everything that the server has. */
#define JAB_RANK_PENDING (INT64_C(1) << 62)

/*
 * A message as it is kept. Within a conversation, messages stand in the order
 * of their ranks, and those of the same rank in the order of their keys.
 */
typedef struct jab_kept_message {
    int64_t key;          /* given by the store; > 0, never given twice */
    int64_t rank;         /* place in the conversation: about microseconds since 1970 */
    int64_t stamp;        /* ms since 1970: when it was sent, as the server says, or came */
    jab_str conversation; /* bare address of the other party, or of the room;
                           * "room@service/nick" for a private message in a room */
    jab_str sender;       /* bare address, or the occupant's; the own bare one for own messages */
    jab_message_type type;
    jab_own_state own;
    jab_str id;          /* the stanza's id; absent without one */
    jab_str origin_id;   /* XEP-0359; absent without one */
    jab_str archive;     /* in whose archive it is, a bare address; absent: in none, or not known */
    jab_str archive_id;  /* its id there */
    int64_t fingerprint; /* of sender, ids and content: tells copies of the same message */
    jab_str body;        /* absent without one; what jab_store_search() looks through */
    jab_str xml;         /* the whole stanza, as XML in jabber:client */
} jab_kept_message;

/* What changes in a kept message; a member that is left out (absent, or 0) stays. */
typedef struct jab_kept_change {
    size_t size;
    int64_t rank;
    int64_t stamp;
    jab_own_state own;
    jab_str archive, archive_id;
} jab_kept_change;
#define JAB_KEPT_CHANGE(...)                                                                       \
    (&(const jab_kept_change){.size = sizeof(jab_kept_change), __VA_ARGS__})

/* Which messages to read. A member that is left out sets no condition. Write
 * JAB_KEPT_QUERY(.conversation = ..., .limit = 50). Without `conversation` and
 * `key`, `archive` or `fingerprint`, the order is that of the stamps. */
typedef struct jab_kept_query {
    size_t size;
    int64_t key;
    jab_str conversation;
    jab_str archive, archive_id; /* both: that one message */
    jab_str id;                  /* with `conversation`: stanza id or origin id */
    int64_t fingerprint;
    int64_t before, after; /* ranks (stamps, when they are the order), both exclusive */
    int64_t since, until;  /* stamps: since <= stamp < until */
    unsigned limit;        /* 0: 100 */
    int forwards;          /* 1: oldest first, from `after`; 0: newest first, from `before` */
    jab_str words;         /* jab_store_search(): what is looked for */
} jab_kept_query;
#define JAB_KEPT_QUERY(...) (&(const jab_kept_query){.size = sizeof(jab_kept_query), __VA_ARGS__})

/* Gets one message; its views are valid until this returns. Anything but 0
 * ends the reading. It must not write to the store. */
typedef int (*jab_kept_fn)(void *arg, const jab_kept_message *m);

/* Gets one value; as above. */
typedef int (*jab_value_fn)(void *arg, jab_str key, jab_str value);

/* -- The table ------------------------------------------------------------------ */

/*
 * All return >= 0, or JAB_ESTORE, whose words error() has then, or JAB_ENOMEM.
 * Reading functions return how many rows were handed out.
 */
typedef struct jab_store_table {
    size_t size;
    const char *name; /* "sqlite" */

    int (*commit)(jab_store *st);
    void (*rollback)(jab_store *st);
    jab_str (*error)(const jab_store *st); /* "disk full: /home/.../x.db"; empty: none yet */
    void (*free)(jab_store *st);           /* as rollback() first */

    /* Small values, in spaces ("outbox", "roster"); a space is sorted by the
     * bytes of its keys. put() replaces; an absent value takes the key out.
     * each() hands out the keys behind `after` (absent: all), at most `limit`
     * (0: all); get() calls at most once. */
    int (*put)(jab_store *st, const char *space, jab_str key, jab_str value);
    int (*get)(jab_store *st, const char *space, jab_str key, jab_value_fn fn, void *arg);
    int (*each)(jab_store *st, const char *space, jab_str after, unsigned limit, jab_value_fn fn,
                void *arg);

    /* Messages. add() sets *key. Two messages of one archive do not have the
     * same id there: the caller has looked. remove() is for what is not to be
     * kept any more. */
    int (*add)(jab_store *st, const jab_kept_message *m, int64_t *key);
    int (*change)(jab_store *st, int64_t key, const jab_kept_change *change);
    int (*remove)(jab_store *st, int64_t key);
    int (*read)(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg);

    /* Messages whose body has all of these words, newest first: by their stamps,
     * also in one conversation, and `before` and `after` are stamps. Case, accents
     * and width do not matter, a word finds those that it begins, and Chinese,
     * Japanese and Thai text is found by any piece of it. */
    int (*search)(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg);
} jab_store_table;

/* What every store begins with. `dirty` is 1 while there is something to commit. */
struct jab_store {
    const jab_store_table *table;
    int dirty;
};

/* -- For programs ---------------------------------------------------------------- */

/* A store in memory, gone with the process. Returns 0 and sets *out, or
 * JAB_ENOMEM. `mem` NULL: malloc. */
JAB_API int jab_store_memory(jab_store **out, const jab_mem *mem) JAB_MUST_USE;

/* How to open a store in a file. Write JAB_STORE_FILE(.path = ...). */
typedef struct jab_store_options {
    size_t size;
    const char *path; /* the database; the folder must exist */
    int read_only;    /* 1: for looking while another process has it; writes fail */
    const char *vfs;  /* a registered SQLite VFS; NULL: the system's */
    const jab_mem *mem;
    /* Gets words for people about what failed, or about a damaged file that
     * was set aside (the return value is 0 then), NUL-ended; "" for nothing.
     * NULL and 0: not wanted. */
    char *words;
    size_t words_size;
} jab_store_options;
#define JAB_STORE_FILE(...)                                                                        \
    (&(const jab_store_options){.size = sizeof(jab_store_options), __VA_ARGS__})

/*
 * Opens a store in a file, or makes it, readable by its owner only (0600).
 * An older format is brought up to date. A file that is damaged is renamed to
 * "<path>.damaged-<time>", never deleted, and a new one begins: the session
 * fills it again from the server's archive.
 *
 * Returns 0 and sets *out; JAB_ELOCKED while another process has it;
 * JAB_ESTORE; JAB_ENOMEM; JAB_EINVAL. The store is to be given to
 * jab_store_free() after the session that uses it has been freed.
 */
JAB_API int jab_store_open(jab_store **out, const jab_store_options *options) JAB_MUST_USE;

/* Undoes what was not committed, and closes. NULL is fine. */
JAB_API void jab_store_free(jab_store *st);

/* Reads messages, or looks for words in them: see jab_kept_query. Returns how
 * many were handed to `fn`, or JAB_ESTORE, JAB_ENOMEM, JAB_EINVAL. */
JAB_API int jab_store_read(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg);
JAB_API int jab_store_search(jab_store *st, const jab_kept_query *q, jab_kept_fn fn, void *arg);

/* The words of the last failure; empty without one. Valid until the next call. */
JAB_API jab_str jab_store_error(const jab_store *st);

#ifdef __cplusplus
}
#endif
#endif
