/* Normalization of a text before pre-tokenization: a list of steps, as in Hugging Face's tokenizers. */
#ifndef LES_TOKEN_NORMALIZER_H
#define LES_TOKEN_NORMALIZER_H

#include "token/pattern.h"

typedef enum les_normalize_kind {
  LES_NORMALIZE_PREPEND,      /* `to` before a text that is not empty */
  LES_NORMALIZE_REPLACE,      /* every match of `pattern` with `to` */
  LES_NORMALIZE_UNICODE,      /* Unicode normalization form `form` */
  LES_NORMALIZE_LOWERCASE,    /* character by character */
  LES_NORMALIZE_STRIP,        /* white space at the `left` and `right` end removed */
  LES_NORMALIZE_STRIP_ACCENTS /* combining marks removed */
} les_normalize_kind;

typedef enum les_unicode_form { LES_NFC, LES_NFD, LES_NFKC, LES_NFKD } les_unicode_form;

typedef struct les_normalize_step {
  les_normalize_kind kind;
  les_pattern *pattern; /* owned */
  les_buffer to;        /* owned */
  les_unicode_form form;
  bool left, right;
} les_normalize_step;

typedef struct les_normalizer {
  les_normalize_step *steps; /* (n) */
  int n;
} les_normalizer;

/* Appends a step; takes ownership of what the step owns, also on failure. */
les_status les_normalizer_add(les_normalizer *z, les_normalize_step step);

/* Appends a step that replaces the text `from` with `to`. */
les_status les_normalizer_add_replace(les_normalizer *z, const char *from, const char *to);

/* Appends a step that prepends `text`. */
les_status les_normalizer_add_prepend(les_normalizer *z, const char *text);

/* Replaces *text (valid UTF-8) by its normalised form. */
les_status les_normalizer_apply(const les_normalizer *z, les_matcher *m, les_buffer *text);

void les_normalizer_free(les_normalizer *z);

#endif
