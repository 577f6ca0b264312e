/* verdicts.h: what each element of the vocabulary does in each state. The first rule that
 * fits counts. What is out of order ends the stream, always: who can put an element where none
 * belongs wants something by it. */
#ifndef SCRIPT_VERDICTS_H
#define SCRIPT_VERDICTS_H

#include "states.h"

typedef enum kind {
    ENDS,  /* the stream, with a code */
    WAITS, /* stays where it is; there may be an answer */
    HELD,  /* is not read */
    GOES,  /* on to a state */
} kind;

typedef struct rule {
    state_id state;    /* or NOWHERE: */
    group group;       /* or ANY */
    const char *words; /* separated by blanks; "x-*" is all that begins so */
    kind kind;
    int to; /* a code or a state */
    const char *why;
} rule;

#define AT(state) state, ANY
#define IN(group) NOWHERE, group

#define WITH_DATA                                                                                  \
    "success2 success2-proof success2-token success2-new-token success2-proof-and-token "          \
    "success2-wrong-proof success2-garbage"

static const rule rules[] = {
    {IN(CLOSED), "*", ENDS, JAB_ESTATE, "session.h: there is no stream to feed"},
    {IN(HELD_BACK), "*", HELD, 0, "RFC 6120 §5.4.3.3, RFC 4422 §3.3: not their turn"},
    {AT(COMPRESS_STARTED), "*", ENDS, JAB_EPROTO, "XEP-0138 §3: all is compressed from here"},

    /* -- Headers (RFC 6120 §4.2, §4.7) -- */
    {AT(HEADER_AWAITED), "header", GOES, FEATURES_AWAITED, "§4.3.2"},
    {AT(SECURE_HEADER_AWAITED), "header", GOES, SECURE_FEATURES_AWAITED, "§5.4.3.3"},
    {AT(LOGGED_IN_HEADER_AWAITED), "header", GOES, LOGGED_IN_FEATURES_AWAITED, "§6.4.6"},
    {AT(PLAIN_LOGGED_IN), "header", GOES, LOGGED_IN_FEATURES_AWAITED, "§6.4.6"},
    {AT(AHEAD_TLS_HEADER), "header", GOES, AHEAD_TLS_FEATURES, "XEP-0305 §2"},
    {AT(AHEAD_PLAIN_HEADER), "header", GOES, AHEAD_PLAIN_FEATURES, "XEP-0305 §2"},
    {AT(AHEAD_BIND_HEADER), "header", GOES, AHEAD_BIND_FEATURES, "XEP-0305 §2"},
    {AT(AHEAD_SASL2_HEADER), "header", GOES, AHEAD_SASL2_FEATURES, "XEP-0305 §2"},
    {IN(AT_HEADER), "header-*", ENDS, JAB_EPROTO, "§4.7.1, §4.7.5, §4.8.2"},
    {IN(AT_HEADER), "features-not-of-streams", ENDS, JAB_EPROTO, "§4.2: the root is a stream"},
    {IN(AT_HEADER), "features-* error-* stream-element close", ENDS, JAB_EBADXML,
     "XML Namespaces §5: no prefix is declared before the header"},
    {IN(ANY), "header header-*", ENDS, JAB_EBADXML, "XML §2.8: a declaration within"},

    /* -- In every state that reads -- */
    {IN(ANY), "close", ENDS, JAB_EEOF, "§4.4"},
    {IN(ANY), "error-redirect", ENDS, JAB_EREDIRECT, "§4.9.3.19; whether to follow: REDIRECT_TLS"},
    {IN(ANY), "error-*", ENDS, JAB_ESTREAM, "§4.9.1.1"},
    {IN(ANY), "blank", WAITS, 0, "§11.7: white space between elements"},
    {IN(ANY), "text entity comment doctype", ENDS, JAB_EBADXML, "§11.1, §11.4"},
    {IN(ANY), "features-not-of-streams", ENDS, JAB_EPROTO, "§4.3.2: in the streams' namespace"},

    /* -- Features: once behind each header and each <success/> of XEP-0388 (§2.6.1 there), and
     *    nowhere else: what they say at another time has no step that it could change -- */
    {AT(FEATURES_AWAITED), "features-tls features-tls-and-sasl2", GOES, TLS_ASKED, "§5.4.2.1"},
    {AT(FEATURES_AWAITED), "features-*", ENDS, JAB_ENOTLS, "§5.3.1, §13.8"},
    {AT(AHEAD_TLS_FEATURES), "features-tls features-tls-and-sasl2", GOES, AHEAD_TLS_OFFERED,
     "XEP-0305 §2"},
    {AT(AHEAD_TLS_FEATURES), "features-*", ENDS, JAB_ENOTLS, "§5.3.1, §13.8"},
    {IN(ANY), "features-scram-twice", ENDS, JAB_EPROTO, "§4.3.2: once on a stream"},
    {AT(SECURE_FEATURES_AWAITED), "features-scram", GOES, SCRAM_SENT, "§6.4.2"},
    {AT(SECURE_FEATURES_AWAITED),
     "features-sasl2 features-sasl2-scram features-both features-tls-and-sasl2", GOES, SCRAM2_SENT,
     "XEP-0388 §2.3, and before RFC 6120 §6"},
    {AT(SECURE_FEATURES_AWAITED), "features-upgrade", GOES, UPGRADE_SENT, "XEP-0480 §3"},
    {AT(SECURE_FEATURES_AWAITED), "features-*", ENDS, JAB_EMECH, "§13.8.3: no PLAIN unasked"},
    {AT(LOGGED_IN_FEATURES_AWAITED), "features-zlib features-sm features-bind", GOES, BIND_ASKED,
     "§7.4; compression is not wanted"},
    {IN(AT_FEATURES2), "features-zlib features-sm features-bind", GOES, SCRAM2_BIND_ASKED,
     "XEP-0388 §2.6.1, RFC 6120 §7.4"},
    {AT(BIND2_BOUND), "features-*", GOES, BIND2_READY, "XEP-0386 §3.2"},
    {AT(RESUME2_RESUMED), "features-*", GOES, RESUME2_READY,
     "XEP-0388 §2.6.1; Prosody has stanzas before them, and they are taken"},
    {AT(AHEAD_PLAIN_FEATURES), "features-plain", GOES, AHEAD_PLAIN_OFFERED, "XEP-0305 §2"},
    {AT(AHEAD_PLAIN_FEATURES), "features-*", GOES, AHEAD_PLAIN_STALE, "the answer is to come"},
    {AT(AHEAD_SASL2_FEATURES), "features-sasl2-plain features-bind2-only", GOES,
     AHEAD_SASL2_OFFERED, "XEP-0509 §3"},
    {AT(AHEAD_SASL2_FEATURES), "features-*", GOES, AHEAD_SASL2_STALE, "the answer is to come"},
    {AT(AHEAD_BIND_FEATURES), "features-*", GOES, AHEAD_BIND_OFFERED, "the answer is to come"},

    /* -- STARTTLS (RFC 6120 §5) -- */
    {IN(AT_TLS), "proceed proceed-and-more", GOES, TLS_WANTED, "§5.4.2.3; the rest is not read"},
    {IN(AT_TLS), "tls-failure", ENDS, JAB_ETLS, "§5.4.2.2"},

    /* -- SASL (RFC 6120 §6) -- */
    {AT(AHEAD_PLAIN_STALE), "failure failure-*", ENDS, JAB_EMECH, "nothing else is allowed"},
    {IN(AT_SASL1), "failure failure-*", ENDS, JAB_EAUTH, "§6.4.5"},
    {AT(SCRAM_SENT), "challenge", GOES, SCRAM_ANSWERED, "RFC 5802 §5"},
    {AT(SCRAM_SENT), "challenge-slow", GOES, SCRAM_COMPUTING, "RFC 5802 §5"},
    {AT(SCRAM_SENT), "success success-proof success-wrong-proof success-empty-data", ENDS,
     JAB_EPROOF, "RFC 5802 §5: the server is not proven"},
    {AT(SCRAM_ANSWERED), "success-proof", GOES, LOGGED_IN_HEADER_AWAITED, "§6.4.6"},
    {AT(SCRAM_ANSWERED), "success success-wrong-proof success-empty-data challenge-wrong-proof",
     ENDS, JAB_EPROOF, "RFC 5802 §5"},
    {AT(SCRAM_ANSWERED), "challenge-last", GOES, SCRAM_PROVEN, "RFC 5802 §5, §6.4.4"},
    {AT(SCRAM_ANSWERED), "challenge-error", ENDS, JAB_EAUTH, "RFC 5802 §7: server-error"},
    {AT(SCRAM_PROVEN), "success success-proof success-empty-data", GOES, LOGGED_IN_HEADER_AWAITED,
     "§6.4.6"},
    {AT(SCRAM_PROVEN), "success-wrong-proof", ENDS, JAB_EPROOF, "RFC 5802 §5"},
    {AT(PLAIN_SENT), "success success-empty-data", GOES, PLAIN_LOGGED_IN, "§6.4.6, RFC 4616 §2"},
    {IN(AT_SASL1), "success success-empty-data", GOES, AHEAD_BIND_HEADER, "§6.4.6"},

    /* -- SASL2 (XEP-0388): refusals -- */
    {AT(TOKEN_SENT), "failure2-for-now", ENDS, JAB_EAUTH, "the token may be good"},
    {AT(TOKEN_SENT), "failure2 failure2-*", GOES, TOKEN_REFUSED, "XEP-0484 §4.1"},
    {AT(AHEAD_SASL2_STALE), "failure2 failure2-*", GOES, AHEAD_SASL2_ANEW, "it was an older offer"},
    {AT(AHEAD_SASL2_OFFERED), "failure2-version", GOES, BIND2_SENT, "XEP-0509 §3.2: once more"},
    {IN(AT_SASL2), "failure2 failure2-*", ENDS, JAB_EAUTH, "§2.6.2"},
    {IN(AT_SASL2_BEGUN), "failure2 failure2-*", ENDS, JAB_EAUTH, "§2.6.2"},
    {IN(AT_SASL2_ANSWERED), "failure2 failure2-*", ENDS, JAB_EAUTH, "§2.6.2"},
    {IN(AT_SASL2_PROVEN), "failure2 failure2-*", ENDS, JAB_EAUTH, "§2.6.2"},

    /* -- Tasks -- */
    {AT(TASK_ASKED), "task-data", GOES, TASK_ANSWERED, "XEP-0480 §3"},
    {AT(TASK_ASKED), "task-data-slow", GOES, TASK_COMPUTING, "XEP-0480 §3"},
    {AT(TASK_ASKED), WITH_DATA, GOES, TASK_LOGGED_IN, "§2.6.3: content without; it is proven"},
    {AT(TASK_ANSWERED), WITH_DATA, GOES, TASK_LOGGED_IN,
     "§2.6.3: the task's data, and it has none"},
    {AT(TASK_ASKED), "continue-*", ENDS, JAB_EUNSUPPORTED, "§2.6.3: one task at a time"},
    {AT(TASK_ANSWERED), "continue-*", ENDS, JAB_EUNSUPPORTED, "XEP-0480 §3: each once"},

    {IN(ANY), "success2-garbage success2-elsewhere", ENDS, JAB_EPROTO, "§2.6.1, RFC 4648 §3.3"},

    /* -- SCRAM begun -- */
    {AT(UPGRADE_SENT), "challenge2", GOES, UPGRADE_ANSWERED, "RFC 5802 §5"},
    {AT(UPGRADE_SENT), "challenge2-slow", GOES, UPGRADE_COMPUTING, "RFC 5802 §5"},
    {IN(AT_SASL2_BEGUN), "challenge2", GOES, SCRAM2_ANSWERED, "RFC 5802 §5"},
    {IN(AT_SASL2_BEGUN), "challenge2-slow", GOES, SCRAM2_COMPUTING, "RFC 5802 §5"},
    {IN(AT_SASL2_BEGUN), "success2 success2-* continue-*", ENDS, JAB_EPROOF,
     "RFC 5802 §5: the server is not proven"},

    /* -- The proof was sent -- */
    {AT(UPGRADE_ANSWERED), "challenge2-last", GOES, UPGRADE_PROVEN, "RFC 5802 §5"},
    {IN(AT_SASL2_ANSWERED), "challenge2-last", GOES, SCRAM2_PROVEN, "RFC 5802 §5"},
    {AT(RESUME2_ASKED), "success2-resumed", GOES, RESUME2_RESUMED, "XEP-0198 §9.2"},
    {AT(RESUME2_ASKED), "success2-not-resumed", GOES, RESUME2_REFUSED, "XEP-0198 §9.2"},
    {IN(AT_SASL2_ANSWERED), "success2-proof success2-proof-and-token", GOES, SCRAM2_LOGGED_IN,
     "§2.6.1"},
    {IN(AT_SASL2_ANSWERED),
     "success2 success2-another success2-bound success2-bound-bare success2-only-bound "
     "success2-not-resumed-unproven success2-wrong-proof continue-upgrade-unproven",
     ENDS, JAB_EPROOF, "RFC 5802 §5"},
    {AT(UPGRADE_ANSWERED), "continue-upgrade", GOES, TASK_ASKED, "XEP-0480 §3"},
    {IN(AT_SASL2_ANSWERED), "continue-*", ENDS, JAB_EUNSUPPORTED,
     "§2.6.3; none of them was offered"},

    /* -- The server proved itself before -- */
    {IN(AT_SASL2_PROVEN), "success2 success2-proof success2-proof-and-token", GOES,
     SCRAM2_LOGGED_IN, "§2.6.1"},
    {IN(AT_SASL2_PROVEN), "success2-wrong-proof", ENDS, JAB_EPROOF, "RFC 5802 §5"},
    {AT(UPGRADE_PROVEN), "continue-upgrade continue-upgrade-unproven", GOES, TASK_ASKED,
     "XEP-0480 §3"},
    {IN(AT_SASL2_PROVEN), "continue-*", ENDS, JAB_EUNSUPPORTED, "§2.6.3"},

    /* -- PLAIN and tokens -- */
    {AT(BIND2_SENT), "success2", GOES, BIND2_LOGGED_IN, "XEP-0386 §3.2: or it binds later"},
    {AT(BIND2_SENT), "success2-bound success2-only-bound", GOES, BIND2_BOUND, "XEP-0386 §3.2"},
    {AT(BIND2_ONLY_SENT), "success2", GOES, BIND2_LOGGED_IN, "XEP-0386 §3.2"},
    {AT(BIND2_ONLY_SENT), "success2-only-bound", GOES, BIND2_BOUND, "XEP-0386 §3.2"},
    {AT(TOKEN_SENT), "success2-token success2-new-token", GOES, TOKEN_LOGGED_IN, "XEP-0484 §3.5"},
    {AT(TOKEN_SENT), "success2 success2-* continue-*", ENDS, JAB_EPROOF,
     "XEP-0484 §3.4: the server does not know the token"},
    {IN(AT_SASL2), "continue-upgrade-unproven", ENDS, JAB_EUNSUPPORTED, "XEP-0480 §6: not asked"},
    {AT(AHEAD_SASL2_OFFERED), "success2", GOES, SCRAM2_LOGGED_IN, "§2.6.1"},
    {AT(AHEAD_SASL2_STALE), "success2", GOES, SCRAM2_LOGGED_IN, "§2.6.1"},

    /* -- Compression, resuming, binding -- */
    {AT(COMPRESS_ASKED), "compressed", GOES, COMPRESS_STARTED, "XEP-0138 §3"},
    {AT(COMPRESS_ASKED), "compress-failure", GOES, COMPRESS_REFUSED, "XEP-0138 §3"},
    {AT(RESUME_ASKED), "resumed", GOES, RESUMED_READY, "XEP-0198 §5"},
    {AT(RESUME_ASKED), "sm-failed", GOES, BIND_AFTER_RESUME, "XEP-0198 §5"},
    {IN(AT_BIND), "bind-result", GOES, READY, "§7.6"},
    {IN(AT_BIND), "bind-error", ENDS, JAB_ESTANZA, "§7.6.2"},

    /* -- Online -- */
    {IN(IN_FULL), "bind-* message presence iq", WAITS, 0, "stanzas, and answers to nobody"},
    {AT(READY), "enabled", GOES, READY_ENABLED, "XEP-0198 §3"},
    {AT(READY), "sm-failed", GOES, READY, "XEP-0198 §3: without"},
    {AT(READY), "request", ENDS, JAB_EPROTO, "XEP-0198 §4: it is not enabled"},
    {IN(IN_FULL), "request answer", WAITS, 0, "XEP-0198 §4"},

    {IN(ANY), "*", ENDS, JAB_EPROTO, "RFC 6120 §4.9.3: out of order"},
};

#endif
