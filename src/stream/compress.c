/*
 * compress.c: stream compression (XEP-0138) with zlib: only when the account
 * asks for it, only after authentication, inside TLS only when asked twice,
 * and with what comes out of it bounded.
 */
#include "stream/stream.h"

#include "base/check.h"
#include "base/mem.h"

#include <limits.h>
#include <zlib.h>

#define INFLATE_CHUNK 16384
/* XML compresses 3 to 30 times; beyond this it is an attack (XEP-0138 §8). */
#define INFLATE_RATIO_MAX  100
#define INFLATE_FREE_BYTES (4u << 20)

struct jabi_zlib {
    z_stream in, out;
    uint64_t in_bytes, inflated_bytes;
    char chunk[INFLATE_CHUNK];
};

static void *zlib_alloc(void *opaque, unsigned count, unsigned size)
{
    return jabi_realloc_array(opaque, NULL, count, size);
}

static void zlib_free(void *opaque, void *p)
{
    jabi_free(opaque, p);
}

int jabi_zlib_start(jabi_stream *str)
{
    jabi_zlib *z = jabi_alloc0(str->mem, sizeof *z);
    if (!z)
        return JAB_ENOMEM;
    z->in.zalloc = z->out.zalloc = zlib_alloc;
    z->in.zfree = z->out.zfree = zlib_free;
    z->in.opaque = z->out.opaque = (void *)str->mem;
    if (inflateInit(&z->in) != Z_OK) {
        jabi_free(str->mem, z);
        return JAB_ENOMEM;
    }
    if (deflateInit(&z->out, Z_DEFAULT_COMPRESSION) != Z_OK) {
        inflateEnd(&z->in);
        jabi_free(str->mem, z);
        return JAB_ENOMEM;
    }
    str->zlib = z;
    return 0;
}

void jabi_zlib_free(jabi_stream *str)
{
    if (!str->zlib)
        return;
    inflateEnd(&str->zlib->in);
    deflateEnd(&str->zlib->out);
    jabi_wipe(str->zlib, sizeof *str->zlib);
    jabi_free(str->mem, str->zlib);
    str->zlib = NULL;
}

/* XEP-0138 §3: each turn's bytes are flushed, so that the server sees them. */
int jabi_zlib_deflate(jabi_stream *str)
{
    z_stream *z = &str->zlib->out;
    z->next_in = (Bytef *)str->out.p + str->out_at;
    size_t n = str->out.n - str->out_at;
    do {
        unsigned slice = n > UINT_MAX ? UINT_MAX : (unsigned)n;
        z->avail_in = slice;
        n -= slice;
        do {
            char *to = jabi_buf_room(&str->wire, INFLATE_CHUNK);
            if (!to)
                return str->wire.error;
            z->next_out = (Bytef *)to;
            z->avail_out = INFLATE_CHUNK;
            if (deflate(z, n ? Z_NO_FLUSH : Z_SYNC_FLUSH) == Z_STREAM_ERROR)
                return JAB_EIO;
            str->wire.n += INFLATE_CHUNK - z->avail_out;
        } while (z->avail_out == 0);
    } while (n);
    jabi_buf_reset(&str->out);
    str->out_at = 0;
    return 0;
}

static int too_greedy(const jabi_zlib *z)
{
    return z->inflated_bytes > INFLATE_FREE_BYTES &&
           z->inflated_bytes / INFLATE_RATIO_MAX > z->in_bytes;
}

jab_str jabi_stream_inflate(jabi_stream *str, const char **p, size_t *n, int *error)
{
    jabi_zlib *z = str->zlib;
    unsigned slice = *n > UINT_MAX ? UINT_MAX : (unsigned)*n;
    z->in.next_in = (Bytef *)*p;
    z->in.avail_in = slice;
    z->in.next_out = (Bytef *)z->chunk;
    z->in.avail_out = sizeof z->chunk;
    int code = inflate(&z->in, Z_SYNC_FLUSH);
    size_t used = slice - z->in.avail_in, made = sizeof z->chunk - z->in.avail_out;
    *p += used;
    *n -= used;
    str->inflate_pending = z->in.avail_out == 0;
    z->in_bytes += used;
    z->inflated_bytes += made;
    *error = 0;
    if (code == Z_MEM_ERROR) {
        jabi_stream_write_error(str, "resource-constraint");
        *error = jabi_stream_fault(str, JAB_ENOMEM, jabi_stream_stage(str), NULL, "%s",
                                   jab_strerror(JAB_ENOMEM));
        return (jab_str){NULL, 0};
    }
    if (code != Z_OK && code != Z_BUF_ERROR) {
        *error =
            jabi_stream_broken(str, "undefined-condition", "sent compressed data that is damaged");
        return (jab_str){NULL, 0};
    }
    if (!JAB_CHECK(INFLATE_BOUND, !too_greedy(z))) {
        jabi_stream_write_error(str, "policy-violation");
        *error =
            jabi_stream_fault(str, JAB_ETOOBIG, JAB_AT_SESSION, "policy-violation",
                              "the server sent compressed data that inflates beyond all reason");
        return (jab_str){NULL, 0};
    }
    return (jab_str){z->chunk, made};
}

static int wanted(const jabi_stream *str)
{
    jab_compress_policy policy = str->cfg->compress;
    int asked = policy == JAB_COMPRESS_ANYWAY ||
                (policy == JAB_COMPRESS_PLAIN && !(str->state & JABI_SECURE));
    return JAB_CHECK(COMPRESS_AFTER_AUTH, asked);
}

static int offers_zlib(const jab_xml *offer)
{
    const jab_xml *el = jab_xml_child(offer, JABI_NS_COMPRESS_FEATURE, "method");
    for (; el; el = jab_xml_next_named(el, JABI_NS_COMPRESS_FEATURE, "method"))
        if (jab_str_is(jab_xml_text(el), "zlib"))
            return 1;
    return 0;
}

static int begin(jabi_stream *str, const jab_xml *offer)
{
    if (!offers_zlib(offer)) {
        str->state |= JABI_COMPRESS_TRIED;
        return JABI_STEP_AGAIN;
    }
    jabi_writer w;
    size_t mark;
    jabi_stream_write(str, &w, &mark);
    jabi_writer_start(&w, JAB_STR(JABI_NS_COMPRESS), JAB_STR("compress"));
    jabi_writer_start(&w, (jab_str){NULL, 0}, JAB_STR("method"));
    jabi_writer_text(&w, JAB_STR("zlib"));
    return jabi_stream_write_end(str, &w, mark, NULL);
}

static int element(jabi_stream *str, const jab_xml *el)
{
    if (jab_xml_is(el, JABI_NS_COMPRESS, "failure")) {
        str->state |= JABI_COMPRESS_TRIED;
        return JABI_STEP_AGAIN;
    }
    if (!jab_xml_is(el, JABI_NS_COMPRESS, "compressed"))
        return jabi_stream_broken(str, "bad-format", "did not answer the request for compression");
    int err = jabi_zlib_start(str);
    if (err < 0)
        return jabi_stream_fault(str, err, JAB_AT_STREAM, NULL, "%s", jab_strerror(err));
    str->state |= JABI_COMPRESSED;
    return JABI_STEP_RESTART;
}

const jabi_feature jabi_feature_compress = {
    .ns = JABI_NS_COMPRESS_FEATURE,
    .name = "compression",
    .stage = JAB_AT_STREAM,
    .required = JABI_AUTHENTICATED,
    .forbidden = JABI_COMPRESSED | JABI_COMPRESS_TRIED | JABI_BOUND,
    .wanted = wanted,
    .begin = begin,
    .element = element,
};
