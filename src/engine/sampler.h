/* The choice of a token from logits. */
#ifndef LES_ENGINE_SAMPLER_H
#define LES_ENGINE_SAMPLER_H

#include <stdint.h>

/* temperature 0: the most likely token, of equal ones the lowest id. */
typedef struct les_sampling {
  float temperature;
  int top_k;   /* the k most likely tokens; 0: all */
  float top_p; /* nucleus: of those the most likely ones that together have this probability; 1: all */
  uint64_t seed;
} les_sampling;

typedef struct les_candidate {
  int32_t token;
  float logit;
} les_candidate;

/* A token for position `pos` of the stream `key`; -1 if a logit is NaN. The random number depends on
 * (seed, key, pos) alone, so that intact and lesioned sequences draw the same. `top_k` goes before `top_p`,
 * as in llama.cpp; at least one token is always left. `candidates` (n) is scratch memory; NULL will do at
 * temperature 0. */
int32_t les_sample(const float *logits, int n, const les_sampling *sampling, uint64_t key, int pos,
                   les_candidate *candidates);

#endif
