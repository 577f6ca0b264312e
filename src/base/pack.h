/*
 * pack.h: small records as bytes, for the store: numbers of 64 bits and
 * strings with their length. What is read back may have been damaged: the
 * reader keeps within its bytes and remembers its first error.
 */
#ifndef JABI_PACK_H
#define JABI_PACK_H

#include "base/buf.h"

/* A number in 8 bytes, the highest first: such keys sort as the numbers do. */
void jabi_pack_number(jabi_buf *b, uint64_t number);

/* A string behind its length; an absent one stays absent. */
void jabi_pack_str(jabi_buf *b, jab_str s);

/* Reads a record from its beginning. */
typedef struct jabi_unpack {
    jab_str left;
    int error; /* 0, or JAB_EINVAL: too short, or not text; sticky */
} jabi_unpack;

jabi_unpack jabi_unpack_begin(jab_str record);

/* The next number, or 0 after an error. */
uint64_t jabi_unpack_number(jabi_unpack *u);

/* The next string, a view into the record, valid UTF-8; absent after an error. */
jab_str jabi_unpack_str(jabi_unpack *u);

/* The same for bytes that need not be text; packed as strings are. */
jab_str jabi_unpack_bytes(jabi_unpack *u);

/* Whether the record was read to its very end without an error. */
int jabi_unpack_is_whole(const jabi_unpack *u);

#endif
