#ifndef LES_DATA_PASSAGE_H
#define LES_DATA_PASSAGE_H

#include "token/tokenizer.h"

/* A text that is read. Where it is longer than the model's context it is read in pieces of that length, each
 * from a fresh start. */
typedef struct les_passage {
  les_tokens tokens;
  double weight; /* of each of its tokens in a mean */
} les_passage;

#endif
