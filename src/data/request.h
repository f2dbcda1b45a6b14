/* Requests: texts as tokens of which a model has to predict the last ones, by the rules of
 * lm-evaluation-harness (api/model.py, models/huggingface.py, utils.py of version 0.4.13) and of llama.cpp,
 * so that log-likelihoods are comparable to published ones. */
#ifndef LES_DATA_REQUEST_H
#define LES_DATA_REQUEST_H

#include "token/tokenizer.h"

/* lm-evaluation-harness's `loglikelihood` request: a continuation after its context. */
typedef struct les_request {
  const int32_t *tokens; /* (n) context and continuation; the first token is not predicted */
  int n;
  int n_continuation; /* the last tokens, whose log-likelihood is asked for; 0 < n_continuation < n */
} les_request;

typedef struct les_loglik {
  double sum;  /* of ln p over the continuation; NaN if a logit is */
  bool greedy; /* every token of it is the most likely one */
} les_loglik;

typedef struct les_requests {
  les_request *items; /* (n), with their tokens */
  int n;
} les_requests;

void les_requests_free(les_requests *r);

/* What the rules depend on. */
typedef struct les_request_rules {
  const les_tokenizer *tokenizer;
  int32_t prefix; /* stands before a text that has no context: the begin token, or the first end token of a
                     vocabulary that puts none; -1: such texts are an error */
  int max_length; /* most tokens that the model reads at once */
} les_request_rules;

/* The rules for a model that reads n_ctx tokens and whose first end token is `eos` (-1: none). max_length 0:
 * n_ctx; LES_USAGE if it is longer than that or negative. */
les_status les_request_rules_make(les_request_rules *out, const les_tokenizer *tokenizer, int32_t eos,
                                  int n_ctx, int max_length);

/* Appends the request that scores `continuation` after `context`. White space at the end of the context
 * counts as the continuation's; tokens of both together are cut where the context's own end. Without a
 * context the prefix token stands for it. Special tokens in the texts count as such. Too long a context is
 * cut on the left; a continuation longer than max_length is an error. */
les_status les_request_add_pair(les_requests *r, const les_request_rules *rules, const char *context,
                                const char *continuation);

/* Appends the requests that score every token of `text` once (its begin token too, if the tokenizer puts
 * one), in windows of max_length tokens: the first after the prefix token, each other one after as many of
 * the tokens before it as fit, at least one. A text without tokens gives none. */
les_status les_request_add_rolling(les_requests *r, const les_request_rules *rules, const char *text);

/* Appends the requests of llama.cpp's perplexity (tools/perplexity): the text, without a newline at its very
 * end, in chunks of max_length tokens, each with its first token replaced by the begin token if the tokenizer
 * puts one; the tokens of the second half but its first are scored. Tokens after the last whole chunk are
 * left out, and less than two chunks are an error. Special tokens in the text count as plain text. */
les_status les_request_add_chunks(les_requests *r, const les_request_rules *rules, const char *text);

#endif
