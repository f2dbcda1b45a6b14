/* Rewriting of strings as the published task definitions do it, and give the same results as the
 * Python functions that they use. A function takes a malloc'ed string of valid UTF-8, frees it and returns a
 * new one, so that calls nest; NULL (out of memory) goes through. */
#ifndef LES_DATA_REWRITE_H
#define LES_DATA_REWRITE_H

#include <stddef.h>
#include <stdint.h>

/* Every `from` becomes `to`, left to right, as str.replace does it. `from` is not empty. */
char *les_rewrite_replace(char *text, const char *from, const char *to);

/* Removes white space at both ends: str.strip. */
char *les_rewrite_strip(char *text);

/* First letter in title case, the others in lower case: str.capitalize, by Unicode's simple mappings and with
 * the two special cases that texts have, sharp s and final sigma. */
char *les_rewrite_capitalize(char *text);

/* Removes "[...]" within a line: re.sub(r"\[.*?\]", "", text). */
char *les_rewrite_drop_brackets(char *text);

/* Removes white space after every `open` and before the next `close`: re.sub(r"\(\s*([^\)]*?)\s*\)", r"(\1)",
 * text). open and close may be the same character. */
char *les_rewrite_tighten(char *text, char open, char close);

/* Bytes of white space at the end. */
size_t les_rewrite_trailing_space(const char *text);

/* Unicode characters: len(text). */
int64_t les_rewrite_count_chars(const char *text);

/* Pieces between runs of white space, empty ones at the ends included: len(re.split(r"\s+", text)). */
int64_t les_rewrite_count_words(const char *text);

#endif
