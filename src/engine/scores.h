/* What a sequence takes from its logits and states, position by position. Internal to the engine. */
#ifndef LES_ENGINE_SCORES_H
#define LES_ENGINE_SCORES_H

#include "engine/input.h"
#include "model/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* (les_input_capacity) each, in one block of memory; NULL: the input does not want it. */
typedef struct les_scores {
  double *lse;     /* ln of the sum of exp of the logits; baselines only */
  int32_t *best;   /* most likely token; baselines only */
  int32_t *choice; /* token chosen for the next position */
  float *nll, *kl;
  uint8_t *agrees, *greedy;
  float *logprob, *entropy; /* trace of `choice` */
  int32_t *rank;
  float *hidden_norm, *attn_entropy; /* (capacity, n_layers) */
  float *last_logits;                /* (n_vocab) */
  void *memory;
} les_scores;

/* Room for the scores of an input: nll NaN, kl NaN if it is wanted, all else 0. `intact`: of a baseline.
 * False if there is no memory. */
bool les_scores_init(les_scores *out, const les_model *model, const les_input *input, bool intact);
void les_scores_free(les_scores *s);

/* Bytes that les_scores_init allocates. */
size_t les_scores_bytes(const les_model *model, const les_input *input, bool intact);

#endif
