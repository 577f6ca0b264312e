/* pack.c: small records as bytes, and the reader that does not trust them. */
#include "base/pack.h"

#include "base/utf8.h"

#define NUMBER_BYTES 8

void jabi_pack_number(jabi_buf *b, uint64_t number)
{
    char bytes[NUMBER_BYTES];
    for (size_t i = 0; i < NUMBER_BYTES; i++)
        bytes[i] = (char)(number >> (8 * (NUMBER_BYTES - 1 - i)));
    jabi_buf_add(b, bytes, sizeof bytes);
}

/* The length counts from 1, so that 0 is the absent string. */
void jabi_pack_str(jabi_buf *b, jab_str s)
{
    jabi_pack_number(b, s.p ? (uint64_t)s.n + 1 : 0);
    jabi_buf_add_str(b, s);
}

jabi_unpack jabi_unpack_begin(jab_str record)
{
    jabi_unpack u = {record, 0};
    return u;
}

/* The next n bytes; absent, and the error set, when there are fewer. */
static jab_str take(jabi_unpack *u, uint64_t n)
{
    jab_str none = {0}, taken = u->left;
    if (u->error || n > u->left.n) {
        u->error = JAB_EINVAL;
        return none;
    }
    taken.n = (size_t)n;
    u->left.p += n;
    u->left.n -= (size_t)n;
    return taken;
}

uint64_t jabi_unpack_number(jabi_unpack *u)
{
    jab_str bytes = take(u, NUMBER_BYTES);
    uint64_t number = 0;
    for (size_t i = 0; i < bytes.n; i++)
        number = number << 8 | (unsigned char)bytes.p[i];
    return number;
}

jab_str jabi_unpack_bytes(jabi_unpack *u)
{
    jab_str none = {0};
    uint64_t n = jabi_unpack_number(u);
    if (u->error || n == 0)
        return none;
    jab_str s = take(u, n - 1);
    return u->error ? none : s;
}

jab_str jabi_unpack_str(jabi_unpack *u)
{
    jab_str none = {0}, s = jabi_unpack_bytes(u);
    if (!jabi_utf8_valid(s)) {
        u->error = JAB_EINVAL;
        return none;
    }
    return s;
}

int jabi_unpack_is_whole(const jabi_unpack *u)
{
    return !u->error && u->left.n == 0;
}
