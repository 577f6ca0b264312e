/* escape.c: XEP-0106: foreign user names as local parts. */
#include "jid/jid.h"

/* What a local part cannot hold, and the escaping character itself (§3.1). */
static const struct escape {
    char character;
    char code[3];
} escapes[] = {{' ', "20"}, {'"', "22"}, {'&', "26"}, {'\'', "27"}, {'/', "2f"},
               {':', "3a"}, {'<', "3c"}, {'>', "3e"}, {'@', "40"},  {'\\', "5c"}};

#define N_ESCAPES (sizeof escapes / sizeof *escapes)

static const struct escape *escape_of(char c)
{
    for (size_t i = 0; i < N_ESCAPES; i++)
        if (escapes[i].character == c)
            return &escapes[i];
    return NULL;
}

/* The escape that begins with the backslash at text.p[i], or NULL. With
 * `any_case` also one that becomes an escape once the local part is mapped to
 * lower case. */
static const struct escape *escape_at(jab_str text, size_t i, int any_case)
{
    if (text.p[i] != '\\' || text.n - i < 3)
        return NULL;
    char high = text.p[i + 1], low = text.p[i + 2];
    if (any_case && low >= 'A' && low <= 'F')
        low = (char)(low | 0x20);
    for (size_t k = 0; k < N_ESCAPES; k++)
        if (escapes[k].code[0] == high && escapes[k].code[1] == low)
            return &escapes[k];
    return NULL;
}

/* A result being written, which knows when it did not fit. */
typedef struct output {
    char *p;
    size_t n, size;
    int full;
} output;

static void put(output *o, const char *bytes, size_t n)
{
    o->full = o->full || n >= o->size - o->n;
    if (o->full)
        return;
    memcpy(o->p + o->n, bytes, n);
    o->n += n;
}

static int finish(output *o)
{
    if (o->full || o->n >= o->size || o->n > INT32_MAX)
        return JAB_ELIMIT;
    o->p[o->n] = '\0';
    return (int)o->n;
}

int jab_jid_escape(jab_str text, char *out, size_t size)
{
    output o = {out, 0, size, 0};
    if (text.n && (text.p[0] == ' ' || text.p[text.n - 1] == ' '))
        return JAB_EJID;
    for (size_t i = 0; i < text.n; i++) {
        /* §4.2: a backslash only where it would be taken for an escape. */
        const struct escape *e = escape_of(text.p[i]);
        if (e && (e->character != '\\' || escape_at(text, i, 1))) {
            put(&o, "\\", 1);
            put(&o, e->code, 2);
        } else {
            put(&o, text.p + i, 1);
        }
    }
    return finish(&o);
}

int jab_jid_unescape(jab_str text, char *out, size_t size)
{
    output o = {out, 0, size, 0};
    for (size_t i = 0; i < text.n; i++) {
        const struct escape *e = escape_at(text, i, 0);
        /* §4.1: "\20" is neither the first nor the last of a local part. */
        if (e && e->character == ' ' && (i == 0 || i + 3 == text.n))
            return JAB_EJID;
        put(&o, e ? &e->character : text.p + i, 1);
        i += e ? 2 : 0;
    }
    return finish(&o);
}
