/* Perplexity of running text by two published rules. They differ in what stands before a token when it is
 * predicted and in what the sum is divided by, so their scores have different names.
 *
 * lm-evaluation-harness (0.4.13, api/metrics.py; wikitext and other `loglikelihood_rolling` tasks): every
 * token once, in rolling windows, per word and per byte of the text.
 * llama.cpp (tools/perplexity): chunks of 512 tokens, of each the second half, per token. */
#ifndef LES_DATA_PERPLEXITY_H
#define LES_DATA_PERPLEXITY_H

#include "data/request.h"

typedef struct les_score {
  const char *name; /* "acc", "word_perplexity" ... */
  double value;
} les_score;

enum { LES_MOST_SCORES = 3, LES_LLAMA_CPP_CHUNK = 512 };

typedef enum les_text_rule { LES_RULE_LM_EVAL, LES_RULE_LLAMA_CPP } les_text_rule;

/* The rule called "lm-eval" or "llama.cpp"; -1: there is no such rule. */
int les_text_rule_find(const char *name);

/* Texts to be scored together; starts with the rule alone. */
typedef struct les_perplexity {
  les_text_rule rule;
  les_requests requests;
  int64_t tokens; /* that are predicted */
  int64_t words;  /* of the texts, split at white space */
  int64_t bytes;
} les_perplexity;

/* Adds a text of n bytes, null-terminated. rules->max_length is the window or the chunk. */
les_status les_perplexity_add(les_perplexity *t, const les_request_rules *rules, const char *text, size_t n);

/* The scores from the likelihoods of the requests: word_perplexity, byte_perplexity and bits_per_byte, or
 * llama_cpp_perplexity. Returns their number. */
int les_perplexity_finish(const les_perplexity *t, const les_loglik *answers,
                          les_score scores[LES_MOST_SCORES]);
void les_perplexity_free(les_perplexity *t);

/* lm-evaluation-harness's three scores of texts with log-likelihood `sum`. */
int les_perplexity_rolling(double sum, int64_t words, int64_t bytes, les_score scores[LES_MOST_SCORES]);

#endif
