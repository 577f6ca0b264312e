/*
 * base.h: strings, errors, memory, time and chance: what every other header
 * of jabiru is built on. It knows nothing of XMPP.
 */
#ifndef JABIRU_BASE_H
#define JABIRU_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define JAB_API      __attribute__((visibility("default")))
#define JAB_MUST_USE __attribute__((warn_unused_result))
#else
#define JAB_API
#define JAB_MUST_USE
#endif

/* -- Strings ---------------------------------------------------------------
 *
 * A jab_str is a borrowed view: n bytes at p, not ended by a NUL. Every
 * jab_str that the library gives you is valid UTF-8. `p == NULL` means
 * absent (no such attribute), which is not the same as empty (`n == 0`).
 * How long a view stays valid is said where it is handed out.
 */
typedef struct jab_str {
    const char *p; /* first byte, or NULL when absent */
    size_t n;      /* length in bytes */
} jab_str;

/* A view of a string literal, its length taken at compile time. */
#ifdef __cplusplus
#define JAB_STR(literal) (jab_str{"" literal, sizeof("" literal) - 1})
#else
#define JAB_STR(literal) ((jab_str){"" literal, sizeof("" literal) - 1})
#endif

/* printf("from " JAB_FMT "\n", JAB_ARG(str)) prints a view. Text that came
 * from the network may hold control characters: clean it before a terminal. */
#define JAB_FMT      "%.*s"
#define JAB_ARG(str) (int)(str).n, (str).p

/* A view of a NUL-ended string; NULL gives the absent string. */
static inline jab_str jab_cstr(const char *z)
{
    jab_str s = {z, z ? strlen(z) : 0};
    return s;
}

/* Whether two views hold the same bytes. Absent equals only absent. */
static inline int jab_str_eq(jab_str a, jab_str b)
{
    return a.n == b.n && (a.p == NULL) == (b.p == NULL) && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Whether a view holds exactly the bytes of the NUL-ended string z. */
static inline int jab_str_is(jab_str a, const char *z)
{
    size_t n = strlen(z);
    return a.p != NULL && a.n == n && memcmp(a.p, z, n) == 0;
}

/* -- Errors ----------------------------------------------------------------
 *
 * Functions return an int: zero or more is success, less is one of these.
 * The range says whose fault it was: the caller's (-1...), this machine's
 * (-100...), the peer's (-200...), or the credentials' (-300...).
 *
 * X(name, number, exit status of the command line, words)
 */
#define JAB_ERRORS(X)                                                                              \
    X(JAB_EINVAL, -1, 2, "invalid argument")                                                       \
    X(JAB_ESTATE, -2, 2, "not possible in this state")                                             \
    X(JAB_EJID, -3, 2, "not a valid address (JID)")                                                \
    X(JAB_EXML, -4, 2, "text or name that XML does not allow")                                     \
    X(JAB_ELIMIT, -5, 2, "a configured limit would be exceeded")                                   \
    X(JAB_EAGAIN, -6, 7, "queue full, try again after sending")                                    \
    X(JAB_EOFFLINE, -7, 4, "not connected")                                                        \
    X(JAB_ECANCELED, -8, 130, "canceled")                                                          \
    X(JAB_ECONFLICT, -9, 2, "two extensions claim the same payload")                               \
    X(JAB_ENOMEM, -100, 9, "out of memory")                                                        \
    X(JAB_EIO, -101, 9, "input or output failed")                                                  \
    X(JAB_EDNS, -102, 4, "host not found")                                                         \
    X(JAB_ECONNECT, -103, 4, "could not connect")                                                  \
    X(JAB_ETIMEOUT, -104, 7, "timed out")                                                          \
    X(JAB_ECRYPTO, -105, 9, "cryptography or randomness failed")                                   \
    X(JAB_ESTORE, -106, 9, "the local store failed")                                               \
    X(JAB_ELOCKED, -107, 9, "another process uses the store")                                      \
    X(JAB_ESTREAM, -200, 4, "the server ended the stream with an error")                           \
    X(JAB_EPROTO, -201, 4, "the server broke the protocol")                                        \
    X(JAB_EBADXML, -202, 4, "the server sent malformed XML")                                       \
    X(JAB_ETLS, -203, 6, "TLS failed")                                                             \
    X(JAB_ECERT, -204, 6, "the server's certificate is not acceptable")                            \
    X(JAB_ENOTLS, -205, 6, "the server offers no TLS")                                             \
    X(JAB_EUNSUPPORTED, -206, 8, "the server lacks the feature")                                   \
    X(JAB_ESTANZA, -207, 5, "the request was refused")                                             \
    X(JAB_EEOF, -208, 4, "the connection was closed")                                              \
    X(JAB_ETOOBIG, -209, 4, "the server sent more than the limit allows")                          \
    X(JAB_EREDIRECT, -210, 4, "the server refers to another host")                                 \
    X(JAB_EAUTH, -300, 3, "authentication was refused")                                            \
    X(JAB_EMECH, -301, 3, "no acceptable authentication mechanism")                                \
    X(JAB_EPROOF, -302, 3, "the server did not prove that it knows the password")                  \
    X(JAB_ENOSECRET, -303, 2, "no password or certificate was given")                              \
    X(JAB_EWEAKER, -304, 6, "the log-in would be less safe than an earlier one")

#define JAB_ERROR_ENUM_(name, number, exit, words) name = number,
enum jab_error { JAB_ERRORS(JAB_ERROR_ENUM_) JAB_OK = 0 };
#undef JAB_ERROR_ENUM_

/* Whose fault an error is. */
typedef enum jab_err_kind {
    JAB_ERR_NONE,        /* not an error */
    JAB_ERR_CALLER,      /* -1...: the call was wrong, or came at a wrong time */
    JAB_ERR_MACHINE,     /* -100...: this machine or its network */
    JAB_ERR_PEER,        /* -200...: the server or another entity */
    JAB_ERR_CREDENTIALS, /* -300...: log-in */
} jab_err_kind;

/* Words for an error code, static, in English; never NULL. */
JAB_API const char *jab_strerror(int err);

/* The name of an error code ("JAB_EAUTH"), static; "JAB_OK" for >= 0. */
JAB_API const char *jab_errname(int err);

/* The range that an error code belongs to. */
JAB_API jab_err_kind jab_err_class(int err);

/* The exit status that the jabiru program gives this error; 0 for >= 0. */
JAB_API int jab_err_exit(int err);

/* How far a session was when something happened. */
typedef enum jab_stage {
    JAB_AT_NONE,
    JAB_AT_DNS,     /* looking up the server */
    JAB_AT_TCP,     /* connecting */
    JAB_AT_TLS,     /* handshake and certificate */
    JAB_AT_STREAM,  /* XML stream and its features */
    JAB_AT_SASL,    /* authentication */
    JAB_AT_BIND,    /* resource binding */
    JAB_AT_SESSION, /* logged in */
} jab_stage;

/* "dns", "tcp", ...; static, never NULL. */
JAB_API const char *jab_stage_name(jab_stage stage);

/* What ended or prevented something, in parts that a program can test and
 * one sentence that a person can act on. */
typedef struct jab_fault {
    int code;          /* an enum jab_error, < 0 */
    jab_stage stage;   /* where it happened */
    jab_str condition; /* the defined condition ("not-authorized"), or absent */
    jab_str text;      /* "certificate for example.org expired on 2026-03-01" */
} jab_fault;

/* -- What the library takes from outside -----------------------------------
 *
 * The core calls no allocator, clock or source of randomness of its own.
 */

/* An allocator. All three calls get `arg`. `realloc(arg, NULL, n)` allocates;
 * `free(arg, NULL)` does nothing; NULL from the first two means out of
 * memory, which the library survives. It must outlive what uses it. */
typedef struct jab_mem {
    void *arg;
    void *(*alloc)(void *arg, size_t n);
    void *(*realloc)(void *arg, void *p, size_t n);
    void (*free)(void *arg, void *p);
} jab_mem;

/* Fills n bytes at p with unpredictable bytes; 0, or < 0 when it cannot. */
typedef int (*jab_random_fn)(void *arg, void *p, size_t n);

/* Milliseconds since 1970-01-01 UTC, for display and time stamps only. */
typedef int64_t (*jab_wall_fn)(void *arg);

/* Times are milliseconds of a clock that never steps (CLOCK_BOOTTIME); its
 * zero is the caller's choice. JAB_NEVER is later than any. */
#define JAB_NEVER INT64_MAX

/* -- Version --------------------------------------------------------------- */
#define JAB_VERSION_MAJOR 0
#define JAB_VERSION_MINOR 1
#define JAB_VERSION_PATCH 0
#define JAB_VERSION       "0.1.0"

/* The version of the library that is running, such as "0.1.0". */
JAB_API const char *jab_version(void);

#ifdef __cplusplus
}
#endif
#endif
