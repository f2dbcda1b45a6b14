/* Rotary position embedding: angles per position, with the scalings that stretch a model's context. */
#ifndef LES_MODEL_ROPE_H
#define LES_MODEL_ROPE_H

#include <stdbool.h>

typedef enum les_rope_scaling {
  LES_ROPE_PLAIN,
  LES_ROPE_LINEAR,
  LES_ROPE_LLAMA3,
  LES_ROPE_YARN
} les_rope_scaling;

typedef struct les_rope_spec {
  les_rope_scaling scaling;
  double base;
  double factor;                            /* all but PLAIN */
  double low_freq_factor, high_freq_factor; /* LLAMA3 */
  double original_ctx;                      /* LLAMA3, YARN */
  double beta_fast, beta_slow;              /* YARN; 32 and 1 mostly */
  bool whole_dims;                          /* YARN: round the limits of the ramp outwards */
  double magnitude;                         /* of cos and sin; 0: by the scaling's formula */
} les_rope_spec;

/* Fills freq (n_pairs) with the angles per position and *magnitude with the factor of cos and sin. Formulas:
 * Su et al. 2021 (base^(-i / n_pairs)), Chen et al. 2023 (linear), Peng et al. 2023 (YaRN), and Llama 3.1's
 * reference code. */
void les_rope_fill(const les_rope_spec *spec, int n_pairs, double *freq, float *magnitude);

#endif
