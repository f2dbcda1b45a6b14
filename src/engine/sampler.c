#include "engine/sampler.h"

#include "base/rng.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>

typedef struct candidate {
  int32_t token;
  float logit;
} candidate;

static int likelier_first(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  return x->logit != y->logit ? (x->logit < y->logit ? 1 : -1)
                              : (x->token > y->token) - (x->token < y->token);
}

/* Draws among n candidates, the likeliest first, with probabilities exp(logit / temperature) in their
 * proportions. */
static int32_t draw(const candidate *c, int n, const les_sampling *how, double u) {
  double total = 0, mass = 0;
  for (int i = 0; i < n; i++) total += exp((c[i].logit - c[0].logit) / (double)how->temperature);
  int kept = 0;
  while (kept < n && (kept == 0 || mass < how->top_p * total))
    mass += exp((c[kept++].logit - c[0].logit) / (double)how->temperature);
  double left = u * mass;
  for (int i = 0; i < kept - 1; i++) {
    left -= exp((c[i].logit - c[0].logit) / (double)how->temperature);
    if (left < 0) return c[i].token;
  }
  return c[kept - 1].token;
}

int32_t les_sample(const float *logits, int n, const les_sampling *how, uint64_t key, int pos) {
  int32_t best = (int32_t)les_argmax(logits, n);
  if (how->temperature == 0 || best < 0) return best;
  candidate *c = malloc((size_t)n * sizeof *c);
  if (!c) return -1;
  for (int i = 0; i < n; i++) c[i] = (candidate){i, logits[i]};
  qsort(c, (size_t)n, sizeof *c, likelier_first);
  double u[2];
  les_random_uniform(how->seed, LES_FOR_TOKENS, (uint32_t)pos, key, u);
  int32_t token = draw(c, how->top_k > 0 && how->top_k < n ? how->top_k : n, how, u[0]);
  free(c);
  return token;
}
