#ifndef LES_DATA_PASSAGE_H
#define LES_DATA_PASSAGE_H

#include "token/tokenizer.h"

/* A text for the model to read. One that is longer than the model's context is read in pieces of that length,
 * each with an empty KV cache. */
typedef struct les_passage {
  les_tokens tokens;
  double weight; /* of each of its tokens in a mean */
} les_passage;

#endif
