/* How far a compute mode is from f32 on a text: what the benchmark prints and a test bounds. */
#ifndef MODE_DIVERGENCE_H
#define MODE_DIVERGENCE_H

#include "model/model.h"

typedef struct mode_divergence {
  double kl_mean, kl_max; /* KL(f32 || mode) of the next token's distribution, in nats */
  double same_top;        /* share of positions whose most likely token is the same */
  int64_t positions;
} mode_divergence;

/* Compares a mode with f32 over the first `contexts` contexts of 128 tokens of the text (n bytes), at the
 * positions that llama-perplexity compares: those of their second half. LES_FAILED if the text is shorter
 * than one context. */
les_status mode_divergence_compute(mode_divergence *out, const les_model *model, const char *text, size_t n,
                                   int contexts, les_compute mode);

#endif
