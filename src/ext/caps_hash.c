/* caps_hash.c: the verification string of XEP-0115 §5.1. */
#include "ext/caps.h"

#include "base/base64.h"
#include "base/mem.h"
#include "ext/text.h"

#define NS_DATA    "jabber:x:data"
#define NS_XML     "http://www.w3.org/XML/1998/namespace"
#define STRING_MAX (4u << 20) /* bytes of a verification string */

/* Stand for "<" and "/" until all is sorted: sorting is by the parts, and no
 * part can hold one of these, which are not characters of XML. */
#define PART_END '\x01'
#define SLASH    '\x02'

/* What is collected from one answer: lines of text in one buffer, sorted as
 * views once the buffer does not move any more. */
typedef struct lines {
    jabi_buf text;
    size_t *ends; /* where each line ends in the text */
    size_t n, cap;
    const jab_mem *mem;
    int error;
} lines;

static void lines_init(lines *l, const jab_mem *mem)
{
    *l = (lines){.mem = mem};
    jabi_buf_init(&l->text, mem, STRING_MAX);
}

static void lines_fini(lines *l)
{
    jabi_buf_fini(&l->text);
    jabi_free(l->mem, l->ends);
}

static void end_line(lines *l)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 32;
        size_t *ends = jabi_realloc_array(l->mem, l->ends, cap, sizeof *ends);
        if (!ends) {
            l->error = JAB_ENOMEM;
            return;
        }
        l->ends = ends;
        l->cap = cap;
    }
    l->ends[l->n++] = l->text.n;
}

/* Sorts the lines and adds each with its end. Two that are equal make
 * an answer ill-formed where `unique` is set (§5.4). */
static int lines_write(lines *l, jabi_buf *out, int unique)
{
    int err = l->error ? l->error : l->text.error;
    jab_str *sorted = err ? NULL : jabi_realloc_array(l->mem, NULL, l->n + 1, sizeof *sorted);
    if (!sorted)
        return err ? err : JAB_ENOMEM;
    for (size_t i = 0, at = 0; i < l->n; at = l->ends[i++])
        sorted[i] = (jab_str){jabi_buf_str(&l->text).p + at, l->ends[i] - at};
    jabi_sort(sorted, l->n);
    for (size_t i = 0; i < l->n; i++) {
        if (unique && i > 0 && jab_str_eq(sorted[i], sorted[i - 1]))
            err = JAB_EPROTO;
        jabi_buf_add_str(out, sorted[i]);
        jabi_buf_add_char(out, PART_END);
    }
    jabi_free(l->mem, sorted);
    return err ? err : out->error;
}

/* A part with a "<" of its own could pass for two: nobody has honest use for
 * that, and it lets one answer have the hash of another. */
static void add_part(lines *l, jab_str part)
{
    if (part.n > 0 && memchr(part.p, '<', part.n))
        l->error = JAB_EPROTO;
    jabi_buf_add_str(&l->text, part);
}

static void add_identity(lines *l, jab_str category, jab_str type, jab_str lang, jab_str name)
{
    add_part(l, category);
    jabi_buf_add_char(&l->text, SLASH);
    add_part(l, type);
    jabi_buf_add_char(&l->text, SLASH);
    add_part(l, lang);
    jabi_buf_add_char(&l->text, SLASH);
    add_part(l, name);
    end_line(l);
}

static int write_identities(const jab_mem *mem, const jab_xml *query, jabi_buf *out)
{
    lines l;
    lines_init(&l, mem);
    for (const jab_xml *c = jab_xml_child(query, NULL, "identity"); c;
         c = jab_xml_next_named(c, NULL, "identity"))
        add_identity(&l, jab_xml_attr(c, "category"), jab_xml_attr(c, "type"),
                     jab_xml_attr_ns(c, NS_XML, "lang"), jab_xml_attr(c, "name"));
    int err = lines_write(&l, out, 1);
    lines_fini(&l);
    return err;
}

static int write_features(const jab_mem *mem, const jab_xml *query, jabi_buf *out)
{
    lines l;
    lines_init(&l, mem);
    for (const jab_xml *c = jab_xml_child(query, NULL, "feature"); c;
         c = jab_xml_next_named(c, NULL, "feature")) {
        add_part(&l, jab_xml_attr(c, "var"));
        end_line(&l);
    }
    int err = lines_write(&l, out, 1);
    lines_fini(&l);
    return err;
}

/* The FORM_TYPE of a form (XEP-0068); absent when it has none that counts. */
static jab_str form_type(const jab_xml *form)
{
    for (const jab_xml *f = jab_xml_child(form, NULL, "field"); f;
         f = jab_xml_next_named(f, NULL, "field"))
        if (jab_str_is(jab_xml_attr(f, "var"), "FORM_TYPE") &&
            jab_str_is(jab_xml_attr(f, "type"), "hidden"))
            return jabi_leaf(f, NULL, "value");
    return (jab_str){NULL, 0};
}

/* The name and its sorted values, each with its end but the last one, which
 * the line gets. */
static int write_field(const jab_mem *mem, const jab_xml *field, jabi_buf *out)
{
    lines values;
    lines_init(&values, mem);
    for (const jab_xml *v = jab_xml_child(field, NULL, "value"); v;
         v = jab_xml_next_named(v, NULL, "value")) {
        add_part(&values, jab_xml_text(v));
        end_line(&values);
    }
    jabi_buf_add_str(out, jab_xml_attr(field, "var"));
    jabi_buf_add_char(out, PART_END);
    int err = lines_write(&values, out, 0);
    if (err == 0)
        out->n--;
    lines_fini(&values);
    return err;
}

static int write_form(const jab_mem *mem, const jab_xml *form, jab_str type, jabi_buf *out)
{
    lines fields;
    int err = 0;
    lines_init(&fields, mem);
    for (const jab_xml *f = jab_xml_child(form, NULL, "field"); f && err == 0;
         f = jab_xml_next_named(f, NULL, "field")) {
        if (jab_str_is(jab_xml_attr(f, "var"), "FORM_TYPE"))
            continue;
        err = write_field(mem, f, &fields.text);
        end_line(&fields);
    }
    jabi_buf_add_str(out, type);
    jabi_buf_add_char(out, PART_END);
    if (err == 0)
        err = lines_write(&fields, out, 0);
    if (err == 0)
        out->n--;
    lines_fini(&fields);
    return err;
}

/* Forms without a FORM_TYPE do not count; two of the same type make the
 * answer ill-formed, which equal beginnings of lines show. */
static int write_forms(const jab_mem *mem, const jab_xml *query, jabi_buf *out)
{
    lines forms, types;
    jabi_buf none;
    int err = 0;
    lines_init(&forms, mem);
    lines_init(&types, mem);
    jabi_buf_init(&none, mem, STRING_MAX);
    for (const jab_xml *x = jab_xml_child(query, NS_DATA, "x"); x && err == 0;
         x = jab_xml_next_named(x, NS_DATA, "x")) {
        jab_str type = form_type(x);
        if (!type.p)
            continue;
        err = write_form(mem, x, type, &forms.text);
        end_line(&forms);
        jabi_buf_add_str(&types.text, type);
        end_line(&types);
    }
    if (err == 0)
        err = lines_write(&types, &none, 1);
    if (err == 0)
        err = lines_write(&forms, out, 0);
    jabi_buf_fini(&none);
    lines_fini(&types);
    lines_fini(&forms);
    return err;
}

static int finish(jabi_hash hash, jabi_buf *string, jabi_buf *out)
{
    uint8_t digest[JABI_HASH_MAX];
    for (size_t i = 0; i < string->n; i++)
        if (string->p[i] == PART_END || string->p[i] == SLASH)
            string->p[i] = string->p[i] == SLASH ? '/' : '<';
    jab_str part = jabi_buf_str(string);
    int err = jabi_hash_parts(hash, &part, 1, digest);
    if (err < 0)
        return err;
    jabi_base64_encode(out, digest, jabi_hash_size(hash));
    return out->error;
}

int jabi_caps_hash_query(const jab_mem *mem, const jab_xml *query, jabi_hash hash, jabi_buf *out)
{
    jabi_buf string;
    jabi_buf_init(&string, mem, STRING_MAX);
    int err = write_identities(mem, query, &string);
    if (err == 0)
        err = write_features(mem, query, &string);
    if (err == 0)
        err = write_forms(mem, query, &string);
    if (err == 0)
        err = finish(hash, &string, out);
    jabi_buf_fini(&string);
    return err;
}

int jabi_caps_hash_own(const jab_config *cfg, const jab_mem *mem, const jab_str *features, size_t n,
                       jabi_buf *out)
{
    jabi_buf string;
    jabi_buf_init(&string, mem, STRING_MAX);
    jabi_buf_printf(&string, JAB_FMT "/" JAB_FMT "//" JAB_FMT "<", JAB_ARG(cfg->identity_category),
                    JAB_ARG(cfg->identity_type), JAB_ARG(cfg->software_name));
    for (size_t i = 0; i < n; i++) {
        jabi_buf_add_str(&string, features[i]);
        jabi_buf_add_char(&string, '<');
    }
    int err = string.error ? string.error : finish(JABI_SHA1, &string, out);
    jabi_buf_fini(&string);
    return err;
}
