/*
 * lex.h: tokens of restricted XML. A token is read as a whole: either straight from the input,
 * or, when the input was split inside it, from a copy that was carried along. What finds the
 * token's end over any number of splits is a small machine that looks at each byte once.
 */
#ifndef JABI_XML_LEX_H
#define JABI_XML_LEX_H

#include "xml/scan.h"
#include "xml/xml.h"

/* -- Start tags -------------------------------------------------------------------- */

typedef enum jabi_attr_kind {
    JABI_ATTR_PLAIN,    /* in no namespace */
    JABI_ATTR_PREFIXED, /* its namespace is that of its prefix */
    JABI_ATTR_XMLNS,    /* declares the default namespace */
    JABI_ATTR_PREFIX,   /* declares a prefix */
} jabi_attr_kind;

/* Views into the token. */
typedef struct jabi_lex_attr {
    const char *name;
    const char *value; /* as written, references and all */
    uint32_t name_n;
    uint32_t value_n;
    uint32_t prefix_n; /* without the colon */
    uint16_t kind;     /* jabi_attr_kind */
    uint16_t seen;     /* JABI_SEEN_..., of the value */
} jabi_lex_attr;

typedef struct jabi_lex_tag {
    const char *name;
    const char *end; /* behind the ">" */
    uint32_t name_n;
    uint32_t prefix_n;
    uint32_t attr_n;
    uint32_t plain_n; /* attributes that declare no namespace */
    uint32_t prefixed_n;
    unsigned seen; /* JABI_SEEN_HIGH anywhere */
    int empty;     /* "<a/>" */
    jabi_lex_attr attrs[JABI_XML_ATTRS_MAX];
} jabi_lex_tag;

/* Reads a start tag whose "<" is before p. `max` is the limit of attributes. */
jabi_xml_fault jabi_lex_start(const char *p, const char *end, size_t max, jabi_lex_tag *tag);

/* Reads an end tag whose "</" is before *p, and which must have this name; moves *p behind
 * the ">". */
jabi_xml_fault jabi_lex_end(const char **p, const char *end, const char *name, size_t name_n);

/* Reads an XML declaration, from "<?xml" to "?>". */
jabi_xml_fault jabi_lex_declaration(const char *p, const char *end);

/* -- Where tokens end ---------------------------------------------------------------- */

typedef enum jabi_token_kind {
    JABI_TOKEN_NONE, /* nothing read yet */
    JABI_TOKEN_TEXT,
    JABI_TOKEN_MARKUP, /* after "<" */
    JABI_TOKEN_TAG,
    JABI_TOKEN_QUOTED, /* in a tag, in a value */
    JABI_TOKEN_MARK,   /* after "<!" */
    JABI_TOKEN_CDATA,
    JABI_TOKEN_DECLARATION, /* after "<?" */
} jabi_token_kind;

typedef struct jabi_token_end {
    jabi_token_kind kind;
    char quote;      /* that ends the value; after "<!", the first byte */
    uint8_t matched; /* bytes of what ends or opens the section */
} jabi_token_end;

/*
 * Looks for the end of the token that `t` is in. Returns JABI_FAULT_NONE with *p behind the
 * end, JABI_FAULT_PARTIAL with *p == end, or what forbids the token. Text ends before "<".
 * A tag ends behind ">" outside quotes or, malformed, behind "<".
 */
jabi_xml_fault jabi_token_find_end(jabi_token_end *t, const char **p, const char *end);

#endif
