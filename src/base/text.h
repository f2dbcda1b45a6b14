/* Text as Unicode: validity, words, and how far two strings are apart. */
#ifndef LES_BASE_TEXT_H
#define LES_BASE_TEXT_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True for Unicode white space: general category Zs or bidirectional class WS, B or S, the set that Python's
 * str.split, str.strip and \s use. */
bool les_text_is_space(int32_t codepoint);

/* Offset of the first byte that is not valid UTF-8 (a null byte counts as invalid); n if all is well. */
size_t les_text_valid(const char *text, size_t n);

/* The set of words of a text: split at Unicode white space, lower-cased by Unicode's simple mapping, each
 * once, in byte order. */
typedef struct les_words {
  char **items; /* (n) point into `text` */
  int n;
  char *text; /* owned */
} les_words;

/* Takes null-terminated UTF-8; broken bytes count as U+FFFD. */
les_status les_words_make(les_words *out, const char *text);

/* The same without punctuation and symbols (general categories P and S) at either end of a word; words of
 * nothing else are left out. */
les_status les_words_make_plain(les_words *out, const char *text);
void les_words_free(les_words *w);

/* Share of the words of w that are among those of a or b (NULL: none); NaN if w is empty. */
double les_words_known(const les_words *w, const les_words *a, const les_words *b);

/* *found: `text` contains `answer`, both lower-cased, and not as a part of a longer word or number: where the
 * answer begins or ends with a letter or digit, the character beside it is neither. */
les_status les_text_contains(const char *text, const char *answer, bool *found);

/* The entry of `names` (n of them) with the smallest Levenshtein distance in bytes to `name`, for "did you
 * mean"; NULL if none is closer than half of the name's length. */
const char *les_text_nearest(const char *name, const char *const *names, int n);

#endif
