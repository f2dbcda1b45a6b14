/* What a tokenizer is made of. The readers of GGUF and tokenizer.json fill it in, tokenizer.c runs it. Not
 * for users of a tokenizer: they include tokenizer.h. */
#ifndef LES_TOKEN_PIPELINE_H
#define LES_TOKEN_PIPELINE_H

#include "token/added_tokens.h"
#include "token/bpe.h"
#include "token/decoder.h"
#include "token/normalizer.h"
#include "token/pretokenizer.h"
#include "token/spm.h"
#include "token/tokenizer.h"

/* Encoding: the text's added tokens; what lies between is normalised, searched for the added tokens that are
 * looked for after that, cut into words, and each word goes through SPM or BPE. */
struct les_tokenizer {
  les_vocab vocab;
  les_added added; /* found in the text as it is */
  les_normalizer normalizer;
  les_added added_normalized; /* found in the normalised text */
  les_pretokenizer pretokenizer;
  les_spm spm;            /* used if it has scores, */
  les_bpe bpe;            /* else this */
  les_ids prefix, suffix; /* tokens put around a text: BOS, rarely EOS */
  int32_t bos;            /* the begin token that the files name, put in front or not; -1: they name none */
  les_decoder decoder;    /* how a tokenizer.json's tokens become text; without steps, by their types: */
  bool byte_letters;      /* normal tokens are written in GPT-2's alphabet of bytes, else with U+2581 */
  bool strip_space;       /* a document's text has lost the space that encoding put in front */
};

#endif
