/* Log-likelihoods of continuations given their contexts, as tasks are scored by: lm-evaluation-harness's
 * `loglikelihood` request. */
#ifndef LES_LOGLIK_H
#define LES_LOGLIK_H

#include "engine.h"

typedef struct les_loglik_request {
  const int32_t *tokens; /* (n) context and continuation; the first token is not predicted */
  int n;
  int n_continuation; /* the last tokens, whose log-likelihood is asked for; 0 < n_continuation < n */
} les_loglik_request;

typedef struct les_loglik {
  double sum;  /* of ln p over the continuation; NaN if a logit is */
  bool greedy; /* every token of it is the most likely one */
} les_loglik;

/* The engine's input for a request, and the answer from its outcome. */
les_input les_loglik_input(const les_loglik_request *request);
les_loglik les_loglik_of(const les_input *input, const les_outcome *outcome);

typedef struct les_loglik_options {
  les_compute compute;
  int threads;
  size_t memory_limit; /* as in les_engine_options */
} les_loglik_options;

/* Scores every request intact and under every lesion: out (lesions->n + 1, n), row 0 intact. `means` may be
 * NULL if no lesion needs them. */
les_status les_loglik_score(const les_model *model, const les_loglik_request *requests, int n,
                            const les_lesions *lesions, const les_means *means,
                            const les_loglik_options *options, les_loglik *out);

#endif
