/* The inside of a tokenizer, for the files that implement tokenizer.h: tokenizer_gguf.c and tokenizer_json.c
 * fill it in, tokenizer.c runs it. */
#ifndef LES_TOKEN_PIPELINE_H
#define LES_TOKEN_PIPELINE_H

#include "token/added_tokens.h"
#include "token/bpe.h"
#include "token/decoder.h"
#include "token/normalizer.h"
#include "token/pretokenizer.h"
#include "token/spm.h"

/* Encoding splits a text at its added tokens. Each part between is normalised, split at the added tokens that
 * are matched after normalisation, and pre-tokenized into words; SPM or BPE turns each word into tokens. */
struct les_tokenizer {
  les_vocab vocab;
  les_added_tokens added; /* matched in the raw text */
  les_normalizer normalizer;
  les_added_tokens added_normalized; /* matched in the normalised text */
  les_pretokenizer pretokenizer;
  les_spm spm;            /* used if it has scores */
  les_bpe bpe;            /* used if spm has none */
  les_ids prefix, suffix; /* tokens put around a text: BOS, rarely EOS */
  int32_t bos;            /* the begin token that the files name, put in front or not; -1: they name none */
  les_decoder decoder;    /* a tokenizer.json's; without steps, tokens are decoded by their types: */
  bool byte_level;  /* normal tokens are in GPT-2's byte-level alphabet, else U+2581 stands for a space */
  bool strip_space; /* decoding a document drops the space that encoding prepends */
};

#endif
