/* The choice of a token from logits. */
#ifndef LES_ENGINE_SAMPLER_H
#define LES_ENGINE_SAMPLER_H

#include <stdint.h>

/* temperature 0: the most likely token, of equal ones the lowest id. */
typedef struct les_sampling {
  float temperature;
  int top_k;   /* the k most likely tokens; 0: all */
  float top_p; /* of those the most likely ones that together have this probability; 1: all */
  uint64_t seed;
} les_sampling;

/* A token for position `pos` of prompt number `key`; -1 if a logit is NaN or memory runs out. The random
 * number depends on (seed, key, pos) alone, so that intact and lesioned runs draw the same. `top_k` goes
 * before `top_p`, as in llama.cpp; at least one token is always left. */
int32_t les_sample(const float *logits, int n, const les_sampling *how, uint64_t key, int pos);

#endif
