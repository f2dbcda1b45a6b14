/* Statistics of measured damage. */
#ifndef LES_STATS_H
#define LES_STATS_H

#include "status.h"

#include <stdint.h>

enum { LES_RESAMPLES = 10000 };

/* Mean with the bounds of its 95 % interval. */
typedef struct les_interval {
  double mean, low, high;
} les_interval;

/* Percentile bootstrap of m means over the same n observations (Efron and Tibshirani, "An introduction to the
 * bootstrap", 1993, chapter 13): LES_RESAMPLES resamples, bounds at 2.5 and 97.5 % with linear interpolation
 * between order statistics. values (m, n), all finite; n > 0. All m series are resampled alike, so that
 * intervals of series that are paired by observation may be compared. The same input and seed give the same
 * bytes. */
les_status les_bootstrap(const double *values, int m, int n, uint64_t seed, les_interval *out);

/* Sum in the order given, divided by n; NaN for n = 0. */
double les_mean(const double *x, int n);

/* Quantile q in [0, 1] of n > 0 finite values by linear interpolation between order statistics (Hyndman and
 * Fan's type 7, numpy's default). Reorders x. */
double les_quantile(double *x, int n, double q);

#endif
