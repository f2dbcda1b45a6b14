/* What a tokenizer does to a text before it looks for tokens: a list of steps. */
#ifndef LES_NORMALIZER_H
#define LES_NORMALIZER_H

#include "pattern.h"

typedef enum les_normalize_kind {
  LES_NORMALIZE_PREPEND, /* `to` in front of a text that is not empty */
  LES_NORMALIZE_REPLACE  /* every `from` by `to` */
} les_normalize_kind;

typedef struct les_normalize_step {
  les_normalize_kind kind;
  les_buffer from, to; /* owned */
} les_normalize_step;

typedef struct les_normalizer {
  les_normalize_step *steps; /* (n) */
  int n;
} les_normalizer;

/* Appends a step of that kind, zeroed but for the texts (null-terminated; NULL: empty). */
les_status les_normalizer_add(les_normalizer *z, les_normalize_kind kind, const char *from, const char *to);

/* Replaces *text (valid UTF-8) by its normalised form. */
les_status les_normalizer_apply(const les_normalizer *z, les_matcher *m, les_buffer *text);

void les_normalizer_free(les_normalizer *z);

#endif
