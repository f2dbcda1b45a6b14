#include "measure/degeneration.h"

#include <math.h>
#include <stdlib.h>

enum { LOOP_COUNT = 3, LOOP_SPAN = 8 };
static const double loop_share = 0.2, distinct_share = 2.0 / 3; /* of tokens; of 3-grams */
/* Of surprise: -logprob in units of ln n_vocab, which is 1 for tokens drawn uniformly. */
static const double random_surprise = 0.75, some_surprise = 0.25;
static const double greedy_logprob = -3.5; /* in nats */
static const double broken = 0.57;         /* surprise and share of symbols together */
enum { FEWEST_TOKENS = 16 };               /* fewer tell no gibberish */

les_loop les_loop_find(const int32_t *tokens, int n) {
  les_loop best = {0};
  for (int length = 1; length <= n / LOOP_COUNT; length++) {
    int run = 0; /* tokens up to here that equal the one a phrase before */
    for (int i = length; i < n; i++) {
      run = tokens[i] == tokens[i - length] ? run + 1 : 0;
      int span = run + length;
      if (span < LOOP_SPAN || span < LOOP_COUNT * length || span <= best.span) continue;
      best = (les_loop){length, i + 1 - span, span / length, span};
    }
  }
  return best;
}

typedef struct gram {
  const int32_t *tokens;
  int k;
} gram;

static int compare_grams(const void *a, const void *b) {
  const gram *x = a, *y = b;
  for (int i = 0; i < x->k; i++)
    if (x->tokens[i] != y->tokens[i]) return x->tokens[i] < y->tokens[i] ? -1 : 1;
  return 0;
}

les_status les_distinct(const int32_t *tokens, int n, double distinct[3]) {
  gram *grams = malloc(((size_t)n + 1) * sizeof *grams);
  if (!grams) return les_no_memory("the n-grams of %d tokens", n);
  for (int k = 1; k <= 3; k++) {
    int all = n - k + 1, different = all > 0;
    for (int i = 0; i < all; i++) grams[i] = (gram){tokens + i, k};
    if (all > 0) qsort(grams, (size_t)all, sizeof *grams, compare_grams);
    for (int i = 1; i < all; i++) different += compare_grams(&grams[i], &grams[i - 1]) != 0;
    distinct[k - 1] = all > 0 ? (double)different / all : NAN;
  }
  free(grams);
  return LES_OK;
}

const char *les_label_name(les_label label) {
  static const char *const names[LES_N_LABELS] = {NULL,        "intact", "drifted", "repetition",
                                                  "gibberish", "empty",  "nan"};
  return names[label];
}

static bool repeats(const les_signs *s) {
  return (s->loop.length > 0 && s->loop.span >= loop_share * s->n_tokens) ||
         (s->n_tokens >= LOOP_SPAN && s->distinct_3 < distinct_share);
}

static bool is_gibberish(const les_signs *s) {
  double surprise = -s->logprob / log(s->n_vocab);
  if (s->n_tokens < FEWEST_TOKENS) return false;
  return surprise > random_surprise || (s->greedy && s->logprob < greedy_logprob) ||
         (surprise > some_surprise && surprise + s->symbols > broken);
}

les_label les_label_of(const les_signs *s) {
  if (s->nan) return LES_LABEL_NAN;
  if (s->blank) return LES_LABEL_EMPTY;
  if (s->same) return LES_LABEL_INTACT;
  if (repeats(s)) return LES_LABEL_REPETITION;
  return is_gibberish(s) ? LES_LABEL_GIBBERISH : LES_LABEL_DRIFTED;
}
