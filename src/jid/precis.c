/* precis.c: the PRECIS classes and profiles that local part and resource follow. */
#include "jid/property.h"
#include "jid/text.h"

#include <utf8proc.h>

/* The derived property (RFC 8264 §8), from least to most acceptable. */
typedef enum standing {
    DISALLOWED, /* also: unassigned */
    FREE,       /* FREE_PVAL: in the FreeformClass only */
    VALID,      /* PVALID */
    CONTEXT,    /* CONTEXTJ or CONTEXTO: when its rule says so */
} standing;

/* What decides by the whole string; looked at once. */
typedef struct context {
    const jabi_text *text;
    int kana_or_han, arabic_digit, extended_digit;
} context;

typedef int (*rule_fn)(const context *x, size_t i);

static int32_t before(const context *x, size_t i)
{
    return i > 0 ? x->text->cp[i - 1] : -1;
}

static int32_t after(const context *x, size_t i)
{
    return i + 1 < x->text->n ? x->text->cp[i + 1] : -1;
}

/* Joining_Type=T, as far as the classes allow such code points at all. */
static int is_transparent(int32_t cp)
{
    int category = utf8proc_category(cp);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

static int after_virama(const context *x, size_t i)
{
    return i > 0 && utf8proc_get_property(before(x, i))->combining_class == 9;
}

/* RFC 5892 App. A.1: after a virama, or between letters that join over it. */
static int non_joiner(const context *x, size_t i)
{
    if (after_virama(x, i))
        return 1;
    size_t left = i, right = i + 1;
    while (left > 0 && is_transparent(x->text->cp[left - 1]))
        left--;
    while (right < x->text->n && is_transparent(x->text->cp[right]))
        right++;
    return left > 0 && right < x->text->n && jabi_joins_next(x->text->cp[left - 1]) &&
           jabi_joins_previous(x->text->cp[right]);
}

/* App. A.3 */
static int middle_dot(const context *x, size_t i)
{
    return before(x, i) == 'l' && after(x, i) == 'l';
}

/* App. A.4 */
static int before_greek(const context *x, size_t i)
{
    return jabi_is_greek(after(x, i));
}

/* App. A.5, A.6 */
static int after_hebrew(const context *x, size_t i)
{
    return jabi_is_hebrew(before(x, i));
}

/* App. A.7 */
static int beside_kana_or_han(const context *x, size_t i)
{
    (void)i;
    return x->kana_or_han;
}

/* App. A.8, A.9: digits of the two Arabic sets look alike. */
static int one_digit_set(const context *x, size_t i)
{
    (void)i;
    return !x->arabic_digit || !x->extended_digit;
}

/* RFC 5892 §2.6 (Exceptions) and §2.8 (JoinControl), in order. */
static const struct special {
    int32_t first, last;
    standing is;
    rule_fn rule;
} specials[] = {
    {0x00B7, 0x00B7, CONTEXT, middle_dot},
    {0x00DF, 0x00DF, VALID, NULL},
    {0x0375, 0x0375, CONTEXT, before_greek},
    {0x03C2, 0x03C2, VALID, NULL},
    {0x05F3, 0x05F4, CONTEXT, after_hebrew},
    {0x0640, 0x0640, DISALLOWED, NULL},
    {0x0660, 0x0669, CONTEXT, one_digit_set},
    {0x06F0, 0x06F9, CONTEXT, one_digit_set},
    {0x06FD, 0x06FE, VALID, NULL},
    {0x07FA, 0x07FA, DISALLOWED, NULL},
    {0x0F0B, 0x0F0B, VALID, NULL},
    /* §2.9 OldHangulJamo, whose place in the order does not matter */
    {0x1100, 0x11FF, DISALLOWED, NULL},
    {0x200C, 0x200C, CONTEXT, non_joiner},
    {0x200D, 0x200D, CONTEXT, after_virama},
    {0x3007, 0x3007, VALID, NULL},
    {0x302E, 0x302F, DISALLOWED, NULL},
    {0x3031, 0x3035, DISALLOWED, NULL},
    {0x303B, 0x303B, DISALLOWED, NULL},
    {0x30FB, 0x30FB, CONTEXT, beside_kana_or_han},
    {0xA960, 0xA97C, DISALLOWED, NULL},
    {0xD7B0, 0xD7FB, DISALLOWED, NULL},
};

static const struct special *special_of(int32_t cp)
{
    for (size_t i = 0; i < sizeof specials / sizeof *specials && cp >= specials[i].first; i++)
        if (cp <= specials[i].last)
            return &specials[i];
    return NULL;
}

/* RFC 8264 §9.1 LetterDigits, §9.14 to §9.16 and §9.18; none other is allowed. */
static const uint8_t by_category[] = {
    [UTF8PROC_CATEGORY_LU] = VALID, [UTF8PROC_CATEGORY_LL] = VALID, [UTF8PROC_CATEGORY_LT] = FREE,
    [UTF8PROC_CATEGORY_LM] = VALID, [UTF8PROC_CATEGORY_LO] = VALID, [UTF8PROC_CATEGORY_MN] = VALID,
    [UTF8PROC_CATEGORY_MC] = VALID, [UTF8PROC_CATEGORY_ME] = FREE,  [UTF8PROC_CATEGORY_ND] = VALID,
    [UTF8PROC_CATEGORY_NL] = FREE,  [UTF8PROC_CATEGORY_NO] = FREE,  [UTF8PROC_CATEGORY_PC] = FREE,
    [UTF8PROC_CATEGORY_PD] = FREE,  [UTF8PROC_CATEGORY_PS] = FREE,  [UTF8PROC_CATEGORY_PE] = FREE,
    [UTF8PROC_CATEGORY_PI] = FREE,  [UTF8PROC_CATEGORY_PF] = FREE,  [UTF8PROC_CATEGORY_PO] = FREE,
    [UTF8PROC_CATEGORY_SM] = FREE,  [UTF8PROC_CATEGORY_SC] = FREE,  [UTF8PROC_CATEGORY_SK] = FREE,
    [UTF8PROC_CATEGORY_SO] = FREE,  [UTF8PROC_CATEGORY_ZS] = FREE,  [UTF8PROC_CATEGORY_ZL] = 0,
    [UTF8PROC_CATEGORY_ZP] = 0,     [UTF8PROC_CATEGORY_CC] = 0,     [UTF8PROC_CATEGORY_CF] = 0,
    [UTF8PROC_CATEGORY_CS] = 0,     [UTF8PROC_CATEGORY_CO] = 0,
};

/* RFC 8264 §8 */
static standing standing_of(int32_t cp)
{
    if (cp > 0x20 && cp < 0x7F)
        return VALID;
    const struct special *special = special_of(cp);
    if (special)
        return special->is;
    const utf8proc_property_t *property = utf8proc_get_property(cp);
    standing is = by_category[property->category];
    if (is == DISALLOWED || property->ignorable)
        return DISALLOWED;
    return is == FREE || jabi_is_nfkc(cp) ? is : FREE;
}

static int all_at_least(const jabi_text *t, standing least)
{
    for (size_t i = 0; i < t->n; i++)
        if (standing_of(t->cp[i]) < least)
            return 0;
    return 1;
}

static int contexts_hold(const jabi_text *t)
{
    context x = {.text = t};
    for (size_t i = 0; i < t->n; i++) {
        x.kana_or_han |= jabi_is_kana_or_han(t->cp[i]);
        x.arabic_digit |= t->cp[i] >= 0x660 && t->cp[i] <= 0x669;
        x.extended_digit |= t->cp[i] >= 0x6F0 && t->cp[i] <= 0x6F9;
    }
    for (size_t i = 0; i < t->n; i++) {
        const struct special *special = special_of(t->cp[i]);
        if (special && special->rule && !special->rule(&x, i))
            return 0;
    }
    return 1;
}

#define BIDI(name) (1u << UTF8PROC_BIDI_CLASS_##name)
#define RIGHT      (BIDI(R) | BIDI(AL))
#define NEUTRAL    (BIDI(ES) | BIDI(CS) | BIDI(ET) | BIDI(ON) | BIDI(BN) | BIDI(NSM))

/* RFC 5893 §2. A string that begins left to right cannot satisfy the rule once
 * it holds a right-to-left code point, so that only the other kind is left. */
static int bidi_holds(const jabi_text *t)
{
    unsigned all = 0, last = 0;
    for (size_t i = 0; i < t->n; i++) {
        unsigned class = 1u << utf8proc_get_property(t->cp[i])->bidi_class;
        all |= class;
        if (class != BIDI(NSM))
            last = class;
    }
    if (!(all & (RIGHT | BIDI(AN))))
        return 1;
    unsigned first = 1u << utf8proc_get_property(t->cp[0])->bidi_class;
    return (first & RIGHT) && !(all & ~(RIGHT | NEUTRAL | BIDI(EN) | BIDI(AN))) &&
           (last & (RIGHT | BIDI(EN) | BIDI(AN))) && !((all & BIDI(EN)) && (all & BIDI(AN)));
}

/* RFC 8265 §4.2.2, rule 2 */
static void map_spaces(jabi_text *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->cp[i] > 0x7F && utf8proc_category(t->cp[i]) == UTF8PROC_CATEGORY_ZS)
            t->cp[i] = ' ';
}

/* A profile: its class, its mapping, and whether case and direction matter. */
typedef struct profile {
    standing least;
    void (*map)(jabi_text *t);
    int identifier;
} profile;

static const profile username_case_mapped = {VALID, jabi_text_map_width, 1};
static const profile opaque_string = {FREE, map_spaces, 0};

/* One application: prepared (§3.3.2, §4.2.1), then enforced (§3.3.3, §4.2.2). */
static int apply(const profile *p, jab_str text, char out[JAB_JID_PART_MAX])
{
    jabi_text t;
    if (jabi_text_read(&t, text))
        return JAB_EJID;
    p->map(&t);
    if (!all_at_least(&t, p->least) || jabi_text_normalize(&t, p->identifier))
        return JAB_EJID;
    if (!all_at_least(&t, p->least) || !contexts_hold(&t) || (p->identifier && !bidi_holds(&t)))
        return JAB_EJID;
    return jabi_text_write(&t, out);
}

/* RFC 8264 §7: once, and up to three more times until nothing changes. */
static int enforce(const profile *p, jab_str text, char out[JAB_JID_PART_MAX])
{
    char last[JAB_JID_PART_MAX];
    for (int round = 0; round < 4; round++) {
        int n = apply(p, text, out);
        if (n < 0 || jab_str_eq(text, (jab_str){out, (size_t)n}))
            return n;
        memcpy(last, out, (size_t)n);
        text = (jab_str){last, (size_t)n};
    }
    return JAB_EJID;
}

int jabi_jid_local(jab_str text, char out[JAB_JID_PART_MAX])
{
    int n;
    if (text.n && text.n <= JAB_JID_PART_MAX && jabi_is_ascii(text))
        n = jabi_lower_ascii(text, out);
    else
        n = enforce(&username_case_mapped, text, out);
    if (n < 0)
        return n;
    /* RFC 7622 §3.3.1, after the mapping: a fullwidth '@' is an '@' by now. */
    for (int i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)out[i];
        if (byte < 0x80 && !(jabi_jid_ascii[byte] & JABI_IN_LOCAL))
            return JAB_EJID;
    }
    return n;
}

int jabi_jid_opaque(jab_str text, char out[JAB_JID_PART_MAX])
{
    if (!text.n || text.n > JAB_JID_PART_MAX || !jabi_jid_all(text, JABI_IN_RESOURCE))
        return enforce(&opaque_string, text, out);
    memcpy(out, text.p, text.n);
    return (int)text.n;
}
