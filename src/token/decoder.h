/* How tokens become text again: the list of steps that a tokenizer.json gives, each from a list of pieces to
 * a list of pieces. */
#ifndef LES_TOKEN_DECODER_H
#define LES_TOKEN_DECODER_H

#include "token/pretokenizer.h"

typedef enum les_decode_kind {
  LES_DECODE_REPLACE,       /* matches of `pattern` in a piece by `text` */
  LES_DECODE_BYTE_FALLBACK, /* rows of "<0xNN>" by the characters they spell, by U+FFFD each if they do not */
  LES_DECODE_BYTE_LETTERS,  /* all pieces by the bytes that they are in GPT-2's alphabet */
  LES_DECODE_FUSE,          /* all pieces into one */
  LES_DECODE_JOIN,          /* all pieces into one, with `text` between */
  LES_DECODE_STRIP,         /* up to `start` times `text` at the start of a piece, `stop` times at its end */
  LES_DECODE_META           /* `text` by a space; none for the first piece unless `keep_first` */
} les_decode_kind;

typedef struct les_decode_step {
  les_decode_kind kind;
  les_pattern *pattern; /* owned */
  les_buffer text;      /* owned */
  int start, stop;
  bool keep_first;
} les_decode_step;

typedef struct les_decoder {
  les_decode_step *steps; /* (n) */
  int n;
} les_decoder;

/* Appends a step; it takes over what the step owns, also when it fails. */
les_status les_decoder_add(les_decoder *z, les_decode_step step);

/* Takes the steps. `document`: the pieces are a whole document; else a space in front of the first one
 * stays. */
les_status les_decoder_apply(const les_decoder *z, les_matcher *m, bool document, les_pieces *pieces);

void les_decoder_free(les_decoder *z);

/* Appends n bytes of text in GPT-2's alphabet as the bytes they stand for; text with another letter in it is
 * taken as it is written. */
void les_decode_byte_letters(const char *text, size_t n, les_buffer *out);

#endif
