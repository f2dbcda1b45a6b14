/* Tests of hypotheses and rank correlations, with the definitions of statsmodels and scipy, whose numbers
 * they reproduce. */
#ifndef LES_STATS_INFERENCE_H
#define LES_STATS_INFERENCE_H

#include "base/status.h"

/* p is two-sided. */
typedef struct les_test {
  double statistic, p;
} les_test;

/* McNemar's test of two paired proportions from the numbers of pairs that differ: b right before and wrong
 * after, c the other way (McNemar, 1947). exact: binomial, the statistic is the smaller number; else
 * chi-square with one degree of freedom and Edwards' continuity correction, NaN for b = c = 0.
 * statsmodels.stats.contingency_tables.mcnemar. */
les_test les_mcnemar_exact(int b, int c);
les_test les_mcnemar_chi2(int b, int c);

/* Upper bound of a proportion of which k of n were seen, missed with probability `tail` at most (Clopper and
 * Pearson, 1934): a quantile of the beta distribution, which k need not be whole for. The lower one is 1 less
 * that of n - k. scipy.stats.binomtest(k, n).proportion_ci(1 - 2 tail, "exact"). */
double les_proportion_high(double k, int n, double tail);

/* Holm's step-down correction of n p-values for their number (Holm, 1979). NaN are left out and stay NaN.
 * statsmodels.stats.multitest.multipletests(method="holm"). */
les_status les_holm(const double *p, int n, double *corrected);

/* Spearman's rho of n pairs, average ranks for ties, p by Student's t with n - 2 degrees of freedom.
 * scipy.stats.spearmanr. NaN for n < 3 or where one side is constant. */
les_status les_spearman(const double *x, const double *y, int n, les_test *out);

/* Kendall's tau-b of n pairs; p exact without ties up to n = 33, else by the normal approximation with
 * corrections for ties. scipy.stats.kendalltau. NaN for n < 3 or where one side is constant. */
les_status les_kendall(const double *x, const double *y, int n, les_test *out);

#endif
