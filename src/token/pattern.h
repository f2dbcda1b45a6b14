/* Regular expressions as tokenizers write them (Oniguruma's Ruby syntax with Unicode properties, which
 * Hugging Face's tokenizers use), run by PCRE2. */
#ifndef LES_TOKEN_PATTERN_H
#define LES_TOKEN_PATTERN_H

#include "base/buffer.h"

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

/* A walk over the matches of a text, which do not overlap; after an empty match the search goes on behind the
 * next character, and an empty match right behind another match is none. Set the first four fields. */
typedef struct les_match_walk {
  const les_pattern *pattern;
  les_matcher *matcher;
  const char *text;
  size_t n;
  size_t gap;     /* where the match before `match` ends */
  les_span match; /* the match found */
  size_t from;    /* where the search goes on */
} les_match_walk;

/* The next match; at the end *found is false, and the text from w->gap on has no match. */
les_status les_match_next(les_match_walk *w, bool *found);

/* Appends the text to `out` with every match replaced by `to`. */
les_status les_pattern_replace(const les_pattern *p, les_matcher *m, const char *text, size_t n,
                               const les_buffer *to, les_buffer *out);

#endif
