/* Statistics of measured damage. */
#ifndef LES_STATS_STATS_H
#define LES_STATS_STATS_H

#include "base/status.h"

#include <stdint.h>

enum {
  LES_RESAMPLES = 10000,
  LES_FEWEST_VALUES = 5 /* fewer give no interval */
};

/* Mean, its standard error (sample standard deviation over sqrt(n); NaN below 2 values), and the bounds of
 * its interval. */
typedef struct les_interval {
  double mean, error, low, high;
} les_interval;

/* What the bounds of an interval are to be. */
typedef struct les_bounds {
  double tail;      /* share left beyond each bound: 0.025 for a 95 % interval */
  double low, high; /* least and largest value that an observation can have; infinite: no limit */
} les_bounds;

/* Studentised bootstrap (bootstrap-t) of the means of m series (Efron and Tibshirani, "An introduction to the
 * bootstrap", 1993, chapter 12; Davison and Hinkley, 1997, section 5.2): LES_RESAMPLES resamples, quantiles
 * of (resampled mean - mean) / standard error of the resample with linear interpolation between order
 * statistics, bounds clipped to `bounds`.
 *
 * A resample of equal values has no spread, and where more than `tail` of them are such, the bootstrap has no
 * bound. On a range with two ends the bound is then Clopper's and Pearson's (1934) for the share of it that
 * the mean has, or for what the values have above (below) 0, whichever is closer; values between the ends
 * make it wider than need be. Else it is the end of the range. A series of equal values without such a range
 * is an interval without width.
 *
 * Series i is the first n[i] finite values of row i of `values` (m, width). n[i] = 0 gives NaN, n[i] below
 * LES_FEWEST_VALUES a mean without bounds. Series of one length are resampled alike. The same series, bounds
 * and seed give the same bytes, whatever the other series. */
les_status les_bootstrap(const double *values, const int *n, int m, int width, les_bounds bounds,
                         uint64_t seed, les_interval *out);

/* Sum in the order given, divided by n; NaN for n = 0. */
double les_mean(const double *x, int n);

/* Sample standard deviation over sqrt(n), as lm-evaluation-harness has it; NaN for n < 2. */
double les_standard_error(const double *x, int n);

/* Quantile q in [0, 1] of n > 0 values, infinite ones among them, by linear interpolation between order
 * statistics (Hyndman and Fan's type 7, numpy's default). Reorders x. */
double les_quantile(double *x, int n, double q);

#endif
