/* What the engine is asked: a token sequence, and what is wanted of it. */
#ifndef LES_ENGINE_INPUT_H
#define LES_ENGINE_INPUT_H

#include <stdint.h>

enum {
  LES_WANT_FORCED = 1,      /* teacher-forced nll and greedy, over the input and the intact continuation */
  LES_WANT_KL = 2,          /* kl and agrees; implies LES_WANT_FORCED */
  LES_WANT_LAST_LOGITS = 4, /* the logits after the input's last token; nothing may be generated */
  LES_WANT_TRACE = 8,       /* of each new token; and of each layer, which implies LES_WANT_FORCED */
  LES_WANT_LOGPROB_INTACT = 16, /* log-probability of the continuation under the intact model */
};

typedef struct les_input {
  const int32_t *tokens; /* (n), n > 0; borrowed for the life of the engine */
  int n;
  int read_from; /* teacher-forced positions below are not scored: their nll and the rest stay NaN or 0 */
  int max_new_tokens; /* 0: nothing is generated */
  unsigned want;      /* LES_WANT_ flags */
} les_input;

#endif
