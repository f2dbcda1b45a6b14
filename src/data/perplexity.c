#include "data/perplexity.h"

#include "data/rewrite.h"

#include <math.h>
#include <string.h>

int les_text_rule_find(const char *name) {
  static const char *const names[] = {[LES_RULE_LM_EVAL] = "lm-eval", [LES_RULE_LLAMA_CPP] = "llama.cpp"};
  for (int i = LES_RULE_LM_EVAL; i <= LES_RULE_LLAMA_CPP; i++)
    if (!strcmp(names[i], name)) return i;
  return -1;
}

les_status les_perplexity_add(les_perplexity *t, const les_request_rules *rules, const char *text, size_t n) {
  size_t until_null = strlen(text);
  if (until_null < n)
    return les_fail(LES_FAILED, "holds a null character at byte %zu; texts cannot", until_null);
  int first = t->requests.n;
  if (t->rule == LES_RULE_LM_EVAL)
    LES_TRY(les_request_add_rolling(&t->requests, rules, text));
  else
    LES_TRY(les_request_add_chunks(&t->requests, rules, text));
  for (int i = first; i < t->requests.n; i++) t->tokens += t->requests.items[i].n_continuation;
  t->words += les_rewrite_count_words(text);
  t->bytes += (int64_t)n;
  return LES_OK;
}

int les_perplexity_rolling(double sum, int64_t words, int64_t bytes, les_score scores[LES_MOST_SCORES]) {
  scores[0] = (les_score){"word_perplexity", exp(-sum / (double)words)};
  scores[1] = (les_score){"byte_perplexity", exp(-sum / (double)bytes)};
  scores[2] = (les_score){"bits_per_byte", -sum / (double)bytes / log(2)};
  return 3;
}

int les_perplexity_finish(const les_perplexity *t, const les_loglik *answers,
                          les_score scores[LES_MOST_SCORES]) {
  double sum = 0;
  for (int i = 0; i < t->requests.n; i++) sum += answers[i].sum;
  if (t->rule == LES_RULE_LM_EVAL) return les_perplexity_rolling(sum, t->words, t->bytes, scores);
  scores[0] = (les_score){"llama_cpp_perplexity", exp(-sum / (double)t->tokens)};
  return 1;
}

void les_perplexity_free(les_perplexity *t) {
  les_requests_free(&t->requests);
}
