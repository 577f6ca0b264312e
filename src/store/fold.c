/* fold.c: text brought to a form in which case, accents and width do not matter. */
#include "store/fold.h"

#include "base/utf8.h"

#include <utf8proc.h>

typedef struct range {
    uint32_t first, last;
} range;

/* Scripts without blanks between words: each character is found by itself. */
static const range single[] = {
    {0x0E00, 0x0EFF},   /* Thai, Lao */
    {0x1000, 0x109F},   /* Myanmar */
    {0x1780, 0x17FF},   /* Khmer */
    {0x2E80, 0x2FDF},   /* radicals */
    {0x3005, 0x31BF},   /* kana, Bopomofo */
    {0x31F0, 0x31FF},   /* Katakana for Ainu */
    {0x3400, 0x4DBF},   /* Han */
    {0x4E00, 0x9FFF},   /* Han */
    {0xA9E0, 0xA9FF},   /* Myanmar */
    {0xAA60, 0xAA7F},   /* Myanmar */
    {0xF900, 0xFAFF},   /* Han */
    {0x1AFF0, 0x1B16F}, /* kana */
    {0x20000, 0x3FFFF}, /* Han */
};

/* Marks without which a word is still read. Those of the scripts of India and of
 * South-East Asia are vowels, and stay. */
static const range mark[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, /* Latin, Greek, Cyrillic */
    {0x0591, 0x05C7},                   /* Hebrew */
    {0x0610, 0x061A}, {0x0640, 0x0640},   {0x064B, 0x065F},   {0x0670, 0x0670},
    {0x06D6, 0x06ED}, {0x0711, 0x0711},   {0x0730, 0x074A},   {0x08CA, 0x08FF}, /* Arabic, Syriac */
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},   {0x20D0, 0x20FF},   {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F}, {0x1F3FB, 0x1F3FF}, {0xE0100, 0xE01EF}, /* variants, and tones of skin */
};

/* Letters that people type as others, though Unicode does not take them apart. */
static const struct {
    uint32_t from;
    char to[3];
} alike[] = {{0xE6, "ae"}, {0xF8, "o"},  {0x111, "d"},  {0x127, "h"},
             {0x131, "i"}, {0x142, "l"}, {0x153, "oe"}, {0x167, "t"}};

#define CYRILLIC_I     0x0438
#define CYRILLIC_BREVE 0x0306

typedef enum kind { SEPARATOR, NOTHING, LETTER, SINGLE } kind;

typedef struct folder {
    jabi_buf *out;
    const char *enter, *leave_word, *leave_single; /* what stands around terms */
    kind at;                                       /* what came last */
    size_t word;                                   /* where the word began */
    uint32_t last;                                 /* the last letter of a word */
} folder;

static int within(const range *r, size_t n, uint32_t cp)
{
    size_t low = 0;
    while (low < n) {
        size_t middle = low + (n - low) / 2;
        if (cp > r[middle].last)
            low = middle + 1;
        else if (cp < r[middle].first)
            n = middle;
        else
            return 1;
    }
    return 0;
}

#define WITHIN(table, cp) within(table, sizeof(table) / sizeof((table)[0]), cp)

static kind kind_of(uint32_t cp)
{
    static const kind kinds[] = {
        [UTF8PROC_CATEGORY_CN] = SINGLE,  [UTF8PROC_CATEGORY_LU] = LETTER,
        [UTF8PROC_CATEGORY_LL] = LETTER,  [UTF8PROC_CATEGORY_LT] = LETTER,
        [UTF8PROC_CATEGORY_LM] = LETTER,  [UTF8PROC_CATEGORY_LO] = LETTER,
        [UTF8PROC_CATEGORY_MN] = LETTER,  [UTF8PROC_CATEGORY_MC] = LETTER,
        [UTF8PROC_CATEGORY_ME] = LETTER,  [UTF8PROC_CATEGORY_ND] = LETTER,
        [UTF8PROC_CATEGORY_NL] = LETTER,  [UTF8PROC_CATEGORY_NO] = LETTER,
        [UTF8PROC_CATEGORY_SK] = NOTHING, [UTF8PROC_CATEGORY_SO] = SINGLE,
        [UTF8PROC_CATEGORY_CF] = NOTHING, [UTF8PROC_CATEGORY_CO] = SINGLE,
    };
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);
    kind k = (size_t)category < sizeof kinds / sizeof kinds[0] ? kinds[category] : SEPARATOR;
    if (k == LETTER && WITHIN(single, cp))
        return SINGLE;
    if (k == NOTHING && cp < 0x80) /* ^ and ` */
        return SEPARATOR;
    return k == LETTER && WITHIN(mark, cp) ? NOTHING : k;
}

/* Ends the word or the run of single characters before what comes next. */
static void move(folder *f, kind to)
{
    if (f->at == LETTER && to != LETTER)
        jabi_buf_add_z(f->out, f->leave_word);
    if (f->at == SINGLE && to != SINGLE)
        jabi_buf_add_z(f->out, f->leave_single);
    if (to != SEPARATOR && to != f->at) {
        jabi_buf_add_z(f->out, f->enter);
        f->word = f->out->n;
    }
    f->at = to;
    f->last = 0;
}

static void put_letter(folder *f, uint32_t cp)
{
    char bytes[4];
    int n = jabi_utf8_write(cp, bytes);
    move(f, LETTER);
    if (f->out->n - f->word > JABI_FOLD_WORD_MAX - sizeof bytes)
        return;
    jabi_buf_add(f->out, bytes, (size_t)n);
    f->last = cp;
}

static void put_single(folder *f, uint32_t cp)
{
    char bytes[5];
    int n = jabi_utf8_write(cp, bytes);
    bytes[n] = ' ';
    move(f, SINGLE);
    jabi_buf_add(f->out, bytes, (size_t)n + 1);
}

/* Writes one code point of a text that was taken apart. */
static void put(folder *f, uint32_t cp)
{
    /* й is a letter of its own, and not an и with an accent. */
    if (cp == CYRILLIC_BREVE && f->last == CYRILLIC_I && !f->out->error) {
        f->out->p[f->out->n - 1]++;
        f->last = 0;
        return;
    }
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++) {
        if (alike[i].from == cp) {
            for (const char *to = alike[i].to; *to; to++)
                put_letter(f, (uint32_t)*to);
            return;
        }
    }
    kind k = kind_of(cp);
    if (k == LETTER)
        put_letter(f, cp);
    else if (k == SINGLE)
        put_single(f, cp);
    else if (k == SEPARATOR)
        move(f, SEPARATOR);
}

static void put_ascii(folder *f, uint32_t c)
{
    uint32_t small = c | 0x20;
    if ((c >= '0' && c <= '9') || (small >= 'a' && small <= 'z'))
        put_letter(f, c >= 'A' ? small : c);
    else
        move(f, SEPARATOR);
}

/* Takes one code point apart: compatibility forms, accents, case. */
static void take_apart(folder *f, uint32_t cp)
{
    if (cp < 0x80) {
        put_ascii(f, cp);
        return;
    }
    utf8proc_int32_t parts[32];
    int boundary = UTF8PROC_BOUNDCLASS_START;
    utf8proc_ssize_t n = utf8proc_decompose_char(
        (utf8proc_int32_t)cp, parts, sizeof parts / sizeof parts[0],
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE, &boundary);
    if (n < 0 || (size_t)n > sizeof parts / sizeof parts[0]) {
        move(f, SEPARATOR);
        return;
    }
    for (utf8proc_ssize_t i = 0; i < n; i++)
        put(f, (uint32_t)parts[i]);
}

static int fold(folder *f, jab_str text, size_t max)
{
    size_t start = f->out->n;
    for (size_t i = 0; i < text.n && f->out->n - start < max && !f->out->error;) {
        uint32_t cp;
        int n = jabi_utf8_read(text.p + i, text.n - i, &cp);
        if (n > 0)
            take_apart(f, cp);
        else
            move(f, SEPARATOR);
        i += n > 0 ? (size_t)n : 1;
    }
    move(f, SEPARATOR);
    return f->out->error ? JAB_ENOMEM : 0;
}

int jabi_fold(jabi_buf *out, jab_str text)
{
    folder f = {.out = out, .enter = "", .leave_word = " ", .leave_single = ""};
    jabi_buf_add_char(out, ' ');
    return fold(&f, text, JABI_FOLD_MAX);
}

int jabi_fold_query(jabi_buf *out, jab_str text)
{
    folder f = {.out = out, .enter = " ", .leave_word = "\n", .leave_single = "\n"};
    size_t start = out->n;
    int err = fold(&f, text, JABI_FOLD_QUERY_MAX);
    return err == 0 && out->n - start >= JABI_FOLD_QUERY_MAX ? JAB_EINVAL : err;
}

jab_str jabi_fold_term(jab_str *query)
{
    const char *end = query->n ? memchr(query->p, '\n', query->n) : NULL;
    if (!end)
        return (jab_str){NULL, 0};
    jab_str term = {query->p, (size_t)(end - query->p)};
    query->n -= term.n + 1;
    query->p = end + 1;
    return term;
}

int jabi_fold_has(jab_str folded, jab_str query)
{
    if (query.n == 0)
        return 0;
    for (jab_str term; (term = jabi_fold_term(&query)).p;)
        if (!memmem(folded.p, folded.n, term.p, term.n))
            return 0;
    return 1;
}
