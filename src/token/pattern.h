/* The patterns of a tokenizer: regular expressions in Oniguruma's Ruby syntax, run by Oniguruma, the engine
 * behind Hugging Face's tokenizers; or plain text. */
#ifndef LES_TOKEN_PATTERN_H
#define LES_TOKEN_PATTERN_H

#include "base/buffer.h"

typedef struct les_pattern les_pattern;

/* Compiles a regular expression; an error names it and what is wrong with it. */
les_status les_pattern_open(les_pattern **out, const char *regex);

/* A pattern that matches the n bytes of `text` literally. */
les_status les_pattern_open_literal(les_pattern **out, const char *text, size_t n);

void les_pattern_close(les_pattern **p);

/* Working memory of the searches of one text, and how much they may still backtrack; one per thread. */
typedef struct les_matcher les_matcher;
les_status les_matcher_open(les_matcher **out);
void les_matcher_close(les_matcher **m);

typedef struct les_span {
  size_t start, end;
} les_span;

/* Iterates over the matches of a text, which do not overlap. After an empty match the search goes on behind
 * the next character, and an empty match right behind another match does not count. Set the first four
 * fields; the text is valid UTF-8. */
typedef struct les_match_walk {
  const les_pattern *pattern;
  les_matcher *matcher;
  const char *text;
  size_t n;
  size_t gap;     /* end of the match before `match` */
  les_span match; /* the current match */
  size_t from;    /* where the search continues */
} les_match_walk;

/* The next match; at the end *found is false, and nothing from w->gap on matches. Backtracking is counted,
 * for each search and for all that a matcher did: beyond its bounds is an error, so that a pattern takes time
 * and memory linear in the length of the text. */
les_status les_match_next(les_match_walk *w, bool *found);

/* Appends the text to `out` with every match replaced by `to`. */
les_status les_pattern_replace(const les_pattern *p, les_matcher *m, const char *text, size_t n,
                               const les_buffer *to, les_buffer *out);

#endif
