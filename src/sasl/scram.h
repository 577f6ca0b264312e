/* scram.h: SCRAM's entry for a nonce of the caller's choice. */
#ifndef JABI_SCRAM_H
#define JABI_SCRAM_H

#include "sasl/sasl.h"

/* The first message, with this nonce instead of a random one: what the
 * mechanism's `start` is made of, and what the RFCs' examples need. */
int jabi_scram_begin(jabi_sasl *x, jab_str nonce, jabi_buf *out) JAB_MUST_USE;

#endif
