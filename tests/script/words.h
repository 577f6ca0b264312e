/* words.h: all that the scripted server may say in any state: what is right somewhere, and
 * what is right nowhere. "$X" is explained in server.h. */
#ifndef SCRIPT_WORDS_H
#define SCRIPT_WORDS_H

#include "server.h"

#define NS_SASL   "urn:ietf:params:xml:ns:xmpp-sasl"
#define NS_SASL2  "urn:xmpp:sasl:2"
#define NS_TLS    "urn:ietf:params:xml:ns:xmpp-tls"
#define NS_BIND   "urn:ietf:params:xml:ns:xmpp-bind"
#define NS_SM     "urn:xmpp:sm:3"
#define NS_STREAM "http://etherx.jabber.org/streams"

/* -- Parts ---------------------------------------------------------------------------------- */

#define HEADER_FROM(from, version, ns)                                                             \
    "<?xml version='1.0'?><stream:stream xmlns='" ns "' xmlns:stream='" NS_STREAM "' from='" from  \
    "' id='s1' version='" version "'>"
#define STREAM_ERROR(what)                                                                         \
    "<stream:error><" what " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
#define REDIRECT                                                                                   \
    "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>evil.example"       \
    "</see-other-host></stream:error>"

#define FEATURES(what) "<stream:features>" what "</stream:features>"
#define STARTTLS       "<starttls xmlns='" NS_TLS "'/>"
#define MECHANISM(m)   "<mechanism>" m "</mechanism>"
#define SASL1(list)    "<mechanisms xmlns='" NS_SASL "'>" list "</mechanisms>"
#define BIND           "<bind xmlns='" NS_BIND "'/>"
#define SM             "<sm xmlns='" NS_SM "'/>"
#define ZLIB                                                                                       \
    "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>"
#define SASL2_OFFER                                                                                \
    "<authentication xmlns='" NS_SASL2 "'>" MECHANISM("PLAIN")                                     \
        MECHANISM("SCRAM-SHA-1") "<inline>" SM                                                     \
                                 "<bind xmlns='urn:xmpp:bind:0'><inline><feature var='" NS_SM      \
                                 "'/></inline></bind>"                                             \
                                 "<fast "                                                          \
                                 "xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</"            \
                                 "mechanism></fast></inline>"                                      \
                                 "</authentication>"
#define UPGRADE_OFFER                                                                              \
    "<authentication xmlns='" NS_SASL2 "'>" MECHANISM("SCRAM-SHA-1-PLUS") MECHANISM(               \
        "SCRAM-SHA-1") "<upgrade "                                                                 \
                       "xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade></"            \
                       "authentication>"                                                           \
                       "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding "        \
                       "type='tls-exporter'/>"                                                     \
                       "<channel-binding type='tls-server-end-point'/></sasl-channel-binding>"

#define ELEMENT(name, ns, text) "<" name " xmlns='" ns "'>" text "</" name ">"
#define FAILURE(ns, what)       ELEMENT("failure", ns, "<" what " xmlns='" NS_SASL "'/>")

#define JID(text)        "<authorization-identifier>" text "</authorization-identifier>"
#define DATA(text)       "<additional-data>" text "</additional-data>"
#define BARE             JID("juliet@example.org")
#define FULL             JID("juliet@example.org/jabiru/x1")
#define SUCCESS2(inside) ELEMENT("success", NS_SASL2, inside)
#define BOUND                                                                                      \
    "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='" NS_SM "' id='sm2' resume='true'/></bound>"
#define RESUMED(id, h) "<resumed xmlns='" NS_SM "' previd='" id "' h='" h "'/>"
#define CONTINUE(data, task)                                                                       \
    ELEMENT("continue", NS_SASL2, data "<tasks><task>" task "</task></tasks>")
#define TASK(iterations, salt)                                                                     \
    ELEMENT("task-data", NS_SASL2,                                                                 \
            "<salt xmlns='urn:xmpp:scram-upgrade:0' iterations='" iterations "'>" salt "</salt>")
#define IQ(type, id, inside) "<iq type='" type "' id='" id "'>" inside "</iq>"
#define BIND_RESULT(jid)     ELEMENT("bind", NS_BIND, "<jid>" jid "</jid>")
#define GARBAGE              "!not base64!"
#define WRONG_PROOF          "dj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE9" /* v=AAAA... */
#define SERVER_ERROR         "ZT1pbnZhbGlkLXByb29m"                     /* e=invalid-proof */

/* -- The vocabulary -------------------------------------------------------------------------- */

typedef struct word {
    const char *name, *text;
} word;

static const word words[] = {
    /* Streams (RFC 6120 §4) */
    {"header", HEADER_FROM("example.org", "1.0", "jabber:client")},
    {"header-of-another-domain", HEADER_FROM("evil.example", "1.0", "jabber:client")},
    {"header-of-version-0.9", HEADER_FROM("example.org", "0.9", "jabber:client")},
    {"header-for-servers", HEADER_FROM("example.org", "1.0", "jabber:server")},
    {"stream-element", "<stream:stream version='1.0'/>"},
    {"close", "</stream:stream>"},
    {"error-conflict", STREAM_ERROR("conflict")},
    {"error-redirect", REDIRECT},
    {"error-empty", "<stream:error/>"},
    {"blank", " \n"},
    {"text", "words"},
    {"entity", "&evil;"},
    {"comment", "<!-- x -->"},
    {"doctype", "<!DOCTYPE a [<!ENTITY b 'c'>]>"},
    {"unknown", "<unknown xmlns='urn:example:x'/>"},
    /* Features (RFC 6120 §4.3.2) */
    {"features-none", FEATURES("")},
    {"features-tls", FEATURES(STARTTLS)},
    {"features-plain", FEATURES(SASL1(MECHANISM("PLAIN")))},
    {"features-scram", FEATURES(SASL1(MECHANISM("SCRAM-SHA-1")))},
    {"features-scram-twice",
     FEATURES(SASL1(MECHANISM("SCRAM-SHA-1"))) FEATURES(SASL1(MECHANISM("SCRAM-SHA-1")))},
    {"features-no-mechanism", FEATURES(SASL1(""))},
    {"features-sasl2", FEATURES(SASL2_OFFER)},
    {"features-sasl2-plain",
     FEATURES("<authentication xmlns='" NS_SASL2 "'>" MECHANISM("PLAIN") "</authentication>")},
    {"features-sasl2-scram", FEATURES("<authentication xmlns='" NS_SASL2
                                      "'>" MECHANISM("SCRAM-SHA-1") "</authentication>")},
    {"features-bind2-only",
     FEATURES("<authentication xmlns='" NS_SASL2 "'>" MECHANISM(
         "PLAIN") "<inline><bind xmlns='urn:xmpp:bind:0'/></inline></authentication>")},
    {"features-upgrade", FEATURES(UPGRADE_OFFER)},
    {"features-both", FEATURES(SASL1(MECHANISM("SCRAM-SHA-1")) SASL2_OFFER)},
    {"features-tls-and-sasl2", FEATURES(STARTTLS SASL2_OFFER)},
    {"features-zlib", FEATURES(BIND ZLIB)},
    {"features-sm", FEATURES(BIND SM)},
    {"features-bind", FEATURES(BIND)},
    {"features-not-of-streams", "<features xmlns='jabber:client'>" BIND "</features>"},
    /* STARTTLS (RFC 6120 §5) */
    {"proceed", ELEMENT("proceed", NS_TLS, "")},
    {"proceed-and-more", ELEMENT("proceed", NS_TLS, "") FEATURES(SASL1(MECHANISM("PLAIN")))},
    {"proceed-elsewhere", ELEMENT("proceed", NS_SASL, "")},
    {"tls-failure", ELEMENT("failure", NS_TLS, "")},
    {"starttls", STARTTLS},
    /* SASL (RFC 6120 §6) */
    {"success", ELEMENT("success", NS_SASL, "")},
    {"success-proof", ELEMENT("success", NS_SASL, "$V")},
    {"success-wrong-proof", ELEMENT("success", NS_SASL, WRONG_PROOF)},
    {"success-garbage", ELEMENT("success", NS_SASL, GARBAGE)},
    {"success-empty-data", ELEMENT("success", NS_SASL, "=")},
    {"success-elsewhere", ELEMENT("success", "jabber:client", "")},
    {"challenge", ELEMENT("challenge", NS_SASL, "$F")},
    {"challenge-slow", ELEMENT("challenge", NS_SASL, "$S")},
    {"challenge-one-iteration", ELEMENT("challenge", NS_SASL, "$O")},
    {"challenge-foreign-nonce", ELEMENT("challenge", NS_SASL, "$N")},
    {"challenge-last", ELEMENT("challenge", NS_SASL, "$V")},
    {"challenge-wrong-proof", ELEMENT("challenge", NS_SASL, WRONG_PROOF)},
    {"challenge-error", ELEMENT("challenge", NS_SASL, SERVER_ERROR)},
    {"challenge-garbage", ELEMENT("challenge", NS_SASL, GARBAGE)},
    {"challenge-empty", ELEMENT("challenge", NS_SASL, "")},
    {"failure", FAILURE(NS_SASL, "not-authorized")},
    {"failure-mechanism", FAILURE(NS_SASL, "invalid-mechanism")},
    {"failure-for-now", FAILURE(NS_SASL, "temporary-auth-failure")},
    {"failure-empty", ELEMENT("failure", NS_SASL, "")},
    {"auth", "<auth xmlns='" NS_SASL "' mechanism='PLAIN'/>"},
    {"abort", ELEMENT("abort", NS_SASL, "")},
    /* SASL2 (XEP-0388) */
    {"success2", SUCCESS2(BARE)},
    {"success2-proof", SUCCESS2(DATA("$V") BARE)},
    {"success2-token", SUCCESS2(DATA("$T") BARE)},
    {"success2-new-token",
     SUCCESS2(DATA("$T") BARE "<token xmlns='urn:xmpp:fast:0' token='n3w'/>")},
    {"success2-proof-and-token",
     SUCCESS2(DATA("$V") BARE "<token xmlns='urn:xmpp:fast:0' token='n3w'/>")},
    {"success2-only-bound", SUCCESS2(FULL "<bound xmlns='urn:xmpp:bind:0'/>")},
    {"success2-not-resumed-unproven", SUCCESS2(BARE ELEMENT("failed", NS_SM, ""))},
    {"success2-wrong-proof", SUCCESS2(DATA(WRONG_PROOF) BARE)},
    {"success2-garbage", SUCCESS2(DATA(GARBAGE) BARE)},
    {"success2-nobody", SUCCESS2(DATA("$V"))},
    {"success2-another", SUCCESS2(JID("romeo@example.org"))},
    {"success2-another-proof", SUCCESS2(DATA("$V") JID("romeo@example.org"))},
    {"success2-bound", SUCCESS2(FULL BOUND)},
    {"success2-bound-proof", SUCCESS2(DATA("$V") FULL BOUND)},
    {"success2-bound-bare", SUCCESS2(BARE BOUND)},
    {"success2-resumed", SUCCESS2(DATA("$V") BARE RESUMED("sm1", "0"))},
    {"success2-resumed-other", SUCCESS2(DATA("$V") BARE RESUMED("sm9", "0"))},
    {"success2-resumed-and-bound", SUCCESS2(DATA("$V") FULL RESUMED("sm1", "0") BOUND)},
    {"success2-not-resumed", SUCCESS2(DATA("$V") BARE ELEMENT("failed", NS_SM, ""))},
    {"success2-elsewhere", ELEMENT("success", "urn:xmpp:sasl:3", BARE)},
    {"challenge2", ELEMENT("challenge", NS_SASL2, "$F")},
    {"challenge2-slow", ELEMENT("challenge", NS_SASL2, "$S")},
    {"challenge2-one-iteration", ELEMENT("challenge", NS_SASL2, "$O")},
    {"challenge2-last", ELEMENT("challenge", NS_SASL2, "$V")},
    {"challenge2-garbage", ELEMENT("challenge", NS_SASL2, GARBAGE)},
    {"failure2", FAILURE(NS_SASL2, "not-authorized")},
    {"failure2-mechanism", FAILURE(NS_SASL2, "invalid-mechanism")},
    {"failure2-for-now", FAILURE(NS_SASL2, "temporary-auth-failure")},
    {"failure2-version",
     ELEMENT("failure", NS_SASL2,
             "<aborted xmlns='" NS_SASL "'/><config-version-mismatch xmlns='urn:xmpp:iap:0'/>")},
    {"continue-unknown", CONTINUE(DATA("$V"), "TOTP")},
    {"continue-upgrade", CONTINUE(DATA("$V"), "UPGR-SCRAM-SHA-256")},
    {"continue-upgrade-unproven", CONTINUE("", "UPGR-SCRAM-SHA-256")},
    {"continue-upgrade-512", CONTINUE(DATA("$V"), "UPGR-SCRAM-SHA-512")},
    {"continue-upgrade-sha1", CONTINUE(DATA("$V"), "UPGR-SCRAM-SHA-1")},
    {"continue-nothing", ELEMENT("continue", NS_SASL2, DATA("$V"))},
    {"task-data", TASK("4096", "c2FsdHNhbHQ=")},
    {"task-data-slow", TASK("10500", "c2FsdHNhbHQ=")},
    {"task-data-one-iteration", TASK("1", "c2FsdHNhbHQ=")},
    {"task-data-without-salt", ELEMENT("task-data", NS_SASL2, "")},
    {"task-data-empty-salt", TASK("4096", "")},
    {"authenticate", "<authenticate xmlns='" NS_SASL2 "' mechanism='PLAIN'/>"},
    /* Nobody asked for these */
    {"bound", BOUND},
    {"token", "<token xmlns='urn:xmpp:fast:0' token='n3w'/>"},
    /* Compression (XEP-0138) */
    {"compressed", ELEMENT("compressed", "http://jabber.org/protocol/compress", "")},
    {"compressed-elsewhere", ELEMENT("compressed", "http://jabber.org/features/compress", "")},
    {"compress-failure", ELEMENT("failure", "http://jabber.org/protocol/compress", "")},
    /* Stream management (XEP-0198) */
    {"resumed", RESUMED("sm1", "0")},
    {"resumed-other", RESUMED("sm9", "0")},
    {"resumed-without-count", "<resumed xmlns='" NS_SM "' previd='sm1'/>"},
    {"sm-failed", ELEMENT("failed", NS_SM, "")},
    {"enabled", "<enabled xmlns='" NS_SM "' id='sm1' resume='true'/>"},
    {"request", ELEMENT("r", NS_SM, "")},
    {"answer", "<a xmlns='" NS_SM "' h='0'/>"},
    {"answer-too-high", "<a xmlns='" NS_SM "' h='99'/>"},
    /* Binding (RFC 6120 §7) */
    {"bind-result", IQ("result", "$I", BIND_RESULT("juliet@example.org/x1"))},
    {"bind-result-other-id", IQ("result", "other", BIND_RESULT("juliet@example.org/x1"))},
    {"bind-result-another", IQ("result", "$I", BIND_RESULT("romeo@example.org/x1"))},
    {"bind-result-bare", IQ("result", "$I", BIND_RESULT("juliet@example.org"))},
    {"bind-result-empty", IQ("result", "$I", "")},
    {"bind-error", IQ("error", "$I", "<error type='cancel'/>")},
    /* Stanzas */
    {"message", "<message from='romeo@example.net/o'><body>hi</body></message>"},
    {"presence", "<presence from='romeo@example.net/o'/>"},
    {"iq", "<iq type='get' id='q1'><ping xmlns='urn:xmpp:ping'/></iq>"},
};

#define WORDS (sizeof words / sizeof *words)

#endif
