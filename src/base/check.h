/*
 * check.h: the security checks by name. In a normal build a check is its
 * condition. A build with JABI_CHECK_SWITCH lets a test switch off one at a
 * time, to see that the attack corpus notices the loss of each.
 *
 * JABI_CHECKS is the security documentation: one line per check.
 */
#ifndef JABI_CHECK_H
#define JABI_CHECK_H

#define JABI_CHECKS(X)                                                                             \
    X(IQ_REPLY_SENDER, "an iq reply is taken only from whom was asked (RFC 6120 8.2.3)")           \
    X(ROUTE_SENDER, "a route's payload is taken only from whom the route names")                   \
    X(UNWRAP_DEPTH, "forwarded stanzas are unwrapped to a bounded depth")                          \
    X(SECRET_NEEDS_TLS, "no secret byte leaves before TLS is verified (RFC 6120 13.8)")            \
    X(MECHANISM_ALLOWED, "only mechanisms that the account allows are used")                       \
    X(BINDING_STRIPPED, "channel binding that a server announces is not lost silently")            \
    X(LOGIN_FLOOR, "a log-in is never less safe than the best one of the account before")           \
    X(TOKEN_NEEDS_TLS, "a token is never used without verified TLS (XEP-0484 6)")                   \
    X(EARLY_NEEDS_COUNT, "early data holds only a token whose counter bars replays (XEP-0484 3.4)") \
    X(UPGRADE_ASKED, "a salted password goes only to who offered the upgrade before (XEP-0480)")    \
    X(SERVER_PROOF, "success counts only with a verified server proof")                            \
    X(SCRAM_NONCE, "the server's nonce extends ours (RFC 5802 5.1)")                               \
    X(SCRAM_ITERATIONS, "iteration counts are bounded from below and above")                       \
    X(OFFER_HASH, "what the server says it offered is what reached us (XEP-0474 6.2)")             \
    X(TLS_AGREED, "the server's version of TLS is ours (XEP-0515 4.2)")                            \
    X(DIGEST_RSPAUTH, "DIGEST-MD5 rspauth is verified (RFC 2831 2.1.3)")                           \
    X(STARTTLS_BUFFER, "bytes that came before the TLS handshake are thrown away")                 \
    X(COMPRESS_AFTER_AUTH, "compression only after authentication, and only when asked for")       \
    X(INFLATE_BOUND, "inflated bytes are bounded in size and ratio")                               \
    X(STANZA_SIZE, "a stanza larger than the limit ends the stream")                               \
    X(LOCATION_TLS, "where to resume is believed only over verified TLS (XEP-0198 5)")               \
    X(REDIRECT_TLS, "see-other-host is followed only after verified TLS")                          \
    X(CERT_CHAIN, "the server's certificate is verified up to a trusted one (RFC 5280 6)")         \
    X(CERT_NAME, "the certificate is for the account's domain, not for the host DNS named")        \
    X(SESSION_HOLDS, "a TLS session is resumed only while all that it was verified for holds")     \
    X(DANE_SECURE, "TLSA records count only where DNSSEC validated them (RFC 7671 10)")            \
    X(DANE_MATCH, "a server that has TLSA records is one that they name (RFC 7673 4.2)")           \
    X(CERT_PIN, "a pinned public key is the one that the server has")                              \
    X(DELAY_SENDER, "a delay is believed only from the own server, account or the room")           \
    X(LAST_TRUSTED, "last activity is told only to who may see the presence")                      \
    X(CARBON_ENABLED, "copies are taken only after carbons were switched on")                      \
    X(CARBON_ACCOUNT, "a copied message is from or to the own account")                            \
    X(MAM_QUERY, "archive results are taken only from the archive asked, while it is asked")       \
    X(STANZA_ID_BY, "a message's id in an archive is believed from that archive only (XEP-0359)")   \
    X(MAM_ROOM, "a room's archive holds only what the room sent")                                  \
    X(CAPS_HASH, "features are shared between entities only under a hash that fits them")          \
    X(RECEIPT_SENDER, "a receipt or marker is taken only from whom the message went to")           \
    X(RECEIPT_TRUSTED, "receipts are sent only to who may see the presence (XEP-0184 8)")          \
    X(MARKER_TRUSTED, "markers are sent only to who may see the presence (XEP-0333 7)")            \
    X(BOUNCE_SENDER, "a message came back only when whom it went to says so")                      \
    X(VAULT_OWNER, "what log-ins left is not believed where others can write or read it")          \
    X(VAULT_WHOLE, "what log-ins left in a damaged file ends the log-in; it is no empty one")      \
    X(STREAM_ORDER, "stream elements out of order end the stream")

#ifdef JABI_CHECK_SWITCH
#define JABI_CHECK_ENUM_(id, words) JABI_CHECK_##id,
enum jabi_check { JABI_CHECKS(JABI_CHECK_ENUM_) JABI_CHECK_COUNT };
#undef JABI_CHECK_ENUM_
extern int jabi_check_off; /* the check switched off, or -1; test builds only */
#define JAB_CHECK(id, condition) (jabi_check_off == JABI_CHECK_##id || (condition))
#else
#define JAB_CHECK(id, condition) (condition)
#endif

#endif
