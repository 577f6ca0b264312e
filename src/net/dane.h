/*
 * dane.h: TLSA records (RFC 6698, RFC 7671): what DNSSEC says of a server's certificate.
 * RFC 7673 says how they go with SRV records.
 */
#ifndef JABI_DANE_H
#define JABI_DANE_H

#include "base/buf.h"

#define JABI_DANE_BYTES   16384 /* of all records of a target that are taken */
#define JABI_DANE_RECORDS 32

/* Appends the TLSA records of a DNS answer to `out`. 0; JAB_EPROTO for what is no
 * answer; JAB_ENOMEM, JAB_ELIMIT. */
int jabi_dane_read(jabi_buf *out, const unsigned char *reply, size_t size) JAB_MUST_USE;

/* One of them. */
typedef struct jabi_tlsa {
    uint8_t usage, selector, matching; /* RFC 6698 §2.1 */
    const unsigned char *data;
    size_t n;
} jabi_tlsa;

/* Takes the next record off what jabi_dane_read() wrote. 1, or 0 at the end. */
int jabi_dane_next(jab_str *records, jabi_tlsa *out);

#endif
