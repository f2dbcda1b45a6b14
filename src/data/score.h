/* Scores of tasks and texts, and how sure they are. */
#ifndef LES_DATA_SCORE_H
#define LES_DATA_SCORE_H

typedef struct les_score {
  const char *name; /* "acc", "word_perplexity" ... */
  double value;
} les_score;

enum { LES_MOST_SCORES = 3 };

/* The influence of a unit (a document, a window) on a score is what it adds to it, to first order; the
 * influences of all units sum to 0. Of a mean: (x - mean) / n. Of a function of sums, such as a perplexity,
 * that of its derivative (the delta method). From them come standard errors, also that of the difference of
 * two scores of the same units.
 */

/* Influences (n) on a mean of n values, which may be the same array. */
void les_influence_mean(const double *values, int n, double *influence);

/* The influence of a unit with values `above` and `below` on f(sum of above / sum of below); slope: f' there.
 */
double les_influence_ratio(double above, double below, double sum_above, double sum_below, double slope);

/* The standard error of a score, sqrt(n / (n - 1) sum of squares), which is that of a mean as
 * lm-evaluation-harness prints it; of its difference to another one with influences `minus` (NULL: none). NaN
 * of less than two units. */
double les_influence_stderr(const double *influence, const double *minus, int n);

#endif
