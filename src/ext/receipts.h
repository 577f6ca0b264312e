/* receipts.h: what receipts.c and markers.c share. */
#ifndef JABI_RECEIPTS_H
#define JABI_RECEIPTS_H

#include <jabiru/ext.h>
#include <jabiru/receipts.h>
#include <jabiru/store.h>

/* Someone says of an own message that it got as far as `own`: tells it as
 * `event`, when the message went to whom says so. JAB_PASS, or < 0. */
int jabi_receipts_claim(jab_ext_ctx *x, const jab_stanza *st, jab_str id, uint32_t event,
                        jab_own_state own);

/* As the event, without asking whether it may be. */
int jabi_receipts_emit(jab_ext_ctx *x, const jab_stanza *st, jab_str id, uint32_t event,
                       int64_t key);

#endif
