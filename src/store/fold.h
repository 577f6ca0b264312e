/*
 * fold.h: text brought to a form in which case, accents and width do not
 * matter, cut into words, for looking things up.
 *
 * Folded text is words with one blank before and after each. Words are letters,
 * digits and marks. A character of a script that is written without blanks, and
 * a symbol, is a word of its own.
 */
#ifndef JABI_FOLD_H
#define JABI_FOLD_H

#include "base/buf.h"

#define JABI_FOLD_MAX       (256 * 1024) /* bytes of folded text; what is behind is not found */
#define JABI_FOLD_WORD_MAX  128          /* bytes of a word; what is behind does not count */
#define JABI_FOLD_QUERY_MAX 4096

/* Appends the folded text, at least one blank. 0 or JAB_ENOMEM. */
int jabi_fold(jabi_buf *out, jab_str text) JAB_MUST_USE;

/*
 * Appends what is to be found, one term a line, each ended by '\n': " word" for
 * a word that begins so, " a b c " for characters that stand together. A text
 * that folds to nothing appends nothing. 0, JAB_ENOMEM, or JAB_EINVAL when it
 * is longer than JABI_FOLD_QUERY_MAX.
 */
int jabi_fold_query(jabi_buf *out, jab_str text) JAB_MUST_USE;

/* Takes the first term off a folded query; absent at the end. */
jab_str jabi_fold_term(jab_str *query);

/* Whether folded text has all terms of a folded query; not when it has none. */
int jabi_fold_has(jab_str folded, jab_str query);

#endif
