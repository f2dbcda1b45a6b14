/* Regular expressions as tokenizers write them (Oniguruma's Ruby syntax with Unicode properties, which
 * Hugging Face's tokenizers use), run by PCRE2. */
#ifndef LES_PATTERN_H
#define LES_PATTERN_H

#include "buffer.h"

typedef struct les_pattern les_pattern;

/* Compiles. What PCRE2 cannot express is an error that names it. */
les_status les_pattern_open(les_pattern **out, const char *regex);

/* A pattern that finds the n bytes of `text` as they are. */
les_status les_pattern_open_literal(les_pattern **out, const char *text, size_t n);

void les_pattern_close(les_pattern **p);

/* Working memory of searches; one per thread. */
typedef struct les_matcher les_matcher;
les_status les_matcher_open(les_matcher **out);
void les_matcher_close(les_matcher **m);

typedef struct les_span {
  size_t start, end;
} les_span;

/* The first match in n bytes of valid UTF-8 that starts at `from` or later; *found says whether there is one.
 * A pattern that backtracks without end fails. */
les_status les_pattern_find(const les_pattern *p, les_matcher *m, const char *text, size_t n, size_t from,
                            les_span *match, bool *found);

#endif
