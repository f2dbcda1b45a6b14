/* How a tokenizer cuts a text into the words that are then looked up or merged: a list of steps. */
#ifndef LES_TOKEN_PRETOKENIZER_H
#define LES_TOKEN_PRETOKENIZER_H

#include "token/pattern.h"

typedef enum les_cut_kind {
  LES_CUT_SPLIT,  /* at the matches of a pattern */
  LES_CUT_PREFIX, /* a space in front of every word that does not start with one */
  LES_CUT_BYTES,  /* every byte by its letter in GPT-2's alphabet of bytes */
  LES_CUT_META    /* spaces by `meta`, and one in front */
} les_cut_kind;

/* What becomes of a match, as Hugging Face's tokenizers name it. */
typedef enum les_split_behavior {
  LES_SPLIT_REMOVED,
  LES_SPLIT_ISOLATED,
  LES_SPLIT_MERGED_WITH_PREVIOUS,
  LES_SPLIT_MERGED_WITH_NEXT,
  LES_SPLIT_CONTIGUOUS
} les_split_behavior;

typedef enum les_prepend { LES_PREPEND_NEVER, LES_PREPEND_FIRST, LES_PREPEND_ALWAYS } les_prepend;

typedef struct les_cut_step {
  les_cut_kind kind;
  les_pattern *pattern; /* LES_CUT_SPLIT; owned */
  les_split_behavior behavior;
  bool invert;         /* the pattern matches what lies between */
  char meta[5];        /* LES_CUT_META: the replacement, one character */
  les_prepend prepend; /* LES_CUT_META: where one is put in front; FIRST: at the start of the document */
} les_cut_step;

typedef struct les_pretokenizer {
  les_cut_step *steps; /* (n) */
  int n;
} les_pretokenizer;

/* A text and the words it is cut into. Start from {0}; free with les_pieces_free. */
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

/* Appends a step; it takes the pattern over, also when it fails. */
les_status les_pretokenizer_add(les_pretokenizer *z, les_cut_step step);

/* Appends a split that isolates the matches of `regex`. */
les_status les_pretokenizer_add_regex(les_pretokenizer *z, const char *regex);

/* Cuts the pieces further. `first`: the text is the start of the document. */
les_status les_pretokenizer_apply(const les_pretokenizer *z, les_matcher *m, bool first, les_pieces *pieces);

void les_pretokenizer_free(les_pretokenizer *z);

/* GPT-2's alphabet: every byte has a letter that is printable, so that a vocabulary is text. The way back
 * gives -1 for a code point that is no such letter. */
int32_t les_byte_to_letter(unsigned char byte);
int les_byte_from_letter(int32_t codepoint);

#endif
