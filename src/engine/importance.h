/* Importance of layers and their parts by cosine similarity of hidden states, as studies of pruning measure
 * it.
 */
#ifndef LES_ENGINE_IMPORTANCE_H
#define LES_ENGINE_IMPORTANCE_H

#include "engine/activations.h"

/* Every value is a mean over tokens, weighted by their passages; sums in double and in one order. */
typedef struct les_importance {
  int n_layers;
  /* (n_layers) 1 - cos(x, y), x the hidden state before the part's norm and y after its residual add: "What
   * Matters in Transformers? Not All Attention is Needed" (S. He et al., 2024). `block` is ShortGPT's Block
   * Influence (X. Men et al., 2024). */
  double *attn, *mlp, *block;
  /* (n_layers) their standard errors over passages, whose tokens depend on each other: those of a ratio of
   * sums (the delta method). NaN for a single passage. */
  double *attn_stderr, *mlp_stderr, *block_stderr;
  /* (n_layers, n_layers) row n - 1, element l, l + n <= n_layers: arccos(cos(x, y)) / pi, x the input of
   * layer l and y that of layer l + n, at the last token of each passage: the angular distance over n layers
   * of "The Unreasonable Ineffectiveness of the Deeper Layers" (A. Gromov et al., 2024). NaN elsewhere. */
  double *angular;
} les_importance;

/* progress: counts tokens; NULL: nobody is told. */
les_status les_importance_compute(les_importance **out, const les_model *model, const les_passage *passages,
                                  int n, les_compute compute, int threads, const les_progress *progress);
void les_importance_free(les_importance **importance);

#endif
