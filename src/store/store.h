/* store.h: what the stores share: queries in their full form, and what they mean. */
#ifndef JABI_STORE_H
#define JABI_STORE_H

#include <jabiru/store.h>

/* Copies a query of any size, fills in the limit, and sets *by_stamp to
 * whether before and after are stamps (and the order that of the stamps)
 * instead of ranks. `search`: it comes from jab_store_search(). 0, or
 * JAB_EINVAL for half of a condition. */
int jabi_query_take(jab_kept_query *out, const jab_kept_query *q, int search, int *by_stamp);

/* Copies a change of any size. */
void jabi_change_take(jab_kept_change *out, const jab_kept_change *change);

/* Whether a message meets all conditions of a taken query but its words. */
int jabi_query_meets(const jab_kept_query *q, int by_stamp, const jab_kept_message *m);

#endif
