/* offer.h: what the server says in SCRAM about its side of the connection,
 * against what reached us (XEP-0474, XEP-0515). */
#ifndef JABI_OFFER_H
#define JABI_OFFER_H

#include "sasl/sasl.h"

/* The attribute "h": 0 when it fits x's offer, when that is not known, or when
 * there is none and needs to be none. JAB_EPROOF, with words; JAB_ENOMEM, JAB_ECRYPTO. */
int jabi_offer_check(jabi_sasl *x, jab_str base64) JAB_MUST_USE;

/* The attribute "t": 0 when it is our version of TLS, or absent. Else JAB_EPROOF. */
int jabi_offer_check_tls(jabi_sasl *x, jab_str version) JAB_MUST_USE;

#endif
