/* text.c: width, case and normalization of bounded arrays of code points. */
#include "jid/text.h"

#include "base/utf8.h"

#include <utf8proc.h>

/* No code point has a longer compatibility decomposition than U+FDFA. */
#define DECOMPOSITION_MAX 18

int jabi_is_ascii(jab_str text)
{
    unsigned char any = 0;
    for (size_t i = 0; i < text.n; i++)
        any |= (unsigned char)text.p[i];
    return any < 0x80;
}

int jabi_lower_ascii(jab_str text, char *out)
{
    for (size_t i = 0; i < text.n; i++) {
        int upper = jabi_jid_ascii[(unsigned char)text.p[i]] & JABI_IS_UPPER;
        out[i] = (char)(text.p[i] | (upper ? 0x20 : 0));
    }
    return (int)text.n;
}

int jabi_text_read(jabi_text *t, jab_str utf8)
{
    t->n = 0;
    if (utf8.n > JABI_JID_TEXT_MAX)
        return JAB_EJID;
    for (size_t i = 0; i < utf8.n;) {
        uint32_t cp;
        int len = jabi_utf8_read(utf8.p + i, utf8.n - i, &cp);
        if (len <= 0)
            return JAB_EJID;
        t->cp[t->n++] = (int32_t)cp;
        i += (size_t)len;
    }
    return 0;
}

int jabi_text_write(const jabi_text *t, char out[JAB_JID_PART_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        char bytes[4];
        size_t len = (size_t)jabi_utf8_write((uint32_t)t->cp[i], bytes);
        if (len > JAB_JID_PART_MAX - n)
            return JAB_EJID;
        memcpy(out + n, bytes, len);
        n += len;
    }
    return n ? (int)n : JAB_EJID;
}

static int32_t wide_to_plain(int32_t cp)
{
    /* Halfwidth Hangul decomposes to compatibility letters, which no profile
     * allows; utf8proc would go on to the conjoining letters. */
    if (cp < 0x3000 || (cp >= 0xFFA0 && cp <= 0xFFDC))
        return cp;
    int type = utf8proc_get_property(cp)->decomp_type;
    if (type != UTF8PROC_DECOMP_TYPE_WIDE && type != UTF8PROC_DECOMP_TYPE_NARROW)
        return cp;
    int32_t to[DECOMPOSITION_MAX];
    /* What becomes more than one code point (U+FFE3) no profile allows. */
    ptrdiff_t n = utf8proc_decompose_char(cp, to, DECOMPOSITION_MAX,
                                          UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, NULL);
    return n == 1 ? to[0] : cp;
}

void jabi_text_map_width(jabi_text *t)
{
    for (size_t i = 0; i < t->n; i++)
        t->cp[i] = wide_to_plain(t->cp[i]);
}

/* Case is mapped after decomposing, code point by code point, which gives
 * U+0130 its full mapping and leaves the final sigma alone (RFC 7622 §3.5). */
static int decompose(const jabi_text *from, jabi_text *to, int lower)
{
    to->n = 0;
    for (size_t i = 0; i < from->n; i++) {
        size_t room = JABI_JID_TEXT_MAX - to->n;
        ptrdiff_t n = utf8proc_decompose_char(from->cp[i], to->cp + to->n, (ptrdiff_t)room,
                                              UTF8PROC_DECOMPOSE, NULL);
        if (n < 0 || (size_t)n > room)
            return JAB_EJID;
        for (ptrdiff_t k = 0; lower && k < n; k++)
            to->cp[to->n + (size_t)k] = utf8proc_tolower(to->cp[to->n + (size_t)k]);
        to->n += (size_t)n;
    }
    return 0;
}

static unsigned char combining(int32_t cp)
{
    return (unsigned char)utf8proc_get_property(cp)->combining_class;
}

/* Sorts a run of combining marks by class and keeps equal ones in order. By
 * counting: utf8proc's own ordering takes quadratic time for a long run. */
static void sort_marks(int32_t *run, size_t n, int32_t *scratch)
{
    uint16_t at[257] = {0};
    for (size_t i = 0; i < n; i++)
        at[combining(run[i]) + 1]++;
    for (size_t i = 1; i < 257; i++)
        at[i] = (uint16_t)(at[i] + at[i - 1]);
    for (size_t i = 0; i < n; i++)
        scratch[at[combining(run[i])]++] = run[i];
    memcpy(run, scratch, n * sizeof *run);
}

/* The canonical ordering algorithm (Unicode §3.11). */
static void order_marks(jabi_text *t, jabi_text *scratch)
{
    for (size_t i = 0; i < t->n;) {
        size_t start = i, sorted = 1;
        for (unsigned char last = 0, class; i < t->n; i++, last = class) {
            class = combining(t->cp[i]);
            if (!class)
                break;
            sorted = sorted && class >= last;
        }
        if (!sorted)
            sort_marks(t->cp + start, i - start, scratch->cp);
        i++;
    }
}

int jabi_text_normalize(jabi_text *t, int lower)
{
    jabi_text work;
    if (decompose(t, &work, lower))
        return JAB_EJID;
    order_marks(&work, t);
    ptrdiff_t n =
        utf8proc_normalize_utf32(work.cp, (ptrdiff_t)work.n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    if (n < 0)
        return JAB_EJID;
    t->n = (size_t)n;
    memcpy(t->cp, work.cp, t->n * sizeof *t->cp);
    return 0;
}

int jabi_is_nfkc(int32_t cp)
{
    int32_t to[DECOMPOSITION_MAX];
    ptrdiff_t n = utf8proc_decompose_char(cp, to, DECOMPOSITION_MAX,
                                          UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, NULL);
    if (n < 1 || n > DECOMPOSITION_MAX)
        return 0;
    n = utf8proc_normalize_utf32(to, n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    return n == 1 && to[0] == cp;
}
