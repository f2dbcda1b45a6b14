/* The string functions of Python that published task definitions use, with the same results. Each takes
 * ownership of a malloc'ed string of valid UTF-8 and returns a new one, so that calls nest; NULL (out of
 * memory) is passed on. */
#ifndef LES_DATA_REWRITE_H
#define LES_DATA_REWRITE_H

#include <stddef.h>
#include <stdint.h>

/* str.replace: replaces every `from`, left to right, with `to`. `from` is not empty. */
char *les_rewrite_replace(char *text, const char *from, const char *to);

/* str.strip: removes white space at both ends. */
char *les_rewrite_strip(char *text);

/* str.capitalize: the first letter in title case, the others in lower case, by Unicode's simple case mappings
 * and the special cases of sharp s and final sigma. */
char *les_rewrite_capitalize(char *text);

/* Removes "[...]" within a line: re.sub(r"\[.*?\]", "", text). */
char *les_rewrite_drop_brackets(char *text);

/* Removes white space after every `open` and before the next `close`: re.sub(r"\(\s*([^\)]*?)\s*\)", r"(\1)",
 * text). open and close may be the same character. */
char *les_rewrite_tighten(char *text, char open, char close);

/* Bytes of white space at the end. */
size_t les_rewrite_trailing_space(const char *text);

/* len(text), in code points. */
int64_t les_rewrite_count_chars(const char *text);

/* len(re.split(r"\s+", text)): parts between runs of white space, empty ones at the ends included. */
int64_t les_rewrite_count_words(const char *text);

#endif
