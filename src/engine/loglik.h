/* Log-likelihoods of continuations given their contexts, as tasks are scored by: lm-evaluation-harness's
 * `loglikelihood` request. */
#ifndef LES_ENGINE_LOGLIK_H
#define LES_ENGINE_LOGLIK_H

#include "data/request.h"
#include "engine/engine.h"

/* The rules of requests for a model (request.h). LES_FAILED if it has no tokenizer. */
les_status les_loglik_rules(les_request_rules *out, const les_model *model, int max_length);

/* The engine's input for a request, and the log-likelihood of the tokens after read_from from its outcome:
 * NaN if the input does not want LES_WANT_FORCED. */
les_input les_loglik_input(const les_request *request);
les_loglik les_loglik_of(const les_input *input, const les_outcome *outcome);

typedef struct les_loglik_options {
  les_compute compute;
  int threads;
  size_t memory_limit; /* as in les_engine_options */
} les_loglik_options;

/* Scores every request intact and under every lesion: out (lesions->n + 1, n), row 0 intact. `means` may be
 * NULL if no lesion needs them. */
les_status les_loglik_score(const les_model *model, const les_request *requests, int n,
                            const les_lesions *lesions, const les_means *means,
                            const les_loglik_options *options, les_loglik *out);

#endif
