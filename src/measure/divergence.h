/* Measures of how far a lesioned run is from the intact one. Sums are in double, in the order in which the
 * positions are given; NaN propagates. */
#ifndef LES_MEASURE_DIVERGENCE_H
#define LES_MEASURE_DIVERGENCE_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Jaccard distance 1 - |A and B| / |A or B| of the sets of words (text.h) of two null-terminated texts: both
 * empty 0, one empty 1 (Jaccard, 1912). */
les_status les_jaccard_words(const char *a, const char *b, double *distance);

/* The same over the sets of token ids. */
les_status les_jaccard_tokens(const int32_t *a, int n_a, const int32_t *b, int n_b, double *distance);

/* Length of the longest common prefix of two continuations. */
int les_common_prefix(const int32_t *a, int n_a, const int32_t *b, int n_b);

/* Sums over the positions of teacher-forced texts; starts zeroed. */
typedef struct les_forced {
  int64_t n;         /* positions */
  double nll;        /* sum of -ln p(next token) */
  double kl;         /* sum of KL(intact || lesioned) */
  double kl_max;     /* NaN once a position's is */
  int64_t same_top1; /* positions with the same most likely token */
} les_forced;

/* Adds a position. For the intact run itself kl is 0 and same_top1 true. */
void les_forced_add(les_forced *f, double nll, double kl, bool same_top1);

typedef struct les_forced_measures {
  double mean_nll, perplexity, kl_mean, kl_max, top1_agreement;
} les_forced_measures;

/* All NaN if there is no position, or if any position's nll or kl is NaN. delta_nll is the difference of two
 * mean_nll. */
les_forced_measures les_forced_finish(const les_forced *f);

#endif
