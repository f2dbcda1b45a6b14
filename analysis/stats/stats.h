/* Statistics of measured damage. */
#ifndef LES_STATS_STATS_H
#define LES_STATS_STATS_H

#include "base/status.h"

#include <stdint.h>

enum { LES_RESAMPLES = 10000 };

/* Mean with the bounds of its 95 % interval, and p of the mean being 0: twice the smaller share of resampled
 * means on one side of it, at least 2 / (LES_RESAMPLES + 1) (Davison and Hinkley, 1997, chapter 4). */
typedef struct les_interval {
  double mean, low, high, p;
} les_interval;

/* Percentile bootstrap of the means of m series (Efron and Tibshirani, "An introduction to the bootstrap",
 * 1993, chapter 13): LES_RESAMPLES resamples, bounds at 2.5 and 97.5 % with linear interpolation between
 * order statistics. Series i is the first n[i] finite values of row i of `values` (m, width); n[i] = 0 gives
 * NaN. Series of one length are resampled alike: intervals of series that are paired by observation may be
 * compared, and the interval of paired differences is that of their series. The same series and seed give
 * the same bytes, whatever the other series. */
les_status les_bootstrap(const double *values, const int *n, int m, int width, uint64_t seed,
                         les_interval *out);

/* Sum in the order given, divided by n; NaN for n = 0. */
double les_mean(const double *x, int n);

/* Quantile q in [0, 1] of n > 0 finite values by linear interpolation between order statistics (Hyndman and
 * Fan's type 7, numpy's default). Reorders x. */
double les_quantile(double *x, int n, double q);

#endif
