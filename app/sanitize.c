/* sanitize.c: makes text of others safe for a terminal; see sanitize.h. */
#include "sanitize.h"

#include <utf8proc.h>

#define MARKS_MAX 8 /* combining marks on one character */

struct span {
    uint32_t first, last;
};

/* Controls of direction and line that are no C0 or C1, and the deprecated or
 * special format characters that could hide text. */
static const struct span dangerous[] = {
    {0x061c, 0x061c}, {0x200e, 0x200f}, {0x2028, 0x202e},   {0x2066, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0001, 0xe0001},
};

static int is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

static int is_dangerous(uint32_t c)
{
    if (is_control(c))
        return 1;
    for (size_t i = 0; i < sizeof dangerous / sizeof dangerous[0]; i++)
        if (c >= dangerous[i].first && c <= dangerous[i].last)
            return 1;
    return 0;
}

static int is_unassigned(uint32_t c)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CS;
}

static int is_mark(uint32_t c)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
           category == UTF8PROC_CATEGORY_MC;
}

/* Joiners and tags do not begin a new character for the count of marks. */
static int is_format(uint32_t c)
{
    return utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_CF;
}

/* The escape for people is not one that a program would read back. */
static void escape_for_people(app_text *out, uint32_t c, app_form form)
{
    if (c == '\n' && form == APP_BLOCK)
        app_text_z(out, "\n    ");
    else if (c == '\t' && form == APP_BLOCK)
        app_text_char(out, '\t');
    else if (c == '\n' || c == '\t')
        app_text_z(out, c == '\n' ? "\\n" : "\\t");
    else
        app_text_fmt(out, "\\u{%x}", (unsigned)c);
}

/* The escapes of JSON strings, which TSV shares. */
static void escape_for_programs(app_text *out, uint32_t c)
{
    if (c == '\n' || c == '\t' || c == '\r')
        app_text_z(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
    else if (c > 0xffff)
        app_text_fmt(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
                     (unsigned)(0xdc00 + ((c - 0x10000) & 0x3ff)));
    else
        app_text_fmt(out, "\\u%04x", (unsigned)c);
}

static void put_escaped(app_text *out, uint32_t c, app_form form)
{
    if (form == APP_TSV || form == APP_JSON)
        escape_for_programs(out, c);
    else
        escape_for_people(out, c, form);
}

static void put(app_text *out, uint32_t c, jab_str bytes, app_form form, int *marks)
{
    int for_people = form == APP_LINE || form == APP_BLOCK;
    if (is_dangerous(c) || (form != APP_JSON && is_unassigned(c))) {
        put_escaped(out, c, form);
        *marks = 0;
        return;
    }
    if (for_people && is_mark(c) && ++*marks > MARKS_MAX)
        return;
    if (!is_mark(c) && !is_format(c))
        *marks = 0;
    if (form == APP_TSV && c == '\\')
        app_text_char(out, '\\');
    app_text_add(out, bytes);
}

void app_clean(app_text *out, jab_str text, app_form form)
{
    int marks = 0;
    for (size_t i = 0; i < text.n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text.p + i,
                                              (utf8proc_ssize_t)(text.n - i), &c);
        if (n <= 0) {
            app_text_fmt(out, "\\x%02x", (unsigned char)text.p[i]);
            i++;
            continue;
        }
        put(out, (uint32_t)c, (jab_str){text.p + i, (size_t)n}, form, &marks);
        i += (size_t)n;
    }
}
