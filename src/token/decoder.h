/* Decoding of tokens to text: the steps of a tokenizer.json's decoder. Each maps a list of pieces, at first
 * the tokens' texts, to another list. */
#ifndef LES_TOKEN_DECODER_H
#define LES_TOKEN_DECODER_H

#include "token/pretokenizer.h"

typedef enum les_decode_kind {
  LES_DECODE_REPLACE,       /* matches of `pattern` in a piece replaced with `text` */
  LES_DECODE_BYTE_FALLBACK, /* runs of "<0xNN>" decoded as UTF-8; U+FFFD for each byte of an invalid run */
  LES_DECODE_BYTE_LEVEL,    /* all pieces decoded from GPT-2's byte-level alphabet */
  LES_DECODE_FUSE,          /* all pieces joined */
  LES_DECODE_JOIN,          /* all pieces joined, with `text` between */
  LES_DECODE_STRIP,    /* up to `start` copies of `text` removed at the start of a piece, `stop` at its end */
  LES_DECODE_METASPACE /* `text` replaced with a space, dropped in the first piece unless `keep_first` */
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

/* Appends a step; takes ownership of what the step owns, also on failure. */
les_status les_decoder_add(les_decoder *z, les_decode_step step);

/* Applies the steps. `document`: the pieces are a whole document; else a space before the first one is kept.
 */
les_status les_decoder_apply(const les_decoder *z, les_matcher *m, bool document, les_pieces *pieces);

void les_decoder_free(les_decoder *z);

/* Decodes n bytes of text from GPT-2's byte-level alphabet to `out`; a text with any other character in it is
 * appended as it is. */
void les_decode_byte_level(const char *text, size_t n, les_buffer *out);

#endif
