#include "engine/sampler.h"

#include "base/rng.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>

static int likelier_first(const void *a, const void *b) {
  const les_candidate *x = a, *y = b;
  return x->logit != y->logit ? (x->logit < y->logit ? 1 : -1)
                              : (x->token > y->token) - (x->token < y->token);
}

/* Draws among n candidates, the likeliest first, with probabilities exp(logit / temperature) in their
 * proportions. */
static int32_t draw(const les_candidate *c, int n, const les_sampling *sampling, double u) {
  double total = 0, mass = 0;
  for (int i = 0; i < n; i++) total += exp((c[i].logit - c[0].logit) / (double)sampling->temperature);
  int kept = 0;
  while (kept < n && (kept == 0 || mass < sampling->top_p * total))
    mass += exp((c[kept++].logit - c[0].logit) / (double)sampling->temperature);
  double left = u * mass;
  for (int i = 0; i < kept - 1; i++) {
    left -= exp((c[i].logit - c[0].logit) / (double)sampling->temperature);
    if (left < 0) return c[i].token;
  }
  return c[kept - 1].token;
}

int32_t les_sample(const float *logits, int n, const les_sampling *sampling, uint64_t key, int pos,
                   les_candidate *candidates) {
  int32_t best = (int32_t)les_argmax(logits, n);
  if (sampling->temperature == 0 || best < 0) return best;
  for (int i = 0; i < n; i++) candidates[i] = (les_candidate){i, logits[i]};
  qsort(candidates, (size_t)n, sizeof *candidates, likelier_first);
  double u[2];
  les_random_uniform(sampling->seed, LES_FOR_TOKENS, (uint32_t)pos, key, u);
  int top_k = sampling->top_k > 0 && sampling->top_k < n ? sampling->top_k : n;
  return draw(candidates, top_k, sampling, u[0]);
}
