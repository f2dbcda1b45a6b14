/* Pre-tokenization: splitting a text into the words that are tokenized one by one. A list of steps, as in
 * Hugging Face's tokenizers. */
#ifndef LES_TOKEN_PRETOKENIZER_H
#define LES_TOKEN_PRETOKENIZER_H

#include "token/pattern.h"

typedef enum les_pretokenize_kind {
  LES_PRETOKENIZE_SPLIT,        /* at the matches of a pattern */
  LES_PRETOKENIZE_PREFIX_SPACE, /* a space before every word that does not start with one */
  LES_PRETOKENIZE_BYTE_LEVEL,   /* every byte as its character in GPT-2's alphabet */
  LES_PRETOKENIZE_METASPACE     /* spaces replaced by `meta`, and one prepended */
} les_pretokenize_kind;

/* What becomes of a match. */
typedef enum les_split_behavior {
  LES_SPLIT_REMOVED,
  LES_SPLIT_ISOLATED,
  LES_SPLIT_MERGED_WITH_PREVIOUS,
  LES_SPLIT_MERGED_WITH_NEXT,
  LES_SPLIT_CONTIGUOUS
} les_split_behavior;

typedef enum les_prepend { LES_PREPEND_NEVER, LES_PREPEND_FIRST, LES_PREPEND_ALWAYS } les_prepend;

typedef struct les_pretokenize_step {
  les_pretokenize_kind kind;
  les_pattern *pattern; /* LES_PRETOKENIZE_SPLIT; owned */
  les_split_behavior behavior;
  bool invert;  /* what the pattern does not match counts as the matches */
  char meta[5]; /* LES_PRETOKENIZE_METASPACE: the replacement, one character */
  les_prepend
      prepend; /* LES_PRETOKENIZE_METASPACE: before which words; FIRST: at the start of the document */
} les_pretokenize_step;

typedef struct les_pretokenizer {
  les_pretokenize_step *steps; /* (n) */
  int n;
} les_pretokenizer;

/* A text and the words it is split into. Start from {0}; free with les_pieces_free. */
typedef struct les_pieces {
  les_buffer text;
  les_span *spans; /* (n) into `text`, ascending, none empty */
  size_t n, capacity;
  bool failed;
} les_pieces;

void les_pieces_add(les_pieces *p, size_t start, size_t end);
void les_pieces_free(les_pieces *p);
/* LES_FAILED with a message if adding to the pieces or their text ran out of memory. */
les_status les_pieces_status(const les_pieces *p);

/* Appends a step; takes ownership of its pattern, also on failure. */
les_status les_pretokenizer_add(les_pretokenizer *z, les_pretokenize_step step);

/* Appends a split that isolates the matches of `regex`. */
les_status les_pretokenizer_add_regex(les_pretokenizer *z, const char *regex);

/* Splits the pieces further. `first`: the text is the start of the document. */
les_status les_pretokenizer_apply(const les_pretokenizer *z, les_matcher *m, bool first, les_pieces *pieces);

void les_pretokenizer_free(les_pretokenizer *z);

/* GPT-2's byte-level alphabet (bytes_to_unicode): a printable character for every byte, so that a vocabulary
 * is text. The inverse gives -1 for any other code point. */
int32_t les_byte_to_unicode(unsigned char byte);
int les_byte_from_unicode(int32_t codepoint);

#endif
