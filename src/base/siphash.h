/* siphash.h: a fast hash under a key, whose collisions nobody finds without it. */
#ifndef JABI_SIPHASH_H
#define JABI_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 of n bytes. */
uint64_t jabi_siphash(const uint64_t key[2], const void *p, size_t n);

#endif
