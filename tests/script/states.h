/* states.h: every state of the log-in, and how the scripted server brings a fresh session
 * there. A state is known again by what the machine has reached (is_at()). */
#ifndef SCRIPT_STATES_H
#define SCRIPT_STATES_H

#include "secrets.h"
#include "words.h"

typedef enum state_id {
    NOWHERE,
    /* STARTTLS, and the log-in of RFC 6120 */
    OFFLINE,
    HEADER_AWAITED,
    FEATURES_AWAITED,
    TLS_ASKED,
    TLS_WANTED,
    SECURE_HEADER_AWAITED,
    SECURE_FEATURES_AWAITED,
    SCRAM_SENT,
    SCRAM_COMPUTING,
    SCRAM_ANSWERED,
    SCRAM_PROVEN,
    LOGGED_IN_HEADER_AWAITED,
    LOGGED_IN_FEATURES_AWAITED,
    BIND_ASKED,
    READY,
    READY_ENABLED,
    RESUME_ASKED,
    RESUMED_READY,
    BIND_AFTER_RESUME,
    /* PLAIN, where the account allows it, and compression, where it asks for that */
    PLAIN_SENT,
    PLAIN_LOGGED_IN,
    COMPRESS_ASKED,
    COMPRESS_STARTED,
    COMPRESS_REFUSED,
    /* XEP-0388 */
    SCRAM2_SENT,
    SCRAM2_COMPUTING,
    SCRAM2_ANSWERED,
    SCRAM2_PROVEN,
    SCRAM2_LOGGED_IN,
    SCRAM2_BIND_ASKED,
    RESUME2_ASKED,
    RESUME2_RESUMED,
    RESUME2_READY,
    RESUME2_REFUSED,
    BIND2_SENT,
    BIND2_ONLY_SENT,
    BIND2_LOGGED_IN,
    BIND2_BOUND,
    BIND2_READY,
    TOKEN_SENT,
    TOKEN_LOGGED_IN,
    TOKEN_REFUSED,
    UPGRADE_SENT,
    UPGRADE_COMPUTING,
    UPGRADE_ANSWERED,
    UPGRADE_PROVEN,
    UPGRADE_LOGGED_IN,
    TASK_ASKED,
    TASK_COMPUTING,
    TASK_ANSWERED,
    TASK_LOGGED_IN,
    /* Ahead of the server's header: XEP-0305, XEP-0509 */
    AHEAD_TLS_HEADER,
    AHEAD_TLS_FEATURES,
    AHEAD_TLS_OFFERED,
    AHEAD_PLAIN_HEADER,
    AHEAD_PLAIN_FEATURES,
    AHEAD_PLAIN_OFFERED,
    AHEAD_PLAIN_STALE,
    AHEAD_BIND_HEADER,
    AHEAD_BIND_FEATURES,
    AHEAD_BIND_OFFERED,
    AHEAD_SASL2_HEADER,
    AHEAD_SASL2_FEATURES,
    AHEAD_SASL2_OFFERED,
    AHEAD_SASL2_STALE,
    AHEAD_SASL2_ANEW,
    STATES
} state_id;

/* What the account is set to. */
typedef struct account {
    const char *mechanisms;
    jab_tls_policy tls;
    jab_compress_policy compress;
    unsigned login;
    const char *token_mechanism;
    const char *before, *after; /* features of the last log-in */
    jabi_floor floor;
    jab_tls_info tls_info;
} account;

#define VERIFIED                                                                                   \
    {                                                                                              \
        .verified = 1, .version = 13, .exporter = { "eeeeeeee", 8 }                                \
    }
#define CAREFUL JAB_LOGIN_NO_PIPELINING
#define IN_XML(what)                                                                               \
    "<features xmlns='" NS_STREAM "'>" what "</features>" /* as they are remembered */

static const account classic = {.tls = JAB_TLS_REQUIRED, .login = CAREFUL, .tls_info = VERIFIED};
static const account plain = {.mechanisms = "PLAIN",
                              .tls = JAB_TLS_DIRECT,
                              .compress = JAB_COMPRESS_ANYWAY,
                              .login = CAREFUL,
                              .tls_info = VERIFIED};
static const account bind2 = {.mechanisms = "PLAIN",
                              .tls = JAB_TLS_DIRECT,
                              .login = CAREFUL | JAB_LOGIN_BIND2,
                              .tls_info = VERIFIED};
static const account token = {.tls = JAB_TLS_DIRECT,
                              .login = CAREFUL,
                              .token_mechanism = "HT-SHA-256-NONE",
                              .tls_info = VERIFIED};
static const account upgrade = {.tls = JAB_TLS_DIRECT, .login = CAREFUL, .tls_info = VERIFIED};
static const account ahead_tls = {.tls = JAB_TLS_REQUIRED, .tls_info = VERIFIED};
static const account ahead_plain = {.mechanisms = "PLAIN",
                                    .tls = JAB_TLS_DIRECT,
                                    .before = IN_XML(SASL1(MECHANISM("PLAIN"))),
                                    .after = IN_XML(BIND SM),
                                    .tls_info = VERIFIED};
static const account ahead_sasl2 = {.mechanisms = "PLAIN SCRAM-SHA-1",
                                    .tls = JAB_TLS_DIRECT,
                                    .before = IN_XML("<authentication xmlns='" NS_SASL2
                                                     "'>" MECHANISM("PLAIN") "</authentication>"),
                                    .tls_info = VERIFIED};

/* -- The way to each state ------------------------------------------------------------------ */

typedef enum group {
    ANY,
    CLOSED,    /* no stream */
    HELD_BACK, /* nothing is read */
    AT_HEADER,
    AT_FEATURES,
    AT_FEATURES2, /* behind a log-in by XEP-0388, not bound */
    AT_TLS,
    AT_SASL1,
    AT_SASL2,
    AT_SASL2_BEGUN, /* SCRAM */
    AT_SASL2_ANSWERED,
    AT_SASL2_PROVEN,
    AT_BIND,
    IN_FULL, /* stanzas flow */
    ELSEWHERE
} group;

typedef struct state_row {
    const char *name;
    state_id from;
    const char *says;       /* words of the server; "TCP", "TLS": the transport is up, is secure */
    const account *account; /* a session is made for it */
    unsigned secrets;       /* that may have left when this is reached, beside those of `from` */
    int is_cut;             /* the transport, before all */
    group group;            /* of states with the same rules */
} state_row;

static const state_row states[STATES] = {
    [OFFLINE] = {"offline", NOWHERE, "", &classic, 0, 0, CLOSED},
    [HEADER_AWAITED] = {"header awaited", OFFLINE, "TCP", NULL, 0, 0, AT_HEADER},
    [FEATURES_AWAITED] = {"features awaited", HEADER_AWAITED, "header", NULL, 0, 0, AT_FEATURES},
    [TLS_ASKED] = {"STARTTLS asked", FEATURES_AWAITED, "features-tls", NULL, 0, 0, AT_TLS},
    [TLS_WANTED] = {"TLS wanted", TLS_ASKED, "proceed", NULL, 0, 0, HELD_BACK},
    [SECURE_HEADER_AWAITED] = {"secure: header awaited", TLS_WANTED, "TLS", NULL, 0, 0, AT_HEADER},
    [SECURE_FEATURES_AWAITED] = {"secure: features awaited", SECURE_HEADER_AWAITED, "header", NULL,
                                 0, 0, AT_FEATURES},
    [SCRAM_SENT] = {"SASL: SCRAM begun", SECURE_FEATURES_AWAITED, "features-scram", NULL, 0, 0,
                    AT_SASL1},
    [SCRAM_COMPUTING] = {"SASL: computing", SCRAM_SENT, "challenge-slow", NULL, 0, 0, HELD_BACK},
    [SCRAM_ANSWERED] = {"SASL: proof sent", SCRAM_SENT, "challenge", NULL, SEEN_PROOF, 0, AT_SASL1},
    [SCRAM_PROVEN] = {"SASL: server proved itself", SCRAM_ANSWERED, "challenge-last", NULL, 0, 0,
                      AT_SASL1},
    [LOGGED_IN_HEADER_AWAITED] = {"logged in: header awaited", SCRAM_ANSWERED, "success-proof",
                                  NULL, 0, 0, AT_HEADER},
    [LOGGED_IN_FEATURES_AWAITED] = {"logged in: features awaited", LOGGED_IN_HEADER_AWAITED,
                                    "header", NULL, 0, 0, AT_FEATURES},
    [BIND_ASKED] = {"bind asked", LOGGED_IN_FEATURES_AWAITED, "features-sm", NULL, 0, 0, AT_BIND},
    [READY] = {"ready", BIND_ASKED, "bind-result", NULL, 0, 0, IN_FULL},
    [READY_ENABLED] = {"ready, resumable", READY, "enabled", NULL, 0, 0, IN_FULL},
    [RESUME_ASKED] = {"resume asked", READY_ENABLED,
                      "TCP header features-tls proceed TLS header features-scram challenge "
                      "success-proof header features-sm",
                      NULL, 0, 1, ELSEWHERE},
    [RESUMED_READY] = {"resumed", RESUME_ASKED, "resumed", NULL, 0, 0, IN_FULL},
    [BIND_AFTER_RESUME] = {"bind asked, as resume was refused", RESUME_ASKED, "sm-failed", NULL, 0,
                           0, AT_BIND},

    [PLAIN_SENT] = {"SASL: PLAIN sent", NOWHERE, "TLS header features-plain", &plain, SEEN_PASSWORD,
                    0, AT_SASL1},
    [PLAIN_LOGGED_IN] = {"SASL: PLAIN accepted", PLAIN_SENT, "success", NULL, 0, 0, AT_HEADER},
    [COMPRESS_ASKED] = {"compression asked", PLAIN_LOGGED_IN, "header features-zlib", NULL, 0, 0,
                        ELSEWHERE},
    [COMPRESS_STARTED] = {"compressed", COMPRESS_ASKED, "compressed", NULL, 0, 0, ELSEWHERE},
    [COMPRESS_REFUSED] = {"bind asked, as compression was refused", COMPRESS_ASKED,
                          "compress-failure", NULL, 0, 0, AT_BIND},

    [SCRAM2_SENT] = {"SASL2: SCRAM begun", SECURE_FEATURES_AWAITED, "features-sasl2", NULL, 0, 0,
                     AT_SASL2_BEGUN},
    [SCRAM2_COMPUTING] = {"SASL2: computing", SCRAM2_SENT, "challenge2-slow", NULL, 0, 0,
                          HELD_BACK},
    [SCRAM2_ANSWERED] = {"SASL2: proof sent", SCRAM2_SENT, "challenge2", NULL, SEEN_PROOF, 0,
                         AT_SASL2_ANSWERED},
    [SCRAM2_PROVEN] = {"SASL2: server proved itself", SCRAM2_ANSWERED, "challenge2-last", NULL, 0,
                       0, AT_SASL2_PROVEN},
    [SCRAM2_LOGGED_IN] = {"SASL2: features awaited", SCRAM2_ANSWERED, "success2-proof", NULL, 0, 0,
                          AT_FEATURES2},
    [SCRAM2_BIND_ASKED] = {"SASL2: bind asked", SCRAM2_LOGGED_IN, "features-sm", NULL, 0, 0,
                           AT_BIND},
    [RESUME2_ASKED] = {"SASL2: proof sent, resume asked", READY_ENABLED,
                       "TCP header features-tls proceed TLS header features-sasl2 challenge2", NULL,
                       0, 1, AT_SASL2_ANSWERED},
    [RESUME2_RESUMED] = {"SASL2: resumed, features to come", RESUME2_ASKED, "success2-resumed",
                         NULL, 0, 0, IN_FULL},
    [RESUME2_READY] = {"SASL2: resumed, features came", RESUME2_RESUMED, "features-none", NULL, 0,
                       0, IN_FULL},
    [RESUME2_REFUSED] = {"SASL2: not resumed, features awaited", RESUME2_ASKED,
                         "success2-not-resumed", NULL, 0, 0, AT_FEATURES2},
    [BIND2_SENT] = {"Bind 2: PLAIN sent", NOWHERE, "TLS header features-sasl2", &bind2,
                    SEEN_PASSWORD, 0, AT_SASL2},
    [BIND2_ONLY_SENT] = {"Bind 2 without stream management: PLAIN sent", NOWHERE,
                         "TLS header features-bind2-only", &bind2, SEEN_PASSWORD, 0, AT_SASL2},
    [BIND2_LOGGED_IN] = {"Bind 2: not bound, features awaited", BIND2_SENT, "success2", NULL, 0, 0,
                         AT_FEATURES2},
    [BIND2_BOUND] = {"Bind 2: bound, features awaited", BIND2_SENT, "success2-bound", NULL, 0, 0,
                     AT_FEATURES},
    [BIND2_READY] = {"Bind 2: ready", BIND2_BOUND, "features-none", NULL, 0, 0, IN_FULL},
    [TOKEN_SENT] = {"FAST: token sent", NOWHERE, "TLS header features-sasl2", &token, SEEN_TOKEN, 0,
                    AT_SASL2},
    [TOKEN_LOGGED_IN] = {"FAST: features awaited", TOKEN_SENT, "success2-token", NULL, 0, 0,
                         AT_FEATURES2},
    [TOKEN_REFUSED] = {"FAST: refused, SCRAM begun", TOKEN_SENT, "failure2", NULL, 0, 0,
                       AT_SASL2_BEGUN},
    [UPGRADE_SENT] = {"upgrade: SCRAM begun", NOWHERE, "TLS header features-upgrade", &upgrade, 0,
                      0, AT_SASL2_BEGUN},
    [UPGRADE_COMPUTING] = {"upgrade: SCRAM computing", UPGRADE_SENT, "challenge2-slow", NULL, 0, 0,
                           HELD_BACK},
    [UPGRADE_ANSWERED] = {"upgrade: proof sent", UPGRADE_SENT, "challenge2", NULL, SEEN_PROOF, 0,
                          AT_SASL2_ANSWERED},
    [UPGRADE_PROVEN] = {"upgrade: server proved itself", UPGRADE_ANSWERED, "challenge2-last", NULL,
                        0, 0, AT_SASL2_PROVEN},
    [UPGRADE_LOGGED_IN] = {"upgrade: not wanted, features awaited", UPGRADE_ANSWERED,
                           "success2-proof", NULL, 0, 0, AT_FEATURES2},
    [TASK_ASKED] = {"upgrade: task asked", UPGRADE_ANSWERED, "continue-upgrade", NULL, 0, 0,
                    AT_SASL2},
    [TASK_COMPUTING] = {"upgrade: computing", TASK_ASKED, "task-data-slow", NULL, 0, 0, HELD_BACK},
    [TASK_ANSWERED] = {"upgrade: hash sent", TASK_ASKED, "task-data", NULL, SEEN_SALTED, 0,
                       AT_SASL2},
    [TASK_LOGGED_IN] = {"upgrade: features awaited", TASK_ANSWERED, "success2", NULL, 0, 0,
                        AT_FEATURES2},

    [AHEAD_TLS_HEADER] = {"ahead: STARTTLS asked, header awaited", NOWHERE, "TCP", &ahead_tls, 0, 0,
                          AT_HEADER},
    [AHEAD_TLS_FEATURES] = {"ahead: STARTTLS asked, features awaited", AHEAD_TLS_HEADER, "header",
                            NULL, 0, 0, AT_FEATURES},
    [AHEAD_TLS_OFFERED] = {"ahead: STARTTLS asked and offered", AHEAD_TLS_FEATURES, "features-tls",
                           NULL, 0, 0, AT_TLS},
    [AHEAD_PLAIN_HEADER] = {"ahead: PLAIN sent, header awaited", NOWHERE, "TLS", &ahead_plain,
                            SEEN_PASSWORD, 0, AT_HEADER},
    [AHEAD_PLAIN_FEATURES] = {"ahead: PLAIN sent, features awaited", AHEAD_PLAIN_HEADER, "header",
                              NULL, 0, 0, AT_FEATURES},
    [AHEAD_PLAIN_OFFERED] = {"ahead: PLAIN sent and offered", AHEAD_PLAIN_FEATURES,
                             "features-plain", NULL, 0, 0, AT_SASL1},
    [AHEAD_PLAIN_STALE] = {"ahead: PLAIN sent and not offered", AHEAD_PLAIN_FEATURES,
                           "features-scram", NULL, 0, 0, AT_SASL1},
    [AHEAD_BIND_HEADER] = {"ahead: bind asked, header awaited", AHEAD_PLAIN_OFFERED, "success",
                           NULL, 0, 0, AT_HEADER},
    [AHEAD_BIND_FEATURES] = {"ahead: bind asked, features awaited", AHEAD_BIND_HEADER, "header",
                             NULL, 0, 0, AT_FEATURES},
    [AHEAD_BIND_OFFERED] = {"ahead: bind asked and offered", AHEAD_BIND_FEATURES, "features-bind",
                            NULL, 0, 0, AT_BIND},
    [AHEAD_SASL2_HEADER] = {"ahead: SASL2 sent, header awaited", NOWHERE, "TLS", &ahead_sasl2,
                            SEEN_PASSWORD, 0, AT_HEADER},
    [AHEAD_SASL2_FEATURES] = {"ahead: SASL2 sent, features awaited", AHEAD_SASL2_HEADER, "header",
                              NULL, 0, 0, AT_FEATURES},
    [AHEAD_SASL2_OFFERED] = {"ahead: SASL2 sent and offered", AHEAD_SASL2_FEATURES,
                             "features-sasl2-plain", NULL, 0, 0, AT_SASL2},
    [AHEAD_SASL2_STALE] = {"ahead: SASL2 sent and not offered", AHEAD_SASL2_FEATURES,
                           "features-sasl2-scram", NULL, 0, 0, AT_SASL2},
    [AHEAD_SASL2_ANEW] = {"ahead: refused, SCRAM begun", AHEAD_SASL2_STALE, "failure2-mechanism",
                          NULL, 0, 0, AT_SASL2_BEGUN},
};

#endif
