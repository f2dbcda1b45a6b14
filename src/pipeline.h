/* What a tokenizer is made of. The readers of GGUF and tokenizer.json fill it in, tokenizer.c runs it. Not
 * for users of a tokenizer: they include tokenizer.h. */
#ifndef LES_PIPELINE_H
#define LES_PIPELINE_H

#include "normalizer.h"
#include "spm.h"
#include "tokenizer.h"
#include "vocab.h"

struct les_tokenizer {
  les_vocab vocab;
  les_normalizer normalizer;
  les_spm spm;
  les_ids prefix, suffix; /* tokens put around a text: BOS, rarely EOS */
  bool strip_space;       /* a document's text has lost the space that encoding put in front */
};

#endif
