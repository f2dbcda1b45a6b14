#include "engine/scores.h"

#include <math.h>
#include <stdlib.h>

static void *take(char *base, size_t *used, size_t bytes) {
  void *p = base ? base + *used : NULL;
  *used += (bytes + 15) / 16 * 16;
  return p;
}

/* Lays the arrays of `at` out from `base` (NULL: only counts) and returns their size. */
static size_t lay_out(les_scores *at, char *base, const les_model *m, const les_input *input, bool intact) {
  size_t used = 0, n = (size_t)les_input_capacity(input);
  *at = (les_scores){.memory = base};
  at->choice = take(base, &used, n * sizeof(int32_t));
  at->nll = take(base, &used, n * sizeof(float));
  at->kl = take(base, &used, n * sizeof(float));
  at->agrees = take(base, &used, n);
  at->greedy = take(base, &used, n);
  if (intact) {
    at->lse = take(base, &used, n * sizeof(double));
    at->best = take(base, &used, n * sizeof(int32_t));
  }
  if (input->want & LES_WANT_TRACE) {
    at->logprob = take(base, &used, n * sizeof(float));
    at->entropy = take(base, &used, n * sizeof(float));
    at->rank = take(base, &used, n * sizeof(int32_t));
    at->hidden_norm = take(base, &used, n * (size_t)m->hparams.n_layers * sizeof(float));
    at->attn_entropy = take(base, &used, n * (size_t)m->hparams.n_layers * sizeof(float));
  }
  if (input->want & LES_WANT_LAST_LOGITS)
    at->last_logits = take(base, &used, (size_t)m->hparams.n_vocab * sizeof(float));
  return used;
}

size_t les_scores_bytes(const les_model *m, const les_input *input, bool intact) {
  les_scores at;
  return lay_out(&at, NULL, m, input, intact);
}

bool les_scores_init(les_scores *out, const les_model *m, const les_input *input, bool intact) {
  char *memory = calloc(1, les_scores_bytes(m, input, intact));
  lay_out(out, memory, m, input, intact);
  if (!memory) return false;
  for (int i = 0; i < les_input_capacity(input); i++) {
    out->nll[i] = NAN;
    out->kl[i] = input->want & LES_WANT_KL ? NAN : 0;
  }
  return true;
}

void les_scores_free(les_scores *s) {
  free(s->memory);
  *s = (les_scores){0};
}
