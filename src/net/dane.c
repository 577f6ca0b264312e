/* dane.c: TLSA records out of a DNS answer (RFC 1035 §4.1, RFC 6698 §2.1). */
#include "net/dane.h"

#define TYPE_TLSA 52
#define CLASS_IN  1

/* A cursor over an answer; `failed` once it would have left it. */
typedef struct reader {
    const unsigned char *p;
    size_t size, at;
    int failed;
} reader;

static const unsigned char *take(reader *r, size_t n)
{
    if (r->failed || r->size - r->at < n) {
        r->failed = 1;
        return NULL;
    }
    r->at += n;
    return r->p + r->at - n;
}

static unsigned take16(reader *r)
{
    const unsigned char *p = take(r, 2);
    return p ? (unsigned)p[0] << 8 | p[1] : 0;
}

/* RFC 1035 §4.1.4: a name ends with an empty label, or in a pointer, which need not
 * be followed. */
static void skip_name(reader *r)
{
    for (;;) {
        const unsigned char *length = take(r, 1);
        if (!length || *length == 0)
            return;
        if (*length >= 0xc0) {
            (void)take(r, 1);
            return;
        }
        (void)take(r, *length);
    }
}

/* A record is kept as its length in two bytes, and its data. */
static void keep(jabi_buf *out, const unsigned char *data, unsigned n)
{
    jabi_buf_add_char(out, (char)(n >> 8));
    jabi_buf_add_char(out, (char)(n & 0xff));
    jabi_buf_add(out, data, n);
}

static void read_record(reader *r, jabi_buf *out)
{
    skip_name(r);
    unsigned type = take16(r), class = take16(r);
    (void)take(r, 4); /* how long it may be kept */
    unsigned n = take16(r);
    const unsigned char *data = take(r, n);
    if (data && type == TYPE_TLSA && class == CLASS_IN && n > 3)
        keep(out, data, n);
}

int jabi_dane_read(jabi_buf *out, const unsigned char *reply, size_t size)
{
    reader r = {.p = reply, .size = size};
    (void)take(&r, 4);
    unsigned questions = take16(&r), answers = take16(&r);
    (void)take(&r, 4);
    for (unsigned i = 0; i < questions && !r.failed; i++) {
        skip_name(&r);
        (void)take(&r, 4);
    }
    for (unsigned i = 0; i < answers && !r.failed; i++)
        read_record(&r, out);
    return r.failed ? JAB_EPROTO : out->error;
}

int jabi_dane_next(jab_str *records, jabi_tlsa *out)
{
    const unsigned char *p = (const unsigned char *)records->p;
    if (records->n < 5)
        return 0;
    size_t n = (size_t)p[0] << 8 | p[1];
    if (n < 3 || records->n - 2 < n)
        return 0;
    *out = (jabi_tlsa){p[2], p[3], p[4], p + 5, n - 3};
    *records = (jab_str){records->p + 2 + n, records->n - 2 - n};
    return 1;
}
