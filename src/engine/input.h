/* What the engine is asked: a token sequence, and what is wanted of it. */
#ifndef LES_ENGINE_INPUT_H
#define LES_ENGINE_INPUT_H

#include "base/want.h"

#include <stdint.h>

typedef struct les_input {
  const int32_t *tokens; /* (n), n > 0; borrowed for the life of the engine */
  int n;
  int read_from; /* teacher-forced positions below are not scored: their nll and the rest stay NaN or 0 */
  int max_new_tokens; /* 0: nothing is generated */
  unsigned want;      /* LES_WANT_ flags */
} les_input;

/* The most positions that a sequence of this input can have. */
static inline int les_input_capacity(const les_input *input) {
  return input->n + input->max_new_tokens;
}

#endif
