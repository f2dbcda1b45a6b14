/* SentencePiece-style BPE, GGUF's tokenizer model "llama": the adjacent pair whose text has the highest score
 * is merged first, and what is left without a token falls back to its bytes. */
#ifndef LES_TOKEN_SPM_H
#define LES_TOKEN_SPM_H

#include "token/pair_heap.h"
#include "token/vocab.h"

typedef struct les_spm {
  const les_vocab *vocab;
  float *scores;   /* (vocab->n), owned */
  int32_t unknown; /* token for a byte that has none, -1: it is dropped */
} les_spm;

void les_spm_free(les_spm *spm);

/* Appends the tokens of n bytes of valid UTF-8, in which spaces are already U+2581. */
les_status les_spm_encode(const les_spm *spm, les_pair_heap *heap, const char *text, size_t n, les_ids *ids);

#endif
