/* Text as Unicode: UTF-8, white space, words, and how far two strings are apart. */
#ifndef LES_BASE_TEXT_H
#define LES_BASE_TEXT_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the character at the start of n > 0 bytes; its code point goes to *codepoint (may be NULL). For
 * a broken sequence the code point is -1 and the length that of its maximal subpart. Null-terminated text may
 * be given with n = SIZE_MAX: no character extends over a null byte. */
size_t les_utf8_next(const char *bytes, size_t n, int32_t *codepoint);

/* Whether a character starts with this byte, in valid UTF-8. */
static inline bool les_utf8_is_start(char byte) {
  return ((unsigned char)byte & 0xc0) != 0x80;
}

/* Start of the character that ends at bytes[end], in valid UTF-8; end > 0. */
size_t les_utf8_back(const char *bytes, size_t end);

/* Writes a code point as UTF-8 to `out`, 1 to 4 bytes; returns their number. */
size_t les_utf8_encode(char *out, int32_t codepoint);

/* Unicode's White_Space: what Rust and regular expressions (\s) take for white space. */
bool les_is_white_space(int32_t codepoint);

/* White_Space and the separators U+001C to U+001F: what Python's str.split, str.strip and \s take for it. */
bool les_is_python_space(int32_t codepoint);

/* How many bytes at the start, or at the end, of n bytes of valid UTF-8 are characters for which `is` holds.
 * At the start, null-terminated text may be given with n = SIZE_MAX if `is` does not hold for 0. */
size_t les_text_leading(const char *text, size_t n, bool (*is)(int32_t codepoint));
size_t les_text_trailing(const char *text, size_t n, bool (*is)(int32_t codepoint));

/* Offset of the first byte that is not valid UTF-8 (a null byte counts as invalid); n if all is well. */
size_t les_text_valid(const char *text, size_t n);

/* Reads a file of text into malloc'ed memory, which is the caller's, with a null byte after its n bytes. A
 * byte order mark at its start is left out; anything that is not valid UTF-8 is an error that names file and
 * line. Every text that a user gives is read here: prompts, documents, tasks, JSON. */
les_status les_text_read(const char *path, char **text, size_t *n);

/* The set of words of a text: split where Python's str.split does, lower-cased by Unicode's simple mapping,
 * each once, in byte order. */
typedef struct les_words {
  char **items; /* (n) point into `text` */
  int n;
  char *text; /* owned */
} les_words;

/* Takes null-terminated UTF-8; a broken sequence counts as U+FFFD. */
les_status les_words_make(les_words *out, const char *text);

/* The same without punctuation and symbols (general categories P and S) at either end of a word; words of
 * nothing else are left out. */
les_status les_words_make_plain(les_words *out, const char *text);
void les_words_free(les_words *w);

/* Share of the words of w that are among those of a or b (NULL: none); NaN if w is empty. */
double les_words_known(const les_words *w, const les_words *a, const les_words *b);

/* Share of the characters of null-terminated UTF-8 that are neither letters (with their marks: general
 * categories L and M) nor U+0020; NaN if there is none. */
double les_text_symbols(const char *text);

/* *found: `text` contains `answer`, both lower-cased, and not as a part of a longer word or number: where the
 * answer begins or ends with a letter or digit, the character beside it is neither. */
les_status les_text_contains(const char *text, const char *answer, bool *found);

/* The entry of `names` (n of them) with the smallest Levenshtein distance in bytes to `name`, for "did you
 * mean"; NULL if none is closer than half of the name's length. */
const char *les_text_nearest(const char *name, const char *const *names, int n);

#endif
